"""Commands for EDI, as a user types them: a message shown, held against a grammar, grammars shown and compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import new_project, o2c

ORDER = (
    "UNB+UNOC:3+541:14+401:14+240131:1200+REF1'UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20240131:102'"
    "LIN+1++4000862141404:EN'QTY+21:4'UNS+S'UNT+7+1'UNZ+1+REF1'"
)
OVERLAY = "title: Orders of Acme\nextends: edifact/D96A/ORDERS\nremove: [SG25.QTY]\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an order, one with faults, and an overlay."""
    folder = new_project(tmp_path_factory.mktemp("edi"), "shop")
    (folder / "good.edi").write_text(ORDER)
    (folder / "bad.edi").write_text(ORDER.replace("20240131:102", "20240231:102"))
    (folder / "schemas/acme").mkdir(parents=True)
    (folder / "schemas/acme/ORDERS.yaml").write_text(OVERLAY)
    return folder


def test_an_order_is_shown_with_its_segments_named(project: Path) -> None:
    good = o2c(project, "show-edi", "good.edi")
    assert good.returncode == 0, good.stderr
    assert "    5   QTY quantity: qualifier 21" in good.stdout
    bad = o2c(project, "show-edi", "bad.edi")
    assert bad.returncode == 1
    assert "^ error: element 1, component 2: '20240231' is not a date of the format 102 [0085:12]" in bad.stdout
    [shown] = json.loads(o2c(project, "show-edi", "bad.edi", "--json").stdout)
    assert shown["document"]["BGM"]["document"]["number"] == "PO1"
    assert [(one["segment"], one["offset"]) for one in shown["faults"]] == [(3, ORDER.index("20240131:102"))]


def test_an_order_is_held_against_a_grammar_and_an_overlay(project: Path) -> None:
    good = o2c(project, "validate", "edifact/D96A/ORDERS", "good.edi")
    assert (good.returncode, good.stdout) == (0, ""), good.stdout
    own = o2c(project, "validate", "acme/ORDERS", "good.edi")
    assert own.returncode == 1
    assert own.stdout.startswith("error: interchange REF1, message 1, segment 5 QTY")
    other = o2c(project, "validate", "edifact/D96A/INVOIC", "good.edi")
    assert (other.returncode, other.stdout) == (1, (
        "error: interchange REF1, message 1, byte 42: the message is of type ORDERS, and it is held against "
        "edifact/D96A/INVOIC\n"
    ))  # fmt: skip
    document = json.dumps({"BGM": {}, "UNS": {"section": "S"}, "DTN": []})
    written = o2c(project, "validate", "edifact/D96A/ORDERS", "-", stdin=document.encode())
    assert written.returncode == 1
    assert written.stdout.splitlines() == [
        "error: DTN: unknown name 'DTN'; did you mean 'DTM'?",
        "error: DTM: the segment DTM is missing; it is mandatory",
    ]


def test_an_order_is_decoded_with_names_or_as_it_is(project: Path) -> None:
    [named] = json.loads(o2c(project, "decode", "edifact", "good.edi").stdout)
    assert named["BGM"] == {"document": {"code": "220", "number": "PO1"}, "function": "9"}
    raw = o2c(project, "decode", "edifact", "good.edi", "--raw")
    assert json.loads(raw.stdout)[0]["segments"][1] == ["BGM", "220", "PO1", "9"]
    again = o2c(project, "encode", "edifact", "-", stdin=json.dumps(json.loads(raw.stdout)).encode())
    assert again.stdout == ORDER
    (project / "worse.edi").write_text(ORDER.replace("20240131:102", "20240231:102").replace("QTY+21:4", "QTY+21:4,5"))
    checked = o2c(project, "decode", "edifact", "worse.edi", "--check")
    assert checked.returncode == 1
    assert [line.partition(" segment ")[2][:5] for line in checked.stdout.splitlines()] == ["3 DTM", "5 QTY"]


def test_a_named_order_is_written_again_or_what_is_missing_is_told(project: Path) -> None:
    named = o2c(project, "decode", "edifact", "good.edi").stdout
    assert o2c(project, "encode", "edifact", "-", stdin=named.encode()).stdout == ORDER
    [document] = json.loads(named)
    del document["interchange"]["control_number"], document["message"]
    told = o2c(project, "encode", "edifact", "-", stdin=json.dumps(document).encode())
    assert (told.returncode, told.stderr) == (
        1, "o2c: nothing says which message the document is: message.type is missing; or name the grammar: --grammar "
        "edifact/D96A/ORDERS\n",
    )  # fmt: skip
    by_name = ("encode", "edifact", "-", "--grammar", "edifact/D96A/ORDERS")
    told = o2c(project, *by_name, stdin=json.dumps(document).encode())
    assert told.returncode == 1
    assert told.stderr.startswith(
        "o2c: an interchange cannot be written: interchange.control_number is missing; write it in the mapping: "
    )


def test_a_mapping_prints_what_it_would_send(project: Path) -> None:
    own = """
mapping: to-order
version: 1
source: {format: json}
target: {format: edifact, schema: edifact/D96A/ORDERS}
output:
  interchange:
    sender: {id: src.us}
    receiver: {id: src.them}
    control_number: src.number
    date: {const: "260305"}
    time?: src.time
  BGM:
    document: {code: {const: "220"}, number: src.number}
  DTM:
    - {qualifier: {const: "137"}, value: {const: "20260305"}, format: {const: "102"}}
  UNS: {section: {const: S}}
"""
    (project / "mappings/to-order.yaml").write_text(own)
    document = {"us": "A", "them": "B", "number": "7", "time": "0930"}
    written = o2c(project, "map", "to-order", "-", "--encode", stdin=json.dumps(document).encode())
    assert (written.returncode, written.stdout) == (0, (
        "UNB+UNOC:3+A+B+260305:0930+7'UNH+1+ORDERS:D:96A:UN'BGM+220+7'DTM+137:20260305:102'UNS+S'UNT+5+1'UNZ+1+7'"
    )), written.stderr  # fmt: skip
    del document["time"]
    told = o2c(project, "map", "to-order", "-", "--encode", stdin=json.dumps(document).encode())
    assert (told.returncode, told.stdout) == (1, "")
    assert "an interchange cannot be written: interchange.time is missing" in told.stderr
    (project / "mappings/to-order.yaml").unlink()


@pytest.mark.parametrize(
    ("schema", "read", "source", "place"),
    [
        (", schema: edifact/D96A/ORDERS", "src.BGM.document.number", "src.BGM.document.number", "PO1"),
        ("", "src.segments[1][2]", "src.segments", "UNH"),
    ],
)
def test_a_trace_of_a_mapping_names_the_place_in_an_edi_file(
    project: Path, schema: str, read: str, source: str, place: str
) -> None:
    own = f"""
mapping: from-order
version: 1
source: {{format: edifact{schema}}}
target: {{format: json}}
output:
  number: {read}
  kind: {{const: order}}
"""
    (project / "mappings/from-order.yaml").write_text(own)
    traced = o2c(project, "map", "from-order", "good.edi", "--trace", "--json")
    shown = o2c(project, "map", "from-order", "good.edi", "--trace").stdout
    (project / "mappings/from-order.yaml").unlink()
    assert traced.returncode == 0, traced.stderr
    found, at = json.loads(traced.stdout), ORDER.index(place)
    [number, kind] = found["trace"]
    assert (found["output"], number["sources"], kind["places"]) == ({"number": "PO1", "kind": "order"}, [source], [])
    assert [(each["offset"], each["line"], each["column"]) for each in number["places"]] == [(at, 1, at + 1)]
    assert f"{source} at 1:{at + 1} (segment " in shown and f"byte {at})" in shown


def test_grammars_are_listed_shown_and_compared(project: Path) -> None:
    assert "acme/ORDERS" in o2c(project, "grammar", "list").stdout.splitlines()
    shown = o2c(project, "grammar", "show", "x12/004010/997")
    assert shown.stdout.startswith("x12/004010/997  Functional acknowledgment, group FA")
    same = o2c(project, "grammar", "diff", "edifact/D96A/ORDERS", "edifact/D96A/ORDERS")
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "no difference\n")
    differs = o2c(project, "grammar", "diff", "edifact/D96A/ORDERS", "acme/ORDERS")
    assert differs.stdout == "- (LIN).QTY  C 10\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("grammar", "show", "edifact/D96A/ODERS"), "o2c: no grammar 'edifact/D96A/ODERS'; did you mean "
         "'edifact/D96A/ORDERS'?"),
        (("grammar", "shw", "x"), "o2c: unknown action 'shw'; did you mean 'show'?"),
        (("grammar", "diff", "x"), "o2c grammar diff takes two names"),
        (("validate", "edifact/D96A/ODERS", "good.edi"), "unknown profile 'edifact/D96A/ODERS'; did you mean "
         "'edifact/D96A/ORDERS'?"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_answered_with_the_nearest(
    project: Path, arguments: tuple[str, ...], expected: str
) -> None:
    ended = o2c(project, *arguments)
    assert ended.returncode in (1, 2)
    assert expected in ended.stderr


def test_check_tells_what_is_wrong_with_a_grammar_of_the_project(project: Path) -> None:
    place = project / "schemas/acme/ORDERS.yaml"
    try:
        place.write_text(OVERLAY.replace("QTY", "QTX"))
        found = o2c(project, "check")
        assert found.returncode == 1
        assert (
            "schemas/acme/ORDERS.yaml:3:10: error: there is no 'QTX' in SG25; did you mean 'QTY'?"
            in found.stdout + found.stderr
        )
    finally:
        place.write_text(OVERLAY)
    assert o2c(project, "check").returncode == 0
