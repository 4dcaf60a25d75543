"""What looks like the beginning of an interchange and is none: read over, once, to the end of the bytes."""

from __future__ import annotations

import pytest

from hub.errors import DecodeError
from hub.formats import edifact, x12


@pytest.mark.parametrize(
    ("door", "raw"),
    [
        (edifact, b"UNB~+UNOC:3+541:14+401:14+240131:1200+R1'UNH+1+ORDERS:D:96A:UN'UNT+2+1'UNZ+1+R1'"),
        (x12, b"ISA~00~GS*PO*US*THEM~ST*850*1~SE*2*1~"),
    ],
    ids=["edifact", "x12"],
)
def test_a_header_that_cannot_be_read_is_told_and_left_behind(door, raw):
    with pytest.raises(DecodeError):
        list(door.read([raw]))


def test_a_decimal_mark_that_is_none_is_told_and_read_as_a_point():
    raw = b"UNA:+ ? 'UNB+UNOC:3+541:14+401:14+240131:1200+R1'UNH+1+ORDERS:D:96A:UN'QTY+21:12.50'UNT+3+1'UNZ+1+R1'"
    [interchange] = edifact.read([raw])
    assert interchange.delimiters.decimal_mark == "."
    assert [(fault.severity, fault.message) for fault in interchange.faults] == [
        ("warning", "UNA names ' ' as the decimal mark; read as '.'")
    ]
    strict = next(edifact.read([raw], strict=True))
    assert [fault.severity for fault in strict.faults] == ["error"]
