"""Shops and payment providers by their presets, through a whole hub: what goes out, and what each answer comes to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from hub.golden import Bench, Result
from hub.project import reference_files
from hub.reference import reference_root
from tests.unit.golden.bench import results

FILE = "routes/r.test.yaml"
SYSTEMS = b"""
shop: {preset: shopify, verify: {secrets: [secret://env/SHOP]}}
shop-find:
  preset: shopify-admin
  base_url: https://hydro.example
  auth: {type: key, key: secret://env/SHOP}
  idempotency: {mode: native}
shop-api: {preset: shopify-admin, base_url: https://hydro.example, auth: {type: key, key: secret://env/SHOP}}
woo-api: {preset: woocommerce-rest, base_url: https://woo.example, auth: {user: ck_1, password: secret://env/WOO}}
stripe: {preset: stripe, verify: {secrets: [secret://env/STRIPE]}}
stripe-api: {preset: stripe-api, auth: {token: secret://env/STRIPE}}
adyen-api:
  preset: adyen-checkout
  base_url: https://checkout-test.adyen.com
  auth: {key: secret://env/ADYEN}
  body: {merchantAccount: HydroShop}
wms:
  connector: webhook
  format: json
  event: field:type
  verify: {method: token, header: X-Token, secrets: [secret://env/WMS]}
erp: {connector: http, base_url: https://erp.example, path: "/{body.order_id}"}
books: {connector: http, base_url: https://books.example, path: /refunds}
"""
ROUTES = b"""
- route: orders
  from: {system: shop, event: orders/create}
  map: shopify-webhook-order
  to: [{system: erp}]
- route: despatches
  from: {system: wms, event: despatch}
  map: depot-despatch
  to:
    - {id: find, system: shop-find, map: despatch-to-shopify-find, when: "starts_with(src.shipment_id, 'D')"}
    - {id: fulfil, system: shop-api, map: despatch-to-shopify, after: find, when: "starts_with(src.shipment_id, 'D')"}
    - {id: woo, system: woo-api, map: despatch-to-woocommerce, when: "starts_with(src.shipment_id, 'W')"}
  retry: {attempts: 3, first: 10s, factor: 1, jitter: none}
- route: refunds
  from: {system: wms, event: refund}
  map: wms-refund
  to:
    - {id: stripe, system: stripe-api, map: refund-to-stripe, when: "starts_with(src.payment_id, 'pi_')"}
    - {id: adyen, system: adyen-api, map: refund-to-adyen, when: "not starts_with(src.payment_id, 'pi_')"}
  retry: {attempts: 3, first: 10s, factor: 1, jitter: none}
- route: refunded
  from: {system: stripe, event: [refund.updated]}
  map: stripe-refund
  to: [{system: books}]
"""
DESPATCH = b"""
mapping: depot-despatch
version: 1
source: {format: json}
target: {schema: canonical/despatch_advice}
output:
  despatch_advice_id: src.id
  issue_date: date(src.at)
  despatch_party: {name: company.name}
  delivery_party: {name: src.to}
  shipment_id: src.id
  tracking_ids?: src.parcels
  despatch_lines:
    each: src.lines
    as: l
    item:
      line_id: l.line
      order_id: src.order
      order_line_id: l.line
      item: {name: l.name}
      delivered_quantity: {value: text(l.sent), unit_code: {const: C62}}
      outstanding_quantity: {value: text(l.open), unit_code: {const: C62}}
"""
REFUND = b"""
mapping: wms-refund
version: 1
source: {format: json}
target: {schema: canonical/refund}
output:
  refund_id: src.id
  payment_id: src.payment
  amount: "money(dec(src.amount), src.currency)"
  status: {const: requested}
  event_time: instant(src.at)
"""


@pytest.fixture(scope="module")
def project() -> Bench:
    own = {
        "config/hub.yaml": b"company: {party_id: self, name: Hydro Schlauch GmbH}", "config/systems.yaml": SYSTEMS,
        "routes/r.yaml": ROUTES, "mappings/depot-despatch.yaml": DESPATCH, "mappings/wms-refund.yaml": REFUND,
    }  # fmt: skip
    return Bench.of({**reference_files(), **own}, Path("nowhere"), None, None, own)


def told(found: Bench, route: str, body: str, answers: str, expected: str, event: str) -> list[str]:
    case = f"""cases:
- name: x
  route: {route}
  receives: {{event: {event}, body: {body}}}
  answers: {answers}
  expected: {expected}
"""
    [result] = results(found, FILE, case)
    return differences(result)


def differences(result: Result) -> list[str]:
    return [f"{each.path}: {each.seen}" for each in result.differences] or [result.problem] * bool(result.problem)


SENT = """{type: despatch, id: D-1, at: "2026-11-30", to: Erika Muster, order: "1001", parcels: ["0034"], lines: [
  {line: "14700001", name: Hose, sent: 2, open: 1}, {line: "14700002", name: Book, sent: 2, open: 0}]}"""
OPEN = """{body: {data: {result: {nodes: [{name: "#1001", fulfillmentOrders: {nodes: [
  {id: gid://shopify/FulfillmentOrder/61, lineItems: {nodes: [
    {id: PART/71, remainingQuantity: 3, lineItem: {id: gid://shopify/LineItem/14700001}},
    {id: PART/72, remainingQuantity: 2, lineItem: {id: gid://shopify/LineItem/14700002}},
    {id: PART/73, remainingQuantity: 0, lineItem: {id: gid://shopify/LineItem/14700003}}
  ]}}]}}]}}}}""".replace("PART", "gid://shopify/FulfillmentOrderLineItem")
MADE = "{body: {data: {result: {made: {id: gid://shopify/Fulfillment/9}, userErrors: []}}}}"
REFUSED = "{body: {data: {result: {made: null, userErrors: [{field: [a], message: Invalid quantity}]}}}}"
THROTTLED = "{body: {errors: [{message: Throttled, extensions: {code: THROTTLED}}]}}"
MUTATION = (
    "mutation ($input: FulfillmentInput!) { result: fulfillmentCreate(fulfillment: $input) "
    "{ made: fulfillment { id } userErrors { field message } } }"
)
POST = "request: POST /admin/api/2026-04/graphql.json"


def test_an_order_of_shopify_comes_in_with_the_numbers_of_its_lines(project: Bench) -> None:
    cases = yaml.safe_load((Path(reference_root()) / "mappings/shopify/shopify-webhook-order.test.yaml").read_text())
    first = cases["cases"][0]
    document = {**first["expected"], "seller": {"party_id": "self", "name": "Hydro Schlauch GmbH"}}
    expected = json.dumps({
        "key": "order:C-5001:1001",
        "deliveries": [{"to": "erp", "request": "POST /1001", "body": document}],
    })  # fmt: skip
    assert told(project, "orders", json.dumps(first["input"]), "{}", expected, "orders/create") == []
    assert [line["line_id"] for line in document["order_lines"]] == ["14700001", "14700002"]


def test_a_parcel_of_an_order_is_told_to_shopify_with_its_own_numbers(project: Bench) -> None:
    expected = f"""
    deliveries:
    - {{to: find, {POST}, headers: {{X-Shopify-Access-Token: "{{secret}}"}}}}
    - to: fulfil
      after: find
      {POST}
      body:
        query: "{MUTATION}"
        variables:
          input:
            notifyCustomer: true
            trackingInfo: {{numbers: ["0034"]}}
            lineItemsByFulfillmentOrder:
            - fulfillmentOrderId: gid://shopify/FulfillmentOrder/61
              fulfillmentOrderLineItems:
              - {{id: gid://shopify/FulfillmentOrderLineItem/71, quantity: 2}}
              - {{id: gid://shopify/FulfillmentOrderLineItem/72, quantity: 2}}"""
    assert told(project, "despatches", SENT, f"{{find: {OPEN}, fulfil: {MADE}}}", expected, "despatch") == []


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (f"{{find: {OPEN}, fulfil: {REFUSED}}}",
         "{to: fulfil, after: find, state: dead, error: {class: remote_rejected, code: http_200}}"),
        (f"{{find: [{THROTTLED}, {OPEN}], fulfil: [{THROTTLED}, {MADE}]}}", "{to: fulfil, after: find, attempts: 2}"),
        # Twice might be two parcels: a person looks.
        (f"{{find: {OPEN}, fulfil: {{fails: timeout}}}}",
         "{to: fulfil, after: find, state: held, attempts: 1, error: {code: read_timeout}}"),
        (f"{{find: {OPEN}, fulfil: {{body: {{data: null, errors: [{{message: oops}}]}}}}}}",
         "{to: fulfil, after: find, state: dead, error: {code: http_200}}"),
        ("{find: {body: {data: {result: {nodes: []}}}}}",
         "{to: fulfil, after: find, state: dead, error: {detail: line 14700001 of order 1001 is not open}}"),
    ],
)  # fmt: skip
def test_what_shopify_says_inside_of_a_200_counts(project: Bench, answers: str, expected: str) -> None:
    deliveries = f"{{deliveries: [{{to: find, attempts: {2 if answers.startswith('{find: [') else 1}}}, {expected}]}}"
    assert told(project, "despatches", SENT, answers, deliveries, "despatch") == []


@pytest.mark.parametrize(
    ("answer", "more"),
    [("{body: {id: 727, status: processing}}", ""),
     ("[{status: 200, headers: {Content-Type: text/html}, body_text: '<html>busy</html>'}, {body: {id: 727}}]",
      ", attempts: 2"),
     ("[{fails: timeout}, {body: {id: 727}}]", ", attempts: 2"),
     ("{status: 400, body: {code: woocommerce_rest_shop_order_invalid_id}}", ", state: dead, error: {code: http_400}")],
)  # fmt: skip
def test_an_order_of_woocommerce_is_changed_by_its_id(project: Bench, answer: str, more: str) -> None:
    body = SENT.replace("D-1", "W-1").replace('"1001"', '"727"')
    expected = f"""{{deliveries: [{{to: woo{more}, request: PUT /wp-json/wc/v3/orders/727,
      body: {{id: 727, meta_data: [{{key: tracking_number, value: "0034"}}]}}}}]}}"""
    assert told(project, "despatches", body, f"{{woo: {answer}}}", expected, "despatch") == []


def refund(payment: str) -> str:
    return f'{{type: refund, id: R-1, payment: {payment}, amount: "10.80", currency: EUR, at: "2026-11-30T10:00:00Z"}}'


@pytest.mark.parametrize(
    ("answer", "more"),
    [("{body: {id: re_1, status: succeeded}}", ""),
     ("[{status: 409, body: {error: {code: lock_timeout}}}, {body: {id: re_1}}]", ", attempts: 2"),
     ("[{fails: timeout}, {body: {id: re_1}}]", ", attempts: 2"),
     ("[{status: 500, headers: {Stripe-Should-Retry: 'true'}}, {body: {id: re_1}}]", ", attempts: 2"),
     ("{status: 500, headers: {Stripe-Should-Retry: 'false'}}",
      ", attempts: 1, state: dead, error: {code: http_500}"),
     ("{status: 400, body: {error: {code: charge_already_refunded}}}", ", state: dead, error: {code: http_400}")],
)  # fmt: skip
def test_a_refund_goes_to_stripe_as_a_form_with_its_key(project: Bench, answer: str, more: str) -> None:
    expected = f"""{{deliveries: [{{to: stripe{more}, request: POST /v1/refunds, body_text:
      payment_intent=pi_1&amount=1080&metadata%5Brefund_id%5D=R-1, headers: {{Idempotency-Key: "{{key}}",
      Content-Type: application/x-www-form-urlencoded, Authorization: "Bearer {{secret}}"}}}}]}}"""
    assert told(project, "refunds", refund("pi_1"), f"{{stripe: {answer}}}", expected, "refund") == []


@pytest.mark.parametrize(
    ("answer", "more"),
    [("{status: 201, body: {status: received, pspReference: PSP2}}", ""),
     ("[{status: 422, headers: {transient-error: 'true'}}, {status: 201, body: {status: received}}]", ", attempts: 2"),
     ("[{fails: timeout}, {status: 201, body: {status: received}}]", ", attempts: 2"),
     ("{status: 422, body: {errorCode: '167'}}", ", state: dead, error: {code: http_422}")],
)  # fmt: skip
def test_a_refund_goes_to_the_payment_at_adyen(project: Bench, answer: str, more: str) -> None:
    expected = f"""{{deliveries: [{{to: adyen{more}, request: POST /v71/payments/PSP1/refunds,
      body: {{merchantAccount: HydroShop, amount: {{currency: EUR, value: 1080}}, reference: "refund:R-1"}},
      headers: {{X-API-Key: "{{secret}}", Idempotency-Key: "{{key}}"}}}}]}}"""
    assert told(project, "refunds", refund("PSP1"), f"{{adyen: {answer}}}", expected, "refund") == []


def test_a_refund_comes_back_from_stripe_by_our_own_number(project: Bench) -> None:
    body = """{id: evt_1, type: refund.updated, created: 1795945277, data: {object: {id: re_1, amount: 1080,
      currency: eur, payment_intent: pi_1, status: succeeded, metadata: {refund_id: R-1}}}}"""
    expected = "{key: 'refund::R-1', deliveries: [{to: books}]}"
    assert told(project, "refunded", body, "{}", expected, "refund.updated") == []
