"""Segments to a tree: each where the standard puts it, and what does not follow told and kept."""

from __future__ import annotations

import random

import pytest
from grammar_files import edifact, findings, grammars, matched, places, shipped, small

from hub.grammars import Matcher, matching
from hub.grammars.types import GroupNode

ORDER = (
    "UNH+1+ORDERS:D:96A:UN'BGM+220+128576+9'DTM+137:20020830:102'RFF+CT:555'DTM+171:20020825:102'NAD+BY+1::9'"
    "CTA+OC+:P'COM+3:TE'NAD+SU+2::9'LIN+1++4:EN'PIA+1+ABC:SA'QTY+21:48'PRI+AAA:699'LIN+2++5:EN'QTY+21:45'"
    "NAD+DP+3::9'UNS+S'MOA+86:1'CNT+2:2'UNT+20+1'"
)


def tags(text: str) -> list[list[str]]:
    return [[tag, "1"] for tag in text.split()]


def told(text: str) -> list[tuple[str, int, str]]:
    return [(one.problem, one.segment, one.message) for one in matched(small(), tags(text)).findings]


def test_every_segment_of_an_order_stands_in_its_group() -> None:
    match = matched(shipped().message("edifact/D96A/ORDERS"), edifact(ORDER))

    assert match.findings == []
    assert list(places(match).items()) == [
        (2, "BGM"), (3, "DTM"), (4, "RFF_group.RFF"), (5, "RFF_group.DTM"), (6, "NAD_group.NAD"), (7,
         "NAD_group.CTA_group.CTA"),
        (8, "NAD_group.CTA_group.COM"), (9, "NAD_group.NAD"), (10, "LIN_group.LIN"), (11, "LIN_group.PIA"), (12,
         "LIN_group.QTY"),
        (13, "LIN_group.PRI_group.PRI"), (14, "LIN_group.LIN"), (15, "LIN_group.QTY"), (16, "LIN_group.NAD_group.NAD"),
        (17, "UNS"), (18, "MOA"),
        (19, "CNT"),
    ]  # fmt: skip


def test_what_may_repeat_is_a_list_and_what_may_not_is_none() -> None:
    tree = matched(shipped().message("edifact/D96A/ORDERS"), edifact(ORDER)).tree

    assert tree["BGM"] == ["BGM", "220", "128576", "9"]
    assert tree["DTM"] == [["DTM", ["137", "20020830", "102"]]]
    assert [line["LIN"][1] for line in tree["LIN_group"]] == ["1", "2"]


def test_a_message_of_a_shape_that_was_seen_before_gets_the_same_tree_as_the_first() -> None:
    kind = shipped().message("edifact/D96A/ORDERS")
    often = Matcher(kind)
    for number in range(4):
        segments = [[tag, *(f"{value}{number}" for value in map(str, rest))] for tag, *rest in edifact(ORDER)]
        found, once = often.match(segments), Matcher(kind).match(segments)
        assert found.tree == once.tree
        assert (found.body, found.first, found.findings, found.strays) == (once.body, once.first, [], [])
        assert [place.path for place in found.places if place] == [place.path for place in once.places if place]


def test_shapes_that_come_once_do_not_keep_a_matcher_from_learning_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matching, "_MOST_SEEN", 2)
    matcher = Matcher(small())
    for shape in ("AAA EEE", "AAA DDD EEE", *["AAA DDD DDD EEE"] * 3):
        assert matcher.match(tags(shape)).findings == []
    assert list(matcher._shapes) == [("AAA", "DDD", "DDD", "EEE")]


def test_what_is_wrong_with_a_shape_is_told_every_time() -> None:
    matcher = Matcher(small())
    faults = [[one.problem for one in matcher.match(tags("AAA CCC EEE")).findings] for _ in range(4)]
    assert faults == [["misplaced_segment"]] * 4


def test_header_and_trailer_count_but_are_no_part_of_the_tree() -> None:
    with_them = matched(small(), tags("UNH AAA EEE UNT"))
    without = matched(small(), tags("AAA EEE"))

    assert with_them.tree == without.tree == {"AAA": ["AAA", "1"], "EEE": ["EEE", "1"]}
    assert (with_them.first, without.first) == (2, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UNH AAA EEE UNT", []),
        ("UNH AAA DDD DDD BBB CCC CCC DDD EEE BBB CCC EEE UNT", []),
        ("UNH EEE UNT", [("missing_segment", 2, "AAA is missing; it is mandatory")]),
        ("UNH AAA BBB EEE UNT", [("missing_segment", 4, "CCC is missing in BBB_group; it is mandatory")]),
        ("UNH AAA BBB CCC UNT", [("missing_segment", 5, "EEE is missing; it is mandatory")]),
        ("UNH AAA BBB BBB CCC EEE UNT", [("missing_segment", 4, "CCC is missing in BBB_group; it is mandatory")]),
        ("UNH AAA DDD DDD DDD EEE UNT", [("too_many_segments", 5, "DDD stands more than 2 times here")]),
        ("UNH AAA AAA EEE UNT", [("too_many_segments", 3, "AAA stands more than once here")]),
        (
            "UNH AAA BBB CCC BBB CCC BBB CCC BBB CCC EEE UNT",
            [("too_many_groups", 7, "BBB_group (BBB) stands more than 2 times here")],
        ),
        ("UNH AAA XYZ EEE UNT", [("unknown_segment", 3, "XYZ is not a segment of this message")]),
        ("UNH DDD AAA EEE UNT", [("misplaced_segment", 3, "AAA is out of order: it comes too late after DDD")]),
        ("UNH AAA CCC EEE UNT", [("misplaced_segment", 3, "CCC cannot stand here; it belongs to BBB_group, which BBB "
         "opens")]),
        (
            "UNH AAA EEE BBB CCC UNT",
            [("misplaced_segment", 4, "BBB_group (BBB) is out of order: it comes too late after EEE")],
        ),
        ("UNH AAA BBB CCC DDD CCC EEE EEE UNT",
         [("misplaced_segment", 6, "CCC is out of order: it comes too late after DDD")]),
        ("", [("missing_segment", 1, "AAA is missing; it is mandatory"),
              ("missing_segment", 1, "EEE is missing; it is mandatory")]),
        ("UNH", [("missing_segment", 2, "AAA is missing; it is mandatory"),
                 ("missing_segment", 2, "EEE is missing; it is mandatory")]),
    ],
)  # fmt: skip
def test_what_does_not_follow_is_told_at_its_segment(text: str, expected: list[tuple[str, int, str]]) -> None:
    assert told(text) == expected


def test_a_place_that_is_full_gives_way_to_the_next_of_that_tag() -> None:
    message = grammars(TEST="title: T\nstructure: [AAA M 1, BBB C 2, SG1 C 1, EEE M 1]".replace(
        "SG1 C 1", "{SG1 C 1: [CCC M 1, BBB C 1]}, BBB C 3 as BBB_later"
    )).message("edifact/T1/TEST")  # fmt: skip

    match = matched(message, tags("AAA BBB BBB BBB BBB EEE"))

    assert match.findings == []
    assert [len(match.tree[key]) for key in ("BBB", "BBB_later")] == [2, 2]


def test_a_late_group_takes_its_own_segments_and_the_reading_comes_back() -> None:
    text = "UNH+1'BGM+220+1'DTM+137:20020830:102'LIN+1'QTY+21:1'CUX+2:EUR:9'DTM+2:20020830:102'PRI+AAA:1'UNS+S'UNT+1'"
    match = matched(shipped().message("edifact/D96A/ORDERS"), edifact(text))

    assert [(one.segment, one.problem) for one in match.findings] == [(6, "misplaced_segment")]
    assert places(match) == {
        2: "BGM", 3: "DTM", 4: "LIN_group.LIN", 5: "LIN_group.QTY", 6: "CUX_group.CUX", 7: "CUX_group.DTM",
        8: "LIN_group.PRI_group.PRI", 9: "UNS",
    }  # fmt: skip
    assert match.strays == []


@pytest.mark.parametrize("name", ["edifact/T1/TEST", "edifact/D96A/ORDERS", "x12/004010/850"])
def test_nothing_is_dropped_whatever_comes(name: str) -> None:
    """Shuffled, doubled and foreign segments: each stands once in the tree or among the strays; nothing is raised."""
    random.seed(5)
    message = small() if name == "edifact/T1/TEST" else shipped().message(name)
    matcher = Matcher(message)
    tags = [*(node.tag for _, node in message.walk()), "XYZ", ""]
    for _ in range(1500):
        at, chosen = 0, []
        for _ in range(random.randrange(25)):  # mostly forwards, as messages go, and now and then anywhere
            at = random.randrange(len(tags)) if random.random() < 0.2 else (at + random.randrange(4)) % len(tags)
            chosen.append(tags[at])
        segments = [[tag, str(number)] for number, tag in enumerate(chosen)]
        match = matcher.match(segments)
        there = kept(match.tree) + [segment[1] for _, segment in match.strays]
        assert sorted(there) == sorted(segment[1] for segment in match.body)
        assert len(match.places) == len(match.body)


def kept(tree: object) -> list[str]:
    if isinstance(tree, dict):
        return [number for below in tree.values() for number in kept(below)]
    assert isinstance(tree, list)
    if tree and isinstance(tree[0], str):
        return [tree[1]]
    return [number for below in tree for number in kept(below)]


@pytest.mark.parametrize("name", ["edifact/D96A/ORDERS", "edifact/D96A/INVOIC", "x12/004010/850", "x12/004010/856"])
def test_a_message_with_every_node_of_its_grammar_once_is_right(name: str) -> None:
    """Every node of the grammar in its order, each group opened once: no fault, and each at its own place."""
    message = shipped().message(name)
    nodes = [(above, node) for above, node in message.walk() if not isinstance(node, GroupNode)]

    match = matched(message, [[node.tag, "1"] for _, node in nodes])

    assert match.findings == []
    assert list(places(match).values()) == [".".join((*above, node.key)) for above, node in nodes]


def test_a_million_repeats_are_told_once_and_bounded() -> None:
    segments = [["UNH", "1"], ["AAA", "1"], *[["DDD", ["137"]]] * 100_000, ["EEE", "1"], ["UNT", "1"]]
    found = findings(small(), segments)

    assert [(one.problem, one.segment) for one in found[:1]] == [("too_many_segments", 5)]
    assert len(found) <= 2


def test_as_many_faults_as_there_may_be_are_told_and_no_more() -> None:
    assert len(matched(small(), tags("AAA" + " XYZ" * 5000 + " EEE")).findings) == 1000


def test_what_the_grammar_does_not_know_is_rejected_reported_or_allowed() -> None:
    for extra, severities in (("reject", ["error"]), ("report", ["warning"]), ("allow", [])):
        text = f"title: T\nextra: {extra}\nstructure: [AAA M 1]"
        match = matched(grammars(TEST=text).message("edifact/T1/TEST"), tags("AAA XYZ"))
        assert [one.severity for one in match.findings] == severities
        assert match.strays == [(2, ["XYZ", "1"])]
