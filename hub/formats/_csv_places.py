"""Where a cell stands in a CSV file: its line, and the number of its column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.formats import Place, Step


class CsvPlaces:
    """The places of one record: a row, or a group of rows whose own columns are those of its first row."""

    def __init__(self, columns: Mapping[str, int], lines: Sequence[int], grouped: bool) -> None:
        self._columns, self._lines, self._grouped = columns, lines, grouped

    def __call__(self, steps: Sequence[Step]) -> Place | None:
        """The place of a cell; None where there is none at that path."""
        number, name = 0, steps[0] if steps else ""
        if self._grouped and name == "rows":
            if len(steps) < 2 or not isinstance(steps[1], int):
                return Place(self._lines[0], 1) if self._lines else None
            number, name = steps[1], steps[2] if len(steps) > 2 else ""
        if number >= len(self._lines):
            return None
        if name == "":
            return Place(self._lines[number], 1)
        column = self._columns.get(str(name))
        return Place(self._lines[number], column, what=f"column '{name}'") if column else None
