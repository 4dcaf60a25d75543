"""pain.001, pain.002 and pain.008: written with right sums, read with sums that are checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from iso_schemas import faults

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Record, pain

RAW, DOCUMENT = pain.EXAMPLE
TEXT = RAW.decode()
PARTY = {"name": "Wir GmbH", "id": "4711", "scheme_code": "CUST"}


def money(amount: str) -> dict[str, Any]:
    return {"amount": Decimal(amount), "currency": "EUR"}


def debit(format: str) -> dict[str, Any]:
    transaction = {
        "end_to_end_id": "E-1", "amount": money("12.50"), "mandate_id": "M-7", "mandate_signed_on": "2025-01-01",
        "debtor_bic": "COBADEFFXXX", "debtor_name": "Bau Muster GmbH", "debtor_account": "DE02500105170137075030",
        "remittance_structured": [{"creditor_reference": "RF18539007547034", "reference_type_code": "SCOR"}],
        "creditor_reference": "RF18539007547034", "creditor_reference_type": "SCOR",
    }  # fmt: skip
    payment = {
        "batch_id": "B-1", "payment_method_code": "DD", "service_level_code": "SEPA", "local_instrument_code": "CORE",
        "sequence_type_code": "RCUR", "collection_date": "2026-03-10", "creditor_name": "Wir GmbH",
        "creditor_account": "DE02120300000000202051", "creditor_bic": "BYLADEM1001", "charge_bearer_code": "SLEV",
        "creditor_scheme": {"id": "DE98ZZZ09999999999", "scheme_code": "SEPA"},
        "transactions": [transaction, {**transaction, "end_to_end_id": "E-2", "amount": money("7.50")}],
    }  # fmt: skip
    return {
        "message_type": "direct_debit", "format": format, "message_id": "M-2", "created_at": "2026-03-09T10:00:00Z",
        "initiating_party": PARTY, "payments": [payment],
    }  # fmt: skip


def report(format: str) -> dict[str, Any]:
    rejected = {
        "end_to_end_id": "E-1", "status": "RJCT",
        "reasons": [{"reason_code": "AC04", "additional_information": ["closed"], "originator": {"name": "Bank"}}],
    }  # fmt: skip
    return {
        "message_type": "status_report", "format": format, "message_id": "R-1", "created_at": "2026-03-09T11:00:00Z",
        "original": {
            "message_id": "M-2", "format": "pain.008.001.08", "number_of_transactions": 2,
            "control_sum": Decimal("20.00"), "status": "PART",
        },
        "payments": [{"batch_id": "B-1", "status": "PART", "transactions": [rejected]}],
    }  # fmt: skip


@pytest.mark.parametrize("format", ["pain.008.001.02", "pain.008.001.08"])
def test_direct_debits_are_written_with_their_sums_and_read_again(format: str) -> None:
    raw = pain.encode_one(debit(format), {})
    found = pain.decode_one(raw, {})
    sums = {"number_of_transactions": 2, "control_sum": Decimal("20.00")}
    assert found == {**debit(format), **sums, "payments": [{**debit(format)["payments"][0], **sums}]}
    assert raw.count(b"<NbOfTxs>2</NbOfTxs><CtrlSum>20.00</CtrlSum>") == 2
    assert b"<SchmeNm><Prtry>SEPA</Prtry></SchmeNm>" in raw and b"<SvcLvl><Cd>SEPA</Cd></SvcLvl>" in raw
    assert (b"<BIC>" in raw) == format.endswith("02")


@pytest.mark.parametrize("format", ["pain.002.001.03", "pain.002.001.12"])
def test_a_status_report_tells_of_message_payment_and_transaction_by_their_ids(format: str) -> None:
    assert pain.decode_one(pain.encode_one(report(format), {}), {}) == report(format)


def test_a_credit_transfer_of_the_older_version_has_its_day_without_a_choice() -> None:
    raw = pain.encode_one({**DOCUMENT, "format": "pain.001.001.03"}, {})
    assert b"<ReqdExctnDt>2026-03-10</ReqdExctnDt>" in raw and b"<BIC>BYLADEM1001</BIC>" in raw
    assert pain.decode_one(raw, {}) == {**DOCUMENT, "format": "pain.001.001.03"}


def test_without_a_bank_and_an_id_they_are_written_as_not_provided_and_read_as_nothing() -> None:
    payment = {name: value for name, value in DOCUMENT["payments"][0].items() if name != "debtor_bic"}
    transaction = {name: value for name, value in payment["transactions"][0].items() if name != "end_to_end_id"}
    document = {**DOCUMENT, "payments": [{**payment, "transactions": [transaction]}]}
    raw = pain.encode_one(document, {})
    assert b"<EndToEndId>NOTPROVIDED</EndToEndId>" in raw
    assert b"<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt>" in raw
    assert pain.decode_one(raw, {}) == document


WRONG = (
    ("<NbOfTxs>1<", "<NbOfTxs>2<", "the message says 2 transactions; 1 are there"),
    ("</NbOfTxs><CtrlSum>12.50<", "</NbOfTxs><CtrlSum>12.51<", "the message says 12.51 as its control sum; 12.50"),
    (
        "TRF</PmtMtd><NbOfTxs>1</NbOfTxs><CtrlSum>12.50<", "TRF</PmtMtd><NbOfTxs>1</NbOfTxs><CtrlSum>1<",
        "payment B-1 says 1 as its control sum",
    ),
    ('Ccy="EUR">12.50', 'Ccy="EUR">12,50', "InstdAmt is '12,50'; expected a decimal number with a point"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG)
def test_a_message_whose_sums_do_not_hold_is_refused(old: str, new: str, message: str) -> None:
    assert old in TEXT
    (found,) = pain.decode([TEXT.replace(old, new, 1).encode()], {})
    assert isinstance(found, BadRecord)
    assert message in str(found.error)


def test_what_breaks_the_schema_is_told_and_with_strict_an_error() -> None:
    raw = TEXT.replace("<PmtMtd>", "<Own/><PmtMtd>").encode()
    (found,) = pain.decode([raw], {})
    assert isinstance(found, Record)
    assert [fault.message for fault in found.faults] == ["Own is not an element of PmtInf"]
    (refused,) = pain.decode([raw], {"strict": True})
    assert isinstance(refused, BadRecord)


def test_another_message_is_refused_with_what_it_is() -> None:
    with pytest.raises(DecodeError, match="it is no message about payments: its root is Invoice"):
        pain.decode_one(b"<Invoice/>", {})


UNWRITABLE = (
    ({"number_of_transactions": 7}, "number_of_transactions: it is 7; the transactions make 1"),
    (
        {"message_type": "credit"},
        "message_type: expected one of credit_transfer, status_report, direct_debit, got 'credit'",
    ),
    ({"format": "pain.001.001.11"}, "expected one of pain.001.001.03, pain.001.001.09"),
    ({"payments": None}, "expected a list, got nothing"),
    (
        {"payments": [{**DOCUMENT["payments"][0], "debtor_account": None}]},
        r"payments\[0\].debtor_account: it is missing",
    ),
)


@pytest.mark.parametrize(("change", "message"), UNWRITABLE)
def test_what_cannot_be_written_is_refused_with_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        pain.encode_one({**DOCUMENT, **change}, {})


@pytest.mark.parametrize("format", ["pain.008.001.02", "pain.008.001.08"])
def test_a_direct_debit_is_valid_by_its_schema(format: str) -> None:
    assert faults(pain.encode_one(debit(format), {})) == []


@pytest.mark.parametrize("format", ["pain.002.001.03", "pain.002.001.12"])
def test_a_status_report_is_valid_by_its_schema(format: str) -> None:
    assert faults(pain.encode_one(report(format), {})) == []
