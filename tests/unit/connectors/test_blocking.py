"""A destination made of one function: one verdict for each parcel, whatever the function does."""

import threading

import pytest

from connectors.base import (
    DELIVERED,
    DOUBT,
    LATER,
    REFUSED,
    STOPPED,
    Destination,
    Parcel,
    PermanentError,
    StoppedError,
    TransientError,
    Verdict,
)
from connectors.blocking import BlockingDestination


class Sending(BlockingDestination):
    """Does what the parcel's body says."""

    def __init__(self, threads=2):
        super().__init__(threads)
        self.may_end = threading.Event()
        self.begun = threading.Semaphore(0)

    def send(self, parcel):
        match parcel.body:
            case b"wait":
                self.begun.release()
                self.may_end.wait(20)
            case b"later":
                raise TransientError("it is busy", 7.0)
            case b"refused":
                raise PermanentError("no such article")
            case b"stopped":
                raise StoppedError("another key", "login_refused")
            case b"mistake":
                raise ValueError("secret words")
            case b"nothing":
                return None
        return Verdict(DELIVERED)


class Told:
    """What is told of, in the order it comes."""

    def __init__(self):
        self.verdicts, self._changed = {}, threading.Condition()

    def __call__(self, batch):
        with self._changed:
            for parcel, verdict in batch:
                assert parcel.key not in self.verdicts
                self.verdicts[parcel.key] = verdict
            self._changed.notify_all()

    def of(self, *keys):
        with self._changed:
            assert self._changed.wait_for(lambda: set(keys) <= self.verdicts.keys(), 20)
        return [self.verdicts[key] for key in keys]


def parcel(key, body=b""):
    return Parcel(key, key, body)


@pytest.fixture
def sending():
    made = Sending()
    yield made
    made.may_end.set()
    made.close()


def test_it_is_a_destination(sending):
    offered: Destination = sending
    assert offered.check() == []
    assert offered.look_up(parcel("1")).kind == DOUBT


@pytest.mark.parametrize(
    ("body", "kind", "code", "detail", "wait"),
    [
        (b"", DELIVERED, "", "", None),
        (b"later", LATER, "later", "it is busy", 7.0),
        (b"refused", REFUSED, "refused", "no such article", None),
        (b"stopped", STOPPED, "login_refused", "another key", None),
        (b"mistake", DOUBT, "failed", "it failed while it was sent: ValueError", None),
        (b"nothing", DOUBT, "failed", "it failed while it was sent: TypeError", None),
    ],
)
def test_what_is_raised_is_a_verdict(sending, body, kind, code, detail, wait):
    told = Told()
    sending.submit([parcel("1", body)], told)
    [verdict] = told.of("1")
    assert (verdict.kind, verdict.code, verdict.detail, verdict.retry_after_seconds) == (kind, code, detail, wait)


def test_each_verdict_is_told_as_soon_as_it_is_there(sending):
    told = Told()
    sending.submit([parcel("slow", b"wait"), parcel("quick")], told)
    assert told.of("quick")[0].kind == DELIVERED
    assert "slow" not in told.verdicts
    sending.may_end.set()
    assert told.of("slow")[0].kind == DELIVERED


def test_where_nobody_is_let_in_the_others_that_wait_are_not_tried():
    made, told = Sending(threads=1), Told()
    made.submit([parcel("first", b"wait"), parcel("stops", b"stopped"), parcel("third"), parcel("fourth")], told)
    assert made.begun.acquire(timeout=20)
    made.may_end.set()
    verdicts = told.of("first", "stops", "third", "fourth")
    assert [verdict.kind for verdict in verdicts] == [DELIVERED, STOPPED, STOPPED, STOPPED]
    assert verdicts[3].detail == "not sent: another key"
    made.submit([parcel("fifth")], told)  # once a person has seen to it
    assert told.of("fifth")[0].kind == DELIVERED
    made.close()


def test_what_has_not_started_can_be_called_back():
    made, told = Sending(threads=1), Told()
    made.submit([parcel("first", b"wait"), parcel("second")], told)
    assert made.begun.acquire(timeout=20)
    made.recall(Verdict(LATER, "recalled"))
    assert told.of("second")[0].code == "recalled"
    made.may_end.set()
    made.close()
    assert told.of("first")[0].kind == DELIVERED


def test_closing_ends_what_is_under_way_and_gives_back_the_rest():
    made, told = Sending(threads=1), Told()
    made.submit([parcel("first", b"wait"), parcel("second"), parcel("third")], told)
    assert made.begun.acquire(timeout=20)
    closing = threading.Thread(target=made.close)
    closing.start()
    assert [verdict.code for verdict in told.of("second", "third")] == ["closing", "closing"]
    made.may_end.set()
    closing.join(20)
    assert told.of("first")[0].kind == DELIVERED
    made.submit([parcel("late")], told)
    assert told.of("late")[0].code == "closing"
