"""A billing document of SAP becomes an e-invoice that an access point takes, and the customer's payment on the bank's
statement clears it in SAP: systems of others, to the cent, whatever fails on the way."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from systems.billing_chain import Billing, running
from systems.joined import drop

from hub.formats import camt053, ubl

TABLE = "mappings/tables/sap_products.csv"


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Billing]:
    with running(tmp_path_factory.mktemp("billing")) as started:
        yield started


def gross(billed: dict[str, Any]) -> Decimal:
    return Decimal(billed["TotalGrossAmount"])


def number(billed: dict[str, Any]) -> str:
    return str(billed["BillingDocument"])


def next_day(chain: Billing) -> None:
    """The bank ends its day and puts down the statement of it."""
    chain.bank.ask("/_mock/advance?days=1", {})


def archived(chain: Billing, name: str) -> list[bytes]:
    return [path.read_bytes() for path in (chain.files / "archive").rglob(f"*{name}")]


def test_the_mappings_of_the_project_pass_their_own_tests(chain: Billing) -> None:
    found = json.loads(chain.o2c("test", "--no-properties", "--processes", "1", "--json"))
    assert found["failed"] == 0 < found["passed"]


def test_what_is_billed_is_invoiced_paid_and_cleared_to_the_cent_in_every_system(chain: Billing) -> None:
    # 2.50 at 19 % is half a cent of tax too much for those who round to the even side
    small = chain.sap.sell({"TG14": ("1", "2.50")})
    large = chain.sap.sell({"TG11": ("3", "2997.01"), "TG12": ("7", "1250.00"), "TG13": ("1", "0.01")})
    assert [Decimal(small["TotalTaxAmount"]), gross(large)] == [Decimal("0.48"), Decimal("5053.95")]
    chain.wait(lambda: len(chain.invoices()) == 2)
    for billed in (small, large):
        totals = ubl.decode_one(chain.invoices()[number(billed)], {})
        assert totals["LegalMonetaryTotal"]["PayableAmount"]["amount"] == gross(billed)
        assert totals["TaxTotal"][0]["TaxAmount"]["amount"] == Decimal(billed["TotalTaxAmount"])
        assert not chain.sap.is_cleared(billed)

    chain.pay(gross(small), reference=number(small))
    chain.pay(gross(large), note=f"Becker Berlin, invoice {number(large)} of March, with thanks")
    next_day(chain)
    chain.wait(lambda: chain.sap.is_cleared(small) and chain.sap.is_cleared(large))
    chain.wait(lambda: len(archived(chain, ".xml")) == 1)
    [raw] = archived(chain, ".xml")
    entries = camt053.decode_one(raw, {})["entries"]
    assert sorted(each["amount"]["amount"] for each in entries) == [gross(small), gross(large)]
    assert [Decimal(chain.sap.receivable(each)["AmountInTransactionCurrency"]) for each in (small, large)] == [
        gross(small), gross(large)
    ]  # fmt: skip
    [posted] = chain.sap.statements()
    [applied] = posted["APPLIED"]
    assert {(each["REFERENCE"], Decimal(each["AMOUNT"])) for each in applied["CLEARED"]} == {
        (number(small), gross(small)), (number(large), gross(large))
    }  # fmt: skip
    assert (applied["UNPROCESSED"], applied["FINDINGS"]) == ([], [])

    chain.hub.wait_until_quiet()
    invoice, statement_of_bank, clearing = ("sap", "invoice"), ("bank", "bank_statement"), ("sap", "payment_applied")
    assert chain.told(number(small)) == {invoice, statement_of_bank, clearing}
    assert chain.told(number(large)) == {invoice, clearing}  # its payer has put the number into words alone


def test_a_statement_that_comes_again_under_other_names_and_numbers_is_booked_once(chain: Billing) -> None:
    before = chain.sap.statements()
    [raw] = archived(chain, ".xml")
    anew = raw.replace(b"<MsgId>", b"<MsgId>AGAIN-", 1)
    drop(chain.files / "out", "camt.053-US-again.xml", raw)
    drop(chain.files / "out", "camt.053-US-anew.xml", anew)
    chain.wait(lambda: bool(archived(chain, "again.xml")) and bool(archived(chain, "anew.xml")))
    chain.hub.wait_until_quiet()
    assert chain.sap.statements() == before
    assert chain.hub.rows("SELECT state, event FROM messages WHERE event = 'repeat'") == [("filtered", "repeat")]


def test_while_the_access_point_is_away_an_invoice_waits_and_goes_once(chain: Billing) -> None:
    already, chain.door.refusing = len(chain.door.posted), True
    billed = chain.sap.sell({"SRV-INST-01": ("2", "99.90")})
    chain.wait(lambda: len(chain.door.posted) >= already + 2)
    assert number(billed) not in chain.invoices()
    chain.door.refusing = False
    chain.wait(lambda: number(billed) in chain.invoices())
    chain.hub.wait_until_quiet()
    held = [each["number"] for each in chain.access_point.ask("/_mock/invoices")]
    assert held.count(number(billed)) == 1


def test_a_product_that_no_table_knows_waits_as_a_dead_letter_until_the_table_does(chain: Billing) -> None:
    billed = chain.sap.sell({"TG31": ("4", "400.40"), "TG11": ("1", "0.10")})
    chain.wait(lambda: chain.hub.rows("SELECT source FROM messages WHERE state = 'dead'") == [("sap",)])
    assert "the table sap_products has no product TG31" in chain.o2c("dead")
    assert number(billed) not in chain.invoices()
    table = (chain.hub.root / TABLE).read_text(encoding="utf-8")
    chain.deploy(TABLE, f"{table}TG31,19\n")
    chain.o2c("replay", "--all", "--yes")
    chain.wait(lambda: number(billed) in chain.invoices())
    document = ubl.decode_one(chain.invoices()[number(billed)], {})
    assert document["LegalMonetaryTotal"]["PayableAmount"]["amount"] == gross(billed)


def test_a_statement_that_sap_receives_and_does_not_post_is_no_success_and_is_replayed(chain: Billing) -> None:
    billed = chain.sap.sell({"TG12": ("1", "1000.00")})
    closed = {"mestyp": "FINSTA", "status": "51", "message": "Posting period 03 2026 is not open", "count": 1}
    chain.sap.ask("/_mock/idoc-posting", closed)
    chain.pay(gross(billed), reference=number(billed))
    next_day(chain)
    dead = "SELECT message_id FROM deliveries WHERE state = 'dead'"
    chain.wait(lambda: len(chain.hub.rows(dead)) == 1)
    assert chain.answer(chain.hub.rows(dead)[0][0], "sap")["STATUS_TEXT"] == "Posting period 03 2026 is not open"
    assert not chain.sap.is_cleared(billed)
    chain.o2c("replay", "--all", "--yes")
    chain.wait(lambda: chain.sap.is_cleared(billed))
    chain.hub.wait_until_quiet()
    assert [each["status"] for each in chain.sap.statements()] == ["53", "51", "53"]
    known = {("sap", "invoice"), ("bank", "bank_statement"), ("sap", "payment_applied")}
    chain.wait(lambda: chain.told(number(billed)) == known)  # the invoice may be fetched after the statement
