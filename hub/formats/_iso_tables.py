"""Messages of ISO 20022 by tables: one table of elements reads every version of them and writes each.

A table names the children of an element in their order. Reading dispatches on the tag, whatever the version, and goes
on behind what is wrong; writing keeps to the versions in which an element is. ``Tell`` is told what was wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from hub.formats._iso_values import Into, Tell, Writer, children, content, listed, local, mapped, named, text_of
from hub.formats._xml import Element
from hub.spelling import did_you_mean

Read = Callable[[Element, Into, Tell], None]


class Kind(Protocol):
    """How the content of an element is read into a field, and written from it. One that has ``repeats``, and it is
    true, takes the element as often as it stands."""

    def reader(self, name: str, namespace: str) -> Read: ...
    def write(self, tag: str, value: Any, out: Writer) -> None: ...


class Item(msgspec.Struct, frozen=True):
    """One element of a table: its tag, the field it is read into, and the versions that have it. ``repeats``: it may
    stand several times, of which the last is read."""

    tag: str
    name: str
    kind: Kind
    since: int = 0
    until: int = 99
    required: bool = False  # of what is written; what is read may lack anything
    repeats: bool = False

    @property
    def may_repeat(self) -> bool:
        return self.repeats or getattr(self.kind, "repeats", False)


NEVER = 1000  # the version of an item that is read and not written: another writes its field


@dataclass(frozen=True, eq=False)
class Table:
    """The children of an element, in their order. ``skipped``: those that may stand there and are not read;
    ``derived``: fields of the document that are not written, since others say the same."""

    items: tuple[Item, ...]
    skipped: frozenset[str] = frozenset()
    derived: frozenset[str] = frozenset()

    def write(self, document: Mapping[str, Any], out: Writer) -> None:
        """Write the children of an element. Raises MappingError for a field that has no place in this version."""
        if strange := document.keys() - self.names(out.version) - self.derived:
            out.path.append(min(strange))
            is_known = any(name in self.names(version) for name in strange for version in range(100))
            raise out.refuse(
                f"version {out.version:02} of the message has no place for it" if is_known else "there is no such field"
                + did_you_mean(min(strange), self.names(out.version))
            )  # fmt: skip
        self.write_known(document, out)

    def write_known(self, document: Mapping[str, Any], out: Writer) -> None:
        """The same of a document that has fields for others too."""
        for item in self.items:
            if not item.since <= out.version <= item.until:
                continue
            value = document if isinstance(item.kind, Flat) else document.get(item.name)
            if value is not None:
                named = [] if isinstance(item.kind, Flat) else [item.name]
                out.path += named
                item.kind.write(item.tag, value, out)
                out.path = out.path[: len(out.path) - len(named)]
            elif item.required:
                out.path.append(item.name)
                raise out.refuse(f"it is missing; {item.tag} has to stand there")

    def names(self, version: int) -> frozenset[str]:
        """The fields of the document that it writes in a version."""
        return _names(self, version)


@lru_cache(1000)
def _names(table: Table, version: int) -> frozenset[str]:
    found: set[str] = set()
    for item in table.items:
        if item.since <= version <= item.until:
            found |= item.kind.names(version) if isinstance(item.kind, Flat) else {item.name}
    return frozenset(found)


def table(*items: Item, skipped: str = "", derived: str = "") -> Table:
    """A table by its items; the names of what is skipped and derived with spaces between."""
    return Table(items, frozenset(skipped.split()), frozenset(derived.split()))


Readers = dict[str, tuple[int, Read, str, bool]]
NOT_PROVIDED = frozenset(("", "NOTPROVIDED", "NOT PROVIDED"))


@lru_cache(512)
def compiled(table: Table, namespace: str) -> Readers:
    """The readers of a table by tag, each with its place in the order, below zero for what is not read, the field of
    those that are plain texts, and whether it may stand several times."""
    found: Readers = {}
    for number, item in enumerate(table.items):
        name = item.name if isinstance(item.kind, Text) else ""
        found[named(item.tag, namespace)] = (number, item.kind.reader(item.name, namespace), name, item.may_repeat)
    for tag in table.skipped:
        found.setdefault(named(tag, namespace), (-1, _skip, "", True))
    return found


def _skip(element: Element, into: Into, tell: Tell) -> None:
    """What is not read."""


def fill(readers: Readers, element: Iterable[Element], into: Into, tell: Tell, last: int = -1) -> int:
    """Read the children of an element, or some of them, into a document; what is not known, out of order, or there once
    more is told. ``last`` is the place in the order that has been reached, which it gives back."""
    for child in element:
        found = readers.get(child.tag)
        if found is None:
            within = local(child.getparent())
            tell(child, "element", f"{local(child)} is not an element of {within}", seen=local(child))
            continue
        number, read, name, repeats = found
        if number > last:
            last = number
        elif number >= 0 and not (repeats and number == last):
            within = local(child.getparent())
            if number == last:
                tell(child, "twice", f"{local(child)} stands once more in {within}; the last is read", expected="one")
            else:
                tell(child, "order", f"{local(child)} stands behind what comes after it in {within}")
        if not name or len(child):
            read(child, into, tell)
        elif (text := child.text) and (text := text.strip()) not in NOT_PROVIDED:
            into[name] = text
    return last


class Text(msgspec.Struct, frozen=True):
    """A text; that nothing is provided is no text. ``longest``: characters that may be written."""

    longest: int = 0

    def reader(self, name: str, namespace: str) -> Read:
        def read(element: Element, into: Into, tell: Tell) -> None:
            if (text := content(element, tell)) not in NOT_PROVIDED:
                into[name] = text

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        text = text_of(value, out)
        if self.longest and len(text) > self.longest:
            raise out.refuse(f"{len(text)} characters; {tag} takes {self.longest}", text, f"at most {self.longest}")
        out.leaf(tag, text)


class Flat(msgspec.Struct, frozen=True):
    """An element whose children are fields of the document that it stands in. ``or_empty``: where there is none of
    them it is written all the same, since it has to stand there."""

    table: Table
    or_empty: bool = False

    def reader(self, name: str, namespace: str) -> Read:
        readers = compiled(self.table, namespace)

        def read(element: Element, into: Into, tell: Tell) -> None:
            fill(readers, children(element), into, tell)

        return read

    def names(self, version: int) -> frozenset[str]:
        """The fields that are written by it."""
        return self.table.names(version)

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if any(value.get(name) is not None for name in self.names(out.version)):
            out.open(tag)
            self.table.write_known(value, out)
            out.close(tag)
        elif self.or_empty:
            out.pieces.append(f"<{tag}/>")


class Group(msgspec.Struct, frozen=True):
    """An element that is an object of its own; where it may stand several times, a list of them."""

    table: Table
    is_list: bool = False

    @property
    def repeats(self) -> bool:
        return self.is_list

    def reader(self, name: str, namespace: str) -> Read:
        readers, is_list = compiled(self.table, namespace), self.is_list

        def read(element: Element, into: Into, tell: Tell) -> None:
            inner: Into = {}
            fill(readers, children(element), inner, tell)
            if is_list:
                into.setdefault(name, []).append(inner)
            elif inner:
                into[name] = inner

        return read

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not self.is_list:
            self._write(tag, value, out)
            return
        name = out.path[-1] if out.path else ""
        for number, each in enumerate(listed(value, out)):
            out.path[-1:] = [f"{name}[{number}]"]
            self._write(tag, each, out)
        out.path[-1:] = [name]

    def _write(self, tag: str, value: Any, out: Writer) -> None:
        out.open(tag)
        self.table.write(mapped(value, out), out)
        out.close(tag)


class Within(msgspec.Struct, frozen=True):
    """A field that stands further inside: ``steps`` are the elements between."""

    steps: tuple[str, ...]
    kind: Kind

    def reader(self, name: str, namespace: str) -> Read:
        read = self.kind.reader(name, namespace)
        tags = [named(step, namespace) for step in self.steps]

        def find(element: Element, into: Into, tell: Tell) -> None:
            here = element
            for tag in tags:
                for child in children(here):
                    if child.tag == tag:
                        here = child
                        break
                else:
                    return
            read(here, into, tell)

        return find

    def write(self, tag: str, value: Any, out: Writer) -> None:
        out.pieces += [f"<{each}>" for each in (tag, *self.steps[:-1])]
        self.kind.write(self.steps[-1], value, out)
        out.pieces += [f"</{each}>" for each in reversed((tag, *self.steps[:-1]))]
