"""Time that moves only when the simulation says so, and ids that count."""

from __future__ import annotations

from datetime import UTC, datetime

START = 1_790_000_000.0


class SimulatedClock:
    """``elapsed`` is true time; ``offset`` is by how much the machine's clock has been put forward or back."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.offset = 0.0
        self._ids = 0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.epoch(), UTC)

    def epoch(self) -> float:
        return START + self.elapsed + self.offset

    def elapsed_at(self, epoch: float) -> float:
        """When the machine's clock will show this, should nobody put it forward or back again."""
        return epoch - START - self.offset

    def monotonic(self) -> float:
        return self.elapsed

    def new_id(self) -> str:
        """In the form of a UUIDv7, unique over all processes of a run."""
        self._ids += 1
        at, number = int(self.epoch() * 1000), self._ids
        return f"{at >> 16:08x}-{at & 0xFFFF:04x}-7{number >> 12 & 0xFFF:03x}-8{number & 0xFFF:03x}-{number:012x}"
