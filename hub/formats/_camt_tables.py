"""camt.052, camt.053 and camt.054 as tables: every version from 02 to 14, read by one and written by it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from hub.formats import _camt_cards
from hub.formats._camt_kinds import (
    DIRECTION,
    Balance,
    Charges,
    Discount,
    First,
    Period,
    Status,
    TransactionCode,
)
from hub.formats._iso_kinds import Choice, Day, Enum, Instant, Integer, Money, Number, Truth, Words
from hub.formats._iso_parties import AGENT, PARTY, AccountNumber, NamedAgent, NamedParty, Party
from hub.formats._iso_tables import NEVER, Flat, Group, Item, Table, Text, Within, table
from hub.formats._iso_values import (
    Writer,
    listed,
)

_REFERENCE = Text(35)

_PARTY_SINCE = 7

_EXCHANGE = table(
    Item("SrcCcy", "source_currency", Text(3), required=True),
    Item("TrgtCcy", "target_currency", Text(3)),
    Item("UnitCcy", "unit_currency", Text(3)),
    Item("XchgRate", "rate", Number(11, 10), required=True),
    Item("CtrctId", "contract_id", Text(35)),
    Item("QtnDt", "quoted_at", Instant()),
    Item("XchgRateBase", "rate_base", Number(), since=11),
)


def _amount(name: str) -> Table:
    """An amount and how it was exchanged. ``exchange`` is that of the first amount which says it; it is written with
    the first there is, by the field that ``prepared`` gives it."""
    return table(
        Item("Amt", name, Money()),
        Item("CcyXchg", f"{name}_exchange", Group(_EXCHANGE)),
        Item("CcyXchg", "exchange", First(_EXCHANGE), since=NEVER),
    )


EXCHANGED = ("instructed_amount", "transaction_amount", "counter_value_amount")

_AMOUNTS = table(
    *(
        Item(tag, "", Flat(_amount(name)))
        for tag, name in zip(("InstdAmt", "TxAmt", "CntrValAmt"), EXCHANGED, strict=True)
    ),
    skipped="AnncdPstngAmt PrtryAmt",
)

_CODES = table(
    Item("Domn", "bank_transaction_code", TransactionCode()),
    Item(
        "Prtry",
        "proprietary_code",
        Group(table(Item("Cd", "code", Text(35), required=True), Item("Issr", "issuer", Text(35)))),
    ),
)

_DOCUMENT = table(
    Item("Tp", "type_code", Within(("CdOrPrtry",), Choice())),
    Item("Nb", "id", Text(35)),
    Item("RltdDt", "date", Day(), until=11),
    Item("RltdDt", "date", Day(), since=NEVER),
    skipped="LineDtls",
)

_KINDS_OF_AMOUNT = table(Item("Tp", "type_code", Choice()), Item("Amt", "amount", Money(), required=True))

_DOCUMENT_AMOUNTS = table(
    Item("DuePyblAmt", "due_amount", Money(), until=11),
    Item("DscntApldAmt", "discount_amount", Money(), until=2),
    Item("DscntApldAmt", "discount_amount", Discount(("Amt",), Money()), since=3, until=11, repeats=True),
    Item("CdtNoteAmt", "credit_note_amount", Money(), until=11),
    Item("RmtdAmt", "remitted_amount", Money(), until=11),
    Item("RmtAmtAndTp", "amounts", Group(_KINDS_OF_AMOUNT, is_list=True), since=12),
    skipped="TaxAmt AdjstmntAmtAndRsn",
)

_REFERENCE_TYPES = re.compile("RADM|RPIN|FXDR|DISP|PUOR|SCOR")

_STRUCTURED = table(
    Item("RfrdDocInf", "documents", Group(_DOCUMENT, is_list=True)),
    Item("RfrdDocAmt", "", Flat(_DOCUMENT_AMOUNTS)),
    Item("CdtrRefInf", "", Flat(table(
        Item("Tp", "", Flat(table(
            Item("CdOrPrtry", "reference_type_code", Choice(_REFERENCE_TYPES)),
            Item("Issr", "reference_issuer", Text(35)),
        ))),
        Item("Ref", "creditor_reference", Text(35)),
    ))),
    Item("AddtlRmtInf", "additional_information", Words(140)),
    skipped="Invcr Invcee TaxRmt GrnshmtRmt SctiesData",
)  # fmt: skip

REMITTANCE = table(
    Item("Ustrd", "remittance_unstructured", Words(140)),
    Item("Strd", "remittance_structured", Group(_STRUCTURED, is_list=True)),
)

_RETURN = table(
    Item("OrgnlBkTxCd", "", Flat(_CODES)),
    Item("Orgtr", "originator_name", Within(("Nm",), Text(140))),
    Item("Rsn", "reason_code", Choice()),
    Item("AddtlInf", "additional_information", Words(105)),
)

_REFERENCES = table(
    Item("MsgId", "message_id", _REFERENCE),
    Item("AcctSvcrRef", "transaction_ref", _REFERENCE),
    Item("PmtInfId", "batch_id", _REFERENCE),
    Item("InstrId", "instruction_id", _REFERENCE),
    Item("EndToEndId", "end_to_end_id", _REFERENCE),
    Item("UETR", "uetr", Text(36), since=8),
    Item("TxId", "transaction_id", _REFERENCE),
    Item("MndtId", "mandate_id", _REFERENCE),
    Item("ChqNb", "cheque_number", _REFERENCE),
    Item("ClrSysRef", "clearing_ref", _REFERENCE),
    Item("AcctOwnrTxId", "account_owner_ref", _REFERENCE, since=3),
    Item(
        "Prtry",
        "other_refs",
        Group(
            table(Item("Tp", "type_code", Text(35), required=True), Item("Ref", "ref", Text(35), required=True)), True
        ),
    ),
    skipped="AcctSvcrTxId MktInfrstrctrTxId PrcgId RtrId",
)

_ACCOUNT_OF = Within(("Id",), AccountNumber())

_NOTHING = table()

_PARTIES = table(
    Item("InitgPty", "initiating_party", Party(_PARTY_SINCE)),
    Item("Dbtr", "", NamedParty(_NOTHING, role="debtor", wrapped_since=_PARTY_SINCE)),
    Item("DbtrAcct", "debtor_account", _ACCOUNT_OF),
    Item("UltmtDbtr", "ultimate_debtor", Party(_PARTY_SINCE)),
    Item("Cdtr", "", NamedParty(_NOTHING, role="creditor", wrapped_since=_PARTY_SINCE)),
    Item("CdtrAcct", "creditor_account", _ACCOUNT_OF),
    Item("UltmtCdtr", "ultimate_creditor", Party(_PARTY_SINCE)),
    skipped="TradgPty Prtry",
)

_AGENTS = table(
    Item("DbtrAgt", "", NamedAgent(_NOTHING, role="debtor")),
    Item("CdtrAgt", "", NamedAgent(_NOTHING, role="creditor")),
    *(Item(f"IntrmyAgt{number}", f"intermediary_agent_{number}", Group(AGENT)) for number in (1, 2, 3)),
    skipped="InstgAgt InstdAgt RcvgAgt DlvrgAgt IssgAgt SttlmPlc Prtry",
)

_DATES = table(
    Item("AccptncDtTm", "accepted_at", Instant()),
    Item("IntrBkSttlmDt", "interbank_settlement_date", Day()),
    skipped="TradActvtyCtrctlSttlmDt TradDt StartDt EndDt TxDtTm Prtry",
)

_AVAILABILITY = table(
    Item("Dt", "", Flat(table(Item("NbOfDays", "days", Text(16)), Item("ActlDt", "date", Day())))),
    Item("Amt", "amount", Money(), required=True),
    Item("CdtDbtInd", "credit_debit_indicator", DIRECTION, required=True),
)
_AVAILABLE = Item("Avlbty", "availability", Group(_AVAILABILITY, is_list=True))

TRANSACTION = table(
    Item("Refs", "", Flat(_REFERENCES)),
    Item("Amt", "amount", Money(), since=3),
    Item("CdtDbtInd", "credit_debit_indicator", DIRECTION, since=3),
    Item("AmtDtls", "", Flat(_AMOUNTS)),
    _AVAILABLE,
    Item("BkTxCd", "", Flat(_CODES)),
    Item("Chrgs", "", Charges(_NOTHING)),
    Item("RltdPties", "", Flat(_PARTIES)),
    Item("RltdAgts", "", Flat(_AGENTS)),
    Item("Purp", "purpose_code", Choice()),
    Item("RmtInf", "", Flat(REMITTANCE)),
    Item("RltdDts", "", Flat(_DATES)),
    Item("RtrInf", "return", Group(_RETURN)),
    _camt_cards.OF_TRANSACTION,
    Item("AddtlTxInf", "additional_information", Text(500)),
    skipped="Intrst LclInstrm PmtTpInf RltdRmtInf RltdPric RltdQties FinInstrmId Tax CorpActn RltdCorpActn "
    "SfkpgAcct UndrlygAllcn CshDpst InstrCpy SplmtryData",
)

_BATCH = table(
    Item("MsgId", "message_id", _REFERENCE),
    Item("PmtInfId", "batch_id", _REFERENCE),
    Item("NbOfTxs", "number_of_transactions", Integer()),
    Item("TtlAmt", "total_amount", Money()),
    Item("CdtDbtInd", "credit_debit_indicator", DIRECTION),
)

_DETAILS = table(
    Item("Btch", "batches", Group(_BATCH, is_list=True)),
    Item("TxDtls", "transactions", Group(TRANSACTION, is_list=True)),
)


class Details(Flat, frozen=True):
    """The details of an entry: its batches and transactions, whatever element of the several they stand in."""

    repeats: ClassVar = True

    def write(self, tag: str, value: Any, out: Writer) -> None:
        batches, transactions = (listed(value.get(each) or (), out) for each in ("batches", "transactions"))
        for number in range(max(len(batches), bool(transactions))):
            part = {"batches": batches[number : number + 1]}
            Flat(_DETAILS).write(tag, {**part, **({"transactions": transactions} if not number else {})}, out)


ENTRY = table(
    Item("NtryRef", "entry_reference", _REFERENCE),
    Item("Amt", "amount", Money(), required=True),
    Item("CdtDbtInd", "credit_debit_indicator", DIRECTION, required=True),
    Item("RvslInd", "reversal_indicator", Truth()),
    Item("Sts", "status", Status(), required=True),
    Item("BookgDt", "booking_date", Day(is_choice=True, instant="booked_at")),
    Item("ValDt", "value_date", Day(is_choice=True)),
    Item("AcctSvcrRef", "entry_ref", _REFERENCE),
    _AVAILABLE,
    Item("BkTxCd", "", Flat(_CODES, or_empty=True)),
    Item("AddtlInfInd", "details_message", Group(
        table(Item("MsgNmId", "format", Text(35)), Item("MsgId", "message_id", Text(35)))
    )),
    Item("AmtDtls", "", Flat(_AMOUNTS)),
    Item("Chrgs", "", Charges(_NOTHING)),
    _camt_cards.OF_ENTRY,
    Item("NtryDtls", "", Details(_DETAILS)),
    Item("AddtlNtryInf", "additional_information", Text(500)),
    skipped="ComssnWvrInd TechInptChanl Intrst",
)  # fmt: skip

_PAGE = table(Item("PgNb", "number", Integer(5), required=True), Item("LastPgInd", "is_last", Truth(), required=True))

_TOTAL = (Item("NbOfNtries", "count", Integer()), Item("Sum", "sum", Number()))

_TOTALS = table(
    *_TOTAL,
    Item("TtlNetNtryAmt", "net_amount", Number(), until=3),
    Item("CdtDbtInd", "net_indicator", DIRECTION, until=3),
    Item("TtlNetNtry", "", Flat(table(
        Item("Amt", "net_amount", Number()), Item("CdtDbtInd", "net_indicator", DIRECTION)
    )), since=4),
)  # fmt: skip

_SUMMARY = table(
    Item("TtlNtries", "entries", Group(_TOTALS)),
    Item("TtlCdtNtries", "credits", Group(table(*_TOTAL))),
    Item("TtlDbtNtries", "debits", Group(table(*_TOTAL))),
    skipped="TtlNtriesPerBkTxCd",
)

_ACCOUNT = table(
    Item("Id", "account_id", AccountNumber(), required=True),
    Item("Tp", "type_code", Choice()),
    Item("Ccy", "currency", Text(3)),
    Item("Nm", "account_name", Text(70)),
    Item("Ownr", "owner", Group(PARTY)),
    Item("Svcr", "servicer", Group(AGENT)),
    skipped="Prxy",
)

_BALANCE = table(
    Item("Tp", "", Flat(table(
        Item("CdOrPrtry", "type_code", Choice()),
        Item("SubTp", "sub_type_code", Choice()),
    ))),
    Item("Amt", "amount", Money()),
    Item("CdtDbtInd", "credit_debit_indicator", DIRECTION),
    Item("Dt", "date", Day(is_choice=True), required=True),
    _AVAILABLE,
    skipped="CdtLine",
)  # fmt: skip

HEADER = table(
    Item("MsgId", "message_id", Text(35), required=True),
    Item("CreDtTm", "message_created_at", Instant()),
    Item("MsgRcpt", "recipient", Group(PARTY)),
    Item("MsgPgntn", "message_page", Group(_PAGE)),
    Item("AddtlInf", "message_information", Text(500)),
    skipped="OrgnlBizQry",
)


def _statement(page: str, information: str, has_balances: bool = True) -> Table:
    return table(
        Item("Id", "statement_id", Text(35), required=True),
        Item(page, "page", Group(_PAGE), since=3),
        Item("ElctrncSeqNb", "electronic_sequence_number", Integer(18)),
        Item("LglSeqNb", "legal_sequence_number", Integer(18)),
        Item("CreDtTm", "created_at", Instant()),
        Item("FrToDt", "period", Period()),
        Item("CpyDplctInd", "copy_duplicate_code", Enum(frozenset(("DUPL", "CODU", "COPY")))),
        Item("Acct", "account", Group(_ACCOUNT), required=True),
        Item("Bal", "balances", Balance(_BALANCE), since=0 if has_balances else NEVER),
        Item("TxsSummry", "summary", Group(_SUMMARY)),
        Item("Ntry", "entries", Group(ENTRY, is_list=True), until=NEVER),
        Item(information, "additional_information", Text(500)),
        skipped="RptgSeq RptgSrc RltdAcct Intrst",
    )


class Message(msgspec.Struct, frozen=True):
    """One of the three messages: its root and the names of what stands in it."""

    name: str
    root: str
    tag: str
    report_type: str
    table: Table


MESSAGES: Mapping[str, Message] = {
    each.name: each
    for each in (
        Message("camt.052", "BkToCstmrAcctRpt", "Rpt", "intraday", _statement("RptPgntn", "AddtlRptInf")),
        Message("camt.053", "BkToCstmrStmt", "Stmt", "statement", _statement("StmtPgntn", "AddtlStmtInf")),
        Message(
            "camt.054", "BkToCstmrDbtCdtNtfctn", "Ntfctn", "notification",
            _statement("NtfctnPgntn", "AddtlNtfctnInf", has_balances=False),
        ),
    )
}  # fmt: skip
