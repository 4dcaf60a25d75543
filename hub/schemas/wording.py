"""What a validator found, in words a user can act on: where, what was seen, what was expected.

Values of fields marked ``x-pii`` (personal data), and of anything that holds such a field, are never shown.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from jsonschema_rs import ValidationError as Violation

from hub.errors import DocumentFault
from hub.redaction import redact_text
from hub.schemas.shape import Shape, follow
from hub.yamldoc import did_you_mean

_LONGEST_EXCERPT = 60
_KINDS = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "array": "a list", "object": "an object", "null": "nothing",
}  # fmt: skip
_FORMATS = {
    "date": "a day such as 2026-03-05", "date-time": "an instant such as 2026-03-05T10:00:00Z",
    "email": "an e-mail address", "uri": "an address such as https://example.com/", "uuid": "a UUID",
    "time": "a time such as 10:00:00Z",
}  # fmt: skip
_LIMITS = {
    "minimum": "at least {}", "maximum": "at most {}", "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}", "multipleOf": "a multiple of {}", "maxLength": "at most {} characters",
    "minLength": "at least {} characters", "maxItems": "a list of at most {}", "minItems": "a list of at least {}",
    "maxProperties": "at most {} fields", "minProperties": "at least {} fields",
}  # fmt: skip


def faults_of(violations: Iterable[Violation], root: Shape) -> Iterator[DocumentFault]:
    """The faults that a validator's findings stand for; one finding may give several."""
    for violation in violations:
        yield from _faults(violation, root)


def path_text(parts: Sequence[str | int]) -> str:
    """``order_lines[0].quantity.value``; names that are not plain words are quoted."""
    text = ""
    for part in parts:
        if isinstance(part, int):
            text += f"[{part}]"
        elif re.fullmatch(r"\w+", part):
            text += f".{part}" if text else part
        else:
            text += f"['{_shorten(part)}']"
    return text


def expected_at(shape: Shape | None) -> str:
    """What belongs at a place: the schema's own ``x-expected``, else its codes, its format or its kind."""
    if shape is None:
        return ""
    node = shape.node
    if "x-expected" in node:
        return str(node["x-expected"])
    if "enum" in node:
        return f"one of {', '.join(map(_plain, node['enum'][:12]))}{' …' if len(node['enum']) > 12 else ''}"
    if "const" in node:
        return _plain(node["const"])
    if node.get("format") in _FORMATS:
        return _FORMATS[node["format"]]
    kinds = node.get("type", [])
    words = [_KINDS.get(kind, kind) for kind in ([kinds] if isinstance(kinds, str) else kinds)]
    return " or ".join(words)


def is_personal(root: Shape, parts: Sequence[str | int]) -> bool:
    """Whether a place holds personal data: it is marked, or stands in what is marked, or holds a marked field."""
    here: Shape | None = root
    for part in parts:
        if here is None or here.node.get("x-pii"):
            break
        here = follow(here, [part])
    return here is not None and _holds_personal(here, 0)


def _holds_personal(shape: Shape, depth: int) -> bool:
    if shape.node.get("x-pii") or depth > 8:
        return bool(shape.node.get("x-pii"))
    element = shape.element() if "items" in shape.node else None
    if element is not None and _holds_personal(element, depth + 1):
        return True
    return any(_holds_personal(below, depth + 1) for below in shape.properties().values())


def _faults(violation: Violation, root: Shape) -> Iterable[DocumentFault]:
    name = violation.kind.name
    worded = _WORDED.get(name)
    if worded:
        return worded(violation, root)
    shape = _place(violation, root)
    if name in _LIMITS:
        limit = _LIMITS[name].format(_limit(violation))
        return [_seen(violation, root, name, limit if name != "minLength" else _length(shape, limit))]
    return [_seen(violation, root, name, expected_at(shape) or "what the schema says")]


def _required(violation: Violation, root: Shape) -> list[DocumentFault]:
    parts = [*violation.instance_path, _details(violation).property]
    expected = expected_at(follow(root, parts))
    because = _because(violation, root) if "dependentRequired" in violation.schema_path else ""
    message = f"missing{because}" + (f"; expected {expected}" if expected else "")
    return [DocumentFault(path_text(parts), "required", message, expected=expected)]


def _because(violation: Violation, root: Shape) -> str:
    shape = _place(violation, root)
    rules = shape.node.get("dependentRequired", {}) if shape else {}
    there: Any = violation.instance
    missing = _details(violation).property
    causes = [name for name, needed in rules.items() if missing in needed and name in there]
    return f", needed because {causes[0]} is there" if causes else ""


def _unknown(violation: Violation, root: Shape) -> list[DocumentFault]:
    shape = _place(violation, root)
    known = list(shape.properties()) if shape else []
    return [
        DocumentFault(
            path_text([*violation.instance_path, name]),
            "unknown_field",
            f"unknown field{did_you_mean(name, known)}",
            expected=", ".join(known[:12]),
        )
        for name in _details(violation).unexpected
    ]


def _type(violation: Violation, root: Shape) -> list[DocumentFault]:
    wanted = " or ".join(_KINDS.get(kind, kind) for kind in _details(violation).types)
    return [_seen(violation, root, "type", expected_at(_place(violation, root)) or wanted)]


def _codes(violation: Violation, root: Shape) -> list[DocumentFault]:
    kind = _details(violation)
    options = list(kind.options) if hasattr(kind, "options") else [kind.expected_value]
    expected = ("one of " if len(options) > 1 else "") + (", ".join(map(_plain, options[:12])) or "nothing at all")
    hint = ""
    if isinstance(violation.instance, str) and not is_personal(root, list(violation.instance_path)):
        hint = did_you_mean(violation.instance, [option for option in options if isinstance(option, str)], "")
    return [_seen(violation, root, "enum", expected, hint)]


def _pattern(violation: Violation, root: Shape) -> list[DocumentFault]:
    shape = _place(violation, root)
    known = shape is not None and ("x-expected" in shape.node or shape.node.get("format") in _FORMATS)
    expected = expected_at(shape) if known else f"text that matches {_shorten(_details(violation).pattern)}"
    return [_seen(violation, root, "pattern", expected)]


def _format(violation: Violation, root: Shape) -> list[DocumentFault]:
    wanted = _FORMATS.get(_details(violation).format, _details(violation).format)
    shape = _place(violation, root)
    return [
        _seen(
            violation, root, "format", str(shape.node["x-expected"]) if shape and "x-expected" in shape.node else wanted
        )
    ]


def _alternatives(violation: Violation, root: Shape) -> Iterable[DocumentFault]:
    """None of several alternatives fits: the missing fields, the kinds, or the faults of the nearest alternative."""
    branches: list[list[Violation]] = _details(violation).context
    if not all(branches):
        return _too_many(violation, root)
    firsts = [branch[0] for branch in branches]
    if firsts and all(len(branch) == 1 and branch[0].kind.name == "required" for branch in branches):
        names = [_details(first).property for first in firsts]
        text = f"{', '.join(names[:-1])} or {names[-1]} is missing" if len(names) > 1 else f"{names[0]} is missing"
        return [DocumentFault(path_text(violation.instance_path), "required", text, expected=" or ".join(names))]
    if firsts and all(branch[0].kind.name == "type" and _same_place(branch[0], violation) for branch in branches):
        words = [_KINDS.get(kind, kind) for first in firsts for kind in _details(first).types]
        return [_seen(violation, root, "type", " or ".join(dict.fromkeys(words)))]
    nearest = max(branches, key=_nearness, default=[])
    return [fault for found in nearest for fault in _faults(found, root)]


def _too_many(violation: Violation, root: Shape) -> list[DocumentFault]:
    """Several alternatives of ``oneOf`` fit."""
    return [_seen(violation, root, "one_of", "what fits exactly one of the schema's alternatives, not several")]


def _forbidden(violation: Violation, root: Shape) -> list[DocumentFault]:
    return [DocumentFault(path_text(violation.instance_path), "forbidden", "must not be here; leave it out")]


def _unique(violation: Violation, root: Shape) -> list[DocumentFault]:
    return [_seen(violation, root, "unique", "a list in which no entry stands twice")]


def _nearness(branch: Sequence[Violation]) -> tuple[int, int]:
    return max(len(found.instance_path) for found in branch), -len(branch)


def _same_place(first: Violation, second: Violation) -> bool:
    return list(first.instance_path) == list(second.instance_path)


def _seen(violation: Violation, root: Shape, code: str, expected: str, hint: str = "") -> DocumentFault:
    path = path_text(violation.instance_path)
    shows_value = not isinstance(violation.instance, dict | list | bool | None)
    if shows_value and is_personal(root, list(violation.instance_path)):
        return DocumentFault(
            path, code, f"seen something else (personal data, not shown); expected {expected}", "", expected
        )
    seen = _excerpt(violation.instance)
    return DocumentFault(path, code, f"seen {seen}; expected {expected}{hint}", seen, expected)


def _excerpt(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return f"the number {_shorten(str(value))}"
        case list():
            return "an empty list" if not value else f"a list of {len(value)}"
        case dict():
            return "an object"
        case _:
            text = redact_text(str(value)[:200])
            return _shorten(text) if text.strip() == text and text else f"'{_shorten(text)}'"


def _shorten(text: str) -> str:
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return line if len(line) <= _LONGEST_EXCERPT else line[: _LONGEST_EXCERPT - 1] + "…"


def _plain(value: object) -> str:
    if isinstance(value, dict | list):
        return _shorten(json.dumps(value, ensure_ascii=False, default=str))
    return _shorten(value) if isinstance(value, str) else _excerpt(value).removeprefix("the number ")


def _limit(violation: Violation) -> object:
    return getattr(_details(violation), "limit", getattr(_details(violation), "multiple_of", ""))


def _length(shape: Shape | None, limit: str) -> str:
    return limit if shape is None or shape.node.get("minLength", 1) > 1 else expected_at(shape) + " that is not empty"


def _details(violation: Violation) -> Any:
    """What the validator knows about a finding; which attributes there are depends on the keyword."""
    return violation.kind


def _place(violation: Violation, root: Shape) -> Shape | None:
    return follow(root, list(violation.instance_path))


_WORDED: dict[str, Callable[[Violation, Shape], Iterable[DocumentFault]]] = {
    "required": _required,
    "additionalProperties": _unknown,
    "unevaluatedProperties": _unknown,
    "type": _type,
    "enum": _codes,
    "const": _codes,
    "pattern": _pattern,
    "format": _format,
    "anyOf": _alternatives,
    "oneOf": _alternatives,
    "uniqueItems": _unique,
    "falseSchema": _forbidden,
}
