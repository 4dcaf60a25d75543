"""What a webhook only tells of, fetched: the request that is made, and what each answer means."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from scripted_server import Line, Request, ScriptedServer, always
from sending import brief, closes, make, parcel, send

from connectors.base import DELIVERED, LATER, REFUSED, STOPPED, Parcel


def notice(body: bytes) -> Parcel:
    return msgspec.structs.replace(parcel(), body=body, fetches_back=True)


BACK = {"fetch_back": {"request": "GET /v2/payments/{data.id}?embed=lines"}}


def test_what_a_webhook_tells_of_is_fetched(make: Any) -> None:
    with ScriptedServer(always(200, b'{"id": "tr 1/2", "amount": 1.50}')) as server:
        [verdict] = send(make(server, **BACK, headers={"X-A": "1"}), notice(b'{"data": {"id": "tr 1/2"}}'))
        assert (verdict.kind, verdict.response) == (DELIVERED, b'{"id": "tr 1/2", "amount": 1.50}')
        [request] = server.requests
        assert (request.method, request.path) == ("GET", "/v2/payments/tr%201%2F2?embed=lines")
        assert request.headers["x-a"] == "1" and "content-type" not in request.headers


GONE = [
    (always(404), b'{"data": {"id": 7}}', REFUSED, "http_404", "the webhook tells of could not be fetched: the system "
                                                               "answered 404"),
    (always(410), b'{"data": {"id": 7}}', REFUSED, "http_410", "could not be fetched: the system answered 410 Gone"),
    (always(200, b"<html>"), b'{"data": {"id": 7}}', LATER, "html_page", "the system answered 200 with a page for "
                                                                         "people"),
    (always(500), b'{"data": {"id": 7}}', LATER, "http_500", "the system answered 500"),
    (closes, b'{"data": {"id": 7}}', LATER, "connection_closed", "the connection was closed"),
    (always(401), b'{"data": {"id": 7}}', STOPPED, "credentials_refused", "401"),
    (always(200), b'{"id": 7}', REFUSED, "missing_variable", "fetch_back.request needs the field 'data.id', which the"),
    (always(200), b'{"data": {"id": ".."}}', REFUSED, "missing_variable", "needs the field 'data.id'"),
    (always(200), b"[]", REFUSED, "missing_variable", "needs the field 'data.id'"),
    (always(200), b'{"data": {"id": "%s"}}' % (b"7" * 501), REFUSED, "bad_variable", "the field 'data.id' of the "
                                                                     "webhook has 501 characters; at most 500 go into"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "body", "kind", "code", "why"), GONE, ids=range(len(GONE)))
def test_what_cannot_be_fetched_is_never_in_doubt(
    make: Any, script: Any, body: bytes, kind: str, code: str, why: str
) -> None:
    with ScriptedServer(script) as server:
        [verdict] = send(make(server, **BACK), notice(body))
    assert brief(verdict) == (kind, code)
    assert why in verdict.detail


DENIED = "what the webhook tells of could not be fetched: the system answered 403 Forbidden"


async def guarded(request: Request, line: Line) -> None:
    """Shows us what is ours, and knows nothing of number 404."""
    number = request.path.partition("?")[0].rpartition("/")[2]
    await line.answer(403 if number.startswith("not-ours") else 404 if number == "404" else 200)


def told_of(*ids: str) -> list[Parcel]:
    body = '{"data": {"id": "%s"}}'
    return [msgspec.structs.replace(notice((body % id).encode()), delivery_id=id, key=id) for id in ids]


def test_what_we_may_not_see_is_a_dead_letter_and_the_others_are_fetched(make: Any) -> None:
    with ScriptedServer(guarded) as server:
        to = make(server, **BACK, limits={"concurrency": 1})
        for given in ("1", "404"):
            many = [f"not-ours-{number}" for number in range(9)]
            verdicts = send(to, *told_of(*many, given))
            assert [brief(verdict) for verdict in verdicts[:9]] == [(REFUSED, "access_denied")] * 9
            assert verdicts[0].detail == DENIED
            assert verdicts[9].kind == (DELIVERED if given == "1" else REFUSED)


def test_where_we_may_see_nothing_any_more_the_system_is_stopped(make: Any) -> None:
    with ScriptedServer(always(403)) as server:
        to = make(server, **BACK, limits={"concurrency": 1})
        verdicts = send(to, *told_of(*map(str, range(15))))
        assert [verdict.kind for verdict in verdicts] == [REFUSED] * 9 + [STOPPED] * 6
        assert verdicts[9].detail == "the system answered 403 Forbidden to 10 webhooks in a row"
        assert verdicts[10].detail.startswith("not sent: ")
        assert len(server.requests) == 10


def test_a_limit_that_is_told_by_403_is_for_later(make: Any) -> None:
    with ScriptedServer(always(403)) as server:
        [verdict] = send(make(server, **BACK, later=lambda status, **_: status == 403), *told_of("1"))
    assert brief(verdict) == (LATER, "http_403")
