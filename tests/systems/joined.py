"""The hub that joins systems: a project of this folder in a process of its own, and what an operator does at it."""

from __future__ import annotations

import json
import shutil
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import warm
from admin import add_key, call
from hub_process import HubProcess
from systems.installs import HERE, wait_until


class Joined:
    """A project, ``name`` in this folder, that runs in ``folder`` once it is started."""

    def __init__(self, folder: Path, name: str) -> None:
        self.hub = HubProcess(folder, types.SimpleNamespace(port=1))  # type: ignore[arg-type]
        for own in ("config", "routes", "mappings"):
            shutil.rmtree(self.hub.root / own)
        shutil.copytree(HERE / name, self.hub.root, dirs_exist_ok=True)

    def start(self, systems: Mapping[str, Any], **secrets: str) -> None:
        """With the addresses that are only known now, as an environment of the project's own."""
        changes = {"hub": {"http": {"listen": f"127.0.0.1:{self.hub.port}"}}, "systems": systems}
        self.hub.write("config/environments/tests.yaml", json.dumps(changes))
        self.hub.environment |= {
            "O2C_ENV": "tests", "O2C_URL": f"http://127.0.0.1:{self.hub.port}", "O2C_API_KEY": add_key(self.hub),
            **secrets,
        }  # fmt: skip
        self.hub.start()

    def stop(self) -> None:
        """It must end well."""
        if self.hub.process is None:
            return
        try:
            assert self.hub.stop() == 0, self.hub.log
        finally:
            if self.hub.process.poll() is None:
                self.hub.kill_all()

    def wait(self, done: Callable[[], bool], seconds: float = 180) -> None:
        wait_until(done, seconds, lambda: f"{self.state()}\n{self.hub.log}")

    def state(self) -> str:
        """What is not delivered, for who looks at a failure."""
        rows = self.hub.rows(
            """SELECT d.route, d.target, d.state, m.main_key, a.detail, a.response FROM deliveries d
               JOIN messages m ON m.message_id = d.message_id
               LEFT JOIN attempts a ON a.delivery_id = d.delivery_id
               WHERE d.state <> 'delivered'"""
        )
        dead = self.hub.rows("SELECT route, failure FROM messages WHERE state = 'dead'")
        failed = self.hub.rows("SELECT source, failure FROM receipts WHERE failure IS NOT NULL")
        return "\n".join(map(str, [*rows, *dead, *failed]))

    def o2c(self, *arguments: str) -> str:
        """One command of an operator, as a person types it; what it prints."""
        code, out, err = warm.run(arguments, self.hub.root, self.hub.environment, b"")
        assert code == 0, out + err
        return out

    def answer(self, message_id: str, target: str) -> Any:
        """What a target answered last to what was sent of a message."""
        key = self.hub.environment["O2C_API_KEY"]
        return call(self.hub, key, "GET", f"/messages/{message_id}/payloads/response.{target}")

    def deploy(self, path: str, text: str) -> None:
        """Another file of the project, in force when this returns."""
        self.hub.write(path, text)
        self.o2c("deploy")


def drop(folder: Path, name: str, content: bytes) -> None:
    """A file, as a careful writer puts it there."""
    (folder / f"{name}.tmp").write_bytes(content)
    (folder / f"{name}.tmp").rename(folder / name)
