"""Every channel at once, on real servers: one order by four of them, and what warehouses, carriers, tills and banks
exchange by the presets made for them. One hub, one OpenSSH server, and HTTP both ways."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
import zeep
from channels_project import (
    COMPANY,
    FILES,
    INCOMING,
    OUTGOING,
    PARTNER_OF,
    PARTNERS,
    Door,
    interchange,
    own_mappings,
    routes,
    systems,
)
from four_channels import LINES, NUMBER, WSDL, csv, edifact, mappings, order, webhook
from hub_process import HubProcess
from receiver import Receiver
from sftp_server import SftpServer, names_below, sftp_server
from zeep.wsse.username import UsernameToken

from hub.formats import camt053, pain
from hub.reference import reference_root

KEY = b"k" * 32
PASSWORD = "a-password-of-the-partner"
DAY_CUT_OFF = b"report,till,day,currency,movement,amount,total\nZ-2,T2,2026-03-06,EUR,sale,1.00,9.00\n"


@pytest.fixture(scope="module")
def server() -> Iterator[SftpServer]:
    with sftp_server() as running:
        for name in [*FILES, "orders"]:
            running.folder(f"{name}-out")
        for name in FILES:
            running.folder(f"{name}-in")
        yield running


@pytest.fixture(scope="module")
def door() -> Iterator[Door]:
    running = Door()
    yield running
    running.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, server: SftpServer, door: Door) -> Iterator[HubProcess]:
    receiver = Receiver()
    hub = HubProcess(tmp_path_factory.mktemp("hub"), receiver)
    hub.environment |= {"TOKEN": "t-1", "PASSWORD": PASSWORD, "HOOK_SECRET": "whsec_" + base64.b64encode(KEY).decode()}
    for path in ("mappings/order-in.yaml", "mappings/order-out.yaml", "routes/orders.yaml"):
        (hub.root / path).unlink()
    for folder in ("files/office", "files/kept"):
        (hub.root / folder).mkdir(parents=True)
    hub.write("config/hub.yaml", (hub.root / "config/hub.yaml").read_text() + COMPANY)
    hub.write("config/systems.yaml", systems(server, door))
    hub.write("config/partners.yaml", PARTNERS)
    hub.write("routes/all.yaml", routes())
    hub.write(".o2c/secrets/partner", server.key)
    hub.write("schemas/four.wsdl", WSDL)
    for path, text in {**mappings(), **own_mappings()}.items():
        hub.write(path, text)
    hub.start()
    yield hub
    assert hub.stop() == 0
    receiver.close()


# -- how things get there ----------------------------------------------------------------------------------------------


def post(hub: HubProcess, system: str, body: bytes) -> None:
    """A webhook as Standard Webhooks says."""
    number, at = str(uuid.uuid4()), int(time.time())
    digest = base64.b64encode(hmac.new(KEY, f"{number}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
    headers = {"Content-Type": "application/json", "webhook-id": number, "webhook-timestamp": str(at),
               "webhook-signature": f"v1,{digest}"}  # fmt: skip
    assert hub.request("POST", f"/in/{system}", body, headers)[0] == 202


def drop(server: SftpServer, path: str, content: str | bytes) -> None:
    """As a good partner does: under another name first, renamed when complete, then the marker."""
    file = server.root / path
    part = file.with_name(f"{file.name}.tmp")
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    part.rename(file)
    if not path.startswith((*PARTNER_OF, "bank")):
        file.with_name(f"{file.name}.done").touch()


def golden(mapping: str) -> dict[str, Any]:
    """The first case of a mapping's tests."""
    (path,) = (reference_root() / "mappings").rglob(f"{mapping}.test.yaml")
    return yaml.safe_load(path.read_text())["cases"][0]  # type: ignore[no-any-return]


def statement() -> bytes:
    return camt053.encode_one(json.loads(golden("statement")["input_text"], parse_float=Decimal), {})


def came(hub: HubProcess, system: str, key: str = "%") -> list[tuple[str, str]]:
    """(event, state) of the messages of a system that have ended, dead ones too."""
    under_way = "SELECT 1 FROM deliveries d WHERE d.message_id = m.message_id AND d.state <> 'delivered'"
    sql = "SELECT m.event, m.state FROM messages m WHERE m.source = ? AND m.main_key LIKE ?"
    sql += f" AND NOT EXISTS ({under_way})"
    return hub.rows(sql, system, key)  # type: ignore[return-value]


def kept(hub: HubProcess, system: str, key: str = "%") -> list[dict[str, Any]]:
    """The canonical documents that have come of a system's messages."""
    sql = "SELECT d.delivery_id FROM deliveries d JOIN messages m USING (message_id)"
    sql += " WHERE m.source = ? AND m.main_key LIKE ?"
    found = [path for (each,) in hub.rows(sql, system, key) for path in (hub.root / "files/kept").glob(f"{each}*.json")]
    return [json.loads(path.read_text()) for path in found]


def reason(hub: HubProcess, system: str, name: str) -> str:
    """Why what came in a file is dead, once it is."""
    sql = """SELECT coalesce(r.failure, m.failure) FROM receipts r LEFT JOIN messages m ON m.seq = r.seq
             WHERE r.source = ? AND r.name = ? AND coalesce(r.failure, m.failure) IS NOT NULL"""
    hub.wait_for(lambda: bool(hub.rows(sql, system, name)), 30)
    return str(json.loads(hub.rows(sql, system, name)[0][0])["detail"])


# -- one order, four channels ------------------------------------------------------------------------------------------


def test_one_order_by_four_channels_is_one_canonical_order(hub: HubProcess, server: SftpServer) -> None:
    post(hub, "shop", webhook())
    drop(server, "orders-out/orders.csv", csv())
    drop(server, "edi-out/orders.edi", edifact())
    token = UsernameToken("partner", PASSWORD, use_digest=True)
    zeep.Client(f"http://127.0.0.1:{hub.port}/soap/soap?wsdl", wsse=token).service.PlaceOrder(**order())
    found = {}
    for system in ("shop", "csv", "edi", "soap"):
        hub.wait_for(lambda system=system: len(kept(hub, system)) == 1, 30)  # type: ignore[misc]
        [found[system]] = kept(hub, system)
    assert {name: each.pop("channel") for name, each in found.items()} == {
        "shop": "ecommerce", "csv": "edi", "edi": "edi", "soap": "api",
    }  # fmt: skip
    assert {name: each.pop("source_order_id", None) for name, each in found.items()} == {
        "shop": f"shop-order-{NUMBER}", "csv": None, "edi": None, "soap": f"soap-order-{NUMBER}",
    }  # fmt: skip
    for name in ("csv", "edi", "soap"):
        assert found[name] == found["shop"], name
    assert [line["item"]["name"] for line in found["edi"]["order_lines"]] == [line["name"] for line in LINES]
    assert found["edi"]["anticipated_monetary_total"]["payable_amount"] == {"amount": "422.25", "currency": "EUR"}


# -- presets, both ways ------------------------------------------------------------------------------------------------


def test_what_others_write_comes_in_by_their_presets(hub: HubProcess, server: SftpServer) -> None:
    names = {"despatch": "DES", "stock": "STO", "status": "STA", "sale": "SAL", "day-end": "DAY", "": "statement"}
    for number, (system, event, mapping) in enumerate(INCOMING, 201):
        case = golden(mapping)
        if system.endswith("-api"):
            post(hub, system, json.dumps(case["input"]).encode())
        elif system == "bank":
            drop(server, "bank-out/statement.xml", statement())
        elif system in PARTNER_OF:
            drop(server, f"{system}-out/{event}.edi", interchange(event, case["input_text"], number))
        else:
            drop(server, f"{system}-out/{names[event]}_1.csv", case["input_text"])
    for system in {each[0] for each in INCOMING}:
        expected = {(event, "routed") for name, event, _ in INCOMING if name == system}
        expected |= {("ORDERS", "routed")} if system == "edi" else set()  # of the test before
        hub.wait_for(lambda s=system, e=expected: set(came(hub, s)) == e, 30)  # type: ignore[misc]
    assert hub.rows("SELECT count(*) FROM messages WHERE state = 'dead'") == [(0,)]
    hub.wait_for(lambda: all(not names_below(server.root / f"{name}-out") for name in FILES), 30)


def test_what_goes_out_is_what_they_read(hub: HubProcess, server: SftpServer, door: Door) -> None:
    for kind, targets in OUTGOING.items():
        document = golden(next(iter(targets.values())))["input"]
        (hub.root / f"files/office/{kind}-1.json").write_text(json.dumps(document, default=str))
    hub.wait_for(lambda: len(came(hub, "office")) == len(OUTGOING), 30)
    written = {name: sorted((server.root / f"{name}-in").iterdir()) for name in FILES}
    interchanges = {name: b"".join(path.read_bytes() for path in written.pop(name)) for name in PARTNER_OF}
    assert {name: [path.suffix for path in paths] for name, paths in written.items()} == {
        **{name: [".csv", ".done"] for name in ("wms", "carrier", "provider", "tills")},
        "bank": [".xml"],
    }  # fmt: skip
    assert written["wms"][0].name.startswith("FUL_")
    assert [kind for kind in (b"ST*940*", b"ST*204*") if kind not in interchanges["blue-edi"]] == []
    assert [kind for kind in (b"+INSDES:D:01B:UN", b"+IFTMIN:D:96A:UN") if kind not in interchanges["edi"]] == []
    asked = pain.decode_one(written["bank"][0].read_bytes(), {})
    assert (asked["message_type"], str(asked["control_sum"])) == ("direct_debit", "119.00")
    assert {path: (headers["Authorization"], "Idempotency-Key" in headers) for path, headers, _ in door.got} == {
        "/fulfilments": ("Bearer t-1", True), "/bookings": ("Bearer t-1", True),
    }  # fmt: skip
    references = "SELECT DISTINCT a.reference LIKE 'made-%' FROM attempts a JOIN deliveries d USING (delivery_id)"
    assert hub.rows(f"{references} WHERE d.system LIKE '%-api'") == [(1,)]


def test_an_error_inside_a_200_is_no_success(hub: HubProcess, door: Door) -> None:
    door.errors.append({"error": "no such warehouse"})
    document = golden("fulfilment-request-to-wms")["input"] | {"fulfilment_request_id": "F-9"}
    (hub.root / "files/office/fulfilment_request-2.json").write_text(json.dumps(document))
    dead = "SELECT a.code FROM deliveries d JOIN attempts a USING (delivery_id) WHERE d.state = 'dead'"
    hub.wait_for(lambda: bool(hub.rows(dead)), 30)
    assert hub.rows(dead) == [("http_200",)]


# -- what is wrong with files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content", "why"),
    [
        ("orders-out/cut.csv", csv("PO-bad").encode()[:-40], "15 cells; expected 19, one for each column"),
        ("orders-out/latin.csv", csv("PO-bad").encode("latin-1"), "the byte 0xFC is not of the file's encoding"),
        ("orders-out/headless.csv", b"\n", "the file is empty; expected a header row"),
        ("edi-out/cut.edi", edifact("PO-bad", "103")[:-60], "UNZ is missing: the bytes end"),
        ("edi-out/page.edi", b"<!DOCTYPE html><html>Sorry</html>", "this is XML; it is not EDIFACT"),
        ("bank-out/cut.xml", b"<Document><BkToCstmrStmt>", "the XML is not well formed"),
        ("tills-out/DAY_2.csv", DAY_CUT_OFF, "the rows make 1.00, the report says 9.00: rows are missing"),
        ("wms-out/OTHER_1.csv", b"a,b\n1,2\n", "no route takes a document of 'wms'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_ends_in_a_dead_letter_that_says_why(
    hub: HubProcess, server: SftpServer, path: str, content: bytes, why: str
) -> None:
    drop(server, path, content)
    system, _, name = path.replace("orders", "csv").partition("-out/")
    assert reason(hub, system, name).startswith(why)
    hub.wait_for(lambda: f"error/{name}" in names_below(server.root), 30)
    assert kept(hub, system, "%PO-bad") == []


def test_an_empty_file_goes_to_the_error_folder_with_a_note(hub: HubProcess, server: SftpServer) -> None:
    drop(server, "orders-out/empty.csv", b"")
    note = server.root / "error/empty.csv.error.json"
    hub.wait_for(note.exists, 30)
    assert json.loads(note.read_text())["code"] == "empty"


def test_a_file_that_is_renamed_again_and_again_comes_in_once(hub: HubProcess, server: SftpServer) -> None:
    """Its writer changes his mind while the hub looks: it is taken under one of its names, whole, and never twice."""
    folder = server.root / "orders-out"
    drop(server, "orders-out/renamed-0.csv", csv("PO-R"))
    moved = 0
    while not came(hub, "csv", "%PO-R") and moved < 2000:
        try:
            (folder / f"renamed-{moved}.csv").rename(folder / f"renamed-{moved + 1}.csv")
        except FileNotFoundError:
            break
        moved += 1
        (folder / f"renamed-{moved}.csv.done").touch()
        time.sleep(0.01)
    hub.wait_for(lambda: len(kept(hub, "csv", "%PO-R")) == 1, 30)
    [found] = kept(hub, "csv", "%PO-R")
    assert len(found["order_lines"]) == len(LINES)
    assert moved > 0


def test_a_statement_that_comes_twice_counts_once(hub: HubProcess, server: SftpServer) -> None:
    before = len(came(hub, "bank"))
    drop(server, "bank-out/again.xml", statement())
    hub.wait_for(lambda: any(Path(name).name == "again.xml" for name in names_below(server.root / "archive")), 30)
    assert len(came(hub, "bank")) == before


def test_the_same_interchange_once_more_in_a_file_is_a_repeat_that_is_kept(hub: HubProcess, server: SftpServer) -> None:
    told = golden("edifact-transport-status")["input_text"].replace("95-455", "95-399")
    for name in ("first.edi", "again.edi"):
        drop(server, f"edi-out/{name}", interchange("IFTSTA", told, 399))
        hub.wait_for(lambda n=name: any(Path(path).name == n for path in names_below(server.root / "archive")), 30)  # type: ignore[misc]
    sql = "SELECT m.event FROM messages m JOIN receipts r USING (seq) WHERE r.name = 'again.edi'"
    assert hub.rows(sql) == [("repeat",)]
