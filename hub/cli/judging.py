"""How a verdict on an XML document is told: a table of its faults, or JSON."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from hub.cli.terminal import complain, counted, say_json, say_table
from hub.profiles.judge import Verdict


def say_verdict(verdict: Verdict, file: Path, as_json: bool) -> bool:
    """Say all of it; whether the document is valid."""
    if as_json:
        faults = [{name: value for name, value in asdict(f).items() if name != "quoted"} for f in verdict.faults]
        told = {"profile": verdict.profile, "valid": verdict.is_valid, "judged_by": verdict.judged_by}
        counts = {"errors": verdict.errors, "total": verdict.total, "more": verdict.more, "is_cut": verdict.is_cut}
        say_json({**told, **counts, "faults": faults})
        return verdict.is_valid
    if verdict.faults:
        columns = ("line", "severity", "rule", "what is wrong", "where")
        rows = [(_place(f.line, f.column), f.severity, f.rule, f.message, f.xpath) for f in verdict.faults]
        say_table(columns, rows)
    _sum_up(verdict, file)
    return verdict.is_valid


def _place(line: int, column: int) -> str:
    return f"{line}:{column}" if column else str(line or "")


def _sum_up(verdict: Verdict, file: Path) -> None:
    if verdict.more:
        complain(f"and {'at least ' if verdict.is_cut else ''}{verdict.more} more")
    others = verdict.total - verdict.errors
    warnings = f", {counted(others, 'warning or note')}" if others else ""
    if verdict.is_valid:
        complain(f"{file}: valid against {verdict.profile}{warnings}")
    else:
        complain(f"{file}: not valid against {verdict.profile}: {counted(verdict.errors, 'error')}{warnings}")
    if verdict.judged_by:
        complain(f"judged by {', '.join(verdict.judged_by)}")
