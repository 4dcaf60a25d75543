"""What comes of servers that misbehave while they are polled, and of settings that cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest
from polling import MARK, WAYS, Hub, Make, make, rules
from scripted_server import Line, Request, Script, ScriptedServer, always
from sending import closed_port, closes, garbage, half_a_body, half_a_chunk, resets
from shop import Shop, answer, order

from connectors import _sender, http
from connectors.base import PermanentError, StoppedError, TransientError

# -- servers that misbehave


async def same_cursor(request: Request, line: Line) -> None:
    await answer(line, {"orders": [order(request.number)], "next": "x"})


async def ring(request: Request, line: Line) -> None:
    await answer(line, {"orders": [order(request.number)], "next": "ab"[request.number % 2]})


async def same_page(request: Request, line: Line) -> None:
    await answer(line, {"orders": [order(1), order(2)], "next": str(request.number)})


ROUND = [
    (same_cursor, "page 2 leads back to a page that was read before"),
    (ring, "leads back to a page that was read before"),
    (same_page, "page 2 has the same items as the one before"),
]


@pytest.mark.parametrize(("script", "why"), ROUND)
def test_pages_that_go_round_are_stopped_and_their_items_are_kept(make: Make, script: Script, why: str) -> None:
    hub = Hub()
    with ScriptedServer(script) as server:
        source = make(server, hub, WAYS["cursor"])
        with pytest.raises(PermanentError, match=rf"the pages go round: .*{why}; see paging: of this system"):
            source.fetch(hub)
        assert len(server.requests) <= 4
        assert hub.ids and not hub.kept.told.get("watermark")


def test_pages_without_items_that_lead_on_for_ever_are_told_and_the_place_is_kept(make: Make) -> None:
    async def empty(request: Request, line: Line) -> None:
        await answer(line, {"orders": [], "next": str(request.number)})

    hub = Hub()
    with ScriptedServer(empty) as server:
        source = make(server, hub, {**WAYS["cursor"], "paging": {**WAYS["cursor"]["paging"], "most_pages": 5}})
        for round in (1, 2):
            with pytest.raises(
                PermanentError, match="5 pages in a row have no items, and each leads to another; a round"
            ):
                source.fetch(hub)
            assert len(server.requests) == 5 * round
        assert "after=9" in server.requests[-1].path


def test_a_page_number_that_the_system_takes_no_notice_of_is_found_out(make: Make) -> None:
    hub = Hub()
    with (
        ScriptedServer(always(200, json.dumps({"orders": [order(1)]}).encode())) as server,
        pytest.raises(PermanentError, match="page 2 has the same items as the one before"),
    ):
        make(server, hub, WAYS["page"]).fetch(hub)


HTML = b"<!DOCTYPE html><html><body>Service unavailable: s3cret</body></html>"
WRONG: list[tuple[Script, type[Exception], str]] = [
    (always(200, HTML, content_type="text/html"), PermanentError, "the system answered 200 with 68 bytes of text/html, "
     "a page for people and no document"),
    (always(200, HTML), PermanentError, "a page for people and no document"),
    (always(200, b'{"orders": [{"id": 1}'), PermanentError, "which is no JSON that could be read"),
    (always(200, b""), PermanentError, "which is no JSON that could be read"),
    (always(200, b'{"orders": [1e9999999999999999999]}'), PermanentError, "which is no JSON that could be read"),
    (always(200, b'{"data": []}'), PermanentError, "fetch.items: expected a list, got nothing"),
    (always(200, b'{"orders": null}'), PermanentError, "fetch.items: expected a list, got nothing"),
    (always(200, b'{"orders": {"id": 1}}'), PermanentError, "fetch.items: expected a list, got an object"),
    (always(200, b'{"errors": [{"message": "s3cret"}]}'), PermanentError, "fetch.items: expected a list"),
    (always(301, location="/elsewhere"), PermanentError, "redirects are not followed"),
    (always(400), PermanentError, "the system answered 400"), (always(404), PermanentError, "answered 404 Not Found"),
    (always(401), StoppedError, "the system answered 401"), (always(403), StoppedError, "the system answered 403"),
    (always(500), TransientError, "the system answered 500"), (always(503), TransientError, "the system answered 503"),
    (closes, TransientError, "the connection was closed"), (resets, TransientError, "the connection was"),
    (half_a_body, TransientError, "the connection was closed before the answer was complete"),
    (half_a_chunk, TransientError, "the connection was closed before the answer was complete"),
    (garbage, TransientError, "not an HTTP/1.1 answer"),
]  # fmt: skip


@pytest.mark.parametrize(("script", "kind", "why"), WRONG, ids=range(len(WRONG)))
def test_an_answer_that_is_no_page_is_told_and_nothing_counts_as_read(
    make: Make, script: Script, kind: type[Exception], why: str
) -> None:
    shop, hub = Shop(4), Hub()
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS["cursor"])

        async def then(request: Request, line: Line) -> None:
            await (shop if request.number == 1 else script)(request, line)

        server.script = then
        with pytest.raises(kind) as caught:
            source.fetch(hub)
        assert type(caught.value) is kind
        assert why in str(caught.value)
        assert "s3cret" not in str(caught.value)
        assert hub.numbers == [1, 2, 3]
        assert not hub.kept.told.get("watermark")
        server.script = shop
        source._channel._paused_until = 0.0
        source.fetch(hub)
        assert sorted(set(hub.numbers)) == [1, 2, 3, 4]


def test_the_pause_that_a_system_asks_for_is_told(make: Make) -> None:
    hub = Hub()
    with ScriptedServer(always(429, retry_after="120")) as server, pytest.raises(TransientError) as caught:
        make(server, hub, WAYS["cursor"]).fetch(hub)
    assert caught.value.retry_after_seconds == 120


def test_silence_and_nobody_there_are_for_later(make: Make) -> None:
    async def silent(request: Request, line: Line) -> None:
        await line.reader.read()

    hub = Hub()
    with (
        ScriptedServer(silent) as server,
        pytest.raises(TransientError, match="no complete answer came within the read time-out"),
    ):
        make(server, hub, WAYS["cursor"]).fetch(hub)
    with pytest.raises(TransientError, match="nothing listens on that port"):
        make(f"http://127.0.0.1:{closed_port()}", hub, WAYS["cursor"]).fetch(hub)


def test_a_page_that_is_too_large_says_what_to_do(make: Make) -> None:
    hub = Hub()
    with (
        ScriptedServer(always(200, b"[" + b" " * 100_000 + b"]")) as server,
        pytest.raises(PermanentError, match="the answer is larger than"),
    ):
        make(server, hub, {"request": "GET /", "items": "body", "max_page": 50_000}).fetch(hub)


@pytest.mark.parametrize(
    "link", ["http://evil.example/x?p=3", "//evil.example/x", "http://localhost:1/x", "ftp://localhost/x"]
)
def test_nothing_is_asked_of_another_system_whatever_a_page_says(make: Make, link: str) -> None:
    async def elsewhere(request: Request, line: Line) -> None:
        await answer(line, {"orders": [order(1)]}, link=f'<{link}>; rel="next"')

    hub = Hub()
    with ScriptedServer(elsewhere) as server:
        source = make(server, hub, WAYS["link"], auth={"type": "bearer", "token": "s3cret"})
        with pytest.raises(PermanentError, match="nothing is asked there, for the credentials would go along"):
            source.fetch(hub)
        assert len(server.requests) == 1


def test_an_item_without_its_id_or_its_time_is_taken_in_and_told(make: Make) -> None:
    shop, hub = Shop(2), Hub()
    shop.orders.append({"updated_at": "2026-03-01T10:30:00Z", "total": "3"})
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS["cursor"])
        with pytest.raises(
            PermanentError, match=r"^item 3 of a page: fetch.id gives nothing; all items are taken in, but"
        ):
            source.fetch(hub)
        assert len(hub.ids) == 3
        shop.orders[2] = {"id": 3, "updated_at": "yesterday"}
        with pytest.raises(
            PermanentError, match=r"fetch.watermark.value: expected time such as 2026-01-01T00:00:00Z, got"
        ):
            source.fetch(hub)
        shop.orders[2] = order(3)
        source.fetch(hub)
        assert hub.kept.told["watermark"]


def test_a_connection_that_died_while_it_was_idle_is_no_failure(make: Make) -> None:
    shop, hub = Shop(2), Hub()
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS["cursor"])
        source.fetch(hub)
        for writer in server._writers:
            server._loop.call_soon_threadsafe(writer.transport.abort)
        assert source.fetch(hub) == 1


# -- settings

MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"request": "/orders"}, "fetch.request: expected GET or POST and a path, such as GET /orders?since={watermark}"),
    ({"request": "GET /orders?x={odrer}"}, "fetch.request: '{odrer}' is not known here; write {watermark}, {cursor}"),
    ({"request": "GET /o", "body": {"a": 1}}, "fetch.body: GET has no body; write POST in request:, or take it out"),
    ({"request": "GET /o", "items": "body", "watermark": {"value": "item.u", **MARK}}, "fetch.watermark: neither"),
    ({"request": "GET /o?s={watermark}"}, "fetch.request: {watermark} is used; write watermark: {value: item.…"),
    ({"request": "GET /o?s={watermark}", "items": "body", "watermark": {"value": "item.u", "start": "yesterday"}},
     "fetch.watermark.start: expected a time such as 2026-01-01T00:00:00Z or a day such as 2026-01-01, got"),
    ({"request": "GET /o?s={watermark}", "items": "body",
      "watermark": {"value": "item.u", "start": "1", "form": "number", "overlap": 5.0}}, "fetch.watermark.overlap: a"),
    ({"request": "GET /o", "id": "item.id"}, "fetch.items is missing: id: is of a list of items, e.g. items:"),
    ({"request": "GET /o", "items": "body", "paging": {"type": "cursor", "next": "body.n"}}, "fetch.paging.parameter"),
    ({"request": "GET /o", "items": "body", "paging": {"type": "cursor", "parameter": "c"}}, "fetch.paging.next is"),
    ({"request": "GET /o?p={page}", "items": "body"}, "fetch.request: {page} is used, and paging: is not of type page"),
    ({"request": "GET /o", "items": "body", "paging": {"type": "page", "parameter": "p", "next": "body.n"}},
     "fetch.paging.next: type page does not need it"),
    ({"request": "GET /o", "items": "body", "delta": "body.d", "paging": {"type": "page", "parameter": "p"}},
     "fetch.delta: it needs paging: {type: link}, or none"),
]  # fmt: skip


@pytest.mark.parametrize(("fetch", "text"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_setting_that_cannot_be_is_named_with_what_to_write_instead(fetch: dict[str, Any], text: str) -> None:
    config = {"base_url": "http://localhost", "fetch": rules(fetch)}
    with pytest.raises(PermanentError) as linted:
        http.lint(config)
    assert str(linted.value).startswith(text)
    with pytest.raises(PermanentError) as opened:
        http.source(config)
    assert str(opened.value) == str(linted.value)
    assert _sender._current is None


def test_what_an_item_holds_is_not_in_what_is_told_of_it(make: Make) -> None:
    shop, hub = Shop(0), Hub()
    shop.orders.append({"id": "Anna Muster", "updated_at": "2026-03-01T10:00:00Z"})
    with ScriptedServer(shop) as server:
        with pytest.raises(PermanentError, match=r"^item 1 of a page: fetch.id does not fit the answer: ") as caught:
            make(server, hub, {**WAYS["cursor"], "id": "item.id + 1"}).fetch(hub)
        with pytest.raises(PermanentError) as other:
            make(server, hub, {**WAYS["cursor"], "id": "dec(item.id)"}).fetch(hub)
    assert "Anna" not in f"{caught.value}{other.value}"
    assert len(hub.ids) == 1
