"""Typing mistakes in the tree of a mapping file: its keys, its lines, its quotes."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from random import Random

from hub.outline import Outline
from hub.project import reference_files
from hub.schemas import SchemaSet
from tests.mutants.in_expressions import one_of, put
from tests.mutants.places import Pair, line_starts, pairs
from tests.mutants.typing_slips import mistyped

_KEYWORDS = ("each", "as", "index", "when", "let", "item", "const", "source", "target", "format", "schema", "tables",
             "output", "group_by", "mapping", "version")  # fmt: skip


def misspell_target(text: str, rng: Random) -> str | None:
    """The name of a target field is mistyped."""
    pair = one_of((pair for pair in pairs(text) if _is_field(pair)), rng)
    return pair and put(text, pair.start, pair.end, mistyped(pair.key.rstrip("?"), rng) + "?" * pair.key.endswith("?"))


def _is_field(pair: Pair) -> bool:
    is_inside = pair.path[:1] == ("output",) or (pair.path[:1] == ("let",) and "item" in pair.path)
    return is_inside and pair.key not in _KEYWORDS and "let" not in pair.path[1:]


def misspell_keyword(text: str, rng: Random) -> str | None:
    """A key of the language is mistyped: eahc, itme, wehn, taget."""
    pair = one_of((pair for pair in pairs(text) if pair.key in _KEYWORDS), rng)
    return pair and put(text, pair.start, pair.end, mistyped(pair.key, rng))


def misspell_let(text: str, rng: Random) -> str | None:
    """A name is mistyped where it is given."""
    pair = one_of((pair for pair in pairs(text) if pair.path and pair.path[-1] == "let"), rng)
    return pair and put(text, pair.start, pair.end, mistyped(pair.key, rng))


def misspell_schema(text: str, rng: Random) -> str | None:
    """The name of a schema or a format is mistyped."""
    pair = one_of((pair for pair in pairs(text) if pair.key in ("schema", "format") and pair.value), rng)
    return pair and pair.value and put(text, pair.value_start, pair.value_end, mistyped(pair.value, rng))


def _lines(text: str, pattern: str) -> list[tuple[int, int]]:
    """The lines of a file that fit a pattern: where each begins, and where the next one does."""
    starts = line_starts(text)
    return [(start, end) for start, end in pairwise(starts)
            if re.match(pattern, text[start:end])]  # fmt: skip


def drop_keyword_line(text: str, rng: Random) -> str | None:
    """The line of each:, as:, index: or item: of a loop or a block is lost."""
    place = one_of(_lines(text, r" *(each|as|item|index):"), rng)
    return place and put(text, *place, "")


def drop_let(text: str, rng: Random) -> str | None:
    """The line of a name under let: is lost."""
    lets = {pair.start for pair in pairs(text) if pair.path and pair.path[-1] == "let" and pair.value is not None}
    place = one_of([(start, end) for start, end in _lines(text, "") if any(start <= let < end for let in lets)], rng)
    return place and put(text, *place, "")


def double_line(text: str, rng: Random) -> str | None:
    """A line stands twice."""
    place = one_of(_lines(text, r" *[\w?]+:"), rng)
    return place and text[: place[1]] + text[slice(*place)] + text[place[1] :]


def move_line(text: str, rng: Random) -> str | None:
    """A line stands two blanks further in or out than it should."""
    place = one_of(_lines(text, r"  +[\w?]+:"), rng)
    if place is None:
        return None
    line = text[slice(*place)]
    return put(text, *place, rng.choice([f"  {line}", line[2:]]))


def drop_colon(text: str, rng: Random) -> str | None:
    """The colon after a key, or the blank after it, is forgotten."""
    pair = one_of((pair for pair in pairs(text) if text[pair.end : pair.end + 2] == ": "), rng)
    return pair and put(text, pair.end, pair.end + 2, rng.choice([" ", ":"]))


def drop_yaml_quotes(text: str, rng: Random) -> str | None:
    """The quotes that YAML wants around an expression are forgotten."""
    pair = one_of((pair for pair in pairs(text) if pair.is_quoted and text[pair.value_start] == '"'), rng)
    return pair and put(text, pair.value_start, pair.value_end, text[pair.value_start + 1 : pair.value_end - 1])


def drop_required(text: str, rng: Random) -> str | None:
    """A field that the target's schema requires is lost, with all that stands below it."""
    schema = re.search(r"^target: .*schema: ([\w/.-]+)", text, re.MULTILINE)
    found = [pair for pair in pairs(text) if _is_field(pair) and schema and _is_required(schema[1], pair)]
    pair = one_of((pair for pair in found if text[: pair.start].rpartition("\n")[2].isspace()), rng)
    if pair is None:
        return None
    start, end = text.rfind("\n", 0, pair.start) + 1, text.find("\n", pair.value_end - 1)
    below = re.compile(rf"(?:(?: {{{pair.start - start + 1},}}.*)?\n)*").match(text, end + 1)
    return put(text, start, below.end() if below else end + 1, "")


@lru_cache(maxsize=1)
def _schemas() -> SchemaSet:
    return SchemaSet(reference_files())


def _is_required(schema: str, pair: Pair) -> bool:
    """Whether the schema requires the field of that name in the object that it stands in."""
    names = [name.rstrip("?") for name in pair.path[1:] if name not in ("item", "[]")]
    if pair.path[0] == "let":  # what a name stands for is taken as the list of lines
        names = ["order_lines", *names[1:]]
    place: Outline | None = _schemas().outline(schema)
    for name in names:
        place = place and place.field(name)
        place = place.element if place and place.kind == "list" else place
    return place is not None and pair.key.rstrip("?") in place.required
