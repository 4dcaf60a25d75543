"""The sftp connector on a real OpenSSH server, over a line that is cut at any moment: no file is lost or doubled."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from cutter import Cutter
from sftp_places import line, open_destination, open_source, parcel, root, sent, server
from sftp_server import SftpServer, names_below

from connectors.base import DELIVERED, DOUBT, LATER, Incoming, TransientError

BY_OUTCOME = {"archive_by": "outcome"}


def test_a_rename_whose_answer_is_lost_is_looked_after(root: Path, line: Cutter, open_destination: Any) -> None:
    """The last piece of a delivery is its rename."""
    destination = open_destination(port=line.port)
    destination.check()
    line.heal()
    sent(destination, parcel(b"first", "d0.0"))
    last = line.seen
    line.cut_in(last, passing=True)
    verdict = sent(destination, parcel(b"small"))
    assert (verdict.kind, verdict.code) == (DELIVERED, "written")
    line.cut_in(last, passing=False)
    verdict = sent(destination, parcel(b"small", "d2.0"))
    assert (verdict.kind, verdict.code) == (LATER, "connection_lost")
    assert sorted(name for name in names_below(root / "out") if not name.endswith(".tmp")) == ["d0.0.json", "d1.0.json"]


def test_a_rename_nobody_can_be_asked_about_is_in_doubt(
    server: SftpServer, root: Path, line: Cutter, open_destination: Any
) -> None:
    destination = open_destination(port=line.port, timeouts={"connect": 1.0})
    destination.check()
    line.heal()
    sent(destination, parcel(b"first", "d0.0"))
    last = line.seen
    line.cut_for_good(last)
    verdict = sent(destination, parcel(b"small"))
    assert (verdict.kind, verdict.code) == (DOUBT, "rename_unknown")
    line.heal()
    assert destination.look_up(parcel(b"small")).kind == "found"
    assert sent(destination, parcel(b"small", settling=True)).code == "already_there"


def test_a_marker_whose_answer_is_lost_may_have_been_seen_and_one_that_is_missing_is_written(
    root: Path, line: Cutter, open_destination: Any
) -> None:
    destination = open_destination(port=line.port, send={"marker": "{name}.done"})
    sent(destination, parcel(b"first", "d0.0"))
    line.heal()
    sent(destination, parcel(b"first", "d3.0"))
    last = line.seen
    line.cut_in(last, passing=True)
    verdict = sent(destination, parcel(b"small"))
    assert (verdict.kind, verdict.code) == (DOUBT, "marker_unknown")
    assert destination.look_up(parcel(b"small")).kind == "found"
    (root / "out" / "d1.0.json.done").unlink()
    assert destination.look_up(parcel(b"small")).kind == "absent"
    assert sent(destination, parcel(b"small")).code == "already_there"
    assert names_below(root / "out")[-2:] == ["d3.0.json", "d3.0.json.done"]


def test_a_fetch_that_is_cut_somewhere_loses_no_file_that_waits_for_its_outcome(
    root: Path, line: Cutter, open_source: Any
) -> None:
    """What is in hand then comes again when its lease is over, as the same thing."""
    for piece in range(1, 20, 3):
        name = f"{piece}.csv"
        (root / "in" / name).write_bytes(name.encode())
        ids: set[str] = set()
        bodies: set[bytes] = set()
        accepted: list[str] = []

        def accept(incoming: Incoming, ids: set[str] = ids, bodies: set[bytes] = bodies, seen: Any = accepted) -> None:
            bodies.add(b"".join(incoming.chunks))
            ids.add(incoming.dedupe_id)
            seen.append(incoming.reference)

        at = (root / "in" / name).stat().st_mtime
        source = open_source(lambda at=at: at, BY_OUTCOME, port=line.port)
        assert source.check() == []
        line.cut_in(piece, passing=True)
        with suppress(TransientError):
            source.fetch(accept)
        line.heal()
        later = open_source(lambda at=at: at + 301, BY_OUTCOME, port=line.port)
        later.fetch(accept)
        later.fetch(accept)
        assert bodies == {name.encode()}
        assert len(ids) == 1
        later.settle(accepted[-1], failed=False)
        left = [found for found in names_below(root) if found.endswith(name)]
        assert [Path(found).name for found in left] == [name], left
        assert left[0].startswith("archive/")


def test_connections_are_kept_and_one_that_died_is_replaced(
    server: SftpServer, root: Path, line: Cutter, open_destination: Any
) -> None:
    destination = open_destination(port=line.port)
    logins = server.logins
    for number in range(5):
        assert sent(destination, parcel(b"x", f"d{number}.0")).kind == DELIVERED
    assert server.logins == logins + 1
    line.cut()
    verdict = [sent(destination, parcel(b"x", "d9.0")).kind for _ in range(2)]
    assert verdict[-1] == DELIVERED
