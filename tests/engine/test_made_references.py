"""Entries to which the bank gives no reference: the one that is made is of one entry alone, and the same one again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

import pytest
from banking import IBAN, MAPPING, SYSTEMS, Bank, camt, mt940, mt942
from replaying import deploy

OTHER = "NL02ABNA0123456789"
ALIKE = "NL82ABNA0123452051"


def bare(raw: bytes) -> bytes:
    """A file without the bank's references of entries."""
    return re.sub(rb"(?<=NONREF)//\w+|<AcctSvcrRef>[^<]*</AcctSvcrRef>", b"", raw)


def references(bank: Bank) -> list[str]:
    return [entry["entry_ref"] for body in bank.target("books").bodies for entry in body["entries"]]


def day_by_day(make: Callable[..., bytes]) -> list[bytes]:
    """Three days on which the same is booked."""
    days = ("2026-03-03", "2026-03-04", "2026-03-05")
    return [make(day, str(at), "1") for at, day in enumerate(days)]


CASES: dict[str, tuple[str, Sequence[bytes]]] = {
    "no number": ("bank", day_by_day(partial(mt940, ""))),
    "the number 0": ("bank", day_by_day(partial(mt940, "0"))),
    "one number for all": ("bank", day_by_day(partial(mt940, "00001"))),
    "one number and page for all": ("bank", day_by_day(partial(mt940, "1/1"))),
    "one id for all": ("iso", day_by_day(partial(camt, "STMT"))),
    "pages with numbers": ("bank", [
        mt940("4/1", "2026-03-04", "1", "1", pages="FM") + mt940("4/2", "2026-03-04", "2", "1", pages="MF"),
    ]),
    "pages without": ("bank", [
        mt940("4", "2026-03-04", "1", "1", pages="FM"), mt940("4", "2026-03-04", "2", "1", pages="MM"),
        mt940("4", "2026-03-04", "3", "1", pages="MF"),
    ]),
    "pages without, that end as they begin": ("bank", [
        mt940("4", "2026-03-04", "0", "1", "-1", pages="FM"), mt940("4", "2026-03-04", "0", "2", "-2", pages="MM"),
        mt940("4", "2026-03-04", "0", "3", "-3", pages="MF"),
    ]),
    "pages without, that begin alike": ("bank", [
        mt940("4", "2026-03-04", "1", "5", "-5", pages="FM"),
        mt940("4", "2026-03-04", "1", "5", "-3", "-2", pages="MM"),
        mt940("4", "2026-03-04", "1", "-5", "5", pages="MM"),
        mt940("4", "2026-03-04", "1", "5", pages="MF"),
    ]),
    "two accounts": ("bank", [
        mt940("4/1", "2026-03-04", "1", "1") + mt940("4/1", "2026-03-04", "1", "1", account=OTHER),
    ]),
    "two accounts that end alike": ("bank", [
        mt940("4/1", "2026-03-04", "1", "1") + mt940("4/1", "2026-03-04", "1", "1", account=ALIKE),
    ]),
    "two of a day and id": ("bank", [mt940("1/1", "2026-03-04", "1", "1"), mt940("1/1", "2026-03-04", "2", "1")]),
    "two currencies": ("bank", [
        mt940("4/1", "2026-03-04", "1", "1") + mt940("4/1", "2026-03-04", "1", "1", currency="USD"),
    ]),
    "reports of one number": ("day", [mt942("4/1", "2026-03-04", time, "1") for time in ("0900", "1000", "1100")]),
}  # fmt: skip


@pytest.mark.parametrize(("source", "files"), CASES.values(), ids=CASES)
def test_no_entry_has_the_reference_of_another_and_each_has_its_own_again(
    bank: Bank, source: str, files: Sequence[bytes]
) -> None:
    files = [bare(raw) for raw in files]
    bank.bring(*files, source=source)
    made = references(bank)
    assert len(set(made)) == len(made) > 1
    again = f"{source}: {{connector: webhook, statements: own,".encode()
    deploy(bank, "config/systems.yaml", SYSTEMS.replace(f"{source}: {{connector: webhook,".encode(), again))
    bank.bring(*files, source=source)
    assert references(bank) == made * 2


def test_a_report_and_the_statement_of_one_number_have_references_of_their_own(bank: Bank) -> None:
    bank.bring(bare(mt940("4/1", "2026-03-04", "1", "1")))
    bank.bring(bare(mt942("4/1", "2026-03-04", "0900", "1")), source="day")
    assert len(set(references(bank))) == 2


def test_a_copy_that_is_made_later_has_the_same_references(bank: Bank) -> None:
    for made in ("", "2026-03-09T09:00:00Z"):
        bank.bring(bare(camt("S-1", "2026-03-04", "1", "1", made=made)), source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "repeat"]


def test_the_parts_of_a_long_statement_have_references_that_do_not_depend_on_its_parts(bank: Bank) -> None:
    long = bare(mt940("4/1", "2026-03-04", "1", "1", "1", "1", "1", "1"))
    bank.bring(long)
    whole = references(bank)
    raw = bank.files[MAPPING].replace(b"source: {}", b"source: {format: mt940, part: 2}")
    deploy(bank, MAPPING, raw)
    own = SYSTEMS.replace(b"post: {connector: webhook,", b"post: {connector: webhook, statements: own,")
    deploy(bank, "config/systems.yaml", own)
    bank.bring(long, source="post")
    assert references(bank)[len(whole) :] == whole
    assert len(set(whole)) == 5


def test_a_made_reference_shows_the_end_of_the_account_and_a_digest_of_it(bank: Bank) -> None:
    bank.bring(bare(mt940("4/1", "2026-03-04", "1", "1")))
    assert references(bank) == ["2026-4/2026-03-04/2051EUR-87fdbfc1/1"]


def test_a_page_without_a_closing_balance_goes_by_what_it_opens_with(bank: Bank) -> None:
    raw = bare(camt("S-1", "2026-03-04", "105", "5"))
    page = re.sub(rb"(?<=</Bal>)<Bal>.*</Bal>", b"", raw).replace(b"</Tp>", b"<SubTp><Cd>INTM</Cd></SubTp></Tp>")
    bank.bring(page, source="iso")
    assert references(bank) == ["S-1/2026-03-04/2051EUR-fdcce4b1/105/1/5CRDT"]


def test_a_made_reference_does_not_depend_on_how_an_account_and_an_amount_are_written(bank: Bank) -> None:
    spaced = f"{IBAN[:4]} {IBAN[4:]}".encode()
    for raw in (camt("S-1", "2026-03-04", "1", "1"), camt("S-1", "2026-03-04", "1.00", "1")):
        bank.bring(bare(raw).replace(IBAN.encode(), spaced), source="iso")
    bank.bring(bare(camt("S-1", "2026-03-04", "1", "1")), source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "repeat", "repeat"]
