"""pain.001, pain.002 and pain.008 as tables. Their elements are of the generations of those of statements, and versions
here are theirs: 2 before BICFI, 3 with it, 8 with addresses by their parts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hub.formats._camt_tables import REMITTANCE
from hub.formats._iso_kinds import Choice, Day, Enum, Instant, Integer, Money, Number, Truth, Words
from hub.formats._iso_parties import PERSON_ID, AccountNumber, NamedAgent, NamedParty, Party
from hub.formats._iso_tables import Flat, Group, Item, Table, Text, Within, table
from hub.formats._iso_values import Writer

_NOTHING = table()
_ACCOUNT = Within(("Id",), AccountNumber())
_COUNTS = (Item("NbOfTxs", "number_of_transactions", Integer()), Item("CtrlSum", "control_sum", Number()))
_HEADER = table(
    Item("MsgId", "message_id", Text(35), required=True),
    Item("CreDtTm", "created_at", Instant(), required=True),
    *_COUNTS,
    Item("InitgPty", "initiating_party", Party(), required=True),
    skipped="Authstn FwdgAgt InitnSrc",
)
_PAYMENT_TYPE = table(
    Item("InstrPrty", "priority_code", Enum(frozenset(("HIGH", "NORM")))),
    Item("SvcLvl", "service_level_code", Choice(), repeats=True),
    Item("LclInstrm", "local_instrument_code", Choice()),
    Item("SeqTp", "sequence_type_code", Enum(frozenset(("FRST", "RCUR", "FNAL", "OOFF", "RPRE")))),
    Item("CtgyPurp", "category_purpose_code", Choice()),
)
_IDS = table(
    Item("InstrId", "instruction_id", Text(35)),
    Item("EndToEndId", "end_to_end_id", Text(35), required=True),
    Item("UETR", "uetr", Text(36), since=8),
)
_BEARER = Item("ChrgBr", "charge_bearer_code", Enum(frozenset(("DEBT", "CRED", "SHAR", "SLEV"))))
_PURPOSE = (Item("Purp", "purpose_code", Choice()), Item("RmtInf", "", Flat(REMITTANCE)))


class TransferAmount(Flat, frozen=True):
    """What the other end gets, or what it costs, in a currency of ours, to be transferred in another."""

    def write(self, tag: str, value: Any, out: Writer) -> None:
        if not any(value.get(name) is not None for name in self.names(out.version)):
            out.path.append("amount")
            raise out.refuse("it is missing; Amt has to stand there")
        Flat(self.table).write(tag, value, out)


_AMOUNT = table(
    Item("InstdAmt", "amount", Money()),
    Item("EqvtAmt", "", Flat(table(
        Item("Amt", "equivalent_amount", Money(), required=True),
        Item("CcyOfTrf", "transfer_currency", Text(3), required=True),
    ))),
)  # fmt: skip
_TRANSFER = table(
    Item("PmtId", "", Flat(_IDS)),
    Item("PmtTpInf", "", Flat(_PAYMENT_TYPE)),
    Item("Amt", "", TransferAmount(_AMOUNT)),
    _BEARER,
    Item("UltmtDbtr", "ultimate_debtor", Party()),
    Item("CdtrAgt", "", NamedAgent(_NOTHING, role="creditor")),
    Item("Cdtr", "", NamedParty(_NOTHING, role="creditor")),
    Item("CdtrAcct", "creditor_account", _ACCOUNT),
    Item("UltmtCdtr", "ultimate_creditor", Party()),
    *_PURPOSE,
    skipped="XchgRateInf ChqInstr IntrmyAgt1 IntrmyAgt1Acct IntrmyAgt2 IntrmyAgt2Acct IntrmyAgt3 IntrmyAgt3Acct "
    "CdtrAgtAcct InstrForCdtrAgt InstrForDbtrAgt RgltryRptg Tax RltdRmtInf MndtRltdInf SplmtryData",
)
_BEGIN = (
    Item("PmtInfId", "batch_id", Text(35), required=True),
    Item("PmtMtd", "payment_method_code", Text(3), required=True),
    Item("BtchBookg", "is_batch_booked", Truth()),
    *_COUNTS,
    Item("PmtTpInf", "", Flat(_PAYMENT_TYPE)),
)
_PAYMENT = table(
    *_BEGIN,
    Item("ReqdExctnDt", "execution_date", Day(), until=7, required=True),
    Item("ReqdExctnDt", "execution_date", Day(is_choice=True), since=8, required=True),
    Item("Dbtr", "", NamedParty(_NOTHING, role="debtor")),
    Item("DbtrAcct", "debtor_account", _ACCOUNT, required=True),
    Item("DbtrAgt", "", NamedAgent(_NOTHING, role="debtor", or_not_provided=True)),
    Item("UltmtDbtr", "ultimate_debtor", Party()),
    _BEARER,
    Item("CdtTrfTxInf", "transactions", Group(_TRANSFER, is_list=True), required=True),
    skipped="ReqdAdvcTp PoolgAdjstmntDt DbtrAgtAcct InstrForDbtrAgt ChrgsAcct ChrgsAcctAgt",
)
# The identification of a creditor is that of a person, whoever it is, in the scheme SEPA.
_SCHEME = Item("CdtrSchmeId", "creditor_scheme", Group(table(
    Item("Nm", "name", Text(140)), Item("Id", "", Flat(PERSON_ID)), skipped="PstlAdr CtryOfRes CtctDtls",
)))  # fmt: skip
_MANDATE = table(
    Item("MndtId", "mandate_id", Text(35)),
    Item("DtOfSgntr", "mandate_signed_on", Day()),
    Item("AmdmntInd", "is_mandate_amended", Truth()),
    skipped="AmdmntInfDtls ElctrncSgntr FrstColltnDt FnlColltnDt Frqcy Rsn TrckgDays",
)
_COLLECTION = table(
    Item("PmtId", "", Flat(_IDS)),
    Item("PmtTpInf", "", Flat(_PAYMENT_TYPE)),
    Item("InstdAmt", "amount", Money(), required=True),
    _BEARER,
    Item(
        "DrctDbtTx",
        "",
        Flat(table(Item("MndtRltdInf", "", Flat(_MANDATE)), _SCHEME, skipped="PreNtfctnId PreNtfctnDt")),
    ),
    Item("UltmtCdtr", "ultimate_creditor", Party()),
    Item("DbtrAgt", "", NamedAgent(_NOTHING, role="debtor", or_not_provided=True)),
    Item("Dbtr", "", NamedParty(_NOTHING, role="debtor")),
    Item("DbtrAcct", "debtor_account", _ACCOUNT, required=True),
    Item("UltmtDbtr", "ultimate_debtor", Party()),
    *_PURPOSE,
    skipped="DbtrAgtAcct InstrForCdtrAgt RgltryRptg Tax RltdRmtInf SplmtryData",
)
_COLLECTIONS = table(
    *_BEGIN,
    Item("ReqdColltnDt", "collection_date", Day(), required=True),
    Item("Cdtr", "", NamedParty(_NOTHING, role="creditor")),
    Item("CdtrAcct", "creditor_account", _ACCOUNT, required=True),
    Item("CdtrAgt", "", NamedAgent(_NOTHING, role="creditor", or_not_provided=True)),
    Item("UltmtCdtr", "ultimate_creditor", Party()),
    _BEARER,
    _SCHEME,
    Item("DrctDbtTxInf", "transactions", Group(_COLLECTION, is_list=True), required=True),
    skipped="CdtrAgtAcct ChrgsAcct ChrgsAcctAgt",
)
_REASON = table(
    Item("Orgtr", "originator", Party()),
    Item("Rsn", "reason_code", Choice(re.compile(r"[A-Z0-9]{1,4}"))),
    Item("AddtlInf", "additional_information", Words(105)),
)
_REASONS = Item("StsRsnInf", "reasons", Group(_REASON, is_list=True))
_OF = (
    Item("OrgnlNbOfTxs", "number_of_transactions", Integer()),
    Item("OrgnlCtrlSum", "control_sum", Number()),
)
_TRANSACTION_STATUS = table(
    Item("StsId", "status_id", Text(35)),
    Item("OrgnlInstrId", "instruction_id", Text(35)),
    Item("OrgnlEndToEndId", "end_to_end_id", Text(35)),
    Item("TxSts", "status", Text(4)),
    _REASONS,
    Item("AccptncDtTm", "accepted_at", Instant()),
    Item("AcctSvcrRef", "transaction_ref", Text(35)),
    skipped="OrgnlUETR ChrgsInf TrckrData ClrSysRef OrgnlTxRef SplmtryData",
)
_PAYMENT_STATUS = table(
    Item("OrgnlPmtInfId", "batch_id", Text(35), required=True),
    *_OF,
    Item("PmtInfSts", "status", Text(4)),
    _REASONS,
    Item("TxInfAndSts", "transactions", Group(_TRANSACTION_STATUS, is_list=True)),
    skipped="NbOfTxsPerSts",
)
_GROUP_STATUS = table(
    Item("OrgnlMsgId", "message_id", Text(35), required=True),
    Item("OrgnlMsgNmId", "format", Text(35), required=True),
    Item("OrgnlCreDtTm", "created_at", Instant()),
    *_OF,
    Item("GrpSts", "status", Text(4)),
    _REASONS,
    skipped="NbOfTxsPerSts",
)
_STATUS_HEADER = table(
    Item("MsgId", "message_id", Text(35), required=True),
    Item("CreDtTm", "created_at", Instant(), required=True),
    Item("InitgPty", "initiating_party", Party()),
    skipped="FwdgAgt DbtrAgt CdtrAgt",
)


class PainMessage(msgspec.Struct, frozen=True):
    """One of the three messages. ``versions``: those that are written, each with the generation of its elements."""

    name: str
    root: str
    message_type: str
    table: Table
    versions: Mapping[int, int]


def _initiation(payment: Table) -> Table:
    return table(
        Item("GrpHdr", "", Flat(_HEADER)), Item("PmtInf", "payments", Group(payment, is_list=True), required=True),
        skipped="SplmtryData",
    )  # fmt: skip


_REPORT = table(
    Item("GrpHdr", "", Flat(_STATUS_HEADER)),
    Item("OrgnlGrpInfAndSts", "original", Group(_GROUP_STATUS), required=True),
    Item("OrgnlPmtInfAndSts", "payments", Group(_PAYMENT_STATUS, is_list=True)),
    skipped="SplmtryData",
)
MESSAGES = (
    PainMessage("pain.001", "CstmrCdtTrfInitn", "credit_transfer", _initiation(_PAYMENT), {3: 2, 9: 8}),
    PainMessage("pain.002", "CstmrPmtStsRpt", "status_report", _REPORT, {3: 2, 12: 8}),
    PainMessage("pain.008", "CstmrDrctDbtInitn", "direct_debit", _initiation(_COLLECTIONS), {2: 2, 8: 8}),
)
