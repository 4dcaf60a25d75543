"""What keeps a document from being written as UBL, at its path: for messages, and for a mapping's target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.errors import DocumentFault, shown
from hub.formats._decimals import MAX_DIGITS, without_exponent
from hub.formats._ubl_definitions import Aggregate, Child, Standard
from hub.formats._ubl_elements import FORBIDDEN, Refused, check_fragment
from hub.formats._ubl_names import Names
from hub.formats._ubl_oddities import (
    ATTRIBUTES,
    FAULTS,
    GAPS,
    INDENT,
    NAMESPACES,
    ORDER,
    OTHER,
    SIDES,
    SPELLED,
    TYPE,
)  # fmt: skip
from hub.formats._ubl_values import KINDS, Form, Odd
from hub.spelling import did_you_mean

_WANTED = {"number": "a decimal number", "boolean": "true or false", "text": "text", "date": "text YYYY-MM-DD"}
_TEXTS = (OTHER, ORDER, GAPS)


def checked(standard: Standard, document: Any, type: str = "", is_strict: bool = False) -> Iterator[DocumentFault]:
    """Every fault of a document, in its order. ``type`` is what it has to be, where that is known; ``is_strict``: what
    the standard requires is asked for too."""
    if not isinstance(document, Mapping):
        yield DocumentFault("", "not_an_object", f"a {standard.word} document is an object, not {_word(document)}")
        return
    own = document.get(TYPE, type)
    if own not in standard.types or type not in ("", own):
        expected = type or f"one of {', '.join(standard.types)}"
        advice = did_you_mean(own, standard.types) if isinstance(own, str) else ""
        seen = shown(own) if isinstance(own, str) else _word(own)
        yield DocumentFault(
            TYPE, "type", f"the type of the document is {seen}; expected {expected}{advice}", expected=expected
        )
        if own not in standard.types:
            return
    yield from _Checker(standard, document, own, is_strict).faults()


class _Checker:
    def __init__(self, standard: Standard, document: Mapping[str, Any], type: str, is_strict: bool) -> None:
        self._standard = standard
        self._document, self._type, self._is_strict = document, type, is_strict
        declared = document.get(NAMESPACES)
        usual = standard.usual_names(type, {"UBLExtensions": {}})
        self._names = Names(declared if declared is not None and _are_texts(declared) else usual)

    def faults(self) -> Iterator[DocumentFault]:
        document = self._document
        for name in (NAMESPACES, INDENT):
            value = document.get(name)
            is_right = _are_texts(value) if name == NAMESPACES else isinstance(value, str) and not value.strip(" \t")
            if value is not None and not is_right:
                expected = "an object of texts" if name == NAMESPACES else "blanks"
                yield DocumentFault(name, "kind", f"expected {expected}", expected=expected)
        known = [*self._standard.document(self._type).children.values()]
        for child in known if document.get(NAMESPACES) is not None else ():
            if document.get(child.name) is not None and self._names.prefix(child.namespace) is None:
                message = f"{child.name} is of {child.namespace}, for which there is no prefix"
                yield DocumentFault(NAMESPACES, "namespace", message, expected=child.namespace)
        sides = (FAULTS, NAMESPACES, INDENT, TYPE)
        content = {name: value for name, value in document.items() if name not in sides}
        yield from self._group(self._standard.document(self._type), content, "")

    def _group(self, aggregate: Aggregate, value: Any, path: str) -> Iterator[DocumentFault]:
        if not isinstance(value, Mapping):
            yield _kind_fault(path, "an object", value)
            return
        spelled = value.get(SPELLED)
        for name, item in value.items():
            at = f"{path}.{name}" if path else str(name)
            child = aggregate.children.get(name)
            if name in SIDES:
                yield from self._side(name, item, at)
            elif child is None:
                advice = did_you_mean(str(name), aggregate.children)
                yield DocumentFault(
                    at,
                    "unknown",
                    f"there is no {shown(str(name))} in {aggregate.name} of {self._standard.name}{advice}",
                )
            elif item is not None or not (isinstance(spelled, Mapping) and name in spelled):
                yield from self._child(child, item, at, spelled)
        for child in aggregate.children.values() if self._is_strict else ():
            if child.is_required and value.get(child.name) in (None, []):
                at = f"{path}.{child.name}" if path else child.name
                yield DocumentFault(
                    at, "required", f"{child.name} is missing in {aggregate.name}; {self._standard.name} requires it"
                )

    def _child(self, child: Child, item: Any, path: str, spelled: Any) -> Iterator[DocumentFault]:
        if child.is_list != isinstance(item, list):
            expected = "a list, since it may stand several times" if child.is_list else "one alone, not a list"
            yield _kind_fault(path, expected, item)
            return
        for number, one in enumerate(item if child.is_list else [item]):
            at = f"{path}[{number}]" if child.is_list else path
            if not child.kind:
                yield from self._group(self._standard.aggregate(child.aggregate), one, at)
            elif one is not None or not (isinstance(spelled, Mapping) and child.name in spelled):
                yield from self._leaf(child, one, at)

    def _leaf(self, child: Child, value: Any, path: str) -> Iterator[DocumentFault]:
        kind = KINDS[child.kind]
        if not kind.main:
            yield from self._scalar(child.kind, value, path)
            return
        fields = (kind.main, *kind.parts)
        if not isinstance(value, Mapping):
            yield _kind_fault(path, f"an object of {', '.join(fields)}", value)
            return
        for name, item in value.items():
            at = f"{path}.{name}"
            if name not in fields:
                yield DocumentFault(
                    at, "unknown", f"there is no {shown(str(name))} in {path}{did_you_mean(str(name), fields)}"
                )
            elif name == kind.main:
                yield from self._scalar(child.kind, item, at)
            else:
                yield from _text(item, at)
        if kind.forms and isinstance(value.get(kind.main), str) and isinstance(value.get("format", ""), str):
            yield from _formatted(kind.form({"": value.get("format", "")}), value[kind.main], f"{path}.{kind.main}")
        for name in (kind.main, *((kind.needed,) if kind.needed else ())):
            if (value.get(name) is None and self._is_strict) or (name not in value and not self._is_strict):
                yield DocumentFault(f"{path}.{name}", "required", f"the {name} of {child.name} is missing")

    def _scalar(self, kind_name: str, value: Any, path: str) -> Iterator[DocumentFault]:
        scalar = KINDS[kind_name].scalar
        if scalar in ("text", "date"):
            yield from _text(value, path)
            if kind_name == "Xml" and isinstance(value, str):
                yield from self._fragment(value, path, is_element=False)
            elif kind_name in ("Date", "Time") and isinstance(value, str) and self._is_strict:
                yield from _read(kind_name, value, path)
        elif scalar == "boolean":
            if not isinstance(value, bool):
                yield _kind_fault(path, _WANTED[scalar], value)
        elif isinstance(value, bool) or not isinstance(value, Decimal | int):
            yield _kind_fault(path, _WANTED[scalar], value)
        elif isinstance(value, Decimal) and not value.is_finite():
            yield DocumentFault(path, "number", "it is no finite number", expected=_WANTED[scalar])
        elif isinstance(value, Decimal):
            try:
                without_exponent(value)
            except ValueError as error:
                wanted = f"at most {MAX_DIGITS} digits"
                yield DocumentFault(path, "number", f"it is {error}; expected {wanted}; round it", expected=wanted)

    def _side(self, name: str, value: Any, path: str) -> Iterator[DocumentFault]:
        if value is None:
            return
        if name in _TEXTS:
            if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
                yield _kind_fault(path, "a list of texts", value)
                return
            for number, one in enumerate(value):
                at = f"{path}[{number}]"
                yield from (self._fragment(one, at, is_element=True) if name == OTHER else _text(one, at))
        elif not isinstance(value, Mapping):
            yield _kind_fault(path, "an object with the names of elements", value)
        else:
            for own, item in value.items():
                for number, one in enumerate(item if isinstance(item, list) else [item]):
                    at = f"{path}.{own}[{number}]" if isinstance(item, list) else f"{path}.{own}"
                    is_right = _are_texts(one) if name == ATTRIBUTES else isinstance(one, str)
                    if one is not None and not is_right:
                        yield _kind_fault(at, "an object of texts" if name == ATTRIBUTES else "text", one)

    def _fragment(self, xml: str, path: str, *, is_element: bool) -> Iterator[DocumentFault]:
        try:
            check_fragment(xml, self._names, is_element=is_element)
        except Refused:
            expected = "one element" if is_element else "XML"
            yield DocumentFault(path, "xml", f"it is not well formed; expected {expected}, with its prefixes declared")


def _read(kind_name: str, value: str, path: str) -> Iterator[DocumentFault]:
    try:
        KINDS[kind_name].value_of(value)
    except Odd as odd:
        if odd.value is None and odd.fault is not None:
            yield DocumentFault(path, odd.fault.full_code, odd.fault.message, odd.fault.seen, odd.fault.expected)


def _formatted(form: Form, value: str, path: str) -> Iterator[DocumentFault]:
    try:
        form.write(value)
    except ValueError:
        message = f"{shown(value)} is not what its format says; expected {form.expected}"
        yield DocumentFault(path, "date", message, value[:40], form.expected)


def _text(value: Any, path: str) -> Iterator[DocumentFault]:
    if not isinstance(value, str):
        yield _kind_fault(path, "text", value)
    elif bad := FORBIDDEN.search(value):
        yield DocumentFault(path, "character", f"the character U+{ord(bad[0]):04X} in it cannot stand in XML")


def _are_texts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(one, str) for pair in value.items() for one in pair)


def _kind_fault(path: str, expected: str, value: Any) -> DocumentFault:
    return DocumentFault(path, "kind", f"expected {expected}, got {_word(value)}", expected=expected)


def _word(value: Any) -> str:
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case float():
            return f"{value!r}, a binary number, which is not exact"
        case Decimal() | int():
            return "a number"
        case str():
            return "text"
        case list() | tuple():
            return "a list"
        case Mapping():
            return "an object"
    return "something else"
