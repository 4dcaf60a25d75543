"""What a connector itself says against a system's settings, found without its secrets and without any I/O.

A connector that receives has a ``Verifier``, and any may have ``lint(config)``: both raise for settings that cannot be,
with a text that begins with the setting's path (``verify.secrets is missing: …``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

from connectors.base import ConnectorError
from hub.errors import Fault
from hub.fields import Located
from hub.secret import Secret
from hub.yamldoc import Node, did_you_mean

# Stands for a secret's value: it is text, hexadecimal and Base64 alike.
_ANY_SECRET = "0" * 64
_PLACES = ("header", "field")
_BRACED = re.compile(r"\{([^{}]*)\}")
_PATH = re.compile(r"[a-z_]+(?:\.[a-z_]+|\[[0-9]+\])*")


def connector_faults(
    module: ModuleType, receiver: ModuleType | None, options: Mapping[str, Any], node: Node
) -> Iterator[Fault]:
    """Faults of one system. ``receiver`` is the connector whose ``Verifier`` checks what the system posts."""
    config = _stand_ins(options)
    for check in (getattr(module, "lint", None), getattr(receiver, "Verifier", None)):
        if check is not None and (message := _objection(check, config)):
            path = _PATH.match(message)
            yield place_along(node, path[0] if path else "").fault(message)


def place_faults(event: str | None, dedupe_id: str | None, node: Node) -> Iterator[Fault]:
    """``heder:X-Topic`` would be a fixed name in silence: what looks like a misspelt ``header:`` or ``field:``."""
    for path, text in (("event", event), ("dedupe.id", dedupe_id)):
        for part in _BRACED.findall(text or "") or [text or ""]:
            kind, colon, _ = part.partition(":")
            near = did_you_mean(kind, _PLACES) if colon and kind not in _PLACES else ""
            if near.startswith("; did"):
                seen = f"{path}: expected header:NAME, field:PATH or a fixed text, got '{part}'"
                yield place_along(node, path).fault(f"{seen}{near}")


def _objection(check: Callable[[Any], Any], config: Mapping[str, Any]) -> str:
    try:
        check(config)
    except ConnectorError as error:
        return str(error)
    return ""


def _stand_ins(value: Any) -> Any:
    """The settings with something harmless in the place of every secret and every expression."""
    if isinstance(value, Secret):
        return _ANY_SECRET
    if isinstance(value, Located):
        return lambda **names: None
    if isinstance(value, Mapping):
        return {name: _stand_ins(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_stand_ins(part) for part in value]
    return value


def place_along(node: Node, path: str) -> Node:
    """The deepest node there is along ``verify.old_secrets[0].until``."""
    for part in re.findall(r"[^.\[\]]+", path):
        elements = node.elements()
        child = elements[int(part)] if part.isdigit() and int(part) < len(elements) else node.get(part)
        if child is None:
            break
        node = child
    return node
