"""Interchanges that come, come again, break off and are interrupted, replayed and read otherwise, in any order: each of
their articles goes on once, or is a dead letter."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from replaying import adds_up, deploy, run
from test_parts_of_messages import EACH, EACH_LINE, lined
from test_sweeper import sweeper
from trading import Trade
from world import START

from hub.errors import StoreFull
from hub.replay import Request
from hub.store import database

MAPPING = "mappings/orders-in.yaml"
PARTED = EACH_LINE.replace(
    b"src.BGM.document.number + '/' + text(count(src.LIN_group)) + article",
    b"join((l.LIN.item.id for l in src.LIN_group), ',')",
)
WHOLE = PARTED.replace(b", records: LIN_group", b"")
READINGS = [PARTED, WHOLE]
STRICT = b"article, article != 'bad'"


def strict(mapping: bytes, letter: str) -> bytes:
    """A mapping that refuses articles that begin with a letter."""
    return mapping.replace(STRICT, f"article, left(article, 1) != '{letter}'".encode())


def articles(name: str, chance: Random) -> list[list[str]]:
    """The articles of the messages of an interchange; each stands nowhere else."""
    return [
        [f"{chance.choice('xyz')}{name}{message}{line}" for line in range(chance.randint(1, 4))]
        for message in range(chance.randint(1, 4))
    ]


class Story:
    """What happens to a trade, by a seed. ``told`` is what has happened."""

    def __init__(self, trade: Trade, chance: Random) -> None:
        self.trade, self.chance, self.told, self.runs = trade, chance, list[str](), 1
        self.came: list[bytes] = []
        names = iter("abcdefghijkl")
        self.contents = [(number, articles(next(names), chance)) for number in (102, 103, 101, 101)]

    def step(self) -> None:
        self.chance.choice([self.bring, self.bring, self.bring, self.interrupted, self.deploys, self.replays])()

    def raw(self) -> bytes:
        number, messages = self.chance.choice(self.contents)
        if (number, messages) in self.contents[
            3:
        ]:  # other content, whose dead letters may each be replayed: it comes once
            del self.contents[2:]
        raw = lined(str(number), *messages)
        kind = self.chance.choice(["whole", "whole", "cut"])
        if kind == "cut":
            raw = raw[: raw.rindex(b"UNH+") + 9 if self.chance.random() < 0.5 else -10]
        self.told.append(f"{kind} {number} {messages} {len(raw)}")
        self.came.append(raw)
        return raw

    def bring(self) -> None:
        self.trade.bring(*(self.raw() for _ in range(self.chance.randint(1, 2))))

    def interrupted(self) -> None:
        """The disk is full after some slices, or the process is killed; perhaps another reading is in force then."""
        engine, slices = self.trade.engine, self.chance.randint(0, 3)
        commit = engine.commit

        def away(*given: Any) -> None:
            nonlocal slices
            slices -= 1
            if slices < 0:
                raise StoreFull("no room")
            commit(*given)

        engine.commit = away  # type: ignore[method-assign]
        try:
            self.chance.choice([self.bring, self.replays])()
        except StoreFull:
            self.told.append("interrupted")
        finally:
            engine.commit = commit  # type: ignore[method-assign]
        if self.chance.random() < 0.5:
            self.trade.files[MAPPING] = self.mapping()
        self.runs += 1
        self.trade.crash(f"w{self.runs}")
        again = sweeper(self.trade)
        again.recover()
        again.sweep()
        self.trade.run()

    def mapping(self) -> bytes:
        reading, letter = self.chance.choice(READINGS), self.chance.choice("xyz-")
        self.told.append(f"reading {READINGS.index(reading)} without {letter}")
        return strict(reading, letter)

    def deploys(self) -> None:
        deploy(self.trade, MAPPING, self.mapping())

    def replays(self) -> None:
        """All dead letters but interchanges whose number came before, which a replay takes in besides what came."""
        ids = self.letters()
        self.told.append(f"replays {len(ids)}")
        if ids:
            run(self.trade, Request(ids=ids, begin="start"))

    def settle(self) -> None:
        """What is dead is replayed under either reading until there is nothing more to replay."""
        for reading in (*READINGS, *READINGS):
            deploy(self.trade, MAPPING, strict(reading, "-"))
            for _ in range(2):
                self.replays()

    def brought(self) -> set[str]:
        """The articles that must have gone on: those of whole messages in interchanges that were taken in."""
        rows = self.trade.rows(
            """SELECT EXISTS (SELECT 1 FROM messages m WHERE m.seq = r.seq AND m.place NOT LIKE '%, %'
                 AND m.failure ->> 'code' = 'control_number_used') FROM receipts r
               WHERE r.replay_of = '' AND r.door <> 'hub' ORDER BY r.seq"""
        )
        taken = b"".join(raw for raw, (is_refused,) in zip(self.came, rows, strict=True) if not is_refused)
        messages = re.findall(rb"UNH(?:(?!UNH).)*UNT\+\d+\+\d+'", taken)
        return {name.decode() for message in messages for name in re.findall(rb"LIN\+\d+\+\+(\w+)", message)}

    def broken_off(self) -> set[str]:
        """The articles of receipts that could not go on, read otherwise after an interruption within a message."""
        sql = "SELECT failure ->> 'code' FROM receipts r WHERE replay_of = '' AND door <> 'hub' ORDER BY seq"
        left = [raw for raw, (code,) in zip(self.came, self.trade.rows(sql), strict=True) if code == "interrupted"]
        self.told.append(f"broken off: {len(left)}")
        return {name.decode() for raw in left for name in re.findall(rb"LIN\+\d+\+\+(\w+)", raw)}

    def letters(self) -> tuple[str, ...]:
        found = self.trade.rows(
            """SELECT message_id FROM messages WHERE state = 'dead' AND resolved_by IS NULL
                 AND (failure ->> 'code' <> 'control_number_used' OR place LIKE '%, %')
               UNION SELECT receipt_id FROM receipts WHERE state = 'dead' AND resolved_by IS NULL"""
        )
        return tuple(sorted(id for (id,) in found))

    def done(self) -> Counter[str]:
        found = self.trade.rows(
            "SELECT value FROM keys k JOIN messages m ON k.seq = m.seq AND k.position = m.position "
            "WHERE m.state = 'routed' AND scheme = 'stock_report'"
        )
        return Counter(name for (text,) in found for name in text.split(","))


@pytest.mark.parametrize("seed", range(8))
def test_every_article_goes_on_once_whatever_happens(
    seed: int, tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.pipeline.SLICE", 2)
    monkeypatch.setattr(database, "server_time", lambda db: START)
    trade = Trade(tmp_path, {**EACH, MAPPING: strict(PARTED, "-")}, url=store_url)
    story = Story(trade, Random(seed))
    try:
        for _ in range(8):
            story.step()
            assert max(story.done().values(), default=0) <= 1, "\n".join(story.told)
            adds_up(trade)
        story.settle()
        assert set(story.done()) | story.broken_off() >= story.brought() >= set(story.done()), "\n".join(story.told)
    finally:
        trade.close()
