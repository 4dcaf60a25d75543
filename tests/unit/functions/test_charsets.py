"""Text brought into sets of characters, also where an accent is a character of its own."""

from __future__ import annotations

import unicodedata

import pytest

from hub.functions import functions

NAME = unicodedata.normalize("NFD", "Müller, René; Łódź")


@pytest.mark.parametrize(
    ("text", "charset", "expected"),
    [
        (NAME, "ASCII", "Muller, Rene; Lodz"),
        (NAME, "SEPA", "Muller, Rene, Lodz"),
        ("Mu\u0308ller Rene\u0301", "UNOC", "Müller René"),
        ("Mu\u0308ller", "UNOA", "MULLER"),
        ("q\u0308 x\u0301\u0323", "UNOC", "q x"),
        ("\u0301", "ASCII", ""),
        ("日\u0301", "ASCII", "."),
    ],
)
def test_an_accent_of_its_own_is_one_of_its_letter(text: str, charset: str, expected: str) -> None:
    found = functions()["transliterate"].call(text, charset)
    assert found == expected
    assert functions()["fits_charset"].call(found, charset) is True
