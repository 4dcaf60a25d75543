"""Bank statements that came, of all sources and days: those that come again, and those that do not follow on the ones
before them. Everything of one account is looked at by one transaction at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec.structs import astuple, replace

from hub.message import Stated
from hub.store import findings
from hub.store.database import Database, lock
from hub.store.pruning import forget

KEEP_SECONDS = 800 * 86400.0  # at the least: two years, and the first statement of the next
CODES: tuple[findings.Code, ...] = ("gap", "balance", "overlap")
_RESTART_DAYS = 180  # numbers begin again each year: an id that was used longer ago is another statement's
UNNUMBERED = 1 << 31  # pages from it on have no number, but a digest of what tells them from others
_MOST_MISSING = 366  # a number that is further ahead is of another numbering

_COLUMNS = ", ".join(Stated.__struct_fields__[:-1])  # all but that it is a replay
_PUT = f"INSERT INTO statements_seen ({_COLUMNS}) VALUES ({', '.join('?' * len(Stated.__struct_fields__[:-1]))})"
_SELECT = f"SELECT {_COLUMNS} FROM statements_seen"
_ID = "account = ? AND report_type = ? AND statement_id = ? AND page = ? AND part = ?"
_DAYS = "account = ? AND report_type = 'statement' AND day"
_encode = msgspec.json.Encoder(decimal_format="number", order="sorted").encode


class Earlier(msgspec.Struct, frozen=True):
    """What came before under the same id; ``is_same``: it says the same."""

    row: Stated
    is_same: bool


def digest(value: Any) -> str:
    """What tells a value from all others."""
    return hashlib.sha256(_encode(value)).hexdigest()


def sums_of(day: str, opening: str, closing: str, entries: Sequence[Any]) -> str:
    """A digest of a statement's amounts and days alone."""
    return digest([day, opening, closing, entries])


def remember(db: Database, came: Sequence[Stated], at: float) -> dict[str, Earlier]:
    """Note statements, and what is missing between them; gives those that are not taken in, since another came before
    under their id, by their messages."""
    for account in sorted({each.account for each in came}):
        lock(db, f"statements {account}")
    found = {}
    for each in came:
        earlier = _beside(db, each) if each.is_replayed else _earlier(db, each)
        if earlier is None:
            _take_in(db, each, at)
        else:
            found[each.message_id] = earlier
    return found


def _beside(db: Database, each: Stated) -> Earlier | None:
    """What says the same as one that is replayed, and stands elsewhere: a repeat stays one."""
    same = next((row for row in _known_to_say_the_same(db, each) if row.place != each.place), None)
    return Earlier(same, is_same=True) if same else None


def _known(db: Database, each: Stated) -> list[Stated]:
    """What came under its id: first that of its own day, then of others the latest ones, for an id may be of all."""
    return _of_its_day(db, each) + _rows(db, f"{_ID} ORDER BY day DESC LIMIT 1000", *_id_of(each))


def _known_to_say_the_same(db: Database, each: Stated) -> Iterator[Stated]:
    """The page of a report or a notification is that of the message that brings it, and another when it comes again: it
    is known as any. Its entries have references, so that no two pages say the same."""
    yield from (row for row in _known(db, each) if _says_the_same(row, each))
    if each.report_type != "statement":
        own = "account = ? AND report_type = ? AND statement_id = ? AND day = ? AND made_at = ? AND part = ?"
        values = (*_id_of(each)[:3], each.day, each.made_at, each.part, each.digest)
        yield from _rows(db, f"{own} AND digest = ?", *values)


def _of_its_day(db: Database, each: Stated) -> list[Stated]:
    return _rows(db, f"{_ID} AND day = ? AND made_at = ?", *_id_of(each), each.day, each.made_at)


def _id_of(each: Stated) -> tuple[Any, ...]:
    return each.account, each.report_type, each.statement_id, each.page, each.part


def _earlier(db: Database, each: Stated) -> Earlier | None:
    same = next(_known_to_say_the_same(db, each), None)
    if same is not None:
        return Earlier(same, is_same=True)
    other = next(_in_its_place(db, each, _known(db, each)), None)
    return Earlier(other, is_same=False) if other else None


def _rows(db: Database, where: str, *values: Any) -> list[Stated]:
    return [Stated(*row) for row in db.execute(f"{_SELECT} WHERE {where}", values)]


def _says_the_same(row: Stated, each: Stated) -> bool:
    """Another set of files may word the same otherwise: then its days and amounts must be the same."""
    is_worded_so = row.digest == each.digest or (row.set_id != each.set_id and row.sums == each.sums)
    return is_worded_so and row.made_at == each.made_at


def _in_its_place(db: Database, each: Stated, known: Sequence[Stated]) -> Iterator[Stated]:
    """Statements that it cannot stand beside. Those of other days are others, since banks give several one id; but not
    of the only day of its id on which one opens with the same balance, where none goes on from another: its day has
    changed."""
    yield from _refused_beside(db, each, [row for row in known if (row.day, row.made_at) == (each.day, each.made_at)])
    near = [row for row in known if _days_between(row.day, each.day) < _RESTART_DAYS]
    is_only = each.report_type == "statement" and len({row.day for row in near}) == 1
    if is_only and each.opening not in (each.closing, *(row.closing for row in near)):
        yield from (row for row in near if row.opening == each.opening)


def _refused_beside(db: Database, each: Stated, of_day: Sequence[Stated]) -> Sequence[Stated]:
    """Those of its own day and id in whose place it is. A statement that goes on from one of them, or one of them from
    it, is the next one of a bank that gives several of a day one id; one that opens as another does says the same day
    otherwise, unless one of them has no entries. A page, or part, goes on from the one before it."""
    if each.report_type != "statement" or not of_day:
        return of_day
    if same := [row for row in of_day if row.opening == each.opening and not (_is_empty(row) or _is_empty(each))]:
        return same
    rows = _rows(db, "account = ? AND report_type = ? AND statement_id = ? AND day = ?", *_id_of(each)[:3], each.day)
    goes_on = [(row.page, row.part) for row in rows if row.closing == each.opening]
    if each.part > 1:
        is_next = (each.page, each.part - 1) in goes_on
    elif each.page > 1:
        is_next = any(page == each.page - 1 for page, _ in goes_on)
    else:
        is_next = bool(goes_on) or any(row.opening == each.closing for row in of_day)
    return [] if is_next else of_day


def _is_empty(row: Stated) -> bool:
    return row.opening == row.closing != "" and row.sums == sums_of(row.day, row.opening, row.closing, [])


def _days_between(one: str, other: str) -> int:
    """Days from one to the other; none where a day is not known."""
    try:
        return abs((date.fromisoformat(one) - date.fromisoformat(other)).days)
    except ValueError:
        return 0


def _take_in(db: Database, each: Stated, at: float) -> None:
    days = [each.day]
    for old in _replaced(db, each) if each.is_replayed else ():
        findings.settle(db, old.message_id, at)  # from now on it is found about the replay
        db.execute("DELETE FROM statements_seen WHERE message_id = ? AND place = ?", (old.message_id, old.place))
        days.append(old.day)
    row = replace(each, seen_at=at)
    db.execute(_PUT, astuple(row)[:-1])
    if each.report_type != "statement" or not each.day:
        return
    if each.part == 1:  # the parts of one follow on each other
        _look_at(db, row, at)
    for day in dict.fromkeys(days):
        _look_again(db, each.account, day, at)


def _replaced(db: Database, each: Stated) -> list[Stated]:
    """What a replay stands for from now on: what it is a replay of, and what it is in the place of."""
    own = _rows(db, "place = ?", each.place)
    return [*own, *_refused_beside(db, each, [row for row in _of_its_day(db, each) if row not in own])]


# -- what is missing -----------------------------------------------------------------------------------------------


def _look_again(db: Database, account: str, day: str, at: float) -> None:
    """What came may be what was missing of its day, and the next day may follow on it."""
    is_open = "message_id IN (SELECT message_id FROM message_findings WHERE settled_at IS NULL)"
    after = str(db.execute(f"SELECT min(day) FROM statements_seen WHERE {_DAYS} > ?", (account, day)).get or "")
    rows = _rows(db, f"{_DAYS} = ? AND part = 1 AND {is_open}", account, day) if findings.is_any_open(db, CODES) else []
    rows += _rows(db, f"{_DAYS} = ? AND part = 1 AND (page = 1 OR {is_open})", account, after) if after else []
    for row in rows:
        _look_at(db, row, at)


def _look_at(db: Database, row: Stated, at: float) -> None:
    """Find out anew whether a statement follows on one before it."""
    last = db.execute(f"SELECT max(day) FROM statements_seen WHERE {_DAYS} < ?", (row.account, row.day)).get
    # Nobody knows what came before the first day of all.
    found = dict(_wrong_with(db, row, str(last))) if last else {}
    findings.settle_others(db, row.message_id, CODES, found, at)
    for code, detail in found.items():
        findings.put(db, row.message_id, code, row.source, detail, at)


def _wrong_with(db: Database, row: Stated, last: str) -> Iterator[tuple[findings.Code, str]]:
    """What there is to tell of a statement, by code; ``last`` is the last day before its own."""
    goes_on_from = _days_that_close(db, row, last)
    missing = _missing(db, row, last)
    if not goes_on_from:
        latest = _latest(db, row.account, last)
        balances = f"it opens with {row.opening}, {latest.name} closes with {latest.closing}"
        yield (
            ("gap", f"{missing}; {balances}") if missing else ("balance", f"something before it is missing: {balances}")
        )
        return
    if missing:
        yield "gap", f"{missing}; the balances go on"
    if row.day not in goes_on_from and (copy := _copy_of(db, row)) is not None:
        yield "overlap", f"it opens with {row.opening} as {copy.name} does: both tell of the same money"


def _days_that_close(db: Database, row: Stated, last: str) -> set[str]:
    """Of its day and the last one before: those on which another statement ends with the balance that it opens with. It
    does not go on from itself, nor from its own last page, where it ends as it begins: later pages are its own, unless
    another of its day has its id."""
    is_alone = all(one.opening == row.opening for one in _of_its_day(db, row))
    found = _rows(db, f"{_DAYS} IN (?, ?) AND closing = ?", row.account, row.day, last, row.opening)
    return {one.day for one in found if not _is_of(one, row, is_alone)}


def _is_of(one: Stated, row: Stated, is_alone: bool) -> bool:
    if (one.day, one.statement_id) != (row.day, row.statement_id):
        return False
    if (one.page, one.part) == (row.page, row.part):
        return one.opening == row.opening
    return is_alone and (one.page == row.page or (row.page < one.page and row.page < UNNUMBERED))


def _latest(db: Database, account: str, day: str) -> Stated:
    """The last statement of a day: one that none of the others goes on from."""
    rows = _rows(db, f"{_DAYS} = ? ORDER BY number DESC, page DESC, part DESC LIMIT 50", account, day)
    opened = {row.opening for row in rows}
    return next((row for row in rows if row.closing not in opened), rows[0])


def _missing(db: Database, row: Stated, last: str) -> str:
    """The numbers between a statement and the last one below it; '' where there are none. One that is not above any
    has no number, or begins again."""
    below = _rows(
        db, f"{_DAYS} IN (?, ?) AND number > 0 AND number < ? ORDER BY number DESC LIMIT 1",
        row.account, row.day, last, row.number,
    )  # fmt: skip
    first, end = below[0].number + 1 if below else 1, row.number - 1
    if not below or not first <= end < first + _MOST_MISSING:
        return ""
    which = f"number {first} is missing" if first == end else f"the numbers {first} to {end} are missing"
    return f"{which}: {row.number} follows {below[0].number}, {below[0].name}"


def _copy_of(db: Database, row: Stated) -> Stated | None:
    """An earlier statement that tells of the same money in another way: this one is a correction of it, or a copy
    under another id."""
    found = _rows(
        db, f"{_DAYS} = ? AND opening = ? AND closing <> opening AND route = ? AND page = ? AND part = ?",
        row.account, row.day, row.opening, row.route, row.page, row.part,
    ) if row.opening != row.closing else []  # fmt: skip
    mine = (row.seen_at, row.message_id)
    return next(
        (one for one in found if one.statement_id != row.statement_id and (one.seen_at, one.message_id) < mine), None
    )


# -- what there is -------------------------------------------------------------------------------------------------


def last_seen(db: Database, limit: int = 100) -> list[tuple[Stated, int]]:
    """The last statement of each account, with how many came of it."""
    found = db.execute(
        """SELECT account, max(day), count(*) FROM statements_seen WHERE report_type = 'statement' AND day <> ''
           GROUP BY account ORDER BY account LIMIT ?""",
        (limit,),
    ).fetchall()
    return [(_latest(db, str(account), str(day)), int(count)) for account, day, count in found]


def shown(account: str) -> str:
    """An account as everybody may see it: the end of its number, and its currency."""
    number, _, currency = account.rpartition(" ")
    return f"…{number.partition(' ')[0][-4:]} {currency}"


def prune(db: Database, before: float, limit: int = 1000) -> int:
    """Forget statements that were seen before a time, some at once; gives how many."""
    key = "account, report_type, statement_id, day, made_at, page, part, digest"
    return forget(db, "statements_seen", key, "seen_at", before, limit)
