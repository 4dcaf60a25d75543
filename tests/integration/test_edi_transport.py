"""The transport mappings of the library: out as an interchange, in again, and what the two sides cannot both hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from edi_library import context, example, library, mapped

from hub.errors import MappingError
from hub.formats import Record
from hub.formats._edi_marks import filled
from hub.partners import Identity, Partner
from hub.pipeline.partners import interchange_for

AT = datetime(2026, 3, 5, 9, 30, tzinfo=UTC)
CONTEXT = context({"party_id": "NDFR", "name": "Nordfracht AG"}, "Europe/Berlin", "2026-03-05T09:30:00Z")
DELIMITERS = {
    "edifact": {
        "element": "+",
        "component": ":",
        "terminator": "'",
        "release": "?",
        "repetition": "",
        "line_end": True,
    },
    "x12": {"element": "*", "component": ">", "terminator": "~", "release": "", "repetition": "", "line_end": True},
}
PARTNERS = {
    syntax: Partner(
        "carrier", "van", syntax, Identity("4012345000009", "14"), Identity("5412345000013", "14"),
        version=version, charset=charset, delimiters=DELIMITERS[syntax],
        numbers={"interchange": 1, "group": 1, "message": 1, "digits": 0},
    )
    for syntax, version, charset in (("edifact", "3", "UNOC"), ("x12", "00401", "utf-8"))
}  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A mapping out and its counterpart in, on an example. ``differs``: path and why what stands there does not come
    back; ``changed`` is what the example is changed by before."""

    out: str
    back: str
    example: str
    differs: dict[str, str] = field(default_factory=dict)
    changed: dict[str, Any] = field(default_factory=dict)


ENDPOINT = "an electronic address has no place in NAD"
PERSON = "NAD does not tell persons from organisations"
CONSIGNOR = (
    "party_id", "party_type", "endpoint", "contact", "vat_id", "tax_registration_id", "legal_registration_id"
)  # fmt: skip
NUMBERS = "N1 has one identification: the GLN, where there is one; the registers of Europe have no place"
FILES = "a file has no place in a message"
PAIRS = [
    Pair("transport-booking-to-edifact", "edifact-transport-booking", "transport_booking", {
        "consignor.endpoint": ENDPOINT, "consignor.party_type": PERSON, "consignee.party_type": PERSON,
        "status": "an instruction asks; it does not say what was answered",
    }),
    Pair("transport-booking-to-edifact-iftmbf", "edifact-iftmbf-transport-booking", "transport_booking", {
        "consignor.endpoint": ENDPOINT, "consignor.party_type": PERSON, "consignee.party_type": PERSON,
        "status": "a booking asks; it does not say what was answered",
    }),
    Pair("transport-booking-to-edifact-iftmbc", "edifact-iftmbc-transport-booking", "transport_booking", {
        **{f"{party}.{name}": "an answer names parties, and no more of them than name, number and address"
           for party, names in (("consignor", CONSIGNOR), ("consignee", ("party_type", "vat_id"))) for name in names},
        "freight_charge": "an answer has no amounts",
    }),
    Pair("transport-booking-to-x12", "x12-transport-booking", "transport_booking", {
        **dict.fromkeys([f"consignor.{name}" for name in CONSIGNOR if name != "contact"], NUMBERS),
        **dict.fromkeys(["consignee.party_type", "consignee.vat_id"], NUMBERS),
        "freight_charge": "a load tender names no currency: US dollars are meant",
        "status": "a tender asks; it does not say what was answered",
    }),
    Pair("transport-booking-to-x12", "x12-transport-booking", "transport_booking", {
        **dict.fromkeys([f"consignor.{name}" for name in CONSIGNOR if name != "contact"], NUMBERS),
        **dict.fromkeys(["consignee.party_type", "consignee.vat_id"], NUMBERS),
    }, {"freight_charge": {"amount": "1048.90", "currency": "USD"}, "status": "cancelled"}),
    Pair("transport-status-to-edifact", "edifact-transport-status", "transport_status", {
        "attachments": FILES, "raw_status_code": "a code of no list is told as the one of UN list 9011",
    }),
    Pair("transport-status-to-x12", "x12-transport-status", "transport_status", {
        "attachments": FILES, "raw_status_code": "a code of no list is told as the one of list 1650",
    }),
]  # fmt: skip


def sent(name: str, document: Any) -> bytes:
    """The interchange that a canonical document becomes."""
    schemas = library().schemas
    target = library().mappings[name].target
    grammar = schemas.grammars.message(target.schema or "")
    body = interchange_for(PARTNERS[target.format or ""], mapped(name, document, CONTEXT), grammar=grammar)
    return filled(body.content, {"interchange": 1, "group": 1, "message": 1}, AT)


def received(name: str, raw: bytes) -> list[Any]:
    """The canonical documents that an interchange becomes; every record must be without a fault."""
    schemas = library().schemas
    source = library().mappings[name].source
    records = list(schemas.codec(source.format or "", source.schema).decode([raw], source.options))
    assert all(isinstance(record, Record) and not record.faults for record in records), records
    return [mapped(name, record.value, CONTEXT) for record in records if isinstance(record, Record)]


def paths(before: Any, after: Any, at: str = "") -> Iterator[str]:
    """Where two documents differ; what one has and the other has not is told by its own path."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in {**before, **after}:
            yield from paths(before.get(name), after.get(name), f"{at}.{name}".lstrip("."))
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from paths(one, other, f"{at}[{number}]")
    elif not is_same(before, after):
        yield at


def is_same(before: Any, after: Any) -> bool:
    """Whether two values are the same, or two ways to write the same instant."""
    try:
        return before == after or datetime.fromisoformat(before) == datetime.fromisoformat(after)
    except (TypeError, ValueError):
        return False


def ids(pairs: Sequence[Pair]) -> list[str]:
    return [f"{pair.out} {' '.join(map(str, pair.changed.values()))}".strip() for pair in pairs]


@pytest.mark.parametrize("pair", PAIRS, ids=ids(PAIRS))
def test_what_both_sides_can_hold_comes_back(pair: Pair) -> None:
    document = {**example(pair.example), **pair.changed}
    [again] = received(pair.back, sent(pair.out, document))
    assert set(paths(document, again)) == set(pair.differs)


@pytest.mark.parametrize("unit", ["LTR", "DMQ", "MTQ"])
def test_a_204_says_what_unit_a_volume_has(unit: str) -> None:
    document = {**example("transport_booking"), "gross_volume": {"value": "500", "unit_code": unit}}
    [again] = received("x12-transport-booking", sent("transport-booking-to-x12", document))
    assert again["gross_volume"] == document["gross_volume"]


@pytest.mark.parametrize("name", ["gross_volume", "gross_weight"])
def test_a_204_is_refused_where_x12_has_no_such_unit(name: str) -> None:
    document = {**example("transport_booking"), name: {"value": "5", "unit_code": "HLT"}}
    with pytest.raises(MappingError, match=f"no code for the unit of {name[6:]} HLT; add it to the table"):
        sent("transport-booking-to-x12", document)
