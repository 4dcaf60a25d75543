"""Codes that are added to a list: in one overlay, or for all messages of a folder."""

from __future__ import annotations

from hub.grammars import Grammars
from hub.grammars.types import SegmentNode

D96A = "schemas/edifact/D96A/"
FILES = {
    f"{D96A}ORDERS.yaml": b"title: order\nstructure: [BGM M 1]\n",
    f"{D96A}segments.yaml": b"segments: {BGM beginning: [1001 M type, 1225 C function]}\n",
    f"{D96A}elements.yaml": b"elements: {1001: type an..3, 1225: function an..3}\n",
    f"{D96A}codes.yaml": b"codes: {1001: 220 221, 1225: 4 9}\n",
    "schemas/acme/ORDERS.yaml": b"title: Acme's\nextends: edifact/D96A/ORDERS\ncodes: {1225: + 5}\n",
    "schemas/acme/codes.yaml": b"codes: {1001: + 22E 35E}\n",
    "schemas/acme/NEWORD.yaml": b"title: Acme's own\ndirectory: edifact/D96A\nstructure: [BGM M 1]\n",
}


def codes(name: str, files: dict[str, bytes] = FILES) -> list[str]:
    node = Grammars(files).message(name).nodes[0]
    assert isinstance(node, SegmentNode)
    return [" ".join(slot.codes or {}) for slot in node.segment.slots]


def test_codes_with_a_plus_come_to_those_there_are() -> None:
    assert codes("edifact/D96A/ORDERS") == ["220 221", "4 9"]
    assert codes("acme/ORDERS") == ["220 221 22E 35E", "4 9 5"]


def test_shared_files_beside_overlays_hold_for_all_messages_of_the_folder() -> None:
    assert codes("acme/NEWORD") == ["220 221 22E 35E", "4 9"]
    assert Grammars(FILES).faults(list(FILES)) == []


def test_a_list_without_a_plus_stands_instead() -> None:
    assert codes("acme/ORDERS", {**FILES, "schemas/acme/codes.yaml": b"codes: {1001: 22E}\n"}) == ["22E", "4 9 5"]


def test_a_list_tells_what_some_codes_mean_and_has_the_rest_behind_a_plus() -> None:
    listed = b"codes:\n  1001: |\n    220 order\n    221 blanket order\n    + 22E 35E\n    + 50E\n"

    node = Grammars({**FILES, f"{D96A}codes.yaml": listed}).message("edifact/D96A/ORDERS").nodes[0]

    assert isinstance(node, SegmentNode)
    assert node.segment.slots[0].codes == {"220": "order", "221": "blanket order", "22E": "", "35E": "", "50E": ""}


def test_codes_are_not_added_at_one_place_only() -> None:
    overlay = b"title: Acme's\nextends: edifact/D96A/ORDERS\ncodes: {BGM.type: + 22E}\n"

    faults = Grammars({**FILES, "schemas/acme/ORDERS.yaml": overlay}).faults(["schemas/acme/ORDERS.yaml"])

    assert [(fault.line, fault.column, fault.message) for fault in faults] == [
        (3, 19, "codes are added to an element, not at one place; write all codes of BGM.type")
    ]
