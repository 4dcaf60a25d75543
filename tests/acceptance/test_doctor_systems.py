"""`o2c doctor` tries every kind of system, against servers that truly listen: what was tried, seen, expected, and
what to do; never a secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from program import new_project, o2c
from sftp_server import SftpServer, sftp_server
from soap_services import wsdl_files

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

from scripted_server import Line, Request, ScriptedServer

TOKEN, CLIENT_SECRET, WRONG = "token-4711-of-ours", "client-secret-4712", "another-secret-4713"
SYSTEMS = """
oauth:
  connector: http
  base_url: {url}
  auth: {{type: oauth2, token_url: "{url}/token", client_id: hub, client_secret: secret://env/CLIENT_SECRET}}
  probe: {{request: GET /me}}
oauth-refused:
  connector: http
  base_url: {url}
  auth: {{type: oauth2, token_url: "{url}/token", client_id: hub, client_secret: secret://env/WRONG}}
probe-refused:
  connector: http
  base_url: {url}
  auth: {{type: bearer, token: secret://env/WRONG}}
  probe: {{request: GET /me}}
graphql:
  preset: graphql
  base_url: {url}
  auth: {{type: bearer, token: secret://env/TOKEN}}
  body: {{query: "mutation"}}
  probe: {{request: POST /graphql, body: {{query: "{{ me }}"}}, success: has(body.data.me)}}
away: {{connector: http, base_url: "http://127.0.0.1:9"}}
unset: {{connector: http, base_url: "{url}", auth: {{type: bearer, token: secret://env/NOT_SET}}}}
soap: {{connector: soap, wsdl: schemas/orders.wsdl, address: "{url}/orders", operation: CreateOrder}}
called: {{connector: soap, wsdl: schemas/orders.wsdl, verify: {{user: shop, secrets: [secret://env/TOKEN]}}}}
bank: {{connector: sftp, host: 127.0.0.1, port: {port}, host_key: "{host_key}", user: {user}, key: secret://file/bank,
       fetch: {{folder: in}}, send: {{folder: not-there}}}}
bank-shows-another-key: {{connector: sftp, host: 127.0.0.1, port: {port}, user: {user}, key: secret://file/bank,
       host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ",
       fetch: {{folder: in}}}}
bank-refuses: {{connector: sftp, host: 127.0.0.1, port: {port}, host_key: "{host_key}", user: {user},
       key: secret://file/other, fetch: {{folder: in}}}}
folder: {{connector: file, root: data/folder, fetch: {{folder: in}}, send: {{folder: out}}}}
pay: {{preset: stripe, verify: {{secrets: [secret://env/TOKEN]}}}}
adyen: {{preset: adyen, verify: {{secrets: [secret://env/TOKEN]}}}}
open: {{connector: webhook, verify: {{method: none, unsigned: true}}}}
leaky: {{connector: leaky, word: secret://env/TOKEN}}
failing: {{connector: leaky, word: secret://env/WRONG}}
lost: {{connector: htp}}
"""
LEAKY = """
from connectors.base import Field
from connectors.blocking import BlockingDestination

FIELDS = (Field("word", "secret", "What lets us in.", required=True),)


def destination(config):
    return Leaky(config["word"])


class Leaky(BlockingDestination):
    def __init__(self, word):
        super().__init__()
        self.word = word

    def check(self):
        if "another" in self.word:
            raise ValueError(f"{self.word} is wrong")
        return [f"the password {self.word} was refused"]
"""


async def script(request: Request, line: Line) -> None:
    """A token server, an API and a GraphQL server in one."""
    if request.path == "/token":
        is_known = CLIENT_SECRET.encode() in request.body or "Basic aHViOmNsaWVudC1z" in str(request.headers)
        told = {"access_token": TOKEN, "token_type": "bearer"} if is_known else {"error": "invalid_client"}
        await line.answer(200 if is_known else 401, json.dumps(told).encode())
    elif request.path == "/graphql":
        await line.answer(200, json.dumps({"data": {"me": "hub"}}).encode())
    else:
        is_known = request.headers.get("authorization") == f"Bearer {TOKEN}"
        await line.answer(200 if is_known else 401, request.headers.get("authorization", "").encode())


@pytest.fixture(scope="module")
def server() -> Iterator[SftpServer]:
    with sftp_server() as running:
        running.folder("in")
        running.new_key("other")
        yield running


@pytest.fixture(scope="module")
def told(server: SftpServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The project, and the findings of its systems by subject."""
    project = new_project(tmp_path_factory.mktemp("doctor"), "shop")
    with ScriptedServer(script) as web:
        with (project / "config/systems.yaml").open("a") as file:
            file.write(SYSTEMS.format(url=web.url, port=server.port, user=server.user, host_key=server.host_key))
        (project / ".o2c/secrets/bank").write_text(server.key)
        (project / ".o2c/secrets/other").write_text(server.path("other").read_text())
        for path, raw in {**wsdl_files(), "connectors/leaky.py": LEAKY.encode()}.items():
            (project / path).parent.mkdir(parents=True, exist_ok=True)
            (project / path).write_bytes(raw)
        (project / "data/folder/in").mkdir(parents=True)
        ended = o2c(project, "doctor", "--json", TOKEN=TOKEN, CLIENT_SECRET=CLIENT_SECRET, WRONG=WRONG)
        found = {}
        for each in json.loads(ended.stdout):
            found.setdefault(each["subject"], []).append(each)
        yield project, web, server, ended, found


def one(told: Any, subject: str) -> tuple[str, str, str]:
    [found] = told[4][subject]
    return found["state"], found["detail"], found["tried"]


def test_what_can_be_reached_says_what_was_tried(told: Any) -> None:
    place = told[1].url.removeprefix("http://")
    assert one(told, "system oauth") == (
        "ok", "can be reached", f"a connection to {place}, a token of {place}, GET /me",
    )  # fmt: skip
    assert one(told, "system graphql") == ("ok", "can be reached", f"a connection to {place}, POST /graphql")
    assert one(told, "system soap") == ("ok", "can be reached", f"a connection to {place}")


def test_refused_credentials_are_told_with_what_was_expected(told: Any) -> None:
    state, detail, _ = one(told, "system probe-refused")
    assert (state, detail) == ("warning", "GET /me: the system answered 401 Unauthorized, expected a 2xx; see auth:")
    state, detail, _ = one(told, "system oauth-refused")
    assert state == "warning" and "it does not accept client_id and client_secret" in detail


def test_what_does_not_answer_is_told_and_where_it_stands(told: Any) -> None:
    assert one(told, "system away")[:2] == (
        "warning", "127.0.0.1 refused the connection: nothing listens on that port"
    )  # fmt: skip
    [found] = told[4]["system away"]
    assert found["hint"].startswith("messages wait for it and are tried again; see config/systems.yaml:")


def test_a_secret_that_is_not_set_is_named(told: Any) -> None:
    state, detail, _ = one(told, "system unset")
    assert (state, "secret://env/NOT_SET: the environment variable NOT_SET is not set" in detail) == ("fault", True)


def test_both_folders_of_a_server_are_looked_at(told: Any) -> None:
    where = f"127.0.0.1:{told[2].port}"
    sends, fetches = told[4]["system bank"]
    assert (sends["state"], sends["detail"]) == ("warning", f"the folder not-there is not there on {where}")
    assert (fetches["state"], fetches["tried"]) == ("ok", f"a login at {where}, and the folder in there")


def test_a_server_with_another_key_and_one_that_refuses_ours_are_told_apart(told: Any) -> None:
    assert "shows another host key than the one pinned in host_key" in one(told, "system bank-shows-another-key")[1]
    assert "does not let the user" in one(told, "system bank-refuses")[1]


def test_both_folders_of_this_machine_are_looked_at(told: Any) -> None:
    sends, fetches = told[4]["system folder"]
    assert (sends["detail"], sends["tried"]) == (
        "the folder data/folder/out is not there",
        "the folder data/folder/out",
    )
    assert (fetches["state"], fetches["tried"]) == ("ok", "the folder data/folder/in")


def test_a_door_is_tried_with_its_secrets(told: Any) -> None:
    assert one(told, "door of pay")[:2] == ("ok", "POST /in/pay is proved by signature (1 secret)")
    assert one(told, "door of open")[:2] == ("ok", "POST /in/open is proved by nothing: anybody may post there")
    state, detail, _ = one(told, "door of adyen")
    assert state == "fault" and "verify.secrets" in detail and "hex" in detail


def test_who_only_calls_us_by_soap_is_not_called_at_the_address_of_its_wsdl(told: Any) -> None:
    ended = o2c(told[0], "doctor", "called", TOKEN=TOKEN)
    assert (ended.returncode, ended.stdout.splitlines()) == (
        0, ["ok      door of called: POST /soap/called is proved by username-token (1 secret)"],
    )  # fmt: skip


def test_a_connector_of_ones_own_is_tried_and_what_it_lets_slip_is_not_shown(told: Any) -> None:
    assert one(told, "system leaky")[:2] == ("warning", "the password *** was refused")
    assert one(told, "system failing")[:2] == ("fault", "its connector 'leaky' failed: ValueError")


def test_no_secret_is_shown_anywhere(told: Any) -> None:
    _, _, server, ended, _ = told
    for secret in (TOKEN, CLIENT_SECRET, WRONG, server.key.splitlines()[2]):
        assert secret not in ended.stdout + ended.stderr


def test_a_system_that_cannot_be_read_is_told_and_the_others_tried(told: Any) -> None:
    assert one(told, "system lost")[:2] == ("fault", "unknown connector 'htp'; did you mean 'http'?")
    assert one(told, "system erp")[0] == "ok"


def test_systems_are_tried_alone_and_then_not_to_reach_one_is_a_fault(told: Any) -> None:
    alone = o2c(told[0], "doctor", "away", "open")
    away, door = alone.stdout.splitlines()
    assert alone.returncode == 1
    assert away.startswith("fault   system away: 127.0.0.1 refused the connection") and door.startswith(
        "ok      door of"
    )
    wrong = o2c(told[0], "doctor", "awya")
    assert wrong.returncode == 1
    assert "there is no system 'awya' in config/systems.yaml; did you mean 'away'?" in wrong.stderr
