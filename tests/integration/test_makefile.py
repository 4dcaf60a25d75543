"""`make test` on a machine that lacks what tests start: it names the Debian packages and stops."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ALWAYS_THERE = ("sh", "id", "git", "openssl", "systemd-analyze", "python3")


def test_what_is_missing_is_named_and_what_is_out_of_the_path_is_found(tmp_path: Path) -> None:
    for name in _ALWAYS_THERE:
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    make = shutil.which("make")
    assert make is not None
    bare = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    ended = subprocess.run([make, "-C", str(ROOT), "test"], env=bare, capture_output=True, timeout=60)
    told = "make test: these Debian packages are missing; install them and run it again:"
    told += " redis-server faketime nodejs npm xmlsec1 gnupg"
    assert (ended.returncode, ended.stderr.decode().splitlines()[0]) == (2, told)


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ([], "pytest tests/conformance"),
        (
            ["CONNECTOR=/a/side.py"],
            "tests/conformance/test_connectors_send.py tests/conformance/test_connectors_fetch.py",
        ),
        (["SAMPLES=/a/folder"], 'tests/conformance/public_documents.py /a/folder "" "" || failed=1; :; exit $failed'),
        (
            ["RULES=/a/folder", "PROJECT=/a/project"],
            "tests/conformance/rule_sets.py /a/folder /a/project || failed=1; .venv/bin/python "
            "tests/conformance/own_documents.py /a/project || failed=1; exit $failed",
        ),
    ],
)
def test_make_conformance_runs_the_suites_or_reads_samples(given: list[str], command: str) -> None:
    ended = subprocess.run(["make", "-C", str(ROOT), "-n", "conformance", *given], capture_output=True, timeout=60)
    assert (ended.returncode, ended.stdout.decode().splitlines()[-2].endswith(command)) == (0, True), ended.stdout


def test_every_test_is_run_by_make_test() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {
        part for line in re.findall(r"^(?:CHECKED|LONGEST_FIRST) := (.*)$", text, re.MULTILINE) for part in line.split()
    }
    tests = [path.relative_to(ROOT) for path in (ROOT / "tests").rglob("test_*.py")]
    assert len(tests) > 100
    assert [str(path) for path in tests if not {str(path), *map(str, path.parents)} & named] == []
