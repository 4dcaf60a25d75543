"""The main job: a document in, its effect out, once, in order, and every fault a row with a reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from replaying import CSV_IN
from world import ORDER_IN, ORDER_OUT, ROUTES, START, World, order

from connectors.base import ABSENT, DOUBT, FOUND, LATER, REFUSED, STOPPED, Verdict
from hub.deploy import deploy
from hub.message import Delivery
from hub.pipeline.gather import Built
from hub.pipeline.program import Program
from hub.pipeline.split import LocalTransformer
from hub.store import conservation, switches
from hub.store.audit import Actor

FAN_OUT = b"""
route: orders
from: {system: shop, event: order}
map: order-in
key: src.report_id
to:
  - {system: erp, map: order-out}
  - {system: wms, map: order-out, after: erp}
  - {system: crm, map: order-out, when: count(src.stock_lines) > 1}
retry: {attempts: 2, first: 10s, factor: 2, cap: 60s, jitter: none}
"""


def test_an_order_is_stored_mapped_validated_sent_and_recorded(world: World) -> None:
    [accepted] = world.send(order(1, lines=2))
    assert world.target("erp").bodies == [{"ref": "1", "lines": 2}]
    assert world.states() == [("erp", "delivered")]
    [(message_id, state)] = world.rows("SELECT message_id, state FROM messages")
    assert (message_id, state) == (accepted.receipt_id, "routed")
    assert world.rows("SELECT outcome, status, revision FROM attempts") == [("delivered", 200, 1)]
    assert world.rows("SELECT state FROM receipts") == [("split",)]


def test_a_repeat_is_answered_with_the_first_receipt_and_has_no_effect(world: World) -> None:
    [first] = world.send(order(1), dedupe="k1")
    [again] = world.send(order(1), dedupe="k1")
    assert (again.receipt_id, again.duplicate) == (first.receipt_id, True)
    assert len(world.target("erp").sent) == 1


def test_two_equal_documents_without_an_id_are_two_true_sales(world: World) -> None:
    world.send(order(1), order(1))
    assert len(world.target("erp").sent) == 2


def test_the_delivery_id_is_the_idempotency_key_and_every_retry_sends_the_same_bytes(world: World) -> None:
    erp = world.target("erp")
    erp.answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1))
    assert world.states() == [("erp", "retrying")]
    world.wait(9.9)
    assert len(erp.sent) == 1
    world.wait(0.2)
    assert world.states() == [("erp", "delivered")]
    assert {(p.key, p.body) for p in erp.sent} == {(f"{erp.sent[0].delivery_id}.1", erp.sent[0].body)}


def test_retry_after_wins_over_the_policy(world: World) -> None:
    world.target("erp").answers.append(Verdict(LATER, code="http_429", status=429, retry_after_seconds=300.0))
    world.send(order(1))
    assert world.rows("SELECT due_at FROM deliveries") == [(START + 300.0,)]


def test_a_policy_that_is_used_up_ends_in_a_dead_letter_that_frees_its_lane(world: World) -> None:
    erp = world.target("erp")
    erp.answers.extend([Verdict(LATER, code="connect_refused", detail="nobody listens")] * 3)
    world.send(order(1), order(1))
    for _ in range(3):
        world.wait(61)
    assert [state for _, state in world.states()] == ["dead", "delivered"]
    [(failure,)] = world.rows("SELECT failure FROM deliveries WHERE state = 'dead'")
    found = msgspec.json.decode(failure)
    assert (found["class"], found["code"], found["step"]) == ("connection", "connect_refused", "deliver")
    assert len(found["fingerprint"]) == 16


def test_a_key_keeps_its_order_while_the_first_is_retried_and_other_keys_go_on(world: World) -> None:
    erp = world.target("erp")
    erp.answers.append(Verdict(LATER, code="http_503", status=503))
    world.send(order(1, 1), order(1, 2), order(2, 3))
    assert [body["lines"] for body in erp.bodies] == [1, 3]
    world.wait(11)
    assert [body["lines"] for body in erp.bodies] == [1, 3, 1, 2]


def test_a_batch_never_holds_two_of_one_lane(world: World) -> None:
    erp = world.target("erp")
    erp.silent = True
    world.send(*[order(1, n) for n in range(1, 6)])
    assert [body["lines"] for body in erp.bodies] == [1]


@pytest.mark.parametrize(
    ("on_error", "states", "held_by_lane"),
    [
        ("dead_letter", ["dead", "delivered"], 0),
        ("block_key", ["dead", "queued"], 2),
        ("skip", ["skipped", "delivered"], 0),
        ("stop", ["held", "queued"], 2),
    ],
)
def test_on_error_decides_what_a_refusal_does_to_the_lane(
    make_world: Callable[..., World], on_error: str, states: list[str], held_by_lane: int
) -> None:
    from world import ROUTES

    world = make_world(routes=ROUTES + f"on_error: {on_error}\n".encode())
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422, detail="no"))
    world.send(order(1), order(1))
    assert [state for _, state in world.states()] == states
    assert world.rows("SELECT count(*) FROM deliveries WHERE holds_lane = 1") == [(held_by_lane,)]
    assert bool(switches.listed(world.store.reader())) == (on_error == "stop")


def test_what_comes_after_waits_for_it_and_a_condition_decides(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FAN_OUT)
    world.target("erp").silent = True
    world.send(order(1))
    assert sorted(world.states()) == [("erp", "delivering"), ("wms", "queued")]
    assert not world.target("wms").sent
    assert not world.target("crm").sent


def test_what_comes_after_goes_once_the_first_is_delivered(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FAN_OUT)
    world.send(order(1, 2))
    assert sorted(world.states()) == [("crm", "delivered"), ("erp", "delivered"), ("wms", "delivered")]


def test_a_decimal_is_the_same_for_who_comes_at_once_and_who_comes_after(make_world: Callable[..., World]) -> None:
    world = make_world(
        routes=ROUTES.replace(b"map: order-out}", b"map: order-out}\n  - {system: crm, map: order-out, after: erp}"),
        order_in=ORDER_IN + b"  extensions: {own: {weight: src.weight}}\n",
        order_out=ORDER_OUT + b"  weight: src.extensions.own.weight\n  twice: 2 * src.extensions.own.weight\n",
    )
    world.send(b'{"id":1,"lines":[{"name":"hose","qty":1}],"weight":0.10}')
    body = b'{"ref":"1","lines":1,"weight":0.10,"twice":0.20}'
    assert [[parcel.body for parcel in world.target(name).sent] for name in ("erp", "crm")] == [[body], [body]]


def test_what_comes_after_a_dead_delivery_is_held_with_the_reason(make_world: Callable[..., World]) -> None:
    world = make_world(routes=FAN_OUT)
    world.target("erp").answers.append(Verdict(REFUSED, code="http_422", status=422))
    world.send(order(1))
    assert sorted(world.states()) == [("erp", "dead"), ("wms", "held")]
    [(failure,)] = world.rows("SELECT failure FROM deliveries WHERE target = 'wms'")
    assert "ended as dead" in msgspec.json.decode(failure)["detail"]


def test_doubt_with_a_key_is_sent_again_with_the_same_key(world: World) -> None:
    erp = world.target("erp")
    erp.answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1))
    world.wait(11)
    assert len({p.key for p in erp.sent}) == 1
    assert world.states() == [("erp", "delivered")]


def _to(system: str) -> bytes:
    from world import ROUTES

    return ROUTES.replace(b"system: erp", f"system: {system}".encode())


@pytest.mark.parametrize(("answer", "sends"), [(Verdict(FOUND), 1), (Verdict(ABSENT), 2)])
def test_doubt_with_a_look_up_waits_looks_and_sends_only_what_is_absent(
    make_world: Callable[..., World], answer: Verdict, sends: int
) -> None:
    world = make_world(routes=_to("wms"))
    wms = world.target("wms")
    wms.answers.append(Verdict(DOUBT, code="http_502", status=502))
    wms.found.append(answer)
    world.send(order(1))
    assert world.states() == [("wms", "unknown")]
    world.wait(59)
    assert not wms.asked
    world.wait(2)
    assert world.states() == [("wms", "delivered")]
    assert len(wms.sent) == sends


def test_a_look_up_that_cannot_be_made_is_made_again_and_nothing_is_sent(make_world: Callable[..., World]) -> None:
    world = make_world(routes=_to("wms"))
    wms = world.target("wms")
    wms.answers.append(Verdict(DOUBT, code="read_timeout"))
    wms.found.extend([Verdict(LATER, code="connect_refused"), Verdict(FOUND)])
    world.send(order(1))
    world.wait(61)
    assert world.states() == [("wms", "unknown")]
    world.wait(61)
    assert world.states() == [("wms", "delivered")]
    assert len(wms.sent) == 1


def test_a_refusal_says_how_to_read_what_the_receiver_answered(world: World) -> None:
    world.target("erp").answers.append(
        Verdict(REFUSED, code="http_422", status=422, response=b'{"error": "no unit XCR"}')
    )
    world.send(order(1))
    [(delivery, hint)] = world.rows("SELECT delivery_id, failure ->> '$.hint' FROM deliveries WHERE state = 'dead'")
    assert (
        f"o2c show {delivery} --payload response.erp; correct the data or the mapping, then: o2c replay {delivery}"
        in hint
    )


def test_doubt_without_any_offer_is_held_for_a_person(make_world: Callable[..., World]) -> None:
    world = make_world(routes=_to("crm"))
    world.target("crm").answers.append(Verdict(DOUBT, code="read_timeout"))
    world.send(order(1))
    world.wait(10_000)
    assert world.states() == [("crm", "held")]
    assert world.rows("SELECT hold_reason, doubt FROM deliveries") == [("unknown", 1)]
    assert len(world.target("crm").sent) == 1


def test_bad_credentials_stop_the_system_and_spare_the_messages(world: World) -> None:
    erp = world.target("erp")
    erp.answers.append(Verdict(STOPPED, code="http_401", status=401, detail="credentials refused"))
    world.send(order(1))
    world.send(order(2))
    world.wait(10_000)
    assert len(erp.sent) == 1
    assert [(s["kind"], s["name"], s["state"]) for s in switches.listed(world.store.reader())] == [
        ("system", "erp", "stopped")
    ]
    world.store.write(lambda db: switches.release(db, "system", "erp"))
    world.wait(1)
    assert [state for _, state in world.states()] == ["delivered", "delivered"]
    assert world.rows("SELECT attempts FROM deliveries ORDER BY lane_seq") == [(1,), (1,)]


@pytest.mark.parametrize(
    ("document", "event", "error_class", "step", "text"),
    [
        (b'{"id": "1", "lines": [', "order", "parse", "decode", "line 1"),
        ({"id": "1", "lines": [{"name": "x"}]}, "order", "mapping", "map", "stock_lines[0].available_quantity.value"),
        ({"id": "1", "lines": [{"name": "x", "qty": "1,5"}]}, "order", "schema", "validate", "1,5"),
        (order(1), "nothing", "no_route", "route", "no route takes"),
    ],
)
def test_what_cannot_be_read_mapped_or_routed_is_a_dead_letter_with_its_reason(
    world: World, document: object, event: str, error_class: str, step: str, text: str
) -> None:
    world.send(document, event=event)
    dead = world.rows("SELECT failure FROM receipts WHERE state = 'dead'")
    dead += world.rows("SELECT failure FROM messages WHERE state = 'dead'")
    [(failure,)] = dead
    found = msgspec.json.decode(failure)
    assert (found["class"], found["step"]) == (error_class, step)
    assert text in found["detail"] + found.get("position", "") + found.get("field_path", "")
    assert world.target("erp").sent == []


def test_an_event_that_is_wanted_by_nobody_on_purpose_is_filtered(world: World) -> None:
    world.send({"zen": "hi"}, event="ping")
    assert world.rows("SELECT state FROM messages") == [("filtered",)]


def test_a_target_mapping_that_fails_buries_its_delivery_and_not_the_message(make_world: Callable[..., World]) -> None:
    from world import ORDER_OUT

    world = make_world(order_out=ORDER_OUT.replace(b"count(src.stock_lines)", b"10 / (count(src.stock_lines) - 1)"))
    world.send(order(1, 1), order(1, 2))
    assert [state for _, state in world.states()] == ["dead", "delivered"]
    [(failure,)] = world.rows("SELECT failure FROM deliveries WHERE state = 'dead'")
    found = msgspec.json.decode(failure)
    assert (found["class"], found["file"], found["line"]) == ("mapping", "mappings/order-out.yaml", 8)


@pytest.mark.parametrize(
    ("events", "taken"),
    [
        (b", event: [order, change]", ["order", "change"]),
        (b", event: order", ["order"]),
        (b"", ["order", "change", "rush"]),
    ],
)
def test_a_route_takes_what_its_events_say(make_world: Callable[..., World], events: bytes, taken: list[str]) -> None:
    world = make_world(routes=ROUTES.replace(b", event: order", events))
    for event in ("order", "change", "rush"):
        world.send(order(1), event=event)
    assert [event for (event,) in world.rows("SELECT event FROM messages ORDER BY seq")] == taken


def test_a_window_bounds_what_is_in_hand_and_the_rest_follows(world: World) -> None:
    crm_like = world.target("erp")
    crm_like.silent = True
    world.send(*[order(n) for n in range(600)])
    in_hand = world.rows("SELECT count(*) FROM deliveries WHERE state = 'delivering'")[0][0]
    assert in_hand == len(crm_like.sent) < 600


def built_again(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Filled with the ids of deliveries whose bytes are made a second time."""
    found: list[str] = []
    build = LocalTransformer.build

    def noted(self: LocalTransformer, deliveries: Sequence[Delivery], program: Program) -> list[Built]:
        found.extend(d.delivery_id for d in deliveries)
        return build(self, deliveries, program)

    monkeypatch.setattr(LocalTransformer, "build", noted)
    return found


def test_what_had_no_room_at_first_is_not_built_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    again = built_again(world, monkeypatch)
    world.send(*[order(n) for n in range(600)])
    assert [state for _, state in world.states()] == ["delivered"] * 600
    assert len({parcel.body for parcel in world.target("erp").sent}) == 600
    assert again == []


def test_what_waited_while_another_set_was_deployed_is_built_by_that_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    again = built_again(world, monkeypatch)
    erp = world.target("erp")
    world.engine.accept([world.arrival(order(n)) for n in range(600)])
    while len(erp.sent) < 512:
        world.calls.popleft()()
        world.settle_writes()
    changed = world.files["mappings/order-out.yaml"].replace(b"ref:", b"reference:")
    program = deploy(world.store, world.files | {"mappings/order-out.yaml": changed}, None, world.clock, Actor("test"))
    world.engine.activate(program)
    world.run()
    assert [sorted(body) for body in erp.bodies] == [["lines", "ref"]] * 512 + [["lines", "reference"]] * 88
    assert len(again) == 88


def test_what_breaks_off_after_many_slices_says_how_many_records_went_on(make_world: Callable[..., World]) -> None:
    world = make_world(order_in=CSV_IN)
    rows = "".join(f"{number},5\n" for number in range(1200))
    world.send(f"id,qty\n{rows}".encode("utf-16")[:-1])
    [(state, count, detail)] = world.rows("SELECT state, message_count, failure ->> 'detail' FROM receipts")
    assert (state, count) == ("dead", 1199)
    assert detail.endswith("the 1199 records before it were taken in and went on")
    assert len(world.target("erp").sent) == 1199
    with world.store.snapshot() as db:
        assert conservation.check(db) == []


def test_what_is_stored_is_split_also_when_its_answer_cannot_be_given(world: World) -> None:
    def hung_up(*_: object) -> None:
        raise ConnectionError("the sender is gone")

    world.engine.accept_soon([world.arrival(order(1))], hung_up)
    world.run()
    assert world.states() == [("erp", "delivered")]


def test_documents_that_another_process_took_in_are_read_with_as_many_statements_as_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def statements(count: int) -> int:
        seqs = [accepted.seq for accepted in world.engine.accept([world.arrival(order(n)) for n in range(count)])]
        world.engine._cache.clear()
        counting = Counting(world.store.reader())
        with monkeypatch.context() as patched:
            patched.setattr(world.store, "reader", lambda: counting)
            assert len(world.engine._work(seqs)) == count
        return counting.ran

    assert statements(1) == statements(20)


class Counting:
    """A reading connection that counts what is asked of it."""

    def __init__(self, db: Any) -> None:
        self.ran, self._db = 0, db

    def execute(self, *given: Any) -> Any:
        self.ran += 1
        return self._db.execute(*given)

    def executemany(self, *given: Any) -> Any:
        self.ran += 1
        return self._db.executemany(*given)
