"""Reading a YAML mapping against a table of fields: values with their defaults, and every fault with its place.

The tables are ``connectors.base.Field`` for the connectors' own settings and for the hub's files alike, so that the
lint, the JSON Schemas and the reference pages come from one source. Kinds beyond those of the connectors: ``number``,
``share`` (``20%``), ``texts`` (one text or a list of them), ``address`` (text or a secret reference, never with a
password in it), ``raw``. No text of any kind may hold a secret among the parameters of an address.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import msgspec

from connectors.base import Field
from hub.errors import Fault
from hub.secret import FORM, PREFIX, Secret, parse_secret
from hub.spelling import nearest
from hub.units import bytes_of, rate_of, seconds_of, share_of
from hub.yamldoc import Node, did_you_mean

_PLACEHOLDER = re.compile(r"\$\{[^}]*\}|^\$[A-Z_][A-Z0-9_]*$")
_PASSWORD = re.compile(r"://[^/@\s]*:[^/@\s]+@")
_SECRET_KEY = re.compile(r"authori[sz]ation|passw|secret|token|api[-_]?key|cookie", re.IGNORECASE)
# Of a query: names that are those of secrets. Others are so only with a value that is nothing a person would choose.
_PARAMETER = re.compile(r"[?&]([^=&#\s]+)=([^&#\s]*)")
_SECRET_PARAMETER = re.compile(
    r"authori[sz]ation|(?:[a-z]+[-_.])?(?:passw(?:or)?d|passphrase|pwd|secret)|hapikey|jwt"
    r"|(?:(?:access|amz|api|apim|app|auth|bearer|client|oauth|ocp|private|refresh|security|session|shared|subscription"
    r"|user|x)[-_.]?)+(?:key|token|secret|signature)|token|signature",
    re.IGNORECASE,
)
_MAYBE_SECRET = re.compile(r"key|code|sig|auth|pass", re.IGNORECASE)
_RANDOM = re.compile(
    r"(?=.*[0-9])(?=.*[A-Za-z])[A-Za-z0-9%.~+/=]{16,}"
    r"|(?=.*[0-9])(?=.*[a-z])(?=.*[A-Z])[A-Za-z0-9_%.~+/=-]{20,}"  # several words are joined so, too
)
_FILLED_IN = re.compile(r"\{[^{}]*\}")
_SHORTEST_SECRET = 4
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/?#]+\S*")
_EXPECTED = {
    "text": "text",
    "secret": f"a reference such as {FORM}",
    "file": "the path of a file below schemas/",
    "url": "an address such as https://host.example",
    "address": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "duration": "a duration such as 10s, 15m, 24h or 7d",
    "size": "a size such as 500KB or 10MB",
    "rate": "a rate such as 20/s or 600/m",
    "share": "a share from 0% to 100%, such as 20%",
    "choice": "one of the choices",
    "expression": "an expression",
    "texts": "text or a list of texts",
    "list": "a list",
    "map": "a mapping",
    "group": "a mapping",
}


class Located(msgspec.Struct, frozen=True):
    """An expression as written and where it stands; the hub compiles it later."""

    text: str
    file: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return self.text


class Scope(msgspec.Struct, frozen=True):
    """Whose settings are read (``system 'erp'``), where in them, and the list that faults are added to. ``literal`` are
    the outermost settings that are taken as they stand, so that no secret is filled in there."""

    what: str
    faults: list[Fault]
    path: str = ""
    literal: frozenset[str] = frozenset()

    @property
    def label(self) -> str:
        return f"{self.path} of {self.what}" if self.path else self.what

    def within(self, name: str) -> Scope:
        return Scope(self.what, self.faults, f"{self.path}.{name}" if self.path else name, self.literal)

    def element(self, index: int) -> Scope:
        return Scope(self.what, self.faults, f"{self.path}[{index}]", self.literal)

    @property
    def is_literal(self) -> bool:
        return re.split(r"[.\[]", self.path, maxsplit=1)[0] in self.literal

    def fault(self, node: Node, message: str) -> None:
        self.faults.append(node.fault(message))


class _Unreadable(Exception):
    """This value is wrong; its text is the fault."""


def read_fields(node: Node, fields: Sequence[Field], scope: Scope, reserved: Collection[str] = ()) -> dict[str, Any]:
    """The value of every field: what the file says, else the default. What is wrong is a fault, and has the default."""
    if not node.is_map:
        scope.fault(node, f"{scope.label}: expected a mapping, got {node.kind}")
        return {field.name: absent(field) for field in fields}
    forgiven = _report_unknown(node, fields, scope, reserved)
    values: dict[str, Any] = {}
    for field in fields:
        child = node.get(field.name)
        values[field.name] = absent(field) if child is None else read_value(child, field, scope.within(field.name))
        if child is None and field.required and field.name not in forgiven:
            scope.fault(node, missing(scope, field))
    return values


def missing(scope: Scope, field: Field) -> str:
    """The text of the fault for a setting that must be there."""
    why = f": {_lower(field.description)}" if field.description else ""
    return f"{field.name} is missing in {scope.label}{why}"


def absent(field: Field) -> Any:
    """What a setting is when the file does not say it; a group without required settings is its own defaults."""
    if field.default is not None:
        return field.default
    if field.kind == "group" and field.fields and not any(part.required for part in field.fields):
        return {part.name: absent(part) for part in field.fields}
    return "" if field.required and field.kind in ("text", "choice") else None


def read_value(node: Node, field: Field, scope: Scope) -> Any:
    """One setting's value, or its default after adding a fault."""
    read = _READERS.get(field.kind, _raw)
    is_empty = field.required and field.kind == "text" and node.value == "" and not field.may_be_empty
    if is_empty or (node.value is None and node.plain and field.kind != "raw"):
        advice = "" if field.required else ", or leave the key out"
        scope.fault(node, f"{scope.path} has no value; expected {_expected(field)}{advice}")
        return absent(field)
    try:
        return read(node, field, scope)
    except _Unreadable as error:
        scope.fault(node, f"{scope.path}: {error}")
        return absent(field)


def _report_unknown(node: Node, fields: Sequence[Field], scope: Scope, reserved: Collection[str]) -> set[str]:
    """Faults for keys that are none; gives the names they were probably meant to be, whose absence is forgiven."""
    known = [field.name for field in fields]
    forgiven: set[str] = set()
    for name, _ in node.items():
        if name in known:
            continue
        if name in reserved:
            scope.fault(node.key(name), f"'{name}' is not in this version; take the key out")
            continue
        others = [other for other in known if other not in (node.value or ())]  # type: ignore[operator]
        scope.fault(node.key(name), f"unknown key '{name}' in {scope.label}{did_you_mean(name, others)}")
        forgiven.add(nearest(name, others))
    return forgiven


def _expected(field: Field) -> str:
    return listed(field.choices) if field.kind == "choice" else _EXPECTED.get(field.kind, "a value")


def refuse_zero(values: Mapping[str, Any], names: Sequence[str], node: Node, scope: Scope, such: str) -> None:
    """A fault for each of these durations of a group that is zero, of which nothing good can come."""
    for name in names:
        if values.get(name) == 0:
            said = node.get(name) if node.is_map else None
            scope.fault(said or node, f"{scope.path}.{name}: expected a time above zero, such as {such}, got 0s")


def listed(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing"


def _lower(text: str) -> str:
    text = text.split(". ", maxsplit=1)[0].rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _wrong(node: Node, field: Field, hint: str = "") -> _Unreadable:
    seen = f"'{node.text[:40]}'" if node.is_scalar and node.text else node.kind
    return _Unreadable(f"expected {_expected(field)}, got {seen}{hint}")


def _reference(node: Node) -> Secret:
    secret = parse_secret(node.text)
    if not secret:
        raise _Unreadable(f"not a secret reference; write {FORM}")
    return secret


def _text(node: Node, field: Field, scope: Scope) -> Any:
    if not node.is_scalar:
        raise _Unreadable(f"expected {_expected(field)}, got {node.kind}")
    if isinstance(node.value, bool):
        raise _wrong(node, field, f"; write it in quotes: '{node.text}'")
    if node.text.startswith(PREFIX):
        if scope.is_literal:
            raise _Unreadable("no secret is filled in here; write the text itself")
        return _reference(node)
    if _PLACEHOLDER.search(node.text):
        raise _Unreadable(f"placeholders such as ${{NAME}} are not filled in; write {FORM}")
    if _PASSWORD.search(node.text):
        raise _Unreadable(f"the address holds a password; write the whole address as {FORM}")
    if name := _secret_parameter(node.text):
        auth = f"auth: {{type: key, query: {name}, key: secret://env/NAME}} instead"
        whole = f", or, where there is no auth, the whole address as {FORM}" if "://" in node.text else ""
        raise _Unreadable(f"'{name}' looks like a secret written out; write {auth}{whole}")
    return node.text


def _secret_parameter(text: str) -> str:
    """The name of a query parameter that seems to have a secret as its value; variables in braces are none."""
    for name, value in _PARAMETER.findall(text) if "?" in text else ():
        left = _FILLED_IN.sub("", value)
        if len(left) < _SHORTEST_SECRET or left.lower() in ("true", "false", "none", "null"):
            continue
        if _SECRET_PARAMETER.fullmatch(name) or (_MAYBE_SECRET.fullmatch(name) and _RANDOM.fullmatch(left)):
            return str(name)
    return ""


def _url(node: Node, field: Field, scope: Scope) -> Any:
    text = _text(node, field, scope)
    if isinstance(text, str) and not _URL.fullmatch(text):
        raise _wrong(node, field)
    return text


def _secret(node: Node, field: Field, scope: Scope) -> Any:
    if node.is_scalar and not node.text.startswith(PREFIX):
        raise _Unreadable("a secret written out; write secret://env/NAME instead (or secret://file/NAME)")
    if not node.is_scalar:
        raise _Unreadable(f"expected {_expected(field)}, got {node.kind}")
    return _reference(node)


def _integer(node: Node, field: Field, scope: Scope) -> Any:
    if not isinstance(node.value, int) or isinstance(node.value, bool):
        raise _wrong(node, field)
    if node.value < 0:
        raise _wrong(node, field, "; it cannot be below zero")
    return node.value


def _number(node: Node, field: Field, scope: Scope) -> Any:
    if not isinstance(node.value, (int, Decimal)) or isinstance(node.value, bool):
        raise _wrong(node, field)
    return node.value


def _boolean(node: Node, field: Field, scope: Scope) -> Any:
    if not isinstance(node.value, bool):
        meant = {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(node.text.lower())
        raise _wrong(node, field, f"; write {meant}" if meant else "")
    return node.value


def _measured(convert: Callable[[str], Any], unit: str) -> Callable[[Node, Field, Scope], Any]:
    def read(node: Node, field: Field, scope: Scope) -> Any:
        value = convert(node.text) if node.is_scalar else None
        if value is None:
            bare = isinstance(node.value, (int, Decimal)) and not isinstance(node.value, bool)
            raise _wrong(node, field, f"; write {node.text}{unit}" if bare else "")
        return value

    return read


def _share(node: Node, field: Field, scope: Scope) -> Any:
    value = share_of(node.text) if node.is_scalar else None
    if value is None:
        number = node.value if isinstance(node.value, (int, Decimal)) and not isinstance(node.value, bool) else None
        if number is None:
            raise _wrong(node, field)
        raise _wrong(node, field, f"; write {float(number * 100 if 0 < number <= 1 else number):g}%")
    return value


def _choice(node: Node, field: Field, scope: Scope) -> Any:
    if node.is_scalar and node.text in field.choices:
        return node.text
    raise _wrong(node, field, did_you_mean(node.text, field.choices, "") if node.is_scalar else "")


def _expression(node: Node, field: Field, scope: Scope) -> Any:
    if not node.is_scalar:
        raise _Unreadable(f"expected an expression, got {node.kind}; quote an expression that holds '{{' or '['")
    return located(node)


def zone_of(zone: str, node: Node | None, name: str, scope: Scope, such_as: str = "Europe/Brussels") -> str:
    """The zone that a setting names; '' where there is none of that name, which is a fault of the node, if any."""
    try:
        return ZoneInfo(zone).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        if node is not None:
            advice = did_you_mean(zone, available_timezones(), f"; write an IANA name such as {such_as}")
            scope.fault(node, f"{name}: unknown zone '{zone}'{advice}")
        return ""


def located(node: Node) -> Located:
    """The expression that a scalar node holds; quotes around it do not count."""
    return Located(node.text, node.file, node.line, node.column + (0 if node.plain else 1))


def _texts(node: Node, field: Field, scope: Scope) -> Any:
    if node.is_scalar:
        return (_text(node, field, scope),)
    if not node.is_list:
        raise _wrong(node, field)
    entry = Field(field.name)
    values = [read_value(child, entry, scope.element(index)) for index, child in enumerate(node.elements())]
    return tuple(value for value in values if value is not None)


def _list(node: Node, field: Field, scope: Scope) -> Any:
    if not node.is_list:
        raise _Unreadable(f"expected a list, got {node.kind}; write it in [ ] or on lines that start with '- '")
    element = _element_of(field)
    return [read_value(child, element, scope.element(index)) for index, child in enumerate(node.elements())]


def _element_of(field: Field) -> Field:
    """What an element of a list is: a group, or the one nameless field given for it, or anything."""
    if len(field.fields) == 1 and not field.fields[0].name:
        return field.fields[0]
    return Field(field.name, "group", fields=field.fields) if field.fields else Field(field.name, "raw")


def _map(node: Node, field: Field, scope: Scope) -> Any:
    if not node.is_map:
        raise _Unreadable(f"expected a mapping, got {node.kind}")
    element = _element_of(field)
    _report_secrets(node, scope)
    return {name: read_value(child, element, scope.within(name)) for name, child in node.items()}


def _report_secrets(node: Node, scope: Scope) -> None:
    """Where keys are free, a key that sounds like a secret's wants a reference."""
    for name, child in node.items():
        written_out = child.is_scalar and child.value is not None and not child.text.startswith(PREFIX)
        if written_out and _SECRET_KEY.search(name):
            scope.fault(child, f"{scope.within(name).path}: looks like a secret written out; write {FORM} instead")


def _group(node: Node, field: Field, scope: Scope) -> Any:
    if not node.is_map:
        raise _Unreadable(f"expected a mapping, got {node.kind}")
    return read_fields(node, field.fields, scope)


def _raw(node: Node, field: Field, scope: Scope) -> Any:
    """Any value, without positions; a secret reference in it is one."""
    if node.is_map:
        _report_secrets(node, scope)
        return {name: _raw(child, field, scope.within(name)) for name, child in node.items()}
    if node.is_list:
        return [_raw(child, field, scope.element(index)) for index, child in enumerate(node.elements())]
    return read_value(node, Field(field.name), scope) if isinstance(node.value, str) else node.value


_READERS: dict[str, Callable[[Node, Field, Scope], Any]] = {
    "text": _text,
    "file": _text,
    "secret": _secret,
    "url": _url,
    "address": _text,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "duration": _measured(seconds_of, "s"),
    "size": _measured(bytes_of, "B"),
    "rate": _measured(rate_of, "/s"),
    "share": _share,
    "choice": _choice,
    "expression": _expression,
    "texts": _texts,
    "list": _list,
    "map": _map,
    "group": _group,
    "raw": _raw,
}
KINDS = frozenset(_READERS)
