"""What the store refuses to hold: trying again changes nothing, so that it must not keep what comes behind it."""

from __future__ import annotations

from hub.errors import StoreError, StoreRefused, quoted_in
from hub.outcome import Failure

_LONGEST = 500  # characters of what the store says


def is_refusal(error: Exception) -> bool:
    """Whether it is what was to be stored that failed, or a mistake of ours, and not the store that is away or full."""
    return isinstance(error, StoreRefused) or not isinstance(error, StoreError)


def refusal(error: Exception) -> Failure:
    """Why a receipt is dead of which the store refuses what became of it."""
    said = str(error) if isinstance(error, StoreRefused) else f"the store refused this: {type(error).__name__}: {error}"
    hint = (
        "mostly a number or a text is far too large: have it corrected, and resolve this when it has come again; else "
        "report what the detail says, and replay this with the hub that bears it"
    )
    quoted = quoted_in(said[:_LONGEST]) if isinstance(error, StoreRefused) else (str(error),)
    return Failure("internal", "store_refused", said[:_LONGEST], hint=hint, quoted=quoted)
