"""A file with a refresh token in it, which is replaced whole: by one process at a time, durable before it is used."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.base import PermanentError

try:
    import fcntl
except ImportError:  # Windows has none
    fcntl = None  # type: ignore[assignment]

_SETTING = "auth.refresh_token_file"
_LOOK_SECONDS = 0.02
_MAX_BYTES = 100_000


class TokenFile:
    """One file, mode 0600; relative to where the hub is started. The processes of one machine take turns."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def read(self) -> str:
        """The token. Raises PermanentError that names the setting and the file, never what is in it."""
        try:
            text = self._path.read_bytes()[:_MAX_BYTES].decode("ascii").strip()
        except OSError as error:
            reason = error.strerror or "it cannot be read"
            raise PermanentError(f"{_SETTING}: cannot read '{self._path}': {reason}") from None
        except UnicodeDecodeError:
            text = ""
        if not text or not text.isprintable():
            raise PermanentError(f"{_SETTING}: there is no token in '{self._path}'; put the first one there, on a line")
        return text

    def write(self, token: str) -> None:
        """Replace the token; durable on return. Raises OSError, and then the old one is still there."""
        beside = self._path.with_name(f"{self._path.name}.next")
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
            file.write(f"{token}\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """Nobody else on this machine reads or replaces the token until the block ends."""
        if fcntl is None:
            yield
            return
        lock = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _locked(lock):
                await asyncio.sleep(_LOOK_SECONDS)
            yield
        finally:
            os.close(lock)  # and with it the lock


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
