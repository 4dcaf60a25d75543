"""Personal data leaves documents and texts; everything else stays as it is."""

from decimal import Decimal

import pytest

from hub.redaction import REDACTED, redact, redact_text, redact_unknown
from tests.unit.canonical import golden, golden_names, schemas, type_of

PERSONAL = (
    "Erika",
    "Muster",
    "Gartenweg",
    "69001",
    "+33 1",
    "@",
    "4242",
    "DE02120300000000202051",
    "ring twice",
    "STRIPE W",
)


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("mail to erika.muster+x@shop.example.com!", f"mail to {REDACTED}!"),
        ("card 4242 4242 4242 4242 declined", f"card {REDACTED} declined"),
        ("card 4242-4242-4242-4242.", f"card {REDACTED}."),
        ("card 4242424242424241 is no card", "card 4242424242424241 is no card"),
        ("pay DE02120300000000202051 now", f"pay {REDACTED} now"),
        ("pay DE02 1203 0000 0000 2020 51 to Erika", f"pay {REDACTED} to Erika"),
        ("de02120300000000202051", REDACTED),
        ("DE02120300000000202052 is wrong", "DE02120300000000202052 is wrong"),
        ("SSCC 340123450000000017, GTIN 04012345000016", "SSCC 340123450000000017, GTIN 04012345000016"),
        ("order 1001", "order 1001"),
        ("a@b", "a@b"),
        ("", ""),
    ],
)
def test_a_text_loses_what_is_personal_by_its_form(text, redacted):
    assert redact_text(text) == redacted


def test_an_unknown_document_is_searched_all_through():
    document = {"a@shop.example": [1, True, None, Decimal("4242424242424242"), "x@y.example"], "n": Decimal("10.50")}
    assert redact_unknown(document) == {REDACTED: [1, True, None, REDACTED, REDACTED], "n": Decimal("10.50")}


def test_the_marks_of_the_schema_decide():
    document = golden("order")
    document["extensions"] = {"shop": {"mail": "x@y.example", "tier": "gold"}}
    redacted = redact("canonical/order", document, schemas())
    assert redacted["buyer"]["name"] == REDACTED
    assert redacted["buyer"]["postal_address"]["country_code"] == "FR"
    assert redacted["payment_means"][0] == {"payment_means_code": "48", "card_last4": REDACTED}
    assert redacted["notes"] == [REDACTED]
    assert redacted["order_lines"] == document["order_lines"]
    assert redacted["extensions"] == {"shop": {"mail": REDACTED, "tier": "gold"}}
    assert document["buyer"]["name"] == "Erika Muster"  # the original is left alone


@pytest.mark.parametrize("name", golden_names())
def test_no_golden_document_keeps_personal_data(name):
    text = str(redact(f"canonical/{type_of(name)}", golden(name), schemas()))
    keeps = [word for word in PERSONAL if word in text]
    # The free text of a return code, of an item or of a payout is not personal; creditor and debtor names are.
    assert [word for word in keeps if not (word == "STRIPE W" and name == "settlement")] == []


def test_a_document_that_does_not_fit_its_schema_is_redacted_all_the_same():
    document = {"buyer": "x@y.example", "notes": "call Erika", "order_lines": {"a": "x@y.example"}}
    redacted = redact("canonical/order", document, schemas())
    assert redacted["notes"] == REDACTED
    assert "@" not in str(redacted)


def test_a_document_of_no_schema_is_searched_by_form():
    assert redact("nowhere/thing", {"mail": "x@y.example"}, schemas()) == {"mail": REDACTED}
