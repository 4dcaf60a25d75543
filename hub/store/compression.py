"""Payloads at rest: zstd level 1 with a dictionary, in chunks of at most 1 MB, the original bytes unchanged when
unpacked.

Messages are small, and what could be left out of one, the names of its fields above all, comes only once in it: the
dictionary holds what comes in all of them. ``dictionary-2.zdict`` was trained by ``zstandard.train_dictionary`` on the
documents of the mappings' tests. Stores hold what nobody can read without it, so it never changes; a better one is
another file, with the next number.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import zstandard

from hub.errors import StoreError

CHUNK = 1_000_000
_SMALL = 64
_LEVEL = 1
_PLAIN, _ZSTD, _DICTIONARY = 0, 1, 2  # how stored bytes are packed
_FILE = Path(__file__).with_name("dictionary-2.zdict")
_per_thread = threading.local()


def pack(content: bytes) -> tuple[int, bytes]:
    """How it is packed, and that; as it was where compressing would not pay."""
    if len(content) < _SMALL:
        return _PLAIN, content
    # One zstd context shared by two threads corrupts, so each thread has its own.
    compressor = getattr(_per_thread, "compressor", None)
    if compressor is None:
        compressor = _per_thread.compressor = zstandard.ZstdCompressor(level=_LEVEL, dict_data=_dictionary())
    packed = compressor.compress(content)
    return (_DICTIONARY, packed) if len(packed) < len(content) else (_PLAIN, content)


def unpack(how: int, content: bytes) -> bytes:
    """The bytes as they were. Raises StoreError when a newer version packed them: that is no fault of theirs."""
    if how == _PLAIN:
        return content
    if how not in (_ZSTD, _DICTIONARY):
        raise StoreError(
            f"a newer version of the hub has packed these bytes (form {how}; this one knows 0 to {_DICTIONARY}); "
            "bring this process to that version"
        )
    # What was packed without a dictionary, by earlier versions, says so itself and is read by the same decompressor.
    decompressor = getattr(_per_thread, "decompressor", None)
    if decompressor is None:
        decompressor = _per_thread.decompressor = zstandard.ZstdDecompressor(dict_data=_dictionary())
    return decompressor.decompress(content)


def packed(content: bytes) -> bytes:
    """The same as one value: a byte that says how, and what is packed."""
    how, rest = pack(content)
    return bytes([how]) + rest


def unpacked(stored: bytes) -> bytes:
    """What ``packed`` was given. Raises StoreError as ``unpack`` does."""
    return unpack(stored[0], stored[1:])


@cache
def _dictionary() -> zstandard.ZstdCompressionDict:
    """Shared by all threads: what it is prepared to is only read."""
    found = zstandard.ZstdCompressionDict(_FILE.read_bytes())
    found.precompute_compress(level=_LEVEL)
    return found


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
