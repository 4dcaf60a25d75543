"""Types from end to end: what a route carries is what the next mapping takes, and goes to whom it is meant for."""

import json

import pytest
from test_check import CRM, ROUTES, SYSTEMS, faults_of, planted

from hub.check import check_project
from tests.reference_project import small

BARE = "source: {schema: canonical/order}\n"


def test_a_target_mapping_that_names_no_source_is_checked_by_what_its_route_carries():
    crm = small()[CRM].decode().replace(BARE, "")
    assert faults_of({**small(), CRM: crm.encode()}) == []
    wrong = crm.replace("src.buyer.name", "src.buyer.nmae").replace("count(src.order_lines)", "src.order_lines")
    assert faults_of({**small(), CRM: wrong.encode()}) == [
        f"{CRM}:12:11: error: the source has no field 'buyer.nmae'; did you mean 'name'?",
        f"{CRM}:20:10: error: items: the expression gives a list, the target wants a whole number; write count(…) or "
        "[0]",
    ]


@pytest.mark.parametrize(("event", "wrong"), [("orders", False), ("order", True)])
def test_a_route_for_an_event_that_its_system_never_sends_is_a_fault(event, wrong):
    systems = small()[SYSTEMS].replace(b"  format: csv\n", b"  format: csv\n  event: orders\n")
    taking = f"{{system: partner-files, event: {event}}}".encode()
    routes = small()[ROUTES].replace(b"{system: partner-files}", taking)
    told = (
        f"{ROUTES}:17:40: error: all that system 'partner-files' sends is 'orders', never 'order'; write event: orders"
    )
    assert faults_of({**small(), SYSTEMS: systems, ROUTES: routes}) == ([told] if wrong else [])


@pytest.mark.parametrize(
    ("path", "old", "new", "fault"),
    [
        (
            ROUTES, "orders/create", "orders/craete",
            f"{ROUTES}:5:34: warning: system 'webshop' is not known to send 'orders/craete'; did you mean "
            "'orders/create'?",
        ),
        (
            ROUTES, "{system: crm, map: order-to-crm", "{system: crm, map: order-to-erp",
            f"{ROUTES}:11:26: warning: map: 'order-to-erp' gives erp/sales-order, a schema of system 'erp', and this "
            "goes to 'crm'; write a mapping for 'crm', or system: erp",
        ),
        (
            ROUTES, "  map: csv-order\n", "  map: shopify-order\n",
            f"{ROUTES}:18:8: warning: map: 'shopify-order' takes shopify/order, a schema of system 'webshop', and "
            "documents come from 'partner-files'; write a mapping for 'partner-files', or system: webshop",
        ),
        (
            ROUTES, "has(src.delivery_location)", "src.channel == 'ecomerce'",
            f"{ROUTES}:10:80: warning: src.channel is never 'ecomerce': that is not one of the codes of channel; did "
            "you mean 'ecommerce'?",
        ),
        (
            ROUTES, "has(src.delivery_location)", "src.buyer.party_type == 'company'",
            f"{ROUTES}:10:89: error: src.buyer.party_type is never 'company': that is not one of the values; known: "
            "organisation, person",
        ),
        (
            ROUTES, "  order: per_key\n", "  key: src.order_lines\n",
            f"{ROUTES}:7:8: error: key: a key is text or a number, this is a list; name the field that tells documents "
            "apart",
        ),
        (SYSTEMS, "concurrency: 8", "concurrency: 0",
         f"{SYSTEMS}:23:25: error: limits.concurrency: expected 1 or more, got 0"),
        (SYSTEMS, "read: 30s", "read: 0s",
         f"{SYSTEMS}:22:33: error: timeouts.read: expected a wait above zero, such as 5s"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_told(path, old, new, fault):
    found = faults_of(planted(path, old, new))
    assert fault in found
    assert [one for one in found if one != fault and "no route uses" not in one] == []


def test_an_event_that_a_system_may_send_without_being_known_to_is_no_mistake():
    assert faults_of(planted(ROUTES, "orders/create", "subscription_contracts/billing")) == []


KEYLESS = {
    "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
    "properties": {"id": {"type": "string"}},
}  # fmt: skip
SURVEY = (
    b"mapping: survey\nversion: 1\nsource: {format: json}\ntarget: {schema: canonical/survey}\noutput: {id: src.id}\n"
)


@pytest.mark.parametrize(
    ("line", "is_found"), [("", True), ("  key: src.id\n", False), ("  order: none\n", False)]
)  # fmt: skip
def test_a_route_without_a_key_keeps_no_order_which_is_told(line, is_found):
    files = {
        **{path: raw for path, raw in small().items() if not path.endswith(".test.yaml")},
        "schemas/canonical/v1/survey.schema.json": json.dumps(KEYLESS).encode(),
        "mappings/survey.yaml": SURVEY,
        ROUTES: small()[ROUTES].replace(
            b"  map: csv-order\n  to:\n    - {system: erp, map: order-to-erp, reply: {map: erp-order-reply}}",
            b"  map: survey\n" + line.encode() + b"  to: [{system: crm}]",
        ),
    }
    found = check_project(files, own=set(files) - {"mappings/orders/csv-order.yaml"}).faults
    expected = (
        "canonical/survey has no key of its own, so that its documents are kept in no order; write key: with the field "
        "whose documents must stay in order, or order: none"
    )
    assert [fault.message for fault in found if "no route uses" not in fault.message] == [expected] * is_found


SHOPIFY = "mappings/orders/shopify-order.yaml"


@pytest.mark.parametrize(
    ("old", "new", "faults"),
    [
        ("order_id: lstrip(src.name", "order_id: lstrip(src.nmae", 1),  # no mapping comes of it
        ("source: {format: json, schema: shopify/order}", "source: {format: json}", 0),  # nobody's schema
    ],
)
def test_a_mapping_without_a_schema_is_that_of_no_other_system(old, new, faults):
    found = faults_of(planted(SHOPIFY, old, new))
    assert len(found) == faults, found
    assert not any("a schema of system" in fault for fault in found)


def test_two_digits_of_the_company_s_vat_number_that_are_exchanged_are_told():
    [found] = faults_of(planted("config/hub.yaml", "DE123456788", "DE123465788"))
    assert found.endswith(
        "warning: company: the check digit of this VAT number is wrong; look for two digits that are exchanged"
    )
