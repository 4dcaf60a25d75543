"""One document that is being read: its parts, how it is set, its faults; and what of it is kept as it stands."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from operator import length_hint

from hub.errors import DecodeError
from hub.formats._ubl_definitions import Standard
from hub.formats._ubl_faults import Faults, UblFault
from hub.formats._ubl_names import Head, Names
from hub.formats._ubl_oddities import Oddities
from hub.formats._xml import LIMITS
from hub.formats._xml_plain import NotPlain, Prove, nothing_to_prove
from hub.spelling import did_you_mean

Parts = Iterator[tuple[str, str]]


_PLAIN_SPACE = re.compile(r"""xmlns(?::[^\s=]+)?\s*=\s*["'](?:urn:|https?://)[A-Za-z0-9][\w.:/#\-]*["']""", re.ASCII)


class Run:
    """One document that is being read."""

    def __init__(self, parts: list[str], is_of_tree: bool, prove: Prove) -> None:
        self.is_of_tree = is_of_tree
        self._prove = prove
        self.closed = ""  # the head that ended the element that was read last
        self.heads, self.texts = parts[0::2], parts[1::2]
        self._each, self._every = iter(self.heads), iter(self.texts)
        self.pairs: Parts = zip(self._each, self._every, strict=False)
        self.faults = Faults()
        self.unit: str | None = None
        self.indents: list[str] = []
        self.odd = self.made = 0

    @property
    def part(self) -> int:
        """Where among all parts the head is that was read last."""
        return 2 * self.at - 2

    @property
    def at(self) -> int:
        """The number of the next head."""
        return len(self.heads) - length_hint(self._each)

    def move_to(self, at: int) -> None:
        """Go on with another head."""
        self._each.__setstate__(at)  # type: ignore[attr-defined]
        self._every.__setstate__(at)  # type: ignore[attr-defined]

    def prove(self) -> None:
        """See to it that the document is well formed, which most are seen to be by their tags alone. Raises
        NotPlain."""
        prove, self._prove = self._prove, nothing_to_prove
        prove()

    def oddities(self) -> Oddities:
        """Those of an element that turns out to have some."""
        self.prove()
        self.odd += 1
        return Oddities()

    def indent(self, unit: str | None) -> None:
        """How the document is set: blanks for each level, None where all of it is one line."""
        self.unit, self.indents = unit, _indents(unit)

    def check(self, head: str, depth: int = 0) -> None:
        """Raises NotPlain for what is no element, and beyond the limits that the door keeps."""
        if self.is_of_tree:
            return
        if head[0] in "!?" or depth > LIMITS.depth or head.count("=") > LIMITS.attributes:
            raise NotPlain
        if "xmlns" in head and len(_PLAIN_SPACE.findall(head)) != head.count("xmlns"):
            raise NotPlain  # the door is particular about the addresses of namespaces


@lru_cache(maxsize=8)
def _indents(unit: str | None) -> list[str]:
    return ["" if unit is None else "\n" + unit * depth for depth in range(LIMITS.depth + 1)]


def check_root(standard: Standard, root: Head, names: Names) -> None:
    uri = names.uri(root.prefix)
    if root.name in standard.types and uri == standard.namespace_of(root.name):
        return
    path = f"/{root.prefix}:{root.name}" if root.prefix else f"/{root.name}"
    if not uri.startswith(standard.namespaces):
        raise DecodeError(
            f"it is no {standard.word} document: its root {root.name[:60]} is of "
            f"{f'the namespace {uri[:100]}' if uri else 'none'}",
            code=f"no_{standard.word.lower()}", field_path=path, expected=f"{standard.namespaces}…",
        )  # fmt: skip
    advice = did_you_mean(root.name, standard.types)
    raise DecodeError(
        f"a {standard.word} document of type {root.name[:60]} of {uri[:100]} is not read{advice}",
        code="unknown_type", field_path=path, expected=f"one of {', '.join(standard.types)}",
    )  # fmt: skip


def kept(run: Run, odd: Oddities, head: str, text: str, depth: int) -> str:
    """Keep an element as it stands. What follows it."""
    if head[-1] == "/":
        odd.other.append(f"<{head}>")
        return text
    pieces = [f"<{head}>{text}"]
    tail = rest_of(run, pieces, depth + 1, depth + 1)
    odd.other.append("".join(pieces))
    return tail


def inner_xml(run: Run, text: str, depth: int) -> tuple[str, str]:
    """What stands in an element, as XML, and what follows it."""
    pieces = [text]
    tail = rest_of(run, pieces, depth + 1, depth + 1)
    return "".join(pieces[:-1]) + pieces[-1][: pieces[-1].rindex("</")], tail


def rest_of(run: Run, pieces: list[str], outer: int, depth: int) -> str:
    """Collect what is left of elements in each other, ``depth`` of them, to the end of the ``outer``-th. What follows
    it."""
    for head, text in run.pairs:
        if head[0] == "/":
            depth -= 1
            if depth < outer:
                pieces.append(f"<{head}>")
                return text
        else:
            run.check(head, depth + 1)
            depth += head[-1] != "/"
        pieces.append(f"<{head}>{text}")
    raise AssertionError("the door lets nothing in that is not well formed")


def out_of_order(standard: Standard, name: str) -> UblFault:
    message = f"{name} stands behind elements that come after it in {standard.name}; it is read all the same"
    return UblFault("order", message, "warning")


def repeated(name: str) -> UblFault:
    return UblFault("repeated", f"{name} stands more than once; expected it once, and which is meant is not known")
