"""Rules of a system: what they say of an answer that they do not fit."""

from __future__ import annotations

import msgspec
import pytest

from connectors._answer import Answer
from connectors._verdicts import Judge
from hub.mapping import compile_expression


@pytest.mark.parametrize("value", ["x7-secret", "O'Brien, x7-secret"])
def test_a_rule_that_does_not_fit_shows_no_value_of_the_answer(value: str) -> None:
    rule = compile_expression("dec(body.a) > 0", file="s", line=1, column=1, names=("status", "body", "headers"))
    verdict = Judge(rule, None, None).of_delivery(Answer(200, {}, msgspec.json.encode({"a": value})), 0.0, 0.0)
    assert verdict.code == "error_in_success"
    assert "the rule success: does not hold (" in verdict.detail
    assert "x7-secret" not in verdict.detail
