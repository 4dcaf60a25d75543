"""Elements of any kind as documents and back: what the formats share that have no grammar of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec

from hub.errors import DecodeError
from hub.formats import Step
from hub.formats._xml import Element, line_of
from hub.formats._xml_writing import fault, in_attribute, in_text, is_name, plain

# What a document says to those who check it by a schema; no data, but that an element is nothing.
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_OF_XSI = f"{{{_XSI}}}"
_NIL = f"{_OF_XSI}nil"


class Names(msgspec.Struct, frozen=True):
    """Elements by their names in documents, and what is said of some of them."""

    prefixes: Mapping[str, str]  # by namespace
    lists: frozenset[str]
    objects: frozenset[str]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Names:
        prefixes = {str(uri): f"{prefix}:" if prefix else "" for prefix, uri in options.get("namespaces", {}).items()}
        return cls(prefixes, frozenset(options.get("lists", ())), frozenset(options.get("objects", ())))

    def of_tag(self, tag: str) -> str:
        if tag[0] != "{":
            return tag
        uri, _, local = tag[1:].partition("}")
        return self.prefixes.get(uri, "") + local

    def of_element(self, element: Element) -> str:
        return self.of_tag(element.tag)

    def above(self, element: Element) -> list[str]:
        """The names from the root to an element."""
        return [*(self.of_element(each) for each in reversed(list(element.iterancestors()))), self.of_element(element)]


def value_of(element: Element, names: Names) -> Any:
    """What an element is in a document. Raises DecodeError where two things in it would have one name."""
    own, is_nil = _attributes(element, names) if element.attrib else ({}, False)
    if is_nil and not own:
        return None
    if not own and not len(element) and names.of_element(element) not in names.objects:
        return element.text or ""
    found = own.copy()
    texts = [element.text or ""]
    for child in element:
        name, value = names.of_element(child), value_of(child, names)
        if name[0] == "_" and (name := f"_{name}") in own:
            raise _clash(element, names, name, f"an attribute and an element in it are both '{name}' in a document")
        if name not in found:
            found[name] = [value] if name in names.lists else value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
        texts.append(child.tail or "")
    text = "".join(texts)
    if "_text" in own:  # an attribute called so
        if text.strip():
            what = "an attribute 'text' cannot be told from its text, '_text' in a document"
            raise _clash(element, names, "_text", what)
    elif is_nil:
        found["_text"] = None
    elif not len(element) or (text := text.strip()):
        found["_text"] = text
    return found


def _attributes(element: Element, names: Names) -> tuple[dict[str, Any], bool]:
    """By their names in a document; and whether they say that the element is nothing."""
    found: dict[str, Any] = {}
    is_nil = False
    for tag, value in cast("Iterable[tuple[str, str]]", element.items()):
        if tag == _NIL and value in ("true", "1"):
            is_nil = True
            continue
        if tag.startswith(_OF_XSI) and _XSI not in names.prefixes:
            continue
        name = f"_{names.of_tag(tag)}"
        if name in found:
            raise _clash(element, names, name, f"two attributes are both '{name}' in a document")
        found[name] = value
    return found, is_nil


def _clash(element: Element, names: Names, name: str, what: str) -> DecodeError:
    tags = [tag for tag in map(str, element.attrib) if tag[0] == "{" and f"_{names.of_tag(tag)}" == name]
    uri = tags[0][1:].partition("}")[0] if tags else ""
    return DecodeError(
        f"element {element.tag.rpartition('}')[2]}: {what}", code="duplicate_key", position=line_of(element),
        expected="each name once",
        hint=f"namespaces: {{prefix: '{uri}'}} gives one of them a name of its own" if uri else "",
    )  # fmt: skip


def element_at(element: Element, steps: Sequence[Step], names: Names) -> Element | None:
    """The element that a path within the value of another one leads to; for an attribute, that which has it."""
    rest = list(steps)
    while rest:
        step = rest.pop(0)
        if isinstance(step, int) or (step.startswith("_") and not step.startswith("__")):
            continue
        name = step.removeprefix("_")
        children = [child for child in element if names.of_element(child) == name]
        number = rest[0] if rest and isinstance(rest[0], int) else 0
        if not -len(children) <= number < len(children):
            return None
        element = children[number]
    return element


class Writer:
    """The text of a document, piece by piece."""

    def __init__(self, names: Names, indent: int, known: Sequence[str] = ()) -> None:
        """``known``: prefixes that are declared around what is written."""
        self.out: list[str] = []
        self._known = known
        self._indent = indent
        self._declared = {prefix.rstrip(":"): uri for uri, prefix in names.prefixes.items()}

    def element(self, name: Any, value: Any, path: str, depth: int, *, is_around: bool = False) -> None:
        """``is_around``: the elements in it each declare the prefixes, and this one those of its attributes alone; what
        is nothing in a list there is left out."""
        tag = self._name(name, path)
        self._break(depth)
        fields = value if isinstance(value, Mapping) else {"_text": value}
        declared = list(self._declared.items()) if depth == 0 else []
        if is_around:
            declared = [(p, uri) for p, uri in declared if p and any(str(key).startswith(f"_{p}:") for key in fields)]
        attributes = [(f"xmlns{':' if p else ''}{p}", uri) for p, uri in declared]
        children = []
        for key, each in fields.items():
            if str(key) == "_text" or each is None:
                continue
            if str(key).startswith("_") and not str(key).startswith("__"):
                attributes.append((self._name(str(key)[1:], path), plain(each, f"{path}.{key}")))
            else:
                children.append((str(key).removeprefix("_"), key, each))
        written = "".join(f' {key}="{in_attribute(text, path)}"' for key, text in attributes)
        text = in_text(plain(given, path), path) if (given := fields.get("_text")) is not None else ""
        if not children and not text:
            self.out.append(f"<{tag}{written}/>")
            return
        self.out.append(f"<{tag}{written}>{text}")
        for child, key, each in children:
            for number, one in enumerate(each) if isinstance(each, list | tuple) else [(-1, each)]:
                at = f"{path}.{key}" + (f"[{number}]" if number >= 0 else "")
                if one is not None or not is_around:
                    self.element(child, one, at, 0 if is_around else depth + 1)
        if children:
            self._break(depth)
        self.out.append(f"</{tag}>")

    def _break(self, depth: int) -> None:
        if self._indent and self.out:
            self.out.append("\n" + " " * (self._indent * depth))

    def _name(self, name: Any, path: str) -> str:
        text = str(name)
        if not is_name(text):
            raise fault(path, f"{text[:60]!r} as the name of an element or attribute", "a name that XML allows")
        prefix, _, _ = text.rpartition(":")
        if prefix and prefix not in (*self._declared, *self._known, "xml"):
            known = ", ".join(sorted(filter(None, self._declared))) or "none"
            raise fault(path, f"the prefix '{prefix}'", f"one that namespaces: declares ({known})")
        return text
