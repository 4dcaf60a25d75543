"""Control numbers and the time of preparation are known when an interchange is stored, after it was written: until then
marks stand for them, which no data may hold: what is written is looked at for that. What a partner's interchanges prove
themselves with stands in them when they are sent, and never in the store.

>>> filled(b"UNZ+1+" + number("interchange").encode(), {"interchange": 42}, datetime(2026, 3, 5, 9, 30))
b'UNZ+1+42'
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

MARK = "\x00"
KINDS = ("interchange", "group", "message")
PROOFS = ("password", "authorization")
_MARKS = re.compile(rb"\x00([a-z]+) ?([^\x00]*)\x00")


def number(kind: str, digits: int = 0, index: int = 0) -> str:
    """Stands for a control number, with leading zeros so many digits long; ``index`` is that of a message, from 0."""
    return f"{MARK}{kind} {digits} {index}{MARK}" if index else f"{MARK}{kind} {digits}{MARK}"


def prepared(form: str) -> str:
    """Stands for the time of preparation, written as ``strftime`` writes this form."""
    return f"{MARK}time {form}{MARK}"


def proof(kind: str, width: int = 0) -> str:
    """Stands for one of PROOFS, with blanks behind it so many characters long."""
    return f"{MARK}{kind} {width}{MARK}"


def is_mark(text: str) -> bool:
    """Whether this is one mark and nothing else."""
    return _MARKS.fullmatch(text.encode()) is not None


def filled(content: bytes, numbers: Mapping[str, int | Sequence[int]], at: datetime) -> bytes:
    """The bytes with numbers, of several messages a list of them, and time; ``at`` is the partner's local time."""

    def text(found: re.Match[bytes]) -> bytes:
        kind, how = found[1].decode(), found[2].decode()
        if kind in PROOFS:
            return found[0]
        if kind == "time":
            return at.strftime(how).encode()
        digits, _, index = how.partition(" ")
        given = numbers[kind]
        return str(given if isinstance(given, int) else given[int(index or 0)]).zfill(int(digits)).encode()

    return _MARKS.sub(text, content)


def filled_proofs(content: bytes, proofs: Callable[[str], bytes]) -> bytes:
    """The bytes with what ``proofs`` gives for a kind of PROOFS; all else must be there already."""

    def text(found: re.Match[bytes]) -> bytes:
        return proofs(found[1].decode()).ljust(int(found[2]))

    return _MARKS.sub(text, content)


def without(content: bytes) -> bytes:
    """The bytes without their marks."""
    return _MARKS.sub(b"", content)
