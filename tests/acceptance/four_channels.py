"""One order as four channels bring it: a signed webhook, CSV and EDIFACT on an SFTP server, a SOAP call."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from hub.reference import reference_root

NUMBER = "PO-4711"
LINES: tuple[dict[str, Any], ...] = (
    {
        "number": "1", "sku": "SKU-1", "gtin": "4012345000016", "name": "Hydraulic hose DN8, 250 bar",
        "quantity": Decimal("12.5"), "unit": "MTR", "price": Decimal("26.25"), "tax_rate": Decimal(19),
        "net": Decimal("328.13"), "tax": Decimal("62.34"),
    },
    {
        "number": "2", "sku": "SKU-2", "gtin": "4012345000009", "name": "Dichtung für große Schläuche",
        "quantity": Decimal(3), "unit": "C62", "price": Decimal("9.90"), "tax_rate": Decimal(7),
        "net": Decimal("29.70"), "tax": Decimal("2.08"),
    },
)  # fmt: skip
CUSTOMER = {"number": "C100042", "name": "Müller & Söhne KG", "gln": "5412345000013"}
PLACE = {"street": "Hafenweg 8", "postcode": "9000", "city": "Gent", "country": "BE"}
_CELLS = {"MTR": "m", "C62": "pcs"}
_STATED = ("number", "sku", "gtin", "name", "quantity", "unit", "price", "tax_rate")


def order(number: str = NUMBER) -> dict[str, Any]:
    """What a webhook and a SOAP call say."""
    lines = [{name: line[name] for name in _STATED} for line in LINES]
    return {"number": number, "date": "2026-03-05", "deliver_by": "2026-03-12", "currency": "EUR", "customer": CUSTOMER,
            "place": PLACE, "line": lines}  # fmt: skip


def webhook(number: str = NUMBER) -> bytes:
    event = {"type": "order.placed", "data": order(number)}
    return json.dumps(event, default=str, ensure_ascii=False).encode()


def csv(number: str = NUMBER) -> str:
    head = (number, "2026-03-05", "2026-03-12", "EUR", *CUSTOMER.values(), *PLACE.values())
    rows = [
        (*head, line["number"], line["sku"], line["gtin"], line["name"], str(line["quantity"]).replace(".", ","),
         _CELLS[line["unit"]], str(line["price"]).replace(".", ","), line["tax_rate"])
        for line in LINES
    ]  # fmt: skip
    names = "order_no;order_date;delivery_date;currency;customer_no;customer_name;customer_gln;street;postcode;city;"
    names += "country;line;sku;gtin;description;quantity;unit;unit_price;tax_rate"
    return "\n".join([names, *(";".join(map(str, row)) for row in rows), ""])


def edifact(number: str = NUMBER, control: str = "101") -> bytes:
    """The interchange, in the character set that UNOC is."""
    segments = [
        "UNH+1+ORDERS:D:96A:UN:EAN008", f"BGM+220+{number}+9", "DTM+137:20260305:102", "DTM+63:20260312:102",
        f"NAD+BY+{CUSTOMER['gln']}::9++{CUSTOMER['name']}", f"RFF+ADE:{CUSTOMER['number']}",
        "NAD+SU+4012345000009::9", "NAD+DP++++{street}+{city}++{postcode}+{country}".format(**PLACE), "CUX+2:EUR:9",
    ]  # fmt: skip
    for line in LINES:
        segments += [
            f"LIN+{line['number']}++{line['gtin']}:EN", f"PIA+1+{line['sku']}:SA", f"IMD+F++:::{line['name']}",
            f"QTY+21:{line['quantity']}:{line['unit']}", f"MOA+203:{line['net']}", f"PRI+AAA:{line['price']}",
            f"TAX+7+VAT++{line['net']}+:::{line['tax_rate']}+S", f"MOA+124:{line['tax']}",
        ]  # fmt: skip
    net, tax = sum(line["net"] for line in LINES), sum(line["tax"] for line in LINES)
    segments += ["UNS+S", f"MOA+79:{net}", f"MOA+128:{net + tax}", f"CNT+2:{len(LINES)}"]
    segments.append(f"UNT+{len(segments) + 1}+1")
    envelope = f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{control}++ORDERS"
    return ("'".join([envelope, *segments, f"UNZ+1+{control}"]) + "'").encode("latin-1")


_ORDER = """
mapping: {name}
version: 1
source: {source}
target: {{schema: canonical/order}}
let:
  o: {root}
  lines:
    each: o.line
    as: l
    let:
      quantity: dec(l.quantity)
      price: dec(l.price)
      rate: dec(l.tax_rate)
      net: round(quantity * price, 2)
      tax: round(net * rate / 100, 2)
      category: {{category_code: "'S' if rate > 0 else 'Z'", percent: trim(rate)}}
    item:
      line_id: l.number
      item:
        name: l.name
        sellers_item_id: l.sku
        standard_item_id: {{id: gtin(l.gtin), scheme_id: {{const: '0160'}}}}
        tax_category: category
      quantity: {{value: trim(quantity), unit_code: l.unit}}
      price: {{price_amount: "money(price, o.currency, 6)"}}
      line_extension_amount: money(net, o.currency)
      tax_amount: money(tax, o.currency)
      tax_subtotals:
        - {{taxable_amount: "money(net, o.currency)", tax_amount: "money(tax, o.currency)", tax_category: category}}
  net: total_money([l.line_extension_amount for l in lines])
  gross: amount(net) + sum(amount(l.tax_amount) for l in lines)
output:
  order_id: o.number
  source_order_id: "'{name}-' + o.number"
  channel: {{const: {channel}}}
  issue_date: date(o.date)
  order_type_code: {{const: '220'}}
  document_currency_code: o.currency
  buyer:
    party_id: o.customer.number
    party_type: {{const: organisation}}
    name: o.customer.name
    identifiers: [{{id: gln(o.customer.gln), scheme_id: {{const: '0088'}}}}]
  seller: company
  delivery_location:
    address:
      street_name: o.place.street
      city_name: o.place.city
      postal_zone: o.place.postcode
      country_code: o.place.country
  requested_delivery_period: {{end_date: date(o.deliver_by)}}
  anticipated_monetary_total:
    line_extension_amount: net
    tax_exclusive_amount: net
    tax_inclusive_amount: money(gross, o.currency)
    payable_amount: money(gross, o.currency)
  order_lines: lines
"""


def mappings() -> dict[str, str]:
    """Those of a project: its webhook's, its WSDL's, and a copy of that for CSV which says two things more. The one for
    EDIFACT is as it travels with the hub."""
    shipped = (reference_root() / "mappings/orders/csv-order.yaml").read_text()
    kind = shipped.replace("  channel: {const: edi}\n", "  channel: {const: edi}\n  order_type_code: {const: '220'}\n")
    item = "        sellers_item_id?: r.sku\n"
    category = """\
        tax_category?:
          when: rate != null
          item: {category_code: "'S' if rate > 0 else 'Z'", percent: trim(rate)}
"""
    assert kind != shipped and item in kind
    soap = "{format: soap, lists: [line]}"
    return {
        "mappings/orders/csv-order.yaml": kind.replace(item, item + category),
        "mappings/shop-order.yaml": _ORDER.format(
            name="shop-order", source="{format: json}", root="src.data", channel="ecommerce"
        ),
        "mappings/soap-order.yaml": _ORDER.format(
            name="soap-order", source=soap, root="src.body.PlaceOrder", channel="api"
        ),
    }


def _element(name: str, kind: str = "xsd:string", **more: str) -> str:
    extra = "".join(f' {key}="{value}"' for key, value in more.items())
    return f'<xsd:element name="{name}" type="{kind}"{extra}/>'


def _group(name: str, *parts: str, **more: str) -> str:
    extra = "".join(f' {key}="{value}"' for key, value in more.items())
    inner = f"<xsd:complexType><xsd:sequence>{''.join(parts)}</xsd:sequence></xsd:complexType>"
    return f'<xsd:element name="{name}"{extra}>{inner}</xsd:element>'


_NUMBERS = ("quantity", "price", "tax_rate")
_LINE = (_element(name, "xsd:decimal" if name in _NUMBERS else "xsd:string") for name in _STATED)
_PLACE_ORDER = _group(
    "PlaceOrder", _element("number"), _element("date", "xsd:date"), _element("deliver_by", "xsd:date"),
    _element("currency"), _group("customer", *map(_element, CUSTOMER)), _group("place", *map(_element, PLACE)),
    _group("line", *_LINE, maxOccurs="unbounded"),
)  # fmt: skip
WSDL = f"""<?xml version="1.0" encoding="UTF-8"?>
<wsdl:definitions name="Orders" targetNamespace="urn:example:four" xmlns:tns="urn:example:four"
    xmlns:wsdl="http://schemas.xmlsoap.org/wsdl/" xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/"
    xmlns:xsd="http://www.w3.org/2001/XMLSchema">
  <wsdl:types><xsd:schema targetNamespace="urn:example:four" elementFormDefault="qualified">
    {_PLACE_ORDER}
    {_group("PlaceOrderResponse", _element("number"))}
  </xsd:schema></wsdl:types>
  <wsdl:message name="In"><wsdl:part name="body" element="tns:PlaceOrder"/></wsdl:message>
  <wsdl:message name="Out"><wsdl:part name="body" element="tns:PlaceOrderResponse"/></wsdl:message>
  <wsdl:portType name="Orders"><wsdl:operation name="PlaceOrder">
    <wsdl:input message="tns:In"/><wsdl:output message="tns:Out"/>
  </wsdl:operation></wsdl:portType>
  <wsdl:binding name="Orders" type="tns:Orders">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http" style="document"/>
    <wsdl:operation name="PlaceOrder"><soap:operation soapAction="urn:example:four/PlaceOrder"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input><wsdl:output><soap:body use="literal"/></wsdl:output>
    </wsdl:operation>
  </wsdl:binding>
  <wsdl:service name="Orders"><wsdl:port name="Orders" binding="tns:Orders">
    <soap:address location="http://localhost:9/orders"/>
  </wsdl:port></wsdl:service>
</wsdl:definitions>
"""
