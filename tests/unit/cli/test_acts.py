"""``o2c release --issue`` and the like, where what is done to one delivery is done to all of its batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import typer

from hub.cli import acts
from hub.errors import Conflict, HubAway


@dataclass
class Batches:
    """A hub whose dead letters are in batches: one that is released takes the others of its batch with it."""

    held: list[list[str]]
    stubborn: str = ""
    gone: str = ""  # another has seen to it meanwhile
    released: list[str] = field(default_factory=list)

    def get(self, path: str, limit: int, **wanted: Any) -> dict[str, Any]:
        return {"items": [{"id": id} for batch in self.held for id in batch][:limit]}

    def post(self, path: str, body: Any) -> dict[str, Any]:
        id = path.split("/")[2]
        if id == self.gone:
            self.held.remove([id])
            raise Conflict("the delivery is cancelled; release works on held, retrying")
        if id == "away":
            raise HubAway("no hub answers any more")
        batch = next((batch for batch in self.held if id in batch), None)
        if batch is None or id == self.stubborn:
            raise Conflict("the delivery is queued; release works on held, retrying")
        self.held.remove(batch)
        self.released.append(id)
        return {"state": "queued"}


def release(hub: Batches, monkeypatch: pytest.MonkeyPatch) -> int:
    @contextmanager
    def at_hand(folder: Path) -> Iterator[Batches]:
        yield hub

    monkeypatch.setattr(acts, "hub_at_hand", at_hand)
    try:
        acts.release(issue="i", reason="it has not arrived")
    except typer.Exit as end:
        return end.exit_code
    return 0


def test_those_that_went_with_their_batch_are_not_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    hub = Batches([["a", "b"], ["c"]])
    assert release(hub, monkeypatch) == 0
    assert capsys.readouterr() == ("a  queued\nc  queued\nb  queued\n", "")


def test_all_of_an_issue_are_released_however_many_pages_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Batches([[f"d{number}"] for number in range(1200)])
    assert release(hub, monkeypatch) == 0
    assert (len(hub.released), hub.held) == (1200, [])


def test_what_is_refused_is_told_and_fails(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert release(Batches([["a"], ["b"]], stubborn="a"), monkeypatch) == 1
    assert capsys.readouterr() == ("b  queued\n", "a: the delivery is queued; release works on held, retrying\n")


def test_what_another_has_done_otherwise_meanwhile_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert release(Batches([["a"], ["b"]], gone="b"), monkeypatch) == 1
    assert capsys.readouterr() == ("a  queued\n", "b: the delivery is cancelled; release works on held, retrying\n")


def test_what_was_done_is_told_where_the_hub_goes_away_in_between(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(HubAway):
        release(Batches([["a"], ["away"], ["c"]]), monkeypatch)
    assert capsys.readouterr() == ("a  queued\n", "")
