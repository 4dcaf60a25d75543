"""Payments to a bank and its answers, ISO 20022: credit transfers (pain.001), direct debits (pain.008), status reports
(pain.002).

A message is one document: ``message_type`` credit_transfer, direct_debit or status_report, ``format`` its name with its
version, ``payments`` with their ``transactions``, all with the names of bank statements. The number of transactions and
the control sum are checked where they are read, and made where they are written. A status report tells of message,
payment and transaction by their ids: ``original``, ``payments[].batch_id``, ``end_to_end_id``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.errors import DecodeError, MappingError, quoted_in
from hub.formats import BadRecord, Option, Places, Record, only_record
from hub.formats._camt_entries import finish_transaction
from hub.formats._iso_places import places_below
from hub.formats._iso_tables import compiled, fill
from hub.formats._iso_values import Into, Writer, children, kind_of, listed, local, mapped, shown
from hub.formats._pain_tables import MESSAGES, PainMessage
from hub.formats._statements import Finding, Findings, StatementError
from hub.formats._xml import Element, parse, path_of

OPTIONS = (
    Option("strict", "boolean", False, description="Whether what breaks the schema is an error, not a finding"),
)  # fmt: skip
CONTENT_TYPES = ("application/xml", "text/xml")
_NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:"
_NAME = re.compile(r"pain\.00[128]\.\d{3}\.\d\d")
_LISTS = {
    "payments": frozenset(("PmtInf", "OrgnlPmtInfAndSts")),
    "transactions": frozenset(("CdtTrfTxInf", "DrctDbtTxInf", "TxInfAndSts")),
}
_DERIVED = {"creditor_reference", "creditor_reference_type", "referred_document_ids"}


class _Told:
    """Takes faults down with line and XPath."""

    currency = ""

    def __init__(self) -> None:
        self.findings = Findings()

    def __call__(
        self, at: Element, code: str, message: str, *, seen: str = "", expected: str = "", severity: str = "warning"
    ) -> None:
        self.findings.add(Finding(code, message, f"line {at.sourceline}", severity, seen, expected, path_of(at)))


def decode(chunks: Iterable[bytes], options: Mapping[str, Any]) -> Iterator[Record | BadRecord]:
    """The one message. Raises DecodeError where it is none of these."""
    root = parse(b"".join(chunks))
    body = next((child for child in children(root) if local(child).startswith("Cstmr")), None)
    message = next((each for each in MESSAGES if body is not None and local(body) == each.root), None)
    if body is None or message is None:
        expected = ", ".join(f"{each.root} ({each.name})" for each in MESSAGES)
        raise DecodeError(
            f"it is no message about payments: its root is {local(root)[:60]}", code="no_payment",
            position=f"line {root.sourceline}", expected=f"Document with one of {expected}",
        )  # fmt: skip
    namespace = body.tag[1:].partition("}")[0] if body.tag[0] == "{" else ""
    name = _NAME.search(namespace)
    document: Into = {"message_type": message.message_type, "format": name[0] if name else message.name}
    tell = _Told()
    fill(compiled(message.table, namespace), children(body), document, tell)
    for payment in document.get("payments", ()):
        for transaction in payment.get("transactions", ()):
            finish_transaction(transaction)
    if message.message_type != "status_report":
        _check(document, body, tell)
    position = f"line {body.sourceline}"
    is_strict = bool(options.get("strict"))
    if any(finding.is_error or is_strict for finding in tell.findings):
        yield BadRecord(StatementError(tell.findings, is_strict), b"", position, 0)
        return
    if tell.findings:
        document["findings"] = [each.as_dict() for each in tell.findings]
    yield Record(document, position, 0, tell.findings)


def _check(document: Into, body: Element, tell: _Told) -> None:
    """The numbers and sums that the message and its payments tell, against what is there."""
    payments = document.get("payments", ())
    parts = [
        (payment, payment.get("transactions", ()), f"payment {payment.get('batch_id', '')}") for payment in payments
    ]
    everything = [transaction for _, transactions, _ in parts for transaction in transactions]
    for told, transactions, name in [(document, everything, "the message"), *parts]:
        for field, wanted in _counted(transactions).items():
            if field in told and told[field] != wanted:
                what = "transactions" if field == "number_of_transactions" else "as its control sum"
                detail = f"{name} says {told[field]} {what}; {wanted} are there"
                tell(body, "control_sum", detail, seen=str(told[field]), expected=str(wanted), severity="error")


def _counted(transactions: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    told = [each.get("amount") or each.get("equivalent_amount") for each in transactions]
    amounts = [money["amount"] if money else Decimal(0) for money in told]
    return {"number_of_transactions": len(amounts), "control_sum": sum(amounts, Decimal(0))}


def decode_one(raw: bytes, options: Mapping[str, Any]) -> Any:
    """The document of the message."""
    return only_record(decode([raw], options))


def encode(documents: Iterable[Any], options: Mapping[str, Any]) -> bytes:
    """The message of the one document there is. Raises MappingError where there are several: each is a body of its
    own."""
    found = list(documents)
    if len(found) != 1:
        raise MappingError(f"one body holds one message; got {len(found)} documents", code="encode")
    return encode_one(found[0], options)


def holds_several(options: Mapping[str, Any]) -> bool:
    """One body holds one."""
    return False


def encode_one(document: Any, options: Mapping[str, Any]) -> bytes:
    """The message, valid by the XSD of its version. Raises MappingError with the path of what is missing, too long or
    has no place in it, and of a number or sum that is not that of the transactions."""
    if not isinstance(document, Mapping):
        raise MappingError(f"expected a message, got {kind_of(document)}", code="encode")
    message, version = _message_of(document)
    out = Writer(message.versions[version])
    left = {name: value for name, value in document.items() if name not in ("message_type", "format", "findings")}
    if message.message_type != "status_report":
        left = _with_sums(left, out)
    name = f"{message.name}.001.{version:02}"
    out.pieces.append(f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{_NAMESPACE}{name}">')
    out.open(message.root)
    message.table.write(left, out)
    out.close(message.root)
    out.close("Document")
    return "".join(out.pieces).encode()


def places(raw: bytes, options: Mapping[str, Any], index: int) -> Places:
    """Where the message, its payments and their transactions stand."""
    return places_below(raw, parse(raw), _LISTS)


def _message_of(document: Mapping[str, Any]) -> tuple[PainMessage, int]:
    kinds = {message.message_type: message for message in MESSAGES}
    kind, name = document.get("message_type"), document.get("format", "")
    if not isinstance(kind, str) or kind not in kinds:
        detail = f"message_type: expected one of {', '.join(kinds)}, got {shown(kind)}"
        raise MappingError(detail, code="encode", field_path="message_type", quoted=quoted_in(shown(kind)))
    versions = {f"{kinds[kind].name}.001.{version:02}": version for version in kinds[kind].versions}
    if not name:
        return kinds[kind], max(versions.values())
    if not isinstance(name, str) or name not in versions:
        detail = f"format: expected one of {', '.join(versions)}, got {shown(name)}"
        raise MappingError(detail, code="encode", field_path="format", quoted=quoted_in(shown(name)))
    return kinds[kind], versions[name]


def _with_sums(document: Into, out: Writer) -> Into:
    """The message with the numbers and sums of its payments and its own. Those that it has must be right."""
    payments, everything = [], []
    out.path.append("payments")
    for payment in listed(document.get("payments", ()), out):
        inner = [_transaction(mapped(each, out)) for each in listed(mapped(payment, out).get("transactions", ()), out)]
        everything += inner
        payments.append(_summed({**payment, "transactions": inner}, inner, out))
    out.path.pop()
    return _summed({**document, "payments": payments}, everything, out)


def _transaction(transaction: Mapping[str, Any]) -> Into:
    """A transaction as it is written: an end-to-end id has to stand there."""
    left = {name: value for name, value in transaction.items() if name not in _DERIVED}
    return {"end_to_end_id": "NOTPROVIDED", **left}


def _summed(told: Into, transactions: list[Into], out: Writer) -> Into:
    amounts = [each.get("amount") or each.get("equivalent_amount") for each in transactions]
    exact = [each for each in amounts if isinstance(each, Mapping) and isinstance(each.get("amount"), Decimal)]
    if len(exact) != len(transactions):
        return {**told, "number_of_transactions": len(transactions)}  # what is wrong with an amount is told with it
    counted = _counted(transactions)
    for name, wanted in counted.items():
        if name in told and told[name] != wanted:
            out.path.append(name)
            raise out.refuse(f"it is {shown(told[name])}; the transactions make {wanted}", told[name], str(wanted))
    return {**told, **counted}


EXAMPLE = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n'
    b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>'
    b"<GrpHdr><MsgId>M-1</MsgId><CreDtTm>2026-03-09T10:00:00Z</CreDtTm><NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum>"
    b"<InitgPty><Nm>Hydro Schlauch GmbH</Nm></InitgPty></GrpHdr>"
    b"<PmtInf><PmtInfId>B-1</PmtInfId><PmtMtd>TRF</PmtMtd><NbOfTxs>1</NbOfTxs><CtrlSum>12.50</CtrlSum>"
    b"<ReqdExctnDt><Dt>2026-03-10</Dt></ReqdExctnDt><Dbtr><Nm>Hydro Schlauch GmbH</Nm></Dbtr>"
    b"<DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct>"
    b"<DbtrAgt><FinInstnId><BICFI>BYLADEM1001</BICFI></FinInstnId></DbtrAgt>"
    b'<CdtTrfTxInf><PmtId><EndToEndId>E2E-1</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">12.50</InstdAmt></Amt>'
    b"<Cdtr><Nm>Bau Muster GmbH</Nm></Cdtr><CdtrAcct><Id><IBAN>DE02500105170137075030</IBAN></Id></CdtrAcct>"
    b"<RmtInf><Ustrd>Invoice 4711</Ustrd></RmtInf></CdtTrfTxInf></PmtInf></CstmrCdtTrfInitn></Document>",
    {
        "message_type": "credit_transfer",
        "format": "pain.001.001.09",
        "message_id": "M-1",
        "created_at": "2026-03-09T10:00:00Z",
        "number_of_transactions": 1,
        "control_sum": Decimal("12.50"),
        "initiating_party": {"name": "Hydro Schlauch GmbH"},
        "payments": [
            {
                "batch_id": "B-1",
                "payment_method_code": "TRF",
                "number_of_transactions": 1,
                "control_sum": Decimal("12.50"),
                "execution_date": "2026-03-10",
                "debtor_name": "Hydro Schlauch GmbH",
                "debtor_account": "DE02120300000000202051",
                "debtor_bic": "BYLADEM1001",
                "transactions": [
                    {
                        "end_to_end_id": "E2E-1",
                        "amount": {"amount": Decimal("12.50"), "currency": "EUR"},
                        "creditor_name": "Bau Muster GmbH",
                        "creditor_account": "DE02500105170137075030",
                        "remittance_unstructured": ["Invoice 4711"],
                    }
                ],
            }
        ],
    },
)
