"""The XML of an invoice out of a hybrid PDF (Factur-X, ZUGFeRD): the embedded file of one of the standards' names.

Only the list of embedded files and the one that is wanted are read: no page, no script, no action, no form. ``pypdf``
is of the extra einvoice and imported when the first PDF comes.
"""

from __future__ import annotations

import logging
from io import BytesIO
from typing import TYPE_CHECKING

from hub.errors import DecodeError
from hub.formats._xml import LIMITS

if TYPE_CHECKING:
    from pypdf import PdfReader
    from pypdf.generic import EmbeddedFile

NAMES = ("factur-x.xml", "xrechnung.xml", "zugferd-invoice.xml")
_MARK, _WITHIN = b"%PDF-", 1024  # a reader of PDF looks for it in so many bytes
_MOST_FILES = 100


def is_pdf(raw: bytes) -> bool:
    """Whether a file is a PDF and no XML."""
    return _MARK in raw[:_WITHIN] and raw.lstrip()[:1] != b"<"


def xml_of(raw: bytes) -> bytes:
    """A file of XML as it is; of a PDF the XML in it. Raises DecodeError as ``embedded`` does."""
    return embedded(raw) if is_pdf(raw) else raw


def embedded(raw: bytes) -> bytes:
    """The XML in a PDF. Raises DecodeError for one that is too large, encrypted, broken or without an invoice."""
    reader = opened(raw)
    try:
        return _invoice(reader)
    except DecodeError:
        raise
    except Exception:  # a broken file raises anything
        raise broken() from None


def opened(raw: bytes) -> PdfReader:
    """A PDF whose parts can be asked for. Raises DecodeError for one that is too large, encrypted or broken."""
    if len(raw) > LIMITS.size:
        message = f"a PDF of {len(raw):,} bytes; at most {LIMITS.size:,} are read"
        raise _refused("too_large", message, "a smaller file")
    try:
        from pypdf import PdfReader
    except ImportError:
        message = "it is a PDF, and pypdf, which reads and writes those, is not installed"
        raise _refused("pdf", message, "pip install 'o2c-hub[einvoice]'") from None
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of odd files, which is nobody's matter
    try:
        reader = PdfReader(BytesIO(raw))
        is_encrypted = reader.is_encrypted
    except Exception:  # a broken file raises anything
        raise broken() from None
    if is_encrypted:
        message = "the PDF is encrypted, so that the files in it cannot be read"
        raise _refused("encrypted", message, "one that is not")
    return reader


def broken() -> DecodeError:
    """What to raise of a PDF that cannot be read to where it has to be."""
    return _refused("pdf", "the PDF is broken, and its embedded files cannot be read", "a PDF that is whole")


def files_in(reader: PdfReader) -> dict[str, EmbeddedFile]:
    """The embedded files by their names in small letters. Raises DecodeError where there are too many."""
    found: dict[str, EmbeddedFile] = {}
    for count, one in enumerate(reader.attachment_list):
        if count >= _MOST_FILES:
            raise _refused("too_many", f"more than {_MOST_FILES} files are embedded in the PDF", "fewer")
        found.setdefault(one.name.lower(), one)
    return found


def _invoice(reader: PdfReader) -> bytes:
    found = files_in(reader)
    for name in NAMES:
        if name in found:
            return found[name].content
    told = f"only {', '.join(sorted(found))[:100]}" if found else "no file at all"
    raise _refused("no_invoice", f"no invoice is embedded in the PDF, but {told}", " or ".join(NAMES))


def _refused(code: str, message: str, expected: str) -> DecodeError:
    return DecodeError(f"{message}; expected {expected}", code=code, position="byte 0", expected=expected)
