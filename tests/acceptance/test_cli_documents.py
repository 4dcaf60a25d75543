"""Commands that need no hub: on documents, on the files of a project; and what is said where they go wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import apsw
import pytest
from program import answer, new_project, o2c


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that does not run."""
    return new_project(tmp_path_factory.mktemp("documents"), "shop")


def test_map_prints_a_document_that_validate_takes(project: Path) -> None:
    mapped = o2c(project, "map", "shopify-order", "sample-order.json")
    assert mapped.returncode == 0, mapped.stderr
    valid = o2c(project, "validate", "canonical/order", "-", stdin=mapped.stdout.encode())
    assert (valid.returncode, valid.stdout) == (0, ""), valid.stdout
    broken = json.loads(mapped.stdout)
    broken["buyer"]["postal_address"]["country_code"] = "Germany"
    invalid = o2c(project, "validate", "canonical/order", "-", stdin=json.dumps(broken).encode())
    assert invalid.returncode == 1
    assert "buyer.postal_address.country_code" in invalid.stdout


def test_a_trace_says_where_every_field_came_from(project: Path) -> None:
    trace = answer(project, "map", "shopify-order", "sample-order.json", "--trace")
    places = {entry["path"]: entry for entry in trace["trace"]}
    assert places["order_id"]["sources"] == ["src.name"]
    assert places["order_id"]["line"] > 0
    assert trace["output"]["order_id"] == "1001"
    raw = (project / "sample-order.json").read_text()
    [place] = places["order_id"]["places"]
    assert raw[place["offset"] :].startswith('"#1001"')
    assert raw.splitlines()[place["line"] - 1][place["column"] - 1 :].startswith('"#1001"')
    shown = o2c(project, "map", "shopify-order", "sample-order.json", "--trace").stdout
    assert f"src.name at {place['line']}:{place['column']} (byte {place['offset']})" in shown


def test_explain_says_who_uses_a_field(project: Path) -> None:
    uses = answer(project, "explain", "--field", "line_items.sku")
    assert [(use["level"], use["becomes"]) for use in uses] == [
        (0, "order_lines[].item.sellers_item_id"), (1, "lines[].item_number"), (1, "lines[].item"),
    ]  # fmt: skip
    shown = o2c(project, "explain", "webshop-orders", "--field", "shipping_address.city").stdout
    assert "routes/orders.yaml:" in shown and "to wms: when" in shown
    none = o2c(project, "explain", "--field", "no_such_field")
    assert (none.returncode, none.stderr) == (0, "nothing uses no_such_field\n")
    assert o2c(project, "explain").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "stdin", "out"),
    [
        (("decode", "json", "-"), b'{"price": 12.50, "big": 12345678901234567.10}', "12345678901234567.10"),
        (("decode", "csv", "-", "-o", "delimiter=;"), b"a;b\n1;2\n", '"b": "2"'),
        (("encode", "csv", "-"), b'[{"a": "1", "b": "x,y"}]', '1,"x,y"'),
        (("encode", "json", "-"), b'{"price": 12.50}', '{"price":12.50}'),
    ],
)
def test_documents_are_converted_exactly(tmp_path: Path, arguments: tuple[str, ...], stdin: bytes, out: str) -> None:
    ended = o2c(tmp_path, *arguments, stdin=stdin)
    assert ended.returncode == 0, ended.stderr
    assert out in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "stdin", "code", "err"),
    [
        (("decode", "json", "-"), b'{"a": 1,}', 1, "line 1, column"),
        (("decode", "json", "-"), b"\xff\xfe\x00", 1, "error:"),
        (("decode", "jsn", "-"), b"", 2, "unknown format 'jsn'; did you mean 'json'?"),
        (("decode", "json", "missing.json"), b"", 2, "there is no file missing.json"),
        (("decode", "json", "."), b"", 2, ". is a folder; expected a file"),
        (("decode", "csv", "-", "-o", "delimitr=;"), b"", 2, "did you mean 'delimiter'?"),
        (("validate", "canonical/ordr", "-"), b"{}", 2, "did you mean 'canonical/order'?"),
        (("map", "x", "-"), b"{}", 2, "no project here"),
        (("decod", "json", "-"), b"", 2, "decode"),
        (("run",), b"", 2, "make a project with: o2c init DIR"),
        (("check", "--project", "missing"), b"", 2, "no project here"),
        (("messages", "--limit", "0"), b"", 2, "limit"),
        (("bench", "hubb"), b"", 2, "did you mean 'hub'?"),
    ],
)
def test_what_goes_wrong_is_said_in_a_line(
    tmp_path: Path, arguments: tuple[str, ...], stdin: bytes, code: int, err: str
) -> None:
    ended = o2c(tmp_path, *arguments, stdin=stdin)
    assert ended.returncode == code, ended.stderr
    assert err in ended.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), {"content_type": "text/csv", "text": "name\r\nGr\u00fcn\r\n"}),
        (("-o", "encoding=latin-1"), {"content_type": "text/csv", "base64": "bmFtZQ0KR3L8bg0K"}),
    ],
)
def test_what_is_encoded_fits_into_json_too(tmp_path: Path, options: tuple[str, ...], told: dict[str, str]) -> None:
    ended = o2c(tmp_path, "encode", "csv", "-", "--json", *options, stdin='{"name": "Gr\u00fcn"}'.encode())
    assert (ended.returncode, json.loads(ended.stdout)) == (0, told)


def test_a_closed_pipe_is_no_error_to_speak_of(project: Path) -> None:
    command = f"{sys.executable} -m hub.cli schema | head -1"
    ended = subprocess.run(["bash", "-c", command], cwd=project, capture_output=True, text=True)
    assert (ended.stdout.strip(), ended.stderr) == ("{", "")


def test_check_names_file_line_and_column_and_what_to_write(project: Path, tmp_path: Path) -> None:
    assert o2c(tmp_path, "init", "broken").returncode == 0
    route = tmp_path / "broken/routes/orders.yaml"
    route.write_text(route.read_text().replace("system: erp,", "system: erpp,"))
    ended = o2c(tmp_path / "broken", "check")
    assert ended.returncode == 1
    assert "routes/orders.yaml:9:14: error: " in ended.stdout
    assert "did you mean 'erp'?" in ended.stdout
    deployed = o2c(tmp_path / "broken", "deploy")
    assert deployed.returncode == 1
    assert "did you mean 'erp'?" in deployed.stderr


def test_files_can_be_deployed_before_the_hub_runs(tmp_path: Path) -> None:
    assert o2c(tmp_path, "init", "idle").returncode == 0
    idle = tmp_path / "idle"
    first = answer(idle, "deploy")
    assert (first["running"], answer(idle, "deploy")) == (False, first)
    nowhere = o2c(idle, "deploy", "--rollback")
    assert (nowhere.returncode, nowhere.stderr) == (1, "o2c: there is no earlier set to go back to\n")


def test_schemas_are_written_for_editors(project: Path, tmp_path: Path) -> None:
    written = answer(project, "schema", "--into", str(tmp_path))
    assert {Path(name).name for name in written} >= {"hub.schema.json", "route.schema.json", "mapping.schema.json"}
    assert all(json.loads(Path(name).read_text())["$schema"] for name in written)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("chmod 644 .o2c/local.json", "fault   permissions: .o2c/local.json can be read by others; chmod 600"),
        ("rm .o2c/secrets/webshop", "fault   secret: secret://file/webshop"),
        ("echo 'routes: x' >> routes/orders.yaml", "1 error; see: o2c check"),
        ("rm -r data/outbox/erp", "system erp:"),
    ],
)
def test_the_doctor_names_what_is_wrong(tmp_path: Path, spoil: str, words: str) -> None:
    sick = new_project(tmp_path, "sick")
    subprocess.run(["bash", "-c", spoil], cwd=sick, check=True)
    ended = o2c(sick, "doctor")
    assert words in ended.stdout
    assert ended.returncode == (0 if words.startswith("system") else 1)


@pytest.mark.parametrize("name", ["hub.db", "hub.db.before-0019"])
def test_the_doctor_warns_of_a_store_that_everybody_can_read(tmp_path: Path, name: str) -> None:
    sick = new_project(tmp_path, "sick")
    (sick / "data").chmod(0o755)
    (sick / "data" / name).touch()
    (sick / "data" / name).chmod(0o644)
    ended = o2c(sick, "doctor")
    what = f"every user of this machine can read {name}, which holds documents; chmod o= data/hub.db*"
    assert f"warning permissions: {what}\n" in ended.stdout
    subprocess.run(["bash", "-c", "chmod o= data/hub.db*"], cwd=sick, check=True)
    assert "every user" not in o2c(sick, "doctor").stdout


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("PRAGMA user_version = 3", "data/hub.db has schema version 3, this hub wants"),
        ("", "data/hub.db cannot be read"),
        ("statements_seen", "some of it cannot be read"),
    ],
)
def test_the_doctor_tells_of_a_store_that_is_wrong_beside_all_else(tmp_path: Path, spoil: str, words: str) -> None:
    sick = new_project(tmp_path, "sick")
    spoil_store(sick / "data/hub.db", spoil)
    ended = o2c(sick, "doctor")
    assert ended.returncode == 1
    assert len([line for line in ended.stdout.splitlines() if line.startswith("fault   store:") and words in line]) == 1
    assert "ok      project:" in ended.stdout and "ok      disk:" in ended.stdout
    if spoil != "statements_seen":
        tried = o2c(sick, "backtest", "webshop-orders")
        assert (tried.returncode, words in tried.stderr) == (2, True)


def spoil_store(path: Path, spoil: str) -> None:
    """Run a statement on a store; or write over the pages of one table, or over the whole file."""
    db = apsw.Connection(str(path))
    size = int(db.execute("PRAGMA page_size").get)
    pages = [page for (page,) in db.execute("SELECT rootpage FROM sqlite_schema WHERE tbl_name = ?", (spoil,))]
    if " " in spoil:
        db.execute(spoil)
    db.close()
    with path.open("r+b") as file:
        for page in pages if spoil else [1]:
            file.seek((page - 1) * size)
            file.write(b"\xff" * size)


def test_decode_tells_every_fault_of_an_interchange_and_prints_the_good_messages(tmp_path: Path) -> None:
    raw = (
        b"UNB+UNOC:3+A:14+B:14+261128:1200+7'UNH+1+ORDERS:D:96A:UN'BGM+220'UNT+3+1'"
        b"UNH+2+ORDERS:D:96A:UN'BGM+220''UNT+9+3'UNZ+5+7'"
    )
    (tmp_path / "orders.edi").write_bytes(raw)
    done = o2c(tmp_path, "decode", "edifact", "orders.edi", "--raw")
    assert done.returncode == 1
    assert [document["reference"] for document in json.loads(done.stdout)] == ["1"]
    where, second = "orders.edi: interchange 7, ", "orders.edi: interchange 7, message 2, "
    assert done.stderr.splitlines() == [
        f"{second}segment 3 UNT, element 2, byte 110: error: UNT has the reference '3', its header '2'",
        f"{second}segment 3 UNT, element 1, byte 108: error: UNT counts '9' segments; there are 3",
        f"{second}segment 2 BGM, byte 103: warning: an empty segment",
        f"{where}UNZ, element 1, byte 116: error: UNZ counts '5' messages; there are 2",
    ]
    checked = o2c(tmp_path, "decode", "edifact", "orders.edi", "--raw", "--check", "--json")
    assert [fault.get("severity") for fault in json.loads(checked.stdout)] == [None, None, "warning", None]


def test_a_field_that_only_a_mapping_without_a_route_reads_is_found_and_a_misspelt_one_is_told(tmp_path: Path) -> None:
    project = new_project(tmp_path, "shop")
    (project / "mappings/odd.yaml").write_text(
        "mapping: odd\nversion: 1\nsource: {format: csv, columns: [order no]}\ntarget: {format: json}\n"
        "output: {no: \"src['order no']\"}\n"
    )
    assert "mappings/odd.yaml:5:15" in o2c(project, "explain", "--field", "order no").stdout
    told = o2c(project, "explain", "--field", "line_itms.price").stderr
    assert "nothing uses line_itms.price; did you mean 'line_items.price'?" in told
