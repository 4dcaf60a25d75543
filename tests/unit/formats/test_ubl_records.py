"""UBL in parts: each element of a list is a document of its own, with all that stands around it."""

from __future__ import annotations

from hub.formats import Place, Record, ubl
from tests.unit.formats.ubl_texts import envelope

CATALOGUE = envelope("Catalogue", "<cbc:ID>C</cbc:ID>" + "".join(
    f"\n<cac:CatalogueLine><cbc:ID>{n}</cbc:ID><cbc:OrderableIndicator>{truth}</cbc:OrderableIndicator>"
    "</cac:CatalogueLine>" for n, truth in enumerate(("true", "maybe", "1"), 1)
))  # fmt: skip
EACH = {"records": "CatalogueLine", "faulty": "pass"}


def test_each_element_of_a_list_is_a_document_with_all_that_is_around_it() -> None:
    [whole] = [each for each in ubl.decode([CATALOGUE], {"faulty": "pass"}) if isinstance(each, Record)]
    records = [each for each in ubl.decode([CATALOGUE], EACH) if isinstance(each, Record)]
    lines = whole.value["CatalogueLine"]
    assert [(each.value, each.position, each.index) for each in records] == [
        ({**whole.value, "CatalogueLine": [line]}, f"CatalogueLine {number}", number - 1)
        for number, line in enumerate(lines, 1)
    ]
    assert [each.faults for each in records] == [whole.faults, (), ()] and whole.faults
    assert list(ubl.typed("Catalogue", "ubl/2.1/Catalogue").decode([CATALOGUE], EACH)) == records


def test_a_document_without_such_a_list_is_one() -> None:
    bare = envelope("Catalogue", "<cbc:ID>C</cbc:ID>")
    assert [each.position for each in ubl.decode([bare], EACH)] == [""]
    assert [each.position for each in ubl.decode([CATALOGUE], {**EACH, "records": "ID"})] == [""]


def test_the_place_of_a_value_in_a_part_is_that_in_the_file() -> None:
    for index in range(3):
        place = ubl.places(CATALOGUE, EACH, index)(["CatalogueLine", 0, "ID", "value"])
        assert isinstance(place, Place) and CATALOGUE[place.offset :].startswith(b"<cbc:ID>%d" % (index + 1))
    top = ubl.places(CATALOGUE, EACH, 2)(["ID"])
    assert isinstance(top, Place) and CATALOGUE[top.offset :].startswith(b"<cbc:ID>C")
