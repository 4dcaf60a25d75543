"""EDIFACT (ISO 9735, syntax versions 1 to 4): interchanges to messages, one record each, and back; every fault located.

One bad message spares the others. Limits: a message 16 MB or 1,000,000 segments, a segment 1 MB; a file of any size
takes the memory of its largest message. docs/explanation/edi.md tells what is read, tolerated and refused.
"""

from __future__ import annotations

from hub.formats._edi_codec import OPTIONS, EdiCodec
from hub.formats._edifact_envelope import DOOR

__all__ = [
    "CODEC", "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "decode", "decode_one", "encode", "encode_one", "places", "read",
]  # fmt: skip

CONTENT_TYPES = ("application/edifact", "application/edi-consent", "text/plain")
EXAMPLE = (
    b"UNB+UNOC:3+4012345000009:14+5412345000013:14+261128:1200+4711'UNH+1+ORDERS:D:96A:UN:EAN008'"
    b"BGM+220+4711+9'UNT+3+1'UNZ+1+4711'",
    {
        "syntax": "edifact",
        "type": "ORDERS",
        "version": "D96A",
        "association": "EAN008",
        "reference": "1",
        "delimiters": {
            "element": "+",
            "component": ":",
            "terminator": "'",
            "release": "?",
            "repetition": "",
            "decimal_mark": ".",
        },
        "line_end": "",
        "interchange": [
            "UNB",
            ["UNOC", "3"],
            ["4012345000009", "14"],
            ["5412345000013", "14"],
            ["261128", "1200"],
            "4711",
        ],
        "una": False,
        "segments": [
            ["UNH", "1", ["ORDERS", "D", "96A", "UN", "EAN008"]],
            ["BGM", "220", "4711", "9"],
            ["UNT", "3", "1"],
        ],
    },
)

CODEC = EdiCodec(DOOR)
read, decode, decode_one = CODEC.read, CODEC.decode, CODEC.decode_one
encode, encode_one, places = CODEC.encode, CODEC.encode_one, CODEC.places
