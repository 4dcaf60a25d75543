"""What a connector itself says against a system's settings, found without its secrets and without any I/O.

A connector that receives has a ``Verifier``, and any may have ``lint(config)``: both raise for settings that cannot be,
with a text that begins with the setting's path (``verify.secrets is missing: …``). One whose settings name files of the
project may have ``inspect(config)``, which looks into these and is asked by ``o2c check`` and at a deploy.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import ModuleType
from typing import Any

from connectors.base import ConnectorError, Field, FilesError, MachineError
from hub.errors import Fault
from hub.fields import Located
from hub.secret import Secret
from hub.yamldoc import Node, did_you_mean

# Stands for a secret's value: it is text, hexadecimal and Base64 alike.
ANY_SECRET = "0" * 64
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


def file_faults(
    module: ModuleType, fields: Sequence[Field], options: Mapping[str, Any], files: Mapping[str, bytes], node: Node
) -> Iterator[Fault]:
    """Faults of the files that one system's settings name: what is not there, and what the connector says of it."""
    missing = [(path, name) for path, name in _named_files(fields, options) if name not in files]
    for path, name in missing:
        advice = did_you_mean(name, files) or "; the files that settings can name lie below schemas/"
        yield place_along(node, path).fault(f"{path}: there is no file {name} in the project{advice}")
    check = getattr(module, "inspect", None)
    if check is None or missing:
        return
    try:
        check({**_stand_ins(options), "files": files})
    except FilesError as error:
        for each in error.faults:
            yield Fault(each.file, each.line, 1 if each.line else 0, each.message)
    except ConnectorError as error:
        setting = _PATH.match(str(error))
        fault = place_along(node, setting[0] if setting else "").fault(str(error))
        yield replace(fault, severity="warning") if isinstance(error, MachineError) else fault
    except Exception as error:
        yield node.fault(failed("inspect", error))


def _named_files(fields: Sequence[Field], values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """(path of the setting, file) of every setting that names one."""
    for field in fields:
        value, path = values.get(field.name), f"{above}{field.name}"
        if field.kind == "file" and value:
            yield path, str(value)
        elif field.kind == "list" and field.fields and isinstance(value, list | tuple):
            for number, each in enumerate(value):
                inner = {"": each} if not isinstance(each, Mapping) else each
                yield from (
                    (f"{path}[{number}]{f'.{p}' if p else ''}", f) for p, f in _named_files(field.fields, inner)
                )
        elif isinstance(value, Mapping):
            yield from _named_files(field.fields, value, f"{path}.")


def place_faults(event: str | None, dedupe_id: str | None, node: Node) -> Iterator[Fault]:
    """``heder:X-Topic`` would be a fixed name in silence: what looks like a misspelt ``header:`` or ``field:``."""
    for path, text in (("event", event), ("dedupe.id", dedupe_id)):
        for part in _BRACED.findall(text or "") or [text or ""]:
            kind, colon, _ = part.partition(":")
            near = did_you_mean(kind, _PLACES, "") if colon and kind not in _PLACES else ""
            if near:
                seen = f"{path}: expected header:NAME, field:PATH or a fixed text, got '{part}'"
                yield place_along(node, path).fault(f"{seen}{near}")


def _objection(check: Callable[[Any], Any], config: Mapping[str, Any]) -> str:
    try:
        check(config)
    except ConnectorError as error:
        return str(error)
    except Exception as error:
        return failed("lint", error)
    return ""


def failed(name: str, error: Exception) -> str:
    """What is told then: a connector may be anybody's; a mistake in it ends no look at the rest."""
    return f"its connector's {name} failed: {type(error).__name__}: {error}"


def _stand_ins(value: Any) -> Any:
    """The settings with something harmless in the place of every secret and every expression."""
    if isinstance(value, Secret):
        return ANY_SECRET
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
