"""The destination of the connectors file and sftp on real folders: whole files, once, under names that lead nowhere."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from watched_folder import base, open_folder, reached, server

from connectors import file, sftp
from connectors.base import (
    ABSENT,
    DELIVERED,
    DOUBT,
    FOUND,
    LATER,
    REFUSED,
    Destination,
    Field,
    Parcel,
    PermanentError,
    Verdict,
)


@pytest.fixture
def root(base: Path) -> Path:
    open_folder(base / "out")
    return base


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture
def sending(root: Path) -> Iterator[Callable[..., Destination]]:
    opened: list[Destination] = []

    def send(**settings: Any) -> Destination:
        module, config = reached(root)
        opened.append(module.destination({**config, "send": {"folder": "out", **settings}}))
        return opened[-1]

    yield send
    for destination in opened:
        destination.close()


def parcel(body: bytes = b"{}", key: str = "d1.0", **more: Any) -> Parcel:
    return Parcel(delivery_id=key.partition(".")[0], key=key, body=body, **more)


def verdicts(destination: Destination, *parcels: Parcel) -> list[Verdict]:
    """One verdict for each parcel, in their order."""
    found: dict[int, Verdict] = {}
    done = threading.Event()

    def finished(batch: list[tuple[Parcel, Verdict]]) -> None:
        for one, verdict in batch:
            assert id(one) not in found
            found[id(one)] = verdict
        if len(found) == len(parcels):
            done.set()

    destination.submit(parcels, finished)
    assert done.wait(20)
    return [found[id(one)] for one in parcels]


def kinds(found: list[Verdict]) -> list[tuple[str, str]]:
    return [(verdict.kind, verdict.code) for verdict in found]


def test_a_file_is_written_whole_and_nothing_else_is_left(root: Path, sending: Callable[..., Destination]) -> None:
    found = verdicts(sending(), parcel(b'{"a":1}'), parcel(b"a;b", "d2.0", content_type="text/csv; charset=utf-8"))
    assert kinds(found) == [(DELIVERED, "written")] * 2
    assert files(root / "out") == ["d1.0.json", "d2.0.csv"]
    assert (root / "out" / "d1.0.json").read_bytes() == b'{"a":1}'


def test_a_hundred_files_get_one_verdict_each(root: Path, sending: Callable[..., Destination]) -> None:
    found = verdicts(sending(threads=4), *[parcel(str(number).encode(), f"d{number}.0") for number in range(100)])
    assert kinds(found) == [(DELIVERED, "written")] * 100
    assert {path.read_text() for path in (root / "out").iterdir()} == {str(number) for number in range(100)}


@pytest.mark.parametrize(
    ("template", "variables", "name"),
    [
        ("ORDERS_{order_id}.xml", {"order_id": "4711"}, "ORDERS_4711.xml"),
        ("{order_id}", {"order_id": "../../etc/passwd"}, "_.._etc_passwd~3754d6cb"),
        ("{order_id}.xml", {"order_id": "a/b"}, "a_b~c14cddc0.xml"),
        ("{order_id}.xml", {"order_id": "a_b"}, "a_b.xml"),
        (".{order_id}", {"order_id": "x"}, "x"),
        ("{order_id}", {"order_id": ""}, "_"),
        ("{order_id}{key}", {"order_id": "a\0b\n", "key": "not this"}, "*"),
        ("{order_id}.xml", {"order_id": "é" * 500}, "*"),
        ("x" * 300 + "{key}.xml", {}, "*"),
    ],
)
def test_a_name_is_made_of_the_variables_and_leads_nowhere(
    root: Path, sending: Callable[..., Destination], template: str, variables: dict[str, str], name: str
) -> None:
    (verdict,) = verdicts(sending(name=template), parcel(variables=variables))
    assert verdict.kind == DELIVERED
    (written,) = files(root / "out")
    assert files(root) == [f"out/{written}"]
    assert name == "*" or written == name


@pytest.mark.parametrize(
    ("template", "detail"),
    [("{sku}.xml", "the name '{sku}.xml' asks for {sku}, which there is not; known: delivery_id, extension, key")],
)
def test_a_name_that_cannot_be_filled_is_refused(
    root: Path, sending: Callable[..., Destination], template: str, detail: str
) -> None:
    found = verdicts(sending(name=template), parcel())
    assert (kinds(found), found[0].detail) == ([(REFUSED, "file_name")], detail)
    assert files(root / "out") == []


@pytest.mark.parametrize("name", ["", "a/{key}", "..", "a\\{key}"])
def test_a_template_that_is_no_file_name_is_refused(sending: Callable[..., Destination], name: str) -> None:
    with pytest.raises(PermanentError, match="is not a file name"):
        sending(name=name)


@pytest.mark.parametrize(
    ("if_exists", "name", "body", "expected", "left"),
    [
        ("fail", "x.json", b"same", (DELIVERED, "already_there"), {"x.json": b"same"}),
        ("fail", "x.json", b"new", (REFUSED, "exists"), {"x.json": b"same"}),
        ("replace", "x.json", b"new", (DELIVERED, "written"), {"x.json": b"new"}),
        ("suffix", "x.json", b"new", (DELIVERED, "written"), {"x.json": b"same", "x-1.json": b"new"}),
        ("suffix", "x.json", b"same", (DELIVERED, "written"), {"x.json": b"same", "x-1.json": b"same"}),
    ],
)
def test_a_name_that_is_taken_is_dealt_with_by_policy(
    root: Path, sending: Callable[..., Destination], if_exists: str, name: str, body: bytes,
    expected: tuple[str, str], left: dict[str, bytes],
) -> None:  # fmt: skip
    (root / "out" / name).write_bytes(b"same")
    assert kinds(verdicts(sending(name=name, if_exists=if_exists), parcel(body))) == [expected]
    assert {path.name: path.read_bytes() for path in (root / "out").iterdir()} == left


@pytest.mark.parametrize("if_exists", ["fail", "replace", "suffix"])
def test_the_same_delivery_is_written_once_however_often_it_is_tried(
    root: Path, sending: Callable[..., Destination], if_exists: str
) -> None:
    for _ in range(3):
        (verdict,) = verdicts(sending(if_exists=if_exists, marker="{name}.done"), parcel(b"once"))
        assert verdict.kind == DELIVERED
    assert files(root / "out") == ["d1.0.json", "d1.0.json.done"]


def test_a_retry_in_doubt_finds_its_numbered_file_again(root: Path, sending: Callable[..., Destination]) -> None:
    destination = sending(name="orders.json", if_exists="suffix")
    verdicts(destination, parcel(b"1", "d1.0"))
    verdicts(destination, parcel(b"2", "d2.0"))
    assert kinds(verdicts(destination, parcel(b"2", "d2.0", settling=True))) == [(DELIVERED, "already_there")]
    assert files(root / "out") == ["orders-1.json", "orders.json"]


def test_many_with_one_name_are_all_written_whole(root: Path, sending: Callable[..., Destination]) -> None:
    parcels = [parcel(str(number).encode() * 1000, f"d{number}.0") for number in range(64)]
    found = verdicts(sending(name="x.json", if_exists="suffix", threads=8), *parcels)
    assert kinds(found) == [(DELIVERED, "written")] * 64
    assert sorted(path.read_bytes() for path in (root / "out").iterdir()) == sorted(one.body for one in parcels)


def test_the_marker_is_written_last_and_again_when_a_crash_lost_it(
    root: Path, sending: Callable[..., Destination]
) -> None:
    destination = sending(marker="{name}.ok")
    verdicts(destination, parcel())
    (root / "out" / "d1.0.json.ok").unlink()
    verdicts(destination, parcel())
    assert files(root / "out") == ["d1.0.json", "d1.0.json.ok"]


def test_a_marker_that_could_not_be_written_puts_no_second_file(
    root: Path, sending: Callable[..., Destination]
) -> None:
    destination = sending(name="orders.json", if_exists="suffix", marker="{name}.ok")
    open_folder(root / "out" / "orders.json.ok")
    assert kinds(verdicts(destination, parcel())) == [(DOUBT, "no_marker")]
    (root / "out" / "orders.json.ok").rmdir()
    assert destination.look_up(parcel()).kind == ABSENT, "whoever waits for the marker has not seen it"
    assert kinds(verdicts(destination, parcel(settling=True))) == [(DELIVERED, "already_there")]
    assert destination.look_up(parcel()).kind == FOUND
    assert files(root / "out") == ["orders.json", "orders.json.ok"]


@pytest.mark.parametrize("if_exists", ["fail", "replace", "suffix"])
def test_a_link_in_the_files_place_is_never_written_through(
    root: Path, sending: Callable[..., Destination], if_exists: str
) -> None:
    victim = root / "victim"
    victim.write_bytes(b"untouched")
    (root / "out" / "x.json").symlink_to(victim)
    verdicts(sending(name="x.json", if_exists=if_exists), parcel(b"new"))
    assert victim.read_bytes() == b"untouched"


def test_a_folder_that_is_away_is_tried_again_later(root: Path, sending: Callable[..., Destination]) -> None:
    destination = sending()
    (root / "out").rmdir()
    assert kinds(verdicts(destination, parcel())) == [(LATER, "folder_missing")]
    [fault] = destination.check()
    assert fault.startswith(f"the folder {root / 'out'} is not there")
    assert destination.look_up(parcel()).kind == LATER
    open_folder(root / "out")
    assert kinds(verdicts(destination, parcel())) == [(DELIVERED, "written")]
    assert destination.check() == []


def test_a_key_is_looked_up_by_its_file(root: Path, sending: Callable[..., Destination]) -> None:
    destination = sending()
    assert destination.look_up(parcel()).kind == ABSENT
    verdicts(destination, parcel())
    assert destination.look_up(parcel()).kind == FOUND
    assert destination.look_up(parcel(b"other bytes")).kind == ABSENT


@pytest.mark.parametrize("part", ["source", "destination"])
def test_a_system_without_the_part_that_is_wanted_says_so(root: Path, part: str) -> None:
    module, config = reached(root)
    with pytest.raises(PermanentError, match=r"this system has no '(fetch|send):' with a folder in it"):
        getattr(module, part)({**config, "fetch": None, "send": None})


@pytest.mark.parametrize("module", [file, sftp])
def test_every_setting_has_a_description_and_every_choice_its_default(module: ModuleType) -> None:
    def every(fields: tuple[Field, ...]) -> Iterator[Field]:
        for field in fields:
            yield field
            yield from every(field.fields)

    for field in every(module.FIELDS):
        assert field.description or not field.name
        assert not field.choices or field.default in field.choices
