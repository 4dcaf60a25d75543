"""The type codes of BAI2: which are balances, and whether a transaction is a credit or a debit."""

from __future__ import annotations

# Balances of an account, in the words of ISO 20022 where these mean the same: averages (011, 020, 050), investments
# (057) and float (072 to 074), of which no balance consists, are for information.
BALANCES = {
    "010": "OPBD", "011": "INFO", "015": "CLBD", "020": "INFO", "030": "ITBD", "035": "INFO", "040": "OPAV",
    "045": "CLAV", "050": "INFO", "057": "INFO", "060": "ITAV", "072": "INFO", "073": "INFO", "074": "INFO",
}  # fmt: skip
SUMMARIES = {"100": "credits", "400": "debits"}


def is_credit(kind: str) -> bool | None:
    """Whether a transaction of a type adds to the account; None where its type does not say it."""
    if not (kind.isascii() and kind.isdigit()) or len(kind) != 3:
        return None
    number = int(kind)
    if 100 <= number <= 399 or 920 <= number <= 959:
        return True
    if 400 <= number <= 699 or 960 <= number <= 999:
        return False
    if 720 <= number <= 729:
        return True  # loans: a payment
    return None


def status_of(kind: str) -> str:
    """``INFO`` for a remark that moves nothing."""
    return "INFO" if kind == "890" else "BOOK"
