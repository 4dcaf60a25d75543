"""Real servers that tests start for themselves: on free ports of this machine, in folders that are thrown away."""

from __future__ import annotations

import itertools
import os
import random
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from hub.store import Store, open_store
from hub.store.postgres.schema import migrate

_CHANCE = random.SystemRandom()  # not as a test has seeded it
_HOME = Path("/usr/lib/postgresql")  # Debian keeps the server's programs out of the path
_SETTINGS = {
    # Tests kill servers, they cut no power: what the kernel has stays.
    "fsync": "off", "full_page_writes": "off",
    "max_connections": "60", "shared_buffers": "32MB", "listen_addresses": "127.0.0.1", "log_min_messages": "error",
    "max_wal_size": "256MB",
}  # fmt: skip

_END_OTHERS = """SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
  WHERE datname = current_database() AND pid <> pg_backend_pid()"""
_USED = """SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
  AND relname <> 'schema_versions' AND pg_relation_size(oid) > 0"""
_SEQUENCES = "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace"


def program(name: str) -> str:
    """A program of PostgreSQL's server. Raises where there is none: a test without its server proves nothing."""
    found = shutil.which(name) or next((str(path) for path in sorted(_HOME.glob(f"*/bin/{name}"), reverse=True)), None)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; on Debian: apt-get install postgresql")
    return found


def free_port() -> int:
    """One of those that the system gives to no connection by chance, so that a server that is started again has it."""
    while True:
        port = _CHANCE.randrange(20_000, 32_000)
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class PostgresServer:
    """One cluster. It refuses to run as root, so there it runs as the package's own user."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._numbers = itertools.count(1)
        self._idle: list[str] = []
        self._first_rows: dict[str, list[tuple[Any, ...]]] = {}  # what the migrations put there
        if os.getuid() == 0:
            shutil.chown(folder, "postgres")
        self._run(program("initdb"), "-D", str(folder / "data"), "-U", "o2c", "-A", "trust", "--locale=C.UTF-8", "-N")
        with (folder / "data" / "postgresql.auto.conf").open("a") as settings:
            for name, value in {**_SETTINGS, "port": self.port, "unix_socket_directories": folder}.items():
                settings.write(f"{name} = '{value}'\n")

    def start(self) -> None:
        self._run(program("pg_ctl"), "-D", str(self.folder / "data"), "-w", "-l", str(self.folder / "log"), "start")

    def stop(self, mode: str = "immediate") -> None:
        """``immediate`` is how a server dies, ``fast`` how it is stopped."""
        self._run(program("pg_ctl"), "-D", str(self.folder / "data"), "-w", "-m", mode, "stop")

    def _run(self, *command: str) -> None:
        as_user: Sequence[str] = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
        done = subprocess.run([*as_user, *command], cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout.decode()

    def url(self, database: str) -> str:
        return f"postgresql://o2c@127.0.0.1:{self.port}/{database}"

    def prepare(self) -> None:
        """The database that new ones are copied from."""
        self.execute("CREATE DATABASE pattern")
        migrate(self.url("pattern"))
        with psycopg.connect(self.url("pattern")) as connection:
            for (name,) in connection.execute(_USED).fetchall():
                self._first_rows[name] = connection.execute(f"SELECT * FROM {name}".encode()).fetchall()

    def new_database(self, empty: bool = False) -> str:
        """The address of a new database, with the hub's tables unless it is to be ``empty``."""
        name = f"hub{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {'template0' if empty else 'pattern'}")
        return self.url(name)

    def drop(self, url: str) -> None:
        self.execute(f"DROP DATABASE IF EXISTS {url.rpartition('/')[2]} WITH (FORCE)")

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of a database with the hub's tables and nothing in them, for the length of a block that leaves
        the tables themselves as they are. To empty one costs a tenth of what making one and dropping it does."""
        url = self._idle.pop() if self._idle else self.new_database()
        yield url
        self._empty(url)
        self._idle.append(url)

    def _empty(self, url: str) -> None:
        """As it was when it was made: its rows, its numbers, and what the planner has learnt of it."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(_END_OTHERS)
            used = [name for (name,) in connection.execute(_USED)]
            connection.execute("SET session_replication_role = replica")  # triggers refuse to let rows go
            connection.execute(f"TRUNCATE {', '.join(used)}".encode())
            for (name,) in connection.execute(_SEQUENCES).fetchall():
                connection.execute(f"ALTER SEQUENCE {name} RESTART".encode())
            for name, rows in self._first_rows.items():
                for row in rows:
                    places = ", ".join(["%s"] * len(row))
                    connection.execute(f"INSERT INTO {name} VALUES ({places})".encode(), row)
            connection.execute("DELETE FROM pg_statistic WHERE starelid >= 16384")

    @contextmanager
    def opened(self) -> Iterator[Store]:
        """A store in a database of its own, for the length of a block."""
        url = self.new_database()
        store = open_store(url, Path())
        try:
            yield store
        finally:
            store.close()
            self.drop(url)

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """A running server with nothing in it, for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="o2c-postgres-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        server = PostgresServer(folder)
        server.start()
        try:
            server.prepare()
            yield server
        finally:
            with suppress(AssertionError):  # a test may have stopped it
                server.stop()
