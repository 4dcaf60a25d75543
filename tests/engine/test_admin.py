"""The admin API: what each role may see and do, every error as a problem, every action once."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from caller import Caller
from world import World, order

from connectors.base import LATER, REFUSED, Verdict
from hub.api.application import create_app
from hub.store import audit

NO = Verdict(REFUSED, code="http_422", status=422, detail="unknown item")
V1 = "/api/v1"


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # what the lists find on either database is told by test_lists


def dead_order(world: World, number: int = 1) -> str:
    world.target("erp").answers.append(NO)
    return world.send(order(number))[0].receipt_id


# -- who may -------------------------------------------------------------------------------------------------------

READS = [
    "/messages", "/dead-letters", "/replays", "/routes", "/systems", "/deployments", "/counts", "/counts?proof=true",
]  # fmt: skip
OPERATOR_ACTS = [
    *(f"/deliveries/x/{step}" for step in ("hold", "release", "resolve", "cancel")), "/messages/x/resolve", "/replays",
    "/replays/x/start", "/replays/x/cancel", "/routes/x/pause", "/routes/x/resume", "/systems/x/stop",
    "/systems/x/start",
]  # fmt: skip
ADMIN_ACTS = ["/deployments", "/deployments/rollback", "/keys"]


@pytest.mark.parametrize("path", [*READS, "/keys", "/audit", "/audit/check"])
def test_without_a_key_nothing_is_shown(call: Callable[..., Caller], path: str) -> None:
    for caller in (call(""), call("", client="127.0.0.1", host="localhost")):
        answer = caller.get(V1 + path)
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", READS)
def test_a_viewer_sees_lists(call: Callable[..., Caller], path: str) -> None:
    assert call("viewer").get(V1 + path).status == 200


@pytest.mark.parametrize("path", [*OPERATOR_ACTS, *ADMIN_ACTS])
def test_a_viewer_does_nothing(call: Callable[..., Caller], path: str) -> None:
    answer = call("viewer").post(V1 + path)
    assert (answer.status, answer.code) == (403, "forbidden")
    assert "the key 'viewer' is a viewer's; this needs" in answer.json["detail"]


@pytest.mark.parametrize("path", ADMIN_ACTS)
def test_an_operator_deploys_nothing_and_makes_no_keys(call: Callable[..., Caller], path: str) -> None:
    assert call("operator").post(V1 + path).status == 403
    assert call("operator").get(V1 + "/audit").status == 403
    assert call("operator").get(V1 + "/keys").status == 403


@pytest.mark.parametrize(
    "header", ["Bearer o2c_nix", "Bearer", "Basic !!!", "Basic \xe9", "Basic bm9uZQ==", "Digest x", "o2c_"]
)
def test_a_key_that_is_none_opens_nothing(call: Callable[..., Caller], header: str) -> None:
    answer = call("").get(V1 + "/messages", authorization=header)
    assert (answer.status, answer.code) == (401, "unauthorized")


def test_a_revoked_key_opens_nothing(call: Callable[..., Caller]) -> None:
    admin = call("admin")
    made = admin.post(V1 + "/keys", {"name": "grafana", "role": "viewer"})
    assert (made.status, made.json["token"][:4]) == (201, "o2c_")
    theirs = replace(admin, key=made.json["token"])
    assert theirs.get(V1 + "/messages").status == 200
    assert admin.delete(V1 + f"/keys/{made.json['key_id']}").status == 200
    assert theirs.get(V1 + "/messages").status == 401
    assert admin.delete(V1 + f"/keys/{made.json['key_id']}").status == 404


def test_a_key_is_shown_once_even_when_its_making_is_repeated(call: Callable[..., Caller], world: World) -> None:
    body = {"name": "grafana", "role": "viewer"}
    first = call("admin").post(V1 + "/keys", body, idempotency_key="k1")
    again = call("admin").post(V1 + "/keys", body, idempotency_key="k1")
    assert again.json == {key: value for key, value in first.json.items() if key != "token"}
    listed = call("admin").get(V1 + "/keys").json["items"]
    assert [key["name"] for key in listed].count("grafana") == 1
    everything = "".join(str(row) for row in world.rows("SELECT * FROM answers, api_keys, audit"))
    assert first.json["token"] not in everything


# -- looking from the machine itself -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/metrics", "/readyz"])
@pytest.mark.parametrize(
    ("fields", "seen"),
    [
        ({"client": "127.0.0.1", "host": "localhost:8420"}, True),
        ({"client": "127.0.0.1", "host": "127.0.0.1:8420"}, True),
        ({"client": "::1", "host": "[::1]:8420"}, True),
        ({"client": "203.0.113.9", "host": "localhost"}, False),
        ({"client": "127.0.0.1", "host": "evil.example"}, False),  # a page that had its name resolve to here
        ({"client": "127.0.0.1", "host": "localhost", "extra": {"x-forwarded-for": "203.0.113.9"}}, False),
        ({"client": "127.0.0.1", "host": "localhost", "extra": {"forwarded": "for=203.0.113.9"}}, False),
        ({"client": "127.0.0.1", "host": ""}, False),
        ({"client": "not an address", "host": "localhost"}, False),
    ],
)
def test_only_from_the_machine_itself_one_looks_without_a_key(
    call: Callable[..., Caller], path: str, fields: dict[str, Any], seen: bool
) -> None:
    answer = call("", **fields).get(path)
    if path == "/readyz":
        assert (answer.status, "checks" in answer.json) == (200, seen)  # whether it is ready anybody may know
    else:
        assert answer.status == (200 if seen else 401)


def test_a_browser_is_asked_for_the_key_and_gives_it_as_the_password(call: Callable[..., Caller]) -> None:
    answer = call("").get("/")
    assert answer.headers["www-authenticate"].startswith("Basic realm=")
    basic = base64.b64encode(f"me:{call('viewer').key}".encode()).decode()
    assert call("").get("/", authorization=f"Basic {basic}").status == 200


def test_behind_trusted_proxies_nobody_counts_as_local(make_world: Callable[..., World]) -> None:
    world = make_world(hub=b"time_zone: UTC\nhttp: {trusted_proxies: [127.0.0.1]}\n")
    caller = Caller(create_app(world.engine), client="127.0.0.1", host="localhost")
    assert caller.get("/").status == 401
    assert caller.get("/healthz").status == 200


def test_alive_needs_no_key(call: Callable[..., Caller]) -> None:
    assert call("").get("/healthz").json == {"status": "ok"}


def test_not_ready_says_why(call: Callable[..., Caller], world: World) -> None:
    assert call("viewer").get("/readyz").json == {"status": "ready", "checks": {"store": "ok", "backlog": "ok"}}
    world.engine.backlog = 10**9
    answer = call("viewer").get("/readyz")
    assert (answer.status, answer.json["checks"]["backlog"][:4]) == (503, "full")


# -- messages ------------------------------------------------------------------------------------------------------


def test_a_message_is_shown_whole(call: Callable[..., Caller], world: World) -> None:
    message = dead_order(world)
    found = call("viewer").get(V1 + f"/messages/{message}").json
    assert (found["state"], found["route"], found["source"], found["door"]) == ("routed", "orders", "shop", "webhook")
    assert found["keys"] == ["stock:main", "stock_report:1"]
    assert [d["state"] for d in found["deliveries"]] == ["dead"]
    assert found["deliveries"][0]["error"]["code"] == "http_422"
    assert [(a["number"], a["outcome"], a["status"]) for a in found["attempts"]] == [(1, "dead", 422)]
    assert sorted(stage["stage"] for stage in found["payloads"]) == ["canonical", "raw", "sent.erp"]
    assert found["replay"] == {"replayable": True}
    assert call("viewer").get(V1 + f"/messages/{message}/attempts").json["items"] == found["attempts"]
    delivery = found["deliveries"][0]["delivery_id"]
    assert call("viewer").get(V1 + f"/messages/{delivery}").json["message_id"] == message


def test_a_receipt_that_is_no_message_is_shown_too(call: Callable[..., Caller], world: World) -> None:
    [accepted] = world.send(b"{")
    found = call("viewer").get(V1 + f"/messages/{accepted.receipt_id}").json
    assert (found["state"], found["error"]["class"], found["messages"]) == ("dead", "parse", [])
    assert found["replay"] == {"replayable": True}


def test_why_something_cannot_be_replayed_is_said_with_it(call: Callable[..., Caller], world: World) -> None:
    [accepted] = world.send(order(1))
    found = call("viewer").get(V1 + f"/messages/{accepted.receipt_id}").json
    assert found["replay"]["replayable"] is False
    assert (found["replay"]["reason"], found["replay"]["detail"][:20]) == ("already_delivered", "it was delivered; to")


def test_a_list_shows_each_delivery_and_is_paged(call: Callable[..., Caller], world: World) -> None:
    world.send(*[order(n) for n in range(7)])
    seen, path = [], "/messages?limit=3"
    while True:
        page = call("viewer").get(V1 + path).json
        seen += [item["message_id"] for item in page["items"]]
        assert all(item["deliveries"][0]["state"] == "delivered" for item in page["items"])
        world.send(order(99))
        if "next_cursor" not in page:
            break
        path = f"/messages?limit=3&cursor={page['next_cursor']}"
    assert (len(seen), len(set(seen))) == (7, 7)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=dead", 2), ("state=delivered", 1), ("class=remote_rejected", 1), ("class=schema", 1),
        ("code=http_422", 1), ("route=orders", 3), ("route=nix", 0), ("source=shop", 3), ("source=erp", 0),
        ("destination=erp", 2), ("destination=erp&state=dead", 1), ("destination=wms", 0),
        ("type=canonical/stock_level", 3), ("key=stock_report:1", 1), ("key=stock:main", 2),
        ("key=stock:main&key=stock_report:2", 1), ("key=stock:main&state=dead", 1), ("text=unknown%20item", 1),
        ("text=UNKNOWN", 1), ("text=mai", 2), ("received_from=2020-01-01T00:00:00Z", 3),
        ("received_until=2020-01-01T00:00:00Z", 0), ("state=queued", 0), ("state=held", 0), ("replay_of=nix", 0),
    ],
)  # fmt: skip
def test_a_filter_finds(call: Callable[..., Caller], world: World, query: str, found: int) -> None:
    dead_order(world, 1)
    world.send(order(2), {"id": "3", "lines": [{"name": "a", "qty": "nix"}]})
    assert len(call("operator").get(f"{V1}/messages?{query}").json["items"]) == found


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("state=deed", "state: unknown state 'deed'"),
        ("class=scheme", "class: unknown class 'scheme'"),
        ("limit=0", "?limit: expected greater than or equal to 1"),
        ("limit=501", "?limit: expected less than or equal to 500"),
        ("limit=many", "?limit: expected a whole number"),
        ("cursor=nix!", "cursor: not one that a list has given"),
        ("key=1001", "key: expected scheme:value such as order:1001, got '1001'"),
        ("received_from=yesterday", "?received_from: expected a time such as 2026-03-05T10:00:00Z"),
        ("received_from=2026-03-05T10:00:00", "?received_from: the time has no zone"),
    ],
)
def test_a_filter_that_cannot_be_meant_is_refused_with_what_to_write(
    call: Callable[..., Caller], query: str, text: str
) -> None:
    answer = call("viewer").get(f"{V1}/messages?{query}")
    assert (answer.status, answer.code) == (422, "not_valid")
    assert answer.json["detail"].startswith(text)
    for word in ("NoneType", "dict", "Traceback", "datetime", "str "):
        assert word not in answer.body.decode()


# -- payloads ------------------------------------------------------------------------------------------------------


def test_payloads_are_read_as_they_are_and_every_reading_is_in_the_audit(
    call: Callable[..., Caller], world: World
) -> None:
    message = dead_order(world)
    for stage, content in (("raw", order(1)), ("sent.erp", {"ref": "1", "lines": 1})):
        answer = call("operator").get(V1 + f"/messages/{message}/payloads/{stage}")
        assert (answer.status, answer.json) == (200, content)
        assert answer.headers["cache-control"] == "no-store"
    rows = audit.listed(world.store.reader(), 2)
    assert [(row["action"], row["actor"], row["detail"]["stage"]) for row in rows] == [
        ("payload.read", "operator", "sent.erp"), ("payload.read", "operator", "raw"),
    ]  # fmt: skip
    assert audit.verify(world.store.reader()) is None


def test_a_viewer_reads_canonical_documents_only(call: Callable[..., Caller], world: World) -> None:
    message = dead_order(world)
    assert call("viewer").get(V1 + f"/messages/{message}/payloads/canonical").json["report_id"] == "1"
    for stage in ("raw", "sent.erp"):
        answer = call("viewer").get(V1 + f"/messages/{message}/payloads/{stage}")
        assert (answer.status, answer.code) == (403, "forbidden")


def test_a_stage_that_is_not_there_is_answered_with_those_that_are(call: Callable[..., Caller], world: World) -> None:
    message = dead_order(world)
    answer = call("operator").get(V1 + f"/messages/{message}/payloads/send.erp")
    assert (answer.status, answer.json["hint"]) == (404, "did you mean 'sent.erp'?")


# -- the page, problems, the document ------------------------------------------------------------------------------


def test_the_status_page_adds_up_and_says_what_to_do(call: Callable[..., Caller], world: World) -> None:
    dead_order(world)
    world.target("erp").answers.append(Verdict(LATER, code="http_503", status=503, detail="busy <b>"))
    world.send(order(2))
    answer = call("viewer").get("/")
    page = answer.body.decode()
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for text in ("Deliveries 2 = 1 dead + 1 retrying", "o2c replay --issue", "correct the data or the mapping",
                 "busy &lt;b&gt;", "1 need a person"):  # fmt: skip
        assert text in page, text
    assert "<script" not in page
    assert "http://" not in page.replace("http://127.0.0.1", "") and "https://" not in page


def test_the_page_of_an_empty_hub_is_calm(call: Callable[..., Caller]) -> None:
    page = call("viewer").get("/").body.decode()
    assert "all is well" in page and "Nothing has come in yet." in page


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nix", 404, "not_found"), ("GET", V1, 404, "not_found"), ("GET", V1 + "/messages/", 404, "not_found"),
        ("PUT", V1 + "/messages", 405, "method_not_allowed"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_too(
    call: Callable[..., Caller], method: str, path: str, status: int, code: str
) -> None:
    answer = call("admin").request(method, path, None)
    assert (answer.status, answer.code, answer.headers["content-type"]) == (status, code, "application/problem+json")


def test_a_mistake_of_the_hub_shows_nothing_but_a_trace_id(
    call: Callable[..., Caller], world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.search.find", lambda *_: 1 / 0)
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    answer = call("viewer").get(V1 + "/messages", traceparent=f"00-{trace}-00f067aa0ba902b7-01")
    assert (answer.status, answer.code, answer.json["trace_id"]) == (500, "internal", trace)
    assert "division" not in answer.body.decode() and "Traceback" not in answer.body.decode()


def test_the_openapi_document_is_complete(call: Callable[..., Caller]) -> None:
    document = call("").get(V1 + "/openapi.json").json
    assert document["openapi"].startswith("3.1")
    ids = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            where = f"{method} {path}"
            ids.append(operation["operationId"])
            assert len(operation["tags"]) == 1, where
            assert operation["x-permission"] in ("none", "viewer", "operator", "admin"), where
            assert operation["description"] or operation["summary"], where
            answers = operation["responses"]
            assert {"500"} <= set(answers), where
            if operation["x-permission"] != "none":
                assert {"401", "403"} <= set(answers), where
                assert operation["security"], where
            if method != "get":
                assert {"400", "409", "422"} <= set(answers), where
                assert any(p["name"] == "Idempotency-Key" for p in operation["parameters"]), where
            if "{" in path:
                assert "404" in answers, where
            for status, answer in answers.items():
                if status >= "400" and (path, status) != ("/readyz", "503"):
                    assert list(answer["content"]) == ["application/problem+json"], (where, status)
    assert len(ids) == len(set(ids))
    assert {tag["name"] for tag in document["tags"]} == {
        op["tags"][0] for operations in document["paths"].values() for op in operations.values()
    }


def test_every_reference_of_the_openapi_document_leads_somewhere(call: Callable[..., Caller]) -> None:
    document = call("").get(V1 + "/openapi.json").json
    text = json.dumps(document)
    for part in text.split('"$ref": "#/components/schemas/')[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_answers_are_what_the_openapi_document_says(call: Callable[..., Caller], world: World) -> None:
    dead_order(world)
    message = world.send(order(5))[0].receipt_id
    call("operator").post(V1 + "/replays", {"select": {"filter": {"state": "dead"}}})
    call("operator").post(V1 + "/routes/orders/pause", {"reason": "x"})
    document = call("").get(V1 + "/openapi.json").json
    looked_at = set()
    for path, operations in document["paths"].items():
        if "get" not in operations or ("{" in path and path != V1 + "/messages/{id}"):
            continue
        content = operations["get"]["responses"]["200"]["content"]
        if "application/json" not in content or not content["application/json"].get("schema"):
            continue
        schema = {**content["application/json"]["schema"], "components": document["components"]}
        asked = "?path=src.id" if path == V1 + "/fields" else ""
        answer = call("admin").get(path.replace("{id}", message) + asked).json
        jsonschema.Draft202012Validator(schema).validate(answer)
        looked_at.add(path.removeprefix(V1))
    assert looked_at >= {
        "/messages",
        "/messages/{id}",
        "/fields",
        "/dead-letters",
        "/replays",
        "/routes",
        "/systems",
        "/counts",
    }
    problem = {"$ref": "#/components/schemas/Problem", "components": document["components"]}
    jsonschema.Draft202012Validator(problem).validate(call("").get(V1 + "/messages").json)
