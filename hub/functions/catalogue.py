"""The list of all mapping functions as Markdown, from their declarations: ``python -m hub.functions.catalogue``."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from hub.functions import Function, functions, topics

_TITLES = {
    "codes": "Codes and references", "dates": "Dates and instants", "lists": "Lists", "money": "Money",
    "numbers": "Numbers", "parties": "Parties", "presence": "Presence, look-ups", "text": "Text",
}  # fmt: skip


def catalogue() -> str:
    """One section per topic, one entry per function: signature, what it does, examples."""
    return "\n".join(line for topic in topics() for line in _section(topic))


def _section(topic: str) -> Iterator[str]:
    yield f"### {_TITLES.get(topic, topic.capitalize())}\n"
    for function in functions().values():
        if function.topic == topic:
            yield f"**`{function.signature}`** {function.summary}"
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
