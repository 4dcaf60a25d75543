"""Statements as CODA files of version 2: every record 128 signs, its trailer counted. Each is read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.formats import Record
from hub.formats._bank_lines import text_lines
from hub.formats._bank_writing import balance_day, day, names_of, needed, only_known, refusal, whole
from hub.formats._coda_entries import role_of
from hub.formats._coda_reading import CodaReader
from hub.formats._coda_records import INFORMATION, LAYOUTS, TEXTS
from hub.identifiers import is_iban, is_ogm

Document = Mapping[str, Any]

_STATEMENT = names_of(
    "report_type statement_id format message_id message_created_at related_reference created_at creation_date part "
    "electronic_sequence_number legal_sequence_number copy_duplicate_code account account_currency_code "
    "account_description opening_balance closing_balance balances summary entries additional_information findings "
    "period transaction_reference application_code separate_application_code"
)
_ENTRY = names_of(
    "number entry_ref amount credit_debit_indicator status booking_date value_date bank_transaction_code "
    "proprietary_code number_of_transactions transactions details movement"
)
_DERIVED = names_of("statement_id number bank_transaction_code format findings summary period part balances")
_SIGN = {"CRDT": "0", "DBIT": "1"}


def written(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """All statements in one file. Raises MappingError for what CODA cannot carry."""
    encoding = "latin-1" if options.get("encoding", "auto") == "auto" else str(options["encoding"])
    end = "\n" if options.get("line_end") == "lf" else "\r\n"
    statements = list(whole(documents))
    lines = list[str]()
    for at, statement in enumerate(statements):
        own = list(_records(statement, at + 1 == len(statements)))
        _compare(statement, own)
        lines += own
    try:
        return "".join(line + end for line in lines).encode(encoding)
    except UnicodeEncodeError as error:
        seen = f"the character U+{ord(error.object[error.start]):04X}, which {encoding} does not have"
        raise refusal("", seen, f"characters of {encoding}") from None


def _records(statement: Document, is_last: bool) -> Iterator[str]:
    only_known("", statement, _STATEMENT, "CODA")
    if statement["report_type"] != "statement":
        raise refusal("report_type", f"{statement['report_type']} in a CODA file", "statement")
    currency = str(needed("", statement, "account_currency_code"))
    yield _header(statement)
    body = [_opening(statement, currency), *_movements(statement)]
    texts = str(statement.get("additional_information", "")).split("\n")
    free = [text for text in texts if text]
    body.append(_closing(statement, currency, bool(free)))
    body += [
        _record("4", f"line {at} of additional_information", number=f"{at:04d}", detail="0000", text=text,
                link=_flag(at < len(free)))
        for at, text in enumerate(free, 1)
    ]  # fmt: skip
    yield from body
    sums = {
        direction: sum(
            (entry["amount"]["amount"] for entry in statement.get("entries", ()) if _is(entry, direction)), Decimal(0)
        )
        for direction in ("DBIT", "CRDT")
    }
    yield _record(
        "9", "the trailer", count=f"{len(body) - len(free):06d}", debits=_digits("", sums["DBIT"]),
        credits=_digits("", sums["CRDT"]), more="2" if is_last else "1",
    )  # fmt: skip


def _is(entry: Document, direction: str) -> bool:
    return bool(entry["credit_debit_indicator"] == direction)


def _header(statement: Document) -> str:
    account = needed("", statement, "account")
    owner = account.get("owner", {})
    created = statement.get("creation_date") or str(statement.get("created_at", ""))[:10]
    return _record(
        "0", "account", zeros="0000", created=_day("creation_date", created or balance_day(statement, "CLBD")),
        bank=account.get("servicer", {}).get("clearing_id", "000"), application=statement.get("application_code", "05"),
        duplicate="D" if statement.get("copy_duplicate_code") == "DUPL" else "",
        file_ref=statement.get("message_id", ""), addressee=owner.get("name", ""), bic=account.get("bic", ""),
        company=owner.get("id", ""),
        separate=statement.get("separate_application_code", "00000"),
        reference=statement.get("transaction_reference", ""), related=statement.get("related_reference", ""),
        version="2",
    )  # fmt: skip


def _opening(statement: Document, currency: str) -> str:
    account = statement["account"]
    number = str(needed("account", account, "account_id"))
    return _record(
        "1", "account", structure=_structure(number), paper=f"{statement.get('legal_sequence_number', 0):03d}",
        account=_account(number, currency), **_signed("opening_balance", statement),
        day=_balance_day(statement, "OPBD"), holder=account.get("account_name", ""),
        description=statement.get("account_description", ""),
        coded=f"{statement.get('electronic_sequence_number', 0):03d}",
    )  # fmt: skip


def _closing(statement: Document, currency: str, is_followed: bool) -> str:
    number = str(statement["account"]["account_id"])
    return _record(
        "8", "account", paper=f"{statement.get('legal_sequence_number', 0):03d}", account=_account(number, currency),
        **_signed("closing_balance", statement), day=_balance_day(statement, "CLBD"), link=_flag(is_followed),
    )  # fmt: skip


def _structure(number: str) -> str:
    if is_iban(number):
        return "2" if number.startswith("BE") else "3"
    return "0" if number.isdigit() and len(number) == 12 else "1"


def _account(number: str, currency: str) -> str:
    if _structure(number) == "0":
        return f"{number} {currency}"
    return f"{number:<34}{currency}"


def _balance_day(statement: Document, kind: str) -> str:
    for balance in statement.get("balances", ()):
        if balance.get("type_code") == kind and "date" not in balance:
            return "000000"
    return _day("balances", balance_day(statement, kind))


def _signed(name: str, statement: Document) -> dict[str, str]:
    amount = needed("", statement, name)["amount"]
    return {"sign": "1" if amount < 0 else "0", "amount": _digits(name, abs(amount))}


def _digits(path: str, amount: Decimal) -> str:
    thousandths = amount.scaleb(3)
    if thousandths != thousandths.to_integral_value() or thousandths >= Decimal(10) ** 15:
        raise refusal(path, f"the amount {amount}", "at most 12 digits and 3 decimals")
    return f"{int(thousandths):015d}"


def _day(path: str, value: Any) -> str:
    short = day(path, value)
    return short[4:6] + short[2:4] + short[:2]


def _movements(statement: Document) -> Iterator[str]:
    for at, entry in enumerate(statement.get("entries", ())):
        path = f"entries[{at}]"
        only_known(path, entry, _ENTRY, "CODA")
        if entry.get("status") != "BOOK":
            raise refusal(f"{path}.status", f"an entry that is {entry.get('status')}", "BOOK")
        transactions = entry.get("transactions", ())
        has_details = "number_of_transactions" in entry or len(transactions) > 1
        own = entry.get("movement", {}) if has_details else (transactions or ({},))[0]
        tops = [*(transactions if has_details else ()), *entry.get("details", ())]
        parts = [part for top in tops for part in (top, *top.get("details", ()))]
        number = f"{at + 1:04d}"[-4:]
        yield from _movement(path, entry, own, entry, number, "0000", _flag(bool(parts)))
        for place, part in enumerate(parts, 1):
            yield from _movement(f"{path}.transactions[{place - 1}]", part, part, entry, number, f"{place:04d}", "0")


def _movement(
    path: str, head: Document, part: Document, entry: Document, number: str, detail: str, globalised: str
) -> Iterator[str]:
    """The records of one movement: 21, then 22 and 23 where they are needed, then what is told besides."""
    direction = head.get("credit_debit_indicator", entry["credit_debit_indicator"])
    role = role_of(direction, dict(part))
    is_structured, text = _communication(part)
    pieces = _cut(path, text, TEXTS)
    third = {"account": str(part.get(f"{role}_account", "")), "name": part.get(f"{role}_name", ""), "text": pieces[2]}
    second = {
        "text": pieces[1], "customer_ref": part.get("end_to_end_id", ""), "bic": part.get(f"{role}_bic", ""),
        "return_type": part.get("return_type_code", ""), "reason": _reason(part),
        "category": part.get("category_purpose_code", ""), "purpose": part.get("purpose_code", ""),
    }  # fmt: skip
    has_third = any(third.values())
    has_second = has_third or any(second.values())
    information = part.get("information", ())
    same = {"number": number, "detail": detail}
    code = head.get("proprietary_code", {}).get("code", "")
    bank_ref = head.get("entry_ref" if detail == "0000" else "transaction_ref", "")
    yield _record(
        "21", path, **same, bank_ref=bank_ref, sign=_SIGN[direction],
        amount=_digits(f"{path}.amount", head["amount"]["amount"]), code=code, structured=_flag(is_structured),
        value_day=_day(path, entry["value_date"]) if "value_date" in entry else "000000", text=pieces[0],
        day=_day(path, needed(path, entry, "booking_date")), paper="000", globalised=globalised,
        next=_flag(has_second), link=_flag(not has_second and bool(information)),
    )  # fmt: skip
    if has_second:
        yield _record(
            "22", path, **same, **second, next=_flag(has_third), link=_flag(not has_third and bool(information))
        )
    if has_third:
        yield _record("23", path, **same, **third, next="0", link=_flag(bool(information)))
    for at, piece in enumerate(information):
        yield from _information(path, piece, same, bank_ref, code, at + 1 < len(information))


def _information(
    path: str, piece: Document, same: dict[str, str], bank_ref: str, code: str, is_followed: bool
) -> Iterator[str]:
    pieces = _cut(path, str(piece.get("type_code", "")) + str(piece.get("text", "")), INFORMATION)
    count = max((at for at, text in enumerate(pieces, 1) if text), default=1)
    for at, ((kind, _), text) in enumerate(zip(INFORMATION[:count], pieces, strict=False), 1):
        own = {"bank_ref": bank_ref, "code": code, "structured": _flag("type_code" in piece)} if kind == "31" else {}
        yield _record(
            kind, path, **same, **own, text=text, next=_flag(at < count), link=_flag(at == count and is_followed)
        )


def _communication(part: Document) -> tuple[bool, str]:
    if "structured_communication" in part:
        found = part["structured_communication"]
        return True, f"{found['type_code']}{found['text']}"
    reference = str(part.get("creditor_reference", ""))
    texts = part.get("remittance_unstructured", ())
    if not texts and is_ogm(reference):
        return True, f"101{reference}"
    return False, " ".join([*map(str, texts), *([reference] if reference and not texts else [])])


def _reason(part: Document) -> str:
    """The reason of a return, where the communication does not tell it itself."""
    return (
        "" if part.get("structured_communication", {}).get("type_code") == "127" else part.get("return_reason_code", "")
    )


def _cut(path: str, text: str, sizes: Iterable[tuple[str, int]]) -> list[str]:
    pieces, at = list[str](), 0
    for _, size in sizes:
        pieces.append(text[at : at + size])
        at += size
    if len(text) > at:
        raise refusal(path, f"a text of {len(text)} characters", f"at most {at}")
    return pieces


def _flag(is_set: bool) -> str:
    return "1" if is_set else "0"


def _record(kind: str, path: str, **values: Any) -> str:
    layout = LAYOUTS[kind]
    texts = {name: str(value) for name, value in values.items()}
    for name, text in texts.items():
        size = layout.fields[name][1]
        if len(text) > size or any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in text):
            raise refusal(f"{path}", f"{name} does not fit: {text[:40]!r}", f"at most {size} characters of one line")
    return layout.write(texts)


def _compare(statement: Document, lines: list[str]) -> None:
    """Refuses what would be read otherwise than it stands in the document."""
    raw = "\n".join(lines).encode("utf-8")
    found = next(CodaReader(True, 10**9).records(text_lines([raw], "utf-8")))
    if not isinstance(found, Record):
        raise refusal("", f"cannot be written: {found.error.detail}")
    for name, value in statement.items():
        if name == "entries":
            for at, (mine, other) in enumerate(zip(value, found.value.get("entries", ()), strict=True)):
                _same(f"entries[{at}]", mine, other)
        elif name == "account":
            _same("account", value, found.value["account"])
        elif name not in _DERIVED and found.value.get(name) != value:
            raise refusal(name, f"cannot be written so that it is read again: {str(value)[:60]}")


def _same(path: str, wanted: Document, found: Document) -> None:
    for name, value in wanted.items():
        if name in _DERIVED or found.get(name) == value:
            continue
        if name == "transactions" and len(value) == len(found.get(name, ())):
            for at, (mine, other) in enumerate(zip(value, found[name], strict=True)):
                _same(f"{path}.{name}[{at}]", mine, other)
            continue
        if name == "credit_debit_indicator" and value == found.get(name, value):
            continue
        raise refusal(f"{path}.{name}", f"cannot be written so that it is read again: {str(value)[:60]}")
