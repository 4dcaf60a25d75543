"""camt.052, 053 and 054: what is read whatever the version, what is refused as a whole, what is only told."""

from __future__ import annotations

import re
import time
import tracemalloc
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Record, camt053
from hub.formats._statements import check

RAW, DOCUMENT = camt053.EXAMPLE
TEXT = RAW.decode()
ENTRY = re.search("<Ntry>.*</Ntry>", TEXT)[0]  # type: ignore[index]
STATEMENT = re.search("<Stmt>.*</Stmt>", TEXT)[0]  # type: ignore[index]
HEAD = re.search("<Stmt>.*?(?=<Bal>)", TEXT)[0]  # type: ignore[index]
PLAIN_ENTRY = re.sub("<NtryDtls>.*</NtryDtls>", "", ENTRY)


def read(text: str | bytes, **options: Any) -> list[Record | BadRecord]:
    raw = text.encode() if isinstance(text, str) else text
    pieces = [raw[start : start + 1000] for start in range(0, len(raw), 1000)]
    return list(camt053.decode(iter(pieces), options))


def good(text: str | bytes, **options: Any) -> list[Any]:
    found = read(text, **options)
    assert all(isinstance(each, Record) for each in found), found
    return [each.value for each in found if isinstance(each, Record)]


def bad(text: str, **options: Any) -> DecodeError:
    (found,) = read(text, **options)
    assert isinstance(found, BadRecord)
    return found.error


def told(text: str) -> list[tuple[str, str]]:
    (found,) = read(text)
    assert isinstance(found, Record)
    return [(fault.full_code.removeprefix("statement_"), fault.message) for fault in found.faults]


def balance(code: str, amount: str, direction: str = "CRDT") -> str:
    return (
        f'<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{amount}</Amt>'
        f"<CdtDbtInd>{direction}</CdtDbtInd><Dt><Dt>2026-03-09</Dt></Dt></Bal>"
    )


def whole(*statements: str) -> str:
    return TEXT.replace(STATEMENT, "".join(statements))


def long(entries: int) -> Iterator[bytes]:
    """A statement of many entries of one cent more each, in pieces."""
    yield TEXT[: TEXT.index("<Stmt>")].encode() + HEAD.encode()
    yield (balance("OPBD", "0.00") + balance("CLBD", f"{Decimal(entries * (entries + 1)) / 200}")).encode()
    for number in range(1, entries + 1):
        amount = f"{Decimal(number) / 100}"
        yield ENTRY.replace("269.33", amount).replace("E2E-1", f"E2E-{number}").encode()
    yield b"</Stmt></BkToCstmrStmt></Document>"


def test_every_part_of_a_long_statement_adds_up_and_all_of_them_are_the_whole() -> None:
    parts = [record.value for record in camt053.decode(long(2500), {"entries": 1000}) if isinstance(record, Record)]
    assert [len(part["entries"]) for part in parts] == [1000, 1000, 500]
    assert [part["part"] for part in parts] == [
        {"number": 1, "is_last": False, "first_entry": 1}, {"number": 2, "is_last": False, "first_entry": 1001},
        {"number": 3, "is_last": True, "first_entry": 2001},
    ]  # fmt: skip
    assert [check(part) for part in parts] == [[], [], []]
    assert {part["statement_id"] for part in parts} == {"2026-060"}
    assert [entry["number"] for part in parts for entry in part["entries"]] == list(range(1, 2501))
    again = camt053.encode(parts, {})
    assert again.count(b"<Stmt>") == 1 and again.count(b"<Ntry>") == 2500
    assert good(again) == parts


def test_a_statement_that_does_not_add_up_gives_none_of_its_entries_and_its_neighbours_all() -> None:
    wrong = STATEMENT.replace("219.33", "219.34").replace("2026-060", "2026-061").replace(">60<", ">61<")
    last = STATEMENT.replace("2026-060", "2026-062").replace(">60<", ">62<")
    first, second, third = read(whole(STATEMENT, wrong, last))
    assert isinstance(first, Record) and isinstance(third, Record) and isinstance(second, BadRecord)
    assert [first.index, second.index, third.index] == [0, 1, 2]
    assert str(second.error) == (
        "the balances do not add up: -50.00 and 1 booked entries of 269.33 make 219.33, it closes with 219.34 "
        "(+0.01 EUR) (line 2)"
    )
    assert (second.error.code, second.error.value_excerpt, second.error.expected) == (
        "statement_balance", "219.34", "219.33",
    )  # fmt: skip


def test_the_accounts_of_a_file_stay_apart() -> None:
    other = STATEMENT.replace("DE02120300000000202051", "DE02500105170137075030").replace("E1<", "X1<")
    first, second = good(whole(STATEMENT, other))
    assert [each["account"]["account_id"][-4:] for each in (first, second)] == ["2051", "5030"]
    assert [each["entries"][0]["entry_ref"] for each in (first, second)] == ["E1", "X1"]


SUMS = (
    ("<TtlNtries><NbOfNtries>2</NbOfNtries></TtlNtries>", "the count of its entries does not hold: it says 2"),
    ("<TtlCdtNtries><Sum>269.34</Sum></TtlCdtNtries>", "the sum of its credits does not hold: it says 269.34"),
    ("<TtlDbtNtries><NbOfNtries>1</NbOfNtries></TtlDbtNtries>", "the count of its debits does not hold: it says 1"),
    (
        "<TtlNtries><TtlNetNtry><Amt>269.33</Amt><CdtDbtInd>DBIT</CdtDbtInd></TtlNetNtry></TtlNtries>",
        "the net sum does not hold: it says -269.33",
    ),
)


@pytest.mark.parametrize(("summary", "message"), SUMS)
def test_a_control_sum_that_does_not_hold_refuses_the_statement(summary: str, message: str) -> None:
    assert message in str(bad(TEXT.replace("<Ntry>", f"<TxsSummry>{summary}</TxsSummry><Ntry>")))


def test_a_control_sum_that_holds_is_kept() -> None:
    summary = "<TxsSummry><TtlNtries><NbOfNtries>1</NbOfNtries><Sum>269.33</Sum></TtlNtries></TxsSummry><Ntry>"
    (document,) = good(TEXT.replace("<Ntry>", summary))
    assert document["summary"] == {"entries": {"count": 1, "sum": Decimal("269.33")}}


BATCHES = (
    ("<NtryDtls><Btch><NbOfTxs>2</NbOfTxs></Btch><TxDtls/><TxDtls/><TxDtls/></NtryDtls>", "2 transactions are"),
    (
        '<NtryDtls><Btch><NbOfTxs>1</NbOfTxs><TtlAmt Ccy="EUR">1.00</TtlAmt></Btch><TxDtls/></NtryDtls>',
        "its batch is 1.00, the entry 269.33",
    ),
    (
        '<NtryDtls><TxDtls><Amt Ccy="EUR">269.33</Amt></TxDtls><TxDtls><Amt Ccy="EUR">269.33</Amt></TxDtls></NtryDtls>',
        "its 2 transactions make 538.66, the entry is 269.33",
    ),
)


@pytest.mark.parametrize(("details", "message"), BATCHES)
def test_a_batch_that_does_not_add_up_refuses_the_statement(details: str, message: str) -> None:
    error = bad(TEXT.replace(ENTRY, PLAIN_ENTRY.replace("</Ntry>", f"{details}</Ntry>")))
    assert message in str(error)
    assert error.field_path == "/Document/BkToCstmrStmt/Stmt/Ntry"


def test_the_total_of_a_batch_lands_on_none_of_its_lines() -> None:
    batch = "<Btch><PmtInfId>B</PmtInfId><NbOfTxs>2</NbOfTxs></Btch>"
    details = f"<NtryDtls>{batch}<TxDtls>{{}}</TxDtls><TxDtls>{{}}</TxDtls></NtryDtls>"
    refs = [f"<Refs><EndToEndId>{name}</EndToEndId></Refs>" for name in "AB"]
    text = TEXT.replace(ENTRY, PLAIN_ENTRY.replace("</Ntry>", details.format(*refs) + "</Ntry>"))
    (document,) = good(text)
    (entry,) = document["entries"]
    assert entry["transactions"] == [{"end_to_end_id": "A"}, {"end_to_end_id": "B"}]
    assert (entry["batch_id"], entry["number_of_transactions"]) == ("B", 2)
    assert [code for code, _ in told(text)] == ["transaction_amount"]


LENIENT = (
    ("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<CdtDbtInd> crdt </CdtDbtInd><Sts>", "code", "CdtDbtInd is 'crdt'"),
    ("<Cd>BOOK</Cd>", "<Cd>book</Cd>", "code", "Sts is 'book'"),
    ("<Sts><Cd>BOOK</Cd></Sts>", "", "missing", "entry 1 has no Sts; BOOK is taken"),
    ("<BookgDt><Dt>2026-03-09</Dt></BookgDt>", "", "missing", "entry 1 is booked and has no BookgDt"),
    ("<BookgDt><Dt>2026-03-09</Dt>", "<BookgDt><Dt>2026-03-09T10:00:00</Dt>", "date", "Dt is '2026-03-09T10:00:00'"),
    ("<BookgDt><Dt>2026-03-09</Dt>", "<BookgDt><Dt>0000-03-09</Dt>", "date", "no day of the calendar"),
    ("<BookgDt><Dt>2026-03-09</Dt>", "<BookgDt><Dt>2026-02-30</Dt>", "date", "no day of the calendar"),
    ("<IBAN>DE02120300000000202051</IBAN>", "<IBAN>de02 1203 0000 0000 2020 51</IBAN>", "iban", "the IBAN is written"),
    ("<Id>2026-060</Id>", "", "missing", "the statement has no Id; M-60, that of the message, is taken"),
    ('<Ntry><Amt Ccy="EUR">', "<Ntry><Amt>", "currency", "Amt: it has no currency; EUR is taken"),
    ('<Ntry><Amt Ccy="EUR">', '<Ntry><Amt Ccy="eur">', "currency", "its currency is 'eur'; EUR is taken"),
    ("<AcctSvcrRef>", "<Own>x</Own><AcctSvcrRef>", "element", "Own is not an element of Ntry"),
    (
        "</Sts><BookgDt>", "</Sts><ValDt><Dt>2026-03-09</Dt></ValDt><BookgDt>", "order",
        "BookgDt stands behind what comes after it in Ntry",
    ),
    ("camt.053.001.08", "camt.053.001.99", "version", "is none of camt.053 in version 02 to 14"),
    ("urn:iso:std:iso:20022:tech:xsd:camt.053.001.08", "http://bank.example/camt", "version", "is none of camt.053"),
    (balance("CLBD", "219.33"), "", "missing", "it has no closing balance (CLBD)"),
    (balance("OPBD", "50.00", "DBIT"), "", "missing", "it has no opening balance (OPBD, PRCD)"),
)  # fmt: skip


@pytest.mark.parametrize(("old", "new", "code", "message"), LENIENT)
def test_what_breaks_the_schema_and_leaves_no_doubt_is_told_and_read(
    old: str, new: str, code: str, message: str
) -> None:
    assert old in TEXT
    text = TEXT.replace(old, new, 1)
    assert [each for each in told(text) if each[0] == code and message in each[1]]
    (document,) = good(text)
    assert document["closing_balance"] == DOCUMENT["closing_balance"]
    assert document["opening_balance"] == DOCUMENT["opening_balance"]
    assert document["entries"][0]["amount"] == DOCUMENT["entries"][0]["amount"]
    assert document["findings"][0]["severity"] == "warning" and document["findings"][0]["position"] == "line 2"
    assert message in str(bad(text, strict=True))


REFUSED = (
    ('Ccy="EUR">269.33', 'Ccy="EUR">269,33', "Amt is '269,33'; expected a decimal number with a point"),
    ('Ccy="EUR">269.33', 'Ccy="EUR">1e5', "Amt is '1e5'"),
    ('Ccy="EUR">269.33', 'Ccy="EUR">', "Amt is nothing"),
    ('Ccy="EUR">269.33', 'Ccy="EUR">-269.33', "an amount has no sign"),
    ('<Ntry><Amt Ccy="EUR">269.33</Amt>', "<Ntry>", "entry 1 has no Amt"),
    ("</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>", "</Amt><Sts>", "entry 1 has no CdtDbtInd"),
    ("<Cd>BOOK</Cd>", "<Cd>DONE</Cd>", "Sts is 'DONE'; expected BOOK, PDNG, INFO or FUTR"),
    ("<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id>", "<Acct>", "the statement does not say its account"),
    ('<Ntry><Amt Ccy="EUR">', '<Ntry><Amt Ccy="USD">', "is booked in USD on an account in EUR"),
    ("<Ntry>", '<Ntry xmlns="urn:other">', "Ntry is of another namespace than its statement"),
)


@pytest.mark.parametrize(("old", "new", "message"), REFUSED)
def test_what_nobody_can_know_refuses_the_statement(old: str, new: str, message: str) -> None:
    assert old in TEXT
    assert message in str(bad(TEXT.replace(old, new, 1)))


def test_negative_zero_is_zero_and_told() -> None:
    text = TEXT.replace(STATEMENT, HEAD + balance("OPBD", "-0.00") + balance("CLBD", "0.00", "DBIT") + "</Stmt>")
    (document,) = good(text)
    assert [str(document[name]["amount"]) for name in ("opening_balance", "closing_balance")] == ["0.00", "0.00"]
    assert [code for code, _ in told(text)] == ["negative_zero"]


def test_a_balance_between_the_entries_and_text_behind_them_are_read() -> None:
    closing = balance("CLBD", "488.66")
    start = HEAD + balance("OPBD", "50.00", "DBIT")
    text = whole(start + ENTRY + closing + ENTRY + "<AddtlStmtInf>the end</AddtlStmtInf></Stmt>")
    for raw in (text, text.replace(">", ">\n")):
        (document,) = good(raw)
        assert document["closing_balance"]["amount"] == Decimal("488.66")
        assert len(document["balances"]) == 2 and document["additional_information"] == "the end"


def test_a_gap_between_the_statements_of_a_file_and_one_that_stands_twice_are_told() -> None:
    later = STATEMENT.replace("2026-060", "2026-062").replace(">60<", ">62<")
    records = read(whole(STATEMENT, later, later))
    messages = [[fault.message for fault in each.faults] for each in records if isinstance(each, Record)]
    assert messages[0] == []
    assert messages[1] == ["statement number 62 of account DE02120300000000202051 follows 60; expected 61"]
    assert messages[2] == ["statement 2026-062 of account DE02120300000000202051 stands twice in this file"]


def test_ten_thousand_wrong_entries_give_a_hundred_faults_in_bounded_time() -> None:
    wrong = ENTRY.replace("269.33", "12,50").replace("<AcctSvcrRef>", "<Own/><AcctSvcrRef>")
    started = time.monotonic()
    error = bad(whole(HEAD + balance("OPBD", "0.00") + balance("CLBD", "0.00") + wrong * 10_000 + "</Stmt>"))
    assert time.monotonic() - started < 60
    faults = error.faults  # type: ignore[attr-defined]
    assert sum(fault.is_error for fault in faults) == 100 and len(faults) == 201
    assert faults[-1].message == "29,800 more are not told"
    assert faults[2].path.endswith("/Stmt/Ntry[1]/NtryDtls/TxDtls/Amt")
    assert len(str(error)) < 500


def test_a_file_that_breaks_off_gives_its_whole_statements_and_then_the_place() -> None:
    raw = whole(STATEMENT, STATEMENT)[:-200].encode()
    found = camt053.decode([raw], {})
    assert isinstance(next(found), Record)
    with pytest.raises(DecodeError, match="not well formed"):
        next(found)


NO_STATEMENTS = (
    ("<a/>", "its root is a"),
    ('<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03"><CstmrCdtTrf/></Document>', "CstmrCdtTrf"),
    ("<Document><BkToCstmrStmt><GrpHdr/></BkToCstmrStmt></Document>", "BkToCstmrStmt has no Stmt"),
    ("<Document><BkToCstmrStmt><Rpt/></BkToCstmrStmt></Document>", "Rpt stands in BkToCstmrStmt, which has Stmt"),
)


@pytest.mark.parametrize(("text", "message"), NO_STATEMENTS)
def test_what_is_no_statement_is_refused_with_what_it_is(text: str, message: str) -> None:
    with pytest.raises(DecodeError, match=message):
        list(camt053.decode([text.encode()], {}))


def test_a_doctype_and_entities_are_refused() -> None:
    evil = TEXT.replace("<Document", '<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document', 1)
    with pytest.raises(DecodeError, match="document type"):
        list(camt053.decode([evil.encode()], {}))


def test_a_comment_in_an_amount_does_not_cut_it() -> None:
    assert good(TEXT.replace(">269.33<", ">269<!-- x -->.33<")) == [DOCUMENT]


def test_memory_stays_that_of_a_page_while_a_long_statement_is_read() -> None:
    tracemalloc.start()
    count = sum(len(record.value["entries"]) for record in camt053.decode(long(6000), {}) if isinstance(record, Record))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 6000
    assert peak < 12_000_000  # the documents of all would be 20 MB


def test_a_statement_an_entry_and_a_transaction_have_their_places() -> None:
    raw = whole(STATEMENT, STATEMENT).replace("><", ">\n<").encode()
    place = camt053.places(raw, {}, 1)
    lines = raw.decode().splitlines()
    second = [number for number, line in enumerate(lines, 1) if line == "<Stmt>"][1]
    assert str(place([])) == f"{second}:1 (byte {raw.rindex(b'<Stmt>')})"
    for steps, tag in ((["entries", 0, "amount"], b"<Ntry>"), (["entries", 0, "transactions", 0], b"<TxDtls>")):
        found = place(steps)
        assert found is not None and found.offset == raw.rindex(tag)
    assert place(["entries", 7]) is None


UNWRITABLE = (
    ({"statement_id": "x" * 36}, "statement_id: 36 characters; Id takes 35"),
    ({"message_id": None}, "message_id: it is missing"),
    ({"report_type": "statment"}, "did you mean 'statement'"),
    ({"acount": {}}, "acount: there is no such field; did you mean 'account'"),
    ({"entries": [{**DOCUMENT["entries"][0], "status": "X"}]}, r"entries\[0\].status: expected BOOK, PDNG or INFO"),
    ({"entries": [{**DOCUMENT["entries"][0], "amount": None}]}, r"entries\[0\].amount: it is missing"),
    ({"format": "camt.053.001.02", "page": {"number": 1, "is_last": True}}, "version 02 of the message has no place"),
    ({"created_at": "yesterday"}, "expected an instant, got 'yesterday'"),
)


@pytest.mark.parametrize(("change", "message"), UNWRITABLE)
def test_what_the_message_cannot_carry_is_refused_with_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        camt053.encode_one({**DOCUMENT, **change}, {})


def test_parts_that_are_not_all_there_are_not_written_as_the_whole() -> None:
    parts = [record.value for record in camt053.decode(long(30), {"entries": 10}) if isinstance(record, Record)]
    with pytest.raises(MappingError, match="do not make it whole"):
        camt053.encode([parts[0], parts[2]], {})


def money(draw: st.DrawFn) -> dict[str, Any]:
    return {"amount": Decimal(draw(st.integers(1, 10**9))).scaleb(-2), "currency": "EUR"}


WORDS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=30).filter(
    lambda text: text.strip() == text and text not in ("NOTPROVIDED", "NOT PROVIDED")
)
CODES = st.text("ABCDEFGHIJ", min_size=4, max_size=4)


@st.composite
def statements(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from(["statement", "intraday", "notification"]))
    name = {"statement": "camt.053", "intraday": "camt.052", "notification": "camt.054"}[kind]
    entries = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        amount = money(draw)
        entry = {
            "number": number, "amount": amount, "credit_debit_indicator": draw(st.sampled_from(["CRDT", "DBIT"])),
            "status": draw(st.sampled_from(["BOOK", "PDNG", "INFO"])), "booking_date": "2026-03-09",
            "bank_transaction_code": "/".join(draw(st.lists(CODES, min_size=3, max_size=3))),
        }  # fmt: skip
        for field in draw(st.sets(st.sampled_from(["entry_ref", "entry_reference", "additional_information"]))):
            entry[field] = draw(WORDS)
        if draw(st.booleans()):
            entry["transactions"] = [transaction(draw, amount)]
        entries.append(entry)
    net = sum((e["amount"]["amount"] * (1 if e["credit_debit_indicator"] == "CRDT" else -1) for e in entries
               if e["status"] == "BOOK"), Decimal(0))  # fmt: skip
    opening = Decimal(draw(st.integers(-(10**6), 10**6))).scaleb(-2)
    ends = {"OPBD": opening, "CLBD": opening + net}
    document: dict[str, Any] = {
        "report_type": kind, "format": f"{name}.001.{draw(st.integers(3, 14)):02}", "message_id": draw(WORDS),
        "statement_id": draw(WORDS), "created_at": "2026-03-09T18:00:00Z", "account_currency_code": "EUR",
        "account": {"account_id": "DE02120300000000202051"},
    }  # fmt: skip
    if kind != "notification":
        signed = {code: {"amount": amount, "currency": "EUR"} for code, amount in ends.items()}
        document["balances"] = [
            {"type_code": code, "amount": amount, "date": "2026-03-09"} for code, amount in signed.items()
        ]
        document |= {"opening_balance": signed["OPBD"], "closing_balance": signed["CLBD"]}
    return document | ({"entries": entries} if entries else {})


def transaction(draw: st.DrawFn, amount: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"amount": amount}
    names = ["end_to_end_id", "mandate_id", "debtor_name", "creditor_name", "transaction_ref", "additional_information"]
    for field in draw(st.sets(st.sampled_from(names))):
        found[field] = draw(WORDS)
    if draw(st.booleans()):
        found["remittance_unstructured"] = draw(st.lists(WORDS, min_size=1, max_size=3))
    if draw(st.booleans()):
        reference = draw(WORDS)
        found["remittance_structured"] = [{"creditor_reference": reference, "reference_type_code": "SCOR"}]
        found |= {"creditor_reference": reference, "creditor_reference_type": "SCOR"}
    return found


@given(statements())
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read_as_it_was(document: dict[str, Any]) -> None:
    assert camt053.decode_one(camt053.encode_one(document, {}), {}) == document
