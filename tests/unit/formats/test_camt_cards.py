"""What camt tells of cards: read with no more of a card's number than its end, written as the schemas want it."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from iso_schemas import faults

from hub.errors import MappingError
from hub.formats import camt053

RAW, DOCUMENT = camt053.EXAMPLE
OF_ENTRY = {
    "brand": "VISA", "card_information": "debit", "terminal_id": "T-7", "terminal_name": "Till 7",
    "aggregated": {
        "service_code": "AGGR", "category_code": "CASH", "reconciliation_id": "R-1", "first_transaction": "1",
        "last_transaction": "9",
    },
}  # fmt: skip
OF_TRANSACTION = {
    "brand": "VISA", "terminal_id": "T-7", "service_code": "NRES", "category_code": "CASH", "reconciliation_id": "R-1",
    "sale_ref": "S-1", "sequence_number": "5", "paid_at": "2026-03-09T10:00:00Z", "payment_ref": "P-1",
}  # fmt: skip
CARD = (
    "<CardTx><Card><PlainCardData><PAN>{}</PAN><XpryDt>2031-05</XpryDt><TrckData><TrckVal>2468013</TrckVal></TrckData>"
    "<CardSctyCd><CSCMgmt>PRST</CSCMgmt><CSCVal>987</CSCVal></CardSctyCd></PlainCardData></Card></CardTx>"
)


def document(version: int = 8, **cards: dict[str, Any]) -> Any:
    """A statement whose entry and transaction have these cards."""
    made = deepcopy({**DOCUMENT, "format": f"camt.053.001.{version:02}"})
    entry = made["entries"][0]
    entry |= {"card": cards["entry"]} if "entry" in cards else {}
    entry["transactions"][0] |= {"card": cards["transaction"]} if "transaction" in cards else {}
    return made


@pytest.mark.parametrize("version", range(3, 15))
def test_a_card_is_written_by_the_schema_and_read_as_it_was(version: int) -> None:
    more = {"representment_reason_code": "RPSN"} if version > 4 else {}
    given = document(version, entry=OF_ENTRY, transaction={**OF_TRANSACTION, **more})
    raw = camt053.encode_one(given, {})
    assert faults(raw) == []
    assert camt053.decode_one(raw, {}) == given
    several = document(version, transaction={"brand": "VISA", "aggregated": OF_ENTRY["aggregated"]})
    assert faults(camt053.encode_one(several, {})) == []


@pytest.mark.parametrize(("number", "card"), [
    ("4000123412341234", {"last_digits": "1234"}), ("XXXXXXXXXXXX1234", {"last_digits": "1234"}), ("unknown", None),
])  # fmt: skip
def test_of_a_card_s_number_its_end_is_read_and_nothing_of_its_secrets(number: str, card: Any) -> None:
    told = CARD.format(number).encode()
    raw = RAW.replace(b"<NtryDtls>", told + b"<NtryDtls>").replace(b"</TxDtls>", told + b"</TxDtls>")
    found = camt053.decode_one(raw, {})
    assert [each.get("card") for each in (found["entries"][0], found["entries"][0]["transactions"][0])] == [card, card]
    assert not [secret for secret in ("40001234", "2468013", "987", "2031-05") if secret in str(found)]
    again = camt053.encode_one(found, {})
    assert faults(again) == [] and b"<PAN>" not in again


@pytest.mark.parametrize(("version", "cards", "words"), [
    (2, {"entry": OF_ENTRY}, "version 02 of the message has no place for it"),
    (4, {"transaction": {"representment_reason_code": "RPSN"}}, "version 04 of the message has no place for it"),
    (8, {"transaction": OF_TRANSACTION | {"aggregated": OF_ENTRY["aggregated"]}}, "or aggregated, not both"),
    (8, {"entry": {"terminal_name": "Till 7"}}, "terminal_id: it is missing"),
    (8, {"entry": {"aggregated": {"service_code": "VIP"}}}, "expected one of AGGR"),
    (8, {"transaction": {"paid_at": "2026-03-09T10:00:00Z"}}, "payment_ref: it is missing"),
    (8, {"entry": {"number": "4000123412341234"}}, "there is no such field"),
])  # fmt: skip
def test_what_has_no_place_is_refused_with_its_path(version: int, cards: dict[str, Any], words: str) -> None:
    with pytest.raises(MappingError, match=words) as caught:
        camt053.encode_one(document(version, **cards), {})
    assert ".card" in caught.value.field_path
