"""The documents of UBL and CII as schemas: ``ubl/2.1/Invoice``, ``cii/D22B/CrossIndustryInvoice``. They are the
standards' and come with the hub.

The format is imported when the first of them is used.
"""

from __future__ import annotations

from itertools import islice
from typing import Any

from hub.errors import DocumentFault
from hub.formats import Codec, codec
from hub.formats._cii_definitions import TYPES as CII_TYPES
from hub.formats._ubl_definitions import TYPES as UBL_TYPES
from hub.outline import Outline

_STATEMENT = ("canonical/statement", "ubl-statement", "statement-to-ubl")
NAMES = (*(f"ubl/2.1/{type}" for type in UBL_TYPES), *(f"cii/D22B/{type}" for type in CII_TYPES))


def without_type(name: str) -> str:
    """What to say of a schema or mapping that one looks for in vain: of UBL's documents all have a canonical type but
    one."""
    if name not in _STATEMENT:
        return ""
    return (
        ": a UBL Statement, which tells what is open between a customer and a seller, has no canonical type "
        "(bank_statement is about an account at a bank); map ubl/2.1/Statement to a schema of your own"
    )


def outline_of(name: str) -> Outline:
    """What a document of this schema, one of NAMES, looks like."""
    outline: Outline = _format(name).outline(_type(name))
    return outline


def faults_of(name: str, document: Any, most: int) -> list[DocumentFault]:
    """What keeps a document from being one of this type: at most so many faults."""
    return list(islice(_format(name).checked(document, _type(name), is_strict=True), most))


def is_of(format: str, name: str | None) -> bool:
    """Whether a schema is that of documents which this format reads and writes."""
    return name in NAMES and name.partition("/")[0] == format


def codec_of(name: str) -> Codec:
    """The codec of a mapping's side whose schema this is."""
    made: Codec = _format(name).typed(_type(name), name)
    return made


def _type(name: str) -> str:
    return name.rpartition("/")[2]


def _format(name: str) -> Any:
    return codec(name.partition("/")[0])
