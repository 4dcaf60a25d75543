"""MT940 as single banks write it: their words in field 86, what they put behind field 61, numbers that are none."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from hub.formats import Record, mt940

HEAD = ":20:{reference}\n:25:NL50RABO0123456789\n:28C:{number}\n:60F:{opening}\n"
TAIL = ":62F:C260309EUR{closing}\n-\n"


def read(
    *lines: str, reference: str = "A", number: str = "7", opening: str = "C260306EUR0,", closing: str = "10,00"
) -> Record:
    head = HEAD.format(reference=reference, number=number, opening=opening)
    (found,) = mt940.decode(
        [(head + "".join(f"{line}\n" for line in lines) + TAIL.format(closing=closing)).encode()], {}
    )
    assert isinstance(found, Record), found.error
    return found


def transaction(*lines: str) -> dict[str, Any]:
    (only,) = read(*lines).value["entries"][0]["transactions"]
    return {name: value for name, value in only.items() if name != "amount"}


RABOBANK = ":61:260309C000000000010,00N541NONREF//26643593505"
ING = ":61:2603090309C10,00NRTIEREF//00000000001007"
KNAB = ":61:2603090309C10,00N210NONREF"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            (RABOBANK, "NL91ABNA0417164300", ":86:/ORDP//NAME/F. Noord/REMI/2026-1001"),
            {"debtor_name": "F. Noord", "debtor_account": "NL91ABNA0417164300",
             "remittance_unstructured": ["2026-1001"]},
        ),
        (
            (RABOBANK, "NL91ABNA0417164300", ":86:/IBAN/NL91ABNA0417164300/NAME/F. Noord"),
            {"debtor_name": "F. Noord", "debtor_account": "NL91ABNA0417164300"},
        ),
        (
            (RABOBANK, "NL91ABNA0417164300", ":86:/IBAN/DE02120300000000202051/NAME/F. Noord"),
            {"debtor_name": "F. Noord", "debtor_account": "DE02120300000000202051",
             "additional_information": "NL91ABNA0417164300"},
        ),
        (
            (RABOBANK, ":86:/ORDP//NAME/J. Jansen/REMI//CDTRREFTP//CD/SCOR/ISSR/CUR/CDTRREF/1004510036716378"),
            {"debtor_name": "J. Jansen", "creditor_reference": "1004510036716378", "creditor_reference_type": "CUR"},
        ),
        (
            (RABOBANK, ":86:/NAME/Naam/REMI/Issuer: CUR Ref: 1004510036716378/EREF/E-1"),
            {"debtor_name": "Naam", "end_to_end_id": "E-1", "creditor_reference": "1004510036716378",
             "creditor_reference_type": "CUR"},
        ),
        (
            (KNAB, ":86:/TRTP/SEPA OVERBOEKING/BBAN/52695945/BIC/KNABNL2HXXX/NAME/J. Jansen/REMI/Factuur 7"),
            {"debtor_account": "52695945", "debtor_bic": "KNABNL2HXXX", "debtor_name": "J. Jansen",
             "remittance_unstructured": ["Factuur 7"]},
        ),
        (
            (KNAB, ":86:/RTYP/SEPA Terugboeking/RTRN/MS02/NAME/J. Jansen"),
            {"return_reason_code": "MS02", "creditor_name": "J. Jansen"},
        ),
        (
            (ING, ":86:/RTRN/MS03//CREF/CR-9//EREF/E-2//IREF/I-1//REMI/USTD//Factuur 77/"),
            {"return_reason_code": "MS03", "other_refs": [{"type_code": "CREF", "ref": "CR-9"}], "end_to_end_id": "E-2",
             "instruction_id": "I-1", "remittance_unstructured": ["Factuur 77"]},
        ),
    ],
)  # fmt: skip
def test_the_words_of_a_dutch_bank(lines: tuple[str, ...], expected: dict[str, Any]) -> None:
    assert transaction(*lines) == expected


@pytest.mark.parametrize(
    "details",
    [
        (":86:166", "?00GUTSCHRIFT", "?20EREF+E-1", "?32KUNDE AG"),
        (":86:166?00GUTSCHRIFT?20EREF+E-1?32KUNDE AG",),
        (":86:166", ":86:166?00GUTSCHRIFT", "?20EREF+E-1", "?32KUNDE AG"),
        (":86:", "166?00GUTSCHRIFT?20EREF+E-1?32KUNDE AG"),
    ],
)
def test_a_code_may_have_a_line_of_its_own(details: tuple[str, ...]) -> None:
    (entry,) = read(":61:2603090309C10,00NTRFNONREF", *details).value["entries"]
    assert entry["proprietary_code"] == {"code": "NTRF+166"}
    assert entry["transactions"][0]["debtor_name"] == "KUNDE AG"
    assert entry["transactions"][0]["end_to_end_id"] == "E-1"


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("2603090309C10,00 NTRFNONREF", "NTRF", []),
        ("260309C10,00NET NONREF", "NET", []),
        ("260309C10,00NONREF", "", ["the statement line has no transaction type"]),
        ("260309c10,00NTRFNONREF", "NTRF", ["a small letter: c"]),
    ],
)
def test_what_leaves_no_doubt_in_the_line_of_an_entry_is_read(line: str, code: str, told: list[str]) -> None:
    found = read(f":61:{line}")
    (entry,) = found.value["entries"]
    assert entry.get("proprietary_code", {"code": ""})["code"] == code
    assert "transactions" not in entry, "NONREF is no reference"
    assert [fault.message for fault in found.faults] == told


def test_an_amount_may_begin_with_its_comma() -> None:
    found = read(":61:2603090309C,50NTRFNONREF", opening="C260306EUR,00", closing=",50")
    assert [str(entry["amount"]["amount"]) for entry in found.value["entries"]] == ["0.50"]
    assert {fault.full_code for fault in found.faults} == {"statement_amount"}


def test_a_statement_with_the_number_0_is_named_by_its_reference() -> None:
    found = read(":61:2603090309C10,00NTRFNONREF", reference="P260309000001", number="00000").value
    assert (found["statement_id"], found["electronic_sequence_number"]) == ("P260309000001", 0)
    assert mt940.decode_one(mt940.encode_one(found, {}), {}) == found
    raw = mt940.encode_one(found, {})
    place = mt940.places(raw, {}, 0)(("statement_id",))
    assert place is not None and (place.line, place.what) == (1, ":20:")


def test_an_account_behind_the_line_has_its_place() -> None:
    raw = (HEAD.format(reference="A", number="7", opening="C260306EUR0,") + f"{RABOBANK}\nNL91ABNA0417164300\n"
           ":86:/NAME/N\n" + TAIL.format(closing="10,00")).encode()  # fmt: skip
    place = mt940.places(raw, {}, 0)(("entries", 0, "transactions", 0, "debtor_account"))
    assert place is not None and (place.line, place.column) == (6, 1)


@pytest.mark.parametrize(
    ("mark", "kind", "details", "role"),
    [
        ("C", "NTRF", "166?00GUTSCHRIFT?32MUSTER", "debtor"),
        ("D", "NDDT", "105?00LASTSCHRIFT?32MUSTER", "creditor"),
        ("D", "NDDT", "109?00RETOURE?20CRED+DE98ZZZ09999999999?32MUSTER?34912", "debtor"),
        ("RC", "NRTI", "109?00RETOURE?32MUSTER", "debtor"),
        ("D", "NRTI", "009?00RUECKBELASTUNG?32MUSTER", "debtor"),
        ("C", "NTRF", "159?00RETOURE?32MUSTER", "creditor"),
        ("D", "N245", "/TRTP/SEPA INCASSO TERUGBOEKING/RTRN/MS03/NAME/MUSTER", "debtor"),
        ("C", "N657", "/TRTP/SEPA TERUGBOEKING/NAME/MUSTER/RTRN/MS02", "creditor"),
    ],
)
def test_of_a_payment_that_comes_back_the_other_end_is_who_it_was(
    mark: str, kind: str, details: str, role: str
) -> None:
    closing = {"C": "10,00", "D": "0,00", "RC": "0,00"}[mark]
    opening = "C260306EUR0," if mark == "C" else "C260306EUR10,"
    found = read(f":61:2603090309{mark}10,00{kind}NONREF", f":86:{details}", opening=opening, closing=closing)
    (only,) = found.value["entries"][0]["transactions"]
    assert {name: only[name] for name in ("debtor_name", "creditor_name") if name in only} == {f"{role}_name": "MUSTER"}
    (again,) = mt940.decode([mt940.encode_one(found.value, {})], {})
    assert isinstance(again, Record) and again.value["entries"] == found.value["entries"]


@pytest.mark.parametrize(
    ("second", "told", "amount"),
    [("", "11,85", "11.85"), ("", "EUR", None), ("/OCMT/EUR11,80//CHGS/EUR0,55/", "11,85", "11.80")],
)
def test_what_a_returned_collection_was_before_charges_is_known(second: str, told: str, amount: str | None) -> None:
    lines = [":61:2603090309D12,35NRTINONREF", *([second] if second else [])]
    details = f":86:109?00RETOURE?20OAMT+{told}?21SVWZ+SONSTIGE GRUENDE?32MUSTER"
    found = read(*lines, details, opening="C260306EUR22,35")
    (only,) = found.value["entries"][0]["transactions"]
    assert only.get("instructed_amount") == (amount and {"amount": Decimal(amount), "currency": "EUR"})
    (again,) = mt940.decode([mt940.encode_one(found.value, {})], {})
    assert isinstance(again, Record) and again.value["entries"] == found.value["entries"]
