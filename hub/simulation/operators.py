"""Operators: what people do to the hub while it works, through the steps that its API and command line take.

Whom something is done to, and what exactly, is drawn from the rows of that moment by the key of the event. A person
who decides about what is in doubt has looked in the target, once nothing was on its way there any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING

from msgspec.structs import replace

from hub import replay
from hub.errors import HubError, StoreError
from hub.pipeline.engine import Engine
from hub.replay import Request, bearing, steps
from hub.replay.request import AS_RUN, CURRENT, FAILED_STEP, START
from hub.simulation.plan import Event
from hub.store import batches, interventions, switches
from hub.store.audit import Actor
from hub.store.search_terms import Filter

if TYPE_CHECKING:
    from hub.simulation.invariants import Meant
    from hub.simulation.world import World

HELD = "an operator has a look at it"
_SOMEBODY = Actor("operator")
_LATER_SECONDS = (5.0, 60.0, 600.0)
_FILTERS = (
    Filter(state="dead"), Filter(state="held"), Filter(state="expired"), Filter(route="orders"), Filter(source="shop"),
)  # fmt: skip
_DOUBT = "SELECT doubt, state FROM deliveries WHERE delivery_id = ?"
_DEAD = (
    "SELECT message_id FROM messages WHERE state = 'dead' UNION SELECT receipt_id FROM receipts WHERE state = 'dead'"
)
_ALL = "SELECT message_id FROM messages UNION SELECT receipt_id FROM receipts UNION SELECT delivery_id FROM deliveries"

Deed = Callable[[], object]
Step = Callable[[Engine, str, Actor, str], str]


class Operators:
    """The people of one run. They outlive the hub's process, and see later to what they began."""

    def __init__(self, world: World) -> None:
        self._world = world

    def act(self, event: Event) -> None:
        """Do what an event says, if the hub is up and there is anything that it could be done to."""
        self._in_the_hub(lambda: self._act(event))

    def _act(self, event: Event) -> None:
        chance = Random(f"{event.key}/operator")  # noqa: S311  a simulation, not a secret
        deed = _DEEDS[event.how](self, chance)
        if deed is not None:
            self._world.faults.happened[event.how] += 1
            self._try(deed)

    def _in_the_hub(self, work: Callable[[], None]) -> bool:
        """Have the process that answers requests do something; whether it was there and has lived through it."""
        door = self._world.door()
        return door is not None and self._world.run_in(door, work)

    def _try(self, deed: Deed) -> bool:
        """What the hub refuses the operator is told; gives whether it is worth another try, since the store is away."""
        try:
            deed()
        except HubError as error:
            self._world.note(f"the operator is told: {error}")
            return isinstance(error, StoreError)
        return False

    def _later(self, chance: Random, what: str, deed: Deed) -> None:
        """After a while, and again while the hub is down or cannot store it."""

        def work() -> None:
            self._world.note(f"an operator {what}")
            if self._try(deed):
                self._world.at(_LATER_SECONDS[0], do)

        def do() -> None:
            if not self._in_the_hub(work):
                self._world.at(_LATER_SECONDS[0], do)

        self._world.at(chance.choice(_LATER_SECONDS), do)

    # -- one delivery ----------------------------------------------------------------------------------------------

    def _hold(self, chance: Random) -> Deed | None:
        found = self._one_in(chance, interventions.HOLDABLE)
        if found is None:
            return None
        self._world.note(f"an operator holds {self._world.rules.meant(found)}")
        self._later(chance, "has looked at what was held", lambda: self._decide(found))
        return lambda: steps.hold(self._world.engine, found, _SOMEBODY, HELD)

    def _release(self, chance: Random) -> Deed | None:
        found = self._one_in(chance, interventions.RELEASABLE)
        return None if found is None else lambda: self._decide(found)

    def _decide(self, id: str) -> None:
        """Let it go, and what is in doubt only if the target shows nothing of it, unless the hub can ask there."""
        world, db = self._world, self._world.store.reader()
        together = [world.rules.meant(each) for each in batches.together(db, id)]
        target, [(doubt, state)] = world.targets[together[0].system], db.execute(_DOUBT, (id,)).fetchall()
        if not doubt or state != "held" or target.mode == "lookup":
            self._let_go(id, together, "releases")
        elif world.is_on_its_way():
            world.at(_LATER_SECONDS[1], lambda: self._decide_again(id))
        elif target.effects[together[0].effect]:
            world.note(f"an operator has found {together[0]} and resolves it")
            steps.resolve(world.engine, id, _SOMEBODY, HELD)
        else:
            self._let_go(id, together, "has not found, and releases,", look_up=False)
            world.rules.person_has_looked(together)

    def _decide_again(self, id: str) -> None:
        def work() -> None:
            self._try(lambda: self._decide(id))

        self._in_the_hub(work)

    def _let_go(self, id: str, together: Sequence[Meant], does: str, look_up: bool = True) -> None:
        self._world.note(f"an operator {does} {' and '.join(map(str, together))}")
        steps.release(self._world.engine, id, _SOMEBODY, HELD, look_up)
        self._world.rules.released(together)

    def _resolve(self, chance: Random) -> Deed | None:
        return self._end(chance, "resolves", steps.resolve)

    def _cancel(self, chance: Random) -> Deed | None:
        return self._end(chance, "cancels", steps.cancel)

    def _end(self, chance: Random, does: str, step: Step) -> Deed | None:
        found = self._one_in(chance, interventions.RESOLVABLE)
        if found is None:
            return None
        self._world.note(f"an operator {does} {self._world.rules.meant(found)}")
        return lambda: step(self._world.engine, found, _SOMEBODY, HELD)

    def _one_in(self, chance: Random, states: Sequence[str]) -> str | None:
        rows = self._world.store.reader().execute("SELECT delivery_id, state FROM deliveries ORDER BY delivery_id")
        found = [str(id) for id, state in rows if state in states]
        return chance.choice(found) if found else None

    # -- replays ---------------------------------------------------------------------------------------------------

    def _replay(self, chance: Random) -> Deed | None:
        request = self._request(chance)
        if request is None:
            return None
        waits, is_cancelled = chance.random() < 0.3, chance.random() < 0.1

        def deed() -> None:
            engine, world = self._world.engine, self._world
            planned = replay.plan(engine, request, _SOMEBODY)
            world.note(f"an operator plans a replay from {request.begin}: {planned.plan['replayable']} things")
            id, told = planned.replay_id, planned.plan_hash
            if waits:
                self._later(chance, "starts the replay", lambda: replay.start(world.engine, id, told, _SOMEBODY))
            else:
                replay.start(engine, id, told, _SOMEBODY)
            if is_cancelled:
                self._later(chance, "cancels the replay", lambda: replay.cancel(world.engine, id, _SOMEBODY))

        return deed

    def _request(self, chance: Random) -> Request | None:
        """Things by a filter, or some by their ids, whatever state they are in."""
        begin = START if chance.random() < 0.35 else FAILED_STEP
        version = AS_RUN if begin == FAILED_STEP and chance.random() < 0.3 else CURRENT
        asked = Request(begin=begin, version=version, rate_per_second=chance.choice((None, None, 0.5, 5.0)))
        if chance.random() < 0.4:
            return replace(asked, filter=chance.choice(_FILTERS))
        rows = self._world.store.reader().execute(_DEAD if chance.random() < 0.3 else _ALL)
        ids = sorted(str(id) for (id,) in rows)
        count = min(len(ids), chance.choice((1, 1, 2, 5)))
        return replace(asked, ids=tuple(chance.sample(ids, count))) if ids else None

    # -- routes and systems ----------------------------------------------------------------------------------------

    def _pause(self, chance: Random) -> Deed:
        """Somebody resumes it later, as what the hub has stopped."""
        name = chance.choice(sorted(self._world.engine.program.routes))
        self._world.note(f"an operator pauses the route {name}")
        return lambda: steps.pause_route(self._world.engine, name, _SOMEBODY, HELD)

    def _stop(self, chance: Random) -> Deed:
        name = self._system(chance, "stops {}")
        return lambda: steps.stop_system(self._world.engine, name, _SOMEBODY, HELD)

    def _start(self, chance: Random) -> Deed | None:
        off = switches.listed(self._world.store.reader())
        if not off:
            return None
        switch = chance.choice(off)
        self._world.note(f"an operator starts the {switch['kind']} {switch['name']}")
        return lambda: steps.switch_on(self._world.engine, switch["kind"], switch["name"], _SOMEBODY)

    def _open_circuit(self, chance: Random) -> Deed:
        name, world = self._system(chance, "opens the circuit of {}"), self._world
        self._later(
            chance, f"closes the circuit of {name}", lambda: bearing.close_circuit(world.engine, name, _SOMEBODY, HELD)
        )
        return lambda: bearing.open_circuit(world.engine, name, _SOMEBODY, HELD)

    def _probe(self, chance: Random) -> Deed:
        name = self._system(chance, "has {} probed")
        return lambda: bearing.probe(self._world.engine, name, _SOMEBODY, HELD)

    def _adjust(self, chance: Random) -> Deed:
        name, world = self._system(chance, "changes what {} bears"), self._world
        rate, at_once, budget = chance.choice((None, 0.2, 5.0)), chance.choice((1, 2, 20)), chance.choice((None, 0.1))
        self._later(chance, f"resets what {name} bears", lambda: bearing.reset(world.engine, name, _SOMEBODY, HELD))
        return lambda: bearing.adjust(world.engine, name, _SOMEBODY, HELD, rate, at_once, budget)

    def _system(self, chance: Random, does: str) -> str:
        name = chance.choice(self._world.scenario.systems)
        self._world.note(f"an operator {does.format(name)}")
        return name


_DEEDS: Mapping[str, Callable[[Operators, Random], Deed | None]] = {
    "hold": Operators._hold, "release": Operators._release, "resolve": Operators._resolve,
    "cancel": Operators._cancel, "replay": Operators._replay, "pause": Operators._pause, "stop": Operators._stop,
    "start": Operators._start, "open circuit": Operators._open_circuit, "probe": Operators._probe,
    "adjust limits": Operators._adjust,
}  # fmt: skip
