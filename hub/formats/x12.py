"""X12: interchanges to messages, one record each, and back; every fault located.

One bad message spares the others. Limits: a message 16 MB or 1,000,000 segments, a segment 1 MB; a file of any size
takes the memory of its largest message. docs/explanation/edi.md tells what is read, tolerated and refused.
"""

from __future__ import annotations

from hub.formats._edi_codec import OPTIONS, EdiCodec
from hub.formats._x12_envelope import DOOR

__all__ = [
    "CODEC", "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "decode", "decode_one", "encode", "encode_one", "places", "read",
]  # fmt: skip

CONTENT_TYPES = ("application/edi-x12", "application/edi-consent", "text/plain")
EXAMPLE = (
    b""
    b"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *261128*1200*U*00401*000000001*0*P*>~"
    b"GS*PO*BUYER*SELLER*20261128*1200*1*X*004010~ST*850*0001~BEG*00*SA*4711**20261128~SE*3*0001~GE*1*1~"
    b"IEA*1*000000001~",
    {
        "syntax": "x12",
        "type": "850",
        "version": "004010",
        "association": "",
        "reference": "0001",
        "delimiters": {
            "element": "*",
            "component": ">",
            "terminator": "~",
            "release": "",
            "repetition": "",
            "decimal_mark": ".",
        },
        "line_end": "",
        "interchange": [
            "ISA",
            "00",
            "          ",
            "00",
            "          ",
            "ZZ",
            "BUYER          ",
            "ZZ",
            "SELLER         ",
            "261128",
            "1200",
            "U",
            "00401",
            "000000001",
            "0",
            "P",
            ">",
        ],
        "group": ["GS", "PO", "BUYER", "SELLER", "20261128", "1200", "1", "X", "004010"],
        "segments": [["ST", "850", "0001"], ["BEG", "00", "SA", "4711", "", "20261128"], ["SE", "3", "0001"]],
    },
)

CODEC = EdiCodec(DOOR)
read, decode, decode_one = CODEC.read, CODEC.decode, CODEC.decode_one
encode, encode_one, places = CODEC.encode, CODEC.encode_one, CODEC.places
