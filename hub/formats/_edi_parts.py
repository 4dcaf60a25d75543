"""One message as several documents: one for each element of a list in it, with all that stands around that element."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from hub.formats import Step


class Part(NamedTuple):
    """A message in which a list holds one element alone. ``element`` is the path of that element in the whole message,
    ``where`` tells it in words (``LIN_group 3``); both are empty where the message is whole."""

    document: Mapping[str, Any]
    element: Sequence[Step] = ()
    where: str = ""


def parts(document: Mapping[str, Any], path: str) -> Iterator[Part]:
    """A part for each element of the list at ``path``, such as ``PGI_group.LIN_group``, in their order; the message as
    it is where there is none. What is not narrowed is shared, not copied. ``message.records`` is their number."""
    names, number, envelope = path.split("."), 0, document.get("message")
    if isinstance(envelope, Mapping):
        document = {**document, "message": {**envelope, "records": _count(document, names)}}
    for narrowed, element in _narrowed(document, names):
        number += 1
        yield Part(narrowed, element, f"{names[-1]} {number}")
    if not number:
        yield Part(document)


def _count(tree: Any, names: Sequence[str]) -> int:
    if isinstance(tree, list):
        return sum(_count(each, names) for each in tree) if names else len(tree)
    return _count(tree.get(names[0]), names[1:]) if isinstance(tree, Mapping) and names else 0


def _narrowed(tree: Mapping[str, Any], names: Sequence[str]) -> Iterator[tuple[dict[str, Any], tuple[Step, ...]]]:
    name, rest = names[0], names[1:]
    here = tree.get(name)
    for at, element in enumerate(here if isinstance(here, list) else ()):
        if not rest:
            yield {**tree, name: [element]}, (name, at)
            continue
        for inner, below in _narrowed(element, rest):
            yield {**tree, name: [inner]}, (name, at, *below)
    if isinstance(here, Mapping) and rest:
        for inner, below in _narrowed(here, rest):
            yield {**tree, name: inner}, (name, *below)
