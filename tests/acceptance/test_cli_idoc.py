"""IDocs as a user types them: grammar, decode, encode, validate, map, on files and standard input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import new_project, o2c

HEAD = "EDI_DC40  100" + "4711".rjust(16, "0") + " " * 10 + "ORDERS05" + " " * 52 + "ORDERS"
ORDER = [
    HEAD,
    f"{'E2EDK01005':<30}100{4711:016}00000100000001    EUR",
    f"{'E2EDK03':<30}100{4711:016}0000020000000101220260305",
    f"{'E2EDP01007':<30}100{4711:016}00000300000001000010     2.500",
]
BAD = [*ORDER[:2], ORDER[2].replace("20260305", "20261305"), f"{'E2EDP19002':<30}100{4711:016}00000300000201002M-7"]
OVERLAY = "title: Orders of Acme\nextends: idoc/ORDERS05\nrestrict: {E1EDK03: M 3}\n"
MAPPING = """mapping: dates
version: 1
description: The dates of an order
source: {format: idoc, schema: idoc/ORDERS05}
target: {format: json}
output:
  dated: src.E1EDK03[0].DATUM
  quantity: text(src.E1EDP01[0].MENGE * 2)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with an order as a flat file, one with faults, an overlay, and a mapping that reads one."""
    folder = new_project(tmp_path_factory.mktemp("idoc"), "shop")
    for name, lines in (("good.txt", ORDER), ("bad.txt", BAD)):
        (folder / name).write_text("\n".join([*lines, ""]))
    (folder / "schemas/idoc").mkdir(parents=True)
    (folder / "schemas/idoc/ACME05.yaml").write_text(OVERLAY)
    (folder / "mappings/own").mkdir(parents=True)
    (folder / "mappings/own/dates.yaml").write_text(MAPPING)
    return folder


def test_what_decode_prints_is_encoded_to_the_same_lines(project: Path) -> None:
    decoded = o2c(project, "decode", "idoc", "good.txt")
    assert (decoded.returncode, decoded.stderr) == (0, "")
    [document] = json.loads(decoded.stdout)
    assert document["E1EDK03"] == [{"IDDAT": "012", "DATUM": "2026-03-05"}] and document["E1EDP01"][0]["MENGE"] == 2.5
    flat = ("-o", "layout=flat", "-o", "line_end=lf", "-o", "trailing_blanks=false")
    encoded = o2c(project, "encode", "idoc", "-", *flat, stdin=decoded.stdout.encode())
    assert (encoded.returncode, encoded.stderr) == (0, "")
    assert encoded.stdout.splitlines() == ORDER
    by_name = o2c(project, "encode", "idoc", "-", "-g", "idoc/ACME05", stdin=decoded.stdout.encode())
    assert by_name.returncode == 0 and "<DATUM>20260305</DATUM>" in by_name.stdout


def test_without_grammar_a_flat_file_has_no_fields(project: Path) -> None:
    raw = o2c(project, "decode", "idoc", "good.txt", "--raw")
    [document] = json.loads(raw.stdout)
    assert document["E1EDK03"] == [{"SDATA": "01220260305"}]
    xml = o2c(project, "encode", "idoc", "-", stdin=raw.stdout.encode())
    assert "<SDATA>01220260305</SDATA>" in xml.stdout


def test_every_fault_is_told_with_its_segment_and_byte(project: Path) -> None:
    first, second = (sum(len(line) + 1 for line in BAD[:number]) for number in (2, 3))
    told = [
        f"line 3, column 67, segment 2 E1EDK03, byte {first}: error: E1EDK03.DATUM is no date: '20261305'; expected "
        "YYYYMMDD, a day that the calendar has",
        f"line 4, column 1, segment 3 E1EDP19, byte {second}: error: E1EDP19 stands below E1EDK03; expected below "
        "E1EDP01",
    ]
    checked = o2c(project, "decode", "idoc", "bad.txt", "--check")
    assert (checked.returncode, checked.stdout.splitlines()) == (1, [f"bad.txt: {line}" for line in told])
    valid = o2c(project, "validate", "idoc/ORDERS05", "bad.txt")
    assert valid.returncode == 1 and len(valid.stdout.splitlines()) == 2 and "segment 3 E1EDP19" in valid.stdout
    assert o2c(project, "validate", "idoc/ORDERS05", "good.txt").returncode == 0
    other = o2c(project, "validate", "idoc/INVOIC02", "good.txt")
    assert other.returncode == 1 and "the IDoc is of type ORDERS05; expected INVOIC02" in other.stdout


def test_grammars_are_listed_shown_and_compared(project: Path) -> None:
    listed = o2c(project, "grammar", "list").stdout.splitlines()
    assert {"idoc/ORDERS05", "idoc/ACME05", "edifact/D96A/ORDERS"} <= set(listed) and listed == sorted(listed)
    shown = o2c(project, "grammar", "show", "idoc/ORDERS05").stdout.splitlines()
    assert (
        shown[0].startswith("idoc/ORDERS05  Order of a customer") and "  4     DATUM                8     date" in shown
    )
    changed = o2c(project, "grammar", "diff", "idoc/ORDERS05", "idoc/ACME05")
    assert changed.stdout.splitlines() == ["~ E1EDK03  C 10 -> M 3"]
    unknown = o2c(project, "grammar", "show", "idoc/ORDERS06")
    assert unknown.returncode != 0 and "did you mean 'idoc/ORDERS05'" in unknown.stderr


def test_a_mapping_reads_it_and_a_trace_tells_the_place(project: Path) -> None:
    mapped = o2c(project, "map", "dates", "good.txt")
    assert json.loads(mapped.stdout) == {"dated": "2026-03-05", "quantity": "5.000"}
    traced = o2c(project, "map", "dates", "good.txt", "--trace")
    assert "src.E1EDK03 at 3:1" in traced.stdout and "src.E1EDP01 at 4:1" in traced.stdout
