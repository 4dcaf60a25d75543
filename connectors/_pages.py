"""Pages: the request of each, and where the next one is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, unquote

import msgspec

from connectors import _rules
from connectors._bodies import BodyTemplate
from connectors._fetch_fields import CURSOR, LINK, OFFSET, PAGE
from connectors._links import next_link, path_of, without_parameter
from connectors._opening import Address
from connectors._request import RequestMaker, escaped, without_variables
from connectors._rules import Rule
from connectors.auth import Credentials
from connectors.base import PermanentError

WATERMARK = "watermark"
_NAMES = (WATERMARK, CURSOR, PAGE, OFFSET)
_NAME = re.compile(r"\{([^{}]*)\}")
_LONGEST_CURSOR = 10_000
_BODY_METHODS = {"GET": False, "POST": True}

Where = str | int | None  # a cursor, a path, the number of a page, an offset; None: the first page


class End:
    """There is no further page."""


END = End()


class PageRequest(msgspec.Struct, frozen=True):
    """What is asked for one page; ``path`` is with its query."""

    maker: RequestMaker
    path: str
    body: bytes


class Pages:
    """How the pages of one source are asked for. Raises PermanentError for settings that cannot be."""

    def __init__(
        self, fetch: Mapping[str, Any], address: Address, headers: Mapping[str, str], known: Credentials,
        proxy: Address | None,
    ) -> None:  # fmt: skip
        self._address, self._known, self._proxy = address, known, proxy
        self._headers = without_variables(headers)
        self._method, self._path = _split(str(fetch["request"]))
        paging = fetch.get("paging") or {}
        self.kind = str(paging.get("type") or "")
        self._next, self._more = paging.get("next"), paging.get("more")
        self.first: Where = {PAGE: int(paging.get("first", 1)), OFFSET: 0}.get(self.kind)
        self._body = BodyTemplate(fetch["body"], _NAMES, "fetch.body") if fetch.get("body") is not None else None
        self._parameter = str(paging.get("parameter") or "")
        self.used = frozenset(_NAME.findall(self._path)) | (self._body.used if self._body else frozenset())
        self._check()

    def _check(self) -> None:
        for name in _NAME.findall(self._path):
            if name not in _NAMES:
                raise PermanentError(f"fetch.request: '{{{name}}}' is not known here; write {{watermark}}, {{cursor}}, "
                                     "{page} or {offset}")  # fmt: skip
        if self._body is not None and not _BODY_METHODS[self._method]:
            raise PermanentError("fetch.body: GET has no body; write POST in request:, or take it out")
        kind = self.kind
        if kind in (CURSOR, PAGE, OFFSET) and kind not in self.used and not self._parameter:
            raise PermanentError(f"fetch.paging.parameter is missing: neither request nor body names {{{kind}}}")
        if kind == CURSOR and self._next is None:
            raise PermanentError("fetch.paging.next is missing: type cursor needs it, e.g. body.next_cursor")
        for name in sorted((self.used - {WATERMARK, kind}) & set(_NAMES)):
            raise PermanentError(f"fetch.request: {{{name}}} is used, and paging: is not of type {name}")
        if kind in (PAGE, OFFSET) and self._next is not None:
            raise PermanentError(f"fetch.paging.next: type {kind} does not need it; take it out, or write type: cursor")
        self.request(self.first, "")

    def request(self, where: Where, watermark: str, path: str = "") -> PageRequest:
        """The request for a page. ``path`` is an address of its own for the first one."""
        values = {WATERMARK: watermark, self.kind: where}
        if self.kind == LINK and isinstance(where, str):
            path = where
        address = replace(self._address, path="") if path else self._address
        path = path or self._filled(values)
        body = self._body.fill(values) if self._body is not None else b""
        maker = RequestMaker(
            self._method, address, escaped(path), "fetch.request", self._headers, self._known, proxy=self._proxy
        )
        return PageRequest(maker, f"{address.path}{path}", body)

    def _filled(self, values: Mapping[str, Where]) -> str:
        def value(found: re.Match[str]) -> str:
            given = values.get(found[1])
            return "" if given is None else quote(str(given), safe="")

        path, where = _NAME.sub(value, self._path), values.get(self.kind)
        if self._parameter and self.kind not in self.used and where is not None:
            path += f"{'&' if '?' in path else '?'}{quote(self._parameter, safe='')}={quote(str(where), safe='')}"
        return path

    def after(self, where: Where, facts: Mapping[str, Any], asked: str, count: int) -> Where | End:
        """Where the page is that comes after one with so many items. Raises PermanentError for what cannot be one."""
        if not self.kind:
            return END
        more = None if self._more is None else bool(value_of(self._more, "paging.more", facts))
        if more is False:
            return END
        if self.kind in (PAGE, OFFSET):
            if more is None and count == 0:
                return END
            assert isinstance(where, int)
            return where + (1 if self.kind == PAGE else count)
        said = (
            next_link(facts["headers"].get("link", ""))
            if self._next is None
            else value_of(self._next, "paging.next", facts)
        )
        if said in (None, ""):
            if more:
                raise PermanentError("paging.more says that there is another page, and paging.next not where")
            return END
        if isinstance(said, bool) or not isinstance(said, str | int) or len(str(said)) > _LONGEST_CURSOR:
            raise PermanentError(f"paging.next: expected a text or a whole number, got {type(said).__name__}")
        return self.path_to(str(said), asked) if self.kind == LINK else said

    def path_to(self, link: str, asked: str) -> str:
        """Path and query of an address that the answer to ``asked`` gave, less the key that it may have shown: that
        is added to every request, and kept nowhere. Raises PermanentError."""
        path, own = path_of(link, asked, self._address), unquote(self._known.query.partition("=")[0])
        return without_parameter(path, own) if own else path


def _split(request: str) -> tuple[str, str]:
    method, _, path = request.strip().partition(" ")
    if method not in _BODY_METHODS or not path.startswith(("/", "?")):
        raise PermanentError("fetch.request: expected GET or POST and a path, such as GET /orders?since={watermark}")
    return method, path.strip().replace(" ", "%20")


def value_of(rule: Rule, name: str, facts: Mapping[str, Any]) -> Any:
    """What an expression of the settings gives. Raises PermanentError where it does not fit."""
    value, trouble = _rules.value_of(rule, facts)
    if trouble:
        raise PermanentError(f"fetch.{name} does not fit the answer: {trouble}")
    return value
