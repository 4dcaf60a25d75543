"""Files dropped into a folder: every record a message, the bad one apart, the file filed away by what became of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hub_process import HubProcess
from program import o2c
from receiver import Receiver

from hub.cli import messages
from hub.cli.app import main

SYSTEMS = """
partner:
  connector: file
  format: csv
  root: {root}
  fetch: {{folder: in, pattern: "*.csv", every: 1s, ready: rename, archive_by: outcome}}
erp:
  connector: http
  base_url: http://127.0.0.1:{port}
  path: /orders
  idempotency: {{mode: native}}
  limits: {{concurrency: 16}}
"""
ROUTE = """
route: orders
from: {system: partner}
map: order-in
order: none
to:
  - {system: erp, map: order-out}
"""
ORDER_IN = """
mapping: order-in
version: 1
source: {format: csv}
target: {schema: canonical/stock_level}
output:
  report_id: src.id
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.name}
      available_quantity: {value: text(dec(src.qty)), unit_code: {const: C62}}
      location_id: {const: main}
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubProcess, Receiver, Path]]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    files = hub.root / "files"
    (files / "in").mkdir(parents=True)
    hub.write("config/systems.yaml", SYSTEMS.format(root=files, port=receiver.port))
    hub.write("routes/orders.yaml", ROUTE)
    hub.write("mappings/order-in.yaml", ORDER_IN)
    hub.start()
    yield hub, receiver, files
    assert hub.stop() == 0
    receiver.close()


def drop(files: Path, name: str, content: bytes) -> None:
    """As a careful writer does: under another name, then renamed."""
    (files / "in" / f"{name}.tmp").write_bytes(content)
    (files / "in" / f"{name}.tmp").rename(files / "in" / name)


def filed(files: Path, folder: str, name: str) -> Callable[[], bool]:
    return lambda: any((files / folder).rglob(f"*{name}"))


def test_every_record_becomes_a_message_and_the_file_is_archived(started: tuple[HubProcess, Receiver, Path]) -> None:
    hub, receiver, files = started
    drop(files, "good.csv", b"id,name,qty\nf-1,hose,1\nf-2,valve,2\nf-3,gauge,3\n")
    hub.wait_for(filed(files, "archive", "good.csv"), 30)
    assert {"f-1", "f-2", "f-3"} <= set(receiver.effects)
    assert hub.rows("SELECT place FROM messages ORDER BY seq, position LIMIT 3") == [
        ("line 2",),
        ("line 3",),
        ("line 4",),
    ]


def test_a_bad_record_is_dead_with_its_line_and_its_neighbours_are_delivered(
    started: tuple[HubProcess, Receiver, Path],
) -> None:
    hub, receiver, files = started
    drop(files, "mixed.csv", b"id,name,qty\ng-1,hose,1\ng-2,valve\ng-3,gauge,many\ng-4,cap,4\n")
    hub.wait_for(filed(files, "error", "mixed.csv"), 30)
    assert {"g-1", "g-4"} <= set(receiver.effects)
    dead = hub.rows("SELECT place, failure FROM messages WHERE state = 'dead' ORDER BY seq, position")
    assert [place for place, _ in dead] == ["line 3", "line 4"]
    assert '"class":"parse"' in dead[0][1]
    assert '"class":"mapping"' in dead[1][1]


def test_a_file_that_cannot_be_taken_is_told_in_the_log(started: tuple[HubProcess, Receiver, Path]) -> None:
    hub, _, files = started
    drop(files, "empty.csv", b"")
    hub.wait_for(filed(files, "error", "empty.csv"), 30)
    assert "empty.csv cannot be taken: " in hub.log


def test_dead_letters_of_files_say_their_line_and_where_they_came_from(
    started: tuple[HubProcess, Receiver, Path],
) -> None:
    hub, _, files = started
    drop(files, "line.csv", b"id,name,qty\ni-1,hose\n")
    hub.wait_for(filed(files, "error", "line.csv"), 30)
    told = o2c(hub.root, "dead").stdout
    assert "x parse/ragged, orders, from partner" in told
    assert "  at      line 2" in told


def test_more_causes_than_are_shown_are_counted(
    started: tuple[HubProcess, Receiver, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub, _, files = started
    drop(files, "causes.csv", b"id,name,qty\nj-1,hose\nj-2,hose,many\n")
    hub.wait_for(filed(files, "error", "causes.csv"), 30)
    monkeypatch.setattr(messages, "_MOST_CAUSES", 1)
    monkeypatch.delenv("O2C_URL", raising=False)
    with pytest.raises(SystemExit):
        main(["dead", "--project", str(hub.root)])
    out, err = capsys.readouterr()
    assert (out.count("  again   "), "more, of other causes: ask for one --route or --source" in err) == (1, True)


@pytest.mark.parametrize("name", ["orders.txt", ".orders.csv", "orders.csv.tmp"])
def test_a_file_that_would_never_be_fetched_is_not_put_into_its_folder(
    started: tuple[HubProcess, Receiver, Path], tmp_path: Path, name: str
) -> None:
    hub, _, files = started
    (tmp_path / name).write_bytes(b"id,name,qty\nh-1,hose,1\n")
    sent = o2c(hub.root, "send", "partner", str(tmp_path / name))
    assert (sent.returncode, f"no file called '{name}'" in sent.stderr, "*.csv" in sent.stderr) == (2, True, True)
    assert not (files / "in" / name).exists()


def test_a_file_that_is_sent_has_the_marker_that_its_system_looks_for(
    started: tuple[HubProcess, Receiver, Path], tmp_path: Path
) -> None:
    hub, _, _ = started
    project = tmp_path / "project"
    shutil.copytree(hub.root, project, ignore=shutil.ignore_patterns("data", "files", ".o2c"))
    marked = SYSTEMS.replace("ready: rename", 'ready: marker, markers: ["{{stem}}.ready"]')
    (project / "config/systems.yaml").write_text(marked.format(root=tmp_path, port=1))
    (tmp_path / "orders.csv").write_bytes(b"id,name,qty\nh-1,hose,1\n")
    assert o2c(project, "send", "partner", str(tmp_path / "orders.csv")).returncode == 0
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["orders.csv", "orders.ready"]


def test_a_large_file_goes_through_piece_by_piece_in_bounded_memory(started: tuple[HubProcess, Receiver, Path]) -> None:
    hub, receiver, files = started
    rows = b"".join(b"L-%d,%s,1\n" % (n, b"x" * 3000) for n in range(1500))
    before = memory(hub)
    drop(files, "large.csv", b"id,name,qty\n" + rows)
    hub.wait_for(filed(files, "archive", "large.csv"), 120)
    assert sum(1 for reference in receiver.effects if reference.startswith("L-")) == 1500
    assert memory(hub) - before < 80_000


def memory(hub: HubProcess) -> int:
    """Resident kilobytes of the hub process."""
    [child] = hub.children()
    status = Path(f"/proc/{child}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])
