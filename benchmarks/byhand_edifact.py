"""``benchmarks/order-to-edifact.yaml`` written by hand: a canonical order as the named document of ORDERS D.96A."""

from __future__ import annotations

from typing import Any

UNITS = {"C62": "PCE", "H87": "PCE", "KGM": "KGM", "LTR": "LTR", "MTR": "MTR"}
UNITS_FILE = "key,value\n" + "".join(f"{key},{value}\n" for key, value in UNITS.items())

Document = dict[str, Any]


def edifact_order(order: Document) -> Document:
    """The message, without its envelope."""
    currency, buyer, seller = order["document_currency_code"], order["buyer"], order["seller"]
    number = buyer.get("party_id") or buyer["name"]
    parties = [{"NAD": _party("BY", number, buyer.get("name"), buyer.get("postal_address"))},
               {"NAD": {"qualifier": "SU", "party": {"id": seller["party_id"][:17], "agency": "92"},
                        "name": {"lines": _lines(seller["name"], 175)}}}]  # fmt: skip
    place = order.get("delivery_location")
    if place and place.get("address"):
        parties.append({"NAD": _party("DP", None, place.get("name"), place["address"])})
    lines, code = order["order_lines"], order.get("order_type_code") or "220"
    return {
        "BGM": {"document": {"code": code, "number": order["order_id"]}, "function": "9"},
        "DTM": [{"qualifier": "137", "value": order["issue_date"].replace("-", ""), "format": "102"}],
        "NAD_group": parties,
        "CUX_group": [{"CUX": {"currencies": [{"qualifier": "2", "code": currency, "usage": "9"}]}}],
        "LIN_group": [_line(line, currency) for line in lines],
        "UNS": {"section": "S"},
        "MOA": [{"qualifier": "86", "amount": order["anticipated_monetary_total"]["payable_amount"]["amount"],
                 "currency": currency}],
        "CNT": [{"qualifier": "2", "value": str(len(lines))}],
    }  # fmt: skip


def _party(qualifier: str, number: str | None, name: str | None, address: Document | None) -> Document:
    party: Document = {"qualifier": qualifier}
    if number is not None:
        party["party"] = {"id": number[:17], "agency": "92"}
    if name:
        party["name"] = {"lines": _lines(name, 175)}
    if not address:
        return party
    if street := address.get("street_name"):
        party["street"] = {"lines": _lines(street, 105)}
    if city := address.get("city_name"):
        party["city"] = city[:35]
    if postcode := address.get("postal_zone"):
        party["postcode"] = postcode[:9]
    if country := address.get("country_code"):
        party["country"] = country
    return party


def _line(line: Document, currency: str) -> Document:
    item, standard = line["item"], line["item"].get("standard_item_id")
    lin: Document = {"line_number": line["line_id"]}
    if standard:
        lin["item"] = {"id": standard["id"], "type": "EN"}
    made: Document = {"LIN": lin}
    if own := item.get("sellers_item_id"):
        made["PIA"] = [{"function": "1", "items": [{"id": own[:35], "type": "SA"}]}]
    made["IMD"] = [{"type": "F", "description": {"text": _lines(item["name"], 70)}}]
    quantity = line["quantity"]
    made["QTY"] = [{"qualifier": "21", "quantity": quantity["value"], "unit": UNITS[quantity["unit_code"]]}]
    made["MOA"] = [{"qualifier": "203", "amount": line["line_extension_amount"]["amount"], "currency": currency}]
    made["PRI_group"] = [{"PRI": {"qualifier": "AAA", "price": line["price"]["price_amount"]["amount"]}}]
    made["TAX_group"] = [_tax(tax, currency) for tax in line["tax_subtotals"]]
    return made


def _tax(tax: Document, currency: str) -> Document:
    category = tax["tax_category"]
    return {
        "TAX": {"qualifier": "7", "type": {"code": "VAT"}, "detail": {"rate": str(category["percent"])},
                "category": category["category_code"]},
        "MOA": {"qualifier": "124", "amount": tax["tax_amount"]["amount"], "currency": currency},
    }  # fmt: skip


def _lines(text: str, most: int) -> list[str]:
    text = text[:most]
    return [text[start : start + 35] for start in range(0, len(text), 35)]
