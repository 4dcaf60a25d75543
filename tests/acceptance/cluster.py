"""A hub in several processes as its users have it: PostgreSQL, a broker, and the roles started by their commands."""

from __future__ import annotations

import json
import os
import signal
import socket
from pathlib import Path
from typing import Any

import psycopg
from hub_process import HubProcess, Process
from receiver import Receiver

from hub.store import api_keys, open_store


class Cluster(HubProcess):
    """A project folder whose store is a server's; ``start_role`` starts one more process. They share one socket."""

    def __init__(self, root: Path, receiver: Receiver, store: str, broker: str, **options: Any) -> None:
        super().__init__(root, receiver, **options)
        self.store = store
        self.environment |= {"DATABASE_URL": store, "BROKER_URL": broker}
        self.write(
            "config/hub.yaml",
            f'http: {{listen: "127.0.0.1:{self.port}"}}\ntime_zone: UTC\n'
            "store: secret://env/DATABASE_URL\nbroker: secret://env/BROKER_URL\n",
        )
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=512)
        self.processes: list[Process] = []

    @property
    def log(self) -> str:
        return (self.root / "hub.log").read_text(encoding="utf-8", errors="replace")

    def start_role(self, *command: str, **environment: str) -> Process:
        self.processes.append(self.spawn(*command, files=[self.listener.fileno()], **environment))
        return self.processes[-1]

    def serve(self) -> Process:
        return self.start_role("serve", "--fd", str(self.listener.fileno()))

    def start(self, *options: str) -> None:
        """One of each, two processes that work."""
        self.serve()
        self.start_role("work", "--processes", "2")
        self.start_role("sweep")
        self.wait_until_ready()
        self.wait_for(lambda: self.ready() | {"workers": 2, "sweeper": True} == self.ready())

    def ready(self) -> dict[str, Any]:
        """What a serving process says about itself and the others."""
        told: dict[str, Any] = json.loads(self.request("GET", "/readyz")[1])
        return told

    def add_key(self) -> str:
        """An admin's key."""
        store, token = open_store(self.store, self.root), api_keys.new_token()
        store.write(lambda db: api_keys.add(db, "k", "test", "admin", token, 1.0))
        store.close()
        return token

    def workers(self) -> list[int]:
        """The processes of ``o2c work``."""
        return [pid for process in self.processes if process.poll() is None for pid in _children(process.pid)]

    def end(self, process: Process, number: int = signal.SIGTERM) -> int:
        """Its exit code."""
        process.send_signal(number)
        return process.wait(40)

    def kill_all(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def close(self) -> None:
        self.kill_all()
        self.listener.close()

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.store) as connection:
            return connection.execute(sql.encode(), values).fetchall()


def _children(pid: int) -> list[int]:
    """The workers below a parent; what workers start themselves is a generation further."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    found = [int(child) for child in path.read_text().split()]
    return [child for child in found if b"hub.roles.work" in _command(child)]


def _command(pid: int) -> bytes:
    """What a process was started with; nothing where it has ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""
