"""The project folder of the demo: the reference project on free ports, with waits that suit a minute, not a day."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hub.demo.orders import NEW_UNIT, UNWANTED
from hub.reference import reference_root
from hub.scaffold.keys import create_local_key

ENVIRONMENT = "demo"
UNITS = "mappings/tables/units.csv"
_RETRY = re.compile(r"^( *)retry: .*$", re.MULTILINE)
_SHORT_WAITS = r"\1retry: {attempts: 12, first: 500ms, factor: 1.6, cap: 3s}"
_PREFERRED_PORT = 8420


class DemoFolder(msgspec.Struct, frozen=True):
    """Where the demo lives, and what its hub is started with."""

    root: Path
    url: str
    secrets: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """The whole environment of its programs: what the user's own says of a hub is of another one."""
        others = {name: value for name, value in os.environ.items() if not name.startswith("O2C_")}
        return {**others, "O2C_ENV": ENVIRONMENT, **self.secrets}

    @property
    def inbox(self) -> Path:
        """Where the partner drops files; what was fetched is gone from it."""
        return self.root / "data/files/inbox"

    def learn_unit(self) -> None:
        """Repair the first cause: the table gets the unit it lacks (UN/ECE Recommendation 20, PF: pallet)."""
        path = self.root / UNITS
        path.write_text(f"{path.read_text(encoding='utf-8').rstrip()}\n{NEW_UNIT},PF\n", encoding="utf-8")


def create_folder(root: Path, targets: Mapping[str, str], secrets: Mapping[str, str]) -> DemoFolder:
    """Copy the reference project and point it at the stub systems. ``targets``: address by system."""
    reference = reference_root()
    for name in ("config", "routes"):
        shutil.copytree(reference / name, root / name)
    (root / UNITS).parent.mkdir(parents=True)
    shutil.copyfile(reference / UNITS, root / UNITS)
    for route in (root / "routes").glob("*.yaml"):
        route.write_text(_RETRY.sub(_SHORT_WAITS, route.read_text(encoding="utf-8")), encoding="utf-8")
    port = _free_port()
    overlay = root / "config/environments" / f"{ENVIRONMENT}.yaml"
    overlay.parent.mkdir(exist_ok=True)
    overlay.write_text(_overlay(port, targets), encoding="utf-8")
    create_local_key(root, ENVIRONMENT)
    return DemoFolder(root, f"http://127.0.0.1:{port}", secrets)


def _overlay(port: int, targets: Mapping[str, str]) -> str:
    lines = [f'hub:\n  http: {{listen: "127.0.0.1:{port}"}}', "systems:", f"  webshop: {{ignore: [{UNWANTED}]}}"]
    lines += ["  partner-files: {fetch: {every: 1s, ready: rename}}"]
    lines += [f'  {name}: {{base_url: "{url}"}}' for name, url in targets.items()]
    return "\n".join(lines) + "\n"


def _free_port() -> int:
    """The hub's usual port; where that is taken, any free one."""
    for port in (_PREFERRED_PORT, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")
