"""Bank statements as the store knows them again, whatever format, source and day they come from: the same one that
comes once more is not booked twice, and one that says something else goes before a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from hub.clock import iso
from hub.identifiers import is_iban
from hub.message import Message, Receipt, Stated
from hub.outcome import Failure
from hub.pipeline.transformed import Transformed
from hub.settings import Settings
from hub.store import findings, statements
from hub.store.database import Database
from hub.store.statements import Earlier, digest, shown, sums_of
from hub.systems import System

_TYPE = "bank_statement"
_LONGEST = 200  # of an id that is kept as it is
_LARGEST = (1 << 63) - 1  # number that stores hold
_SAID = ("report_type", "electronic_sequence_number", "account_currency_code", "opening_balance", "closing_balance",
         "period", "entries")  # fmt: skip
_OF_SUMS = ("amount", "credit_debit_indicator", "reversal_indicator", "status", "booking_date", "value_date")


def is_statement(type: str) -> bool:
    """Whether documents of this schema are bank statements."""
    folder, _, name = type.rpartition("/")
    return name == _TYPE and folder.partition("/")[0] == "canonical"


def stated(
    message: Message, place: int, document: Any, source: Any, receipt: Receipt, settings: Settings
) -> Stated:  # fmt: skip
    """What tells a canonical statement from others; ``source`` is the document that it was mapped from, which says its
    page and part where the mapping does not."""
    report_type, day = document["report_type"], _day(document)
    opening, closing, sums = _plain(document, "opening_balance"), _plain(document, "closing_balance"), _sums(document)
    return Stated(
        message_id=message.message_id, place=place, source=message.source, route=message.route, set_id=message.set_id,
        account=_account(document, message.source, settings.systems.get(message.source)),
        report_type=report_type, statement_id=_cut(document["statement_id"]), day=day,
        made_at=str(document.get("created_at", "")) if report_type == "intraday" else "",
        page=_page(document, source, sums), part=_number(document, source, "part") or 1,
        number=min(max(int(document.get("electronic_sequence_number") or 0), 0), _LARGEST),
        opening=opening, closing=closing,
        digest=digest([document.get(name) for name in _SAID]),
        sums=sums_of(day, opening, closing, sums), is_replayed=bool(receipt.replay_of),
    )  # fmt: skip


def _account(document: Any, source: str, system: System | None) -> str:
    """Its number, with the bank, else the source, where it is no IBAN and others may have the same; the source too
    where its statements are its own; its currency."""
    account = document["account"]
    number = "".join(str(account["account_id"]).split()).upper()
    bank = "" if is_iban(number) else f" {account.get('bic') or source}"
    own = f" {source}" if system is not None and system.statements == "own" else ""
    return f"{_cut(number)}{bank}{own} {document['account_currency_code']}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else digest(text)


def _day(document: Any) -> str:
    """The last day that it tells of; '' where it says none."""
    booked = max((str(entry["booking_date"]) for entry in document.get("entries", ())), default="")
    period = document.get("period") or {}
    return str(period.get("end_date") or booked or str(document.get("created_at", ""))[:10])


def _page(document: Any, source: Any, sums: Any) -> int:
    """Which page of a statement it is; 1 where it is all of it. Of one that goes on from another (60M, INTM) and says
    no number, what it is told by stands for it: its opening balance, or its entries where it closes with the same.
    These are of the whole page, also where it comes in parts."""
    number, balances = _number(document, source, "page"), _balances(source)
    opening, closing = _first_of(balances, "OPBD", "PRCD", "ITBD"), _first_of(balances[::-1], "CLBD", "ITBD")
    is_between = opening.get("sub_type_code") == "INTM"
    if document["report_type"] != "statement" or is_between or opening.get("type_code") == "ITBD":
        number = number or _number({}, source, "message_page")
    if not is_between or number > 1:
        return number or 1
    opens, closes = _plain(opening, "amount"), _plain(closing, "amount")
    return statements.UNNUMBERED + int(digest(sums if opens == closes else opens)[:8], 16)


def _balances(source: Any) -> list[Mapping[str, Any]]:
    """The balances as formats of banks read them, which tell their kinds."""
    balances = source.get("balances") if isinstance(source, Mapping) else None
    return [each for each in balances if isinstance(each, Mapping)] if isinstance(balances, Sequence) else []


def _first_of(balances: Sequence[Mapping[str, Any]], *kinds: str) -> Mapping[str, Any]:
    """The first of the first of these kinds that there is; {} where there is none."""
    return next((each for kind in kinds for each in balances if each.get("type_code") == kind), {})


def _number(document: Any, source: Any, name: str) -> int:
    """The number of a page, or part, of a statement; 0 where it says none."""
    own = (document.get("extensions") or {}).get("bank")
    for place in (own, source):
        where = place.get(name) if isinstance(place, Mapping) else None
        number = where.get("number") if isinstance(where, Mapping) else None
        if isinstance(number, int | Decimal):
            return min(max(int(number), 1), statements.UNNUMBERED)
    return 0


def _plain(document: Any, name: str) -> str:
    """An amount in the one form that the same ones have; '' where there is none."""
    money = document.get(name)
    return "" if money is None else _amount(money)


def _amount(money: Any) -> str:
    text = format(Decimal(str(money["amount"])), "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _sums(document: Any) -> list[Any]:
    return [
        [_amount(entry["amount"]) if name == "amount" else entry.get(name) for name in _OF_SUMS]
        for entry in document.get("entries", ())
    ]


# -- what came before ----------------------------------------------------------------------------------------------


def without_known_statements(db: Database, parts: Sequence[Transformed], now: float) -> list[Transformed]:
    """The parts with a message that goes no further for each statement that came before, and a dead letter for each
    that came before with other content."""
    alive = {message.message_id for part in parts for message in part.messages if message.state != "dead"}
    came = [each for part in parts for each in part.stated if each.message_id in alive]
    earlier = statements.remember(db, came, now)
    for each in came:
        if (before := earlier.get(each.message_id)) is not None and before.is_same:
            findings.note(db, each.message_id, findings.REPEAT, each.source, _repeated(before), now)
    return [_ended(part, earlier) for part in parts] if earlier else list(parts)


def _ended(part: Transformed, earlier: Mapping[str, Earlier]) -> Transformed:
    about = {each.message_id: each for each in part.stated if each.message_id in earlier}
    return replace(
        part.ended(about),
        messages=[
            _told(message, about[message.message_id], earlier[message.message_id])
            if message.message_id in about else message
            for message in part.messages
        ],
    )  # fmt: skip


def _told(message: Message, each: Stated, before: Earlier) -> Message:
    if before.is_same:
        return replace(message, state="filtered", event="repeat", keys=())
    failure = _changed(message, each, before).printed(message.route)
    return replace(message, state="dead", failure=failure.as_dict(), fingerprint=failure.fingerprint)


def _repeated(before: Earlier) -> str:
    row = before.row
    return (
        f"statement {row.statement_id} of account {shown(row.account)} came before with the same content: message "
        f"{row.message_id} of '{row.source}', {iso(row.seen_at)}"
    )


def _changed(message: Message, each: Stated, before: Earlier) -> Failure:
    row = before.row
    detail = (
        f"statement {row.statement_id} of account {shown(row.account)} came before with other content: message "
        f"{row.message_id} of '{row.source}', {iso(row.seen_at)}; this is message {message.message_id}: "
        f"{_difference(each, before)}"
    )
    quoted = (each.opening, row.opening, each.closing, row.closing)
    hint = (
        "ask the bank which of them holds; to take this one in, in the place of the other, replay it from the start, "
        "else `o2c resolve` it"
    )
    if each.report_type == "statement" and each.day == row.day and each.opening != row.opening:
        hint = f"if one between the two has yet to come, replay this one from the start once it has; else {hint}"
    return Failure("duplicate", "statement_changed", detail, step="receive", hint=hint, quoted=quoted)


def _difference(each: Stated, before: Earlier) -> str:
    row = before.row
    for what, mine, other in (
        ("is of", each.day or "no day", row.day or "no day"), ("opens with", each.opening, row.opening),
        ("closes with", each.closing, row.closing), ("has the number", each.number, row.number),
    ):  # fmt: skip
        if mine != other:
            return f"it {what} {mine or 'nothing'}, the other {what} {other or 'nothing'}"
    return "its balances are the same, its entries are not"
