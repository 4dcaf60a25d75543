"""Which rule belongs to which field of the canonical model. A test compares this with the schemas, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hub.business_rules.leaves import (
    account,
    country,
    currency,
    day,
    identifier,
    instant,
    money,
    own_money,
    period,
    price,
    quantity,
    reference,
    sscc,
    vat_id,
)
from hub.business_rules.walk import Path, Rule, Rules, Walk, each, listed, look_into
from hub.codes import CodeLists

_DAYS = """
    issue_date expiry_date due_date received_date booking_date value_date tax_point_date actual_delivery_date
    payout_date payment_date pay_by_date requested_despatch_date next_replenishment_date
"""
_INSTANTS = """
    issue_time as_of event_time estimated_delivery_time actual_despatch_time actual_delivery_time created_at valid_until
    applied_at requested_at opened_at resolve_by promised_at updated_at
"""
_MONEY = """
    line_extension_amount tax_amount taxable_amount amount base_amount allowance_total_amount charge_total_amount
    tax_exclusive_amount tax_inclusive_amount prepaid_amount payable_rounding_amount payable_amount paid_amount
    deduction_amount gross_amount fee_amount net_amount outstanding_amount penalty_amount requested_amount
    freight_charge gross_total fee_total fee_tax_total net_total opening_balance closing_balance total_payment_amount
    received_amount unapplied_amount disputed_amount total_outstanding_amount total_amount
    credit_limit exposure_amount overdue_amount
"""
_OWN_MONEY = "tax_amount_accounting source_amount instructed_amount settlement_amount charges_amount"
_QUANTITIES = """
    base_quantity quantity maximum_backorder_quantity available_quantity on_hand_quantity reserved_quantity
    delivered_quantity outstanding_quantity received_quantity short_quantity rejected_quantity invoiced_quantity
    return_quantity accepted_quantity gross_weight gross_volume net_weight
"""
_PERIODS = """
    requested_delivery_period promised_delivery_period invoice_period pickup_period delivery_period
    estimated_delivery_period period
"""
_PARTIES = """
    buyer seller invoicee delivery_party payee tax_representative despatch_party carrier consignor consignee debtor
    creditor payer party
"""
_OBJECTS = """
    postal_address address delivery_location event_location return_location item substituted_item price list_price
    tax_category payment_terms monetary_total anticipated_monetary_total account payee_financial_account
    payer_financial_account
"""
_LISTS = """
    order_lines invoice_lines credit_note_lines despatch_lines receipt_lines lines entries transactions allocations
    instalments tax_subtotals deliveries preceding_invoices prepaid_payments
"""
_CURRENCIES = "document_currency_code tax_currency_code account_currency_code default_currency_code"
_CODES = {
    "order_type_code": "UNCL1001", "invoice_type_code": "UNCL1001", "credit_note_type_code": "UNCL1001",
    "document_type_code": "UNCL1001", "payment_means_code": "UNCL4461", "category_code": "UNCL5305",
    "tax_scheme_id": "UNCL5153", "exemption_reason_code": "VATEX", "line_status_code": "UNCL1229",
    "delivery_terms_code": "Incoterms", "transport_mode_code": "Rec19", "base_unit_code": "Rec20",
    "language_code": "ISO639-1", "return_reason_code": "ISO20022 ExternalReturnReason", "line_type": "settlement",
    "deduction_reason_code": "short-pay",
}  # fmt: skip


@lru_cache(8)
def tables(codes: CodeLists) -> Mapping[str, Rules]:
    """The rules of each type's own fields, with these code lists. The name ``""`` stands for every type that is not
    named: there a field's name means what it means everywhere."""
    rules = _shared_rules(codes)
    of_an_order = rules | {"channel": listed(codes.get("channel"))}
    return {
        "": rules,
        "order": of_an_order, "order_change": of_an_order, "order_response": of_an_order,
        "return_request": rules | {"lines": each(look_into(rules | {"reason_code": listed(codes.get("return"))}))},
    }  # fmt: skip


def _shared_rules(codes: CodeLists) -> dict[str, Rule]:
    rules = _value_rules(codes)
    inside = look_into(rules)
    rules |= _named(_PARTIES + _OBJECTS, inside) | _named(_LISTS, each(inside))
    # In these places a name means something else than elsewhere.
    rules["allowance_charges"] = each(_allowance(inside, codes))
    rules["payment_means"] = each(look_into(rules | {"payment_id": reference}))
    rules["stock_lines"] = each(look_into({name: rule for name, rule in rules.items() if name != "location_id"}))
    return rules


def _value_rules(codes: CodeLists) -> dict[str, Rule]:
    one_of = {name: listed(codes.get(code_list)) for name, code_list in _CODES.items()}
    identified = identifier(codes.get("ICD/EAS"))
    return (
        one_of
        | _named(_DAYS, day)
        | _named(_INSTANTS, instant)
        | _named(_PERIODS, period)
        | _named(_CURRENCIES, currency)
        | _named(_MONEY, money)
        | _named(_OWN_MONEY, own_money)
        | _named("price_amount gross_price_amount", price)
        | _named(_QUANTITIES, quantity(codes.get("Rec20")))
        | _named("country_code origin_country_code", country(codes.get("ISO3166-1 alpha-2")))
        | _named("endpoint standard_item_id location_id", identified)
        | _named("account_id debtor_account creditor_account", account)
        | _named("payment_reference creditor_reference", reference)
        | {"identifiers": each(identified), "vat_id": vat_id, "package_sscc": sscc, "sscc": each(sscc)}
    )


def _allowance(inside: Rule, codes: CodeLists) -> Rule:
    """Allowances and charges take their reasons from lists of their own."""
    of_charges, of_allowances = listed(codes.get("UNCL7161")), listed(codes.get("UNCL5189"))

    def check(walk: Walk, value: Any, path: Path, name: str | int) -> None:
        inside.check(walk, value, path, name)
        if "reason_code" in value:
            reason = of_charges if value["charge_indicator"] else of_allowances
            reason.check(walk, value["reason_code"], (path, name), "reason_code")

    test = "'reason_code' in (m := {value}) and m['reason_code'] not in {lists}[m['charge_indicator']]"
    lists = {True: codes.get("UNCL7161").names, False: codes.get("UNCL5189").names}
    return Rule(check, test, uses={"lists": lists}, fields=inside.fields)


def _named(names: str, rule: Rule) -> dict[str, Rule]:
    return dict.fromkeys(names.split(), rule)
