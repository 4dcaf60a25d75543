"""Grammars of IDocs of one's own: what a system has beside SAP's segments, and every mistake in such a file."""

from __future__ import annotations

import pytest

from hub.check import check_project
from hub.errors import ProjectError
from hub.idocs import IdocTypes
from hub.idocs.describe import describe, differences
from hub.project import reference_files

OWN = "schemas/idoc/acme/ZORDERS.yaml"
NAME = "idoc/acme/ZORDERS"
ZORDERS = """title: Orders of Acme
extends: idoc/ORDERS05
add:
  after E1EDK01:
    - Z1HEAD C 1
  in E1EDP01:
    - Z1ITEM C 5:
        - Z1MORE C 1
remove: [E1EDP01.E1CUREF]
restrict: {E1EDK02: M 3}
relax: {E1EDP01.E1EDP19: C 99}
segments:
  Z1HEAD Own data of the order: [Z2HEAD000, PRIO 2, LATEST 8 date]
  Z1ITEM Own data of an item: [Z2ITEM000, COLOUR 10]
  Z1MORE And more: [Z2MORE000, NOTE 40]
"""


def types(text: str = ZORDERS, **more: str) -> IdocTypes:
    return IdocTypes({**reference_files(), OWN: text.encode(), **{path: one.encode() for path, one in more.items()}})


def test_an_overlay_adds_segments_and_says_what_else_is_otherwise() -> None:
    base, own = types().type("idoc/ORDERS05"), types().type(NAME)
    assert own.type == "ORDERS05" and own.title == "Orders of Acme"
    assert list(differences(base, own))[:7] == [
        "~ E1EDK02  C 10 -> M 3",
        "- E1EDP01.E1CUREF  C 1",
        "~ E1EDP01.E1EDP19  C 5 -> C 99",
        "- E1CUREF definition  E2CUREF",
        "- E1CUREF POSEX  6 text",
        "- E1CUREF CONFIG_ID  6 text",
        "- E1CUREF INST_ID  8 text",
    ]
    assert [node.kind for node in own.nodes[:3]] == ["E1EDK01", "Z1HEAD", "E1EDK14"]
    assert own.parents["Z1MORE"] == {"Z1ITEM"}


def test_the_extension_that_an_idoc_names_has_its_own_grammar() -> None:
    known = types(ZORDERS, **{"schemas/idoc/ZORDERS.yaml": ZORDERS})
    assert known.of_idoc({"IDOCTYP": "ORDERS05", "CIMTYP": "ZORDERS"}) == "idoc/ZORDERS"
    assert known.of_idoc({"IDOCTYP": "ORDERS05", "CIMTYP": "ZOTHER"}) == "idoc/ORDERS05"
    assert known.of_idoc({"IDOCTYP": "MATMAS05"}) == ""


def test_a_type_can_stand_in_for_a_neighbour() -> None:
    text = "title: Older orders\ntype: ORDERS04\nextends: idoc/ORDERS05\n"
    assert types(text).type(NAME).type == "ORDERS04"


def test_segments_that_several_types_share_stand_beside_them_or_above() -> None:
    text = "title: Orders\nextends: idoc/ORDERS05\nadd: {after E1EDK01: [Z1OWN C 1]}\n"
    shared = "title: Segments of Acme\nsegments: {Z1OWN Own: [Z2OWN000, A 3]}\n"
    own = types(text, **{"schemas/idoc/acme/segments.yaml": shared}).type(NAME)
    assert own.segments["Z1OWN"].definition == "Z2OWN000"


def test_a_grammar_is_told_in_full_for_people() -> None:
    lines = list(describe(types().type(NAME)))
    assert lines[0] == "idoc/acme/ZORDERS  Orders of Acme, IDOCTYP ORDERS05; what is not known: reject"
    assert lines[2:4] == ["E1EDK01        M 1       Document: currency, terms of payment, kind",
                          "Z1HEAD         C 1       Own data of the order"]  # fmt: skip
    at = lines.index("Z1HEAD  Z2HEAD000  Own data of the order")
    assert lines[at + 1 : at + 3] == [
        "  1     PRIO                 2",
        "  3     LATEST               8     date",
    ]


EXTENDS = "title: a\nextends: idoc/ORDERS05\n"
MISTAKES = [
    ("extends: idoc/ORDERS06\ntitle: a\n", "1:10", "no grammar 'idoc/ORDERS06'; did you mean 'idoc/ORDERS05'?"),
    ("title: a\n", "1:1", "'structure' is missing: the list of the segments; or write extends:"),
    ("title: a\nextends: idoc/acme/ZORDERS\n", "2:10", "extends itself: idoc/acme/ZORDERS > idoc/acme/ZORDERS"),
    ("title: a\nextend: idoc/ORDERS05\nstructure: []\n", "2:1", "unknown key 'extend' in a grammar of an IDoc"),
    (EXTENDS + "add: {after E1EDK99: [Z1A C 1]}\n", "3:7", "there is no 'E1EDK99'; did you mean"),
    (EXTENDS + "add: {behind E1EDK01: [Z1A C 1]}\n", "3:7", "'behind E1EDK01' says not where"),
    (EXTENDS + "add: {after E1EDK01: [E1EDK14 C 1]}\n", "3:23", "E1EDK14 stands there already"),
    (EXTENDS + "add: {after E1EDK01: [Z1A C 1]}\n", "3:23", "the segment Z1A is not described under "
     "segments:"),
    (EXTENDS + "add: {after E1EDK01: [Z1A O 1]}\n", "3:27", "'O' stands where M (mandatory) or C "
     "(conditional) is expected"),
    (EXTENDS + "restrict: {E1EDK02: C 99}\n", "3:21", "E1EDK02 becomes wider by this; write it "
     "under relax:"),
    (EXTENDS + "extra: ignore\n", "3:8", "'extra' is one of reject, report, allow"),
    (EXTENDS + "segments: {Z1A A: [Z2A000, F 0]}\n", "3:30", "'0' is no length from 1 to 1000"),
    (EXTENDS + "segments: {Z1A A: [Z2A000, F 8 dates]}\n", "3:32", "'dates' is no kind of field; "
     "did you mean 'date'?"),
    (EXTENDS + "segments: {Z1A A: [Z2A000, F 6 date]}\n", "3:32", "a date is YYYYMMDD"),
    (EXTENDS + "segments: {Z1A A: [Z2A000, F 3, F 4]}\n", "3:33", "the field F stands in Z1A a "
     "second time"),
    (EXTENDS + "segments: {Z1A A: [Z2A000, F 600, G 600]}\n", "3:19", "the fields of Z1A have 1200 "
     "characters; a segment holds 1000"),
    (EXTENDS + "segments: {Z1A A: Z2A000}\n", "3:19", "a segment is a list of its definition and its "
     "fields: [E2EDK03, IDDAT 3, DATUM 8 date]"),
    (EXTENDS + "remove: [E1EDK99]\n", "3:10", "there is no 'E1EDK99'"),
    ("- a\n", "1:1", "a grammar is a list; write title: and structure:, or extends:"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "message"), MISTAKES)
def test_a_mistake_in_an_overlay_is_told_at_its_place(text: str, place: str, message: str) -> None:
    known = types(text)
    [fault] = known.faults([OWN])
    assert f"{fault.line}:{fault.column}" == place and message in fault.message
    with pytest.raises(ProjectError):
        known.type(NAME)


MAPPING = """mapping: sample
version: 1
description: A sample
source: {format: idoc, schema: SCHEMA}
target: {format: json}
output:
  a: EXPRESSION
"""
CONFIG = {"config/hub.yaml": b"hub: {name: a, time_zone: UTC}\n", "config/systems.yaml": b"{}\n"}


@pytest.mark.parametrize(("schema", "expression", "message"), [
    ("idoc/ORDERS05", "src.E1EDK01.CURRCY", "the source has no field 'E1EDK01.CURRCY'; did you mean 'CURCY'?"),
    ("idoc/ORDERS05", "src.E1EDK03.DATUM", "src.E1EDK03 is a list"),
    ("idoc/ORDERS05", "src.Z1HEAD.PRIO", "the source has no field 'Z1HEAD'"),
    (NAME, "src.Z1HEAD.PRIOR", "the source has no field 'Z1HEAD.PRIOR'; did you mean 'PRIO'?"),
    ("idoc/ORDERS05", "dec(src.E1EDP01[0].POSEX) + src.E1EDK02[0].BELNR", "text"),
    ("idoc/ORDERS06", "src.type", "did you mean 'idoc/ORDERS05'?"),
])  # fmt: skip
def test_a_name_that_no_grammar_has_is_told_in_a_mapping(schema: str, expression: str, message: str) -> None:
    text = MAPPING.replace("SCHEMA", schema).replace("EXPRESSION", expression)
    own = {**CONFIG, OWN: ZORDERS.encode(), "mappings/own/sample.yaml": text.encode()}
    found = check_project({**reference_files(), **own}, own=own).faults
    told = [fault.message for fault in found if fault.file == "mappings/own/sample.yaml"]
    assert any(message in one for one in told), told
