"""Everything about a system over HTTP that follows from its settings alone, and the channel that is opened by it."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

import msgspec
from msgspec.structs import replace

from connectors._bodies import DELIVERY_NAMES, QUESTION_NAMES, BodyTemplate
from connectors._channel import Channel, Limits
from connectors._discretion import Discretion
from connectors._fetch_back import FetchBack
from connectors._http_fields import FIELDS
from connectors._opening import Address, Opener, address_of
from connectors._probe import Probe
from connectors._ration import Names
from connectors._renewal import Tokens
from connectors._request import RequestMaker, literal
from connectors._sender import Sender
from connectors._session import InSession, Session
from connectors._tls import tls_context
from connectors._verdicts import Judge
from connectors.auth import Credentials, Fixed, credentials
from connectors.base import PermanentError

IDLE_SECONDS = {"native": 30.0, "lookup": 2.0, "none": 2.0}


class Plan(msgspec.Struct, frozen=True):
    """One system. ``known`` is what its requests carry, ``bare`` those that change nothing; ``asks_first``: what
    is there already is not sent."""

    address: Address
    proxy: Address | None
    token_address: Address | None
    bare: Credentials
    known: Credentials
    session: Session | None
    idempotency: Mapping[str, Any]
    maker: RequestMaker
    asker: RequestMaker | None
    fetch_back: FetchBack | None
    probe: Probe | None

    @property
    def asks_first(self) -> bool:
        return self.asker is not None and self.idempotency["ask"] == "always"

    def asking(self) -> Plan:
        """The same for requests that change nothing, and need no token against forged ones."""
        return replace(self, known=self.bare, session=None)

    def tries(self) -> str:
        """What shows whether the system lets us in."""
        through = f" through the proxy {self.proxy.authority}" if self.proxy else ""
        tries = [f"a connection to {self.address.authority}{through}"]
        tries += [f"a token of {self.token_address.authority}"] if self.token_address else []
        tries += [f"its {self.session.header}"] if self.session else []
        tries += [self.probe.line] if self.probe else []
        return ", ".join(tries) + ("; not its credentials, for it has no probe:" if self._is_untried else "")

    @property
    def _is_untried(self) -> bool:
        """Whether it wants credentials that nothing shows to be good before the first delivery."""
        open_to_all = isinstance(self.bare, Fixed) and not (self.bare.text or self.bare.query)
        return self.probe is None and self.bare.grant is None and not open_to_all

    def prepare(self) -> None:
        """Look at what only shows when it is used. Raises PermanentError."""
        if self.known.grant is not None:
            self.known.grant.prepare()


def plan_of(config: Mapping[str, Any]) -> Plan:
    """What the settings come to. Raises PermanentError for what cannot be."""
    address, proxy = address_of(str(config["base_url"]), "base_url"), _proxy_of(config.get("proxy"))
    if address.credentials:
        raise PermanentError("base_url: user and password do not belong here; write them into auth: {type: basic}")
    known, headers = credentials(config.get("auth")), headers_of(config)
    csrf = config.get("csrf")
    session = Session(csrf, address, headers, known, proxy) if csrf else None
    bare, known = known, InSession(known, session) if session is not None else known
    idempotency = filled(config.get("idempotency"), "idempotency")
    token_address = _token_address(known.grant.token_url, config["auth"]) if known.grant else None
    back, probe = config.get("fetch_back"), config.get("probe")
    return Plan(
        address, proxy, token_address, bare, known, session, idempotency,
        _delivery_maker(config, address, known, idempotency, proxy),
        _look_up_maker(config, address, known, idempotency, proxy),
        FetchBack(back, address, headers, bare, proxy, config.get("later")) if back else None,
        Probe(probe, address, headers, bare, proxy) if probe else None,
    )  # fmt: skip


def open_channel(
    sender: Sender, config: Mapping[str, Any], plan: Plan, judge: Judge, max_response: int = 0
) -> tuple[Channel, float]:
    """A channel to the system, and how long an answer of it may take in all."""
    limits = _limits(config, str(plan.idempotency["mode"]), max_response)
    connect_seconds = float(_timeouts(config)["connect"])
    secure = plan.address.secure or (plan.token_address is not None and plan.token_address.secure)
    tls = tls_context(config.get("tls")) if secure else None
    opener = Opener(plan.address, tls, plan.proxy, connect_seconds)
    token_opener = Opener(plan.token_address, tls, plan.proxy, connect_seconds) if plan.token_address else None
    needs_tokens = plan.known.grant is not None or plan.session is not None
    tokens = Tokens(plan.known.grant, token_opener, plan.session, opener, limits.read_seconds) if needs_tokens else None
    discretion = Discretion(config.get("secrets") or ())
    channel = Channel(sender, opener, judge, limits, plan.idempotency["mode"] == "native", tokens, discretion)
    return channel, limits.wait_seconds + 2 * (connect_seconds + limits.read_seconds) + 1.0


def _proxy_of(url: Any) -> Address | None:
    proxy = address_of(str(url), "proxy") if url else None
    if proxy is not None and proxy.secure:
        raise PermanentError(
            "proxy: write http://, the way proxies are spoken to; https systems are reached through it"
        )
    return proxy


def _token_address(url: str, auth: Mapping[str, Any]) -> Address:
    """Where tokens are asked for. RFC 6749, 3.2: over TLS, for the secret that goes there is good for more tokens."""
    address = address_of(url, "auth.token_url")
    if not (address.secure or auth.get("insecure") or _is_here(address.host)):
        raise PermanentError("auth.token_url: over plain http our secret can be read on its way; write https://, or "
                             "insecure: true beside it if that is meant")  # fmt: skip
    return address


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def headers_of(config: Mapping[str, Any]) -> dict[str, str]:
    """The headers of every request."""
    headers: dict[str, str] = literal(config.get("headers") or {}, config.get("secrets") or ())
    return headers


def filled(group: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """A group of settings with its defaults."""
    fields = next(field for field in FIELDS if field.name == name).fields
    given = {key: value for key, value in (group or {}).items() if value is not None}
    return {field.name: given.get(field.name, field.default) for field in fields}


def _timeouts(config: Mapping[str, Any]) -> dict[str, float]:
    return filled(config.get("timeouts"), "timeouts")


def _limits(config: Mapping[str, Any], mode: str, max_response: int) -> Limits:
    given = filled(config.get("limits"), "limits")
    return Limits(
        concurrency=max(1, int(given["concurrency"])), per_second=float(given["rate"] or 0.0),
        wait_seconds=float(given["wait"]), read_seconds=float(_timeouts(config)["read"]),
        idle_seconds=IDLE_SECONDS[mode], max_response=max_response or int(config.get("max_response") or 1_000_000),
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
    tells, method, body = idempotency["mode"] != "none", str(config.get("method") or "POST"), config.get("body")
    if body is not None and method == "DELETE":
        raise PermanentError("body: DELETE has none; take it out, or write another method:")
    return RequestMaker(
        method, address, str(config.get("path") or ""), "path",
        headers_of(config), known, str(idempotency["header"]) if tells else "",
        idempotency["format"] == "quoted", proxy, str(config.get("content_type") or ""),
        None if body is None else BodyTemplate(body, DELIVERY_NAMES, "body"),
    )  # fmt: skip


def _look_up_maker(
    config: Mapping[str, Any], address: Address, known: Credentials, idempotency: Mapping[str, Any],
    proxy: Address | None,
) -> RequestMaker | None:  # fmt: skip
    body, asks = idempotency["body"], idempotency["ask"]
    if idempotency["mode"] != "lookup":
        for name, said in (("body", body is not None), ("ask", asks == "always")):
            if said:
                raise PermanentError(f"idempotency.{name}: it is for mode: lookup; write that, or take it out")
        return None
    question = str(idempotency["request"] or "").strip()
    method, _, path = question.partition(" ")
    if method not in ("GET", "POST") or not path.startswith(("/", "?")):
        raise PermanentError("idempotency.request: expected a method and a path, such as GET /sales?ref={key}")
    if body is not None and method == "GET":
        raise PermanentError("idempotency.body: GET has no body; write POST in request:, or take it out")
    around = None if body is None else BodyTemplate(body, QUESTION_NAMES, "idempotency.body")
    if asks == "always" and ("{reference}" in question or (around is not None and "reference" in around.used)):
        raise PermanentError("idempotency.request: {reference} is not known before the first try; with ask: always "
                             "write "
                             "{key} or the number of the document, such as {order_id}")  # fmt: skip
    return RequestMaker(
        method, address, path, "idempotency.request", headers_of(config), known, proxy=proxy, around=around
    )
