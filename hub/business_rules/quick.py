"""The rules of one type as one Python function, which only tells whether a document passes them.

Nearly every document does. So this function is asked first, and the walk that words faults is taken where it says no.
It is written from the tests of the rules and the structure of the type, and touches only fields that have a rule. A
document with a rule's field where the structure has none does not pass: the walk shall look at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hub.business_rules.fields import tables
from hub.business_rules.leaves import WHOLE
from hub.business_rules.structure import Structure, structure_of
from hub.business_rules.walk import Rule, Rules
from hub.codes import CodeLists

Passes = Callable[[Any], bool]


@lru_cache(256)
def passes(kind: str, currency: tuple[str, ...], codes: CodeLists) -> Passes:
    """The function of a type; ``currency`` is the path to the one that all amounts must have, if there is one.

    It may raise what Python raises where a document is not like its schema. No document of an unknown type passes.
    """
    structure, rules = structure_of(kind), tables(codes)
    if structure is None:
        return _never
    body = _Body(is_mixed=not currency)
    if currency:
        path = "".join(f"[{name!r}]" for name in currency)
        body.write(f"currency = document{path}")
        body.write(f"whole = {body.name_of(WHOLE)}[currency]")
    body.look_into("document", rules.get(kind) or rules[""], structure)
    return body.function(f"<rules of {kind}>")


def _never(_: Any) -> bool:
    return False


@dataclass(slots=True)
class _Body:
    """The body of one function while it is written: its lines and the values that it has names for."""

    is_mixed: bool
    depth: int = 1
    lines: list[str] = field(default_factory=list)
    values: list[Any] = field(default_factory=list)
    variables: int = 0

    def write(self, line: str) -> None:
        self.lines.append(" " * self.depth + line)

    def name_of(self, value: object) -> str:
        """The name that the function knows a value by."""
        places = [place for place, known in enumerate(self.values) if known is value]
        if not places:
            self.values.append(value)
        return f"g{places[0] if places else len(self.values) - 1}"

    def look_into(self, variable: str, rules: Rules, structure: Structure) -> None:
        """Lines for an object that stands in ``variable``."""
        fields = {name: place for name, place in structure.fields() if name in rules}
        required = structure.required()
        others = f"not {self.name_of(frozenset(rules.keys() - fields.keys()))}.isdisjoint({variable})"
        # An object that holds just the fields that must be there, each of which is asked for below, holds no other.
        if required and required <= fields.keys():
            others = f"len({variable}) != {len(required)} and {others}"
        self.write(f"if {others}: return False")
        for name, place in fields.items():
            if name in required:
                self._ask(rules[name], f"{variable}[{name!r}]", place)
            else:
                self.write(f"if {name!r} in {variable}:")
                self._below(rules[name], f"{variable}[{name!r}]", place)

    def _ask(self, rule: Rule, value: str, place: Structure) -> None:
        """Lines for one value, which the expression ``value`` gives."""
        if rule.element is not None:
            variable = self._variable()
            self.write(f"for {variable} in {value}:")
            self._below(rule.element, variable, place.element())
            return
        if rule.fields is not None:
            if not value.isidentifier():
                variable = self._variable()
                self.write(f"{variable} = {value}")
                value = variable
            self.look_into(value, rule.fields, place)
        test = (rule.mixed if self.is_mixed else "") or rule.test
        if test:
            names = {name: self.name_of(used) for name, used in rule.uses.items()}
            self.write(f"if {test.format(value=value, **names)}: return False")

    def _below(self, rule: Rule, value: str, place: Structure) -> None:
        self.depth += 1
        self._ask(rule, value, place)
        self.depth -= 1

    def _variable(self) -> str:
        self.variables += 1
        return f"v{self.variables}"

    def function(self, marker: str) -> Passes:
        text = "\n".join(["def passes(document):", *self.lines, " return True"])
        names = {f"g{place}": value for place, value in enumerate(self.values)}
        exec(compile(text, marker, "exec"), names)  # noqa: S102  written from the hub's own rules and schemas only
        return names["passes"]  # type: ignore[no-any-return]
