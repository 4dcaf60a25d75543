"""A back-test's report for people: how much is the same, then each difference with its samples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.cli.terminal import complain, counted, plain, say

_WORDS = {
    "equal": "equal", "changed": "changed", "newly_failing": "newly failing", "newly_fixed": "newly fixed",
    "still_failing": "still failing", "not_comparable": "not comparable",
}  # fmt: skip


def say_report(found: Mapping[str, Any], approvals: str) -> None:
    """The whole report; ``approvals`` is the file that says what is meant, '' for none."""
    subject, counts = found["subject"], found["counts"]
    window = found["window"]
    span = f" from {window['since']} until {window['until']}" if found["messages"] else ""
    say(f"{subject['kind']} {subject['name']} over {counted(found['messages'], 'message')}{span}")
    say("  " + ", ".join(f"{counts[name]} {word}" for name, word in _WORDS.items() if counts[name] or name == "equal"))
    for change in found["changes"]:
        _say_change(change)
    for title, name in (
        ("newly failing", "newly_failing"), ("newly fixed", "newly_fixed"), ("failing otherwise", "failing_otherwise"),
    ):  # fmt: skip
        for fault in found[name]:
            _say_fault(title, fault)
    for left in found["not_comparable"]:
        say(f"not comparable  {left['count']}: {plain(left['detail'])}")
    _complain(found, approvals)


def _say_change(change: Mapping[str, Any]) -> None:
    mark = "  (approved)" if change["approved"] else ""
    say(f"{change['kind']}  {plain(change['part'])}  {plain(change['path'])}: {change['count']}{mark}")
    for sample in change["samples"]:
        before, after = sample["before"], sample["after"]
        shown = " -> ".join(plain(side) for side in (before, after) if side is not None)
        say(f"    {sample['message_id']}  {shown}")


def _say_fault(title: str, fault: Mapping[str, Any]) -> None:
    error, mark = fault["error"], "  (approved)" if fault.get("approved") else ""
    place = f"{error['file']}:{error.get('line', 0)}:{error.get('column', 0)}: " if error.get("file") else ""
    say(f"{title}  {plain(fault['part'])}: {fault['count']}{mark}")
    say(f"    {place}{error['class']}: {plain(error['detail'])}")
    if error.get("hint"):
        say(f"    {plain(error['hint'])}")
    for message_id in fault["message_ids"]:
        say(f"    {message_id}")


def _complain(found: Mapping[str, Any], approvals: str) -> None:
    for stale in found["stale_approvals"]:
        said = ", ".join(f"{name}: {value}" for name, value in stale.items())
        complain(f"{approvals}: nothing of this is found any more, take it out: {said}")
    if not found["compared"]:
        why = "no message of that time, or none of them is comparable"
        complain(
            f"nothing was compared: {why}; --since reaches further back, --allow-empty ends with exit 0 all the same"
        )
    versions = sorted(set(found["made_by"]) - {found["hub_version"]})
    if versions:
        complain(f"some were made by o2c-hub {', '.join(versions)}; this is {found['hub_version']}")
    if found["unapproved"]:
        approve = f"{found['subject']['file'].removesuffix('.yaml')}.approved"
        complain(f"{counted(found['unapproved'], 'difference')} not approved; if all are meant: --approve {approve}")
