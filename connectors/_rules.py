"""What the expressions of a system's settings say of an answer.

A rule is the user's and an answer anybody's: whatever evaluating one raises becomes a sentence for an operator, which
shows no value of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Rule = Callable[..., Any]
_LONGEST_REFERENCE = 2000
_QUOTED = re.compile(r"'.*'", re.DOTALL)  # the last one may be that of a name: O'Brien


def value_of(rule: Rule, facts: Mapping[str, Any]) -> tuple[Any, str]:
    """What a rule gives, and '' or why it does not fit the answer."""
    try:
        return rule(**facts), ""
    except Exception as error:  # compiled by others, who say by their own errors what does not fit
        return None, _QUOTED.sub("…", str(error)) or type(error).__name__


def holds(rule: Rule | None, facts: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether a rule holds. One that cannot be evaluated on this answer does not; the second value says why."""
    if rule is None:
        return False, ""
    value, trouble = value_of(rule, facts)
    return bool(value), f" ({trouble})" if trouble else ""


def reference_of(rule: Rule | None, facts: Mapping[str, Any]) -> str:
    """What the receiver calls the thing; nothing where the rule does not fit the answer: all goes on without it."""
    value = value_of(rule, facts)[0] if rule is not None else None
    plain = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
    return str(value)[:_LONGEST_REFERENCE] if plain else ""
