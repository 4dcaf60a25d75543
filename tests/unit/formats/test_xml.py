"""XML of any kind: how elements become fields and back, records, places, and what cannot be written."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import DecodeError, MappingError
from hub.formats import BadRecord, Record, xml
from hub.functions import functions

ORDERS = b"""<Orders xmlns="urn:o" xmlns:c="urn:c" made="x">
 <Order id="1"><c:ID>7</c:ID><Line>1</Line></Order>
 <Lost><Order>none</Order></Lost>
 <Order><Line>1</Line><Line>2</Line></Order>
</Orders>"""


XSI_URI = "http://www.w3.org/2001/XMLSchema-instance"
XSI = f'xmlns:i="{XSI_URI}"'.encode()


def values(raw: bytes, **options: Any) -> list[Any]:
    return [record.value for record in xml.decode([raw], options)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"<a/>", ""),
        (b"<a>1</a>", "1"),
        (b"<a> 1 </a>", " 1 "),
        (b'<a x="1"/>', {"_x": "1", "_text": ""}),
        (b'<a x="1">2</a>', {"_x": "1", "_text": "2"}),
        (b"<a>\n <b>1</b>\n</a>", {"b": "1"}),
        (b"<a><b>1</b><c/><b>2</b></a>", {"b": ["1", "2"], "c": ""}),
        (b"<a>x <b>1</b> y</a>", {"b": "1", "_text": "x  y"}),
        (b'<a x="1"><x>2</x><_x>3</_x></a>', {"_x": "1", "x": "2", "__x": "3"}),
        (b"<a %b><b i:nil='true'/></a>" % XSI, {"b": None}),
        (b"<a %b><b i:nil='true' reason='n'/></a>" % XSI, {"b": {"_reason": "n", "_text": None}}),
        (b"<a %b i:schemaLocation='urn:o o.xsd'><b i:type='c:d'>1</b><b i:nil='false'/></a>" % XSI, {"b": ["1", ""]}),
        (b"<a %b type='rush' i:type='c:d'/>" % XSI, {"_type": "rush", "_text": ""}),
        (b"<a %b i:type='c:d' type='rush'/>" % XSI, {"_type": "rush", "_text": ""}),
        (b"<a id='1' text='urgent'/>", {"_id": "1", "_text": "urgent"}),
        (b"<a text='urgent'> <b>1</b> </a>", {"_text": "urgent", "b": "1"}),
    ],
)
def test_an_element_is_its_text_or_its_fields(raw: bytes, value: Any) -> None:
    assert xml.decode_one(raw, {}) == {"a": value}


def test_attributes_of_a_namespace_that_is_named_are_told_apart() -> None:
    raw = b"<a %b type='rush' i:type='c:d' xmlns:l='urn:l' l:text='x'>1<b i:nil='1'/></a>" % XSI
    options = {"namespaces": {"xsi": XSI_URI, "link": "urn:l"}}
    value = {"_type": "rush", "_xsi:type": "c:d", "_link:text": "x", "b": None, "_text": "1"}
    assert values(raw, **options) == [{"a": value}]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"<a>\n<b x='1' l:x='2'/></a>", "element b: two attributes are both '_x' in a document"),
        (b"<a>\n<b l:x='2' x='1'/></a>", "element b: two attributes are both '_x' in a document"),
        (
            b"<a>\n<b id='1' text='urgent'>x</b></a>",
            "element b: an attribute 'text' cannot be told from its text, '_text' in",
        ),
        (b"<a>\n<b l:text='5'><c>1</c>y</b></a>", "element b: an attribute 'text' cannot be told from its text"),
        (
            b"<a>\n<b _x='1'><_x>2</_x></b></a>",
            "element b: an attribute and an element in it are both '__x' in a document",
        ),
    ],
)
def test_what_would_have_one_name_in_a_document_is_refused_with_its_line(raw: bytes, said: str) -> None:
    raw = raw.replace(b"<a>", b"<a xmlns:l='urn:l'>")
    with pytest.raises(DecodeError) as caught:
        xml.decode_one(raw, {})
    assert said in str(caught.value)
    assert caught.value.position == "line 2"
    assert ("namespaces: {prefix: 'urn:l'}" in caught.value.hint) == (b" l:" in raw)
    bad, good = xml.decode([raw.replace(b"</a>", b"<b>1</b></a>")], {"records": "a.b"})
    assert isinstance(bad, BadRecord) and bad.raw.startswith(b"<b ") and bad.error.position == "line 2"
    assert isinstance(good, Record) and (good.value, good.index) == ("1", 1)


def test_what_is_always_a_list_or_an_object_is_said_by_its_name() -> None:
    raw = b"<a><Line>1</Line><Price>2</Price></a>"
    assert values(raw, lists=["Line", "Tax"], objects=["Price"]) == [
        {"a": {"Line": ["1"], "Price": {"_text": "2"}}}
    ]  # fmt: skip


def test_records_stand_at_their_path_alone() -> None:
    given = list(xml.decode([ORDERS[:40], ORDERS[40:]], {"records": "Orders.Order", "namespaces": {"k": "urn:c"}}))
    assert [(each.value, each.position, each.index) for each in given] == [  # type: ignore[union-attr]
        ({"_id": "1", "k:ID": "7", "Line": "1"}, "line 2", 0),
        ({"Line": ["1", "2"]}, "line 4", 1),
    ]
    with pytest.raises(DecodeError, match=r"no element Order.Line in it; its root is Orders \(line 1\)"):
        values(ORDERS, records="Order.Line")


def test_what_stands_before_a_fault_is_read() -> None:
    records = xml.decode([ORDERS[:-9]], {"records": "Orders.Order"})
    assert [next(records).index, next(records).index] == [0, 1]
    with pytest.raises(DecodeError, match="Premature end of data"):
        next(records)


def test_each_value_has_its_place() -> None:
    first = xml.places(ORDERS, {}, 0)
    asked: list[list[str | int]] = [
        ["Orders"], ["Orders", "_made"], ["Orders", "Order", 1, "Line", 1], ["Orders", "Order", 0, "ID"],
        ["Orders", "Order", 7], ["Else"], ["Orders", "Order", 0, "_id"],
    ]  # fmt: skip
    assert [str(first(steps)) for steps in asked] == [
        "1:1 (byte 0)", "1:1 (byte 0)", f"4:23 (byte {ORDERS.index(b'<Line>2')})",
        f"2:16 (byte {ORDERS.index(b'<c:ID')})", "None", "None", f"2:2 (byte {ORDERS.index(b'<Order ')})",
    ]  # fmt: skip
    second = xml.places(ORDERS, {"records": "Orders.Order"}, 1)
    assert str(second(["Line", 0])) == f"4:9 (byte {ORDERS.index(b'<Line>1</Line><Line')})"
    assert xml.places(ORDERS, {"records": "Orders.Order"}, 2)(["Line"]) is None


def test_documents_are_written_in_the_order_of_their_fields() -> None:
    document = {
        "o:Order": {
            "_id": 7, "o:Total": {"_text": Decimal("1E+2"), "_currency": "EUR"}, "None": None,
            "Line": [1, {"No": True}], "Empty": "", "Text": 'a < "b" & c\r',
            "_note": 'a "b"\n', "Of": {}, "_text": "mixed",
        }
    }  # fmt: skip
    written = xml.encode_one(document, {"namespaces": {"o": "urn:o", "": "urn:d"}, "indent": 1})
    assert written.decode() == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<o:Order xmlns:o="urn:o" xmlns="urn:d" id="7" note="a &quot;b&quot;&#10;">mixed\n'
        ' <o:Total currency="EUR">100</o:Total>\n <Line>1</Line>\n <Line>\n  <No>true</No>\n </Line>\n <Empty/>\n'
        ' <Text>a &lt; "b" &amp; c&#13;</Text>\n <Of/>\n</o:Order>'
    )


@pytest.mark.parametrize(
    ("document", "options", "said"),
    [
        ({"a": 1.5}, {}, "a: a binary float; expected an exact decimal"),
        ({"a": {"b": [1, 2.5]}}, {}, "a.b[1]: a binary float; expected an exact decimal"),
        ({"a": {"_b": []}}, {}, "a._b: a list or mapping; expected one value"),
        ({"a": {"b": Decimal("NaN")}}, {}, "a.b: a number that is none; expected a finite number"),
        ({"a": "x\x07"}, {}, "a: the character U+0007, which XML does not have; expected text without it"),
        ({"a b": 1}, {}, "a b: 'a b' as the name of an element or attribute; expected a name that XML allows"),
        ({"a": {"_1": 1}}, {}, "a: '1' as the name of an element or attribute; expected a name that XML allows"),
        ({"a:b": 1}, {}, "a:b: the prefix 'a'; expected one that namespaces: declares (none)"),
        ({"a": 1, "b": 2}, {}, "not a mapping with one root element"),
        ({"a": [1, 2]}, {}, "not a mapping with one root element"),
        ([1], {}, "not a mapping with one root element"),
        ({"a": b"x"}, {}, "a: what XML cannot carry; expected text, a number, true or false"),
    ],
)
def test_what_cannot_be_written_is_told_with_its_path(document: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(MappingError) as caught:
        xml.encode_one(document, options)
    assert said in str(caught.value)


def test_the_hint_for_a_binary_float_names_a_function_that_there_is() -> None:
    with pytest.raises(MappingError) as caught:
        xml.encode_one({"a": 1.5}, {})
    assert caught.value.hint == "use dec(…), or a text" and "dec" in functions()


def test_several_documents_need_a_path() -> None:
    with pytest.raises(MappingError, match="2 documents for one file of XML"):
        xml.encode([{"a": 1}, {"a": 2}], {})
    written = xml.encode([{"Line": 1}, {"Line": 2}], {"records": "Orders.Order"})
    assert written.endswith(b"<Orders><Order><Line>1</Line></Order><Order><Line>2</Line></Order></Orders>")


NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9.-]{0,8}", fullmatch=True)
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=20)
VALUES = st.recursive(
    TEXT,
    lambda inner: st.one_of(
        st.dictionaries(NAMES, inner, min_size=1, max_size=4),
        st.dictionaries(NAMES, st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=2),
        st.builds(lambda name, text: {f"_{name}": text, "_text": text}, NAMES, TEXT),
    ),
    max_leaves=12,
)


@given(NAMES, VALUES)
def test_what_is_written_is_read_again(name: str, value: Any) -> None:
    """U+FFFE and U+FFFF are characters of no XML."""
    try:
        written = xml.encode_one({name: value}, {})
    except MappingError as error:
        assert "which XML does not have" in str(error)
        return
    assert xml.decode_one(written, {}) == {name: value}
