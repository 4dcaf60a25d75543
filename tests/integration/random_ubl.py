"""Canonical documents made by chance, for the mappings to and from UBL that are about money, goods and places."""

from __future__ import annotations

from random import Random
from typing import Any

TEXTS = ("Nordmarkt AG", "Čeština & <your> söner", "x" * 90, 'O\'Hara "Ltd"', "Ölhandel")
IDENTIFIERS = [{"id": "5412345000013", "scheme_id": "0088"}, {"id": "LIEF-77"}]
CURRENCIES = {"EUR": 2, "JPY": 0, "KWD": 3, "CHF": 2}


def documents(kind: str, seed: int, count: int) -> list[Any]:
    """As many of a type as are asked for, the same for the same seed."""
    return [MAKERS[kind](Random(f"{kind} {seed} {number}"), number) for number in range(count)]


def _some(random: Random, document: dict[str, Any], *kept: str) -> dict[str, Any]:
    """The document with its optional fields there or not."""
    return {key: value for key, value in document.items() if key in kept or random.random() < 0.6}


def _money(random: Random, currency: str, smallest: int = 0) -> dict[str, str]:
    return _of(random.randint(smallest, 10**6), currency)


def _of(minor: int, currency: str) -> dict[str, str]:
    places = CURRENCIES[currency]
    digits = f"{abs(minor):0{places + 1}d}"
    text = f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return {"amount": "-" * (minor < 0) + text, "currency": currency}


def _minor(money: dict[str, str] | None) -> int:
    return int(money["amount"].replace(".", "")) if money else 0


def _date(random: Random) -> str:
    return f"2026-{random.randint(1, 12):02}-{random.randint(1, 28):02}"


def _time(random: Random) -> str:
    return f"{_date(random)}T{random.randint(0, 23):02}:{random.randint(0, 59):02}:{random.randint(0, 59):02}Z"


def _quantity(random: Random, unit: str = "C62") -> dict[str, str]:
    return {"value": random.choice(("1", "37", "2.5", "0.125", "0")), "unit_code": unit}


def _address(random: Random) -> dict[str, Any]:
    return _some(random, {
        "street_name": "Hafenweg 8", "additional_street_name": "Tor 4", "address_line": "Rampe 2", "city_name": "Gent",
        "postal_zone": "9000", "country_subentity": "VOV", "country_code": random.choice(("BE", "DE", "JP")),
    }, "country_code")  # fmt: skip


def _place(random: Random) -> dict[str, Any]:
    return _some(random, {
        "location_id": {"id": "5412345000020", "scheme_id": "0088"}, "name": random.choice(TEXTS),
        "address": _address(random),
    }, "name")  # fmt: skip


def _party(random: Random) -> dict[str, Any]:
    party = _some(random, {
        "party_id": f"C{random.randint(1, 999)}", "name": random.choice(TEXTS), "trading_name": "Nordmarkt",
        "identifiers": random.sample(IDENTIFIERS, random.randint(1, 2)),
        "vat_id": "BE0428759497", "tax_registration_id": "201/113/40209", "legal_registration_id": "0428759497",
        "endpoint": {"id": "0428759497", "scheme_id": "0208"}, "postal_address": _address(random),
        "contact": {"name": "Jana Peeters", "telephone": "+32 2 5550100", "electronic_mail": "jana@nordmarkt.example"},
    }, "party_id", "name")  # fmt: skip
    if random.random() < 0.2:
        return {key: party[key] for key in ("party_id", "name", "contact") if key in party} | {"party_type": "person"}
    return party


def _remittance(random: Random, number: int) -> dict[str, Any]:
    currency = random.choice(list(CURRENCIES))
    lines = [_allocation(random, currency, index) for index in range(random.randint(1, 6))]
    return _some(random, {
        "remittance_advice_id": f"RA-{number}", "issue_date": _date(random), "payer": _party(random),
        "payee": _party(random), "payment_reference": "RF18539007547034", "end_to_end_id": f"E2E-{number}",
        "payment_date": _date(random),
        "total_payment_amount": _of(sum(_minor(line["paid_amount"]) for line in lines), currency), "lines": lines,
    }, "remittance_advice_id", "issue_date", "payer", "payee", "total_payment_amount", "lines")  # fmt: skip


def _allocation(random: Random, currency: str, index: int) -> dict[str, Any]:
    kind = random.choice(("invoice_id", "invoice_id", "credit_note_id", "order_id"))
    paid = _minor(_money(random, currency)) * (-1 if kind == "credit_note_id" else 1)
    line: dict[str, Any] = {kind: f"{kind[:2]}-{index}", "paid_amount": _of(paid, currency)}
    if kind != "order_id" and random.random() < 0.3:
        line["order_id"] = "PO-1"
    if random.random() < 0.4:
        reason = random.choice(("discount", "damage", "price", "shortage", "tax_withheld", "bank_fee", "fx", "other"))
        cut = {"deduction_amount": _money(random, currency, 1), "deduction_reason_code": reason}
        line |= _some(random, cut, "deduction_amount")
    return line


def _reminder(random: Random, number: int) -> dict[str, Any]:
    currency = random.choice(list(CURRENCIES))
    lines = [_overdue(random, currency, index) for index in range(random.randint(1, 5))]
    document = _some(random, {
        "reminder_id": f"R-{number}", "issue_date": "2026-12-31", "pay_by_date": "2027-01-10", "channel": "edi",
        "reminder_sequence": random.randint(1, 4), "customer_id": f"C{number}", "debtor": _party(random),
        "creditor": _party(random), "lines": lines, "fee_amount": _money(random, currency, 1),
        "payment_link": "https://pay.example/r?a=1&b=2",
    }, "reminder_id", "issue_date", "reminder_sequence", "channel", "customer_id", "debtor", "creditor",
        "lines")  # fmt: skip
    asked = sum(_minor(line["outstanding_amount"]) + _minor(line.get("penalty_amount")) for line in lines)
    return document | {"total_outstanding_amount": _of(asked + _minor(document.get("fee_amount")), currency)}


def _overdue(random: Random, currency: str, index: int) -> dict[str, Any]:
    return _some(random, {
        "invoice_id": f"RE-{index}", "due_date": _date(random), "days_overdue": random.randint(0, 400),
        "outstanding_amount": _of(random.randint(-1000, 10**6), currency), "penalty_amount": _money(random, currency),
    }, "invoice_id", "due_date", "days_overdue", "outstanding_amount")  # fmt: skip


def _item(random: Random) -> dict[str, Any]:
    return _some(random, {
        "name": random.choice(TEXTS), "description": random.choice(TEXTS), "sellers_item_id": "SKU-1",
        "buyers_item_id": "B-1", "standard_item_id": {"id": "04012345000016", "scheme_id": "0160"},
        "classification_codes": [{"id": "40092100", "scheme_id": "HS"}, {"id": "hoses"}],
        "additional_item_properties": [{"name": "diameter", "value": "DN8"}, {"name": "colour", "value": "red"}],
        "origin_country_code": "IT", "tax_category": {"category_code": "S", "percent": "19"}, "lot_number": "L1",
        "expiry_date": "2031-11-30", "serial_ids": ["S-1", "S-2"][: random.randint(1, 2)],
    }, "name")  # fmt: skip


def _stock(random: Random, number: int) -> dict[str, Any]:
    place = random.choice(("4012345000023", "WH1"))
    lines = [
        _some(random, {
            "item": _item(random), "available_quantity": _quantity(random), "location_id": place,
            "next_replenishment_date": _date(random),
        }, "item", "available_quantity", "location_id")
        for _ in range(random.randint(1, 5))
    ]  # fmt: skip
    report = {"report_id": f"SR-{number}", "as_of": _time(random), "report_type": "full", "seller": _party(random)}
    return report | {"stock_lines": lines}


def _status(random: Random, number: int) -> dict[str, Any]:
    photo = {"id": "POD", "mime_code": "image/png", "storage_ref": "store:7f3a", "sha256": "ab" * 32}
    return _some(random, {
        "transport_status_id": f"TS-{number}", "shipment_id": f"SH-{number}", "consignment_id": "4711-22",
        "tracking_id": "0034", "sscc": ["340123450000000017"], "raw_status_code": "DLV", "reason": random.choice(TEXTS),
        "status_code": random.choice(("booked", "picked_up", "in_transit", "delivered", "exception")),
        "event_time": _time(random), "event_location": _place(random), "estimated_delivery_time": _time(random),
        "signed_by": "Muster", "attachments": [photo],
    }, "transport_status_id", "shipment_id", "status_code", "event_time")  # fmt: skip


def _return(random: Random, number: int) -> dict[str, Any]:
    lines = [
        _some(random, {
            "order_line_id": "1", "invoice_line_id": "3", "item": _item(random), "return_quantity": _quantity(random),
            "received_quantity": _quantity(random), "accepted_quantity": _quantity(random), "condition_code": "B",
            "requested_resolution": random.choice(("refund", "exchange", "repair", "store_credit")),
            "reason_code": random.choice(("damaged", "wrong_item", "late", "other")),
        }, "item", "return_quantity", "reason_code")
        for _ in range(random.randint(1, 4))
    ]  # fmt: skip
    return _some(random, {
        "return_id": f"RET-{number}", "order_id": "PO-77", "invoice_id": "2026-1000", "requested_at": _time(random),
        "status": random.choice(("requested", "approved", "received", "closed")), "customer_id": f"C{number}",
        "return_location": _place(random), "tracking_id": "RTN1", "lines": lines,
    }, "return_id", "order_id", "status", "requested_at", "lines")  # fmt: skip


def _product(random: Random, number: int) -> dict[str, Any]:
    currency, unit = random.choice(list(CURRENCIES)), random.choice(("C62", "MTR"))
    amount, discount = _minor(_money(random, currency)), _minor(_money(random, currency, 1))
    price = _some(random, {
        "price_amount": _of(amount, currency), "base_quantity": {"value": "10", "unit_code": unit},
        "gross_price_amount": _of(amount + discount, currency),
    }, "price_amount")  # fmt: skip
    return _some(random, {
        "product_id": f"P-{number}", "item": _item(random) | {"sellers_item_id": f"P-{number}"}, "base_unit_code": unit,
        "units_per_package": "50", "list_price": price, "net_weight": {"value": "0.31", "unit_code": "KGM"},
        "status": random.choice(("active", "phase_out", "inactive")), "updated_at": _time(random),
    }, "product_id", "item", "base_unit_code", "status", "updated_at")  # fmt: skip


def _dispute(random: Random, number: int) -> dict[str, Any]:
    code = random.choice(("UQ", "CA", "RE", "IP", "PD"))
    own = _some(random, {
        "customization_id": "", "receiver": _party(random), "requested_actions": ["CNP", "NIN"][: random.randint(1, 2)],
        "effective_date": _date(random), "document_type_code": "381",
    }, "customization_id", "receiver", "effective_date")  # fmt: skip
    said = {"status_reason_code": random.choice(("QTY", "PRI", "OTH")), "reason": random.choice(TEXTS)}
    return _some(random, said) | {
        "dispute_id": f"IR-{number}", "dispute_type": "invoice_response", "invoice_id": "2026-1000",
        "customer_id": f"C{number}", "disputed_amount": _money(random, random.choice(list(CURRENCIES)), 1),
        "response_code": code, "status": {"IP": "in_review", "PD": "resolved"}.get(code, "open"),
        "opened_at": _time(random), "extensions": {"ubl": own},
    }  # fmt: skip


MAKERS = {
    "dispute": _dispute,
    "product": _product,
    "return_request": _return,
    "stock_level": _stock,
    "transport_status": _status,
    "remittance_advice": _remittance,
    "reminder": _reminder,
}
