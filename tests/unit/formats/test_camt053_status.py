"""The status of an entry, where a bank says it wrongly or not at all."""

from __future__ import annotations

import pytest

from hub.formats import Record, camt053

TEXT = camt053.EXAMPLE[0].decode()
BOOKED = "<Sts><Cd>BOOK</Cd></Sts>"


def read(status: str) -> Record:
    (found,) = camt053.decode([TEXT.replace(BOOKED, status).encode()], {})
    assert isinstance(found, Record)
    return found


@pytest.mark.parametrize("status", ["<Sts/>", "<Sts><Cd> </Cd></Sts>", "<Sts><Prtry/></Sts>"])
def test_an_entry_with_an_empty_status_is_booked_and_told(status: str) -> None:
    found = read(status)
    assert [fault.full_code for fault in found.faults] == ["statement_missing"]
    assert found.value["entries"][0]["status"] == "BOOK"


def test_a_status_behind_an_element_of_nobody_is_read() -> None:
    assert read("<Sts><Other/><Cd>BOOK</Cd></Sts>").value["entries"][0]["status"] == "BOOK"
