"""What must hold whatever happens: checked as it happens where that is possible, and when everything has come to rest.

Each rule has a short name; a run that breaks one ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.base import ABSENT, DELIVERED, DOUBT, FOUND, Parcel, Verdict
from hub.simulation.operators import HELD
from hub.simulation.trace import Violation
from hub.states import DELIVERY_FINAL, DELIVERY_TRANSITIONS, DELIVERY_WAITING
from hub.store import conservation
from hub.store.database import Database

if TYPE_CHECKING:
    from hub.simulation.world import World

_MEANT = """SELECT d.delivery_id, d.message_id, d.route, d.target, d.source, d.system, d.lane, d.lane_seq, d.state,
    d.claimed_by, coalesce(r.dedupe_key, r.receipt_id), m.position, coalesce(d.batch_id, ''),
    CASE WHEN d.doubt = 0 THEN d.claimed_at - d.expires_at END,
    CASE WHEN r.origin_seq > 0 THEN r.origin_seq ELSE r.seq END,
    CASE WHEN r.origin_seq > 0 AND r.origin_position >= 0 THEN r.origin_position ELSE m.position END
  FROM deliveries d JOIN messages m ON m.message_id = d.message_id JOIN receipts r ON r.seq = m.seq
  WHERE d.delivery_id = ?"""
_WAITING = ", ".join(f"'{state}'" for state in sorted(DELIVERY_WAITING))
_FINAL = ", ".join(f"'{state}'" for state in sorted(DELIVERY_FINAL))
# Between sources the order of arrival is kept as it comes, and not promised.
_MEMBERS = "SELECT delivery_id FROM deliveries WHERE batch_id = ? AND batch_id <> '' ORDER BY lane_seq, delivery_id"
_EARLIER = f"""SELECT coalesce(batch_id, '') FROM deliveries
  WHERE system = ? AND lane = ? AND source = ? AND lane_seq < ? AND state IN ({_WAITING})"""  # noqa: S608  constants
_STATES = "SELECT state, system FROM deliveries WHERE message_id = ? AND target = ? ORDER BY delivery_id"
_REASONS_TO_WAIT = ("unknown", "predecessor", "route_stopped", HELD)


class Meant(msgspec.Struct, frozen=True):
    """A delivery as the store knew it when it was sent."""

    delivery_id: str
    message_id: str
    route: str
    target: str
    source: str
    system: str
    lane: str
    lane_seq: int
    state: str
    claimed_by: str | None
    document: str
    position: int
    batch_id: str = ""
    late: float | None = None  # seconds that it was taken after its time was over
    origin_seq: int = 0
    origin_position: int = 0

    @property
    def effect(self) -> tuple[str, str]:
        """What may happen once: this message at this target."""
        return self.message_id, self.target

    @property
    def once(self) -> tuple[str, str, int, int]:
        """What may happen once, however often it goes through again: this record of a document at this target."""
        return self.route, self.target, self.origin_seq, self.origin_position

    def __str__(self) -> str:
        record = f" record {self.position + 1}" if self.position else ""
        key = f" of {self.lane}" if self.lane else ""
        return f"{self.document}{record}{key} for {self.target}"


class Rules:
    """The invariants of one run. They read the store as it is committed and remember what they saw."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._known: dict[str, Meant] = {}
        self._doubtful: set[str] = set()  # deliveries whose last try may have had its effect
        self._was_doubtful: set[str] = set()
        self._not_before: dict[str, list[float]] = {}
        self._bodies: dict[str, bytes] = {}
        self._last_effects: dict[tuple[str, str, str], int] = {}
        self._once: dict[tuple[str, str, int, int], int] = {}
        self._released: set[str] = set()
        self._finals: dict[str, str] = {}
        self._attempts: dict[tuple[str, int], Any] = {}

    def meant(self, delivery_id: str) -> Meant:
        """A delivery as it was last sent, or as it was made."""
        return self._known.get(delivery_id) or self._stored(delivery_id)

    def _stored(self, delivery_id: str) -> Meant:
        row = self._world.store.reader().execute(_MEANT, (delivery_id,)).fetchone()
        if row is None:
            raise Violation("claimed, then sent", f"{delivery_id} is sent and the store knows nothing of it")
        return Meant(*row)

    # -- as it happens ---------------------------------------------------------------------------------------------

    def may_send(self, system: str, mode: str, parcel: Parcel) -> tuple[Meant, ...]:
        """Everything that must be so before a request leaves the hub; gives what is in it, a batch or one delivery."""
        together = self._claimed(parcel)
        meant = together[0]
        self._known |= {each.delivery_id: each for each in together}
        if parcel.delivery_id in self._doubtful and mode != "native":
            offer = "offers nothing against double effects" if mode == "none" else "was not asked first"
            raise Violation("no blind resend", f"{meant} may have arrived, and is sent again; {system} {offer}")
        if self._bodies.setdefault(parcel.key, parcel.body) != parcel.body:
            raise Violation(
                "the same bytes at every try", f"{meant} is sent with other bytes under the key {parcel.key}"
            )
        wanted = self._not_before.get(parcel.delivery_id)
        if wanted and all(now < then - 0.001 for now, then in zip(self._times(), wanted, strict=True)):
            raise Violation("Retry-After is kept", f"{meant} is sent before the time {system} asked for")
        for each in together:
            self._in_its_turn(each)
        if parcel.delivery_id in self._doubtful:
            self._was_doubtful.add(parcel.delivery_id)
        self._doubtful.add(parcel.delivery_id)
        return together

    def _times(self) -> tuple[float, float]:
        """By true time and by the machine's clock: somebody may put that while the hub is down, unseen."""
        return self._world.clock.elapsed, self._world.clock.epoch()

    def _claimed(self, parcel: Parcel) -> tuple[Meant, ...]:
        if self._world.store.is_writing:
            raise Violation("claimed, then sent", f"{parcel.delivery_id} is sent inside a transaction")
        rows = self._world.store.reader().execute(_MEMBERS, (parcel.delivery_id,)).fetchall()
        together = tuple(self._stored(str(id)) for (id,) in rows) or (self._stored(parcel.delivery_id),)
        if together[0].delivery_id != parcel.delivery_id:
            raise Violation("one fate", f"{together[0]} is sent by another delivery of its batch")
        for meant in together:
            if meant.state != "delivering" or meant.claimed_by != self._world.worker:
                raise Violation("claimed, then sent", f"{meant} is sent while it is {meant.state} and not claimed")
            if meant.late is not None and meant.late >= 0:
                raise Violation("nothing is sent too late", f"{meant} is sent and had expired {meant.late:g} s before")
        if rows and parcel.body.startswith(b"[") and len(msgspec.json.decode(parcel.body)) != len(rows):
            raise Violation("each once in its batch", f"a batch of {len(rows)} is sent as {parcel.body.decode()}")
        return together

    def _in_its_turn(self, meant: Meant) -> None:
        db: Database = self._world.store.reader()
        place = (meant.system, meant.lane, meant.source, meant.lane_seq)
        earlier = [batch_id for (batch_id,) in db.execute(_EARLIER, place)] if meant.lane else []
        if any(batch_id != meant.batch_id or not batch_id for batch_id in earlier):
            raise Violation("order per key", f"{meant} is sent before an earlier one of its key has ended")
        target = self._world.engine.program.find(meant.route, meant.target)
        after = target.target.after if target else None
        if after:
            before = db.execute(_STATES, (meant.message_id, after)).fetchall()
            state, system = before[-1] if before else ("delivered", "")
            # That it had arrived was told when it was dead already: then that is resolved.
            has_arrived = state == "resolved" and self._world.targets[system].effects[(meant.message_id, after)]
            if state != "delivered" and not has_arrived and meant.delivery_id not in self._released:
                raise Violation("after: is kept", f"{meant} is sent while that for {after} is {state}")

    def answered(self, parcel: Parcel, verdict: Verdict) -> None:
        """The hub is told what became of a try."""
        if verdict.retry_after_seconds is not None:
            self._not_before[parcel.delivery_id] = [now + verdict.retry_after_seconds for now in self._times()]
        if verdict.kind != DOUBT and parcel.delivery_id not in self._was_doubtful:
            self._doubtful.discard(parcel.delivery_id)

    def looked_up(self, parcel: Parcel, verdict: Verdict) -> None:
        """The hub is told whether an earlier try had its effect."""
        if verdict.kind in (FOUND, ABSENT):
            self._doubtful.discard(parcel.delivery_id)
            self._was_doubtful.discard(parcel.delivery_id)

    def had_effect(self, system: str, meant: Meant, times: int) -> None:
        """Something happened at a target."""
        if times > 1:
            raise Violation("one effect", f"{system} has had the effect of {meant} {times} times")
        self._once[meant.once] = self._once.get(meant.once, 0) + 1
        if self._once[meant.once] > 1:
            raise Violation("one effect", f"{system} has had the effect of {meant} before, as another message")
        if not meant.lane:
            return
        lane = (system, meant.lane, meant.source)
        if meant.lane_seq < self._last_effects.get(lane, -1) and self._is_waiting(meant):
            raise Violation("order per key", f"{system} has the effect of {meant} after that of a later one")
        self._last_effects[lane] = max(meant.lane_seq, self._last_effects.get(lane, -1))

    def _is_waiting(self, meant: Meant) -> bool:
        sql = f"SELECT 1 FROM deliveries WHERE delivery_id = ? AND state IN ({_WAITING})"  # noqa: S608  constants
        return self._world.store.reader().execute(sql, (meant.delivery_id,)).fetchone() is not None

    def released(self, together: Sequence[Meant]) -> None:
        """Somebody has let go what was held, whatever it was held for."""
        self._released.update(meant.delivery_id for meant in together)

    def person_has_looked(self, together: Sequence[Meant]) -> None:
        """Somebody has seen that an earlier try had no effect, before it was let go."""
        ids = {meant.delivery_id for meant in together}
        self._doubtful -= ids
        self._was_doubtful -= ids

    def process_died(self) -> None:
        """What the hub was told and had not recorded, it does not know."""
        self._not_before.clear()

    def may_be_filed(self, folder: str, reference: str) -> None:
        """A file is filed away by its outcome: all that came out of it has ended."""
        db: Database = self._world.store.reader()
        if db.execute(_NOT_ENDED, (folder, reference)).fetchone():
            raise Violation("filed when all has ended", f"{reference} is filed while something of it is on its way")

    def may_stay(self, folder: str, reference: str) -> None:
        """A file is still with its source: then something that came out of it has not ended."""
        db: Database = self._world.store.reader()
        if not db.execute(_NOT_ENDED, (folder, reference)).fetchone():
            raise Violation("filed when all has ended", f"{reference} is never filed, and all of it has ended")

    # -- at rest ---------------------------------------------------------------------------------------------------

    def check_rows(self) -> None:
        """What must hold between any two transactions."""
        db: Database = self._world.store.reader()
        for finding in conservation.check(db):
            raise Violation("conservation", f"{finding.seen} {finding.what}, such as {finding.example}")
        states = dict(db.execute(f"SELECT delivery_id, state FROM deliveries WHERE state IN ({_FINAL})"))  # noqa: S608  constants
        for delivery_id, state in self._finals.items():
            if states.get(delivery_id) not in (state, *DELIVERY_TRANSITIONS[state]):
                raise Violation("final states stay", f"{delivery_id} was {state} and is {states.get(delivery_id)}")
        self._finals = states
        attempts = {(row[0], row[1]): row[2:] for row in db.execute("SELECT * FROM attempts")}
        for key, row in self._attempts.items():
            if attempts.get(key) != row:
                raise Violation("attempts are only added", f"attempt {key[1]} of {key[0]} was changed")
        self._attempts = attempts

    def check_end(self) -> None:
        """What must hold when nothing more is going to happen."""
        self.check_rows()
        db: Database = self._world.store.reader()
        for seq, key in db.execute("SELECT seq, dedupe_key FROM receipts WHERE state = 'received'"):
            raise Violation("every message ends", f"receipt {seq} ({key}) is never split")
        for row in db.execute(_ENDS).fetchall():
            self._check_delivery(*row)
        for row in db.execute(_REPLIES).fetchall():
            self._check_replies(*row)

    def _check_delivery(
        self, delivery_id: str, message_id: str, target: str, system: str, state: str, reason: str, doubt: int,
        is_blocked: int,
    ) -> None:  # fmt: skip
        effects = self._world.targets[system].effects[(message_id, target)]
        what = self.meant(delivery_id)
        if state == "delivered" and not effects:
            raise Violation("delivered means effect", f"{what} is delivered and {system} never had its effect")
        if state in ("dead", "skipped") and effects and not doubt and not self._was_replayed(message_id, target):
            raise Violation("doubt is remembered", f"{what} is {state}, and its effect has happened")
        if state == "expired" and (doubt or effects):
            raise Violation("no expiry in doubt", f"{what} has expired, and may have arrived")
        if state == "held" and reason not in _REASONS_TO_WAIT:
            raise Violation("every message ends", f"{what} is held with the reason '{reason}'")
        if state in DELIVERY_WAITING - {"held"} and not (state in ("queued", "retrying") and is_blocked):
            raise Violation("every message ends", f"{what} stays {state}")

    def _was_replayed(self, message_id: str, target: str) -> bool:
        """Whether the effect is that of another delivery, which took the place of one that had ended."""
        rows = self._world.store.reader().execute(_STATES, (message_id, target)).fetchall()
        return any(state == "delivered" for state, _ in rows)

    def _check_replies(self, message_id: str, target: str, replies: int, wanted: int) -> None:
        if replies != wanted:
            raise Violation("one reply", f"{message_id} for {target} has {replies} replies, expected {wanted}")


_NOT_ENDED = f"""SELECT 1 FROM receipts r WHERE r.source = ? AND r.reference = ? AND r.settled = 0
  AND (r.state = 'received' OR EXISTS (SELECT 1 FROM messages m JOIN deliveries d ON d.message_id = m.message_id
    WHERE m.seq = r.seq AND d.state IN ({_WAITING})))"""  # noqa: S608  constants
# A waiting delivery may stay so where one before it waits for a person, or the target it comes after has not ended.
_ENDS = """SELECT d.delivery_id, d.message_id, d.target, d.system, d.state, d.hold_reason, d.doubt,
    d.lane <> '' AND EXISTS (SELECT 1 FROM deliveries e WHERE e.system = d.system AND e.lane = d.lane
      AND e.holds_lane = 1 AND e.lane_seq < d.lane_seq)
    OR d.waits_for <> '' AND EXISTS (SELECT 1 FROM deliveries p WHERE p.delivery_id = d.waits_for
      AND p.state IN ('held', 'queued'))
  FROM deliveries d"""
# Of a message at a target, over all deliveries that were made of it: what went through again by itself is another one.
_REPLIES = f"""SELECT d.message_id, d.target,
    (SELECT count(*) FROM receipts r WHERE r.causation_id = d.message_id AND r.route = d.route || '#' || d.target
      AND r.replay_of = ''),
    (SELECT count(*) FROM attempts a JOIN deliveries x ON x.delivery_id = a.delivery_id
      WHERE x.message_id = d.message_id AND x.target = d.target AND a.outcome = '{DELIVERED}')
  FROM deliveries d WHERE d.route || '#' || d.target IN (SELECT route FROM receipts WHERE route LIKE '%#%')"""  # noqa: S608
