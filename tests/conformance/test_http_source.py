"""What is fetched over HTTP: every way of paging, how far it was read, and a death at every place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from polling import NOW, WAYS, Hub, Make, make
from scripted_server import Line, Request, ScriptedServer, always
from sending import Gate, certificates, oauth2
from sending import serving as serving_tls
from shop import SIZE, Shop, order

from connectors.base import Incoming, PermanentError, StoppedError, TransientError


@pytest.mark.parametrize("way", WAYS)
def test_every_page_is_read_once_and_the_next_round_asks_from_where_it_ended(make: Make, way: str) -> None:
    shop, hub = Shop(8), Hub()
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS[way])
        assert source.fetch(hub) == 8
        assert hub.numbers == [1, 2, 3, 4, 5, 6, 7, 8]
        shop.orders.append(order(9))
        first = len(server.requests)
        assert source.fetch(hub) == 2, "the one at the watermark, and the one behind it"
        assert hub.numbers[8:] == [8, 9]
        asked = server.requests[first]
        assert "2026-03-01T10" in asked.path.replace("%3A", ":") + asked.body.decode()
        assert source.fetch(hub) == 1
        assert len(hub.ids) == 9


def test_a_query_and_its_values_are_sent_as_they_are_written(make: Make) -> None:
    hub = Hub()
    with ScriptedServer(Shop(1)) as server:
        make(server, hub, WAYS["graphql"]).fetch(hub)
    [request] = server.requests
    assert json.loads(request.body) == {
        "query": "query ($after: String) { orders(after: $after) { nodes {id} } }",
        "variables": {"after": None, "since": "2026-01-01T00:00:00Z", "size": 3},
    }
    assert request.headers["content-type"] == "application/json"


def test_an_item_that_has_changed_comes_again_and_one_that_has_not_is_known(make: Make) -> None:
    shop, hub = Shop(2), Hub()
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS["cursor"])
        source.fetch(hub)
        shop.orders[1] = {**shop.orders[1], "total": "2.50"}  # within the same second
        source.fetch(hub)
    assert len(hub.ids) == 3
    assert hub.came[-1].name == "2"


def test_the_version_decides_where_it_is_said(make: Make) -> None:
    shop, hub = Shop(1), Hub()
    with ScriptedServer(shop) as server:
        source = make(server, hub, {**WAYS["cursor"], "version": "item.updated_at"})
        source.fetch(hub)
        shop.orders[0]["total"] = "9"
        source.fetch(hub)
        assert len(hub.ids) == 1
        shop.orders[0]["updated_at"] = "2026-03-01T11:00:00Z"
        source.fetch(hub)
    assert hub.ids == {"http:1@2026-03-01T10:01:00Z", "http:1@2026-03-01T11:00:00Z"}


def test_items_without_a_date_are_known_by_the_rounds_in_which_they_came(make: Make) -> None:
    shop, hub = Shop(4), Hub()
    undated = {name: value for name, value in WAYS["page"].items() if name != "watermark"}
    with ScriptedServer(shop) as server:
        for _ in range(2):
            make(server, hub, {**undated, "request": "GET /page"}).fetch(hub)
        make(server, hub, WAYS["page"]).fetch(hub)
    told = [(each.item, each.round) for each in hub.came]
    assert told[:8] == [(f"http:{number}", round) for round in (1, 2) for number in range(1, 5)]
    assert {round for _, round in told[8:]} == {0}
    assert [item for item, _ in told[8:]] == [each.dedupe_id for each in hub.came[8:]]


def test_numbers_stay_as_they_were_sent(make: Make) -> None:
    text = b'{"orders": [{"id": 12345678901234567890123, "a": 1.50, "b": 0.1000000000000000055, "c": 1e3}]}'
    hub = Hub()
    with ScriptedServer(always(200, text)) as server:
        make(server, hub, {"request": "GET /", "items": "body.orders"}).fetch(hub)
    [came] = hub.came
    content = b"".join(came.chunks)
    assert b"12345678901234567890123" in content and b"1.50" in content and b"0.1000000000000000055" in content
    assert json.loads(content)["c"] == 1000


def test_an_answer_without_a_list_is_one_document(make: Make) -> None:
    hub = Hub()
    with ScriptedServer(always(200, b"<orders/>", content_type="application/xml")) as server:
        source = make(server, hub, {"request": "GET /export"})
        assert (source.fetch(hub), source.fetch(hub)) == (1, 1)
    assert len(hub.ids) == 1
    assert (b"".join(hub.came[0].chunks), hub.came[0].content_type) == (b"<orders/>", "application/xml")


@pytest.mark.parametrize("way", ["cursor", "page", "offset", "link", "graphql"])
def test_a_death_before_anything_is_kept_makes_items_come_again_and_none_be_missed(make: Make, way: str) -> None:
    """At every place: after each item that was taken in, and before each time that something is kept."""
    deaths = 0
    for survives in range(8):
        shop, hub = Shop(8), Hub()
        with ScriptedServer(shop) as server:
            source = make(server, hub, WAYS[way])

            def dies(incoming: Incoming, hub: Hub = hub, survives: int = survives) -> None:
                if len(hub.came) == survives:
                    raise RuntimeError("the hub died")
                hub(incoming)

            with pytest.raises(RuntimeError):
                source.fetch(dies)
            deaths += 1
            again = make(server, hub, WAYS[way])
            again.fetch(hub)
            assert sorted(set(hub.numbers)) == [1, 2, 3, 4, 5, 6, 7, 8]
            assert len(hub.came) <= 8 + SIZE, "no more than one page comes again"
    assert deaths == 8


def test_the_watermark_does_not_move_before_all_pages_are_stored(make: Make) -> None:
    shop, hub = Shop(8), Hub()
    shop.orders.reverse()  # the newest first, as many systems give it
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS["cursor"])
        hub.kept.fails = True
        with pytest.raises(RuntimeError):
            source.fetch(hub)
        assert hub.numbers == [8, 7, 6]
        hub.kept.fails = False
        again = make(server, hub, WAYS["cursor"])
        again.fetch(hub)
        assert sorted(hub.ids) == sorted(f"{each.dedupe_id}" for each in hub.came[3:])
        assert len(hub.ids) == 8


def test_a_round_that_was_broken_off_goes_on_at_its_page(make: Make) -> None:
    shop, hub = Shop(8), Hub()
    with ScriptedServer(shop) as server:
        source = make(server, hub, {**WAYS["cursor"], "paging": {**WAYS["cursor"]["paging"], "most_pages": 1}})
        counts = [(source.fetch(hub), source.is_over) for _ in range(4)]
        assert counts == [(3, False), (3, False), (2, True), (1, True)]
        assert "after=3" in shop.asked[1] and "2026-01-01" in shop.asked[1].replace("%3A", ":")
        assert hub.kept.told["watermark"]


def test_a_place_that_is_too_old_is_not_gone_on_at(make: Make) -> None:
    shop, hub = Shop(8), Hub()
    with ScriptedServer(shop) as server:
        paging = {**WAYS["page"]["paging"], "most_pages": 1, "keep": 60.0}
        make(server, hub, {**WAYS["page"], "paging": paging}).fetch(hub)
        late = make(server, hub, {**WAYS["page"], "paging": paging})
        late._now = lambda: NOW + 61
        late.fetch(hub)
    assert [path.rpartition("page=")[2] for path in shop.asked] == ["1", "1"]


def test_a_place_that_the_system_has_forgotten_is_given_up(make: Make) -> None:
    shop, hub = Shop(8), Hub()
    with ScriptedServer(shop) as server:
        paging = {**WAYS["cursor"]["paging"], "most_pages": 1}
        source = make(server, hub, {**WAYS["cursor"], "paging": paging})
        source.fetch(hub)
        server.script = always(410)
        with pytest.raises(
            PermanentError, match=r"^page 2: the system answered 410 Gone; the next round begins with the"
        ):
            source.fetch(hub)
        server.script = shop
        assert source.fetch(hub) == 3
        assert hub.numbers == [1, 2, 3, 1, 2, 3]


def test_another_start_begins_anew(make: Make) -> None:
    shop, hub = Shop(3), Hub()
    with ScriptedServer(shop) as server:
        make(server, hub, WAYS["cursor"]).fetch(hub)
        mark = {"value": "item.updated_at", "start": "2025-01-01", "overlap": 0}
        make(server, hub, {**WAYS["cursor"], "watermark": mark}).fetch(hub)
    assert [path.partition("since=")[2][:10] for path in shop.asked] == ["2026-01-01", "2025-01-01"]


def test_what_lies_in_the_future_hides_nothing(make: Make) -> None:
    shop, hub = Shop(1), Hub()
    shop.orders.append({"id": 2, "updated_at": "2099-01-01T00:00:00Z"})
    with ScriptedServer(shop) as server:
        source = make(server, hub, WAYS["cursor"])
        source.fetch(hub)
        source.fetch(hub)
    assert "since=2026-03-01T21%3A20%3A00Z" in shop.asked[1]


def test_the_changes_since_are_asked_for_by_the_address_that_was_given(make: Make) -> None:
    shop, hub = Shop(5), Hub()
    fetch = {"request": "GET /odata?all=1", "items": "body.value", "id": "item.id",
             "paging": {"type": "link", "next": "body['@odata.nextLink']"},
             "delta": "body['@odata.deltaLink']"}  # fmt: skip
    with ScriptedServer(shop) as server:
        source = make(server, hub, fetch)
        source.fetch(hub)
        shop.orders.append(order(6))
        source.fetch(hub)
        assert shop.asked[-1] == "/odata?since=2026-03-01T10:05:00Z&d=1"
        assert hub.numbers[5:] == [5, 6]
        server.script = always(410)
        with pytest.raises(PermanentError, match="the next round begins with the first page"):
            source.fetch(hub)
        server.script = shop
        source.fetch(hub)
        assert shop.asked[-2:] == ["/odata?all=1", "/odata?all=1&p=3"]


# -- credentials


def test_a_token_that_has_expired_is_fetched_anew_between_pages(make: Make) -> None:
    shop, gate, hub = Shop(8), Gate(), Hub()

    async def guarded(request: Request, line: Line) -> None:
        if request.path == "/token" or request.headers.get("authorization") != f"Bearer t{gate.granted}":
            await gate(request, line)
            return
        await shop(request, line)
        gate.granted += request.number == 3  # every token is forgotten once

    with ScriptedServer(guarded) as server:
        source = make(server, hub, WAYS["cursor"], auth=oauth2(server))
        assert source.fetch(hub) == 8
    assert [request.path for request in server.requests].count("/token") == 2


def test_both_the_system_and_its_token_server_are_shown_the_certificate(make: Make, certificates: Any) -> None:
    shop, gate, hub = Shop(2), Gate(), Hub()

    async def guarded(request: Request, line: Line) -> None:
        await (gate if request.path == "/token" else shop)(request, line)

    tls = {"ca": str(certificates / "ca.pem"), "certificate": str(certificates / "client.pem"),
           "key": str(certificates / "client.key")}  # fmt: skip
    with (
        ScriptedServer(shop, serving_tls(certificates, "server", "ca.pem")) as server,
        ScriptedServer(gate, serving_tls(certificates, "server", "ca.pem")) as tokens,
    ):
        assert make(server, hub, WAYS["cursor"], auth=oauth2(tokens), tls=tls).fetch(hub) == 2
        assert server.requests[0].headers["authorization"] == "Bearer t1"
        bare = {"ca": tls["ca"]}
        with pytest.raises((StoppedError, TransientError)):
            make(server, Hub(), WAYS["cursor"], auth=oauth2(tokens), tls=bare).fetch(hub)


def test_headers_of_which_a_delivery_is_a_part_are_left_out(make: Make) -> None:
    hub = Hub()
    with ScriptedServer(Shop(1)) as server:
        make(server, hub, WAYS["cursor"], headers={"X-Shop": "1", "X-Order": "{order_id}"}).fetch(hub)
    assert server.requests[0].headers["x-shop"] == "1"
    assert "x-order" not in server.requests[0].headers


def test_closing_ends_a_round_after_its_page(make: Make) -> None:
    hub = Hub()
    with ScriptedServer(Shop(8)) as server:
        source = make(server, hub, WAYS["cursor"])

        def closes_in_the_middle(incoming: Incoming) -> None:
            hub(incoming)
            source._is_closed = True

        assert (source.fetch(closes_in_the_middle), source.is_over) == (3, False)
        assert len(server.requests) == 1
        source._is_closed = False
