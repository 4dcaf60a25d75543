"""What the messages of rules quote of a document."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from hub.formats._xml import Element, parse
from hub.profiles.faults import RuleFault, with_values


class Walked:
    """A document that counts how often it is walked through."""

    def __init__(self, text: bytes) -> None:
        self._root, self.walks = parse(text), 0

    def iter(self) -> Iterator[Element]:
        self.walks += 1
        return iter(self._root.iter())


def test_what_faults_quote_of_a_document_is_found_in_one_walk_however_many_they_are() -> None:
    root = Walked(b"<a><b>Anna Muster</b><c d='Hauptstr. 7'/></a>")
    faults = [RuleFault("r", "fatal", f"'{text}' is none") for text in ("Anna Muster", "Hauptstr. 7", "x")] * 50
    breaths: list[None] = []
    told = with_values(cast("Element", root), faults, lambda: breaths.append(None))
    assert [fault.quoted for fault in told[:3]] == [("Anna Muster",), ("Hauptstr. 7",), ()]
    assert (root.walks, len(breaths)) == (1, 150)
    assert with_values(cast("Element", root), [], lambda: None) == []
