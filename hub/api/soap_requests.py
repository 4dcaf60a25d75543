"""A SOAP request as it came over the wire: parsed by the hub's door for XML, understood, judged by its WSDL's types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from lxml import etree
from msgspec.structs import replace

from connectors._proofs import SignatureError
from connectors.soap import Asked, Endpoint, Refused, unproved
from hub.errors import DecodeError
from hub.formats._mime_parts import Part, joined, parts_of
from hub.formats._xml import Element, line_of, parse, path_of
from hub.profiles.xsd import faults_of

_MOST_FAULTS = 10
_UTF8 = ("", "utf-8", "utf8", "us-ascii")


class Faulty(Exception):
    """A request that is answered with a fault: in which version, why, and where in the request."""

    def __init__(
        self, refused: Refused, version: str, errors: list[Mapping[str, str]] | None = None, relates_to: str = ""
    ) -> None:  # fmt: skip
        super().__init__(refused.detail)
        self.refused, self.version, self.relates_to = refused, version, relates_to
        self.errors = errors or [_error(refused, "", "", refused.detail)]


class Request(msgspec.Struct, frozen=True):
    """One request. ``raw`` is its whole body; ``content_type`` as it was sent; ``headers`` by lower-case name."""

    raw: bytes
    content_type: str
    headers: Mapping[str, str]
    now: float
    parameters: Mapping[str, str] = msgspec.field(default_factory=dict)

    @property
    def kind(self) -> str:
        """Its media type."""
        return self.content_type.partition(";")[0].strip().lower()


def understood(endpoint: Endpoint, request: Request) -> tuple[Asked, bytes]:
    """What is asked, and the bytes of it that are kept. Raises Faulty."""
    root: Element | None = None
    try:
        endpoint.verifier.check_http(request.headers, request.raw, request.now)
        root, size = _envelope(request)
        asked = endpoint.understand(root, request.raw, request.headers, request.now)
    except SignatureError as error:
        raise Faulty(unproved(error, is_of_envelope=root is not None), endpoint.version_for(root)) from None
    except Refused as error:
        raise Faulty(error, endpoint.version_for(root), _at(error)) from None
    except DecodeError as error:
        refused = Refused("Client", error.code, error.detail)
        line = error.position.removeprefix("line ").partition(",")[0]
        raise Faulty(
            refused, endpoint.version_for(None), [_error(refused, error.field_path, line, str(error))]
        ) from None
    _judge(asked, size)
    return asked, _kept(endpoint, request, root)


def _kept(endpoint: Endpoint, request: Request, root: Element) -> bytes:
    """The request as it came, but for a password in it: who may see documents need not see that."""
    if not endpoint.verifier.hide_password(root):
        return request.raw
    encoding = root.getroottree().docinfo.encoding or "UTF-8"
    envelope = etree.tostring(root, xml_declaration=True, encoding=encoding)
    assert isinstance(envelope, bytes), "it is never unicode"
    parts = _parts(request)
    return joined([replace(parts[0], content=envelope), *parts[1:]]) if parts else envelope


def _envelope(request: Request) -> tuple[Element, int]:
    """The root of the envelope, and its size in bytes."""
    parts = _parts(request)
    content = parts[0].content if parts else request.raw
    kind = parts[0].content_type if parts else request.content_type
    _check_charset(kind, content)
    return parse(content), len(content)


def _parts(request: Request) -> list[Part] | None:
    if request.kind != "multipart/related":
        return None
    parts = parts_of(request.raw)
    if not parts:
        detail = "a body that does not begin with its boundary; a message in parts (multipart/related) does"
        raise Refused("Client", "no_parts", detail)
    start = request.parameters.get("start", "").removeprefix("<").removesuffix(">")
    if start and parts[0].content_id != start:
        raise Refused(
            "Client", "start", f"start is '{start[:80]}', which is not the first part; put the envelope first"
        )
    return parts


def _check_charset(content_type: str, content: bytes) -> None:
    """What HTTP says of the encoding counts before what the document says (RFC 7303, 3)."""
    said = next((p.partition("=")[2] for p in content_type.lower().split(";") if p.strip().startswith("charset=")), "")
    said = said.strip().strip("\"'")
    if (
        said not in _UTF8
        and not said.startswith("utf-16")
        and said.encode("ascii", "replace") not in content[:200].lower()
    ):
        detail = f"charset={said[:40]} and an XML declaration that does not say so; send UTF-8, or declare the encoding"
        raise Refused("Client", "encoding", detail)


def _judge(asked: Asked, size: int) -> None:
    """The body by the types of the WSDL. Raises Faulty with the first faults."""
    schema: etree.XMLSchema | None = asked.service.schema
    if schema is None or asked.first is None:
        return
    faults, total = faults_of(schema, asked.first, _MOST_FAULTS, size, "")
    if not faults:
        return
    first = faults[0]
    more = f" (and {total - 1} more)" if total > 1 else ""
    detail = f"the body is not valid by the WSDL: {first.xpath}, line {first.line}: {first.message}{more}"
    refused = Refused("Client", "not_valid", detail)
    errors = [_error(refused, each.xpath, str(each.line), each.message) for each in faults]
    raise Faulty(refused, asked.version, errors, asked.message_id or "")


def _at(refused: Refused) -> list[Mapping[str, str]] | None:
    element: Any = refused.element
    if element is None:
        return None
    return [_error(refused, path_of(element), line_of(element).removeprefix("line "), refused.detail)]


def _error(refused: Refused, path: str, line: str, message: str) -> Mapping[str, str]:
    return {"code": refused.reason, "path": path, "line": line, "message": message}
