"""A partner's folder: files that are fetched, filed away by the outcome of their messages, and sometimes half there."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.base import Incoming, TransientError
from hub.simulation.trace import Violation

if TYPE_CHECKING:
    from hub.simulation.world import World

POLL_SECONDS = 5.0


@dataclass(slots=True)
class File:
    """A file of the partner. ``breaks_off``: the next reader gets half of it, then the connection is gone."""

    number: int
    content: bytes
    breaks_off: bool = False
    is_taken: bool = False
    is_filed: bool = False


class SimulatedFolder:
    """A ``Source``. It belongs to the partner: it outlives the hub's process."""

    def __init__(self, name: str, world: World) -> None:
        self.name, self._world = name, world
        self.files: dict[str, File] = {}

    def put(self, number: int, content: bytes, breaks_off: bool) -> None:
        """The partner puts a file there, or the same one once more."""
        name = f"f{number}.csv"
        known = self.files.get(name)
        if known is None or known.is_filed:
            self.files[name] = File(number, content, breaks_off)

    @property
    def has_new(self) -> bool:
        return any(not file.is_taken for file in self.files.values())

    def fetch(self, accept: Callable[[Incoming], None]) -> int:
        taken = 0
        for name, file in list(self.files.items()):
            if not file.is_taken:
                self._world.note(f"{self.name}: {name} is fetched")
                accept(self._incoming(name, file))
                self._world.require_stored(f"{self.name}/{name}", file.content)
                self._world.faults.crash("fetching")
                file.is_taken = True
                taken += 1
                self._world.faults.crash("fetched")
        return taken

    def _incoming(self, name: str, file: File) -> Incoming:
        digest = hashlib.sha256(file.content).hexdigest()
        return Incoming(name, self._chunks(name, file), name, f"{self.name}/{name}", attributes={"sha256": digest})

    def _chunks(self, name: str, file: File) -> Iterator[bytes]:
        if file.breaks_off:
            file.breaks_off = False
            self._world.faults.happened["half a file"] += 1
            yield file.content[: len(file.content) // 2]
            raise TransientError(f"the connection broke in the middle of {name}")
        yield file.content

    def settle(self, reference: str, failed: bool) -> None:
        file = self.files[reference]
        self._world.note(f"{self.name}: {reference} is filed as {'failed' if failed else 'done'}")
        if not self._world.is_stored(f"{self.name}/{reference}"):
            raise Violation("nothing acknowledged is lost", f"{reference} is filed away and was never stored")
        self._world.rules.may_be_filed(self.name, reference)
        file.is_taken = file.is_filed = True

    def check_end(self) -> None:
        """Every file was taken in, and filed away unless something of it waits for a person."""
        for name, file in self.files.items():
            self._world.require_stored(f"{self.name}/{name}", file.content)
            if not file.is_filed:
                self._world.rules.may_stay(self.name, name)

    def close(self) -> None:
        """Nothing is held."""
