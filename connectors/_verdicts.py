"""What an HTTP exchange means for a delivery: the system's own rules first, then the table of status codes.

rule ``success:`` true             delivered
rule ``permanent:`` true           refused
rule ``later:`` true               later
2xx                                delivered; in doubt when ``success:`` says no, or the answer is not whole, or a page
                                   for people and nothing says what success is
425, 429, 503                      later; 429 and 503 may pause the whole system; Retry-After wins, up to 24 h
408, 5xx                           doubt (501 and 505: refused)
401, 403; 410                      the system is stopped
3xx and every other 4xx            refused: redirects are not followed
not connected                      later; certificate: stopped
sent, then silence or a closed connection   doubt
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import msgspec

from connectors._answer import Answer, Failure
from connectors._exact import decode
from connectors._rules import Rule, holds, reference_of
from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Verdict

MAX_RETRY_AFTER_SECONDS = 86_400.0
_LATER = {425, 429, 503}
_SLOW_DOWN = {429, 503}
_STOPPED = {401: "credentials_refused", 403: "access_denied", 407: "proxy_refused", 410: "gone"}
_NEVER = {501, 505}
_NO_ANSWER = {400, 405, 406, 409, 411, 413, 414, 415, 422, 501}  # a question that the system does not understand
_CUT = {
    "response_too_large": "the answer is larger than max_response",
    "answer_cut": "the connection was closed before the answer was complete",
}


class Judge:
    """Gives the verdict on the answers of one system by its rules ``success``, ``permanent``, ``later``, ``found``."""

    def __init__(
        self, success: Rule | None, permanent: Rule | None, found: Rule | None, reference: Rule | None = None,
        later: Rule | None = None,
    ) -> None:  # fmt: skip
        self._success, self._permanent, self._found, self._reference = success, permanent, found, reference
        self._later = later

    def of_delivery(self, answer: Answer, seconds: float, now_epoch: float) -> Verdict:
        """What became of a delivery that was answered."""
        kind, code, detail = self._decide(answer)
        wait = retry_after(answer.headers.get("retry-after", ""), now_epoch) if kind == LATER else None
        return Verdict(
            kind, code, detail, answer.status, answer.body, answer.headers.get("content-type", ""), answer.headers,
            wait, kind == LATER and answer.status in _SLOW_DOWN, seconds, self._reference_in(answer),
        )  # fmt: skip

    def _decide(self, answer: Answer) -> tuple[str, str, str]:
        if self._success is None and self._permanent is None and self._later is None:
            return _without_success(answer)
        facts = _facts(answer)
        succeeded, trouble = holds(self._success, facts)
        if succeeded and not answer.cut:
            return DELIVERED, "", ""
        if self._permanent is not None and holds(self._permanent, facts)[0]:
            return REFUSED, f"http_{answer.status}", f"{_said(answer)}; the rule permanent: calls that final"
        if self._later is not None and holds(self._later, facts)[0]:
            return _for_later(answer)
        if self._success is not None and not answer.cut and 200 <= answer.status < 300:
            return DOUBT, "error_in_success", f"{_said(answer)}, but the rule success: does not hold{trouble}"
        return _without_success(answer)

    def _reference_in(self, answer: Answer) -> str:
        """What the receiver calls the thing; nothing where the rule does not fit the answer."""
        return "" if self._reference is None or answer.cut else reference_of(self._reference, _facts(answer))

    def of_look_up(self, answer: Answer, seconds: float, now_epoch: float, sent: bytes = b"") -> Verdict:
        """What a look-up found: FOUND, ABSENT, STOPPED for bad credentials, LATER: it cannot tell now, or DOUBT: the
        question or the rule does not fit the system, so it will never tell. ``sent`` is the document in question."""
        status = answer.status
        if status in (401, 403, 407):
            return Verdict(STOPPED, _STOPPED[status], _said(answer), status, answer.body, seconds=seconds)
        if answer.cut or not (200 <= status < 300 or status in (404, 410)):
            wait = retry_after(answer.headers.get("retry-after", ""), now_epoch)
            detail = f"the look-up cannot tell: {_said(answer)}{_because(answer)}"
            kind = DOUBT if status in _NO_ANSWER else LATER
            return Verdict(kind, answer.cut or f"http_{status}", detail, status, answer.body,
                           retry_after_seconds=wait, slow_down=status in _SLOW_DOWN, seconds=seconds)  # fmt: skip
        return self._found_or_not(answer, seconds, sent)

    def _found_or_not(self, answer: Answer, seconds: float, sent: bytes) -> Verdict:
        found, trouble = answer.status < 300, ""
        if self._found is None and found and is_html(answer.body):
            detail = f"the look-up cannot tell: {_said(answer)} with a page for people; write found: for what shows it"
            return Verdict(DOUBT, "html_page", detail, answer.status, answer.body, seconds=seconds)
        if self._found is not None:
            found, trouble = holds(self._found, {**_facts(answer), "sent": body_value(sent)})
        if trouble and answer.status < 300:
            detail = f"the look-up cannot tell: the rule found: does not fit the answer{trouble}"
            return Verdict(DOUBT, "rule_failed", detail, answer.status, answer.body, seconds=seconds)
        said = self._reference_in(answer) if found else ""
        return Verdict(FOUND if found else ABSENT, "", "", answer.status, answer.body, seconds=seconds, reference=said)


def weighed_page(
    answer: Answer, success: Rule | None, setting: str, seconds: float, now_epoch: float, later: Rule | None = None
) -> Verdict:
    """Whether an answer is a page of what is fetched: DELIVERED, LATER, STOPPED or REFUSED; a question has no effect
    that could be in doubt."""
    is_later = later is not None and holds(later, _facts(answer))[0]
    kind, code, detail = _for_later(answer) if is_later else _by_status(answer)
    if answer.status == 410:
        kind, code = REFUSED, "http_410"  # of this place in the pages, not of the system
    elif kind == DOUBT:
        kind = REFUSED if answer.cut == "response_too_large" else LATER
    elif kind == DELIVERED and success is not None:
        succeeded, trouble = holds(success, _facts(answer))
        if not succeeded:
            detail = f"{_said(answer)}, but the rule {setting}: does not hold{trouble}"
            kind, code = REFUSED, "error_in_success"
    wait = retry_after(answer.headers.get("retry-after", ""), now_epoch) if kind == LATER else None
    return Verdict(
        kind, code, detail, answer.status, answer.body, answer.headers.get("content-type", ""), answer.headers, wait,
        kind == LATER and answer.status in _SLOW_DOWN, seconds,
    )  # fmt: skip


def is_html(body: bytes, content_type: str = "") -> bool:
    """Whether an answer is a page for people, as servers give it when something is wrong, whatever the status says."""
    return "html" in content_type.lower() or body[:200].lstrip().lower().startswith((b"<!doctype html", b"<html"))


def of_failure(failure: Failure, seconds: float, looks_up: bool = False) -> Verdict:
    """What became of a delivery, or of a look-up, that was not answered."""
    kind = STOPPED if failure.stopped else DOUBT if failure.sent and not looks_up else LATER
    return Verdict(kind, failure.code, failure.detail, seconds=seconds)


def retry_after(value: str, now_epoch: float) -> float | None:
    """Seconds that a Retry-After header asks for (RFC 9110, 10.2.3: seconds or a date), at most 24 hours. None for no
    time, or one that is over by the hub's clock: how long to wait is the policy's then."""
    value = value.strip()
    if value.isascii() and value.isdigit():
        return min(float(value[:12]), MAX_RETRY_AFTER_SECONDS) or None
    moment = date_of(value)
    if moment is None:
        return None
    seconds = (moment - datetime.fromtimestamp(now_epoch, UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS) or None


def date_of(value: str) -> datetime | None:
    """The date that a header says (RFC 9110, 5.6.7); None where it says none."""
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def body_value(body: bytes) -> Any:
    """A body as a rule sees it: JSON with exact decimals, else text."""
    try:
        return decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return body.decode("utf-8", "replace")


def _facts(answer: Answer) -> dict[str, Any]:
    return {"status": answer.status, "body": body_value(answer.body), "headers": answer.headers}


def _by_status(answer: Answer) -> tuple[str, str, str]:
    status = answer.status
    if 200 <= status < 300:
        return (DOUBT, answer.cut, f"{_said(answer)}{_because(answer)}") if answer.cut else (DELIVERED, "", "")
    return _kind_of(status), _STOPPED.get(status, f"http_{status}"), f"{_said(answer)}{_advice(answer)}"


def _without_success(answer: Answer) -> tuple[str, str, str]:
    """By the status, where no rule says what success is. A page for people says that it did not come to whom it was
    sent to: a login, a proxy, a server that is being repaired."""
    kind, code, detail = _by_status(answer)
    if kind == DELIVERED and is_html(answer.body):
        return (
            DOUBT,
            "html_page",
            f"{_said(answer)} with a page for people; where that is its way, write success: status < 300",
        )
    return kind, code, detail


def _for_later(answer: Answer) -> tuple[str, str, str]:
    return LATER, f"http_{answer.status}", f"{_said(answer)}; the rule later: calls that for later"


def _kind_of(status: int) -> str:
    if status in _LATER:
        return LATER
    if status in _STOPPED:
        return STOPPED
    if status == 408 or (status >= 500 and status not in _NEVER):
        return DOUBT
    return REFUSED


def _said(answer: Answer) -> str:
    try:
        phrase = f" {HTTPStatus(answer.status).phrase}"
    except ValueError:
        phrase = ""
    return f"the system answered {answer.status}{phrase}"


def _because(answer: Answer) -> str:
    return f", but {_CUT[answer.cut]}" if answer.cut else ""


def _advice(answer: Answer) -> str:
    if 300 <= answer.status < 400:
        return "; redirects are not followed: write the address it points to into base_url or path"
    if answer.status == 407:
        return "; that is the proxy's: see proxy:"
    wait = answer.headers.get("retry-after", "")
    return f"; it asks to wait: Retry-After {wait[:40]}" if wait and answer.status in _LATER else ""
