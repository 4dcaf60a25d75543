"""What the benchmark of mappings compares does the same: the mapping, the code by hand, JSONata."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks import mapping as bench
from benchmarks.order_lines import order_of
from hub.errors import MappingError
from hub.project import reference_files
from hub.schemas import SchemaSet
from tests.unit.mapping.reference import context_of, mapping

FILE = "mappings/orders/shopify-order.yaml"


def test_the_orders_of_the_benchmark_have_right_totals_and_differ() -> None:
    draw = Random(1)
    orders = [order_of(number, draw) for number in range(20)]
    assert len({order["total_price"] for order in orders}) == 20
    assert len({mapping(FILE).apply(order, context_of(FILE))["order_id"] for order in orders}) == 20


def test_every_contestant_gives_the_same_document() -> None:
    assert set(bench.engines()) == {"jlens", "jsonata-python"}
    bench.check_equal(bench.Ground(bench.Size(orders=4)))


def test_what_goes_to_edifact_is_an_order_by_its_grammar() -> None:
    ground = bench.Ground(bench.Size(orders=4))
    schemas = SchemaSet(reference_files())
    for order in ground.orders:
        assert schemas.faults("edifact/D96A/ORDERS", ground.edifact(ground.hub(order))) == []


def test_a_benchmark_of_things_that_differ_is_refused() -> None:
    ground = bench.Ground(bench.Size(orders=2))
    ground.orders[1]["line_items"][0]["title"] = None
    with pytest.raises((AssertionError, MappingError, TypeError)):
        bench.check_equal(ground)


def test_the_short_mapping_is_one() -> None:
    ground = bench.Ground(bench.Size(orders=1))
    short = bench.short_mapping(ground.text)
    assert len(short.splitlines()) == 75
    bench.compile_mapping(short, FILE, tables=ground.tables)
