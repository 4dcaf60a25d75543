"""What documents, answers and connectors say is data: no control character of it reaches the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from hub.cli import doctor, documents, messages, partners
from hub.cli.message_text import message_lines
from hub.cli.terminal import complain
from hub.errors import DocumentFault

SAID = "red \x1b[31m and \x9b0m\r"
SHOWN = "red �[31m and �0m�"
ERROR = {
    "class": "mapping_failed", "code": "lookup_missing", "detail": SAID, "value_excerpt": SAID, "expected": SAID,
    "hint": SAID, "field_path": "lines[0].unit",
}  # fmt: skip


def message() -> Iterable[str]:
    delivery = {"target": "erp", "state": "dead", "delivery_id": "d", "error": ERROR}
    attempt = {"delivery_id": "d", "started_at": "12:00", "number": 1, "outcome": "dead", "status": 422, "code": "x"}
    effect = {"delivery_id": "d", "state": "unknown", "look_ups": 0, "key": "k", "reference": SAID}
    finding = {"code": "no_reply", "detail": SAID}
    yield from message_lines({
        "message_id": "m", "state": "dead", "event": SAID, "keys": [f"order:{SAID}"], "error": ERROR,
        "deliveries": [delivery], "attempts": [{**attempt, "detail": SAID}], "effects": [effect],
        "findings": [finding], "messages": [], "replays": [], "payloads": [], "replay": {"replayable": True},
    })  # fmt: skip


def issue() -> Iterable[str]:
    return messages._issue_lines(
        {"count": 1, "error": ERROR, "first_seen": "12:00", "examples": [SAID], "command": f"o2c replay {SAID}"}
    )


@pytest.mark.parametrize(("lines", "times"), [(message, 12), (issue, 6)])
def test_a_message_and_a_cause_are_told_plain(lines: Callable[[], Iterable[str]], times: int) -> None:
    told = list(lines())
    assert all(line.isprintable() for line in told)
    assert "\n".join(told).count(SHOWN) == times


INTERCHANGE: dict[str, Any] = {
    "interchange": "7", "stamped_at": 0.0, "type": "ORDERS", "state": "sent", "ack": "", "document": SAID,
    "answer": "rejected", "delivery_id": "d",
}  # fmt: skip


@pytest.mark.parametrize(
    "tell",
    [
        lambda: doctor._say_findings([doctor.Finding("system erp", "warning", SAID)], False),
        lambda: partners._say_interchanges([INTERCHANGE], False),
        lambda: documents._say_document_faults([DocumentFault("lines[0]", "enum", SAID)], False),
        lambda: complain(f"o2c: {SAID}"),
    ],
)
def test_commands_tell_what_others_say_plain(tell: Callable[[], None], capsys: pytest.CaptureFixture[str]) -> None:
    tell()
    told = "".join(capsys.readouterr())
    assert SHOWN in told and told.removesuffix("\n").isprintable()


def test_a_word_about_a_result_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    complain("one\n  two")
    assert capsys.readouterr().err == "one\n  two\n"
