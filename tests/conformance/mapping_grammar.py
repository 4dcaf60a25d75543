"""Expressions and documents made to do harm, by a grammar and a seed; and the child process that runs them.

    python -m tests.conformance.mapping_grammar FIRST COUNT

Runs COUNT seeds with bounded memory and prints one line for each that does what no mapping may: raise anything but
MappingError or ProjectError, show a word of Python's, take longer than a few seconds, or give what is no data.
"""

from __future__ import annotations

import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

from hub.errors import MappingError, ProjectError
from hub.functions import functions
from hub.mapping import Context, compile_expression, compile_mapping
from tests.memory import highest_megabytes
from tests.unit.mapping.build import TABLES

SECONDS = 8.0  # of CPU, for one expression on one document: a million turns of a loop take some
MEMORY = 1_500_000_000
PYTHON = (
    "Traceback",
    "NoneType",
    "Error(",
    "__",
    "<class",
    "object at 0x",
    "'dict'",
    "'list'",
    "'str'",
    "'int'",
    "Decimal(",
)
_NAMES = [
    "src",
    "src.a",
    "src.list",
    "src.rows",
    "src.text",
    "src.big",
    "src.deep",
    "envelope",
    "x",
    "x",
    "true",
    "null",
]
_NUMBERS = ["0", "1", "2", "-1", "0.1", "100000", "1e20", "9" * 40, "1e-20", "0x10", "1_000"]
_ODD_NUMBERS = ["9" * 41, "1j", "1e999", "٣", "b'x'", "f'{src!r}'", r"'\ud800'"]
_TEXTS = ["''", "'a'", "'" + "ab" * 300 + "'", "'{0.__class__}'", "'%s'", r"'\x00'", "'EUR'", "'2026-03-05'",
          "'FR'", "'YYYYMMDD'", "'*'", "f'{src.a}'", "f'{src.text}{src.text}'", "'102'", "'ﬁ'", "'a'", "'n'",
          "';'"]  # fmt: skip
_ESCAPES = [
    "src.__class__", "src.get('a')", "().__class__", "__import__('os')", "lambda: 1", "(y := 1)", "[*src]", "{**src}",
    "src[0:1]", "src[src]", "text.__globals__", "_sum_of", "f_text(1)", "v_src", "_none", "open('x')", "eval('1')",
    "src.＿class", "src.ｃlass", "2 ** 9999", "'a' % 1", "1 // 0", "~1", "1 << 99", "await x", "...", "globals()",
]  # fmt: skip
_SIGNS = ["+", "-", "*", "/", "**", "%", "//", "|", "&", "@", "<<"]
_COMPARE = ["==", "!=", "<", "<=", ">", ">=", "in", "not in", "is"]


class Grammar:
    """Makes expressions. ``depth`` bounds how far they nest; most are well formed, some are not."""

    def __init__(self, draw: Random) -> None:
        self.draw = draw
        self.known = sorted(functions())

    def expression(self, depth: int = 3) -> str:
        if depth <= 0 or self.draw.random() < 0.2:
            return self.atom()
        return self.draw.choice(_RULES)(self, depth - 1)

    def atom(self) -> str:
        if self.draw.random() < 0.01:
            return self.draw.choice(_ESCAPES + _ODD_NUMBERS)
        return self.draw.choice(self.draw.choice((_NAMES, _NAMES, _NAMES, _NAMES, _NUMBERS, _TEXTS)))

    def call(self, depth: int) -> str:
        name = self.draw.choice(self.known)
        count = self.draw.randint(functions()[name].least, min(functions()[name].most or 3, 4))
        return f"{name}({', '.join(self.argument(functions()[name].wants(at), depth) for at in range(count))})"

    def argument(self, kind: str, depth: int) -> str:
        """An argument that the lint lets pass most of the time."""
        if self.draw.random() < 0.3:
            return self.expression(depth)
        if kind in ("text", "date", "instant"):
            return self.draw.choice(_TEXTS) if self.draw.random() < 0.5 else self.draw.choice(_NAMES[:7])
        if kind in ("number", "decimal", "integer"):
            return self.draw.choice(_NUMBERS) if self.draw.random() < 0.5 else f"dec({self.draw.choice(_NAMES[:7])})"
        return self.listed(depth) if kind == "list" else self.draw.choice(_NAMES)

    def listed(self, depth: int) -> str:
        """What may be a list."""
        if depth <= 0 or self.draw.random() < 0.5:
            return self.draw.choice(["src.list", "src.rows", "src.rows", "x", "src.text", "src"])
        return self.comprehension(depth - 1) if self.draw.random() < 0.5 else f"listed({self.expression(depth - 1)})"

    def binary(self, depth: int) -> str:
        sign = self.draw.choice(_SIGNS[:4] if self.draw.random() < 0.9 else _SIGNS)
        if self.draw.random() < 0.4:
            return f"(dec({self.expression(depth)}) {sign} dec({self.expression(depth)}))"
        return f"({self.expression(depth)} {sign} {self.expression(depth)})"

    def comparison(self, depth: int) -> str:
        return f"({self.expression(depth)} {self.draw.choice(_COMPARE)} {self.expression(depth)})"

    def logic(self, depth: int) -> str:
        return f"({self.expression(depth)} {self.draw.choice(['and', 'or'])} {self.expression(depth)})"

    def choice(self, depth: int) -> str:
        return f"({self.expression(depth)} if {self.expression(depth)} else {self.expression(depth)})"

    def comprehension(self, depth: int) -> str:
        name = self.draw.choice("xxxz")
        test = f" if {self.expression(depth)}" if self.draw.random() < 0.3 else ""
        more = f" for {self.draw.choice('pq')} in {self.listed(depth)}" if self.draw.random() < 0.4 else ""
        return f"[{self.expression(depth)} for {name} in {self.listed(depth)}{more}{test}]"

    def path(self, depth: int) -> str:
        steps = self.draw.choices([".a", ".b", "['a-b']", "[0]", "[-1]", ".n"], k=2)
        return f"{self.draw.choice(['src', 'src.rows', 'src.list', 'x', 'src.deep'])}{''.join(steps)}"

    def display(self, depth: int) -> str:
        parts = [self.expression(depth) for _ in range(self.draw.randint(0, 3))]
        if self.draw.random() < 0.5:
            return f"[{', '.join(parts)}]"
        fields = ", ".join(f"'k{at}': {part}" for at, part in enumerate(parts))
        return f"{{{fields}}}"

    def pipe(self, depth: int) -> str:
        return f"({self.expression(depth)} | {self.call(depth)})"

    def word(self, depth: int) -> str:
        return f"{self.draw.choice(['not ', '-', '+', 'sum', 'text'])}({self.expression(depth)})"

    def noise(self, depth: int) -> str:
        """A well-formed expression with a few signs changed."""
        text = list(self.expression(depth))
        for _ in range(self.draw.randint(1, 3)):
            text[self.draw.randrange(len(text))] = self.draw.choice("()[]{}'\"\\.:,#=!?@ \t\x00é\u200b\u2028")
        return "".join(text)


_RULES: list[Callable[[Grammar, int], str]] = [
    Grammar.call, Grammar.call, Grammar.call, Grammar.call, Grammar.binary, Grammar.binary, Grammar.comparison,
    Grammar.logic, Grammar.choice, Grammar.comprehension, Grammar.comprehension, Grammar.path, Grammar.path,
    Grammar.display, Grammar.pipe, Grammar.word,
]  # fmt: skip


def documents() -> list[dict[str, Any]]:
    """Payloads: what a decoder may give, at its worst."""
    deep: Any = "x"
    for _ in range(100):
        deep = {"a": deep}
    collide = (2**61 - 1) * 7
    rows = [{"a": str(n % 50), "b": Decimal(n) / 7, "n": n, "a-b": None} for n in range(300)]
    odd = "\ud800\x00\u202e"
    many = [n * collide for n in range(3000)]
    return [
        {"a": 1, "list": [1, Decimal("2.5"), None, "3"], "rows": rows[:5], "text": "Erika 2026-03-05"},
        {"a": "1.5", "list": many, "rows": rows, "text": "a" * 50_000, "big": 10**39, "deep": deep},
        {"a": {"b": [{}]}, "list": [[[[]]]] * 50, "rows": [None, {}, [], 7], "text": odd, "big": Decimal("1E+20")},
        {"a": [], "list": ["ab"] * 5000, "rows": {"a": "not a list"}, "text": "RF18 " * 2000, "big": Decimal("NaN")},
        {"a": "", "list": "text", "rows": "", "text": "+" * 9_000, "big": Decimal("-1E-20"), "deep": [deep] * 3},
        {},
    ]


class Hang(BaseException):
    """Raised by the alarm inside whatever runs too long; no guard of the hub catches it."""


def alarm(*_: object) -> None:
    """What the timer of this process's CPU calls."""
    raise Hang


def faults(seed: int, payloads: list[dict[str, Any]]) -> Iterator[str]:
    """What one seed's expression does that it may not, in words."""
    text, run = compiled_expression(seed)
    if isinstance(run, str):
        yield from [f"{seed}: {text}: {run}"] if run else []
        return
    for number, document in enumerate(payloads):
        odd = isinstance(big := document.get("big"), Decimal) and not big.is_finite()
        wrong = guarded(lambda document=document: run(document), text, odd=odd)  # type: ignore[misc]
        if wrong:
            yield f"{seed}: {text}: document {number}: {wrong}"


def compiled_expression(seed: int) -> tuple[str, Callable[[Any], Any] | str]:
    """The expression of a seed, and its function of a document; empty text where it is refused as it should be."""
    draw = Random(seed)
    grammar = Grammar(draw)
    text = grammar.expression() if draw.random() < 0.9 else grammar.noise(3)
    return text, _compiled(text, in_tree=draw.random() < 0.4)


def _compiled(text: str, *, in_tree: bool) -> Callable[[Any], Any] | str:
    """The expression alone or in a mapping; empty text where it is refused, words where it is refused wrongly."""
    made: list[Callable[[Any], Any]] = []

    def compile_it() -> None:
        if in_tree:
            quoted = "'" + text.replace("'", "''") + "'"
            loop = f"{{each: src.list, as: x, item: {quoted}}}"
            body = f"mapping: m\nversion: 1\noutput:\n  a?: {quoted}\n  b?: {loop}\n"
            mapping = compile_mapping(body, "mappings/m.yaml", tables=TABLES)
            made.append(lambda document: mapping.apply(document, Context({}, {"id": "m-1"})))
        else:
            run = compile_expression(
                text, file="x.yaml", line=1, column=1, names=["src", "envelope", "x"], tables=TABLES
            )
            made.append(lambda document: run(src=document, envelope={}, x=document.get("a")))

    wrong = guarded(compile_it, text)
    return made[0] if made and not wrong else wrong


def guarded(work: Callable[[], Any], text: str, *, odd: bool = False) -> str:
    """Run it within its time; what is wrong with how it ended, empty where nothing is. ``odd``: it is given NaN."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        found = work()
    except (MappingError, ProjectError) as error:
        shown = str(error)
        return f"shows Python: {shown}" if any(word in shown and word not in text for word in PYTHON) else ""
    except Hang:
        return f"takes over {SECONDS:g} s"
    except BaseException:
        return traceback.format_exc(limit=-3)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    return "" if _is_data(found, odd) else f"gives {type(found)}"


def _is_data(value: Any, odd: bool) -> bool:
    """Whether a result is made of nothing but data, with every number exact and finite unless it was given others."""
    waiting, seen = [value], 0
    while waiting and seen < 20_000:
        one = waiting.pop()
        seen += 1
        if one.__class__ is dict:
            waiting.extend([*one, *one.values()])
        elif one.__class__ is list:
            waiting.extend(one)
        elif one.__class__ is Decimal:
            if not (odd or one.is_finite()):
                return False
        elif one.__class__ not in (str, int, bool, type(None)):
            return False
    return True


def main(first: int, count: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.signal(signal.SIGPROF, alarm)
    payloads, wrong = documents(), 0
    for seed in range(first, first + count):
        for fault in faults(seed, payloads):
            wrong += 1
            print(fault[:2000], flush=True)
    print(f"{count} expressions, {highest_megabytes()} MB", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
