"""A hub that trades with a partner over HTTP: what is posted to it, and what the partner's own server gets back."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from admin import add_key
from hub_process import HubProcess
from program import o2c

PARTNERS = """
acme:
  system: van
  syntax: edifact
  us: {id: "4012345000009", qualifier: "14"}
  them: {id: "5412345000013", qualifier: "14"}
  directory: D96A
  ack: {contrl: always, aperak: on_error, within: 24h}
"""
SYSTEMS = """
van:
  connector: http
  base_url: http://127.0.0.1:{port}
  path: /edi
  idempotency: {{mode: native}}
  verify: {{method: none, unsigned: true}}
"""
ROUTE = """
route: acme-orders
from: {partner: acme, event: ORDERS}
map: order-in
key: src.report_id
to:
  - {partner: acme, map: order-out}
"""
ORDER_IN = """
mapping: order-in
version: 1
target: {schema: canonical/stock_level}
output:
  report_id: >-
    require(first(s for s in src.segments if s[0] == 'BGM')[2],
    first(s for s in src.segments if s[0] == 'BGM')[2] != 'BAD', 'there is no such contract')
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.partner}
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
ORDER_OUT = """
mapping: order-out
version: 1
source: {schema: canonical/stock_level}
output:
  type: {const: ORDRSP}
  segments:
    - [{const: BGM}, {const: "231"}, "'R-' + src.report_id", {const: "29"}]
"""


class PartnerServer:
    """The partner's door: takes every POST and keeps its bytes and content type.

    What the hub sends once more, because it was killed before it heard the answer, has the same control number and is
    not kept again, as a partner leaves it out; the same number with other bytes would be."""

    def __init__(self) -> None:
        self.got: list[tuple[str, str]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"])).decode("latin-1")
                if (came := (self.headers["content-type"], body)) not in server.got:
                    server.got.append(came)
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on standard error."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def wait_for(self, count: int) -> list[str]:
        """What came, once it is so much."""
        deadline = time.monotonic() + 20
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(self.got) == count, self.got
        return [body for _, body in self.got]

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture
def partner() -> Iterator[PartnerServer]:
    server = PartnerServer()
    yield server
    server.close()


@pytest.fixture
def hub(make_hub: Callable[..., HubProcess], partner: PartnerServer) -> HubProcess:
    hub = make_hub()
    hub.write("config/systems.yaml", SYSTEMS.format(port=partner.port))
    hub.write("config/partners.yaml", PARTNERS)
    hub.write("routes/orders.yaml", ROUTE)
    hub.write("mappings/order-in.yaml", ORDER_IN)
    hub.write("mappings/order-out.yaml", ORDER_OUT)
    hub.start()
    return hub


def interchange(number: int, *names: str, bad: str = "") -> bytes:
    messages = "".join(
        f"UNH+{n}+ORDERS:D:96A:UN'BGM+220+{name}+9'UNT+{9 if name == bad else 3}+{n}'"
        for n, name in enumerate(names, 1)
    )
    head = f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{number}'"
    return f"{head}{messages}UNZ+{len(names)}+{number}'".encode()


def post(hub: HubProcess, body: bytes) -> tuple[int, dict[str, object]]:
    status, answer = hub.request("POST", "/in/van", body, {"content-type": "application/edifact"})[:2]
    return status, answer if isinstance(answer, dict) else json.loads(answer)


def test_a_partner_gets_an_answer_to_each_message_and_one_acknowledgement(
    hub: HubProcess, partner: PartnerServer
) -> None:
    assert post(hub, interchange(101, "A", "B", "C", bad="B"))[0] == 202
    got = partner.wait_for(3)
    assert {kind for kind, _ in partner.got} == {"application/edifact"}
    [contrl] = [body for body in got if "CONTRL" in body]
    assert "UCI+101+5412345000013:14+4012345000009:14+7'UCM+2+ORDERS:D:96A:UN+4+29+UNT'" in contrl
    assert sorted(re.findall(r"R-\w", "".join(got))) == ["R-A", "R-C"]
    assert sorted(re.findall(r"UNZ\+1\+(\d+)", "".join(got))) == ["1", "2", "3"]
    hub.wait_until_quiet()
    [(number,)] = hub.rows("SELECT message_id FROM messages WHERE place LIKE '%acknowledgement'")
    assert hub.stop() == 0
    key = add_key(hub)
    hub.start()
    traced = o2c(hub.root, "show", number, "--trace", O2C_URL=f"http://127.0.0.1:{hub.port}", O2C_API_KEY=key)
    assert (traced.returncode, number in traced.stdout) == (0, True), traced.stderr
    assert "nothing to trace: the hub itself has written this acknowledgement; no mapping has made it" in traced.stderr


def test_a_partner_hears_what_is_wrong_with_the_content_once_also_across_a_crash(
    hub: HubProcess, partner: PartnerServer
) -> None:
    post(hub, interchange(101, "A", "BAD"))
    hub.kill_all()
    hub.start()
    got = partner.wait_for(3)
    [aperak] = [body for body in got if "APERAK" in body]
    assert "RFF+ACE:BAD'RFF+ACW:2'RFF+AGO:101'ERC+RULE'FTX+AAO+++there is no such contract'UNT" in aperak
    number = re.findall(r"UNZ\+1\+(\d+)", next(body for body in got if "R-A" in body))[0]
    reply = "UNH+1+APERAK:D:96A:UN'BGM++X+27'RFF+ACE:R-A'ERC+1'FTX+AAO+++too late'UNT+6+1'UNZ+1+102'"
    post(hub, f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+102'{reply}".encode())
    assert partner.wait_for(4)[-1].startswith("UNB+UNOC:3+4012345000009:14")
    dead = hub.rows("SELECT failure ->> 'detail' FROM messages WHERE state = 'dead' ORDER BY seq, position")
    assert dead[-1] == ("partner 'acme' has rejected our document R-A: 1: too late",)
    rows = json.loads(o2c(hub.root, "partners", "acme", "--json").stdout)
    assert [(row["interchange"], row["answer"]) for row in rows if row["answer"]] == [(int(number), "rejected")]
    lines = [line for line in o2c(hub.root, "doctor").stdout.splitlines() if " partner acme: " in line]
    assert "ok      partner acme: last control numbers: interchange 4, message 4" in lines, lines
    assert any(line.startswith("warning partner acme: has rejected 1 interchange; see why") for line in lines), lines
    assert hub.stop() == 0


def test_a_file_that_broke_off_is_taken_in_as_far_as_it_came_and_the_rest_when_it_is_sent_again(
    hub: HubProcess, partner: PartnerServer
) -> None:
    whole = interchange(101, "A", "B", "C")
    post(hub, whole[: whole.index(b"+C+")])
    assert sorted(re.findall(r"R-\w", "".join(partner.wait_for(3)))) == ["R-A", "R-B"]
    hub.kill_all()
    hub.start()
    post(hub, whole)
    got = partner.wait_for(5)
    assert sorted(re.findall(r"R-\w", "".join(got))) == ["R-A", "R-B", "R-C"]
    told = sorted(found[0] for body in got if (found := re.findall(r"\+(7(?:\+13\+UNZ)?)'U", body)))
    assert told == ["7", "7+13+UNZ"]
    assert hub.stop() == 0


def test_a_repeat_is_answered_as_one_and_numbers_go_on_after_a_crash(hub: HubProcess, partner: PartnerServer) -> None:
    first = post(hub, interchange(101, "A"))[1]
    partner.wait_for(2)
    status, answer = post(hub, interchange(101, "A"))
    assert (status, answer["message_id"], answer["duplicate"]) == (200, first["message_id"], True)
    hub.kill_all()
    hub.start()
    post(hub, interchange(102, "B"))
    got = partner.wait_for(4)
    assert sorted(re.findall(r"UNZ\+1\+(\d+)", "".join(got))) == ["1", "2", "3", "4"]
    shown = o2c(hub.root, "partners", "acme", "--json")
    rows = json.loads(shown.stdout)
    assert [(row["interchange"], row["state"]) for row in rows] == [(n, "sent") for n in (4, 3, 2, 1)]
    listed = o2c(hub.root, "partners").stdout
    assert listed == "acme: edifact, 5412345000013:14 by van; interchange 4, message 4; 2 without an acknowledgement\n"
    assert hub.stop() == 0


NORTHWIND = """
northwind:
  system: van
  syntax: x12
  us: {id: EXAMPLE, qualifier: ZZ}
  them: {id: NORTHWIND, qualifier: ZZ}
"""
NAMED = """
mapping: {name}
version: 1
source: {{format: {format}, schema: {schema}}}
target: {{schema: canonical/stock_level}}
output:
  report_id: {number}
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {{const: full}}
  stock_lines:
    each: {lines}
    as: l
    item:
      item: {{name: {item}}}
      available_quantity: {{value: {{const: "1"}}, unit_code: {{const: C62}}}}
      location_id: {{const: main}}
"""
ORDERS_96A = NAMED.format(
    name="order-in", format="edifact", schema="edifact/D96A/ORDERS", number="src.BGM.document.number",
    lines="src.LIN_group", item="l.LIN.item.id",
)  # fmt: skip
PO_4010 = NAMED.format(
    name="po-in", format="x12", schema="x12/004010/850", number="src.BEG.order_number", lines="src.PO1_loop",
    item='"l.PO1.items[0].id"',
)  # fmt: skip
# PO-1:2 and a code of EANCOM (12E) are right in a message of D.01B that says it is EANCOM's, and nowhere else
ORDERS = (
    "UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{number}'UNH+1+ORDERS:D:{version}'"
    "BGM+220+{order}+9'DTM+137:20260305:102'LIN+1++4000862141404:SRV'QTY+12E:48'UNS+S'UNT+7+1'UNZ+1+{number}'"
)
# MTX behind N9 came with 005010
PO = (
    "ISA*00*          *00*          *ZZ*NORTHWIND      *ZZ*EXAMPLE        *260305*0930*{repetition}*{isa}"
    "*000000{number}*0*P*>~GS*PO*NORTHWIND*EXAMPLE*20260305*0930*{number}*X*{version}~ST*850*0001~BEG*00*SA*{order}**20260305~"
    "N9*L1*NOTE~MTX**BY TRUCK~PO1*1*5*EA*9.9**UP*012345678905~SE*6*0001~GE*1*{number}~IEA*1*000000{number}~"
)


def test_a_message_is_read_in_the_version_that_it_declares(hub: HubProcess, partner: PartnerServer) -> None:
    hub.write("config/partners.yaml", PARTNERS + NORTHWIND)
    hub.write("mappings/order-in.yaml", ORDERS_96A)
    hub.write("mappings/po-in.yaml", PO_4010)
    hub.write("routes/po.yaml", ROUTE.replace("acme-orders", "pos").replace("event: ORDERS", "event: '850'").replace(
        "from: {partner: acme", "from: {partner: northwind").replace("order-in", "po-in"))  # fmt: skip
    assert hub.stop() == 0
    hub.start()
    post(hub, ORDERS.format(number=101, version="01B:UN:EAN010", order="PO-1:2").encode())
    post(hub, ORDERS.format(number=102, version="96A:UN:EAN008", order="PO-2:2").encode())
    post(hub, ORDERS.format(number=103, version="01B:UN", order="PO-3:2").encode())
    post(hub, PO.format(number=104, version="005010", isa="00501", repetition="^", order="PO-4").encode())
    post(hub, PO.format(number=105, version="004010", isa="00401", repetition="U", order="PO-5").encode())
    got = partner.wait_for(5)
    assert sorted(re.findall(r"R-PO-\d", "".join(got))) == ["R-PO-1", "R-PO-4"]
    assert len(re.findall(r"CONTRL", "".join(got))) == 3
