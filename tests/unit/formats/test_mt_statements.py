"""MT940 and MT942: what stands in an entry, what is refused and where it is, and that what is written is read again."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Record, mt940, mt942
from hub.formats._mt_details import details_of
from hub.identifiers import creditor_reference

HEAD = ":20:A\n:25:DE02120300000000202051\n:28C:1/1\n"


def read(text: str, **options: Any) -> list[Record | BadRecord]:
    return list(mt940.decode([text.encode()], options))


def body(*lines: str, opening: str = "C260306EUR100,00", closing: str = "C260309EUR110,00") -> str:
    return "\n".join((f"{HEAD}:60F:{opening}", *lines, f":62F:{closing}", "-", ""))


def entry(line: str, *details: str, closing: str = "C260309EUR110,00") -> dict[str, Any]:
    found = read(body(f":61:{line}", *details, closing=closing))[0]
    assert isinstance(found, Record), found.error
    (only,) = found.value["entries"]
    return only


def faults(text: str, **options: Any) -> list[str]:
    (found,) = read(text, **options)
    assert isinstance(found, BadRecord)
    return [f"{fault.position}: {fault.message}" for fault in found.error.faults]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "booked", "direction", "is_reversal"),
    [
        ("2603090309C10,00NTRFNONREF", "2026-03-09", "CRDT", False),
        ("260309C10,00NTRFNONREF", "2026-03-09", "CRDT", False),
        ("260309    CR10,NTRFNONREF", "2026-03-09", "CRDT", False),
        ("2601021231RD10,0NTRFNONREF", "2025-12-31", "CRDT", True),
        ("2512310102RDR10,00NTRFNONREF", "2026-01-02", "CRDT", True),
        ("2402290229C10,00S103REF//BANK", "2024-02-29", "CRDT", False),
    ],
)
def test_the_line_of_an_entry(line: str, booked: str, direction: str, is_reversal: bool) -> None:
    found = entry(line)
    assert (found["booking_date"], found["credit_debit_indicator"]) == (booked, direction)
    assert found.get("reversal_indicator", False) is is_reversal
    assert found["amount"] == {"amount": Decimal("10"), "currency": "EUR"}


GERMAN = "166?00GUTSCHRIFT?20EREF+E-1?21KREF+K-1?22MREF+M-1?23SVWZ+Rechnung 4711?30COBADEFFXXX?31DE02120300000000202051"


@pytest.mark.parametrize("width", [*range(20, 65), 65])
def test_subfields_are_read_wherever_the_lines_are_broken(width: int) -> None:
    lines = [GERMAN[at : at + width] for at in range(0, len(GERMAN), width)]
    found = details_of(lines)
    assert found.texts == ["Rechnung 4711"] and found.code == "166" and found.posting == "GUTSCHRIFT"
    assert found.values == {
        "end_to_end_id": "E-1", "account_owner_ref": "K-1", "mandate_id": "M-1", "bic": "COBADEFFXXX",
        "account": "DE02120300000000202051",
    }  # fmt: skip


PURPOSE = "EREF+2026-1001SVWZ+Rechnung vom 3. Maerz fuer die LieferungABWA+Muster"


@pytest.mark.parametrize("shift", range(1, 27))
def test_keywords_are_found_wherever_full_subfields_break_them(shift: int) -> None:
    text = "x" * shift + " " + PURPOSE
    pieces = [text[at : at + 27] for at in range(0, len(text), 27)]
    found = details_of(["166" + "".join(f"?{20 + at}{piece}" for at, piece in enumerate(pieces))])
    assert found.texts == ["x" * shift, "Rechnung vom 3. Maerz fuer die Lieferung"]
    assert found.values == {"end_to_end_id": "2026-1001", "ultimate_debtor": {"name": "Muster"}}


@pytest.mark.parametrize(
    ("text", "reference", "kind"),
    [
        ("paid RF18 5390 0754 7034 thanks", "RF18539007547034", "SCOR"),
        ("+++090/9337/55493+++", "090933755493", "OGM"),
        ("210000000003139471430009017", "210000000003139471430009017", "QRR"),
        ("KID 12345674", "12345674", "KID"),
        ("/REMI/STRD/CUR/5000056789012345", "5000056789012345", "CUR"),
    ],
)
def test_a_reference_is_kept_where_its_check_digit_holds(text: str, reference: str, kind: str) -> None:
    (transaction,) = entry("2603090309C10,00NTRFNONREF", f":86:{text}")["transactions"]
    assert (transaction["creditor_reference"], transaction["creditor_reference_type"]) == (reference, kind)


@pytest.mark.parametrize(
    "text",
    ["RF19 5390 0754 7034", "+++090/9337/55494+++", "KID 12345670", "12345674", "/REMI/STRD/CUR/5000056789012346"],
)
def test_a_reference_with_another_check_digit_is_no_structured_one(text: str) -> None:
    (transaction,) = entry("2603090309C10,00NTRFNONREF", f":86:{text}")["transactions"]
    assert "creditor_reference" not in transaction and len(transaction) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (body(), ["line 1: the balances do not add up: 100.00 and 0 booked entries of 0 make 100.00, it closes with "
                  "110.00 (+10.00 EUR)"]),
        (body(":61:2602310309C10,00NTRFNONREF"), ["line 5, column 5, :61:: the value date 260231 is no day"]),
        (body(":61:2603090230C10,00NTRFNONREF"), ["line 5, column 11, :61:: the entry date 0230 is no day"]),
        (body(":61:2600090309C10,00NTRFNONREF"), ["line 5, column 5, :61:: the value date 260009 is no day"]),
        (body(":61:2603090309C1.234NTRFNONREF"), ["line 5, column 16, :61:: expected a decimal comma: 1.234 may be a "
                                                  "thousand or one, got '1.234'"]),
        (body(":61:2603090309K10,00NTRFNONREF"), ["line 5, column 15, :61:: not a statement line from "
                                                  "'K10,00NTRFNONREF' on"]),
        (body(":61:2603090309C10,00NTRFNONREF", opening="C260306100,00"),
         ["line 4, column 13, :60F:: the balance has no currency"]),
        (body(":61:2603090309C10,00NTRFNONREF", opening="C260306XYZ100,00"),
         ["line 4, column 13, :60F:: XYZ is no currency"]),
        (body(":61:2603090309C10,00NTRFNONREF", closing="C260309USD110,00"),
         ["line 6, column 13, :62F:: the balance is in USD, those before it in EUR"]),
        (HEAD + ":60F:C260306EUR100,00\n:61:2603090309C10,00NTRFNONREF\n",
         ["line 1, :62F:: no closing balance: the file ends behind line 5; the statement may have broken off"]),
        (HEAD + ":13D:2603091200+0100\n-\n",
         ["line 1, :60F:: the field :60F: is missing: the opening balance (this may be an MT942)",
          "line 1, :62F:: no closing balance: the message ends behind line 5; the statement may have broken off"]),
        ("{1:F01BANKDEFFAXXX0000000000}{2:I942BANKDEFFXXXXN}{4:\n" + body(":61:2603090309C10,00NTRFNONREF"),
         ["line 2: this is an MT942, not an MT940 (the format mt942 reads it)"]),
    ],
)  # fmt: skip
def test_a_fault_is_told_with_its_place(text: str, told: list[str]) -> None:
    assert faults(text) == told


@pytest.mark.parametrize("amount", ["10.00", "10"])
def test_an_amount_without_its_comma_is_tolerated_and_told(amount: str) -> None:
    text = body(f":61:2603090309C{amount}NTRFNONREF")
    (found,) = read(text)
    assert isinstance(found, Record) and [fault.severity for fault in found.faults] == ["warning"]
    assert len(faults(text, strict=True)) == 1


@pytest.mark.parametrize(
    ("written", "day"), [("260230", "2026-02-28"), ("260229", "2026-02-28"), ("240230", "2024-02-29")]
)
def test_a_value_date_of_thirty_days_in_february_is_the_last_of_it(written: str, day: str) -> None:
    text = body(f":61:{written}0302C10,00NTRFNONREF")
    (found,) = read(text)
    assert isinstance(found, Record) and found.value["entries"][0]["value_date"] == day
    assert [fault.message for fault in found.faults] == [  # type: ignore[union-attr]
        f"the value date {written} is no day; read as the last of that month"
    ]
    assert faults(text, strict=True)


def test_zeros_before_an_amount_may_make_it_too_long() -> None:
    (found,) = read(body(":61:2603090309C10,00NTRFNONREF", opening="C260306EUR0000000000000100,00"))
    assert isinstance(found, Record) and found.value["opening_balance"]["amount"] == Decimal("100.00")
    assert [fault.severity for fault in found.faults] == ["warning"]
    (told,) = faults(body(":61:2603090309C10,00NTRFNONREF", opening="C260306EUR1000000000000100,00"))
    assert "at most 15 characters" in told


@pytest.mark.parametrize(
    ("written", "account"),
    [
        ("37040044/0532013000EUR", "37040044/0532013000"),
        ("0532013000", "0532013000"),
        ("1291.99.348EUR", "1291.99.348"),
    ],
)
def test_an_account_that_is_no_iban_is_read_as_it_stands(written: str, account: str) -> None:
    (found,) = read(body(":61:2603090309C10,00NTRFNONREF").replace("DE02120300000000202051", written))
    assert isinstance(found, Record) and found.value["account"]["account_id"] == account
    assert mt940.decode_one(mt940.encode_one(found.value, {}), {}) == found.value


def test_an_envelope_of_zeros_names_no_bank() -> None:
    text = "{1:F01000000000000000000000}{2:I940000000000000N}{4:\n" + body(":61:2603090309C10,00NTRFNONREF")
    (found,) = read(text)
    assert isinstance(found, Record) and "bic" not in found.value["account"]


def test_a_bad_statement_spares_its_neighbours() -> None:
    good = body(":61:2603090309C10,00NTRFNONREF")
    found = read(good + body() + good)
    assert [type(record) for record in found] == [Record, BadRecord, Record]
    assert [record.index for record in found] == [0, 1, 2]


def test_a_missing_number_within_a_file_is_told() -> None:
    text = body(":61:2603090309C10,00NTRFNONREF")
    found = read(text + text.replace(":28C:1/1", ":28C:3/1"))
    assert [fault.message for record in found for fault in record.faults] == [  # type: ignore[union-attr]
        "statement number 3 of account DE02120300000000202051 follows 1; expected 2"
    ]


def test_pages_that_do_not_follow_each_other_are_refused_together() -> None:
    first = f"{HEAD}:60F:C260306EUR1,00\n:62M:C260306EUR1,00\n-\n"
    last = HEAD.replace("1/1", "1/2") + ":60M:C260306EUR{},00\n:62F:C260306EUR{},00\n-\n"
    assert [type(record) for record in read(first + last.format(1, 1))] == [Record, Record]
    (bad,) = read(first + last.format(2, 2))
    assert isinstance(bad, BadRecord) and "closes with 1.00, this one opens with 2.00" in bad.error.detail


@pytest.mark.parametrize(("number", "told"), [("1", []), ("1/1", ["its page has the number 1, as that before it"])])
def test_pages_without_numbers_of_their_own_are_known_by_their_balances(number: str, told: list[str]) -> None:
    head = HEAD.replace("1/1", number)
    entry = ":61:2603090309C1,00NTRFNONREF\n"
    found = read(
        f"{head}:60F:C260309EUR1,00\n{entry}:62M:C260309EUR2,00\n-\n"
        f"{head}:60M:C260309EUR2,00\n{entry}:62F:C260309EUR3,00\n:90C:2EUR2,00\n-\n"
    )
    assert all(isinstance(record, Record) for record in found)
    messages = [fault.message for record in found for fault in record.faults]  # type: ignore[union-attr]
    assert [each for each in messages if "of its credits" not in each] == told
    assert [record.value["balances"][0].get("sub_type_code") for record in found] == [None, "INTM"]  # type: ignore[union-attr]


def test_a_long_statement_comes_in_parts_that_are_written_as_one() -> None:
    lines = [":61:2603090309C1,00NTRFNONREF"] * 10
    text = body(*lines)
    parts = [record.value for record in read(text, part=4)]  # type: ignore[union-attr]
    assert [len(part["entries"]) for part in parts] == [4, 4, 2]
    assert [part["closing_balance"]["amount"] for part in parts] == [Decimal(104), Decimal(108), Decimal(110)]
    (whole,) = read(text)
    assert mt940.encode(parts, {}) == mt940.encode([whole.value], {})  # type: ignore[union-attr]
    with pytest.raises(MappingError, match="the last part of the statement is missing"):
        mt940.encode(parts[:2], {})


def test_many_entries_are_held_packed_and_none_is_given_out_before_the_sum_is_right() -> None:
    count = 50_000

    def chunks(closing: int) -> Any:
        yield f"{HEAD}:60F:C260306EUR0,00\n".encode()
        for _ in range(count // 1000):
            yield b":61:2603090309C1,00NTRFNONREF//B\n:86:166?00GUTSCHRIFT?20SVWZ+Rechnung\n" * 1000
        yield f":62F:C260309EUR{closing},00\n-\n".encode()

    right = list(mt940.decode(chunks(count), {}))
    assert sum(len(record.value["entries"]) for record in right) == count  # type: ignore[union-attr]
    (wrong,) = mt940.decode(chunks(count - 1), {})
    assert isinstance(wrong, BadRecord) and "it closes with 49999.00 (-1.00 EUR)" in wrong.error.detail


def test_a_line_of_ten_megabytes_is_a_bad_record() -> None:
    text = body(":61:2603090309C10,00NTRFNONREF", ":86:" + "x" * 10_000_000)
    (bad,) = read(text)
    assert isinstance(bad, BadRecord) and (bad.error.position, bad.error.detail) == ("line 6", "the line is too long")
    assert len(bad.raw) <= 65_536


def test_a_file_that_is_none_is_told_with_what_it_begins_with() -> None:
    with pytest.raises(DecodeError, match="no MT940 in it: it begins with 'Date;Amount'"):
        read("Date;Amount\n1;2\n")


# What the writer has to bring back.

WORDS = st.text("abcXYZ 0123456789/-?:().,'+", min_size=1, max_size=40).map(str.strip).filter(bool)
NAMES = st.text("abcXYZ 0123456789.,'", min_size=1, max_size=50).map(str.split).map(" ".join).filter(bool)
REFS = st.text("ABC0123456789-.", min_size=1, max_size=16).filter(lambda text: text not in ("NONREF",))
MONEY = st.decimals("0.01", "9999999.99", places=2)


@st.composite
def entries(draw: st.DrawFn) -> dict[str, Any]:
    is_credit, is_reversal = draw(st.booleans()), draw(st.booleans())
    role = "debtor" if is_credit != is_reversal else "creditor"
    amount = {"amount": draw(MONEY), "currency": "EUR"}
    transaction: dict[str, Any] = {}
    for name, values in (
        ("end_to_end_id", REFS), ("mandate_id", REFS), ("account_owner_ref", REFS), (f"{role}_name", NAMES),
    ):  # fmt: skip
        if draw(st.booleans()):
            transaction[name] = draw(values)
    if draw(st.booleans()):
        transaction["remittance_unstructured"] = [draw(NAMES)]
    if draw(st.booleans()):
        reference = creditor_reference(draw(st.text("ABC123", min_size=1, max_size=20)))
        transaction["remittance_unstructured"] = [reference]
        transaction["creditor_reference"], transaction["creditor_reference_type"] = reference, "SCOR"
    found: dict[str, Any] = {
        "amount": amount, "credit_debit_indicator": "CRDT" if is_credit else "DBIT", "status": "BOOK",
        "booking_date": "2026-03-09", "value_date": draw(st.sampled_from(["2026-03-09", "2026-12-31", "2025-12-01"])),
        "proprietary_code": {"code": draw(st.sampled_from(["NTRF+166+9310+000", "NMSC"]))},
    }  # fmt: skip
    if "+" in found["proprietary_code"]["code"]:
        found["bank_transaction_code"] = "PMNT/RCDT/ESCT"
    if is_reversal:
        found["reversal_indicator"] = True
    if draw(st.booleans()):
        found["entry_ref"] = draw(REFS)
    if transaction:
        found["transactions"] = [{"amount": amount, **transaction}]
    return found


@settings(max_examples=150, deadline=None)
@given(st.lists(entries(), min_size=1, max_size=5), MONEY, st.sampled_from(["auto", "codewords", "german"]))
def test_what_is_written_is_read_again_or_refused(
    several: list[dict[str, Any]], opening: Decimal, structure: str
) -> None:
    net = sum(
        one["amount"]["amount"] * (1 if one["credit_debit_indicator"] == "CRDT" else -1) for one in several
    )  # fmt: skip
    _, example = mt940.EXAMPLE
    opening_balance = {"amount": opening, "currency": "EUR"}
    closing_balance = {"amount": opening + net, "currency": "EUR"}
    document = {
        **example, "opening_balance": opening_balance, "closing_balance": closing_balance,
        "balances": [
            {"type_code": "OPBD", "amount": opening_balance, "date": "2026-03-06"},
            {"type_code": "CLBD", "amount": closing_balance, "date": "2026-03-09"},
        ],
        "entries": [{"number": at, **one} for at, one in enumerate(several, 1)],
    }  # fmt: skip
    try:
        written = mt940.encode_one(document, {"structure": structure})
    except MappingError as error:
        assert "cannot be written so that it is read again" in error.detail or "characters" in (error.expected or "")
        return
    again = mt940.decode_one(written, {})
    assert mt940.encode_one(again, {"structure": structure}) == written
    for mine, other in zip(document["entries"], again["entries"], strict=True):
        assert {**mine, "transactions": 0, "proprietary_code": 0} == {
            **{name: value for name, value in other.items() if name in mine}, "transactions": 0, "proprietary_code": 0,
        }  # fmt: skip
        wanted = mine.get("transactions", [{}])[0]
        assert wanted == {name: value for name, value in other.get("transactions", [{}])[0].items() if name in wanted}


def changed(**more: Any) -> dict[str, Any]:
    return {**mt940.EXAMPLE[1], **more}


def with_entry(**more: Any) -> dict[str, Any]:
    (first,) = mt940.EXAMPLE[1]["entries"]
    return changed(entries=[{**first, **more}])


def with_transaction(**more: Any) -> dict[str, Any]:
    (first,) = mt940.EXAMPLE[1]["entries"][0]["transactions"]
    return with_entry(transactions=[{**first, **more}])


@pytest.mark.parametrize(
    ("document", "told"),
    [
        (changed(report_type="intraday"), "report_type: intraday in an MT940; expected statement"),
        (changed(entries=[]), "the balances do not add up"),
        (changed(colour="red"), "colour: MT940 has no place for it"),
        (changed(message_id="x" * 17), "message_id: cannot be written"),
        (with_entry(status="PDNG"), r"the balances do not add up"),
        (
            with_entry(charges_amount={"amount": Decimal(1), "currency": "EUR"}),
            "entries[0].charges_amount: MT940 has no",
        ),
        (with_transaction(debtor_name="Müller"), "SWIFT's character set X"),
        (with_transaction(uetr="1"), "entries[0].transactions[0].uetr: cannot be written so that it is read again: 1"),
        (with_transaction(remittance_unstructured=["x" * 400]), "its texts take 17 subfields; expected at most 14"),
        (with_transaction(remittance_unstructured=["see ?21"]), "cannot be written so that it is read again"),
    ],
)
def test_what_cannot_be_written_is_refused_by_its_path(document: dict[str, Any], told: str) -> None:
    with pytest.raises(MappingError) as caught:
        mt940.encode_one(document, {})
    assert told in str(caught.value)


def test_an_interim_report_must_agree_with_its_sums() -> None:
    raw, _ = mt942.EXAMPLE
    (bad,) = mt942.decode([raw.replace(b":90C:1EUR10,00", b":90C:1EUR11,00")], {})
    assert isinstance(bad, BadRecord) and "the sum of its credits does not hold: it says 11.00" in bad.error.detail
    (tolerated,) = mt942.decode([raw.replace(b"1EUR10,00", b"9EUR90,00").replace(b"EUR0,00", b"EUR50,00")], {})
    assert isinstance(tolerated, Record) and {fault.severity for fault in tolerated.faults} == {"warning"}
