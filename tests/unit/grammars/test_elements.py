"""The second stage: every element against its type, codes and notes; overlays; all faults, each at its place."""

from __future__ import annotations

import random
from typing import Any

import pytest
from grammar_files import edifact, findings, overlaid, shipped, small, x12

from hub.formats._segments import Repeats
from hub.grammars import Checker, MessageType
from hub.grammars.types import SegmentNode


def node(message: MessageType, path: str) -> SegmentNode:
    for above, one in message.walk():
        if ".".join((*above, one.key)) == path:
            assert isinstance(one, SegmentNode)
            return one
    raise KeyError(path)


def told(message: MessageType, path: str, segment: list[Any], mark: str = ".") -> list[tuple[str, int, int, str]]:
    found = Checker(message, mark).segment_findings(segment, node(message, path).segment, 7)
    assert {one.segment for one in found} <= {7}
    return [(one.problem, one.element, one.component, one.message) for one in found]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("AAA", "AAA+1+12345:ABC+a+b+c", []),
        ("AAA", "AAA+1", []),
        ("AAA", "AAA+1++a++++", []),
        ("AAA", "AAA", [("missing_element", 1, 0, "code (1001) is missing; it is mandatory")]),
        ("AAA", "AAA+9", [("unknown_code", 1, 0, "code (1001) is not one of the codes: '9'; expected one of 1, 2, 3")]),
        ("AAA", "AAA+1+123456", [("too_long", 2, 1, "party.id (1002) is 6 long: '123456'; expected at most 5")]),
        ("AAA", "AAA+1+1:AB", [("too_short", 2, 2, "party.agency (1003) is 2 long: 'AB'; expected at least 3")]),
        ("AAA", "AAA+1+:ABC", [("missing_element", 2, 1, "party.id (1002) is missing; it is mandatory where C002 "
         "stands")]),
        ("AAA", "AAA+1+1:ABC:x", [("too_many_components", 2, 3, "C002 has 2 components; here are 3")]),
        ("AAA", "AAA+1:2", [("too_many_components", 1, 2, "code (1001) is no composite; here it has 2 components")]),
        ("AAA", "AAA+1++a+b+c+d", [("too_many_elements", 6, 0, "AAA has 5 elements in this grammar; here is "
         "element 6")]),
        ("BBB_group.CCC", "CCC+12345", []),
        ("BBB_group.CCC", "CCC+-1234.5", []),
        ("BBB_group.CCC", "CCC+123456", [("too_long", 1, 0,
         "quantity (1006) is 6 long: '123456'; expected at most 5")]),
        ("BBB_group.CCC", "CCC+1,5", [("wrong_decimal", 1, 0, "quantity (1006) has ',' as its decimal mark: '1,5'; "
         "expected '.'")]),
        ("BBB_group.CCC", "CCC+.5", [("wrong_decimal", 1, 0,
         "quantity (1006) has no digit before '.': '.5'; expected 0.5")]),
        ("BBB_group.CCC", "CCC+5.", [("wrong_decimal", 1, 0,
         "quantity (1006) has no digit behind '.': '5.'; expected 5 "
         "or 5.0")]),
        ("BBB_group.CCC", "CCC+1e3", [("wrong_characters", 1, 0, "quantity (1006) is not a number: '1e3'; expected "
         "digits, with "
                                 "'.' before decimals")]),
        ("BBB_group.CCC", "CCC+²", [("wrong_characters", 1, 0, "quantity (1006) is not a number: '²'; expected digits, "
         "with '.' "
                               "before decimals")]),
        ("DDD", "DDD+137:20240229:102", []),
        ("DDD", "DDD+137:20230229:102", [("wrong_date", 1, 2, "'20230229' is not a date of the format 102")]),
        ("DDD", "DDD+137:202401012460:203", [("wrong_date", 1, 2, "'202401012460' is not a date of the format 203")]),
        ("DDD", "DDD+137:whatever:999", []),
        ("DDD", "DDD+137:2024010120240131:718", []),
        ("DDD", "DDD+137:20240101-20240132:718", [("wrong_date", 1, 2, "'20240101-20240132' is not a date of the "
         "format 718")]),
        ("BBB_group.BBB", "BBB+1+ab1", [("wrong_characters", 2, 0,
         "texts (1005) holds digits: 'ab1'; expected letters")]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_element_is_told_at_its_place(path: str, text: str, expected: list[Any]) -> None:
    [segment] = edifact(f"{text}'")
    assert told(small(), path, segment) == expected


def test_repetitions_are_counted_and_each_is_looked_at() -> None:
    three, four = Repeats(["a", "b", "abcde"]), Repeats(["a", "b", "c", "d"])
    assert told(small(), "BBB_group.BBB", ["BBB", "1", three]) == [
        ("too_long", 2, 0, "texts (1005) is 5 long: 'abcde'; expected at most 4")
    ]
    assert told(small(), "BBB_group.BBB", ["BBB", "1", four]) == [
        ("too_many_repetitions", 2, 0, "texts (1005) is repeated 4 times; at most 3")
    ]


def test_the_decimal_mark_is_that_of_the_interchange() -> None:
    assert told(small(), "BBB_group.CCC", ["CCC", "1,5"], ",") == []
    assert [one[0] for one in told(small(), "BBB_group.CCC", ["CCC", "1.5"], ",")] == ["wrong_decimal"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("N1*BY*Shop~", []),
        ("N1*BY~", [("missing_related", 2)]),
        ("N1*BY*Shop*92~", [("missing_related", 4)]),
        ("N1*BY*Shop**12~", [("missing_related", 3)]),
        ("N1*BYX1*Shop~", [("too_long", 1)]),
    ],
)
def test_notes_of_x12_tell_what_goes_together(text: str, expected: list[tuple[str, int]]) -> None:
    [segment] = x12(text)
    found = told(shipped().message("x12/004010/850"), "N1_loop.N1", segment)
    assert [(problem, element) for problem, element, _, _ in found] == expected


@pytest.mark.parametrize(
    ("note", "elements", "broken"),
    [
        ("P0102", "ab", False), ("P0102", "--", False), ("P0102", "a-", True), ("P0102", "-b", True),
        ("R0102", "a-", False), ("R0102", "--", True),
        ("E0102", "a-", False), ("E0102", "--", False), ("E0102", "ab", True),
        ("C0102", "-b", False), ("C0102", "a-", True), ("C0102", "ab", False),
        ("L010203", "a-c", False), ("L010203", "a--", True), ("L010203", "-bc", False),
        ("O0102", "a-", False), ("O0102", "--", True), ("O0102", "ab", True),
        ("N010203", "-bc", False), ("N010203", "a--", False), ("N010203", "a-c", True),
    ],
)  # fmt: skip
def test_every_kind_of_note_holds_and_is_broken(note: str, elements: str, broken: bool) -> None:
    text = f"segments:\n  ZZZ own: [1004 C a, 1004 C b, 1004 C c, {note}]\nadd: {{after AAA: [ZZZ C 1]}}\n"
    message = overlaid(text).message("own/TEST")
    segment = ["ZZZ", *("" if one == "-" else one for one in elements)]
    checker = Checker(message)
    found = checker.segment_findings(segment, node(message, "ZZZ").segment, 1)

    assert [one.problem in ("missing_related", "excluded_element") for one in found] == [True] * broken


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("20240131", None),
        ("20240230", "wrong_date"),
        ("2024013", "too_short"),
        ("2024-01-31", "too_long"),
        ("2024013x", "wrong_date"),
    ],
)
def test_dates_of_x12_are_days_of_the_calendar(value: str, problem: str | None) -> None:
    found = told(shipped().message("x12/004010/850"), "BEG", ["BEG", "00", "NE", "1", "", value])
    assert [one[0] for one in found] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("1230", None),
        ("123059", None),
        ("12305999", None),
        ("2460", "wrong_time"),
        ("123", "too_short"),
        ("12:30", "wrong_time"),
    ],
)
def test_times_of_x12_are_times_of_the_day(value: str, problem: str | None) -> None:
    found = told(shipped().message("x12/004010/850"), "DTM", ["DTM", "002", "20240131", value])
    assert [one[0] for one in found] == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("overlay", "path", "text", "problems"),
    [
        ("remove: [AAA.party]", "AAA", "AAA+1+1", ["unused_element"]),
        ("remove: [AAA.party.agency]", "AAA", "AAA+1+1:ABC", ["unused_element"]),
        ("remove: [AAA.lines]", "AAA", "AAA+1++a+b", ["unused_element", "unused_element"]),
        ("restrict: {AAA.party: M}", "AAA", "AAA+1", ["missing_element"]),
        ("restrict: {AAA.party.id: an..3}", "AAA", "AAA+1+1234", ["too_long"]),
        ("relax: {AAA.party.id: an..9}", "AAA", "AAA+1+123456789", []),
        ("codes: {AAA.code: 7 8}", "AAA", "AAA+1", ["unknown_code"]),
        ("codes: {AAA.code: 7 8}", "AAA", "AAA+8", []),
        ("codes: {1001: 7}", "EEE", "EEE+7", []),
        ("unknown_codes: allow", "AAA", "AAA+9", []),
        ("extra: allow", "AAA", "AAA+1++a+b+c+d", []),
    ],
)
def test_an_overlay_changes_what_is_right(overlay: str, path: str, text: str, problems: list[str]) -> None:
    [segment] = edifact(f"{text}'")
    assert [one[0] for one in told(overlaid(overlay).message("own/TEST"), path, segment)] == problems


def test_codes_and_elements_that_are_not_known_may_be_warnings() -> None:
    message = overlaid("unknown_codes: report\nextra: report").message("own/TEST")
    found = Checker(message).segment_findings(["AAA", "9", "", "", "", "", "x"], node(message, "AAA").segment, 1)
    assert [(one.problem, one.severity) for one in found] == [
        ("unknown_code", "warning"),
        ("too_many_elements", "warning"),
    ]


def test_an_overlay_changes_the_structure() -> None:
    text = (
        "remove: [SG1.SG2]\nadd: {before EEE: [{SG9 C 2: [ZZZ M 1, CCC C 5]}], in SG1: [EEE C 1]}\n"
        "restrict: {DDD: M 1}\nrelax: {SG1: C 9}\nsegments: {ZZZ own: [1004 M]}\n"
    )
    message = overlaid(text).message("own/TEST")
    names = [(".".join((*above, one.key)), one.is_mandatory, one.repeats, one.is_list) for above, one in message.walk()]
    assert names == [
        ("AAA", True, 1, False), ("DDD", True, 1, True), ("BBB_group", False, 9, True), ("BBB_group.BBB", True, 1,
         False),
        ("BBB_group.CCC", True, 2, True), ("BBB_group.EEE", False, 1, False), ("ZZZ_group", False, 2, True),
        ("ZZZ_group.ZZZ", True, 1, False),
        ("ZZZ_group.CCC", False, 5, True), ("EEE", True, 1, False),
    ]  # fmt: skip
    assert message.standard == "edifact/T1/TEST"


def test_the_quick_look_and_the_long_one_agree() -> None:
    """Random elements, right and wrong: a segment that is looked at quickly is clean if nothing is found in it."""
    random.seed(11)
    values = ["", "1", "9", "12345", "123456", "ABC", "20240229", "20230229", "102", "1.5", "1,5", "-1", "x" * 40]
    values_of = [*values, ["1", "ABC"], ["", "ABC"], ["137", "20230229", "102"], ["137", "20240229", "102"],
                 ["1", "2", "3", "4"],
                 Repeats(["a", "b"]), Repeats(["a", "bcdef"]), Repeats(["1"] * 9)]  # fmt: skip
    for message in (small(), shipped().message("edifact/D96A/ORDERS"), shipped().message("x12/004010/850"),
                    overlaid("remove: [AAA.lines]\nunknown_codes: report").message("own/TEST")):  # fmt: skip
        checker = Checker(message)
        kinds = [one.segment for _, one in message.walk() if isinstance(one, SegmentNode)]
        dirty = 0
        for _ in range(4000):
            kind = random.choice(kinds)
            segment = [kind.tag, *(random.choice(values_of) for _ in range(random.randrange(len(kind.slots) + 2)))]
            found = checker.segment_findings(segment, kind, 1)
            dirty += bool(found)
            if found:
                assert not checker.is_clean(segment, kind), (segment, found)
        assert 0 < dirty < 4000


def test_all_faults_of_a_message_are_told() -> None:
    text = "UNH+1'AAA+9+123456:AB'DDD+137:x:102'BBB+1'CCC+a'CCC+b'CCC+c'EEE+1'UNT+9+1'"
    found = [(one.problem, one.segment) for one in findings(small(), edifact(text))]
    assert found == [
        ("too_many_segments", 7), ("unknown_code", 2), ("too_long", 2), ("too_short", 2), ("wrong_date", 3),
        ("wrong_characters", 5), ("wrong_characters", 6), ("wrong_characters", 7),
    ]  # fmt: skip


def test_every_problem_has_a_code_of_both_standards() -> None:
    from hub.formats._ack_codes import WORDS
    from hub.grammars.findings import CODES

    for edifact_code, x12_code in CODES.values():
        assert edifact_code[0] == "0085"
        assert x12_code[0] in WORDS
