"""Durations, sizes and rates as people write them in the configuration, and back.

``10s 15m 24h 7d`` are seconds, ``10MB`` is bytes (1 MB = 1,000,000 bytes), ``20/s 600/m 1000/h`` is a number a second.
"""

from __future__ import annotations

import re
from decimal import Decimal

_SECONDS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60), "h": Decimal(3600), "d": Decimal(86400)}
_BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_PER_SECONDS = {"s": 1, "m": 60, "h": 3600}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,3})?)(ms|s|m|h|d)", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,9})(B|KB|MB|GB)", re.ASCII)
_SHARE = re.compile(r"([0-9]{1,3})%", re.ASCII)
_RATE = re.compile(r"([1-9][0-9]{0,8})/(s|m|h)", re.ASCII)

DURATION_PATTERN, SIZE_PATTERN, RATE_PATTERN, SHARE_PATTERN = (
    f"^{part.pattern}$" for part in (_DURATION, _SIZE, _RATE, _SHARE)
)


def seconds_of(text: str) -> float | None:
    """Seconds of a duration such as ``15m`` or ``1.5s``; None when it is none."""
    match = _DURATION.fullmatch(text)
    return float(Decimal(match[1]) * _SECONDS[match[2]]) if match else None


def bytes_of(text: str) -> int | None:
    """Bytes of a size such as ``10MB``; None when it is none."""
    match = _SIZE.fullmatch(text)
    return int(match[1]) * _BYTES[match[2]] if match else None


def rate_of(text: str) -> float | None:
    """How many a second of a rate such as ``20/s``; None when it is none."""
    match = _RATE.fullmatch(text)
    return int(match[1]) / _PER_SECONDS[match[2]] if match else None


def share_of(text: str) -> float | None:
    """The part of one that a share such as ``20%`` is; None when it is none."""
    match = _SHARE.fullmatch(text)
    return int(match[1]) / 100 if match and int(match[1]) <= 100 else None


def share_text(share: float) -> str:
    """``0.2`` is ``20%``."""
    return f"{share * 100:g}%"


def duration_text(seconds: float) -> str:
    """The shortest way to write a duration: ``90`` is ``1m30s``, ``0.25`` is ``250ms``."""
    milliseconds = round(seconds * 1000)
    if milliseconds < 1000:
        return f"{milliseconds}ms" if milliseconds else "0s"
    rest, parts = milliseconds / 1000, []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{int(count)}{unit}")
    if rest:
        parts.append(f"{rest:g}s")
    return "".join(parts)


def size_text(size: int) -> str:
    """The shortest exact way to write a size: ``10000000`` is ``10MB``."""
    for unit in ("GB", "MB", "KB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return f"{size}B"
