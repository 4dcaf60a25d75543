"""What follows from what stands in an entry, a transaction, a statement: the fields that every user asks for first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.formats._camt_kinds import status_in
from hub.formats._camt_tables import Message
from hub.formats._iso_values import Into, Tell, local
from hub.formats._statements import ZERO, Sums
from hub.formats._xml import Element

_NEEDED = frozenset(("amount", "credit_debit_indicator", "status", "booking_date"))
_TAG_OF = {"amount": "Amt", "credit_debit_indicator": "CdtDbtInd"}
_DERIVABLE = frozenset(("charges", "exchange"))


def finish_entry(entry: Into, element: Element, message: Message, tell: Tell) -> None:
    """Complete an entry. What it lacks is told: as an error where nobody can know it."""
    if not entry.keys() >= _NEEDED:
        _tell_missing(entry, element, message, tell)
    if not _DERIVABLE.isdisjoint(entry):
        _derive(entry)
    if "batches" in entry:
        _finish_batches(entry)
    if "transactions" in entry:
        transactions = entry["transactions"]
        for transaction in transactions:
            finish_transaction(transaction)
        if len(transactions) == 1 and _is_nothing_of(entry, transactions[0]):
            told = f"the transaction of entry {entry['number']} has an amount of 0; that of the entry is taken"
            tell(element, "transaction_amount", told, seen="0", expected=str(entry["amount"]["amount"]))
            del transactions[0]["amount"]
        if "amount" in entry and not all("amount" in each for each in transactions):
            _give_amounts(entry, transactions, element, tell)


def _tell_missing(entry: Into, element: Element, message: Message, tell: Tell) -> None:
    present = {child.tag.rpartition("}")[2] for child in element}
    for name, tag in _TAG_OF.items():
        if name not in entry and tag not in present:
            tell(element, "missing", f"entry {entry['number']} has no {tag}", expected=tag, severity="error")
    if "status" not in entry and not any(local(child) == "Sts" and status_in(child)[1] for child in element):
        entry["status"] = "INFO" if message.report_type == "intraday" else "BOOK"
        told = f"entry {entry['number']} has no Sts; {entry['status']} is taken"
        tell(element, "missing", told, expected="Sts")
    if "booking_date" not in entry and entry.get("status") == "BOOK" and "BookgDt" not in present:
        tell(element, "missing", f"entry {entry['number']} is booked and has no BookgDt", expected="BookgDt")


def _derive(into: Into) -> None:
    """The sum of charges, and the rate."""
    if "charges" in into and "charges_amount" not in into:
        amounts = [each for each in into["charges"] if "amount" in each]
        currencies = {each["amount"]["currency"] for each in amounts}
        if len(currencies) == 1:
            signs = [-1 if each.get("credit_debit_indicator") == "CRDT" else 1 for each in amounts]
            total = sum((s * each["amount"]["amount"] for s, each in zip(signs, amounts, strict=True)), ZERO)
            if total >= 0:
                into["charges_amount"] = {"amount": total, "currency": currencies.pop()}
    if "rate" in into.get("exchange", ()):
        into["exchange_rate"] = into["exchange"]["rate"]


def _finish_batches(entry: Into) -> None:
    batches = entry["batches"]
    if len(batches) == 1 and "batch_id" in batches[0]:
        entry["batch_id"] = batches[0]["batch_id"]
    if all("number_of_transactions" in each for each in batches):
        entry["number_of_transactions"] = sum(each["number_of_transactions"] for each in batches)


def finish_transaction(transaction: Into) -> None:
    """Complete a transaction."""
    if "remittance_structured" in transaction:
        _find_references(transaction)
    if not _DERIVABLE.isdisjoint(transaction):
        _derive(transaction)
    if "reason_code" in transaction.get("return", ()):
        transaction["return_reason_code"] = transaction["return"]["reason_code"]


def _find_references(transaction: Into) -> None:
    structured = transaction["remittance_structured"]
    first = next((each for each in structured if "creditor_reference" in each), None)
    if first is not None:
        transaction["creditor_reference"] = first["creditor_reference"]
        if "reference_type_code" in first:
            transaction["creditor_reference_type"] = first["reference_type_code"]
    ids = [document["id"] for each in structured for document in each.get("documents", ()) if "id" in document]
    if ids:
        transaction["referred_document_ids"] = ids


def _is_nothing_of(entry: Into, transaction: Into) -> bool:
    """Whether a transaction says 0 because its message wants an amount there, as in ISO's own examples; of an entry
    that is charges it may be meant."""
    is_zero = transaction.get("amount", {}).get("amount") == ZERO
    return is_zero and entry.get("amount", {}).get("amount", ZERO) != ZERO and not any(
        "charges" in each or "charges_amount" in each for each in (entry, transaction)
    )  # fmt: skip


def _give_amounts(entry: Into, transactions: Sequence[Into], element: Element, tell: Tell) -> None:
    """Amounts of transactions that do not say theirs: that of the entry where there is one transaction, never where
    there are several; of those, what the amount details say."""
    money = entry["amount"]
    if len(transactions) == 1:
        transactions[0]["amount"] = dict(money)
        return
    for each in transactions:
        if "amount" not in each and (found := _amount_in(each, money["currency"])):
            each["amount"] = found
    without = [each for each in transactions if "amount" not in each]
    if not without:
        return
    tell(
        element, "transaction_amount",
        f"{len(without)} of the {len(transactions)} transactions of entry {entry['number']} have no amount",
        expected="TxDtls/Amt, or AmtDtls/TxAmt",
    )  # fmt: skip


def _amount_in(transaction: Into, currency: str) -> Into | None:
    for name in ("transaction_amount", "instructed_amount", "counter_value_amount"):
        found: Into | None = transaction.get(name)
        if found is not None and found["currency"] == currency:
            return dict(found)
    return None


def turn(entry: Into) -> None:
    """The other direction for an entry and all its transactions."""
    for each in (entry, *entry.get("transactions", ())):
        if direction := each.get("credit_debit_indicator"):
            each["credit_debit_indicator"] = "DBIT" if direction == "CRDT" else "CRDT"


def finish_head(head: Into, sums: Sums, element: Element, tell: Tell) -> None:
    """Complete a statement of which the entries are counted."""
    created = head.pop("message_created_at", None)
    if "created_at" not in head:
        if created is not None:
            head["created_at"] = created
    elif created not in (None, head["created_at"]):
        head["message_created_at"] = created
    if "statement_id" not in head:
        _without_number(head, element, tell)
    _finish_account(head, sums, element, tell)
    entries = head.get("summary", {}).get("entries", {})
    net, direction = entries.pop("net_amount", None), entries.pop("net_indicator", "CRDT")
    if net is not None:
        head["summary"]["net"] = -net if direction == "DBIT" and net > 0 else net
    _finish_balances(head, sums, element, tell)


def _without_number(head: Into, element: Element, tell: Tell) -> None:
    known = head.get("message_id")
    told = f"the statement has no Id; {known}, that of the message, is taken" if known else "the statement has no Id"
    tell(element, "missing", told, expected="Id", severity="warning" if known else "error")
    if known:
        head["statement_id"] = known


def _finish_account(head: Into, sums: Sums, element: Element, tell: Tell) -> None:
    account = head.get("account", {})
    if "account_id" not in account:
        tell(element, "missing", "the statement does not say its account", expected="Acct/Id", severity="error")
    if "bic" in account.get("servicer", ()):
        account["bic"] = account["servicer"]["bic"]
    currency = account.pop("currency", "")
    if not currency:
        seen = sums.currencies or {each["amount"]["currency"] for each in head.get("balances", ()) if "amount" in each}
        if len(seen) == 1:
            (currency,) = seen
        else:
            told = "the account has no currency, and its amounts are of none or of several"
            tell(element, "currency", told, expected="Acct/Ccy", severity="error")
    if currency:
        head["account_currency_code"] = currency


def _finish_balances(head: Into, sums: Sums, element: Element, tell: Tell) -> None:
    """Which of the balances the statement opens and closes with."""
    currency = head.get("account_currency_code")
    balances = [each for each in head.get("balances", ()) if each["amount"]["currency"] == currency]
    opening = _balance(balances, ("OPBD", "PRCD"))
    closing = _balance(balances[::-1], ("CLBD",))
    if head["report_type"] == "statement" and (opening is None or closing is None):
        interim = [each["amount"] for each in balances if each.get("type_code") == "ITBD"]
        if interim and opening is None and (closing is not None or len(interim) > 1):
            opening = interim[0]
        elif interim and closing is None:
            closing = interim[-1]
        opening, closing = _completed(opening, closing, sums, element, tell)
    for name, found in (("opening_balance", opening), ("closing_balance", closing)):
        if found is not None:
            head[name] = dict(found)


def _completed(opening: Any, closing: Any, sums: Sums, element: Element, tell: Tell) -> tuple[Any, Any]:
    """A balance that a bank leaves out follows from the other; where it gives none, there is none."""
    if opening is None and closing is None:
        tell(element, "missing", "the statement has no booked balance", expected="Bal with OPBD and with CLBD")
    elif opening is None:
        told = "it has no opening balance (OPBD, PRCD); what it closes with, less its entries, is taken"
        tell(element, "missing", told, expected="Bal with OPBD")
        opening = {**closing, "amount": closing["amount"] - sums.net}
    elif closing is None:
        told = "it has no closing balance (CLBD); what it opens with, and its entries, is taken"
        tell(element, "missing", told, expected="Bal with CLBD")
        closing = {**opening, "amount": opening["amount"] + sums.net}
    return opening, closing


def _balance(balances: Sequence[Into], kinds: Sequence[str]) -> Any:
    for kind in kinds:
        for each in balances:
            if each.get("type_code") == kind:
                return each["amount"]
    return None
