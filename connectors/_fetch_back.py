"""What a webhook only tells of, fetched: the request is made of fields of the webhook's body."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from connectors._answer import Answer
from connectors._extract import as_sent, extractor, field_values, text_of
from connectors._opening import Address
from connectors._request import RequestMaker, Unmakeable, escaped, without_variables
from connectors._rules import Rule
from connectors._verdicts import is_html, weighed_page
from connectors.auth import Credentials
from connectors.base import DELIVERED, LATER, REFUSED, STOPPED, Parcel, PermanentError, Verdict

_NAME = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"[^.\s{}*]+(\.[^.\s{}*]+)*")
_LONGEST = 500  # of a field: anybody may post a webhook that needs no proof
_MOST_DENIED = 10  # in a row, with none given in between: then it is not the documents


class FetchBack:
    """The request, and what its answer means. Raises PermanentError for settings that cannot be."""

    def __init__(
        self, settings: Mapping[str, Any], address: Address, headers: Mapping[str, str], known: Credentials,
        proxy: Address | None, later: Rule | None = None,
    ) -> None:  # fmt: skip
        method, _, self._path = str(settings["request"]).strip().partition(" ")
        if method != "GET" or not self._path.startswith("/"):
            raise PermanentError("fetch_back.request: expected GET and a path, such as GET /v2/payments/{id}")
        if settings.get("event"):
            extractor(str(settings["event"]), "fetch_back.event")
        names = _NAME.findall(self._path)
        if not names or not all(_FIELD.fullmatch(name) for name in names):
            raise PermanentError(
                "fetch_back.request: expected fields of the webhook's body in it, such as {id} or {data.id}"
            )
        self._address, self._known, self._proxy = address, known, proxy
        self._headers = without_variables(headers)
        self._success: Callable[..., Any] | None = settings.get("success")
        self._later, self._denied = later, 0
        self._maker(_NAME.sub("1", self._path))

    def _maker(self, path: str) -> RequestMaker:
        return RequestMaker(
            "GET", self._address, escaped(path), "fetch_back.request", self._headers, self._known, proxy=self._proxy
        )

    def make(self, parcel: Parcel, now_epoch: float) -> tuple[bytes, bytes]:
        """The request for what this webhook tells of. Raises Unmakeable where it does not tell it."""
        notice = as_sent(parcel.body)

        def value(found: re.Match[str]) -> str:
            text = next((text for each in field_values(notice, found[1]) if (text := text_of(each))), None)
            if text in (None, ".", ".."):
                detail = f"fetch_back.request needs the field '{found[1]}', which the webhook does not have"
                raise Unmakeable("missing_variable", detail)
            if len(str(text)) > _LONGEST:
                detail = f"the field '{found[1]}' of the webhook has {len(str(text)):,} characters; at most {_LONGEST} "
                raise Unmakeable("bad_variable", f"{detail}go into an address")
            return quote(str(text), safe="")

        try:
            path = _NAME.sub(value, self._path)
        except UnicodeError:
            raise Unmakeable("bad_variable", "a field of the webhook is not valid Unicode") from None
        return self._maker(path).make(parcel, now_epoch)

    def weigh(self, answer: Answer, seconds: float, now_epoch: float) -> Verdict:
        """Whether the answer is the document. A 403 is of this one document, for a webhook may tell of what we may not
        see; many in a row stop the system."""
        verdict = weighed_page(answer, self._success, "fetch_back.success", seconds, now_epoch, self._later)
        self._denied = self._denied + 1 if verdict.kind == STOPPED and answer.status == 403 else 0
        kind, code, detail = verdict.kind, verdict.code, verdict.detail
        if kind == DELIVERED and is_html(answer.body, verdict.response_type):
            kind, code, detail = LATER, "html_page", f"the system answered {answer.status} with a page for people"
        elif self._denied:
            kind = REFUSED if self._denied < _MOST_DENIED else STOPPED
        elif kind != REFUSED:
            return verdict
        told = f"what the webhook tells of could not be fetched: {detail}"
        if self._denied >= _MOST_DENIED:
            told, self._denied = f"{detail} to {self._denied} webhooks in a row", 0
        return msgspec.structs.replace(verdict, kind=kind, code=code, detail=told)
