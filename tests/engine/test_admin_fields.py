"""Who uses a source field, over the admin API: told from the files of the set in force."""

from __future__ import annotations

from collections.abc import Callable

from caller import Caller
from replaying import deploy
from test_traces import IN, V1, place_in, where
from world import ORDER_IN, World

Call = Callable[..., Caller]


def test_who_uses_a_source_field_is_told_from_the_set_in_force(world: World, call: Call) -> None:
    viewer = call("viewer")
    found = viewer.get(f"{V1}/fields?path=lines.name").json
    assert (found["path"], found["set_id"], found["total"]) == ("lines.name", world.engine.program.set_id, 2)
    own, below = found["items"]
    assert (own["level"], own["becomes"], own["expression"], where(own)) == (
        0, "stock_lines[].item.name", "l.name", (IN, *place_in(ORDER_IN, b"l.name")),
    )  # fmt: skip
    assert (below["level"], below["becomes"], below["where"]) == (1, "lines", "mapping order-out")
    deploy(world, IN, ORDER_IN.replace(b"name: l.name", b"name: l.title"))
    assert viewer.get(f"{V1}/fields?path=lines.name").json["items"] == []
    assert viewer.get(f"{V1}/fields?path=lines.title&route=orders").json["total"] == 2
    wrong = viewer.get(f"{V1}/fields?path=id&route=order")
    assert (wrong.status, wrong.json["hint"]) == (404, "did you mean 'orders'?")
    assert viewer.get(f"{V1}/fields").code == "not_valid"
