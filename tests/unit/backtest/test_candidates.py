"""Where a candidate belongs."""

from __future__ import annotations

import pytest

from hub.backtest import edited_files, put_in_place
from hub.errors import ProjectError, UsageError

FILES = {
    "mappings/orders/order-in.yaml": b"mapping: order-in\nversion: 1\n",
    "mappings/orders/order-in.test.yaml": b"mapping: order-in\n",
    "mappings/tables/units.csv": b"key,value\n",
    "routes/orders.yaml": b"route: shop-orders\n",
    "config/hub.yaml": b"{}",
}


@pytest.mark.parametrize(
    ("name", "content", "path"),
    [
        ("/elsewhere/new.yaml", b"mapping: order-in\nversion: 2\n", "mappings/orders/order-in.yaml"),
        ("draft.yaml", b"route: shop-orders\n", "routes/orders.yaml"),
        ("other/units.csv", b"key,value\na,b\n", "mappings/tables/units.csv"),
    ],
)
def test_a_candidate_stands_in_for_what_it_says_it_is(name: str, content: bytes, path: str) -> None:
    assert put_in_place(FILES, name, content) == path
    files, edited = edited_files(FILES, {name: content})
    assert (files[path], edited) == (content, [path])
    assert len(files) == len(FILES)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("x.yaml", b"mapping: order-im\n", "the project has no mapping 'order-im' that it could stand in for; did you "
         "mean 'order-in'?"),
        ("x.yaml", b"name: order-in\n", "x.yaml: neither a mapping nor a route nor a table"),
        ("unit.csv", b"key,value\n", "has no mappings/tables/unit.csv that it could stand in for; did you mean "
         "'units.csv'?"),
    ],
)  # fmt: skip
def test_a_candidate_for_nothing_is_refused(name: str, content: bytes, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        put_in_place(FILES, name, content)
    assert told in str(raised.value)


def test_a_candidate_that_is_no_yaml_is_told_with_its_line() -> None:
    with pytest.raises(ProjectError, match=r"x\.yaml:2:"):
        put_in_place(FILES, "x.yaml", b"mapping: order-in\n  bad: [\n")
