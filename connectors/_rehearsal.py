"""HTTP without a network: the request that a parcel would be sent as, and the verdict on an answer that is told."""

from __future__ import annotations

from connectors._answer import Answer, Failure
from connectors._request import RequestMaker, Unmakeable
from connectors._verdicts import Judge, of_failure
from connectors.base import ABSENT, DOUBT, REFUSED, Parcel, Rehearsed, Request, Said, Verdict

_FAILURES = {
    "connect": Failure("connect_refused", "the system does not answer"),
    "timeout": Failure("read_timeout", "no answer within the time-out", sent=True),
}


class HttpRehearsal:
    """A system with the same maker of requests and the same judge of answers as when it is sent to."""

    def __init__(self, maker: RequestMaker, asker: RequestMaker | None, judge: Judge) -> None:
        self._maker, self._asker, self._judge = maker, asker, judge

    def send(self, parcel: Parcel, said: Said, now_epoch: float) -> Rehearsed:
        """What would be sent, and what becomes of it where the system says this."""
        try:
            request = _request(*self._maker.make(parcel, now_epoch))
        except Unmakeable as error:
            return Rehearsed(None, Verdict(REFUSED, error.code, error.detail))
        if said.fails:
            return Rehearsed(request, of_failure(_FAILURES[said.fails], 0.0))
        return Rehearsed(request, self._judge.of_delivery(_answer(said), 0.0, now_epoch))

    def look_up(self, parcel: Parcel, said: Said | None, now_epoch: float) -> Rehearsed:
        """What would be asked, and what the answer means; without one the system does not know the parcel."""
        if self._asker is None:
            return Rehearsed(None, Verdict(DOUBT, "no_look_up", "the system has no look-up"))
        return self._asked(self._asker, parcel, said, now_epoch)

    def ask(self, question: Parcel, said: Said | None, now_epoch: float) -> Rehearsed:
        """The same for a question that is made like a delivery."""
        return self._asked(self._maker, question, said, now_epoch)

    def _asked(self, maker: RequestMaker, parcel: Parcel, said: Said | None, now_epoch: float) -> Rehearsed:
        try:
            request = _request(*maker.make(parcel, now_epoch))
        except Unmakeable as error:
            return Rehearsed(None, Verdict(DOUBT, error.code, error.detail))
        if said is None:
            return Rehearsed(request, Verdict(ABSENT, "absent"))
        if said.fails:
            return Rehearsed(request, of_failure(_FAILURES[said.fails], 0.0, looks_up=True))
        return Rehearsed(request, self._judge.of_look_up(_answer(said), 0.0, now_epoch, maker.question(parcel).body))


def _answer(said: Said) -> Answer:
    return Answer(said.status, {name.lower(): value for name, value in said.headers.items()}, said.body)


def _request(head: bytes, body: bytes) -> Request:
    """The request as it would go over the wire, taken apart."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines if ": " in line)
    return Request(first.removesuffix(" HTTP/1.1"), headers, body)
