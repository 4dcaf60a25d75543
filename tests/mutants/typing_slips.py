"""What fingers do to a word: the ways in which any name, code or key is mistyped."""

from __future__ import annotations

from random import Random


def mistyped(word: str, rng: Random) -> str:
    """The word with two neighbouring letters exchanged, one left out, doubled, or in the other case."""
    slips = [_exchanged, _left_out, _doubled, _other_case]
    for _ in range(20):
        found = rng.choice(slips)(word, rng)
        if found and found != word:
            return found
    return word + word[-1]


def _exchanged(word: str, rng: Random) -> str:
    at = rng.randrange(max(len(word) - 1, 1))
    return word[:at] + word[at + 1 : at + 2] + word[at] + word[at + 2 :]


def _left_out(word: str, rng: Random) -> str:
    at = rng.randrange(len(word))
    return word[:at] + word[at + 1 :]


def _doubled(word: str, rng: Random) -> str:
    at = rng.randrange(len(word))
    return word[:at] + word[at] + word[at:]


def _other_case(word: str, rng: Random) -> str:
    at = rng.choice([0, rng.randrange(len(word))])
    return word[:at] + word[at].swapcase() + word[at + 1 :]
