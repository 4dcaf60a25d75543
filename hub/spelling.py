"""What a misspelt word was meant to be. Apart from the YAML reader, so that a codec is imported without one."""

from __future__ import annotations

from collections.abc import Iterable


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``; did you mean 'sftp'?`` or, where nothing is near, the known words; empty when there are none."""
    import difflib  # for those who misspell

    names = sorted(set(known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; known: {', '.join(names[:12])}{' …' if len(names) > 12 else ''}" if names else ""
