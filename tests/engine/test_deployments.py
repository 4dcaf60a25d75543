"""Which set of files is in force, and who put it there: in the audit by the same commit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from caller import Caller, new_key
from world import ORDER_OUT, World

from hub.api.application import create_app
from hub.deploy import deploy, is_taken_back, rollback
from hub.errors import Conflict, StoreError
from hub.store import Store, audit, is_shared, sets
from hub.store.audit import Actor

ANNA = Actor("anna", "admin", "127.0.0.1")


class Folder:
    """Deploys a project's files into the store of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def deploy(self, actor: Actor, reason: str = "") -> int:
        world = self._world
        return deploy(world.store, world.files, None, world.clock, actor, anew=True, reason=reason).set_id

    def rollback(self, actor: Actor, reason: str = "") -> int:
        world = self._world
        return rollback(world.store, None, world.clock, actor, reason=reason).set_id


def changed(world: World, text: bytes = b"# another") -> None:
    """The project's files say something else now."""
    world.files["mappings/order-out.yaml"] = ORDER_OUT + text


def acts(world: World) -> list[tuple[Any, ...]]:
    """What the audit says of each, the oldest first."""
    return [
        (row["action"], row["actor"], row["detail"]["before"], row["detail"]["after"], row["reason"])
        for row in reversed(audit.listed(world.store.reader(), 10))
    ]


def test_every_set_that_is_put_in_force_is_in_the_audit_with_who_and_why(world: World) -> None:
    admin = Caller(create_app(world.engine, deployer=Folder(world)), new_key(world.store, "admin"))
    changed(world)
    for path, reason in (("", "OPS-1"), ("", "new secrets"), ("/rollback", "OPS-2")):
        assert admin.post(f"/api/v1/deployments{path}", {"reason": reason}).status == 200
    assert acts(world) == [
        ("set.deploy", "test", None, 1, ""),
        ("set.deploy", "admin", 1, 2, "OPS-1"),
        ("set.deploy", "admin", 2, 2, "new secrets"),
        ("set.rollback", "admin", 2, 1, "OPS-2"),
    ]
    assert {row["origin"] for row in audit.listed(world.store.reader(), 3)} == {"203.0.113.9"}
    deploy(world.store, world.files, None, world.clock, ANNA)
    deploy(world.store, world.files, None, world.clock, ANNA)  # nothing that is not in force already
    assert acts(world)[4:] == [("set.deploy", "anna", 1, 2, "")]


def test_what_was_in_force_before_is_gone_back_to_also_where_it_was_deployed_later(world: World) -> None:
    folder = Folder(world)
    for text, number in ((b"# two", 2), (b"# three", 3), (b"# two", 2)):
        changed(world, text)
        assert folder.deploy(ANNA) == number
    assert folder.rollback(ANNA) == 3
    assert is_taken_back(world.store, world.files)
    assert [folder.rollback(ANNA), folder.rollback(ANNA)] == [2, 1]
    with pytest.raises(Conflict, match="there is no earlier set to go back to"):
        folder.rollback(ANNA)


@pytest.mark.parametrize("step", [Folder.deploy, Folder.rollback])
def test_what_cannot_be_in_the_audit_is_not_put_in_force(world: World, step: Callable[..., int]) -> None:
    changed(world)
    set_id = Folder(world).deploy(ANNA)
    changed(world, b"# a third")
    raised = "EXECUTE FUNCTION refuse('full')" if is_shared(world.store.url) else (
        "BEGIN SELECT RAISE(ABORT, 'full'); END")  # fmt: skip
    world.store.write(lambda db: db.execute(f"CREATE TRIGGER full_audit BEFORE INSERT ON audit FOR EACH ROW {raised}"))
    try:
        with pytest.raises(StoreError, match="full"):
            step(Folder(world), ANNA)
    finally:
        on = " ON audit" if is_shared(world.store.url) else ""
        world.store.write(lambda db: db.execute(f"DROP TRIGGER full_audit{on}"))
    assert sets.active(world.store.reader()) == set_id


class Overtaken:
    """A store that another process goes back in just before this one writes."""

    def __init__(self, world: World) -> None:
        self._world, self.reader = world, world.store.reader

    def write(self, job: Any) -> Any:
        Folder(self._world).rollback(ANNA)
        return self._world.store.write(job)


def test_of_two_who_go_back_at_once_one_does(world: World) -> None:
    for text in (b"# two", b"# three"):
        changed(world, text)
        Folder(world).deploy(ANNA)
    late: Store = Overtaken(world)  # type: ignore[assignment]
    with pytest.raises(Conflict, match="another set was put in force meanwhile"):
        rollback(late, None, world.clock, ANNA)
    assert sets.active(world.store.reader()) == 2
