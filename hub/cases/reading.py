"""Test files -> cases, each value with its place. What is wrong with a file is a fault; its other cases are read."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from connectors.base import Field
from hub.case_fields import (
    ANSWER_FIELDS,
    DELIVERY,
    MAPPING_CASE,
    MAPPING_TEST_FIELDS,
    MESSAGE,
    RECEIVED,
    REPLY,
    ROUTE_CASE,
    ROUTE_TEST_FIELDS,
    named,
)
from hub.errors import Fault
from hub.project import document_of
from hub.yamldoc import Node, did_you_mean, unknown_keys

SUFFIX = ".test.yaml"
AT = "2026-03-05T22:30:00Z"  # when documents come in where a file does not say it
_FOLDERS = ("mappings/", "routes/")

ReadFile = Callable[[str], bytes | None]
Xref = tuple[str, str, str, str]


class Content(msgspec.Struct, frozen=True):
    """A document of a test: its value written out, or its bytes (``raw``) as text or from the project's ``file``."""

    node: Node
    value: Any = None
    raw: bytes | None = None
    file: str = ""


class Said(msgspec.Struct, frozen=True):
    """An answer that a target gives: ``fails`` says that there is none, and how."""

    status: int = 200
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    fails: str = ""
    look_up: Said | None = None


Answers = Mapping[str, Sequence[Said]]


class MappingCase(msgspec.Struct, frozen=True):
    """One case of a mapping, ``number`` its place in the list. Without ``expected`` and ``error`` it only waits to be
    filled in."""

    name: str
    node: Node
    number: int
    input: Content
    record: int = 0
    company: Any = None
    envelope: Mapping[str, Any] | None = None
    xrefs: Sequence[Xref] = ()
    expected: Content | None = None
    error: str | None = None


class RouteCase(msgspec.Struct, frozen=True):
    """One case of a route. ``expected`` is one node for each message; None waits to be filled in."""

    name: str
    node: Node
    number: int
    route: str
    at: float
    system: str
    event: str | None
    headers: Mapping[str, str]
    file_name: str
    body: Content
    answers: Answers
    xrefs: Sequence[Xref]
    expected: Sequence[Node] | None


Case = MappingCase | RouteCase


class TestFile(msgspec.Struct, frozen=True):
    """A test file with its cases, and what is wrong with it. ``subject`` is the file that it tests."""

    __test__ = False  # its name is no reason for a test runner to collect it

    file: str
    subject: str
    cases: Sequence[Case]
    faults: Sequence[Fault]


def test_files(files: Mapping[str, bytes]) -> list[str]:
    """The paths of all test files."""
    return sorted(path for path in files if path.startswith(_FOLDERS) and path.endswith(SUFFIX))


test_files.__test__ = False  # type: ignore[attr-defined]


def subject_of(file: str) -> str:
    """The file that a test file stands beside."""
    return file.removesuffix(SUFFIX) + ".yaml"


def read_cases(files: Mapping[str, bytes], file: str, read_file: ReadFile | None = None) -> TestFile:
    """The cases of a test file. ``read_file`` gives the bytes of the files it names, which are looked for among
    ``files`` first; without it those that are not there are left out silently: their tests are not run."""
    root, faults = document_of(files, file)
    reader = _Reader(files, file, read_file, list(faults))
    of_routes = file.startswith("routes/")
    cases: Sequence[Case] = ()
    if not faults or root.value is not None:
        cases = reader.cases(root, of_routes)
    return TestFile(file, subject_of(file), cases, reader.faults)


class _Reader:
    """Reads one file; what is wrong is gathered."""

    def __init__(self, files: Mapping[str, bytes], file: str, read_file: ReadFile | None, faults: list[Fault]) -> None:
        self._files, self._file, self._read_file, self.faults = files, file, read_file, faults

    def cases(self, root: Node, of_routes: bool) -> list[Case]:
        fields = ROUTE_TEST_FIELDS if of_routes else MAPPING_TEST_FIELDS
        if not self._is_map(root, fields, "a test file"):
            return []
        listed = root.get("cases")
        if listed is None or not listed.is_list:
            self._fault(listed or root, "a test file wants cases: a list, each with its name")
            return []
        read = self._route_case if of_routes else self._mapping_case
        each = enumerate(listed.elements())
        found = [case for number, node in each if (case := read(number, node, root)) is not None]
        names: dict[str, Node] = {}
        for case in found:
            if case.name in names:
                self._fault(case.node, f"two cases are called '{case.name}', the first in line {names[case.name].line}")
            names.setdefault(case.name, case.node)
        return found

    # -- cases of mappings -----------------------------------------------------------------------------------------

    def _mapping_case(self, number: int, node: Node, root: Node) -> Case | None:
        if not self._is_map(node, MAPPING_CASE, "a case"):
            return None
        given = self._content(node, "input")
        expected, error = self._content(node, "expected"), node.get("error")
        if given is None:
            self._missing(node, "input", "a case wants its input: input, input_file or input_text")
            return None
        if expected is not None and error is not None:
            self._fault(error, "a case expects a document or an error, not both")
        return MappingCase(
            name=self._name(node), node=node, number=number, input=given, record=self._number(node, "record"),
            company=self._map_of(node, root, "company"), envelope=self._map_of(node, root, "envelope"),
            xrefs=(*self._xrefs(root), *self._xrefs(node)), expected=expected,
            error=self._text(error) if error is not None else None,
        )  # fmt: skip

    # -- cases of routes -------------------------------------------------------------------------------------------

    def _route_case(self, number: int, node: Node, root: Node) -> Case | None:
        if not self._is_map(node, ROUTE_CASE, "a case"):
            return None
        comes = node.get("receives")
        if comes is None or not self._is_map(comes, RECEIVED, "receives"):
            self._missing(node, "receives", "a case of a route wants receives: what comes in")
            return None
        body = self._content(comes, "body")
        if body is None:
            self._missing(comes, "body", "receives wants what comes in: body, body_file or body_text")
            return None
        return RouteCase(
            name=self._name(node), node=node, number=number, route=self._text(node.get("route")),
            at=self._at(node, root),
            system=self._text(comes.get("system")),
            event=self._text(comes.get("event")) if comes.get("event") is not None else None,
            headers=self._texts(comes.get("headers")), file_name=self._text(comes.get("name")), body=body,
            answers=self._answers(node.get("answers")), xrefs=(*self._xrefs(root), *self._xrefs(node)),
            expected=self._expected(node.get("expected")),
        )  # fmt: skip

    def _at(self, node: Node, root: Node) -> float:
        place = node.get("at") or root.get("at")
        text = place.text if place is not None else AT
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            self._fault(place or node, f"at: expected a moment with its offset such as {AT}, got '{text}'")
            moment = datetime.fromisoformat(AT)
        return moment.astimezone(UTC).timestamp()

    def _answers(self, node: Node | None) -> dict[str, Sequence[Said]]:
        if node is not None and not node.is_map:
            self._fault(node, f"answers wants the targets' ids with their answers, got {node.kind}")
        entries = node.items() if node is not None else ()
        return {
            name: [self._said(each) for each in (child.elements() if child.is_list else [child])]
            for name, child in entries
        }

    def _said(self, node: Node) -> Said:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            return Said(node.value)
        if not self._is_map(node, ANSWER_FIELDS, "an answer"):
            return Said()
        body = self._content(node, "body")
        fails, later = self._text(node.get("fails")), node.get("look_up")
        if fails and fails not in (known := named(ANSWER_FIELDS, "fails").choices):
            self._fault(node.get("fails") or node, f"fails is one of {', '.join(known)}{did_you_mean(fails, known)}")
        return Said(
            status=self._number(node, "status") or 200, headers=self._texts(node.get("headers")),
            body=_answer_bytes(body), fails=fails, look_up=self._said(later) if later is not None else None,
        )  # fmt: skip

    def _expected(self, node: Node | None) -> Sequence[Node] | None:
        if node is None:
            return None
        if node.is_map and node.get("messages") is not None:
            messages = node.get("messages")
            assert messages is not None
            if len(list(node.items())) > 1:
                self._fault(node, "expected says messages or what becomes of the only one, not both")
            found = messages.elements()
        else:
            found = [node]
        for message in found:
            self._check(message, MESSAGE, "an expected message")
            listed = message.get("deliveries")
            for delivery in listed.elements() if listed is not None else ():
                self._check(delivery, DELIVERY, "an expected delivery")
                if delivery.get("to") is None:
                    self._fault(delivery, "an expected delivery wants to: the target's id")
                if (reply := delivery.get("reply")) is not None:
                    self._check(reply, REPLY, "an expected reply")
        return found

    def _check(self, node: Node, fields: Sequence[Field], what: str) -> None:
        """The keys of what is expected, its choices, and the files it names."""
        if not self._is_map(node, fields, what):
            return
        for each in fields:
            child = node.get(each.name)
            if child is not None and each.choices and child.text not in each.choices:
                near = did_you_mean(child.text, each.choices)
                self._fault(child, f"{each.name} is one of {', '.join(each.choices)}{near}")
            if child is not None and each.kind == "group" and each.name == "error":
                self._is_map(child, each.fields, "error")
        for name in ("body", "document"):
            self._content(node, name)

    def content(self, node: Node, name: str) -> Content | None:
        return self._content(node, name)

    # -- values ----------------------------------------------------------------------------------------------------

    def _content(self, node: Node, name: str) -> Content | None:
        """What stands under ``name``, ``name_file`` or ``name_text``."""
        given = [key for key in (name, f"{name}_file", f"{name}_text") if node.get(key) is not None]
        if not given:
            return None
        if len(given) > 1:
            self._fault(node.key(given[1]), f"{given[0]} and {given[1]} say the same thing; keep one")
        child = node.get(given[0])
        assert child is not None
        if given[0] == name:
            return Content(child, value=child.data())
        text = self._text(child)
        if given[0].endswith("_text"):
            return Content(child, raw=text.encode())
        return self._file_content(child, text)

    def _file_content(self, node: Node, text: str) -> Content:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(self._file), text))
        if path.startswith(("../", "/")):
            self._fault(node, f"'{text}' leads out of the project; name a file within it")
            return Content(node, raw=b"", file=path)
        raw = self._files.get(path)
        if raw is None and self._read_file is not None:
            raw = self._read_file(path)
            if raw is None:
                self._fault(node, f"there is no file {path}; the name is relative to this file")
        return Content(node, raw=raw or b"", file=path)

    def _map_of(self, node: Node, root: Node, name: str) -> Any:
        """What a case says under a name, else its file for all."""
        found = node.get(name) or root.get(name)
        if found is not None and not found.is_map:
            self._fault(found, f"{name}: expected a mapping, got {found.kind}")
            return None
        return found.data() if found is not None else None

    def _xrefs(self, node: Node) -> list[Xref]:
        listed = node.get("xrefs")
        found: list[Xref] = []
        for each in listed.elements() if listed is not None else ():
            if self._is_map(each, named(MAPPING_CASE, "xrefs").fields, "a cross-reference"):
                system, kind, id, value = (self._text(each.get(name)) for name in ("system", "kind", "id", "value"))
                found.append((system, kind, id, value))
        return found

    def _name(self, node: Node) -> str:
        name = self._text(node.get("name"))
        if not name:
            self._missing(node, "name", "a case wants a name: what it is about")
        return name or f"line {node.line}"

    def _number(self, node: Node, name: str) -> int:
        child = node.get(name)
        if child is None:
            return 0
        if isinstance(child.value, int) and not isinstance(child.value, bool) and child.value > 0:
            return child.value
        self._fault(child, f"{name}: expected a whole number from 1, got {child.text or child.kind}")
        return 0

    def _text(self, node: Node | None) -> str:
        if node is None:
            return ""
        if not node.is_scalar:
            self._fault(node, f"expected text, got {node.kind}")
        return node.text

    def _texts(self, node: Node | None) -> dict[str, str]:
        if node is not None and not node.is_map:
            self._fault(node, f"expected names with their values, got {node.kind}")
        return {name: self._text(child) for name, child in node.items()} if node is not None else {}

    def _is_map(self, node: Node, fields: Sequence[Field], what: str) -> bool:
        if not node.is_map:
            self._fault(node, f"{what} holds keys such as {fields[0].name}, got {node.kind}")
            return False
        self.faults.extend(unknown_keys(node, [each.name for each in fields], what))
        return True

    def _missing(self, node: Node, name: str, message: str) -> None:
        """A key that is not there; nothing more where the file says it in a way that is a fault already."""
        if node.get(name) is None:
            self._fault(node, message)

    def _fault(self, node: Node, message: str) -> None:
        fault = node.fault(message)
        if fault not in self.faults:
            self.faults.append(fault)


def _answer_bytes(content: Content | None) -> bytes:
    if content is None:
        return b""
    if content.raw is not None:
        return content.raw
    return msgspec.json.Encoder(decimal_format="number").encode(content.value)


def content_of(files: Mapping[str, bytes], file: str, node: Node, name: str, read_file: ReadFile) -> Content | None:
    """What a node of a test file says under ``name``, ``name_file`` or ``name_text``."""
    return _Reader(files, file, read_file, []).content(node, name)
