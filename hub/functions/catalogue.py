"""The list of all mapping functions as Markdown, from their declarations: ``python -m hub.functions.catalogue``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hub.functions import Function, functions, topics

_TITLES = {
    "text": "Text", "patterns": "Patterns", "charsets": "Sets of characters", "numbers": "Numbers", "money": "Money",
    "units": "Units", "dates": "Dates and instants", "periods": "Months, weeks, periods", "edi_dates": "Dates of EDI",
    "business_days": "Business days", "presence": "Presence, look-ups", "lists": "Lists", "records": "Lists of objects",
    "files": "Files", "codes": "Numbers of GS1", "countries": "Countries, currencies, terms of delivery",
    "parties": "Parties and accounts", "references": "Payment references", "remittance": "Remittance texts",
}  # fmt: skip
_ANSWERS = {
    "never": "", "first": "nothing for nothing", "empty": "nothing for nothing and for empty text",
    "always": "may give nothing",
}  # fmt: skip


def catalogue() -> str:
    """One section per topic, one entry per function: signature, what it does, examples."""
    ordered = [topic for topic in _TITLES if topic in topics()] + [topic for topic in topics() if topic not in _TITLES]
    return "\n".join([_contents(ordered), "", *(line for topic in ordered for line in _section(topic))])


def _contents(ordered: list[str]) -> str:
    """Every name by topic, to look for one at a glance."""
    names = {topic: [f"`{f.name}`" for f in functions().values() if f.topic == topic] for topic in ordered}
    rows = [f"| {_title(topic)} | {' '.join(names[topic])} |" for topic in ordered]
    return "\n".join(["| about | functions |", "|---|---|", *rows])


def _title(topic: str) -> str:
    return _TITLES.get(topic, topic.capitalize().replace("_", " "))


def _section(topic: str) -> Iterator[str]:
    yield f"## {_title(topic)}\n"
    for function in functions().values():
        if function.topic == topic:
            answer = _ANSWERS[function.nothing]
            gives = f"{function.returns}{f'; {answer}' if answer else ''}"
            yield f"**`{function.signature}`** → {gives}<br>{function.summary}"
            yield from _examples(function)
            yield ""


def _examples(function: Function) -> Iterator[str]:
    if function.examples:
        shown = "; ".join(f"`{text}` → `{written(expected)}`" for text, expected in function.examples)
        yield f"<br>{shown}"


def written(value: Any) -> str:
    """A value as a mapping would write it."""
    match value:
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return f"'{value}'"
        case int() | Decimal():
            return str(value)
        case list():
            return f"[{', '.join(map(written, value))}]"
        case _:
            return f"{{{', '.join(f'{key}: {written(child)}' for key, child in value.items())}}}"
