"""``o2c ack``: it says of a file what the running hub sends for it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from acknowledging import ACKING, contrl, functional
from trading import FILES, Trade, orders, purchase
from typer.testing import CliRunner

from hub.cli.app import create_app
from hub.formats._acks import ACKNOWLEDGEMENTS
from tests.edi_project import ANSWER_OUT, ORDERS_IN

PURCHASE_IN = b"""
mapping: purchase-in
version: 1
source: {format: x12, schema: x12/004010/850}
target: {schema: canonical/stock_level}
output:
  report_id: src.interchange.control_number
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.message.type}
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
NAMED = {
    **FILES, "mappings/orders-in.yaml": ORDERS_IN, "mappings/answer-out.yaml": ANSWER_OUT,
    "mappings/purchase-in.yaml": PURCHASE_IN,
    "routes/trade.yaml": FILES["routes/trade.yaml"].replace(
        b'event: "850"}\n  map: orders-in', b'event: "850"}\n  map: purchase-in'),
}  # fmt: skip
OVERLAY = b"title: Orders of acme\nextends: edifact/D96A/ORDERS\nrestrict:\n  BGM.document.number: an..3\n"
OVERLAID = ACKING.replace(b"  ack: {contrl", b"  overlays: {ORDERS: edifact/acme/ORDERS}\n  ack: {contrl", 1)
WITH_999 = ACKING.replace(b'{"997": always', b'{"999": always')
ON_ERROR = ACKING.replace(b": always", b": on_error")
FEW = purchase(7, "NE", "SA").replace(b"BEG*00*SA*PO2**20260305~CTT*0~SE*4", b"CTT*0~SE*3")
GOOD_X12 = purchase(7, "NE", "SA").replace(b"~CTT*0~SE*4", b"~PO1*1*2*EA*1.5**VN*4711~CTT*1~SE*5")


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def started(folder: Path, partners: bytes) -> Trade:
    """A hub, with its project as files beside it."""
    files = {**NAMED, "config/partners.yaml": partners}
    if partners is OVERLAID:
        files["schemas/edifact/acme/ORDERS.yaml"] = OVERLAY
    for path, raw in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(raw)
    return Trade(folder, files)


def printed(folder: Path, body: bytes, *options: str) -> tuple[str, str, int]:
    """What the command says, what it complains of, and its exit code."""
    (folder / "came.edi").write_bytes(body)
    arguments = ["ack", str(folder / "came.edi"), "--project", str(folder), *options]
    ended = CliRunner().invoke(create_app("ack"), arguments)
    return ended.stdout, ended.stderr, ended.exit_code


OWN = (  # control numbers and times of who acknowledges
    (r"\*\d{6}\*\d{4}\*U\*00401\*\d{9}\*", "*#*U*00401*#*"), (r"(IEA\*\d\*)\d{9}", r"\1#"),
    (r"(GS\*FA\*\w+\*\w+\*)\d{8}\*\d{4}\*\d+", r"\1#"), (r"(GE\*1\*)\d+", r"\1#"), (r"(ST\*99[79]\*)\d+", r"\1#"),
    (r"(SE\*\d+\*)\d+", r"\1#"), (r"(UNB[^']*\+)\d{6}:\d{4}\+\d+", r"\1#"), (r"(UNH\+)\d+", r"\1#"),
    (r"(UNT\+\d+\+)\d+", r"\1#"), (r"(UNZ\+1\+)\d+", r"\1#"), (r"[\r\n]", ""),
)  # fmt: skip


def plain(text: str) -> str:
    """Acknowledgements without what each has of its own, and without line ends."""
    for pattern, instead in reversed(OWN):
        text = re.sub(pattern, instead, text)
    return text


def sent(trade: Trade) -> str:
    """The acknowledgements that went out, in order."""
    bodies = [parcel.body.decode() for parcel in trade.target("van").sent]
    kinds = "|".join(sorted(ACKNOWLEDGEMENTS))
    return "".join(body for body in bodies if re.search(rf"(\+|ST\*|~\s*)({kinds})[:*]", body))


CASES = {
    "good": (ACKING, orders("101", "A", "B")),
    "a segment that counts wrong": (ACKING, orders("101", "A", "B", bad="B")),
    "a value": (ACKING, orders("101", "A", "B").replace(b"+B+9'DTM+137:20260305", b"+B+9'DTM+137:20269905")),
    "a code": (ACKING, orders("101", "A", "B").replace(b"+B+9'", b"+B+999'")),
    "an unknown segment": (ACKING, orders("101", "A").replace(b"UNS+S'UNT+5", b"XYZ+1'UNS+S'UNT+6")),
    "a segment that is missing": (ACKING, orders("101", "A").replace(b"UNS+S'UNT+5", b"UNT+4")),
    "the partner's overlay": (OVERLAID, orders("101", "A", "LONG", "B")),
    "no route, no grammar": (ACKING, orders("101", "A", type="INVRPT").replace(b"+A+9'", b"+A+999'")),
    "a test": (ACKING, orders("101", "A", test=True)),
    "a wrong count": (ACKING, orders("101", "A", "B", count=5)),
    "cut off": (ACKING, orders("101", "A", "B")[:-22]),
    "refused as a whole": (ACKING.replace(b"  ack: {contrl", b"  bad_envelope: refuse\n  ack: {contrl"),
                           orders("101", "A", "B", count=5)),
    "two interchanges": (ACKING, orders("101", "A") + orders("102", "B", bad="B")),
    "a CONTRL": (ACKING, contrl("102", 1)),
    "good X12": (ACKING, GOOD_X12),
    "X12: a segment that is missing": (ACKING, FEW),
    "X12: a value": (ACKING, purchase(7, "NE").replace(b"20260305~CTT", b"20269905~CTT")),
    "X12: a code": (ACKING, purchase(7, "NE").replace(b"*NE*", b"*??*")),
    "X12: a test": (ACKING, purchase(7, "NE", usage="T")),
    "X12: a count": (ACKING, GOOD_X12.replace(b"GE*2", b"GE*3")),
    "X12: a 997": (ACKING, functional(8, "AK1*PR*1~AK9*A*1*1*1~", 4)),
    "999 of X12": (WITH_999, FEW),
    "999 of good X12": (WITH_999, GOOD_X12),
    "errors alone": (ON_ERROR, orders("101", "A", bad="A") + purchase(7, "NE", "??")),
    "errors alone, and there are none": (ON_ERROR, orders("101", "A")),
}  # fmt: skip


SILENT = {"a CONTRL", "X12: a 997", "errors alone, and there are none"}


@pytest.mark.parametrize("case", CASES)
def test_it_says_what_the_running_hub_sends(tmp_path: Path, case: str) -> None:
    partners, body = CASES[case]
    trade = started(tmp_path, partners)
    trade.bring(body)
    told = plain(sent(trade))
    trade.close()
    shown, _, _ = printed(tmp_path, body)
    assert (plain(shown), told == "") == (told, case in SILENT)
