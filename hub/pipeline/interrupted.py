"""Where the hub goes on in a large receipt in which it was interrupted; the files in force may read it otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from hub.errors import DecodeError
from hub.pipeline.decode import Decoded
from hub.pipeline.interchanges import Found


def records_left(records: Iterator[Decoded], skip: int, after: str) -> Iterator[Decoded]:
    """The records from position ``skip`` on, the one before being called ``after``. Raises DecodeError where it is not
    any more."""
    for decoded in records:
        if decoded.position == skip - 1 and after not in ("", decoded.place):
            raise _otherwise(after)
        if decoded.position >= skip:
            yield decoded


def position_left(found: Iterator[Found], skip: int, after: str) -> int:
    """From which position on messages of interchanges are left, of which all before ``skip`` were stored, the last one
    called ``after``: behind it, and all its parts, wherever it stands by now. Raises DecodeError where it stands
    nowhere, as where it was a part of a message that is parted otherwise now, or in several places."""
    exact, below, wholes = set[int](), set[int](), set[int]()
    for each in found:
        if each.decoded.place == after:
            exact.add(each.decoded.position + 1)
        if each.decoded.place == after or each.decoded.place.startswith(f"{after}, "):
            below.add(each.decoded.position + 1)
            wholes.add(each.whole + 1)
    if ", " not in after:  # an interchange, of which nothing else was stored
        left = wholes
    else:
        left = exact or set(sorted(below)[-1:])
    if skip in left or not after:
        return skip
    if len(left) != 1:
        raise _otherwise(after)
    return left.pop()


def _otherwise(after: str) -> DecodeError:
    detail = (
        f"the hub was interrupted behind {after}, and the files in force read these bytes otherwise than those before"
    )
    hint = "have the sender send what is missing; what was taken in went on"
    return DecodeError(detail, code="interrupted", hint=hint)
