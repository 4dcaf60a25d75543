"""Work beside the flow: a system that does not answer holds up itself alone."""

from __future__ import annotations

import threading

from hub.apart import Apart


def test_a_system_that_does_not_answer_holds_up_no_other() -> None:
    apart, answers, done = Apart(), threading.Event(), threading.Semaphore(0)
    asked: list[str] = []

    def hangs(number: int) -> None:
        asked.append(f"hangs {number}")
        answers.wait(20)
        done.release()

    for system in range(20):
        for number in range(12):
            apart.run(lambda number=number: hangs(number), f"system {system}")  # type: ignore[misc]
    other = threading.Event()
    apart.run(other.set, "bank")
    assert other.wait(20)
    assert len(asked) <= 20 * 8, "and of each system a few at a time"
    answers.set()
    apart.close()
    assert len(asked) == 240
    assert all(done.acquire(blocking=False) for _ in range(240))


def test_what_fails_is_told_and_what_waits_behind_it_is_done() -> None:
    apart, done = Apart(), list[int]()

    def fails() -> None:
        raise LookupError("a mistake")

    for number in range(20):
        apart.run(fails, "erp")
        apart.run(lambda number=number: done.append(number), "erp")  # type: ignore[misc]
    apart.close()
    assert sorted(done) == list(range(20))
