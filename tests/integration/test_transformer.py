"""Transformers as real child processes: the same results as in this process, and what kills or hangs one is told."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uuid_utils
from servers import PostgresServer

import hub.pipeline
import hub.transformer
from hub.clock import SystemClock
from hub.deploy import deploy
from hub.errors import StoreError
from hub.message import RAW, Arrival, Message, Receipt
from hub.pipeline.program import Program
from hub.pipeline.split import LocalTransformer, Suspect
from hub.pipeline.transformed import Transformed
from hub.project import reference_files
from hub.store import Store, open_store, payloads, receipts
from hub.store.audit import Actor
from hub.transformer import Answer, ChildDied, Request, Transformers

FILES = {
    "config/hub.yaml": b"time_zone: UTC\n",
    "config/systems.yaml": b"""
shop: {connector: webhook, verify: {method: none, unsigned: true}}
pos: {connector: webhook, verify: {method: none, unsigned: true}, format: csv}
erp: {connector: http, base_url: "http://127.0.0.1:1/"}
""",
    "routes/orders.yaml": b"""
- {route: orders, from: {system: shop}, map: stock, to: [{system: erp}]}
- {route: sales, from: {system: pos}, map: stock-rows, to: [{system: erp}]}
""",
    "mappings/stock.yaml": b"""
mapping: stock
version: 1
source: {format: json}
target: {schema: canonical/stock_level}
output:
  report_id: text(src.id)
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.name}
      available_quantity: {value: {const: '1'}, unit_code: {const: C62}}
      location_id: {const: main}
""",
    "mappings/stock-rows.yaml": b"""
mapping: stock-rows
version: 1
source: {format: csv}
target: {schema: canonical/stock_level}
output:
  report_id: src.id
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.name}
      available_quantity: {value: {const: '1'}, unit_code: {const: C62}}
      location_id: {const: main}
""",
}
# Stands for a library that brings its process down, or never comes back, on certain bytes.
EVIL = """
import os, time
import hub.formats.json as codec
_decode = codec.decode

def decode(chunks, options):
    raw = b"".join(chunks)
    if b"abort" in raw:
        os.abort()
    if b"hang" in raw:
        time.sleep(600)
    if b"slow" in raw:
        time.sleep(5)
    return _decode([raw], options)

codec.decode = decode
time.sleep(int(os.environ.get("SLOW_START", "0")))
"""


class Bench:
    """A store with a deployed set, and both kinds of transformer on it."""

    def __init__(self, folder: Path, url: str = "sqlite:///hub.db") -> None:
        self.store: Store = open_store(url, folder)
        schemas = {path: raw for path, raw in reference_files().items() if path.startswith("schemas/")}
        self.program: Program = deploy(self.store, {**schemas, **FILES}, None, SystemClock(), Actor("test"))
        self.clock = SystemClock()
        self.local = LocalTransformer(self.store, self.clock)
        self.apart = Transformers(self.store, self.clock, None, None, 1)

    def receive(self, *bodies: bytes, source: str = "shop", with_raw: bool = True) -> list[Receipt]:
        arrivals = [Arrival(str(uuid_utils.uuid7()), source, "", raw, 1.0) for raw in bodies]
        rows = payloads.packed_rows([(a.receipt_id, RAW, 1, "", a.raw) for a in arrivals], 1.0)
        accepted = self.store.write(lambda db: receipts.accept(db, arrivals, rows))
        return receipts.load(self.store.reader(), [a.seq for a in accepted], 10**9 if with_raw else -1)

    def close(self) -> None:
        self.apart.close()
        self.store.close()


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    (tmp_path / "evil").mkdir()
    (tmp_path / "evil" / "sitecustomize.py").write_text(EVIL)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "evil"), os.environ.get("PYTHONPATH", "")]))
    made = Bench(tmp_path)
    yield made
    made.close()


def body(number: int, name: str = "hose") -> bytes:
    return b'{"id": %d, "name": "%s"}' % (number, name.encode())


def split(transformer: Any, work: Sequence[Suspect], program: Program) -> list[Transformed]:
    return [part for parts in transformer.split(work, program) for part in parts]


def told(parts: Sequence[Transformed]) -> list[Any]:
    """What does not differ from run to run."""
    return [
        (p.seq, p.route, p.failure and p.failure.code, [(m.state, m.main_key, m.position) for m in p.messages],
         [(d.system, d.lane, d.lane_seq) for d in p.deliveries], [b.content for b in p.bodies.values()])
        for p in parts
    ]  # fmt: skip


def test_a_child_gives_what_this_process_gives(bench: Bench) -> None:
    bad = [b"{", b'{"id": 1}', '{"id": 1, "name": "Ä"}'.encode(), body(7)]
    work = [Suspect(receipt) for receipt in bench.receive(*bad)]
    assert told(split(bench.apart, work, bench.program)) == told(split(bench.local, work, bench.program))


def test_a_child_goes_by_the_time_of_its_hub(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    work = [Suspect(receipt) for receipt in bench.receive(body(1))]
    for told in (1_000.5, 2_000.5):
        monkeypatch.setattr(bench.clock, "epoch", lambda at=told: at)
        [part] = split(bench.apart, work, bench.program)
        stored_at = {row[7] for row in [*part.message_rows, *part.body_rows]}
        assert (part.deliveries[0].created_at, stored_at) == (told, {told})


@pytest.mark.parametrize(("name", "ending"), [("abort", "was ended by signal 6"), ("hang", "made no progress")])
def test_what_brings_its_child_down_twice_is_quarantined_and_its_neighbours_come_through(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, ending: str
) -> None:
    if name == "hang":
        monkeypatch.setattr(hub.transformer, "HANG_SECONDS", 6.0)  # a busy machine takes its time to start a process
    work = [Suspect(r) for r in bench.receive(body(1), body(2), body(3, name), body(4))]
    parts = split(bench.apart, work, bench.program)
    by_seq = {part.seq: part for part in parts}
    evil = by_seq.pop(work[2].receipt.seq)
    assert evil.failure is not None
    assert (evil.failure.error_class, ending in evil.failure.detail) == ("quarantine", True)
    assert [len(part.messages) for part in by_seq.values()] == [1, 1, 1]


def test_the_time_that_a_process_takes_to_start_is_not_its_document_s(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub.transformer, "HANG_SECONDS", 9.0)
    monkeypatch.setenv("SLOW_START", "5")
    slow = Transformers(bench.store, bench.clock, None, None, 1)
    try:
        [part] = split(slow, [Suspect(receipt) for receipt in bench.receive(body(1, "slow"))], bench.program)
    finally:
        slow.close()
    assert (len(part.messages), part.failure) == (1, None)


def test_a_request_that_waits_behind_one_that_kills_the_child_is_not_blamed_for_it(bench: Bench) -> None:
    evil = [Suspect(r) for r in bench.receive(body(1, "abort"))]
    good = [Suspect(r) for r in bench.receive(body(2), body(3))]
    handed_over, found = threading.Event(), []

    def bring_the_evil_one() -> None:
        found.extend(part for parts in bench.apart.split(evil, bench.program, handed_over.set) for part in parts)

    other = threading.Thread(target=bring_the_evil_one)
    other.start()
    assert handed_over.wait(20)
    parts = split(bench.apart, good, bench.program)
    other.join(60)
    assert [(len(part.messages), part.failure) for part in parts] == [(1, None), (1, None)]
    assert [part.failure and part.failure.error_class for part in found] == ["quarantine"]


def test_a_large_receipt_comes_in_slices_and_goes_on_where_it_was_interrupted(bench: Bench) -> None:
    rows = b"id,name\n" + b"".join(b"%d,hose\n" % n for n in range(1250))
    [receipt] = bench.receive(rows, source="pos", with_raw=False)
    parts = split(bench.apart, [Suspect(receipt)], bench.program)
    assert [(len(part.messages), part.final) for part in parts] == [(500, False), (500, False), (250, True)]
    rest = split(bench.apart, [Suspect(receipt, skip=1000)], bench.program)
    assert [m.position for part in rest for m in part.messages] == list(range(1000, 1250))


def test_what_is_left_of_an_interchange_whose_child_died_is_asked_for_by_its_position(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    [receipt] = bench.receive(body(1))
    messages = [
        Message(str(place), receipt.seq, place, "van", "ORDERS", "orders", "", "routed", 0.0) for place in (1, 2, 7)
    ]
    answers = [Answer([Transformed(receipt.seq, messages=messages, final=False)]), Answer([Transformed(receipt.seq)])]
    asked: list[Request] = []

    def dies_once(request: Request, handed_over: object = None) -> Iterator[Answer]:
        asked.append(request)
        yield answers[len(asked) - 1]
        if len(asked) == 1:
            raise ChildDied("by another receipt")

    monkeypatch.setattr(bench.apart, "_ask", dies_once)
    assert len(split(bench.apart, [Suspect(receipt)], bench.program)) == 2
    assert [suspect.skip for request in asked for suspect in request.work] == [0, 8]


def test_nobody_waits_for_an_answer_that_nobody_wants(bench: Bench) -> None:
    rows = b"id,name\n" + b"".join(b"%d,hose\n" % n for n in range(1250))
    [large] = bench.receive(rows, source="pos", with_raw=False)
    answer: Iterator[Any] = bench.apart.split([Suspect(large)], bench.program)
    next(answer)
    answer.close()  # type: ignore[attr-defined]
    [small] = bench.receive(body(1))
    assert len(split(bench.apart, [Suspect(small)], bench.program)) == 1


def test_a_hub_that_stops_blames_nothing_that_is_still_to_do(bench: Bench) -> None:
    work = [Suspect(receipt) for receipt in bench.receive(body(1))]
    bench.apart.close()
    with pytest.raises(StoreError, match="the hub is stopping"):
        split(bench.apart, work, bench.program)


def test_a_fault_of_the_hub_itself_is_recorded_with_the_document_and_stops_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("planted")

    work = [Suspect(receipt) for receipt in bench.receive(body(1))]
    monkeypatch.setattr(hub.pipeline, "fan_out", broken)
    [part] = split(bench.local, work, bench.program)
    assert part.failure is not None
    assert (part.failure.error_class, part.failure.code) == ("internal", "internal_error")
    assert part.failure.detail.endswith("ZeroDivisionError")
    assert part.failure.value_excerpt == "planted"  # it may quote the document, so a viewer does not see it


def test_a_store_that_is_away_is_no_fault_of_a_receipt(tmp_path: Path, postgres: PostgresServer) -> None:
    bench = Bench(tmp_path, postgres.new_database())
    without_bytes = [Suspect(receipt) for receipt in bench.receive(body(1), body(2), with_raw=False)]
    try:
        postgres.stop()
        bench.apart.warm(bench.program)
        for transformer in (bench.local, bench.apart):  # the child cannot even load the program
            with pytest.raises(StoreError, match="PostgreSQL store"):
                split(transformer, without_bytes, bench.program)
        postgres.start()
        assert [part.failure for part in split(bench.apart, without_bytes, bench.program)] == [None, None]
        postgres.stop()
        with pytest.raises(StoreError, match="PostgreSQL store"):
            split(bench.apart, without_bytes, bench.program)
        postgres.start()
        assert [part.failure for part in split(bench.apart, without_bytes, bench.program)] == [None, None]
    finally:
        bench.close()


@pytest.mark.parametrize("kind", ["local", "apart"])
def test_a_rehearsal_tells_the_first_failure_and_stores_nothing(bench: Bench, kind: str) -> None:
    transformer = getattr(bench, kind)
    good, bad, unreadable = bench.receive(body(1), b'{"id": 1}', b"{")
    assert transformer.rehearse(good, bench.program) is None
    assert transformer.rehearse(bad, bench.program)["step"] == "map"
    assert transformer.rehearse(unreadable, bench.program)["code"] == "truncated"
    assert list(bench.store.reader().execute("SELECT count(*) FROM messages")) == [(0,)]


@pytest.mark.parametrize("name", ["abort", "hang"])
def test_a_rehearsal_that_brings_its_child_down_tells_nothing_and_the_next_one_has_a_child_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "hang":
        monkeypatch.setattr(hub.transformer, "HANG_SECONDS", 6.0)
    evil, good = bench.receive(body(1, name), b'{"id": 1}')
    assert bench.apart.rehearse(evil, bench.program) is None
    assert bench.apart.rehearse(good, bench.program)["step"] == "map"


def test_a_child_whose_hub_is_gone_ends_without_a_word(bench: Bench) -> None:
    work = [Suspect(receipt) for receipt in bench.receive(*(body(number) for number in range(50)))]
    frame = msgspec.msgpack.encode(hub.transformer.Request(bench.program.set_id, 1.0, work))
    child = subprocess.Popen(
        [sys.executable, "-m", "hub.transformer", "", ""], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, env={**os.environ, "O2C_TRANSFORMER_STORE": bench.store.url},
    )  # fmt: skip
    assert child.stdin and child.stdout and child.stderr
    child.stdout.close()  # as when the process that reads from it is killed
    child.stdin.write(len(frame).to_bytes(4, "big") + frame)
    child.stdin.flush()
    said = child.stderr.read()
    assert (child.wait(20), said) == (0, b"")
    child.stdin.close()
    child.stderr.close()
