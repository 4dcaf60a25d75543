"""Test files: what they say, and where they say something wrong."""

from __future__ import annotations

import pytest

from hub.cases import MappingCase, RouteCase, case_faults, read_cases
from hub.routes import load_routes

MAPPING, ROUTE = "mappings/a.test.yaml", "routes/r.test.yaml"


def faults(text: str, file: str = MAPPING) -> list[str]:
    found = read_cases({file: text.encode()}, file, {}.get)
    return [str(fault).removeprefix(f"{file}:") for fault in found.faults]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: error: a test file holds keys such as company, got nothing"]),
        ("case: []", ["1:1: error: unknown key 'case' in a test file; did you mean 'cases'?",
                      "1:1: error: a test file wants cases: a list, each with its name"]),
        ("cases: [{name: a, inptu: 1}]", ["1:19: error: unknown key 'inptu' in a case; did you mean 'input'?",
         "1:9: error: a case wants its input: input, input_file or input_text"]),
        ("cases: [{input: 1}]", ["1:9: error: a case wants a name: what it is about"]),
        ("cases: [{name: a, input: 1}, {name: a, input: 1}]",
         ["1:30: error: two cases are called 'a', the first in line 1"]),
        ("cases: [{name: a, input: 1, expected: 1, error: x}]",
         ["1:49: error: a case expects a document or an error, not both"]),
        ("cases: [{name: a, input: 1, expected: 1, expected_file: x.json}]",
         ["1:42: error: expected and expected_file say the same thing; keep one"]),
        ("cases: [{name: a, input: 1, expected_file: x.json}]",
         ["1:44: error: there is no file mappings/x.json; the name is relative to this file"]),
        ("cases: [{name: a, input_file: ../../x.json}]",
         ["1:31: error: '../../x.json' leads out of the project; name a file within it"]),
        ("envelope: x\ncases: [{name: a, input: 1, company: [x]}]",
         ["2:38: error: company: expected a mapping, got a list",
          "1:11: error: envelope: expected a mapping, got text"]),
        ("cases: [{name: a, input: 1, record: 0}]",
         ["1:37: error: record: expected a whole number from 1, got 0"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_mappings_test_file(text: str, expected: list[str]) -> None:
    assert faults(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cases: [{name: a}]", "1:9: error: a case of a route wants receives: what comes in"),
        ("cases: [{name: a, receives: {event: x}}]",
         "1:29: error: receives wants what comes in: body, body_file or body_text"),
        ("at: yesterday\ncases: [{name: a, receives: {body: 1}}]",
         "1:5: error: at: expected a moment with its offset such as 2026-03-05T22:30:00Z, got 'yesterday'"),
        ("at: 2026-03-05T22:30:00\ncases: [{name: a, receives: {body: 1}}]",
         "1:5: error: at: expected a moment with its offset such as 2026-03-05T22:30:00Z, got '2026-03-05T22:30:00'"),
        ("cases: [{name: a, receives: {body: 1}, answers: {erp: {fails: never}}}]",
         "1:63: error: fails is one of connect, timeout; known: connect, timeout"),
        ("cases: [{name: a, receives: {body: 1}, expected: {state: rooted}}]",
         "1:58: error: state is one of routed, filtered, dead; did you mean 'routed'?"),
        ("cases: [{name: a, receives: {body: 1}, expected: {deliveries: [{state: dead}]}}]",
         "1:64: error: an expected delivery wants to: the target's id"),
        ("cases: [{name: a, receives: {body: 1}, expected: {deliveries: [{to: erp, boddy: 1}]}}]",
         "1:74: error: unknown key 'boddy' in an expected delivery; did you mean 'body'?"),
        ("cases: [{name: a, receives: {body: 1}, expected: {messages: [], state: dead}}]",
         "1:50: error: expected says messages or what becomes of the only one, not both"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_routes_test_file(text: str, expected: str) -> None:
    assert expected in faults(text, ROUTE)


TWO = b"""
- {route: one, from: {system: shop}, map: m, to: [{system: erp}]}
- {route: two, from: {system: shop}, map: m, to: [{system: erp}, {system: wms}]}
"""


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("{name: a, receives: {body: 1}}", "1:9: error: write which route the case is of: route: one or two"),
        ("{name: a, route: tow, receives: {body: 1}}",
         "1:26: error: unknown route 'tow'; did you mean 'two'?"),
        ("{name: a, route: one, receives: {body: 1}, answers: {wms: 200}}",
         "1:62: error: the route has no target 'wms'; known: erp"),
        ("{name: a, route: two, receives: {body: 1}, expected: {deliveries: [{to: wsm}]}}",
         "1:81: error: the route has no target 'wsm'; did you mean 'wms'?"),
    ],
)  # fmt: skip
def test_a_route_and_targets_that_are_not_there_are_told(case: str, expected: str) -> None:
    files = {"routes/r.yaml": TWO, ROUTE: f"cases: [{case}]".encode()}
    routes, none = load_routes(files)
    assert none == []
    assert [str(fault) for fault in case_faults(files, files, routes)] == [f"{ROUTE}:{expected}"]


def test_a_test_of_nothing_is_told() -> None:
    [fault] = case_faults({MAPPING: b"cases: []"}, [MAPPING], [])
    assert str(fault) == f"{MAPPING}:1:1: error: there is no mappings/a.yaml that this could be the test of"


def test_a_case_takes_what_the_file_says_for_all() -> None:
    text = b"company: {name: A}\nenvelope: {id: m}\ncases:\n- {name: x, input_text: 'a,b', company: {name: B}}\n"
    [case] = read_cases({MAPPING: text}, MAPPING).cases
    assert isinstance(case, MappingCase)
    assert (case.company, case.envelope, case.input.raw) == ({"name": "B"}, {"id": "m"}, b"a,b")


def test_an_answer_is_a_status_or_says_more_and_several_come_in_turn() -> None:
    text = b"""
cases:
- {name: x, receives: {body: 1}, answers: {a: 503, b: [{fails: timeout, look_up: 200}, {body: {x: 1.50}}]}}
"""
    [case] = read_cases({ROUTE: text}, ROUTE).cases
    assert isinstance(case, RouteCase)
    [one], [first, second] = case.answers["a"], case.answers["b"]
    assert (one.status, first.fails, second.body) == (503, "timeout", b'{"x":1.50}')
    assert first.look_up is not None
