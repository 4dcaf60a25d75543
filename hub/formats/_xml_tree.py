"""XML as it stands, for ``o2c decode --raw``: names with their prefixes, attributes, texts and elements in turn."""

from __future__ import annotations

from typing import Any

from hub.formats._xml import Element, parse


def tree_of(raw: bytes) -> dict[str, Any]:
    """An element as ``{element, line, namespaces, attributes, content}``, without what is empty. Raises DecodeError."""
    return _element(parse(raw))


def _element(element: Element) -> dict[str, Any]:
    parent = element.getparent()
    above = parent.nsmap if parent is not None else {}
    content: list[Any] = [element.text] if element.text else []
    for child in element:
        content.append(_element(child))
        if child.tail:
            content.append(child.tail)
    made = {
        "namespaces": {prefix or "": uri for prefix, uri in element.nsmap.items() if above.get(prefix) != uri},
        "attributes": {str(name): str(text) for name, text in element.attrib.items()},
        "content": content,
    }
    name = element.tag.rpartition("}")[2]
    whole = f"{element.prefix}:{name}" if element.prefix else name
    return {"element": whole, "line": element.sourceline, **{key: value for key, value in made.items() if value}}
