"""What processes on one store do beside each other: between two transactions of one the others go on, each says that it
is alive, and what a dead one has left behind ends with its lease."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.simulation import plan
from hub.simulation.faults import Crash
from hub.simulation.plan import Event
from hub.simulation.process import Process
from hub.simulation.team import Door, Sweeping, Working
from hub.store import leases

if TYPE_CHECKING:
    from hub.simulation.world import World

_BEAT_SECONDS = 1.0
_OFTEN = 0.15  # that another process is quicker, between two transactions of one
_POWER_CUT = Event(plan.POWER_CUT)
_IN_HAND = """SELECT claimed_by FROM deliveries WHERE claimed_by IS NOT NULL
  UNION SELECT claimed_by FROM receipts WHERE state = 'received' AND claimed_by IS NOT NULL"""
_LEASES = "SELECT name, until FROM leases"
_ALL_LEASES = "SELECT until, holder FROM leases UNION ALL SELECT expires_at, worker FROM shares"


class Together:
    """The processes of a run beside each other. ``working`` is how many work; 0: one process is all of the hub.
    ``still`` are those that stand still in the middle of something."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.working = sum(int(event.amount) for event in world.events if event.kind == plan.SHARED)
        self.still: list[Process] = []
        self._beat_at = 0.0

    def kinds(self) -> list[type[Process]]:
        """What is started, where there are several processes."""
        return [Door, *[Working] * self.working, Sweeping, Sweeping]

    def let_others_go(self) -> None:
        """What other processes do between two transactions of one, also while that one stands still in between."""
        world, me = self._world, self._world.at_work
        if me is None or self.still or len(world.processes) < 2:
            return
        seconds = world.faults.stands_still()
        if not seconds and world.chance.random() > _OFTEN:
            return
        self.still.append(me)
        try:
            self._stand_still(seconds) if seconds else world.step()
        finally:
            self.still.remove(me)
        if not me.is_up:
            raise Crash(_POWER_CUT)

    def _stand_still(self, seconds: float) -> None:
        world, until = self._world, self._world.clock.elapsed + seconds
        world.note(f"stands still for {seconds:g} s")
        world.run_in(None, lambda: world.at(seconds, lambda: None))
        while world.clock.elapsed < until and world.goes_on():
            pass

    # -- who is alive ----------------------------------------------------------------------------------------------

    def is_beating(self, process: Process) -> bool:
        """Whether a process says in time that it is alive."""
        return process.is_up and process not in self.still and self._world.clock.elapsed >= process.late_until

    def beat(self) -> None:
        """Those who are alive say so. When there is nothing to do a moment passes at once; they have done so in it."""
        now = self._world.clock.elapsed
        if self.working and now >= self._beat_at:
            self._beat_at = now + _BEAT_SECONDS
            for process in [process for process in self._world.processes if self.is_beating(process)]:
                self._world.run_in(process, process.beat)

    def beats_are_late(self, event: Event) -> None:
        """One of those who work does not say so for a while, though it goes on."""
        world, working = self._world, [process for process in self._world.processes if isinstance(process, Working)]
        if working:
            world.faults.happened[event.kind] += 1
            slow = world.chance.choice(working)
            slow.late_until = world.clock.elapsed + event.amount
            world.note(f"the beats of {slow.name} come late for {event.amount:g} s")

    # -- what the dead leave ---------------------------------------------------------------------------------------

    def is_left_from(self) -> float | None:
        """When it may be seen that what a process has in hand is nobody's: at the first end of a lease that nobody
        renews, once somebody may lead. None where all that is in hand is in hands that are alive."""
        if not self.working:
            return None
        world, db = self._world, self._world.store.reader()
        ends = {str(name): world.clock.elapsed_at(until) for name, until in db.execute(_LEASES)}
        beating = {process.name for process in world.processes if self.is_beating(process)}
        left = [ends.get(leases.worker_lease(name), 0.0) for (name,) in db.execute(_IN_HAND) if name not in beating]
        if not left:
            return None
        return max(min(left), 0.0 if leases.leader(db) in beating else ends.get(leases.LEADER, 0.0))

    def next_end(self) -> float | None:
        """The next end, by the machine's clock, of a lease that a process has left behind."""
        if not self.working:
            return None
        alive = {process.name for process in self._world.processes}
        rows = self._world.store.reader().execute(_ALL_LEASES).fetchall()
        ends = [float(until) for until, holder in rows if holder not in alive]
        return min((until for until in ends if until > self._world.clock.epoch()), default=None)
