"""The tests of published rules are understood: of which document they speak, and which rules it breaks or keeps."""

from __future__ import annotations

from pathlib import Path

import pytest
import rule_sets
from changed_documents import changed_documents
from lxml import etree

from hub.profiles.rules import rules_process
from tests.xml_documents import FAULTY, INVOICE

TEST_SET = """<testSet xmlns="http://difi.no/xsd/vefa/validator/1.0"><test><assert>{}</assert>{}</test></testSet>"""


@pytest.mark.parametrize(
    ("instruction", "made"),
    [
        ('mutator="identity" schematron-valid="xr:A"', [("<b c='1'>2</b>", {"A": False})]),
        ('mutator="remove" schematron-invalid="xr:A xr:B"', [("", {"A": True, "B": True})]),
        ('mutator="remove" attribute="c" schematron-valid="xr:A" schematron-invalid="xr:B"',
         [("<b>2</b>", {"A": False, "B": True})]),
        ('mutator="empty" schematron-invalid="xr:A"', [("<b c='1'/>", {"A": True})]),
        ('mutator="code" attribute="c" values="7, 8" schematron-invalid="xr:A"',
         [("<b c='7'>2</b>", {"A": True}), ("<b c='8'>2</b>", {"A": True})]),
        ('mutator="code" values="7"', []),
        ('mutator="unheard-of" schematron-invalid="xr:A"', []),
    ],
)  # fmt: skip
def test_a_document_is_changed_as_it_says(instruction: str, made: list[tuple[str, dict[str, bool]]]) -> None:
    raw = f"<a><?xmute {instruction}?><!-- x --><b c='1'>2</b><d/></a>".encode()
    found = [(etree.tostring(document, method="c14n"), wanted) for document, wanted in changed_documents(raw)]
    assert found == [
        (etree.tostring(etree.fromstring(f"<a>{inside}<d/></a>"), method="c14n"), wanted) for inside, wanted in made
    ]


def test_a_right_answer_is_told_from_a_wrong_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole, broken = (each.decode().partition("?>")[2] for each in (INVOICE, FAULTY["BR-CO-16"]))
    (tmp_path / "one.xml").write_text(TEST_SET.format("<success>BR-CO-16</success>", whole))
    (tmp_path / "two.xml").write_text(TEST_SET.format("<error>BR-CO-16</error>", broken))
    (tmp_path / "none.xml").write_text("<a>")
    assert rule_sets.main(tmp_path, None) == 0
    assert ": 2 of 2 right" in capsys.readouterr().out
    (tmp_path / "three.xml").write_text(TEST_SET.format("<error>BR-CO-16</error>", whole))
    assert rule_sets.main(tmp_path, None) == 1
    said = capsys.readouterr().out
    assert ": 2 of 3 right\n  three.xml: BR-CO-16 is to be broken\n" in said
    rules_process().close()
