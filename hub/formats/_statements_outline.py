"""What a statement document looks like, for the lint of mappings; its shape in words is in _statements."""

from __future__ import annotations

from hub.outline import Outline, Plain

_TEXT, _DATE, _INTEGER, _NUMBER, _TRUTH = (Plain(kind) for kind in ("text", "date", "integer", "number", "boolean"))


def _object(**fields: Outline) -> Plain:
    return Plain("object", fields)


def _list(element: Outline) -> Plain:
    return Plain("list", element=element)


def _texts(names: str) -> dict[str, Outline]:
    return dict.fromkeys(names.split(), _TEXT)


_MONEY = _object(amount=_NUMBER, currency=_TEXT)
_ADDRESS = _object(
    **_texts(
        "department sub_department street_name building_number building_name floor post_box room postal_zone city_name "
        "city_subdivision_name district country_subentity country_code"
    ),
    lines=_list(_TEXT),
)
_PARTY = _object(**_texts("name id scheme_code issuer bic lei country_of_residence"), address=_ADDRESS)
_AGENT = _object(**_texts("bic name clearing_id clearing_system_code lei id"), address=_ADDRESS)
_AVAILABILITY = _list(_object(**_texts("days credit_debit_indicator"), date=_DATE, amount=_MONEY))
_CODE = _object(**_texts("code issuer"))
_CHARGE = _object(
    **_texts("credit_debit_indicator type_code bearer_code"), amount=_MONEY, is_included=_TRUTH, rate=_NUMBER
)
_AMOUNTS: dict[str, Outline] = {
    "instructed_amount": _MONEY, "transaction_amount": _MONEY, "counter_value_amount": _MONEY,
    "exchange_rate": _NUMBER, "charges_amount": _MONEY, "charges": _list(_CHARGE),
    "exchange": _object(**_texts("source_currency target_currency unit_currency contract_id quoted_at"),
                        rate=_NUMBER, rate_base=_NUMBER),
}  # fmt: skip
_STRUCTURED = _object(
    **_texts("creditor_reference reference_type_code reference_issuer"),
    documents=_list(_object(**_texts("id type_code"), date=_DATE)),
    **dict.fromkeys(("due_amount", "remitted_amount", "credit_note_amount", "discount_amount"), _MONEY),
    amounts=_list(_object(type_code=_TEXT, amount=_MONEY)), additional_information=_list(_TEXT),
)  # fmt: skip
_CARD: dict[str, Outline] = {
    "card": _object(
        **_texts(
            "last_digits brand card_information terminal_id terminal_name service_code category_code reconciliation_id "
            "sale_ref representment_reason_code sequence_number paid_at payment_ref"
        ),
        aggregated=_object(**_texts("service_code category_code reconciliation_id first_transaction last_transaction")),
    )
}
_TRANSACTION = _object(
    **_texts(
        "transaction_ref credit_debit_indicator end_to_end_id transaction_id instruction_id message_id batch_id "
        "mandate_id cheque_number clearing_ref uetr account_owner_ref debtor_name debtor_account debtor_bic "
        "creditor_name creditor_account creditor_bic creditor_reference creditor_reference_type return_reason_code "
        "bank_transaction_code purpose_code additional_information accepted_at"
    ),
    **dict.fromkeys(("debtor", "creditor", "ultimate_debtor", "ultimate_creditor", "initiating_party"), _PARTY),
    **dict.fromkeys(
        ("debtor_agent", "creditor_agent", *(f"intermediary_agent_{number}" for number in (1, 2, 3))), _AGENT
    ),
    interbank_settlement_date=_DATE, availability=_AVAILABILITY,
    **dict.fromkeys(("remittance_unstructured", "referred_document_ids"), _list(_TEXT)),
    **_AMOUNTS, **_CARD, amount=_MONEY, other_refs=_list(_object(**_texts("type_code ref"))), proprietary_code=_CODE,
    remittance_structured=_list(_STRUCTURED),
    **{"return": _object(**_texts("reason_code bank_transaction_code originator_name additional_information"))},
)  # fmt: skip
_BATCH = _object(
    **_texts("message_id batch_id credit_debit_indicator"), number_of_transactions=_INTEGER, total_amount=_MONEY
)
_ENTRY = _object(
    **_texts(
        "entry_ref entry_reference credit_debit_indicator status booked_at bank_transaction_code batch_id "
        "additional_information"
    ),
    **_AMOUNTS, **_CARD, amount=_MONEY, number=_INTEGER, reversal_indicator=_TRUTH, booking_date=_DATE,
    value_date=_DATE, details_message=_object(**_texts("format message_id")), availability=_AVAILABILITY,
    proprietary_code=_CODE, number_of_transactions=_INTEGER, batches=_list(_BATCH), transactions=_list(_TRANSACTION),
)  # fmt: skip
_TOTAL = _object(count=_INTEGER, sum=_NUMBER)
OUTLINE = _object(
    **_texts(
        "report_type statement_id format message_id created_at copy_duplicate_code account_currency_code "
        "additional_information"
    ),
    electronic_sequence_number=_INTEGER, legal_sequence_number=_INTEGER,
    **dict.fromkeys(("page", "message_page"), _object(number=_INTEGER, is_last=_TRUTH)),
    part=_object(number=_INTEGER, is_last=_TRUTH, first_entry=_INTEGER),
    period=_object(start_date=_DATE, end_date=_DATE, **_texts("start_at end_at")),
    account=_object(**_texts("account_id scheme_code account_name type_code bic"), servicer=_AGENT, owner=_PARTY),
    opening_balance=_MONEY, closing_balance=_MONEY,
    balances=_list(
        _object(**_texts("type_code sub_type_code"), amount=_MONEY, date=_DATE, availability=_AVAILABILITY)
    ),
    summary=_object(entries=_TOTAL, credits=_TOTAL, debits=_TOTAL, net=_NUMBER), entries=_list(_ENTRY),
    findings=_list(_object(**_texts("severity code message position path seen expected"))),
)  # fmt: skip
