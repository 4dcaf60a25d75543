"""What the files of then read in the bytes of a receipt, beside what the edited ones do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub.backtest.stored import Stored
from hub.backtest.versions import Version
from hub.errors import DecodeError
from hub.formats import Codec
from hub.message import Receipt
from hub.pipeline.decode import Decoded, decode
from hub.pipeline.interchanges import Found, read_interchanges
from hub.pipeline.program import CompiledRoute, Program
from hub.store.recorded import WasMade


class RecordsAgain:
    """The records of a receipt once more where the files of then read them by another format or other options."""

    def __init__(self, stored: Stored, receipt: Receipt, compiled: CompiledRoute) -> None:
        self._stored, self._receipt, self._compiled = stored, receipt, compiled
        self._codec: tuple[Codec, Mapping[str, Any]] | None = None
        self._records: Iterator[Decoded] = iter(())

    def decoded(self, before: CompiledRoute, decoded: Decoded) -> Decoded:
        """A record as the route of then reads it; positions are asked for in their order."""
        wanted = (before.codec, before.codec_options)
        if wanted == (self._compiled.codec, self._compiled.codec_options):
            return decoded
        if self._codec != wanted:
            self._codec, self._records = wanted, decode(*wanted, self._stored.raw(self._receipt))
        try:
            for record in self._records:
                if record.position >= decoded.position:
                    return record
        except DecodeError as error:
            return Decoded(decoded.position, decoded.place, error=error)
        return Decoded(decoded.position, decoded.place, error=DecodeError("there is no such record", code="record"))


class InterchangesAgain:
    """The messages of interchanges once more as the files of then read them; asked for in the order of their positions
    then."""

    def __init__(self, receipt: Receipt, pieces: Iterable[bytes]) -> None:
        self._receipt, self._pieces = receipt, pieces
        self._program: Program | None = None
        self._found: Iterator[Found] = iter(())
        self._next: Found | None = None

    def decoded(self, version: Version, was: WasMade) -> Decoded:
        program = version.program
        if self._program is not program:
            partners = program.partners_at(self._receipt.source)
            self._program = program
            self._found = read_interchanges(partners, self._receipt, program, self._pieces)
            self._next = next(self._found, None)
        while self._next is not None and self._next.decoded.position < was.position:
            self._next = next(self._found, None)
        found = self._next
        if found is not None and found.compiled is not None and found.decoded.position == was.position:
            return found.decoded
        return Decoded(was.position, was.place, error=DecodeError("there is no such message", code="record"))
