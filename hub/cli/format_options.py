"""A format's options from the command line: ``delimiter=;``, ``header=false``, ``group_by=a,b``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hub.errors import UsageError
from hub.formats import Option, option_faults

_ESCAPES = {"\\t": "\t", "tab": "\t", "space": " "}


def given_options(pairs: Sequence[str], declared: Sequence[Option]) -> dict[str, Any]:
    """The options by name, each in the kind that the format declares. Raises UsageError with every fault."""
    kinds = {option.name: option.kind for option in declared}
    options = dict(_given(pair, kinds) for pair in pairs)
    if faults := option_faults(tuple(declared), options):
        raise UsageError("\n".join(faults.values()))
    return options


def _given(pair: str, kinds: Mapping[str, str]) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    if not equals or not name:
        raise UsageError(f"option '{pair}': expected NAME=VALUE, e.g. delimiter=;")
    return name, _READERS.get(kinds.get(name, "text"), str)(text)


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _integer(text: str) -> Any:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else text


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _map(text: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in _list(text))
    return {name.strip(): value.strip() for name, _, value in pairs}


_READERS: Mapping[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "integer": _integer,
    "list": _list,
    "map": _map,
    "character": lambda text: _ESCAPES.get(text, text),
}
