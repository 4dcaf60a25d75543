"""A document against an XML Schema: nothing is loaded but the files of a library; of many faults some are told.

lxml writes an XPath for each fault by counting what stands before the element: ten thousand faults among ten thousand
entries are a hundred million steps. So a long run of equal elements is judged in pieces, each between what stands
around the run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Any, cast
from urllib.parse import quote, unquote

from lxml import etree

from hub.errors import Fault, ProjectError
from hub.formats._xml import Element, path_of
from hub.profiles.faults import RuleFault, element_at
from hub.profiles.library import Library, Published

_SCHEME = "library:///"  # no loader of libxml2 knows it: what the library does not give is not to be had
_RUN = 500  # equal elements in a row, from which on they are judged in pieces
_NONE: Mapping[tuple[Element, str], int] = MappingProxyType({})
_LARGE = 50_000  # bytes of a document in which such runs are looked for
_NAMESPACE = re.compile(r"\{[^{}\s]*:[^{}\s]*\}(?=[\w*])")  # of a name; a value and a pattern have braces too
_SUBJECT = re.compile(r"^Element '[^']*'(, attribute '([^']*)')?: ")
_STRANGER = re.compile(r"^Element '(?:\{([^{}]*)\})?([^']+)': This element is not expected\. Expected is.*?\( (.*) \)")
_FACET = re.compile(r"^\[facet '([^']+)'\] ")
_VALUE = re.compile(
    r"'(.*)'(?= is not a valid value of | is not accepted by | is not an element of the set | is less than "
    r"| is greater than | has a length of | has more | does not match | of the attribute )",
    re.DOTALL,
)


class _FromLibrary(etree.Resolver):
    """Gives a schema's imports out of the library, and refuses every other place."""

    def __init__(self, library: Library, base: Published) -> None:
        super().__init__()
        self._library, self._base = library, base
        self.refused: list[str] = []

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # stubs lack it
        if not system_url.startswith(_SCHEME):
            self.refused.append(system_url)
            raise LookupError(system_url)
        path = unquote(system_url.removeprefix(_SCHEME))
        found = self._library.beside(Published("", self._base.origin, b""), path)
        if found is None:
            self.refused.append(path)
            raise LookupError(path)
        return self.resolve_string(found.content, context, base_url=system_url)


def load_schema(library: Library, file: Published) -> etree.XMLSchema:
    """The compiled schema of a file. Raises ProjectError where it is none, or wants a file that is not in its place."""
    resolver = _FromLibrary(library, file)
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(resolver)
    try:
        root = etree.fromstring(file.content, parser, base_url=_SCHEME + quote(file.path))
        return etree.XMLSchema(root)
    except (etree.LxmlError, LookupError) as error:
        if resolver.refused:
            wanted = ", ".join(sorted(set(resolver.refused)))
            text = f"it wants {wanted}, which is not among the files of {file.origin}; nothing else is read"
        else:
            text = f"it cannot be used as a schema: {_said(str(error))}"
        raise _broken(file, text) from None


def _broken(file: Published, text: str) -> ProjectError:
    return ProjectError([Fault(f"{file.origin} {file.path}".replace("/ ", "/"), 0, 0, text)])


def faults_of(schema: etree.XMLSchema, root: Element, most: int, size: int, source: str) -> tuple[list[RuleFault], int]:
    """The first faults, at most ``most``, and how many there are. ``size``: bytes of the document."""
    if size < _LARGE or not (runs := _runs(root)):
        if schema.validate(root):
            return [], 0
        entries = list(merged(schema))
        return [_fault(root, entry, source) for entry in entries[:most]], len(entries)
    return _in_pieces(schema, root, runs, most, source)


def _in_pieces(
    schema: etree.XMLSchema, root: Element, runs: list[list[Element]], most: int, source: str
) -> tuple[list[RuleFault], int]:
    """Each run is cut to its first element; then the rest of it stands in turn, piece by piece, behind that."""
    for run in runs:
        _take_out(run[1:])
    around = list(merged(schema)) if not schema.validate(root) else []
    told = [(element_at(root, entry.path or ""), entry) for entry in around[:most]]
    total = len(around)
    for run in runs:
        for start in range(1, len(run), _RUN):
            piece = run[start : start + _RUN]
            _put_behind(run[0], piece)
            entries = list(merged(schema)) if not schema.validate(root) else []
            if len(told) < most:
                members = set(piece)
                placed = ((element_at(root, entry.path or ""), entry) for entry in entries)
                told += [each for each in placed if _is_within(each[0], members)][: most - len(told)]
            total += max(0, len(entries) - len(around))  # what is wrong around the run is told each time
            _take_out(piece)
    for run in runs:
        _put_behind(run[0], run[1:])
    found = [as_fault(element, entry, source) for element, entry in told]
    return sorted(found, key=lambda fault: fault.line), total


def _runs(root: Element) -> list[list[Element]]:
    """The long runs of equal elements that do not stand within others."""
    runs: list[list[Element]] = []
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        for _, equal in groupby(parent, key=lambda child: child.tag):
            members = list(equal)
            if len(members) > _RUN:
                runs.append(members)
                waiting.append(members[0])
            else:
                waiting += members
    return runs


def _take_out(members: list[Element]) -> None:
    for member in members:
        parent = member.getparent()
        assert parent is not None, "a member of a run stands in its parent"
        parent.remove(member)


def _put_behind(first: Element, members: list[Element]) -> None:
    parent = first.getparent()
    assert parent is not None, "a run stands in a parent"
    at = parent.index(first) + 1
    parent[at:at] = members


def _is_within(element: Element | None, members: set[Element]) -> bool:
    while element is not None:
        if element in members:
            return True
        element = element.getparent()
    return False


def merged(schema: etree.XMLSchema) -> Iterator[etree._LogEntry]:
    """Each fault that was found last, once: libxml2 tells the facet that a value breaks, and then that it is of the
    wrong type."""
    before: etree._LogEntry | None = None
    for entry in cast("Iterable[etree._LogEntry]", schema.error_log):
        repeats = before is not None and _FACET.search(_said(before.message)) and entry.path == before.path
        if not (repeats and "is not a valid value of the" in entry.message):
            yield entry
        before = entry


def _fault(root: Element, entry: etree._LogEntry, source: str) -> RuleFault:
    return as_fault(element_at(root, entry.path or ""), entry, source)


def as_fault(
    element: Element | None, entry: etree._LogEntry, source: str, gone: Mapping[tuple[Element, str], int] = _NONE
) -> RuleFault:
    """A fault with its place. ``gone``: as for a path."""
    line = int(cast(int, element.sourceline if element is not None else None) or entry.line)
    path = path_of(element, gone) if element is not None else ""
    said = _said(entry.message)
    return RuleFault(_rule(entry.type_name), "error", said, line, 0, path, source, _quoted(said))


def _quoted(said: str) -> tuple[str, ...]:
    """The values in a message; where it is not clear what is one, all from its first quotation mark on."""
    text = _FACET.sub("", said)
    found = _VALUE.search(text) or re.search(r"\[('.*')\]", text, re.DOTALL) or re.search(r"('.*)", text, re.DOTALL)
    return (found[1],) if found else ()


def _rule(type_name: str) -> str:
    """``cvc-datatype-valid.1.2.1``, as XML Schema names its constraints."""
    name = type_name.removeprefix("SCHEMAV_").lower().replace("_", "-")
    return re.sub(r"-(?=\d)", ".", name)


def _said(message: str) -> str:
    """The parser's message without the namespaces in it and the name of the element, which the path says; but for a
    namespace that is the mistake."""
    if found := _STRANGER.match(message):
        wanted = re.search(rf"(?:\{{([^{{}}]*)\}})?{re.escape(found[2])}(?=, |$)", found[3])
        if wanted and wanted[1] != found[1]:
            return f"This element is in {_in_words(found[1])}; expected {_in_words(wanted[1])}."
    text = _SUBJECT.sub(lambda found: f"attribute {found[2]}: " if found[2] else "", message)
    text = _NAMESPACE.sub("", text).strip()
    return text if len(text) <= 500 else f"{text[:500]} …"


def _in_words(namespace: str | None) -> str:
    return f"the namespace {namespace}" if namespace else "no namespace"
