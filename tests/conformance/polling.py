"""A hub that polls as far as a source sees one, and the ways of paging that its shop has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from scripted_server import ScriptedServer
from sending import FAST

from connectors import _sender, http
from connectors.base import Incoming
from hub.mapping import compile_expression

NOW = 1_772_400_000.0  # 2026-03-01T21:20:00Z
MARK = {"start": "2026-01-01T00:00:00Z", "overlap": 0}


def rule(text: str) -> Any:
    name = "item" if "item." in text else "body"
    names = ("item",) if name == "item" else ("status", "body", "headers")
    return compile_expression(text, file="systems.yaml", line=1, column=1, names=names)


def rules(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with their expressions compiled, as the hub does it."""
    expressions = {"items", "id", "version", "success", "value", "next", "more", "delta"}
    return {
        name: rules(value) if isinstance(value, dict) and name != "body"
        else rule(value) if name in expressions and isinstance(value, str) else value
        for name, value in settings.items()
    }  # fmt: skip


class Kept:
    """What a source keeps. ``fails``: saving fails, as when the hub dies just before it."""

    def __init__(self) -> None:
        self.content, self.saves, self.fails = b"", 0, False

    def load(self) -> bytes:
        return self.content

    def save(self, content: bytes) -> None:
        if self.fails:
            raise RuntimeError("the hub died")
        self.content, self.saves = content, self.saves + 1

    @property
    def told(self) -> dict[str, Any]:
        return dict(json.loads(self.content)) if self.content else {}


class Hub:
    """Takes in what comes once, as the hub does it by the dedupe ids."""

    def __init__(self) -> None:
        self.kept, self.came, self.ids = Kept(), list[Incoming](), set[str]()

    def __call__(self, incoming: Incoming) -> None:
        self.came.append(incoming)
        if incoming.dedupe_id not in self.ids:
            self.ids.add(incoming.dedupe_id)

    @property
    def numbers(self) -> list[int]:
        return [json.loads(b"".join(each.chunks))["id"] for each in self.came]


Make = Callable[..., http.HttpSource]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[http.HttpSource] = []

    def build(server: ScriptedServer | str, hub: Hub, fetch: dict[str, Any], **config: Any) -> http.HttpSource:
        url = server if isinstance(server, str) else server.url
        settings = {"base_url": url, "timeouts": FAST, "fetch": rules(fetch), **config}
        source = http.HttpSource(settings, http.plan_of(settings), lambda: NOW)
        source.remember(hub.kept)
        made.append(source)
        return source

    yield build
    for each in made:
        each.close()
    assert _sender._current is None, "the engine ends with its last user"


ORDERS = {"items": "body.orders", "id": "item.id", "watermark": {"value": "item.updated_at", **MARK}}
WAYS: dict[str, dict[str, Any]] = {
    "cursor": {**ORDERS, "request": "GET /cursor?since={watermark}",
               "paging": {"type": "cursor", "next": "body.next", "parameter": "after"}},
    "cursor in its place": {**ORDERS, "request": "GET /cursor?after={cursor}&since={watermark}",
                            "paging": {"type": "cursor", "next": "body.next"}},
    "page": {**ORDERS, "request": "GET /page?since={watermark}", "paging": {"type": "page", "parameter": "page"}},
    "more": {**ORDERS, "request": "GET /more?since={watermark}&page={page}",
             "paging": {"type": "page", "more": "body.has_more"}},
    "offset": {**ORDERS, "request": "GET /offset?since={watermark}",
               "paging": {"type": "offset", "parameter": "offset"}},
    "link": {**ORDERS, "request": "GET /link?since={watermark}", "paging": {"type": "link"}},
    "odata": {**ORDERS, "items": "body.value", "request": "GET /odata?since={watermark}",
              "paging": {"type": "link", "next": "body['@odata.nextLink']"}},
    "graphql": {**ORDERS, "items": "body.data.orders.nodes", "request": "POST /graphql",
                "body": {"query": "query ($after: String) { orders(after: $after) { nodes {id} } }",
                         "variables": {"after": "{cursor}", "since": "{watermark}", "size": 3}},
                "paging": {"type": "cursor", "next": "body.data.orders.pageInfo.endCursor",
                           "more": "body.data.orders.pageInfo.hasNextPage"}},
}  # fmt: skip
