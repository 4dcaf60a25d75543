"""What a subset uses at a place: it is reported and nothing is lost, and its own standard is as strict as ever."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from grammar_files import SHARED, edifact, findings, overlaid, shipped

from hub.grammars import Checker, Finding, Grammars, Matcher, MessageType, Namer, Writer
from hub.grammars.describe import describe, differences
from hub.grammars.types import MessageNode, SegmentNode, SegmentType

MESSAGE = "AAA+1+P1:9AA+7'DDD+2:20240131:102'BBB'CCC+1'CCC+1'EEE+1'"
USES = """uses:
  AAA: [code M 2 3, party M, party.id M an..4]
  SG1.BBB: [number M, texts C]
  EEE: [code M]
"""
TOLD = [
    ("warning", "unknown_code", 1, 1, 0, "1", "one of 2, 3"),
    ("warning", "unused_element", 1, 2, 2, "9AA", ""),
    ("warning", "unused_element", 1, 3, 0, "7", ""),
    ("warning", "missing_element", 3, 1, 0, "", "1004"),
]


def read(message: MessageType, text: str = MESSAGE) -> list[tuple[str, str, int, int, int, str, str]]:
    return [place_of(one) for one in findings(message, edifact(text))]


def place_of(one: Finding) -> tuple[str, str, int, int, int, str, str]:
    return one.severity, one.problem, one.segment, one.element, one.component, one.seen, one.expected


def extended(text: str) -> MessageType:
    """An overlay of the overlay."""
    own = f"title: Own\nextends: edifact/T1/TEST\n{USES}"
    files = {**SHARED, "schemas/own/TEST.yaml": own, "schemas/of/TEST.yaml": f"title: P\nextends: own/TEST\n{text}"}
    return Grammars({path: text.encode() for path, text in files.items()}).message("of/TEST")


def test_what_a_subset_does_not_use_is_reported_at_its_place() -> None:
    assert read(overlaid(USES).message("own/TEST")) == TOLD
    assert read(overlaid("").message("own/TEST")) == []
    (first, *_) = findings(overlaid(USES).message("own/TEST"), edifact(MESSAGE))
    assert first.message == (
        "code (1001) is not one of the codes: '1'; expected one of 2, 3 (the grammar's uses of this place)"
    )
    assert first.code("edifact") == ("0085", "12")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [("report", TOLD), ("allow", []), ("reject", [("error", *one[1:]) for one in TOLD])],
)
def test_an_overlay_says_how_strict_it_is_with_what_is_not_used(policy: str, expected: list[tuple[str, int]]) -> None:
    assert read(overlaid(f"{USES}unused: {policy}\n").message("own/TEST")) == expected
    assert read(extended(f"unused: {policy}\n")) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("AAA+2+P1", []),
        ("AAA+3", [("warning", "missing_element", 2, 0)]),
        ("AAA+2+12345", [("warning", "too_long", 2, 1)]),
        ("AAA+2+123456", [("error", "too_long", 2, 1)]),  # told once, as the standard has it
        ("AAA+9+P1", [("error", "unknown_code", 1, 0)]),
        ("AAA", [("error", "missing_element", 1, 0), ("warning", "missing_element", 2, 0)]),
        ("AAA+2+:9AA", [("error", "missing_element", 2, 1), ("warning", "unused_element", 2, 2)]),
        ("AAA+2+P1:9+a+b+c+d", [("error", "too_short", 2, 2), ("error", "too_many_elements", 6, 0),
         ("warning", "unused_element", 2, 2), ("warning", "unused_element", 3, 0), ("warning", "unused_element", 4, 0),
         ("warning", "unused_element", 5, 0)]),
    ],
)  # fmt: skip
def test_a_fault_by_the_standard_stays_one_and_is_told_once(text: str, expected: list[tuple[str, str, int]]) -> None:
    message = overlaid(USES).message("own/TEST")
    segment = edifact(f"{text}'")[0]
    node = message.nodes[0]
    assert isinstance(node, SegmentNode)
    found = Checker(message).segment_findings(segment, node.segment, 2)
    assert [(one.severity, one.problem, one.element, one.component) for one in found] == expected
    assert Checker(message).is_clean(segment, node.segment) == (not expected)


def test_only_the_first_of_a_list_is_required() -> None:
    message = overlaid("uses:\n  AAA: [code M, lines M]\n").message("own/TEST")
    assert read(message, MESSAGE.replace("AAA+1+P1:9AA+7", "AAA+1++7")) == []
    assert read(message, MESSAGE.replace("AAA+1+P1:9AA+7", "AAA+1++++7"))[0][1:5] == ("missing_element", 1, 3, 0)


def test_the_components_that_stand_in_the_segment_itself_are_named_as_such() -> None:
    message = overlaid("uses:\n  DDD: [qualifier M 2, value M, format M 102 203]\n").message("own/TEST")
    assert read(message) == []
    assert [one[1:5] for one in read(message, MESSAGE.replace("2:20240131:102", "3:20240131"))] == [
        ("unknown_code", 2, 1, 1), ("missing_element", 2, 1, 3)]  # fmt: skip


def test_what_is_not_used_is_read_and_written_all_the_same() -> None:
    message = overlaid(USES).message("own/TEST")
    document = Namer(message).document(Matcher(message).match(edifact(MESSAGE)))
    assert document["AAA"] == {"code": "1", "party": {"id": "P1", "agency": "9AA"}, "lines": ["7"]}
    segments, faults = Writer(message).segments(document)
    assert len(segments) == 6
    assert {one.severity for one in faults} == {"warning"}


def test_an_overlay_of_a_subset_says_anew_what_is_used_at_a_place() -> None:
    message = extended("uses:\n  AAA: [code M 1, party C, lines C]\n")
    assert read(message) == TOLD[3:]


def test_what_an_overlay_says_of_an_element_holds_beside_what_its_base_uses() -> None:
    relaxed = "relax:\n  AAA.party.agency: C\n  AAA.lines: C\n  BBB_group.BBB.number: C\n"
    assert read(extended(f"codes:\n  AAA.code: 1\n{relaxed}")) == []
    assert [one[:2] for one in read(extended("remove: [AAA.party]\n"))] == [
        ("error", "unused_element"), ("warning", "unknown_code"), ("warning", "unused_element"),
        ("warning", "missing_element")]  # fmt: skip


def test_a_grammar_is_shown_with_what_is_used_and_compared_by_it() -> None:
    own, standard = overlaid(USES).message("own/TEST"), overlaid("").message("own/TEST")
    shown = "\n".join(describe(own))
    assert "AAA  first  (as AAA uses it)" in shown
    assert "02-2  party.agency                     1003   C  an3  not used" in shown
    assert list(differences(own, own)) == []
    told = list(differences(standard, own))
    assert "~ AAA 02-2 party.agency  1003 C an3 -> 1003 C an3 not used" in told
    assert "~ AAA 01 code codes  codes -1" in told
    assert "~ BBB_group.BBB 01 number  1004 C an..8 -> 1004 M an..8" in told
    few = extended("uses: {AAA: [code M 3]}\n")
    assert "~ AAA 01 code codes  3 codes -> codes 3" in list(differences(standard, few))


@pytest.mark.parametrize(
    ("uses", "expected"),
    [
        ("AAA: [code M, prty C]", "5:17: error: AAA has no element 'prty'; did you mean 'party'?"),
        ("AAA: [party C]", "5:8: error: 'code' is mandatory and must be among what is used: code M"),
        ("AAA: [code C]", "5:9: error: 'code' is mandatory in the standard: code M"),
        ("AAA: [code M, party C, party.agency C]",
         "5:8: error: 'party.id' is mandatory and must be among what is used: party.id M"),
        ("AAA: [code M 1 7]", "5:9: error: 1001 has no code 7; add it to its list: codes: 1001: + 7"),
        ("AAA: [code M, party C a b]", "5:17: error: 'party' is a composite; its components have types and codes"),
        ("AAA: [code M, code M]", "5:17: error: 'code' stands here a second time"),
        ("AAA: [code]", "5:9: error: ends too early: M or C is missing here: 'code'"),
        ("AAA: [code R]", "5:14: error: 'R' stands where M (mandatory) or C (conditional) is expected: NAME M|C TYPE "
         "CODES, for example number M, party.id M an..13 or qualifier M BY SU DP"),
        ("AAA: []", "5:8: error: which elements are used is a list: [document.code M 220 221, number M]"),
        ("AAA: code", "5:8: error: which elements are used is a list: [document.code M 220 221, number M]"),
        ("AAA.code: [code M]", "5:3: error: code is an element; which elements are used is said of a segment"),
        ("SG1: [code M]", "5:3: error: BBB_group is a group; which elements are used is said of a segment"),
        ("AAB: [code M]", "5:3: error: there is no 'AAB'; did you mean 'AAA'?"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_place(uses: str, expected: str) -> None:
    found = overlaid(f"extra: report\nuses:\n  {uses}\n").faults(["schemas/own/TEST.yaml"])
    assert [str(one).removeprefix("schemas/own/TEST.yaml:") for one in found] == [expected]


def test_a_grammar_that_says_nothing_of_it_has_nothing_more_to_look_at() -> None:
    segments = [node.segment for _, node in shipped().message("edifact/D96A/ORDERS").walk()
                if isinstance(node, SegmentNode)]  # fmt: skip
    assert {segment.used for segment in segments} == {None}


def labelled(nodes: Sequence[MessageNode], above: tuple[str, ...] = ()) -> Iterator[tuple[str, SegmentType]]:
    for node in nodes:
        if isinstance(node, SegmentNode):
            yield ".".join((*above, node.key)), node.segment
        else:
            yield from labelled(node.nodes, (*above, node.label))


def uses_of(name: str) -> dict[str, SegmentType]:
    return {path: one.used for path, one in labelled(shipped().message(name).nodes) if one.used}


def test_the_reference_lists_the_places_of_eancom_and_how_many_there_are() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/edi-directories.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (eancom/\S+) \| ([^|]*) \|$", page.partition("## What EANCOM uses")[2], re.M)
    listed = {name: re.findall(r"(?:SG\d+\.)*[A-Z]{3}\b", re.sub(r"\([^)]*\)", "", text)) for name, text in rows}
    found = {name: set(uses_of(name)) for name in shipped().names() if name.startswith("eancom/")}
    assert {name: set(places) for name, places in listed.items()} == {
        name: places & {*listed.get(name, ())} if "1997" in name else places
        for name, places in found.items() if name in listed or ("2002" in name and places)
    }  # fmt: skip
    others = {name: len(places - {*listed.get(name, ())}) for name, places in found.items() if "1997" in name}
    assert f"{sum(others.values())} places of {sum(map(bool, others.values()))} messages" in page


@pytest.mark.parametrize(
    ("name", "place", "required", "unused", "codes"),
    [
        ("eancom/1997/ORDERS", "BGM", "C002 1001 1004 1225", "1131", {"1225": "6 7 9 16 31 42 46"}),
        ("eancom/1997/DESADV", "BGM", "C002 1001 1004 1225", "1131 4343", {"1001": "351 35E", "3055": "9"}),
        ("eancom/1997/ORDRSP", "SG26.LIN", "1082 1229 7140 7143 5495 1082", "1131 1222", {"7143": "EN UP"}),
        ("eancom/1997/IFTMIN", "SG11.NAD", "3035 3039 3124 3036 3042", "C058", {}),
        ("eancom/2002/ORDERS", "SG2.NAD", "3035 3039 3055 3124 3036 3042", "1131", {"3055": "9"}),
        ("eancom/2002/DESADV", "SG10.SG17.SG20.NAD", "3035 C080 C059 3039 3124 3036 3042", "C082", {}),
    ],
)
def test_what_eancom_uses(name: str, place: str, required: str, unused: str, codes: dict[str, str]) -> None:
    used, before = uses_of(name)[place], dict(labelled(shipped().message(name).nodes))[place]
    slots = [one for slot in used.slots for one in (slot, *slot.components)]
    assert sorted(one.number for one in slots if one.is_mandatory) == sorted(required.split())
    assert [one.number for one in slots if not one.repeats] == unused.split()
    was = [one.codes for slot in before.slots for one in (slot, *slot.components)]
    told = {
        one.number: " ".join(one.codes)
        for one, old in zip(slots, was, strict=True)
        if one.codes is not old and one.codes
    }
    assert {number: told[number] for number in codes} == codes
