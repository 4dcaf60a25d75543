"""``o2c schema canonical/order``: the fields of a document, printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from hub.cli.app import create_app


def schema(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(create_app(), ["schema", *words, "--project", str(folder)])


def test_the_schema_of_a_document_has_all_of_its_fields_in_their_places(tmp_path: Path) -> None:
    told = json.loads(schema(tmp_path, "canonical/order").output)
    amount = told["properties"]["anticipated_monetary_total"]["properties"]["payable_amount"]
    assert sorted(amount["properties"]) == ["amount", "currency"]
    assert "order_lines" in told["required"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["canonical/ordr"], "no schema 'canonical/ordr'; did you mean 'canonical/order'?"),
        (["edifact/D96A/ORDERS"], "see: o2c grammar show edifact/D96A/ORDERS"),
        (["idoc/ORDERS05"], "see: o2c grammar show idoc/ORDERS05"),
        (["ubl/2.1/Invoice"], "is told by its format"),
        (["canonical/order", "--into", "schemas"], "take --into out"),
    ],
)
def test_what_has_none_is_told(tmp_path: Path, words: list[str], told: str) -> None:
    assert told in str(schema(tmp_path, *words).exception)
