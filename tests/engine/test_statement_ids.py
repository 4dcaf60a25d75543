"""Banks that give all their statements one id: each is known by its day too, whenever it comes."""

from __future__ import annotations

from itertools import permutations

import pytest
from banking import IBAN, MAPPING, Bank, camt, mt940
from msgspec.structs import replace
from replaying import DEAD, adds_up, deploy, run

ONE = camt("STMT", "2026-03-03", "100", "5")
TWO = camt("STMT", "2026-03-04", "105", "20")
THREE = camt("STMT", "2026-03-05", "125")  # a day without movement
FOUR = camt("STMT", "2026-03-06", "125", "1", "-26")
FIVE = camt("STMT", "2026-03-09", "100", "7")  # opens as ONE does


@pytest.mark.parametrize("order", list(permutations([ONE, TWO, THREE, FOUR])))
def test_statements_under_one_id_come_in_any_order_and_each_is_taken_in_once(
    bank: Bank, order: tuple[bytes, ...]
) -> None:
    bank.bring(*order, *order, source="iso")
    assert [(state, event) for state, event, _ in bank.told()] == [("routed", "")] * 4 + [("filtered", "repeat")] * 4
    assert bank.findings() == []
    adds_up(bank)


def test_a_late_one_that_goes_before_nothing_known_is_taken_in_and_the_gap_told(bank: Bank) -> None:
    bank.bring(FOUR, ONE, source="iso")
    assert [state for state, _, _ in bank.told()] == ["routed"] * 2
    assert bank.findings() == ["balance"]
    bank.bring(TWO, THREE, source="iso")
    assert bank.findings() == []


def test_one_that_opens_as_another_does_is_taken_in_once_the_id_is_known_to_come_again(bank: Bank) -> None:
    bank.bring(FOUR, ONE, FIVE, source="iso")
    assert [state for state, _, _ in bank.told()] == ["routed"] * 3


def test_a_correction_under_the_one_id_goes_before_a_person(bank: Bank) -> None:
    bank.bring(FOUR, ONE, TWO, camt("STMT", "2026-03-04", "105", "21"), source="iso")
    assert bank.told()[3:] == [("dead", "", "statement_changed")]


def test_the_day_of_the_only_statement_of_an_id_is_not_changed_unseen(bank: Bank) -> None:
    bank.bring(TWO, camt("STMT", "2026-03-03", "105", "20"), source="iso")
    assert bank.told()[1:] == [("dead", "", "statement_changed")]


def test_all_days_of_one_file_under_one_id_are_taken_in(bank: Bank) -> None:
    texts = [mt940("1/1", day, opening, entry) for day, opening, entry in [
        ("2026-03-06", "9", "1"), ("2026-03-03", "1", "2"), ("2026-03-05", "7", "2"), ("2026-03-04", "3", "4"),
    ]]  # fmt: skip
    bank.bring(b"".join(texts), b"\r\n" + b"".join(texts))
    assert [event for _, event, _ in bank.told()] == [""] * 4 + ["repeat"] * 4
    assert bank.findings() == []


def test_accounts_share_no_id(bank: Bank) -> None:
    other = FOUR.replace(IBAN.encode(), b"NL02ABNA0123456789")
    bank.bring(FOUR, other, ONE, ONE.replace(IBAN.encode(), b"NL02ABNA0123456789"), source="iso")
    assert [state for state, _, _ in bank.told()] == ["routed"] * 4


def test_notifications_under_one_id_are_known_by_their_days(bank: Bank) -> None:
    files = [camt("N", day, "0", amount, notifies=True) for day, amount in (("2026-03-06", "5"), ("2026-03-03", "6"))]
    bank.bring(*files, *files, source="iso")
    assert [event for _, event, _ in bank.told()] == ["", "", "repeat", "repeat"]


# Several of one day, under one id.
MORNING = camt("STMT", "2026-03-04", "105", "20")
NOON = camt("STMT", "2026-03-04", "125", "-7", "1")
EVENING = camt("STMT", "2026-03-04", "119", "6")
NEXT = camt("STMT", "2026-03-05", "125", "1")


@pytest.mark.parametrize(
    "order", [order for order in permutations([MORNING, NOON, EVENING]) if order[1] is NOON or NOON is order[0]]
)
def test_statements_of_one_day_that_go_on_from_one_another_are_each_taken_in_once(
    bank: Bank, order: tuple[bytes, ...]
) -> None:
    bank.bring(ONE, *order, NEXT, *order, source="iso")
    assert [event for _, event, _ in bank.told()] == [""] * 5 + ["repeat"] * 3
    assert {state for state, _, _ in bank.told()} == {"routed", "filtered"}
    assert bank.findings() == []
    adds_up(bank)


def test_one_of_a_day_that_the_others_do_not_lead_to_goes_before_a_person(bank: Bank) -> None:
    bank.bring(ONE, MORNING, EVENING, source="iso")
    assert bank.told()[2:] == [("dead", "", "statement_changed")]
    [(hint,)] = bank.rows("SELECT failure ->> 'hint' FROM messages WHERE state = 'dead'")
    assert hint.startswith(
        "if one between the two has yet to come, replay this one from the start once it has; else ask"
    )
    bank.bring(NOON, source="iso")
    run(bank, replace(DEAD, superseded="send"))
    assert [state for state, _, _ in bank.told()] == ["routed", "routed", "dead", "routed", "routed"]
    bank.bring(NEXT, MORNING, NOON, EVENING, source="iso")
    assert [event for _, event, _ in bank.told()[-3:]] == ["repeat"] * 3
    assert bank.findings() == []


@pytest.mark.parametrize("wrong", [MORNING, NOON], ids=["the first", "the second"])
def test_a_correction_of_one_of_a_day_goes_before_a_person_and_takes_its_place_alone(bank: Bank, wrong: bytes) -> None:
    right = wrong.replace(b">1</Amt>", b">2</Amt>").replace(b">119</Amt>", b">120</Amt>")
    right = right.replace(b">20</Amt>", b">21</Amt>").replace(b">125</Amt>", b">126</Amt>") if right == wrong else right
    bank.bring(ONE, MORNING, NOON, right, source="iso")
    assert bank.told()[3:] == [("dead", "", "statement_changed")]
    run(bank, DEAD)
    bank.bring(MORNING, NOON, right, source="iso")
    told = [code or event for _, event, code in bank.told()[-3:]]
    assert told == ["statement_changed" if each is wrong else "repeat" for each in (MORNING, NOON, right)]


def test_the_parts_of_the_second_of_a_day_go_on_from_one_another(bank: Bank) -> None:
    deploy(bank, MAPPING, bank.files[MAPPING].replace(b"source: {}", b"source: {format: camt053, entries: 1}"))
    files = [ONE, MORNING, camt("STMT", "2026-03-04", "125", "-7", "1", "3"), camt("STMT", "2026-03-05", "122", "1")]
    bank.bring(*files, source="iso")
    assert {state for state, _, _ in bank.told()} == {"routed"}
    count = len(bank.told())
    bank.bring(*files, source="iso")
    assert [event for _, event, _ in bank.told()[count:]] == ["repeat"] * count
    assert bank.findings() == []


def test_the_second_of_a_day_goes_on_from_the_last_part_or_page_of_the_first(bank: Bank) -> None:
    split = bank.files[MAPPING].replace(b"source: {}", b"source: {format: camt053, entries: 1}")
    deploy(bank, MAPPING, split)
    morning, noon = camt("STMT", "2026-03-04", "105", "5", "15"), camt("STMT", "2026-03-04", "125", "-7")
    bank.bring(ONE, morning, noon, camt("STMT", "2026-03-05", "118", "1"), source="iso")
    assert ({state for state, _, _ in bank.told()}, bank.findings()) == ({"routed"}, [])


@pytest.mark.parametrize("known", [True, False])
def test_the_pages_of_two_of_a_day_go_on_from_one_another(bank: Bank, known: bool) -> None:
    first = mt940("1/1", "2026-03-04", "105", "5", pages="FM"), mt940("1/2", "2026-03-04", "110", "15", pages="MF")
    second = mt940("1/1", "2026-03-04", "125", "-8", pages="FM"), mt940("1/2", "2026-03-04", "117", "1", pages="MF")
    before, after = mt940("1/1", "2026-03-03", "100", "5"), mt940("1/1", "2026-03-05", "118", "1")
    bank.bring(before, *(first if known else ()), *second, after)
    assert {state for state, _, _ in bank.told()} == {"routed"}
    assert bank.findings() == ([] if known else ["balance"])


EMPTY = camt("STMT", "2026-03-04", "105")


@pytest.mark.parametrize(
    "order", [(EMPTY, MORNING, NOON), (MORNING, EMPTY, NOON), (MORNING, NOON, EMPTY), (NOON, MORNING, EMPTY)]
)
def test_one_of_a_day_without_entries_stands_beside_the_others(bank: Bank, order: tuple[bytes, ...]) -> None:
    taken = [ONE, *order]
    bank.bring(*taken, camt("STMT", "2026-03-05", "119", "1"), *taken, source="iso")
    assert bank.told() == [("routed", "", "")] * 5 + [("filtered", "repeat", "")] * 4
    assert bank.findings() == []


def test_entries_that_come_to_nothing_are_entries(bank: Bank) -> None:
    bank.bring(ONE, camt("STMT", "2026-03-04", "105", "5", "-5"), MORNING, source="iso")
    assert bank.told()[2:] == [("dead", "", "statement_changed")]
