"""A service as its WSDL describes it: which operations there are, how their messages are written and read.

zeep reads the WSDL and writes messages; it gets nothing but the project's files and asks nobody else. What goes out
and comes in is judged by the types as XML Schema (libxml2), which is stricter than zeep.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, unquote

import msgspec
from lxml import etree

from connectors._soap_files import XSD, Documents, WsdlError, documents
from connectors._soap_schema import OF_XML, XML, XML_XSD, Wrapper, compiled
from connectors._soap_values import Reader, Unfit, prepared
from connectors._soap_xml import Element
from connectors.base import FileFault, PermanentError

_BASE = "file:///project/"  # zeep resolves relative names against it; nothing is opened there
_XML_XSD = f"{_BASE}{XML_XSD}"  # what zeep would fetch by itself
_MISSING = "the connector soap needs zeep: pip install 'o2c-hub[soap]'"


class _Files:
    """What zeep takes for a transport: gives the files of the WSDL and refuses everything else."""

    def __init__(self, known: Documents) -> None:
        self._known = known

    def load(self, url: str) -> bytes:
        if url == _XML_XSD:
            return OF_XML
        path = unquote(url.removeprefix(_BASE)) if url.startswith(_BASE) else ""
        if path not in self._known.raw:
            raise WsdlError(FileFault(self._known.main, 0, f"it wants {url[:200]}, which is not among its files"))
        return _with_xml(self._known.raw[path])


def _with_xml(raw: bytes) -> bytes:
    """A file whose imports of the namespace of xml:lang say where that is: zeep would fetch it from its authors."""
    if XML.encode() not in raw:
        return raw
    root = etree.fromstring(raw)
    for element in root.iter(f"{{{XSD}}}import"):
        if element.get("namespace") == XML and not element.get("schemaLocation"):
            element.set("schemaLocation", _XML_XSD)
    return etree.tostring(root)


class Message:
    """What goes one way in an operation. ``tag`` is what stands in the body, '' where nothing does."""

    def __init__(self, known: Any, reader: Reader) -> None:
        self._known, self._reader = known, reader
        body = getattr(known, "body", None)
        self._wrapped = bool(getattr(known, "_is_body_wrapped", False))
        self.element = None if body is None or self._wrapped else body
        self.tag = str(self.element.qname.text) if self.element is not None else ""
        header = getattr(known, "header", None)
        parts = header.type.elements if header is not None and header.type is not None else ()
        self.header_tags = frozenset(str(part.qname.text) for _, part in parts)

    def write(self, values: Any, headers: Mapping[str, Any] | None = None, path: str = "") -> Element:
        """An envelope with these values. Raises Unfit for values that it has no place for, or that it lacks."""
        kind = self._known.body.type if getattr(self._known, "body", None) is not None else None
        made = prepared(values, kind, path)
        extra = {"_soapheaders": prepared(headers, None, "_headers")} if headers else {}
        try:
            if isinstance(made, Mapping):
                return self._known.serialize(**made, **extra).content  # type: ignore[no-any-return]
            return self._known.serialize(*([] if made is None else [made]), **extra).content  # type: ignore[no-any-return]
        except Exception as error:  # zeep raises whatever its parts raise; what it says of the values is what there is
            raise Unfit(path, _said(error)) from None

    def read(self, element: Element) -> Any:
        """The values of what stands in a body: always by their names, whatever number there are."""
        if self.element is None:
            return self._reader.value(element, None)
        return self._reader.value(element, self.element.type)


class Operation(msgspec.Struct, frozen=True):
    """One operation: ``action`` is its SOAPAction, ``wsa_action`` that of WS-Addressing; without ``output`` it is one
    way."""

    name: str
    action: str
    wsa_action: str
    input: Message
    output: Message | None


class Service(msgspec.Struct, frozen=True):
    """One port of a WSDL. ``schema`` is None where libxml2 cannot read the types, ``schema_fault`` says why."""

    address: str
    version: str
    operations: Mapping[str, Operation]
    schema: etree.XMLSchema | None
    schema_fault: WsdlError | None
    documents: Documents

    def operation(self, name: str) -> Operation:
        """Raises Unfit with the names there are."""
        if name not in self.operations:
            raise Unfit("", f"the WSDL has no operation '{name[:80]}'; it has {', '.join(sorted(self.operations))}")
        return self.operations[name]

    def asked_by(self, tag: str) -> Operation | None:
        """The operation whose request this element is."""
        return next((each for each in self.operations.values() if each.input.tag == tag), None)

    def faults(self, element: Element | None) -> list[tuple[str, str]]:
        """(path, text) of what breaks the types in a body's element; nothing where there are none to judge by."""
        if self.schema is None or element is None or self.schema.validate(element):
            return []
        return [(entry.path or "", entry.message) for entry in list(self.schema.error_log)[:20]]  # type: ignore[call-overload]


def service_of(
    main: str, files: Mapping[str, bytes], service: str = "", port: str = "", version: str = ""
) -> Service:  # fmt: skip
    """The port of a WSDL, of this version of SOAP where one is said; for one thread at a time. Raises WsdlError,
    PermanentError."""
    known = documents(main, files)
    chosen, version = _port(_document(main, tuple(known.raw.items())), main, service, port, version)
    options = chosen.binding_options or {}
    operations = dict(_operations(chosen.binding))
    try:
        schema, wrong = compiled(known, list(_wrappers(chosen.binding))), None
    except WsdlError as error:
        schema, wrong = None, error
    return Service(str(options.get("address") or ""), version, operations, schema, wrong, known)


@lru_cache(maxsize=8)
def _document(main: str, raw: tuple[tuple[str, bytes], ...]) -> Any:
    """What zeep makes of the files: once, for it takes its time."""
    known = documents(main, dict(raw))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a part of zeep that is not used here
        try:
            from zeep.settings import Settings
            from zeep.wsdl import Document
        except ImportError:
            raise PermanentError(f"wsdl: {_MISSING}") from None
    settings = Settings(
        strict=True, forbid_dtd=True, forbid_entities=True, forbid_external=True, xml_huge_tree=False,
        raw_response=False,
    )  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of schemas that are imported twice
            files: Any = _Files(known)
            return Document(_BASE + quote(known.main), files, settings=settings)
    except WsdlError:
        raise
    except RecursionError:
        raise WsdlError(FileFault(known.main, 0, "its types are too deep in each other")) from None
    except Exception as error:  # zeep raises whatever its parts raise
        raise WsdlError(FileFault(known.main, 0, f"zeep cannot read it: {_said(error)}")) from None


def _port(document: Any, main: str, service: str, port: str, wanted_version: str) -> tuple[Any, str]:
    """The port that is wanted, else the first that speaks SOAP 1.1, else 1.2."""
    from zeep.wsdl.bindings.soap import Soap11Binding, Soap12Binding

    services = document.services
    if service and service not in services:
        raise PermanentError(f"service: there is no service '{service}' in {main}; it has {_names(services)}")
    if not service and len(services) != 1:
        raise PermanentError(f"service: {main} has {len(services)} services; say which: {_names(services)}")
    ports = services[service or next(iter(services))].ports
    if port and port not in ports:
        raise PermanentError(f"port: there is no port '{port}' in {main}; it has {_names(ports)}")
    wanted = [ports[port]] if port else list(ports.values())
    for kind, version in ((Soap11Binding, "1.1"), (Soap12Binding, "1.2")):
        for each in wanted:
            if isinstance(each.binding, kind) and wanted_version in ("", version):
                return each, version
    raise PermanentError(f"port: none of the ports of {main} speaks SOAP over HTTP; it has {_names(ports)}")


def _operations(binding: Any) -> Iterator[tuple[str, Operation]]:
    reader = Reader(binding.wsdl.types)
    for name, known in binding.all().items():
        abstract = known.abstract
        output = known.output if known.output is not None and abstract.output_message is not None else None
        yield str(name), Operation(
            str(name), str(known.soapaction or ""), str(abstract.wsa_action or known.soapaction or ""),
            Message(known.input, reader), Message(output, reader) if output is not None else None,
        )  # fmt: skip


def _wrappers(binding: Any) -> Iterator[Wrapper]:
    """The elements of messages in rpc style."""
    for known in binding.all().values():
        if known.style != "rpc":
            continue
        for message in (known.input, known.output):
            body = getattr(message, "body", None)
            if body is None:
                continue
            parts = [(name, *_type_name(part.type)) for name, part in body.type.elements]
            yield Wrapper(body.qname.namespace or "", body.qname.localname, parts)


def _type_name(kind: Any) -> tuple[str, str]:
    qname = kind.qname
    return (qname.namespace or "", qname.localname) if qname is not None else ("", "anyType")


def described(faults: Iterable[tuple[str, str]]) -> str:
    """The first fault of a body in words, and how many more there are."""
    every = list(faults)
    path, text = every[0]
    more = f" (and {len(every) - 1} more)" if len(every) > 1 else ""
    return f"{path}: {text[:300]}{more}"


def _names(known: Mapping[str, Any]) -> str:
    return ", ".join(sorted(known)) or "none"


def _said(error: Exception) -> str:
    """The text of an error of zeep's, without the signature that it may end with."""
    text = str(error).partition(". Signature:")[0].strip() or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]} …"
