"""The line at fault with a mark below what is wrong in it, as it is shown under a fault; never a secret."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from hub.errors import Fault

_WIDEST = 110
_SECRET = re.compile(r"secret|password")
_UNKNOWN_KEY = re.compile(r"unknown key '([^']+)'")


def with_excerpts(faults: Iterable[Fault], files: Mapping[str, bytes]) -> list[Fault]:
    """The faults, each with its line where there is one. A line that holds a secret, or may hold one, is not shown."""
    found = list(faults)
    hidden = {(fault.file, fault.line) for fault in found if _SECRET.search(fault.message)}
    lines: dict[str, list[str]] = {}
    return [
        fault if (fault.file, fault.line) in hidden else replace(fault, excerpt=_excerpt(fault, files, lines))
        for fault in found
    ]


def _excerpt(fault: Fault, files: Mapping[str, bytes], lines: dict[str, list[str]]) -> str:
    if fault.file not in lines:
        lines[fault.file] = files.get(fault.file, b"").decode("utf-8-sig", "replace").splitlines()
    if not 0 < fault.line <= len(lines[fault.file]):
        return ""
    line, column, width = lines[fault.file][fault.line - 1], max(fault.column, 1) - 1, fault.width
    key = _UNKNOWN_KEY.match(fault.message)
    if key and fault.file.startswith("config/"):  # what stands after a misspelt key may be a secret
        line, width = f"{line[: column + len(key[1])]}: …", len(key[1])
    return _marked(line, column, width)


def _marked(line: str, column: int, width: int) -> str:
    """A long line is shown around the fault. Tabs stay, so that the mark stands where it should."""
    line = "".join(sign if sign.isprintable() or sign == "\t" else "�" for sign in line)
    start = max(0, min(column - _WIDEST // 2, len(line) - _WIDEST)) if len(line) > _WIDEST else 0
    shown = f"{'…' if start else ''}{line[start : start + _WIDEST]}{'…' if start + _WIDEST < len(line) else ''}"
    before = ("…" if start else "") + line[start:column]
    blank = "".join("\t" if sign == "\t" else " " for sign in before)
    marks = "^" * max(1, min(width, len(line) - column, start + _WIDEST - column))
    return f"    {shown}\n    {blank}{marks}"
