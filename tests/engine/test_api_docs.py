"""The pages about the API say what the API does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from caller import Caller, new_key
from world import World

from hub.api.application import create_app
from hub.backtest.report import REASONS as NOT_COMPARABLE
from hub.replay import REASONS

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"  # what the lists find on either database is told by test_lists


def test_the_reference_names_every_operation_with_its_permission(world: World) -> None:
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    documented = dict(re.findall(r"^\| `((?:GET|POST|DELETE|PUT|PATCH) [^`]+)` \| (\w+) \|", page, re.MULTILINE))
    document = Caller(create_app(world.engine)).get("/api/v1/openapi.json").json
    served = {
        f"{method.upper()} {path}": operation["x-permission"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert documented == served


def operations(world: World) -> dict[str, dict[str, Any]]:
    """Of the OpenAPI document, by method and path."""
    document = Caller(create_app(world.engine)).get("/api/v1/openapi.json").json
    return {
        f"{method} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }


def test_every_answer_has_a_schema_that_says_something(world: World) -> None:
    assert [
        (name, status, kind)
        for name, operation in operations(world).items()
        for status, answer in operation["responses"].items()
        for kind, content in answer["content"].items()
        if not content.get("schema")
    ] == []


def test_whoever_acts_has_to_send_an_idempotency_key(world: World) -> None:
    acting = {name: one for name, one in operations(world).items() if not name.startswith("get ")}
    assert len(acting) > 20
    admin = Caller(create_app(world.engine), new_key(world.store, "admin"))
    for name, operation in acting.items():
        [header] = [one for one in operation["parameters"] if one["name"] == "Idempotency-Key"]
        assert (name, header["in"], header["required"]) == (name, "header", True)
        method, _, path = name.partition(" ")
        assert (name, admin.request(method.upper(), path, None).code) == (name, "idempotency_key_missing")


def test_the_reference_names_every_filter(world: World) -> None:
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    document = Caller(create_app(world.engine)).get("/api/v1/openapi.json").json
    names = {parameter["name"] for parameter in document["paths"]["/api/v1/messages"]["get"]["parameters"]}
    assert [name for name in names if f"`{name}" not in page] == []


def test_the_guide_explains_every_reason_against_a_replay() -> None:
    page = (DOCS / "how-to" / "replay.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(REASONS)


def test_the_guide_explains_every_reason_against_a_comparison() -> None:
    page = (DOCS / "how-to" / "backtest.md").read_text(encoding="utf-8")
    table = page.partition("| not comparable because | |")[2].partition("\n\n")[0]
    assert set(re.findall(r"`([a-z_]+)`", table)) == set(NOT_COMPARABLE)


def test_every_code_of_a_problem_is_in_the_reference() -> None:
    page = (DOCS / "reference" / "api.md").read_text(encoding="utf-8")
    code = "".join(file.read_text(encoding="utf-8") for file in (DOCS.parent / "hub" / "api").glob("[!i]*.py"))
    code += (DOCS.parent / "hub" / "api" / "idempotency.py").read_text(encoding="utf-8")
    raised = set(re.findall(r'Problem\(\s*\d{3}, "(\w+)"', code)) | set(re.findall(r', \d{3}, "(\w+)"\)', code))
    assert len(raised) > 8
    assert [name for name in raised if f"`{name}`" not in page] == []
