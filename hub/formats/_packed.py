"""Documents in pages, packed: held in a tenth of their memory until it is known that they may be given out."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import zstandard

Document = dict[str, Any] | str


class Pages:
    """Documents, or texts that make them, ``size`` of them to a page; all pages but the last are packed."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._open: list[Document] = []
        self._packed: list[bytes] = []
        self._compressor = zstandard.ZstdCompressor(level=1)

    def add(self, document: Document) -> None:
        """Hold one more."""
        if len(self._open) == self._size:
            packed = self._compressor.compress(pickle.dumps(self._open, pickle.HIGHEST_PROTOCOL))
            self._packed.append(bytes(memoryview(packed)))  # a copy: what it gives keeps the room it was made in
            self._open = []
        self._open.append(document)

    def __iter__(self) -> Iterator[list[Document]]:
        """Every page, once: what has been given is let go."""
        unpack = zstandard.ZstdDecompressor().decompress
        self._packed.reverse()
        while self._packed:
            yield pickle.loads(unpack(self._packed.pop()))  # noqa: S301 - bytes that this object has made
        if self._open:
            yield self._open
