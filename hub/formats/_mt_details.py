"""Field 86 of an entry, information to the account owner: which structure it has, and what it says.

Three kinds are known. *Subfields* are of Germany, Austria, Poland and others: a code of three digits, then numbers of
two digits behind one sign (``166?00...?20...``, ``020~00...~20...``). *Codewords* are of the Netherlands and of SWIFT:
``/TRTP/.../IBAN/.../REMI/...``. Anything else is a text, kept whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.formats._bank_references import reference_in
from hub.identifiers import is_bic, is_iban

WIDTH = 65

_SUBFIELDS = re.compile(r"([0-9]{3})?([?<^~@§!#|=$&*%])(?=[0-9]{2})")
_KEYWORDS = ["EREF", "KREF", "MREF", "CRED", "DEBT", "COAM", "OAMT", "SVWZ", "ABWA", "ABWE", "IBAN", "BIC", "PURP"]
_CODE_ALONE = re.compile(r"([0-9]{3}|) *")
_GAP = "\x00"  # where a subfield ended before it was full
_KEYWORD = re.compile(rf"(?:{'|'.join(f'{_GAP}?'.join(word) for word in _KEYWORDS)}){_GAP}?\+")
_CODEWORDS = [
    "TRTP",
    "RTYP",
    "IBAN",
    "BBAN",
    "BIC",
    "NAME",
    "REMI",
    "EREF",
    "MARF",
    "CSID",
    "CNTP",
    "RTRN",
    "ULTC",
    "ULTD",
    "ORDP",
    "BENM",
    "PREF",
    "PURP",
    "TRCD",
    "ISDT",
    "ADDR",
    "ACCW",
    "ULTB",
    "SVCL",
    "OCMT",
    "EXCH",
    "CHGS",
    "RREF",
    "CREF",
    "IREF",
    "VS",
    "KS",
    "SS",
    "NRTX",
]
_CODEWORD = re.compile(rf"/({'|'.join(_CODEWORDS)})/")
COLLECTIONS = frozenset(
    ["104", "105", "106", "107", "108", "109", "171", "174", "181", "184", "192", "193", "196"]
)  # GVC of direct debits

# GVC of collections and transfers that come back, and of collections that are credited again.
_RETURNS = frozenset(["108", "109", "159", "181", "184"])


def role_of(entry: Mapping[str, Any], kind: str, code: str, reason: str) -> str:
    """Which end the other party of an entry is. Who pays, where money comes in; but where a payment is taken back or
    comes back, it stays what it was of that payment: of a collection that is returned, the debtor."""
    comes_back = bool(entry.get("reversal_indicator") or code in _RETURNS or kind[1:] == "RTI" or reason)
    return "debtor" if (entry["credit_debit_indicator"] == "CRDT") != comes_back else "creditor"


@dataclass(slots=True)
class Details:
    """What a field 86 says. ``code``, ``journal`` and ``key`` are those of a German bank: GVC, Primanota and
    Textschlüsselergänzung; ``values`` is by the names of a transaction of the party at the other end: ``name``,
    ``account``, ``bic``, ``id``; ``posting`` the bank's word for what it is."""

    code: str = ""
    journal: str = ""
    key: str = ""
    posting: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    texts: list[str] = field(default_factory=list)


def details_of(lines: Sequence[str]) -> Details:
    """What the lines of a field 86 say."""
    lines = _with_code(lines)
    first = lines[0]
    if first.startswith("/") and _CODEWORD.match(first):
        return _by_codewords(joined(lines, "/"))
    if match := _SUBFIELDS.match(first):
        return _by_subfields(joined(lines, match[2]), match)
    return Details(texts=texts_of(lines))


def _with_code(lines: Sequence[str]) -> Sequence[str]:
    """The lines with a code that stands alone in the first of them, or is said there once more, before the next."""
    if len(lines) > 1 and (alone := _CODE_ALONE.fullmatch(lines[0])):
        second = lines[1] if lines[1].startswith(alone[1]) else alone[1] + lines[1]
        if _SUBFIELDS.match(second) or _CODEWORD.match(second):
            return [second, *lines[2:]]
    return lines


def marks_of(lines: Sequence[str]) -> re.Pattern[str] | None:
    """What begins a subfield or a word in a field 86 of these lines, its name a group; None in a free text."""
    first = _with_code(lines)[0]
    if _CODEWORD.match(first):
        return _CODEWORD
    if match := _SUBFIELDS.match(first):
        return re.compile(rf"{re.escape(match[2])}([0-9]{{2}})|({'|'.join(_KEYWORDS)})\+")
    return None


def joined(lines: Sequence[str], sign: str = "") -> str:
    """Lines of a structured field as one text. A line one short of the full width has lost a blank at its end."""
    if len(lines) == 1:
        return lines[0]
    is_full = any(len(line) == WIDTH for line in lines)
    return "".join(
        line + " " if is_full and len(line) == WIDTH - 1 and not lines[at + 1].startswith((sign, " ")) else line
        for at, line in enumerate(lines[:-1])
    ) + lines[-1]  # fmt: skip


def texts_of(lines: Sequence[str]) -> list[str]:
    """Lines of a free text; what fills a line to its width goes on in the next."""
    texts, goes_on = list[str](), False
    for line in lines:
        if goes_on:
            texts[-1] += line
        else:
            texts.append(line)
        goes_on = len(line) == WIDTH
    return [text for each in texts if (text := each.strip())]


def reference_of(texts: Sequence[str]) -> tuple[str, str]:
    """The structured reference in the remittance texts of a transaction, and its type."""
    for text in texts:
        found = reference_in(text)
        if found[0]:
            return found
    return reference_in(" ".join(texts)) if len(texts) > 1 else ("", "")


def _by_subfields(text: str, match: re.Match[str]) -> Details:
    parts = re.split(re.escape(match[2]) + "([0-9]{2})", text[match.end(1) if match[1] else 0 :])
    found, purpose, names, values = Details(match[1] or ""), list[str](), list[str](), dict[str, Any]()
    for number, content in zip(parts[1::2], parts[2::2], strict=True):
        if "20" <= number <= "29" or "60" <= number <= "63":
            purpose.append(content)
        elif number in ("32", "33"):
            names.append(content)
        elif number in _PLAIN:
            setattr(found, _PLAIN[number], content.strip())
        elif number in ("30", "31", "38"):
            values[number] = content.strip()
        elif content.strip():
            values.setdefault("other_refs", []).append({"type_code": f"86?{number}", "ref": content.strip()})
    found.values = _account(values)
    if name := _in_one(names, 27):
        found.values["name"] = name
    _read_purpose(purpose, found)
    return found


_PLAIN = {"00": "posting", "10": "journal", "34": "key"}


def _account(values: dict[str, Any]) -> dict[str, Any]:
    """The other end's account and bank: an IBAN, or the national bank number and account as one text."""
    bank, account, other = (values.pop(number, "") for number in ("30", "31", "38"))
    if is_iban(other) or not account:
        account, other = other, account if account != other else ""
    if is_bic(bank):
        values["bic"], bank = bank, ""
    if account and bank and not is_iban(account):
        account, bank = f"{bank}/{account}", ""
    if account:
        values["account"] = account
    for number, left in (("30", bank), ("31", other)):
        if left:
            values.setdefault("other_refs", []).append({"type_code": f"86?{number}", "ref": left})
    return values


def _in_one(parts: Sequence[str], width: int) -> str:
    """Parts of a text that was cut at a width; one that is not full has lost the blank at its end."""
    return _free("".join(part if len(part) >= width else part + _GAP for part in parts))


def _read_purpose(purpose: list[str], found: Details) -> None:
    """The keywords of SEPA in the remittance text, wherever a bank has broken the lines, also within a keyword."""
    width = max(27, *map(len, purpose)) if purpose else 27
    text = "".join(part if len(part) == width else part + _GAP for part in purpose).rstrip(_GAP)
    at = [match for match in _KEYWORD.finditer(text) if _is_keyword(text, match)]
    before = text[: at[0].start()] if at else text
    texts = [_free(before)] if before.strip(_GAP + " ") else []
    for match, value in _with_values(at, text):
        word = match.group().replace(_GAP, "")[:-1]
        if word == "SVWZ":
            texts.append(_free(value))
        elif plain := _free(value) if word in ("ABWA", "ABWE") else value.replace(_GAP, "").strip():
            _keyword(word, plain, found)
    found.texts = [text for text in texts if text]


def _with_values(words: Sequence[re.Match[str]], text: str) -> Iterator[tuple[re.Match[str], str]]:
    """Each word and what stands between it and the next."""
    ends = [*(word.start() for word in words[1:]), len(text)]
    for word, end in zip(words, ends, strict=False):
        yield word, text[word.end() : end]


def _is_keyword(text: str, match: re.Match[str]) -> bool:
    """BIC and IBAN are words of any text: they count only where a subfield or a word begins."""
    if match.start() == 0 or text[match.start() - 1] in f"{_GAP} ":
        return True
    return match.group().replace(_GAP, "") not in ("BIC+", "IBAN+", "PURP+")


def _free(text: str) -> str:
    return re.sub(f" *{_GAP} *", " ", text.strip(_GAP + " "))


def _keyword(word: str, value: str, found: Details) -> None:
    values = found.values
    if word in ("ABWA", "ABWE"):
        is_originator = (word == "ABWA") != (found.code in COLLECTIONS)
        values["ultimate_debtor" if is_originator else "ultimate_creditor"] = {"name": value}
    elif word == "CRED":
        values["creditor_id"] = value
    elif word == "DEBT":
        values["debtor_id"] = value
    elif word in ("COAM", "OAMT"):
        values.setdefault("other_refs", []).append({"type_code": word, "ref": value})
    elif value != "NOTPROVIDED":
        values.setdefault(_NAMES[word], value)


_NAMES = {
    "EREF": "end_to_end_id", "KREF": "account_owner_ref", "MREF": "mandate_id", "IBAN": "account", "BBAN": "account",
    "BIC": "bic", "PURP": "purpose_code", "MARF": "mandate_id", "CSID": "creditor_id", "NAME": "name",
    "RTRN": "return_reason_code", "PREF": "batch_id", "IREF": "instruction_id",
}  # fmt: skip


def _by_codewords(text: str) -> Details:
    at = list(_CODEWORD.finditer(text))
    found, party = Details(), ""
    for match, value in _with_values(at, text):
        if match[1] == "NAME" and party:
            _codeword(party, value, found)  # /ULTC//NAME/...
        else:
            _codeword(match[1], value, found)
        party = match[1] if match[1] in _ULTIMATE and not value.strip("/ ") else ""
    return found


_ULTIMATE = {"ULTD": "ultimate_debtor", "ULTC": "ultimate_creditor"}


def _codeword(word: str, written: str, found: Details) -> None:
    value, values = written.strip().strip("/").strip(), found.values
    if word == "REMI":
        _remittance(written, found)
    elif word == "CNTP":
        for name, part in zip(("account", "bic", "name", "city"), written.split("/"), strict=False):
            if part.strip():
                values.setdefault(name, part.strip())
    elif not value or value == "NOTPROVIDED" or word in ("ORDP", "BENM"):
        return
    elif word in _ULTIMATE:
        values[_ULTIMATE[word]] = {"name": value.removeprefix("NAME/")}
    elif word in ("TRTP", "RTYP"):
        found.posting = value
    elif word in _NAMES and _NAMES[word] not in values:
        values[_NAMES[word]] = value
    else:
        values.setdefault("other_refs", []).append({"type_code": word, "ref": value})


# As the Rabobank words a reference and its issuer, and as ABN AMRO does.
_WORDED = re.compile(r"(?:/?CDTRREFTP//CD/SCOR/(?:ISSR/)?|Issuer: *)(\w*)(?:/?CDTRREF/| *Ref: *)([^/]+)")


def _remittance(written: str, found: Details) -> None:
    """``/REMI/USTD//text``, ``/REMI/STRD/CUR/reference`` and ``/REMI/text``; the reference as others word it."""
    if match := _WORDED.fullmatch(written.strip().rstrip("/")):
        found.values["structured"] = (match[2].strip(), match[1])
        return
    if written.startswith("STRD/"):
        issuer, _, reference = written.removeprefix("STRD/").strip("/ ").rpartition("/")
        found.values["structured"] = (reference.strip(), issuer.strip("/"))
        return
    text = written.removeprefix("USTD/").strip("/ ") if written.startswith("USTD/") else written.strip().rstrip("/")
    if text.strip():
        found.texts.append(text.strip())
