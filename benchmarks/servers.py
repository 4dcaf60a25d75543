"""The servers of a scaled hub, each started for itself in a folder that is thrown away: PostgreSQL, Redis, RabbitMQ."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg

from benchmarks.processes import NotReady, Running, free_port, listens, redis, started
from hub.store.postgres.schema import migrate

_POSTGRES_HOME = Path("/usr/lib/postgresql")  # Debian keeps the server's programs out of the path
_RABBIT_HOME = Path("/usr/lib/rabbitmq/bin")  # its own script there runs as whoever starts it
# Every commit waits for the disk, as it comes out of the box. Memory is that of a small server; a checkpoint in the
# middle of a short run would be measured instead of the hub.
_SETTINGS = {
    "fsync": "on", "synchronous_commit": "on", "full_page_writes": "on", "shared_buffers": "512MB",
    "max_connections": "100", "max_wal_size": "4GB", "checkpoint_timeout": "15min", "listen_addresses": "127.0.0.1",
    "log_min_messages": "error",
}  # fmt: skip


@dataclass(slots=True)
class Postgres:
    """A running PostgreSQL server. ``server`` is its first process, all others descend from it."""

    server: Running
    port: int
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, database: str) -> str:
        return f"postgresql://o2c@127.0.0.1:{self.port}/{database}"

    def new_database(self, like: str = "") -> str:
        """The address of a new database: with the hub's tables, or a copy of the one at the address ``like``, to which
        nobody may be connected."""
        name = f"hub{next(self._numbers)}"
        template = like.rpartition("/")[2] or "template0"
        self.execute("postgres", f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
        if not like:
            migrate(self.url(name))
        return self.url(name)

    def drop(self, url: str) -> None:
        self.execute("postgres", f"DROP DATABASE {url.rpartition('/')[2]} WITH (FORCE)")

    def execute(self, database: str, statement: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """A new PostgreSQL server with nothing in it. It refuses to run as root, so there it runs as the package's user."""
    home, port = folder / "postgres", free_port()
    home.mkdir()
    if os.getuid() == 0:
        folder.chmod(0o711)  # a temporary folder lets nobody else pass
        shutil.chown(home, "postgres", "postgres")
    initdb = [_program("initdb"), "-D", str(home / "data"), "-U", "o2c", "-A", "trust", "--locale=C.UTF-8", "-N"]
    made = subprocess.run([*_as_its_user(), *initdb], cwd=home, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if made.returncode:
        raise NotReady(f"initdb failed:\n{made.stdout.decode()}")
    options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    own = ["-D", str(home / "data"), "-p", str(port), "-k", str(home)]
    with started("postgres", [*_as_its_user(), _program("postgres"), *own, *options], folder) as server:
        found = Postgres(server, port)
        server.wait_until(lambda: _takes_connections(found))
        yield found


def _as_its_user() -> list[str]:
    if os.getuid():
        return []
    return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--inh-caps", "-all"]


def _takes_connections(server: Postgres) -> bool:
    try:
        server.execute("postgres", "SELECT 1")
    except psycopg.OperationalError:
        return False
    return True


def _program(name: str) -> str:
    found = shutil.which(name) or next((str(path) for path in sorted(_POSTGRES_HOME.glob(f"*/bin/{name}"))[::-1]), None)
    if found is None:
        raise NotReady(f"{name} is not installed; the scaled hub needs it (Debian: apt install postgresql)")
    return found


@contextmanager
def broker(kind: str, folder: Path) -> Iterator[tuple[Running, str]]:
    """A Redis or a RabbitMQ without persistence, and its address."""
    if kind == "redis":
        with redis(folder) as (server, port):
            yield server, f"redis://127.0.0.1:{port}/0"
        return
    with _rabbitmq(folder) as (server, port):
        yield server, f"amqp://guest:guest@127.0.0.1:{port}/"


@contextmanager
def _rabbitmq(folder: Path) -> Iterator[tuple[Running, int]]:
    """A RabbitMQ of one node, with its port mapper on a port of its own."""
    own = _RABBIT_HOME / "rabbitmq-server"
    program = str(own) if own.exists() else shutil.which("rabbitmq-server")
    if program is None:
        raise NotReady("rabbitmq-server is not installed (Debian: apt install rabbitmq-server)")
    port, home = free_port(), folder / "rabbitmq"
    home.mkdir()
    environment = _rabbit_environment(home, port)
    try:
        with started("rabbitmq", [program], folder, environment) as server:
            server.wait_until(lambda: listens(port), 90)
            yield server, port
    finally:
        # The port mapper left the group of the server: it is asked to end by name of its own port.
        mapper = ["epmd", "-port", environment["ERL_EPMD_PORT"], "-kill"]
        subprocess.run(mapper, capture_output=True, timeout=10, env=os.environ | environment)


def _rabbit_environment(home: Path, port: int) -> dict[str, str]:
    (home / "enabled_plugins").write_text("[].\n")
    (home / "rabbitmq.conf").write_text(
        f"listeners.tcp.local = 127.0.0.1:{port}\nvm_memory_high_watermark.absolute = 1GB\n"
        "disk_free_limit.absolute = 10MB\nlog.file = false\nlog.console = true\nlog.console.level = warning\n"
    )
    return {
        "HOME": str(home), "RABBITMQ_NODENAME": f"o2c{port}@localhost", "RABBITMQ_MNESIA_BASE": str(home),
        "RABBITMQ_LOG_BASE": str(home), "RABBITMQ_CONFIG_FILE": f"{home}/rabbitmq.conf",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{home}/enabled_plugins", "RABBITMQ_PID_FILE": f"{home}/pid",
        "RABBITMQ_CONF_ENV_FILE": f"{home}/none", "RABBITMQ_DIST_PORT": str(free_port()),
        "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(free_port()), "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +sbwt none",
    }  # fmt: skip
