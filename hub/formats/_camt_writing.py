"""Statements as camt.052, camt.053 and camt.054: one message of one version, valid by its XSD, or a MappingError."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from hub.errors import MappingError, quoted_in
from hub.formats._camt_kinds import VERSIONS
from hub.formats._camt_tables import EXCHANGED, HEADER, MESSAGES, Message
from hub.formats._iso_values import Into, Writer, kind_of, listed, mapped, money_of, number_of, shown
from hub.spelling import did_you_mean

_NAME = re.compile(r"(camt\.05[234])\.001\.(\d\d)")
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_HEADER_FIELDS = ("message_id", "message_created_at", "recipient", "message_page", "message_information")
_DERIVED = {"format", "report_type", "account_currency_code", "opening_balance", "closing_balance", "part", "findings"}


def write_message(documents: Sequence[Mapping[str, Any]], version: int | None) -> bytes:
    """One message that holds all statements; parts of one stand together in it again."""
    if not documents:
        raise MappingError("no statement to write; a message has one at least", code="encode")
    first = documents[0]
    message, number = _message_of(first, version)
    out = Writer(number)
    name = f"{message.name}.001.{number:02}"
    out.pieces.append(f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}{name}">')
    out.open(message.root)
    out.open("GrpHdr")
    header = {each: first[each] for each in _HEADER_FIELDS if each in first}
    for each in ("message_id", "created_at"):
        _require(first, each, out)
    HEADER.write({**header, "message_created_at": header.get("message_created_at", first["created_at"])}, out)
    out.close("GrpHdr")
    for number, document in enumerate(_whole(documents, out)):
        if document.get("report_type") != message.report_type or document.get("message_id") != first["message_id"]:
            raise MappingError(
                f"document {number + 1} is a {document.get('report_type')} of message {document.get('message_id')}; "
                f"one body is of one kind and message, here {message.report_type} {first['message_id']}",
                code="encode", quoted=[str(each.get("message_id")) for each in (document, first)],
            )  # fmt: skip
        out.open(message.tag)
        message.table.write(_prepared(document, out), out)
        out.close(message.tag)
    out.close(message.root)
    out.close("Document")
    return "".join(out.pieces).encode()


def _message_of(document: Mapping[str, Any], version: int | None) -> tuple[Message, int]:
    kinds = {message.report_type: message for message in MESSAGES.values()}
    kind = document.get("report_type")
    if not isinstance(kind, str) or kind not in kinds:
        hint = did_you_mean(str(kind), kinds)
        detail = f"report_type is one of {', '.join(kinds)}{hint}; got {shown(kind)}"
        raise MappingError(detail, code="encode", field_path="report_type", quoted=quoted_in(shown(kind)))
    format = document.get("format", "")
    if not isinstance(format, str):
        raise MappingError(f"format: expected text, got {kind_of(format)}", code="encode", field_path="format")
    found = _NAME.fullmatch(format)
    named = int(found[2]) if found and int(found[2]) in VERSIONS else 8
    return kinds[kind], version or named


def _require(document: Mapping[str, Any], name: str, out: Writer) -> Any:
    if document.get(name) is None:
        out.path.append(name)
        raise out.refuse("it is missing; every such message has it")
    return document[name]


def _whole(documents: Iterable[Mapping[str, Any]], out: Writer) -> Iterator[Mapping[str, Any]]:
    """The statements, those in parts put together."""
    numbered = groupby(enumerate(documents), key=lambda each: _key(each[0], each[1], out))
    for _, group in numbered:
        parts = [part for _, part in group]
        if len(parts) == 1:
            yield parts[0]
            continue
        _check_parts(parts, out)
        entries = [entry for part in parts for entry in _below(part, "entries", listed, (), out)]
        whole = {**parts[0], "entries": entries}
        if "closing_balance" in parts[-1]:
            whole["closing_balance"] = parts[-1]["closing_balance"]
        yield whole


def _key(number: int, document: Mapping[str, Any], out: Writer) -> Any:
    if "part" not in document:
        return number
    return document.get("statement_id"), _below(document, "account", mapped, {}, out).get("account_id")


def _check_parts(parts: Sequence[Mapping[str, Any]], out: Writer) -> None:
    told = [_below(part, "part", mapped, {}, out) for part in parts]
    numbers = [part.get("number") for part in told]
    if numbers != list(range(1, len(parts) + 1)) or not told[-1].get("is_last"):
        raise MappingError(
            f"the parts {numbers} of statement {parts[0].get('statement_id')} do not make it whole", code="encode",
            field_path="part", expected="1, 2, … to the last", quoted=(str(parts[0].get("statement_id")),),
        )  # fmt: skip


def _below(document: Mapping[str, Any], name: str, kind: Callable[[Any, Writer], Any], empty: Any, out: Writer) -> Any:
    """A field, of the kind that it has to be. Raises MappingError with its path."""
    out.path.append(name)
    found = kind(document.get(name, empty), out)
    out.path.pop()
    return found


def _prepared(document: Mapping[str, Any], out: Writer) -> Into:
    """The fields that are written, out of those that every format has."""
    for name in ("statement_id", "account", "account_currency_code"):
        _require(document, name, out)
    left = {name: value for name, value in document.items() if name not in _DERIVED and name not in _HEADER_FIELDS}
    account = dict(_below(document, "account", mapped, {}, out))
    if (bic := account.pop("bic", None)) is not None:
        account.setdefault("servicer", {"bic": bic})
    for name in ("opening_balance", "closing_balance"):
        if name in document:
            out.path.append(name)
            money_of(document[name], out)
            out.path.pop()
    left["account"] = {**account, "currency": document["account_currency_code"]}
    if document["report_type"] != "notification":
        left["balances"] = document.get("balances") or _balances(document, out)
    if "summary" in document:
        out.path.append("summary")
        left["summary"] = _summary(mapped(document["summary"], out), out)
        out.path.pop()
    out.path.append("entries")
    left["entries"] = [_entry(mapped(entry, out), out) for entry in listed(document.get("entries", ()), out)]
    out.path.pop()
    return left


def _balances(document: Mapping[str, Any], out: Writer) -> list[Into]:
    """Balances of a statement that has only what it opens and closes with, on its first and last day."""
    period, created = _below(document, "period", mapped, {}, out), str(document.get("created_at", ""))[:10]
    entries = listed(document.get("entries", ()), out)
    dated = [str(entry["booking_date"]) for entry in entries if "booking_date" in mapped(entry, out)]
    last = period.get("end_date") or max(dated, default=created)
    first = period.get("start_date") or min(dated, default=last)
    found = []
    for name, code, day in (("opening_balance", "OPBD", first), ("closing_balance", "CLBD", last)):
        if document["report_type"] == "statement":
            _require(document, name, out)
        if name in document:
            found.append({"type_code": code, "amount": document[name], "date": day})
    return found


def _summary(summary: Mapping[str, Any], out: Writer) -> Into:
    """The net sum stands with the sums of all entries."""
    left = {name: value for name, value in summary.items() if name != "net"}
    if "net" in summary:
        net = number_of(summary["net"], out)
        direction = "DBIT" if net < 0 else "CRDT"
        left["entries"] = {**mapped(left.get("entries", {}), out), "net_amount": abs(net), "net_indicator": direction}
    return left


def _entry(entry: Mapping[str, Any], out: Writer) -> Into:
    names = {"number", "batch_id", "number_of_transactions", "exchange_rate", "booked_at"}
    left = _with_exchange({name: value for name, value in entry.items() if name not in names}, entry)
    if "batches" not in entry:
        batch = {name: entry[name] for name in ("batch_id", "number_of_transactions") if name in entry}
        if batch:
            left["batches"] = [batch]
    if "booked_at" in entry:
        left["booking_date"] = entry["booked_at"]
    if "transactions" in entry:
        transactions = listed(entry["transactions"], out)
        left["transactions"] = [_transaction(mapped(each, out), entry, out.version) for each in transactions]
    return left


def _transaction(transaction: Mapping[str, Any], entry: Mapping[str, Any], version: int) -> Into:
    names = {
        "exchange_rate", "creditor_reference", "creditor_reference_type", "referred_document_ids", "return_reason_code",
    }  # fmt: skip
    left = _with_exchange({name: value for name, value in transaction.items() if name not in names}, transaction)
    if version < 3:  # which has no amount of a transaction itself
        amount, is_only = left.pop("amount", None), len(entry["transactions"]) == 1
        is_said = any(left.get(name) == amount for name in EXCHANGED) or (is_only and amount == entry.get("amount"))
        if amount is not None and not is_said:
            left.setdefault("transaction_amount", amount)
        if left.get("credit_debit_indicator") == entry.get("credit_debit_indicator"):
            left.pop("credit_debit_indicator", None)
    if "remittance_structured" not in transaction and (structured := _structured(transaction)):
        left["remittance_structured"] = structured
    if "return" not in transaction and "return_reason_code" in transaction:
        left["return"] = {"reason_code": transaction["return_reason_code"]}
    return left


def _structured(transaction: Mapping[str, Any]) -> list[Into]:
    found: Into = {}
    if "creditor_reference" in transaction:
        reference = transaction["creditor_reference"]
        kind = transaction.get("creditor_reference_type") or ("SCOR" if str(reference).startswith("RF") else None)
        found = {"creditor_reference": reference, **({"reference_type_code": kind} if kind else {})}
    if documents := transaction.get("referred_document_ids"):
        found["documents"] = [{"id": each} for each in documents]
    return [found] if found else []


def _with_exchange(left: Into, document: Mapping[str, Any]) -> Into:
    """An exchange is written with the first amount that there is."""
    exchange = left.pop("exchange", None)
    name = next((each for each in EXCHANGED if each in left), None)
    if exchange is None and "exchange_rate" in document and name is not None:
        money = left[name] if isinstance(left[name], Mapping) else {}
        exchange = {"source_currency": money.get("currency"), "rate": document["exchange_rate"]}
    if exchange is not None:
        left[f"{name}_exchange" if name else "exchange"] = exchange
    return left
