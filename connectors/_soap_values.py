"""Values and elements: what documents hold to what zeep writes, and elements to values by the types of a WSDL.

Numbers stay exact: a decimal is one, as is what a schema calls double; a date is the text that came. What may come
several times is a list also where it came once. The rest goes by the names of elements: an attribute as ``_name``
where no type tells it, text beside attributes as ``_value_1``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from lxml import etree

from connectors._soap_xml import Element, name_of
from connectors.base import ConnectorError

XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LONGEST_NUMBER = 400


class Unfit(ConnectorError):
    """A document that its operation does not take: ``path`` says where, ``detail`` why."""

    def __init__(self, path: str, detail: str) -> None:
        self.path, self.detail = path, detail
        super().__init__(f"{path}: {detail}" if path else detail)


def prepared(value: Any, kind: Any, path: str) -> Any:
    """A value as zeep takes it: numbers as text without exponent. Raises Unfit for a field that its type has not."""
    if isinstance(value, Decimal):
        return f"{value:f}" if value.is_finite() else str(value)
    if isinstance(value, list | tuple):
        return [prepared(each, kind, f"{path}[{number}]") for number, each in enumerate(value)]
    if not isinstance(value, Mapping):
        return value
    fields = fields_of(kind)
    if fields is None:
        return {name: prepared(each, None, f"{path}.{name}") for name, each in value.items()}
    made = {}
    for name, each in value.items():
        at = f"{path}.{name}" if path else str(name)
        if name not in fields and not str(name).startswith("_"):
            raise Unfit(at, f"there is no such field; expected {_listed(fields)}")
        made[name] = prepared(each, fields.get(name), at)
    return made


def fields_of(kind: Any) -> dict[str, Any] | None:
    """The types of a complex type's elements and attributes by their names; None for any other."""
    if not hasattr(kind, "elements_nested"):
        return None
    every = [*kind.elements, *kind.attributes]
    return {name: getattr(part, "type", None) for name, part in every if name}


def _listed(fields: Iterable[str]) -> str:
    names = sorted(fields)
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    return (", ".join(names[:20]) + more) or "none at all"


class Reader:
    """Elements to values by the types of one schema (zeep's)."""

    def __init__(self, schema: Any) -> None:
        from zeep.xsd import types

        self._schema, self._types = schema, types
        self._plans: dict[int, tuple[Any, dict[str, tuple[str, Any]]]] = {}

    def value(self, element: Element, kind: Any) -> Any:
        """What an element of this type holds."""
        if element.get(f"{{{XSI}}}nil") in ("true", "1"):
            return None
        kind = self._said(element) or kind
        if not isinstance(kind, self._types.ComplexType):
            is_plain = isinstance(kind, self._types.AnySimpleType) and not len(element)
            return scalar(element.text or "", kind) if is_plain else untyped(element)
        found: dict[str, Any] = {}
        for name, attribute in kind.attributes:
            if attribute.name and (text := element.get(attribute.qname.text)) is not None:
                found[name] = scalar(text, attribute.type)
        children = self._plan(kind)
        for child in element:
            name, part = children.get(str(child.tag), (name_of(child)[1], None))
            value = untyped(child) if part is None else self.value(child, part.type)
            _put(found, name, value, part is not None and part.accepts_multiple)
        if not len(element) and (content := self._content(kind)) is not None:
            found["_value_1"] = scalar(element.text or "", content)
        return found

    def _plan(self, kind: Any) -> dict[str, tuple[str, Any]]:
        """A complex type's elements by their tags. The type is kept with it, so that its number stays its own."""
        if id(kind) not in self._plans:
            named = {part.qname.text: (name, part) for name, part in kind.elements if getattr(part, "qname", None)}
            self._plans[id(kind)] = (kind, named)
        return self._plans[id(kind)][1]

    def _said(self, element: Element) -> Any:
        """The type that the element itself names (xsi:type), where the schema has it."""
        said = element.get(f"{{{XSI}}}type")
        if not said:
            return None
        prefix, _, local = said.strip().rpartition(":")
        uri = element.nsmap.get(prefix or None)
        try:
            return self._schema.get_type(etree.QName(uri, local), fail_silently=True)
        except Exception:  # a name that is none, or a type that zeep has not: the declared one stands
            return None

    def _content(self, kind: Any) -> Any:
        """The type of the text of a complex type with simple content."""
        part = getattr(kind, "_element", None)
        content = getattr(part, "type", None)
        return content if isinstance(content, self._types.AnySimpleType) and not kind.elements_nested[1:] else None


def scalar(text: str, kind: Any) -> Any:
    """A text as the value that its type makes of it; text where it is none of that type."""
    from zeep.xsd.types import builtins

    plain = text.strip()
    if isinstance(kind, builtins.Boolean):
        return plain in ("true", "1") if plain in ("true", "1", "false", "0") else text
    if not isinstance(kind, builtins.Decimal | builtins.Float | builtins.Double) or len(plain) > _LONGEST_NUMBER:
        return text
    try:
        return int(plain) if isinstance(kind, builtins.Integer) else _finite(Decimal(plain), text)
    except (ValueError, InvalidOperation):
        return text


def _finite(number: Decimal, text: str) -> Decimal | str:
    return number if number.is_finite() else text


def untyped(element: Element) -> Any:
    """What an element holds that no type is known of: text, or fields by the names of its elements."""
    if element.get(f"{{{XSI}}}nil") in ("true", "1"):
        return None
    attributes = {f"_{etree.QName(name).localname}": text for name, text in element.attrib.items() if XSI not in name}
    if not len(element):
        text = element.text or ""
        return {**attributes, "_value_1": text} if attributes else text
    found: dict[str, Any] = dict(attributes)
    for child in element:
        _put(found, name_of(child)[1], untyped(child), False)
    return found


def _put(found: dict[str, Any], name: str, value: Any, is_list: bool) -> None:
    if name not in found:
        found[name] = [value] if is_list else value
    elif isinstance(found[name], list):
        found[name].append(value)
    else:
        found[name] = [found[name], value]
