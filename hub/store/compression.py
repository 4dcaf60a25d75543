"""Payloads at rest: zstd level 1, in chunks of at most 1 MB, the original bytes unchanged when unpacked."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator

import zstandard

CHUNK = 1_000_000
_SMALL = 200
_per_thread = threading.local()


def pack(content: bytes) -> tuple[int, bytes]:
    """(1, compressed) or (0, as it was) where compressing would not pay."""
    if len(content) < _SMALL:
        return 0, content
    # One zstd context shared by two threads corrupts, so each thread has its own.
    compressor = getattr(_per_thread, "compressor", None)
    if compressor is None:
        compressor = _per_thread.compressor = zstandard.ZstdCompressor(level=1)
    packed = compressor.compress(content)
    return (1, packed) if len(packed) < len(content) else (0, content)


def unpack(compressed: int, content: bytes) -> bytes:
    if not compressed:
        return content
    decompressor = getattr(_per_thread, "decompressor", None)
    if decompressor is None:
        decompressor = _per_thread.decompressor = zstandard.ZstdDecompressor()
    return decompressor.decompress(content)


def pieces(content: bytes) -> Iterator[bytes]:
    """The content in pieces of at most CHUNK bytes; one empty piece for nothing."""
    if len(content) <= CHUNK:
        yield content
        return
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


def regroup(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Chunks of any size as pieces of at most CHUNK bytes."""
    held = b""
    for chunk in chunks:
        held += chunk
        while len(held) >= CHUNK:
            yield held[:CHUNK]
            held = held[CHUNK:]
    if held:
        yield held
