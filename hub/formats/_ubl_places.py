"""Where in the file something of a UBL document stands: the place of each fault, and of the value at a path."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from hub.formats import Place, Step
from hub.formats._ubl_faults import Faults, UblFault
from hub.formats._xml_places import named_places, places_of_numbers


def placed(faults: Faults, parts: list[str], raw: bytes) -> list[UblFault]:
    """The faults of a document with path, line and column, and what stands for those that are too many. Two passes over
    the document, however many faults there are."""
    found = faults.found
    wanted = {fault.part for fault in found}
    elements = _elements(parts, wanted)
    places = places_of_numbers(raw, (number for number, _ in elements.values()))
    located = []
    for fault in found:
        number, path = elements[fault.part]
        place = places.get(number)
        line, column = (place.line, place.column) if place else (0, 0)
        located.append(replace(fault, path=path, line=line, column=column))
    return [*located, *faults.counted()]


class _Element(msgspec.Struct, frozen=True):
    """``number`` is that in the document, ``count`` that among those of its name, which ``beside`` counts."""

    name: str
    number: int
    count: int
    beside: Counter[str]

    @property
    def step(self) -> str:
        return f"/{self.name}[{self.count}]" if self.beside[self.name] > 1 else f"/{self.name}"


def _elements(parts: list[str], wanted: set[int]) -> dict[int, tuple[int, str]]:
    """For parts: the number of the element that begins there, or ends there, and its XPath."""
    found: dict[int, list[_Element]] = {}
    counts: list[Counter[str]] = [Counter()]
    path: list[_Element] = []
    number = 0
    for part in range(0, max(wanted, default=-1) + 1, 2):
        head = parts[part]
        if head[0] != "/":
            name = head.split(None, 1)[0].rstrip("/")
            counts[-1][name] += 1
            path.append(_Element(name, number, counts[-1][name], counts[-1]))
            counts.append(Counter())
            number += 1
        if part in wanted:
            found[part] = list(path)
        if head[0] == "/" or head[-1] == "/":
            path.pop()
            counts.pop()
    _count_on(parts, max(wanted, default=-1) + 2, counts)
    return {part: (above[-1].number, "".join(one.step for one in above)) for part, above in found.items()}


def _count_on(parts: list[str], start: int, counts: list[Counter[str]]) -> None:
    """Count what still comes in the elements that are open: whether a name stands once is known at their end alone."""
    depth = 0
    for part in range(start, len(parts), 2):
        head = parts[part]
        if head[0] == "/":
            if depth:
                depth -= 1
            else:
                counts.pop()
            continue
        if not depth:
            counts[-1][head.split(None, 1)[0].rstrip("/")] += 1
        depth += head[-1] != "/"


class UblPlaces:
    """The places of a document's values by their paths; the file is walked once, when the first is asked for. Of a
    document that has one element alone of the list ``records``, ``index`` is that element's place in the file."""

    def __init__(self, raw: bytes, records: str = "", index: int = 0) -> None:
        self._raw, self._records, self._index = raw, records, index
        self._known: dict[tuple[tuple[str, int], ...], Place] | None = None

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        if self._known is None:
            self._known = {path[1:]: place for path, place in named_places(self._raw)}
        path: list[tuple[str, int]] = []
        for step in steps:
            if isinstance(step, int):
                if path:
                    is_record = len(path) == 1 and path[0][0] == self._records
                    path[-1] = (path[-1][0], step + self._index if is_record else step)
            elif step[:1].isupper():
                path.append((step, 0))
            else:
                break  # a field of a leaf, or what stands beside
        while len(path) > 1 and tuple(path) not in self._known:
            path.pop()
        return self._known.get(tuple(path))
