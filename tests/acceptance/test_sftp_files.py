"""A bank that is reached by SFTP alone: its CSV comes in from a real OpenSSH server, the answer goes out to it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator

import pytest
from admin import add_key, call
from cutter import Cutter, cutter
from hub_process import HubProcess
from receiver import Receiver
from sftp_server import SftpServer, names_below, sftp_server
from test_files import ORDER_IN

SYSTEMS = """
bank:
  connector: sftp
  format: csv
  host: 127.0.0.1
  port: {port}
  host_key: "{host_key}"
  user: {user}
  key: secret://file/bank
  fetch: {{folder: in, pattern: "*.[cz][si][vp]", every: 1s, ready: marker, archive_by: outcome, lease: 5s}}
  send: {{folder: out, name: "{{key}}.json"}}
library:
  connector: sftp
  format: csv
  host: 127.0.0.1
  port: {read_only_port}
  host_key: "{host_key}"
  user: {user}
  key: secret://file/bank
  fetch: {{folder: shelf, every: 1s, ready: rename, claim: lease, lease: 5s}}
"""
ROUTE = """
route: orders
from: {system: bank}
map: order-in
order: none
to:
  - {system: bank, map: order-out}
retry: {attempts: 50, first: 100ms, factor: 1.5, cap: 1s}
"""
FROM_LIBRARY = "from: {system: library}"


@pytest.fixture(scope="module")
def server() -> Iterator[SftpServer]:
    with sftp_server() as running:
        for name in ("in", "out", "shelf"):
            running.folder(name)
        yield running


@pytest.fixture(scope="module")
def line(server: SftpServer) -> Iterator[Cutter]:
    with cutter(server.port) as cut:
        yield cut


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, server: SftpServer, line: Cutter) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    systems = SYSTEMS.format(
        port=line.port, read_only_port=server.read_only_port, host_key=server.host_key, user=server.user
    )
    hub.write("config/systems.yaml", systems)
    hub.write(".o2c/secrets/bank", server.key)
    hub.write("routes/orders.yaml", ROUTE)
    hub.write(
        "routes/library.yaml", ROUTE.replace("orders", "library", 1).replace("from: {system: bank}", FROM_LIBRARY)
    )
    hub.write("mappings/order-in.yaml", ORDER_IN)
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


def drop(server: SftpServer, name: str, rows: int) -> None:
    lines = "".join(f"{name}-{row},hose,{row}\n" for row in range(rows))
    (server.root / "in" / f"{name}.csv").write_text("id,name,qty\n" + lines)
    (server.root / "in" / f"{name}.csv.done").touch()


def references(server: SftpServer, name: str) -> list[str]:
    """What came out that is complete, once per file."""
    found = [json.loads(path.read_text())["reference"] for path in (server.root / "out").glob("*.json")]
    return sorted(reference for reference in found if reference.startswith(f"{name}-"))


def archived(server: SftpServer, name: str) -> bool:
    return any((server.root / "archive").rglob(f"{name}.csv"))


def test_rows_come_in_and_documents_go_out(hub: HubProcess, server: SftpServer) -> None:
    (server.root / "in" / "half.csv").write_text("id,name,qty\nhalf")
    drop(server, "plain", 5)
    hub.wait_for(lambda: archived(server, "plain"), 60)
    assert references(server, "plain") == [f"plain-{row}" for row in range(5)]
    assert names_below(server.root / "in") == ["half.csv"]


def test_nothing_is_lost_or_doubled_when_the_line_breaks_again_and_again(
    hub: HubProcess, server: SftpServer, line: Cutter
) -> None:
    for number in range(6):
        line.cut_in(5 + 7 * number, passing=bool(number % 2))
        drop(server, f"cut{number}", 4)
        hub.wait_for(lambda number=number: archived(server, f"cut{number}"), 60)  # type: ignore[misc]
    line.heal()
    for number in range(6):
        hub.wait_for(lambda number=number: len(references(server, f"cut{number}")) >= 4, 30)  # type: ignore[misc]
        assert references(server, f"cut{number}") == [f"cut{number}-{row}" for row in range(4)]
    assert hub.rows("SELECT count(*) FROM deliveries WHERE state <> 'delivered'") == [(0,)]


def test_a_hub_that_is_killed_goes_on_where_it_was(hub: HubProcess, server: SftpServer) -> None:
    for number in range(6):
        drop(server, f"kill{number}", 20)
    hub.wait_for(lambda: bool(references(server, "kill0")), 30)
    hub.kill_all()
    hub.start()
    hub.wait_for(lambda: all(archived(server, f"kill{number}") for number in range(6)), 60)
    for number in range(6):
        assert references(server, f"kill{number}") == sorted(f"kill{number}-{row}" for row in range(20))
    assert hub.rows("SELECT count(*) FROM receipts WHERE name LIKE 'kill%'") == [(6,)]


def test_a_hub_that_is_killed_in_the_middle_of_a_zip_takes_the_rest_of_it(hub: HubProcess, server: SftpServer) -> None:
    with zipfile.ZipFile(server.root / "in" / "day.zip", "w") as archive:
        for number in range(60):
            archive.writestr(f"{number}.csv", f"id,name,qty\nzip-{number},hose,1\n")
    (server.root / "in" / "day.zip.done").touch()
    count = "SELECT count(*) FROM receipts WHERE name LIKE 'day.zip/%'"
    hub.wait_for(lambda: hub.rows(count) >= [(3,)], 30)
    hub.kill_all()
    [(before,)] = hub.rows(count)
    assert 3 <= before <= 60
    hub.start()
    hub.wait_for(lambda: any((server.root / "archive").rglob("day.zip")), 60)
    assert references(server, "zip") == sorted(f"zip-{number}" for number in range(60))
    assert hub.rows(count) == [(60,)]
    assert names_below(server.root / "in") == ["half.csv"]


def test_a_hub_that_is_killed_takes_what_may_only_be_read_once(hub: HubProcess, server: SftpServer) -> None:
    for number in range(40):
        (server.root / "shelf" / f"{number}.csv").write_text(f"id,name,qty\nshelf-{number},hose,1\n")
    count = "SELECT count(*) FROM receipts WHERE source = 'library'"
    hub.wait_for(lambda: hub.rows(count) >= [(3,)], 30)
    hub.kill_all()
    hub.start()
    hub.wait_for(lambda: hub.rows("SELECT count(*) FROM file_leases WHERE until IS NULL") == [(40,)], 60)
    (server.root / "shelf" / "40.csv").write_text("id,name,qty\nshelf-40,hose,1\n")
    hub.wait_for(lambda: len(references(server, "shelf")) >= 41, 60)
    assert references(server, "shelf") == sorted(f"shelf-{number}" for number in range(41))
    assert hub.rows(count) == [(41,)]
    assert names_below(server.root / "shelf") == sorted(f"{number}.csv" for number in range(41))


def test_a_server_with_another_key_stops_the_system_and_no_message_pays_for_it(
    hub: HubProcess, server: SftpServer
) -> None:
    assert hub.stop() == 0
    admin = add_key(hub)
    settings = (hub.root / "config/systems.yaml").read_text()
    server.new_key("impostor")
    other = server.path("impostor.pub").read_text().strip()
    hub.write("config/systems.yaml", settings.replace(server.host_key, other, 1))
    hub.start()
    drop(server, "later", 1)
    hub.wait_for(lambda: hub.rows("SELECT name, state FROM switches") == [("bank", "stopped")], 30)
    [(reason,)] = hub.rows("SELECT reason FROM switches")
    assert "shows another host key than the one pinned in host_key" in reason
    assert not archived(server, "later")
    hub.write("config/systems.yaml", settings)
    assert hub.stop() == 0
    hub.start()
    call(hub, admin, "POST", "/systems/bank/start", {"reason": "the key is the right one again"})
    hub.wait_for(lambda: archived(server, "later"), 60)
    assert references(server, "later") == ["later-0"]
