"""What each expression of a mapping reads, known without running it: who uses a source field, and for what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

from hub.mapping.lineage import reads_of
from hub.mapping.writer import Path, Spot

_INDEX = re.compile(r"\[[^\]]*\]")


class Use(msgspec.Struct, frozen=True):
    """One expression: the target field that it makes or decides about (``order_lines[].quantity.value``; in a tree
    under ``let`` ``let rows[].code``, and empty for a name of one expression), where it stands, its text, and the
    source paths that it depends on, through names too.
    ``is_field``: it gives the field its value; else it is a name, a condition or what a loop goes over."""

    target: str
    file: str
    line: int
    column: int
    expression: str
    reads: tuple[str, ...]
    is_field: bool

    def read_of(self, field: str) -> str | None:
        """The path that it reads of a field: the field, a part of it, or what holds it and is taken whole. Whoever goes
        over a list and looks into its elements uses what it looks at, not the list."""
        found = [read for read in self.reads if touches(read, field)]
        near = [read for read in found if plain_path(read).startswith(plain_path(field))]
        whole = [read for read in found if self.is_field and not any(_is_inside(other, read) for other in self.reads)]
        return next(iter(near or whole), None)


def uses_of(spots: Sequence[Spot]) -> Iterator[Use]:
    """The uses of a mapping that was compiled for tracing. A field that is a whole tree of ``let`` is left out: each
    expression of that tree is there with its own field."""
    targets = {_written(spot.path) for spot in spots if spot.is_field}
    for spot in spots:
        target = _written(spot.path)
        if spot.is_field and any(other.startswith((f"{target}.", f"{target}[")) for other in targets):
            continue
        place = spot.formula.place
        line, column = spot.where[:2]
        reads = tuple(dict.fromkeys(_any_element(read) for read in reads_of(spot.formula.node, spot.scope)))
        text = " ".join(place.text.split())
        yield Use(target, place.file, line, column + 1, text, reads, spot.is_field)


def touches(read: str, field: str) -> bool:
    """Whether reading a path has to do with a field: it is that field, something within it, or what holds it."""
    one, other = plain_path(read), plain_path(field)
    return one == other or one.startswith(f"{other}.") or other.startswith(f"{one}.")


def _is_inside(path: str, holder: str) -> bool:
    return path.startswith((f"{holder}.", f"{holder}[]."))


def plain_path(path: str) -> str:
    """A path without its indexes: ``src.lines[0].price`` is ``src.lines.price``."""
    return _INDEX.sub("", path)


def _any_element(path: str) -> str:
    return _INDEX.sub("[]", path)


def _written(path: Path) -> str:
    text = ""
    for part in path:
        if isinstance(part, int) or part.startswith("["):
            text += "[]"
        else:
            text += f".{part}" if text else part
    return text
