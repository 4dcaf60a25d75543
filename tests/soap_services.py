"""What tests of SOAP share: the WSDL files, and a service that others wrote as a process."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from servers import free_port

FOLDER = Path(__file__).parent
WSDL = "schemas/orders.wsdl"


def wsdl_files() -> dict[str, bytes]:
    """The WSDL of ours and what it imports, as files of a project."""
    root = FOLDER / "wsdl"
    return {f"schemas/{path.relative_to(root)}": path.read_bytes() for path in sorted(root.rglob("*.*"))}


class Spyne:
    """A running service and what it has seen."""

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}/"

    def _get(self, path: str) -> bytes:
        with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
            return bytes(answer.read())

    @property
    def wsdl(self) -> bytes:
        return self._get("?wsdl")

    @property
    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._get("state"))
        return found


@contextmanager
def spyne_service(version: str = "1.1") -> Iterator[Spyne]:
    """A running service, for the length of a block."""
    port = free_port()
    command = [sys.executable, str(FOLDER / "spyne_orders.py"), str(port), version]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        try:
            yield Spyne(port)
        finally:
            process.kill()


# What both ways in read of an order.
ORDER_IN = """
mapping: soap-in
version: 1
source: {format: soap, lists: [line]}
target: {schema: canonical/stock_level}
output:
  report_id: src.body.CreateOrder.number
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    each: src.body.CreateOrder.line
    as: l
    item:
      item: {name: l.item}
      available_quantity: {value: l.quantity, unit_code: {const: C62}}
      location_id: {const: main}
"""
