"""WSDL files: what they may import, what is refused before anything reads it, and each fault at its place."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import Any

import pytest
from soap_services import WSDL, wsdl_files

from connectors import _soap_files, soap
from connectors._soap_files import WsdlError, documents
from connectors._soap_service import service_of
from connectors.base import PermanentError
from hub.check import check_project
from hub.project import reference_files

FILES = wsdl_files()
ORDER_XSD = "schemas/types/order.xsd"


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may even ask for a name."""

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)


def changed(path: str, old: str, new: str) -> dict[str, bytes]:
    assert old.encode() in FILES[path]
    return {**FILES, path: FILES[path].replace(old.encode(), new.encode())}


def told(files: Mapping[str, bytes], main: str = WSDL) -> list[tuple[str, int, str]]:
    with pytest.raises(WsdlError) as error:
        service_of(main, files)
    return [(fault.file, fault.line, fault.message) for fault in error.value.faults]


PLACES = [
    ("http://schemas.example/order.xsd", "a network address, from which nothing is read"),
    ("https://schemas.example/order.xsd", "a network address"),
    ("//schemas.example/order.xsd", "a network address"),
    ("ftp://schemas.example/order.xsd", "a network address"),
    ("\\\\server\\order.xsd", "a network address"),
    ("file:///etc/passwd", "an address, from which nothing is read"),
    ("/etc/passwd", "a path to anywhere"),
    ("../../../etc/passwd", "a place outside of the project"),
    ("..%2f..%2f..%2fetc/passwd", "a place outside of the project"),
    ("../config/hub.yaml", "there is no file config/hub.yaml in the project"),
    ("types/orders.xsd", "there is no file schemas/types/orders.xsd in the project; save it there"),
]


@pytest.mark.parametrize(("location", "said"), PLACES)
def test_only_files_of_the_project_are_imported(location: str, said: str) -> None:
    [(file, line, message)] = told(changed(WSDL, 'schemaLocation="types/order.xsd"', f'schemaLocation="{location}"'))
    assert (file, line) == (WSDL, 8)
    assert message.startswith(location)
    assert said in message


def test_what_an_imported_file_imports_is_refused_in_that_file() -> None:
    [(file, line, message)] = told(changed(ORDER_XSD, '"money.xsd"', '"http://schemas.example/money.xsd"'))
    assert (file, line) == (ORDER_XSD, 5)
    assert "network" in message


def test_every_fault_of_a_file_is_told_at_once() -> None:
    files = changed(ORDER_XSD, '"money.xsd"', '"http://schemas.example/money.xsd"')
    files[ORDER_XSD] = files[ORDER_XSD].replace(
        b'1998/namespace"/>', b'1998/namespace" schemaLocation="http://www.w3.org/2001/xml.xsd"/>'
    )
    assert [(file, line) for file, line, _ in told(files)] == [(ORDER_XSD, 4), (ORDER_XSD, 5)]


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        (b"", 0, "not well formed"), (b"<a>\n<b></a>", 2, "not well formed"), (b"plain", 1, "not well formed"),
        (b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>', 0, "it has a document type"),
        (b'<!DOCTYPE a SYSTEM "http://x.example/a.dtd"><a/>', 0, "it has a document type"),
        (b"<a>" * 230 + b"</a>" * 230, 1, "more than 200 elements in each other"),
        (b"<a>" * 3000 + b"</a>" * 3000, 1, "not well formed"),
        (b"<html/>", 1, "it is no WSDL 1.1: its root is html"),
        (b"<description xmlns='http://www.w3.org/ns/wsdl'/>", 1, "it is no WSDL 1.1"),
    ],
)  # fmt: skip
def test_what_is_no_wsdl(content: bytes, line: int, said: str) -> None:
    [(file, seen, message)] = told({**FILES, WSDL: content})
    assert (file, said in message) == (WSDL, True)
    assert seen == line or not line


def test_a_wsdl_that_is_not_there() -> None:
    assert told({}) == [(WSDL, 0, "there is no such file in the project")]


def test_imports_in_a_ring_end() -> None:
    ring = changed(
        "schemas/types/money.xsd", "<xsd:complexType", '<xsd:include schemaLocation="order.xsd"/><xsd:complexType'
    )
    known = documents(WSDL, ring)
    assert sorted(known.roots) == sorted(FILES)
    files = {
        **FILES,
        WSDL: FILES[WSDL].replace(b"<wsdl:types>", b'<wsdl:import namespace="urn:b" location="b.wsdl"/><wsdl:types>'),
        "schemas/b.wsdl": b'<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" targetNamespace="urn:b">'
        b'<import namespace="urn:example:orders" location="orders.wsdl"/></definitions>',
    }
    assert sorted(service_of(WSDL, files).operations) == ["CreateOrder", "FindOrder", "Notify"]


def test_schemas_that_import_each_other_are_one_schema() -> None:
    back = '<xsd:import namespace="urn:example:orders" schemaLocation="../all.xsd"/><xsd:include schemaLocation='
    files = changed(ORDER_XSD, "<xsd:include schemaLocation=", back)
    files["schemas/all.xsd"] = (
        b'<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:example:orders"/>'
    )
    service = service_of(WSDL, files)
    assert service.schema is not None


def test_too_much_is_refused_before_it_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_soap_files, "_MOST_BYTES", 5000)
    with pytest.raises(WsdlError, match="at most 5,000 are read"):
        documents(WSDL, {**FILES, WSDL: FILES[WSDL] + b" " * 5000})
    monkeypatch.undo()
    monkeypatch.setattr(_soap_files, "_MOST_FILES", 2)
    with pytest.raises(WsdlError, match="imports 3 files or more"):
        documents(WSDL, FILES)
    monkeypatch.undo()
    monkeypatch.setattr(_soap_files, "_MOST_ELEMENTS", 100)
    with pytest.raises(WsdlError, match="more than 100 elements"):
        documents(WSDL, FILES)


def test_types_that_no_schema_can_be_made_of_are_told() -> None:
    files = changed(ORDER_XSD, 'type="Number"', 'type="Numbr"')
    with pytest.raises(PermanentError):
        soap.inspect({"wsdl": WSDL, "files": files})


# -- o2c check -----------------------------------------------------------------------------------------------------

SYSTEMS = """\
shop:
  connector: soap
  wsdl: schemas/orders.wsdl
  verify: {method: none, unsigned: true}
  replies:
    CreateOrder: {number: "{message_id}"}
"""


def check(systems: str = SYSTEMS, files: Mapping[str, bytes] | None = None) -> list[str]:
    every = {**reference_files(), **(files or FILES), "config/hub.yaml": b"", "config/systems.yaml": systems.encode()}
    result = check_project(every, own=["config/hub.yaml", "config/systems.yaml"])
    return [str(fault) for fault in result.faults if fault.severity == "error"]


def test_a_system_that_is_in_order_has_no_faults() -> None:
    assert check() == []


def test_an_import_from_the_network_is_found_by_o2c_check_at_its_place() -> None:
    [fault] = check(files=changed(WSDL, '"types/order.xsd"', '"http://schemas.example/order.xsd"'))
    assert fault.startswith(f"{WSDL}:8:1: error: http://schemas.example/order.xsd: a network address")


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("schemas/orders.wsdl", "schemas/order.wsdl", "3:9: error: wsdl: there is no file schemas/order.wsdl in the "
         "project; did you mean 'schemas/orders.wsdl'?"),
        ("schemas/orders.wsdl", "orders.wsdl", "3:9: error: wsdl: there is no file orders.wsdl in the project; did you "
         "mean 'schemas/orders.wsdl'?"),
        ("  wsdl: schemas/orders.wsdl\n", "", "1:1: error: wsdl is missing in system 'shop'"),
        ("number:", "numbr:", "6:5: error: replies.CreateOrder: there is no such field; expected number, received, "
         "warning"),
        ("CreateOrder:", "Create:", "6:5: error: replies.Create: no operation with an answer has this name"),
        ('CreateOrder: {number: "{message_id}"}', "{}", "6:5: error: replies.CreateOrder is missing: its answer cannot "
         "be empty (Missing element number"),
        ('"{message_id}"', "[]", "6:5: error: replies.CreateOrder: The String type doesn't accept collections"),
        ("wsdl:", "port: Orders13\n  wsdl:", "3:9: error: port: there is no port 'Orders13' in schemas/orders.wsdl"),
        ("unsigned: true", "unsigned: false", "error: verify.method: none lets anybody in"),
        ("method: none, unsigned: true", "user: u", "error: verify.secrets is missing"),
        ("method: none", "metod: none", "unknown key 'metod'"),
    ],
)  # fmt: skip
def test_mistakes_are_found_at_their_place(old: str, new: str, fault: str) -> None:
    faults = check(SYSTEMS.replace(old, new))
    assert any(fault in each for each in faults), faults


def test_a_certificate_has_to_be_one_of_the_files() -> None:
    verify = "{method: x509, certificates: [schemas/shop.crt]}"
    faults = check(SYSTEMS.replace("{method: none, unsigned: true}", verify))
    assert ["verify.certificates[0]: there is no file schemas/shop.crt" in fault for fault in faults] == [True]


# -- styles --------------------------------------------------------------------------------------------------------

RPC = """<definitions xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:s="http://schemas.xmlsoap.org/wsdl/soap/"
 xmlns:t="urn:rpc" xmlns:x="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:rpc">
<types><x:schema targetNamespace="urn:rpc:types"><x:complexType name="P"><x:sequence>
<x:element name="n" type="x:int"/></x:sequence></x:complexType></x:schema></types>
<message name="In"><part name="a" type="x:decimal"/><part name="p" type="y:P" xmlns:y="urn:rpc:types"/></message>
<message name="Out"><part name="sum" type="x:decimal"/></message>
<portType name="Add"><operation name="Add"><input message="t:In"/><output message="t:Out"/></operation></portType>
<binding name="Add" type="t:Add"><s:binding style="rpc" transport="http://schemas.xmlsoap.org/soap/http"/>
<operation name="Add"><s:operation soapAction="add"/>
<input><s:body use="literal" namespace="urn:rpc"/></input><output><s:body use="literal" namespace="urn:rpc"/></output>
</operation></binding><service name="Add"><port name="Add" binding="t:Add"><s:address location="http://h/"/></port>
</service></definitions>"""


def test_messages_in_rpc_style_are_written_judged_and_read() -> None:
    service = service_of("schemas/rpc.wsdl", {"schemas/rpc.wsdl": RPC.encode()})
    operation = service.operation("Add")
    envelope = operation.input.write({"a": "1.50", "p": {"n": 3}})
    [first] = envelope[0]
    assert (first.tag, service.faults(first)) == ("{urn:rpc}Add", [])
    assert {key: str(value) for key, value in operation.input.read(first).items()} == {"a": "1.50", "p": "{'n': 3}"}
    wrong = operation.input.write({"a": "1,50", "p": {"n": 3}})[0][0]
    assert "'1,50' is not a valid value" in service.faults(wrong)[0][1]
