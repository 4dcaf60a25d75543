"""Whatever bytes come, a profile has a verdict; whatever path a schema or a rule tells, nothing breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from xml_documents import INVOICE

from hub.formats._xml import parse, path_of
from hub.formats._xml_places import places_of
from hub.profiles.faults import RuleFault, element_at, located
from hub.profiles.judge import Judge
from hub.project import reference_files

JUDGE = Judge(reference_files())
ROOT = parse(INVOICE)
EDITS = st.lists(
    st.tuples(st.integers(0, len(INVOICE)), st.integers(0, 40), st.binary(max_size=12)), min_size=1, max_size=4
)
SNIPPETS = st.sampled_from([
    b"<cbc:ID/>", b"&amp;", b"&e;", b"<!-- -->", b"<?x?>", b"<![CDATA[1]]>", b" schemeID='x'", b"\x00", b"\xff",
    b"-0.00", b"1,00", b"0000-00-00", b"xmlns:x='urn:x'", b"</cac:InvoiceLine>", b"<x:y/>", b"\xef\xbb\xbf",
])  # fmt: skip


@settings(deadline=None, max_examples=300)  # the first one loads the schema
@given(EDITS, st.lists(st.tuples(st.integers(0, len(INVOICE)), SNIPPETS), max_size=3))
def test_a_verdict_on_anything(edits: list[tuple[int, int, bytes]], snippets: list[tuple[int, bytes]]) -> None:
    raw = INVOICE
    for at, length, new in edits:
        raw = raw[:at] + new + raw[at + length :]
    for at, new in snippets:
        raw = raw[:at] + new + raw[at:]
    verdict = JUDGE.verdict("ubl-invoice", raw)
    assert verdict.is_valid == (not verdict.faults)
    for fault in verdict.faults:
        assert fault.rule and fault.message
        assert "{" not in fault.xpath


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_a_verdict_on_any_bytes(raw: bytes) -> None:
    assert not JUDGE.verdict("ubl-invoice", raw).is_valid


@given(st.text("/*:[]@Q{}'=()0123456789abcInvoiceLine-uri", max_size=60))
def test_any_path_leads_to_an_element_or_nowhere(path: str) -> None:
    element_at(ROOT, path)
    assert located(ROOT, RuleFault("R", "error", "m", xpath=path)).rule == "R"


def test_every_element_is_found_again_by_its_path_and_has_its_place() -> None:
    elements = list(ROOT.iter())
    paths = [path_of(element) for element in elements]
    assert [element_at(ROOT, path) for path in paths] == elements
    places = places_of([INVOICE], paths)
    assert list(places) and set(places) == set(paths)
    for element, path in zip(elements, paths, strict=True):
        place = places[path]
        assert place.line == element.sourceline
        assert INVOICE[place.offset :].startswith(f"<{path.rpartition('/')[2].partition('[')[0]}".encode())
