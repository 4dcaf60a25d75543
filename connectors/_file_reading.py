"""One file read in chunks: hashed on the way, and checked that nobody wrote to it meanwhile."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Generator, Iterator
from pathlib import Path

from connectors.base import ConnectorError, PermanentError, TransientError

CHUNK = 262_144


class Reading:
    """The bytes of a file. ``attributes`` has the sha256 once the last chunk was taken; ``failure`` is why it could not
    be read, whatever became of that exception on its way through the one who reads."""

    def __init__(self, path: Path, sha256: str = "") -> None:
        self._path, self._expected = path, sha256
        self.attributes: dict[str, str] = {}
        self.failure: ConnectorError | None = None

    def chunks(self) -> Generator[bytes, None, None]:
        """Raises TransientError when the file changes while it is read, PermanentError when it cannot be read."""
        try:
            yield from self._chunks()
        except ConnectorError as error:
            self.failure = error
            raise
        except OSError as error:
            self.failure = PermanentError(f"the file cannot be read: {error.strerror}")
            raise self.failure from None

    def _chunks(self) -> Iterator[bytes]:
        digest, read = hashlib.sha256(), 0
        # Neither follow a link that was put in the file's place nor hang on a pipe.
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise PermanentError("not a plain file")
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                read += len(chunk)
                yield chunk
            after = os.fstat(descriptor)
        if (before.st_size, before.st_mtime_ns, read) != (after.st_size, after.st_mtime_ns, after.st_size):
            raise TransientError("the file changed while it was read; it is taken when it has come to rest")
        self._check(digest.hexdigest())

    def _check(self, sha256: str) -> None:
        if self._expected and sha256 != self._expected:
            raise PermanentError("the file's sha256 is not the one its marker says; have it sent again")
        self.attributes["sha256"] = sha256
