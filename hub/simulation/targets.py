"""Systems that are delivered to: each request has its effect or not, its answer comes, late, or never.

Targets outlive the hub's process. A ledger says which effects happened, by the idempotency key that the target saw
and by the message that was meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, LATER, REFUSED, STOPPED, Finished, Parcel, Verdict
from hub.simulation.invariants import Meant
from hub.simulation.plan import ANSWERS, LATE, Event

if TYPE_CHECKING:
    from hub.simulation.world import World

_LATEST_EFFECT = 40.0  # within the settle time that the systems are configured with

_VERDICTS: dict[str, Verdict] = {
    "429": Verdict(LATER, code="http_429", status=429, slow_down=True),
    "503": Verdict(LATER, code="http_503", status=503, slow_down=True),
    "refused": Verdict(REFUSED, code="http_422", status=422, detail="refused"),
    "unauthorized": Verdict(STOPPED, code="http_401", status=401, detail="credentials refused"),
    "unreachable": Verdict(LATER, code="connect_refused", detail="nobody listens"),
    "500 before the effect": Verdict(DOUBT, code="http_500", status=500),
    "500 after the effect": Verdict(DOUBT, code="http_500", status=500),
    "time-out before the effect": Verdict(DOUBT, code="read_timeout"),
    "time-out after the effect": Verdict(DOUBT, code="read_timeout"),
    LATE: Verdict(DOUBT, code="read_timeout"),
    "reset after the effect": Verdict(DOUBT, code="reset"),
}
_LOOK_UP_VERDICTS = {
    "503": Verdict(LATER, code="http_503", status=503),
    "time-out": Verdict(LATER, code="read_timeout"),
    "unauthorized": _VERDICTS["unauthorized"],
}
_TIMEOUT_SECONDS = 30.0


class Request(msgspec.Struct, frozen=True):
    """One parcel on its way, and what is going to become of it."""

    parcel: Parcel
    together: tuple[Meant, ...]
    fault: Event | None

    @property
    def meant(self) -> Meant:
        return self.together[0]

    @property
    def how(self) -> str:
        return self.fault.how if self.fault else ""


class SimulatedTarget:
    """The far side of a system, and the ``Destination`` that leads there. ``mode`` is what it offers."""

    def __init__(self, name: str, mode: str, world: World) -> None:
        self.name, self.mode, self._world = name, mode, world
        self.keys: set[str] = set()
        self._refused: set[str] = set()  # whoever knows keys gives a key the same answer ever after
        self.effects: Counter[tuple[str, str]] = Counter()  # by (message, target)

    # -- the connector's side --------------------------------------------------------------------------------------

    def submit(self, parcels: Sequence[Parcel], finished: Finished) -> None:
        requests = [self._send(parcel) for parcel in parcels]
        self._world.faults.crash("sending")
        for request in requests:
            self._arrange(request, finished)

    def _send(self, parcel: Parcel) -> Request:
        together = self._world.rules.may_send(self.name, self.mode, parcel)
        request = Request(parcel, together, self._world.faults.answer(self.name, self._world.clock.elapsed))
        what = " and ".join(map(str, together))
        self._world.note(f"{self.name} is sent {what}" + (f": {request.how}" if request.how else ""))
        self._arrange_effect(request)
        return request

    def _arrange_effect(self, request: Request) -> None:
        has_effect = ANSWERS.get(request.how)
        if has_effect or has_effect is None:
            delay = self._world.chance.uniform(0.001, 0.02)
            if request.how == LATE:
                delay = self._world.chance.uniform(1.0, _LATEST_EFFECT)
            self._world.at(delay, lambda: self._have_effect(request), of="network")

    def _arrange(self, request: Request, finished: Finished) -> None:
        delay = self._world.chance.uniform(0.021, 0.3)
        if "time-out" in request.how:
            delay = _TIMEOUT_SECONDS if self._world.chance.random() < 0.5 else 1.0
        elif request.how == "slow" and request.fault:
            delay = request.fault.amount
        self._world.at(delay, lambda: self._answer(request, finished), of="process")

    def _have_effect(self, request: Request) -> None:
        parcel = request.parcel
        if self.mode == "native" and parcel.key in self.keys | self._refused:
            return
        self.keys.add(parcel.key)
        for meant in request.together:
            self.effects[meant.effect] += 1
            self._world.note(f"{self.name} has the effect of {meant}")
            self._world.rules.had_effect(self.name, meant, self.effects[meant.effect])

    def _answer(self, request: Request, finished: Finished) -> None:
        verdict = self._verdict(request)
        self._world.note(f"{self.name} answers {request.meant}: {verdict.code or verdict.kind}")
        self._world.rules.answered(request.parcel, verdict)
        finished([(request.parcel, verdict)])

    def _verdict(self, request: Request) -> Verdict:
        fault, key = request.fault, request.parcel.key
        if self.mode == "native" and key in self._refused:
            return _VERDICTS["refused"]
        if fault is None or fault.how == "slow" or (fault.how == "refused" and key in self.keys):
            body = self._world.scenario.answers.get((request.meant.route, request.meant.target), b"")
            return Verdict(DELIVERED, status=200, response=body, response_type="application/json")
        verdict = _VERDICTS[fault.how]
        if verdict.kind == REFUSED:
            self._refused.add(key)
        asked = fault.amount or None
        return Verdict(
            verdict.kind, code=verdict.code, detail=verdict.detail, status=verdict.status,
            slow_down=verdict.slow_down, retry_after_seconds=asked,
        )  # fmt: skip

    def look_up(self, parcel: Parcel) -> Verdict:
        self._world.faults.crash("looking up")
        fault = self._world.faults.look_up(self.name)
        if fault is not None:
            verdict = _LOOK_UP_VERDICTS[fault.how]
        else:
            verdict = Verdict(FOUND if parcel.key in self.keys else ABSENT)
        self._world.note(f"{self.name} is asked for {self._world.rules.meant(parcel.delivery_id)}: {verdict.kind}")
        self._world.rules.looked_up(parcel, verdict)
        return verdict

    def check(self) -> list[str]:
        return []

    def close(self) -> None:
        """What is under way is answered when it is answered."""
