"""The hub that a command speaks to: the one that runs, or the project's own store while none does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.cli.terminal import complain
from hub.client import LOCAL, HubClient, client_for
from hub.errors import UsageError
from hub.project import find_project


@contextmanager
def hub_at_hand(folder: Path) -> Iterator[HubClient]:
    """The hub that ``O2C_URL`` names; else that of the project around a folder, running or not."""
    if os.environ.get("O2C_URL"):
        yield client_for(_root(folder))
        return
    root = find_project(folder)
    client = client_for(root)
    if not (root / LOCAL).is_file() or client.is_up():
        yield client
        return
    from hub.cli.hub_at_rest import hub_at_rest  # loads the whole hub, which a running one makes unnecessary
    from hub.cli.workplace import open_workplace

    complain(f"no hub answers at {client.url}; this is its store")
    with hub_at_rest(open_workplace(root)) as hub:
        yield hub


def _root(folder: Path) -> Path | None:
    try:
        return find_project(folder)
    except UsageError:
        return None
