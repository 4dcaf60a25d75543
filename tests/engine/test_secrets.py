"""Secrets of every connector through a whole engine: in no log line, no verdict, no table, no metric and no answer.

The receivers here are of the worst kind: they show in their answers all that they were sent.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
import structlog
from caller import Caller, Folder, new_key
from connector_sides import OWN, TelexSide
from scripted_server import Line, Request, ScriptedServer
from sending import closed_port
from soap_calling import WSSE, asked, envelope
from soap_calls import fault
from soap_services import ORDER_IN as SOAP_IN
from soap_services import wsdl_files
from world import HUB, ORDER_IN, ORDER_OUT, World, order

from connectors.base import ConnectorError, Destination
from hub import logs, metrics
from hub.api.application import create_app
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.api.soap_door import SoapDoor
from hub.deploy import deploy
from hub.errors import HubError
from hub.pipeline.connections import open_destination
from hub.pipeline.engine import Engine
from hub.project import reference_files
from hub.store import open_store
from hub.store.audit import Actor
from hub.store.compression import unpack
from hub.store.tally import Tallier
from hub.sweeper import Sweeper

AUTH = {
    "basic": "{type: basic, user: hub, password: secret://file/basic}",
    "header": "{type: key, header: X-Key, prefix: 'v1 ', key: secret://file/header}",
    "query": "{type: key, query: apikey, key: secret://file/query}",
    "bearer": "{type: bearer, token: secret://file/bearer}",
    "oauth2": "{{type: oauth2, token_url: '{url}/token', client_id: hub, client_secret: secret://file/oauth2}}",
    "signed": "{type: hmac, secret: secret://file/signed}",
}
STATUSES = (200, 401, 422, 500)
OTHERS = """
rule: {{connector: http, base_url: '{url}/200', auth: {{type: bearer, token: secret://file/rule}},
       success: "dec(body.token) > 0"}}
soap: {{connector: soap, wsdl: schemas/orders.wsdl, address: '{url}/soap', operation: CreateOrder,
       security: {{type: username-token, user: hub, password: secret://file/soap, digest: false}}}}
telex: {{connector: telex, port: {telex}, password: secret://file/telex}}
sftp: {{connector: sftp, host: 127.0.0.1, port: {closed}, host_key: '{host_key}', user: hub,
       password: secret://file/sftp, send: {{folder: out}}}}
badkey: {{connector: sftp, host: 127.0.0.1, host_key: '{host_key}', user: hub, key: secret://file/badkey,
       passphrase: secret://file/sftp, send: {{folder: out}}}}
badhex: {{connector: http, base_url: '{url}/200',
       auth: {{type: hmac, secret: secret://file/badhex, key_encoding: hex}}}}
badline: {{connector: http, base_url: '{url}/200', auth: {{type: bearer, token: secret://file/badline}}}}
badjwt: {{connector: http, base_url: '{url}/200', auth: {{type: oauth2, token_url: '{url}/token', client_id: hub,
       client_auth: jwt, jwt: {{private_key: secret://file/badjwt}}}}}}
"""
RECEIVING = """
shop: {{connector: webhook, verify: {{method: token, header: X-Token, secrets: [secret://file/shop]}},
       event: header:x-event}}
signer: {{connector: webhook, verify: {{header: X-Sign, secrets: [secret://file/signer]}}, event: header:x-event}}
calls: {{connector: soap, wsdl: schemas/orders.wsdl, verify: {{user: u, secrets: [secret://file/calls]}},
       replies: {{CreateOrder: {{number: "{{message_id}}"}}}}, ignore: [FindOrder, Notify]}}
till: {{connector: http, base_url: '{url}/pages', event: order, auth: {{type: key, query: apikey, key: secret://file/till}},
       fetch: {{request: GET /first, items: body, paging: {{type: link}}}}}}
"""
NAMES = (
    *AUTH,
    "rule",
    "soap",
    "telex",
    "sftp",
    "badkey",
    "badhex",
    "badline",
    "badjwt",
    "shop",
    "signer",
    "calls",
    "till",
)
GRANTED = "Tell/Nobody+granted7"
SECRETS = {name: f"Tell/Nobody+{name}7" + ("\nX" if name == "badline" else "") for name in NAMES}
HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
SOAP_OUT = b"""
mapping: soap-out
version: 1
source: {schema: canonical/stock_level}
target: {format: json}
output:
  number: {const: A-1}
  date: {const: "2026-03-05"}
  line:
    - {item: {const: hose}, quantity: {const: 2}, price: {_value_1: {const: "9.90"}, currency: {const: EUR}}}
  total: {_value_1: {const: "19.80"}, currency: {const: EUR}}
"""
TARGETS = [f"{name}-{status}" for name in AUTH for status in STATUSES]
TARGETS += ["rule", "soap", "telex", "sftp", "badkey", "badhex", "badline", "badjwt"]


async def echo(request: Request, line: Line) -> None:
    """Answers as its address says, with all that it was sent."""
    head = "\n".join([f"{request.method} {request.path}", *(f"{k}: {v}" for k, v in request.headers.items())])
    told = {"token": request.headers.get("authorization", "").rpartition(" ")[2], "head": head}
    shown = json.dumps({**told, "body": request.body.decode("utf-8", "replace")}).encode()
    place = request.path.strip("/").partition("/")[0].partition("?")[0]
    if place == "token":
        await line.answer(200, json.dumps({"access_token": GRANTED, "expires_in": 3600}).encode())
    elif place == "soap":
        said = request.body.partition(b"Password")[2].partition(b">")[2].partition(b"<")[0].decode()
        body = fault("s:Client", f"user hub with {escape(said)} may not")
        await line.answer(500, body, content_type="text/xml; charset=utf-8")
    elif request.path.startswith("/pages/first"):
        link = f'<{request.path.replace("first", "second")}>; rel="next"'
        await line.answer(200, b'[{"id": "9", "lines": []}]', link=link)
    else:
        await line.answer(500 if place == "pages" else int(place), shown)


class Connected(World):
    """A world whose systems are truly connected."""

    def open(self, worker: str) -> None:
        self.store = open_store(self.url, self.folder)
        program = deploy(self.store, self.files, None, self.clock, Actor("test"), OWN)
        self.reached: dict[str, Destination] = {}
        self.engine = Engine(
            self.store, program, self.clock, self, self._connect, worker,
            run_apart=lambda work, _: self.calls.append(work),
        )  # fmt: skip

    def _connect(self, system: Any) -> Destination:
        self.reached[system.name] = open_destination(system, self.folder / "secrets", OWN)
        return self.reached[system.name]

    def settle(self) -> None:
        """Until nothing is on its way."""
        deadline = time.monotonic() + 60
        while True:
            self.run()
            if not self.rows("SELECT 1 FROM deliveries WHERE state = 'delivering'"):
                return
            assert time.monotonic() < deadline, self.states()
            time.sleep(0.01)

    def close(self) -> None:
        self.engine.close()
        super().close()


def project(url: str, telex: int) -> dict[str, bytes]:
    told = {"url": url, "telex": telex, "closed": closed_port(), "host_key": HOST_KEY}
    systems = OTHERS.format(**told) + RECEIVING.format(**told)
    for name, auth in AUTH.items():
        known = auth.format(url=url) if "{{" in auth else auth
        for status in STATUSES:
            systems += f"{name}-{status}: {{connector: http, base_url: '{url}/{status}', auth: {known}}}\n"
    to = "".join(f"  - {{system: {name}, map: {'soap-out' if name == 'soap' else 'order-out'}}}\n" for name in TARGETS)
    one = "- route: {0}\n  from: {{{{system: {0}, event: {1}}}}}\n  map: {2}\n  order: none\n  to: {3}\n"
    routes = one.format("shop", "order", "order-in", "\n" + to.replace("  -", "    -"))
    for name, event, mapping in (
        ("signer", "order", "order-in"), ("till", "order", "order-in"), ("calls", "CreateOrder", "soap-in"),
    ):  # fmt: skip
        routes += one.format(name, event, mapping, "[{system: sftp, map: order-out}]")
    schemas = {path: raw for path, raw in reference_files().items() if path.startswith("schemas/")}
    return {
        **schemas, **wsdl_files(), "config/hub.yaml": HUB, "config/systems.yaml": systems.encode(),
        "routes/all.yaml": routes.replace("{{", "{").replace("}}", "}").encode(),
        "mappings/order-in.yaml": ORDER_IN, "mappings/order-out.yaml": ORDER_OUT, "mappings/soap-out.yaml": SOAP_OUT,
        "mappings/soap-in.yaml": SOAP_IN.encode(),
    }  # fmt: skip


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root, stream = logging.getLogger(), io.StringIO()
    handlers, level = root.handlers, root.level
    monkeypatch.setenv("O2C_LOG_LEVEL", "debug")
    logs.configure(stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def stored(world: World) -> str:
    """Every value of every table, unpacked, and the bytes of the files."""
    found = []
    for (table,) in world.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        for row in world.rows(f'SELECT * FROM "{table}"'):
            found.append(f"{table} {row}")
    for compressed, content in world.rows("SELECT compressed, content FROM payloads"):
        found.append(unpack(compressed, content).decode("utf-8", "replace"))
    for path in world.folder.rglob("*.db*"):
        found.append(path.read_bytes().decode("latin-1"))
    return "\n".join(found)


def forms(name: str, secret: str) -> set[str]:
    """How a secret looks on the wire, in a store, in a text."""
    basic = base64.b64encode(f"hub:{secret}".encode()).decode()
    encoded = base64.b64encode(f"hub:{quote(secret, safe='')}".encode()).decode()
    return {secret.strip(), secret.partition("\n")[0], quote(secret, safe=""), basic, encoded}


def test_no_secret_is_in_anything_that_is_kept_or_told(tmp_path: Path, log: io.StringIO) -> None:
    (tmp_path / "secrets").mkdir()
    for name, secret in SECRETS.items():
        (tmp_path / "secrets" / name).write_text(secret)
    with ScriptedServer(echo) as server, TelexSide() as telex:
        world = Connected(tmp_path, project(server.url, telex.port))
        try:
            told = lived(world)
        finally:
            world.close()
        told |= {"the log": log.getvalue()}
        wire = "\n".join(f"{each.path} {each.headers} {each.body!r}" for each in server.requests)
    for name in (*AUTH, "soap", "till"):
        assert name == "signed" or any(form in wire for form in forms(name, SECRETS[name])), f"{name} was not sent"
    assert told["the store"].count("[secret]") > 20, "what came back was kept without them"
    found = [
        (name, where, told[where][max(0, told[where].index(form) - 200) :][:400])
        for name, secret in {**SECRETS, "granted": GRANTED}.items()
        for form in forms(name, secret)
        for where in told
        if form in told[where]
    ]
    assert found == []


def lived(world: Connected) -> dict[str, str]:
    """What a hub does in its life, and all that can be read of it afterwards."""
    secrets = world.folder / "secrets"
    ingest = Ingest(world.engine, Doors(secrets))
    body = json.dumps(order(1)).encode()
    answers = [
        asked(ingest, "/in/shop", body, x_token=token, x_event="order", content_type="application/json")
        for token in ("guess", SECRETS["shop"])
    ]
    answers.append(asked(ingest, "/in/signer", body, x_sign="guess", x_event="order", content_type="application/json"))
    token = f"<w:UsernameToken><w:Username>u</w:Username><w:Password>{escape(SECRETS['calls'])}</w:Password>"
    header = f"<w:Security xmlns:w='{WSSE}'>{token}</w:UsernameToken></w:Security>"
    door = SoapDoor(world.engine, ingest, secrets)
    answers.append(asked(door, "/soap/calls", envelope(header=header), content_type="text/xml"))
    assert [answer.status for answer in answers] == [401, 202, 401, 200]
    world.settle()
    sweeper = Sweeper(world.engine, secrets, None, {}, OWN)
    for _ in range(3):
        sweeper.sweep()
        world.settle()
        world.wait(70)
    states = dict(world.rows("SELECT target, state FROM deliveries WHERE target IN ('basic-200', 'basic-422', 'rule')"))
    assert states == {"basic-200": "delivered", "basic-422": "dead", "rule": "held"}
    assert world.rows("SELECT count(*) FROM receipts WHERE source = 'till'") == [(1,)]
    told = {"the store": stored(world), "the answers of doors": str(answers)}
    told["metrics"] = metrics.render(world.engine, Tallier().count(world.store.reader(), world.clock.epoch())).decode()
    told["the doctor"] = str([to.check() for to in world.reached.values()])
    told["errors"] = str(list(refusals(world)))
    caller = Caller(create_app(world.engine, deployer=Folder()), new_key(world.store, "admin"))
    paths = ["/api/v1/systems", "/api/v1/messages", "/api/v1/dead-letters", "/"]
    paths += [f"/api/v1/messages/{row[0]}" for row in world.rows("SELECT message_id FROM messages")]
    told["the API"] = "\n".join(caller.get(path).body.decode() for path in paths)
    sweeper.stop()
    world.run()
    return told


def refusals(world: Connected) -> Iterator[str]:
    """What is said of systems that cannot be opened."""
    for name in ("badkey", "badhex", "badline", "badjwt"):
        with pytest.raises((HubError, ConnectorError)) as refused:
            open_destination(world.engine.program.settings.systems[name], world.folder / "secrets", OWN)
        yield f"{refused.value!r} {refused.value.__context__!r}"
