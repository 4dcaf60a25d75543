"""The presets of CRM and ERP systems, and Shopify's API: what each answer of them means, how their pages are read, and
what the page about them shows. The answers have the shape that their makers document; no system of theirs has given
them."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

from polling import Hub
from scripted_server import Line, Request, Script, ScriptedServer
from sending import parcel, send
from shop import answer

from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, PermanentError, TransientError
from hub.check import check_project
from hub.errors import Fault
from hub.pipeline.connections import open_destination, open_source
from hub.project import reference_files
from hub.systems import System, load_systems
from hub.yamldoc import read_yaml

FILES = reference_files()
ROOT = Path(__file__).parents[2]
_USED = ("orders", "idoc", "salesforce", "hubspot", "odoo", "tables")
# What the page does not use, and would have to be looked through as well.
OTHERS = (
    *(f"mappings/{path.name}/" for path in (ROOT / "mappings").iterdir() if path.name not in _USED),
    *(f"schemas/{name}/" for name in ("cii", "eancom", "edifact", "ubl", "x12", "profiles")),
)


def system(text: str) -> System:
    faults: list[Fault] = []
    root, found = read_yaml(text, "config/systems.yaml")
    systems = load_systems(root, FILES, None, faults)
    assert not [*found, *faults], faults
    return next(iter(systems.values()))


def says(status: int, body: Any, kind: str = "application/json") -> Script:
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()

    async def script(request: Request, line: Line) -> None:
        await line.answer(status, raw, content_type=kind)

    return script


def sf_error(code: str) -> list[dict[str, str]]:
    return [{"message": "as Salesforce says it", "errorCode": code}]


def part(status: int, body: Any, name: str = "order") -> dict[str, Any]:
    return {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": name}


def graph(good: bool, *parts: dict[str, Any]) -> dict[str, Any]:
    return {"graphs": [{"graphId": "order", "graphResponse": {"compositeResponse": parts}, "isSuccessful": good}]}


def made(number: str) -> dict[str, Any]:
    return {"id": number, "success": True, "errors": []}


HALTED = part(400, sf_error("PROCESSING_HALTED"), "account")
HTML = "<html><body>Down for maintenance</body></html>"


def rpc(**said: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": "d-1.1", **said}


def rpc_error(name: str) -> dict[str, Any]:
    data = {"name": name, "debug": "Traceback …", "message": "no", "arguments": ["no"], "context": {}}
    return rpc(error={"code": 200, "message": "Odoo Server Error", "data": data})


def loaded(ids: Any, *kinds: str) -> dict[str, Any]:
    messages = [{"type": kind, "message": "no", "record": 0, "field": "country_id"} for kind in kinds]
    return {"ids": ids, "messages": messages, "nextrow": 0}


def raised(name: str) -> dict[str, Any]:
    return {"name": name, "message": "no", "arguments": ["no"], "context": {}, "debug": "Traceback …"}


def user_error(code: str) -> dict[str, Any]:
    return {"data": {"result": {"made": None, "userErrors": [{"code": code, "field": ["input"], "message": "no"}]}}}


def batch(status: str, *errors: str) -> dict[str, Any]:
    return {
        "status": status, "results": [{"id": "17210001", "new": True}] if not errors else [], "numErrors": len(errors),
        "errors": [{"status": "error", "category": each, "message": "no"} for each in errors],
    }  # fmt: skip


ANSWERS: dict[str, list[tuple[int, Any, str, str]]] = {
    "salesforce": [
        (201, {**made("001A"), "created": True}, DELIVERED, "001A"),
        (204, "", DELIVERED, ""),
        (200, {"compositeResponse": [part(200, made("001A")), part(204, None)]}, DELIVERED, ""),
        (200, graph(True, part(200, made("001A"), "account"), part(201, made("801B"))), DELIVERED, "801B"),
        (200, graph(False, HALTED, part(400, sf_error("REQUIRED_FIELD_MISSING"))), REFUSED, ""),
        (200, graph(False, HALTED, part(400, sf_error("UNABLE_TO_LOCK_ROW"))), LATER, ""),
        (200, graph(False, HALTED), DOUBT, ""),
        (200, {"compositeResponse": [HALTED, part(404, sf_error("NOT_FOUND"))]}, REFUSED, ""),
        (200, {"compositeResponse": [HALTED, part(503, sf_error("SERVER_UNAVAILABLE"))]}, LATER, ""),
        (200, {}, DOUBT, ""),
        (200, HTML, DOUBT, ""),
        (
            300,
            ["/services/data/v66.0/sobjects/Account/001A", "/services/data/v66.0/sobjects/Account/001B"],
            REFUSED,
            "",
        ),
        (400, sf_error("DUPLICATE_VALUE"), REFUSED, ""),
        (400, sf_error("UNABLE_TO_LOCK_ROW"), LATER, ""),
        (403, sf_error("REQUEST_LIMIT_EXCEEDED"), LATER, ""),
        (403, sf_error("API_DISABLED_FOR_ORG"), STOPPED, ""),
        (401, sf_error("INVALID_SESSION_ID"), STOPPED, ""),
        (500, sf_error("UNKNOWN_EXCEPTION"), DOUBT, ""),
        (503, sf_error("SERVER_UNAVAILABLE"), LATER, ""),
        (502, HTML, DOUBT, ""),
    ],
    "hubspot": [
        (200, batch("COMPLETE"), DELIVERED, "17210001"),
        (201, {"id": "99", "properties": {}}, DELIVERED, "99"),
        (200, HTML, DOUBT, ""),
        (207, batch("COMPLETE", "VALIDATION_ERROR"), REFUSED, ""),
        (207, batch("COMPLETE", "INTERNAL_ERROR"), DOUBT, ""),
        (400, {"status": "error", "category": "VALIDATION_ERROR", "message": "no"}, REFUSED, ""),
        (401, {"status": "error", "category": "INVALID_AUTHENTICATION"}, STOPPED, ""),
        (409, {"status": "error", "category": "CONFLICT"}, REFUSED, ""),
        (429, {"status": "error", "errorType": "RATE_LIMIT", "policyName": "TEN_SECONDLY_ROLLING"}, LATER, ""),
        (423, {"status": "error", "message": "locked"}, LATER, ""),
        (477, {"status": "error", "message": "being migrated"}, LATER, ""),
        (502, HTML, DOUBT, ""),
    ],
    "odoo": [
        (200, rpc(result=42), DELIVERED, "42"),
        (200, rpc(result=[42]), DELIVERED, "42"),
        (200, rpc(result=True), DELIVERED, ""),
        (200, rpc(result=False), DELIVERED, ""),
        (200, rpc(), DELIVERED, ""),
        (200, rpc(result=loaded([7])), DELIVERED, "7"),
        (200, rpc(result=loaded([7, 8])), DELIVERED, "7 8"),
        (200, rpc(result=loaded([7], "warning")), DELIVERED, "7"),
        (200, rpc(result=loaded(False, "warning", "error")), REFUSED, ""),
        (200, rpc(result=loaded(False)), REFUSED, ""),
        (200, rpc(result={"type": "ir.actions.act_window"}), DELIVERED, ""),
        (200, rpc_error("odoo.exceptions.ValidationError"), REFUSED, ""),
        (200, rpc_error("builtins.ValueError"), REFUSED, ""),
        (200, rpc_error("psycopg2.errors.SerializationFailure"), LATER, ""),
        (200, rpc_error("odoo.exceptions.AccessDenied"), LATER, ""),
        (200, HTML, DOUBT, ""),
        (200, {"result": 42}, DOUBT, "42"),
        (404, HTML, REFUSED, ""),
        (502, HTML, DOUBT, ""),
    ],
    "odoo-json2": [
        (200, [42], DELIVERED, "42"),
        (200, True, DELIVERED, ""),
        (200, loaded([7]), DELIVERED, "7"),
        (200, loaded([7, 8]), DELIVERED, "7 8"),
        (200, loaded(False, "error"), REFUSED, ""),
        (200, loaded(False), REFUSED, ""),
        (200, HTML, DOUBT, ""),
        (401, raised("werkzeug.exceptions.Unauthorized"), STOPPED, ""),
        (409, raised("odoo.exceptions.LockError"), LATER, ""),
        (422, raised("odoo.exceptions.ValidationError"), REFUSED, ""),
        (500, raised("builtins.ValueError"), REFUSED, ""),
        (500, raised("psycopg2.errors.DeadlockDetected"), LATER, ""),
        (502, HTML, DOUBT, ""),
    ],
    "shopify-admin": [
        (
            200,
            {"data": {"result": {"made": {"id": "gid://shopify/Fulfillment/9"}, "userErrors": []}}},
            DELIVERED,
            "gid://shopify/Fulfillment/9",
        ),
        (200, user_error("INVALID_LOCATION"), REFUSED, ""),
        # The same with @idempotent once more, while the first is under way.
        (200, user_error("IDEMPOTENCY_CONCURRENT_REQUEST"), LATER, ""),
        (200, {"errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]}, LATER, ""),
        (200, {"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]}, LATER, ""),
        (200, {"errors": [{"message": "no", "extensions": {"code": "SHOP_INACTIVE"}}]}, LATER, ""),
        (200, {"errors": [{"message": "no", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}, REFUSED, ""),
        (402, {"errors": "Payment Required"}, LATER, ""),
        (423, {"errors": "Locked"}, LATER, ""),
        (404, {"errors": "Not Found"}, REFUSED, ""),
        (200, {"errors": [{"message": "no", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}, DOUBT, ""),
        (200, HTML, DOUBT, ""),
        (401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"}, STOPPED, ""),
        (502, HTML, DOUBT, ""),
    ],
    "sap-idoc": [
        (200, "<html><head><title>IDoc-XML-inbound ok</title></head></html>", DELIVERED, ""),
        (200, "<html><head><title>Logon</title></head></html>", DOUBT, ""),
        (200, {"status": "ok"}, DOUBT, ""),
        (401, HTML, STOPPED, ""),
        (404, HTML, REFUSED, ""),
        (500, HTML, DOUBT, ""),
    ],
}


@pytest.mark.parametrize(
    ("preset", "status", "body", "kind", "reference"),
    [(preset, *row) for preset, rows in ANSWERS.items() for row in rows],
    ids=[f"{preset} {row[0]} {number}" for preset, rows in ANSWERS.items() for number, row in enumerate(rows)],
)
def test_what_an_answer_means(preset: str, status: int, body: Any, kind: str, reference: str) -> None:
    args = "\n  body: {params: {args: ['{body}']}}" if preset == "odoo" else ""
    with ScriptedServer(says(status, body)) as server:
        text = f"it:\n  preset: {preset}\n  base_url: {server.url}\n  path: /it\n  auth: {{type: none}}{args}\n"
        to = open_destination(system(text), Path())
        try:
            [verdict] = send(to)
        finally:
            to.close()
        [request] = server.requests
    assert (verdict.kind, verdict.reference) == (kind, reference), verdict.detail
    if preset == "odoo":
        params = {"service": "object", "method": "execute_kw", "args": [{"order": 1}]}
        assert json.loads(request.body) == {"jsonrpc": "2.0", "method": "call", "id": "d-1.1", "params": params}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (rpc(result=[42]), FOUND),
        (rpc(result=[]), ABSENT),
        (rpc_error("odoo.exceptions.AccessDenied"), DOUBT),
        (HTML, DOUBT),
    ],
)
def test_an_answer_of_odoo_that_tells_nothing_is_not_taken_for_not_there(body: Any, kind: str) -> None:
    """Where it were, the sale would be made a second time."""
    with ScriptedServer(says(200, body)) as server:
        shown = shown_systems()["odoo-sales"].replace("https://erp.example.com", server.url)
        to = open_destination(system(shown.replace("secret://env/ODOO_KEY", "key")), Path())
        try:
            verdict = to.look_up(parcel(variables={"order_id": "1001"}))
        finally:
            to.close()
        asked = json.loads(server.requests[0].body)["params"]["args"]
    assert verdict.kind == kind
    assert asked == ["erp", 2, "key", "sale.order", "search", [[["client_order_ref", "=", "1001"]]]]


class Salesforce:
    """Pages of a query. Its first token is good for one request, each after it for ever."""

    def __init__(self, turns: bool = False, limit: bool = False) -> None:
        self.granted, self.turns, self.limit, self.served = 0, turns, limit, 0

    async def __call__(self, request: Request, line: Line) -> None:
        if request.path == "/token":
            self.granted += 1
            await answer(
                line, {"access_token": f"t{self.granted}", "instance_url": "https://it", "token_type": "Bearer"}
            )
        elif request.headers["authorization"] != f"Bearer t{self.granted}" or (self.granted == 1 and self.served == 1):
            await line.answer(401, json.dumps(sf_error("INVALID_SESSION_ID")).encode())
        elif self.limit:
            await line.answer(403, json.dumps(sf_error("REQUEST_LIMIT_EXCEEDED")).encode())
        else:
            self.served += 1
            number = int(request.path[-1]) if "/query/" in request.path else 0
            rows = [{"Id": f"00{number}", "id": number, "SystemModstamp": "2026-03-01T10:00:00.000+0000"}]
            body: dict[str, Any] = {"totalSize": 3, "done": number == 2, "records": rows}
            if number < 2 or self.turns:
                body["nextRecordsUrl"] = f"/services/data/v66.0/query/01g-{(number + 1) % 3}"
            await answer(line, body)


def polled(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> tuple[Hub, Any]:
    monkeypatch.setenv("SF_SECRET", "s3cret")
    text = re.sub(
        r"https://[a-z.]*salesforce\.com/services/oauth2/token", f"{server.url}/token", shown_systems()["crm-changes"]
    )
    hub, source = Hub(), open_source(system(re.sub(r"https://[a-z.]*salesforce\.com", server.url, text)), Path())
    source.remember(hub.kept)  # type: ignore[attr-defined]
    return hub, source


def test_a_token_of_salesforce_that_ends_between_two_pages_is_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    sold = Salesforce()
    with ScriptedServer(sold) as server:
        hub, source = polled(server, monkeypatch)
        try:
            source.fetch(hub)
        finally:
            source.close()
        paths = [request.path for request in server.requests if request.path != "/token"]
    assert (hub.numbers, sold.granted) == ([0, 1, 2], 2)
    assert "SystemModstamp%20%3E=%202026-01-01T00%3A00%3A00Z%20AND%20LastModifiedBy" in paths[0]
    assert json.loads(hub.kept.content)["watermark"] == "1772359200"


def test_pages_of_salesforce_that_lead_round_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(Salesforce(turns=True)) as server:
        hub, source = polled(server, monkeypatch)
        try:
            with pytest.raises(PermanentError, match="the pages go round"):
                source.fetch(hub)
        finally:
            source.close()
    assert len(hub.ids) == 3


def test_a_day_without_requests_left_does_not_stop_salesforce(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedServer(Salesforce(limit=True)) as server:
        hub, source = polled(server, monkeypatch)
        try:
            with pytest.raises(TransientError, match="the rule later: calls that for later"):
                source.fetch(hub)
        finally:
            source.close()
    assert hub.numbers == []


@pytest.mark.parametrize("nexts", [[None], ["100", "200", None], ["100", "10000"]], ids=["one", "three", "10,000"])
def test_a_search_of_hubspot_ends_where_hubspot_pages_no_further(nexts: list[str | None]) -> None:
    """Behind the 10,000th it answers 400: the next round begins with the last that was read."""

    async def search(request: Request, line: Line) -> None:
        after = json.loads(request.body)["after"]
        rows = [{"id": after + number, "updatedAt": "2026-03-01T10:00:00.000Z"} for number in range(100)]
        following = nexts[request.number - 1]
        await answer(line, {"results": rows, **({"paging": {"next": {"after": following}}} if following else {})})

    with ScriptedServer(search) as server:
        shown = shown_systems()["hubspot-changes"].replace("rate: 4/s", "rate: 1000/s")
        shown = shown.replace("{token: secret://env/HUBSPOT_TOKEN}", f"{{type: none}}\n  base_url: {server.url}")
        hub, source = Hub(), open_source(system(shown), Path())
        source.remember(hub.kept)  # type: ignore[attr-defined]
        try:
            source.fetch(hub)
        finally:
            source.close()
        asked = [json.loads(request.body) for request in server.requests]
    assert [each["after"] for each in asked] == [100 * page for page in range(len(nexts))]
    assert asked[0]["filterGroups"][0]["filters"][0]["value"] == "1767225600000"
    assert json.loads(hub.kept.content)["watermark"] == "1772359200"


def blocks(first: str) -> list[str]:
    page = (ROOT / "docs/how-to/crm-and-erp.md").read_text(encoding="utf-8")
    return re.findall(rf"^```yaml\n# {first}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)


def shown_systems() -> dict[str, str]:
    """The settings of each system that the page shows."""
    whole = "".join(blocks("config/systems.yaml"))
    return {text.partition(":")[0]: text for text in re.split(r"^(?=\w)", whole, flags=re.MULTILINE) if text}


def test_what_the_page_shows_has_no_fault() -> None:
    """Each of its routes beside all of its systems."""
    systems, routes = "".join(shown_systems().values()).encode(), blocks(r"routes/\w+\.yaml")
    hub = (ROOT / "config/hub.yaml").read_bytes()
    project = {path: raw for path, raw in FILES.items() if not path.startswith(OTHERS)}
    project |= {"config/hub.yaml": hub, "config/systems.yaml": systems}
    assert len(routes) == 4
    for text in routes:
        found = check_project({**project, "routes/shown.yaml": text.encode()})
        assert [str(fault) for fault in found.faults if "config" in fault.file or "routes" in fault.file] == []
