"""What is approved stays approved by field and kind; what is not, or what approves nothing, is told."""

from __future__ import annotations

from typing import Any

import pytest

from hub.backtest.approvals import Approvals, read_approvals
from hub.errors import ProjectError


def report(*changes: tuple[str, str, str], failing: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    return {
        "subject": {"name": "order-in"},
        "changes": [{"part": part, "path": path, "kind": kind, "count": 3} for part, path, kind in changes],
        "newly_failing": [{"part": "message", "count": 1, "error": error} for error in failing],
    }


FAULT = {
    "class": "mapping", "code": "null", "step": "map", "field_path": "seller.name", "file": "m.yaml", "line": 7,
    "detail": "seller.name is missing",
}  # fmt: skip
TWO = report(("canonical", "buyer.name", "changed"), ("canonical", "lines[].tax", "added"), failing=(FAULT,))


def approved(text: str) -> Approvals:
    return read_approvals(text, "order-in.approved", "order-in")


def test_without_approvals_every_difference_is_unapproved() -> None:
    judged = Approvals().judge(TWO)
    assert judged["unapproved"] == 3
    assert [change["approved"] for change in judged["changes"]] == [False, False]


def test_what_is_written_approves_just_that() -> None:
    known = approved(Approvals().text_for(TWO))
    assert known.judge(TWO)["unapproved"] == 0
    assert known.judge(TWO)["stale_approvals"] == []


def test_another_kind_of_difference_at_an_approved_field_is_not_approved() -> None:
    known = approved(Approvals().text_for(TWO))
    judged = known.judge(report(("canonical", "buyer.name", "removed"), ("canonical", "lines[].tax", "added")))
    assert judged["unapproved"] == 1
    assert {"part": "canonical", "path": "buyer.name", "kind": "changed"} in judged["stale_approvals"]


def test_an_approved_change_does_not_approve_that_the_field_fails() -> None:
    known = approved(Approvals().text_for(report(("message", "seller.name", "changed"))))
    assert known.judge(report(failing=(FAULT,)))["unapproved"] == 1


def test_a_fault_stays_approved_when_its_line_moves() -> None:
    known = approved(Approvals().text_for(report(failing=(FAULT,))))
    assert known.judge(report(failing=({**FAULT, "line": 99, "detail": "other words"},)))["unapproved"] == 0


def test_how_often_a_difference_occurs_does_not_matter() -> None:
    known = approved(Approvals().text_for(TWO))
    more = report(("canonical", "buyer.name", "changed"), ("canonical", "lines[].tax", "added"), failing=(FAULT,))
    more["changes"][0]["count"] = 30_000
    assert known.judge(more)["unapproved"] == 0


def test_reasons_are_kept_when_the_file_is_written_again() -> None:
    text = Approvals().text_for(TWO).replace('"kind": "added"}', '"added"}').replace(
        'path: "lines[].tax", kind: "added"}', 'path: "lines[].tax", kind: "added", reason: "the new tax, OPS-7"}'
    )  # fmt: skip
    assert 'reason: "the new tax, OPS-7"' in approved(text).text_for(TWO)


def test_texts_that_yaml_would_read_otherwise_come_back_as_they_were() -> None:
    odd = report(("canonical", "'a: b'.#c", "changed"), ("x, y", "yes", "added"), ("ü", "null", "removed"))
    assert approved(Approvals().text_for(odd)).judge(odd)["unapproved"] == 0


def test_a_report_without_differences_is_an_empty_list() -> None:
    text = Approvals().text_for(report())
    assert text.endswith("approved: []\n")
    assert approved(text).reasons == {}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("approved: []\n", "order-in.approved:1:1: error: backtest: expected 'order-in'"),
        ("backtest: other\napproved: []\n", "order-in.approved:1:11: error: backtest: expected 'order-in', whose "
         "approvals these should be, got 'other'"),
        ("backtest: order-in\n", "approved: expected a list of differences; write approved: [] for none"),
        ("backtest: order-in\naproved: []\n", "2:10: error: unknown key 'aproved'; did you mean 'approved'?"),
        ("backtest: order-in\napproved: [x]\n", "2:12: error: expected {part: …, path: …, kind: …}"),
        ("backtest: order-in\napproved:\n  - {part: canonical, path: a}\n", "3:5: error: kind: is missing; an "
         "approval names part, path, kind"),
        ("backtest: order-in\napproved:\n  - {part: canonical, path: a, kind: added, pth: b}\n",
         "unknown key 'pth'; did you mean 'path'?"),
        ("backtest: order-in\napproved: [\n", "order-in.approved:"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ProjectError) as raised:
        approved(text)
    assert told in str(raised.value)
