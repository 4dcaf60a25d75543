"""The order in which the batches of a process go on."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from contextlib import ExitStack

import pytest

from hub.pipeline import line
from hub.pipeline.line import Line, Place


def begun(stack: ExitStack, in_line: Line, firsts: Mapping[str, int]) -> Place:
    """A batch that is handed over and not stored."""
    place = stack.enter_context(in_line.place())
    place.holds(firsts)
    place.handed_over()
    return place


@pytest.mark.parametrize(
    ("before", "firsts", "given_up"),
    [
        ({"shop": 1}, {"shop": 129}, {"shop": 129}),
        ({"shop": 129}, {"shop": 1}, {}),
        ({"shop": 1}, {"bank": 129}, {}),
        ({"shop": 1, "bank": 300}, {"bank": 200, "shop": 129}, {"shop": 129}),
    ],
)
def test_a_batch_waits_for_earlier_receipts_of_its_own_sources(
    monkeypatch: pytest.MonkeyPatch, before: dict[str, int], firsts: dict[str, int], given_up: dict[str, int]
) -> None:
    monkeypatch.setattr(line, "PATIENCE_SECONDS", 0.0)
    in_line = Line()
    with ExitStack() as stack:
        begun(stack, in_line, before)
        begun(stack, in_line, firsts).wait()
    assert in_line.given_up == given_up


def test_it_goes_on_as_soon_as_the_earlier_one_is_stored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "PATIENCE_SECONDS", 3600.0)
    in_line, stored = Line(), []
    with ExitStack() as stack:
        second = threading.Thread(target=lambda: (later.wait(), stored.append("second")), daemon=True)
        with ExitStack() as first:
            begun(first, in_line, {"shop": 1})
            later = begun(stack, in_line, {"shop": 2})
            second.start()
            stored.append("first")
        second.join(60)
    assert stored == ["first", "second"]
    assert in_line.given_up == {}


def test_what_was_waited_for_in_vain_is_not_waited_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "PATIENCE_SECONDS", 0.0)
    in_line = Line()
    with ExitStack() as stack:
        begun(stack, in_line, {"shop": 1})
        with ExitStack() as waiting:
            begun(waiting, in_line, {"shop": 2}).wait()
        monkeypatch.setattr(line, "PATIENCE_SECONDS", 3600.0)
        begun(stack, in_line, {"shop": 3}).wait()
    assert in_line.given_up == {"shop": 2}


def test_batches_are_handed_over_one_after_the_other() -> None:
    in_line = Line()
    with in_line.place() as first:
        assert not in_line.handing_over.acquire(blocking=False)
        first.handed_over()
        assert in_line.handing_over.acquire(blocking=False)
        in_line.handing_over.release()
