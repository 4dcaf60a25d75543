"""One of several processes on one store: takes documents in, splits them, sends and records, until told to stop.

Called as ``hub_worker.py URL NAME FOLDER``. Every line that it writes to ``FOLDER/NAME.log`` is in the file before the
next step: ``ack ID``, ``start LANE PLACE DELIVERY``, ``end DELIVERY``. It takes no more in once ``FOLDER/last`` is
there, and ends when nothing is left.
"""

from __future__ import annotations

import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import uuid_utils

from hub.errors import StoreError
from hub.message import RAW, Accepted, Arrival, Delivery, Finish, Message, Receipt, lane_seq
from hub.store import Store, deliveries, messages, open_store, payloads, receipts
from hub.store import due as due_rows

SYSTEMS, LANES, SOURCES = ("erp", "wms"), 3, ("shop", "pos")


def new_id() -> str:
    return str(uuid_utils.uuid7())


class Worker:
    """The steps of a hub, without its threads: each is a transaction of its own, as in the engine."""

    def __init__(self, store: Store, name: str, folder: Path) -> None:
        self.store, self.name, self.folder = store, name, folder
        self.chance = random.Random(name)
        self.log = os.open(folder / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def note(self, *words: object) -> None:
        os.write(self.log, (" ".join(map(str, (time.monotonic_ns(), *words))) + "\n").encode())

    def accept(self) -> None:
        # Several senders say the same ids: only the first of each counts.
        arrivals = [
            Arrival(new_id(), self.chance.choice(SOURCES), "order", str(self.chance.randrange(LANES)).encode() * 300,
                    time.time(), dedupe_key=str(self.chance.randrange(2000)))
            for _ in range(self.chance.randrange(1, 6))
        ]  # fmt: skip
        rows = payloads.packed_rows([(a.receipt_id, RAW, 1, "", a.raw) for a in arrivals], 1.0)
        accepted: list[Accepted] = self.store.write(lambda db: receipts.accept(db, arrivals, rows))
        for one in accepted:
            self.note("ack", one.receipt_id)

    def split(self) -> int:
        found = receipts.waiting(self.store.reader(), time.time() + 9, 12)
        told = self.chance.sample(found, min(len(found), 12))
        taken, _ = self.store.write(lambda db: receipts.take(db, told, (), self.name, time.time()), durable=False)
        loaded = receipts.with_bytes(self.store.reader(), sorted(taken, key=lambda row: row[1]), 10**6)
        if loaded:
            made = [d for receipt in loaded for d in self.deliveries_of(receipt)]
            self.send(made, self.store.write(lambda db: self.store_split(db, loaded, made)))
        return len(loaded)

    def deliveries_of(self, receipt: Receipt) -> list[Delivery]:
        lane = f"{receipt.source}-{receipt.raw[:1].decode()}"
        return [
            Delivery(new_id(), receipt.receipt_id, lane_seq(receipt.seq, 0), receipt.source, "r", system, system, lane,
                     "queued", time.time())
            for system in SYSTEMS
        ]  # fmt: skip

    def store_split(self, db: Any, loaded: list[Receipt], made: list[Delivery]) -> set[str]:
        messages.insert(
            db, [Message(r.receipt_id, r.seq, 0, r.source, "order", "r", "t", "routed", 1.0) for r in loaded], []
        )
        receipts.mark_split(db, [(r.seq, 1) for r in loaded])
        return deliveries.insert(db, made, self.name)

    def pump(self) -> int:
        system = self.chance.choice(SYSTEMS)
        due = self.store.write(lambda db: due_rows.take(db, system, {"r": 8}, time.time(), self.name), durable=False)
        claimed = self.store.write(lambda db: self.claim(db, {d.delivery_id: d.tries for d in due}))
        self.send(due, claimed)
        return len(claimed)

    def claim(self, db: Any, tries: dict[str, int]) -> set[str]:
        claimed = deliveries.claim(db, tries, self.name, time.time())
        due_rows.give_back(db, sorted(tries.keys() - claimed), self.name)
        return claimed

    def send(self, found: list[Delivery], claimed: set[str]) -> None:
        going = [d for d in found if d.delivery_id in claimed]
        for d in going:
            self.note("start", f"{d.system}/{d.lane}", d.lane_seq, d.delivery_id)
        ends = [self.end_of(d) for d in going]
        for d in going:
            self.note("end", d.delivery_id)
        if ends:
            self.store.write(lambda db: deliveries.finish(db, ends, self.name))

    def end_of(self, d: Delivery) -> Finish:
        again = self.chance.random() < 0.1
        return Finish(
            d.delivery_id, "retrying" if again else "delivered", time.time(), time.time(), d.tries + 1, 1, 1,
            due_at=time.time() if again else None,
        )  # fmt: skip

    def run(self) -> None:
        while True:
            last = (self.folder / "last").exists()
            try:
                if not last:
                    self.accept()
                busy = self.split() + self.pump()
            except StoreError as error:
                self.note("error", error)
                continue
            if last and not busy and not self.left():
                return

    def left(self) -> int:
        db = self.store.reader()
        waiting = "SELECT count(*) FROM deliveries WHERE state <> 'delivered'"
        return int(receipts.open_count(db) + db.execute(waiting).get)


if __name__ == "__main__":
    Worker(open_store(sys.argv[1], Path()), sys.argv[2], Path(sys.argv[3])).run()
