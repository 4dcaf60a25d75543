"""JSON that others have written, with exact decimals."""

from __future__ import annotations

from decimal import Decimal

import msgspec


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:  # the decoder makes of a ValueError what it says of any other fault
        raise ValueError("a number with an exponent that is out of range") from None


# Raises msgspec.DecodeError, also for a number that no decimal can hold; UnicodeDecodeError, RecursionError.
decode = msgspec.json.Decoder(float_hook=_decimal).decode
