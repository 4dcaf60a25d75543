"""The program as a user types it: one command, a project that `o2c init` makes, the hub that `o2c run` starts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import warm
from servers import free_port

from hub.client import client_for

SHOP = "webshop"


def o2c(folder: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a folder, with an environment that names no other hub."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("O2C_")}
    code, out, err = warm.run(arguments, folder, {**clean, **environment}, stdin)
    assert "Traceback" not in out + err
    return subprocess.CompletedProcess(["o2c", *arguments], code, out, err)


def answer(folder: Path, *arguments: str) -> Any:
    """What a command says with --json; it must succeed."""
    ended = o2c(folder, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def wait_for(folder: Path, count: int, *filters: str) -> list[dict[str, Any]]:
    """The messages that match, once there are that many and none of their deliveries is under way."""
    deadline, hub = time.monotonic() + 60, client_for(folder)
    given = {name.removeprefix("--"): value for name, value in zip(filters[::2], filters[1::2], strict=True)}
    while time.monotonic() < deadline:
        items: list[dict[str, Any]] = hub.get("/messages", **given)["items"]
        states = {line["state"] for item in items for line in item["deliveries"]}
        if (
            len(items) >= count
            and not states & {"queued", "delivering"}
            and "received" not in {i["state"] for i in items}
        ):
            return items
        time.sleep(0.1)
    raise AssertionError(f"expected {count} messages, got {items}")


def order(folder: Path, number: int, **changes: Any) -> str:
    """A file with an order like the sample, under another number."""
    document = json.loads((folder / "sample-order.json").read_text())
    document |= {"id": 5_500_000_000_000 + number, "name": f"#{number}", **changes}
    (folder / f"order-{number}.json").write_text(json.dumps(document))
    return f"order-{number}.json"


def with_unit(folder: Path, number: int, unit: str) -> str:
    lines = json.loads((folder / "sample-order.json").read_text())["line_items"]
    lines[0]["properties"] = [{"name": "unit", "value": unit}]
    return order(folder, number, line_items=lines)


def new_project(parent: Path, name: str) -> Path:
    """A project of `o2c init`, on a free port."""
    assert o2c(parent, "init", name).returncode == 0
    give_port(parent / name)
    return parent / name


def give_port(project: Path) -> None:
    """Have the hub of a new project listen on a port that is free."""
    port = free_port()
    for file in ("config/hub.yaml", ".o2c/local.json"):
        path = project / file
        path.write_text(path.read_text().replace("127.0.0.1:8420", f"127.0.0.1:{port}"))


def sends_to(project: Path, port: int, on_error: str, idempotency: str = "native") -> None:
    """Have the ERP of a new project be a server on this machine, what it refuses end so, and no try be made twice."""
    systems, routes = project / "config/systems.yaml", project / "routes/orders.yaml"
    before, _, after = systems.read_text().partition("\nerp:\n")
    erp = f"\nerp: {{connector: http, base_url: 'http://127.0.0.1:{port}', idempotency: {{mode: {idempotency}}}}}\n"
    systems.write_text(before + erp + after[after.index("\nwms:") :])
    text = routes.read_text().replace("attempts: 8", "attempts: 1")
    routes.write_text(text.replace("on_error: dead_letter", f"on_error: {on_error}"))


def wait_until(folder: Path, state: str, count: int = 1) -> list[dict[str, Any]]:
    """The deliveries to the ERP in a state, once there are that many."""
    deadline, hub = time.monotonic() + 60, client_for(folder)
    while time.monotonic() < deadline:
        lines = [line for item in hub.get("/messages", limit=500)["items"] for line in item["deliveries"]]
        found = [line for line in lines if (line["system"], line["state"]) == ("erp", state)]
        if len(found) >= count:
            return found
        time.sleep(0.1)
    raise AssertionError(f"expected {count} {state}, got {[line['state'] for line in lines]}")


@contextmanager
def started(
    project: Path, *options: str, program: Sequence[str] = (sys.executable, "-m", "hub.cli"), **environment: str
) -> Iterator[None]:  # fmt: skip
    """The project's hub running; it must end well when it is told to. ``program`` is how ``o2c`` is called."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("O2C_")}
    command = [*program, "run", *options]
    with (project / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=project, env={**clean, **environment}, stdout=log, stderr=log, start_new_session=True
        )
    try:
        _wait_until_up(process, project)
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(40)
    assert ended == 0, (project / "hub.log").read_text()


def _wait_until_up(process: subprocess.Popen[bytes], project: Path) -> None:
    deadline = time.monotonic() + 60
    known = project / ".o2c/local.json"
    while not (known.exists() and client_for(project).is_up()):  # where it is now: the hub itself may have written it
        assert process.poll() is None and time.monotonic() < deadline, (project / "hub.log").read_text()
        time.sleep(0.05)
