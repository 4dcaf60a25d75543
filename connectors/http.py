"""HTTP out: sends parcels to a system, many at a time, within its limits; looks up what is in doubt; fetches from it.

What it costs and why it is built so: docs/explanation/http-sender.md. What an answer means: connectors/_verdicts.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from connectors import _sender
from connectors._channel import Job, Weigh
from connectors._http_fields import FIELDS
from connectors._http_plan import Plan, open_channel, plan_of
from connectors._http_source import HttpSource, Settings
from connectors._rehearsal import HttpRehearsal
from connectors._request import Maker
from connectors._verdicts import Judge
from connectors.base import ABSENT, DOUBT, FOUND, LATER, REFUSED, Finished, Parcel, PermanentError, Verdict

__all__ = ["FIELDS", "HttpDestination", "HttpSource", "destination", "lint", "rehearsal", "source"]

_SOME_ADDRESS = "http://localhost"
_CLOSED = Verdict(LATER, "closing", "not sent: the system is closed")
_NOTHING_TO_ASK = Verdict(REFUSED, "no_fetch_back", "the system has no fetch_back: any more")


class HttpDestination:
    """One system over HTTP."""

    def __init__(self, config: Mapping[str, Any], judge: Judge | None = None) -> None:
        """``judge`` gives the verdicts instead of the rules of ``config``."""
        self._plan = plan_of(config)
        self._plan.prepare()
        self._sender = _sender.acquire()
        try:
            self._channel, self._answer_seconds = open_channel(
                self._sender, config, self._plan, judge or _judge(config, self._plan)
            )
        except BaseException:
            _sender.release()
            raise
        self._is_closed = False
        self._closing = threading.Lock()

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        """Send parcels; returns at once. ``finished`` runs on the sender's thread: it must not block there."""
        if self._plan.asks_first:
            self._ask_first([parcel for parcel in parcels if not parcel.fetches_back], finished)
            parcels = [parcel for parcel in parcels if parcel.fetches_back]
        now = time.monotonic()
        jobs = [self._job(parcel, finished, now) for parcel in parcels]
        self._hand_over([job for job in jobs if job is not None])

    def _hand_over(self, jobs: Sequence[Job]) -> None:
        """Give jobs to the channel, unless it is closed meanwhile: then nobody would take them from there."""
        with self._closing:
            if not self._is_closed:
                self._channel.submit(jobs)
                return
        for job in jobs:
            job.finished([(job.parcel, _CLOSED)])

    def _job(self, parcel: Parcel, finished: Finished, now: float) -> Job | None:
        if not parcel.fetches_back:
            return Job(parcel, finished, self._plan.maker, now)
        if (back := self._plan.fetch_back) is None:
            self._sender.call(lambda: finished([(parcel, _NOTHING_TO_ASK)]))
            return None
        return Job(parcel, finished, back, now, looks_up=True, weigh=back.weigh)

    def _ask_first(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        """Send only what the system does not have yet."""
        asker, now, by_id = self._plan.asker, time.monotonic(), {parcel.delivery_id: parcel for parcel in parcels}
        assert asker is not None

        def asked(batch: list[tuple[Parcel, Verdict]]) -> None:
            told = [(by_id[question.delivery_id], verdict) for question, verdict in batch]
            absent = [parcel for parcel, verdict in told if verdict.kind == ABSENT]
            known = [(parcel, _not_sent(parcel, verdict)) for parcel, verdict in told if verdict.kind != ABSENT]
            if known:
                finished(known)
            later = time.monotonic()
            self._hand_over([Job(parcel, finished, self._plan.maker, later) for parcel in absent])

        questions = [asker.question(parcel) for parcel in parcels]
        self._hand_over([Job(question, asked, asker, now, looks_up=True) for question in questions])

    def look_up(self, parcel: Parcel) -> Verdict:
        """Whether the system already has this parcel's key. Waits for the answer, within the time-outs."""
        if self._plan.asker is None:
            return Verdict(DOUBT, "no_look_up", "the system has no look-up: set idempotency.mode: lookup and request:")
        return self._asked(self._plan.asker.question(parcel), self._plan.asker)

    def ask(self, question: Parcel) -> Verdict:
        """The verdict of a look-up that is made like a delivery. Waits for the answer, within the time-outs."""
        return self._asked(question, self._plan.maker)

    def _asked(self, question: Parcel, maker: Maker, weigh: Weigh | None = None) -> Verdict:
        answered, verdicts = threading.Event(), list[Verdict]()

        def finished(batch: list[tuple[Parcel, Verdict]]) -> None:
            verdicts.extend(verdict for _, verdict in batch)
            answered.set()

        self._hand_over([Job(question, finished, maker, time.monotonic(), looks_up=True, weigh=weigh)])
        if answered.wait(self._answer_seconds):
            return verdicts[0]
        return Verdict(LATER, "look_up_timeout", "the look-up cannot tell: it took too long")

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Other limits from now on; what is under way goes on."""
        self._channel.adjust(per_second, concurrency)

    def recall(self, verdict: Verdict) -> None:
        """Give back what is queued and has not started."""
        self._channel.recall(verdict)

    def tries(self) -> str:
        return self._plan.tries()

    def check(self) -> list[str]:
        """Connects, fetches a token where one is needed, makes the request of ``probe:`` where there is one."""
        try:
            faults = self._sender.wait_for(self._channel.check(), self._answer_seconds)
        except TimeoutError:
            return ["no answer within the time-outs"]
        if faults or (probe := self._plan.probe) is None:
            return faults
        sentence = probe.sentence(self._asked(probe.parcel, probe, probe.weigh))
        return [sentence] if sentence else []

    def close(self) -> None:
        """Finish what is under way, give back the rest as LATER, free every connection. Twice is harmless."""
        with self._closing:
            if self._is_closed:
                return
            self._is_closed = True
        self._sender.wait_for(self._channel.close(), self._answer_seconds)
        _sender.release()


def _not_sent(parcel: Parcel, verdict: Verdict) -> Verdict:
    """What became of a parcel that was not sent, for it was asked for first."""
    if verdict.kind == FOUND:
        return msgspec.structs.replace(verdict, code="found_before", detail="it was there already, and was not sent")
    if verdict.kind == DOUBT and not parcel.settling:
        return msgspec.structs.replace(verdict, kind=REFUSED, detail=f"not sent: {verdict.detail}")
    return msgspec.structs.replace(verdict, detail=f"not sent: {verdict.detail.removeprefix('not sent: ')}")


def destination(config: Mapping[str, Any]) -> HttpDestination:
    """The system that ``config`` (in the shape of FIELDS) describes. Raises PermanentError for what cannot be."""
    return HttpDestination(config)


def source(config: Mapping[str, Any]) -> HttpSource:
    """What is fetched from the system. Raises PermanentError for what cannot be."""
    return HttpSource(config, plan_of(config).asking())


def rehearsal(config: Mapping[str, Any], judge: Judge | None = None) -> HttpRehearsal:
    """The system without a network, for tests of routes. An address that is a stand-in for a secret reference gives
    another. Raises PermanentError for what cannot be."""
    plan = plan_of(_with_addresses(config))
    return HttpRehearsal(plan.maker, plan.asker, judge or _judge(config, plan))


def lint(config: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings that cannot be, without any I/O. Where an address is a secret reference its
    stand-in is no address: it is looked at when the system is opened."""
    if (limits := config.get("limits")) and limits.get("concurrency") == 0:
        raise PermanentError("limits.concurrency: expected 1 or more, got 0")
    for name, seconds in (config.get("timeouts") or {}).items():
        if seconds == 0:
            raise PermanentError(f"timeouts.{name}: expected a wait above zero, such as 5s")
    plan = plan_of(_with_addresses(config))
    if config.get("fetch"):
        Settings(config, plan.asking())


def _with_addresses(config: Mapping[str, Any]) -> dict[str, Any]:
    known = dict(config)
    if "://" not in str(known.get("base_url")):
        known["base_url"] = _SOME_ADDRESS
    if known.get("proxy") and "://" not in str(known["proxy"]):
        known["proxy"] = _SOME_ADDRESS
    auth = known.get("auth") or {}
    if auth.get("token_url") and "://" not in str(auth["token_url"]):
        known["auth"] = {**auth, "token_url": _SOME_ADDRESS}
    return known


def _judge(config: Mapping[str, Any], plan: Plan) -> Judge:
    found = plan.idempotency["found"]
    return Judge(config.get("success"), config.get("permanent"), found, config.get("reference"), config.get("later"))
