"""What the document is called that a message carries: its number, its date and its kind, as its standard has them."""

from __future__ import annotations

from collections.abc import Sequence

from hub.formats._edi_syntax import part
from hub.formats._segments import Segment

# X12: the segment that begins a document, and where its number and its date stand; 0: it has none.
_BEGINNINGS = {
    "BEG": (3, 5), "BAK": (3, 4), "BCH": (3, 6), "BCA": (3, 6), "BIG": (2, 1), "BSN": (2, 3), "BGN": (2, 3),
    "BIA": (3, 4), "BRA": (1, 2), "BCD": (2, 1), "BCT": (2, 0), "B1": (2, 3), "B10": (2, 0), "B2": (4, 0),
    "B3": (2, 6), "TRN": (2, 0), "W05": (2, 0), "W06": (2, 3), "W17": (3, 2), "W15": (2, 1),
}  # fmt: skip
# X12: the segment and the element that say which kind of its type a document is.
_KINDS = {
    "810": ("BIG", 7), "812": ("BCD", 5), "850": ("BEG", 2), "855": ("BAK", 2), "860": ("BCH", 2), "865": ("BCA", 2),
}  # fmt: skip
TYPES_WITH_KINDS = tuple(_KINDS)
_DEEPEST = 20  # segments from the top among which a document says what it is called


def title_of(segments: Sequence[Segment]) -> tuple[str, str]:
    """(number, date) of the document, texts as they stand there; '' what it does not say."""
    number = date = ""
    for segment in segments[:_DEEPEST]:
        tag = segment[0]
        if tag == "BGM" and not number:
            number = part(segment, 2)
        elif tag == "DTM" and part(segment, 1) == "137" and not date:
            date = part(segment, 1, 2)
        elif not number and (places := _BEGINNINGS.get(tag)):
            number, date = (part(segment, place) if place else "" for place in places)
    return number, date


def kind_of(type: str, segments: Sequence[Segment]) -> str:
    """The code of which kind of its type the document is, 381 of an INVOIC, CR of an 810; '' where it says none."""
    tag, place = _KINDS.get(type, ("BGM", 1))
    return next((part(segment, place) for segment in segments[:_DEEPEST] if segment[0] == tag), "")
