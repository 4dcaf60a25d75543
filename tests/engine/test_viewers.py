"""What a viewer is shown, and finds: no value of a document, in errors nor by what is asked."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from caller import Caller
from replaying import dead_orders
from world import World

V1 = "/api/v1"
LISTS = ("/messages", "/dead-letters", "/dead-letters?group_by=none")


def test_a_viewer_sees_no_value_of_a_document_in_an_error(call: Callable[..., Caller], world: World) -> None:
    [bad] = world.send({"id": "1", "lines": [{"name": "a", "qty": "Anna-Muster-7"}]})
    for path in (f"/messages/{bad.receipt_id}", *LISTS):
        assert "Anna-Muster-7" not in call("viewer").get(V1 + path).body.decode()
        assert "Anna-Muster-7" in call("operator").get(V1 + path).body.decode()
    assert "Anna-Muster-7" not in call("admin").get("/").body.decode()


def found(caller: Caller, path: str, text: str) -> bool:
    asked = f"{path}{'&' if '?' in path else '?'}text={quote(text)}"
    answer = caller.get(V1 + asked).json
    return bool(answer["issues"] if path == "/dead-letters" else answer["items"])


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", ["Anna", '"value_excerpt":"a', "seen"])
def test_a_viewer_finds_nothing_by_parts_of_what_they_are_not_shown(
    call: Callable[..., Caller], world: World, path: str, text: str
) -> None:
    world.send({"id": "1", "lines": [{"name": "a", "qty": "Anna-Muster-7"}]})
    assert not found(call("viewer"), path, text)


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("text", ["SCHEMA", "available_quantity", "decimal string"])
def test_a_viewer_finds_what_an_error_says_without_values(
    call: Callable[..., Caller], world: World, path: str, text: str
) -> None:
    world.send({"id": "1", "lines": [{"name": "a", "qty": "Anna-Muster-7"}]})
    assert found(call("viewer"), path, text)


@pytest.mark.parametrize("path", LISTS)
def test_a_viewer_finds_keys_by_their_whole_value(call: Callable[..., Caller], world: World, path: str) -> None:
    dead_orders(world, 1)
    assert found(call("viewer"), path, "main")
    assert not found(call("viewer"), path, "mai") and not found(call("viewer"), path, "ain")
