"""The probe of each preset that has one, against a server that answers as its maker documents: it lets us in or not."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

from scripted_server import Line, Request, ScriptedServer
from test_protocol_presets import opened

from hub.project import reference_files
from hub.yamldoc import parse_yaml

GRAPHQL_DENIED = {"errors": [{"message": "no", "extensions": {"code": "FORBIDDEN"}}], "data": None}
# Of each preset: what is written beside it, the header that lets in, what the probe asks, and the answers to it and to
# one who is not let in.
PROBES: dict[str, tuple[str, tuple[str, str], str, Any, tuple[int, Any]]] = {
    "graphql": ("auth: {type: bearer, token: TOKEN}, body: {query: m}", ("authorization", "Bearer t-1"),
                "POST /graphql", {"data": {"__typename": "Query"}}, (200, GRAPHQL_DENIED)),
    "hubspot": ("auth: {token: TOKEN}", ("authorization", "Bearer t-1"), "GET /account-info/2026-03/details",
                {"portalId": 123456, "accountType": "STANDARD", "timeZone": "US/Eastern"},
                (401, {"status": "error", "category": "INVALID_AUTHENTICATION"})),
    "odata-v4": ("auth: {type: bearer, token: TOKEN}", ("authorization", "Bearer t-1"), "GET /",
                 {"@odata.context": "$metadata", "value": []}, (401, {"error": {"code": "401"}})),
    "odoo-json2": ("auth: {token: TOKEN}", ("authorization", "bearer t-1"), "POST /json/2/res.users/context_get",
                   {"lang": "en_US", "tz": "Europe/Brussels", "uid": 7},
                   (401, {"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"})),
    "salesforce": ("auth: {token_url: URL/token, client_id: c, client_secret: TOKEN}", ("authorization", "Bearer t-1"),
                   "GET /services/data/v66.0/", {"sobjects": "/services/data/v66.0/sobjects"},
                   (401, [{"errorCode": "INVALID_SESSION_ID", "message": "Session expired or invalid"}])),
    "sap-odata-v2": ("auth: {type: basic, user: u, password: TOKEN}", ("authorization", "Basic dTp0LTE="), "GET /",
                     {"d": {"EntitySets": []}}, (401, {"error": {"code": "401"}})),
    "sap-odata-v4": ("auth: {type: basic, user: u, password: TOKEN}", ("authorization", "Basic dTp0LTE="), "GET /",
                     {"value": []}, (401, {"error": {"code": "401"}})),
    "shopify-admin": ("auth: {token_url: URL/token, client_id: c, client_secret: TOKEN}",
                      ("x-shopify-access-token", "t-1"), "POST /admin/api/2026-04/graphql.json",
                      {"data": {"shop": {"id": "gid://shopify/Shop/1"}}},
                      (401, {"errors": "[API] Invalid API key or access token"})),
    "stripe-api": ("auth: {token: TOKEN}", ("authorization", "Bearer t-1"), "GET /v1/refunds?limit=1",
                   {"object": "list", "data": [], "has_more": False, "url": "/v1/refunds"},
                   (401, {"error": {"message": "Invalid API Key provided", "type": "invalid_request_error"}})),
    "tryton": ("auth: {token: TOKEN}, path: /rest/model/sale.sale", ("authorization", "bearer t-1"),
               "GET /rest/model/company.company?d=W10%3D", [{"id": 1}], (401, {})),
    "vendure": ("auth: {key: TOKEN}, body: {query: m}", ("vendure-api-key", "t-1"), "POST /admin-api",
                {"data": {"activeChannel": {"id": "1"}}}, (200, GRAPHQL_DENIED)),
    "woocommerce-rest": ("auth: {user: ck_1, password: TOKEN}", ("authorization", "Basic Y2tfMTp0LTE="),
                         "GET /wp-json/wc/v3/orders?per_page=1&_fields=id", [{"id": 727}],
                         (401, {"code": "woocommerce_rest_cannot_view", "data": {"status": 401}})),
}  # fmt: skip


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "t-1")


class System:
    """Answers what the probe asks, and gives a token at /token (RFC 6749; Shopify's says no token_type)."""

    def __init__(self, header: tuple[str, str], good: Any, refused: tuple[int, Any]) -> None:
        self.header, self.good, self.refused = header, good, refused

    async def __call__(self, request: Request, line: Line) -> None:
        if request.path == "/token":
            said: tuple[int, Any] = 200, {"access_token": "t-1", "scope": "api", "expires_in": 86399}
        else:
            name, value = self.header
            said = (200, self.good) if request.headers.get(name) == value else self.refused
        token = {"x_csrf_token": "T-1"} if said[0] == 200 else {}
        await line.answer(said[0], json.dumps(said[1]).encode(), **token)


def tried(preset: str, header: tuple[str, str]) -> tuple[list[str], list[Request]]:
    beside, _, _, good, refused = PROBES[preset]
    with ScriptedServer(System(header, good, refused)) as server:
        text = f"it: {{preset: {preset}, base_url: URL, {beside}}}".replace("URL", server.url).replace(
            "TOKEN", "secret://env/TOKEN"
        )
        with opened(text) as to:
            return to.check(), list(server.requests)


@pytest.mark.parametrize("preset", PROBES)
def test_a_system_that_lets_us_in_is_asked_something_that_changes_nothing(preset: str) -> None:
    _, header, asked, _, _ = PROBES[preset]
    faults, requests = tried(preset, header)
    assert faults == []
    assert f"{requests[-1].method} {requests[-1].path}" == asked
    assert [request.path for request in requests[:-1]] in ([], ["/token"], ["/"])


@pytest.mark.parametrize("preset", PROBES)
def test_a_system_that_does_not_let_us_in_is_told(preset: str) -> None:
    _, header, asked, _, refused = PROBES[preset]
    [fault], _ = tried(preset, (header[0], "another"))
    if preset.startswith("sap-"):  # the token against forged requests comes first
        assert fault.startswith("csrf.request was answered 401")
        return
    said = "401 Unauthorized, expected a 2xx; see auth:" if refused[0] == 401 else "the rule probe.success: does not"
    assert fault.startswith(f"{asked}: the system answered") and said in fault


def test_every_preset_with_a_probe_is_here() -> None:
    files = reference_files().items()
    found = [parse_yaml(raw.decode(), path).data() for path, raw in files if path.startswith("connectors/presets/")]
    assert {each["preset"] for each in found if "probe" in each} == set(PROBES)
