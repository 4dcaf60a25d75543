"""The scaled hub as the benchmark runs it: ``o2c serve``, ``o2c work``, ``o2c sweep`` and their servers."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp

from benchmarks.hub_project import Project
from benchmarks.orders import SECRET
from benchmarks.processes import Running, free_port, get, started
from benchmarks.servers import Postgres, broker, postgres
from benchmarks.trial import Rig

_ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class Ground:
    """What a scaled hub stands on: the servers of one database and one broker."""

    postgres: Postgres
    broker: Running
    broker_url: str

    @property
    def servers(self) -> list[Running]:
        return [self.postgres.server, self.broker]


@dataclass(slots=True)
class Cluster:
    """A running scaled hub. ``roles`` are its own processes, ``systems`` all whose CPU an order costs."""

    ground: Ground
    store: str
    project: Path
    roles: dict[str, Running]
    port: int

    @property
    def url(self) -> str:
        """The address of its door."""
        return f"http://127.0.0.1:{self.port}/in/webshop"

    @property
    def systems(self) -> list[Running]:
        return [*self.roles.values(), *self.ground.servers]


@contextmanager
def ground(place: Rig, kind: str = "redis") -> Iterator[Ground]:
    """A PostgreSQL server and a broker (``redis`` or ``rabbitmq``), both new."""
    place.folder.chmod(0o711)  # the database server is another user's
    folder = Path(mkdtemp(prefix=f"{kind}-", dir=place.folder))
    with postgres(folder) as database, broker(kind, folder) as (server, url):
        yield Ground(database, server, url)


@contextmanager
def cluster(
    place: Rig, below: Ground, workers: int, store: str = "", project: Project | None = None
) -> Iterator[Cluster]:
    """The hub with one ``serve``, one ``sweep`` and so many working processes (0: nobody works) on the database at the
    address ``store``, a new one if none is given."""
    folder, port = Path(mkdtemp(prefix="hub-", dir=place.folder)), free_port()
    url = store or below.postgres.new_database()
    secret = "secret://env/{}".format
    replace(project or Project(), store=secret("DATABASE_URL"), broker=secret("BROKER_URL")).write(
        folder, port, place.sink_url
    )
    environment = {"SHOP_HMAC": SECRET, "DATABASE_URL": url, "BROKER_URL": below.broker_url}
    with ExitStack() as stack:
        roles: dict[str, Running] = {}
        for role, *options in _commands(workers):
            command = [str(Path(sys.executable).with_name("o2c")), role, "--project", str(folder), *options]
            roles[role] = stack.enter_context(started(role, command, folder, environment, cwd=_ROOT))
        found = Cluster(below, url, folder, roles, port)
        for running in roles.values():
            running.wait_until(lambda: _is_whole(port, workers))
        yield found


def _commands(workers: int) -> Iterator[list[str]]:
    yield ["serve"]
    if workers:
        yield ["work", "--processes", str(workers)]
        yield ["sweep"]


def _is_whole(port: int, workers: int) -> bool:
    """Whether it takes documents in, and everybody is there."""
    try:
        told = json.loads(get(f"http://127.0.0.1:{port}/readyz", timeout=2.0))
    except OSError:
        return False
    return told["workers"] >= workers and (told["sweeper"] or not workers)
