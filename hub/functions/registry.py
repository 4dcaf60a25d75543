"""How a mapping function is declared: its arguments, what it gives, and examples that are test and documentation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

KINDS = frozenset(
    {"any", "text", "number", "decimal", "integer", "boolean", "date", "instant", "money", "object", "list"}
    | {"same", "element"}
)

Call = TypeVar("Call", bound=Callable[..., Any])


class Argument(msgspec.Struct, frozen=True):
    """One argument: what kind of value it wants; ``optional`` may be left out, ``repeated`` takes any number."""

    kind: str
    optional: bool = False
    repeated: bool = False


class Function(msgspec.Struct, frozen=True):
    """One function as a mapping sees it.

    ``returns`` is a kind; ``same`` is the kind of the first argument and ``element`` that of the first argument's
    elements. ``nothing`` says when it may give nothing: ``never``, ``first`` (when its first argument is nothing),
    ``empty`` (also when that is empty text) or ``always``. A ``special`` function is not called: the mapping compiler
    writes its own code for it.
    """

    name: str
    call: Callable[..., Any]
    args: tuple[Argument, ...]
    returns: str
    nothing: str
    examples: tuple[tuple[str, Any], ...]
    summary: str
    topic: str
    special: bool = False

    @property
    def least(self) -> int:
        """How many arguments it needs."""
        return sum(1 for argument in self.args if not (argument.optional or argument.repeated))

    @property
    def most(self) -> int | None:
        """How many arguments it takes at most; None where there is no limit."""
        return None if any(argument.repeated for argument in self.args) else len(self.args)

    def wants(self, position: int) -> str:
        """The kind of the argument at this position, from 0."""
        if position < len(self.args):
            return self.args[position].kind
        return self.args[-1].kind if self.args and self.args[-1].repeated else "any"

    @property
    def signature(self) -> str:
        """``money(number, text, [integer])``: for error texts and the reference page."""
        return f"{self.name}({', '.join(_written(argument) for argument in self.args)})"


DECLARED: dict[str, Function] = {}


def function(
    *,
    args: str,
    returns: str,
    examples: Sequence[tuple[str, Any]],
    name: str = "",
    nothing: str = "first",
    special: bool = False,
) -> Callable[[Call], Call]:
    """Declare a mapping function. ``args`` lists kinds: ``text, text?`` (optional), ``any*`` (any number)."""

    def declare(call: Call) -> Call:
        known_as = name or call.__name__
        if known_as in DECLARED and DECLARED[known_as].call.__module__ != call.__module__:
            raise ValueError(f"two functions are called {known_as}")
        summary = " ".join((call.__doc__ or "").split())
        topic = call.__module__.rpartition(".")[2]
        arguments = tuple(_argument(part.strip()) for part in args.split(",") if part.strip())
        kind = returns if returns in KINDS else _unknown(returns)
        DECLARED[known_as] = Function(
            known_as, call, arguments, kind, nothing, tuple(examples), summary, topic, special
        )  # fmt: skip
        return call

    return declare


def _argument(spec: str) -> Argument:
    kind = spec.rstrip("?*")
    return Argument(kind if kind in KINDS else _unknown(kind), optional="?" in spec, repeated="*" in spec)


def _unknown(kind: str) -> str:
    raise ValueError(f"no such kind of value: {kind}")


def _written(argument: Argument) -> str:
    if argument.repeated:
        return f"{argument.kind} …"
    return f"[{argument.kind}]" if argument.optional else argument.kind
