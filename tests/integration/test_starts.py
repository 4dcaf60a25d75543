"""What `o2c new` writes fits: mappings of every canonical type, systems of every connector and preset there is."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import connectors
from hub.business_rules import check as business_faults
from hub.cases import read_cases, test_files
from hub.errors import UsageError
from hub.golden.bench import Bench
from hub.golden.run import jobs_of, run
from hub.project import reference_files
from hub.scaffold import start_files
from hub.scaffold.connector_start import connector_start
from hub.scaffold.mapping_start import mapping_start
from hub.scaffold.route_start import route_start
from hub.scaffold.sample_document import CANONICAL, canonical_types, sample_document
from hub.scaffold.starts import Ground, Start, add, misfits, scalar, yaml_lines
from hub.scaffold.system_start import system_start
from hub.schemas import SchemaSet, schema_set
from hub.systems import FILE, preset_names
from hub.yamldoc import parse_yaml

OWN = start_files()
FILES = {**reference_files(), **OWN}
SCHEMAS: SchemaSet = schema_set(FILES)
WSDL = {
    path.relative_to(Path(__file__).parents[1] / "wsdl").as_posix(): path.read_bytes()
    for path in (Path(__file__).parents[1] / "wsdl").rglob("*.*")
}  # fmt: skip


def ground(root: Path, **more: bytes) -> Ground:
    files = {path.replace("__", "/"): raw for path, raw in more.items()}
    return Ground(root, {**FILES, **files}, frozenset([*OWN, *files]), None, None)


@pytest.mark.parametrize("type", canonical_types(SCHEMAS))
def test_a_sample_of_each_type_is_valid(type: str) -> None:
    document = sample_document(SCHEMAS, type)
    assert [str(fault) for fault in SCHEMAS.faults(f"{CANONICAL}{type}", document)] == []
    assert [str(fault) for fault in business_faults(type, document)] == []


def test_the_mappings_of_all_types_pass_their_tests_and_refuse_what_they_cannot_make_whole(tmp_path: Path) -> None:
    starts = [
        mapping_start(ground(tmp_path), f"{word}-{type}", type, word == "out")
        for type in canonical_types(SCHEMAS)
        for word in ("in", "out")
    ]
    made = {path: text.encode() for start in starts for path, text in start.files.items()}
    bench = Bench.of({**reference_files(), **made}, tmp_path, None, None, set(made))
    unused = [warning for warning in bench.check.warnings if "no route uses" not in warning.message]
    assert [str(warning) for warning in unused] == []
    cases = [read_cases(bench.files, path, bench.read_file) for path in test_files(made)]
    results = list(run(bench, jobs_of(cases, "", True), 1, 0))
    assert len(results) == 2 * len(starts) > 80
    failed = [each for each in results if not each.passed]
    assert [(each.file, each.title, each.problem, *map(str, each.differences)) for each in failed] == []


@pytest.mark.parametrize("name", ["order", "payment"])
def test_a_project_with_it_has_no_error_that_it_had_not_before(tmp_path: Path, name: str) -> None:
    assert misfits(ground(tmp_path), mapping_start(ground(tmp_path), f"my-{name}")) == []


@pytest.mark.parametrize("preset", preset_names(FILES))
def test_a_system_of_each_preset_is_sound(tmp_path: Path, preset: str) -> None:
    here = ground(tmp_path)
    start = system_start(here, "mine", preset=preset)
    assert misfits(here, start) == []
    assert re.search("secret://(env/MINE|file/mine)_", start.appended[FILE]) or "secret" not in start.appended[FILE]


@pytest.mark.parametrize("connector", [name for name in connectors.names() if name != "soap"])
def test_a_system_of_each_connector_is_sound_and_does_something(tmp_path: Path, connector: str) -> None:
    here = ground(tmp_path)
    start = system_start(here, "mine", connector=connector)
    assert misfits(here, start) == []
    with_it = here.checked_with(
        {path: here.files[path] + b"\n" + text.encode() for path, text in start.appended.items()}
    )
    system = with_it.settings.systems["mine"]
    assert system.sends or system.fetches or system.receives


def test_a_soap_system_is_made_of_the_wsdl_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"wsdl: put the file below schemas/ of the project first"):
        system_start(ground(tmp_path), "mine", connector="soap")
    here = ground(tmp_path, **{f"schemas/{path}": raw for path, raw in WSDL.items()})
    start = system_start(here, "mine", connector="soap")
    assert "wsdl: schemas/orders.wsdl" in start.appended[FILE]
    assert misfits(here, start) == []


def test_what_a_project_lacked_already_is_not_held_against_it(tmp_path: Path) -> None:
    here = ground(tmp_path, **{"mappings__broken.yaml": b"mapping: broken\noutput: {a: src.b.}\n"})
    assert here.checked.errors
    assert misfits(here, mapping_start(here, "mine")) == []


def test_a_system_that_would_break_the_file_is_not_written(tmp_path: Path) -> None:
    here = ground(tmp_path, **{FILE.replace("/", "__"): b"{erp: {connector: http, base_url: https://erp.example}}\n"})
    assert misfits(here, system_start(here, "mine"))


TREE = {
    "text": "plain words", "number": "12.50", "day": "2026-03-05", "yes": "yes", "none": "", "real": Decimal("1.50"),
    "is": True, "nothing": None,
    "colon": "a: b", "@type": "x", "a: b": "y", "on": "z", "1001": "n",
    "list": [{"a": 1, "b": [1, 2]}, [["deep"]], "x"], "empty": {}, "no": [],
}  # fmt: skip


def test_what_is_written_as_yaml_is_read_as_it_was() -> None:
    assert parse_yaml("\n".join(yaml_lines(TREE)) + "\n", "tree.yaml").data() == TREE
    assert (scalar("src.order_id"), scalar("no"), scalar("1001")) == ("src.order_id", '"no"', '"1001"')


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda here: connector_start(here, "http"), "there is a connector 'http' already, the hub's own"),
        (lambda here: connector_start(here, "Label-Printer"), "use small letters, digits and '_'"),
        (lambda here: system_start(here, "erp"), "there is a system 'erp' already in config/systems.yaml"),
        (lambda here: system_start(here, "x", "shopyfi"), "unknown preset 'shopyfi'; did you mean 'shopify'?"),
        (lambda here: system_start(here, "x", "", "htp"), "--connector: unknown connector 'htp'; did you mean 'http'?"),
        (lambda here: system_start(here, "x", "shopify", "http"), "a preset says its connector; write one of them"),
        (lambda here: mapping_start(here, "shopify-order"),
         "there is a mapping 'shopify-order' already, at mappings/orders/shopify-order.yaml"),
        (lambda here: mapping_start(here, "vendure-order"), "'vendure-order' already, which travels with the hub"),
        (lambda here: mapping_start(here, "a b"), "'a b' cannot name a mapping; use letters, digits"),
        (lambda here: mapping_start(here, "x", "ordr"), "--type: unknown canonical type 'ordr'; did you mean 'order'?"),
        (lambda here: route_start(here, "webshop-orders"), "'webshop-orders' already, at routes/orders.yaml:3"),
        (lambda here: route_start(here, "x", target="erb"), "--to: unknown system 'erb'; did you mean 'erp'?"),
        (lambda here: route_start(here, "x", "wms"), "--from: nothing comes from 'wms': it has neither verify: nor"),
        (lambda here: route_start(here, "x", map="shopify-ordre"), "--map: unknown mapping 'shopify-ordre'; did you"),
        (lambda here: add(here, route_start(here, "x", "webshop", "orders/create")),
         "error: route 'webshop-orders' (routes/orders.yaml:3) already takes 'orders/create' from 'webshop'"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_reason(tmp_path: Path, make: Any, words: str) -> None:
    with pytest.raises(UsageError) as refused:
        make(ground(tmp_path))
    assert words in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_not_touched_and_none_is_written_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings/mine.test.yaml").write_text("# mine\n")
    with pytest.raises(UsageError, match=r"^mappings/mine\.test\.yaml is there already; take another name"):
        add(ground(tmp_path), mapping_start(ground(tmp_path), "mine"))
    assert [path.name for path in tmp_path.rglob("*.*")] == ["mine.test.yaml"]


def chosen(start: Start) -> str:
    return start.notes[0]


def test_a_route_takes_what_its_name_says_and_nothing_that_is_taken(tmp_path: Path) -> None:
    here = ground(tmp_path)
    assert chosen(route_start(here, "customers")) == (
        "from webshop, event customers/create (--from, --event), to customers-folder (--to)"
    )
    assert chosen(route_start(here, "x")) == "from webshop, event orders/cancelled (--from, --event), to erp (--to)"
    system = b"\nfiles: {connector: file, root: data, fetch: {folder: in}}\n"
    more = ground(tmp_path, **{FILE.replace("/", "__"): FILES[FILE] + system})
    assert chosen(route_start(more, "x", "files")) == "from files (--from, --event), to erp (--to)"


def test_a_system_of_one_event_gives_it_to_the_route(tmp_path: Path) -> None:
    system = b"\nshop: {connector: http, base_url: https://shop.example, event: order, "
    system += b"fetch: {request: GET /, items: body}}\n"
    here = ground(tmp_path, **{FILE.replace("/", "__"): FILES[FILE] + system})
    assert chosen(route_start(here, "polled", "shop")).startswith("from shop, event order (")
    taken = b"route: polled\nfrom: {system: shop, event: order}\nmap: shopify-order\nto: [{system: erp}]\n"
    more = ground(tmp_path, **{FILE.replace("/", "__"): FILES[FILE] + system, "routes__polled.yaml": taken})
    with pytest.raises(UsageError, match="routes take everything that 'shop' is known to send"):
        route_start(more, "x", "shop")


@pytest.mark.parametrize("format", ["camt053", "mt940", "coda", "bai2", "csv", "xml", "ubl"])
def test_a_route_reads_documents_in_the_format_of_their_system(tmp_path: Path, format: str) -> None:
    system = f"\nsource: {{connector: file, root: data, format: {format}, fetch: {{folder: in}}}}\n".encode()
    here = ground(tmp_path, **{FILE.replace("/", "__"): FILES[FILE] + system})
    start = route_start(here, "x", "source")
    if format in ("csv", "xml", "ubl"):
        assert f"source: {{format: {format}}}" in start.files["mappings/x.yaml"]
    else:
        assert "map: statement " in start.files["routes/x.yaml"]
        assert start.notes[1] == "by the hub's mapping 'statement' (--map)"
        assert "mappings/x.yaml" not in start.files
    assert [str(fault) for fault in misfits(here, start)] == []


def test_a_template_that_only_other_documents_fill_is_no_place_for_a_document(tmp_path: Path) -> None:
    """The ERP's files are called by the number of the order, which a refund need not have."""
    assert "erp" in chosen(route_start(ground(tmp_path), "orders"))
    assert "refunds-folder" in chosen(route_start(ground(tmp_path), "refunds"))
