"""The project a command works on: its folder, its files and what they mean."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hub.client import LOCAL, HubClient, client_for
from hub.project import find_project, own_files, read_files
from hub.secret import DEFAULT_FOLDER, Secret, resolve
from hub.settings import Settings, load_settings
from hub.store import Store, open_store

if TYPE_CHECKING:
    from hub.check import CheckResult


@dataclass(frozen=True)
class Workplace:
    """A project folder, all files that count in it, and the names of those that are its own."""

    root: Path
    files: Mapping[str, bytes]
    own: frozenset[str]

    @property
    def connectors_folder(self) -> Path | None:
        folder = self.root / "connectors"
        return folder if folder.is_dir() else None

    def check(self) -> CheckResult:
        """Everything that is wrong with it, and what it says; its files are those that were read once."""
        return self._checked

    @cached_property
    def _checked(self) -> CheckResult:
        from hub.check import check_project  # loads the mapping compiler, which many commands do not need

        return check_project(
            self.files, environment_name(), own=self.own, connectors_folder=self.connectors_folder
        )  # fmt: skip

    def settings(self) -> Settings:
        """What ``config/`` says, whether or not it is all in order."""
        return load_settings(self.files, environment_name(), self.connectors_folder)[0]


def open_workplace(folder: Path) -> Workplace:
    """The nearest project from a folder upwards. Raises UsageError where there is none."""
    root = find_project(folder)
    return Workplace(root, read_files(root), frozenset(own_files(root)))


def project_store(place: Workplace, read_only: bool) -> Store:
    """The project's store. Raises StoreBusy where a hub runs on an embedded one and this wants to write."""
    return open_store(store_address(place), place.root, read_only=read_only)


def store_address(place: Workplace) -> str:
    """Where the project's store is, a secret resolved."""
    settings = place.settings()
    secrets = place.root / (settings.secrets_folder or DEFAULT_FOLDER)
    return resolve(settings.store, secrets) if isinstance(settings.store, Secret) else settings.store


def running_hub(root: Path) -> HubClient | None:
    """The hub of a project, where one runs. One that ``O2C_URL`` names is taken to run."""
    if os.environ.get("O2C_URL"):
        return client_for(root)
    if not (root / LOCAL).is_file():
        return None
    client = client_for(root)
    return client if client.is_up() else None


def actor() -> str:
    """Who does this, for the audit."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"


def environment_name() -> str | None:
    """The environment whose overlay counts (``O2C_ENV``)."""
    return os.environ.get("O2C_ENV") or None
