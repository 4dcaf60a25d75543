"""The profiles there are, and where their files are published, as Markdown tables for the reference page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from hub.profiles.definitions import Definitions, Profile, read_definitions
from hub.project import reference_files

_BLOCK = re.compile(r"(<!-- (profiles|sources) -->\n).*?(<!-- end -->)", re.DOTALL)


def fill_tables(page: str) -> str:
    """The page with its two blocks made anew."""
    known = read_definitions(reference_files())
    made = {"profiles": _profiles(known), "sources": _sources(known)}
    return _BLOCK.sub(lambda found: f"{found[1]}{made[found[2]]}{found[3]}", page)


def _profiles(known: Definitions) -> str:
    rows = ["| profile | judges | by the schema | and the rules |", "|---|---|---|---|"]
    return "\n".join([*rows, *_rows(known)]) + "\n"


def _rows(known: Definitions) -> Iterator[str]:
    for name, profile in known.profiles.items():
        if re.fullmatch(r".*\.\d\d", name):
            continue  # one version of a message; the row of all of them says it
        yield f"| `{name}` | {profile.title} | {_schemas(profile)} | {_rules(profile)} |"


def _schemas(profile: Profile) -> str:
    files = list(dict.fromkeys(" or ".join(document.schemas) for document in profile.documents))
    if len(files) > 3:
        return f"`{files[0]}` to `{files[-1]}`"
    return ", ".join(f"`{file}`" for file in files)


def _rules(profile: Profile) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(rule for each in profile.documents for rule in each.rules))


def _sources(known: Definitions) -> str:
    rows = ["| source | what | published by | at | Python packages |", "|---|---|---|---|---|"]
    for source in known.sources:
        packages = ", ".join(f"`{name}`" for name in source.packages)
        said = f"{packages}{f': {source.carries}' if source.carries else ''}"
        rows.append(f"| `{source.name}` | {source.title} | {source.publisher} | <{source.address}> | {said} |")
    return "\n".join(rows) + "\n"
