"""The presets of protocols, from their YAML to a server that speaks the protocol: nothing in them is code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

from polling import Hub
from scripted_server import Line, Request, ScriptedServer
from sending import brief, parcel, send
from shop import SIZE, Shop, answer
from test_http_asking import Sap

from connectors.base import DELIVERED, DOUBT, REFUSED
from hub.errors import Fault
from hub.pipeline.connections import open_destination, open_source
from hub.project import reference_files
from hub.systems import System, load_systems
from hub.yamldoc import read_yaml

FILES = reference_files()


def system(text: str) -> System:
    faults: list[Fault] = []
    root, found = read_yaml(text, "config/systems.yaml")
    systems = load_systems(root, FILES, None, faults)
    assert not [*found, *faults], faults
    return next(iter(systems.values()))


@contextmanager
def opened(text: str) -> Iterator[Any]:
    to = open_destination(system(text), Path())
    try:
        yield to
    finally:
        to.close()


async def json_rpc(request: Request, line: Line) -> None:
    said = json.loads(request.body)
    assert (said["jsonrpc"], said["id"]) == ("2.0", request.headers.get("x-key"))
    errors = {"sale.create": None, "sale.busy": -32000, "sale.none": -32601}
    if (code := errors[said["method"]]) is None:
        await answer(line, {"jsonrpc": "2.0", "id": said["id"], "result": said["params"]["order"]})
    else:
        await answer(line, {"jsonrpc": "2.0", "id": said["id"], "error": {"code": code, "message": "no"}})


@pytest.mark.parametrize(("method", "kind"), [("sale.create", DELIVERED), ("sale.busy", DOUBT), ("sale.none", REFUSED)])
def test_json_rpc(method: str, kind: str) -> None:
    with (
        ScriptedServer(json_rpc) as server,
        opened(f"""
erp:
  preset: json-rpc
  base_url: {server.url}
  path: /jsonrpc
  headers: {{X-Key: "{{key}}"}}
  body: {{method: {method}}}
  reference: body.result
""") as to,
    ):
        [verdict] = send(to)
    assert verdict.kind == kind
    assert verdict.reference == ("1" if kind == DELIVERED else "")


async def graphql(request: Request, line: Line) -> None:
    said = json.loads(request.body)
    assert said["query"] == "mutation ($input: OrderInput!) { make(input: $input) {id} }"
    if said["variables"]["input"]["order"] == 1:
        await answer(line, {"data": {"make": {"id": "g1"}}})
    else:
        await answer(line, {"data": {"make": None}, "errors": [{"message": "no such product"}]})


def test_graphql_writes() -> None:
    with (
        ScriptedServer(graphql) as server,
        opened(f"""
shop:
  preset: graphql
  base_url: {server.url}
  body: {{query: "mutation ($input: OrderInput!) {{ make(input: $input) {{id}} }}"}}
  reference: body.data.make.id
""") as to,
    ):
        good, bad = parcel(), parcel(2).__class__("d-2", "d-2.1", b'{"order": 2}')
        assert [(v.kind, v.reference) for v in send(to, good)] == [(DELIVERED, "g1")]
        assert [brief(v) for v in send(to, bad)] == [(DOUBT, "error_in_success")]


def read(text: str, rounds: int = 1) -> Hub:
    hub = Hub()
    source = open_source(system(text), Path())
    source.remember(hub.kept)  # type: ignore[attr-defined]
    try:
        for _ in range(rounds):
            source.fetch(hub)
    finally:
        source.close()
    return hub


def test_graphql_reads() -> None:
    with ScriptedServer(Shop(8)) as server:
        hub = read(f"""
shop:
  preset: graphql
  base_url: {server.url}
  fetch:
    request: POST /graphql
    body:
      query: "query ($after: String, $since: DateTime) {{ orders(after: $after, since: $since) {{ nodes {{id}} }} }}"
      variables: {{after: "{{cursor}}", since: "{{watermark}}"}}
    items: body.data.orders.nodes
    id: item.id
    watermark: {{value: item.updated_at, start: "2026-01-01T00:00:00Z"}}
    paging: {{type: cursor, next: body.data.orders.pageInfo.endCursor, more: body.data.orders.pageInfo.hasNextPage}}
""")
    assert hub.numbers == [1, 2, 3, 4, 5, 6, 7, 8]


def test_odata_4_reads_pages_and_then_only_changes() -> None:
    shop = Shop(8)
    with ScriptedServer(shop) as server:
        hub = read(f"""
erp:
  preset: odata-v4
  base_url: {server.url}
  fetch: {{request: "GET /odata?all=1", id: item.id, delta: "body['@odata.deltaLink']"}}
""", 2)  # fmt: skip
        assert server.requests[0].headers["odata-version"] == "4.0"
    assert hub.numbers == [1, 2, 3, 4, 5, 6, 7, 8, 8]
    assert shop.asked[-1].endswith("&d=1")


class Gateway(Sap):
    """A service of OData 2: pages by __next, times as SAP writes them, no writing without a token."""

    async def __call__(self, request: Request, line: Line) -> None:
        if request.method != "GET" or "x-csrf-token" in request.headers:
            await super().__call__(request, line)
            return
        self.written.append(request.path.encode())
        start = int(request.path.partition("$skiptoken=")[2] or 0)
        rows = [
            {"id": n, "LastChange": f"/Date({1772359260000 + n * 60000}+0000)/"} for n in range(start, start + SIZE)
        ]
        body: dict[str, Any] = {"results": rows}
        if start < 2 * SIZE:
            body["__next"] = f"http://{request.headers['host']}/srv/A_SalesOrder?$skiptoken={start + SIZE}"
        await answer(line, {"d": body})


@pytest.mark.parametrize("preset", ["sap-odata-v2", "sap-odata-v4"])
def test_sap_takes_what_comes_with_its_token(preset: str) -> None:
    sap = Gateway()
    with (
        ScriptedServer(sap) as server,
        opened(f"""
sap:
  preset: {preset}
  base_url: {server.url}/srv
  path: /A_SalesOrder
""") as to,
    ):
        assert brief(send(to)[0]) == (DELIVERED, "")
        assert [(request.method, request.path) for request in server.requests] == [
            ("GET", "/srv/"), ("POST", "/srv/A_SalesOrder"),
        ]  # fmt: skip


def test_odata_2_reads_from_a_time_on() -> None:
    sap = Gateway()
    with ScriptedServer(sap) as server:
        hub = read(f"""
sap:
  preset: sap-odata-v2
  base_url: {server.url}/srv
  fetch:
    request: "GET /A_SalesOrder?$filter=LastChange ge datetimeoffset'{{watermark}}'&$orderby=LastChange"
    id: item.id
    watermark: {{value: item.LastChange, start: "2026-01-01T00:00:00Z", overlap: 0s}}
""", 2)  # fmt: skip
    assert hub.numbers[:9] == list(range(9))
    assert (
        sap.written[0]
        == b"/srv/A_SalesOrder?$filter=LastChange%20ge%20datetimeoffset'2026-01-01T00%3A00%3A00Z'&$orderby=LastChange"
    )
    assert b"datetimeoffset'2026-03-01T10%3A09%3A00Z'" in sap.written[3]


def test_a_preset_says_how_to_fetch_only_where_something_is_fetched() -> None:
    made = system("sap: {preset: sap-odata-v2, base_url: 'http://localhost/srv'}")
    assert (made.sends, made.fetches, made.options["fetch"]) == (True, False, None)
