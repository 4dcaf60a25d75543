"""Published rules against the unit tests that are published with them: ``make conformance RULES=FOLDER``.

A test there is a small document, often no valid one, and says which rules it must break and which it must not. So it is
given to the rules alone, without the schema. Those of XRechnung are documents that say how to change them. The rules
are those that a project has (``PROJECT=``) or a package carries.

    python tests/conformance/rule_sets.py FOLDER [PROJECT]
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from changed_documents import changed_documents, is_one
from lxml import etree

from hub.errors import DecodeError
from hub.formats._xml import Element, parse
from hub.profiles.definitions import read_definitions
from hub.profiles.library import Library, Published
from hub.profiles.rules import rules_process
from hub.project import read_files, reference_files

_SPACE = "{http://difi.no/xsd/vefa/validator/1.0}"
_MOST = 10_000


@dataclass
class Score:
    """Right answers of a set of rules, and what it got wrong: the file, the rule, what was expected."""

    right: int = 0
    wrong: list[str] = field(default_factory=list)


def tests_in(folder: Path) -> Iterator[tuple[Path, Element, dict[str, bool], bool]]:
    """Each document of each test set, whether it is to break a rule, and whether it is about XRechnung's rules: these
    have some of Peppol's among them, changed."""
    for path in sorted(folder.rglob("*.xml")):
        raw = path.read_bytes()
        if is_one(raw):
            yield from ((path, document, wanted, True) for document, wanted in changed_documents(raw))
            continue
        try:
            root = parse(raw)
        except DecodeError:
            continue
        if root.tag != f"{_SPACE}testSet":
            continue
        for test in root.iter(f"{_SPACE}test"):
            said = test.find(f"{_SPACE}assert")
            wanted = {
                name: kind != "success"
                for kind in ("success", "error", "warning", "fatal")
                for each in (() if said is None else said.iter(_SPACE + kind))
                for name in [str(each.text or "").strip()]
            }
            documents = [child for child in test if not child.tag.startswith(_SPACE)]
            if documents and wanted:
                yield path, documents[0], wanted, False


def scores(folder: Path, library: Library, names: list[str]) -> dict[str, Score]:
    """A score for each set of rules that knows rules of the tests."""
    found: dict[str, Score] = {}
    known = {name: rules for name in names if (rules := library.rules(name))}
    for path, document, wanted, is_german in tests_in(folder):
        content = etree.tostring(document, encoding="utf-8")
        for name, rules in known.items():
            asked = {rule: breaks for rule, breaks in wanted.items() if _has(rules, rule)}
            if not asked or not _is_about(name, document) or name.startswith("XRechnung") != is_german:
                continue
            score = found.setdefault(rules.label, Score())
            answer = rules_process().judge(rules, content, _MOST, lambda: None)
            broken = {fault.rule for fault in answer.faults}
            for rule, breaks in asked.items():
                if (rule in broken) == breaks and not answer.failed:
                    score.right += 1
                else:
                    expected = "broken" if breaks else "kept"
                    score.wrong.append(f"{path.name}: {rule} is to be {expected} {answer.failed}".strip())
    return found


def _has(rules: Published, rule: str) -> bool:
    return f'"{rule}"'.encode() in rules.content or f">{rule}<".encode() in rules.content


def _is_about(name: str, document: Element) -> bool:
    """Rules of a syntax are asked about documents of that syntax."""
    return ("CII" in name) == document.tag.endswith("CrossIndustryInvoice")


def main(folder: Path, project: Path | None) -> int:
    """Print the scores; 1 where there is a wrong answer, or none at all."""
    files = read_files(project) if project else reference_files()
    definitions = read_definitions(files)
    names = sorted({r for p in definitions.profiles.values() for d in p.documents for r in d.rules})
    found = scores(folder, Library(files, definitions.packages()), names)
    for label, score in found.items():
        print(f"{label}: {score.right} of {score.right + len(score.wrong)} right")
        for text, number in Counter(score.wrong).most_common(20):
            print(f"  {text}{f' ({number} times)' if number > 1 else ''}")
    rules_process().close()
    return int(not found or any(score.wrong for score in found.values()))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None))
