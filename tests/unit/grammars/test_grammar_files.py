"""Grammar files with mistakes: each is told at its line and column, with what was seen and what to write instead."""

from __future__ import annotations

import random

import pytest
from grammar_files import SHARED, grammars, overlaid, shipped

from hub.errors import NotFound, ProjectError
from hub.grammars import Grammars
from hub.grammars.types import SegmentNode
from hub.project import reference_files

PLACE = "schemas/edifact/T1/"


def faults(files: Grammars, path: str) -> list[str]:
    return [str(fault).removeprefix(PLACE) for fault in files.faults([path])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("title: T\nstructure:\n  - AAA X 1\n",
         "TEST.yaml:3:9: error: 'X' stands where M (mandatory) or C (conditional) is expected; write C: TAG M|C "
          "REPEATS, "
         "for example DTM M 35"),
        ("title: T\nstructure:\n  - AAA\n", "TEST.yaml:3:5: error: ends too early: M or C is missing here: 'AAA'"),
        ("title: T\nstructure:\n  - AAA M 0\n",
         "TEST.yaml:3:11: error: '0' is not how often something may be repeated; write 1 or more, or >1 without a "
          "limit"),
        ("title: T\nstructure:\n  - AAA M 1 2\n",
         "TEST.yaml:3:13: error: '2' is too much; expected TAG M|C REPEATS, for example DTM M 35"),
        ("title: T\nstructure:\n  - AAB M 1\n", "TEST.yaml:3:5: error: unknown segment 'AAB'; did you mean 'AAA'?"),
        ("title: T\nstructure:\n  - AAA M 1\n  - AAA C 5\n",
         "TEST.yaml:4:5: error: AAA stands here a second time; name this one otherwise: AAA C 5 as AAA_2"),
        ("title: T\nstructure:\n  - SG1 C 5:\n      - AAA C 1\n",
         "TEST.yaml:4:9: error: AAA opens the group SG1: write AAA M 1"),
        ("title: T\nstructure:\n  - SG1 C 5:\n      - SG2 M 1:\n          - AAA M 1\n",
         "TEST.yaml:4:9: error: a group begins with a segment, SG1 with the group SG2"),
        ("title: T\nstructure:\n  - SG1 C 5:\n", "TEST.yaml:3:5: error: the group SG1 is empty; write its nodes "
         "below it, "
         "or no colon"),
        ("title: T\nstructure: AAA M 1\n", "TEST.yaml:2:12: error: a structure is text; write a list of nodes: - "
         "BGM M 1"),
        ("structure: [AAA M 1]\n", "TEST.yaml:1:1: error: 'title' is missing: what the message is, in your words"),
        ("title: T\n", "TEST.yaml:1:1: error: 'structure' is missing: the list of the message's nodes; or write "
         "extends:"),
        ("title: T\nstructur: [AAA M 1]\nstructure: [AAA M 1]\n",
         "TEST.yaml:2:1: error: unknown key 'structur' in a grammar; did you mean 'structure'?"),
        ("title: T\nextra: rejct\nstructure: [AAA M 1]\n",
         "TEST.yaml:2:8: error: 'extra' is one of reject, report, allow; did you mean 'reject'?"),
        ("- AAA M 1\n", "TEST.yaml:1:1: error: a grammar is a list; write title: and structure:, or extends:"),
        ("title: T\nstructure: [AAA M 1\n", "TEST.yaml:3:1: error: not YAML"),
        ("title: T\nsegments: {ZZZ own: [1001 M, 1009 C]}\nstructure: [ZZZ M 1]\n",
         "TEST.yaml:2:30: error: unknown element '1009'; did you mean '1006'?"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_message_is_told_at_its_place(text: str, expected: str) -> None:
    [told] = faults(grammars(TEST=text), f"{PLACE}TEST.yaml")
    assert told.startswith(expected)


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("segments", "segments:\n  AAA first: [1001 M code, 9999 C]\n",
         "segments.yaml:2:28: error: unknown element '9999'; known: 1001, 1002, 1003, 1004, 1005, 1006, 2005, "
          "2379, 2380"),
        ("segments", "segments:\n  AAA first: [C003 M x]\n", "segments.yaml:2:15: error: unknown composite 'C003'; "
         "did you "
         "mean 'C002'?"),
        ("segments", "segments:\n  AAA first: [1001 M a, 1004 C a]\n",
         "segments.yaml:2:14: error: two values would stand at 'a'; give 1004 a name of its own"),
        ("segments", "segments:\n  AAA first: [1001 M a, 1004 C a.b]\n",
         "segments.yaml:2:14: error: 'a' would be a value and an object; rename one"),
        ("segments", "segments:\n  AAA first: [1001 M, P0102]\n", "segments.yaml:2:23: error: P0102 names an "
         "element beyond "
         "the last, which is 1"),
        ("segments", "segments:\n  AAA first: [1001 M .]\n", "segments.yaml:2:15: error: '.' puts one composite's "
         "components "
         "here; 1001 needs a name"),
        ("segments", "segments:\n  AAA first: [1001 M x1]\n", "segments.yaml:2:22: error: 'x1' is not a number of "
         "positions; "
         "write x2 to x99"),
        ("segments", "segments:\n  AAA first: [1001 M Code]\n", "segments.yaml:2:22: error: 'Code' is no name; "
         "write lower "
         "case letters, digits and _, with '.' between parts"),
        ("segments", "segments:\n  AAA first: [{pair: [1001 M]}]\n", "segments.yaml:2:16: error: ends too early: "
         "xTIMES is missing here: 'pair'"),
        ("segments", "segments:\n  aaa first: [1001 M]\n", "segments.yaml:2:3: error: 'aaa' is no tag and no number"),
        ("segments", "segments:\n  AAA first: 1001 M\n", "segments.yaml:2:14: error: AAA is text; expected a list "
         "of its "
         "elements: [1225 C function]"),
        ("segments", "segments: [AAA]\n", "segments.yaml:1:11: error: 'segments' is a list; write one entry a "
         "line: NUMBER: …"),
        ("segments", "segmnts: {}\n", "segments.yaml:1:1: error: unknown key 'segmnts' in a file of segments; did "
         "you mean "
         "'segments'?"),
        ("segments", "extends: edifact/T9\nsegments: {}\n", "segments.yaml:1:10: error: there is no "
         "schemas/edifact/T9/segments.yaml to extend"),
        ("segments", "extends: edifact/T1\nsegments: {}\n", "segments.yaml:1:10: error: extends itself: "
         "schemas/edifact/T1/segments.yaml > schemas/edifact/T1/segments.yaml"),
        ("elements", "elements:\n  1001: code an..\n", "elements.yaml:2:14: error: 'an..' is no type; expected "
         "an..35, a3 or "
         "n..15 in EDIFACT, AN 1/22 or ID 2/2 in X12"),
        ("elements", "elements:\n  1001: code AN 5/2\n", "elements.yaml:2:17: error: '5/2' is not the shortest and "
         "the longest "
         "length; write for example 1/22"),
        ("elements", "elements:\n  1001: code AN\n", "elements.yaml:2:9: error: ends too early: its shortest and "
         "longest length"),
        ("elements", "elements:\n  1001: Code an..3\n", "elements.yaml:2:9: error: 'Code' is no name"),
        ("codes", "codes:\n  1099: 1 2\n", "codes.yaml:2:9: error: codes of 1099, which is no element of this version"),
        ("codes", "codes:\n  1001: [1, 2]\n", "codes.yaml:2:9: error: the codes of 1001 are a list; write them "
         "with blanks "
         "between"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_shared_file_is_told_at_its_place(kind: str, text: str, expected: str) -> None:
    told = [one for one in faults(grammars(**{kind: text}), f"{PLACE}{kind}.yaml") if one.startswith(f"{kind}.yaml")]
    assert told
    assert told[0].startswith(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("remove: [SG9]", "3:10: error: there is no 'SG9'; did you mean 'SG1'?"),
        ("remove: [SG1.EEE]", "3:10: error: there is no 'EEE' in SG1; known: BBB, CCC, DDD_group"),
        ("remove: [SG1.BBB]", "3:10: error: BBB opens its group; remove the group"),
        ("remove: [AAA.code]", "3:10: error: 'code' is mandatory and cannot be removed; relax it first"),
        ("remove: [AAA.party.nam]", "3:10: error: AAA has no element 'party.nam'; did you mean 'party'?"),
        ("restrict: {DDD: C 3}", "3:17: error: DDD becomes wider by this; write it under relax:"),
        ("restrict: {AAA.party.id: an..9}", "3:26: error: an..9 is wider than an..5; write it under relax:"),
        ("restrict: {AAA.code: C}", "3:22: error: 'code' becomes wider by this; write it under relax:"),
        ("restrict: {DDD: an..3}", "3:17: error: DDD is no element and has no type"),
        ("restrict: {SG1.BBB: 2}", "3:21: error: BBB becomes wider by this; write it under relax:"),
        ("restrict: {DDD: ''}", "3:17: error: says nothing; expected M or C, repeats or a type"),
        ("relax: {SG1.BBB: 2}", "3:18: error: BBB opens its group and stays M 1; say it of the group"),
        ("relax: {AAA.party: an..5}", "3:20: error: 'party' is a composite; its components have types"),
        ("relax: {SG1.BBB.texts: 1}", "3:24: error: 'texts' would become a list, or no list any more; that cannot "
         "change"),
        ("add: {behind DDD: [CCC C 1]}", "3:7: error: 'behind DDD' says not where"),
        ("add: {before AAA: [DDD C 1]}", "3:20: error: DDD stands there already; name this one otherwise: DDD C 1 "
         "as DDD_2"),
        ("add: {before SG1.BBB: [EEE C 1]}", "3:7: error: BBB opens its group; nothing comes before it"),
        ("add: {in AAA: [CCC C 1]}", "3:7: error: AAA is a segment, not a group; write after AAA"),
        ("add: {after AAA.code: [CCC C 1]}", "3:7: error: 'AAA.code' is an element; nodes are added beside "
         "segments and groups"),
        ("codes: {SG1.BBB: 1 2}", None),
        ("codes: {SG1.QQQ.code: 1}", "3:9: error: there is no 'QQQ' in SG1"),
        ("structure: [AAA M 1]", "3:1: error: unknown key 'structure' in an overlay"),
    ],
)  # fmt: skip
def test_a_mistake_in_an_overlay_is_told_at_its_place(text: str, expected: str | None) -> None:
    told = [str(one).removeprefix("schemas/own/TEST.yaml:") for one in overlaid(text).faults(["schemas/own/TEST.yaml"])]
    assert told
    if expected is not None:
        assert told[0].startswith(expected)
    else:
        assert "BBB is no element; codes are those of an element: BBB.NAME" in told[0]


def test_every_mistake_is_told_at_once() -> None:
    text = "title: T\nextra: no\nstructure:\n  - AAA M\n  - BBX C 1\n  - SG1 C 1:\n      - CCC C 1\n  - EEE Q 1\n"
    found = grammars(TEST=text).faults([f"{PLACE}TEST.yaml"])
    assert sorted(fault.line for fault in found) == [2, 5, 7, 8]
    with pytest.raises(ProjectError) as raised:
        grammars(TEST=text).message("edifact/T1/TEST")
    assert len(raised.value.faults) == 4


def test_each_message_that_uses_what_is_wrong_hears_of_it() -> None:
    again = "title: U\nstructure:\n  - EEE M 1\n  - AAA C 1\n"
    found = grammars(
        TWICE=again, elements=SHARED[f"{PLACE}elements.yaml"].replace("1001: code an..3", "1001: code an..")
    )
    for name in ("edifact/T1/TEST", "edifact/T1/TWICE"):
        with pytest.raises(ProjectError, match=r"elements\.yaml:2:14: error: 'an\.\.' is no type"):
            found.message(name)


def test_messages_of_a_version_share_what_is_made_of_its_segments() -> None:
    found = grammars(TWICE="title: U\nstructure:\n  - EEE M 1\n")
    one, other = (found.message(f"edifact/T1/{name}").nodes[-1] for name in ("TEST", "TWICE"))
    assert isinstance(one, SegmentNode) and isinstance(other, SegmentNode)
    assert one.segment is other.segment


def test_overlays_that_extend_each_other_are_told() -> None:
    files = {**SHARED, "schemas/a/X.yaml": "title: A\nextends: b/X\n", "schemas/b/X.yaml": "title: B\nextends: a/X\n"}
    [fault, *_] = Grammars({path: text.encode() for path, text in files.items()}).faults(["schemas/a/X.yaml"])
    assert str(fault) == "schemas/b/X.yaml:2:10: error: extends itself: a/X > b/X > a/X"


def test_a_name_that_is_none_is_answered_with_the_nearest() -> None:
    with pytest.raises(NotFound, match="no grammar 'edifact/D96A/ODERS'; did you mean 'edifact/D96A/ORDERS'"):
        shipped().message("edifact/D96A/ODERS")


def test_garbled_grammar_files_give_faults_and_nothing_else() -> None:
    """Lines that are cut, doubled, swapped and filled with noise: faults with places, and no other exception."""
    random.seed(3)
    original = dict(SHARED.items())
    seen = 0
    for _ in range(400):
        path = random.choice(list(original))
        lines = original[path].splitlines()
        at = random.randrange(len(lines))
        line = lines[at]
        cut = random.randrange(len(line) + 1)
        noise = random.choice(
            ["", ":", "[", "x9", " M ", "\t", "null", "'", "é" * 3, "  - AAA M 1", "{a: b}", ">1", "-1"]
        )
        lines[at : at + 1] = [line[:cut] + noise + line[cut + random.randrange(3) :]]
        files = Grammars({**{p: t.encode() for p, t in original.items()}, path: "\n".join(lines).encode()})
        for fault in files.faults(list(original)):
            seen += 1
            assert fault.line >= 1 and fault.column >= 1 and fault.message
    assert seen > 100


def test_a_grammar_of_the_hub_can_be_replaced_by_a_file_of_the_project() -> None:
    own = b"title: Ours\nstructure: [BGM M 1]\n"
    found = Grammars({**reference_files(), "schemas/edifact/D96A/ORDERS.yaml": own})
    assert [node.key for node in found.message("edifact/D96A/ORDERS").nodes] == ["BGM"]
