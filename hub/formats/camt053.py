"""Bank statements of ISO 20022: camt.053, the reports within a day camt.052 and the notifications camt.054.

Versions 02 to 14 are read, told from the namespace, into one kind of document (its shape: _statements). A file may hold
statements of several accounts; a long one comes in parts of at most ``entries`` entries, each with the balances it
begins and ends with. A statement that does not add up is one bad record, before any of its entries is given out; what
breaks the schema and leaves no doubt is a finding. Limits: 16 MB for one entry with its details.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.errors import MappingError
from hub.formats import BadRecord, Option, Places, Record, only_record, option_faults
from hub.formats._camt_kinds import VERSIONS
from hub.formats._camt_reading import Held, read_statements
from hub.formats._camt_tables import MESSAGES
from hub.formats._camt_writing import write_message
from hub.formats._iso_places import places_below
from hub.formats._iso_values import kind_of, local
from hub.formats._statements import StatementError, parted
from hub.formats._statements_outline import OUTLINE
from hub.formats._xml import parse
from hub.outline import Outline

OPTIONS = (
    Option("entries", "integer", 1000, description="The most entries of a record; longer statements come in parts"),
    Option("strict", "boolean", False, description="Whether what breaks the schema is an error, not a finding"),
    Option(
        "reversals", "choice", "booked", ("booked", "reversed"),
        description="The direction of an entry with `RvslInd`: that in which it is booked, as ISO 20022 has it, or "
        "that of what it takes back, as some banks write it",
    ),
    Option(
        "version", "choice", choices=tuple(f"{version:02}" for version in VERSIONS),
        description="The version that is written; that of the document's `format`, else 08, where none is given",
    ),
)  # fmt: skip
_TAGS = frozenset(message.tag for message in MESSAGES.values())
_LISTS = {"entries": frozenset(("Ntry",)), "transactions": frozenset(("TxDtls",))}
CONTENT_TYPES = ("application/xml", "text/xml")


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """Every statement, or every part of it, in turn. Raises DecodeError where it is no such message or breaks off."""
    index = 0
    turns = options.get("reversals") == "reversed"
    for held in read_statements(chunks, max(options.get("entries", 1000), 1), turns):
        for record in _records(held, bool(options.get("strict")), index):
            yield record
            index += 1


def _records(held: Held, is_strict: bool, index: int) -> Iterator[Record | BadRecord]:
    findings = held.findings
    if any(finding.is_error or is_strict for finding in findings):
        yield BadRecord(StatementError(findings, is_strict), b"", held.position, index)
        return
    head = {**held.head, "findings": [each.as_dict() for each in findings]} if findings else held.head
    for number, part in enumerate(parted(head, held.pages)):
        position = f"{held.position}, part {number + 1}" if "part" in part else held.position
        yield Record(part, position, index + number, () if number else findings)


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The document of the one statement, whole. Raises DecodeError when there are more or none."""
    return only_record(decode([raw], {**options, "entries": len(raw)}))


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """One message that holds all statements, which are of one kind and ``message_id``. Raises MappingError with the
    path of what is missing, too long, or has no place in the version."""
    found = list(documents)
    for document in found:
        if not isinstance(document, Mapping):
            raise MappingError(f"expected a statement, got {kind_of(document)}", code="encode")
    version = options.get("version")
    return write_message(found, int(version) if version else None)


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """A message with one statement."""
    return encode([document], options)


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where a statement, its entries and their transactions stand."""
    ordinal, first = -1, 0
    for record in decode([raw], options):
        part = record.value.get("part", {}) if isinstance(record, Record) else {}
        ordinal += part.get("number", 1) == 1
        first = part.get("first_entry", 1) - 1
        if record.index == index:
            break
    statements = [each for each in parse(raw).iter() if local(each) in _TAGS]
    return places_below(raw, statements[ordinal], _LISTS, first)


def outline_of(given: Mapping[str, Any]) -> Outline:
    """What a statement looks like, whatever the options."""
    return OUTLINE


def faults_of(given: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with the options."""
    faults = option_faults(OPTIONS, given)
    entries = given.get("entries", 1)
    if "entries" not in faults and entries < 1:
        faults["entries"] = f"option 'entries' is 1 or more; got {entries}"
    return faults


_XML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt>'
    "<GrpHdr><MsgId>M-60</MsgId><CreDtTm>2026-03-09T18:00:00+01:00</CreDtTm></GrpHdr>"
    "<Stmt><Id>2026-060</Id><ElctrncSeqNb>60</ElctrncSeqNb><CreDtTm>2026-03-09T18:00:00+01:00</CreDtTm>"
    "<Acct><Id><IBAN>DE02120300000000202051</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    '<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">50.00</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
    "<Dt><Dt>2026-03-09</Dt></Dt></Bal>"
    '<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">219.33</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    "<Dt><Dt>2026-03-09</Dt></Dt></Bal>"
    '<Ntry><Amt Ccy="EUR">269.33</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>'
    "<BookgDt><Dt>2026-03-09</Dt></BookgDt><AcctSvcrRef>E1</AcctSvcrRef>"
    "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"
    "<NtryDtls><TxDtls><Refs><EndToEndId>E2E-1</EndToEndId></Refs>"
    '<Amt Ccy="EUR">269.33</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
    "<RltdPties><Dbtr><Pty><Nm>Bau Muster GmbH</Nm></Pty></Dbtr></RltdPties>"
    "<RmtInf><Ustrd>Invoice 2026-1001</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    "</Stmt></BkToCstmrStmt></Document>"
)


def _money(amount: str) -> dict[str, Any]:
    return {"amount": Decimal(amount), "currency": "EUR"}


EXAMPLE = (
    _XML.encode(),
    {
        "report_type": "statement",
        "format": "camt.053.001.08",
        "message_id": "M-60",
        "statement_id": "2026-060",
        "electronic_sequence_number": 60,
        "created_at": "2026-03-09T18:00:00+01:00",
        "account": {"account_id": "DE02120300000000202051"},
        "account_currency_code": "EUR",
        "opening_balance": _money("-50.00"),
        "closing_balance": _money("219.33"),
        "balances": [
            {"type_code": "OPBD", "amount": _money("-50.00"), "date": "2026-03-09"},
            {"type_code": "CLBD", "amount": _money("219.33"), "date": "2026-03-09"},
        ],
        "entries": [
            {
                "number": 1,
                "entry_ref": "E1",
                "amount": _money("269.33"),
                "credit_debit_indicator": "CRDT",
                "status": "BOOK",
                "booking_date": "2026-03-09",
                "bank_transaction_code": "PMNT/RCDT/ESCT",
                "transactions": [
                    {
                        "end_to_end_id": "E2E-1",
                        "amount": _money("269.33"),
                        "credit_debit_indicator": "CRDT",
                        "debtor_name": "Bau Muster GmbH",
                        "remittance_unstructured": ["Invoice 2026-1001"],
                    }
                ],
            }
        ],
    },
)
