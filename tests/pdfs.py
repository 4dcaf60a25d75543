"""PDFs for the tests of hybrid invoices: as small as they can be, with the metadata that say PDF/A."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from pypdf import PdfWriter
from pypdf.generic import ArrayObject, ByteStringObject, DictionaryObject, NameObject, NumberObject

METADATA = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">PART</rdf:Description>
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"><xmp:CreatorTool>a test</xmp:CreatorTool>
</rdf:Description>MORE</rdf:RDF></x:xmpmeta>
<?xpacket end="w"?>"""
OF_2B = "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>"


def pdf(part: str = OF_2B, more: str = "", password: str | None = None, signed: bool = False, **files: bytes) -> bytes:
    """A PDF of one page that says to be PDF/A; ``part`` "": without metadata; ``files`` are embedded in it."""
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer._ID = ArrayObject([ByteStringObject(b"0123456789abcdef")] * 2)  # PDF/A has one, and the two names below
    if part:
        writer.xmp_metadata = METADATA.replace("PART", part).replace("MORE", more).encode()  # type: ignore[assignment]
        stream: Any = writer.root_object["/Metadata"]
        stream |= {NameObject("/Type"): NameObject("/Metadata"), NameObject("/Subtype"): NameObject("/XML")}
    for name, content in files.items():
        writer.add_attachment(name.replace("_", "-") + ".xml", content)
    if signed:
        flags: Any = {NameObject("/SigFlags"): NumberObject(3)}
        writer.root_object[NameObject("/AcroForm")] = DictionaryObject(flags)
    if password is not None:
        writer.encrypt(password)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
