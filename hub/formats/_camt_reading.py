"""Statements out of camt.052, camt.053 and camt.054, whatever the version, each proved before any of it is given out.

Entries are decoded as they come and held packed, a page at a time, until the end of their statement has shown that it
adds up; a page takes a tenth of its XML. So a file is read once, also one that cannot be read again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Several
from itertools import takewhile

import msgspec

from hub.errors import DecodeError
from hub.formats._camt_entries import finish_entry, finish_head, finish_transaction, turn
from hub.formats._camt_kinds import VERSIONS
from hub.formats._camt_planned import Make
from hub.formats._camt_plans import Plan, planned, planned_again
from hub.formats._camt_shortcut import without_known
from hub.formats._camt_tables import ENTRY, HEADER, MESSAGES, Message
from hub.formats._iso_tables import compiled, fill
from hub.formats._iso_values import Into, children, local
from hub.formats._packed import Pages
from hub.formats._statements import Finding, Findings, Sequence, Sums
from hub.formats._xml import Element
from hub.formats._xml_stream import Stream

_NAMES = ("{*}Ntry", "{*}GrpHdr", "{*}Rpt", "{*}Stmt", "{*}Ntfctn")
_MOST_SHAPES = 200
_REFERENCE = re.compile(b"&(?:amp|lt|gt);")
_CUT = "\x1f"  # between the texts of an entry; no text of XML has it
_NAMESPACE = re.compile(r"(camt\.05[234])\.(\d{3})\.(\d\d)")
_ROOTS = {message.root: message for message in MESSAGES.values()}
_TAGS = {message.tag: message for message in MESSAGES.values()}


class Held(msgspec.Struct, frozen=True):
    """A statement that was read to its end: what stands around its entries, what is wrong, and its entries in pages,
    each of which is given once."""

    head: Into
    position: str
    findings: list[Finding]
    pages: Iterable[Several[Into]]


def read_statements(chunks: Iterable[bytes], page: int, turns: bool = False) -> Iterator[Held]:
    """Every statement when it is complete. ``page``: the most entries of a page; ``turns``: whether reversals have the
    direction of what they take back. Raises DecodeError where the whole is no such message, or breaks off."""
    header: Into = {}
    statement: _Statement | None = None
    count = 0
    stream, sequence = Stream(without_known(chunks, lambda: statement), _NAMES), Sequence()
    for element in stream.elements():
        if statement is not None and statement.takes(element):
            continue
        name = local(element)
        if name == "Ntry":
            parent = element.getparent()
            if statement is None and parent is not None and local(parent) in _TAGS:
                statement = _Statement(parent, _message(parent), stream, page, header, turns)
            if statement is None:
                within = local(parent) or "nothing"
                detail = f"an entry stands in {within}, outside of any statement"
                raise DecodeError(detail, code="no_statement", position=f"line {element.sourceline}")
            if parent is statement.element:
                statement.add(element)
        elif name == "GrpHdr":
            header = _header(element, stream)
        elif statement is None or element is statement.element:
            ended = statement or _Statement(element, _message(element), stream, page, header, turns)
            statement, count = None, count + 1
            yield ended.end(sequence)
    if not count:
        raise _no_statement(stream.root)


def _header(element: Element, stream: Stream) -> Into:
    found: Into = {}
    fill(compiled(HEADER, _namespace(element)), element, found, _Told(stream, {}))
    return found


def _message(element: Element) -> Message:
    message, parent = _TAGS[local(element)], element.getparent()
    above = _ROOTS.get(local(parent)) if parent is not None else None
    if above is not None and above is not message:
        detail = f"{message.tag} stands in {above.root}, which has {above.tag}"
        raise DecodeError(detail, code="no_statement", position=f"line {element.sourceline}")
    return message


def _no_statement(root: Element | None) -> DecodeError:
    assert root is not None, "a document without an element is refused before"
    inside = next((local(child) for child in root), "")
    expected = ", ".join(f"{message.root} ({message.name})" for message in MESSAGES.values())
    if inside in _ROOTS:
        detail = f"no statement is in it: {inside} has no {_ROOTS[inside].tag}"
        return DecodeError(detail, code="no_statement", position=f"line {root.sourceline}")
    what = f"its root is {local(root)[:40]}" + (f" with {inside[:40]}" if inside else "")
    return DecodeError(
        f"no bank statement of ISO 20022 is in it: {what}", code="no_statement", position=f"line {root.sourceline}",
        value_excerpt=_namespace(root)[:80], expected=f"Document with one of {expected}",
    )  # fmt: skip


def _namespace(element: Element) -> str:
    return element.tag[1:].partition("}")[0] if element.tag[0] == "{" else ""


class _Told:
    """Takes faults down with line and XPath."""

    def __init__(self, stream: Stream, head: Into) -> None:
        self._stream, self._head = stream, head
        self.findings = Findings()
        self.errors = 0

    def path_of(self, element: Element) -> str:
        """The XPath of an element in the file."""
        return self._stream.path_of(element)

    @property
    def currency(self) -> str:
        """That of the account."""
        found: str = self._head.get("account", {}).get("currency", "")
        return found

    def __call__(
        self, at: Element, code: str, message: str, *, seen: str = "", expected: str = "", severity: str = "warning"
    ) -> None:
        self.errors += severity == "error"
        if self.findings.has_room(severity):
            path = self._stream.path_of(at)
            self.findings.add(Finding(code, message, f"line {at.sourceline}", severity, seen, expected, path))
        else:
            self.findings.more += 1


class _Statement:
    """One statement while it is read."""

    def __init__(
        self, element: Element, message: Message, stream: Stream, page: int, header: Into, turns: bool
    ) -> None:  # fmt: skip
        namespace = _namespace(element)
        self.element, self._message, self._turns, self._stream = element, message, turns, stream
        self._position = f"line {element.sourceline}"
        self._head: Into = {"report_type": message.report_type}
        self.tell = _Told(stream, self._head)
        self._head["format"] = _format(namespace, message, element, self.tell)
        self._head.update(header)
        self._entry_tag = f"{{{namespace}}}Ntry" if namespace else "Ntry"
        self._readers = compiled(message.table, namespace)
        self._entry_readers = compiled(ENTRY, namespace)
        self._pages, self.count = Pages(page), 0
        self._plans: dict[Plan, int] = {}
        self._shapes: dict[str, Plan] = {}
        self.name = b""  # of the tag of entries; empty where they have to be read as XML
        self._last: Element | None = None
        before = takewhile(lambda child: child.tag != self._entry_tag, element)
        fill(self._readers, before, self._head, self.tell)
        self._sums = Sums(self.tell.currency)

    def add(self, element: Element) -> None:
        """Take in an entry."""
        if self.count and (before := element.getprevious()) is not None and before.tag != self._entry_tag:
            self._read_behind(takewhile(lambda child: child is not element, self.element))
        self.count, self._last = self.count + 1, element
        entry: Into = {"number": self.count}
        errors = self.tell.errors
        if element.tag != self._entry_tag:
            self.tell(element, "namespace", "Ntry is of another namespace than its statement", severity="error")
        fill(self._entry_readers, children(element), entry, self.tell)
        finish_entry(entry, element, self._message, self.tell)
        if self._turns and entry.get("reversal_indicator"):
            turn(entry)
        if self.tell.errors == errors:
            known = len(self._sums.findings)
            self._sums.add(entry)
            if len(self._sums.findings) > known:
                self._sums.findings.placed(known, f"line {element.sourceline}", self.tell.path_of(element))
            self._pages.add(entry)

    def takes(self, element: Element) -> bool:
        """Take in an entry that follows another, is right, and says nothing twice; False for all else."""
        if self._last is None or element.getprevious() is not self._last or element.tag != self._entry_tag:
            return False
        if (found := planned(element)) is None:
            return False
        plan, texts, shape = found
        if not self._counts(plan, texts):
            return False
        self._last = element
        if len(self._shapes) < _MOST_SHAPES:
            self._shapes[shape] = plan
            self.name = shape.partition("<")[0].encode()
        return True

    def takes_bytes(self, raw: bytes) -> bool:
        """Take in an entry that follows another as it stands in the file, all of its characters such as XML has; False
        where it has to be read as XML."""
        if b"&" in raw and raw.count(b"&") != len(_REFERENCE.findall(raw)):
            return False
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            return False
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        if (found := planned_again(text, self._shapes)) is None or not self._counts(*found):
            return False
        self._stream.pass_over(self.element, self._entry_tag)
        return True

    def _counts(self, plan: Plan, texts: list[str]) -> bool:
        """Take in the entry of a plan, where it is plain and agrees with what came before."""
        even = plan.even(texts)
        if even is None or not self._sums.count(plan.currency, *even):
            return False
        self.count += 1
        number = self._plans.setdefault(plan, len(self._plans))
        texts[0] = str(self.count)
        self._pages.add(f"{number}{_CUT}{_CUT.join(texts)}")
        return True

    def _entries(self) -> Iterator[list[Into]]:
        """The pages of entries as documents."""
        makes = [plan.make for plan in self._plans]
        for page in self._pages:
            yield [_entry(row, makes) if isinstance(row, str) else row for row in page]

    def _read_behind(self, children: Iterable[Element]) -> None:
        """What a bank has put behind an entry."""
        place = self._readers[self._entry_tag][0]
        others = (child for child in children if child.tag != self._entry_tag)
        fill(self._readers, others, self._head, self.tell, place)

    def end(self, sequence: Sequence) -> Held:
        """What there is to say of it now that it is complete."""
        if self.count:
            self._read_behind(self.element)
        findings = self.tell.findings
        finish_head(self._head, self._sums, self.element, self.tell)
        found = [*findings, *self._sums.faults(self._head, self._position)]
        if self.tell.errors:  # sums without the entries that cannot be read say nothing
            found = [*findings, *self._sums.findings]
        found += sequence.faults(self._head, self._position)
        if more := findings.more + self._sums.findings.more:
            found.append(Finding("more", f"{more:,} more are not told", self._position, "warning"))
        return Held(self._head, self._position, found, self._entries())


def _entry(row: str, makes: Several[Make]) -> Into:
    """The entry of a row of texts."""
    plan, texts = row.split(_CUT, 1)
    entry: Into = makes[int(plan)](texts.split(_CUT))
    for transaction in entry.get("transactions", ()):
        finish_transaction(transaction)
    return entry


def _format(namespace: str, message: Message, element: Element, tell: _Told) -> str:
    """The name of the message with its version, by the namespace."""
    found = _NAMESPACE.search(namespace)
    if found is None or found[1] != message.name or int(found[3]) not in VERSIONS:
        tell(
            element, "version", f"its namespace '{namespace[:80]}' is none of {message.name} in version 02 to 14",
            seen=namespace[:80], expected=f"urn:iso:std:iso:20022:tech:xsd:{message.name}.001.08",
        )  # fmt: skip
    return found[0] if found is not None else message.name
