"""Orders that go together in files, from a hub that is killed again and again: each order in one file, in its order."""

from __future__ import annotations

import csv
import subprocess
from collections import defaultdict
from pathlib import Path

from hub_process import HubProcess
from receiver import Receiver

SYSTEMS = """
drop: {{connector: file, format: csv, root: {root}, send: {{folder: out, name: "{name}"}}}}
"""
ROUTE = """
route: orders
from: {system: shop, event: orders/create}
map: order-in
key: "first(split(src.report_id, '-'))"
to:
  - {system: drop, map: order-out, collect: {every: 1s, max: 7}}
retry: {attempts: 50, first: 100ms, factor: 1.5, cap: 1s}
"""
ORDERS, KEYS, KILLS = 120, 5, 4


def rows(folder: Path) -> list[tuple[str, list[str]]]:
    """(file, references) of every file that is there."""
    found = []
    for path in sorted(folder.glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as file:
            found.append((path.name, [row["reference"] for row in csv.DictReader(file)]))
    return found


def test_each_order_is_in_one_file_whenever_the_hub_is_killed(tmp_path: Path) -> None:
    receiver = Receiver()
    hub = HubProcess(tmp_path, receiver)
    files = tmp_path / "files"
    (files / "out").mkdir(parents=True)
    systems = (tmp_path / "config/systems.yaml").read_text(encoding="utf-8")
    hub.write("config/systems.yaml", systems + SYSTEMS.format(root=files, name="{date}-{batch_id}-{count}.{extension}"))
    hub.write("mappings/order-out.yaml", (tmp_path / "mappings/order-out.yaml").read_text().replace("json", "csv"))
    hub.write("routes/orders.yaml", ROUTE)
    hub.start()
    for number in range(ORDERS):
        assert hub.send(f"{number % KEYS}-{number:03}")[0] == 202
        if number % (ORDERS // KILLS) == ORDERS // KILLS - 1:
            hub.kill_all()
            hub.start()
    hub.wait_until_quiet()
    found = rows(files / "out")
    told = hub.rows("SELECT state, count(*) FROM deliveries GROUP BY state")
    assert told == [("delivered", ORDERS)], hub.log
    assert sorted(one for _, many in found for one in many) == sorted(f"{n % KEYS}-{n:03}" for n in range(ORDERS))
    assert all(name.endswith(f"-{len(many)}.csv") and len(many) <= 7 for name, many in found)
    by_id = {id: [ref for name, many in found if id in name for ref in many] for (id,) in hub.rows(
        "SELECT batch_id FROM batches ORDER BY collected_at, batch_id")}  # fmt: skip
    lanes = defaultdict(list)
    for reference in (ref for many in by_id.values() for ref in many):
        lanes[reference.partition("-")[0]].append(reference)
    assert all(lane == sorted(lane) for lane in lanes.values())
    doctor = [*hub.command, "doctor", "--conservation"]
    done = subprocess.run(doctor, cwd=tmp_path, env=hub.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert hub.stop() == 0
    receiver.close()
