"""Pages of one bank statement, with numbers of their own and without: all are taken in, each once."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from banking import FIVE, MAPPING, THREE, Bank, camt, mt940
from replaying import adds_up, deploy

# Statement 4, which opens with 105 and closes with 125.
PAGES = [("105", "FM", ("4", "6")), ("115", "MM", ("7",)), ("122", "MF", ("3",))]


def pages(*numbers: str, day: str = "2026-03-04", **more: Any) -> list[bytes]:
    given = numbers or ("4",) * len(PAGES)
    return [
        mt940(number, day, opening, *entries, pages=kind, **more)
        for number, (opening, kind, entries) in zip(given, PAGES, strict=True)
    ]


def amounts(bank: Bank) -> list[str]:
    """Of all entries that the books were sent, those of the statements before and behind left out."""
    return [
        entry["amount"]["amount"]
        for body in bank.target("books").bodies
        if "2026-03-04" in str(body)
        for entry in body["entries"]
    ]


@pytest.mark.parametrize(
    "numbers",
    [
        ("4/1", "4/2", "4/3"),
        ("4", "4", "4"),
        ("00004",) * 3,
        ("4/1",) * 3,
        ("4/0",) * 3,
        ("0",) * 3,
        ("",) * 3,
    ],
)
@pytest.mark.parametrize("together", [True, False], ids=["one file", "a file each"])
def test_every_page_of_a_statement_is_taken_in_once(bank: Bank, numbers: tuple[str, ...], together: bool) -> None:
    files = pages(*numbers)
    bank.bring(THREE, *([b"".join(files)] if together else files), FIVE)
    assert [state for state, _, _ in bank.told()] == ["routed"] * 5
    assert amounts(bank) == ["4.00", "6.00", "7.00", "3.00"]
    assert bank.findings() == []
    bank.bring(*files)
    bank.bring(b"\r\n" + b"".join(files), source="post")
    assert [event for _, event, _ in bank.told()] == [""] * 5 + ["repeat"] * 6
    adds_up(bank)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_pages_without_numbers_come_in_any_order(bank: Bank, order: tuple[int, ...]) -> None:
    files = pages()
    bank.bring(THREE, *(files[at] for at in order), FIVE)
    assert sorted(amounts(bank)) == ["3.00", "4.00", "6.00", "7.00"]
    assert bank.findings() == []


def test_a_page_without_a_number_that_is_missing_is_told(bank: Bank) -> None:
    first, _, last = pages()
    bank.bring(THREE, first, last, FIVE)
    assert bank.findings() == ["balance"]
    assert "it opens with 122" in bank.details()[0]


def test_a_page_without_a_number_that_says_something_else_goes_before_a_person(bank: Bank) -> None:
    bank.bring(*pages(), mt940("4", "2026-03-04", "115", "8", pages="MM"))
    assert bank.told()[3:] == [("dead", "", "statement_changed")]


def test_pages_that_end_as_they_begin_are_told_apart_by_their_entries(bank: Bank) -> None:
    sweeps = [("FM", "5"), ("MM", "6"), ("MM", "7"), ("MF", "8")]
    files = [mt940("4", "2026-03-04", "0", each, f"-{each}", pages=kind) for kind, each in sweeps]
    bank.bring(mt940("3", "2026-03-03", "0", "1", "-1"), *files, *files)
    assert [event for _, event, _ in bank.told()] == [""] * 5 + ["repeat"] * 4
    bank.bring(mt940("6", "2026-03-06", "0", "9", "-9"))
    assert bank.findings() == ["gap"]


@pytest.mark.parametrize(
    "entries",
    [
        [("0", "FM", ("5", "1", "-6")), ("0", "MM", ("7", "1", "-8")), ("0", "MF", ("2", "7", "-9"))],
        [("100", "FM", ("5",)), ("105", "MM", ("3", "4", "8")), ("120", "MF", ("-4", "-4", "-1"))],
    ],
    ids=["that end as they begin", "with a balance between in common"],
)
def test_long_pages_without_numbers_come_in_parts_each_of_its_page(bank: Bank, entries: list[Any]) -> None:
    deploy(bank, MAPPING, bank.files[MAPPING].replace(b"source: {}", b"source: {format: mt940, part: 2}"))
    files = [mt940("4", "2026-03-04", opening, *each, pages=kind) for opening, kind, each in entries]
    bank.bring(*files)
    assert {state for state, _, _ in bank.told()} == {"routed"}
    count = len(bank.told())
    bank.bring(b"".join(files))
    assert [event for _, event, _ in bank.told()[count:]] == ["repeat"] * count


def test_the_first_page_does_not_go_on_from_the_last_of_its_own(bank: Bank) -> None:
    bank.bring(
        THREE, mt940("4", "2026-03-04", "200", "5", pages="FM") + mt940("4", "2026-03-04", "205", "-5", pages="MF")
    )
    assert bank.findings() == ["balance"]
    assert "it opens with 200" in bank.details()[0]


def test_the_pages_of_two_accounts_in_one_file_stay_apart(bank: Bank) -> None:
    other = pages(account="NL02ABNA0123456789")
    bank.bring(b"".join(pages() + other), b"".join(other))
    assert [event for _, event, _ in bank.told()] == [""] * 6 + ["repeat"] * 3
    assert sorted(amounts(bank)) == sorted(["4.00", "6.00", "7.00", "3.00"] * 2)


def paged(raw: bytes, number: int, is_last: bool) -> bytes:
    """A camt message as one of several, such as versions without pages of statements have them."""
    page = f"<MsgPgntn><PgNb>{number}</PgNb><LastPgInd>{str(is_last).lower()}</LastPgInd></MsgPgntn></GrpHdr>"
    return raw.replace(b"</GrpHdr>", page.encode())


def test_the_messages_of_a_notification_are_its_pages(bank: Bank) -> None:
    files = [
        paged(camt("N-1", "2026-03-04", "0", amount, notifies=True), number, number == 2)
        for number, amount in ((1, "5"), (2, "6"))
    ]
    bank.bring(*files, *files, source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "", "repeat", "repeat"]
    assert amounts(bank) == ["5.00", "6.00"]


@pytest.mark.parametrize("pages", [(1, 1), (2, 1), (7, 8)])
def test_a_notification_that_comes_again_in_another_message_is_a_repeat(bank: Bank, pages: tuple[int, int]) -> None:
    """Those of one message were the second and third of a file, and come each by itself."""
    files = [camt("N-1", "2026-03-04", "0", amount, notifies=True) for amount in ("5", "6")]
    files[1] = files[1].replace(b"N-1-1", b"N-1-2")
    bank.bring(*(paged(raw, number, False) for number, raw in enumerate(files, 2)), source="iso")
    bank.bring(*(paged(raw, number, True) for number, raw in zip(pages, files, strict=True)), source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "", "repeat", "repeat"]
    assert amounts(bank) == ["5.00", "6.00"]
    adds_up(bank)


def test_equal_entries_without_references_on_two_pages_are_both_true(bank: Bank) -> None:
    raw = camt("N-1", "2026-03-04", "0", "5", notifies=True).replace(b"<AcctSvcrRef>N-1-1</AcctSvcrRef>", b"")
    files = [paged(raw, number, number == 2) for number in (1, 2)]
    bank.bring(*files, *files, source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "", "repeat", "repeat"]
    assert amounts(bank) == ["5.00", "5.00"]


@pytest.mark.parametrize("number", [True, False], ids=["numbered", "not numbered"])
def test_the_messages_of_a_statement_between_interim_balances_are_its_pages(bank: Bank, number: bool) -> None:
    between = b"<SubTp><Cd>INTM</Cd></SubTp></Tp>"
    first = camt("S-1", "2026-03-04", "105", "5")
    last = camt("S-1", "2026-03-04", "110", "6")
    files = [
        between.join(first.rsplit(b"</Tp>", 1)),
        between.join(last.split(b"</Tp>", 1)),
    ]
    if number:
        files = [paged(raw, at, at == 2) for at, raw in enumerate(files, 1)]
    bank.bring(*files, *files, source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "", "repeat", "repeat"]
    assert bank.findings() == []


def test_a_whole_statement_is_the_same_whatever_message_brings_it(bank: Bank) -> None:
    raw = camt("S-1", "2026-03-04", "105", "5")
    bank.bring(paged(raw, 2, True), paged(raw, 1, True), source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "repeat"]
