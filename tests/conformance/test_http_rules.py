"""The http connector: rules of success, tokens and credentials."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from scripted_server import Line, Request, Script, ScriptedServer, always
from sending import TOKEN_TROUBLE, Gate, brief, make, oauth2, parcel, send

from connectors.base import (
    DELIVERED,
    DOUBT,
    FOUND,
    REFUSED,
    STOPPED,
)

# Rules


def test_an_error_inside_a_200_is_not_success(make: Any) -> None:
    rules = {
        "success": lambda status, body, headers: "error" not in body,
        "permanent": lambda status, body, headers: body["error"][0] == "UserError",
    }
    answers = [b'{"error": ["UserError", "no such party"]}', b'{"error": ["Busy", ""]}', b'{"result": 1}']

    async def script(request: Request, line: Line) -> None:
        await line.answer(200, answers[request.number - 1])

    with ScriptedServer(script) as server:
        to = make(server, **rules)
        seen = [brief(send(to, parcel(number))[0]) for number in range(3)]
        assert seen == [(REFUSED, "http_200"), (DOUBT, "error_in_success"), (DELIVERED, "")]


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        (lambda status, body, headers: body["id"], "7"),
        (lambda status, body, headers: headers["location"], "/orders/7"),
        (lambda status, body, headers: body["nothing"], ""),
        (lambda status, body, headers: body, ""),
    ],
)
def test_what_the_system_calls_the_thing_is_kept(make: Any, rule: Any, seen: str) -> None:
    with ScriptedServer(always(201, b'{"id": 7}', location="/orders/7")) as server:
        [verdict] = send(make(server, reference=rule))
        assert (verdict.kind, verdict.reference) == (DELIVERED, seen)


def test_a_look_up_may_ask_by_what_the_system_calls_it(make: Any) -> None:
    by_reference = {"mode": "lookup", "request": "GET /orders/{reference}"}
    with ScriptedServer(always(200, b'{"id": 7}')) as server:
        to = make(server, idempotency=by_reference)
        assert to.look_up(parcel(variables={"reference": "W 7"})).kind == FOUND
        assert server.requests[0].path == "/orders/W%207"
        unknown = to.look_up(parcel())
        assert brief(unknown) == (DOUBT, "missing_variable")
        assert "needs the variable 'reference', which is missing" in unknown.detail


def test_rules_see_exact_decimals_text_and_headers(make: Any) -> None:
    seen: list[dict[str, Any]] = []

    def note(**facts: Any) -> bool:
        seen.append(facts)
        return True

    bodies = [(b'{"total": 12345678901234567.10}', "application/json"), (b"plain \xff", "text/plain"), (b"", "a/b")]

    async def script(request: Request, line: Line) -> None:
        body, kind = bodies[request.number - 1]
        await line.answer(200, body, content_type=kind, X_Twice="a")

    with ScriptedServer(script) as server:
        to = make(server, success=note)
        for number in range(3):
            send(to, parcel(number))
    assert [facts["body"] for facts in seen] == [{"total": Decimal("12345678901234567.10")}, "plain �", ""]
    assert seen[1]["headers"]["content-type"] == "text/plain"
    assert seen[0]["headers"]["x-twice"] == "a"


def test_a_rule_decides_before_the_table_of_status_codes(make: Any) -> None:
    with ScriptedServer(always(409, b'{"reason": "already exists"}')) as server:
        rule = lambda status, body, headers: status == 201 or (status == 409 and "exists" in body["reason"])  # noqa: E731
        assert brief(send(make(server, success=rule))[0]) == (DELIVERED, "")
    with ScriptedServer(always(500, b'{"field": "qty"}')) as server:
        rule = lambda status, body, headers: status == 500 and "field" in body  # noqa: E731
        assert brief(send(make(server, permanent=rule))[0]) == (REFUSED, "http_500")


def test_a_rule_that_does_not_fit_the_answer_is_not_success_and_says_so(make: Any) -> None:
    def broken(**facts: Any) -> bool:
        raise ValueError("expected a mapping, got text")

    with ScriptedServer(always(200, b"<html>")) as server:
        [verdict] = send(make(server, success=broken, permanent=broken))
        assert brief(verdict) == (DOUBT, "error_in_success")
        assert "expected a mapping, got text" in verdict.detail


def test_one_token_serves_many_parcels_and_is_fetched_before_the_first(make: Any) -> None:
    gate = Gate()
    with ScriptedServer(gate) as server:
        verdicts = send(make(server, auth=oauth2(server)), *[parcel(number) for number in range(50)])
        assert {brief(verdict) for verdict in verdicts} == {(DELIVERED, "")}
        assert gate.granted == 1
        asked = server.requests[0]
        assert asked.body == b"grant_type=client_credentials"
        assert asked.headers["authorization"] == "Basic aHViOnMzY3JldCUyRiVDMyVCQw=="


def test_a_refused_token_is_renewed_once_for_all_and_the_parcels_sent_again(make: Any) -> None:
    gate = Gate()
    with ScriptedServer(gate) as server:
        to = make(server, auth=oauth2(server, scope="orders", client_auth="body"), limits={"concurrency": 8})
        send(to)
        gate.refused = 1  # the system forgets the first token
        verdicts = send(to, *[parcel(number) for number in range(20)])
        assert {brief(verdict) for verdict in verdicts} == {(DELIVERED, "")}
        assert gate.granted == 2
        assert b"client_secret=s3cret%2F%C3%BC" in server.requests[0].body
        assert b"scope=orders" in server.requests[0].body


def test_a_token_that_is_refused_again_stops_the_system(make: Any) -> None:
    gate = Gate()
    gate.refused = 99
    with ScriptedServer(gate) as server:
        to = make(server, auth=oauth2(server), limits={"concurrency": 1})
        verdicts = send(to, *[parcel(number) for number in range(10)])
        assert {brief(verdict) for verdict in verdicts} == {(STOPPED, "credentials_refused")}
        assert gate.granted == 2
        assert [request.path for request in server.requests].count("/") == 2


@pytest.mark.parametrize(("script", "kind", "code", "says"), TOKEN_TROUBLE, ids=range(len(TOKEN_TROUBLE)))
def test_no_token_means_nothing_was_sent(make: Any, script: Script, kind: str, code: str, says: str) -> None:
    with ScriptedServer() as system, ScriptedServer(script) as tokens:
        [verdict] = send(make(system, auth=oauth2(tokens)))
        assert brief(verdict) == (kind, code)
        assert says in verdict.detail
        assert "leak" not in verdict.detail
        assert "s3cret" not in verdict.detail
        assert not system.requests


@pytest.mark.parametrize("life", ["0", "-5", '"3600"', "null", '"soon"', "1e300"])
def test_a_token_with_a_strange_life_is_used_and_not_fetched_for_ever(make: Any, life: str) -> None:
    gate = Gate(life)
    with ScriptedServer(gate) as server:
        to = make(server, auth=oauth2(server))
        assert [brief(send(to, parcel(number))[0]) for number in range(3)] == [(DELIVERED, "")] * 3
        assert gate.granted == 1


def test_bad_fixed_credentials_stop_the_system_and_spare_what_waits(make: Any) -> None:
    with ScriptedServer(always(401)) as server:
        to = make(server, auth={"type": "bearer", "token": "s3cret"}, limits={"concurrency": 1})
        verdicts = send(to, *[parcel(number) for number in range(10)])
        assert {brief(verdict) for verdict in verdicts} == {(STOPPED, "credentials_refused")}
        assert len(server.requests) == 1
        assert server.requests[0].headers["authorization"] == "Bearer s3cret"
        assert not any("s3cret" in verdict.detail for verdict in verdicts)
