"""Telling people: one message when something opens, one when it is over, none between.

What is open is worked out from the rows, what each channel was told is a row too; so a restart tells nothing twice, and
a channel that fails is tried again by itself. Nothing here holds up a message.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import smtplib
import ssl
import threading
from collections.abc import Collection, Mapping, Sequence
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

import msgspec

from hub.clock import iso
from hub.errors import UsageError
from hub.loggers import structlog
from hub.redaction import redact_text
from hub.secret import resolve_all
from hub.settings import Settings
from hub.states import switching_on
from hub.store import circuits, dead_letters, findings, notices, search, sources, switches, usage
from hub.store.database import Database
from hub.store.notices import Notice
from hub.store.search_terms import Filter

if TYPE_CHECKING:
    from hub.pipeline.engine import Engine

_log = structlog.get_logger("notify")
_TIMEOUT_SECONDS = 10.0
_REST_SECONDS = 30.0
_REFUSALS = (OSError, http.client.HTTPException, smtplib.SMTPException, ValueError, UsageError)
BLOCKED_SECONDS = 900.0  # a lane that has waited this long for a person is told
AWAY_SECONDS = 300.0  # a system that has failed for this long, or could not be fetched from, is told
QUOTA_SECONDS = 3600.0  # a quota that has removed nothing for this long is no longer reached
FINDING_SECONDS = 900.0  # what came in the wrong order has come right by then
_MOST_FINDINGS = 100


class Channel(Protocol):
    """Somewhere people are told. ``name`` is the same after a restart and holds no secret."""

    @property
    def name(self) -> str: ...

    def tell(self, notice: Notice, at: float) -> None:
        """Raises OSError or one of ``_REFUSALS`` when it cannot be reached or refuses."""
        ...


def check(engine: Engine, channels: Collection[str], are_all: bool = True) -> dict[str, list[Notice]]:
    """Bring the notices up to what is open now; gives what each channel has to be told. What others were told is
    forgotten where these are all channels that there are."""
    now = engine.clock.epoch()
    fetching = {name for name, system in engine.program.settings.systems.items() if system.fetches}
    with engine.store.snapshot() as db:
        open_now = _open_now(db, now, fetching)

    def job(db: Database) -> dict[str, list[Notice]]:
        if are_all:
            notices.forget_others(db, channels)
        for channel in channels:
            notices.settle(db, channel, open_now, now)
        return {channel: notices.untold(db, channel) for channel in channels}

    found: dict[str, list[Notice]] = engine.store.write(job)
    return found


def _open_now(db: Database, now: float, fetching: Collection[str] = ()) -> dict[str, tuple[str, str]]:
    """What is open: subject -> (kind, detail). An issue of a route is one subject, however many letters it has."""
    found: dict[str, tuple[str, str]] = {}
    for issue in dead_letters.issues(db, Filter()):
        where = issue.route or issue.system or f"from {issue.source}"
        failure = issue.failure
        detail = f"{where}: {issue.count} dead: {failure.get('class', '')}/{failure.get('code', '')}"
        hint = f"; {failure['hint']}" if failure.get("hint") else ""
        found[f"issue:{where}:{issue.issue}"] = ("dead_letters", f"{detail}{hint}; {issue.command}")
    for switch in switches.listed(db):
        if switch["actor"] == "hub":  # what a person has switched off needs no telling
            detail = f"{switch['kind']} {switch['name']} is {switch['state']}: {switch['reason']}"
            detail += f"; once that is mended: {switching_on(switch['kind'], switch['name'])}"
            found[f"{switch['kind']}:{switch['name']}"] = ("switched_off", detail)
    open_since: dict[str, float] = {}
    for name, circuit in circuits.open_now(db).items():
        if circuit.actor != "hub":
            continue
        open_since[name] = circuit.since
        if circuit.since < now - AWAY_SECONDS:
            found[f"circuit:{name}"] = ("system_away", f"system {name} has failed for a while: {circuit.reason}")
    for source in sources.failing(db, fetching):
        # What was told before its circuit opened stays; else that of its circuit tells it.
        until = open_since.get(source.system, now)
        if source.failing_since is not None and source.failing_since < until - AWAY_SECONDS:
            detail = f"nothing could be fetched from {source.system} for a while: {source.reason}"
            found[f"source:{source.system}"] = ("source_failing", detail)
    for quota in usage.states(db):
        found |= _quota(quota, now)
    for lane, system, count in search.blocked_lanes(db, now - BLOCKED_SECONDS):
        detail = f"{count} deliveries to {system} wait behind one that needs a person (lane {lane})"
        found[f"lane:{system}:{lane}"] = ("blocked_lane", detail)
    for one in findings.open_now(db, _MOST_FINDINGS, now - FINDING_SECONDS):
        detail = f"from {one.source}: {one.detail}; see o2c show {one.message_id}"
        found[f"finding:{one.message_id}:{one.code}"] = ("finding", detail)
    # Details hold what systems answered.
    return {subject: (kind, redact_text(detail)) for subject, (kind, detail) in found.items()}


def _quota(quota: usage.State, now: float) -> dict[str, tuple[str, str]]:
    """A quota that shuts doors, and one that removes things before their time."""
    whose = f"{quota.kind} {quota.name}".strip()
    found = {}
    if quota.full_since is not None:
        detail = (
            f"the quota of the {whose} is full: what is on its way and dead letters leave no room; doors answer 503"
        )
        found[f"quota:{quota.kind}:{quota.name}"] = ("quota_full", detail)
    if quota.pruned_at is not None and quota.pruned_at > now - QUOTA_SECONDS:
        when = iso(quota.pruned_to or quota.pruned_at)
        detail = f"the quota of the {whose} is reached: up to {when} things go before their retention is over"
        found[f"quota_reached:{quota.kind}:{quota.name}"] = ("quota_reached", detail)
    return found


def send(engine: Engine, channel: Channel, untold: Sequence[Notice]) -> bool:
    """Tell a channel; False when it does not take one: that and the rest are tried again later."""
    for notice in untold:
        now = engine.clock.epoch()
        try:
            channel.tell(notice, now)
        except _REFUSALS as error:
            # What a library says of a value that is wrong quotes it: an address, a password.
            reason = str(error)[:200] if isinstance(error, OSError | UsageError) else type(error).__name__
            _log.warning("a notice could not be told and is tried again", subject=notice.subject, reason=reason)
            return False
        engine.store.write(partial(notices.mark_told, notice=notice, at=now))
    return True


def content(notice: Notice) -> dict[str, Any]:
    """A notice as data: no payload, no personal data."""
    moment = notice.closed_at if notice.closed_at is not None else notice.opened_at
    return {
        "type": f"hub.{notice.kind}.{'recovered' if notice.is_over else 'opened'}",
        "timestamp": iso(moment),
        "data": {"subject": redact_text(notice.subject), "detail": notice.detail, "opened_at": iso(notice.opened_at)},
    }


class Notifier:
    """Rounds of telling. ``round`` may take as long as the channels' time-outs: call it apart from other work."""

    def __init__(self, engine: Engine, secrets: Path) -> None:
        self._engine, self._secrets = engine, secrets
        self._busy = threading.Lock()
        self._rests: dict[str, float] = {}  # until when a channel that failed is left alone

    def round(self) -> None:
        """Find out what is open and tell it; a call while another one is at work does nothing."""
        if not self._busy.acquire(blocking=False):
            return
        try:
            settings = self._engine.program.settings
            found = channels_of(settings, self._secrets)
            channels = {channel.name: channel for channel in found}
            # One whose secret is not there has no name now: it may be any of those that were told something.
            for name, untold in check(self._engine, channels, len(found) == len(settings.notify)).items():
                now = self._engine.clock.epoch()
                if now >= self._rests.get(name, 0.0) and not send(self._engine, channels[name], untold):
                    self._rests[name] = now + _REST_SECONDS
        finally:
            self._busy.release()


def channels_of(settings: Settings, secrets: Path) -> list[Channel]:
    """The channels that the configuration names; one whose secret is not there, or no address, is left out and
    logged."""
    found: list[Channel] = []
    for number, entry in enumerate(settings.notify):
        try:
            found.append(_channel(resolve_all(entry, secrets)))
        except UsageError as error:
            _log.warning("nobody is told by this entry of notify", reason=f"notify[{number}]: {error}")
    return found


def _channel(entry: Mapping[str, Any]) -> Channel:
    mail = entry.get("email")
    if not mail:
        return Webhook(_address(str(entry["webhook"])), str(entry.get("secret") or ""))
    to = (mail["to"],) if isinstance(mail["to"], str) else tuple(mail["to"])
    return Mail(
        server=mail["server"], port=int(mail["port"]), sender=mail["from"], recipients=to, user=mail["user"] or "",
        password=mail["password"] or "", encryption=mail["encryption"],
    )  # fmt: skip


def _address(url: str) -> str:
    """Raises UsageError for what is no address, without a word of it: whoever knows it may post there."""
    try:
        parts = urlsplit(url.strip())
        is_one = parts.scheme in ("http", "https") and parts.port != 0 and bool((parts.hostname or "").encode("idna"))
    except ValueError:
        is_one = False
    if not is_one:
        raise UsageError("webhook: expected an http or https address, such as https://host.example/path")
    asked = parts.path + parts.query
    if not (asked.isascii() and asked.isprintable()) or " " in asked:
        raise UsageError("webhook: an address holds no spaces or accents; write them as %20 …")
    return url.strip()


# -- channels ------------------------------------------------------------------------------------------------------


class Webhook(msgspec.Struct, frozen=True):
    """Posts JSON; signed in the Standard Webhooks way where there is a secret (``whsec_`` and base64, or any text)."""

    url: str
    secret: str = ""

    @property
    def name(self) -> str:
        return _channel_name("webhook", self.url)

    def tell(self, notice: Notice, at: float) -> None:
        body = msgspec.json.encode(content(notice))
        message_id = _message_id(notice)
        headers = {"Content-Type": "application/json", "webhook-id": message_id, "webhook-timestamp": str(int(at))}
        if self.secret:
            headers["webhook-signature"] = signature(self.secret, message_id, int(at), body)
        status = self._post(body, headers)
        if not 200 <= status < 300:
            raise ConnectionError(f"the webhook answered {status}")

    def _post(self, body: bytes, headers: Mapping[str, str]) -> int:
        parts = urlsplit(self.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        host, port = parts.hostname or "", parts.port
        connection: http.client.HTTPConnection
        if parts.scheme == "https":
            context = ssl.create_default_context()
            connection = http.client.HTTPSConnection(host, port, timeout=_TIMEOUT_SECONDS, context=context)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.request("POST", target, body, dict(headers))
            return connection.getresponse().status
        finally:
            connection.close()


def _channel_name(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _message_id(notice: Notice) -> str:
    """The same for every try to tell the same thing, so that a receiver can drop repeats."""
    told = f"{notice.subject}|{notice.opened_at!r}|{notice.is_over}"
    return "msg_" + hashlib.sha256(told.encode()).hexdigest()[:32]


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header: HMAC-SHA256 over ``id.timestamp.body``."""
    key = _key(secret)
    signed = hmac.new(key, f"{message_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return "v1," + base64.b64encode(signed).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except ValueError:
        raise UsageError("the secret of the webhook begins with whsec_, but no Base64 follows; copy it anew") from None


class Mail(msgspec.Struct, frozen=True):
    """Sends a mail. ``encryption`` is ``starttls``, ``tls`` or ``none``."""

    server: str
    port: int
    sender: str
    recipients: tuple[str, ...]
    user: str = ""
    password: str = ""
    encryption: str = "starttls"

    @property
    def name(self) -> str:
        return _channel_name("mail", self.server, *self.recipients)

    def tell(self, notice: Notice, at: float) -> None:
        mail = EmailMessage()
        state = "over" if notice.is_over else "open"
        mail["Subject"] = (
            f"o2c-hub: {state}: {notice.detail.splitlines()[0][:120] if notice.detail else notice.subject}"
        )
        mail["From"], mail["To"] = self.sender, ", ".join(self.recipients)
        mail["Message-ID"] = f"<{_message_id(notice)}@o2c-hub.invalid>"
        lines = [notice.detail, "", f"open since {iso(notice.opened_at)}"]
        lines += [f"over since {iso(notice.closed_at)}"] if notice.closed_at is not None else []
        mail.set_content("\n".join(lines))
        self._send(mail)

    def _send(self, mail: EmailMessage) -> None:
        context = ssl.create_default_context()
        with self._connect(context) as server:
            if self.encryption == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
            server.send_message(mail)

    def _connect(self, context: ssl.SSLContext) -> smtplib.SMTP:
        if self.encryption == "tls":
            return smtplib.SMTP_SSL(self.server, self.port, timeout=_TIMEOUT_SECONDS, context=context)
        return smtplib.SMTP(self.server, self.port, timeout=_TIMEOUT_SECONDS)
