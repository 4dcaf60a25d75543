"""Entries read by a plan: the same as by the tables, to the order of the fields, the findings and the faults."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.xml_bank_samples import statement
from hub.formats import BadRecord, Record, _camt_reading, camt053
from hub.formats._camt_plans import planned
from hub.formats._statements import StatementError

GOLDEN = sorted((Path(__file__).parents[2] / "golden" / "camt053").glob("*.in"))
TEXT = camt053.EXAMPLE[0].decode()
ENTRY = re.search("<Ntry>.*</Ntry>", TEXT)[0]  # type: ignore[index]
LEAF = re.compile(r"(?<=>)[^<>]+(?=</)")
STRANGE = (
    "", " ", "NOTPROVIDED", "NOT PROVIDED", "0", "-0", "-1.00", "+1.00", "1,00", ".5", "1e3", "12345678901234567890",
    "BOOK", "pdng", "CRDT", "dbit", "2026-02-30", "0000-01-01", "2026-03-09T10:00:00Z", "2026-03-09Z", "true", "TRUE",
    "1", "de02 1203 0000 0000 2020 51", "a &amp; b &lt;c&gt; &amp;amp;", "\t x \n", "&#13;x&#13;", "x<!-- y -->y",
    "x<Cd>y</Cd>", "<![CDATA[<&>]]>", "\u00a0x", "\U0001f600",
)  # fmt: skip


def both(raw: bytes) -> tuple[Any, Any, int]:
    """What is read with plans and without them, and how many entries had one."""
    used: list[bool] = []

    def counted(element: Any) -> Any:
        found = planned(element)
        used.append(found is not None)
        return found

    with mock.patch.object(_camt_reading, "planned", counted):
        by_plans = told(raw)
    with mock.patch.object(_camt_reading, "planned", lambda element: None):
        by_tables = told(raw)
    return by_plans, by_tables, sum(used)


def told(raw: bytes) -> list[Any]:
    return [_told(record) for record in camt053.decode([raw], {})]


def _told(record: Record | BadRecord) -> Any:
    if isinstance(record, Record):
        return _ordered(record.value), record.position, list(record.faults)
    assert isinstance(record.error, StatementError)
    return record.error.faults


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return [(name, _ordered(inner)) for name, inner in value.items()]
    return [_ordered(each) for each in value] if isinstance(value, list) else (type(value), str(value))


def repeated(raw: str, entries: Sequence[str]) -> bytes:
    """The file with these entries in the place of its first, and no others."""
    first, last = raw.index("<Ntry"), raw.rindex("</Ntry>") + len("</Ntry>")
    return (raw[:first] + "".join(entries) + raw[last:]).encode()


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_a_file_is_read_the_same(path: Path) -> None:
    raw = path.read_text()
    entries = re.findall(r"<Ntry>.*?</Ntry>", raw, re.DOTALL)
    by_plans, by_tables, _ = both(repeated(raw, entries * 3))
    assert by_plans == by_tables


def test_entries_of_one_shape_have_one_plan_but_the_first() -> None:
    by_plans, by_tables, used = both(b"".join(statement(50)))
    assert by_plans == by_tables
    assert used == 49


def test_entries_with_a_card_have_a_plan_whose_number_ends_as_it_should() -> None:
    card = (
        "<CardTx><Card><PlainCardData><PAN>XXXX1234</PAN></PlainCardData></Card>"
        "<Tx><Indv><SaleRefNb>S-1</SaleRefNb></Indv></Tx></CardTx>"
    )
    entry = ENTRY.replace("</TxDtls>", f"{card}</TxDtls>")
    by_plans, by_tables, used = both(repeated(TEXT, [entry, entry.replace("CRDT", "DBIT"), entry]))
    assert (by_plans == by_tables, used) == (True, 2)
    assert "('last_digits', (<class 'str'>, '1234'))" in str(by_plans)
    masked = both(repeated(TEXT, [entry, entry.replace("1234", "****")]))
    assert (masked[0] == masked[1], masked[2]) == (True, 0)


def test_entries_with_a_prefix_and_spaces_between_have_a_plan() -> None:
    spaced = re.sub(r">(?=<)", ">\n  ", "".join(part.decode() for part in statement(3)))
    spaced = re.sub(r"<(/?)(?=[A-Z])", r"<\1ns2:", spaced).replace("xmlns=", "xmlns:ns2=")
    by_plans, by_tables, used = both(spaced.encode())
    assert by_plans == by_tables
    assert used == 2


@pytest.mark.parametrize("text", [">x<Cd>PMNT</Cd></Cd>", "><Cd>PMNT</Cd></Cd>"])
def test_a_code_with_an_element_within_is_told_the_same(text: str) -> None:
    by_plans, by_tables, _ = both(repeated(TEXT, [ENTRY.replace(">PMNT</Cd>", text)] * 3))
    assert by_plans == by_tables
    assert ("has an element within its text" in str(by_tables)) == ("x" in text)


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_stands_in_an_entry_is_read_and_told_the_same(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from([TEXT, *(path.read_text() for path in GOLDEN)]))
    entry = data.draw(st.sampled_from(re.findall(r"<Ntry>.*?</Ntry>", raw, re.DOTALL)))
    leaves = list(LEAF.finditer(entry))
    leaf = data.draw(st.sampled_from(leaves))
    strange = entry[: leaf.start()] + data.draw(st.sampled_from(STRANGE)) + entry[leaf.end() :]
    if data.draw(st.booleans()):
        tag = data.draw(st.sampled_from(re.findall(r"<\w[^>]*>[^<>]+</\w+>", entry)))
        strange = strange.replace(
            tag, data.draw(st.sampled_from(["", tag * 2, f"<Other/>{tag}", f"<Other>{tag}</Other>"]))
        )
    by_plans, by_tables, _ = both(repeated(raw, [entry, entry, strange, strange, entry]))
    assert by_plans == by_tables
