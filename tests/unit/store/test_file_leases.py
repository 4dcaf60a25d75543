"""Which files that are done with are noted to lie there still, so that none of them is taken a second time."""

from __future__ import annotations

from hub.store.file_leases import unnoted

DAY = 86_400.0


def test_those_that_were_noted_longest_ago_are_noted_first() -> None:
    known = {f"new-{n}": ("", 3 * DAY) for n in range(3000)} | {f"old-{n}": ("", DAY) for n in range(500)}
    noted = unnoted(known, 5 * DAY)
    assert len(noted) == 2000
    assert {name for name in known if name.startswith("old-")} <= set(noted)


def test_what_would_be_forgotten_before_long_is_noted_however_much_it_is() -> None:
    known = {f"{n}": ("", 0.0) for n in range(9000)} | {"today": ("", 16 * DAY)}
    assert sorted(unnoted(known, 16 * DAY)) == sorted(set(known) - {"today"})
