"""What CI systems and people read of results: JUnit XML in the shape that all of them know, one page of HTML."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

from hub.golden import MISSING, Bench, Coverage, Difference, Result
from hub.golden.junit import junit_xml
from hub.golden.page import coverage_page, summary
from hub.golden.telling import result_dict, result_lines
from tests.unit.golden.bench import bench, results

AT = datetime(2026, 3, 5, 22, 30, tzinfo=UTC)
BAD = Result(
    "mappings/b/x.test.yaml", 4, "a <case> & its 'name'\x07", seconds=0.25,
    differences=(Difference("lines[0].a", "é", MISSING, 7, 9, "mappings/b/x.yaml:3:4: src.a"),),
)  # fmt: skip
RESULTS = [
    Result("mappings/a.test.yaml", 2, "one", seconds=0.5), Result("mappings/a.test.yaml", 2, "one", "properties"),
    BAD, Result("routes/r.test.yaml", 3, "two", problem="cannot <be> compared"),
]  # fmt: skip
# The attributes and children of the XML that Ant wrote first (windyroad/JUnit-Schema), which Jenkins' xUnit schema and
# the readers of GitLab, GitHub and Azure take as well; ``required`` ones are so in the stricter of the two schemas.
SHAPE: dict[str, tuple[set[str], set[str], list[str]]] = {
    "testsuites": (set(), set(), ["testsuite"]),
    "testsuite": (
        {"name", "timestamp", "hostname", "tests", "failures", "errors", "time", "package", "id"}, {"skipped"},
        ["properties", "testcase", "system-out", "system-err"],
    ),
    "testcase": ({"name", "classname", "time"}, set(), ["failure"]),
    "failure": ({"type"}, {"message"}, []),
    "properties": (set(), set(), []), "system-out": (set(), set(), []), "system-err": (set(), set(), []),
}  # fmt: skip


def check_shape(element: ElementTree.Element) -> None:
    required, optional, children = SHAPE[element.tag]
    assert required <= set(element.attrib) <= required | optional, element.tag
    order = [children.index(child.tag) for child in element]
    assert order == sorted(order)
    for name in {"tests", "failures", "errors", "skipped", "id"} & set(element.attrib):
        assert re.fullmatch(r"[0-9]+", element.attrib[name])
    if "time" in element.attrib:
        assert re.fullmatch(r"[0-9]+\.[0-9]+", element.attrib["time"])
    for child in element:
        check_shape(child)


def test_junit_has_the_shape_that_ci_systems_read() -> None:
    root = ElementTree.fromstring(junit_xml(RESULTS, AT))
    check_shape(root)
    suites = root.findall("testsuite")
    assert [(s.get("package"), s.get("name"), s.get("tests"), s.get("failures")) for s in suites] == [
        ("mappings", "a", "2", "0"), ("mappings.b", "x", "1", "1"), ("routes", "r", "1", "1"),
    ]  # fmt: skip
    assert [s.get("timestamp") for s in suites] == ["2026-03-05T22:30:00"] * 3
    for suite in suites:
        assert next(child.tag for child in suite) == "properties"
        assert [child.tag for child in suite][-2:] == ["system-out", "system-err"]


def test_junit_tells_what_differs_and_survives_odd_names() -> None:
    root = ElementTree.fromstring(junit_xml(RESULTS, AT))
    case = root.findall("testsuite")[1][1]
    assert (case.get("classname"), case.get("name")) == ("mappings.b.x", "a <case> & its 'name'�")
    failure = case[0]
    assert (failure.get("type"), failure.get("message")) == ("difference", "lines[0].a is not as expected")
    assert "expected  'é'   (mappings/b/x.test.yaml:7:9)" in (failure.text or "")
    assert "seen      nothing there   (mappings/b/x.yaml:3:4: src.a)" in (failure.text or "")


def test_a_result_for_programs_leaves_out_what_is_missing() -> None:
    assert result_dict(BAD)["differences"] == [
        {"path": "lines[0].a", "expected": "é", "line": 7, "column": 9, "origin": "mappings/b/x.yaml:3:4: src.a"}
    ]
    assert list(result_lines(RESULTS[3])) == ["  cannot <be> compared"]


class Page(HTMLParser):
    """Gathers the elements of a page; complains of those that are not closed."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def project() -> Bench:
    return bench()


@pytest.fixture(scope="module")
def page(project: Bench) -> str:
    case = "cases:\n- name: <script>alert(1)</script>\n  input: {id: 1, lines: [{name: a, qty: 1}]}\n  expected: {}\n"
    found = results(project, "mappings/order-in.test.yaml", case)
    return coverage_page(Coverage.of(project, found, ["mappings/order-in.yaml", "routes/r.yaml"]), found, "shop & co")


def test_the_page_needs_nothing_but_itself(page: str) -> None:
    found = Page(page).found
    outside = [
        (tag, attrs) for tag, attrs in found if set(attrs) & {"src", "srcset", "action", "data"} or tag == "link"
    ]
    assert outside == []
    assert [attrs["href"] for tag, attrs in found if tag == "a"] == ["#f0", "#f1"]
    assert "url(" not in page
    assert "@import" not in page
    assert "<script>alert" not in page


def test_the_page_can_be_walked_with_the_keyboard_and_read_in_the_dark(page: str) -> None:
    lines = [attrs for tag, attrs in Page(page).found if tag == "span" and str(attrs.get("class")).startswith("line")]
    stops = [attrs for attrs in lines if attrs.get("tabindex") == "0"]
    assert {str(attrs["class"]).split()[1] for attrs in stops} <= {"missed", "part"}
    assert stops
    assert "prefers-color-scheme: dark" in page
    assert "keydown" in page


def test_every_line_is_coloured_by_what_ran_of_it(page: str) -> None:
    def state(number: int, file: int = 0) -> str:
        found = re.search(rf'class="line ?([a-z]*)" id="f{file}l{number}"', page)
        assert found
        return found[1]

    # report_id ran; the loop did, but never over nothing; the unit's default ran, its look-up did not
    assert (state(7), state(11), state(15)) == ("ran", "part", "part")
    assert state(2) == ""
    assert state(8, 1) == "missed"
    assert '<span class="gap">xref(&#x27;shop&#x27;, &#x27;unit&#x27;, l.unit)</span>' in page


def test_the_summary_counts_what_never_ran(project: Bench) -> None:
    coverage = Coverage.of(project, [], ["mappings/order-out.yaml"])
    assert summary(coverage) == "3 of 3 expressions and 2 of 2 branches never ran (0.0 % covered)"
