"""IDocs of SAP, as XML and as flat files, to the same document: the control record and the segments below each other.

A record is one IDoc. A segment is a list under its type (``E1EDKA1``), one object where ``segments`` says ``once``; its
fields are texts, and those that are empty are left out. The fields of a flat file are known from ``segments``; without
that a segment is its ``SDATA``. With a grammar as the mapping's schema (``idoc/ORDERS05``) that knows them all, see
``hub.idocs``. Limits: 100,000 segments of a flat IDoc, 16 MB of one in XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.formats._idoc_codec import CONTENT_TYPES, OPTIONS, IdocCodec, faults_of
from hub.formats._idoc_parts import Choose
from hub.formats._idoc_plain import PlainDescription, segments_of
from hub.outline import Outline

EXAMPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<ORDERS05><IDOC BEGIN="1"><EDI_DC40 SEGMENT="1"><TABNAM>EDI_DC40</TABNAM><IDOCTYP>ORDERS05</IDOCTYP></EDI_DC40>'
    b'<E1EDK01 SEGMENT="1"><CURCY>EUR</CURCY></E1EDK01></IDOC></ORDERS05>',
    {"type": "ORDERS05", "control": {"TABNAM": "EDI_DC40", "IDOCTYP": "ORDERS05"}, "E1EDK01": [{"CURCY": "EUR"}]},
)


def _by_options(options: Mapping[str, Any]) -> Choose:
    known = PlainDescription(segments_of(options))
    return lambda control: known


_CODEC = IdocCodec(_by_options)
decode, decode_one, encode, encode_one = _CODEC.decode, _CODEC.decode_one, _CODEC.encode, _CODEC.encode_one
places = _CODEC.places


def outline_of(options: Mapping[str, Any]) -> Outline | None:
    """What the options say of a document; nothing where they are wrong."""
    return None if faults_of(options) else PlainDescription(segments_of(options)).outline()


__all__ = [
    "CONTENT_TYPES", "EXAMPLE", "OPTIONS", "decode", "decode_one", "encode", "encode_one", "faults_of", "outline_of",
    "places",
]  # fmt: skip
