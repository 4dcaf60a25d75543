"""Files that are fetched and cannot be marked where they lie: who has one in hand until when, and which are done with.

What is done with is known for as long as it lies there: a look notes what it has seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.store.database import Database

_NOTED_SECONDS = 86_400.0  # what is seen again is noted no more often
_NOTED_AT_ONCE = 2000
_KEPT_SECONDS = 30 * 86_400.0  # of what was no longer there when its source was read last
_LONGEST_REASON = 500


def take(db: Database, source: str, reference: str, name: str, holder: str, now: float, seconds: float) -> bool:
    """Take a file in hand; False where somebody has it, or it is done with. A lease that ends later than two from now
    on is of a clock that was put back since."""
    db.execute(
        """INSERT INTO file_leases (source, reference, name, holder, until, seen_at) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT (source, reference) DO UPDATE SET holder = excluded.holder, until = excluded.until,
             seen_at = excluded.seen_at
           WHERE file_leases.until <= excluded.seen_at
             OR file_leases.until > 2 * excluded.until - excluded.seen_at""",
        (source, reference, name, holder, now + seconds, now),
    )
    return db.changes() == 1


def renew(db: Database, source: str, reference: str, holder: str, until: float) -> bool:
    """Have it in hand for longer; False where somebody else has it by now."""
    db.execute(
        "UPDATE file_leases SET until = ? WHERE source = ? AND reference = ? AND holder = ? AND until IS NOT NULL",
        (until, source, reference, holder),
    )
    return db.changes() == 1


def let_go(db: Database, source: str, reference: str, holder: str) -> None:
    """It is anybody's again, at once."""
    db.execute(
        "DELETE FROM file_leases WHERE source = ? AND reference = ? AND holder = ? AND until IS NOT NULL",
        (source, reference, holder),
    )


def end(db: Database, source: str, reference: str, reason: str) -> None:
    """It is done with, whoever has it: it is stored, or cannot be taken for this reason."""
    db.execute(
        "UPDATE file_leases SET until = NULL, reason = ? WHERE source = ? AND reference = ?",
        (reason[:_LONGEST_REASON], source, reference),
    )


def ended(db: Database, source: str, references: Sequence[str]) -> dict[str, tuple[str, float]]:
    """(why it could not be taken, when it was noted to lie there) of those of these files that are done with."""
    sql = """SELECT reference, reason, seen_at FROM file_leases
             WHERE source = ? AND reference = ? AND until IS NULL"""
    rows = db.executemany(sql, [(source, reference) for reference in references])
    return {str(reference): (str(reason), float(at)) for reference, reason, at in rows}


def unnoted(known: dict[str, tuple[str, float]], now: float) -> list[str]:
    """Those that were not noted to lie there for a while, some of them, and all that would soon be forgotten: the next
    look notes more."""
    stale = sorted((at, reference) for reference, (_, at) in known.items() if not 0 <= now - at < _NOTED_SECONDS)
    urgent = sum(now - at > _KEPT_SECONDS / 2 for at, _ in stale)
    return [reference for _, reference in stale[: max(_NOTED_AT_ONCE, urgent)]]


def note_seen(db: Database, source: str, references: Sequence[str], now: float) -> None:
    """They lie there still."""
    sql = "UPDATE file_leases SET seen_at = ? WHERE source = ? AND reference = ?"
    db.executemany(sql, [(now, source, reference) for reference in references])


def forget(db: Database, limit: int = 10_000) -> None:
    """Take away what was long gone when its source was read last; of a source that is not read nothing is known."""
    for system, read_at in db.execute("SELECT system, read_at FROM sources WHERE read_at IS NOT NULL").fetchall():
        db.execute(
            """DELETE FROM file_leases WHERE source = ?1 AND reference IN
               (SELECT reference FROM file_leases WHERE source = ?1 AND seen_at < ?2 LIMIT ?3)""",
            (system, read_at - _KEPT_SECONDS, limit),
        )
