"""An order of a real shop, through the hub into a real ERP, shipped, invoiced and paid: one of each, to the cent."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from systems.forwarding import Posted
from systems.joined import drop
from systems.order_to_cash import Chain, decimal, running

from hub.formats import camt053, ubl

BASKET = {"HOSE-DN8": 3, "BOOK-7": 2, "VALVE-38": 1}
ACCOUNT = "DE02120300000000202051"
TRACKING = "00340434292135100186"
AWAY_SECONDS = 20


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    with running(tmp_path_factory.mktemp("chain")) as started:
        yield started


def in_cents(amount: Decimal) -> int:
    assert amount == round(amount, 2)
    return int(amount.scaleb(2))


def confirmed(chain: Chain, code: str) -> dict[str, Any]:
    """The one sale of an order, once the ERP has it confirmed and its goods wait for their shipment."""
    chain.wait(lambda: [s["state"] for s in chain.sales(code)] == ["processing"])
    [sale] = chain.sales(code)
    return sale


def shipped(chain: Chain, sale: dict[str, Any]) -> None:
    """What people in the warehouse do: pick, pack, write down the tracking number, hand over."""
    [shipment] = sale["shipments"]
    chain.erp.write("stock.shipment.out", shipment, reference=TRACKING)
    for button in ("assign_try", "pick", "pack", "ship", "do"):
        chain.erp.act("stock.shipment.out", shipment, button)


def posted(chain: Chain, sale: dict[str, Any]) -> dict[str, Any]:
    """What a bookkeeper does: date the invoice and post it. Gives the invoice."""
    [invoice] = sale["invoices"]
    today = datetime.now(UTC).date()
    day = {"__class__": "date", "year": today.year, "month": today.month, "day": today.day}
    chain.erp.write("account.invoice", invoice, invoice_date=day)
    chain.erp.act("account.invoice", invoice, "post")
    fields = ("number", "total_amount", "customer_payment_reference")
    [found] = chain.erp.find("account.invoice", ["id", "=", invoice], fields=fields)
    return found


def statement(number: int, opening: Decimal, payments: list[tuple[str, int]]) -> bytes:
    """A statement of the bank's with the cents that came in, each with the creditor reference that the payer gave."""
    came = [(reference.replace(" ", ""), Decimal(cents).scaleb(-2)) for reference, cents in payments]
    day = datetime.now(UTC).date().isoformat()
    return camt053.encode([{
        "report_type": "statement", "format": "camt.053.001.08", "message_id": f"M-{number}",
        "statement_id": f"{number}", "electronic_sequence_number": number, "created_at": f"{day}T18:00:00+01:00",
        "account": {"account_id": ACCOUNT}, "account_currency_code": "EUR",
        "opening_balance": {"amount": opening, "currency": "EUR"},
        "closing_balance": {"amount": opening + sum(amount for _, amount in came), "currency": "EUR"},
        "entries": [
            {
                "entry_ref": f"{number}-{place}", "amount": {"amount": amount, "currency": "EUR"},
                "credit_debit_indicator": "CRDT", "status": "BOOK", "booking_date": day,
                "bank_transaction_code": "PMNT/RCDT/ESCT",
                "transactions": [{
                    "amount": {"amount": amount, "currency": "EUR"}, "debtor_name": "Erika Muster",
                    "creditor_reference": reference, "creditor_reference_type": "SCOR",
                }],
            }
            for place, (reference, amount) in enumerate(came, 1)
        ],
    }], {})  # fmt: skip


def paid(chain: Chain, sale: dict[str, Any]) -> bool:
    [invoice] = chain.erp.find("account.invoice", ["id", "=", sale["invoices"][0]], fields=("state", "amount_to_pay"))
    return bool(invoice["state"] == "paid" and not decimal(invoice["amount_to_pay"]))


def came_of(chain: Chain, code: str) -> list[Posted]:
    """What the shop has posted of an order being placed."""
    return [each for each in chain.door.posted if code.encode() in each[2] and b'"order.placed"' in each[2]]


def test_an_order_is_sold_shipped_invoiced_and_paid_to_the_cent_in_every_system(chain: Chain) -> None:
    code = chain.shop.place_order("Erika Muster", BASKET)
    sale = confirmed(chain, code)
    order = chain.shop.order(code)
    assert in_cents(decimal(sale["total_amount"])) == order["totalWithTax"]
    assert in_cents(decimal(sale["untaxed_amount"])) == order["total"]

    shipped(chain, sale)
    chain.wait(lambda: [each["state"] for each in chain.shop.order(code)["fulfillments"]] == ["Shipped"])
    [fulfilment] = chain.shop.order(code)["fulfillments"]
    assert fulfilment["trackingCode"] == TRACKING
    assert {each["orderLineId"]: each["quantity"] for each in fulfilment["lines"]} == {
        each["id"]: each["quantity"] for each in order["lines"]
    }

    invoice = posted(chain, sale)
    written = chain.invoices / f"{invoice['number']}.xml"
    chain.wait(written.exists)
    document = ubl.decode_one(written.read_bytes(), {})
    assert in_cents(decimal(invoice["total_amount"])) == order["totalWithTax"]
    assert in_cents(document["LegalMonetaryTotal"]["PayableAmount"]["amount"]) == order["totalWithTax"]

    bank_file = statement(1, Decimal(100), [(invoice["customer_payment_reference"], order["totalWithTax"])])
    drop(chain.bank_files, "1.xml", bank_file)
    chain.wait(lambda: paid(chain, sale) and chain.sales(code)[0]["state"] == "done")
    drop(chain.bank_files, "1-again.xml", bank_file)
    anew = bank_file.replace(b"<MsgId>M-1<", b"<MsgId>M-2<")
    assert anew != bank_file
    drop(chain.bank_files, "1-anew.xml", anew)
    archive = chain.bank.root / "archive"
    chain.wait(lambda: all(any(archive.rglob(f"*{name}.xml")) for name in ("1-again", "1-anew")))
    chain.hub.wait_until_quiet()
    [booked] = chain.erp.find("account.statement", ["name", "=", "1"], fields=("state", "lines.amount"))
    assert booked["state"] == "posted"
    assert [in_cents(decimal(line["amount"])) for line in booked["lines"]] == [order["totalWithTax"]]
    assert chain.bank.logins >= 1


def test_an_erp_that_is_away_and_webhooks_that_come_twice_and_in_another_order_make_one_sale_each(chain: Chain) -> None:
    chain.erp.stop()
    away_since = time.monotonic()
    chain.door.holding = True
    codes = [
        chain.shop.place_order(who, {"BOOK-7": number}) for number, who in enumerate(("Ada L", "Ada L", "Cy N"), 1)
    ]
    chain.wait(lambda: all(came_of(chain, code) for code in codes))
    chain.door.holding = False
    held = [came_of(chain, code)[0] for code in codes]
    answers = [chain.door.send(posted)[0] for posted in (*reversed(held), *held)]
    assert answers == [202, 202, 202, 200, 200, 200]
    chain.wait(lambda: time.monotonic() - away_since > AWAY_SECONDS)
    chain.erp.start()
    sales = [confirmed(chain, code) for code in codes]
    assert chain.door.send(held[0])[0] == 200
    chain.hub.wait_until_quiet()
    orders = [chain.shop.order(code) for code in codes]
    assert [in_cents(decimal(sale["total_amount"])) for sale in sales] == [order["totalWithTax"] for order in orders]
    assert [len(chain.sales(code)) for code in codes] == [1, 1, 1]
    assert [len(chain.erp.find("party.party", ["name", "=", who])) for who in ("Ada L", "Cy N")] == [1, 1]
    assert sales[0]["party"] == sales[1]["party"] != sales[2]["party"]
    places = [(sale["invoice_address"]["city"], sale["shipment_address"]["city"]) for sale in sales]
    assert places == [("Hamburg", "Lyon")] * 3


def test_a_product_that_the_erp_has_under_no_number_waits_as_a_dead_letter_until_the_table_has_it(chain: Chain) -> None:
    table = chain.erp.tables()["tryton_products"]
    without = "".join(f"{line}\n" for line in table.splitlines() if not line.startswith("GAUGE-10"))
    chain.deploy("mappings/tables/tryton_products.csv", without)
    code = chain.shop.place_order("Max Neu", {"GAUGE-10": 2, "HOSE-DN8": 1})
    chain.wait(lambda: chain.hub.rows("SELECT target FROM deliveries WHERE state = 'dead'") == [("sale",)])
    assert "the table 'tryton_products' has no key 'GAUGE-10'" in chain.o2c("dead")
    assert chain.sales(code) == []
    chain.deploy("mappings/tables/tryton_products.csv", table)
    chain.o2c("replay", "--all", "--yes")
    sale = confirmed(chain, code)
    assert in_cents(decimal(sale["total_amount"])) == chain.shop.order(code)["totalWithTax"]
    assert len(chain.erp.find("party.party", ["name", "=", "Max Neu"])) == 1


def test_a_card_pays_an_invoice_once_however_often_it_is_told(chain: Chain) -> None:
    code = chain.shop.place_order("Eva Karte", {"VALVE-38": 1})
    sale = confirmed(chain, code)
    invoice = posted(chain, sale)
    payment = chain.stripe.pay(chain.shop.order(code)["totalWithTax"], "eur", invoice["customer_payment_reference"])
    chain.wait(lambda: paid(chain, sale))
    told = [each for each in chain.door.posted if payment.encode() in each[2] and b"intent.succeeded" in each[2]]
    assert [chain.door.send(each)[0] for each in told] == [200]
    chain.hub.wait_until_quiet()
    [booked] = chain.erp.find("account.statement", ["name", "=", payment], fields=("state", "total_amount"))
    assert booked["state"] == "posted"
    assert in_cents(decimal(booked["total_amount"])) == chain.shop.order(code)["totalWithTax"]


def test_the_doctor_is_let_into_the_shop_and_the_erp_and_with_other_keys_says_so(chain: Chain) -> None:
    told = chain.o2c("doctor", "webshop", "erp-sales").splitlines()
    assert [line.partition(" (")[0] for line in told] == [
        "ok      system erp-sales: can be reached", "ok      system webshop: can be reached",
        "ok      door of webshop: POST /in/webshop is proved by signature",
    ]  # fmt: skip
    others = {**chain.hub.environment, "ERP_KEY": "another-key", "SHOP_API_KEY": "another-key"}
    command = [*chain.hub.command, "doctor", "webshop", "erp-sales"]
    refused = subprocess.run(command, cwd=chain.hub.root, env=others, capture_output=True, text=True)
    assert refused.returncode == 1
    erp, shop, _ = refused.stdout.splitlines()
    assert "GET /rest/model/company.company?d=W10%3D: the system answered 401" in erp and "see auth:" in erp
    assert "POST /admin-api: the system answered" in shop and "another-key" not in refused.stdout
