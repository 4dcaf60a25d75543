"""An invoice put into the PDF that people read: it comes out again, the metadata tell it, other PDFs are refused."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import random
from base64 import b64encode
from copy import deepcopy
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest
from pdfs import OF_2B, pdf
from pypdf import PdfReader

from hub.errors import MappingError
from hub.formats import cii, content_type, faults_of
from hub.formats._pdf_hybrid import PROFILES
from hub.formats._pdf_invoice import embedded
from hub.schemas import SchemaSet

GUIDELINE = "ExchangedDocumentContext.GuidelineSpecifiedDocumentContextParameter.0.ID.value"
HYBRID = {"hybrid": "facturx-en16931"}
AS_ATTRIBUTES = """</rdf:Description><rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"
 pdfaid:part="2" pdfaid:conformance="U">"""
BAG = """<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"><pdfaExtension:schemas>
<rdf:Bag><rdf:li rdf:parseType="Resource"/></rdf:Bag></pdfaExtension:schemas></rdf:Description>"""


def document(guideline: str = PROFILES["facturx-en16931"][0]) -> dict[str, Any]:
    parameter = [{"ID": {"value": guideline}}]
    context = {"ExchangedDocumentContext": {"GuidelineSpecifiedDocumentContextParameter": parameter}}
    return {"type": "CrossIndustryInvoice", **context, **deepcopy(cii.EXAMPLE[1])}


def with_pdf(visible: bytes, guideline: str = PROFILES["facturx-en16931"][0]) -> dict[str, Any]:
    return {**document(guideline), "pdf": b64encode(visible).decode()}


@pytest.mark.parametrize("profile", PROFILES)
def test_what_is_written_is_read_as_the_same_invoice(profile: str) -> None:
    guideline, level = PROFILES[profile]
    made, options = with_pdf(pdf(), guideline), {"hybrid": profile}
    whole = cii.encode_one(made, options)
    assert cii.decode_one(whole, {}) == document(guideline)
    assert embedded(whole) == cii.encode_one(document(guideline), {})
    typed = SchemaSet({}).codec("cii", "cii/D22B/CrossIndustryInvoice")
    assert typed.encode_one(made, options) == typed.encode([made], options) == whole
    assert content_type(typed, options) == "application/pdf" and content_type(typed, {}) == "application/xml"
    assert f"<fx:ConformanceLevel>{level}<" in metadata(whole)


def test_the_pdf_is_pdf_a_3_that_names_its_invoice() -> None:
    reader = PdfReader(BytesIO(cii.encode_one(with_pdf(pdf(other=b"<a/>")), HYBRID)))
    stream: Any = reader.root_object["/Metadata"]
    assert (stream["/Type"], stream["/Subtype"], len(reader.trailer["/ID"])) == ("/Metadata", "/XML", 2)  # type: ignore[arg-type]
    told = reader.xmp_metadata
    assert told is not None and (told.pdfaid_part, told.pdfaid_conformance) == ("3", "B")
    assert told.xmp_creator_tool == "a test" and len(reader.pages) == 1 and reader.pdf_header == "%PDF-1.7"
    [file] = [each for each in reader.attachment_list if each.name == "factur-x.xml"]
    assert (file.associated_file_relationship, file.subtype) == ("/Alternative", "/text/xml")
    assert file.size == len(file.content) and str(file.modification_date) == "2026-11-28 00:00:00+00:00"
    named: Any = reader.root_object["/AF"]
    assert [each.get_object() for each in named] == [file.pdf_object]
    assert [each.name for each in reader.attachment_list] == ["factur-x.xml", "other.xml"]


def test_the_same_invoice_and_pdf_give_the_same_bytes() -> None:
    assert len({cii.encode_one(with_pdf(pdf()), HYBRID) for _ in range(2)}) == 1


def metadata(whole: bytes) -> str:
    stream: Any = PdfReader(BytesIO(whole)).root_object["/Metadata"]
    return str(stream.get_data().decode())


@pytest.mark.parametrize("part", [OF_2B.replace("2", "1"), OF_2B.replace("2", "3"), AS_ATTRIBUTES])
@pytest.mark.parametrize("more", ["", BAG])
def test_metadata_of_other_kinds_of_pdf_a_go_on(part: str, more: str) -> None:
    told = metadata(cii.encode_one(with_pdf(pdf(part, more)), HYBRID))
    assert told.count("pdfaExtension:schemas>") == 2 and told.count("Factur-X PDFA Extension Schema") == 1
    assert ("<pdfaid:part>3<" in told) != ('pdfaid:part="3"' in told)


@pytest.mark.parametrize(("visible", "words"), [
    (b"", "pdf: nothing; expected a PDF"),
    (b"\x89PNG\r\n", "pdf: no PDF: it begins with"),
    (b"<html>%PDF-", "pdf: no PDF: it begins with"),
    (pdf()[:200], "the PDF is broken"),
    (pdf(part=""), "does not say that it is PDF/A-1, -2 or -3; expected PDF/A"),
    (pdf(part=OF_2B.replace("2", "4")), "does not say that it is PDF/A"),
    (pdf(part="<"), "not well formed"),
    (pdf(password="secret"), "the PDF is encrypted"),
    (pdf(signed=True), "a signed PDF, whose signature would be broken"),
    (pdf(xrechnung=b"<a/>"), "a PDF that has xrechnung.xml in it already"),
    (pdf(**{f"a{number}": b"<a/>" for number in range(101)}), "more than 100 files"),
], ids=["nothing", "png", "html", "cut", "none", "part-4", "xmp", "secret", "signed", "hybrid", "many"])  # fmt: skip
def test_what_cannot_be_one_is_refused_as_what_it_is(visible: bytes, words: str) -> None:
    with pytest.raises(MappingError, match=words) as caught:
        cii.encode_one(with_pdf(visible), HYBRID)
    assert (caught.value.code, caught.value.field_path) == ("encode", "pdf")


@pytest.mark.parametrize(("made", "path", "words"), [
    (document(), "pdf", "no PDF to put the invoice into"),
    ({**document(), "pdf": "%PDF"}, "pdf", "what is no Base64"),
    ({**document(), "pdf": 5}, "pdf", "what is no Base64"),
    (with_pdf(pdf(), PROFILES["facturx-basic"][0]), GUIDELINE,
     "which is not facturx-en16931; expected 'urn:cen.eu:en16931:2017'"),
    ({**cii.EXAMPLE[1], "pdf": ""}, GUIDELINE, "no profile, which is not"),
    ({**with_pdf(pdf()), "nonsense": 1}, "nonsense", "nonsense"),
], ids=["none", "text", "number", "other-profile", "no-profile", "no-invoice"])  # fmt: skip
def test_an_invoice_that_cannot_be_one_is_refused(made: dict[str, Any], path: str, words: str) -> None:
    with pytest.raises(MappingError, match=words) as caught:
        cii.encode_one(made, HYBRID)
    assert caught.value.field_path == path


def test_the_lint_knows_the_options() -> None:
    assert faults_of("cii", HYBRID) == faults_of("cii", {**HYBRID, "visible": "A1"}) == {}
    assert "facturx-basic, facturx-en16931, facturx-extended" in faults_of("cii", {"hybrid": "facturx"})["hybrid"]
    assert "goes with hybrid" in faults_of("cii", {"visible": "A1"})["visible"]
    assert "unknown option 'hybrid'" in faults_of("ubl", HYBRID)["hybrid"]


def test_the_package_that_others_wrote_finds_the_invoice() -> None:
    name, xml = factur_x().get_facturx_xml_from_pdf(cii.encode_one(with_pdf(pdf()), HYBRID), check_xsd=False)
    assert (name, xml) == ("factur-x.xml", cii.encode_one(document(), {}))
    root = factur_x().etree.fromstring(xml)
    assert (factur_x().get_flavor(root), factur_x().get_level(root)) == ("factur-x", "en16931")


def factur_x() -> ModuleType:
    """The module that reads and writes PDFs, without the package around it, which wants more packages."""
    [file] = [each for each in importlib.metadata.files("factur-x") or () if each.name == "facturx.py"]
    spec = importlib.util.spec_from_file_location("facturx_alone", str(file.locate()))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_mutated_pdfs_give_a_hybrid_or_an_error_of_ours() -> None:
    whole, chance, ends = pdf(), random.Random(4714), set()
    for _ in range(100):
        raw = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            at = chance.randrange(8, len(raw))
            raw[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            assert cii.decode_one(cii.encode_one(with_pdf(bytes(raw)), HYBRID), {}) == document()
            ends.add("written")
        except MappingError as error:
            ends.add(error.code)
    assert ends == {"written", "encode"}
