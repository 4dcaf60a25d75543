"""What a replay takes of a receipt: what it is of, wherever that stands by now, and nothing else.

Positions depend on how the bytes are read, as on how messages before are parted (``records:``), which the set in force
may do in another way; the place of a message, ``interchange 101, message 2, LIN_group 3``, does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from hub.errors import DecodeError
from hub.formats._edi_envelopes import Interchange
from hub.message import Receipt
from hub.pipeline.decode import Decoded
from hub.pipeline.interchanges import Found, place_of, place_of_message
from hub.pipeline.partners import Partners
from hub.pipeline.verdicts import read


def record_replayed(records: Iterator[Decoded], receipt: Receipt) -> Iterator[Decoded]:
    """All records of a receipt, or the one that it is a replay of. Raises DecodeError where that one is not there."""
    return records if receipt.origin_position < 0 else _record(records, receipt)


def messages_replayed(
    found: Iterator[Found], receipt: Receipt, partners: Partners, chunks: Iterable[bytes]
) -> Iterator[Found]:
    """What of all that was found is replayed: everything of a receipt, an interchange, a message, a part of one. Raises
    DecodeError where none of it is there any more, or several have the same place and none of them its old position."""
    return found if receipt.origin_position < 0 else _messages(found, receipt, partners, chunks)


def _record(records: Iterator[Decoded], receipt: Receipt) -> Iterator[Decoded]:
    place, position = receipt.origin_place, receipt.origin_position
    for decoded in records:
        if decoded.position == position and (place in ("", decoded.place) or not decoded.place):
            yield decoded
            return
    raise _missing(place or f"record {position + 1}", 0)


def _messages(found: Iterator[Found], receipt: Receipt, partners: Partners, chunks: Iterable[bytes]) -> Iterator[Found]:
    place, is_there = receipt.origin_place, False
    count = sum(_named(interchange, place) for interchange in read(partners, chunks))
    for each in found:
        if count == 1 and _is_refused(each) and place.startswith(f"{each.decoded.place}, "):
            is_there = True
            yield replace(each, decoded=replace(each.decoded, place=place))  # dead in its own place
        elif _is_in(each, place) if count == 1 else _is_at(each, place, receipt.origin_position):
            is_there = True
            yield each
    if not is_there:
        raise _missing(place or f"message {receipt.origin_position + 1}", count)


def _named(interchange: Interchange, place: str) -> int:
    """How many there are in an interchange that a place may be: itself, messages of it."""
    messages = (place_of_message(message) for message in interchange.messages())
    of_messages = sum(place == message or place.startswith(f"{message}, ") for message in messages)
    return of_messages + (place == place_of(interchange))


def _is_in(found: Found, place: str) -> bool:
    """Whether it is what has this place, or a part of that."""
    return found.decoded.place == place or found.decoded.place.startswith(f"{place}, ")


def _is_at(found: Found, place: str, position: int) -> bool:
    """Whether it is what stood at a position, an interchange with all its messages, and has the same place."""
    if ", " not in place and found.whole == position:
        return not place or _is_in(found, place)
    return found.decoded.position == position and place in ("", found.decoded.place)


def _is_refused(found: Found) -> bool:
    """Whether nothing of an interchange, or of a message, is taken in."""
    is_envelope = found.came is not None and found.decoded.position == found.whole
    return found.fault is not None and not is_envelope


def _missing(place: str, count: int) -> DecodeError:
    detail = f"{place} is nowhere in these bytes as they are read now"
    if count > 1:
        detail = f"{place} is {count} times in these bytes, and none of them stands where it stood"
    hint = (
        "put the files in force that read it as it was (partner, grammar, records:) and replay this, or "
        "`o2c resolve` it"
    )
    return DecodeError(detail, code="no_such_message", hint=hint)
