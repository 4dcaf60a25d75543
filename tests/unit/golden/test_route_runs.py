"""Cases of routes: the whole hub, from what the door takes to what its connectors would send."""

from __future__ import annotations

from typing import Any

import pytest

from hub.golden import Bench, Coverage, Result
from hub.yamldoc import parse_yaml
from tests.unit.golden.bench import FILES, ROUTES, SYSTEMS, bench, results

FILE = "routes/r.test.yaml"
ORDER = "{id: 7, lines: [{name: a, qty: 1}, {name: b, qty: 2}]}"


@pytest.fixture(scope="module")
def project() -> Bench:
    return bench()


def run(found: Bench, expected: str, receives: str = "", answers: str = "{}", **case: str) -> Result:
    more = "".join(f"  {name}: {value}\n" for name, value in case.items())
    receives = receives or f"{{event: order, body: {ORDER}}}"
    said = f"  expected: {expected}\n" if expected else ""
    route = "" if "route" in case else "  route: orders\n"
    text = f"cases:\n- name: x\n{route}{more}  receives: {receives}\n  answers: {answers}\n{said}"
    [result] = results(found, FILE, text)
    return result


def told(result: Result) -> list[str]:
    return [each.path for each in result.differences] or [result.problem] * bool(result.problem)


ALL = "deliveries: [{to: erp}, {to: files}, {to: crm}]"


def test_requests_are_those_that_the_connectors_would_make(project: Bench) -> None:
    result = run(project, """
    key: "stock::main"
    deliveries:
    - to: erp
      system: erp
      lane: "7"
      attempts: 1
      request: POST /api/orders/main
      headers: {Host: erp.example, authorization: "Bearer {secret}", Idempotency-Key: "{key}",
                Content-Length: "33", Content-Type: application/json}
      idempotency_key: "{delivery_id}.1"
      body: {ref: '7', lines: 2, total: 3}
    - {to: files, after: erp, request: "done/main.json", body_text: '{"ref":"7","lines":2,"total":3}'}
    - {to: crm, after: '', request: POST /, body_text: "ref,lines\\r\\n7,2\\r\\n"}
    """)  # fmt: skip
    [wrong] = result.differences
    assert (wrong.path, wrong.expected, wrong.seen) == ("erp.headers.Content-Length", "33", "31")


@pytest.mark.parametrize(
    ("expected", "paths"),
    [
        (f"{{{ALL}}}", []),
        ("{deliveries: [{to: erp}, {to: files}]}", ["crm"]),
        ("{deliveries: [{to: erp}, {to: crm}]}", ["files"]),
        ("{}", ["erp", "files", "crm"]),
        (f"{{state: dead, {ALL}}}", ["state"]),
        ("{deliveries: [{to: erp, state: held}, {to: files}, {to: crm}]}", ["erp.state"]),
        ("{deliveries: [{to: erp, body: {ref: '8', lines: 2, total: 3}}, {to: files}, {to: crm}]}", ["erp.body.ref"]),
        ("{deliveries: [{to: erp}, {to: files}, {to: crm, after: erp}]}", ["crm.after"]),
        ("{deliveries: [{to: erp}, {to: files, after: crm}, {to: crm}]}", ["files.after"]),
        ("{deliveries: [{to: erp, headers: {X-No: a}}, {to: files}, {to: crm}]}", ["erp.headers.X-No"]),
        ("{deliveries: [{to: erp, request: PUT /}, {to: files}, {to: crm}]}", ["erp.request"]),
        ("{deliveries: [{to: erp, reply: {state: routed}}, {to: files}, {to: crm}]}", ["erp.reply"]),
        (f"{{error: {{class: mapping}}, {ALL}}}", ["error"]),
        (f"{{messages: [{{{ALL}}}, {{{ALL}}}]}}", ["messages[1]"]),
    ],
)  # fmt: skip
def test_what_is_said_must_hold_and_every_delivery_be_named(project: Bench, expected: str, paths: list[str]) -> None:
    assert told(run(project, expected)) == paths


@pytest.mark.parametrize(
    ("receives", "expected"),
    [
        ("{event: order, body: {id: 7, lines: [{name: a, qty: 1}]}}", "{deliveries: [{to: erp}, {to: crm}]}"),
        ("{headers: {X-Event: order}, body: " + ORDER + "}", f"{{{ALL}}}"),
        ("{event: other, body: {}}", "{state: dead, error: {class: no_route, step: route}}"),
        ("{event: ping, body: {}}", "{state: filtered}"),
        ("{event: order, body_text: 'x'}", "{state: dead, error: {class: parse, step: decode}}"),
        ("{event: order, body: {lines: []}}",
         "{state: dead, error: {class: mapping, step: map, field: report_id, detail: would be nothing}}"),
        ("{event: order, body: {id: 1, lines: []}}", "{state: dead, error: {class: schema, step: validate}}"),
        ("{event: order, body: {id: 1, lines: [{name: a, qty: 1, unit: box}]}}",
         "{state: dead, error: {class: mapping, field: 'stock_lines[0].available_quantity.unit_code'}}"),
    ],
)  # fmt: skip
def test_filtered_and_dead_documents_say_why(project: Bench, receives: str, expected: str) -> None:
    assert told(run(project, expected, receives)) == []


def test_what_is_expected_of_a_document_that_never_came_so_far_is_a_difference(project: Bench) -> None:
    expected = "{key: 'order:1', place: line 7, document: {a: 1}, deliveries: [{to: erp}]}"
    paths = told(run(project, expected, "{event: other, body: {}}"))
    assert paths == ["state", "error", "key", "place", "document", "erp"]


def test_what_is_expected_of_a_request_that_was_never_made_is_a_difference(project: Bench) -> None:
    request = "request: POST /, headers: {X: a}, idempotency_key: k, body_text: x"
    expected = f"{{deliveries: [{{to: erp, state: dead}}, {{to: files, {request}}}, {{to: crm}}]}}"
    paths = told(run(project, expected, answers="{erp: [422]}"))
    names = ("state", "error", "request", "idempotency_key", "headers.X", "body")
    assert [path for path in paths if path.startswith("files")] == [f"files.{name}" for name in names]


def test_cross_references_are_there_from_the_start(project: Bench) -> None:
    receives = "{event: order, body: {id: 1, lines: [{name: a, qty: 1, unit: box}]}}"
    xrefs = "[{system: shop, kind: unit, id: box, value: XBX}]"
    result = run(project, "{deliveries: [{to: erp}, {to: crm}]}", receives, xrefs=xrefs)
    assert told(result) == []


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ("{erp: 422}", """{deliveries: [
           {to: erp, state: dead, attempts: 1, error: {class: remote_rejected, code: http_422}},
           {to: files, state: held, after: erp, error: {code: predecessor_dead}}, {to: crm}]}"""),
        ("{erp: 503}", """{deliveries: [
           {to: erp, state: dead, attempts: 3, error: {class: remote_error, code: http_503}},
           {to: files, state: held, error: {code: predecessor_dead}}, {to: crm}]}"""),
        ("{erp: [503, 201]}", "{deliveries: [{to: erp, attempts: 2}, {to: files}, {to: crm}]}"),
        ("{crm: 400}", """{deliveries: [
           {to: erp}, {to: files}, {to: crm, state: skipped, error: {code: http_400}}]}"""),
        ("{erp: {status: 500, body: {final: true}}}", """{deliveries: [
           {to: erp, state: dead, attempts: 1, error: {code: http_500, detail: 'the rule permanent'}},
           {to: files, state: held, error: {code: predecessor_dead}}, {to: crm}]}"""),
        ("{erp: {fails: connect}}", """{deliveries: [
           {to: erp, state: dead, attempts: 3, error: {class: connection}},
           {to: files, state: held, error: {code: predecessor_dead}}, {to: crm}]}"""),
        ("{erp: [{fails: timeout, look_up: {status: 200}}]}",
         "{deliveries: [{to: erp, state: delivered}, {to: files}, {to: crm}]}"),
        ("{erp: [{fails: timeout}, 201]}", "{deliveries: [{to: erp, state: delivered}, {to: files}, {to: crm}]}"),
        ("{erp: [{fails: timeout, look_up: 400}]}", """{deliveries: [
           {to: erp, state: held, error: {code: http_400}}, {to: files, state: queued}, {to: crm}]}"""),
    ],
)  # fmt: skip
def test_answers_have_the_consequences_that_they_have_in_a_hub(project: Bench, answers: str, expected: str) -> None:
    result = run(project, expected, answers=answers)
    assert told(result) == [], result.differences


def test_what_has_too_little_time_for_its_tries_expires() -> None:
    routes = ROUTES.replace(b"reply: {map: answer}", b"expires: 20s")
    expected = """{deliveries: [{to: erp, state: expired, attempts: 2, error: {class: expired, code: not_in_time}},
      {to: files, state: held, error: {code: predecessor_expired}}, {to: crm}]}"""
    assert told(run(bench(routes=routes), expected, answers="{erp: 503}")) == []


def test_an_answer_becomes_a_message(project: Bench) -> None:
    answers = "{erp: {status: 201, body: {number: 70001}}}"
    expected = "{deliveries: [{to: erp, reply: {key: K, document: {report_id: '1'}}}, {to: files}, {to: crm}]}"
    result = run(project, expected, answers=answers)
    assert ("erp.reply.document.report_id", "1", "70001") in [(d.path, d.expected, d.seen) for d in result.differences]
    broken = run(project, f"{{{ALL}}}", answers="{erp: {status: 201, body: {}}}")
    assert told(broken) == ["erp.reply.error"]


def test_a_file_of_many_records_gives_many_messages(project: Bench) -> None:
    receives = '{name: a.csv, body_text: "id,name,qty,unit\\r\\n1,a,1,\\r\\n1,b,1,\\r\\n2,,1,\\r\\n"}'
    expected = """
    messages:
    - {place: line 2, deliveries: [{to: files, body: {ref: '1', lines: 2, total: 2}}]}
    - {place: line 4, state: dead, error: {class: schema}}
    """
    assert told(run(project, expected, receives, route="rows")) == []


def test_the_wrong_route_is_told(project: Bench) -> None:
    receives = (
        '{system: shop, event: order, body_text: "{\\"id\\": 1, \\"lines\\": [{\\"name\\": \\"a\\", \\"qty\\": 1}]}"}'
    )
    assert told(run(project, "{}", receives, route="rows")) == ["the route 'orders' takes it, not 'rows'"]


def test_what_was_seen_can_be_written_as_what_is_expected(project: Bench) -> None:
    filled: Any = run(project, "").update["expected"]
    assert [each["to"] for each in filled["deliveries"]] == ["erp", "files", "crm"]
    assert filled["deliveries"][0]["body"] == {"ref": "7", "lines": 2, "total": 3}
    expected = "{deliveries: [{to: erp, request: x, headers: {idempotency-key: y}}, {to: crm}]}"
    changed: Any = run(project, expected).update["expected"]
    assert changed["deliveries"][0] == {
        "to": "erp", "request": "POST /api/orders/main", "headers": {"idempotency-key": "{key}"},
    }  # fmt: skip
    assert [each["to"] for each in changed["deliveries"]] == ["erp", "files", "crm"]


@pytest.mark.parametrize(
    ("expected", "answers"),
    [("{state: dead, error: {class: mapping}}", "{}"), (f"{{{ALL}}}", "{erp: 422}"), ("", "{erp: 422}")],
)
def test_an_update_writes_no_error_and_over_none(project: Bench, expected: str, answers: str) -> None:
    result = run(project, expected, answers=answers)
    assert not result.passed
    assert not result.update
    assert "change it by hand" in result.why_not


def test_ids_and_times_are_the_same_every_time(project: Bench) -> None:
    assert (
        run(project, "", answers="{erp: 503, crm: 503}").differences
        == run(project, "", answers="{erp: 503, crm: 503}").differences
    )
    first, again = (run(project, "").update for _ in range(2))
    assert first == again


def test_coverage_of_a_route_counts_conditions_targets_and_replies(project: Bench) -> None:
    one = run(project, "", "{event: order, body: {id: 7, lines: [{name: a, qty: 1}]}}")
    [file] = Coverage.of(project, [one], ["routes/r.yaml"]).files
    missed = [(probe.way, probe.text) for probe in file.missed]
    assert ("when holds", "count(src.stock_lines) > 1") in missed
    assert ("it is sent to", "files") in missed
    assert ("its answer becomes a message", "erp") in missed
    assert ("it is sent to", "erp") not in missed
    two = run(project, "", answers="{erp: {body: {number: 1}}}")
    [file] = Coverage.of(project, [one, two], ["routes/r.yaml"]).files
    assert [(probe.line, probe.way) for probe in file.missed] == [(14, "it is sent to")]
    mapping = Coverage.of(project, [two], ["mappings/answer.yaml"])
    assert mapping.percent == 100


def test_nothing_of_a_route_is_built_anew_for_its_test() -> None:
    """A change of the route itself is seen by its test: the order after the ERP, the retries, the error policy."""
    changed = bench(routes=ROUTES.replace(b"after: erp, ", b"").replace(b"attempts: 3", b"attempts: 2"))
    assert told(run(changed, "{deliveries: [{to: erp}, {to: files, after: erp}, {to: crm}]}")) == ["files.after"]
    assert parse_yaml(ROUTES.decode(), "r").is_list
    down = run(changed, "{deliveries: [{to: erp, state: dead, attempts: 3, error: {}}, {to: files}, {to: crm}]}",
               answers="{erp: 503}")  # fmt: skip
    assert told(down) == ["erp.attempts"]


COLLECTING = ROUTES.replace(
    b"{system: files, map: order-out}", b"{system: days, map: rows-out, collect: {at: '18:00'}}"
)


def test_what_is_collected_is_expected_of_each_that_went_in_it() -> None:
    systems = SYSTEMS + b'days: {connector: file, root: out, send: {folder: done, name: "{count}-{batch_id}.csv"}}'
    found = bench({**FILES, "config/systems.yaml": systems}, routes=COLLECTING)
    rows = "[{ref: '1', lines: '1'}, {ref: '2', lines: '1'}]"
    each = f"{{deliveries: [{{to: days, request: 'done/2-{{delivery_id}}.csv', body: {rows}}}]}}"
    receives = '{body_text: "id,name,qty\\n1,a,2\\n2,b,3\\n"}'
    assert told(run(found, f"{{messages: [{each}, {each}]}}", receives, route="rows")) == []
    wrong = each.replace("lines: '1'}]", "lines: '2'}]")
    paths = told(run(found, f"{{messages: [{each}, {wrong}]}}", receives, route="rows"))
    assert paths == ["messages[1].days.body[1].lines"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("name: C-1.csv,", "{deliveries: [{to: files}]}"), ("", "{deliveries: [{to: files}]}"),
        ("name: D-1.csv,", "{state: dead, error: {class: no_route}}"),
    ],
)  # fmt: skip
def test_a_file_is_what_its_name_says(name: str, expected: str) -> None:
    systems = SYSTEMS.replace(b"{folder: inbox}", b"{folder: inbox, events: {count: 'C*', dog: 'D*'}}")
    routes = ROUTES.replace(b"from: {system: drop}", b"from: {system: drop, event: count}")
    found = bench({**FILES, "config/systems.yaml": systems}, routes=routes)
    receives = f'{{{name} body_text: "id,name,qty,unit\\n7,a,1,\\n"}}'
    assert told(run(found, expected, receives, route="rows")) == []
