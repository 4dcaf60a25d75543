"""The judge of public documents: it tells what a file is, finds what is read or written wrong, and only that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import public_documents
import pytest

from hub.errors import MappingError
from hub.formats import bai2, camt053, coda, codec, mt940
from hub.profiles.rules import rules_process
from tests.unit.formats.edi_texts import edifact_of, orders
from tests.xml_documents import FAULTY, INVOICE

GOLDEN = Path(__file__).parents[1] / "golden"
KINDS = ("ubl", "cii", "camt053", "pain", "mt940", "mt942", "coda", "bai2")
MT = mt940.EXAMPLE[0]
CAMT = camt053.EXAMPLE[0]


@pytest.fixture(scope="module")
def judge() -> Iterator[public_documents.Judge]:
    yield public_documents.Judge()
    rules_process().close()


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        *((codec(name).EXAMPLE[0], name) for name in KINDS),
        *((path.read_bytes(), name) for name in KINDS for path in sorted((GOLDEN / name).glob("*.in"))),
        (edifact_of(*orders(1)), "edi"), (b"ISA*00*", "edi"), (b"UNH+1+ORDERS", "edi"),
        (b"<?php echo 'urn:iso:std:iso:20022:tech:xsd:camt.053.001.02';", ""), (b"<html/>", ""), (b"", ""),
        (b"# :20: is a field of MT940", ""), (b"<testSet xmlns='http://difi.no/xsd/vefa/validator/1.0'/>", "test set"),
        (CAMT[:-20], "camt053"), (INVOICE[:-20], "ubl"),
    ],
)  # fmt: skip
def test_what_a_file_is_its_content_says(raw: bytes, kind: str) -> None:
    assert public_documents.kind_of(raw) == kind


@pytest.mark.parametrize(
    ("kind", "raw", "expected", "told", "surprises"),
    [
        ("mt940", MT, None, "ok", []),
        ("mt940", MT.replace(b"219,33", b"219,34"), None, "[statement_balance]",
         ["told [statement_balance]; expected ok"]),
        ("mt940", MT.replace(b"219,33", b"219,34"), ["statement_balance"], "[statement_balance]", []),
        ("mt940", MT, "wrong", "ok", ["nothing is told, although its folder says that something is wrong"]),
        ("mt940", MT.replace(b"219,33", b"219,34"), "wrong", "[statement_balance]", []),
        ("camt053", CAMT, None, "ok", []),
        ("camt053", CAMT.replace(b"<CreDtTm>", b"<X/><CreDtTm>", 1), ["schema"], "[schema]", []),
        ("camt053", CAMT[:-20], "refused", "refused", []),
        ("camt053", CAMT[:-20], None, "refused", ["told refused; expected ok"]),
        ("coda", coda.EXAMPLE[0], None, "ok", []), ("bai2", bai2.EXAMPLE[0], None, "ok", []),
        ("ubl", INVOICE, None, "ok", []),
        ("ubl", FAULTY["BR-CO-10"], "wrong", "", []),
    ],
)  # fmt: skip
def test_a_file_is_judged_by_what_is_expected_of_it(
    kind: str, raw: bytes, expected: Any, told: str, surprises: list[str], judge: public_documents.Judge
) -> None:
    verdict = judge.judge(kind, raw, expected)
    assert verdict.surprises == surprises
    assert not told or verdict.told == told


def test_rules_are_asked_of_invoices_that_say_they_obey_them(judge: public_documents.Judge) -> None:
    verdict = judge.judge("ubl", INVOICE)
    assert (verdict.judged, verdict.is_same, verdict.is_read_again) == ("valid", True, True)
    assert [label.split()[0] for label in verdict.by] == [
        "UBL-Invoice-2.1.xsd", "EN16931-UBL-validation.xslt",
    ]  # fmt: skip
    assert judge.judge("ubl", FAULTY["BR-CO-16"], ["BR-CO-16"]).surprises == []
    assert judge.judge("ubl", FAULTY["BR-CO-16"], ["BR-02"]).surprises == ["told [BR-CO-16]; expected [BR-02]"]


@pytest.mark.parametrize(
    ("module", "kind", "raw", "change", "surprise"),
    [
        (mt940, "mt940", MT, lambda raw: raw.replace(b"EREF", b"KREF"), "written again it reads otherwise: "),
        (codec("ubl"), "ubl", INVOICE, lambda raw: raw.replace(b"Berlin", b"Bonn"),
         "written again it is another document: "),
        (mt940, "mt940", MT, lambda raw: 1 / 0, "raised ZeroDivisionError: division by zero"),
        (mt940, "mt940", MT, lambda raw: b"x", "what is written cannot be read again: "),
    ],
)  # fmt: skip
def test_a_writer_that_writes_wrong_is_found_out(
    module: Any, kind: str, raw: bytes, change: Any, surprise: str, judge: public_documents.Judge,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    write = module.encode
    monkeypatch.setattr(module, "encode", lambda documents, options: change(write(documents, options)))
    assert judge.judge(kind, raw).surprises[0].startswith(surprise)


def test_what_is_not_written_is_counted_with_its_reason(
    judge: public_documents.Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(documents: Any, options: Any) -> bytes:
        raise MappingError("entries[3].amount: too long", code="encode")

    monkeypatch.setattr(coda, "encode", refuse)
    verdict = judge.judge("coda", coda.EXAMPLE[0])
    assert (verdict.unwritten, verdict.surprises) == ("entries[].amount: too long", [])


def test_a_folder_ends_in_tables_with_all_kinds_in_one_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    wrong = MT.replace(b"219,33", b"219,34")
    for name, raw in {
        "acme/a.sta": MT, "acme/b.sta": wrong, "acme/invalid/c.sta": wrong, "acme/d.cod": coda.EXAMPLE[0],
        "b/invoice.xml": INVOICE, "b/order.edi": edifact_of(*orders(1)), "b/readme.md": b"# no", "b/old.sta": wrong,
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(raw)
    (tmp_path / "expected.yaml").write_text("acme/b.sta: statement_balance\nb/old.sta: skip\nb/order.edi: []\n")
    status = public_documents.main(tmp_path)
    lines = capsys.readouterr().out.splitlines()
    rows = [line.split() for line in lines]
    assert ["acme", "coda", "1", "1", "0", "0", "1", "1", "1", "0", "0", "0", "0"] in rows
    assert ["acme", "mt940", "3", "1", "2", "0", "1", "1", "1", "0", "0", "0", "0"] in rows
    assert ["b", "ubl", "1", "1", "0", "0", "1", "1", "1", "0", "1", "0", "0"] in rows
    assert any(line.startswith("judged by EN16931-UBL-validation.xslt") for line in lines)
    assert "left out: 1 mt940, 1 .md" in lines
    edi = next(row for row in rows if row[:2] == ["b", "1"])
    assert status == int(edi[-1])


@pytest.mark.parametrize("text", ["a.sta: {}\n", "- a\n"])
def test_expectations_that_are_none_are_refused(tmp_path: Path, text: str, judge: public_documents.Judge) -> None:
    (tmp_path / "a.sta").write_bytes(MT)
    (tmp_path / "expected.yaml").write_text(text)
    with pytest.raises(SystemExit, match=r"expected\.yaml: "):
        public_documents.run(tmp_path, judge, print)


def test_a_folder_without_documents_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert public_documents.main(tmp_path) == 1
    assert "no files that are read" in capsys.readouterr().out


def test_what_was_judged_of_public_documents_is_well_formed() -> None:
    known = public_documents.Expectations(Path("nowhere"))
    assert known.of("genkgo_camt/test/data/camt054.v8.xml") == ["statement_batch_count"]
    assert known.of("acme/fine.xml") is None
    assert known.of("acme/invalid/1.xml") == "wrong"
