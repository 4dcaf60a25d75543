"""Parts of a document whose tags were seen before, one by one the same: read at once, by a function made for them.

The lines of an invoice, and the parties of one sender, have the same tags again and again. When a run of tags has come
often enough, without anything odd in it, a function is written that takes the values from their places among the texts.
The tags and the blanks between them are compared as a whole; what differs in one of them is read the ordinary way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from operator import itemgetter
from typing import Any, NamedTuple, Protocol

from hub.formats._ubl_run import Run
from hub.formats._ubl_values import KINDS, NUMBERS, Odd
from hub.formats._xml_plain import unescaped

TEXT, LEAF, GROUP = range(3)
_SHORTEST, _LONGEST = 6, 400
OFTEN = 12  # making a function costs as much as reading some hundred elements
_MOST_KNOWN, _MOST_SEEN, _MOST_MADE = 8, 200, 10


class Reader(Protocol):
    """What reads one kind of element, and knows its tags: form, index, after, name, value_of, is_list, close, step."""

    @property
    def steps(self) -> Mapping[str, tuple[int, int, int, str, Callable[..., Any], bool, str, Any]]: ...
    def read(self, run: Run, gap: str, depth: int) -> tuple[dict[str, Any], str]: ...


class _Shape(NamedTuple):
    """``blanks``: which of the texts stand between elements; ``levels``: the depth of the blanks in each of them."""

    heads: list[str]
    build: Callable[[list[str]], dict[str, Any]]
    blanks: Callable[[list[str]], tuple[str, ...]]
    levels: tuple[int, ...]
    usual: dict[str | None, tuple[str, ...]]


class Shapes:
    """Reads a kind of element by what it looked like before."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: list[_Shape] = []
        self._seen: dict[int, int] = {}

    def read(self, run: Run, gap: str, depth: int) -> tuple[dict[str, Any], str]:
        """As the reader's own ``read``."""
        at = run.at
        for shape in self._known:
            end = at + len(shape.heads)
            if run.heads[at:end] == shape.heads:
                texts = run.texts[at - 1 : end]
                if shape.blanks(texts) == (shape.usual.get(run.unit) or _usual(shape, run)):
                    try:
                        value = shape.build(texts)
                    except Odd:
                        break
                    run.move_to(end)
                    run.closed = shape.heads[-1]
                    return value, texts[-1]
        odd = run.odd
        found = self._reader.read(run, gap, depth)
        if run.odd == odd and _SHORTEST <= run.at - at <= _LONGEST:
            self._see(run, run.heads[at : run.at], depth)
        return found

    def _see(self, run: Run, heads: list[str], depth: int) -> None:
        key = hash(tuple(heads))
        count = self._seen[key] = self._seen.get(key, 0) + 1
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        if count >= OFTEN and run.made < _MOST_MADE:
            run.made += 1
            self._seen.pop(key, None)
            if (shape := _shape_of(self._reader, heads, depth)) is not None:
                self._known = [shape, *self._known[: _MOST_KNOWN - 1]]


def _usual(shape: _Shape, run: Run) -> tuple[str, ...]:
    """The blanks of a shape as this document has them."""
    if len(shape.usual) >= _MOST_KNOWN:
        shape.usual.clear()
    found = shape.usual[run.unit] = tuple(run.indents[level] for level in shape.levels)
    return found


class _Strange(Exception):
    """There is something in it that no function is made for."""


def _shape_of(reader: Reader, heads: list[str], depth: int) -> _Shape | None:
    """The function for a run of tags, the last of which ends the element."""
    writing = _Writing()
    try:
        expression = writing.group(reader, enumerate(heads, 1), depth)
    except _Strange:
        return None
    space: dict[str, Any] = {"unescaped": unescaped, "numbers": NUMBERS, "own": writing.functions}
    exec(compile(f"def build(t):\n return {expression}", "<a shape>", "exec"), space)  # noqa: S102 - names of UBL, and literals
    places, levels = zip(*writing.blanks, strict=True)
    return _Shape(heads, space["build"], itemgetter(*places), levels, {})


class _Writing:
    """The expression while it is written."""

    def __init__(self) -> None:
        self.blanks: list[tuple[int, int]] = []
        self.functions: list[Callable[[str], Any]] = []
        self.last = 0  # the end tag of the group that was written last

    def group(self, reader: Reader, heads: Iterator[tuple[int, str]], depth: int, before: int = 0) -> str:
        """What makes an element of the texts: ``t[3]`` is what follows the third tag. ``before``: the text before its
        first element."""
        fields: dict[str, list[str]] = {}
        lists = set()
        for at, head in heads:
            if head[0] == "/":
                self.blanks.append((before, depth - 1))
                if not fields:
                    raise _Strange
                self.last = at
                whole = {name: f"[{','.join(made)}]" if name in lists else made[0] for name, made in fields.items()}
                return "{" + ",".join(f"{name!r}:{made}" for name, made in whole.items()) + "}"
            self.blanks.append((before, depth))
            form, _, _, name, value_of, is_list, _, step = self._step(reader, head)
            if is_list:
                lists.add(name)
            made = fields.setdefault(name, [])
            if form == GROUP:
                inner = getattr(value_of, "__self__", None)
                if inner is None:
                    raise _Strange
                made.append(self.group(inner, heads, depth + 1, at))
                before = self.last
            else:
                made.append(self._leaf(form, value_of, at, step))
                before, _ = next(heads)
        raise _Strange

    def _step(self, reader: Reader, head: str) -> tuple[int, int, int, str, Callable[..., Any], bool, str, Any]:
        step = reader.steps.get(head)
        if step is None or step[0] > GROUP:
            raise _Strange
        return step

    def _leaf(self, form: int, value_of: Callable[[str], Any], at: int, step: Any) -> str:
        text = f'(unescaped(t[{at}]) if "&" in t[{at}] else t[{at}])'
        if form == TEXT:
            return text
        kind = KINDS[step.kind]
        if not kind.main or kind.forms:
            self.functions.append(value_of)
            return f"own[{len(self.functions) - 1}](t[{at}])"
        main = f"numbers[t[{at}]]" if kind.scalar == "number" else text
        parts = "".join(f",{name!r}:{step.given[own]!r}" for name, own in kind.parts.items() if own in step.given)
        return f"{{{kind.main!r}:{main}{parts}}}"
