"""Whatever a mapping makes of a document, it is written or told why not: nothing else comes out of the writer."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hub.errors import DecodeError, MappingError
from hub.formats import ubl

GOLDEN = sorted((Path(__file__).parents[2] / "golden/ubl").glob("*.in"))
ODD: list[Any] = [
    None, "", 'a & "b" <c>', "a\n\t\r", "\x00", "\ud800", "\uffff", "é 漢", "]]>", 5, 1.5, True, [], {}, [None], [{}],
    Decimal("NaN"), Decimal("1E+3"), Decimal("-0.0"), {"value": "x"}, {"value": "x", "scheme_id": 'a"b'},
    {"amount": Decimal(2), "currency": "E&R"}, {"amount": Decimal(2)}, ["a", 1], {"odd": {}},
]  # fmt: skip


@pytest.mark.parametrize("seed", range(8))
def test_a_document_of_any_shape_is_written_or_refused(seed: int) -> None:
    chance = random.Random(seed)
    documents = [ubl.decode_one(path.read_bytes(), {"faulty": "pass"}) for path in GOLDEN]
    written = refused = 0
    for _ in range(150):
        document = copy.deepcopy(chance.choice(documents))
        if chance.random() < 0.5:
            document.pop("indent", None)
        for _ in range(chance.choice((1, 1, 2, 3))):
            holder, name = chance.choice([*_places(document)])
            holder[name] = copy.deepcopy(chance.choice(ODD))
        try:
            raw = ubl.encode_one(document, {})
        except MappingError as error:
            assert error.code == "encode"
            refused += 1
            continue
        written += 1
        try:
            ubl.decode_one(raw, {})
        except DecodeError as error:
            assert error.code != "malformed", str(error)
    assert written and refused


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in pairs:
        yield value, name
        yield from _places(item)
