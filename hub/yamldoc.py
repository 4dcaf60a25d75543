"""YAML files with positions: nodes that know their line and column, YAML 1.2 scalars, every fault at once.

PyYAML's own loader follows YAML 1.1 (``off`` is False, ``12:30`` is 750) and forgets where a value stood. Here only
``true false null`` and plain numbers are literals, duplicate keys and tabs are faults, and every node keeps its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import msgspec
import yaml

from hub import spelling
from hub.errors import Fault, ProjectError

did_you_mean = spelling.did_you_mean

NO_TEXTS = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n"))  # in one version of YAML or another
Plain = None | bool | int | Decimal | str | list["Plain"] | dict[str, "Plain"]

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_MAYBE_ALIAS = re.compile(r"(?m)(?:^|[\s\[{,])\*[^\s*]")
_INDENTATION = re.compile(r"(?m)^[ \t]+")
# An entry of the outermost mapping or list, with what is indented below it.
_ENTRY = re.compile(r"(?m)^(?![\s#\]}])")
_DOCUMENT = re.compile(r"(?m)^(?:---|\.\.\.|%)")
_MAX_BYTES = 4_000_000
_MAX_DEPTH = 60


class _Fast(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """libyaml: ten times as fast as PyYAML's own reader and, unlike it, reads ``{key?: value}`` as YAML 1.2 does.

    Which tag YAML 1.1 would give a node is not looked up: nothing here asks for it.
    """

    def resolve(self, kind: object, value: object, implicit: object) -> str:
        return ""

    def descend_resolver(self, current_node: object, current_index: object) -> None:
        """Nothing is resolved."""

    def ascend_resolver(self) -> None:
        """Nothing is resolved."""


class _Loader(yaml.SafeLoader):
    """PyYAML's reader without aliases: a short file of them stands for a tree without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            problem = f"the alias *{event.anchor} is not read here; write the value out"
            raise yaml.composer.ComposerError(None, None, problem, event.start_mark)
        return super().compose_node(parent, index)


class Node(msgspec.Struct, frozen=True):
    """One value of a YAML file and where it stands.

    ``value`` is a scalar (YAML 1.2 rules), a list of nodes, or a dict from key text to node; ``text`` is the scalar as
    written and ``plain`` whether it stood without quotes. ``keys`` gives the node of each key of a mapping.
    """

    file: str
    line: int
    column: int
    value: object
    text: str = ""
    plain: bool = False
    keys: dict[str, Node] | None = None
    end_line: int = 0

    @property
    def is_map(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, list)

    @property
    def is_scalar(self) -> bool:
        return not (self.is_map or self.is_list)

    @property
    def kind(self) -> str:
        """The value's kind in words a user knows: mapping, list, text, number, true/false, nothing."""
        match self.value:
            case dict():
                return "a mapping"
            case list():
                return "a list"
            case bool():
                return "true/false"
            case int() | Decimal():
                return "a number"
            case None:
                return "nothing"
            case _:
                return "text"

    def get(self, key: str) -> Node | None:
        return self.value.get(key) if isinstance(self.value, dict) else None

    def items(self) -> Iterator[tuple[str, Node]]:
        """Key and node of each entry of a mapping; nothing for other nodes."""
        return iter(self.value.items()) if isinstance(self.value, dict) else iter(())

    def elements(self) -> list[Node]:
        """The nodes of a list; nothing for other nodes."""
        return self.value if isinstance(self.value, list) else []

    def key(self, name: str) -> Node:
        """The node of a key itself, for faults about the key; falls back to this node."""
        return (self.keys or {}).get(name, self)

    def data(self) -> Plain:
        """The plain value below this node, without positions."""
        if isinstance(self.value, dict):
            return {key: node.data() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.data() for node in self.value]
        return self.value  # type: ignore[return-value]

    def fault(self, message: str, severity: str = "error") -> Fault:
        width = len(self.text) if self.plain and "\n" not in self.text else 1
        return Fault(self.file, self.line, self.column, message, severity, width=max(width, 1))


def parse_yaml(text: str, file: str) -> Node:
    """The node tree of one YAML document. Raises ProjectError with every fault: syntax, tabs, duplicate keys, aliases.

    Limits: 4 MB, nesting 60 deep. An empty file is a node whose value is None.
    """
    node, faults = read_yaml(text, file)
    if faults:
        raise ProjectError(faults)
    return node


def read_yaml(text: str, file: str) -> tuple[Node, list[Fault]]:
    """Like ``parse_yaml`` but gives the faults beside what could be read."""
    empty = Node(file, 1, 1, None)
    if len(text) > _MAX_BYTES:
        return empty, [Fault(file, 1, 1, f"the file is {len(text)} characters long; the limit is {_MAX_BYTES}")]
    tabs = _tabs(text, file)
    if tabs:
        # Read on as if each were a space, which keeps every column: what else is wrong is told along with them.
        node, faults = read_yaml(_INDENTATION.sub(lambda match: match[0].replace("\t", " "), text), file)
        return (empty, tabs) if node.value is None else (node, tabs + faults)
    faults = []
    try:
        root = _composed(text)
    except yaml.MarkedYAMLError as error:
        return empty, [_syntax_fault(error, file), *_faults_elsewhere(text, file, error)]
    except yaml.YAMLError as error:
        return empty, [Fault(file, 1, 1, f"not YAML: {error}")]
    except RecursionError:
        return empty, [Fault(file, 1, 1, f"nested more than {_MAX_DEPTH} deep")]
    if root is None:
        return empty, []
    return _convert(root, file, faults, 0), faults


def _tabs(text: str, file: str) -> list[Fault]:
    return [
        Fault(file, number, line.index("\t") + 1, "a tab in the indentation; YAML wants spaces: write two spaces")
        for number, line in enumerate(text.splitlines() if "\t" in text else (), 1)
        if "\t" in line[: len(line) - len(line.lstrip())]
    ]


def _composed(text: str) -> yaml.Node | None:
    """The nodes as libyaml reads them; what is wrong is worded by PyYAML's own reader, which says it better."""
    try:
        if not _MAYBE_ALIAS.search(text) or not _has_alias(text):
            return yaml.compose(text, Loader=_Fast)
    except yaml.MarkedYAMLError as error:
        fault = error
    else:
        return yaml.compose(text, Loader=_Loader)
    try:
        yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        if "'?'" not in (error.problem or ""):
            raise
    raise fault


def _has_alias(text: str) -> bool:
    return any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=_Fast))


def _faults_elsewhere(text: str, file: str, error: yaml.MarkedYAMLError) -> Iterator[Fault]:
    """What else is wrong in a file that cannot be read: each entry at its margin is read alone, but for the one with
    the error: where a bracket or quote is not closed, the one that opens it."""
    starts = [match.start() for match in _ENTRY.finditer(text)]
    if len(starts) < 2 or _DOCUMENT.search(text):
        return
    opens = error.context_mark if re.search("flow|quoted", error.context or "") else None
    mark = opens or error.problem_mark
    for start, end in pairwise([*starts, len(text)]):
        if mark is None or not start <= min(mark.index, len(text) - 1) < end:
            above = text.count("\n", 0, start)
            found = [replace(fault, line=fault.line + above) for fault in read_yaml(text[start:end], file)[1]]
            yield from (fault for fault in found if not mark or fault.line != mark.line + 1)


def _syntax_fault(error: yaml.MarkedYAMLError, file: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    problem = error.problem or "not YAML"
    if "another document" in problem:
        return Fault(file, line, column, "a second document starts here; a file holds one: write a list, '- ' each")
    opens = error.context_mark
    if opens and "quoted scalar" in (error.context or "") and "end of stream" in problem:
        return Fault(file, opens.line + 1, opens.column + 1, "not YAML: a quote opens here and is never closed")
    advice = ""
    if "mapping values are not allowed" in problem:
        advice = "; quote the text if it holds ': ', or check the indentation"
    elif (
        "found character" in problem
        or "expected <block end>" in problem
        or "',' or '}'" in problem
        or "',' or ']'" in problem
    ):
        advice = "; check the indentation and quote text that holds special characters"
    context = f" {error.context}" if error.context else ""
    if opens and "flow" in context and opens.line + 1 != line:
        context += f" that opens in line {opens.line + 1}"
    return Fault(file, line, column, f"not YAML: {problem}{context}{advice}")


def _convert(node: yaml.Node, file: str, faults: list[Fault], depth: int) -> Node:
    mark = node.start_mark
    line, column, end_line = mark.line + 1, mark.column + 1, node.end_mark.line + 1
    if depth > _MAX_DEPTH:
        faults.append(Fault(file, line, column, f"nested more than {_MAX_DEPTH} deep"))
        return Node(file, line, column, None)
    if isinstance(node, yaml.SequenceNode):
        elements = [_convert(child, file, faults, depth + 1) for child in node.value]
        return Node(file, line, column, elements, end_line=end_line)
    if isinstance(node, yaml.MappingNode):
        return _convert_map(node, file, faults, depth)
    plain = not getattr(node, "style", None)
    return Node(file, line, column, _scalar(node.value) if plain else node.value, node.value, plain, end_line=end_line)


def _convert_map(node: yaml.MappingNode, file: str, faults: list[Fault], depth: int) -> Node:
    entries: dict[str, Node] = {}
    keys: dict[str, Node] = {}
    for key_node, value_node in node.value:
        key = _convert(key_node, file, faults, depth + 1)
        if not key.is_scalar:
            faults.append(key.fault("a key must be text; quote an expression that holds '{' or '['"))
            continue
        name = key.text
        if name in entries:
            faults.append(key.fault(f"the key '{name}' stands twice; the first is in line {keys[name].line}"))
            continue
        keys[name] = key
        entries[name] = _convert(value_node, file, faults, depth + 1)
    mark = node.start_mark
    return Node(file, mark.line + 1, mark.column + 1, entries, keys=keys, end_line=node.end_mark.line + 1)


def _scalar(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text) and len(text) <= 40:
        return int(text)
    if _DECIMAL.fullmatch(text) and len(text) <= 40:
        return Decimal(text)
    return text


def unknown_keys(node: Node, allowed: Iterable[str], what: str) -> list[Fault]:
    """A fault for each key of a mapping that is not one of ``allowed``, with the nearest allowed one."""
    known = list(allowed)
    return [
        node.key(name).fault(f"unknown key '{name}' in {what}{did_you_mean(name, known)}")
        for name, _ in node.items()
        if name not in known
    ]
