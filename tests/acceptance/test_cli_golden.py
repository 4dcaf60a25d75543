"""``o2c test`` as a user types it: in a new project, after a change that breaks something, in CI."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from program import answer, new_project, o2c

REFERENCE = Path(__file__).resolve().parents[2]
# Before it goes over the lines this mapping asks whether there are goods, so that a request for nothing is an error.
NEVER_EMPTY = ("mappings/orders/order-to-fulfilment.yaml", "the list is empty", "src.order_lines")
MAPPING, TESTS = "mappings/orders/order-to-erp.yaml", "mappings/orders/order-to-erp.test.yaml"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return new_project(tmp_path, "shop")


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


def test_the_tests_of_a_new_project_pass_and_are_those_of_all_it_has(project: Path) -> None:
    ended = o2c(project, "test")
    assert (ended.returncode, "FAIL" in ended.stdout) == (0, False), ended.stdout
    assert "0 failed" in ended.stderr
    assert " never ran (" in ended.stdout
    assert "no test runs it" not in ended.stdout
    assert {path.with_suffix("").name for path in project.rglob("*.test.yaml")} == {
        f"{path.stem}.test" for folder in ("mappings", "routes") for path in (project / folder).rglob("*.yaml")
        if not path.stem.endswith(".test")
    }  # fmt: skip


def missed(folder: Path) -> list[tuple[str, str, str]]:
    files = answer(folder, "test", "mappings/orders", "routes", "--no-properties")["coverage"]["files"]
    return [(file["file"], probe["way"], probe["text"]) for file in files for probe in file["missed"]]


def test_the_tests_that_come_with_the_hub_reach_all_that_can_be_reached(project: Path) -> None:
    assert missed(REFERENCE) == [NEVER_EMPTY]
    assert missed(project) == [NEVER_EMPTY]


def test_a_change_is_told_field_by_field_and_an_update_writes_it(project: Path) -> None:
    change(project / MAPPING, "order_type: ", "order_type: upper(")
    text = (project / MAPPING).read_text().splitlines()
    number = next(n for n, line in enumerate(text) if "order_type: upper(" in line)
    (project / MAPPING).write_text("\n".join([*text[:number], "  order_type: {const: rush}", *text[number + 1 :]]))
    ended = o2c(project, "test", MAPPING, "-k", "two lines", "--no-properties")
    assert ended.returncode == 1
    assert "FAIL mappings/orders/order-to-erp.test.yaml:" in ended.stdout
    assert "  order_type\n    expected  'standard'   (mappings/orders/order-to-erp.test.yaml:" in ended.stdout
    assert "    seen      'rush'" in ended.stdout
    before = (project / TESTS).read_text()
    updated = o2c(project, "test", MAPPING, "--update", "--no-properties")
    assert updated.returncode == 0, updated.stdout
    assert "updated mappings/orders/order-to-erp.test.yaml:" in updated.stdout
    assert "5 failed (5 of them updated)" in updated.stderr
    after = (project / TESTS).read_text()
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines(), strict=True) if a != b]
    assert {(a.strip(), b.strip()) for a, b in changed} == {("order_type: standard", "order_type: rush")}
    assert o2c(project, "test", MAPPING).returncode == 0
    assert o2c(project, "test").returncode == 1  # the route's test sends the same body


def test_a_mapping_under_work_elsewhere_stops_no_test_of_this_one(project: Path) -> None:
    (project / "mappings/orders/half-done.yaml").write_text("mapping: half-done\noutput:\n  total: nope(src.total)\n")
    assert o2c(project, "test", MAPPING, "--no-properties").returncode == 0
    stopped = o2c(project, "test", "--no-properties")
    assert stopped.returncode != 0
    assert "mappings/orders/half-done.yaml:3:" in stopped.stderr


def test_an_update_leaves_a_case_that_expects_an_error_alone(project: Path) -> None:
    file = project / "mappings/orders/shopify-order.test.yaml"
    change(file, "error: the total differs", "error: the sum differs")
    before = file.read_text()
    ended = o2c(project, "test", "mappings", "--update", "--no-properties")
    assert ended.returncode == 1
    assert "not updated mappings/orders/shopify-order.test.yaml:" in ended.stdout
    assert "it expects an error; change it by hand if that is meant" in ended.stdout
    assert file.read_text() == before


def test_reports_for_ci_are_written_and_too_little_coverage_fails(project: Path) -> None:
    given = ("--junit", "results.xml", "--html", "coverage.html", "--no-properties")
    ended = o2c(project, "test", *given, "--coverage-min", "100")
    assert ended.returncode == 1
    assert "% is covered; --coverage-min wants 100 %" in ended.stderr
    root = ElementTree.fromstring((project / "results.xml").read_bytes())
    assert {suite.get("failures") for suite in root} == {"0"}
    assert "prefers-color-scheme" in (project / "coverage.html").read_text()
    assert o2c(project, "test", "--no-properties", "--coverage-min", "50").returncode == 0


def test_the_order_of_results_does_not_depend_on_the_number_of_processes(project: Path) -> None:
    found = [answer(project, "test", "--processes", number) for number in ("1", "3")]
    names = [[(each["file"], each["name"], each["kind"]) for each in one["results"]] for one in found]
    assert names[0] == names[1]
    assert found[0]["coverage"] == found[1]["coverage"]
    assert sorted(names[0], key=lambda each: each[0]) == names[0]


def test_files_and_texts_in_their_own_formats(project: Path) -> None:
    (project / "routes/orders.test.yaml").write_text(
        "cases:\n- name: x\n  route: webshop-orders\n"
        "  receives: {event: orders/create, body_file: ../sample-order.json}\n"
        "  expected:\n    deliveries:\n    - {to: erp, body_file: erp.json}\n    - {to: wms}\n"
    )
    (project / "routes/erp.json").write_text("{}")
    assert o2c(project, "test", "routes").returncode == 1
    assert o2c(project, "test", "routes", "--update").returncode == 0
    assert json.loads((project / "routes/erp.json").read_text())["external_reference"] == "1001"
    assert o2c(project, "test", "routes").returncode == 0


def test_no_control_character_of_a_document_reaches_the_terminal(project: Path) -> None:
    (project / TESTS).write_text('cases:\n- {name: "a\\e[31m", input: {"\\e[2J": 1}, expected: {"\\e]": "\\e[0m"}}\n')
    ended = o2c(project, "test", MAPPING, "--no-properties")
    assert ended.returncode == 1
    assert "\x1b" not in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("-k", "no such case"), 2, "-k: no case has 'no such case' in its name or file"),
        (("nowhere.yaml",), 2, "nowhere.yaml: no mapping, no route and no folder with any of this project"),
        (("--coverage-min", "101"), 2, "--coverage-min"),
    ],
)
def test_what_cannot_be_tested_is_told(project: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = o2c(project, "test", *arguments)
    assert ended.returncode == code
    assert said in ended.stderr


def test_a_test_file_with_a_mistake_is_told_with_its_place_by_check_too(project: Path) -> None:
    change(project / TESTS, "    expected:", "    expceted:")
    for command in ("test", "check"):
        ended = o2c(project, command)
        assert ended.returncode == 1
        assert "unknown key 'expceted' in a case; did you mean 'expected'?" in ended.stdout + ended.stderr
