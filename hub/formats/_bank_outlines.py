"""What the documents of the text formats of banks look like beyond what every statement has, and options they share."""

from __future__ import annotations

from hub.formats import Option
from hub.formats._statements_outline import OUTLINE as STATEMENT
from hub.outline import Outline, Plain

STRUCTURE = Option(
    "structure", "choice", "auto", ("auto", "german", "codewords", "unstructured"),
    "How field 86 is written; `auto`: as a German bank does where an entry has a code such as NTRF+166, the text alone "
    "where there is nothing else, else by codewords (/IBAN/.../REMI/...)",
)  # fmt: skip
LINE_END = Option("line_end", "choice", "crlf", ("crlf", "lf"), "Line ends when writing; all are known when reading")

_TEXT = Plain("text")
_MONEY = Plain("object", {"amount": Plain("number"), "currency": _TEXT})
_PIECE = Plain("object", {"type_code": _TEXT, "text": _TEXT})


def _list(**fields: Outline) -> Plain:
    return Plain("list", element=Plain("object", fields))


def _with(outline: Outline | None, **fields: Outline) -> Plain:
    """An object with fields more than it has."""
    known = outline.fields if isinstance(outline, Plain) else {}
    return Plain("object", {**known, **fields})


MT = _with(
    STATEMENT, related_reference=_TEXT, floor_limits=_list(amount=_MONEY, credit_debit_indicator=_TEXT),
    other_fields=_list(tag=_TEXT, text=_TEXT),
)  # fmt: skip

_entries = STATEMENT.field("entries")
_ENTRY = _entries.element if _entries else None
_transactions = _ENTRY.field("transactions") if _ENTRY else None
_TRANSACTION = _with(
    _transactions.element if _transactions else None, category_purpose_code=_TEXT, return_type_code=_TEXT,
    structured_communication=_PIECE, information=Plain("list", element=_PIECE),
)  # fmt: skip
_PARTED = _with(_TRANSACTION, details=Plain("list", element=_TRANSACTION))
CODA = _with(
    STATEMENT,
    **dict.fromkeys(
        (
            "transaction_reference", "related_reference", "application_code", "separate_application_code",
            "account_description",
        ),
        _TEXT,
    ),
    creation_date=Plain("date"),
    entries=Plain(
        "list",
        element=_with(
            _ENTRY, transactions=Plain("list", element=_PARTED), details=Plain("list", element=_PARTED),
            movement=_TRANSACTION,
        ),
    ),
)  # fmt: skip
BAI = _with(
    STATEMENT,
    sender_id=_TEXT,
    receiver_id=_TEXT,
    as_of_date=Plain("date"),
    group=Plain(
        "object",
        dict.fromkeys(("receiver_id", "originator_id", "status_code", "as_of_time", "as_of_modifier"), _TEXT),
    ),
    balances=_list(type_code=_TEXT, sub_type_code=_TEXT, amount=_MONEY, availability=_TEXT),
    summaries=_list(type_code=_TEXT, amount=Plain("number"), count=Plain("any"), availability=_TEXT),
    entries=Plain("list", element=_with(_ENTRY, availability=_TEXT)),
)
