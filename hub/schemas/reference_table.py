"""The canonical types as a Markdown table for the reference page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import Any

from hub.project import reference_files

_BLOCK = re.compile(r"(<!-- types -->\n).*?(<!-- end -->)", re.DOTALL)
_FOLDER = "schemas/canonical/"
_ROOTLESS = "structures"  # what the types are made of


def fill_table(page: str) -> str:
    """The page with its table made anew."""
    head = ["| type | what it says | main key | has to have | elsewhere |", "|---|---|---|---|---|"]
    made = "\n".join([*head, *_rows()]) + "\n"
    return _BLOCK.sub(lambda found: f"{found[1]}{made}{found[2]}", page)


def _rows() -> Iterator[str]:
    for path, raw in sorted(reference_files().items()):
        name = PurePath(path).name.partition(".")[0]
        if path.startswith(_FOLDER) and name != _ROOTLESS:
            schema = json.loads(raw)
            needed = ", ".join(f"`{field}`" for field in schema["required"])
            elsewhere = ", ".join(schema["x-counterparts"])
            yield f"| `{name}` | {schema['description']} | {_key(schema['x-keys'][0])} | {needed} | {elsewhere} |"


def _key(rule: Mapping[str, Any]) -> str:
    issuers = rule.get("issuer") or []
    named = [f"`{issuer}`" for issuer in ([issuers] if isinstance(issuers, str) else issuers)]
    return f"`{rule['scheme']}`: `{rule['value']}`{' of ' + ', else '.join(named) if named else ''}"
