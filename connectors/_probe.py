"""A request that changes nothing, by which ``o2c doctor`` sees whether a system lets us in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from connectors._answer import Answer
from connectors._bodies import BodyTemplate
from connectors._opening import Address
from connectors._request import RequestMaker, escaped, without_variables
from connectors._verdicts import is_html, weighed_page
from connectors.auth import Credentials
from connectors.base import DELIVERED, LATER, Parcel, PermanentError, Verdict

_NOTHING = Parcel("probe", "probe", b"")
_NO_NAMES = ("(?!)",)  # nothing in braces is filled in


class Probe:
    """The request, and what its answer means. Raises PermanentError for settings that cannot be."""

    def __init__(
        self, settings: Mapping[str, Any], address: Address, headers: Mapping[str, str], known: Credentials,
        proxy: Address | None,
    ) -> None:  # fmt: skip
        self.line = str(settings["request"]).strip()
        method, _, path = self.line.partition(" ")
        body = settings.get("body")
        if method not in ("GET", "POST") or not path.startswith(("/", "?")):
            raise PermanentError("probe.request: expected a method and a path, such as GET /me")
        if body is not None and method == "GET":
            raise PermanentError("probe.body: GET has no body; write POST in request:, or take it out")
        around = None if body is None else BodyTemplate(body, _NO_NAMES, "probe.body")
        self._maker = RequestMaker(
            method, address, escaped(path), "probe.request", without_variables(headers), known, proxy=proxy,
            around=around,
        )  # fmt: skip
        self._success: Callable[..., Any] | None = settings.get("success")

    @property
    def parcel(self) -> Parcel:
        return _NOTHING

    def make(self, parcel: Parcel, now_epoch: float) -> tuple[bytes, bytes]:
        return self._maker.make(parcel, now_epoch)

    def weigh(self, answer: Answer, seconds: float, now_epoch: float) -> Verdict:
        """DELIVERED where the system lets us in."""
        verdict = weighed_page(answer, self._success, "probe.success", seconds, now_epoch)
        if verdict.kind == DELIVERED and is_html(answer.body, verdict.response_type):
            detail = f"the system answered {answer.status} with a page for people, expected one for programs"
            return msgspec.structs.replace(verdict, kind=LATER, code="html_page", detail=detail)
        return verdict

    def sentence(self, verdict: Verdict) -> str:
        """What is wrong by this verdict, and where to look; empty when nothing is."""
        if verdict.kind == DELIVERED:
            return ""
        where = "auth:" if verdict.status in (401, 403) else "base_url: and probe:" if verdict.status else "timeouts:"
        expected = "" if 200 <= verdict.status < 300 else ", expected a 2xx"
        return f"{self.line}: {verdict.detail}{expected}; see {where}"
