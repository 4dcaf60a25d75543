"""Statements as MT940 and MT942 messages: bare fields, strict. Each entry is read again as it was written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from hub.formats._bank_told import Told
from hub.formats._bank_values import ValueFault, written_amount
from hub.formats._bank_writing import Document, balance_day, day, names_of, needed, only_known, refusal, whole
from hub.formats._mt_details_writing import details_lines
from hub.formats._mt_entries import completed, entry_of
from hub.formats._mt_envelope import MtField

# SWIFT's character set X.
_X = re.compile(r"[A-Za-z0-9/\-?:().,'+ ]*")
_PRINTABLE = re.compile(r"[^\x00-\x1f\x7f-\x9f]*")
_STATEMENT = names_of(
    "report_type statement_id format message_id message_created_at related_reference created_at page part period "
    "electronic_sequence_number legal_sequence_number copy_duplicate_code account account_currency_code "
    "opening_balance closing_balance balances summary floor_limits entries additional_information other_fields findings"
)
_ACCOUNT = names_of("account_id bic account_name type_code servicer owner")
_ENTRY = names_of(
    "number entry_ref amount credit_debit_indicator reversal_indicator status booking_date value_date "
    "bank_transaction_code proprietary_code number_of_transactions additional_information transactions"
)
_NOT_COMPARED = frozenset(("number", "bank_transaction_code", "number_of_transactions"))
_BALANCES = {"CLAV": "64", "FWAV": "65"}
_MARKS = {
    ("CRDT", False): "C", ("DBIT", False): "D", ("DBIT", True): "RC", ("CRDT", True): "RD",
}  # fmt: skip


def written(documents: Iterable[Any], options: Mapping[str, Any], is_interim: bool) -> bytes:
    """All statements, one message behind the other. Raises MappingError for what they cannot carry."""
    writer = MtWriter(is_interim, options.get("structure", "auto"), options.get("encoding", "auto"))
    end = "\n" if options.get("line_end") == "lf" else "\r\n"
    lines = [line for statement in whole(documents) for line in writer.lines(statement)]
    try:
        text = "".join(line + end for line in lines)
        return text.encode("ascii" if writer.encoding == "auto" else writer.encoding)
    except UnicodeEncodeError as error:
        seen = f"the character U+{ord(error.object[error.start]):04X}, which {writer.encoding} does not have"
        raise refusal("", seen, f"characters of {writer.encoding}", "encoding: utf-8") from None


class MtWriter:
    """Writes messages of one kind."""

    def __init__(self, is_interim: bool, structure: str, encoding: str) -> None:
        self.encoding = encoding
        self._is_interim, self._structure = is_interim, structure
        self._name = "MT942" if is_interim else "MT940"
        self._signs, self._of = (_X, "SWIFT's character set X") if encoding == "auto" else (_PRINTABLE, "one line")

    def lines(self, statement: Document) -> Iterator[str]:
        """The lines of one message, the ``-`` behind it the last."""
        only_known("", statement, _STATEMENT, self._name)
        kinds = ("intraday", "notification") if self._is_interim else ("statement",)
        if statement["report_type"] not in kinds:
            raise refusal("report_type", f"{statement['report_type']} in an {self._name}", " or ".join(kinds))
        currency = str(needed("", statement, "account_currency_code"))
        yield self._text(":20:", "message_id", statement.get("message_id") or statement.get("statement_id", ""), 16)
        if "related_reference" in statement:
            yield self._text(":21:", "related_reference", statement["related_reference"], 16)
        yield from self._account(needed("", statement, "account"))
        yield f":28C:{self._number(statement)}"
        yield from self._others(statement)
        yield from self._begin(statement, currency)
        for at, entry in enumerate(statement.get("entries", ())):
            yield from self._entry(f"entries[{at}]", entry, currency)
        yield from self._end(statement, currency)
        for line in str(statement.get("additional_information", "")).splitlines()[:1]:
            yield self._text(":86:", "additional_information", line, 65)
        for line in str(statement.get("additional_information", "")).splitlines()[1:]:
            yield self._text("", "additional_information", line, 65)
        yield "-"

    def _begin(self, statement: Document, currency: str) -> Iterator[str]:
        if not self._is_interim:
            is_first = statement.get("page", {}).get("number", 1) in (0, 1) and not _is_middle(statement, "OPBD")
            yield self._balance("60F" if is_first else "60M", statement, "opening_balance", "OPBD")
            return
        for at, limit in enumerate(statement.get("floor_limits", ()) or ({"amount": _zero(currency)},)):
            mark = {"CRDT": "C", "DBIT": "D"}.get(limit.get("credit_debit_indicator", ""), "")
            money = self._money(f"floor_limits[{at}].amount", limit["amount"])
            yield f":34F:{limit['amount']['currency']}{mark}{money}"
        if "created_at" in statement:
            yield _made_at(str(statement["created_at"]))

    def _end(self, statement: Document, currency: str) -> Iterator[str]:
        if self._is_interim:
            for name, field in (("debits", "90D"), ("credits", "90C")):
                if figures := statement.get("summary", {}).get(name):
                    money = self._money(f"summary.{name}.sum", {"amount": figures["sum"], "currency": currency})
                    yield f":{field}:{figures['count']}{currency}{money}"
            return
        is_last = statement.get("page", {}).get("is_last", True)
        yield self._balance("62F" if is_last else "62M", statement, "closing_balance", "CLBD")
        for at, balance in enumerate(statement.get("balances", ())):
            if tag := _BALANCES.get(balance.get("type_code", "")):
                path = f"balances[{at}]"
                yield f":{tag}:{self._signed(path, balance['amount'], needed(path, balance, 'date'))}"

    def _balance(self, tag: str, statement: Document, name: str, kind: str) -> str:
        money = needed("", statement, name)
        dated = [each for each in statement.get("balances", ()) if each.get("type_code") == kind]
        if dated and "date" not in dated[0]:
            return f":{tag}:{self._signed(name, money, '2000-00-00')}"
        return f":{tag}:{self._signed(name, money, balance_day(statement, kind))}"

    def _signed(self, path: str, money: Document, written_day: str) -> str:
        mark = "D" if money["amount"] < 0 else "C"
        return f"{mark}{day(path, written_day)}{money['currency']}{self._money(path, money)}"

    def _money(self, path: str, money: Document) -> str:
        try:
            amount, currency = money["amount"], money["currency"]
            text = written_amount(amount, currency)
        except ValueFault as fault:
            raise refusal(path, f"the amount {money['amount']}", str(fault)) from None
        except (KeyError, TypeError, AttributeError, ArithmeticError, ValueError):
            raise refusal(path, "not money", "{amount: decimal, currency}") from None
        if len(text) > 15 or not re.fullmatch("[A-Z]{3}", str(currency)):
            raise refusal(path, f"the amount {amount} {currency}", "at most 15 characters, and a currency")
        return text

    def _text(self, tag: str, path: str, value: Any, longest: int) -> str:
        text = str(value)
        if not text or len(text) > longest or not self._signs.fullmatch(text):
            raise refusal(
                path, f"cannot be written: '{text[:40]}'", f"1 to {longest} characters of {self._of}",
                "" if self.encoding != "auto" else "encoding: utf-8, or other characters from the mapping",
            )  # fmt: skip
        return tag + text

    def _account(self, account: Document) -> Iterator[str]:
        only_known("account", account, _ACCOUNT, self._name)
        number = self._text("", "account.account_id", needed("account", account, "account_id"), 35)
        if "bic" in account:
            yield f":25P:{number}"
            yield self._text("", "account.bic", account["bic"], 11)
        else:
            yield f":25:{number}"

    def _number(self, statement: Document) -> str:
        number = statement.get("electronic_sequence_number")
        if number is None and statement.get("statement_id") != statement.get("message_id"):
            found = re.search(r"\d{1,5}$", str(statement.get("statement_id", "")))
            number = int(found.group()) if found else None
        if not isinstance(number, int) or not 0 <= number <= 99_999:
            raise refusal("electronic_sequence_number", "no number of the statement", "0 to 99999")
        page = statement.get("page", {}).get("number")
        return f"{number}" if page is None else f"{number}/{page}"

    def _others(self, statement: Document) -> Iterator[str]:
        for at, other in enumerate(statement.get("other_fields", ())):
            lines = str(other["text"]).split("\n")
            for line in lines:
                self._text("", f"other_fields[{at}].text", line or " ", 80)
            yield f":{other['tag']}:{lines[0]}"
            yield from lines[1:]

    def _entry(self, path: str, entry: Document, currency: str) -> list[str]:
        only_known(path, entry, _ENTRY, self._name)
        transactions = entry.get("transactions", ())
        if len(transactions) > 1:
            raise refusal(f"{path}.transactions", f"{len(transactions)} transactions of one entry", "one at most")
        transaction = transactions[0] if transactions else {}
        own = str(transaction.get("account_owner_ref", ""))
        lines = [self._line(path, entry, own), *self._supplement(path, transaction)]
        details = details_lines(path, entry, transaction, self._structure)
        self._compare(path, entry, lines, details, currency)
        return [*lines, *(f":86:{line}" if at == 0 else line for at, line in enumerate(details))]

    def _line(self, path: str, entry: Document, own: str) -> str:
        is_reversal = bool(entry.get("reversal_indicator", False))
        mark = _MARKS.get((entry["credit_debit_indicator"], is_reversal), "")
        status = entry.get("status")
        if status == "PDNG" and self._is_interim and not is_reversal:
            mark = "E" + mark
        elif status != "BOOK":
            raise refusal(f"{path}.status", f"an entry that is {status}", "BOOK")
        booked = day(f"{path}.booking_date", needed(path, entry, "booking_date"))
        valued = day(f"{path}.value_date", entry.get("value_date") or entry["booking_date"])
        money = self._money(f"{path}.amount", needed(path, entry, "amount"))
        kind = entry.get("proprietary_code", {}).get("code", "").split("+")[0]
        kind = kind if re.fullmatch("[NSF][A-Z0-9]{3}", kind) else "NMSC"
        bank = entry.get("entry_ref", "")
        line = f":61:{valued}{booked[2:]}{mark}{money}{kind}{own if 0 < len(own) <= 16 else 'NONREF'}"
        return self._text("", path, line + (f"//{bank}" if bank else ""), 80)

    def _supplement(self, path: str, transaction: Document) -> list[str]:
        """The second line of field 61: amounts that the text there does not tell, then that text."""
        text = str(transaction.get("additional_information", ""))
        codes = ""
        for word, name in (("OCMT", "instructed_amount"), ("CHGS", "charges_amount")):
            if name in transaction and f"/{word}/" not in text:
                money = transaction[name]
                codes += f"/{word}/{money['currency']}{self._money(f'{path}.transactions[0].{name}', money)}"
        if "exchange_rate" in transaction and "/EXCH/" not in text:
            rate = f"{transaction['exchange_rate']:f}"
            codes += f"/EXCH/{rate.replace('.', ',')}{'' if '.' in rate else ','}"
        lines = [codes] if codes else []
        return [
            self._text("", f"{path}.transactions[0].additional_information", line, 65)
            for line in (*lines, *text.split("\n"))
            if line
        ]

    def _compare(self, path: str, entry: Document, lines: list[str], details: list[str], currency: str) -> None:
        """Refuses what would be read otherwise than it stands in the document."""
        for line in details:
            if line.strip():
                self._text("", f"{path}.transactions[0]", line, 65)
            if self.encoding == "auto" and line[0] in ":-":
                raise refusal(f"{path}.transactions[0]", f"a line would begin with '{line[0]}': {line[:40]}")
        told = Told()
        found = entry_of(MtField("61", 0, 1, [lines[0][4:], *lines[1:]]), currency, 0, told)
        if found is None or told.findings:
            raise refusal(path, f"cannot be written: {told.findings[0].message if told.findings else 'its line'}")
        again = completed(found, MtField("86", 0, 1, details) if details else None, currency)
        _same(path, entry, again)
        wanted = entry.get("transactions") or [{}]
        _same(f"{path}.transactions[0]", wanted[0], (again.get("transactions") or [{}])[0])


def _same(path: str, wanted: Document, found: Document) -> None:
    for name, value in wanted.items():
        if name in _NOT_COMPARED or name == "transactions" or found.get(name) == value:
            continue
        if name == "remittance_unstructured" and _joined(value) == _joined(found.get(name, ()))[: len(_joined(value))]:
            continue
        if name in ("proprietary_code", "creditor_reference_type", "value_date") and name not in found:
            continue
        raise refusal(f"{path}.{name}", f"cannot be written so that it is read again: {str(value)[:60]}")


def _joined(texts: Any) -> str:
    return " ".join(str(text).strip() for text in texts)


def _is_middle(statement: Document, kind: str) -> bool:
    return any(
        balance.get("type_code") == kind and balance.get("sub_type_code") == "INTM"
        for balance in statement.get("balances", ())
    )


def _zero(currency: str) -> dict[str, Any]:
    return {"amount": Decimal(0), "currency": currency}


def _made_at(instant: str) -> str:
    try:
        made = datetime.fromisoformat(instant)
    except ValueError:
        raise refusal("created_at", f"not an instant: {instant[:40]}", "2026-03-09T18:00:00+01:00") from None
    return f":13D:{made:%y%m%d%H%M%z}" if made.tzinfo else f":13:{made:%y%m%d%H%M}"
