"""SOAP: calls the operations of a service that a WSDL describes, and takes calls in at ``/soap/<system>``.

What is sent goes by the connector http: its limits, time-outs, TLS and credentials are those of here. An envelope is
made at each try; what it calls, its values and its MessageID are the same each time.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec

from connectors import http
from connectors._request import Unmakeable, literal, variables_of
from connectors._soap_door import Asked, Endpoint, Refused, unproved
from connectors._soap_fields import FIELDS
from connectors._soap_proofs import Verifier, replayed
from connectors._soap_requests import Envelopes, filled
from connectors._soap_security import Security
from connectors._soap_service import Operation, Service, service_of
from connectors._soap_values import Unfit
from connectors._soap_verdicts import Rules, SoapJudge
from connectors.base import (
    DELIVERED,
    DOUBT,
    LATER,
    REFUSED,
    Finished,
    Parcel,
    PermanentError,
    Rehearsed,
    Said,
    Verdict,
)

__all__ = [
    "DOOR", "FIELDS", "Asked", "Endpoint", "Refused", "Verifier", "destination", "inspect", "lint", "rehearsal",
    "replayed", "unproved",
]  # fmt: skip

DOOR = "soap"  # what this connector receives comes to /soap/<system>
_CARRIED = ("auth", "timeouts", "limits", "tls", "proxy", "max_response", "secrets")  # what http is told as it is
_SOME_ADDRESS = "http://localhost"
_CLOSED = Verdict(LATER, "closing", "not sent: the system is closed")
_log = logging.getLogger("o2c.connectors.soap")
_Known = dict[str, tuple[Parcel, Operation]]


class Plan(msgspec.Struct, frozen=True):
    """Everything about a system that follows from its settings and its WSDL."""

    envelopes: Envelopes
    rules: Rules
    http: Mapping[str, Any]
    look_up: tuple[Operation, Mapping[str, Any]] | None
    most: int


class SoapDestination:
    """One service. Envelopes are made, and answers read, on a thread of its own: the sender's loop is everybody's."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self._plan = _plan(config)
        self._http = http.HttpDestination(self._plan.http, SoapJudge(self._plan.most))
        self._work = ThreadPoolExecutor(1, thread_name_prefix="soap")
        self._under_way, self._changed = 0, threading.Condition()
        self._is_closed = False

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        """Send parcels; returns at once. ``finished`` runs on this system's thread."""
        with self._changed:
            is_closed = self._is_closed
            if not is_closed:
                self._under_way += len(parcels)
                self._work.submit(self._send, parcels, finished)
        if is_closed:
            finished([(parcel, _CLOSED) for parcel in parcels])

    def _send(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        known: _Known = {}
        made, refused = [], []
        for parcel in parcels:
            try:
                ready, operation = self._plan.envelopes.make(parcel, time.time(), os.urandom(16))
            except Unfit as error:
                refused.append((parcel, Verdict(REFUSED, "arguments", str(error))))
            except Exception as error:  # a mistake of ours is a verdict too: nothing has been sent
                _log.exception("no envelope could be made")
                refused.append((parcel, Verdict(REFUSED, "arguments", f"it failed: {type(error).__name__}")))
            else:
                known[parcel.delivery_id] = (parcel, operation)
                made.append(ready)
        if refused:
            self._finish(refused, finished)
        if made:
            self._http.submit(made, partial(self._answered, known, finished))

    def _answered(self, known: _Known, finished: Finished, batch: list[tuple[Parcel, Verdict]]) -> None:
        self._work.submit(self._conclude, known, finished, batch)

    def _conclude(self, known: _Known, finished: Finished, batch: list[tuple[Parcel, Verdict]]) -> None:
        ended = []
        for sent, verdict in batch:
            parcel, operation = known[sent.delivery_id]
            try:
                ended.append((parcel, self._plan.rules.final(verdict, operation)))
            except Exception as error:  # a mistake of ours: an answer that nobody has read proves nothing
                _log.exception("an answer could not be read")
                ended.append((parcel, _unread(verdict, error)))
        self._finish(ended, finished)

    def _finish(self, ended: list[tuple[Parcel, Verdict]], finished: Finished) -> None:
        try:
            finished(ended)
        finally:
            with self._changed:
                self._under_way -= len(ended)
                self._changed.notify_all()

    def look_up(self, parcel: Parcel) -> Verdict:
        """Whether the system already has this parcel's key, by the operation that ``idempotency`` names."""
        if self._plan.look_up is None:
            return Verdict(
                DOUBT, "no_look_up", "the system has no look-up: set idempotency.mode: lookup and operation:"
            )
        with self._changed:
            if self._is_closed:
                return _CLOSED
            self._under_way += 1
        try:
            return self._asked(parcel, self._plan.look_up[0])
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()

    def _asked(self, parcel: Parcel, operation: Operation) -> Verdict:
        try:
            question = self._work.submit(_question, self._plan, parcel, time.time(), os.urandom(16)).result()
        except (Unfit, Unmakeable) as error:
            return Verdict(DOUBT, getattr(error, "code", "arguments"), str(error))
        return self._work.submit(self._plan.rules.asked, self._http.ask(question), operation).result()

    def adjust(self, per_second: float, concurrency: int) -> None:
        """Other limits from now on; what is under way goes on."""
        self._http.adjust(per_second, concurrency)

    def recall(self, verdict: Verdict) -> None:
        """Give back what is queued and has not started; what waits for its envelope is queued just before that."""
        with self._changed:
            if not self._is_closed:
                self._work.submit(self._http.recall, verdict)

    def tries(self) -> str:
        return self._http.tries()

    def check(self) -> list[str]:
        """Connects, and fetches a token where one is needed."""
        return self._http.check()

    def close(self) -> None:
        """Finish what is under way, give back the rest as LATER, free every connection. Twice is harmless."""
        with self._changed:
            was_closed, self._is_closed = self._is_closed, True
        if was_closed:
            return
        self._http.close()
        with self._changed:
            self._changed.wait_for(lambda: not self._under_way, 30.0)
        self._work.shutdown(wait=True)


class SoapRehearsal:
    """The service without a network, for tests of routes: no signature, a nonce of zeros."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        security = dict(config.get("security") or {})
        signed = {"signature": "none", "both": "username-token"}
        security["type"] = signed.get(str(security.get("type")), security.get("type"))
        self._plan = _plan({**config, "security": security, **_reachable(config)})
        self._http = http.rehearsal(self._plan.http, SoapJudge(self._plan.most))

    def send(self, parcel: Parcel, said: Said, now_epoch: float) -> Rehearsed:
        """What would be sent, and what becomes of it where the system says this."""
        try:
            ready, operation = self._plan.envelopes.make(parcel, now_epoch, bytes(16))
        except Unfit as error:
            return Rehearsed(None, Verdict(REFUSED, "arguments", str(error)))
        tried = self._http.send(ready, said, now_epoch)
        return Rehearsed(tried.request, self._plan.rules.final(tried.verdict, operation))

    def look_up(self, parcel: Parcel, said: Said | None, now_epoch: float) -> Rehearsed:
        """What would be asked, and what the answer means; without one the system does not know the parcel."""
        if self._plan.look_up is None:
            return Rehearsed(None, Verdict(DOUBT, "no_look_up", "the system has no look-up"))
        try:
            question = _question(self._plan, parcel, now_epoch, bytes(16))
        except (Unfit, Unmakeable) as error:
            return Rehearsed(None, Verdict(DOUBT, getattr(error, "code", "arguments"), str(error)))
        tried = self._http.ask(question, said, now_epoch)
        if said is None:
            return tried
        return Rehearsed(tried.request, self._plan.rules.asked(tried.verdict, self._plan.look_up[0]))


def destination(config: Mapping[str, Any]) -> SoapDestination:
    """The service that ``config`` (in the shape of FIELDS) describes. Raises PermanentError for what cannot be."""
    return SoapDestination(config)


def rehearsal(config: Mapping[str, Any]) -> SoapRehearsal:
    """The service without a network. Raises PermanentError for what cannot be."""
    return SoapRehearsal(config)


def lint(config: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings that cannot be, without a look at the WSDL."""
    idempotency = config.get("idempotency") or {}
    if idempotency.get("mode") == "lookup":
        for name in ("operation", "found"):
            if not idempotency.get(name):
                raise PermanentError(f"idempotency.{name} is missing: mode lookup needs it")
    given = str({**config, **_reachable(config)}.get("address") or _SOME_ADDRESS)
    try:
        http.lint(_of_http(config, given))
    except PermanentError as error:
        raise PermanentError(str(error).replace("base_url:", "address:", 1)) from None


def inspect(config: Mapping[str, Any]) -> None:
    """What can be known of the WSDL and the other files that the settings name. Raises PermanentError, WsdlError."""
    service = _service(config)
    for setting in ("operation", "idempotency.operation"):
        group, _, name = setting.rpartition(".")
        wanted = ((config.get(group) or {}) if group else config).get(name)
        if wanted and wanted not in service.operations:
            there = ", ".join(sorted(service.operations))
            raise PermanentError(f"{setting}: the WSDL has no operation '{wanted}'; it has {there}")
    receives = bool((config.get("verify") or {}).get("method"))
    if service.schema_fault is not None and (config.get("validate", True) or receives):
        raise service.schema_fault
    if receives:
        Endpoint(config).inspect()


def _service(config: Mapping[str, Any]) -> Service:
    return service_of(
        str(config["wsdl"]), config.get("files") or {}, str(config.get("service") or ""), str(config.get("port") or "")
    )


def _plan(config: Mapping[str, Any]) -> Plan:
    service, idempotency = _service(config), config.get("idempotency") or {}
    address = str(config.get("address") or service.address)
    if not address:
        raise PermanentError("address: the WSDL does not say where the service is; write address:")
    validates = bool(config.get("validate", True))
    if validates and service.schema_fault is not None:
        raise service.schema_fault
    if config.get("operation"):
        service.operation(str(config["operation"]))
    envelopes = Envelopes(
        service, address, str(config.get("operation") or ""), config.get("soap_headers") or {},
        bool(config.get("addressing")), Security(config.get("security") or {}, config.get("files") or {}), validates,
    )  # fmt: skip
    most = int(config.get("max_response") or 1_000_000)
    rules = Rules(
        config.get("success"), config.get("permanent"), config.get("reference"), idempotency.get("found"), most,
        config.get("answer") == "envelope",
    )  # fmt: skip
    look_up = None
    if idempotency.get("mode") == "lookup":
        arguments = literal(idempotency.get("arguments") or {}, config.get("secrets") or ())
        look_up = service.operation(str(idempotency["operation"])), arguments
    return Plan(envelopes, rules, _of_http(config, address), look_up, most)


def _question(plan: Plan, parcel: Parcel, now_epoch: float, chance: bytes) -> Parcel:
    """The look-up of a parcel as it is sent. Its MessageID is its own: it is another message."""
    assert plan.look_up is not None, "it is looked up only where there is one"
    operation, arguments = plan.look_up
    values = filled(arguments, variables_of(parcel), "idempotency.arguments")
    asking = msgspec.structs.replace(parcel, key=f"{parcel.key}.{int(now_epoch * 1000)}")
    question, _ = plan.envelopes.ask(asking, operation, values, {}, now_epoch, chance)
    return msgspec.structs.replace(question, key=parcel.key)


def _of_http(config: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The settings of the connector http that carries it. Raises PermanentError for what is no address."""
    parts = urlsplit(address)
    idempotency = config.get("idempotency") or {}
    mode = "native" if idempotency.get("mode") == "native" else "none"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    own = {name: config.get(name) for name in _CARRIED}
    media = "text/xml, application/soap+xml, multipart/related, */*;q=0.1"
    return {
        **own, "base_url": f"{parts.scheme}://{parts.netloc}", "path": path.replace("{", "{{").replace("}", "}}"),
        "headers": {"Accept": media, **(config.get("headers") or {})},
        "idempotency": {"mode": mode, "header": idempotency.get("header"), "format": idempotency.get("format")},
    }  # fmt: skip


def _reachable(config: Mapping[str, Any]) -> dict[str, Any]:
    """An address in the place of a stand-in for a secret."""
    given = str(config.get("address") or "")
    return {"address": _SOME_ADDRESS} if given and "://" not in given else {}


def _unread(verdict: Verdict, error: Exception) -> Verdict:
    if verdict.kind != DELIVERED:
        return verdict
    detail = f"the answer could not be read: {type(error).__name__}"
    return msgspec.structs.replace(verdict, kind=DOUBT, code="unread_answer", detail=detail)
