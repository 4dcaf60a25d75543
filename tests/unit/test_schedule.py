"""When something happens again and again, in any time zone, over the days on which the clocks are put."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from hub.errors import Fault
from hub.fields import Scope
from hub.schedule import Schedule, read_schedule
from hub.yamldoc import read_yaml


def at(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def times(schedule: Schedule, begin: str, count: int) -> list[str]:
    found, moment = [], at(begin)
    for _ in range(count):
        moment = schedule.after(moment)
        found.append(datetime.fromtimestamp(moment, ZoneInfo(schedule.zone)).strftime("%m-%d %H:%M"))
    return found


@pytest.mark.parametrize(
    ("schedule", "begin", "expected"),
    [
        (Schedule(("18:00",)), "2026-03-05T10:00:00Z", ["03-05 18:00", "03-06 18:00"]),
        (Schedule(("18:00",)), "2026-03-05T18:00:00Z", ["03-06 18:00"]),
        (Schedule(("06:00", "18:00"), zone="Europe/Paris"), "2026-03-05T05:30:00Z", ["03-05 18:00", "03-06 06:00"]),
        (Schedule(every=900), "2026-03-05T10:01:00Z", ["03-05 10:15", "03-05 10:30"]),
        (Schedule(("10:20",), 900), "2026-03-05T10:01:00Z", ["03-05 10:15", "03-05 10:20", "03-05 10:30"]),
        (Schedule(every=7 * 3600), "2026-03-05T10:01:00Z", ["03-05 14:00", "03-05 21:00", "03-06 00:00"]),
        (Schedule(every=86400, zone="Asia/Kathmandu"), "2026-03-05T10:00:00Z", ["03-06 00:00", "03-07 00:00"]),
        # Fridays: the sixth of March; what is left out comes on Monday.
        (Schedule(("18:00",), days="weekdays"), "2026-03-06T18:00:00Z", ["03-09 18:00"]),
        # Good Friday is a day like any other in France, and none on which the euro is settled; the first of May is.
        (Schedule(("18:00",), days="business", calendar="TARGET"), "2026-04-02T20:00:00Z", ["04-07 18:00"]),
        (Schedule(("18:00",), days="business", calendar="FR"), "2026-04-02T20:00:00Z", ["04-03 18:00", "04-07 18:00"]),
        (Schedule(every=43200, days="business", calendar="FR"), "2026-04-30T12:30:00Z", ["05-04 00:00"]),
        # The clocks go on: what they leave out comes as much later. They go back: the first of both.
        (Schedule(("02:30",), zone="Europe/Paris"), "2026-03-28T12:00:00Z", ["03-29 03:30", "03-30 02:30"]),
        (Schedule(("02:30", "03:30"), zone="Europe/Paris"), "2026-03-28T12:00:00Z", ["03-29 03:30", "03-30 02:30"]),
        (Schedule(("02:30",), zone="Europe/Paris"), "2026-10-24T12:00:00Z", ["10-25 02:30", "10-26 02:30"]),
        (Schedule(("02:30",), zone="Europe/Paris"), "2026-10-25T00:30:00Z", ["10-26 02:30"]),
        # A day of 23 hours, and one that has no midnight.
        (Schedule(every=4 * 3600, zone="Europe/Paris"), "2026-03-28T23:30:00Z", ["03-29 05:00", "03-29 09:00"]),
        (Schedule(("00:00",), zone="Africa/Cairo"), "2026-04-23T12:00:00Z", ["04-24 01:00", "04-25 00:00"]),
    ],
)  # fmt: skip
def test_the_next_times(schedule: Schedule, begin: str, expected: list[str]) -> None:
    assert times(schedule, begin, len(expected)) == expected


ZONES = (
    "UTC",
    "Europe/Paris",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Africa/Cairo",
    "Pacific/Apia",
)


@pytest.mark.parametrize("zone", ZONES)
def test_times_go_on_come_once_a_day_and_are_on_the_schedule_themselves(zone: str) -> None:
    chance = Random(zone)
    for _ in range(40):
        day = f"{chance.randrange(24):02}:{chance.randrange(60):02}"
        schedule = Schedule((day,), zone=zone)
        moment = at("2026-01-01T00:00:00Z") + chance.uniform(0, 300 * 86400)
        found = [moment := schedule.after(moment) for _ in range(60)]
        assert all(22 * 3600 <= later - earlier <= 26 * 3600 for earlier, later in pairwise(found))
        assert [schedule.at_or_after(each) for each in found] == found
        days = [datetime.fromtimestamp(each, ZoneInfo(zone)).date() for each in found]
        assert len(set(days)) == len(days)
        every = Schedule(every=chance.choice((60, 900, 3600, 7 * 3600)), zone=zone)
        found = [moment := every.after(moment) for _ in range(60)]
        assert all(0 < later - earlier <= every.every for earlier, later in pairwise(found))
        assert [every.at_or_after(each) for each in found] == found


def read(text: str) -> tuple[Schedule, list[str]]:
    node, _ = read_yaml(text, "x.yaml")
    faults: list[Fault] = []
    names = ("at", "zone", "days", "calendar")
    values: dict[str, object] = {name: child.text for name in names if (child := node.get(name)) is not None}
    if (times := node.get("at")) is not None:
        values["at"] = tuple(each.text for each in times.elements()) or (times.text,)
    if node.get("every") is not None:
        values["every"] = float(node.get("every").text)  # type: ignore[union-attr]
    return read_schedule(values, node, Scope("this", faults)), [fault.message for fault in faults]


def test_what_a_file_says() -> None:
    found, faults = read("at: ['18:00', '06:00', '18:00']\nzone: Europe/Paris\ndays: business\ncalendar: DE-BY\n")
    assert (found, faults) == (Schedule(("06:00", "18:00"), 0, "Europe/Paris", "business", "DE-BY"), [])
    assert str(found) == "at 06:00 and 18:00, on business days of DE-BY (Europe/Paris)"
    assert str(read("every: 900\ndays: weekdays\n")[0]) == "every 15m from midnight on, on weekdays"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (
            "at: 6pm\n",
            "at: expected a time of day from 00:00 to 23:59, got '6pm'; write it in quotes: \"18:00\"",
        ),
        ("at: '24:00'\n", "at: expected a time of day from 00:00 to 23:59, got '24:00'"),
        ("every: 0.5\n", "every: expected whole seconds from 1s to 24h, got 500ms"),
        ("every: 172800\n", "every: expected whole seconds from 1s to 24h, got 2d"),
        ("every: 60\nzone: Europe/Pari\n", "zone: unknown zone 'Europe/Pari'; did you mean 'Europe/Paris'?"),
        ("every: 60\nzone: here\n", "zone: unknown zone 'here'; write an IANA name such as Europe/Brussels"),
        (
            "every: 60\ndays: business\n",
            "days: business needs calendar: FR, DE-BY or TARGET, whose business days are meant",
        ),
        (
            "every: 60\ndays: business\ncalendar: XX\n",
            "calendar: expected a calendar such as FR, DE-BY or TARGET, got 'XX'",
        ),
        ("every: 60\ncalendar: FR\n", "calendar: says nothing without days: business; write that, or take it out"),
    ],
)
def test_what_is_wrong_is_said(text: str, fault: str) -> None:
    found, faults = read(text)
    assert [message[: len(fault)] for message in faults] == [fault]
    assert found.zone == ""
