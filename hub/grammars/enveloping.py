"""What stands around a named document, out of the document itself: for what is written without a partner.

The fields are those that reading gives: ``interchange``, ``group``, ``message``. What is not said is the standard's
usual; what nobody but the sender can know (parties, control number, date and time) is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.errors import MappingError
from hub.formats._edi_charsets import LEVELS
from hub.formats._edi_envelopes import Party
from hub.formats._segments import EDIFACT, X12
from hub.formats._x12_envelope import GROUPS
from hub.grammars.types import MessageType
from hub.grammars.writing import Writer

_NEEDED = ("sender.id", "receiver.id", "control_number", "date", "time")
_HINT = (
    "write it in the mapping: interchange: {sender: {id: …}, receiver: {id: …}, control_number: …, date: …, time: …}; "
    "or send it to a partner, which has all of this and gives control numbers: to: {partner: NAME}"
)


def enveloped(document: Any, message: MessageType, number: int, charset: str = "") -> dict[str, Any]:
    """The document segment by segment, with its headers, as ``hub.formats`` writes it. ``number`` counts the messages
    from 1. Raises MappingError with everything that is missing, or with the first fault of its segments."""
    segments, faults = Writer(message).segments(document)
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise MappingError(
            f"{faults[0].message}{more}", code="encode", field_path=faults[0].path, value_excerpt=faults[0].seen,
            expected=faults[0].expected, cause=faults[0].cause, position=f"message {number}" if number > 1 else "",
        )  # fmt: skip
    _, release, type = message.standard.split("/")
    own = _Texts(document, "message")
    if own("type", type) != type:
        raise MappingError(
            f"the document is of the message {own('type')}, and the grammar is {message.name}", code="encode",
            field_path="message.type", value_excerpt=own("type"), expected=type,
        )  # fmt: skip
    interchange = _Texts(document, "interchange")
    _ask_for([name for name in _NEEDED if not interchange(name)], number)
    release = own("version", release)
    head = _edifact if message.syntax == "edifact" else _x12
    made = head(document, message, own("association"), release, own("reference"), number, charset)
    return {"syntax": message.syntax, **made, "segments": [made["segments"][0], *segments]}


def _ask_for(missing: list[str], number: int) -> None:
    if not missing:
        return
    names = [f"interchange.{name}" for name in missing]
    told = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    raise MappingError(
        f"an interchange cannot be written: {told} {'is' if len(names) == 1 else 'are'} missing", code="encode",
        field_path=names[0], position=f"message {number}" if number > 1 else "", expected=told, hint=_HINT,
    )  # fmt: skip


class _Texts:
    """The texts of one part of a document by their paths, '' or another text where there is none."""

    def __init__(self, document: Mapping[str, Any], part: str) -> None:
        self._part = document.get(part)

    def __call__(self, path: str, usual: str = "") -> str:
        found: Any = self._part
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return usual if found is None or found == "" else str(found)


def _edifact(
    document: Mapping[str, Any], message: MessageType, association: str, release: str, reference: str, number: int,
    charset: str,
) -> dict[str, Any]:  # fmt: skip
    interchange = _Texts(document, "interchange")
    version = interchange("version", "3")
    level = next((level for level, name in LEVELS.items() if name == charset and level != "UNOB"), "UNOC")
    kind = [part for part in (message.standard.rpartition("/")[2], release[:1], release[1:], "UN", association) if part]
    unb: list[Any] = ["UNB", [level, version], _party(interchange, "sender"), _party(interchange, "receiver"),
                      [interchange("date"), interchange("time")], interchange("control_number")]  # fmt: skip
    is_test = interchange("is_test") == "True"
    if interchange("application_reference") or is_test:
        unb += ["", interchange("application_reference"), *(["", "", "", "1"] if is_test else [])]
    made = {"interchange": unb, "segments": [["UNH", reference or str(number), kind]],
            "delimiters": EDIFACT._replace(repetition="*" if version == "4" else "")._asdict()}  # fmt: skip
    if isinstance(document.get("group"), Mapping):
        group = _Texts(document, "group")
        release = group("version", release)
        made["group"] = [
            "UNG", group("type", kind[0]), _party(group, "sender", interchange), _party(group, "receiver", interchange),
            [interchange("date"), interchange("time")], group("reference", "1"), "UN",
            [part for part in (release[:1], release[1:], group("association")) if part],
        ]  # fmt: skip
    return made


def _x12(
    document: Mapping[str, Any], message: MessageType, association: str, release: str, reference: str, number: int,
    charset: str,
) -> dict[str, Any]:  # fmt: skip
    interchange, group = _Texts(document, "interchange"), _Texts(document, "group")
    version, type = interchange("version", "00401"), message.standard.rpartition("/")[2]
    repetition = "^" if version >= "00402" else ""
    date, time, control = interchange("date"), interchange("time"), interchange("control_number")
    isa = [
        "ISA", "00", " " * 10, "00", " " * 10, interchange("sender.qualifier", "ZZ"), interchange("sender.id"),
        interchange("receiver.qualifier", "ZZ"), interchange("receiver.id"), date, time, repetition or "U", version,
        control, "0", "T" if interchange("is_test") == "True" else "P", ">",
    ]  # fmt: skip
    full = release + association
    gs = [
        "GS", group("type", message.functional_group or GROUPS.get(type, "ZZ")),
        group("sender.id", interchange("sender.id")), group("receiver.id", interchange("receiver.id")),
        f"20{date}" if len(date) == 6 else date, time, group("reference", control.lstrip("0") or "1"), "X",
        group("version", release) + group("association", association),
    ]  # fmt: skip
    st = ["ST", type, reference or f"{number:04}", *([full] if association and release >= "005010" else [])]
    delimiters = X12._replace(repetition=repetition)._asdict()
    return {"interchange": isa, "group": gs, "segments": [st], "delimiters": delimiters}


def _party(texts: _Texts, side: str, other: _Texts | None = None) -> str | list[str]:
    whose = texts if other is None or texts(f"{side}.id") else other
    return Party(*(whose(f"{side}.{name}") for name in ("id", "qualifier", "internal"))).element
