"""The table of verdicts, without a network."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from connectors._answer import Answer, Failure
from connectors._rate import Rate
from connectors._verdicts import Judge, body_value, of_failure, retry_after, weighed_page
from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED

NOW = 1_772_700_000.0  # 2026-03-05T08:40:00Z


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", None), ("120", 120), (" 120 ", 120), ("86401", 86400), ("9" * 400, 86400),
     ("", None), ("-1", None), ("1.5", None),
     ("Thu, 05 Mar 2026 08:41:00 GMT", 60), ("Thursday, 05-Mar-26 08:41:00 GMT", 60), ("Thu Mar  5 08:41:00 2026", 60),
     ("Thu, 05 Mar 2026 08:00:00 GMT", None), ("Thu, 05 Mar 2026 09:41:00 +0100", 60),
     ("Fri, 06 Mar 9999 00:00:00 GMT", 86400),
     ("Thu, 05 Mar 2026 08:41:00 +9999999999", None), ("soon", None), ("٣٠", None), (",", None)],
)  # fmt: skip
def test_retry_after_in_all_its_forms(value: str, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds


@pytest.mark.parametrize(
    ("body", "value"),
    [(b'{"a": 0.1}', {"a": Decimal("0.1")}), (b"[1]", [1]), (b"1", 1), (b"", ""), (b"OK", "OK"), (b"\xff", "�"),
     (b'{"a": 1', '{"a": 1'), (b"1e%d" % 10**18, "1e1000000000000000000"), (b"[-1E-%d]" % 10**19, f"[-1E-{10**19}]"),
     (b"[" * 100_000, "[" * 100_000), (b'"\xc3\xa4"', "ä")],
)  # fmt: skip
def test_a_body_is_json_with_exact_decimals_or_text(body: bytes, value: Any) -> None:
    assert body_value(body) == value


FAILURES = [
    (Failure("connect_refused", ""), LATER), (Failure("read_timeout", "", sent=True), DOUBT),
    (Failure("certificate_invalid", "", stopped=True), STOPPED),
]  # fmt: skip


@pytest.mark.parametrize(("failure", "kind"), FAILURES)
def test_what_did_not_go_out_is_for_later_and_what_did_is_in_doubt(failure: Failure, kind: str) -> None:
    assert of_failure(failure, 1.5).kind == kind
    assert of_failure(failure, 1.5).seconds == 1.5
    assert of_failure(failure, 1.5, looks_up=True).kind == (STOPPED if failure.stopped else LATER)


def rule(holds: bool) -> Any:
    return lambda **facts: holds


RULES: list[tuple[int, bool | None, bool | None, str]] = [
    (200, None, None, DELIVERED), (200, True, None, DELIVERED), (200, False, None, DOUBT), (200, False, True, REFUSED),
    (200, False, False, DOUBT), (200, None, True, REFUSED), (200, True, True, DELIVERED), (409, True, None, DELIVERED),
    (409, False, None, REFUSED), (500, None, True, REFUSED), (500, None, False, DOUBT), (500, True, None, DELIVERED),
    (503, False, True, REFUSED), (503, False, False, LATER), (401, False, False, STOPPED), (302, True, None, DELIVERED),
]  # fmt: skip


@pytest.mark.parametrize(("status", "success", "permanent", "kind"), RULES)
def test_the_rules_of_a_system_decide_first(
    status: int, success: bool | None, permanent: bool | None, kind: str
) -> None:
    rules = [None if value is None else rule(value) for value in (success, permanent)]
    verdict = Judge(rules[0], rules[1], None).of_delivery(Answer(status, {}, b""), 0.0, NOW)
    assert verdict.kind == kind


@pytest.mark.parametrize(
    ("status", "success", "permanent", "kind"),
    [(200, False, None, LATER), (409, None, None, LATER), (200, True, None, DELIVERED), (200, False, True, REFUSED)],
)
def test_what_a_system_says_to_come_again_with_is_for_later(
    status: int, success: bool | None, permanent: bool | None, kind: str
) -> None:
    rules = [None if value is None else rule(value) for value in (success, permanent)]
    verdict = Judge(rules[0], rules[1], None, None, rule(True)).of_delivery(Answer(status, {}, b""), 0.0, NOW)
    assert (verdict.kind, verdict.slow_down) == (kind, False)


def test_a_page_that_is_for_later_stops_no_system() -> None:
    answer = Answer(403, {}, b'[{"errorCode": "REQUEST_LIMIT_EXCEEDED"}]')
    for later, kind in ((None, STOPPED), (rule(False), STOPPED), (rule(True), LATER)):
        assert weighed_page(answer, None, "fetch.success", 0.0, NOW, later).kind == kind


PAGE = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"


@pytest.mark.parametrize(
    ("success", "permanent", "kind", "code"),
    [(None, None, DOUBT, "html_page"), (None, False, DOUBT, "html_page"), (True, None, DELIVERED, ""),
     (False, None, DOUBT, "error_in_success"), (None, True, REFUSED, "http_200")],
)  # fmt: skip
def test_a_page_for_people_is_no_success_unless_a_rule_says_so(
    success: bool | None, permanent: bool | None, kind: str, code: str
) -> None:
    rules = [None if value is None else rule(value) for value in (success, permanent)]
    verdict = Judge(rules[0], rules[1], None).of_delivery(Answer(200, {}, PAGE), 0.0, NOW)
    assert (verdict.kind, verdict.code) == (kind, code)
    said = Answer(200, {"content-type": "text/html"}, b"OK")  # as scripts answer that say nothing of it
    assert Judge(None, None, None).of_delivery(said, 0.0, NOW).kind == DELIVERED


def test_a_page_for_people_does_not_show_that_a_delivery_is_there() -> None:
    for found, kind in ((None, DOUBT), (rule(True), FOUND), (rule(False), ABSENT)):
        assert Judge(None, None, found).of_look_up(Answer(200, {}, PAGE), 0.0, NOW).kind == kind


def test_an_answer_that_is_not_whole_is_never_success() -> None:
    for code, why in (("answer_cut", "closed before the answer was complete"), ("response_too_large", "max_response")):
        cut = Answer(200, {}, b"", code)
        for success in (None, rule(True), rule(False)):
            verdict = Judge(success, rule(False), None, None, rule(False)).of_delivery(cut, 0.0, NOW)
            assert (verdict.kind, verdict.code) == (DOUBT, code)
            assert why in verdict.detail


def test_no_detail_holds_the_body_or_a_header() -> None:
    for status in range(200, 600):
        answer = Answer(status, {"x": "s3cret", "location": "s3cret"}, b"s3cret")
        assert "s3cret" not in Judge(None, None, None).of_delivery(answer, 0.0, NOW).detail
        assert "s3cret" not in Judge(None, None, None).of_look_up(answer, 0.0, NOW).detail


def test_a_rate_spaces_requests_evenly_and_lets_a_late_timer_catch_up_a_little() -> None:
    rate, sent = Rate(10.0), []
    moment = 100.0
    while len(sent) < 20:
        moment += rate.wait_seconds(moment) + 0.003  # every timer rings 3 ms late
        rate.take(moment)
        sent.append(moment)
    assert all(later - earlier > 0.09 for earlier, later in pairwise(sent))
    assert sent[-1] - sent[0] < 1.92
    assert rate.wait_seconds(moment + 60) == 0.0
    rate.take(moment + 60)
    assert rate.wait_seconds(moment + 60) > 0.08, "a quiet minute saves nothing up"
