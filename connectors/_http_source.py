"""What is fetched over HTTP: page after page, each item stored before it counts, and how far it was read kept with the
hub. A crash, whenever it comes, makes some items come again, and none be missed: those are known by their ids."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors import _sender
from connectors._answer import Answer
from connectors._channel import Job
from connectors._http_plan import Plan, headers_of, open_channel
from connectors._items import Item, Items
from connectors._pages import END, WATERMARK, End, PageRequest, Pages, Where, value_of
from connectors._verdicts import Judge, weighed_page
from connectors._watermark import Mark, Watermark, kept
from connectors.base import (
    DELIVERED,
    DOUBT,
    LATER,
    STOPPED,
    Incoming,
    Memory,
    Parcel,
    PermanentError,
    StoppedError,
    TransientError,
    Verdict,
)

Accept = Callable[[Incoming], None]
_EXPIRED = {400, 404, 410, 422}  # how a system says that it does not know a place in its pages any more


class Progress(msgspec.Struct, omit_defaults=True):
    """How far it was read. ``watermark`` is what is asked from; ``reached`` the highest of a round that is under way,
    which has begun at ``began`` and goes on at ``where`` with page ``page``, as it stood at ``at``. ``plan`` tells
    other settings apart."""

    start: str = ""
    watermark: str = ""
    delta: str = ""
    reached: str = ""
    where: Where = None
    page: int = 0
    at: float = 0.0
    began: float = 0.0
    plan: str = ""
    rounds: int = 0  # read to their end, where items are not dated


class Settings:
    """What ``fetch:`` says, checked. Raises PermanentError for settings that cannot be."""

    def __init__(self, config: Mapping[str, Any], plan: Plan) -> None:
        fetch: Mapping[str, Any] = config["fetch"]
        marked, paging = fetch.get("watermark"), fetch.get("paging") or {}
        self.watermark = Watermark(marked) if marked else None
        self.pages = Pages(fetch, plan.address, headers_of(config), plan.known, plan.proxy)
        self.items = Items(fetch, str(config.get("event") or ""), self.watermark)
        self.delta: Callable[..., Any] | None = fetch.get("delta")
        self.success: Callable[..., Any] | None = fetch.get("success")
        self.later: Callable[..., Any] | None = config.get("later")
        self.most_pages = int(paging.get("most_pages") or 1000)
        self.keep_seconds = float(paging.get("keep") or 3600.0)
        self.max_page = int(fetch.get("max_page") or 20_000_000)
        self.digest = _digest(config, fetch)
        if self.watermark is not None and WATERMARK not in self.pages.used and self.delta is None:
            raise PermanentError("fetch.watermark: neither request nor body names {watermark}, so it changes nothing")
        if self.watermark is None and WATERMARK in self.pages.used:
            raise PermanentError("fetch.request: {watermark} is used; write watermark: {value: item.…, start: …}")
        if self.delta is not None and self.pages.kind not in ("", "link"):
            raise PermanentError("fetch.delta: it needs paging: {type: link}, or none")


class HttpSource:
    """One system that is asked again and again."""

    def __init__(self, config: Mapping[str, Any], plan: Plan, now: Callable[[], float] = time.time) -> None:
        self._settings, self._now = Settings(config, plan), now
        plan.prepare()
        self._memory: Memory | None = None
        self._saved = b""
        self._sender = _sender.acquire()
        try:
            self._channel, self._answer_seconds = open_channel(
                self._sender, config, plan, Judge(None, None, None), max_response=self._settings.max_page
            )
        except BaseException:
            _sender.release()
            raise
        self._is_closed = False
        self.is_over = True
        self._closing = threading.Lock()

    def remember(self, memory: Memory) -> None:
        """Where it is kept how far things were read."""
        self._memory = memory

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Other limits from the next page on."""
        self._channel.adjust(per_second, concurrency)

    def settle(self, reference: str, failed: bool) -> None:
        """Nothing is filed away: the system keeps what it has."""

    def fetch(self, accept: Accept) -> int:
        """One round, from where the last one ended, or was broken off. Raises StoppedError where the system does not
        let us in, TransientError where it cannot be read now, PermanentError for what a person has to look at."""
        self.is_over = False
        progress, taken = self._begun(), 0
        seen: set[Where] = set()
        before: list[str] = []
        troubles: list[str] = []
        for _ in range(self._settings.most_pages):
            if self._is_closed:
                break
            request = self._request(progress)
            page = self._page(request, progress)
            facts = self._settings.items.facts(page)
            found = self._settings.items.of(page, facts, self._now())
            ids = [item.incoming.dedupe_id for item in found]
            if found and ids == before:
                raise self._going_round(progress, f"page {progress.page + 1} has the same items as the one before")
            taken += self._take(found, progress, accept, troubles)
            after = self._after(progress, facts, request, len(found))
            seen.add(progress.where)
            if after is not END and after in seen:
                raise self._going_round(progress, f"page {progress.page + 1} leads back to a page that was read before")
            before = ids
            if isinstance(after, End):
                self._end(progress, facts, request, troubles)
                self.is_over = True
                break
            progress.where, progress.page, progress.at = after, progress.page + 1, self._now()
            self._save(progress)
        else:
            if not taken:
                many = f"{self._settings.most_pages:,} pages in a row have no items, and each leads to another"
                raise PermanentError(f"{many}; a round within paging.keep goes on there; see paging: of this system")
        return taken

    def close(self) -> None:
        """Break off what is under way after the page in hand. Twice is harmless."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self._sender.wait_for(self._channel.close(), self._answer_seconds)
        _sender.release()

    # -- how far ---------------------------------------------------------------------------------------------------

    def _begun(self) -> Progress:
        """Where to go on. A place in the middle of pages is good for a while, and for the same settings."""
        try:
            content = self._memory.load() if self._memory is not None else b""
            progress = msgspec.json.decode(content, type=Progress) if content else Progress()
            self._saved = content
        except msgspec.MsgspecError:
            raise PermanentError("what is kept of how far it was read cannot be understood by this version") from None
        settings, start = self._settings, self._settings.watermark.start if self._settings.watermark else ""
        if progress.start != start:
            progress = Progress(start=start, rounds=progress.rounds)
        if progress.plan != settings.digest:
            progress.plan, progress.delta = settings.digest, ""
            self._start_over(progress)
        if progress.where is not None and not 0 <= self._now() - progress.at <= settings.keep_seconds:
            self._start_over(progress)
        if progress.where is None:
            progress.began = self._now()
        return progress

    def _start_over(self, progress: Progress) -> None:
        progress.where, progress.page, progress.reached, progress.at = None, 0, "", 0.0

    def _save(self, progress: Progress) -> None:
        content = msgspec.json.encode(progress)
        if self._memory is not None and content != self._saved:
            self._memory.save(content)
            self._saved = content

    def _end(self, progress: Progress, facts: Mapping[str, Any], request: PageRequest, troubles: list[str]) -> None:
        """All pages are stored: the next round begins behind them."""
        settings, delta = self._settings, ""
        if settings.delta is not None and not troubles:
            said = value_of(settings.delta, "delta", facts)
            delta = settings.pages.path_to(said, request.path) if isinstance(said, str) and said else ""
        progress.rounds += not settings.items.are_dated
        if troubles:
            self._start_over(progress)
            self._save(progress)
            more = f" ({len(troubles)} such items)" if len(troubles) > 1 else ""
            raise PermanentError(f"{troubles[0]}{more}; all items are taken in, but it is not kept how far it was read")
        if settings.watermark is not None and progress.reached:
            reached = settings.watermark.known(progress.reached)
            assert reached is not None
            progress.watermark = kept(self._higher(settings.watermark.known(progress.watermark), reached, progress))
        progress.delta = delta or progress.delta
        self._start_over(progress)
        self._save(progress)

    def _higher(self, one: Mark | None, other: Mark, progress: Progress) -> Mark:
        assert self._settings.watermark is not None
        return self._settings.watermark.higher(one, other, progress.began)

    def _take(self, found: list[Item], progress: Progress, accept: Accept, troubles: list[str]) -> int:
        watermark = self._settings.watermark
        number = 0 if self._settings.items.are_dated else progress.rounds + 1
        for item in found:
            accept(replace(item.incoming, round=number))
            if item.trouble:
                troubles.append(item.trouble)
            if watermark is not None and item.mark is not None:
                progress.reached = kept(self._higher(watermark.known(progress.reached), item.mark, progress))
        return len(found)

    # -- pages -----------------------------------------------------------------------------------------------------

    def _request(self, progress: Progress) -> PageRequest:
        settings = self._settings
        asked = settings.watermark.asked(settings.watermark.known(progress.watermark)) if settings.watermark else ""
        where = settings.pages.first if progress.where is None else progress.where
        return settings.pages.request(where, asked, progress.delta if progress.where is None else "")

    def _after(self, progress: Progress, facts: Mapping[str, Any], request: PageRequest, count: int) -> Where | End:
        where = self._settings.pages.first if progress.where is None else progress.where
        return self._settings.pages.after(where, facts, request.path, count)

    def _page(self, request: PageRequest, progress: Progress) -> Verdict:
        verdict = self._ask(request)
        if verdict.kind == DELIVERED:
            return verdict
        if self._is_closed:
            raise TransientError("it was broken off, for the hub stops or its settings have changed", code="closing")
        number = f"page {progress.page + 1}: " if progress.page else ""
        detail = f"{number}{verdict.detail}"
        if verdict.kind == STOPPED:
            raise StoppedError(detail)
        if verdict.kind in (LATER, DOUBT) and verdict.status not in _EXPIRED:
            raise TransientError(detail, verdict.retry_after_seconds, verdict.code, verdict.status)
        if verdict.status in _EXPIRED and (progress.where is not None or progress.delta):
            # It may not know this place any more: then the next round begins with the first page.
            progress.delta = ""
            self._start_over(progress)
            self._save(progress)
            detail += "; the next round begins with the first page"
        raise PermanentError(detail)

    def _ask(self, request: PageRequest) -> Verdict:
        answered, verdicts = threading.Event(), list[Verdict]()

        def finished(batch: list[tuple[Parcel, Verdict]]) -> None:
            verdicts.extend(verdict for _, verdict in batch)
            answered.set()

        def weigh(answer: Answer, seconds: float, now_epoch: float) -> Verdict:
            settings = self._settings
            return weighed_page(answer, settings.success, "fetch.success", seconds, now_epoch, settings.later)

        parcel = Parcel("fetch", "fetch", request.body)
        job = Job(parcel, finished, request.maker, time.monotonic(), looks_up=True, weigh=weigh)
        with self._closing:
            if self._is_closed:
                return Verdict(LATER, "closing")
            self._channel.submit([job])
        if answered.wait(self._answer_seconds):
            return verdicts[0]
        return Verdict(LATER, "read_timeout", "no complete answer came within the time-outs")

    def _going_round(self, progress: Progress, how: str) -> PermanentError:
        """The same over and over: what was read is stored, and it is not kept as read."""
        self._start_over(progress)
        self._save(progress)
        return PermanentError(f"the pages go round: {how}; see paging: of this system")


def _digest(config: Mapping[str, Any], fetch: Mapping[str, Any]) -> str:
    """What tells other settings apart, of those that a place in the pages belongs to."""
    paging = fetch.get("paging") or {}
    told = [
        config.get("base_url"),
        fetch.get("request"),
        *(paging.get(name) for name in ("type", "parameter", "first")),
    ]
    return hashlib.sha256(msgspec.json.encode(told, enc_hook=str)).hexdigest()[:16]
