"""Documents whose tags are all known are not held against expat: what it refuses is refused all the same."""

from __future__ import annotations

import re
from random import Random
from xml.parsers import expat

import pytest

from benchmarks.ubl_invoices import files
from hub.errors import DecodeError
from hub.formats import _xml_plain, ubl

_SPLIT = re.compile(rb"([<>])")
_PIECES = (
    b"<",
    b">",
    b"<>",
    b"><",
    b"&",
    b"&amp;",
    b"&x;",
    b"&#0;",
    b"&#65;",
    b"]]>",
    b"\x01",
    b"\x0c",
    b"\xef\xbf\xbe",
)


@pytest.fixture(scope="module")
def invoice() -> bytes:
    """One that is read, with all of its kind, without asking expat."""
    first, *others = files(15)
    for raw in (first, *others, first):
        ubl.decode_one(raw, {})
    return first


def is_well_formed(raw: bytes) -> bool:
    try:
        expat.ParserCreate(namespace_separator=" ").Parse(raw, True)
    except expat.ExpatError:
        return False
    return True


def is_read(raw: bytes) -> bool:
    try:
        ubl.decode_one(raw, {})
    except DecodeError:
        return False
    return True


def test_expat_is_asked_where_a_tag_is_new_and_not_where_all_are_known(
    invoice: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bytes] = []
    monkeypatch.setattr(_xml_plain, "_prove", lambda raw, known: asked.append(raw))
    ubl.decode_one(invoice, {})
    assert asked == []
    new = invoice.replace(b"<cbc:DueDate>", b'<cbc:DueDate own="1">')
    ubl.decode_one(new, {})
    assert asked == [new]


@pytest.mark.parametrize(
    ("found", "instead"),
    [
        (b"</cbc:DueDate>", b"</cbc:IssueDate>"), (b"</cac:TaxSubtotal>", b"</cac:TaxTotal>"), (b"</Invoice>", b""),
        (b"</Invoice>", b"</Invoice><Invoice/>"), (b"</Invoice>", b"</Invoice>x"), (b"</Invoice>", b"</CreditNote>"),
        (b"<cbc:DueDate>", b"<cbc:DueDate>\x01"), (b"<cbc:DueDate>", b"<cbc:DueDate>\xef\xbf\xbf"),
        (b"<cbc:DueDate>", b"<cbc:DueDate>]]>/cbc:DueDate<"), (b"<cbc:DueDate>", b"<cbc:DueDate>&more;"),
        (b"<cbc:DueDate>", b"<>"), (b"<cbc:DueDate>", b'<cbc:DueDate a="1" a="2">'), (b"<?xml", b" <?xml"),
        (b"<?xml", b"x<?xml"), (b'version="1.0"', b""),
    ],
)  # fmt: skip
def test_a_document_of_known_tags_that_is_not_well_formed_is_refused(
    invoice: bytes, found: bytes, instead: bytes
) -> None:
    changed = invoice.replace(found, instead, 1)
    assert changed != invoice and not is_well_formed(changed)
    with pytest.raises(DecodeError):
        ubl.decode_one(changed, {})


@pytest.mark.parametrize("seed", range(4))
def test_what_expat_refuses_is_never_read(invoice: bytes, seed: int) -> None:
    chance, refused = Random(seed), 0
    for _ in range(500):
        parts = _SPLIT.split(invoice)
        heads = [at + 1 for at in range(len(parts) - 2) if parts[at] == b"<"]
        one, other = chance.choice(heads), chance.choice(heads)
        match chance.randrange(5):
            case 0:
                parts[one], parts[other] = parts[other], parts[one]
            case 1:
                parts[one] = parts[other]
            case 2:
                parts[one - 1 : one + 3] = []
            case 3:
                parts[one + 2] += chance.choice(_PIECES)
            case 4:
                parts[one + 2 :] = [] if chance.random() < 0.1 else parts[other + 2 :]
        raw = b"".join(parts)
        if not is_well_formed(raw):
            refused += 1
            assert not is_read(raw), raw
    assert refused > 300
