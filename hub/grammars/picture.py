"""A message for people: every segment on a line, its elements by their names, what is wrong with it below."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.formats._edi_envelopes import Interchange, Message
from hub.formats._edi_faults import EdiFault
from hub.formats._segments import Repeats
from hub.grammars.library import Grammars
from hub.grammars.matching import Matcher
from hub.grammars.reading import segments_of
from hub.grammars.table import Place
from hub.grammars.types import Slot

_MARK = " " * 10 + "^ "


def interchange_line(interchange: Interchange) -> str:
    """Who sends what to whom."""
    sender, receiver = interchange.sender, interchange.receiver
    test = " TEST" if interchange.is_test else ""
    return (
        f"interchange {interchange.control_number} {interchange.syntax} {interchange.version}{test}: "
        f"{sender.id} ({sender.qualifier}) to {receiver.id} ({receiver.qualifier}), "
        f"{interchange.date} {interchange.time}"
    )


def message_lines(message: Message, grammars: Grammars, name: str) -> Iterator[str]:
    """A message by the grammar of this name; without one its segments as they are."""
    kind = grammars.message(name) if grammars.has(name) else None
    title = f"{kind.name}, {kind.title}" if kind else f"no grammar {name}"
    title = f"a package of {len(message.object)} bytes" if message.kind == "package" else title
    yield f"message {message.reference} {message.type} {message.version} {message.association}".rstrip() + f": {title}"
    below = _by_segment(message.faults)
    yield from below.get(0, ())
    match = Matcher(kind).match(segments_of(message)) if kind else None
    for number, segment in enumerate(message.segments, 1):
        at = number - match.first if match else -1
        place = match.places[at] if match and 0 <= at < len(match.places) else None
        if place is not None and place.opens:
            yield f"{' ' * 6}{'  ' * (len(place.level.path) - 1)}{place.level.path[-1]}"
        yield _segment_line(number, segment, place)
        yield from below.get(number, ())
    for number in sorted(number for number in below if number > len(message.segments)):
        yield from below[number]


def _by_segment(faults: Sequence[EdiFault]) -> Mapping[int, list[str]]:
    lines: dict[int, list[str]] = {}
    for fault in faults:
        parts = [("element", fault.element), ("component", fault.component), ("repetition", fault.repetition)]
        where = ", ".join(f"{name} {number}" for name, number in parts if number)
        code = f"[{fault.code_list}:{fault.code}]"
        text = f"{_MARK}{fault.severity}: {f'{where}: ' if where else ''}{fault.message} {code}"
        lines.setdefault(fault.segment, []).append(text)
    return lines


def _segment_line(number: int, segment: Sequence[Any], place: Place | None) -> str:
    if place is None:
        return f"{number:>5} {segment[0]} {' + '.join(map(_raw, segment[1:]))}".rstrip()
    kind = place.node.segment
    texts = [text for slot, value in zip(kind.slots, segment[1:], strict=False) for text in _named(slot, value, "")]
    texts += [f"? {_raw(value)}" for value in segment[len(kind.slots) + 1 :] if value]
    return f"{number:>5} {'  ' * len(place.level.path)}{kind.tag} {kind.title}: {', '.join(texts)}"


def _named(slot: Slot, value: Any, above: str) -> Iterator[str]:
    if type(value) is Repeats:
        for one in value:
            yield from _named(slot, one, above)
        return
    name = ".".join(part for part in (above, slot.name) if part)
    if slot.components:
        parts = value if isinstance(value, list) else [value]
        for component, part in zip(slot.components, parts, strict=False):
            yield from _named(component, part, name)
    elif value:
        meaning = (slot.codes or {}).get(value, "") if isinstance(value, str) else ""
        yield f"{name} {_raw(value)}{f' ({meaning})' if meaning else ''}"


def _raw(value: Any) -> str:
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    return ":".join(map(_raw, value)) if isinstance(value, list) else str(value)
