"""What the tests of back-tests share: edited files over what a world has stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from world import ORDER_IN, ORDER_OUT, World

from hub.backtest import Backtest, Request, begin, report, span
from hub.backtest.stretch import Stretch
from hub.backtest.tally import Tally
from hub.store import messages
from hub.store.database import Database

IN, OUT, ROUTE = "mappings/order-in.yaml", "mappings/order-out.yaml", "routes/orders.yaml"
RENAMED = {IN: ORDER_IN.replace(b"name: l.name", b"name: \"l.name + '!' if l.name != 'item 0' else l.name\"")}
FANCY_OUT = {OUT: ORDER_OUT + b"  first: first(l.item.name for l in src.stock_lines)\n"}


def asked(world: World, name: str, edited: Mapping[str, bytes], **more: Any) -> Backtest:
    """A back-test of the world's files with some edited. Only those named by ``candidates`` stand in for others."""
    candidates = more.pop("candidates", ())
    since, until = span(world.store, more.pop("back", None), None, None)
    return begin(
        Request(
            name=name, files={**world.files, **edited}, edited=candidates, since=since, until=until, **more,
        )
    )  # fmt: skip


def backtested(world: World, name: str, edited: Mapping[str, bytes], masked: bool = False, **more: Any) -> Any:
    """Its report, made in this process."""
    begun, tally = asked(world, name, edited, **more), Tally()
    tally.add(Stretch(world.store, begun.request, begun.subject).run(list(begun.chosen(world.store))), 3)
    return report(begun.request, begun.subject, tally, masked)


def counts(found: Any) -> dict[str, int]:
    """The verdicts that there are, without those that there are none of."""
    return {name: count for name, count in found["counts"].items() if count}


def changes(found: Any) -> list[tuple[str, str, str, int]]:
    return [(each["part"], each["path"], each["kind"], each["count"]) for each in found["changes"]]


def left_out(found: Any) -> dict[str, int]:
    return {each["reason"]: each["count"] for each in found["not_comparable"]}


def rows_of_csv(count: int, bad: Sequence[int] = ()) -> bytes:
    rows = [f"{number},item {number},{'x' if number in bad else number}" for number in range(count)]
    return "\n".join(["id,name,qty", *rows, ""]).encode()


def know(world: World, value: str) -> None:
    row = ("erp", "place", "p", value, world.clock.epoch(), "m")
    world.store.write(lambda db: messages.put_xrefs(db, [row]))


def looks_up(mapping: bytes) -> bytes:
    return mapping.replace(b"{const: main}", b"lookup(l.name, 'places') + ' of ' + company.name").replace(
        b"output:", b"tables: [places]\noutput:"
    )


def meddle(world: World, sql: str, *values: Any) -> None:
    def job(db: Database) -> Any:
        return db.execute(sql, values)

    world.store.write(job)
