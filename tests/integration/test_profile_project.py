"""Profiles in a project: what o2c check, doctor and explain say of them, and taking published files over."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from xml_documents import INVOICE

from hub.check import check_project
from hub.cli.doctor_profiles import look_at_profiles
from hub.cli.workplace import open_workplace
from hub.errors import UsageError
from hub.explain import explain
from hub.profiles.collecting import pin, take_over
from hub.profiles.definitions import read_definitions
from hub.profiles.judge import Judge
from hub.profiles.library import FOLDER, MANIFEST
from hub.profiles.rules import rules_process
from hub.project import read_files, reference_files
from hub.scaffold import create_project

MADE = "<xsl:stylesheet version='2.0' xmlns:xsl='http://www.w3.org/1999/XSL/Transform'/>"
# What SchXslt does for us, for rules of one kind: a report for each assertion whose test is false() or true().
MAKER = """<xsl:stylesheet version="2.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
  xmlns:out="urn:out" xmlns:sch="http://purl.oclc.org/dsdl/schematron">
  <xsl:namespace-alias stylesheet-prefix="out" result-prefix="xsl"/>
  <xsl:template match="/sch:schema">
    <out:stylesheet version="2.0"><out:template match="/">
      <svrl:schematron-output xmlns:svrl="http://purl.oclc.org/dsdl/svrl">
        <xsl:for-each select="//sch:assert"><out:if test="not({@test})">
          <svrl:failed-assert id="{@id}" flag="{@flag}" location="/*[1]">
            <svrl:text><xsl:value-of select="."/></svrl:text></svrl:failed-assert></out:if></xsl:for-each>
      </svrl:schematron-output></out:template></out:stylesheet>
  </xsl:template>
</xsl:stylesheet>"""
RULES = """<schema xmlns="http://purl.oclc.org/dsdl/schematron">
  <!-- Last update: release 9.8.7 --><title>Ours</title>{}</schema>"""
ASSERT = """<pattern xmlns="http://purl.oclc.org/dsdl/schematron"><rule context="/*">
  <assert id="OUR-01" flag="fatal" test="false()">never</assert></rule></pattern>"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return create_project(tmp_path / "shop").root


def edited(project: Path, old: str, new: str) -> list[str]:
    path = project / "routes/orders.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    place = open_workplace(project)
    return [str(fault) for fault in place.check().faults]


def route_with(project: Path, target: str = "", source: str = "") -> list[str]:
    text = (project / "routes/orders.yaml").read_text()
    line = next(line for line in text.splitlines() if line.lstrip().startswith("- {system: erp"))
    changed = line.replace("{system: erp", "{system: erp" + target)
    found = edited(project, line, changed)
    return edited(project, "from: {system: webshop", "from: {system: webshop" + source) if source else found


def test_an_unknown_profile_is_an_error_where_it_stands(project: Path) -> None:
    found = route_with(project, ", profile: en16391", ", profile: peppol-bis-2")
    assert [fault.partition("error: ")[2] for fault in found] == [
        "unknown profile 'peppol-bis-2'; did you mean 'peppol-bis-3'?",
        "unknown profile 'en16391'; did you mean 'en16931'?",
    ]
    assert all(fault.startswith("routes/orders.yaml:") for fault in found)


def test_a_profile_whose_files_are_not_here_is_a_warning_and_a_finding(project: Path) -> None:
    [found] = route_with(project, ", profile: xrechnung")
    assert (
        "warning: profile 'xrechnung' cannot judge here: XRechnung-UBL-validation.xslt: get it from https://" in found
    )
    [finding] = look_at_profiles(open_workplace(project))
    assert (finding.subject, finding.state) == ("profile xrechnung", "fault")
    assert finding.detail.startswith("XRechnung-UBL-validation.xslt: get it from")


def test_a_profile_that_can_judge_is_told_so(project: Path) -> None:
    assert route_with(project, ", profile: en16931", ", profile: ubl-invoice, invalid: log") == []
    findings = list(look_at_profiles(open_workplace(project)))
    assert [(each.subject, each.state) for each in findings] == [
        ("profile en16931", "ok"), ("profile ubl-invoice", "ok"),
    ]  # fmt: skip
    result = open_workplace(project).check()
    text = explain(result.routes[0], result.settings)
    assert "It must be valid by ubl-invoice, else that is written to the log." in text
    assert "sent only where it is valid by en16931; else it becomes a dead letter, and nothing is sent" in text


def test_a_profile_is_not_for_interchanges() -> None:
    files = {
        **reference_files(),
        "config/hub.yaml": b"time_zone: UTC\n",
        "config/systems.yaml": b"van: {connector: file, fetch: {folder: in, every: 1m}, send: {folder: out}}\n",
        "config/partners.yaml": b"acme: {system: van, syntax: edifact, us: {id: '1'}, them: {id: '2'}, version: '3'}\n",
        "routes/r.yaml": (
            b"route: r\nfrom: {partner: acme, event: ORDERS, profile: ubl-order}\nmap: edifact-order\n"
            b"to: [{partner: acme, map: order-to-edifact, profile: ubl-order}]\n"
        ),
    }
    found = [fault.message for fault in check_project(files, own=["routes/r.yaml"]).errors]
    message = "profile: is for documents of XML, and partner 'acme' gets interchanges; take it out"
    assert found.count(message) == 2


def test_a_changed_file_is_an_error_of_the_project(project: Path) -> None:
    (project / FOLDER).mkdir(parents=True)
    (project / f"{FOLDER}OUR.xslt").write_text(MADE)
    pin(project)
    assert open_workplace(project).check().faults == ()
    (project / f"{FOLDER}OUR.xslt").write_text(MADE + " ")
    [fault] = open_workplace(project).check().errors
    assert str(fault).startswith(f"{MANIFEST}:4:15: error: OUR.xslt is not the file that was pinned: it has sha256:")


def archive(path: Path, **files: str) -> Path:
    with zipfile.ZipFile(path, "w") as written:
        for name, content in files.items():
            written.writestr(name, content)
    return path


def test_what_profiles_name_is_taken_over_with_what_it_imports(project: Path, tmp_path: Path) -> None:
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{}</xs:schema>'
    source = archive(
        tmp_path / "UBL 2.1 (os).zip",
        **{
            "xsd/maindoc/UBL-Order-2.1.xsd": schema.format('<xs:include schemaLocation="../common/Own.xsd"/>'),
            "xsd/common/Own.xsd": schema.format('<xs:include schemaLocation="../../../../etc/passwd"/>'),
            "xsdrt/maindoc/UBL-Order-2.1.xsd": schema.format(""),
            "xsd/maindoc/Other.xsd": schema.format(""),
            "../UBL-Invoice-2.1.xsd": schema.format(""),
            "readme.txt": "",
        },
    )
    taken = take_over(project, [source], read_definitions(read_files(project)))
    assert [each.path for each in taken] == [
        "UBL-2.1-os/xsd/common/Own.xsd", "UBL-2.1-os/xsd/maindoc/UBL-Order-2.1.xsd",
    ]  # fmt: skip
    assert not (project / "schemas/UBL-Invoice-2.1.xsd").exists()
    lines = (project / MANIFEST).read_text().splitlines()
    assert [line.partition(":")[0].strip() for line in lines[3:]] == [f'"{each.path}"' for each in taken]
    assert open_workplace(project).check().faults == ()


def test_of_two_schemas_of_a_name_the_one_that_is_meant_is_taken_over(project: Path, tmp_path: Path) -> None:
    """CII with the code lists of 2016 in its schema refuses invoices that EN 16931 allows."""
    name = "data/CrossIndustryInvoice_100pD16B.xsd"
    schema = '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"/>'
    source = archive(tmp_path / "cen.zip", **{f"{kind} clm/{name}": schema for kind in ("coupled", "uncoupled")})
    taken = take_over(project, [source], read_definitions(read_files(project)))
    assert [each.path for each in taken] == [f"cen/uncoupled clm/{name}"]


def test_schematron_is_made_into_rules_that_run(project: Path, tmp_path: Path) -> None:
    own = project / "schemas/profiles/own.yaml"
    own.parent.mkdir(parents=True)
    own.write_text(
        "- {profile: ours, documents: {ubl-invoice: [OUR-RULES]}}\n"
        "- {source: ours, title: Ours, publisher: us, address: 'https://example.com', files: [OUR-RULES]}\n"
    )
    include = '<include href="parts/first.sch"/>'
    rules = archive(
        tmp_path / "rules.zip", **{"sch/OUR-RULES.sch": RULES.format(include), "sch/parts/first.sch": ASSERT}
    )
    definitions = read_definitions(read_files(project))
    [alone] = take_over(project, [rules], definitions)
    assert alone.problem.startswith("it is published as Schematron, and SchXslt is not here to make XSLT of it")
    maker = archive(tmp_path / "schxslt.zip", **{"2.0/pipeline-for-svrl.xsl": MAKER})
    taken = take_over(project, [maker, rules], definitions)
    assert [(each.path, each.problem) for each in taken] == [
        ("schxslt/2.0/pipeline-for-svrl.xsl", ""), ("rules/sch/OUR-RULES.xslt", ""),
    ]  # fmt: skip
    verdict = Judge(read_files(project)).verdict("ours", INVOICE)
    assert [(f.rule, f.severity, f.message, f.xpath) for f in verdict.faults] == [
        ("OUR-01", "fatal", "never", "/Invoice")
    ]
    assert verdict.judged_by[1] == "OUR-RULES.xslt 9.8.7 (schemas/published/)"
    rules_process().close()


def test_rules_that_include_what_is_not_there_are_told(project: Path, tmp_path: Path) -> None:
    source = tmp_path / "poacc"
    source.mkdir()
    (source / "pipeline-for-svrl.xsl").write_text(MAKER)
    (source / "PEPPOLBIS-T01.sch").write_text(RULES.format('<include href="../../target/T01-basic.sch"/>'))
    taken = take_over(project, [source], read_definitions(read_files(project)))
    assert [each.problem for each in taken if each.problem] == [
        "it includes ../../target/T01-basic.sch, which is not there; take the file as it is published, in one piece"
    ]


def test_rules_that_cannot_be_run_are_told_when_they_are_taken_over(project: Path, tmp_path: Path) -> None:
    source = tmp_path / "peppol"
    source.mkdir()
    (source / "pipeline-for-svrl.xsl").write_text(MAKER)
    (source / "PEPPOL-EN16931-UBL.sch").write_text(RULES.format(ASSERT.replace("false()", "$nowhere")))
    [problem] = [each.problem for each in take_over(project, [source], read_definitions(read_files(project)))][1:]
    assert problem.startswith("the XSLT that is made of it cannot be run: ")
    assert "nowhere" in problem
    rules_process().close()


def test_what_is_no_archive_is_told(project: Path, tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_text("no archive")
    for path in (tmp_path / "x.zip", tmp_path / "nothing"):
        with pytest.raises(UsageError, match=r"is no folder, no archive \(.zip\) and no file of schemas or rules"):
            take_over(project, [path], read_definitions(reference_files()))


def test_an_archive_that_is_too_large_is_refused(project: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as written:
        for number in range(6):
            written.writestr(f"{number}/UBL-Order-2.1.xsd", b" " * 50_000_000)
    with pytest.raises(UsageError, match="holds 6 files of 300,000,000 bytes; at most"):
        take_over(project, [tmp_path / "bomb.zip"], read_definitions(reference_files()))


def test_the_manifest_is_read_as_it_is_written(project: Path) -> None:
    names = ["a b.xsd", 'q"x.xsd', "ü.xsd", "x: y.xsd"]
    (project / FOLDER).mkdir(parents=True)
    for name in names:
        (project / FOLDER / name).write_text(MADE)
    assert sorted(pin(project)) == sorted(names)
    assert open_workplace(project).check().faults == ()
    assert json.loads(json.dumps(names)) == names
