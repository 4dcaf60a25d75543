"""The command line as a user has it: a project of `o2c init`, the hub of `o2c run`, every command on it."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hub.client import HubClient, client_for

SHOP = "webshop"


def o2c(folder: Path, *arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[str]:
    """One command in a folder, with an environment that names no other hub."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("O2C_")}
    ended = subprocess.run(
        [sys.executable, "-m", "hub.cli", *arguments], cwd=folder, input=stdin, capture_output=True, timeout=60,
        env={**clean, **environment},
    )  # fmt: skip
    out, err = ended.stdout.decode(), ended.stderr.decode()
    assert "Traceback" not in out + err
    return subprocess.CompletedProcess(ended.args, ended.returncode, out, err)


def answer(folder: Path, *arguments: str) -> Any:
    """What a command says with --json; it must succeed."""
    ended = o2c(folder, *arguments, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def wait_for(folder: Path, count: int, *filters: str) -> list[dict[str, Any]]:
    """The messages that match, once there are that many and none of their deliveries is under way."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        items: list[dict[str, Any]] = answer(folder, "messages", *filters)["items"]
        states = {line["state"] for item in items for line in item["deliveries"]}
        if (
            len(items) >= count
            and not states & {"queued", "delivering"}
            and "received" not in {i["state"] for i in items}
        ):
            return items
        time.sleep(0.1)
    raise AssertionError(f"expected {count} messages, got {items}")


def order(folder: Path, number: int, **changes: Any) -> str:
    """A file with an order like the sample, under another number."""
    document = json.loads((folder / "sample-order.json").read_text())
    document |= {"id": 5_500_000_000_000 + number, "name": f"#{number}", **changes}
    (folder / f"order-{number}.json").write_text(json.dumps(document))
    return f"order-{number}.json"


def with_unit(folder: Path, number: int, unit: str) -> str:
    lines = json.loads((folder / "sample-order.json").read_text())["line_items"]
    lines[0]["properties"] = [{"name": "unit", "value": unit}]
    return order(folder, number, line_items=lines)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on a free port, not running."""
    parent = tmp_path_factory.mktemp("cli")
    assert o2c(parent, "init", "shop").returncode == 0
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    for name in ("config/hub.yaml", ".o2c/local.json"):
        path = parent / "shop" / name
        path.write_text(path.read_text().replace("127.0.0.1:8420", f"127.0.0.1:{port}"))
    return parent / "shop"


@pytest.fixture(scope="module")
def running(project: Path) -> Iterator[Path]:
    """The same project with its hub running."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("O2C_")}
    with (project / "hub.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "hub.cli", "run"],
            cwd=project,
            env=clean,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _wait_until_up(client_for(project), process, project)
        yield project
    finally:
        process.send_signal(signal.SIGTERM)
        ended = process.wait(40)
    assert ended == 0, (project / "hub.log").read_text()


def _wait_until_up(client: HubClient, process: subprocess.Popen[bytes], project: Path) -> None:
    deadline = time.monotonic() + 20
    while not client.is_up():
        assert process.poll() is None and time.monotonic() < deadline, (project / "hub.log").read_text()
        time.sleep(0.05)


# -- a new project -------------------------------------------------------------------------------------------------


def test_a_new_project_has_no_faults_and_needs_nothing_set(project: Path) -> None:
    checked = o2c(project, "check")
    assert (checked.returncode, checked.stdout) == (0, "")
    assert checked.stderr.startswith("no faults in ")


def test_what_is_secret_in_a_new_project_is_readable_by_its_owner_alone(project: Path) -> None:
    for name in (".o2c/local.json", ".o2c/secrets/webshop"):
        assert stat.S_IMODE((project / name).stat().st_mode) == 0o600


def test_two_projects_share_no_secret(tmp_path: Path, project: Path) -> None:
    assert o2c(tmp_path, "init", "other").returncode == 0
    for name in (".o2c/local.json", ".o2c/secrets/webshop"):
        assert (tmp_path / "other" / name).read_text() != (project / name).read_text()


def test_the_store_keeps_no_key_in_the_clear(project: Path) -> None:
    key = json.loads((project / ".o2c/local.json").read_text())["api_key"]
    assert key.encode() not in b"".join(path.read_bytes() for path in (project / "data").glob("hub.db*"))


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refused = o2c(tmp_path, "init", ".")
    assert refused.returncode == 2
    assert refused.stderr.strip() == "o2c: . is not empty; name a new folder"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# -- documents -----------------------------------------------------------------------------------------------------


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
    assert "routes/orders.yaml:8:14: error: " in ended.stdout
    assert "did you mean 'erp'?" in ended.stdout
    deployed = o2c(tmp_path / "broken", "deploy")
    assert deployed.returncode == 1
    assert "did you mean 'erp'?" in deployed.stderr


def test_schemas_are_written_for_editors(project: Path, tmp_path: Path) -> None:
    written = answer(project, "schema", "--into", str(tmp_path))
    assert {Path(name).name for name in written} >= {"hub.schema.json", "route.schema.json", "mapping.schema.json"}
    assert all(json.loads(Path(name).read_text())["$schema"] for name in written)


# -- the running hub -----------------------------------------------------------------------------------------------


def test_without_a_hub_a_command_says_how_to_start_one(tmp_path: Path) -> None:
    assert o2c(tmp_path, "init", "idle").returncode == 0
    local = tmp_path / "idle/.o2c/local.json"
    local.write_text(local.read_text().replace(":8420", ":1"))
    ended = o2c(tmp_path / "idle", "messages")
    assert ended.returncode == 1
    assert ended.stderr.startswith("o2c: no hub answers at http://127.0.0.1:1 ")
    assert "start it with: o2c run" in ended.stderr


def test_an_order_is_sent_delivered_and_shown(running: Path) -> None:
    sent = answer(running, "send", SHOP, order(running, 4001), "--id", "shop-4001")
    repeated = answer(running, "send", SHOP, "order-4001.json", "--id", "shop-4001")
    assert (repeated["message_id"], repeated["duplicate"]) == (sent["message_id"], True)
    [item] = wait_for(running, 1, "--key", "order:4001")
    assert item["message_id"] == sent["message_id"]
    assert {line["target"]: line["state"] for line in item["deliveries"]} == {"erp": "delivered", "wms": "delivered"}
    [written] = (running / "data/outbox/erp").glob("4001-*.json")
    assert json.loads(written.read_text())["external_reference"] == "4001"
    shown = o2c(running, "show", item["message_id"]).stdout
    assert "to erp: delivered" in shown and "key          order:4001" in shown


def test_a_trace_of_a_stored_message_comes_from_its_own_bytes(running: Path) -> None:
    sent = answer(running, "send", SHOP, order(running, 4002))
    wait_for(running, 1, "--key", "order:4002")
    traced = answer(running, "show", sent["message_id"], "--trace")
    assert {entry["path"]: entry["value"] for entry in traced["trace"]}["order_id"] == "4002"


def test_what_is_not_signed_by_the_shop_is_refused(running: Path) -> None:
    secret = running / ".o2c/secrets/webshop"
    kept = secret.read_text()
    secret.write_text("not the shop's")
    try:
        refused = o2c(running, "send", SHOP, "sample-order.json")
    finally:
        secret.write_text(kept)
    assert refused.returncode == 1
    assert refused.stderr.startswith("401: ")
    assert "not the shop's" not in refused.stderr and kept not in refused.stderr


def test_a_dead_letter_is_explained_repaired_and_replayed(running: Path) -> None:
    answer(running, "send", SHOP, with_unit(running, 4003, "pallet"))
    wait_for(running, 1, "--state", "dead")
    told = o2c(running, "dead").stdout
    assert "lookup_missing" in told and "the table 'units' has no key 'pallet'" in told
    assert "mappings/orders/shopify-order.yaml:" in told and "o2c replay --issue" in told

    planned = answer(running, "replay", "--all", "--dry-run")
    assert (planned["state"], planned["plan"]["replayable"]) == ("planned", 1)
    units = running / "mappings/tables/units.csv"
    units.write_text(units.read_text().rstrip() + "\npallet,PF\n")
    assert answer(running, "deploy")["running"] is True
    replayed = answer(running, "replay", "--class", "lookup_missing", "--yes")
    assert (replayed["state"], replayed["items"]["started"]) == ("done", 1)
    [item] = wait_for(running, 1, "--key", "order:4003")
    assert {line["state"] for line in item["deliveries"]} == {"delivered"}
    assert o2c(running, "dead").stderr.strip() == "no dead letters"


def test_a_replay_without_a_choice_or_an_answer_is_refused(running: Path) -> None:
    nothing = o2c(running, "replay")
    assert (nothing.returncode, "say which: ids, or --all" in nothing.stderr) == (2, True)
    answer(running, "send", SHOP, with_unit(running, 4004, "barrel"))
    wait_for(running, 1, "--state", "dead")
    unasked = o2c(running, "replay", "--all")
    assert unasked.returncode == 2
    assert "say --yes" in unasked.stderr
    unknown = o2c(running, "replay", "no-such-id", "--yes")
    assert unknown.returncode == 1
    assert "no-such-id" in unknown.stderr


def test_a_deployed_set_can_be_taken_back(running: Path) -> None:
    before = answer(running, "deploy")["set_id"]
    route = running / "routes/orders.yaml"
    text = route.read_text()
    route.write_text(text.replace("description: Web shop orders", "description: Orders of the shop"))
    after = answer(running, "deploy")["set_id"]
    assert after != before
    assert answer(running, "deploy", "--rollback")["set_id"] == before
    route.write_text(text)


def test_a_list_goes_on_where_it_ended(running: Path) -> None:
    for number in range(4010, 4014):
        answer(running, "send", SHOP, order(running, number))
    wait_for(running, 4, "--text", "401")
    seen, cursor = [], ""
    for _ in range(20):
        page = answer(running, "messages", "--limit", "2", *(("--cursor", cursor) if cursor else ()))
        seen += [item["message_id"] for item in page["items"]]
        cursor = page.get("next_cursor") or ""
        if not cursor:
            break
    assert len(seen) == len(set(seen)) >= 4


def test_a_backup_of_a_running_store_is_whole(running: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    assert answer(running, "backup", str(target))["bytes"] > 10_000
    assert target.read_bytes().startswith(b"SQLite format 3")
    again = o2c(running, "backup", str(target))
    assert (again.returncode, "is there already" in again.stderr) == (2, True)


def test_the_doctor_finds_nothing_and_everything_adds_up(running: Path) -> None:
    findings = answer(running, "doctor")
    assert [finding for finding in findings if finding["state"] == "fault"] == []
    assert {"running hub", "system erp", "store", "disk"} <= {finding["subject"] for finding in findings}
    proof = answer(running, "doctor", "--conservation")
    assert proof["holds"] is True
    assert proof["deliveries"]["delivered"] > 0


def test_a_second_hub_on_one_store_is_refused(running: Path) -> None:
    ended = o2c(running, "run")
    assert ended.returncode == 1
    assert "holds the embedded store" in ended.stderr


def test_a_wrong_key_is_told_apart_from_no_hub(running: Path) -> None:
    ended = o2c(running, "messages", O2C_API_KEY="o2c_wrong")
    assert ended.returncode == 1
    assert "this key is not known" in ended.stderr


def test_explain_says_the_defaults_in_words(running: Path) -> None:
    said = o2c(running, "explain", "webshop-orders").stdout
    assert "tried 8 times" in said and "Kept:" in said
    assert "did you mean 'webshop-orders'?" in o2c(running, "explain", "webshop-order").stderr


# -- the demo ------------------------------------------------------------------------------------------------------


def test_the_demo_ends_with_numbers_that_add_up(tmp_path: Path) -> None:
    ended = o2c(tmp_path, "demo", "--orders", "40", "--seconds", "4", TMPDIR=str(tmp_path))
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr
    assert " yes" in ended.stdout and " NO" not in ended.stdout
    assert "the ERP goes away" in ended.stdout and "o2c replay --issue" in ended.stdout
    assert list(tmp_path.iterdir()) == []
