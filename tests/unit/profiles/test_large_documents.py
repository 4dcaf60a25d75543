"""Documents that are too large to be held as a whole against a schema: the same faults, at the same places."""

from __future__ import annotations

import random
import re
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace

import pytest
from lxml import etree
from xml_documents import INVOICE

from hub.errors import DecodeError
from hub.formats import camt053
from hub.formats._xml import Limits, parse
from hub.formats._xml_stream import grown
from hub.profiles import judge, xsd
from hub.profiles.faults import RuleFault, with_columns
from hub.profiles.judge import Judge
from hub.profiles.parts import Parts
from hub.project import reference_files

JUDGE = Judge(reference_files())
SCHEMA = etree.XMLSchema(
    etree.fromstring(b"""
<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:c" xmlns="urn:c"
           elementFormDefault="qualified">
  <xs:element name="D"><xs:complexType><xs:sequence>
    <xs:element name="H" type="xs:int"/>
    <xs:element name="G" maxOccurs="unbounded"><xs:complexType><xs:sequence>
      <xs:element name="N" type="xs:int"/>
      <xs:element name="E" minOccurs="0" maxOccurs="unbounded"><xs:complexType><xs:sequence>
        <xs:element name="A" type="xs:decimal"/><xs:element name="B" type="xs:date" maxOccurs="unbounded"/>
      </xs:sequence></xs:complexType></xs:element>
      <xs:element name="T" type="xs:int"/>
    </xs:sequence></xs:complexType></xs:element>
    <xs:element name="S" type="xs:int"/>
  </xs:sequence></xs:complexType></xs:element>
</xs:schema>""")
)
GOOD = "<E><A>1.0</A><B>2026-01-01</B></E>\n"
WRONG = ("<E><A>1,0</A><B>x</B></E>\n", "<E><A>1</A></E>\n", "<E a='1'><A>1</A><B>2026-01-01</B><B>y</B></E>\n")


def group(*entries: str, number: str = "1", total: str = "<T>2</T>") -> str:
    return f"<G><N>{number}</N>\n{''.join(entries)}{total}</G>\n"


def document(*groups: str, head: str = "1", end: str = "<S>2</S>") -> bytes:
    return f'<D xmlns="urn:c"><H>{head}</H>\n{"".join(groups)}{end}</D>'.encode()


def by_parts(raw: bytes, after: int, most: int = 1000, size: int = 1_000_000) -> tuple[list[RuleFault], int]:
    parts = Parts(SCHEMA, most, "s", size)
    for root, count, is_whole in grown([raw[start : start + 40] for start in range(0, len(raw), 40)], after):
        parts.judge(root, count, is_whole)
    return with_columns(raw, parts.found), parts.total


def as_a_whole(raw: bytes) -> list[RuleFault]:
    return with_columns(raw, xsd.faults_of(SCHEMA, parse(raw), 1000, 0, "s")[0])


def in_order(faults: list[RuleFault]) -> list[RuleFault]:
    """Without the number of the first of several, which is not known to be that before the second has come."""
    plain = [replace(fault, xpath=fault.xpath.replace("[1]", "")) for fault in faults]
    return sorted(plain, key=lambda fault: (fault.line, fault.column, fault.message))


def documents() -> Iterator[bytes]:
    chance = random.Random(7)
    yield document(group())
    yield document(group(*[GOOD] * 300, number="x"), group(total=""), head="x", end="")
    yield document(*[group(GOOD, number="x" if number % 9 == 0 else "1") for number in range(60)], end="<S>z</S><S/>")
    yield document(group(*[GOOD] * 50, "<E><A>1</A>" + "<B>2026-01-01</B>" * 200 + "<B>z</B></E>", *[GOOD] * 50))
    yield document(group(*[GOOD] * 50, "stray", *[GOOD] * 50), group(*[GOOD] * 9))
    yield document(group(*[GOOD] * 50), end="<S>1</S><S>2</S>")
    yield document(group(*[GOOD] * 50), end="<S>1</S>" + "<Z>2</Z>" * 90)
    yield document(group(*[GOOD] * 50, "<Z/>", *[GOOD] * 50), group(*[GOOD] * 9, WRONG[0]))
    for _ in range(20):
        yield document(*[
            group(*[chance.choice((GOOD, GOOD, GOOD, *WRONG)) for _ in range(chance.randrange(40))])
            for _ in range(chance.randrange(1, 9))
        ])  # fmt: skip


@pytest.mark.parametrize("raw", list(documents()))
def test_parts_find_what_the_whole_finds(raw: bytes) -> None:
    wanted = in_order(as_a_whole(raw))
    for after in (1, 100, 1000, 10_000_000):
        found, total = by_parts(raw, after)
        assert (in_order(found), total) == (wanted, len(wanted))


def test_of_a_storm_the_first_are_told_and_all_are_counted() -> None:
    raw = document(group(*[WRONG[0]] * 3000))
    found, total = by_parts(raw, 1000, most=10)
    assert ([fault.xpath for fault in found[-2:]], total) == (["/D/G/E[5]/A", "/D/G/E[5]/B"], 6000)


def test_what_is_no_row_of_equal_elements_has_an_end() -> None:
    raw = document("<G><N>1</N>" + "<E/><Z/>" * 1000)
    with pytest.raises(DecodeError, match="more than 1,000 bytes of it are no row of equal elements"):
        by_parts(raw, 100, size=1000)


@pytest.mark.parametrize(
    ("begin", "end", "told"),
    [
        (b"<!DOCTYPE D [<!ENTITY e 'x'>]>", b"", "document type"), (b"", b"<E>", "not well formed"),
        (b"", b"&e;", "not well formed"), (b"", b"<E" + b" x='1'" * 300 + b"/>", "not well formed"),
        (b"", b"<E " + b" ".join(b"x%d='1'" % n for n in range(300)) + b"/>", "300 attributes of one element"),
        (b"", b"<E>" * 220 + b"</E>" * 220, "more than 200 elements in each other"),
    ],
)  # fmt: skip
def test_the_door_is_the_same(begin: bytes, end: bytes, told: str) -> None:
    raw = begin + document(group(*[GOOD] * 100)).replace(b"<S>", end + b"<S>")
    with pytest.raises(DecodeError, match=told):
        by_parts(raw, 1000)


def statement(count: int, *, wrong_from: int) -> Iterator[bytes]:
    begin, entry, end = re.split(b"(<Ntry>.*</Ntry>)", camt053.EXAMPLE[0])
    yield begin
    for number in range(count):
        yield b"\n" + entry.replace(b"269.33</Amt>", b"269,33</Amt>") if number >= wrong_from else b"\n" + entry
    yield end


class Chunks:
    def __init__(self, count: int, wrong_from: int) -> None:
        self.count, self.wrong_from = count, wrong_from

    def __iter__(self) -> Iterator[bytes]:
        return statement(self.count, wrong_from=self.wrong_from)


def test_a_large_statement_is_judged_in_the_memory_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Limits(size=100_000)
    monkeypatch.setattr(judge, "LIMITS", small)
    chunks = Chunks(5000, wrong_from=4998)
    raw = b"".join(chunks)
    tracemalloc.start()
    verdict = JUDGE.verdict("camt.053", chunks)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < len(raw) / 2
    assert verdict == JUDGE.verdict("camt.053", raw)
    assert (verdict.total, verdict.judged_by) == (4, ("camt.053.001.08.xsd (camt053 0.0.23)",))
    assert [(fault.line, fault.xpath) for fault in verdict.faults][:2] == [
        (5001, "/Document/BkToCstmrStmt/Stmt/Ntry[4999]/Amt"),
        (5001, "/Document/BkToCstmrStmt/Stmt/Ntry[4999]/NtryDtls/TxDtls/Amt"),
    ]  # fmt: skip
    assert JUDGE.verdict("camt.053", Chunks(5000, wrong_from=5000)).is_valid


def test_behind_ten_thousand_faults_a_large_document_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "LIMITS", Limits(size=1_000_000))
    verdict = JUDGE.verdict("camt.053", Chunks(20_000, wrong_from=0))
    assert verdict.is_cut and 10_000 <= verdict.total < 12_000 and len(verdict.faults) == 100


def test_rules_judge_no_document_that_is_not_held_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "LIMITS", Limits(size=1000))
    [fault] = JUDGE.verdict("en16931", INVOICE).faults
    assert fault.message == "more than 1,000 bytes of XML; more are judged by schemas alone, not by rules"
    assert JUDGE.verdict("ubl-invoice", INVOICE).is_valid
