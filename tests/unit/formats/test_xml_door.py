"""The door for XML: what it lets in, what it refuses, and where it says that things stand."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from hub.errors import DecodeError
from hub.formats import _xml
from hub.formats._xml import Limits, parse, path_of
from hub.formats._xml_places import place_of
from hub.formats._xml_stream import Stream

INVOICE = b"""<?xml version="1.0" encoding="UTF-8"?>
<!-- from a shop -->
<Invoice xmlns="urn:i" xmlns:cbc="urn:c">
  <cbc:ID>7</cbc:ID>
  <Line><cbc:ID>1</cbc:ID></Line><Line>
    <cbc:ID>2</cbc:ID><cbc:Note/><cbc:ID schemeID="x">3</cbc:ID></Line>
</Invoice>"""
DOORS: list[Callable[[bytes], object]] = [
    parse,
    lambda raw: list(Stream([raw], ["*"]).elements()),
    lambda raw: list(Stream([raw[i : i + 3] for i in range(0, len(raw), 3)], ["*"]).elements()),
]
BOMB = b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12))
BOMB = b'<!DOCTYPE a [<!ENTITY e0 "0123456789">' + BOMB + b']><a b="&e11;">&e11;</a>'
HIDDEN = '<?xml version="1.0" encoding="utf-16"?><!--\u2d2d\u613c--><!DOCTYPE a><a/>'  # its bytes hold -->, then <a


def test_comments_and_sections_are_one_text() -> None:
    root = parse(b"<a><b>10<!-- x -->00.<?y z?>0<![CDATA[0 &lt;]]></b><!-- c --></a>")
    assert (root[0].text, len(root), len(root[0])) == ("1000.00 &lt;", 1, 0)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    "raw",
    [
        b"<!DOCTYPE a><a/>",
        b'<?xml version="1.0"?>\n<!-- x --><?y?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>10&e;00.00</a>',
        b'<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>',
        b'<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]><a/>',
        BOMB,
        "<!DOCTYPE a><a/>".encode("utf-16"),
        HIDDEN.encode("utf-16"),
        HIDDEN.replace("\u2d2d\u613c", "").encode("utf-16-be"),
    ],
)
def test_a_document_type_is_refused_before_it_is_read(door: Callable[[bytes], object], raw: bytes) -> None:
    with pytest.raises(DecodeError, match="it has a document type") as caught:
        door(raw)
    assert caught.value.code == "document_type"
    assert "write the document without" in caught.value.hint


def test_what_the_parser_itself_says_of_a_document_type_counts_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_xml, "check_prolog", lambda *_, **__: True)
    for kind in (b"<!DOCTYPE a>", b'<!DOCTYPE a SYSTEM "file:///etc/passwd">', b'<!DOCTYPE a [<!ENTITY e "x">]>'):
        with pytest.raises(DecodeError, match="it has a document type"):
            parse(kind + b"<a/>")


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(
    ("raw", "code", "said", "position"),
    [
        (b"", "no_xml", "nothing in it", "line 1"),
        (b" \n", "no_xml", "nothing in it", "line 1"),
        (b"hello", "no_xml", "it begins with 'hel", "line 1"),
        (b'<?xml version="1.0"', "no_xml", "it is no XML document", "line 1"),
        (b"<!-- never ends", "no_xml", "it is no XML document", "line 1"),
        (b'<?xml version="1.0"?>\n', "no_xml", "no element is in it", "line 1"),
        (b"<a>1&e;2</a>", "malformed", "Entity 'e' not defined", "line 1, column 8"),
        (b"<a>\n<b>\n</a>", "malformed", "mismatch: b line 2 and a", "line 3, column 5"),
        (b"<a>\n<b>1</b>", "malformed", "Premature end of data in tag a", "line 2, column 9"),
        (b"<a>\x01</a>", "malformed", "invalid Char value 1", "line 1, column 4"),
        (b"<a/><b/>", "malformed", "Extra content", "line 1, column 5"),
        (b'<a b="1" b="2"/>', "malformed", "Attribute b redefined", "line 1, column 15"),
        (b"<a><x:b/></a>", "malformed", "Namespace prefix x", "line 1, column 8"),
        ("<a>\xe4</a>".encode("latin-1"), "malformed", "Invalid bytes in character encoding", "line 1, column 4"),
        (b'\n<?xml version="1.0"?><a/>', "malformed", "only at the start", "line 2, column 6"),
        (b'<?xml version="1.0" encoding="UTF-7"?><a/>', "encoding", "'UTF-7' is not read", "line 1"),
        (b'<?xml version="1.0" encoding="cp037"?><a/>', "encoding", "'cp037' is not read", "line 1"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "encoding", "'no-such' is not read", "line 1"),
        (b'<?xml version="1.0" encoding="UTF-16"?><a/>', "encoding", "of one byte", "line 1"),
        (b"<a>" * 300 + b"</a>" * 300, "malformed", "Excessive depth", "line 1, column 771"),
    ],
)
def test_what_is_no_document_is_told_with_its_place(
    door: Callable[[bytes], object], raw: bytes, code: str, said: str, position: str
) -> None:
    with pytest.raises(DecodeError, match=re.escape(said)) as caught:
        door(raw)
    assert (caught.value.code, caught.value.position) == (code, position)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-15", "windows-1252"])
def test_each_usual_encoding_is_read(encoding: str) -> None:
    declared = "utf-8" if encoding == "utf-8-sig" else encoding
    raw = f'<?xml version="1.0" encoding="{declared}"?><a>Größe €</a>'.encode(encoding)
    assert parse(raw).text == "Größe €"
    assert [each.text for each in Stream([raw[:5], raw[5:]], ["a"]).elements() if each.text] == ["Größe €"]


def test_limits_are_told_with_the_element() -> None:
    wide = b"<a><b/>\n<b %s/></a>" % b" ".join(b'a%d=""' % n for n in range(201))
    with pytest.raises(DecodeError, match=r"201 attributes of one element; at most 200 are read \(line 2\)") as caught:
        parse(wide)
    assert caught.value.field_path == "/a/b[2]"
    with pytest.raises(DecodeError, match="more than 200 elements in each other"):
        parse(b"<a>" * 201 + b"</a>" * 201)
    assert parse(b"<a>" * 200 + b"</a>" * 200).tag == "a"
    with pytest.raises(DecodeError, match="13 bytes of XML; at most 12 are read"):
        parse(b"<a>123456</a>", Limits(size=12))
    with pytest.raises(DecodeError, match="larger than 1,000 bytes"):
        list(Stream([b"<a><b>", *[b"1" * 100] * 20, b"</b></a>"], ["b"], size=1000).elements())


def test_a_text_may_be_long_where_the_document_may() -> None:
    assert len(parse(b"<a>" + b"x" * 12_000_000 + b"</a>").text or "") == 12_000_000


def elements(root: etree._Element) -> Iterator[etree._Element]:
    yield from root.iter()


def test_every_element_has_a_path_and_a_place() -> None:
    told = {path_of(each): str(place_of([INVOICE], path_of(each))) for each in elements(parse(INVOICE))}
    assert told == {
        "/Invoice": "3:1 (byte 60)",
        "/Invoice/cbc:ID": "4:3 (byte 104)",
        "/Invoice/Line[1]": "5:3 (byte 125)",
        "/Invoice/Line[1]/cbc:ID": "5:9 (byte 131)",
        "/Invoice/Line[2]": "5:34 (byte 156)",
        "/Invoice/Line[2]/cbc:ID[1]": "6:5 (byte 167)",
        "/Invoice/Line[2]/cbc:Note": "6:23 (byte 185)",
        "/Invoice/Line[2]/cbc:ID[2]": "6:34 (byte 196)",
    }
    assert place_of([INVOICE], "/Invoice/Line[3]") is None
    assert place_of([INVOICE[:100]], "/Invoice/Line[2]") is None


def test_paths_go_on_counting_where_what_was_before_is_gone() -> None:
    stream = Stream([INVOICE[n : n + 7] for n in range(0, len(INVOICE), 7)], ["{urn:i}Line", "{urn:c}Note"])
    assert [stream.path_of(each) for each in stream.elements()] == [
        "/Invoice/Line", "/Invoice/Line[2]/cbc:Note", "/Invoice/Line[2]",
    ]  # fmt: skip


def test_a_large_file_is_read_in_the_memory_of_its_parts() -> None:
    entry = b"<Ntry><Amt>1.00</Amt><Txt>" + b"x" * 500 + b"</Txt></Ntry>\n"

    def chunks() -> Iterator[bytes]:
        yield b"<Stmt><Id>1</Id>"
        for _ in range(200):
            yield entry * 100
        yield b"</Stmt>"

    tracemalloc.start()
    stream, count = Stream(chunks(), ["Ntry", "Stmt"]), 0
    for element in stream.elements():
        count += element.tag == "Ntry"
        if count == 1 and element.tag == "Ntry":
            parent = element.getparent()
            assert parent is not None
            assert [child.tag for child in parent][:2] == ["Id", "Ntry"]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert stream.root is not None
    assert len(stream.root) <= 1
    assert peak < 2_000_000


def test_a_chunk_of_any_size_is_read() -> None:
    raw = b"<a>" + b"<b>0123456789</b>" * 700_000 + b"</a>"
    assert len(raw) > 11_000_000
    assert sum(1 for each in Stream([raw], ["b"]).elements()) == 700_000


@example(b"<a/>", 1)
@given(st.binary(max_size=200), st.integers(min_value=1, max_value=7))
def test_nothing_but_its_own_error_comes_out(raw: bytes, size: int) -> None:
    for whole in (raw, b"<a>" + raw + b"</a>", INVOICE[: len(raw)] + raw + INVOICE[len(raw) :]):
        try:
            root = parse(whole)
        except DecodeError:
            root = None
        try:
            pieces = [whole[n : n + size] for n in range(0, len(whole), size)]
            tags = [each.tag for each in Stream(pieces, ["*"]).elements()]
        except DecodeError:
            tags = []
        if root is not None:
            assert sorted(tags) == sorted(each.tag for each in root.iter())
