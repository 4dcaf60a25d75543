"""A file of a bank in a folder: canonical statements come of it, a long one in parts, a wrong one as a whole apart."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hub_process import HubProcess

from hub.formats import camt053

SYSTEMS = """
bank:
  connector: file
  format: camt053
  root: {root}
  fetch: {{folder: in, pattern: "*.xml", every: 1s, ready: rename, archive_by: outcome}}
books:
  connector: file
  format: json
  root: {root}
  send: {{folder: out, name: "{{key}}.json"}}
"""
ROUTE = """
route: statements
from: {system: bank}
map: statement
to:
  - {system: books}
"""
ACCOUNT = "DE02120300000000202051"


def statement(number: int, entries: int, off_by: str = "0") -> dict[str, Any]:
    """A statement of entries of 1.00, 2.00, … that closes with so much more than it should."""
    total = Decimal(entries * (entries + 1) // 2)
    return {
        "report_type": "statement", "format": "camt.053.001.08", "message_id": "M-1", "statement_id": f"S-{number}",
        "electronic_sequence_number": number, "created_at": "2026-03-09T18:00:00+01:00",
        "account": {"account_id": ACCOUNT}, "account_currency_code": "EUR", "opening_balance": money(0),
        "closing_balance": money(total + Decimal(off_by)),
        "entries": [
            {
                "entry_ref": f"E-{number}-{each}", "amount": money(each), "credit_debit_indicator": "CRDT",
                "status": "BOOK", "booking_date": "2026-03-09", "bank_transaction_code": "PMNT/RCDT/ESCT",
            }
            for each in range(1, entries + 1)
        ],
    }  # fmt: skip


def money(amount: int | Decimal) -> dict[str, Any]:
    return {"amount": Decimal(amount), "currency": "EUR"}


@pytest.fixture
def hub(make_hub: Callable[..., HubProcess]) -> HubProcess:
    """A hub that takes statements out of a folder."""
    hub = make_hub()
    for name in ("in", "out"):
        (hub.root / "files" / name).mkdir(parents=True)
    for name in ("routes", "mappings"):
        shutil.rmtree(hub.root / name)
    hub.write("config/systems.yaml", SYSTEMS.format(root=hub.root / "files"))
    hub.write("routes/statements.yaml", ROUTE)
    hub.start()
    return hub


def bring(hub: HubProcess, *statements: dict[str, Any]) -> None:
    """One file of them in the folder, as a bank's program puts it there."""
    raw, begun = camt053.encode(statements, {}), hub.root / "files/in/camt.xml.tmp"
    begun.write_bytes(raw)
    begun.rename(begun.with_suffix(""))


def kill(hub: HubProcess) -> list[tuple[Any, ...]]:
    """kill -9 of the hub, which is started again; the states of receipts that it left."""
    [child] = hub.children()
    os.kill(child, signal.SIGKILL)
    left = hub.rows("SELECT state FROM receipts")
    hub.wait_for(lambda: hub.children() not in ([child], []))
    hub.wait_until_ready()
    return left


def test_kills_while_a_bank_file_is_read_leave_every_statement_there_once_and_whole(hub: HubProcess) -> None:
    sizes, chance = (*[2] * 510, 0, 8500), random.Random(53)  # so many that they are stored in two steps
    bring(hub, *(statement(number, entries) for number, entries in enumerate(sizes, 1)))
    hub.wait_for(lambda: hub.rows("SELECT count(*) FROM receipts") == [(1,)])
    for _ in range(2):
        time.sleep(chance.uniform(0.0, 0.4))
        kill(hub)
    deadline = time.monotonic() + 60
    while hub.rows("SELECT count(*) FROM messages") == [(0,)]:  # without a pause: the second step takes a moment only
        assert time.monotonic() < deadline, hub.log
    assert kill(hub) == [("received",)], "the kill came too late: all of it was stored"
    time.sleep(chance.uniform(0.0, 0.4))
    kill(hub)
    archive = hub.root / "files/archive"
    hub.wait_for(lambda: any(archive.rglob("*camt.xml")))

    found = [json.loads(path.read_text()) for path in (hub.root / "files/out").glob("*.json")]
    entries = Counter(entry["entry_ref"] for each in found for entry in each.get("entries", ()))
    assert entries == Counter(f"E-{n}-{each}" for n, count in enumerate(sizes, 1) for each in range(1, count + 1))
    parts = [(each["statement_id"], each.get("extensions", {}).get("bank", {}).get("part", {"number": 1})["number"])
             for each in found]  # fmt: skip
    most = {n: -(-count // 1000) or 1 for n, count in enumerate(sizes, 1)}
    wanted = sorted((f"S-{n}", part) for n in most for part in range(1, most[n] + 1))
    assert sorted(parts) == wanted
    assert hub.rows("SELECT statement_id, part FROM statements_seen ORDER BY 1, 2") == wanted
    assert hub.rows("SELECT state, count(*) FROM messages GROUP BY 1") == [("routed", len(wanted))]
    assert hub.rows("SELECT state, count(*) FROM deliveries GROUP BY 1") == [("delivered", len(wanted))]
    assert hub.rows("SELECT * FROM message_findings") == []
    left = [path.name for path in (hub.root / "files").rglob("*.xml*")]
    assert left == ["camt.xml"], "it is filed away once, and nothing of it is left"


def test_a_bank_file_ends_as_canonical_statements_and_the_one_that_does_not_add_up_as_a_dead_letter(
    hub: HubProcess,
) -> None:
    bring(hub, statement(1, 2500), statement(2, 3, off_by="0.01"), statement(4, 0))
    files = hub.root / "files"
    hub.wait_for(lambda: any((files / "error").rglob("*camt.xml")), 60)

    found = [json.loads(path.read_text()) for path in Path(files / "out").glob("*.json")]
    found.sort(key=lambda each: (each["statement_id"], each["extensions"]["bank"].get("part", {"number": 0})["number"]))
    assert [(each["statement_id"], len(each.get("entries", ()))) for each in found] == [
        ("S-1", 1000), ("S-1", 1000), ("S-1", 500), ("S-4", 0),
    ]  # fmt: skip
    assert [(each["opening_balance"]["amount"], each["closing_balance"]["amount"]) for each in found] == [
        ("0.00", "500500.00"), ("500500.00", "2001000.00"), ("2001000.00", "3126250.00"), ("0.00", "0.00"),
    ]  # fmt: skip
    [finding] = found[3]["extensions"]["bank"]["findings"]
    assert finding["message"] == f"statement number 4 of account {ACCOUNT} follows 2; expected 3"
    [(place, failure)] = hub.rows("SELECT place, failure FROM messages WHERE state = 'dead'")
    dead = json.loads(failure)
    assert place == "line 2" and dead["class"] == "parse" and dead["code"] == "statement_balance"
    assert "3 booked entries of 6 make 6, it closes with 6.01 (+0.01 EUR)" in dead["detail"]
