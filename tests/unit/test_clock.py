"""The clock of a hub in several processes goes by the store's, and by nothing that happens to this machine's."""

from __future__ import annotations

import time

import pytest

from hub.clock import SteadyClock


class Machine:
    """A machine whose clocks a test moves; an answer is ``takes`` seconds on its way, half of them each way."""

    def __init__(self) -> None:
        self.true, self.put, self.takes, self.server_ahead = 1000.0, 0.0, 0.0, 0.0

    def ask(self) -> float:
        self.true += self.takes / 2
        told = self.true + 5_000.0 + self.server_ahead
        self.true += self.takes / 2
        return told


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine()
    monkeypatch.setattr(time, "monotonic", lambda: made.true)
    monkeypatch.setattr(time, "time", lambda: made.true + 5_000.0 + made.put)
    return made


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_machine_whose_clock_is_wrong_or_put_means_the_same_time_as_all_others(machine: Machine, hours: int) -> None:
    machine.put = 3600.0 * hours
    clock = SteadyClock(machine.ask)
    assert clock.epoch() == pytest.approx(6000.0)
    machine.true += 10
    machine.put = -machine.put
    assert clock.epoch() == pytest.approx(6010.0)
    assert clock.now().timestamp() == pytest.approx(6010.0)


def test_the_server_is_followed_where_it_goes(machine: Machine) -> None:
    clock = SteadyClock(machine.ask)
    machine.server_ahead = 30.0
    clock.follow()
    assert clock.epoch() == pytest.approx(6030.0)


def test_an_answer_is_believed_as_far_as_its_way_allows(machine: Machine) -> None:
    clock = SteadyClock(machine.ask)
    machine.takes, machine.server_ahead = 2.0, 0.9
    clock.follow()
    assert clock.epoch() == pytest.approx(machine.true + 5_000.0)
