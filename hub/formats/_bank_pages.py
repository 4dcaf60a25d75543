"""The entries of a statement while its end is not known: packed page by page, given out when it has proved right."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import zstandard

from hub.formats import Option

PAGE = Option(
    "part",
    "integer",
    2000,
    (),
    "The most entries of a document; a longer statement comes in parts, each with balances",
)


@dataclass(slots=True)
class Pages:
    """Entries in their order. All pages but the last are packed, to about a tenth of their text."""

    size: int
    open: list[dict[str, Any]] = field(default_factory=list)
    packed: list[bytes] = field(default_factory=list)

    def add(self, entry: dict[str, Any]) -> None:
        """Take one in."""
        if len(self.open) == self.size:
            packed = pickle.dumps(self.open, pickle.HIGHEST_PROTOCOL)
            self.packed.append(zstandard.ZstdCompressor(level=1).compress(packed))
            self.open = []
        self.open.append(entry)

    def out(self) -> Iterator[list[dict[str, Any]]]:
        """The pages in their order; each is given once."""
        unpack = zstandard.ZstdDecompressor().decompress
        self.packed.reverse()
        while self.packed:
            yield pickle.loads(unpack(self.packed.pop()))  # noqa: S301
        if self.open:
            yield self.open
