"""What `o2c backtest` prints."""

from __future__ import annotations

import pytest

from hub.cli.backtest_text import say_report

NOTHING = {
    "subject": {"kind": "mapping", "name": "m", "file": "mappings/m.yaml"}, "counts": {"equal": 0, "changed": 0,
    "newly_failing": 0, "newly_fixed": 0, "still_failing": 0, "not_comparable": 0}, "messages": 0, "compared": 0,
    "window": {"since": "1969-12-25T00:00:00.001Z", "until": "1970-01-01T00:00:00.001Z"}, "changes": [],
    "newly_failing": [], "newly_fixed": [], "failing_otherwise": [], "not_comparable": [], "stale_approvals": [],
    "made_by": [], "hub_version": "1", "unapproved": 0,
}  # fmt: skip


def test_of_no_message_no_time_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    say_report(NOTHING, "")
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == "mapping m over 0 messages"
    assert "nothing was compared" in told.err
    say_report({**NOTHING, "messages": 2}, "")
    assert capsys.readouterr().out.splitlines()[0] == (
        "mapping m over 2 messages from 1969-12-25T00:00:00.001Z until 1970-01-01T00:00:00.001Z"
    )
