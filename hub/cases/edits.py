"""Other expected values into a test file, in place: comments, quotes and the order of what stays are kept.

A value is changed where it stands; keys and elements that are gone or new are taken out and put in line by line. What
is written in braces is written anew as a whole. Afterwards the file is read again: it must say what was wanted.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import yaml

from hub.yamldoc import NO_TEXTS, read_yaml

Path = tuple[str | int, ...]

_WIDTH = 110
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_ ./()+-]*(?<! )")


class Wanted(msgspec.Struct, frozen=True):
    """What shall stand at a path of the file, such as ``("cases", 0, "expected")``."""

    path: Path
    value: Any


class _Edit(msgspec.Struct, frozen=True):
    start: int
    stop: int
    text: str


def rewritten(text: str, wanted: Sequence[Wanted]) -> str:
    """The text of a YAML file with these values in it. Raises ValueError where it would then say something else."""
    for each in wanted:
        before = text
        text = _applied(text, list(_edits(_root(text), each.path, each.value, text)))
        if _value_at(text, each.path) != _plain(each.value):
            text = _applied(before, list(_edits(_root(before), each.path, each.value, before, anew=True)))
        if _value_at(text, each.path) != _plain(each.value):
            raise ValueError(f"cannot write {'.'.join(map(str, each.path))} into the file")
    return text


def _root(text: str) -> yaml.Node:
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:  # what only YAML 1.2 knows, such as {key?: value}
        raise ValueError("the file holds YAML that cannot be edited here; change it by hand") from error
    assert root is not None
    return root


def _value_at(text: str, path: Path) -> Any:
    node, faults = read_yaml(text, "")
    if faults:
        return faults
    found: Any = node.data()
    for part in path:
        try:
            found = found[part]
        except (KeyError, IndexError, TypeError):
            return ...
    return found


def _plain(value: Any) -> Any:
    """The value as the file gives it back: it knows no difference between a whole Decimal and a whole number."""
    if isinstance(value, dict):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    return value


def _applied(text: str, edits: list[_Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.stop), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.stop :]
    return text


def _edits(node: yaml.Node, path: Path, value: Any, text: str, anew: bool = False) -> Iterator[_Edit]:
    """The edits that put a value at a path; all but its last part must be there."""
    for depth, part in enumerate(path):
        child = _child(node, part)
        if child is None:
            assert depth == len(path) - 1
            assert isinstance(node, yaml.MappingNode)
            yield from _added(node, {str(part): value}, text)
            return
        parent, node = node, child
    if anew:
        yield from _replaced(parent, node, value, text)
    else:
        yield from _changed(parent, node, value, text)


def _child(node: yaml.Node, part: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((child for key, child in node.value if key.value == part), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        return node.value[part]  # type: ignore[no-any-return]
    return None


def _changed(parent: yaml.Node, node: yaml.Node, value: Any, text: str) -> Iterator[_Edit]:
    if _same(node, value, text):
        return
    if isinstance(node, yaml.MappingNode) and isinstance(value, dict) and value and not _flow_style(node):
        yield from _changed_map(node, value, text)
    elif isinstance(node, yaml.SequenceNode) and isinstance(value, list) and value and not _flow_style(node):
        yield from _changed_list(node, value, text)
    elif isinstance(node, yaml.ScalarNode) and not isinstance(value, dict | list) and _is_on_one_line(node, value):
        start, stop = node.start_mark.index, node.end_mark.index
        yield _Edit(start, stop, _scalar(value, node.style) if stop > start else f" {_scalar(value)}")
    else:
        yield from _replaced(parent, node, value, text)


def _is_on_one_line(node: yaml.ScalarNode, value: Any) -> bool:
    return node.style in (None, "'", '"') and not _has_lines(value)


def _same(node: yaml.Node, value: Any, text: str) -> bool:
    part = read_yaml("x: " + _dedented(node, text), "")
    return not part[1] and part[0].data() == {"x": _plain(value)}


def _dedented(node: yaml.Node, text: str) -> str:
    """A node's own text; in block style on lines of its own, as it stood."""
    start, stop = node.start_mark.index, _end(node, text)
    block = not isinstance(node, yaml.ScalarNode) and not _flow_style(node)
    return f"\n{' ' * node.start_mark.column}{text[start:stop]}" if block else text[start:stop]


def _changed_map(node: yaml.MappingNode, value: dict[str, Any], text: str) -> Iterator[_Edit]:
    there = {key.value: child for key, child in node.value}
    if not any(name in value for name in there):
        yield _Edit(node.start_mark.index, _end(node, text), _block(value, node.start_mark.column))
        return
    for number, (key, child) in enumerate(node.value):
        if key.value in value:
            yield from _changed(node, child, value[key.value], text)
        else:
            yield _taken_out(node, number, text)
    new = {name: child for name, child in value.items() if name not in there}
    if new:
        yield from _added(node, new, text)


def _added(node: yaml.MappingNode, new: dict[str, Any], text: str) -> Iterator[_Edit]:
    """New entries behind the last one of a mapping."""
    if node.flow_style:
        entries = {key.value: read_yaml("x: " + _dedented(child, text), "")[0].data()["x"] for key, child in node.value}  # type: ignore[call-overload, index]
        yield _Edit(node.start_mark.index, node.end_mark.index, _flow({**entries, **new}))
        return
    stop = _end(node, text)
    column = node.start_mark.column
    yield _Edit(stop, stop, f"\n{' ' * column}{_block(new, column)}")


def _changed_list(node: yaml.SequenceNode, value: list[Any], text: str) -> Iterator[_Edit]:
    for number, child in enumerate(node.value):
        if number < len(value):
            yield from _changed(node, child, value[number], text)
        else:
            yield _taken_out(node, number, text)
    if len(value) > len(node.value):
        stop, column = _end(node, text), node.start_mark.column
        yield _Edit(stop, stop, f"\n{' ' * column}{_block(value[len(node.value) :], column)}")


def _taken_out(node: yaml.CollectionNode, number: int, text: str) -> _Edit:
    """The edit that takes an entry out of a block, its own lines from the end of the entry before."""
    spans = [_span(entry, text) for entry in node.value]
    start, stop = spans[number]
    if number:
        return _Edit(spans[number - 1][1], stop, "")
    following = spans[1][0] if len(spans) > 1 else stop
    return _Edit(start, following, "")


def _span(entry: Any, text: str) -> tuple[int, int]:
    """Where an entry of a mapping, or an element of a list behind its dash, starts and ends."""
    if isinstance(entry, tuple):
        key, value = entry
        return int(key.start_mark.index), max(_end(value, text), int(key.end_mark.index) + 1)
    return text.rindex("-", 0, entry.start_mark.index), _end(entry, text)


def _replaced(parent: yaml.Node, node: yaml.Node, value: Any, text: str) -> Iterator[_Edit]:
    """A whole value anew, at the place of the old one."""
    start, stop = node.start_mark.index, _end(node, text)
    if isinstance(parent, yaml.MappingNode) and not _flow_style(parent) and _has_lines(value):
        lead = "" if text[start - 1 : start] == " " else " "
        yield _Edit(start, stop, lead + _lines(value, parent.start_mark.column))
        return
    if _flow_style(parent) or not isinstance(value, dict | list) or not value:
        lead = "" if text[start - 1 : start] in (" ", "\n") else " "
        yield _Edit(start, stop, lead + _flow(value))
        return
    # What stands behind a key goes on lines of its own; a list's dash takes a mapping beside it.
    line_start = text.rfind("\n", 0, start) + 1
    indent = len(text[line_start:]) - len(text[line_start:].lstrip(" "))
    if isinstance(parent, yaml.SequenceNode):
        column = text[line_start:start].rindex("-") + 2
        yield _Edit(start, stop, _block(value, column) if isinstance(value, dict) else _flow(value))
        return
    if isinstance(parent, yaml.MappingNode):
        indent = parent.start_mark.column
    column = indent + 2
    while start > 0 and text[start - 1] in " \n":
        start -= 1
    yield _Edit(start, stop, f"\n{' ' * column}{_block(value, column)}")


def _flow_style(node: yaml.Node) -> bool:
    return isinstance(node, yaml.CollectionNode) and bool(node.flow_style)


def _end(node: yaml.Node, text: str) -> int:
    """Where the last thing in a node ends: the mark of a block lies behind the blank lines and comments after it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        if not node.value:
            return int(node.end_mark.index)
        last = node.value[-1]
        if isinstance(last, tuple):
            return max(_end(last[1], text), int(last[0].end_mark.index) + 1)
        return _end(last, text)
    stop = int(node.end_mark.index)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        return len(text[:stop].rstrip())
    return stop


# -- writing -----------------------------------------------------------------------------------------------------------


def _block(value: Any, column: int) -> str:
    """A mapping or a list over several lines; the first line stands where it is put, the others are indented."""
    space = " " * column
    if isinstance(value, dict):
        return f"\n{space}".join(f"{_key(key)}:{_behind(child, column)}" for key, child in value.items())
    return f"\n{space}".join(f"- {_element(child, column)}" for child in value)


def _behind(value: Any, column: int) -> str:
    if _has_lines(value):
        return f" {_lines(value, column)}"
    if not isinstance(value, dict | list) or not value:
        return f" {_flow(value)}"
    if _is_short(value, column + 20):
        return f" {_flow(value)}"
    return f"\n{' ' * (column + 2)}{_block(value, column + 2)}"


def _has_lines(value: Any) -> bool:
    """Whether a value is text of several lines that can stand as it is."""
    if not isinstance(value, str) or value.count("\n") < 2 or not value.endswith("\n"):
        return False
    lines = value.split("\n")[:-1]
    return not lines[0].startswith(" ") and all(line.isprintable() and line for line in lines)


def _lines(value: str, column: int) -> str:
    """The text line by line, indented; it ends without a line end, like every value here."""
    space = " " * (column + 2)
    return "|" + "".join(f"\n{space}{line}" for line in value.split("\n")[:-1])


def _element(value: Any, column: int) -> str:
    if isinstance(value, dict) and value and not _is_short(value, column + 2):
        return _block(value, column + 2)
    return _flow(value)


def _is_short(value: Any, column: int) -> bool:
    """Whether a value is simple enough for braces on one line."""
    children = value.values() if isinstance(value, dict) else value
    flat = not any(isinstance(child, dict | list) for child in children)
    return flat and column + len(_flow(value)) <= _WIDTH and len(value) <= 4


def _flow(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(child) for child in value) + "]"
    return _scalar(value)


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key) and key.lower() not in NO_TEXTS else _quoted(key)


def _scalar(value: Any, style: str | None = None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    text = str(value)
    if style == "'" and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    if style is None and _PLAIN.fullmatch(text) and text.lower() not in NO_TEXTS:
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    signs = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
    escaped = (
        signs.get(sign) or (sign if sign.isprintable() else f"\\u{ord(sign):04x}" if ord(sign) < 65536
                            else f"\\U{ord(sign):08x}")
        for sign in text
    )  # fmt: skip
    return f'"{"".join(escaped)}"'
