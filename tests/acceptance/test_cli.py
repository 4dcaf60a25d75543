"""The command line as a user has it: a project of `o2c init`, the hub of `o2c run`, every command on it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import SHOP, answer, new_project, o2c, order, started, wait_for, with_unit

from hub.client import client_for
from hub.store import api_keys, audit, open_store


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that does not run."""
    return new_project(tmp_path_factory.mktemp("cli"), "shop")


@pytest.fixture(scope="module")
def running(project: Path) -> Iterator[Path]:
    """The same project with its hub running."""
    with started(project):
        yield project


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


def test_the_first_key_of_a_project_stands_in_the_audit(project: Path) -> None:
    store = open_store("sqlite:///data/hub.db", project, read_only=True)
    key, row = api_keys.listed(store.reader())[0], audit.listed(store.reader(), 999)[-1]
    assert (row["actor"], row["action"], row["subject"]) == ("hub", "key.create", key.key_id)
    assert row["detail"] == {"name": "command line", "role": "admin"}
    assert audit.verify(store.reader()) is None
    store.close()


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    refused = o2c(tmp_path, "init", ".")
    assert refused.returncode == 2
    assert refused.stderr.strip() == "o2c: . is not empty; name a new folder"
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


# -- the running hub -----------------------------------------------------------------------------------------------


TILL = """
till:
  connector: webhook
  verify: {method: token, header: X-Token, secrets: [secret://file/webshop]}
  event: sale
"""
SALES = """
route: sales
from: {system: till, event: sale}
map: pos-csv-sale
to: [{system: erp, map: order-to-erp}]
"""


def test_what_is_sent_is_called_what_the_mapping_of_its_route_reads(tmp_path: Path) -> None:
    """A webhook whose format only its mapping says: CSV, and not the JSON that systems have by default."""
    project = new_project(tmp_path, "till")
    systems = project / "config/systems.yaml"
    systems.write_text(systems.read_text() + TILL)
    (project / "routes/sales.yaml").write_text(SALES)
    sent = o2c(project, "send", "till", "-", stdin=b"receipt,sku\nR1,A\n")
    assert sent.returncode == 0, sent.stderr


def test_while_no_hub_runs_its_store_is_read_and_written(tmp_path: Path) -> None:
    idle = new_project(tmp_path, "idle")
    sent = o2c(idle, "send", SHOP, with_unit(idle, 5001, "pallet"))
    assert (sent.returncode, sent.stderr.splitlines()[0]) == (
        0,
        f"no hub answers at {client_for(idle).url}; this is its store",
    )
    assert [item["state"] for item in answer(idle, "messages")["items"]] == ["received"]
    refuses_what_is_no_id(idle)
    with started(idle):
        wait_for(idle, 1, "--state", "dead")
    units = idle / "mappings/tables/units.csv"
    units.write_text(units.read_text().rstrip() + "\npallet,PF\n")
    assert answer(idle, "deploy")["running"] is False
    assert answer(idle, "replay", "--all", "--yes")["items"]["started"] == 1
    with started(idle):
        [item] = wait_for(idle, 1, "--key", "order:5001")
    assert {line["state"] for line in item["deliveries"]} == {"delivered"}


def test_a_hub_elsewhere_that_does_not_answer_is_named(tmp_path: Path) -> None:
    ended = o2c(tmp_path, "messages", O2C_URL="http://127.0.0.1:1")
    assert ended.returncode == 1
    assert ended.stderr.startswith("o2c: no hub answers at http://127.0.0.1:1 (connection refused)")


def test_an_order_is_sent_delivered_and_shown(running: Path) -> None:
    sent = answer(running, "send", SHOP, order(running, 4001), "--id", "shop-4001")
    repeated = answer(running, "send", SHOP, "order-4001.json", "--id", "shop-4001")
    assert (repeated["message_id"], repeated["duplicate"]) == (sent["message_id"], True)
    [item] = wait_for(running, 1, "--key", "order:4001")
    assert item["message_id"] == sent["message_id"]
    assert {line["target"]: line["state"] for line in item["deliveries"]} == {"erp": "delivered", "wms": "delivered"}
    [written] = (running / "data/outbox/erp").glob("4001-*.json")
    assert json.loads(written.read_text())["external_reference"] == "4001"
    shown = o2c(running, "show", f" {item['message_id']}\n").stdout
    assert "to erp: delivered" in shown and "key          order:4001" in shown
    refuses_what_is_no_id(running)


def refuses_what_is_no_id(project: Path) -> None:
    for text in ("m 1", "Stück", "a?b#c"):
        ended = o2c(project, "show", text)
        assert ended.returncode == 1
        assert ended.stderr.endswith(f"o2c: there is no message, receipt or delivery with the id '{text}'\n")


def test_a_trace_of_a_stored_message_comes_from_its_own_bytes(running: Path) -> None:
    sent = answer(running, "send", SHOP, order(running, 4002))
    wait_for(running, 1, "--key", "order:4002")
    traced = answer(running, "show", sent["message_id"], "--trace")
    assert {entry["path"]: entry["value"] for entry in traced["trace"]}["order_id"] == "4002"
    sent_to_erp = {entry["path"]: entry for entry in traced["target_traces"]["erp"]}
    [canonical] = sent_to_erp["external_reference"]["from"]
    assert (canonical["path"], canonical["sources"]) == ("order_id", ["src.name"])
    assert canonical["places"][0]["line"] > 0
    shown = o2c(running, "show", sent["message_id"], "--trace").stdout
    assert "to erp:" in shown and "order_id <- " in shown


def test_a_trace_of_a_message_on_a_hub_elsewhere_needs_no_project(running: Path, tmp_path: Path) -> None:
    sent = answer(running, "send", SHOP, order(running, 4073))
    wait_for(running, 1, "--key", "order:4073")
    hub = client_for(running)
    traced = o2c(tmp_path, "show", sent["message_id"], "--trace", O2C_URL=hub.url, O2C_API_KEY=hub.key)
    assert (traced.returncode, traced.stderr) == (0, "")
    lines = {line.split("  ")[0]: line for line in traced.stdout.splitlines()}
    assert lines["order_id"].rstrip(")").partition("src.name at ")[2].partition(" (byte ")[0]
    assert "order_id <- " in lines["external_reference"]


def test_a_trace_is_by_the_files_of_then_whatever_the_folder_says_now(running: Path) -> None:
    sent = answer(running, "send", SHOP, order(running, 4004))
    wait_for(running, 1, "--key", "order:4004")
    mapping = running / "mappings/orders/shopify-order.yaml"
    kept = mapping.read_text()
    before = answer(running, "show", sent["message_id"], "--trace")["trace"]
    mapping.write_text("# not deployed\n" + kept)
    try:
        assert answer(running, "show", sent["message_id"], "--trace")["trace"] == before
    finally:
        mapping.write_text(kept)


def test_what_is_not_signed_by_the_shop_is_refused(running: Path) -> None:
    answer(running, "send", SHOP, order(running, 4005))  # a hub reads a secret when it is first sent to
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


def test_a_replay_at_a_rate_comes_to_its_end_while_no_hub_runs(tmp_path: Path) -> None:
    project = new_project(tmp_path, "paced")
    with started(project):
        for number in range(3):
            answer(project, "send", SHOP, with_unit(project, 6000 + number, "pallet"))
        wait_for(project, 3, "--state", "dead")
    replayed = answer(project, "replay", "--all", "--rate", "4", "--yes")
    assert (replayed["state"], replayed["items"]["started"]) == ("done", 3)
    assert [item["state"] for item in answer(project, "messages", "--state", "received")["items"]] == ["received"] * 3


def test_a_dead_letter_is_explained_repaired_and_replayed(running: Path) -> None:
    answer(running, "send", SHOP, with_unit(running, 4003, "pallet"))
    wait_for(running, 1, "--state", "dead")
    told = o2c(running, "dead").stdout
    assert "lookup_missing" in told and "the table 'units' has no key 'pallet'" in told
    assert "add the key to mappings/tables/units.csv" in told
    assert "mappings/orders/shopify-order.yaml:" in told and "o2c replay --issue" in told

    planned = answer(running, "replay", "--all", "--dry-run")
    assert (planned["state"], planned["plan"]["replayable"]) == ("planned", 1)
    for words, count in {
        ("--state", "dead", "--code", "lookup_missing", "--text", "the table 'units'", "--since", "1h"): 1,
        ("--state", "dead", "--until", "2020-01-01"): 0,
        ("--state", "held"): 0,
    }.items():
        assert answer(running, "replay", *words, "--dry-run")["plan"]["replayable"] == count
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
    before = answer(running, "dead")
    for_programs = o2c(running, "replay", "--all", "--json")
    assert (for_programs.returncode, for_programs.stdout, "say --yes" in for_programs.stderr) == (2, "", True)
    assert answer(running, "dead") == before
    unknown = o2c(running, "replay", "no-such-id", "--yes")
    assert unknown.returncode == 1
    assert "no-such-id" in unknown.stderr


@pytest.mark.parametrize(("unit", "form"), [("crate", ()), ("drum", ("--json",))])
def test_a_replay_of_what_dies_again_fails_and_says_where_it_is(
    running: Path, unit: str, form: tuple[str, ...]
) -> None:
    sent = answer(running, "send", SHOP, with_unit(running, 4012, unit))
    wait_for(running, 1, "--text", unit)
    again = o2c(running, "replay", sent["message_id"], "--yes", *form)
    assert again.returncode == 1
    assert again.stderr.strip().endswith("1 of them needs a person again; see: o2c dead")
    assert "1 sent" in again.stdout if not form else json.loads(again.stdout)["outcomes"] == {"dead": 1}
    assert "lookup_missing" in o2c(running, "dead").stdout


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


def test_a_backup_never_replaces_the_running_store(running: Path) -> None:
    for name in ("hub.db", "hub.db-wal", "hub.db-shm", "hub.db.lock"):
        refused = o2c(running, "backup", f"data/{name}", "--force")
        said = f"data/{name} would take the place of {running / 'data' / name}, which the store itself needs"
        assert (refused.returncode, refused.stderr.strip()) == (2, f"o2c: {said}; name another file")
    assert answer(running, "send", SHOP, order(running, 4011))["message_id"]
    assert answer(running, "doctor", "--conservation")["holds"] is True


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
