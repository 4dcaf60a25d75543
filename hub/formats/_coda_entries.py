"""What the records of one CODA movement say, as an entry and its transactions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hub.formats._bank_references import reference_in
from hub.identifiers import is_ogm

Document = dict[str, Any]

_OGM = ("101", "102")


def account_of(text: str, structure: str) -> tuple[str, str]:
    """The account and the currency behind it: old Belgian numbers have it in another place."""
    if structure == "0":
        return text[:12].strip(), text[13:16].strip()
    return text[:34].strip(), text[34:37].strip()


def entry_of(movement: Document, day: str, value_day: str) -> Document:
    entry = {
        "amount": movement["amount"], "credit_debit_indicator": movement["credit_debit_indicator"], "status": "BOOK",
        "booking_date": day,
    }  # fmt: skip
    if value_day:
        entry["value_date"] = value_day
    if "_bank_ref" in movement:
        entry["entry_ref"] = movement["_bank_ref"]
    if "proprietary_code" in movement:
        entry["proprietary_code"] = movement["proprietary_code"]
    entry["_own"] = movement
    return entry


def completed(entry: Document) -> Document:
    """The entry with its transactions: its details where they make it up, else the one that it is itself. Details of
    another kind (what one transaction is made of: type 8 of a type 3) stand beside it, those of a detail (9) in it."""
    own, parts = entry.pop("_own"), entry.pop("_parts", [])
    sign, total = {"CRDT": 1, "DBIT": -1}, Decimal(0)
    transactions = list[Document]()
    for part in parts:
        detail = _transaction(part, is_detail=True)
        if _type_of(part) == "9" and transactions:
            transactions[-1].setdefault("details", []).append(detail)
        else:
            transactions.append(detail)
            total += part["amount"]["amount"] * sign[part["credit_debit_indicator"]]
    first = _transaction(own)
    is_total = _type_of(own) != "3" and total == entry["amount"]["amount"] * sign[entry["credit_debit_indicator"]]
    if transactions and is_total:
        entry["transactions"] = transactions
        entry["number_of_transactions"] = len(transactions)
        rest = {name: value for name, value in first.items() if name not in ("amount", "credit_debit_indicator")}
        if rest:
            entry["movement"] = rest
        return entry
    entry["transactions"] = [first]
    if transactions:
        entry["details"] = transactions
    return entry


def _type_of(movement: Document) -> str:
    """The first digit of its code: 1 and 2 are totals, of 5 to 7; 3 one amount and 8 what it consists of; 9 is of 7."""
    code: str = movement.get("proprietary_code", {}).get("code", "")
    return code[:1]


def _transaction(movement: Document, is_detail: bool = False) -> Document:
    found: Document = {"amount": movement["amount"]}
    if is_detail:
        found["credit_debit_indicator"] = movement["credit_debit_indicator"]
        if "proprietary_code" in movement:
            found["proprietary_code"] = movement["proprietary_code"]
        if "_bank_ref" in movement:
            found["transaction_ref"] = movement["_bank_ref"]
    for name, key in _NAMES.items():
        if name in movement and movement[name] != "NOTPROVIDED":
            found[key] = movement[name]
    _communication(movement, found)
    role = role_of(movement["credit_debit_indicator"], found)
    for key in ("name", "account", "bic"):
        if movement.get(f"_{key}", "NOTPROVIDED") != "NOTPROVIDED":
            found[f"{role}_{key}"] = movement[f"_{key}"]
    if information := movement.get("_information"):
        found["information"] = [_piece(is_structured, text) for is_structured, text in information]
    return found


def role_of(direction: str, transaction: Document) -> str:
    """Which end the other party is. Who pays, where money comes in; but of a payment that comes back it stays what it
    was: of a collection that is returned, the debtor."""
    communication = transaction.get("structured_communication", {})
    kind = communication.get("text", "")[141:142] if communication.get("type_code") == "127" else ""
    kinds = (transaction.get("return_type_code", ""), kind)
    comes_back = "return_reason_code" in transaction or any(each.strip("0 ") for each in kinds)
    return "debtor" if (direction == "CRDT") != comes_back else "creditor"


_NAMES = {
    "_customer_ref": "end_to_end_id", "_reason": "return_reason_code", "_purpose": "purpose_code",
    "_category": "category_purpose_code", "_return_type": "return_type_code",
}  # fmt: skip


def _piece(is_structured: bool, text: str) -> Document:
    return {"type_code": text[:3], "text": text[3:].rstrip()} if is_structured else {"text": text.rstrip()}


def _communication(movement: Document, found: Document) -> None:
    text = movement.get("_text", "").rstrip()
    if not movement["_structured"]:
        if plain := text.strip():
            found["remittance_unstructured"] = [plain]
            reference, kind = reference_in(plain)
            if reference:
                found["creditor_reference"], found["creditor_reference_type"] = reference, kind
        return
    kind, content = text[:3], text[3:]
    if kind in _OGM and is_ogm(content[:12]) and not content[12:].strip():
        found["creditor_reference"], found["creditor_reference_type"] = content[:12], "OGM"
        if kind == "101":
            return
    found["structured_communication"] = {"type_code": kind, "text": content}
    if kind == "127":
        _direct_debit(content, found)


def _direct_debit(content: str, found: Document) -> None:
    """Type 127: a SEPA direct debit, with its creditor, mandate and text."""
    if creditor := content[9:44].strip():
        found["creditor"] = {"id": creditor}
    if mandate := content[44:79].strip():
        found["mandate_id"] = mandate
    if words := content[79:141].strip():
        found["remittance_unstructured"] = [words]
    if reason := content[142:146].strip():
        found.setdefault("return_reason_code", reason)
