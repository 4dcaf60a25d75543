"""CODA and BAI2: every count and sum that a trailer states is held against what is there; faults have their place."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import MappingError
from hub.formats import BadRecord, Record, bai2, coda

CODA, _ = coda.EXAMPLE
BAI, _ = bai2.EXAMPLE
LINES = CODA.decode().split("\r\n")[:-1]


def with_line(number: int, start: int, text: str) -> bytes:
    """The example with some signs of a line, from a column on, that are others."""
    line = LINES[number - 1]
    changed = line[: start - 1] + text + line[start - 1 + len(text) :]
    return "\n".join([*LINES[: number - 1], changed, *LINES[number:]]).encode()


def only_fault(module: ModuleType, raw: bytes, **options: Any) -> str:
    (found,) = module.decode([raw], options)
    assert isinstance(found, BadRecord), found
    return f"{found.error.position}: {found.error.detail}"


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (with_line(2, 43, "2"), "line 2, column 43, record 1: not an amount: '2000000000050000'"),
        (with_line(2, 40, "EUX"), "line 2, column 40, record 1: 'EUX' is no currency"),
        (with_line(2, 59, "300226"), "line 2, column 59, record 1: '300226' is no day"),
        (with_line(3, 33, "00000000026,330"), "line 3, column 33, record 21: not an amount: '000000000026,330'"),
        (with_line(3, 33, "000000000269340"), "line 7, column 38, record 9: the trailer's sum of credits does not hold:"
                                              " it says '000000000269330', 269.34 are booked"),
        (with_line(6, 43, "000000000219340"), "line 1: the balances do not add up: -50.00 and 1 booked entries of "
                                              "269.33 make 219.33, it closes with 219.34 (+0.01 EUR)"),
        (with_line(7, 17, "000006"), "line 7, column 17, record 9: the trailer counts '000006' records, 5 are there"),
        (with_line(3, 2, "9"), "line 3, column 1, record 29: no record of CODA: '2900010000E1'"),
        (b"\n".join(CODA.split(b"\r\n")[:-2]), "line 1, record 9: the statement breaks off behind line 6: no record 9"),
    ],
)  # fmt: skip
def test_a_fault_of_coda_is_told_with_its_column(raw: bytes, told: str) -> None:
    assert only_fault(coda, raw).split(" (and ")[0] == told


def test_blanks_that_were_taken_off_are_tolerated_and_told() -> None:
    raw = b"\n".join(line.rstrip() for line in CODA.split(b"\r\n"))
    (found,) = coda.decode([raw.replace(b" 1 0", b" 1")], {})
    assert isinstance(found, Record) and found.faults
    assert found.value == coda.EXAMPLE[1]
    assert "signs" in only_fault(coda, raw.replace(b" 1 0", b" 1"), strict=True)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((b"16,195,26933", b"16,195,26934"), "line 6, record 49: the control total of the account does not hold"),
        ((b"16,195,26933", b"16,195,269.33"), "line 5, record 16: not an amount: '269.33'"),
        ((b"V,260310", b"V,260230"), "line 5, record 16: the value date '260230' is no day"),
        ((b"16,195", b"16,050"), "line 5, record 16: the type '050' says neither debit nor credit"),
        ((b"49,43866,4", b"49,43866,5"), "line 6, record 49: the number of its records of the account does not hold"),
        (
            (b"98,43866,1,6", b"98,43866,2,6"),
            "line 7, record 98: the number of its accounts of the group does not hold",
        ),
        ((b"98,43866,1,6", b"98,43866,1,7"), "line 7, record 98: the number of its records of the group does not hold"),
        ((b"99,43866,1,8", b"99,43865,1,8"), "line 8, record 99: the control total of the file does not hold"),
        ((b"99,43866,1,8/\r\n", b""), "line 7, record 99: the file breaks off behind line 7: no record 99"),
        ((b"015,21933", b"015,21934"), "line 6, record 49: the control total of the account does not hold"),
        ((b",1,260309,,USD", b",2,260309,,USD"), "line 2, record 02: a group that is a deletion"),
        ((b",,USD,2", b",,ZZZ,2"), ""),
        ((b"123456789,USD", b"123456789,ZZZ"), "line 3, record 03: 'ZZZ' is no currency"),
    ],
)
def test_a_fault_of_bai2_is_told_with_its_record(change: tuple[bytes, bytes], told: str) -> None:
    raw = BAI.replace(*change)
    assert raw != BAI
    if told:
        assert only_fault(bai2, raw).startswith(told)
    else:
        (found,) = bai2.decode([raw], {})  # the currency of the group counts for accounts that have none
        assert isinstance(found, Record)


def test_amounts_of_bai2_have_the_decimals_of_their_currency() -> None:
    for currency, amount in (("USD", "269.33"), ("JPY", "26933"), ("KWD", "26.933")):
        (found,) = bai2.decode([BAI.replace(b"USD", currency.encode())], {})
        assert isinstance(found, Record) and found.value["entries"][0]["amount"]["amount"] == Decimal(amount)


@pytest.mark.parametrize(
    ("structure", "written", "account"),
    [("0", "539007547034 EUR0BE", "539007547034"), ("1", f"{'NL-12/345':34}EUR", "NL-12/345"),
     ("3", f"{'DE02120300000000202051':34}EUR", "DE02120300000000202051")],
)  # fmt: skip
def test_an_account_of_coda_is_read_as_its_structure_says(structure: str, written: str, account: str) -> None:
    lines = [*LINES]
    lines[1] = f"1{structure}{lines[1][2:5]}{written:37}{lines[1][42:]}"
    lines[5] = f"{lines[5][:4]}{written:37}{lines[5][41:]}"
    (found,) = coda.decode(["\n".join(lines).encode()], {})
    assert isinstance(found, Record), found.error
    assert found.value["account"]["account_id"] == account
    assert coda.decode_one(coda.encode_one(found.value, {}), {}) == found.value


@pytest.mark.parametrize(("kind", "role"), [(" ", "creditor"), ("0", "creditor"), ("2", "debtor"), ("3", "debtor")])
def test_of_a_collection_of_coda_that_comes_back_the_other_end_is_the_debtor(kind: str, role: str) -> None:
    collection = f"090326111{'DE98ZZZ09999999999':35}{'M-4711':35}{'Contribution':62}{kind}"
    text = f"127{collection}".ljust(149)
    records = [
        f"21{1:04}0000{'':21}1{269330:015}09032600503000{'1'}{text[:53]}09032600001 0",
        f"22{1:04}0000{text[53:106]}{'':62}1 0",
        f"23{1:04}0000{'BE71096123456769':34}EUR{'KLANT NV':35}{text[106:149]}0 0",
    ]
    lines = [LINES[0], LINES[1].replace("1000000000050000", "0000000000319330"), *records, LINES[5], LINES[6]]
    lines[5] = lines[5].replace("0000000000219330", "0000000000050000")
    lines[6] = lines[6][:16] + "000005" + f"{269330:015}{0:015}" + lines[6][52:]
    (found,) = coda.decode(["\n".join(lines).encode()], {})
    assert isinstance(found, Record), found.error
    (only,) = found.value["entries"][0]["transactions"]
    assert {name: only[name] for name in ("debtor_name", "creditor_name") if name in only} == {
        f"{role}_name": "KLANT NV"
    }
    assert coda.decode_one(coda.encode_one(found.value, {}), {}) == found.value


def test_the_totals_of_a_bai2_report_may_count_what_it_does_not_list() -> None:
    raw = BAI.replace(b"03,123456789,USD,", b"03,123456789,USD,100,26934,1,,").replace(b"43866", b"70800")
    (found,) = bai2.decode([raw], {})
    assert isinstance(found, Record), found.error
    assert ["the sum of its credits does not hold" in fault.message for fault in found.faults] == [True]
    assert [fault.severity for fault in found.faults] == ["warning"]
    assert bai2.decode_one(bai2.encode_one(found.value, {}), {}) == found.value


@pytest.mark.parametrize("number", ["\u00b2", "1\u00b9", "16\u00b2", "9" * 5000])
def test_what_only_looks_like_a_number_is_none(number: str) -> None:
    head = BAI.decode().replace("88,015,21933,,/", "88,015,21933,,,269,,,,100,26933,1,/")
    for before, after in (
        ("16,195,26933", "16,{},26933"), ("260309,1800,17", "260309,{},17"), ("269,,,", "269,{},,"),
        ("100,26933,1,", "100,26933,{},"), ("195,26933,V,260310,", "195,26933,D,{},"), ("49,43866,4", "49,{},4"),
        ("98,43866,1,6", "98,43866,{},6"),
    ):  # fmt: skip
        assert head.count(before) == 1, before
        found = list(bai2.decode([head.replace(before, after.format(number)).encode()], {}))
        assert found
        assert any(isinstance(record, BadRecord) or record.faults for record in found), after
    for column in (3, 7, 116):
        assert list(coda.decode([with_line(3, column, number[:4])], {}))
    list(coda.decode([with_line(7, 17, number[:6])], {}))


def test_a_control_total_of_nothing_may_be_left_out() -> None:
    raw = b"01,B,C,260309,1800,1,,,2/\n02,C,B,1,260309,,,2/\n03,123,,,,,/\n49,,2/\n98,0,1,4/\n99,0,1,6/\n"
    (found,) = bai2.decode([raw], {})
    assert isinstance(found, Record), found.error
    assert [fault.message for fault in found.faults] == ["no control total of the account"]
    (bad,) = bai2.decode([raw.replace(b"123,,,,,", b"123,,015,100,,")], {})
    assert "the control total of the account does not hold: it says '', 100 is there" in str(getattr(bad, "error", ""))


REPORT = (
    "01,BANK,CUSTOMER,260309,1800,17,,,2/\n02,CUSTOMER,BANK,1,260309,,USD,2/\n03,123,USD,{balance},,{more}/\n"
    "16,195,26933,,B1,C1,PAID/\n49,{total},3/\n98,{total},1,5/\n99,{total},1,7/\n"
)


def test_only_the_balances_of_bai2_have_the_names_of_balances() -> None:
    more = ",011,200,,,020,300,,,030,400,,,072,500,,,074,600,,"
    raw = REPORT.format(balance="015,21933,", more=more.lstrip(","), total=48866 + 2000).encode()
    (found,) = bai2.decode([raw], {})
    assert isinstance(found, Record), found.error
    assert [(each["sub_type_code"], each["type_code"]) for each in found.value["balances"]] == [
        ("015", "CLBD"), ("011", "INFO"), ("020", "INFO"), ("030", "ITBD"), ("072", "INFO"), ("074", "INFO"),
    ]  # fmt: skip
    assert bai2.decode_one(bai2.encode_one(found.value, {}), {}) == found.value


@pytest.mark.parametrize(
    ("balance", "total", "opening", "closing", "what"),
    [
        ("015,21933,", 48866, "-50.00", "219.33", "opening balance (010)"),
        ("010,-5000,", 21933, "-50.00", "219.33", "closing balance (015)"),
    ],
)
def test_a_balance_that_a_report_of_bai2_leaves_out_follows_from_the_other(
    balance: str, total: int, opening: str, closing: str, what: str
) -> None:
    raw = REPORT.format(balance=balance, more="", total=total).encode()
    (found,) = bai2.decode([raw], {})
    assert isinstance(found, Record), found.error
    assert [str(found.value[name]["amount"]) for name in ("opening_balance", "closing_balance")] == [opening, closing]
    assert [fault.message for fault in found.faults] == [
        f"it has no {what}; what follows from the other and its transactions is taken"
    ]
    assert bai2.decode_one(bai2.encode_one(found.value, {}), {}) == found.value


def test_a_report_of_bai2_that_counts_more_than_it_lists_has_the_balances_that_it_tells() -> None:
    raw = REPORT.format(balance="015,21933,", more=",100,30000,2,", total=78866).encode()
    (found,) = bai2.decode([raw], {})
    assert isinstance(found, Record), found.error
    assert "opening_balance" not in found.value


def test_what_a_group_of_bai2_does_not_say_is_not_written() -> None:
    raw = BAI.replace(b",,USD,2/", b",,USD,/")
    assert raw != BAI
    found = bai2.decode_one(raw, {})
    assert bai2.encode_one(found, {}) == raw


WORDS = st.text("ABCxyz 0123456789.", min_size=1, max_size=30).map(str.split).map(" ".join).filter(bool)
MONEY = st.decimals("0.01", "9999999.99", places=2)


def statement_of(module: ModuleType, amounts: list[Decimal], words: list[str]) -> dict[str, Any]:
    """The example of a format with entries of these amounts, debits where they are negative."""
    example = module.EXAMPLE[1]
    (first,) = example["entries"]
    opening = example["opening_balance"]["amount"]
    closing = {**example["closing_balance"], "amount": opening + sum(amounts)}
    document = {**example, "closing_balance": closing}
    document["balances"] = [example["balances"][0], {**example["balances"][1], "amount": closing}]
    document["entries"] = []
    for number, (amount, text) in enumerate(zip(amounts, words, strict=False), 1):
        money = {**first["amount"], "amount": abs(amount)}
        kind = {} if module is coda else {"proprietary_code": {"code": "195" if amount > 0 else "475", "issuer": "BAI"}}
        document["entries"].append({
            **first, **kind, "number": number, "amount": money,
            "credit_debit_indicator": "CRDT" if amount > 0 else "DBIT",
            "transactions": [{"amount": money, "remittance_unstructured": [text]}],
        })  # fmt: skip
    return document


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([coda, bai2]), st.lists(st.tuples(MONEY, st.booleans(), WORDS), min_size=1, max_size=6))
def test_what_is_written_is_read_again(module: ModuleType, several: list[tuple[Decimal, bool, str]]) -> None:
    amounts = [amount if is_credit else -amount for amount, is_credit, _ in several]
    document = statement_of(module, amounts, [text for _, _, text in several])
    written = module.encode_one(document, {})
    assert module.decode_one(written, {}) == document
    assert module.encode_one(module.decode_one(written, {}), {}) == written


@pytest.mark.parametrize("module", [coda, bai2])
def test_a_long_statement_comes_in_parts_that_are_written_as_one(module: ModuleType) -> None:
    document = statement_of(module, [Decimal(1)] * 10, ["text"] * 10)
    raw = module.encode_one(document, {})
    parts = [record.value for record in module.decode([raw], {"part": 4})]
    assert [len(part["entries"]) for part in parts] == [4, 4, 2]
    assert module.encode(parts, {}) == raw


def coda_with(**more: Any) -> dict[str, Any]:
    return {**coda.EXAMPLE[1], **more}


@pytest.mark.parametrize(
    ("write", "document", "told"),
    [
        (coda.encode_one, coda_with(message_id="x" * 11), "file_ref does not fit"),
        (coda.encode_one, coda_with(page={"number": 1, "is_last": True}), "page: CODA has no place for it"),
        (coda.encode_one, coda_with(account_currency_code=""), "account_currency_code: missing"),
        (bai2.encode_one, {**bai2.EXAMPLE[1], "sender_id": "a,b"}, "no comma, slash or line end"),
        (bai2.encode_one, {**bai2.EXAMPLE[1], "account": {"account_id": "1", "bic": "X"}}, "account.bic: BAI2 has no"),
        (bai2.encode_one, {**bai2.EXAMPLE[1], "balances": "none"}, "balances: 'none'; expected a list"),
        (coda.encode_one, coda_with(entries=[{"amount": 5}]), "entries[0].amount: '5'; expected an object"),
        (coda.encode_one, coda_with(account={"owner": []}), "account.owner: a list; expected an object"),
        (coda.encode_one, coda_with(message_id=7), "message_id: '7'; expected text"),
        (coda.encode_one, coda_with(entries=[{"amount": {"amount": "1"}}]), "amount.amount: '1'; expected a number"),
        (coda.encode_one, coda_with(entries=[{"number": True}]), "entries[0].number: 'True'; expected a whole number"),
        (coda.encode_one, coda_with(summary={"x": "y"}), "not a whole statement: a field is of another kind"),
        (bai2.encode_one, {**bai2.EXAMPLE[1], "balances": [{"type_code": "OPBD"}]}, "statement: amount is missing"),
    ],
)
def test_what_cannot_be_written_is_refused(
    write: Callable[[Any, dict[str, Any]], bytes], document: dict[str, Any], told: str
) -> None:
    with pytest.raises(MappingError) as caught:
        write(document, {})
    assert told in str(caught.value)


@pytest.mark.parametrize("module", [coda, bai2])
def test_a_field_that_is_nothing_is_written_as_if_it_were_not_there(module: ModuleType) -> None:
    raw, document = module.EXAMPLE
    assert module.encode_one({**document, "summary": None, "additional_information": None}, {}) == raw


@pytest.mark.parametrize(("number", "told"), [("1", ""), ("1.00", ""), ("1.5", "'1.5'; expected a whole number")])
def test_a_whole_number_may_be_a_decimal(number: str, told: str) -> None:
    raw, document = bai2.EXAMPLE
    first, *others = document["entries"]
    changed = {**document, "entries": [{**first, "number": Decimal(number)}, *others]}
    if not told:
        assert bai2.encode_one(changed, {}) == raw
        return
    with pytest.raises(MappingError, match=told):
        bai2.encode_one(changed, {})
