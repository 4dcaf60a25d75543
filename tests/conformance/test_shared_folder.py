"""Two systems on one folder, each with a pattern of its own: neither touches what the other has in hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from watched_folder import TODAY, Accepted, Times, base, crash, fetching, files, put, root, server, taken

LONG = "orders-" + "x" * 180 + ".csv"


@pytest.fixture
def times() -> Times:
    return Times()


def test_what_a_crash_of_one_left_in_hand_is_not_the_others(root: Path, times: Times) -> None:
    put(root, "a.csv")
    crash(fetching(root, times, pattern="a*", lease=60.0))
    times.pass_by(61)
    other = fetching(root, times, pattern="b*", lease=60.0)
    assert taken(other) == []
    assert other.is_over
    assert taken(fetching(root, times, pattern="a*", lease=60.0)) == ["a.csv"]


def test_a_marker_that_a_crash_of_one_left_in_hand_is_not_the_others(root: Path, times: Times) -> None:
    put(root, "a.csv")
    put(root, "a.csv.done", b"")
    settings: dict[str, Any] = {"ready": "marker", "lease": 60.0}
    crashing: Any = fetching(root, times, pattern="a*", **settings)
    rename = crashing._files.rename

    def die(path: Path, target: Path) -> None:
        if path.name == "a.csv":
            raise KeyboardInterrupt
        rename(path, target)

    crashing._files.rename = die
    with pytest.raises(KeyboardInterrupt):
        crashing.fetch(Accepted())
    times.pass_by(61)
    assert taken(fetching(root, times, pattern="b*", **settings)) == []
    assert taken(fetching(root, times, pattern="a*", **settings)) == ["a.csv"]


def test_what_waits_for_its_outcome_at_one_stays_when_the_other_files_away_on_receipt(root: Path, times: Times) -> None:
    put(root, "a.csv")
    put(root, "b.csv")
    accepted = Accepted()
    waiting, other = fetching(root, times, pattern="a*", archive_by="outcome"), fetching(root, times, pattern="b*")
    for source in (waiting, other, waiting, other):
        source.fetch(accepted)
    assert accepted.names == ["a.csv", "b.csv"]
    assert [name[:18] for name in files(root)] == [f"{TODAY}/b.csv"[:18], "in/.work/accepted-"]


def test_a_name_that_was_cut_off_is_taken_again_though_the_pattern_does_not_fit_what_is_left(
    root: Path, times: Times
) -> None:
    put(root, LONG)
    crash(fetching(root, times, pattern=f"*{'x' * 70}.csv", lease=60.0))
    times.pass_by(61)
    assert len(taken(fetching(root, times, pattern=f"*{'x' * 70}.csv", lease=60.0))) == 1


def test_a_name_that_is_cut_off_says_which_event_it_is(root: Path, times: Times) -> None:
    put(root, "acme-" + "ä" * 90 + "-STO.csv")
    put(root, "DES-" + "x" * 190)
    accepted = Accepted()
    fetching(root, times, events={"stock": "*-STO.csv", "despatch": "DES-*"}).fetch(accepted)
    assert [incoming.event for incoming in accepted] == ["despatch", "stock"]


def test_what_lies_in_nobodys_hands_after_the_pattern_was_changed_is_told_of_once(
    root: Path, times: Times, caplog: pytest.LogCaptureFixture
) -> None:
    put(root, "a.csv")
    crash(fetching(root, times, pattern="*.csv", lease=60.0))
    changed = fetching(root, times, pattern="*.txt", lease=60.0)
    for _ in range(200):
        times.pass_by(60)
        assert taken(changed) == []
    assert caplog.text.count("a.csv has been in") == 1
    assert "its name does not fit the pattern of this system" in caplog.text
