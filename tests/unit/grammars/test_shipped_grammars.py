"""The grammars that are shipped: each is read without a fault, agrees with itself, and holds what its standard says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from hub.grammars import Grammars, MessageType
from hub.grammars.types import UNLIMITED, GroupNode, SegmentNode, Slot

ROOT = Path(__file__).parents[3]
FOLDERS = ("edifact", "x12", "eancom")

# Groups, and places where a segment may stand (header and trailer not counted).
SIZES = {
    "edifact/22": {"CONTRL": (5, 8)},
    "edifact/D3": {"CONTRL": (5, 8)},
    "edifact/41": {"CONTRL": (5, 8)},
    "edifact/D96A": {
        "APERAK": (4, 13), "COMDIS": (6, 17), "DESADV": (23, 74), "IFTMBC": (17, 58), "IFTMBF": (34, 104),
        "IFTMIN": (41, 145), "IFTSTA": (12, 40), "INVOIC": (51, 140), "INVRPT": (17, 48), "ORDCHG": (56, 164),
        "ORDERS": (54, 160), "ORDRSP": (56, 164), "PARTIN": (10, 26), "PRICAT": (47, 130), "RECADV": (32, 65),
        "REMADV": (10, 36), "SLSRPT": (8, 26),
    },
    "edifact/D01B": {
        "APERAK": (5, 15), "COMDIS": (6, 18), "DESADV": (25, 88), "IFTMBC": (21, 70), "IFTMBF": (36, 111),
        "IFTMIN": (43, 155), "IFTSTA": (15, 49), "INSDES": (15, 49), "INVOIC": (53, 177), "INVRPT": (18, 53),
        "ORDCHG": (58, 171), "ORDERS": (60, 178), "ORDRSP": (56, 169), "PARTIN": (15, 48), "PRICAT": (60, 177),
        "RECADV": (32, 76), "REMADV": (14, 46), "RETANN": (24, 72), "SLSRPT": (14, 55),
    },
    "x12/004010": {
        "180": (10, 55), "204": (12, 66), "210": (12, 58), "214": (12, 52), "810": (15, 88), "812": (7, 34),
        "820": (44, 103), "824": (5, 20), "832": (14, 106), "846": (13, 63), "850": (31, 194), "852": (4, 27),
        "855": (19, 145), "856": (7, 56), "860": (29, 187), "861": (7, 53), "865": (24, 161), "940": (10, 59),
        "943": (2, 18), "944": (3, 20), "945": (9, 45), "947": (8, 33), "990": (1, 11), "997": (2, 6),
    },
    "x12/005010": {
        "180": (10, 55), "204": (16, 81), "210": (12, 57), "214": (4, 22), "810": (17, 92), "812": (9, 37),
        "820": (47, 121), "824": (5, 21), "832": (23, 152), "846": (13, 63), "850": (32, 205), "852": (4, 28),
        "855": (19, 153), "856": (8, 57), "860": (30, 199), "861": (9, 57), "865": (27, 176), "940": (12, 65),
        "943": (2, 18), "944": (4, 25), "945": (10, 50), "947": (8, 33), "990": (0, 2), "997": (2, 6), "999": (3, 8),
    },
    "eancom/1997": {
        "APERAK": (3, 7), "COMDIS": (6, 17), "DESADV": (20, 47), "IFTMBC": (6, 12), "IFTMBF": (15, 36),
        "IFTMIN": (21, 53), "IFTSTA": (6, 15), "INSDES": (11, 33), "INVOIC": (38, 78), "INVRPT": (12, 27),
        "ORDCHG": (32, 81), "ORDERS": (32, 81), "ORDRSP": (32, 81), "PARTIN": (6, 17), "PRICAT": (43, 105),
        "RECADV": (13, 26), "REMADV": (9, 30), "RETANN": (14, 39), "SLSRPT": (7, 20),
    },
    "eancom/2002": {
        "APERAK": (4, 9), "COMDIS": (6, 17), "DESADV": (20, 56), "IFTMBC": (6, 12), "IFTMBF": (15, 36),
        "IFTMIN": (24, 67), "IFTSTA": (11, 20), "INSDES": (11, 32), "INVOIC": (40, 87), "INVRPT": (12, 28),
        "ORDCHG": (36, 92), "ORDERS": (37, 94), "ORDRSP": (35, 93), "PARTIN": (13, 42), "PRICAT": (54, 139),
        "RECADV": (15, 31), "REMADV": (11, 36), "RETANN": (14, 39), "SLSRPT": (9, 22),
    },
}  # fmt: skip
NAMES = sorted(f"{folder}/{message}" for folder, messages in SIZES.items() for message in messages)

# Of one node each: its presence, and how often it may stand there.
NODES = [
    ("edifact/D96A/ORDERS", "DTM", True, 35),
    ("edifact/D96A/ORDERS", "LIN_group", False, 200_000),
    ("edifact/D96A/ORDERS", "LIN_group.PRI_group.PRI", True, 1),
    ("edifact/D96A/DESADV", "CPS_group.LIN_group.PCI_group", False, 9999),
    ("edifact/D96A/INVOIC", "LIN_group", False, 9_999_999),
    ("edifact/D96A/INVOIC", "MOA_group.MOA", True, 1),
    ("edifact/D01B/ORDERS", "LIN_group", False, 200_000),
    ("edifact/D01B/ORDERS", "LIN_group.LIN", True, 1),
    ("edifact/D01B/INVOIC", "LIN_group", False, 9_999_999),
    ("edifact/D01B/REMADV", "DOC_group", False, 999_999),
    ("edifact/D3/CONTRL", "UCM_group.UCS_group.UCD", False, 99),
    ("eancom/2002/ORDERS", "LIN_group.PRI_group.PRI", True, 1),
    ("x12/004010/850", "PO1_loop", True, 100_000),
    ("x12/004010/850", "REF", False, UNLIMITED),
    ("x12/004010/810", "TDS", True, 1),
    ("x12/004010/856", "HL_loop", True, 200_000),
    ("x12/004010/856", "HL_loop.LIN", False, 1),
    ("x12/004010/997", "AK2_loop.AK3_loop.AK4", False, 99),
    ("x12/005010/850", "PO1_loop.N1_loop.N3", False, 2),
    ("x12/005010/999", "AK2_loop.IK3_loop.IK4_loop.CTX", False, 10),
]

# Of one element at one place: its number and form, and codes that it has and has not.
ELEMENTS = [
    ("edifact/D96A/ORDERS", "BGM", "document.code", "1001", "an..3", "220 221 105", "999"),
    ("edifact/D96A/ORDERS", "BGM", "document.number", "1004", "an..35", "", ""),
    ("edifact/D96A/ORDERS", "NAD_group.NAD", "qualifier", "3035", "an..3", "BY SU DP IV XX", "X"),
    ("edifact/D96A/ORDERS", "RFF_group.RFF", "qualifier", "1153", "an..3", "ON CT XA XC XP", "A"),
    ("edifact/D96A/ORDERS", "LIN_group.QTY", "quantity", "6060", "n..15", "", ""),
    ("edifact/D96A/INVOIC", "MOA_group.MOA", "qualifier", "5025", "an..3", "77 79 124 125", ""),
    ("edifact/D01B/ORDERS", "BGM", "document.number", "1004", "an..35", "", ""),
    ("edifact/D01B/ORDERS", "LIN_group.LIN", "item.type", "7143", "an..3", "SRV EN", ""),
    ("edifact/D01B/ORDERS", "LIN_group.QTY", "quantity", "6060", "an..35", "", ""),
    ("edifact/D01B/ORDERS", "NAD_group.NAD", "region.code", "3229", "an..9", "", ""),
    ("edifact/D96A/ORDERS", "NAD_group.NAD", "region.code", "3229", "an..9", "", ""),
    ("edifact/41/CONTRL", "UCI", "position.repeat", "0136", "n..6", "", ""),
    ("edifact/D3/CONTRL", "UCI", "action", "0083", "an..3", "4 7 8", "9"),
    ("x12/004010/850", "BEG", "purpose", "353", "ID 2/2", "00 01 04 05 06", ""),
    ("x12/004010/850", "REF", "number", "127", "AN 1/30", "", ""),
    ("x12/005010/850", "REF", "number", "127", "AN 1/50", "", ""),
    ("x12/004010/850", "PO1_loop.PO1", "items[0].qualifier", "235", "ID 2/2", "UP EN VN BP UK", ""),
    ("x12/004010/850", "N1_loop.N1", "entity", "98", "ID 2/3", "ST BT BY SE", ""),
    ("x12/004010/856", "HL_loop.HL", "level", "735", "ID 1/2", "S O P I T", ""),
    ("x12/004010/810", "TDS", "amount", "610", "N2 1/15", "", ""),
    ("x12/005010/999", "AK2_loop.IK5", "errors[0]", "618", "ID 1/3", "5 I5 I6", ""),
]

NOTES = [
    ("x12/004010/850", "N1_loop.N1", "R0203 P0304"),
    ("x12/004010/850", "PER", "P0304 P0506 P0708"),
    ("x12/004010/810", "SAC_loop.SAC", "R0203 P0304 P0607 P0910 C1110 L130204 C1413 C1615"),
    ("x12/005010/856", "HL_loop.HL", ""),
]


@cache
def shipped() -> Grammars:
    paths = [path for folder in FOLDERS for path in (ROOT / "schemas" / folder).rglob("*.yaml")]
    return Grammars({path.relative_to(ROOT).as_posix(): path.read_bytes() for path in paths})


def find(message: MessageType, path: str) -> SegmentNode | GroupNode:
    level, found = message.nodes, None
    for step in path.split("."):
        found = next(node for node in level if node.key == step)
        level = found.nodes if isinstance(found, GroupNode) else ()
    assert found is not None
    return found


def segments(message: MessageType) -> Iterator[SegmentNode]:
    return (node for _, node in message.walk() if isinstance(node, SegmentNode))


def simple(slots: tuple[Slot, ...], above: str = "") -> Iterator[tuple[str, Slot]]:
    """Every simple element with its name in the document."""
    for slot in slots:
        name = ".".join(part for part in (above, slot.name) if part)
        yield from simple(slot.components, name) if slot.components else [(name, slot)]


def test_every_shipped_grammar_is_known_here_and_no_file_has_a_fault() -> None:
    grammars = shipped()
    files = [
        path.relative_to(ROOT).as_posix() for folder in FOLDERS for path in (ROOT / "schemas" / folder).rglob("*.yaml")
    ]

    assert grammars.names() == NAMES
    assert grammars.faults(files) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_grammar_has_as_many_groups_and_segments_as_its_standard(name: str) -> None:
    folder, _, message = name.rpartition("/")
    nodes = [node for _, node in shipped().message(name).walk()]

    groups = sum(isinstance(node, GroupNode) for node in nodes)
    assert (groups, len(nodes) - groups) == SIZES[folder][message]


@pytest.mark.parametrize("name", NAMES)
def test_a_grammar_agrees_with_itself(name: str) -> None:
    for node in segments(shipped().message(name)):
        names = [place for place, _ in simple(node.segment.slots)]
        assert len(set(names)) == len(names), f"{node.tag}: a name stands twice"
        for place, slot in simple(node.segment.slots):
            element = slot.element
            assert element is not None
            assert 0 < element.minimum <= element.maximum, f"{node.tag}.{place}"
            unfit = [code for code in slot.codes or {} if not element.minimum <= len(code) <= element.maximum]
            assert not unfit, f"{node.tag}.{place}: codes {unfit} do not fit {element.form}"
            assert all(re.fullmatch(r"[A-Z0-9]+", code) for code in slot.codes or {}), f"{node.tag}.{place}"


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("x12/")])
def test_a_transaction_set_names_its_functional_group(name: str) -> None:
    group = shipped().message(name).functional_group
    functional_ids = dict(simple(find(shipped().message("x12/005010/997"), "AK1").segment.slots))["functional_id"].codes

    assert group in (functional_ids or {})


@pytest.mark.parametrize(("name", "path", "is_mandatory", "repeats"), NODES)
def test_a_node_may_stand_as_often_as_its_standard_says(name: str, path: str, is_mandatory: bool, repeats: int) -> None:
    node = find(shipped().message(name), path)

    assert (node.is_mandatory, node.repeats) == (is_mandatory, repeats)


@pytest.mark.parametrize(("name", "path", "place", "number", "form", "codes", "others"), ELEMENTS)
def test_an_element_has_the_form_and_codes_of_its_standard(
    name: str, path: str, place: str, number: str, form: str, codes: str, others: str
) -> None:
    slot = dict(simple(find(shipped().message(name), path).segment.slots))[place]

    assert (slot.number, slot.element and slot.element.form) == (number, form)
    assert set(codes.split()) <= set(slot.codes or {})
    assert not set(others.split()) & set(slot.codes or {})


@pytest.mark.parametrize(("name", "path", "notes"), NOTES)
def test_a_segment_has_the_notes_of_its_standard(name: str, path: str, notes: str) -> None:
    node = find(shipped().message(name), path)

    assert isinstance(node, SegmentNode)
    assert sorted(map(str, node.segment.notes)) == sorted(notes.split())


def test_a_place_has_one_name_in_both_directories() -> None:
    """One mapping reads both: the same element at the same place of a segment has the same name."""
    for message in SIZES["edifact/D96A"]:
        older = {node.tag: node.segment for node in segments(shipped().message(f"edifact/D96A/{message}"))}
        newer = {node.tag: node.segment for node in segments(shipped().message(f"edifact/D01B/{message}"))}
        for tag in older.keys() & newer.keys() - {"COM"}:  # COM of D01B may hold three numbers, in a list
            then = {(at, slot.number): slot.name for at, slot in enumerate(older[tag].slots)}
            now = {(at, slot.number): slot.name for at, slot in enumerate(newer[tag].slots)}
            assert {key: then[key] for key in then.keys() & now} == {key: now[key] for key in then.keys() & now}, tag
