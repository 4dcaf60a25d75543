"""HTTP out: sends parcels to a system, many at a time, within its limits; looks up what is in doubt.

What it costs and why it is built so: docs/explanation/http-sender.md. What an answer means: connectors/_verdicts.py.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from connectors import _sender
from connectors._channel import Channel, Job, Limits
from connectors._opening import Address, Opener, address_of
from connectors._ration import Names
from connectors._request import RequestMaker
from connectors._tls import tls_context
from connectors._verdicts import Judge
from connectors.auth import AUTH, Credentials, credentials
from connectors.base import DOUBT, LATER, Field, Finished, Parcel, PermanentError, Verdict

_IDLE_SECONDS = {"native": 30.0, "lookup": 2.0, "none": 2.0}
_SOME_ADDRESS = "http://localhost"
_ANSWER_NAMES = ("status", "body", "headers")

FIELDS = (
    Field("base_url", "url", "Where the system is; a path in it comes before path:.", required=True),
    Field("path", "text", "The path of a delivery; {order_id} and other variables are filled in, percent-encoded.",
          default="", is_template=True),
    Field("method", "choice", "The method of a delivery.", default="POST", choices=("POST", "PUT", "PATCH", "DELETE")),
    Field("headers", "map", "Headers of every request; values may hold variables.", default={}, is_template=True,
          fields=(Field("", "text"),)),
    Field("content_type", "text", "The Content-Type, where it must differ from that of the format."),
    AUTH,
    Field(
        "idempotency", "group", "What the system offers against doing things twice.",
        fields=(
            Field("mode", "choice", "native: it knows the idempotency key; lookup: it can be asked; none: neither.",
                  default="none", choices=("native", "lookup", "none")),
            Field("header", "text", "native, lookup: the header of the key.", default="Idempotency-Key"),
            Field("format", "choice", "native, lookup: the key as it is, or in quotes (IETF draft).", default="plain",
                  choices=("plain", "quoted")),
            Field("request", "text", "lookup: the question, e.g. GET /sales?ref={key}.", is_template=True),
            Field("found", "expression", "lookup: whether the answer shows it; without it any 2xx does, 404 does not.",
                  names=_ANSWER_NAMES),
            Field("settle", "duration", "lookup: how long to wait before asking.", default=60.0),
        ),
    ),
    Field("success", "expression", "Whether an answer means success; without it any 2xx does.", names=_ANSWER_NAMES),
    Field("reference", "expression", "What the system calls what a delivery has made, e.g. body.id; kept with the "
          "delivery, and {reference} in a look-up.", names=_ANSWER_NAMES),
    Field("permanent", "expression", "Whether a failed answer is final, so that it is not tried again.",
          names=_ANSWER_NAMES),
    Field(
        "timeouts", "group", "How long to wait.",
        fields=(
            Field("connect", "duration", "For the connection: name, TCP, TLS.", default=5.0),
            Field("read", "duration", "For the whole answer, once connected.", default=30.0),
        ),
    ),
    Field(
        "limits", "group", "What the system bears.",
        fields=(
            Field("rate", "rate", "Requests a second, evenly spaced; without it any number."),
            Field("concurrency", "integer", "Requests at a time.", default=16),
            Field("wait", "duration", "The longest wait for a turn before a parcel is given back.", default=20.0),
            Field("headers", "group", "Where it tells what is left of its limit, if not in RateLimit.", fields=(
                Field("remaining", "text", "The header of how many requests are left, e.g. X-RateLimit-Remaining.",
                      required=True),
                Field("reset", "text", "The header of when more are allowed, e.g. X-RateLimit-Reset.", required=True),
                Field("reset_is", "choice", "What that header holds: seconds from now, or a time (Unix).",
                      default="seconds", choices=("seconds", "time")),
                Field("limit", "text", "The header of how many are allowed in all, e.g. X-RateLimit-Limit."),
            )),
        ),
    ),
    Field(
        "tls", "group", "TLS beyond the machine's own authorities.",
        fields=(
            Field("ca", "text", "File or folder of PEM certificates to trust instead."),
            Field("certificate", "text", "The client's certificate (PEM file)."),
            Field("key", "text", "The client's private key (PEM file), if not in the same file."),
            Field("password", "secret", "The private key's password."),
        ),
    ),
    Field("proxy", "address", "An HTTP proxy, http://host:3128; none without it, whatever the environment says."),
    Field("max_response", "size", "The largest answer that is read.", default=1_000_000),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything about a system that follows from its settings alone."""

    address: Address
    proxy: Address | None
    token_address: Address | None
    known: Credentials
    idempotency: Mapping[str, Any]
    maker: RequestMaker
    asker: RequestMaker | None


class HttpDestination:
    """One system over HTTP."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        plan = _plan(config)
        self._maker, self._asker = plan.maker, plan.asker
        limits, connect_seconds = _limits(config, str(plan.idempotency["mode"])), float(_timeouts(config)["connect"])
        secure = plan.address.secure or (plan.token_address is not None and plan.token_address.secure)
        tls = tls_context(config.get("tls")) if secure else None
        tokens = Opener(plan.token_address, tls, plan.proxy, connect_seconds) if plan.token_address else None
        judge = Judge(
            config.get("success"), config.get("permanent"), plan.idempotency["found"], config.get("reference")
        )
        self._answer_seconds = limits.wait_seconds + 2 * (connect_seconds + limits.read_seconds) + 1.0
        self._sender = _sender.acquire()
        self._channel = Channel(
            self._sender, Opener(plan.address, tls, plan.proxy, connect_seconds), judge, limits,
            plan.idempotency["mode"] == "native", plan.known.grant, tokens,
        )  # fmt: skip
        self._is_closed = False

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        """Send parcels; returns at once. ``finished`` runs on the sender's thread: it must not block there."""
        if self._is_closed:
            finished([(parcel, Verdict(LATER, "closing", "not sent: the system is closed")) for parcel in parcels])
            return
        now = time.monotonic()
        self._channel.submit([Job(parcel, finished, self._maker, now) for parcel in parcels])

    def look_up(self, parcel: Parcel) -> Verdict:
        """Whether the system already has this parcel's key. Waits for the answer, within the time-outs."""
        if self._asker is None:
            return Verdict(DOUBT, "no_look_up", "the system has no look-up: set idempotency.mode: lookup and request:")
        answered, verdicts = threading.Event(), list[Verdict]()

        def finished(batch: list[tuple[Parcel, Verdict]]) -> None:
            verdicts.extend(verdict for _, verdict in batch)
            answered.set()

        question = msgspec.structs.replace(parcel, body=b"")
        self._channel.submit([Job(question, finished, self._asker, time.monotonic(), looks_up=True)])
        if answered.wait(self._answer_seconds):
            return verdicts[0]
        return Verdict(LATER, "look_up_timeout", "the look-up cannot tell: it took too long")

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Other limits from now on; what is under way goes on."""
        self._channel.adjust(per_second, concurrency)

    def recall(self, verdict: Verdict) -> None:
        """Give back what is queued and has not started."""
        self._channel.recall(verdict)

    def check(self) -> list[str]:
        """Connects, and fetches a token where one is needed."""
        try:
            return self._sender.wait_for(self._channel.check(), self._answer_seconds)
        except TimeoutError:
            return ["no answer within the time-outs"]

    def close(self) -> None:
        """Finish what is under way, give back the rest as LATER, free every connection. Twice is harmless."""
        if self._is_closed:
            return
        self._is_closed = True
        self._sender.wait_for(self._channel.close(), self._answer_seconds)
        _sender.release()


def destination(config: Mapping[str, Any]) -> HttpDestination:
    """The system that ``config`` (in the shape of FIELDS) describes. Raises PermanentError for what cannot be."""
    return HttpDestination(config)


def lint(config: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings that cannot be, without any I/O. Where an address is a secret reference its
    stand-in is no address: it is looked at when the system is opened."""
    known = dict(config)
    if "://" not in str(known.get("base_url")):
        known["base_url"] = _SOME_ADDRESS
    if known.get("proxy") and "://" not in str(known["proxy"]):
        known["proxy"] = _SOME_ADDRESS
    auth = known.get("auth") or {}
    if auth.get("token_url") and "://" not in str(auth["token_url"]):
        known["auth"] = {**auth, "token_url": _SOME_ADDRESS}
    _plan(known)


def _plan(config: Mapping[str, Any]) -> Plan:
    address, proxy = address_of(str(config["base_url"]), "base_url"), _proxy_of(config.get("proxy"))
    if address.credentials:
        raise PermanentError("base_url: user and password do not belong here; write them into auth: {type: basic}")
    known = credentials(config.get("auth"))
    idempotency = _filled(config.get("idempotency"), "idempotency")
    token_address = address_of(known.grant.token_url, "auth.token_url") if known.grant else None
    return Plan(
        address, proxy, token_address, known, idempotency,
        _delivery_maker(config, address, known, idempotency, proxy),
        _look_up_maker(config, address, known, idempotency, proxy),
    )  # fmt: skip


def _proxy_of(url: Any) -> Address | None:
    proxy = address_of(str(url), "proxy") if url else None
    if proxy is not None and proxy.secure:
        raise PermanentError(
            "proxy: write http://, the way proxies are spoken to; https systems are reached through it"
        )
    return proxy


def _filled(group: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """A group of settings with its defaults."""
    fields = next(field for field in FIELDS if field.name == name).fields
    given = {key: value for key, value in (group or {}).items() if value is not None}
    return {field.name: given.get(field.name, field.default) for field in fields}


def _timeouts(config: Mapping[str, Any]) -> dict[str, float]:
    return _filled(config.get("timeouts"), "timeouts")


def _limits(config: Mapping[str, Any], mode: str) -> Limits:
    given = _filled(config.get("limits"), "limits")
    return Limits(
        concurrency=max(1, int(given["concurrency"])), per_second=float(given["rate"] or 0.0),
        wait_seconds=float(given["wait"]), read_seconds=float(_timeouts(config)["read"]),
        idle_seconds=_IDLE_SECONDS[mode], max_response=int(config.get("max_response") or 1_000_000),
        told_by=_names(given["headers"]),
    )  # fmt: skip


def _names(given: Mapping[str, Any] | None) -> Names | None:
    if not given:
        return None
    return Names(
        str(given["remaining"]), str(given["reset"]), str(given.get("limit") or ""), given.get("reset_is") == "time"
    )


def _delivery_maker(
    config: Mapping[str, Any], address: Address, known: Credentials, idempotency: Mapping[str, Any],
    proxy: Address | None,
) -> RequestMaker:  # fmt: skip
    # A receiver that is asked for the key later must have been told it.
    tells = idempotency["mode"] != "none"
    return RequestMaker(
        str(config.get("method") or "POST"), address, str(config.get("path") or ""), "path",
        config.get("headers") or {}, known, str(idempotency["header"]) if tells else "",
        idempotency["format"] == "quoted", proxy, str(config.get("content_type") or ""),
    )  # fmt: skip


def _look_up_maker(
    config: Mapping[str, Any], address: Address, known: Credentials, idempotency: Mapping[str, Any],
    proxy: Address | None,
) -> RequestMaker | None:  # fmt: skip
    if idempotency["mode"] != "lookup":
        return None
    method, _, path = str(idempotency["request"] or "").strip().partition(" ")
    if method not in ("GET", "POST") or not path.startswith(("/", "?")):
        raise PermanentError("idempotency.request: expected a method and a path, such as GET /sales?ref={key}")
    return RequestMaker(method, address, path, "idempotency.request", config.get("headers") or {}, known, proxy=proxy)
