"""A partner whose files are encrypted by PGP both ways: the hub is killed on the way, and nothing secret is left."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_process import HubProcess
from pgp_keys import PHRASE, People
from receiver import Receiver
from test_files import ORDER_IN, drop, filed

SYSTEMS = """
partner:
  connector: file
  format: csv
  root: {root}
  fetch:
    {{folder: in, pattern: "*.pgp", every: 1s, ready: rename, archive_by: outcome, lease: 3s,
     pgp: {{key: secret://file/pgp_key, passphrase: secret://env/PGP_PHRASE, signed_by: [schemas/keys/acme.asc]}}}}
  send:
    folder: out
    name: "{{key}}.json.pgp"
    pgp: {{to: [schemas/keys/acme.asc], sign: secret://file/pgp_key, passphrase: secret://env/PGP_PHRASE}}
"""
ROUTE = """
route: orders
from: {system: partner}
map: order-in
order: none
to:
  - {system: partner, map: order-out}
retry: {attempts: 50, first: 100ms, factor: 1.5, cap: 1s}
"""


@pytest.fixture
def hub(tmp_path: Path, people: People) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path, receiver)
    for name in ("in", "out"):
        (tmp_path / "files" / name).mkdir(parents=True)
    hub.environment["PGP_PHRASE"] = PHRASE
    hub.write("config/systems.yaml", SYSTEMS.format(root=tmp_path / "files"))
    hub.write("schemas/keys/acme.asc", people.public["acme"].decode())
    hub.write(".o2c/secrets/pgp_key", people.private["hub"])
    hub.write("routes/orders.yaml", ROUTE)
    hub.write("mappings/order-in.yaml", ORDER_IN)
    with tempfile.TemporaryDirectory(prefix="o2c-homes-") as homes:
        hub.environment["TMPDIR"] = homes
        hub.start()
        yield hub
        assert hub.stop() == 0
        assert list(Path(homes).iterdir()) == []
    receiver.close()


def rows(name: str, count: int) -> bytes:
    return b"id,name,qty\n" + b"".join(b"%s-%d,hose,1\n" % (name.encode(), number) for number in range(count))


def test_nothing_is_lost_or_doubled_by_kills_and_nothing_secret_is_left(hub: HubProcess, people: People) -> None:
    files = hub.root / "files"
    for number in range(4):
        drop(files, f"day{number}.csv.pgp", people.encrypted(rows(f"p{number}", 30), "hub", "acme"))
        hub.wait_for(lambda number=number: len(list((files / "out").iterdir())) > 30 * number, 60)  # type: ignore[misc]
        hub.kill_all()
        hub.start()
    drop(files, "evil.csv.pgp", people.encrypted(rows("evil", 1), "hub", "bob"))
    hub.wait_for(filed(files, "error", "evil.csv.pgp"), 60)
    for number in range(4):
        hub.wait_for(filed(files, "archive", f"day{number}.csv.pgp"), 90)
    hub.wait_until_quiet()
    sealed = [path.read_bytes() for path in (files / "out").glob("*.pgp")]
    documents = [json.loads(people.decrypted(content))["reference"] for content in sealed]
    assert sorted(documents) == sorted(f"p{number}-{row}" for number in range(4) for row in range(30))
    assert "GOODSIG" in people.told(sealed[0])
    assert hub.rows("SELECT count(*) FROM deliveries WHERE state <> 'delivered'") == [(0,)]
    inside = people.private["hub"].splitlines()[5].encode()
    for path in [hub.root / "hub.log", *(hub.root / "data").iterdir(), *(files / "error").iterdir()]:
        content = path.read_bytes()
        assert PHRASE.encode() not in content, path
        assert inside not in content, path
