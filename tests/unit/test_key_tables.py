"""The reference pages have every key, and each as the lint knows it."""

from pathlib import Path

import pytest

from connectors.base import Field
from hub.cli.reference_pages import KEYS
from hub.key_tables import key_table
from hub.route_fields import RESERVED as ROUTE_RESERVED
from hub.settings_fields import RESERVED as HUB_RESERVED

PAGES = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize(("name", "reserved"), [("routes.md", ROUTE_RESERVED), ("configuration.md", HUB_RESERVED)])
def test_every_reserved_key_is_in_the_docs(name, reserved):
    tail = (PAGES / name).read_text(encoding="utf-8").partition("## Not in this version")[2]
    assert [key for key in sorted(reserved) if f"`{key}`" not in tail] == []


@pytest.mark.parametrize("fields", KEYS.values(), ids=KEYS)
def test_every_key_says_what_it_is_for(fields):
    assert " |  |\n" not in key_table(fields)


def test_a_table_has_the_keys_below_groups_and_lists():
    fields = (
        Field("a", "group", "Group.", fields=(Field("b", "duration", "Wait.", default=90.0),)),
        Field("c", "list", "List.", fields=(Field("d", "choice", "x | y.", required=True, choices=("x", "y")),)),
    )
    assert key_table(fields) == (
        "| key | kind | default | |\n|---|---|---|---|\n"
        "| `a` | group |  | Group. |\n"
        "| `a.b` | duration | `1m30s` | Wait. |\n"
        "| `c` | list |  | List. |\n"
        "| `c[].d` | `x`, `y` | required | x \\| y. |\n"
    )
