"""`o2c check` and `o2c explain` where a target collects what is sent to it, and where a source has times of day."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from hub.check import CheckResult, check_project
from hub.explain import explain
from hub.project import reference_files

FILES = {
    "config/hub.yaml": "store: sqlite:///data/hub.db\ntime_zone: Europe/Paris\n",
    "config/systems.yaml": "shop: {connector: webhook, verify: {method: none, unsigned: true}}\n"
    "bank: {connector: file, root: mail, format: csv, send: {folder: out, name: '{batch_id}.{extension}'}, "
    "fetch: {folder: in, every: 5m}}\n",
    "routes/r.yaml": "route: orders\nfrom: {system: shop}\nmap: customer\nto:\n"
    "  - {system: bank, map: row, collect: {at: '18:00', every: 15m, max: 500}}\n",
    "mappings/customer.yaml": "mapping: customer\nversion: 1\nsource: {format: json}\n"
    "target: {schema: canonical/customer}\n"
    "output:\n  customer_id: src.id\n  status: {const: active}\n  updated_at: src.at\n"
    "  party: {party_id: src.id, name: src.name}\n",
    "mappings/row.yaml": "mapping: row\nversion: 1\nsource: {schema: canonical/customer}\ntarget: {format: csv}\n"
    "output:\n  id: src.customer_id\n",
}
COLLECT = "collect: {at: '18:00', every: 15m, max: 500}"


def checked(files: Mapping[str, str] = FILES) -> CheckResult:
    own = {name: text.encode() for name, text in files.items()}
    return check_project({**reference_files(), **own}, own=own)


def changed(*changes: tuple[str, str]) -> dict[str, str]:
    files = dict(FILES)
    for old, new in changes:
        assert any(old in text for text in files.values()), f"{old!r} stands nowhere"
        files = {name: text.replace(old, new, 1) for name, text in files.items()}
    return files


def told(*changes: tuple[str, str]) -> list[str]:
    return [str(fault) for fault in checked(changed(*changes)).faults]


def test_a_target_that_collects_is_sound_and_explained() -> None:
    found = checked()
    assert [str(fault) for fault in found.faults] == []
    assert (
        "     - collected at 18:00 and every 15m from midnight on (Europe/Paris); sooner when 500 wait, at most as "
        "many in one file\n     - what becomes of it becomes of each in it; one that is replayed goes in the next\n"
    ) in explain(found.routes[0], found.settings)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ([(COLLECT, "collect: {max: 5}")], "collect: says no time; write at: \"18:00\" or every: 15m, with max:"),
        ([("max: 500", "max: 0")], "collect.max: expected 1 to 10000, got 0"),
        ([("max: 500", "max: 20000")], "collect.max: expected 1 to 10000, got 20000"),
        ([("every: 15m, max", "every: 1500ms, max")], "every: expected whole seconds from 1s to 24h, got 1.5s"),
        ([("max: 500", "mx: 500")], "unknown key 'mx' in to[0].collect of route 'orders'; did you mean 'max'?"),
        ([("max: 500", "zone: Europe/Pari")], "zone: unknown zone 'Europe/Pari'; did you mean 'Europe/Paris'?"),
        ([("max: 500", "days: busines")], "did you mean 'business'?"),
        ([(COLLECT, f"{COLLECT}, reply: {{map: customer}}")], "reply: makes a document of the answer to one, and"),
        ([(COLLECT, f"{COLLECT}, profile: en16931")], "profile: judges a file with one document, and collect: writes"),
        ([("target: {format: csv}", "target: {format: xml}"), ("  id: src", "  a:\n    id: src")],
         "collect: a file of the format xml holds several only under records:; write records: in target: of 'row'"),
        ([("map: row, ", ""), ("format: csv, send", "format: pain, send")],
         "collect: a file of the format pain holds one document; take collect: out"),
        ([("{batch_id}", "{customer_id}")], "no document that is sent here gives 'customer_id'"),
        ([(COLLECT, "when: has(src.party)")], "no document that is sent here gives 'batch_id'"),
        ([("max: 500}}", "max: 500}}\n  - {system: bank, id: now, map: row}")],
         "warning: collect: documents for 'bank' that are not collected (route 'orders', target 'now') wait until"),
        ([(COLLECT, f"{COLLECT}, expires: 15m")],
         "warning: expires: some of what is collected waits 15m for that, and expires after 15m; write a longer time"),
        ([(COLLECT, "collect: {at: ['06:00', '18:00']}, expires: 12h")], "collected waits 12h for that, and expires"),
        ([(COLLECT, "collect: {at: ['06:00', '07:30']}, expires: 22h")], "waits 22h30m for that, and expires"),
        ([(COLLECT, "collect: {at: '18:00', days: weekdays}, expires: 1d")], "waits 3d for that, and expires"),
        ([(COLLECT, "collect: {every: 5h, days: business, calendar: FR}, expires: 2d")], "waits 2d4h for that, and"),
        ([("every: 5m", "at: ['06:00', '25:00']")], "at: expected a time of day from 00:00 to 23:59, got '25:00'"),
        ([("every: 5m", "at: ['06:00'], days: business")], "days: business needs calendar: FR, DE-BY or TARGET"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said(changes: list[tuple[str, str]], expected: str) -> None:
    faults = told(*changes)
    assert any(expected in fault for fault in faults), faults


ONE_MORE = ("max: 500}}", "max: 500}}\n  - {system: bank, id: now, map: row}\norder: none")


@pytest.mark.parametrize(
    "says", [f"{COLLECT}, expires: 16m", "collect: {at: ['06:00', '07:30'], max: 500}, expires: 23h"]
)
def test_what_waits_long_enough_to_be_collected_is_sound(says: str) -> None:
    assert told((COLLECT, says)) == []


def test_nothing_waits_for_it_where_no_order_is_kept() -> None:
    assert told(ONE_MORE, ("{batch_id}", "{key}")) == []


def test_a_name_that_not_everything_that_is_sent_there_gives_is_told() -> None:
    for name, target in (("batch_id", "now"), ("customer_id", "bank")):
        [fault] = told(ONE_MORE, ("{batch_id}", f"{{{name}}}"))
        said = f"send.name: no document that is sent here by route 'orders', target '{target}', gives '{name}'"
        assert said in fault


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("{date}-{time}-{count}.csv", 1), ("{date}.csv", 1), ("{date}.csv', if_exists: 'replace", 1),
        ("{date}.csv', if_exists: 'suffix", 0), ("{date}-{batch_id}.csv", 0), ("{date}-{key}.csv", 0), ("all.csv", 0),
    ],
)  # fmt: skip
def test_a_name_that_batches_of_one_second_share_is_told(name: str, count: int) -> None:
    faults = told(("{batch_id}.{extension}", name))
    said = "may have the same name '{date}"
    assert [said in fault and "write {batch_id} in its name:" in fault for fault in faults] == [True] * count


def test_a_source_with_times_of_day_is_sound() -> None:
    found = checked(changed(("every: 5m", "at: ['06:00', '18:00'], zone: Europe/Berlin")))
    assert [str(fault) for fault in found.faults] == []
    assert str(found.settings.systems["bank"].schedule) == "at 06:00 and 18:00 (Europe/Berlin)"
    assert checked().settings.systems["bank"].schedule is None
