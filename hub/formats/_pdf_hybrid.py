"""A hybrid invoice (Factur-X, ZUGFeRD 2): the XML of an invoice within the PDF that people read.

The PDF stays as it is but for its list of embedded files and its metadata, which then say PDF/A-3 and Factur-X. It has
to be PDF/A already: fonts and colours cannot be put into it afterwards. No time and no chance goes in: the same invoice
and the same PDF give the same bytes.
"""

from __future__ import annotations

from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any

from lxml import etree

from hub.errors import DecodeError, MappingError, quoted_in
from hub.formats._pdf_invoice import NAMES, broken, files_in, is_pdf, opened
from hub.formats._xml import Element, parse
from hub.formats._xml_writing import fault

if TYPE_CHECKING:
    from pypdf import PdfWriter

PDF = "pdf"  # the field of a document that holds the PDF
# Profile: what an invoice of it says that it is (BT-24), and what the metadata of the PDF call it.
PROFILES = {
    "facturx-basic": ("urn:cen.eu:en16931:2017#compliant#urn:factur-x.eu:1p0:basic", "BASIC"),
    "facturx-en16931": ("urn:cen.eu:en16931:2017", "EN 16931"),
    "facturx-extended": ("urn:cen.eu:en16931:2017#conformant#urn:factur-x.eu:1p0:extended", "EXTENDED"),
}
_NAME = NAMES[0]
_IS_SIGNED = 1  # the bit of SigFlags

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_PDFA = "http://www.aiim.org/pdfa/ns/id/"
_EXTENSION = "http://www.aiim.org/pdfa/ns/extension/"
_FACTURX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PARTS = ("1", "2", "3")  # of PDF/A, all of which is PDF/A-3 too; 4 is not
_BEGIN, _END = b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n', b'\n<?xpacket end="w"?>'
_PROPERTIES = {
    "DocumentFileName": "name of the embedded XML document",
    "DocumentType": "INVOICE",
    "Version": "version of the standard of the embedded XML document",
    "ConformanceLevel": "profile of the embedded XML document",
}
_PROPERTY = """<rdf:li rdf:parseType="Resource"><pdfaProperty:name>{}</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>{}</pdfaProperty:description></rdf:li>"""
# The name of the namespace has to be told within PDF/A, with every property that is used.
_METADATA = f"""<rdf:RDF xmlns:rdf="{_RDF}"><rdf:Description rdf:about="" xmlns:fx="{_FACTURX}">
<fx:DocumentType>INVOICE</fx:DocumentType><fx:DocumentFileName>{_NAME}</fx:DocumentFileName>
<fx:Version>1.0</fx:Version><fx:ConformanceLevel>LEVEL</fx:ConformanceLevel></rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="{_EXTENSION}"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{_FACTURX}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>{"".join(_PROPERTY.format(*each) for each in _PROPERTIES.items())}</rdf:Seq>
</pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description></rdf:RDF>"""


def hybrid(pdf: bytes, xml: bytes, profile: str, day: datetime | None) -> bytes:
    """The PDF with the XML in it. ``day``: of the invoice. Raises MappingError for what is no PDF, is broken,
    encrypted, signed or no PDF/A, or has an invoice in it already."""
    if not is_pdf(pdf):
        seen = f"no PDF: it begins with {pdf[:12]!r}" if pdf else "nothing"
        raise fault(PDF, seen, "a PDF", quoted=quoted_in(seen))
    try:
        return _written(pdf, xml, PROFILES[profile][1], day)
    except DecodeError as error:
        raise MappingError(f"{PDF}: {error.detail}", code="encode", field_path=PDF, expected=error.expected) from None
    except MappingError:
        raise
    except Exception:  # a broken file raises anything
        raise MappingError(f"{PDF}: {broken().detail}", code="encode", field_path=PDF) from None


def _written(pdf: bytes, xml: bytes, level: str, day: datetime | None) -> bytes:
    writer = _opened(pdf)
    root = writer.root_object
    if "/Metadata" not in root:
        raise _no_pdfa()
    stream: Any = root["/Metadata"]
    writer.xmp_metadata = _metadata(stream.get_data(), level)
    _embed(writer, xml, day)
    writer.pdf_header = "%PDF-1.7"
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _opened(pdf: bytes) -> PdfWriter:
    reader = opened(pdf)
    from pypdf import PdfWriter

    if taken := sorted(set(NAMES) & files_in(reader).keys()):
        raise fault(PDF, f"a PDF that has {taken[0]} in it already", "the PDF without it")
    form: Any = reader.root_object.get("/AcroForm")
    if form is not None and int(form.get_object().get("/SigFlags", 0)) & _IS_SIGNED:
        raise fault(PDF, "a signed PDF, whose signature would be broken", "the PDF before it is signed")
    return PdfWriter(clone_from=reader)


def _embed(writer: PdfWriter, xml: bytes, day: datetime | None) -> None:
    from pypdf.generic import ArrayObject, DictionaryObject, NameObject, NumberObject, TextStringObject

    file = writer.add_attachment(_NAME, xml)
    file.alternative_name = TextStringObject(_NAME)
    file.description = TextStringObject("Factur-X invoice")
    file.associated_file_relationship = NameObject("/Alternative")  # the same invoice, as Germany wants it told
    file.subtype = NameObject("/text/xml")
    file.size = NumberObject(len(xml))
    if day is not None:
        file.modification_date = day
    stored: DictionaryObject = file.pdf_object["/EF"]  # type: ignore[assignment]
    stored[NameObject("/UF")] = stored.raw_get("/F")
    root = writer.root_object
    others = root["/AF"].get_object() if "/AF" in root else ()
    root[NameObject("/AF")] = ArrayObject([*others, file.pdf_object.indirect_reference])  # type: ignore[misc]


def _metadata(packet: bytes, level: str) -> bytes:
    """The XMP of the PDF, with PDF/A-3 and Factur-X in it. Raises DecodeError, and MappingError without PDF/A."""
    root = parse(packet)
    found = [root] if root.tag == f"{{{_RDF}}}RDF" else root.findall(f"{{{_RDF}}}RDF")
    if not found or not _make_part_three(found[0]):
        raise _no_pdfa()
    told, extension = parse(_METADATA.replace("LEVEL", level).encode())
    bag = found[0].find(f".//{{{_EXTENSION}}}schemas/{{{_RDF}}}Bag")
    found[0].append(told)
    if bag is None:
        found[0].append(extension)
    else:
        bag.extend(extension.iterfind(f".//{{{_EXTENSION}}}schemas/{{{_RDF}}}Bag/*"))
    return _BEGIN + etree.tostring(root, encoding="utf-8") + _END


def _make_part_three(rdf: Element) -> bool:
    """Let the metadata say PDF/A-3 instead of their own part; whether they did say one."""
    name, is_pdfa = f"{{{_PDFA}}}part", False
    for each in rdf.iterchildren(f"{{{_RDF}}}Description"):
        if each.get(name, "") in _PARTS:
            each.set(name, "3")
            is_pdfa = True
        for part in each.iterchildren(name):
            is_pdfa = is_pdfa or (part.text or "").strip() in _PARTS
            part.text = "3"
    return is_pdfa


def _no_pdfa() -> MappingError:
    hint = "let what prints the invoice write PDF/A-1, -2 or -3; fonts and colours cannot be put into it afterwards"
    return fault(PDF, "a PDF that does not say that it is PDF/A-1, -2 or -3", "PDF/A", hint=hint)
