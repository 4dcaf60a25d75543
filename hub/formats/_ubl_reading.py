"""Parts of a document to the document, in one pass: what to do with a start tag is looked up by the tag as it stands.

A tag is understood when it is first seen, then known, with its attributes: those of UBL repeat from line to line and
from document to document. Nothing depends on the order: what is odd is put beside the values, see ``_ubl_oddities``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from hub.errors import DecodeError
from hub.formats._ubl_definitions import Aggregate, Child, Standard
from hub.formats._ubl_faults import Faults, UblFault
from hub.formats._ubl_names import Head, Names, head_of
from hub.formats._ubl_oddities import (
    ATTRIBUTES,
    INDENT,
    NAMESPACES,
    OTHER,
    PREFIXES,
    SPELLED,
    TYPE,
    XML_SPACE,
    Oddities,
)
from hub.formats._ubl_run import Run, check_root, inner_xml, kept, out_of_order, repeated, rest_of
from hub.formats._ubl_shapes import GROUP, LEAF, TEXT, Shapes
from hub.formats._ubl_values import KINDS, Odd, odd_value, reader_of
from hub.formats._xml import LIMITS
from hub.formats._xml_plain import NotPlain, Prove, nothing_to_prove, unescaped
from hub.spelling import did_you_mean

_TEXT, _LEAF, _GROUP = TEXT, LEAF, GROUP
_EMPTY_LEAF, _EMPTY_GROUP, _XML, _OTHER = range(3, 7)
_SLOW = 7
_LAST = 1_000_000  # behind every element that the standard knows
_MOST_STEPS = 5000
_LONGEST = 200
_MOST_DECLARED = 1000
_FORMS = {"Xml": _XML, "Code": _TEXT, "Name": _TEXT, "Text": _TEXT}


class _Notes(NamedTuple):
    """What is odd about a tag itself."""

    attributes: dict[str, str]
    prefix: str | None
    fault: UblFault | None


class _Step(NamedTuple):
    """What to do with a tag. ``place`` is that in the order, ``after`` what the next one must not come before."""

    place: int
    after: int
    name: str
    form: int
    value_of: Callable[..., Any]
    is_list: bool
    notes: _Notes | None
    kind: str
    given: dict[str, str]


# What the quick way needs of a step: form (_SLOW where the step has notes), index, after, name, value_of, is_list, the
# head that ends it.
_Quick = tuple[int, int, int, str, Callable[..., Any], bool, str, _Step]


def read_document(
    standard: Standard, parts: list[str], prove: Prove = nothing_to_prove, is_of_tree: bool = False
) -> tuple[dict[str, Any], Faults]:
    """The document of its parts and its faults, which know their part and not yet their place. ``prove`` raises
    NotPlain where it is not well formed; ``is_of_tree``: they have come through the door. Raises DecodeError where it
    is none of the standard, or of a type that is not read; NotPlain."""
    run = Run(parts, is_of_tree, prove)
    head, text = next(run.pairs)
    run.check(head)
    root = head_of(head)
    names = Names(root.declared)
    try:
        check_root(standard, root, names)
    except DecodeError:
        run.prove()  # what is no XML is told first
        raise
    unit = _unit(text)
    run.indent(unit)
    document: dict[str, Any] = {TYPE: root.name}
    vocabulary = _vocabulary(standard, names.key())
    content: dict[str, Any] = {}
    if not root.is_empty:
        try:
            content, text = vocabulary.reader(standard.document(root.name)).read(run, text, 1)
        except StopIteration:
            raise NotPlain from None  # it ends within a leaf
    if run.closed != _end_of(root) or run.at != len(run.heads) or text.strip(XML_SPACE):
        run.prove()
    if root.declared != standard.usual_names(root.name, content):
        document[NAMESPACES] = root.declared
    if unit is not None:
        document[INDENT] = unit
    document.update(content)
    if root.attributes:
        document[ATTRIBUTES] = {root.name: root.attributes, **content.get(ATTRIBUTES, {})}
    if root.prefix != names.prefix(names.uri(root.prefix)):
        document[PREFIXES] = {root.name: root.prefix, **content.get(PREFIXES, {})}
    return document, run.faults


def _end_of(head: Head) -> str:
    return f"/{head.prefix}:{head.name}" if head.prefix else f"/{head.name}"


def _unit(text: str) -> str | None:
    return text.rpartition("\n")[2] if "\n" in text and not text.strip(" \t\n") else None


@lru_cache(maxsize=16)
def _vocabulary(standard: Standard, declared: tuple[tuple[str, str], ...]) -> _Vocabulary:
    return _Vocabulary(standard, Names(dict(declared)))


class _Vocabulary:
    """What tags mean where these namespaces are declared."""

    def __init__(self, standard: Standard, names: Names) -> None:
        self.standard, self.names = standard, names
        self._readers: dict[str, _Reader] = {}
        self._known = 0

    def reader(self, aggregate: Aggregate) -> _Reader:
        if aggregate.name not in self._readers:
            self._readers[aggregate.name] = _Reader(self, aggregate)
        return self._readers[aggregate.name]

    def keep(self, steps: dict[str, _Quick], head: str, step: _Quick) -> None:
        """Know a tag. What documents hold is anybody's: when there are too many, all are let go."""
        if len(head) > _LONGEST:
            return
        self._known += 1
        if self._known > _MOST_STEPS:
            self._known = 0
            for reader in self._readers.values():
                reader.steps.clear()
        steps[head] = step


class _Reader:
    """Reads what stands in one kind of element."""

    def __init__(self, vocabulary: _Vocabulary, aggregate: Aggregate) -> None:
        self._vocabulary, self._aggregate = vocabulary, aggregate
        self.steps: dict[str, _Quick] = {}

    def read(self, run: Run, gap: str, depth: int) -> tuple[dict[str, Any], str]:
        """The values up to the end tag, and what stands behind that. ``gap``: the text before the first element;
        ``depth``: elements that it is in, with itself."""
        known = self.steps.get
        if depth >= LIMITS.depth and not run.is_of_tree:
            raise NotPlain
        pairs, inner = run.pairs, run.indents[depth]
        document: dict[str, Any] = {}
        odd: Oddities | None = None
        after = 0
        for head, text in pairs:
            step = known(head)
            if step is None:
                if head[:1] == "/":
                    run.closed = head
                    break
                run.prove()
                run.check(head)
                step = self._learn(head)
            form, index, follows, name, value_of, is_list, close, _ = step
            if form > _GROUP or index < after or gap != inner or odd is not None:
                odd = odd or run.oddities()
                after, gap = self._child(run, odd, document, step[-1], head, text, after, gap, depth)
                continue
            if form != _GROUP:
                if form == _TEXT:
                    value = unescaped(text) if "&" in text else text
                else:
                    try:
                        value = value_of(text)
                    except Odd:
                        odd = run.oddities()
                        after, gap = self._child(run, odd, document, step[-1], head, text, after, gap, depth)
                        continue
                end, gap = next(pairs)
                if end != close:
                    run.prove()
                    if end[0] != "/":
                        odd = run.oddities()
                        gap = self._nested(run, odd, name, f"<{head}>{text}", end, gap, depth)
                        continue
            else:
                value, gap = value_of(run, text, depth + 1)
                if run.closed != close:
                    run.prove()
            after = follows
            if not is_list:
                document[name] = value
            elif name in document:
                document[name].append(value)
            else:
                document[name] = [value]
        else:
            raise NotPlain  # it ends within this element
        usual = run.indents[depth - 1] if document or (odd is not None and odd.other) else ""
        if gap != usual or odd is not None:
            self._end(run, odd or run.oddities(), document, gap, gap == usual, inner)
        return document, text

    def _end(
        self, run: Run, odd: Oddities, document: dict[str, Any], gap: str, is_usual: bool, inner: str
    ) -> None:  # fmt: skip
        """What is odd goes to the values; ``gap`` is the text before the end tag."""
        if not is_usual:
            self._check_gap(run, gap)
            odd.begin_gaps(document, inner)
        odd.end(unescaped(gap))
        document.update(odd.fields())

    def _child(
        self, run: Run, odd: Oddities, document: dict[str, Any], step: _Step, head: str, text: str, after: int,
        gap: str, depth: int,
    ) -> tuple[int, str]:  # fmt: skip
        """One element of an element that has oddities: where the order stands then, and what follows it."""
        part, name, form, inner = run.part, step.name, step.form, run.indents[depth]
        is_repeated = not step.is_list and name in document
        if step.place < after and not is_repeated:
            run.faults.add(out_of_order(self._vocabulary.standard, name), part)
        if step.place < after or (odd.other and form != _OTHER):
            odd.begin_order(document)
        if gap != inner:
            self._check_gap(run, gap)
            odd.begin_gaps(document, inner)
        if form == _OTHER or is_repeated:
            run.faults.add(repeated(name) if is_repeated else self._unknown(run, head), part)
            tail = kept(run, odd, head, text, depth)
            odd.follow(OTHER, unescaped(gap))
            return after, tail
        if form <= _LEAF:
            end, tail = next(run.pairs)
            if end[0] != "/":
                tail = self._nested(run, odd, name, f"<{head}>{text}", end, tail, depth, part)
                odd.follow(OTHER, unescaped(gap))
                return after, tail
            value = self._leaf(run, odd, document, step, text, part)
        elif form == _GROUP:
            value, tail = step.value_of(run, text, depth + 1)
        elif form == _EMPTY_LEAF:
            value, tail = self._leaf(run, odd, document, step, "", part), text
        elif form == _EMPTY_GROUP:
            value, tail = {}, text
        else:
            value, tail = inner_xml(run, text, depth)
        if step.notes is not None:
            _note(run, odd, document, step, text, part)
        if step.is_list:
            document.setdefault(name, []).append(value)
        else:
            document[name] = value
        odd.follow(name, unescaped(gap))
        return step.after, tail

    def _leaf(self, run: Run, odd: Oddities, document: dict[str, Any], step: _Step, text: str, part: int) -> Any:
        try:
            return step.value_of(text)
        except Odd as found:
            odd.beside(SPELLED, step.name, _number(document, step), found.text)
            if found.fault is not None:
                run.faults.add(found.fault, part)
            return odd_value(KINDS[step.kind], found.value, step.given)

    def _nested(
        self,
        run: Run,
        odd: Oddities,
        name: str,
        begun: str,
        head: str,
        text: str,
        depth: int,
        part: int | None = None,
    ) -> str:
        """A leaf with elements in it: kept as it stands. What follows it."""
        fault = UblFault("elements_in_a_leaf", f"{name} has elements in it; expected its text alone")
        run.faults.add(fault, run.part - 2 if part is None else part)
        run.check(head, depth + 2)
        pieces = [begun, f"<{head}>{text}"]
        tail = rest_of(run, pieces, depth + 1, depth + (head[-1] != "/") + 1)
        odd.other.append("".join(pieces))
        return tail

    def _check_gap(self, run: Run, gap: str) -> None:
        if unescaped(gap).strip(XML_SPACE):
            message = f"text between the elements of {self._aggregate.name}; expected elements alone"
            run.faults.add(UblFault("text_between", message), run.part)

    def _unknown(self, run: Run, head: str) -> UblFault:
        if run.faults.is_full("warning"):
            return UblFault("unknown_element", "", "warning")
        tag, standard = head_of(head), self._vocabulary.standard
        uri = self._vocabulary.names.below(tag.declared).uri(tag.prefix)
        if tag.name in self._aggregate.children:
            advice = f"; {tag.name} is of {self._aggregate.children[tag.name].namespace}"
        elif uri.startswith(standard.namespaces):
            advice = did_you_mean(tag.name, self._aggregate.children)
        else:
            advice = f"; it is of {uri[:100]}" if uri else "; it is of no namespace"
        message = (
            f"{tag.name[:60]} is not known in {self._aggregate.name} of {standard.name}{advice}; it is kept in other"
        )
        return UblFault("unknown_element", message, "warning")

    def _learn(self, head: str) -> _Quick:
        """What to do with a tag that has not been seen here."""
        tag = head_of(head)
        names = self._vocabulary.names
        if tag.declared:
            names = names.below(tag.declared)
        uri = names.uri(tag.prefix)
        child = self._aggregate.children.get(tag.name)
        if child is None or child.namespace != uri or len(names.declared) > _MOST_DECLARED:
            step = _Step(_LAST, _LAST, "", _OTHER, dict, False, None, "", {})
        else:
            step = self._known_step(tag, child, names, uri)
        form = step.form if step.notes is None else _SLOW
        quick = (form, step.place, step.after, step.name, step.value_of, step.is_list, _end_of(tag), step)
        self._vocabulary.keep(self.steps, head, quick)
        return quick

    def _known_step(self, tag: Head, child: Child, names: Names, uri: str) -> _Step:
        declared = {f"xmlns:{prefix}" if prefix else "xmlns": own for prefix, own in tag.declared.items()}
        prefix = None if tag.prefix == names.prefix(uri) else tag.prefix
        rest, fault = dict(tag.attributes), None
        standard = self._vocabulary.standard
        value_of: Callable[..., Any] = dict
        form = _EMPTY_GROUP if tag.is_empty else _GROUP
        if child.kind:
            kind = KINDS[child.kind]
            if kind.needed and not tag.attributes.get(kind.parts[kind.needed]):
                fault = kind.fault
            value_of = reader_of(kind, rest)
            form = _EMPTY_LEAF if tag.is_empty else _FORMS.get(child.kind, _LEAF)
        elif not tag.is_empty:
            vocabulary = _Vocabulary(standard, names) if tag.declared else self._vocabulary
            reader = vocabulary.reader(standard.aggregate(child.aggregate))
            value_of = Shapes(reader).read if self._aggregate.name in standard.repeated else reader.read
        rest = {**declared, **rest}
        notes = _Notes(rest, prefix, fault) if rest or prefix is not None or fault is not None else None
        index = 2 * child.index
        after = index if child.is_list else index + 1
        return _Step(index, after, child.name, form, value_of, child.is_list, notes, child.kind, tag.attributes)


def _number(document: dict[str, Any], step: _Step) -> int | None:
    return len(document.get(step.name, ())) if step.is_list else None


def _note(run: Run, odd: Oddities, document: dict[str, Any], step: _Step, text: str, part: int) -> None:
    notes, number = step.notes, _number(document, step)
    assert notes is not None
    if notes.attributes:
        odd.beside(ATTRIBUTES, step.name, number, dict(notes.attributes))
    if notes.prefix is not None:
        odd.beside(PREFIXES, step.name, number, notes.prefix)
    if notes.fault is not None:
        run.faults.add(notes.fault, part)
        if not odd.has(SPELLED, step.name, number):  # so that it can be written as it came
            odd.beside(SPELLED, step.name, number, "" if step.form == _EMPTY_LEAF else unescaped(text))
