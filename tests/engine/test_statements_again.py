"""Bank statements across files, sources and days: none is booked twice, changes go before a person, gaps are told."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest
import replaying
from banking import FIVE, FOUR, MAPPING, SYSTEMS, THREE, Bank, camt, mt940, mt942
from replaying import adds_up, deploy

from connectors.base import REFUSED, Verdict
from hub.errors import StoreFull
from hub.message import Arrival
from hub.replay import Request
from hub.store import database, findings, payloads
from hub.store.audit import Actor
from hub.store.search_terms import Filter
from hub.sweeper import LOST_AFTER, Sweeper

ANNA = Actor("anna", "operator")


# -- again ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["bank", "post"])
def test_the_same_statement_is_booked_once_whatever_file_and_source_brings_it(bank: Bank, source: str) -> None:
    bank.bring(THREE)
    bank.bring(b"\r\n" + THREE + FOUR, source=source)
    assert bank.booked == ["2026-3", "2026-4"]
    assert bank.told() == [("routed", "", ""), ("filtered", "repeat", ""), ("routed", "", "")]
    [first] = bank.rows("SELECT message_id FROM messages WHERE seq = 1")
    [note] = bank.rows("SELECT code, detail, settled_at IS NULL FROM message_findings")
    assert note[0] == "repeat" and not note[2]
    assert note[1].startswith(
        f"statement 2026-3 of account …2051 EUR came before with the same content: message {first[0]} of 'bank', 2026-"
    )
    assert bank.findings() == []
    adds_up(bank)


def test_a_system_whose_statements_are_its_own_brings_them_apart(bank: Bank) -> None:
    own = SYSTEMS.replace(b"post: {connector: webhook,", b"post: {connector: webhook, statements: own,")
    deploy(bank, "config/systems.yaml", own)
    bank.bring(THREE)
    bank.bring(THREE, THREE + FOUR, source="post")
    assert bank.booked == ["2026-3", "2026-3", "2026-4"]
    assert [state for state, _, _ in bank.told()] == ["routed", "routed", "filtered", "routed"]
    assert bank.findings() == []
    adds_up(bank)


def test_a_statement_that_stands_twice_in_one_file_is_booked_once(bank: Bank) -> None:
    bank.bring(THREE + THREE)
    assert bank.booked == ["2026-3"]
    assert [state for state, _, _ in bank.told()] == ["routed", "filtered"]
    adds_up(bank)


def test_a_copy_that_is_made_later_is_the_same_statement(bank: Bank) -> None:
    bank.bring(camt("S-1", "2026-03-03", "100", "10"), source="iso")
    bank.bring(camt("S-1", "2026-03-03", "100.00", "10.0", made="2026-03-09T09:00:00Z", copy=True), source="iso")
    assert bank.told() == [("routed", "", ""), ("filtered", "repeat", "")]


def test_accounts_and_currencies_have_statements_of_their_own(bank: Bank) -> None:
    bank.bring(THREE, mt940("3/1", "2026-03-03", "100", "10", "-5", account="NL02ABNA0123456789"))
    bank.bring(mt940("3/1", "2026-03-03", "100", "10", "-5", currency="USD"))
    bank.bring(mt940("3/1", "2026-03-03", "7", account="0123456"))
    bank.bring(mt940("3/1", "2026-03-03", "8", account="0123456"), source="post")  # of another bank, for all we know
    assert bank.told() == [("routed", "", "")] * 5
    assert bank.findings() == []


def test_other_content_under_the_id_goes_before_a_person_with_both_messages(bank: Bank) -> None:
    bank.bring(THREE)
    [other] = bank.bring(mt940("3/1", "2026-03-03", "100", "10", "-4"))
    [[first]] = bank.rows("SELECT message_id FROM messages WHERE seq = 1")
    assert bank.booked == ["2026-3"]
    [[own, detail, kind]] = bank.rows(
        "SELECT message_id, failure ->> 'detail', failure ->> 'class' FROM messages WHERE state = 'dead'"
    )
    assert bank.told()[1] == ("dead", "", "statement_changed") and kind == "duplicate"
    assert first in detail and own in detail and other.seq == 2
    assert detail.endswith(": it closes with 106, the other closes with 105")
    adds_up(bank)


def test_other_entries_under_the_same_balances_are_other_content(bank: Bank) -> None:
    bank.bring(THREE, mt940("3/1", "2026-03-03", "100", "10", "-5", text=" corrected"))
    [[detail]] = bank.rows("SELECT failure ->> 'detail' FROM messages WHERE state = 'dead'")
    assert detail.endswith(": its balances are the same, its entries are not")


def test_the_day_of_a_statement_cannot_be_changed_under_its_id(bank: Bank) -> None:
    bank.bring(camt("S-1", "2026-03-03", "100", "10"), camt("S-1", "2026-03-04", "100", "10"), source="iso")
    assert bank.told()[1] == ("dead", "", "statement_changed")


def test_what_was_a_dead_letter_the_first_time_has_not_come_before(bank: Bank) -> None:
    deploy(
        bank, MAPPING, bank.files[MAPPING].replace(b"  statement_id: src.statement_id", b"  statement_id: src.nix.a")
    )
    bank.bring(THREE)
    deploy(
        bank, MAPPING, bank.files[MAPPING].replace(b"  statement_id: src.nix.a", b"  statement_id: src.statement_id")
    )
    bank.bring(THREE)
    assert [state for state, _, _ in bank.told()] == ["dead", "routed"]


def test_a_mapping_that_words_it_otherwise_makes_no_other_statement_of_it(bank: Bank) -> None:
    bank.bring(THREE, FOUR)
    raw = bank.files[MAPPING]
    deploy(bank, MAPPING, raw.replace(b"remittance_unstructured?: compact(t.remittance_unstructured)",
                                      b"remittance_unstructured?: [{const: changed}]"))  # fmt: skip
    bank.bring(THREE, mt940("4/1", "2026-03-04", "105", "21"))
    assert bank.told()[2:] == [("filtered", "repeat", ""), ("dead", "", "statement_changed")]


# -- replays -------------------------------------------------------------------------------------------------------


def test_a_replay_is_no_repeat_of_itself(bank: Bank) -> None:
    [first] = bank.bring(THREE)
    replaying.run(bank, Request(ids=(first.receipt_id,), begin="start", delivered="send", reason="again"))
    assert bank.booked == ["2026-3", "2026-3"]
    bank.bring(THREE, FOUR)
    assert bank.told() == [("routed", "", ""), ("routed", "", ""), ("filtered", "repeat", ""), ("routed", "", "")]
    assert bank.findings() == []
    adds_up(bank)


@pytest.mark.parametrize("filter", [True, False], ids=["of a source", "a whole file"])
def test_a_repeat_that_is_replayed_stays_one(bank: Bank, filter: bool) -> None:
    bank.bring(THREE)
    bank.target("books").answers.append(Verdict(REFUSED, code="http_422", status=422))
    [file] = bank.bring(b"\r\n" + THREE + FOUR)
    which: dict[str, Any] = {"filter": Filter(source="bank")} if filter else {"ids": (file.receipt_id,)}
    replaying.run(bank, Request(**which, begin="start", reason="the mapping is mended"))
    assert bank.booked == ["2026-3", "2026-4", "2026-4"]
    assert ("filtered", "repeat", "") in bank.told()[3:]
    adds_up(bank)


def test_a_changed_statement_that_a_person_replays_stands_in_the_place_of_the_first(bank: Bank) -> None:
    changed = mt940("3/1", "2026-03-03", "100", "10", "-4")
    bank.bring(THREE, changed)
    replaying.run(bank, replaying.DEAD)
    assert bank.booked == ["2026-3", "2026-3"]
    bank.bring(changed, THREE, mt940("4/1", "2026-03-04", "106", "1"))
    assert [(state, code) for state, _, code in bank.told()][3:] == [
        ("filtered", ""), ("dead", "statement_changed"), ("routed", ""),
    ]  # fmt: skip
    assert bank.findings() == []
    adds_up(bank)


def test_what_a_replay_finds_is_found_about_the_replay(bank: Bank) -> None:
    [_, gap] = bank.bring(THREE, FIVE)
    replaying.run(bank, Request(ids=(gap.receipt_id,), begin="start", delivered="send", reason="again"))
    [one] = findings.open_now(bank.store.reader(), 9)
    assert one.code == "gap" and one.message_id != gap.receipt_id
    bank.bring(FOUR)
    assert bank.findings() == []


# -- what is missing -----------------------------------------------------------------------------------------------


def test_a_gap_is_told_on_the_message_and_the_statement_goes_on(bank: Bank) -> None:
    bank.bring(THREE, FIVE)
    assert bank.booked == ["2026-3", "2026-5"]
    [[first]] = bank.rows("SELECT message_id FROM messages WHERE seq = 1")
    before = f"statement 2026-3 of 2026-03-03 (message {first})"
    assert bank.details() == [
        f"number 4 is missing: 5 follows 3, {before}; it opens with 125, {before} closes with 105"
    ]
    adds_up(bank)


def test_a_late_statement_settles_the_gap(bank: Bank) -> None:
    bank.bring(THREE, FIVE, FOUR)
    assert bank.findings() == []
    assert [code for (code,) in bank.rows("SELECT code FROM message_findings WHERE settled_at IS NOT NULL")] == ["gap"]
    assert bank.booked == ["2026-3", "2026-5", "2026-4"]


def test_a_statement_that_fills_a_part_of_a_gap_leaves_the_rest(bank: Bank) -> None:
    six = mt940("6/1", "2026-03-06", "126", "1")
    bank.bring(THREE, six)
    assert "the numbers 4 to 5 are missing" in bank.details()[0]
    bank.bring(FOUR)
    assert "number 5 is missing: 6 follows 4" in bank.details()[0]
    bank.bring(FIVE)
    assert bank.findings() == []


def test_a_late_one_that_does_not_fit_moves_the_gap(bank: Bank) -> None:
    bank.bring(THREE, FIVE, mt940("4/1", "2026-03-04", "105", "19"))
    assert bank.findings() == ["balance"]
    assert "opens with 125" in bank.details()[0] and "closes with 124" in bank.details()[0]


Case = tuple[str, Sequence[bytes], list[str]]
EUR = partial(mt940, reference="SAME")
CASES: list[Case] = [
    ("numbers that follow", [THREE, FOUR, FIVE], []),
    ("a number is missing where nothing was booked", [THREE, mt940("5/1", "2026-03-05", "105", "1")], ["gap"]),
    ("the balance does not go on", [THREE, mt940("4/1", "2026-03-04", "104", "1")], ["balance"]),
    ("another year begins at 1", [
        mt940("251/1", "2025-12-31", "1", "2"), mt940("1/1", "2026-01-02", "3", "4"), mt940("2/1", "2026-01-05", "7"),
    ], []),
    ("another year goes on", [mt940("251/1", "2025-12-31", "1", "2"), mt940("252/1", "2026-01-02", "3", "4")], []),
    ("the first of another year is missing", [
        mt940("251/1", "2025-12-31", "1", "2"), mt940("2/1", "2026-01-05", "7", "1"),
    ], ["balance"]),
    ("numbering begins again within the year", [
        mt940("7/1", "2026-03-03", "1", "2"), mt940("1/1", "2026-03-04", "3", "4"), mt940("2/1", "2026-03-05", "7"),
    ], []),
    ("another numbering", [mt940("7/1", "2026-03-03", "1", "2"), mt940("26001/1", "2026-03-04", "3", "4")], []),
    ("a bank without numbers", [
        EUR("", "2026-03-03", "1", "2"), EUR("", "2026-03-04", "3", "4"), EUR("", "2026-03-05", "7", "1"),
    ], []),
    ("a bank that numbers all alike, a day missing once it is known", [
        EUR("1/1", "2026-03-03", "1", "2"), EUR("1/1", "2026-03-04", "3", "4"), EUR("1/1", "2026-03-06", "9", "1"),
    ], ["balance"]),
    ("a bank whose number is 0", [EUR("0/1", "2026-03-03", "1", "2"), EUR("0/1", "2026-03-04", "3", "4")], []),
    ("quiet days", [
        EUR("", "2026-03-03", "1", "2"), EUR("", "2026-03-04", "3"), EUR("", "2026-03-05", "3"),
        EUR("", "2026-03-06", "3", "1"),
    ], []),
    ("two of one day", [THREE, mt940("4/1", "2026-03-03", "105", "1"), mt940("5/1", "2026-03-04", "106", "1")], []),
    ("two of one day in the wrong order", [
        THREE, mt940("5/1", "2026-03-04", "125", "1"), mt940("4/1", "2026-03-04", "105", "20"),
    ], []),
    ("pages of one file", [
        THREE, mt940("4/1", "2026-03-04", "105", "1", pages="FM") + mt940("4/2", "2026-03-04", "106", "1", pages="MF"),
        mt940("5/1", "2026-03-05", "107", "1"),
    ], []),
    ("all pages missing but the day after is there", [THREE, mt940("5/1", "2026-03-05", "107", "1")], ["gap"]),
    ("a zero-balance account", [
        mt940("1/1", "2026-03-03", "0", "5", "-5"), mt940("2/1", "2026-03-04", "0", "7", "-7"),
        mt940("4/1", "2026-03-06", "0", "7", "-7"),
    ], ["gap"]),
    ("the history after the present", [FIVE, THREE, FOUR], []),
    ("a hole in the history", [FIVE, THREE], ["gap"]),
    ("a correction under another number tells of the same money", [
        THREE, FOUR, mt940("5/1", "2026-03-04", "105", "19"),
    ], ["overlap"]),
    ("negative balances", [mt940("3/1", "2026-03-03", "-5", "1"), mt940("4/1", "2026-03-04", "-4", "1")], []),
]  # fmt: skip


@pytest.mark.parametrize(("files", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_only_what_is_missing_is_told(bank: Bank, files: Sequence[bytes], expected: list[str]) -> None:
    bank.bring(*files)
    assert bank.findings() == expected
    assert {state for state, _, _ in bank.told()} == {"routed"}
    adds_up(bank)


def test_ids_that_begin_again_each_year_are_other_statements(bank: Bank) -> None:
    bank.bring(
        camt("001", "2025-01-02", "1", "2", number=1), camt("250", "2025-12-31", "3", "1", number=250),
        camt("001", "2026-01-02", "4", "2", number=1), source="iso",
    )  # fmt: skip
    assert [state for state, _, _ in bank.told()] == ["routed"] * 3
    assert ["numbers 2 to 249 are missing" in detail for detail in bank.details()] == [True]


def test_reports_within_the_day_stand_beside_the_statement(bank: Bank) -> None:
    report = mt942("4/1", "2026-03-04", "0900", "20")
    bank.bring(THREE)
    bank.bring(report, mt942("4/1", "2026-03-04", "1500", "20"), report, source="day")
    bank.bring(FOUR)
    bank.bring(mt942("9/1", "2026-03-05", "0900", "1"), source="day")
    assert [event for _, event, _ in bank.told()] == ["", "", "", "repeat", "", ""]
    assert bank.findings() == []


def test_the_parts_of_a_long_statement_are_one(bank: Bank) -> None:
    raw = bank.files[MAPPING].replace(b"source: {}", b"source: {format: mt940, part: 2}")
    deploy(bank, MAPPING, raw)
    long = mt940("4/1", "2026-03-04", "105", "1", "2", "-3", "4", "5")
    bank.bring(THREE, long, FIVE, long)
    assert bank.booked == ["2026-3", "2026-4", "2026-4", "2026-4", "2026-5"]
    assert [event for _, event, _ in bank.told()][-3:] == ["repeat"] * 3
    assert bank.findings() == ["balance"]  # 125 is not what the long one ends with
    adds_up(bank)


def test_a_mapping_of_ones_own_need_not_tell_parts(bank: Bank) -> None:
    raw = bank.files[MAPPING].replace(b"source: {}", b"source: {format: mt940, part: 2}")
    deploy(bank, MAPPING, raw[: raw.index(b"  extensions?:")])
    bank.bring(mt940("4/1", "2026-03-04", "105", "1", "2", "-3", "4", "5"))
    assert [state for state, _, _ in bank.told()] == ["routed"] * 3


# -- nothing is lost -----------------------------------------------------------------------------------------------


def test_a_transaction_that_fails_has_seen_no_statement(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = payloads.insert_rows, list[int]()

    def insert_rows(db: database.Database, rows: list[tuple[object, ...]]) -> None:
        found = list(rows)
        real(db, found)
        if any(row[1] == "canonical" for row in found) and len(failed) < 2:
            failed.append(1)
            raise StoreFull("once")

    monkeypatch.setattr(payloads, "insert_rows", insert_rows)
    bank.bring(THREE)
    assert bank.rows("SELECT statement_id FROM statements_seen") == []
    for _ in range(3):
        bank.engine.catch_up()
        bank.run()
    assert failed == [1, 1]
    bank.bring(THREE)
    assert bank.booked == ["2026-3"]
    assert bank.told() == [("routed", "", ""), ("filtered", "repeat", "")]
    adds_up(bank)


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_crash_books_nothing_twice_and_loses_nothing(bank: Bank, at: int) -> None:
    for step, raw in enumerate((THREE, FIVE, FOUR)):
        if step == at:
            bank.engine.accept([Arrival(bank.clock.new_id(), "bank", "", raw, bank.clock.epoch())])
            bank.crash("w2")  # it was stored, and not split
            Sweeper(bank.engine, bank.folder, None, {}).recover()
            bank.wait(LOST_AFTER + 1)
            Sweeper(bank.engine, bank.folder, None, {}).sweep()
            bank.run()
        bank.bring(raw)
    assert sorted(bank.booked) == ["2026-3", "2026-4", "2026-5"]
    assert [event for _, event, _ in bank.told()].count("repeat") == 1
    assert bank.findings() == []
    adds_up(bank)
