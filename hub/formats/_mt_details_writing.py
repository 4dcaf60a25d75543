"""Field 86 of an entry, written: subfields as German banks have them, codewords, or the text alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.formats._bank_references import in_words, reference_in
from hub.formats._bank_writing import cut, refusal
from hub.formats._mt_details import COLLECTIONS, WIDTH, role_of

MOST_LINES = 6
_PURPOSE = (*range(20, 30), *range(60, 64))
_OWN = {"amount", "remittance_unstructured", "creditor_reference", "creditor_reference_type", "account_owner_ref",
        "additional_information", "instructed_amount", "exchange_rate", "charges_amount"}  # fmt: skip


def details_lines(path: str, entry: Mapping[str, Any], transaction: Mapping[str, Any], structure: str) -> list[str]:
    """The lines of field 86; none where there is nothing to say. Raises MappingError where six do not hold it."""
    code = entry.get("proprietary_code", {}).get("code", "").split("+")
    if structure == "auto":
        structure = "german" if len(code) > 1 else _plain_or_words(entry, transaction)
    if structure == "unstructured":
        lines = _text_lines(_texts(transaction))
    elif structure == "german":
        lines = _wrapped(_subfields(path, entry, transaction, (*code, "", "", "", "")[1:4]))
    else:
        lines = _wrapped(_codewords(entry, transaction))
    if len(lines) > MOST_LINES:
        raise refusal(path, f"field 86 would have {len(lines)} lines", f"at most {MOST_LINES} of {WIDTH} characters")
    return lines


def _plain_or_words(entry: Mapping[str, Any], transaction: Mapping[str, Any]) -> str:
    return "unstructured" if transaction.keys() <= _OWN and "additional_information" not in entry else "codewords"


def _texts(transaction: Mapping[str, Any]) -> list[str]:
    """The remittance texts, and the reference behind them where none of them holds it."""
    texts = [str(text) for text in transaction.get("remittance_unstructured", ())]
    reference = transaction.get("creditor_reference")
    if reference and not any(reference_in(text)[0] == reference for text in (*texts, " ".join(texts))):
        texts.append(in_words(str(reference), transaction.get("creditor_reference_type", "")))
    return texts


def _text_lines(texts: list[str]) -> list[str]:
    """A line that is full goes on in the next, so that one that ends full is followed by a blank one."""
    lines = list[str]()
    for text in texts:
        if lines and len(lines[-1]) == WIDTH:
            lines.append(" ")
        lines += cut(text.strip(), WIDTH)
    return lines


def _wrapped(text: str) -> list[str]:
    """Lines of a structured text. None is one short of the width, which would be a blank lost, nor ends in a blank."""
    lines, at = list[str](), 0
    while len(text) - at > WIDTH:
        size = next((size for size in (WIDTH, *range(WIDTH - 2, 30, -1)) if _may_break(text, at + size)), WIDTH)
        lines.append(text[at : at + size])
        at += size
    return [*lines, text[at:]] if text[at:] else lines


def _may_break(text: str, at: int) -> bool:
    return text[at - 1] != " " and text[at] not in ":-"


def _party(entry: Mapping[str, Any], transaction: Mapping[str, Any], code: str = "") -> str:
    kind = entry.get("proprietary_code", {}).get("code", "").partition("+")[0]
    return role_of(entry, kind, code, transaction.get("return_reason_code", ""))


def _subfields(path: str, entry: Mapping[str, Any], transaction: Mapping[str, Any], codes: tuple[str, ...]) -> str:
    code, journal, key = codes
    role = _party(entry, transaction, code)
    parts = [code or "000", f"?00{entry.get('additional_information', '')}"]
    parts += [f"?10{journal}"] if journal else []
    purpose = [piece for text in _purpose(transaction, code) for piece in cut(text, 27)]
    if len(purpose) > len(_PURPOSE):
        raise refusal(path, f"its texts take {len(purpose)} subfields", f"at most {len(_PURPOSE)} of 27 characters")
    parts += [f"?{number}{piece}" for number, piece in zip(_PURPOSE, purpose, strict=False)]
    account, bic = str(transaction.get(f"{role}_account", "")), str(transaction.get(f"{role}_bic", ""))
    if "/" in account and not bic:
        bic, account = account.split("/", 1)
    parts += [f"?30{bic}"] if bic else []
    parts += [f"?31{account}"] if account else []
    parts += [
        f"?{32 + at}{piece}" for at, piece in enumerate(cut(str(transaction.get(f"{role}_name", "")), 27)) if piece
    ]
    parts += [f"?34{key}"] if key else []
    parts += [
        f"?{ref['type_code'][3:]}{ref['ref']}"
        for ref in transaction.get("other_refs", ())
        if ref["type_code"].startswith("86?")
    ]
    return "".join(parts)


def _purpose(transaction: Mapping[str, Any], code: str) -> list[str]:
    """The keywords of SEPA with their values, each of which begins a subfield."""
    owner_ref = transaction.get("account_owner_ref", "")
    known = (
        ("PURP", transaction.get("purpose_code")), ("EREF", transaction.get("end_to_end_id")),
        ("KREF", owner_ref if len(owner_ref) > 16 else ""), ("MREF", transaction.get("mandate_id")),
        ("CRED", transaction.get("creditor", {}).get("id")), ("DEBT", transaction.get("debtor", {}).get("id")),
    )  # fmt: skip
    found = [f"{word}+{value}" for word, value in known if value]
    found += [
        f"{ref['type_code']}+{ref['ref']}"
        for ref in transaction.get("other_refs", ())
        if ref["type_code"] in ("COAM", "OAMT")
    ]
    found += [f"SVWZ+{text.strip()}" for text in _texts(transaction)]
    originator = "ultimate_creditor" if code in COLLECTIONS else "ultimate_debtor"
    for party in ("ultimate_debtor", "ultimate_creditor"):
        if party in transaction:
            found.append(f"{'ABWA' if party == originator else 'ABWE'}+{transaction[party].get('name', '')}")
    return found


def _codewords(entry: Mapping[str, Any], transaction: Mapping[str, Any]) -> str:
    role = _party(entry, transaction)
    party = transaction.get(role, {})
    city = party.get("address", {}).get("city_name")
    if city:
        parts = [f"/CNTP/{'/'.join(str(transaction.get(f'{role}_{name}', '')) for name in _COUNTERPARTY)}/{city}/"]
    else:
        parts = [f"/{word}/{value}" for word, name in _WORDS_OF_PARTY if (value := transaction.get(f"{role}_{name}"))]
    if posting := entry.get("additional_information"):
        parts.insert(0, f"/TRTP/{posting}")
    for word, name in _WORDS:
        if value := transaction.get(name):
            parts.append(f"/{word}/{value}")
    creditor = transaction.get("creditor", {})
    parts += [f"/CSID/{creditor['id']}"] if "id" in creditor else []
    for word, name in (("ULTD", "ultimate_debtor"), ("ULTC", "ultimate_creditor")):
        if name in transaction:
            parts.append(f"/{word}//NAME/{transaction[name].get('name', '')}")
    parts += [f"/{ref['type_code']}/{ref['ref']}" for ref in transaction.get("other_refs", ())]
    parts += [f"/REMI/{text}" for text in _remittances(transaction)]
    return "".join(parts)


_COUNTERPARTY = ("account", "bic", "name")
_WORDS_OF_PARTY = (("IBAN", "account"), ("BIC", "bic"), ("NAME", "name"))
_WORDS = (
    ("EREF", "end_to_end_id"), ("IREF", "instruction_id"), ("MARF", "mandate_id"), ("PREF", "batch_id"),
    ("PURP", "purpose_code"), ("RTRN", "return_reason_code"),
)  # fmt: skip


def _remittances(transaction: Mapping[str, Any]) -> list[str]:
    reference, kind = transaction.get("creditor_reference"), transaction.get("creditor_reference_type", "")
    texts = [str(text) for text in transaction.get("remittance_unstructured", ())]
    found = [f"USTD//{text.strip()}" for text in texts]
    if reference and not any(reference_in(text)[0] == reference for text in (*texts, " ".join(texts))):
        issuer = {"SCOR": "ISO", "CUR": "CUR"}.get(kind, kind or "CUR")
        found.append(f"STRD/{issuer}/{reference}")
    return found
