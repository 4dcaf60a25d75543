"""SOAP envelopes: versions, headers, faults, files, and what is no envelope."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.errors import DecodeError, MappingError
from hub.formats import soap
from hub.formats._mime_parts import Part, joined, parts_of

FILE = base64.b64encode(b"%PDF \r\n--\x00\xff").decode()
FULL: dict[str, Any] = {
    "version": "1.2",
    "headers": {"m:Security": {"User": "a"}, "To": "x"},
    "must_understand": ["m:Security"],
    "body": {"m:Order": {"_id": "1", "Line": ["a", "b"]}},
    "attachments": [{"content_id": "f@1", "content_type": "application/pdf", "content": FILE}],
}
LOST = '<e:Body><a><i:Include xmlns:i="http://www.w3.org/2004/08/xop/include" href="cid:x"/></a></e:Body>'
OPTIONS = {"namespaces": {"m": "urn:m"}}


def envelope(inner: str, uri: str = soap.NAMESPACES["1.1"]) -> bytes:
    return f'<e:Envelope xmlns:e="{uri}">{inner}</e:Envelope>'.encode()


def test_an_envelope_with_all_there_is_goes_both_ways() -> None:
    written = soap.encode_one(FULL, OPTIONS)
    assert soap.decode_one(written, OPTIONS) == FULL
    assert written == soap.encode_one(FULL, OPTIONS)
    assert b'<m:Security xmlns:m="urn:m" soap:mustUnderstand="1"><User>a</User></m:Security>' in written


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_a_fault_goes_both_ways_in_the_words_of_its_version(version: str) -> None:
    given: dict[str, Any] = {
        "code": "Receiver", "reason": "no", "actor": "urn:r", "detail": {"E": {"_n": "1", "_text": "t"}}
    }  # fmt: skip
    if version == "1.2":
        given["subcodes"] = ["x", "y"]
    written = soap.encode_one({"version": version, "fault": given}, {})
    code = "Server" if version == "1.1" else "Receiver"
    assert soap.decode_one(written, {}) == {"version": version, "fault": {**given, "code": code}}


def test_a_fault_in_several_languages_tells_them_all() -> None:
    raw = envelope(
        "<e:Body><e:Fault><e:Code><e:Value>e:Sender</e:Value></e:Code><e:Reason><e:Text xml:lang='de'>nein</e:Text>"
        "<e:Text xml:lang='en'>no</e:Text></e:Reason><e:Node>urn:n</e:Node></e:Fault></e:Body>",
        soap.NAMESPACES["1.2"],
    )
    assert soap.decode_one(raw, {})["fault"] == {
        "code": "Sender", "reason": "nein", "actor": "urn:n",
        "reasons": [{"language": "de", "text": "nein"}, {"language": "en", "text": "no"}],
    }  # fmt: skip


def test_an_element_within_the_reason_of_a_fault_does_not_cut_it() -> None:
    fault = "<faultcode>e:Server</faultcode><faultstring>out of <b>stock</b> until May</faultstring>"
    found = soap.decode_one(envelope(f"<e:Body><e:Fault>{fault}</e:Fault></e:Body>"), {})
    assert found["fault"]["reason"] == "out of stock until May"


def test_an_empty_body_is_one() -> None:
    assert soap.decode_one(envelope("<e:Body/>"), {}) == {"version": "1.1", "body": {}}


def test_values_have_places_also_in_a_part() -> None:
    inner = envelope(
        "\n<e:Header><To>x</To></e:Header>\n<e:Body><Order>\n <Line/><Line no='2'/></Order></e:Body>\n",
    )
    whole = b"--b\r\nContent-ID: <a>\r\n\r\n" + inner + b"\r\n--b--"
    for raw, above in ((inner, 0), (whole, 3)):
        find = soap.places(raw, {}, 0)
        line = raw.index(b"<Line no")
        assert str(find(["body", "Order", "Line", 1, "_no"])) == f"{4 + above}:9 (byte {line})"
        assert str(find(["headers", "To"])) == f"{2 + above}:11 (byte {raw.index(b'<To>')})"
        assert find(["body", "Nothing"]) is None
    encoded = b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode(inner) + b"\r\n--b--"
    assert soap.decode_one(encoded, {}) == soap.decode_one(inner, {})
    assert soap.places(encoded, {}, 0)(["body"]) is None


def test_what_is_in_a_fault_has_its_place() -> None:
    raw = soap.encode_one({"version": "1.2", "fault": {"code": "Sender", "reason": "no", "detail": {"E": "t"}}}, {})
    find = soap.places(raw, {}, 0)
    assert find(["fault", "detail", "E"]).offset == raw.index(b"<E>")  # type: ignore[union-attr]
    assert find(["fault", "code"]).offset == raw.index(b"<soap:Fault>")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "document",
    [
        {"version": "1.1", "headers": {"_a": "1", "To": "x"}, "body": {"_w:Id": "b", "w:Order": {"ID": "4711"}}},
        {"version": "1.1", "fault": {"code": "Server", "reason": "no", "detail": "the ledger is closed"}},
        {"version": "1.2", "fault": {"code": "Sender", "reason": "no", "detail": {"_n": "1", "_text": "t", "E": "e"}}},
    ],
)
def test_attributes_and_text_of_header_body_and_detail_are_written_as_they_are_read(document: dict[str, Any]) -> None:
    options = {"namespaces": {"w": "urn:w"}}
    assert soap.decode_one(soap.encode_one(document, options), options) == document


def test_what_is_nothing_in_header_or_body_is_left_out_also_in_a_list() -> None:
    document = {"headers": {"To": [None, "x"]}, "body": {"Id": [None, "1", None, "2"], "Name": None}}
    read = soap.decode_one(soap.encode_one(document, {}), {})
    assert (read["headers"], read["body"]) == ({"To": "x"}, {"Id": ["1", "2"]})


@pytest.mark.parametrize(
    ("raw", "code", "said"),
    [
        (b"<a/>", "version_mismatch", "it is no SOAP envelope: the root element is a (line 1)"),
        (envelope("<e:Body/>", "urn:x"), "version_mismatch", "an Envelope of the namespace 'urn:x'"),
        (envelope(""), "malformed", "the envelope has neither Header nor Body"),
        (envelope("<Body/>"), "malformed", "the envelope has neither Header nor Body"),
        (envelope("<e:Body/><e:Header/>"), "malformed", "the envelope has Body, Header"),
        (envelope("<e:Body/><e:Body/>"), "malformed", "the envelope has Body, Body"),
        (b"<!DOCTYPE a>" + envelope("<e:Body/>"), "document_type", "it has a document type"),
        (b"--b\r\n\r\n<a/>\r\n--b\r\n\r\nx", "truncated", "the last part does not end"),
        (b"--b\r\n\r\n<a/>\r\n--b--", "version_mismatch", "the root element is a"),
        (b"--b--\r\n", "truncated", "the last part does not end"),
        (
            b"--b\n\n<a/>\n--b\nContent-Transfer-Encoding: base64\n\n%%\n--b--",
            "encoding",
            "part 2 is not the base64 that it says",
        ),
        (b"--b\n\n<a/>\n--b\nContent-Transfer-Encoding: x-uu\n\n%%\n--b--", "encoding", "part 2 has Content-Transfer"),
        (b"--b\n\n<a/>\n" + b"--b\n\n\n" * 1001 + b"--b--", "too_large", "at most 1,000 are read"),
        (b"--b\n\n" + envelope(LOST) + b"\n--b--", "no_such_part", "the file cid:x is not among the parts"),
    ],
)
def test_what_is_no_envelope_is_told(raw: bytes, code: str, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        soap.decode_one(raw, {})
    assert caught.value.code == code
    assert said in str(caught.value)


@pytest.mark.parametrize(("places", "is_read"), [(2, True), (3, False)])
def test_a_file_that_is_named_again_and_again_does_not_become_many(places: int, is_read: bool) -> None:
    body = LOST.replace("<e:Body>", "").replace("</e:Body>", "") * places
    raw = b"--b\n\n" + envelope(f"<e:Body>{body}</e:Body>") + b"\n--b\nContent-ID: <x>\n\n" + b"f" * 100 + b"\n--b--"
    if is_read:
        assert soap.decode_one(raw, {})["body"]["a"] == [base64.b64encode(b"f" * 100).decode()] * places
        return
    with pytest.raises(DecodeError, match="cid:x stands in too many places: all would be twice as large") as caught:
        soap.decode_one(raw, {})
    assert caught.value.code == "too_large"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], "not a mapping"),
        ({"bodi": {}}, "bodi: a field that an envelope does not have"),
        ({"version": "2"}, "version: '2'; expected '1.1' or '1.2'"),
        ({"body": {}, "fault": {}}, "fault: a body beside it; expected either of them"),
        ({"body": "x"}, "body: not a mapping"),
        ({"body": {"a": 1.5}}, "body.a: a binary float"),
        ({"headers": {"a": 1}, "must_understand": ["b"]}, "must_understand: 'b'; expected the name of one"),
        ({"version": "1.2", "fault": {"code": "Mine"}}, "fault.code: 'Mine'; expected one of Sender, Receiver"),
        ({"attachments": [{"content": "%"}]}, "attachments[0].content: text that is no base64"),
        ({"attachments": [{"content_type": "a\r\nX: y"}]}, "attachments[0].content_type: 'a\\r\\nX: y'; expected text"),
        ({"attachments": 5}, "attachments: not a list; expected a list"),
        ({"headers": {"To": "x"}, "must_understand": "To"}, "must_understand: not a list; expected a list"),
        (
            {"headers": {"To": "x"}, "must_understand": [["To"]]},
            "must_understand: a list or mapping; expected one value",
        ),
        ({"version": "1.2", "fault": {"code": "Sender", "subcodes": 5}}, "fault.subcodes: not a list; expected a list"),
        ({"attachments": [{"content_id": "a>b"}]}, "attachments[0].content_id: 'a>b'; expected text of ASCII"),
    ],
)
def test_what_cannot_be_written_is_told_with_its_path(document: Any, said: str) -> None:
    with pytest.raises(MappingError) as caught:
        soap.encode_one(document, {})
    assert said in str(caught.value)


@given(st.lists(st.binary(max_size=200), min_size=1, max_size=4))
def test_parts_come_out_as_they_went_in(contents: list[bytes]) -> None:
    parts = [Part(f"p{number}", "application/x", content) for number, content in enumerate(contents)]
    assert parts_of(joined(parts)) == parts


@given(st.binary(max_size=300))
def test_whatever_stands_behind_a_boundary_is_read_or_told(raw: bytes) -> None:
    for whole in (
        b"--b\r\n" + raw,
        b"--b\r\n" + raw + b"\r\n--b--",
        b"--b\n\n" + raw + b"\n--b\n" + raw + b"\n--b--\n",
    ):
        try:
            soap.decode_one(whole, {})
        except DecodeError as error:
            assert error.detail
