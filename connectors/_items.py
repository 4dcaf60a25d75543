"""The items of a page: which they are, what tells one from another, and how far they reach."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from connectors._exact import decode
from connectors._extract import extractor
from connectors._pages import WATERMARK, value_of
from connectors._verdicts import is_html
from connectors._versions import asked_at, is_open, second_of
from connectors._watermark import Mark, Watermark
from connectors.base import Incoming, PermanentError, Verdict

_encode = msgspec.json.Encoder(decimal_format="number").encode
_LONGEST_ID = 200


class Item(msgspec.Struct, frozen=True):
    """One item: as the hub takes it in, its mark, and what does not fit of it."""

    incoming: Incoming
    mark: Mark | None = None
    trouble: str = ""


class Items:
    """Takes pages apart. Raises PermanentError for settings that cannot be."""

    def __init__(self, fetch: Mapping[str, Any], system_event: str, watermark: Watermark | None) -> None:
        self._list: Callable[..., Any] | None = fetch.get("items")
        self._id, self._version = fetch.get("id"), fetch.get("version")
        self._mark = (fetch.get("watermark") or {}).get("value")
        self._watermark = watermark
        # Where the system dates its items, one that is as it was before the last time is an old answer and no change.
        self.are_dated = watermark is not None or self._version is not None
        event = str(fetch.get("event") or system_event or "")
        self._event = extractor(event, "fetch.event") if event else None
        for name in ("id", "version", "watermark", "paging"):
            if self._list is None and fetch.get(name):
                raise PermanentError(f"fetch.items is missing: {name}: is of a list of items, e.g. items: body.orders")

    def facts(self, page: Verdict) -> dict[str, Any]:
        """What expressions see of a page. Raises PermanentError for an answer that is no document."""
        html = is_html(page.response, page.response_type)
        body: Any = None
        try:
            body = decode(page.response) if not html else None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if self._list is not None:
                raise PermanentError(f"{_answered(page)}, which is no JSON that could be read") from None
        if html:
            raise PermanentError(f"{_answered(page)}, a page for people and no document")
        return {"status": page.status, "body": body, "headers": page.headers}

    def of(self, page: Verdict, facts: Mapping[str, Any], now: float) -> list[Item]:
        """The items of a page that came just now, in their order. Raises PermanentError where there is no list."""
        if self._list is None:
            return [self._document(page)] if page.response.strip() else []
        found = value_of(self._list, "items", facts)
        if not isinstance(found, list):
            seen = {type(None): "nothing", dict: "an object", str: "text"}.get(type(found), "a value")
            raise PermanentError(f"fetch.items: expected a list, got {seen}; {_answered(page)}")
        asked = asked_at(page, now)
        return [self._item(each, page, place, asked) for place, each in enumerate(found, 1)]

    def _document(self, page: Verdict) -> Item:
        return Item(self._incoming(page.response, "", (f"sha256:{_hash(page.response)}", ""), page, "document"))

    def _item(self, item: Any, page: Verdict, place: int, asked: float) -> Item:
        content, troubles = _encode(item), list[str]()

        def told(rule: Callable[..., Any] | None, name: str) -> Any:
            try:
                return None if rule is None else value_of(rule, name, {"item": item})
            except PermanentError as error:
                troubles.append(str(error))
                return None

        name, version = _plain(told(self._id, "id")), told(self._version, "version")
        if self._id is not None and not name and not troubles:
            troubles.append("fetch.id gives nothing")
        mark = None
        if self._watermark is not None:
            try:
                mark = self._watermark.read(told(self._mark, f"{WATERMARK}.value"))
            except ValueError as error:
                troubles.append(f"fetch.watermark.value: {error}")
        trouble = f"item {place} of a page: {troubles[0]}" if troubles else ""
        told_apart = f"{name}@{_plain(version) or _hash(content)}" if name else f"sha256:{_hash(content)}"
        thing = name if name and not self.are_dated else told_apart
        ids = (told_apart, "")
        if name and (second := second_of(version)) is not None:
            by_content = f"{told_apart}:{_hash(content)}"
            ids = (by_content, told_apart) if is_open(second, asked) else (told_apart, by_content)
        return Item(self._incoming(content, name, ids, page, thing), mark, trouble)

    def _incoming(self, content: bytes, name: str, ids: tuple[str, str], page: Verdict, thing: str) -> Incoming:
        event = self._event(page.headers, content) if self._event is not None else ""
        kind = page.response_type if self._list is None else "application/json"
        return Incoming(
            name=name, chunks=(content,), reference="", dedupe_id=f"http:{ids[0]}", event=event or "",
            content_type=kind, size=len(content), item=f"http:{thing}", other_id=f"http:{ids[1]}" if ids[1] else "",
        )  # fmt: skip


def _plain(value: Any) -> str:
    """A text or number as one that tells things apart; long ones by their hash."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return ""
    text = str(value)
    return text if len(text) <= _LONGEST_ID else _hash(text.encode())


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _answered(page: Verdict) -> str:
    kind = page.response_type.partition(";")[0].strip()[:60] or "no content type"
    return f"the system answered {page.status} with {len(page.response)} bytes of {kind}"
