"""What the answer of a SOAP service means for a delivery.

HTTP status 401, 403, 410; 425, 429, 503; 408, 502, 504   as for http, whatever is in the body
rule ``success:`` true                     delivered
rule ``permanent:`` true                   refused
fault of the credentials (WS-Security, Client.Authentication)   the system is stopped
fault Client or Sender, MustUnderstand, VersionMismatch, DataEncodingUnknown   refused
fault Server or Receiver, and any other    doubt; a time stamp that is over, an endpoint that is not there now: later
2xx with the answer of the operation       delivered
2xx with anything else, HTML too           doubt
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from connectors._answer import Answer
from connectors._rules import Rule, holds, reference_of
from connectors._soap_envelope import (
    Fault,
    fault_of,
    first_in_body,
    parameters,
    parts_of,
    put_back,
    root_of,
    version_of,
)
from connectors._soap_security import WSSE
from connectors._soap_service import Operation
from connectors._soap_signature import WSU
from connectors._soap_values import untyped
from connectors._soap_xml import Element, XmlRefused, name_of, parse
from connectors._verdicts import Judge
from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Verdict

_BY_STATUS = frozenset({401, 403, 408, 410, 425, 429, 502, 503, 504})
_REFUSING = {"client", "mustunderstand", "versionmismatch", "dataencodingunknown"}
_CREDENTIALS = {
    "failedauthentication", "failedcheck", "invalidsecurity", "invalidsecuritytoken", "securitytokenunavailable",
    "unsupportedsecuritytoken", "unsupportedalgorithm",
}  # fmt: skip
_LATER = {"messageexpired", "endpointunavailable"}
to_json = msgspec.json.Encoder(decimal_format="number").encode


class SoapJudge(Judge):
    """The first look at an answer, on the sender's loop: what it means without the rules, which ``final`` asks."""

    def __init__(self, most: int) -> None:
        super().__init__(None, None, None)
        self._most = most

    def of_delivery(self, answer: Answer, seconds: float, now_epoch: float) -> Verdict:
        verdict = super().of_delivery(answer, seconds, now_epoch)
        if answer.cut or answer.status in _BY_STATUS:
            return verdict
        root = envelope_of(answer.body, answer.headers.get("content-type", ""), self._most)
        fault = fault_of(root) if root is not None else None
        if fault is not None:
            kind, code, detail = of_fault(fault)
            return msgspec.structs.replace(verdict, kind=kind, code=code, detail=detail)
        if 200 <= answer.status < 300 and root is None and answer.body.strip():
            detail = "the system answered " + f"{answer.status}, but not with a SOAP envelope"
            return msgspec.structs.replace(verdict, kind=DOUBT, code="not_soap", detail=detail)
        return verdict

    def of_look_up(self, answer: Answer, seconds: float, now_epoch: float, sent: bytes = b"") -> Verdict:
        """As for a delivery; what was found ``found`` says later."""
        verdict = self.of_delivery(answer, seconds, now_epoch)
        if verdict.kind == DOUBT and verdict.code.startswith("http_"):
            return msgspec.structs.replace(verdict, kind=LATER)
        return verdict


def envelope_of(body: bytes, content_type: str, most: int) -> Element | None:
    """The envelope of an answer, alone or with its files; None where there is none."""
    try:
        if content_type.partition(";")[0].strip().lower() != "multipart/related":
            root = parse(body, most)
        else:
            parts = parts_of(body, parameters(content_type).get("boundary", ""))
            root = parse(root_of(parts, content_type).content, most)
            put_back(root, parts)
    except (XmlRefused, IndexError):
        return None
    return root if version_of(root) else None


def of_fault(fault: Fault) -> tuple[str, str, str]:
    """(kind, code, detail) of a fault."""
    detail = f"the system answered with the fault {_words(fault)}"
    codes = {local.lower() for uri, local in fault.codes}
    secure = {local.lower() for uri, local in fault.codes if uri in (WSSE, WSU)}
    code = f"fault_{fault.code or 'unknown'}"
    if codes & _LATER:
        return LATER, code, detail
    if secure & _CREDENTIALS or any(".auth" in each for each in codes):
        return STOPPED, "credentials_refused", detail
    return (REFUSED if fault.code in _REFUSING else DOUBT), code, detail


def _words(fault: Fault) -> str:
    names = "/".join(local for _, local in fault.codes) or "without a code"
    return f"{names[:100]}: {fault.reason[:300]}" if fault.reason else names[:100]


class Rules:
    """A system's own rules over ``status``, ``body`` (values by the WSDL's types), ``fault`` and ``headers``."""

    def __init__(
        self, success: Rule | None, permanent: Rule | None, reference: Rule | None, found: Rule | None, most: int,
        keeps_envelope: bool,
    ) -> None:  # fmt: skip
        self._success, self._permanent, self._reference, self._found = success, permanent, reference, found
        self._most, self._keeps_envelope = most, keeps_envelope

    def final(self, verdict: Verdict, operation: Operation) -> Verdict:
        """A delivery's verdict by the rules, with the answer's body as JSON."""
        if not verdict.status or verdict.status in _BY_STATUS or verdict.code in ("answer_cut", "response_too_large"):
            return verdict
        root = envelope_of(verdict.response, verdict.response_type, self._most)
        facts = self._facts(verdict, root, operation)
        kind, code, detail = self._decided(verdict, root, facts, operation)
        response, kind_of_response = verdict.response, verdict.response_type
        if root is not None and not self._keeps_envelope and fault_of(root) is None:
            response, kind_of_response = to_json(facts["body"]), "application/json"
        return msgspec.structs.replace(
            verdict, kind=kind, code=code, detail=detail, response=response, response_type=kind_of_response,
            reference=reference_of(self._reference, facts),
            retry_after_seconds=verdict.retry_after_seconds if kind == LATER else None,
        )  # fmt: skip

    def _decided(
        self, verdict: Verdict, root: Element | None, facts: Mapping[str, Any], operation: Operation
    ) -> tuple[str, str, str]:
        as_it_is = verdict.kind, verdict.code, verdict.detail
        succeeded, trouble = holds(self._success, facts)
        if succeeded:
            return DELIVERED, "", ""
        if holds(self._permanent, facts)[0]:
            detail = verdict.detail or f"the system answered {verdict.status}"
            return REFUSED, verdict.code or f"http_{verdict.status}", f"{detail}; the rule permanent: calls that final"
        if verdict.kind != DELIVERED:
            return as_it_is
        if self._success is not None:
            detail = f"the system answered {verdict.status}, but the rule success: does not hold{trouble}"
            return DOUBT, "error_in_success", detail
        return as_it_is if _is_answer(root, operation) else _unexpected(verdict, root, operation)

    def asked(self, verdict: Verdict, operation: Operation) -> Verdict:
        """What a look-up has found."""
        if verdict.kind in (STOPPED, LATER) or verdict.code in ("answer_cut", "response_too_large"):
            return verdict
        root = envelope_of(verdict.response, verdict.response_type, self._most)
        if root is None:
            detail = f"the look-up cannot tell: the system answered {verdict.status}, but not with a SOAP envelope"
            return msgspec.structs.replace(verdict, kind=LATER, code="not_soap", detail=detail)
        facts = self._facts(verdict, root, operation)
        found, trouble = holds(self._found, facts)
        if trouble:
            detail = f"the look-up cannot tell: the rule found: does not fit the answer{trouble}"
            return msgspec.structs.replace(verdict, kind=DOUBT, code="rule_failed", detail=detail)
        reference = reference_of(self._reference, facts) if found else ""
        return msgspec.structs.replace(
            verdict, kind=FOUND if found else ABSENT, code="", detail="", reference=reference
        )

    def _facts(self, verdict: Verdict, root: Element | None, operation: Operation) -> dict[str, Any]:
        fault = fault_of(root) if root is not None else None
        said = None
        if fault is not None:
            detail = untyped(fault.detail) if fault.detail is not None else None
            codes = [local for _, local in fault.codes]
            said = {"code": codes[0] if codes else "", "subcodes": codes[1:], "reason": fault.reason,
                    "actor": fault.actor, "detail": detail}  # fmt: skip
        body = None if fault is not None or root is None else _body(root, operation)
        return {"status": verdict.status, "body": body, "fault": said, "headers": verdict.headers}


def _body(root: Element, operation: Operation) -> Any:
    first = first_in_body(root)
    if first is None:
        return None
    known = operation.output
    return known.read(first) if known is not None and known.tag == first.tag else untyped(first)


def _is_answer(root: Element | None, operation: Operation) -> bool:
    """Whether an envelope holds what the operation answers with; nothing at all where it is one way."""
    first = first_in_body(root) if root is not None else None
    if operation.output is None:
        return root is None or first is None
    return (first is not None and first.tag == operation.output.tag) or (first is None and not operation.output.tag)


def _unexpected(verdict: Verdict, root: Element | None, operation: Operation) -> tuple[str, str, str]:
    first = first_in_body(root) if root is not None else None
    seen = f"with {name_of(first)[1]}" if first is not None else "with nothing"
    wanted = name_of_tag(operation.output.tag) if operation.output is not None else "nothing"
    return DOUBT, "unexpected_answer", f"the system answered {verdict.status} {seen}; expected {wanted}"


def name_of_tag(tag: str) -> str:
    """The name in ``{namespace}name``."""
    return tag.rpartition("}")[2]
