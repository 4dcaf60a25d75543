"""Statements as one BAI2 file: groups of accounts with their control totals and counts. Each is read again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from hub.formats import Record
from hub.formats._bai_reading import BaiReader
from hub.formats._bank_lines import text_lines
from hub.formats._bank_values import ValueFault, written_amount
from hub.formats._bank_writing import balance_day, day, names_of, needed, only_known, refusal, whole

Document = Mapping[str, Any]

_STATEMENT = names_of(
    "report_type statement_id format sender_id receiver_id message_id message_created_at created_at part group "
    "as_of_date account account_currency_code opening_balance closing_balance balances summaries summary entries "
    "findings period electronic_sequence_number"
)
_ENTRY = names_of(
    "number entry_ref amount credit_debit_indicator status booking_date value_date bank_transaction_code availability "
    "proprietary_code number_of_transactions transactions"
)
_DERIVED = names_of(
    "statement_id number bank_transaction_code format findings period part summary balances report_type as_of_date "
    "electronic_sequence_number booking_date group number_of_transactions created_at message_created_at"
)
_TYPES = {"OPBD": "010", "CLBD": "015", "CLAV": "045", "OPAV": "040"}


def written(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """All statements in files, one for each run of those with the same head. Raises MappingError for what BAI2 cannot
    carry."""
    encoding = "ascii" if options.get("encoding", "auto") == "auto" else str(options["encoding"])
    end = "\n" if options.get("line_end") == "lf" else "\r\n"
    statements = list(whole(documents))
    lines = [line for _, several in groupby(statements, _file_of) for line in _file(list(several))]
    _compare(statements, lines)
    try:
        return "".join(line + end for line in lines).encode(encoding)
    except UnicodeEncodeError as error:
        seen = f"the character U+{ord(error.object[error.start]):04X}, which {encoding} does not have"
        raise refusal("", seen, f"characters of {encoding}", "encoding: utf-8") from None


def _file_of(statement: Document) -> tuple[Any, ...]:
    return tuple(statement.get(name) for name in ("sender_id", "receiver_id", "message_id", "created_at"))


def _group_of(statement: Document) -> tuple[Any, ...]:
    return statement.get("group"), _as_of(statement)


def _as_of(statement: Document) -> str:
    return str(statement.get("as_of_date") or balance_day(statement, "CLBD"))


def _file(statements: list[dict[str, Any]]) -> list[str]:
    first = statements[0]
    created = str(first.get("created_at") or first.get("message_created_at") or _as_of(first))
    head = [
        first.get("sender_id", ""), first.get("receiver_id", ""), day("created_at", created),
        created[11:13] + created[14:16], first.get("message_id", ""), "", "", "2",
    ]  # fmt: skip
    lines, total, groups = [_line("01", head)], 0, 0
    for _, several in groupby(statements, _group_of):
        own, sum_of_group = _group(list(several))
        lines += own
        total += sum_of_group
        groups += 1
    return [*lines, _line("99", [total, groups, len(lines) + 1])]


def _group(statements: list[dict[str, Any]]) -> tuple[list[str], int]:
    first = statements[0]
    group = first.get("group", {})
    only_known("group", group, names_of("receiver_id originator_id status_code as_of_time as_of_modifier"), "BAI2")
    # What a group of BAI2 did not say stays unsaid; one made of something else is an update of the end of a day.
    status, modifier = (group.get("status_code", ""), group.get("as_of_modifier", "")) if group else ("1", "2")
    modifier = modifier or ("1" if first["report_type"] == "intraday" else "")
    head = [
        group.get("receiver_id", ""), group.get("originator_id", ""), status,
        day("as_of_date", _as_of(first)), group.get("as_of_time", ""), needed("", first, "account_currency_code"),
        modifier,
    ]  # fmt: skip
    lines, total = [_line("02", head)], 0
    for statement in statements:
        own, sum_of_account = _account(statement)
        lines += own
        total += sum_of_account
    return [*lines, _line("98", [total, len(statements), len(lines) + 1])], total


def _account(statement: dict[str, Any]) -> tuple[list[str], int]:
    only_known("", statement, _STATEMENT, "BAI2")
    currency = str(needed("", statement, "account_currency_code"))
    number = needed("account", needed("", statement, "account"), "account_id")
    summaries = _summaries(statement, currency)
    lines = (
        [_line("03", [number, currency, *summaries[0]])]
        if summaries
        else [_line("03", [number, currency, "", "", "", ""])]
    )
    lines += [_line("88", fields) for fields in summaries[1:]]
    total = sum(int(fields[1] or 0) for fields in summaries)
    for at, entry in enumerate(statement.get("entries", ())):
        own, amount = _entry(f"entries[{at}]", entry, currency)
        lines += own
        total += amount
    return [*lines, _line("49", [total, len(lines) + 1])], total


def _summaries(statement: Document, currency: str) -> list[list[str]]:
    found = list[list[str]]()
    balances = list(statement.get("balances", ()))
    there = {each.get("type_code") for each in balances} & {"OPBD", "CLBD"}
    for name, kind in (("opening_balance", "OPBD"), ("closing_balance", "CLBD")):
        follows = there and statement.get("entries")  # from the other one, when it is read
        if name in statement and kind not in there and not follows:
            balances.append({"type_code": kind, "amount": statement[name]})
    for at, balance in enumerate(balances):
        kind = balance.get("sub_type_code", "")
        kind = kind if kind.isdigit() else _TYPES.get(balance.get("type_code", ""), "")
        if not kind:
            raise refusal(
                f"balances[{at}].type_code", f"no type of BAI2 for {balance.get('type_code')}", "OPBD, CLBD, CLAV"
            )
        amount = _digits(f"balances[{at}].amount", balance["amount"]["amount"], currency)
        found.append([kind, amount, "", *_availability(balance)])
    for at, summary in enumerate(statement.get("summaries", ())):
        amount = _digits(f"summaries[{at}].amount", summary["amount"], currency) if "amount" in summary else ""
        found.append([summary["type_code"], amount, str(summary.get("count", "")), *_availability(summary)])
    return found


def _availability(holder: Document) -> list[str]:
    return str(holder.get("availability", "")).split(",")


def _digits(path: str, amount: Any, currency: str) -> str:
    try:
        return ("-" if amount < 0 else "") + (written_amount(amount, currency, "").lstrip("0") or "0")
    except ValueFault as fault:
        raise refusal(path, f"the amount {amount}", str(fault)) from None


def _entry(path: str, entry: Document, currency: str) -> tuple[list[str], int]:
    only_known(path, entry, _ENTRY, "BAI2")
    transactions = entry.get("transactions", ())
    if len(transactions) > 1:
        raise refusal(f"{path}.transactions", f"{len(transactions)} transactions of one entry", "one at most")
    transaction = transactions[0] if transactions else {}
    is_credit = entry["credit_debit_indicator"] == "CRDT"
    kind = entry.get("proprietary_code", {}).get("code", "")
    kind = kind if len(kind) == 3 and kind.isdigit() else "399" if is_credit else "699"
    amount = _digits(f"{path}.amount", entry["amount"]["amount"], currency)
    funds = _availability(entry)
    if "value_date" in entry and funds == [""]:
        funds = ["V", day(f"{path}.value_date", entry["value_date"]), ""]
    texts = [str(text) for text in transaction.get("remittance_unstructured", ())]
    fields = [kind, amount, *funds, entry.get("entry_ref", ""), transaction.get("account_owner_ref", "")]
    head = _line("16", fields, texts[0] if texts else "")
    return [head, *(_line("88", [], text) for text in texts[1:])], int(amount)


def _line(code: str, fields: Iterable[Any], text: str = "") -> str:
    values = [str(value) for value in fields]
    for value in values:
        if any(sign in value for sign in ",/") or not value.isprintable():
            raise refusal("", f"cannot be written in a record {code}: '{value[:40]}'", "no comma, slash or line end")
    if not text.isprintable():
        raise refusal("", f"cannot be written in a record {code}: '{text[:40]!r}'", "a text of one line")
    joined = ",".join((code, *values))
    return f"{joined},{text}" if text else f"{joined},/" if code == "16" else f"{joined}/"


def _compare(statements: list[dict[str, Any]], lines: list[str]) -> None:
    """Refuses what would be read otherwise than it stands in the document."""
    raw = "\n".join(lines).encode("utf-8", "surrogatepass")
    found = list(BaiReader(False, 10**9).records(text_lines([raw], "utf-8"))) if statements else []
    for statement, record in zip(statements, found, strict=False):
        if not isinstance(record, Record):
            raise refusal("", f"cannot be written: {record.error.detail}")
        _same("", statement, record.value)


def _same(path: str, wanted: Document, found: Document) -> None:
    for name, value in wanted.items():
        at, other = f"{path}.{name}".lstrip("."), found.get(name, {})
        if name in _DERIVED or other == value:
            continue
        if name in ("entries", "transactions") and len(other) == len(value):
            for index, (mine, read) in enumerate(zip(value, other, strict=True)):
                _same(f"{at}[{index}]", mine, read)
        elif name == "account" and value.get("account_id") == other.get("account_id"):
            only_known("account", value, names_of("account_id"), "BAI2")
        elif name != "proprietary_code" or value.get("code") != other.get("code"):
            raise refusal(at, f"cannot be written so that it is read again: {str(value)[:60]}")
