"""What the writers of bank text formats share: the parts of a statement made one, its fields looked at, texts cut."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hub.errors import MappingError, quoted_in, shown
from hub.formats._bank_told import in_its_limits
from hub.formats._statements import check
from hub.outline import Outline

Document = Mapping[str, Any]

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def refusal(path: str, seen: str, expected: str = "", hint: str = "") -> MappingError:
    """What a format cannot carry, with the path in the document."""
    where = path or "the document"
    detail = f"{where}: {seen}" + (f"; expected {expected}" if expected else "")
    return MappingError(detail, code="encode", field_path=path, expected=expected, hint=hint, quoted=quoted_in(seen))


def whole(documents: Iterable[Document]) -> Iterator[dict[str, Any]]:
    """Every statement, the parts that the hub has cut one into put together again. Raises MappingError for what is no
    statement, or does not add up."""
    begun: dict[str, Any] | None = None
    for document in documents:
        if "report_type" not in document:
            raise refusal("", "not a statement", "report_type, account, balances, entries")
        part = document.get("part")
        if begun is None and (not part or part["number"] == 1):
            begun = {**document, "entries": list(document.get("entries", ()))}
        elif begun is not None and part and part["number"] == begun["part"]["number"] + 1:
            begun["entries"] += document.get("entries", ())
            begun["part"] = part
            begun.update({name: document[name] for name in ("closing_balance",) if name in document})
        else:
            raise refusal("part", "a part of a statement without those before it", "all parts, in their order")
        if not part or part["is_last"]:
            yield _checked(begun)
            begun = None
    if begun is not None:
        raise refusal("part", "the last part of the statement is missing", "all parts, in their order")


def _checked(statement: dict[str, Any]) -> dict[str, Any]:
    if not statement["entries"]:
        del statement["entries"]
    faults = [in_its_limits(fault, statement) for fault in check(statement)]
    if wrong := next((fault for fault in faults if fault.is_error), None):
        raise refusal("", wrong.message)
    return statement


def in_shape(value: Any, outline: Outline | None, path: str = "", depth: int = 0) -> Any:
    """A document, or a value at ``path`` in it, without the fields that are nothing. Raises MappingError for what is of
    another kind than its place in the outline, for a binary float, and for what is nested too deep."""
    if depth > 20:
        raise refusal(path[:80], "nesting deeper than 20")
    if isinstance(value, float):
        raise refusal(path, "a binary float", "a decimal; compute with dec()")
    if isinstance(value, Decimal) and not value.is_finite():
        raise refusal(path, "not a number", "a decimal number")
    is_whole = isinstance(value, Decimal) and value.adjusted() < 18 and value == int(value)
    if is_whole and outline and outline.kind == "integer":
        value = int(value)  # dec() gives decimals
    fits, wanted = _KINDS.get(outline.kind if outline else "any", _ANYTHING)
    if not isinstance(value, fits) or (isinstance(value, bool) and bool not in fits):
        raise refusal(path, _seen(value), wanted)
    if isinstance(value, Mapping):
        return {
            name: in_shape(inner, outline and outline.field(name), f"{path}.{name}".lstrip("."), depth + 1)
            for name, inner in value.items()
            if inner is not None
        }
    if isinstance(value, list | tuple):
        below = outline and outline.element
        return [in_shape(inner, below, f"{path}[{index}]", depth + 1) for index, inner in enumerate(value)]
    return Decimal(value) if isinstance(value, int) and outline and outline.kind == "number" else value


_ANYTHING: tuple[tuple[type, ...], str] = (object, bool), "a value"
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "object": ((Mapping,), "an object"), "list": ((list, tuple), "a list"), "boolean": ((bool,), "true or false"),
    "number": ((Decimal, int), "a number"), "integer": ((int,), "a whole number"),
    **dict.fromkeys(("text", "date", "instant"), ((str,), "text")),
}  # fmt: skip


def _seen(value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        return "an object" if isinstance(value, Mapping) else "a list"
    return shown(str(value))


def names_of(words: str) -> frozenset[str]:
    """The words of a text as a set of names."""
    return frozenset(words.split())


def only_known(path: str, value: Document, known: frozenset[str], format_name: str) -> None:
    """Refuses a field that the format has no place for."""
    for name in value:
        if name not in known:
            at = f"{path}.{name}".lstrip(".")
            raise refusal(at, f"{format_name} has no place for it", hint=f"leave {name} out before it is written")


def needed(path: str, value: Document, name: str) -> Any:
    """A field that has to be there. Raises MappingError."""
    found = value.get(name)
    if found is None or found == "":
        raise refusal(f"{path}.{name}".lstrip("."), "missing")
    return found


def day(path: str, value: Any) -> str:
    """``2026-03-09`` as ``260309``."""
    if not isinstance(value, str) or not _DAY.match(value):
        raise refusal(path, "not a day", "2026-03-09")
    return value[2:4] + value[5:7] + value[8:10]


def balance_day(statement: Document, kind: str) -> str:
    """The day of the opening (OPBD) or closing balance (CLBD): its own, else that of the period, else of an entry."""
    for balance in statement.get("balances", ()):
        if balance.get("type_code") == kind and "date" in balance:
            return str(balance["date"])
    is_opening = kind == "OPBD"
    period = statement.get("period", {}).get("start_date" if is_opening else "end_date")
    days = [str(entry["booking_date"]) for entry in statement.get("entries", ()) if "booking_date" in entry]
    found = period or (days and (min if is_opening else max)(days)) or str(statement.get("created_at", ""))[:10]
    if not found:
        raise refusal("balances", f"no day of the {'opening' if is_opening else 'closing'} balance", "balances[].date")
    return str(found)


def cut(text: str, width: int) -> list[str]:
    """A text in pieces of a width; one empty piece of an empty text."""
    return [text[at : at + width] for at in range(0, len(text), width)] or [""]
