"""What a back-test leaves out, counts once, hides or narrows; and how its processes share the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from backtesting import (
    FANCY_OUT,
    IN,
    RENAMED,
    asked,
    backtested,
    changes,
    counts,
    left_out,
    meddle,
)
from replaying import replay_one
from world import ORDER_IN, ROUTES, World, order

from connectors.base import REFUSED, Verdict
from hub import backtest
from hub.backtest import Approvals, children
from hub.deploy import deploy
from hub.errors import UsageError
from hub.store import payloads
from hub.store.audit import Actor

Open = Callable[..., World]


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # each test starts processes of its own; the tests of the API run on both databases


def test_what_the_files_of_then_do_not_give_again_is_left_out_with_the_version_of_the_hub(world: World) -> None:
    world.send(order(1, lines=2))
    meddle(world, "UPDATE sets SET hub_version = '0.0.1'")
    assert counts(backtested(world, "order-in", RENAMED)) == {"changed": 1}  # the files of then still give the same

    [(id,)] = world.rows("SELECT message_id FROM messages")
    other = (payloads.read(world.store.reader(), id, "canonical") or b"").replace(b"main", b"side")
    meddle(world, "UPDATE payloads SET compressed = 0, content = ? WHERE stage = 'canonical'", other)
    found = backtested(world, "order-in", RENAMED)
    assert left_out(found) == {"hub_version": 1}
    assert found["not_comparable"][0]["made_by"] == "0.0.1"
    assert found["made_by"] == {"0.0.1": 1}


@pytest.mark.parametrize(
    ("name", "sql", "reason"),
    [
        ("order-in", "DELETE FROM payloads WHERE stage = 'raw'", "raw_pruned"),
        ("order-in", "DELETE FROM payloads WHERE stage = 'canonical'", "canonical_pruned"),
        ("order-out", "DELETE FROM payloads WHERE stage = 'canonical'", "canonical_pruned"),
        ("order-out", "DELETE FROM payloads WHERE stage = 'sent'", "body_pruned"),
        ("order-in", "DELETE FROM sets", "files_unknown"),
        ("order-out", "DELETE FROM files", "files_unknown"),
    ],
)
def test_what_cannot_be_compared_is_counted_by_its_reason(world: World, name: str, sql: str, reason: str) -> None:
    world.send(order(1, lines=2), order(2, lines=2))
    meddle(world, sql)
    found = backtested(world, name, RENAMED if name == "order-in" else FANCY_OUT)
    assert (left_out(found), found["compared"]) == ({reason: 2}, 0)


def test_a_delivery_that_was_never_built_is_left_out(world: World) -> None:
    world.engine.accept([world.arrival(order(1))])
    meddle(world, "INSERT INTO switches VALUES ('system', 'erp', 'stopped', 'x', 0.0, 'test')")
    world.engine.dispatcher.refresh()
    world.run()
    assert left_out(backtested(world, "order-out", FANCY_OUT)) == {"not_built": 1}


def test_a_replayed_message_counts_once_as_what_it_is_now(world: World) -> None:
    world.send({"id": "1", "lines": [{"qty": 1}]})
    world.files.update({IN: ORDER_IN.replace(b"name: l.name", b"name: \"default(l.name, 'nameless')\"")})
    world.engine.activate(deploy(world.store, world.files, None, world.clock, Actor("test")))
    [(dead,)] = world.rows("SELECT message_id FROM messages")
    replay_one(world.engine, dead, Actor("test"))
    world.run()
    assert counts(backtested(world, "order-in", {})) == {"equal": 1}


def test_a_replayed_delivery_counts_once_with_the_bytes_it_has_now(world: World) -> None:
    world.target("erp").answers.append(Verdict(REFUSED, code="no", detail="no"))
    world.send(order(1))
    world.files.update(FANCY_OUT)
    world.engine.activate(deploy(world.store, world.files, None, world.clock, Actor("test")))
    [(dead,)] = world.rows("SELECT delivery_id FROM deliveries")
    replay_one(world.engine, dead, Actor("test"))
    world.run()
    assert counts(backtested(world, "order-out", {})) == {"equal": 1}


def test_only_the_newest_messages_of_the_span_are_looked_at(world: World) -> None:
    for number in range(4):
        world.send(order(number, lines=2))
        world.clock.at += 3600
    assert backtested(world, "order-in", RENAMED, limit=3)["messages"] == 3
    assert backtested(world, "order-in", RENAMED, back=2 * 3600 + 60.0)["messages"] == 3
    newest = backtested(world, "order-in", RENAMED, limit=1)["changes"][0]["samples"][0]["message_id"]
    assert [newest] == [row[0] for row in world.rows("SELECT message_id FROM messages ORDER BY seq DESC LIMIT 1")]


def test_a_system_narrows_a_route_to_what_goes_to_it(make_world: Open) -> None:
    world = make_world(routes=ROUTES.replace(b"map: order-out}", b"map: order-out}\n  - {system: wms, map: order-out}"))
    world.send(order(1))
    assert [change[0] for change in changes(backtested(world, "orders", FANCY_OUT))] == ["erp", "wms"]
    assert [change[0] for change in changes(backtested(world, "orders", FANCY_OUT, system="wms"))] == ["wms"]
    with pytest.raises(UsageError, match="nothing of 'orders' comes from or goes to 'wsm'; did you mean 'wms'"):
        asked(world, "orders", {}, system="wsm")


def test_personal_data_is_masked_and_what_has_no_schema_wholly(make_world: Open) -> None:
    world = make_world()
    world.send({"id": "1", "lines": [{"name": "erika@example.com", "qty": 1}]})
    found = backtested(world, "order-in", RENAMED, masked=True)
    assert found["changes"][0]["samples"][0]["before"] == '"[redacted]"'
    assert "erika" not in str(backtested(world, "order-out", FANCY_OUT, masked=True))
    assert "erika" in str(backtested(world, "order-out", FANCY_OUT))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("order-inn", "there is no route or mapping 'order-inn'; did you mean 'order-in'?"),
        ("route:order-in", "there is no route 'order-in'"),
        ("mapping:orders", "there is no mapping 'orders'"),
    ],
)
def test_a_name_that_is_none_is_refused(world: World, name: str, told: str) -> None:
    with pytest.raises(UsageError) as raised:
        asked(world, name, {})
    assert told in str(raised.value)


def test_processes_find_what_one_process_finds_to_the_byte(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest, "_FEW", 10)
    monkeypatch.setattr(backtest, "_RECEIPTS", 7)
    world.send(*[order(number, lines=number % 4) for number in range(40)])
    begun, shown = asked(world, "order-in", RENAMED), []
    reports = [
        msgspec.json.encode(backtest.report(begun.request, begun.subject, tally, True))
        for tally in (begun.run(world.store, count, lambda *done: shown.append(done)) for count in (1, 2, 2))
        if tally is not None
    ]
    assert len(reports) == 3
    assert len(set(reports)) == 1
    assert shown[-1] == (40, 40)
    assert counts(msgspec.json.decode(reports[0])) == {"equal": 10, "changed": 20, "still_failing": 10}


# Stands for a library that brings its process down, or never comes back, on certain bytes.
EVIL = """
import os, time
import hub.formats.json as codec
_decode = codec.decode

def decode(chunks, options):
    raw = b"".join(chunks)
    if b"abort" in raw:
        os.abort()
    if b"sleep" in raw:
        time.sleep(3600)
    return _decode([raw], options)

codec.decode = decode
"""


@pytest.mark.parametrize("store_url", ["sqlite:///hub.db"])  # which database it is does not matter to it
@pytest.mark.parametrize("harm", ["abort", "sleep"])
def test_a_document_that_ends_or_stops_its_process_fails_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, harm: str
) -> None:
    world.send(*[order(number) for number in range(3)], {"id": harm, "lines": [{"name": "n", "qty": 1}]}, order(4))
    (tmp_path / "sitecustomize.py").write_text(EVIL)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(children, "HANG_SECONDS", 8.0)

    begun = asked(world, "order-in", {})
    tally = begun.run(world.store)

    assert tally is not None
    found = backtest.report(begun.request, begun.subject, tally, True)
    assert counts(found) == {"equal": 4, "newly_failing": 1}
    [fault] = found["newly_failing"]
    assert (fault["error"]["class"], fault["count"]) == ("quarantine", 1)


def test_nobody_waits_for_a_back_test_that_is_called_off(world: World) -> None:
    world.send(order(1))
    begun = asked(world, "order-in", RENAMED)
    assert begun.run(world.store, 1, goes_on=lambda: False) is None


def test_approvals_of_a_real_report_approve_it(world: World) -> None:
    world.send(order(1), {"id": "2", "lines": [{"qty": 1}]})
    found = backtested(world, "order-in", {IN: ORDER_IN.replace(b"text(src.id)", b"text(src.lines[0].name)")})
    judged = Approvals().judge(found)
    assert judged["unapproved"] == len(found["changes"]) + len(found["newly_failing"]) > 0
