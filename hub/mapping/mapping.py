"""A compiled mapping: a document in, a document out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import getcontext, setcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from hub.errors import Fault
from hub.functions import allowance
from hub.functions.numbers import EXACT
from hub.functions.refusal import kind_of, refusal
from hub.mapping.blame import located
from hub.mapping.context import EMPTY, Context
from hub.mapping.coverage import Probes
from hub.mapping.tables import Table
from hub.mapping.trace import Notes, Trace
from hub.mapping.uses import Use, uses_of
from hub.mapping.writer import Spot

if TYPE_CHECKING:
    from hub.schemas import SchemaSet

_UNCLEAR = (ArithmeticError, AttributeError, LookupError, TypeError)  # what fast code raises without words of its own


class Side(msgspec.Struct, frozen=True):
    """What a mapping reads or writes: format and schema by name, and the codec's own options."""

    format: str | None = None
    schema: str | None = None
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class Program(msgspec.Struct, frozen=True):
    """The function a mapping became, and the expressions it was made of."""

    run: Callable[..., Any]
    spots: Sequence[Spot]


class Mapping(msgspec.Struct, frozen=True):
    """One mapping file, compiled. Safe to use from many threads at once."""

    name: str
    version: int
    description: str
    file: str
    source: Side
    target: Side
    tables: tuple[str, ...]
    xrefs: bool
    warnings: tuple[Fault, ...]
    _fast: Program
    _safe: Callable[[], Program]
    _traced: Callable[[], Program]
    _safely_traced: Callable[[], Program]
    _lookups: tuple[tuple[Table, str], ...]
    _finders: tuple[Callable[..., Any], ...]
    _probed: Callable[[bool, Probes], Program]
    _misfits: Callable[[SchemaSet], tuple[Fault, ...]]

    def apply(self, document: Any, context: Context = EMPTY) -> Any:
        """The target document. Raises MappingError with the place in the mapping file and the target field."""
        arguments = document, context.envelope, context.company, *self._given(context)
        try:
            try:
                return self._run(self._fast, arguments)
            except _UNCLEAR:
                # Fast code took something for what it is not, or there is a real mistake: safe code tells which.
                return self._run(self._safe(), arguments, is_last=True)
        except Outside as outside:
            raise outside.error from None

    def trace(self, document: Any, context: Context = EMPTY) -> tuple[Any, Trace]:
        """The target document and, for each of its fields, the expression and the source paths it came from."""
        arguments = document, context.envelope, context.company, *self._given(context)
        program, notes = self._traced(), Notes()
        try:
            try:
                result = self._run(program, (*arguments, *notes.callbacks()))
            except _UNCLEAR:
                program, notes = self._safely_traced(), Notes()
                result = self._run(program, (*arguments, *notes.callbacks()), is_last=True)
        except Outside as outside:
            raise outside.error from None
        return result, Trace(notes, program.spots)

    def uses(self) -> list[Use]:
        """What each of its expressions reads and is for, known without running it."""
        return list(uses_of(self._traced().spots))

    def misfits(self, schemas: SchemaSet) -> tuple[Fault, ...]:
        """What would be wrong with it if its schemas were these."""
        return self._misfits(schemas)

    def covered(self, probes: Probes) -> Mapping:
        """The same mapping, which notes in ``probes`` what of it runs."""
        fast, safe = self._probed(True, probes), self._probed(False, probes)
        return replace(self, _fast=fast, _safe=lambda: safe)

    def _run(self, program: Program, arguments: tuple[Any, ...], *, is_last: bool = False) -> Any:
        """One run, with exact arithmetic. The errors fast code may only have by its short cuts go up as they are."""
        saved = getcontext()
        setcontext(EXACT)
        allowance.begin()
        try:
            return program.run(*arguments)
        except Outside:
            raise
        except Exception as error:
            if not is_last and isinstance(error, _UNCLEAR):
                raise
            raise located(error, self.file, self.file, program.spots) from None
        finally:
            setcontext(saved)
            allowance.end()

    def _given(self, context: Context) -> tuple[Callable[..., Any], ...]:
        return self._finders if context.record is None and context.xref is None else self._finding(context)

    def _finding(self, context: Context) -> tuple[Callable[..., Any], ...]:
        """The functions for cross-references and look-ups, each noting what it found where the context asks for it."""
        record = context.record
        found: list[Callable[..., Any]] = [partial(find_xref, context)]
        for (table, column), find in zip(self._lookups, self._finders[1:], strict=True):
            name = table.name if column == "value" else f"{table.name}.{column}"
            found.append(find if record is None else partial(_recorded, record, name, find))
        return tuple(found)


class Outside(Exception):
    """What the caller's own functions raised, such as a store that is away: no fault of the mapping."""

    def __init__(self, error: Exception) -> None:
        self.error = error


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except Exception as error:
        raise Outside(error) from None


def _recorded(
    record: Callable[..., None], table: str, find: Callable[..., Any], key: Any, otherwise: Any = None
) -> Any:
    value = find(key)
    _called(record, "lookup", (table, key), value)
    return otherwise if value is None else value


def find_xref(context: Context, system: Any, kind: Any, identifier: Any) -> str | None:
    """The hub's id for another system's; nothing where it is not known, or there is no id to ask for."""
    for value, what in ((system, "system"), (kind, "kind"), (identifier, "id")):
        if value is not None and not isinstance(value, str):
            raise refusal(f"xref wants text as its {what}, got {kind_of(value)}", value, hint="write text(…)")
    if system is None or kind is None or identifier is None or identifier == "":
        return None
    found: str | None = _called(context.xref, system, kind, identifier) if context.xref is not None else None
    if context.record is not None:
        _called(context.record, "xref", (system, kind, identifier), found)
    return found
