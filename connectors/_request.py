"""Making requests: what is the same for a system is built once; a parcel adds its path, key, length and body."""

from __future__ import annotations

import logging
import re
import string
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote

import msgspec

from connectors._bodies import PART, BodyTemplate, Unfit, parts_of
from connectors._opening import Address
from connectors._proxy import proxy_header
from connectors.auth import Credentials, Fixed, Outgoing
from connectors.base import Parcel, PermanentError

_log = logging.getLogger("o2c.connectors.http")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_RESERVED = {"host", "content-length", "transfer-encoding", "connection", "content-type"}
_BODILESS = {"GET", "HEAD", "DELETE"}


class Unmakeable(Exception):
    """No request can be made of this parcel: ``code`` and a sentence for an operator."""

    def __init__(self, code: str, detail: str) -> None:
        self.code, self.detail = code, detail
        super().__init__(detail)


class Template:
    """Text with variables in braces: ``/orders/{order_id}``. In a path every value is percent-encoded."""

    __slots__ = ("_parts", "_setting", "fixed", "names")

    def __init__(self, text: str, setting: str) -> None:
        self._setting = setting
        self._parts: list[tuple[str, str]] = []
        try:
            pieces = list(string.Formatter().parse(text))
        except ValueError:
            raise PermanentError(f"{setting}: a brace without its partner in '{text}'; write {{name}}") from None
        for literal, name, form, conversion in pieces:
            if name is not None and (form or conversion or not _VARIABLE.fullmatch(name)):
                raise PermanentError(f"{setting}: '{{{name}}}' is not a variable; write {{name}} with letters and '_'")
            self._parts.append((literal, name or ""))
        self.names = tuple(name for _, name in self._parts if name)
        self.fixed = None if self.names else "".join(literal for literal, _ in self._parts)

    def fill(self, variables: Mapping[str, str], encode: Callable[[str], str]) -> str:
        """The text with every variable in place. Raises Unmakeable for one that is missing or unusable."""
        return "".join([f"{text}{self._value(name, variables, encode)}" for text, name in self._parts])

    def _value(self, name: str, variables: Mapping[str, str], encode: Callable[[str], str]) -> str:
        if not name:
            return ""
        value = variables.get(name)
        if value is None or value in ("", ".", ".."):
            seen = "is missing" if value is None else f"is '{value}'"
            there = ", ".join(sorted(variables)) or "nothing"
            detail = f"{self._setting} needs the variable '{name}', which {seen}; the document gives: {there}"
            raise Unmakeable("missing_variable", detail)
        try:
            return encode(value)
        except UnicodeError:
            detail = f"the variable '{name}' of {self._setting} is not valid Unicode"
            raise Unmakeable("bad_variable", detail) from None


class Maker(Protocol):
    """Whatever makes a request of a parcel."""

    def make(self, parcel: Parcel, now_epoch: float) -> tuple[bytes, bytes]:
        """Head and body of the request for this parcel. Raises Unmakeable."""
        ...


def request_of(maker: Maker, parcel: Parcel, now_epoch: float) -> tuple[bytes, bytes]:
    """What a maker makes of a parcel. Raises Unmakeable, whatever goes wrong: each parcel gets a verdict."""
    try:
        return maker.make(parcel, now_epoch)
    except Unmakeable:
        raise
    except Exception as error:
        _log.exception("a request could not be made in a way that was not foreseen")
        raise Unmakeable("bad_body", f"no request can be made of it: {type(error).__name__}, see the log") from None


class RequestMaker:
    """Makes the requests of one system: head and body, ready for the wire."""

    def __init__(
        self, method: str, address: Address, path: str, setting: str, headers: Mapping[str, str],
        credentials: Credentials, key_header: str = "", quoted_key: bool = False, proxy: Address | None = None,
        content_type: str = "", around: BodyTemplate | None = None,
    ) -> None:  # fmt: skip
        self.method, self._credentials, self._around = method, credentials, around
        self._content_type = content_type or ("application/json" if around else "")
        self._has_body = method not in _BODILESS
        self._signs = not isinstance(credentials, Fixed)
        plain_proxy = proxy if proxy and not address.secure else None
        self._target = f"http://{address.authority}" if plain_proxy else ""
        self._path = Template(f"{escaped(address.path)}{_plain_path(path, setting)}", setting)
        self._key_start, self._key_end = _key_line(key_header, quoted_key)
        fixed, self._varying = _sorted_out(headers)
        agent = "" if "user-agent" in {name.lower() for name in headers} else "User-Agent: o2c-hub\r\n"
        accept = "" if "accept" in {name.lower() for name in headers} else "Accept: application/json, */*;q=0.5\r\n"
        proxied = proxy_header(plain_proxy.credentials) if plain_proxy else ""
        known = credentials.text if isinstance(credentials, Fixed) else ""
        self._names = {*self._path.names, *(name for _, template in self._varying for name in template.names)}
        self._parts = sorted(name for name in self._names if name.startswith(PART))
        self._common = f" HTTP/1.1\r\nHost: {address.authority}\r\n{agent}{accept}{proxied}{fixed}{known}"

    def question(self, parcel: Parcel) -> Parcel:
        """What is asked about a parcel: it has a body only where one is written down."""
        return parcel if self._around is not None else msgspec.structs.replace(parcel, body=b"")

    def make(self, parcel: Parcel, now_epoch: float) -> tuple[bytes, bytes]:
        """Head and body of the request for this parcel. Raises Unmakeable."""
        body = self._body(parcel) if self._has_body else b""
        known = variables_of(parcel) if self._names else {}
        if self._parts:
            known |= parts_of(parcel.body, self._parts)
        path = self._path.fixed if self._path.fixed is not None else self._path.fill(known, _percent)
        if self._credentials.query:
            path = f"{path}{'&' if '?' in path else '?'}{self._credentials.query}"
        signed = (
            self._credentials.lines(Outgoing(self.method, path, parcel.key, body, int(now_epoch)))
            if self._signs
            else ()
        )
        own = self._own_lines(parcel, known, len(body), signed)
        return f"{self.method} {self._target}{path or '/'}{self._common}{own}\r\n".encode("latin-1"), body

    def _body(self, parcel: Parcel) -> bytes:
        if self._around is None:
            return parcel.body
        try:
            return self._around.around(parcel)
        except Unfit as error:
            raise Unmakeable("bad_body", str(error)) from None

    def _own_lines(self, parcel: Parcel, known: Mapping[str, str], length: int, signed: Sequence[str]) -> str:
        """The header lines that differ from parcel to parcel; none of their values may end its line."""
        lines = [f"{name}: {value}\r\n" for name, value in parcel.headers.items()]
        if self._has_body:
            lines.append(f"Content-Type: {self._content_type or parcel.content_type}\r\nContent-Length: {length}\r\n")
        if self._key_start:
            lines.append(f"{self._key_start}{parcel.key}{self._key_end}")
        lines += signed
        for name, template in self._varying:
            lines.append(f"{name}: {template.fill(known, str)}\r\n")
        text = "".join(lines)
        line_ends = len(lines) + self._has_body
        if text.count("\n") != line_ends or text.count("\r") != line_ends or not _is_plain(text):
            raise Unmakeable("bad_header", "a header or the idempotency key holds line ends or other characters that "
                             "cannot stand in a header")  # fmt: skip
        return text


def without_variables(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that go with every request; those of which a delivery is a part go with deliveries alone."""
    return {name: value for name, value in headers.items() if Template(str(value), f"headers.{name}").fixed is not None}


def escaped(path: str) -> str:
    """A path without variables, as a template of itself."""
    return path.replace("{", "{{").replace("}", "}}")


def literal(value: Any, secrets: Collection[str]) -> Any:
    """Settings in which a brace in a secret is one: it names no variable, and no text may show it."""
    if isinstance(value, Mapping):
        return {name: literal(each, secrets) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [literal(each, secrets) for each in value]
    return escaped(value) if isinstance(value, str) and value in secrets else value


def _is_plain(text: str) -> bool:
    return text.isascii() and text.replace("\r\n", "").isprintable()


def variables_of(parcel: Parcel) -> dict[str, str]:
    """What the templates of a system may name."""
    return {"key": parcel.key, "delivery_id": parcel.delivery_id, **parcel.variables}


def _percent(value: str) -> str:
    return quote(value, safe="")


def _plain_path(path: str, setting: str) -> str:
    if not (path.isascii() and path.isprintable()) or " " in path or (path and path[0] not in "/?"):
        raise PermanentError(f"{setting}: a path starts with '/' and holds no spaces or accents; write them as %20 …")
    return path


def _header_name(name: str, setting: str) -> str:
    if not _TOKEN.fullmatch(name):
        raise PermanentError(f"{setting}: '{name}' cannot name a header")
    return name


def _key_line(name: str, quoted: bool) -> tuple[str, str]:
    """What stands before and after the key; nothing where the system knows no key."""
    if not name:
        return "", ""
    quote_mark = '"' if quoted else ""
    return f"{_header_name(name, 'idempotency.header')}: {quote_mark}", f"{quote_mark}\r\n"


def _sorted_out(headers: Mapping[str, str]) -> tuple[str, Sequence[tuple[str, Template]]]:
    """The lines that never change, and the headers whose value has variables."""
    fixed, varying = "", []
    for name, value in headers.items():
        setting = f"headers.{name}"
        if _header_name(name, "headers").lower() in _RESERVED:
            raise PermanentError(f"{setting}: the hub writes this header itself; take it out")
        template = Template(str(value), setting)
        if template.fixed is None:
            varying.append((name, template))
        elif template.fixed.isascii() and template.fixed.isprintable():
            fixed += f"{name}: {template.fixed}\r\n"
        else:
            raise PermanentError(f"{setting}: the value holds characters that cannot stand in a header")
    return fixed, varying
