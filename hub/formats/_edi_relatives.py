"""What a file is that is neither EDIFACT nor X12, by its first bytes: to be refused by its name."""

from __future__ import annotations

import re

_KNOWN = (
    ("edifact", "EDIFACT (o2c decode edifact)", re.compile(rb"UNA[^A-Za-z0-9]|UNB[^A-Za-z0-9 ]")),
    ("x12", "X12 (o2c decode x12)", re.compile(rb"ISA[^A-Za-z0-9\s]")),
    ("", "TRADACOMS", re.compile(rb"STX=")),
    ("", "a TDI or GTDI interchange, the forerunner of EDIFACT", re.compile(rb"STX[+\x1d]")),
    ("", "interactive EDIFACT (UIB)", re.compile(rb"UIB[^A-Za-z0-9 ]")),
    ("", "a message without an interchange (UNH before any UNB)", re.compile(rb"UN[HG][^A-Za-z0-9 ]")),
    ("", "a group without an interchange (GS before any ISA)", re.compile(rb"GS[^A-Za-z0-9\s]")),
    ("", "a transaction set without an interchange (ST before any ISA)", re.compile(rb"ST[^A-Za-z0-9\s]\d\d\d")),
    ("", "X12 with an ICS envelope, before ISA", re.compile(rb"ICS[^A-Za-z0-9\s]")),
    ("", "UCS or WINS with a BG envelope", re.compile(rb"BG[^A-Za-z0-9\s]")),
    ("", "HL7", re.compile(rb"MSH\|")),
    ("", "an SAP IDoc", re.compile(rb"EDI_DC40|.{3}EDI_DC|<\?xml[^>]*>\s*<[^>]*>\s*<IDOC", re.DOTALL)),
    ("", "XML", re.compile(rb"<")),
    ("", "JSON", re.compile(rb"[\[{]")),
    ("", "a ZIP archive", re.compile(rb"PK\x03\x04")),
    ("", "gzip", re.compile(rb"\x1f\x8b")),
    ("", "a MIME message (take the attachment out)", re.compile(rb"[A-Za-z-]+: [^\r\n]*\r?\n[A-Za-z-]+:")),
    ("", "in EBCDIC; convert it to ASCII", re.compile(rb"\xc9\xe2\xc1|\xe4\xd5[\xc1\xc2]")),
    ("", "in UTF-16; convert it to UTF-8", re.compile(rb"\xff\xfe|\xfe\xff|\x00?[UI]\x00[NS]")),
)  # fmt: skip


def relative(first: bytes, asked: str) -> str:
    """Its name in words; empty where nobody knows."""
    for syntax, name, pattern in _KNOWN:
        if syntax != asked and pattern.match(first):
            return name
    return ""
