"""``o2c bench mapping``: an order through a mapping file, beside the same written by hand and beside JSONata.

    python -m benchmarks.mapping [--json] [--quick]

One process, one core, CPU time. The contestants take turns in short rounds, so that a slow minute of the machine hits
all of them; told are medians of the rounds and of their ratios. The orders are many hundred different ones.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import msgspec

from benchmarks.byhand import SELLER, canonical_order
from benchmarks.byhand_edifact import UNITS_FILE, edifact_order
from benchmarks.order_lines import order_of
from benchmarks.report import Claim, as_json, as_table, exit_code
from hub.formats import codec, encode_exact
from hub.mapping import Context, Tables, compile_mapping, load_tables
from hub.reference import reference_root

ROOT = reference_root()
FILE = "mappings/orders/shopify-order.yaml"
LINES_OF_THE_SHORT_MAPPING = 75
_JSONATA = Path(__file__).with_name("order.jsonata")
_EDIFACT = Path(__file__).with_name("order-to-edifact.yaml")

_ENCODE = msgspec.json.Encoder(decimal_format="number").encode
Document = dict[str, Any]
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Size:
    """How many orders, how many rounds, and how many of them the slowest engine gets."""

    orders: int = 600
    rounds: int = 15
    few: int = 12


QUICK = Size(orders=120, rounds=5, few=4)


class Ground:
    """The orders, the tables, and each contestant's function of one order."""

    def __init__(self, size: Size) -> None:
        draw = Random(7)
        self.orders = [order_of(number, draw) for number in range(size.orders)]
        self.long = order_of(size.orders, draw, lines=1000)
        self.raw = [_ENCODE(order) for order in self.orders]
        self.text = (ROOT / FILE).read_text(encoding="utf-8")
        self.mapping = compile_mapping(self.text, FILE, tables=self.tables)
        self.context = Context(company=SELLER)
        units = load_tables({"mappings/tables/edifact_units.csv": UNITS_FILE})
        self.to_edifact = compile_mapping(_EDIFACT.read_text(encoding="utf-8"), _EDIFACT.name, tables=units)

    @cached_property
    def tables(self) -> Tables:
        folder = ROOT / "mappings/tables"
        return load_tables({f"mappings/tables/{path.name}": path.read_text() for path in folder.glob("*.csv")})

    def hub(self, order: Document) -> Any:
        return self.mapping.apply(order, self.context)

    def edifact(self, order: Document) -> Any:
        return self.to_edifact.apply(order, self.context)

    def traced(self, order: Document) -> Any:
        return self.mapping.trace(order, self.context)


def spent(work: Work) -> float:
    """CPU seconds of this process for it."""
    before = time.process_time()
    work()
    return time.process_time() - before


def over(function: Callable[[Any], object], values: Sequence[Any]) -> Work:
    def work() -> None:
        for value in values:
            function(value)

    return work


def in_turns(works: Sequence[Work], rounds: int) -> list[list[float]]:
    """The seconds of each, round by round; the first round warms up and does not count."""
    for work in works:
        work()
    return list(zip(*([spent(work) for work in works] for _ in range(rounds)), strict=True))  # type: ignore[arg-type]


def ratio(one: Sequence[float], other: Sequence[float]) -> float:
    return median(a / b for a, b in zip(one, other, strict=True))


def short_mapping(text: str) -> str:
    """The order mapping cut to its first 75 lines, which end with a whole field; comments at its head do not count."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join(lines[:LINES_OF_THE_SHORT_MAPPING]) + "\n"


def json_to_json(ground: Ground) -> tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]:
    """Bytes to bytes: the hub's codec with its checks, and msgspec with exact decimals around the code by hand."""
    ours, decode, encode = codec("json"), msgspec.json.Decoder(float_hook=Decimal).decode, msgspec.json.Encoder().encode

    def hub(raw: bytes) -> bytes:
        return encode_exact(ours, ground.hub(ours.decode_one(raw, {})), {})

    return hub, lambda raw: encode(canonical_order(decode(raw)))


def engines() -> dict[str, Callable[[Document], Any]]:
    """The JSONata engines that are installed, by name; both compute in binary floats."""
    found: dict[str, Callable[[Document], Any]] = {}
    source = _JSONATA.read_text(encoding="utf-8")
    try:
        import jlens

        compiled = jlens.Expression(source)
        found["jlens"] = lambda order: compiled.evaluate(order, {"company": SELLER})
    except ImportError:
        pass
    try:
        from jsonata import Jsonata

        expression = Jsonata(source)
        frame = expression.create_frame()
        frame.bind("company", SELLER)
        found["jsonata-python"] = lambda order: expression.evaluate(order, frame)
    except ImportError:
        pass
    return found


def check_equal(ground: Ground) -> None:
    """What is compared must do the same: the same documents, to the last digit. Raises AssertionError."""
    for order in [*ground.orders, ground.long]:
        canonical = canonical_order(order)
        assert ground.hub(order) == canonical
        assert ground.edifact(canonical) == edifact_order(canonical)
    plain = [msgspec.json.decode(raw) for raw in ground.raw[:20]]
    for name, engine in engines().items():
        for order, exact in zip(plain, ground.orders, strict=False):
            assert _with_numbers(engine(order)) == _with_numbers(ground.hub(exact)), name


def _with_numbers(document: Any) -> Any:
    """Percentages as numbers: the engines cannot keep the zeros of a decimal."""
    for line in document["order_lines"]:
        for part in line["tax_subtotals"]:
            part["tax_category"]["percent"] = Decimal(str(part["tax_category"]["percent"]))
    return document


def claims(size: Size) -> Iterator[Claim]:
    """Every claim, measured one after the other."""
    ground = Ground(size)
    check_equal(ground)
    orders, count = ground.orders, len(ground.orders)
    hub, hand, traced = in_turns(
        [over(work, orders) for work in (ground.hub, canonical_order, ground.traced)], size.rounds
    )
    yield Claim("an order of ten lines by the mapping", median(hub) / count * 1e6, "µs")
    yield Claim("the same by hand", median(hand) / count * 1e6, "µs")
    yield Claim("speed over the same by hand", ratio(hand, hub), "x", at_least=0.65)
    yield Claim("traced over untraced", ratio(traced, hub), "x", at_most=1.5)
    long, long_hand = in_turns([over(work, [ground.long]) for work in (ground.hub, canonical_order)], size.rounds)
    yield Claim("an order of 1,000 lines over the same by hand", ratio(long, long_hand), "x", at_most=1.7)
    ours, theirs = in_turns([over(work, ground.raw) for work in json_to_json(ground)], size.rounds)
    yield Claim("JSON bytes to bytes: speed over msgspec and by hand", ratio(theirs, ours), "x", at_least=0.75)
    canonical = [canonical_order(order) for order in orders]
    ours, theirs = in_turns([over(work, canonical) for work in (ground.edifact, edifact_order)], size.rounds)
    yield Claim("a canonical order to the tree of an EDIFACT ORDERS: speed over the same by hand", ratio(theirs, ours),
                "x", at_least=0.75)  # fmt: skip
    yield from _over_engines(ground, size)
    yield from _compiling(ground, size)


def _over_engines(ground: Ground, size: Size) -> Iterator[Claim]:
    """The hub over each JSONata engine, on a share of the orders: the slower an engine, the fewer."""
    installed = engines()
    for name, orders, bound in (("jlens", 100, 2.5), ("jsonata-python", size.few, 60)):
        label = f"speed over {name}"
        if name not in installed:
            yield Claim(label, float("nan"), "x", at_least=bound)
            continue
        plain = [msgspec.json.decode(raw) for raw in ground.raw[:orders]]
        theirs, ours = in_turns([over(installed[name], plain), over(ground.hub, ground.orders[:orders])], size.rounds)
        yield Claim(label, ratio(theirs, ours), "x", at_least=bound)


def _compiling(ground: Ground, size: Size) -> Iterator[Claim]:
    short = short_mapping(ground.text)
    works: list[Work] = [
        lambda: compile_mapping(short, FILE, tables=ground.tables),
        lambda: compile_mapping(ground.text, FILE, tables=ground.tables),
    ]
    small, whole = in_turns(works, size.rounds)
    yield Claim("compiling a mapping of 75 lines", median(small) * 1000, "ms", at_most=15)
    yield Claim(f"compiling one of {len(ground.text.splitlines())} lines", median(whole) * 1000, "ms")


def main() -> int:
    parser = argparse.ArgumentParser(description="An order through a mapping, beside code by hand and JSONata")
    parser.add_argument("--json", action="store_true", help="print the claims as JSON")
    parser.add_argument("--quick", action="store_true", help="fewer orders and rounds, for trying it out")
    options = parser.parse_args()
    measured = list(claims(QUICK if options.quick else Size()))
    if any(claim.value != claim.value for claim in measured):
        print("Not measured: an engine is not installed; pip install 'o2c-hub[bench]'.", file=sys.stderr)
    print(as_json(measured) if options.json else as_table(measured))
    return exit_code(measured)


if __name__ == "__main__":
    sys.exit(main())
