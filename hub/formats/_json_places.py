"""Where a value stands in a JSON text: its byte, line and column, found by the path that leads to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.formats import Place, Step
from hub.formats._json_list import Part, document, elements, elements_of, members_of
from hub.formats._json_text import Flaw

_BOM = b"\xef\xbb\xbf"


class JsonPlaces:
    """The places of one record of a body; looked up as they are asked for, each part of the way once."""

    def __init__(self, raw: bytes, options: Mapping[str, Any], index: int) -> None:
        self._raw = raw
        self._lead = len(_BOM) if raw.startswith(_BOM) else 0
        self._found: dict[tuple[Step, ...], Part | None] = {(): self._record(raw[self._lead :], options, index)}

    def _record(self, raw: bytes, options: Mapping[str, Any], index: int) -> Part | None:
        if options.get("lines"):
            offset = 0
            for line in raw.splitlines(keepends=True):
                if line.strip():
                    if index == 0:
                        return Part(offset + len(line) - len(line.lstrip()), line.strip())
                    index -= 1
                offset += len(line)
            return None
        if path := options.get("records"):
            found = next((each for number, each in enumerate(elements(raw, path)) if number == index), None)
            return Part(found.offset, found.raw) if found else None
        return document(raw)

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        """The place of a value; None where there is none at that path."""
        part = self._part(tuple(steps))
        if part is None:
            return None
        offset = part.offset + self._lead
        start = self._raw.rfind(b"\n", 0, offset) + 1
        column = len(self._raw[start:offset].decode("utf-8", "replace").removeprefix("\ufeff")) + 1
        return Place(self._raw.count(b"\n", 0, offset) + 1, column, offset)

    def _part(self, steps: tuple[Step, ...]) -> Part | None:
        if steps not in self._found:
            above = self._part(steps[:-1])
            self._found |= self._below(steps[:-1], above)
            self._found.setdefault(steps, None)
        return self._found[steps]

    def _below(self, steps: tuple[Step, ...], part: Part | None) -> dict[tuple[Step, ...], Part | None]:
        if part is None:
            return {}
        try:
            if part.raw[:1] == b"{":
                return {(*steps, name): child for name, child in members_of(part).items()}
            if part.raw[:1] == b"[":
                return {(*steps, number): child for number, child in enumerate(elements_of(part))}
        except Flaw:
            return {}
        return {}
