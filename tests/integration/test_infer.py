"""`o2c infer`: files, folders and patterns of samples to a schema that a mapping names, and that finds its mistakes."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from hub.check import check_project
from hub.cli.infer import infer
from hub.errors import UsageError

ORDERS = [
    {"no": "A-1", "placed": "2026-03-05", "total": "12.50", "state": "paid", "lines": [{"sku": "x", "n": 1}]},
    {"no": "A-2", "placed": "2026-03-06", "total": "7", "state": "paid", "lines": [], "note": "ring twice"},
    {"no": "A-3", "placed": "2026-03-07", "total": "7", "state": "open", "lines": [{"sku": "y", "n": 2.5}],
     "note": None},
    {"no": "A-4", "placed": "2026-03-07", "total": "7", "state": "open", "lines": []},
]  # fmt: skip


@pytest.fixture
def samples(tmp_path, monkeypatch):
    """The same four orders as one file each, as a list, and one a line."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "orders"
    (folder / "below").mkdir(parents=True)
    for number, order in enumerate(ORDERS):
        (folder / ("below" if number % 2 else ".") / f"{number}.json").write_text(json.dumps(order, indent=1))
    (tmp_path / "list.json").write_text(json.dumps(ORDERS))
    (tmp_path / "lines.jsonl").write_text("".join(json.dumps(order) + "\n" for order in ORDERS))
    return tmp_path


def run(*arguments, stdin=None):
    import typer

    app = typer.Typer()
    app.command()(infer)
    return CliRunner().invoke(app, arguments, input=stdin)


def schema_from(*arguments, stdin=None):
    ended = run(*arguments, stdin=stdin)
    assert ended.exit_code == 0, ended.output
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    "given", [["orders"], ["orders/*.json", "orders/*/*.json"], ["list.json"], ["lines.jsonl"], ["orders", "orders"]]
)
def test_however_the_samples_are_given_the_schema_is_the_same(samples, given):
    schema = schema_from(*given)
    assert schema["required"] == ["no", "placed", "total", "state", "lines"]
    assert schema["title"] == "What 4 sample documents looked like"
    properties = schema["properties"]
    assert properties["placed"] == {"type": "string", "format": "date"}
    assert properties["note"] == {"type": ["string", "null"]}
    assert properties["lines"]["items"]["properties"]["n"] == {"type": "number"}
    assert "ring twice" not in json.dumps(schema)


def test_standard_input_is_read_too(samples):
    assert schema_from("-", stdin='{"a": 1}\n{"b": "x"}')["properties"] == {
        "a": {"type": "integer"},
        "b": {"type": "string"},
    }


def test_rows_of_csv_are_samples_and_so_are_their_groups(samples):
    (samples / "o.csv").write_text("no;sku;price\nA-1;x;1.5\nA-1;y;2\nA-2;z;\n")
    flat = schema_from("o.csv")
    assert list(flat["properties"]) == ["no", "sku", "price"]
    grouped = schema_from("o.csv", "-o", "group_by=no", "-o", "types=price:decimal")
    assert list(grouped["properties"]) == ["no", "rows"]
    assert grouped["properties"]["rows"]["items"]["properties"]["price"] == {"type": ["number", "null"]}


def test_codes_are_listed_where_they_are_asked_for_and_some(samples):
    ended = run("list.json", "--enum", "state", "--enum", "no", "--enum", "lines[].skuu")
    properties = json.loads(ended.stdout)["properties"]
    assert properties["state"]["enum"] == ["open", "paid"]
    assert "enum" not in properties["no"]
    assert ended.stderr.splitlines() == [
        "--enum no: not listed: too many different values, or too few samples of each, to be codes",
        "--enum lines[].skuu: no sample has this field",
    ]


FAULTS = [
    ("bad.json", b'{"a": 1,}', "bad.json:1:8: error: a comma before '}'; expected another value; remove the comma"),
    ("bad.json", b'[{"a": 1},\n {"a": }]', "bad.json:2:8: error: expected a value, found '}'"),
    ("bad.jsonl", b'{"a": 1}\n{"a" 1}', "bad.jsonl:2:6: error: expected"),
    ("bad.csv", b"a,b\n1,2\n3\n", "bad.csv:3: error: 1 cell; expected 2, one for each column"),
    ("bad.json", b"5", "bad.json:1:1: error: expected a document, an object in { }, found '5'"),
]


@pytest.mark.parametrize(("name", "raw", "message"), FAULTS)
def test_a_sample_that_cannot_be_read_is_told_with_its_place_and_nothing_is_written(samples, name, raw, message):
    (samples / name).write_bytes(raw)
    ended = run("list.json", name, "--out", "schemas/shop/order.schema.json")
    assert ended.exit_code == 1
    assert ended.stderr.startswith(message)
    assert not (samples / "schemas").exists()
    said = json.loads(run("list.json", name, "--json").stdout)
    assert said["schema"] is None
    assert said["faults"][0].startswith(message)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.json"], "there is no file missing.json"),
        (["missing*.json"], "no file is like missing*.json"),
        (["empty"], "no sample in the folder empty"),
        (["notes.odt"], "notes.odt: its name does not say what it is; give --format json or --format csv"),
        (["list.json", "--format", "jsn"], "unknown format 'jsn'; did you mean 'json'?"),
        (["nothing.json"], "no document in 1 file"),
        (["list.json", "--out", "lines.jsonl"], "there is a file lines.jsonl already; give --replace"),
    ],
)
def test_what_is_not_well_asked_is_told(samples, arguments, message):
    (samples / "empty").mkdir()
    (samples / "notes.odt").write_text("x")
    (samples / "nothing.json").write_text("[]")
    ended = run(*arguments)
    assert isinstance(ended.exception, UsageError)
    assert message in str(ended.exception)


MAPPING = """
mapping: our-order
version: 1
source: {format: json, schema: till/order}
output:
  order_id: src.nmo
  total: src.total * 2
  first: src.lines.sku
  placed: date(src.placed)
  note?: src.note
"""


def test_json_that_is_written_to_a_file_too_is_json_alone(samples):
    ended = run("orders", "--out", "schemas/till/order.schema.json", "--json")
    assert json.loads(ended.stdout)["schema"] == json.loads((samples / "schemas/till/order.schema.json").read_text())
    assert ended.stderr.splitlines() == [
        "wrote schemas/till/order.schema.json from 4 documents in 4 files",
        "a mapping names it: source: {schema: till/order}",
    ]


def test_a_mapping_that_names_the_schema_is_checked_by_it(samples):
    ended = run("orders", "--out", "schemas/till/order.schema.json")
    assert ended.stdout.splitlines() == [
        "wrote schemas/till/order.schema.json from 4 documents in 4 files",
        "a mapping names it: source: {schema: till/order}",
    ]
    files = {
        "schemas/till/order.schema.json": (samples / "schemas/till/order.schema.json").read_bytes(),
        "mappings/our-order.yaml": MAPPING.encode(),
    }
    assert [fault.message for fault in check_project(files).errors] == [
        "the source has no field 'nmo'; did you mean 'no'?",
        "src.total is text in the source; arithmetic needs dec(src.total)",
        "src.lines is a list; loop over it or take [0]",
    ]
