"""One file read in chunks: hashed on the way, and checked that nobody wrote to it meanwhile."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing

from msgspec.structs import replace

from connectors._file_claims import Claim
from connectors._files import Files, OpenFile, Passing
from connectors.base import ConnectorError, PermanentError, TransientError

Layer = Callable[[Generator[bytes, None, None]], Generator[bytes, None, None]]


class Reading:
    """The bytes of a file, or what its ``layers`` make of them. ``keep`` is called after each chunk. ``attributes`` has
    the sha256, and the file's reference with its content, once the last one was taken; ``failure`` is why it could not
    be read, whatever became of that exception on its way through the one who reads. The sha256 has to begin as that of
    ``claim`` does; ``read`` is the claim with that of the file as it lies there."""

    def __init__(
        self, files: Files, claim: Claim, keep: Callable[[OpenFile], None], layers: Sequence[Layer] = ()
    ) -> None:
        self._files, self.read, self._keep = files, claim, keep
        self._layers = layers
        self.attributes: dict[str, str] = {}
        self.failure: ConnectorError | None = None

    def chunks(self) -> Generator[bytes, None, None]:
        """Raises TransientError when the file changes while it is read or its connection breaks, PermanentError when it
        cannot be read."""
        try:
            yield from self._unpacked() if self._layers else self._chunks()
        except ConnectorError as error:
            self.failure = error
            raise
        except Passing as error:
            self.failure = TransientError(f"the file could not be read to its end: {error.strerror}")
            raise self.failure from None
        except OSError as error:
            self.failure = PermanentError(f"the file cannot be read: {error.strerror}")
            raise self.failure from None

    def _unpacked(self) -> Generator[bytes, None, None]:
        """The sha256 is that of the content: two files may be packed differently and say the same."""
        digest = hashlib.sha256()
        # Closed at once whatever happens: an error that is looked at would else keep the file, and its connection.
        with ExitStack() as open_layers:
            pieces = open_layers.enter_context(closing(self._chunks()))
            for layer in self._layers:
                pieces = open_layers.enter_context(closing(layer(pieces)))
            for piece in pieces:
                digest.update(piece)
                yield piece
        self.attributes["sha256"] = digest.hexdigest()

    def _chunks(self) -> Generator[bytes, None, None]:
        digest, read = hashlib.sha256(), 0
        with self._files.opened(self.read.path) as file:
            before = file.status()
            if not before.is_file:
                raise PermanentError("not a plain file")
            for chunk in file.chunks():
                digest.update(chunk)
                read += len(chunk)
                yield chunk
                self._keep(file)
                if read > before.size:  # somebody writes, and may do so faster than it is read
                    break
            after = file.status()
        if before != after or read != after.size:
            raise TransientError("the file changed while it was read; it is taken when it has come to rest")
        self._check(digest.hexdigest())

    def _check(self, sha256: str) -> None:
        if not sha256.startswith(self.read.sha256):
            raise PermanentError("the file's sha256 is not the one its marker says; have it sent again")
        self.read = replace(self.read, sha256=sha256)
        self.attributes.update(sha256=sha256, reference=self.read.exact_reference)
