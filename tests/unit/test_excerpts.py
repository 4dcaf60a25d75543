"""The line under a fault: the mark stands where the fault is, and no secret is shown."""

from __future__ import annotations

import pytest

from hub.errors import Fault
from hub.excerpts import with_excerpts

FILES = {
    "config/systems.yaml": b"erp:\n  auth: {type: bearer, tokn: hunter2}\n  base_url: http://me:hunter2@x\n",
    "mappings/a.yaml": "output:\n\tnäme: upperr(src.name)\n".encode(),
    "mappings/long.yaml": b"a: " + b"x" * 200 + b"MARK" + b"y" * 200,
}


def excerpt(*faults: Fault) -> list[list[str]]:
    return [fault.excerpt.splitlines() for fault in with_excerpts(faults, FILES)]


def test_the_mark_stands_below_what_is_wrong() -> None:
    fault = Fault("mappings/a.yaml", 2, 8, "unknown function 'upperr'", width=6)
    assert excerpt(fault) == [["    \tnäme: upperr(src.name)", "    \t      ^^^^^^"]]


def test_a_long_line_is_shown_around_the_fault() -> None:
    [[line, mark]] = excerpt(Fault("mappings/long.yaml", 1, 204, "x", width=4))
    assert len(line) < 130
    assert line[mark.index("^") : mark.rindex("^") + 1] == "MARK"


@pytest.mark.parametrize(
    "faults",
    [
        [Fault("config/systems.yaml", 2, 24, "unknown key 'tokn' in auth of system 'erp'; did you mean 'token'?")],
        [Fault("config/systems.yaml", 3, 13, "base_url: the address holds a password; write secret://env/NAME")],
        [
            Fault("config/systems.yaml", 2, 24, "auth.token: a secret written out; write secret://env/NAME"),
            Fault("config/systems.yaml", 2, 10, "auth.type: expected none, basic …"),
        ],
    ],
)
def test_what_is_or_may_be_a_secret_is_not_shown(faults: list[Fault]) -> None:
    assert "hunter2" not in str(excerpt(*faults))


def test_a_misspelt_key_is_shown_without_its_value() -> None:
    fault = Fault("config/systems.yaml", 2, 24, "unknown key 'tokn' in auth of system 'erp'")
    assert excerpt(fault) == [["      auth: {type: bearer, tokn: …", "    " + " " * 23 + "^^^^"]]


@pytest.mark.parametrize("line", [0, 9])
def test_a_fault_of_a_whole_file_has_no_excerpt(line: int) -> None:
    assert excerpt(Fault("config/systems.yaml", line, 0, "x"), Fault("none.yaml", 1, 1, "x")) == [[], []]
