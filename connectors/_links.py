"""Addresses that an answer gives: the header Link (RFC 8288), and where an address leads on the system that gave it."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urljoin, urlsplit

from connectors._opening import Address
from connectors.base import PermanentError

_LINK = re.compile(r'[\s,]*<([^>]*)>((?:[^,"]|"(?:[^"\\]|\\.)*")*)')
_PARAMETER = re.compile(r';\s*([A-Za-z0-9!#$&+.^_`|~*-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]+))?')
_AS_IT_IS = "%/:?[]@!$&'()*+,;=~"


def next_link(header: str) -> str | None:
    """The target of the link with the relation ``next``; None where there is none."""
    place = 0
    while (found := _LINK.match(header, place)) is not None:
        parameters: dict[str, str] = {}
        for name, value in _PARAMETER.findall(found[2]):
            parameters.setdefault(name.lower(), value)  # RFC 8288, 3.3: the first rel counts
        relations = re.sub(r"\\(.)", r"\1", parameters.get("rel", "").strip('"')).lower().split()
        if "next" in relations and "anchor" not in parameters:
            return found[1].strip()
        place = found.end()
    return None


def path_of(link: str, asked: str, address: Address) -> str:
    """Path and query of an address that the answer to the path ``asked`` gave. Raises PermanentError where it leads to
    another system: nothing is asked there, for the credentials would go along."""
    try:
        parts = urlsplit(urljoin(f"{'https' if address.secure else 'http'}://{address.authority}{asked}", link.strip()))
        host, port = (parts.hostname or "").encode("idna").decode().lower(), parts.port
    except ValueError:
        raise PermanentError("the address of the next page is none") from None
    if host != address.host.lower() or (port is not None and port != address.port) or "http" not in parts.scheme:
        there = f"{host}:{port}" if port else host
        raise PermanentError(f"the next page is said to be at {there[:100]}, which is not {address.authority}; nothing "
                             f"is "
                             "asked there, for the credentials would go along")  # fmt: skip
    query = f"?{parts.query}" if parts.query else ""
    return quote(f"{parts.path or '/'}{query}", safe=_AS_IT_IS)


def without_parameter(path: str, name: str) -> str:
    """A path with its query, less one parameter."""
    place, _, query = path.partition("?")
    kept = [part for part in query.split("&") if part and unquote(part.partition("=")[0]) != name]
    return f"{place}?{'&'.join(kept)}" if kept else place
