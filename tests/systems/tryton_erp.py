"""Tryton as the tests' ERP: a company that sells, its database a copy of one that was made once."""

from __future__ import annotations

import base64
import json
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from systems.installs import HERE, PASSWORD, installed, python_environment, run
from systems.server import Server

DATABASE = "erp"
_CONTEXT = base64.urlsafe_b64encode(b'{"company":1}').decode()
_CONFIG = """[database]
uri = sqlite://
path = {folder}
[web]
listen = 127.0.0.1:{port}
"""


def install() -> Path:
    return installed("tryton", _make)


def _make(place: Path) -> None:
    python = python_environment(place, HERE / "tryton/requirements.txt")
    modules = (HERE / "tryton/modules.txt").read_text(encoding="utf-8").split()
    folder = place / "pattern"
    folder.mkdir()
    config, password = folder / "trytond.conf", folder / "password"
    config.write_text(_CONFIG.format(folder=folder, port=1), encoding="utf-8")
    password.write_text(PASSWORD, encoding="utf-8")
    (folder / f"{DATABASE}.sqlite").touch()
    run(
        python.parent / "trytond-admin", "-c", config, "-d", DATABASE, "-u", *modules, "--activate-dependencies",
        "--email", "admin@example.com", "-p", TRYTONPASSFILE=str(password),
    )  # fmt: skip
    run(python, HERE / "tryton/seed.py", config, DATABASE, folder)


class Tryton(Server):
    """One running ERP with a database of its own in ``folder``."""

    def __init__(self, folder: Path, port: int) -> None:
        super().__init__(folder / "log")
        self.place, self.folder, self.port = install(), folder, port
        pattern = self.place / "pattern"
        folder.mkdir(parents=True)
        for path in (f"{DATABASE}.sqlite", "keys.json"):
            shutil.copy(pattern / path, folder / path)
        (folder / "trytond.conf").write_text(_CONFIG.format(folder=folder, port=port), encoding="utf-8")
        self.key = str(json.loads((folder / "keys.json").read_text())["rest"])

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/{DATABASE}"

    def tables(self) -> dict[str, str]:
        """The tables of this database's ids that mappings look up, as CSV, by name."""
        return {path.stem: path.read_text(encoding="utf-8") for path in (self.place / "pattern").glob("tryton_*.csv")}

    def start(self) -> None:
        self.launch(self.place / "venv/bin/trytond", "-c", self.folder / "trytond.conf", "-d", DATABASE)

    def answers(self) -> bool:
        self.find("company.company")
        return True

    # -- as a clerk works with it ----------------------------------------------------------------------------------

    def find(self, model: str, *conditions: list[Any], fields: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        """The records of a model that meet all conditions, with these fields of theirs."""
        domain = base64.urlsafe_b64encode(json.dumps(list(conditions)).encode()).decode()
        query = urlencode([("d", domain), *(("f", field) for field in fields)])
        found: list[dict[str, Any]] = self.ask("GET", f"/rest/model/{model}?{query}")
        return found

    def act(self, model: str, id: int, action: str, **data: Any) -> Any:
        """Press one of a record's buttons."""
        return self.ask("POST", f"/rest/model/{model}/{id}/{action}", data)

    def write(self, model: str, id: int, **values: Any) -> Any:
        return self.ask("PUT", f"/rest/model/{model}/{id}", values)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {
            "Authorization": f"bearer {self.key}", "X-Tryton-Context": _CONTEXT, "Content-Type": "application/json",
        }  # fmt: skip
        raw = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.base_url}{path}", raw, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                told = answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(
                f"{method} {path}: {error.code} {error.read().decode()[:1000]}\n{self.log()}"
            ) from None
        return json.loads(told) if told else None
