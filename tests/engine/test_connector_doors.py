"""What every connector that receives keeps to: a thing is taken in once, whole, and from nobody who is not known."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4
from weakref import ref
from xml.sax.saxutils import escape

import pytest
from caller import Caller, new_key
from soap_calling import ROUTE, SHOP, WSSE, Said, asked, calling, envelope, number
from world import ORDER_IN, World, order

import connectors
from hub.api.application import create_app
from hub.api.doors import Doors
from hub.api.ingest import Ingest
from hub.api.soap_door import SoapDoor
from hub.deploy import deploy
from hub.message import RAW
from hub.rounds import Rounds
from hub.store import payloads
from hub.store.audit import Actor

WORD, ANOTHER = "the word & nothing else", "another word"


@dataclass(frozen=True)
class Way:
    """How a connector is sent to: its system, and a request with a number and a proof."""

    systems: str
    event: str
    request: Callable[[str, str], tuple[bytes, dict[str, str]]]


def _posted(said: str, word: str) -> tuple[bytes, dict[str, str]]:
    return json.dumps(order(1)).encode(), {"x_token": word, "x_id": said, "content_type": "application/json"}


def _called(said: str, word: str) -> tuple[bytes, dict[str, str]]:
    token = f"<w:UsernameToken><w:Username>u</w:Username><w:Password>{escape(word)}</w:Password></w:UsernameToken>"
    header = f"{number(said)}<w:Security xmlns:w='{WSSE}'>{token}</w:Security>"
    return envelope(header=header), {"content_type": "text/xml"}


WAYS = {
    "webhook": Way(
        "shop: {connector: webhook, verify: {method: token, header: X-Token, secrets: [secret://file/word]},"
        " event: order, dedupe: {id: header:X-Id}}\n", "order", _posted,
    ),
    "soap": Way(
        SHOP.replace("{method: none, unsigned: true}", "{user: u, secrets: [secret://file/word]}"), "CreateOrder",
        _called,
    ),
}  # fmt: skip


class Door:
    """The door of a world with one such system."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self._way = world, WAYS[name]
        ingest = Ingest(world.engine, Doors(world.folder))
        self._door: Any = SoapDoor(world.engine, ingest, world.folder) if name == "soap" else ingest
        self._path = f"/{'soap' if name == 'soap' else 'in'}/shop"

    def __call__(self, said: str = "m-1", word: str = WORD, is_cut: bool = False) -> Said:
        body, headers = self._way.request(said, word)
        return asked(self._door, self._path, body[: len(body) // 2] if is_cut else body, is_cut=is_cut, **headers)

    def at(self, name: str, method: str) -> Said:
        """What is answered at the door of another name."""
        return asked(self._door, self._path.replace("shop", name), method=method)

    def knows(self, word: str) -> bool:
        """Whether it believes who says this word."""
        return self(f"said-{uuid4()}", word).status // 100 == 2

    @property
    def kept(self) -> int:
        self.world.run()
        [(count,)] = self.world.rows("SELECT count(*) FROM receipts")
        return int(count)


@pytest.fixture(params=WAYS)
def door(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    with calling(tmp_path, monkeypatch) as build:
        (tmp_path / "word").write_text(WORD, encoding="utf-8")
        way, mapping = WAYS[request.param], {} if request.param == "soap" else {"mappings/soap-in.yaml": _ORDER_IN}
        route = ROUTE.replace(b"CreateOrder", way.event.encode())
        yield Door(build(way.systems, **{"routes/orders.yaml": route, **mapping}).world, request.param)


_ORDER_IN = ORDER_IN.replace(b"order-in", b"soap-in")


def test_no_connector_that_receives_is_left_out() -> None:
    receiving = {name for name in connectors.names() if hasattr(connectors.connector(name), "Verifier")}
    assert receiving == set(WAYS)


def test_what_comes_twice_is_taken_in_once(door: Door) -> None:
    answers = [door(), door()]
    assert [answer.status // 100 for answer in answers] == [2, 2]
    assert door.kept == 1
    assert door("m-2").status // 100 == 2
    assert door.kept == 2


def test_of_what_is_cut_in_the_middle_nothing_is_taken_in(door: Door) -> None:
    assert door(is_cut=True).status == 0
    assert door.kept == 0
    assert door().status // 100 == 2
    assert door.kept == 1


def test_who_is_not_known_is_told_so_and_may_send_it_again(door: Door) -> None:
    said = door(word="a guess")
    assert said.status in (401, 500)
    assert not any(word in said.body.decode() for word in ("a guess", WORD, escape(WORD)))
    assert door.kept == 0
    assert door().status // 100 == 2
    assert door.kept == 1


@pytest.mark.parametrize("method", ["POST", "GET", "PUT"])
def test_invented_names_are_counted_without_them(door: Door, method: str) -> None:
    assert {door.at(f"invented-{number}", method).status for number in range(3)} == {404}
    assert dict(door.world.engine.counts.refused) == {("", "unknown_system"): 3}


def test_a_name_that_was_invented_is_not_remembered(door: Door) -> None:
    doors, name = Doors(door.world.folder), Name("invented")
    still_there = ref(name)
    assert doors.find(door.world.engine.program, name) is None
    del name
    assert still_there() is None


class Name(str):
    """A text of which is known when nobody has it any more."""


def test_what_proves_the_sender_is_not_kept(door: Door) -> None:
    door()
    assert door.kept == 1
    [(receipt,)] = door.world.rows("SELECT receipt_id FROM receipts")
    raw = payloads.read(door.world.store.reader(), receipt, RAW)
    assert raw is not None
    assert escape(WORD).encode() not in raw
    assert door.world.rows("SELECT state FROM messages WHERE state = 'dead'") == []


class AnotherProcess:
    """Deploys from the project folder into the store; who else is at work has to find it there."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deploy(self, actor: Actor, reason: str = "") -> int:
        return deploy(self._world.store, self._world.files, None, self._world.clock, actor, anew=True).set_id

    def rollback(self, actor: Actor, reason: str = "") -> int:
        raise AssertionError("nobody goes back")


def test_a_deploy_of_the_very_same_files_has_every_process_read_its_secrets_again(door: Door) -> None:
    world = door.world
    rounds = Rounds(world.engine, None, {})
    rounds.sweep()
    assert door.knows(WORD)
    (world.folder / "word").write_text(ANOTHER, encoding="utf-8")
    rounds.sweep()
    assert door.knows(WORD) and not door.knows(ANOTHER)
    admin = Caller(create_app(world.engine, deployer=AnotherProcess(world)), new_key(world.store, "admin"))
    assert admin.post("/api/v1/deployments").json == {"set_id": world.engine.program.set_id}
    rounds.sweep()
    assert door.knows(ANOTHER) and not door.knows(WORD)
