"""A SOAP service that others wrote (spyne), as a program: ``python spyne_orders.py PORT [1.1|1.2]``.

It takes orders once per key, answers with a fault where it does not know an item, and shows what it has under /state.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from importlib import import_module
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import six

_MOVES = ("", ".collections_abc", ".http_cookies", ".urllib", ".urllib.parse", ".urllib.request", ".urllib.error")


def lend_six() -> None:
    """spyne carries a six of its own that Python 3.12 cannot load any more: it gets today's."""
    six.get_function_name = lambda function: function.__name__
    sys.modules["spyne.util.six"] = six
    for name in _MOVES:
        sys.modules[f"spyne.util.six.moves{name}"] = import_module(f"six.moves{name}")


warnings.simplefilter("ignore")
if sys.version_info >= (3, 12):
    lend_six()

from spyne import Application, ComplexModel, Decimal, Fault, Integer, ServiceBase, Unicode, rpc  # noqa: E402
from spyne.model.complex import Array, Iterable, XmlAttribute  # noqa: E402
from spyne.protocol.soap import Soap11, Soap12  # noqa: E402
from spyne.server.wsgi import WsgiApplication  # noqa: E402

logging.disable(logging.CRITICAL)
NAMESPACE = "urn:example:spyne"
orders: dict[str, dict[str, Any]] = {}
calls: list[dict[str, Any]] = []


class Line(ComplexModel):
    __namespace__ = NAMESPACE
    item = Unicode(min_occurs=1, nillable=False)
    quantity = Integer(min_occurs=1, nillable=False)
    price = Decimal(min_occurs=1, nillable=False)
    unit = XmlAttribute(Unicode)


class Order(ComplexModel):
    __namespace__ = NAMESPACE
    number = Unicode(min_occurs=1, nillable=False)
    total = Decimal
    lines = Array(Line)


class Receipt(ComplexModel):
    __namespace__ = NAMESPACE
    number = Unicode
    lines = Integer
    total = Decimal


class Session(ComplexModel):
    __namespace__ = NAMESPACE
    token = Unicode


class Orders(ServiceBase):
    __in_header__ = Session

    @rpc(Order, _returns=Receipt)
    def CreateOrder(ctx: Any, order: Order) -> Receipt:
        key = ctx.transport.req_env.get("HTTP_IDEMPOTENCY_KEY", "")
        session = ctx.in_header
        calls.append({"key": key, "number": order.number, "token": session.token if session else None})
        for line in order.lines:
            if line.item == "unknown":
                raise Fault("Client.UnknownItem", "there is no item 'unknown'", detail={"item": line.item})
            if line.item == "trouble":
                raise Fault("Server", "the ledger is closed")
            if line.item == "locked":
                raise Fault("Client.Authentication", "the session is over")
            if line.item == "slow":
                time.sleep(3)
        total = sum((line.price * line.quantity for line in order.lines), start=0)
        orders.setdefault(key or f"none-{len(orders)}", {"number": order.number, "total": str(total), "times": 0})
        orders[key or f"none-{len(orders) - 1}"]["times"] += 1
        return Receipt(number=f"S-{order.number}", lines=len(order.lines), total=total)

    @rpc(Unicode, _returns=Iterable(Unicode))
    def FindOrder(ctx: Any, number: str) -> Any:
        for known in orders.values():
            if known["number"] == number:
                yield f"S-{number}"


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.0"

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def main(port: int, version: str) -> None:
    protocol = Soap12 if version == "1.2" else Soap11
    application = Application([Orders], NAMESPACE, in_protocol=protocol(validator="lxml"), out_protocol=protocol())
    service = WsgiApplication(application)

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if environ["PATH_INFO"] == "/state":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps({"orders": orders, "calls": calls}).encode()]
        return service(environ, start_response)

    with make_server("127.0.0.1", port, serve, server_class=Server, handler_class=Quiet) as server:
        print("ready", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "1.1")
