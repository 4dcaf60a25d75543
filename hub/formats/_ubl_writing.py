"""Documents to XML: a plan for each set of names, made once, and what is odd the long way round.

Elements stand in the standard's order whatever order the document's names have, unless ``order`` says another that
still fits. What the standard does not allow is written where reading has kept it; whether a document is valid is not
asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from hub.errors import MappingError
from hub.formats._ubl_checking import checked
from hub.formats._ubl_definitions import Aggregate, Child, Standard
from hub.formats._ubl_elements import Refused, attributes_of, check_fragment, element, escaped, filled
from hub.formats._ubl_names import Names
from hub.formats._ubl_oddities import (
    ATTRIBUTES,
    GAPS,
    INDENT,
    NAMESPACES,
    ORDER,
    OTHER,
    PREFIXES,
    ROOT_SIDES,
    SIDES,
    SPELLED,
    TYPE,
    XML_SPACE,
)  # fmt: skip
from hub.formats._ubl_plans import Plan, Site, plan_of

_MOST_PLANS = 100
_LONG = ("ExtensionContent",)  # XML, which has to be looked at


def write_document(standard: Standard, document: Any, unit: str | None) -> bytes:
    """A document as a file; ``unit`` is one level of indentation, None for one line. Raises MappingError."""
    try:
        return _written(standard, document, unit).encode()
    except (Refused, KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError):
        pass
    for fault in checked(standard, document):
        raise MappingError(
            f"{fault.path or 'the document'}: {fault.message}", code="encode", field_path=fault.path,
            value_excerpt=fault.seen, expected=fault.expected, cause=fault.cause,
        )  # fmt: skip
    raise MappingError(f"the document cannot be written as {standard.word}", code="encode")


def _written(standard: Standard, document: Mapping[str, Any], unit: str | None) -> str:
    type = document[TYPE]
    if type not in standard.types:
        raise Refused
    unit = document.get(INDENT, unit)
    if unit is not None and unit.strip(" \t"):
        raise Refused
    namespace = standard.namespace_of(type)
    declared = document.get(NAMESPACES) or standard.usual_names(type, document)
    vocabulary = _vocabulary(standard, tuple(declared.items()), unit)
    content = {name: value for name, value in document.items() if name not in ROOT_SIDES or name in SIDES}
    prefix = vocabulary.prefix(namespace, content.get(PREFIXES, {}).get(type))
    tag = f"{prefix}:{type}" if prefix else type
    attributes = attributes_of(content.get(ATTRIBUTES, {}).get(type, {}), vocabulary.names)
    inner = vocabulary.writer(standard.document(type), 1).text(_without(content, type))
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{tag}{vocabulary.spaces}{attributes}>{inner}</{tag}>'


def _without(content: dict[str, Any], type: str) -> dict[str, Any]:
    """The same, in which nothing stands beside the root itself."""
    for side in (ATTRIBUTES, PREFIXES):
        if side in content and type in content[side]:
            rest = {name: value for name, value in content[side].items() if name != type}
            content = {**content, side: rest}
            if not rest:
                del content[side]
    return content


def _declaration(prefix: str) -> str:
    return f"xmlns:{prefix}" if prefix else "xmlns"


@lru_cache(maxsize=16)
def _vocabulary(standard: Standard, declared: tuple[tuple[str, str], ...], unit: str | None) -> _Vocabulary:
    return _Vocabulary(standard, Names(dict(declared)), unit, is_lasting=True)


class _Vocabulary:
    """How elements are named and set where these namespaces are declared."""

    def __init__(self, standard: Standard, names: Names, unit: str | None, *, is_lasting: bool = False) -> None:
        """``unit``: the blanks of each level, None where all is one line; ``is_lasting``: it is used for more than one
        element, so that plans are worth making."""
        self.standard, self.names, self.unit, self.is_lasting = standard, names, unit, is_lasting
        self._writers: dict[tuple[str, int], _Writer] = {}

    @cached_property
    def spaces(self) -> str:
        """The declarations as they stand in a tag."""
        return attributes_of({_declaration(own): uri for own, uri in self.names.declared.items()}, self.names)

    def writer(self, aggregate: Aggregate, depth: int) -> _Writer:
        """What writes the content of such an element that stands ``depth`` levels deep."""
        depth = 0 if self.unit is None else depth
        if (aggregate.name, depth) not in self._writers:
            self._writers[aggregate.name, depth] = _Writer(self, aggregate, depth)
        return self._writers[aggregate.name, depth]

    def gap(self, depth: int) -> str:
        """The blanks before an element."""
        return "" if self.unit is None else "\n" + self.unit * depth

    def tag(self, child: Child, prefix: str | None = None) -> str:
        own = self.prefix(child.namespace, prefix)
        return f"{own}:{child.name}" if own else child.name

    def prefix(self, namespace: str, wanted: str | None) -> str:
        """The prefix of a namespace; the one that is wanted, where it stands for that."""
        if wanted is not None and self.names.uri(wanted) == namespace:
            return wanted
        prefix = self.names.prefix(namespace)
        if prefix is None:
            raise Refused
        return prefix


class _Writer:
    """Writes what stands in one kind of element."""

    def __init__(self, vocabulary: _Vocabulary, aggregate: Aggregate, depth: int) -> None:
        self._vocabulary, self._aggregate, self._depth = vocabulary, aggregate, depth
        self._gap, self._end = vocabulary.gap(depth), vocabulary.gap(depth - 1)
        self.plans: dict[tuple[str, ...], Plan] = {}

    def text(self, value: Mapping[str, Any]) -> str:
        """All elements of a value and the blanks around them."""
        out: list[str] = []
        self.write(value, out)
        return filled(out)

    def write(self, value: Mapping[str, Any], out: list[str]) -> None:
        """The same at the end of a list of markup and texts in turns."""
        plan = self.plans.get(tuple(value)) or self._plan(value)
        plan(value, out)

    def _plan(self, value: Mapping[str, Any]) -> Plan:
        """How a value with these names is written: the long way, where there is something odd about it."""
        names = tuple(value)
        if len(self.plans) >= _MOST_PLANS:
            self.plans.clear()
        plan: Plan = self._odd
        is_usual = all(name in self._aggregate.children and name not in _LONG for name in names)
        if is_usual and self._vocabulary.is_lasting:
            children = sorted((self._aggregate.children[name] for name in names), key=lambda child: child.index)
            plan = plan_of([self._site(child, value[child.name]) for child in children], self._end)
        self.plans[names] = plan
        return plan

    def _site(self, child: Child, example: Any) -> Site:
        tag = self._vocabulary.tag(child)
        if child.kind:
            return Site(child, tag, self._gap)
        group = self._vocabulary.writer(self._vocabulary.standard.aggregate(child.aggregate), self._depth + 1)
        alone = group.alone(example[0] if child.is_list and example else example)
        return Site(child, tag, self._gap, group.write, group.plans, alone)

    def alone(self, example: Any) -> Site | None:
        """The one leaf that a value of this kind is likely to have, as this one has; None where it has more."""
        if not isinstance(example, Mapping) or len(example) != 1:
            return None
        child = self._aggregate.children.get(next(iter(example)))
        is_leaf = child is not None and child.kind and not child.is_list and child.name not in _LONG
        return Site(child, self._vocabulary.tag(child), self._gap) if child is not None and is_leaf else None

    def _odd(self, value: Mapping[str, Any], out: list[str]) -> None:
        odd = _Beside(value)
        sequence = self._sequence(value, odd)
        gaps = odd.gaps if odd.gaps is not None and len(odd.gaps) == len(sequence) + 1 else None
        for at, (child, number) in enumerate(sequence):
            gap = self._gap if gaps is None else escaped(gaps[at])
            if child is None:
                check_fragment(odd.other[number], self._vocabulary.names, is_element=True)
                out += (gap + odd.other[number], "")
            else:
                item = value[child.name][number] if child.is_list else value[child.name]
                out += (gap + self._element(child, item, odd.of(child, number)), "")
        if gaps is not None:
            out += (escaped(gaps[-1]), "")
        elif sequence:
            out += (self._end + "".join(escaped(gap) for gap in odd.gaps or () if gap.strip(XML_SPACE)), "")

    def _sequence(self, value: Mapping[str, Any], odd: _Beside) -> list[tuple[Child | None, int]]:
        """Each element by its definition and number, None for those that the standard does not know."""
        children = self._aggregate.children
        own = [children[name] for name, item in value.items() if name not in SIDES and odd.is_there(name, item)]
        usual: list[tuple[Child | None, int]] = []
        for child in sorted(own, key=lambda child: child.index):
            item = value[child.name]
            if child.is_list != (type(item) is list):
                raise Refused
            usual += [(child, number) for number in range(len(item) if child.is_list else 1)]
        usual += [(None, number) for number in range(len(odd.other))]
        return _ordered(usual, odd.order) if odd.order is not None else usual

    def _element(self, child: Child, item: Any, beside: _Own) -> str:
        declared = {name[6:]: uri for name, uri in beside.attributes.items() if _declares(name)}
        vocabulary = (
            _Vocabulary(self._vocabulary.standard, self._vocabulary.names.below(declared), self._vocabulary.unit)
            if declared
            else self._vocabulary
        )
        tag = vocabulary.tag(child, beside.prefix)
        attributes = attributes_of(beside.attributes, vocabulary.names)
        if child.kind == "Xml" and item is not None:
            check_fragment(item, vocabulary.names, is_element=False)
        if child.kind:
            return element(child.kind, tag, item, beside.attributes, beside.spelled)
        content = vocabulary.writer(vocabulary.standard.aggregate(child.aggregate), self._depth + 1).text(item)
        return f"<{tag}{attributes}>{content}</{tag}>"


def _declares(attribute: str) -> bool:
    return attribute == "xmlns" or attribute.startswith("xmlns:")


class _Own(NamedTuple):
    """What stands beside one value."""

    attributes: Mapping[str, str]
    prefix: str | None
    spelled: str | None


class _Beside:
    """What stands beside the values of an element."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self._attributes, self._prefixes, self._spelled = (
            value.get(side) or {} for side in (ATTRIBUTES, PREFIXES, SPELLED)
        )
        self.other, self.order, self.gaps = value.get(OTHER) or [], value.get(ORDER), value.get(GAPS)

    def is_there(self, name: str, item: Any) -> bool:
        """Whether a value is written: one that could not be read is, as it was spelled."""
        return item is not None or name in self._spelled

    def of(self, child: Child, number: int) -> _Own:
        found = []
        for values in (self._attributes, self._prefixes, self._spelled):
            own = values.get(child.name)
            if child.is_list and own is not None:
                own = own[number] if number < len(own) else None
            found.append(own)
        attributes, prefix, spelled = found
        return _Own(attributes or {}, prefix, spelled)


def _ordered(usual: list[tuple[Child | None, int]], order: list[str]) -> list[tuple[Child | None, int]]:
    """The same in another order, where that names exactly these."""
    waiting: dict[str, list[tuple[Child | None, int]]] = {}
    for one in reversed(usual):
        waiting.setdefault(one[0].name if one[0] else OTHER, []).append(one)
    made = [waiting[name].pop() for name in order if waiting.get(name)]
    return made if len(made) == len(usual) == len(order) else usual
