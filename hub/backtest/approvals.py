"""Differences that somebody has looked at and means: a reviewed file beside the mapping or route, part of its history.

A difference is approved by where it is and of what kind, never by how often: an approved change of a field stays
approved with other messages, the same field failing does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from hub.errors import Fault, ProjectError
from hub.yamldoc import Node, did_you_mean, read_yaml

SUFFIX = ".approved"
_CHANGE = ("part", "path", "kind")
_FAULT = ("part", "path", "kind", "step", "class", "code")
_FAILING = "failing"
_HEADER = """# Differences of a back-test that are meant. Written by o2c backtest --approve; review it like code.
# Say why with a reason: to each; it is kept when the file is written again.
"""

Key = tuple[tuple[str, str], ...]


class Approvals(msgspec.Struct, frozen=True):
    """The approved differences of one mapping or route, each with its reason."""

    reasons: Mapping[Key, str] = msgspec.field(default_factory=dict)

    def judge(self, report: Mapping[str, Any]) -> dict[str, Any]:
        """The report with ``approved`` at every difference, ``unapproved`` in all, and the approvals it has no use for
        (``stale_approvals``)."""
        changes = [{**change, "approved": _of_change(change) in self.reasons} for change in report["changes"]]
        failing = [{**fault, "approved": _of_fault(fault) in self.reasons} for fault in report["newly_failing"]]
        used = {*map(_of_change, changes), *map(_of_fault, failing)}
        stale = [dict(key) for key in self.reasons if key not in used]
        unapproved = sum(not each["approved"] for each in (*changes, *failing))
        return {
            **report, "changes": changes, "newly_failing": failing, "unapproved": unapproved, "stale_approvals": stale,
        }  # fmt: skip

    def text_for(self, report: Mapping[str, Any]) -> str:
        """The file that approves every difference of a report; what is approved already keeps its reason."""
        keys = [*map(_of_change, report["changes"]), *map(_of_fault, report["newly_failing"])]
        lines = [_HEADER + f"backtest: {_scalar(report['subject']['name'])}", "approved:" if keys else "approved: []"]
        for key in sorted(set(keys)):
            said = [*key, *([("reason", self.reasons[key])] if self.reasons.get(key) else [])]
            lines.append("  - {" + ", ".join(f"{name}: {_scalar(value)}" for name, value in said) + "}")
        return "\n".join(lines) + "\n"


def read_approvals(text: str, file: str, subject: str) -> Approvals:
    """What a file approves. Raises ProjectError with every fault of it."""
    node, faults = read_yaml(text, file)
    faults = [fault for fault in faults if fault.severity == "error"]
    fields = node.value if isinstance(node.value, dict) else {}
    faults += _unknown(fields, ("backtest", "approved"), node)
    named, listed = fields.get("backtest"), fields.get("approved")
    if not faults and (named is None or named.text != subject):
        seen = f"'{named.text}'" if named else "nothing"
        faults.append(
            _fault(named or node, f"backtest: expected '{subject}', whose approvals these should be, got {seen}")
        )
    entries = listed.value if listed is not None else None
    if not faults and not isinstance(entries, list):
        faults.append(_fault(listed or node, "approved: expected a list of differences; write approved: [] for none"))
    reasons: dict[Key, str] = {}
    for entry in entries if isinstance(entries, list) else ():
        _read_entry(entry, reasons, faults)
    if faults:
        raise ProjectError(faults)
    return Approvals(reasons)


def _read_entry(entry: Node, reasons: dict[Key, str], faults: list[Fault]) -> None:
    if not isinstance(entry.value, dict):
        faults.append(_fault(entry, "expected {part: …, path: …, kind: …}"))
        return
    said = {name: node.text for name, node in entry.value.items() if isinstance(node, Node)}
    wanted = _FAULT if said.get("kind") == _FAILING else _CHANGE
    faults += _unknown(entry.value, (*wanted, "reason"), entry)
    missing = [name for name in wanted if name not in said]
    if missing:
        faults.append(_fault(entry, f"{missing[0]}: is missing; an approval names {', '.join(wanted)}"))
    reasons[tuple((name, said.get(name, "")) for name in wanted)] = said.get("reason", "")


def _unknown(fields: Mapping[str, Any], known: Sequence[str], node: Node) -> list[Fault]:
    places = {name: value if isinstance(value, Node) else node for name, value in fields.items()}
    return [
        _fault(places[name], f"unknown key '{name}'{did_you_mean(name, known)}") for name in fields if name not in known
    ]


def _fault(node: Node, message: str) -> Fault:
    return Fault(node.file, node.line, node.column, message)


def _of_change(change: Mapping[str, Any]) -> Key:
    return tuple((name, str(change[name])) for name in _CHANGE)


def _of_fault(fault: Mapping[str, Any]) -> Key:
    """Where a fault is in the document tells it from others, not the line in a file that is being edited."""
    error = fault["error"]
    said = {
        "part": fault["part"], "path": error.get("field_path", ""), "kind": _FAILING, "step": error.get("step", ""),
        "class": error.get("class", ""), "code": error.get("code", ""),
    }  # fmt: skip
    return tuple((name, str(said[name])) for name in _FAULT)


def _scalar(text: str) -> str:
    """A text as YAML, in quotes."""
    return msgspec.json.encode(text).decode()
