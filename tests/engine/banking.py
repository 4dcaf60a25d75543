"""What tests of bank statements share: banks that bring files, and statements as MT940, MT942 and camt.053."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

from world import HUB, World

from hub.message import Accepted, Arrival
from hub.project import reference_files
from hub.store import findings

IBAN = "DE02120300000000202051"
SYSTEMS = b"""
bank: {connector: webhook, format: mt940, verify: {method: none, unsigned: true}}
post: {connector: webhook, format: mt940, verify: {method: none, unsigned: true}}
iso: {connector: webhook, format: camt053, verify: {method: none, unsigned: true}}
day: {connector: webhook, format: mt942, verify: {method: none, unsigned: true}}
books: {connector: http, base_url: "http://127.0.0.1:1/", idempotency: {mode: native}}
"""
ROUTES = b"".join(
    b"- {route: %s, from: {system: %s}, map: statement, to: [{system: books}]}\n" % (name, name)
    for name in (b"bank", b"post", b"iso", b"day")
)
MAPPING = "mappings/bank/statement.yaml"


class Bank(World):
    """A world whose documents are bank statements."""

    def __init__(self, folder: Path, **more: Any) -> None:
        shipped = reference_files()
        files = {path: raw for path, raw in shipped.items() if path.startswith("schemas/")}
        files |= {MAPPING: shipped[MAPPING], "config/hub.yaml": HUB, "config/systems.yaml": SYSTEMS,
                  "routes/statements.yaml": ROUTES}  # fmt: skip
        super().__init__(folder, files, **more)

    def bring(self, *files: bytes, source: str = "bank") -> list[Accepted]:
        """Files, each of a moment of its own, and everything they cause."""
        accepted = []
        for raw in files:
            self.clock.at += 1
            arrival = Arrival(self.clock.new_id(), source, "", raw, self.clock.epoch())
            accepted += self.engine.accept([arrival])
            self.run()
        return accepted

    @property
    def booked(self) -> list[str]:
        """The statements that the books were sent, with their pages."""
        return [f"{body['statement_id']}" for body in self.target("books").bodies]

    def told(self) -> list[tuple[str, str, str]]:
        """(state, event, code) of every message, in order."""
        return self.rows("SELECT state, event, coalesce(failure ->> 'code', '') FROM messages ORDER BY seq, position")

    def ids(self) -> list[str]:
        """The ids of all messages, in order."""
        return [str(id) for (id,) in self.rows("SELECT message_id FROM messages ORDER BY seq, position")]

    def findings(self) -> list[str]:
        """The codes of those that are open, the oldest first."""
        return [one.code for one in findings.open_now(self.store.reader(), 100)]

    def details(self) -> list[str]:
        return [one.detail for one in findings.open_now(self.store.reader(), 100)]


def mt940(
    number: str, day: str, opening: str, *entries: str, account: str = IBAN, reference: str = "STARTUMS",
    pages: str = "F", currency: str = "EUR", text: str = "",
) -> bytes:  # fmt: skip
    """A statement; ``number`` is what stands in :28C:, '' for none, entries are signed amounts. ``pages`` tells what
    its balances are: first and final (F), FM, MM or MF."""
    begins, ends = ("F", "F") if pages == "F" else pages
    short = day[2:].replace("-", "")
    closing = Decimal(opening) + sum(map(Decimal, entries))
    lines = [f":20:{reference}", f":25:{account}", *([f":28C:{number}"] if number else []),
             f":60{begins}:{_balance(opening, short, currency)}"]  # fmt: skip
    for at, entry in enumerate(entries, 1):
        sign = "D" if entry.startswith("-") else "C"
        lines += [f":61:{short}{short[2:]}{sign}{_comma(entry.lstrip('-'))}NTRFNONREF//{short}{at}",
                  f":86:Invoice {at}{text}"]  # fmt: skip
    lines += [f":62{ends}:{_balance(str(closing), short, currency)}", "-"]
    return "".join(line + "\r\n" for line in lines).encode()


def mt942(number: str, day: str, time: str, *entries: str) -> bytes:
    """A report within the day."""
    short = day[2:].replace("-", "")
    lines = [":20:DAY", f":25:{IBAN}", f":28C:{number}", ":34F:EUR0,", f":13D:{short}{time}+0100"]
    for at, entry in enumerate(entries, 1):
        lines.append(f":61:{short}{short[2:]}C{_comma(entry)}NTRFNONREF//D{at}")
    return "".join(line + "\r\n" for line in [*lines, "-"]).encode()


def _balance(amount: str, short: str, currency: str) -> str:
    return f"{'D' if amount.startswith('-') else 'C'}{short}{currency}{_comma(amount.lstrip('-'))}"


def _comma(amount: str) -> str:
    return f"{Decimal(amount):.2f}".replace(".", ",")


def camt(
    id: str, day: str, opening: str, *entries: str, number: int | None = None, made: str = "", copy: bool = False,
    notifies: bool = False,
) -> bytes:  # fmt: skip
    """A statement in ISO 20022, or a notification of its entries."""
    closing = Decimal(opening) + sum(map(Decimal, entries))
    made = made or f"{day}T18:00:00+01:00"
    lines = "".join(
        f'<Ntry><Amt Ccy="EUR">{entry.lstrip("-")}</Amt><CdtDbtInd>{"DBIT" if entry.startswith("-") else "CRDT"}'
        f"</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt><AcctSvcrRef>{id}-{at}</AcctSvcrRef>"
        "</Ntry>"
        for at, entry in enumerate(entries, 1)
    )
    balances = "".join(
        f'<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">{abs(amount)}</Amt><CdtDbtInd>'
        f"{'DBIT' if amount < 0 else 'CRDT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        for kind, amount in (("OPBD", Decimal(opening)), ("CLBD", closing))
    )
    name, root, tag = "camt.053", "BkToCstmrStmt", "Stmt"
    if notifies:
        name, root, tag, balances = "camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", ""
    return (
        f'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:{name}.001.08"><{root}>'
        f"<GrpHdr><MsgId>M-{made}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr><{tag}><Id>{id}</Id>"
        + (f"<ElctrncSeqNb>{number}</ElctrncSeqNb>" if number is not None else "")
        + f"<CreDtTm>{made}</CreDtTm>{'<CpyDplctInd>DUPL</CpyDplctInd>' if copy else ''}"
        f"<Acct><Id><IBAN>{IBAN}</IBAN></Id><Ccy>EUR</Ccy></Acct>{balances}{lines}</{tag}></{root}></Document>"
    ).encode()


THREE = mt940("3/1", "2026-03-03", "100", "10", "-5")  # closes with 105
FOUR = mt940("4/1", "2026-03-04", "105", "20")
FIVE = mt940("5/1", "2026-03-05", "125", "1")
