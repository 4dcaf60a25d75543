"""Bank statements as documents, whatever format they came in, and the sums that must hold in them.

A statement document has the names of the canonical ``bank_statement`` and, beyond them, what statements carry
besides. Fields that a statement does not have are absent, never empty. Money is ``{amount: Decimal, currency}``,
positive everywhere but in balances, which are signed; days are text ``2026-03-09``, instants text as the bank wrote
them: ``2026-03-09T18:00:00+01:00``, without an offset where the bank gave none.

statement
    report_type                 statement | intraday | notification
    statement_id                the bank's number of it; the same in every part of one statement
    format                      what it was read from: camt.053.001.08, MT940, MT942, CODA, BAI2
    message_id, created_at, electronic_sequence_number, legal_sequence_number (integers)
    copy_duplicate_code         DUPL | COPY | CODU
    page, message_page          {number, is_last}: where the bank itself gives a statement, or its message, out in pages
    part                        {number, is_last, first_entry}: where the hub gives a long statement out in parts, each
                                with the balances it begins and ends with; absent where it is whole
    period                      {start_date, end_date}; start_at, end_at: the instants, where it says them
    account                     {account_id, account_name, type_code, bic, servicer: Agent, owner: Party}
    account_currency_code
    opening_balance, closing_balance    signed money: booked
    balances                    [{type_code OPBD | CLBD | PRCD | ITBD | CLAV | FWAV | ..., sub_type_code, amount: signed
                                money, date, availability [{days | date, amount, credit_debit_indicator}]}]
    summary                     {entries | credits | debits: {count: integer, sum: Decimal}, net: signed Decimal}
    entries                     [entry], absent on a day without movement
    additional_information      text
    findings                    [{severity, code, message, position, expected, seen}] that it is read with

entry
    entry_ref                   the bank's reference; entry_reference: a second one (NtryRef), where there are both
    number                      of the entry in the statement, from 1, across its parts
    amount, credit_debit_indicator, reversal_indicator, status BOOK | PDNG | INFO | FUTR
    booking_date, value_date    booked_at: the instant, where it says one
    bank_transaction_code       PMNT/RCDT/ESCT
    proprietary_code            {code, issuer}: the bank's own, such as NTRF+166
    batch_id, number_of_transactions, batches [{message_id, batch_id, number_of_transactions, total_amount,
                                credit_debit_indicator}]
    charges_amount              all together; charges [{amount, credit_debit_indicator, is_included, type_code, rate}]
    instructed_amount, exchange_rate, transaction_amount, exchange    as of a transaction
    availability                as of a balance
    details_message             {format, message_id}: where the details are in a message of their own
    card                        Card
    additional_information      text
    transactions                [transaction]

transaction
    transaction_ref, amount, credit_debit_indicator
    end_to_end_id, transaction_id, instruction_id, message_id, batch_id, mandate_id, cheque_number, clearing_ref, uetr,
    account_owner_ref, other_refs [{type_code, ref}]        references NOTPROVIDED are left out
    debtor_name, debtor_account, debtor_bic, debtor: Party; creditor_... and creditor alike
    ultimate_debtor, ultimate_creditor: Party
    remittance_unstructured     [text]
    creditor_reference          the first structured one; creditor_reference_type: SCOR, QRR, ISR, KID, ...
    referred_document_ids       [text]
    remittance_structured       [{creditor_reference, reference_type_code, reference_issuer, documents [{id, type_code,
                                date}], due_amount, remitted_amount, credit_note_amount, discount_amount,
                                amounts [{type_code, amount}] from version 12 on,
                                additional_information [text]}]
    debtor_agent, creditor_agent, intermediary_agent_1 to _3: Agent, without what the BIC says
    initiating_party: Party; accepted_at: instant; interbank_settlement_date; availability, as of a balance
    instructed_amount, transaction_amount, counter_value_amount: money
    exchange_rate               Decimal; exchange {source_currency, target_currency, unit_currency, rate, rate_base (of
                                how many units the rate is), contract_id, quoted_at}
    charges_amount, charges     as of an entry
    return_reason_code          return {reason_code, bank_transaction_code, originator_name, additional_information}
    bank_transaction_code, proprietary_code, purpose_code, additional_information
    card                        Card

Card    {last_digits, brand, card_information, terminal_id, terminal_name; of a payment service_code, category_code,
        reconciliation_id, sale_ref, sequence_number, paid_at, payment_ref, representment_reason_code, or of several
        aggregated {service_code, category_code, reconciliation_id, first_transaction, last_transaction}}
Party   {name, id, scheme_code, issuer, bic, lei, country_of_residence, address: Address}
Agent   {bic, name, clearing_id, clearing_system_code, lei, id, address: Address}
Address {street_name, building_number, building_name, floor, room, post_box, postal_zone, city_name,
        city_subdivision_name, district, country_subentity, country_code, department, sub_department, lines [text]}

Pure functions stand here: ``check`` finds what does not add up in a whole statement, ``Sums`` does it entry by entry,
``parted`` cuts a statement, ``Sequence`` finds what is missing or twice among those of one file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from hub.errors import DecodeError, without_values

ZERO = Decimal(0)
MOST_FINDINGS = 100


class Finding(msgspec.Struct, frozen=True):
    """One fault of a statement; ``path`` is where in the raw document or in ours, as the format tells places."""

    code: str
    message: str
    position: str = ""
    severity: str = "error"
    seen: str = ""
    expected: str = ""
    path: str = ""

    @property
    def full_code(self) -> str:
        return f"statement_{self.code}"

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    def as_dict(self) -> dict[str, str]:
        """What a document tells of it; no empty texts."""
        names = ("severity", "code", "message", "position", "path", "seen", "expected")
        return {name: text for name in names if (text := getattr(self, name))}


class Findings(list[Finding]):
    """Findings up to a bound, errors and warnings apart: none of a kind hides the others. ``more`` are those beyond."""

    def __init__(self) -> None:
        super().__init__()
        self._count = {"error": 0, "warning": 0}
        self.more = 0

    def has_room(self, severity: str) -> bool:
        """Whether one more is kept."""
        return self._count[severity] < MOST_FINDINGS

    def add(self, finding: Finding) -> None:
        """Keep it, or count it."""
        if self.has_room(finding.severity):
            self._count[finding.severity] += 1
            self.append(finding)
        else:
            self.more += 1

    def placed(self, first: int, position: str, path: str) -> None:
        """Say where the thing is that those from ``first`` on are of."""
        self[first:] = [msgspec.structs.replace(each, position=position, path=path) for each in self[first:]]


class StatementError(DecodeError):
    """A statement that is not taken in; ``faults`` names every fault, the first error is the summary: where it is
    strict, every fault is one."""

    def __init__(self, faults: Several[Finding], is_strict: bool = False) -> None:
        self.faults = [msgspec.structs.replace(each, severity="error") if is_strict else each for each in faults]
        errors = [fault for fault in self.faults if fault.is_error]
        first = errors[0] if errors else self.faults[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            first.message + more, code=first.full_code, position=first.position, value_excerpt=first.seen,
            expected=first.expected, field_path=first.path, cause=without_values(first.message, first.seen),
        )  # fmt: skip


def signed(entry: Mapping[str, Any]) -> Decimal:
    """What an entry does to the balance: a debit is negative, also the reversal of a credit."""
    amount: Decimal = entry["amount"]["amount"]
    return amount if entry["credit_debit_indicator"] == "CRDT" else -amount


@dataclass(slots=True)
class Total:
    """A number of entries and what they add up to, without signs and with them."""

    count: int = 0
    sum: Decimal = ZERO
    net: Decimal = ZERO

    def add(self, amount: Decimal, is_credit: bool) -> None:
        self.count += 1
        self.sum += amount
        self.net += amount if is_credit else -amount


@dataclass(slots=True)
class Sums:
    """The sums of a statement, entry by entry: what was booked, and all that stands in it. ``findings`` are the faults
    of entries in themselves: a currency that is not the account's, transactions that do not make up their entry."""

    currency: str = ""
    booked: dict[str, Total] = field(default_factory=lambda: {"CRDT": Total(), "DBIT": Total()})
    others: dict[str, Total] = field(default_factory=lambda: {"CRDT": Total(), "DBIT": Total()})
    findings: Findings = field(default_factory=Findings)
    currencies: set[str] = field(default_factory=set)
    reversals: Decimal = ZERO  # what those among the booked ones do to the balance

    def add(self, entry: Mapping[str, Any], position: str = "") -> None:
        """Count one entry in. ``position`` is where it stands, for what is wrong with it."""
        money, direction = entry["amount"], entry["credit_debit_indicator"]
        is_booked = entry["status"] == "BOOK"
        self.currencies.add(money["currency"])
        (self.booked if is_booked else self.others)[direction].add(money["amount"], direction == "CRDT")
        if is_booked and self.currency and money["currency"] != self.currency:
            self._tell(
                "currency", f"entry {name_of(entry)} is booked in {money['currency']} on an account in {self.currency}",
                position, money["currency"], self.currency,
            )  # fmt: skip
        if is_booked and entry.get("reversal_indicator"):
            self.reversals += signed(entry)
        if "transactions" in entry or "batches" in entry:
            for code, detail, seen, expected, severity in entry_faults(entry):
                self._tell(code, f"entry {name_of(entry)}: {detail}", position, seen, expected, severity)

    def count(self, currency: str, amount: Decimal, direction: str, is_booked: bool) -> bool:
        """Count an entry in of which nothing else has to be looked at; False, and it is not, where its currency is not
        the account's."""
        if is_booked and self.currency and currency != self.currency:
            return False
        self.currencies.add(currency)
        (self.booked if is_booked else self.others)[direction].add(amount, direction == "CRDT")
        return True

    @property
    def net(self) -> Decimal:
        """What the booked entries do to the balance."""
        return self.booked["CRDT"].net + self.booked["DBIT"].net

    def faults(self, statement: Mapping[str, Any], position: str = "") -> list[Finding]:
        """Every fault of the statement that these are the sums of, those of its entries first."""
        found = list(self.findings)
        opening, closing = statement.get("opening_balance"), statement.get("closing_balance")
        if opening and closing and statement["report_type"] == "statement":
            found += self._balance_faults(opening, closing, position)
        for name, stated in statement.get("summary", {}).items():
            found += self._summary_faults(name, stated, position, "page" in statement)
        return found

    def _balance_faults(self, opening: Any, closing: Any, position: str) -> Iterator[Finding]:
        wanted = opening["amount"] + self.net
        if closing["amount"] != wanted:
            count = self.booked["CRDT"].count + self.booked["DBIT"].count
            yield Finding(
                "balance",
                f"the balances do not add up: {opening['amount']} and {count} booked entries of {self.net} make "
                f"{wanted}, it closes with {closing['amount']} ({closing['amount'] - wanted:+} {closing['currency']})"
                + self._hint(closing["amount"] - wanted),
                position, seen=str(closing["amount"]), expected=str(wanted),
            )  # fmt: skip

    def _hint(self, difference: Decimal) -> str:
        """Some banks give reversals the direction of what they take back."""
        return "; they do if its reversals go the other way" if self.reversals == -difference / 2 != ZERO else ""

    def _summary_faults(self, name: str, stated: Any, position: str, is_paged: bool) -> Iterator[Finding]:
        """Some banks count what is booked, others all that they list; either will do. A page may tell the sums of the
        whole statement."""
        booked, every = (self._figures(name, is_booked) for is_booked in (True, False))
        figures = {"sum": stated} if name == "net" else stated
        for what, seen in figures.items():
            if seen not in (booked[what], every[what]):
                yield Finding(
                    "control_sum",
                    f"the {'net sum' if name == 'net' else f'{what} of its {name}'} does not hold: it says {seen}, "
                    f"and {booked[what]} {'is' if what == 'sum' else 'are'} booked"
                    + (f" ({every[what]} with what is not booked)" if every[what] != booked[what] else ""),
                    position, severity="warning" if is_paged else "error", seen=str(seen), expected=str(booked[what]),
                )  # fmt: skip

    def _figures(self, name: str, is_booked: bool) -> dict[str, Any]:
        wanted = {"credits": ("CRDT",), "debits": ("DBIT",)}.get(name, ("CRDT", "DBIT"))
        kinds = (self.booked,) if is_booked else (self.booked, self.others)
        totals = [kind[direction] for kind in kinds for direction in wanted]
        amount = sum(((t.net if name == "net" else t.sum) for t in totals), ZERO)
        return {"count": sum(t.count for t in totals), "sum": amount}

    def _tell(
        self, code: str, message: str, position: str, seen: str, expected: str, severity: str = "error"
    ) -> None:  # fmt: skip
        self.findings.add(Finding(code, message, position, severity, seen, expected))


def name_of(entry: Mapping[str, Any]) -> str:
    """An entry in a message: its number, and its reference where it has one."""
    return f"{entry.get('number', '')} ({entry['entry_ref']})" if "entry_ref" in entry else f"{entry.get('number', '')}"


def entry_faults(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """What does not add up within an entry: (code, detail, seen, expected, severity)."""
    parts = entry.get("transactions", ())
    if parts and (count := entry.get("number_of_transactions")) is not None and count != len(parts):
        # Banks give one of the details for all where there are no details of each.
        severity = "error" if len(parts) > 1 else "warning"
        detail = f"{count} transactions are announced, {len(parts)} are there"
        yield "batch_count", detail, str(len(parts)), str(count), severity
    yield from _batch_faults(entry)
    money, direction = entry["amount"], entry["credit_debit_indicator"]
    seen = ZERO if parts else money["amount"]
    for part in parts:
        amount = part.get("amount")
        if amount is None or amount["currency"] != money["currency"]:
            return
        seen += amount["amount"] if part.get("credit_debit_indicator", direction) == direction else -amount["amount"]
    if seen == -money["amount"] != ZERO:
        detail = f"its transactions make {seen}, the entry is {money['amount']}: they go the other way"
        yield "direction", detail, str(seen), str(money["amount"]), "warning"
    elif seen != money["amount"] and not _are_charges(entry, money["amount"] - seen):
        detail = f"its {len(parts)} transactions make {seen}, the entry is {money['amount']}"
        yield "entry_sum", detail, str(seen), str(money["amount"]), "error"


def _batch_faults(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    """A batch is its entry; several are it together, but for banks that say one again with each of its details."""
    money, batches = entry["amount"], entry.get("batches", ())
    totals = [each.get("total_amount", {}) for each in batches]
    if {each.get("currency") for each in totals} != {money["currency"]}:
        return
    seen = totals[0]["amount"]
    if len(batches) > 1:
        kinds = [each.get("credit_debit_indicator", entry["credit_debit_indicator"]) for each in batches]
        signs = [1 if kind == entry["credit_debit_indicator"] else -1 for kind in kinds]
        seen = sum((sign * each["amount"] for sign, each in zip(signs, totals, strict=True)), ZERO)
    if seen != money["amount"] and not _are_charges(entry, money["amount"] - seen):
        what, severity = ("batch is", "error") if len(batches) == 1 else (f"{len(batches)} batches make", "warning")
        yield "batch_sum", f"its {what} {seen}, the entry {money['amount']}", str(seen), str(money["amount"]), severity


def _are_charges(entry: Mapping[str, Any], difference: Decimal) -> bool:
    """Whether a difference is what the bank keeps for itself: some book net, others tell the charges apart."""
    currency = entry["amount"]["currency"]
    charged = [each["charges_amount"] for each in (entry, *entry.get("transactions", ())) if "charges_amount" in each]
    same = [money["amount"] for money in charged if money["currency"] == currency]
    return bool(same) and abs(difference) in (sum(same, ZERO), same[0], sum(same[1:], ZERO))


def check(statement: Mapping[str, Any], position: str = "") -> list[Finding]:
    """Every fault of a statement that is at hand as a whole."""
    sums = Sums(statement.get("account_currency_code", ""))
    for entry in statement.get("entries", ()):
        sums.add(entry, position)
    return sums.faults(statement, position)


def parted(statement: Mapping[str, Any], pages: Iterable[Several[Mapping[str, Any]]]) -> Iterator[dict[str, Any]]:
    """The statement in parts, one for each page of its entries: the balances run through them, so that each part adds
    up as the whole does. ``part`` stands only where there are several; the findings stand with the first."""
    opening, closing = statement.get("opening_balance"), statement.get("closing_balance")
    first = 1
    for number, (entries, is_last) in enumerate(_with_last(pages), 1):
        part = {name: value for name, value in statement.items() if name != "entries"}
        if entries:
            part["entries"] = list(entries)
        if number > 1 or not is_last:
            part["part"] = {"number": number, "is_last": is_last, "first_entry": first}
        if number > 1:
            part.pop("findings", None)
        if opening is not None and closing is not None:
            part["opening_balance"] = opening
            if not is_last:
                net = sum((signed(entry) for entry in entries if entry["status"] == "BOOK"), ZERO)
                opening = part["closing_balance"] = {**opening, "amount": opening["amount"] + net}
        first += len(entries)
        yield part


def _with_last(pages: Iterable[Several[Any]]) -> Iterator[tuple[Several[Any], bool]]:
    """Every page, and whether it is the last; one without entries where there is none."""
    before: Several[Any] | None = None
    for page in pages:
        if before is not None:
            yield before, False
        before = page
    yield before or (), True


@dataclass(slots=True)
class Sequence:
    """What was seen of each account in one file: a number that is missing or stands twice, a statement that comes
    again. Findings are warnings: a day without movement may have no statement. 1 follows any: it is a new year."""

    _last: dict[tuple[str, str], int] = field(default_factory=dict)
    _ids: set[tuple[str, str, str, int, Decimal | None, str]] = field(default_factory=set)

    def faults(self, statement: Mapping[str, Any], position: str = "") -> list[Finding]:
        """Take a statement in and tell what is wrong with its place among those before it."""
        found = []
        kind, account = statement["report_type"], statement.get("account", {}).get("account_id", "")
        page, id = statement.get("page", {}).get("number", 1), statement.get("statement_id", "")
        opening = statement.get("opening_balance", {}).get("amount")  # tells pages without numbers apart, the day days
        day = max((str(each.get("date", "")) for each in statement.get("balances", ())), default="")
        key = (kind, account, id, page, opening, day)
        if key in self._ids:
            detail = f"statement {id} of account {account} stands twice in this file"
            found.append(Finding("twice", detail, position, "warning"))
        self._ids.add(key)
        number = statement.get("electronic_sequence_number")
        if number is not None:
            last = self._last.get((kind, account))
            if last is not None and number not in (last, last + 1, 1):
                found.append(Finding(
                    "sequence", f"statement number {number} of account {account} follows {last}; expected {last + 1}",
                    position, "warning", str(number), str(last + 1),
                ))  # fmt: skip
            self._last[kind, account] = number
        return found
