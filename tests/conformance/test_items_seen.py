"""What every store promises of what a source gives again and again: it is known as it was the last time."""

from __future__ import annotations

from typing import Any

from store_steps import accept, arrival

from hub.store import Store, items


def test_what_a_source_gives_again_is_known_as_it_was_the_last_time(store: Store) -> None:
    def came(*versions: str, round: int, item: str = "7") -> list[Any]:
        return accept(store, *(arrival(item=item, dedupe_key=f"{item}@{each}", round=round) for each in versions))

    [first, within] = came("a", "a", round=1)
    assert (first.duplicate, within.duplicate, within.receipt_id) == (False, True, first.receipt_id)
    told = [[each.duplicate for each in came(*versions, round=round)] for versions, round in (
        ("a", 2), ("b", 3), ("b", 3), ("a", 4), ("a", 9), ("b", 10), ("ab", 11), ("ab", 12), ("a", 13), ("b", 14),
    )]  # fmt: skip
    assert told == [[True], [False], [True], [False], [True], [False], [False, True], [True, True], [True], [False]]
    every = [came(version, round=-1, item="8")[0].duplicate for version in "aabab"]
    assert every == [False, True, False, False, False]
    dated = [came(version, round=0, item=version)[0].duplicate for version in "aabab"]
    assert dated == [False, True, False, True, True]
    other = [accept(store, arrival(item="9", dedupe_key=key, other_key=other))[0].duplicate for key, other in (
        ("9:a", "9"), ("9:b", "9"), ("9", "9:b"), ("9", "9:c"), ("9:d", "9"),
    )]  # fmt: skip
    assert other == [False, False, True, True, True], "known by either"
    assert store.reader().execute("SELECT count(*) FROM dedupe").get == 0
    assert items.sources(store.reader()) == ["shop"]
    assert store.write(lambda db: items.prune(db, "shop", 2.0, 100)) == 10, "two, two, two and the last four"
