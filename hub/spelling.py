"""What a misspelt word was meant to be. Apart from the YAML reader, so that a codec is imported without one."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """The known word that a misspelt one was meant to be; '' where none is as near as ``cutoff``, 1 being the same."""
    import difflib  # for those who misspell

    return next(iter(difflib.get_close_matches(word, sorted(set(known)), n=1, cutoff=cutoff)), "")


def did_you_mean(word: str, known: Iterable[str], otherwise: str | None = None) -> str:
    """``; did you mean 'sftp'?`` or, where nothing is near, ``otherwise``; None: the known words, if any."""
    names = sorted(set(known))
    if near := nearest(word, names):
        return f"; did you mean '{near}'?"
    if otherwise is not None:
        return otherwise
    return f"; known: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}" if names else ""
