"""Where the parts of a document stand in the XML it was read from, as near as the list elements that it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from hub.formats import Place, Places, Step
from hub.formats._iso_values import local
from hub.formats._xml import Element, path_of
from hub.formats._xml_places import place_of


def places_below(raw: bytes, top: Element, tags: Mapping[str, frozenset[str]], first: int = 0) -> Places:
    """The places of a document whose element is ``top``. ``tags``: the elements that the lists are made of, by their
    fields; ``first``: how many of the outermost stand before those of the document."""

    def place(steps: Sequence[Step]) -> Place | None:
        here, skipped = top, first
        for name, number in pairwise(steps):
            if isinstance(name, str) and isinstance(number, int) and name in tags:
                found = [each for each in here.iter() if local(each) in tags[name]]
                if not 0 <= number + skipped < len(found):
                    return None
                here, skipped = found[number + skipped], 0
        return place_of([raw], path_of(here))

    return place
