"""Two systems that look at one folder: what `o2c check` says where they would take each other's files."""

from __future__ import annotations

import pytest

from hub.check import check_project
from hub.folder_lint import overlap
from hub.project import reference_files

PIN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
SERVER = f"connector: sftp, host: h.example, host_key: '{PIN}', user: hub, key: secret://file/k"
FOLDER = "connector: file, root: mail"


def faults(first: str, second: str) -> list[tuple[str, str]]:
    """(place, text) of what is wrong with two systems of these settings."""
    systems = f"first: {{format: csv, {first}}}\nsecond: {{format: csv, {second}}}\n"
    own = {"config/hub.yaml": b"store: sqlite:///data/hub.db\n", "config/systems.yaml": systems.encode()}
    return [
        (f"{fault.line} {fault.severity}", fault.message)
        for fault in check_project({**reference_files(), **own}, own=own).faults
    ]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (f"{FOLDER}, fetch: {{folder: in}}", f"{FOLDER}, fetch: {{folder: in}}",
         "'first' takes files out of this folder too (pattern '*', here '*'), and the files go to either of them"),
        (f"{FOLDER}, fetch: {{folder: in, pattern: '*.csv'}}",
         "connector: file, root: ./mail/in, fetch: {folder: ., pattern: 'DES*.csv', claim: lease}",
         "'first' takes files out of this folder too (pattern '*.csv', here 'DES*.csv'), and the files go to either"),
        (f"{SERVER}, fetch: {{folder: in}}", f"{SERVER}, port: 22, root: ., fetch: {{folder: in/}}", "the files go to"),
    ],
)  # fmt: skip
def test_two_systems_that_take_the_same_files_are_refused(first: str, second: str, told: str) -> None:
    [(place, text)] = faults(first, second)
    assert place == "2 error"
    assert told in text
    assert text.endswith("write patterns that no name fits both of, or one system with events:")


def test_a_name_that_may_fit_both_patterns_is_warned_of() -> None:
    fetch = f"{FOLDER}, fetch: {{folder: in, pattern: '%s'}}"
    [(place, text)] = faults(fetch % "DES*.csv", fetch % "*-acme.csv")
    assert place == "2 warning"
    assert "and names that fit both, if there are any, go to either of them" in text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{FOLDER}, fetch: {{folder: in, pattern: 'DES*'}}", f"{FOLDER}, fetch: {{folder: in, pattern: 'STO*'}}"),
        (f"{FOLDER}, fetch: {{folder: in}}", f"{FOLDER}, fetch: {{folder: out}}"),
        (f"{FOLDER}, fetch: {{folder: in}}", f"{FOLDER}, send: {{folder: in}}"),
        (f"{FOLDER}, fetch: {{folder: in, claim: lease}}", f"{FOLDER}, fetch: {{folder: in, claim: lease}}"),
        (f"{SERVER}, fetch: {{folder: in}}", f"{SERVER}, port: 2222, fetch: {{folder: in}}"),
        ("connector: file, root: secret://env/ONE, fetch: {folder: in}",
         "connector: file, root: secret://env/OTHER, fetch: {folder: in}"),
    ],
)  # fmt: skip
def test_systems_that_take_different_files_are_in_order(first: str, second: str) -> None:
    assert [text for _, text in faults(first, second) if "takes files" in text] == []


@pytest.mark.parametrize(
    ("one", "other", "is_so"),
    [
        ("*", "*", True), ("a*", "*b", True), ("a*", "b*", False), ("a?c", "a*d", False), ("a?c", "*c", True),
        ("*.csv", "*.xml", False), ("[0-9]*", "[A-Z]*", False), ("[0-9A-C]*", "[C-Z]*", True), ("[!a]*", "a*", False),
        ("?", "ab", False), ("", "*", True), ("a", "", False), ("*a*b*c*", "*c*b*a*", True), ("[]]x", "?x", True),
        ("*" * 40 + "a", "*" * 40 + "b", False),
    ],
)  # fmt: skip
def test_whether_a_name_may_fit_two_patterns(one: str, other: str, is_so: bool) -> None:
    assert overlap(one, other) is is_so
    assert overlap(other, one) is is_so
