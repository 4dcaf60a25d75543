"""One contestant of the bank statements of ``o2c bench xml``, in a process of its own.

    python -m benchmarks.xml_bank_contestant NAME FILE

Told are CPU seconds and by how many bytes the process grew, as JSON; it ends with 3 where it is not installed.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(65_536):
            yield piece


def _hub() -> Callable[[Path], int]:
    from hub.formats import BadRecord, camt053

    def work(path: Path) -> int:
        """Documents with exact amounts and references, after balances and sums have shown that they hold."""
        count = 0
        for record in camt053.decode(_chunks(path), {}):
            assert not isinstance(record, BadRecord), record.error
            count += len(record.value["entries"])
        return count

    return work


def _bare() -> Callable[[Path], int]:
    from lxml import etree

    def work(path: Path) -> int:
        """Nothing is read of an entry; each is let go, and what stands before it."""
        count = 0
        for _, element in etree.iterparse(str(path), tag="{*}Ntry"):
            count += 1
            element.clear()
            parent = element.getparent()
            while parent is not None and element.getprevious() is not None:
                del parent[0]
        return count

    return work


def _bankstatementparser() -> Callable[[Path], int]:
    from bankstatementparser import CamtParser  # type: ignore[import-not-found,import-untyped,unused-ignore]

    return lambda path: sum(1 for _ in CamtParser(str(path), lazy=True).parse_streaming())


CONTESTANTS = {"hub": _hub, "bare": _bare, "bankstatementparser": _bankstatementparser}


def _resident_bytes() -> int:
    """The highest so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024


def main() -> int:
    name, path = sys.argv[1], Path(sys.argv[2])
    try:
        work = CONTESTANTS[name]()
    except ImportError:
        return 3
    before, started = _resident_bytes(), time.process_time()
    entries = work(path)
    seconds = time.process_time() - started
    print(json.dumps({"seconds": seconds, "entries": entries, "growth": _resident_bytes() - before}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
