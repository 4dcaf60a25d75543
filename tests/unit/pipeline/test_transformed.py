"""What became of a receipt, less some of its messages: nothing that belongs to these is left."""

from __future__ import annotations

import msgspec

from hub.message import Advised, Answered, Body, Came, Delivery, Message, Stated, Subject, Taken
from hub.outcome import Failure
from hub.pipeline.transformed import Transformed

OF_THE_RECEIPT = {"seq", "route", "failure", "final", "came", "begins", "refused"}


def transformed(*positions: int) -> Transformed:
    """A receipt with a message at each position, all of whose fields are filled."""
    came = Came("acme", "101", 7, 0, "digest")
    made = Transformed(7, came=[came], begins=[0], refused=[(came, "dead", b"{}")])
    for position in positions:
        message, delivery = f"message {position}", f"delivery {position}"
        made.messages.append(Message(message, 7, position, "van", "ORDERS", "orders", "", "routed", 0.0))
        made.deliveries.append(Delivery(delivery, message, 7, "van", "orders", "erp", "erp", "", "queued", 0.0))
        made.documents += [(message, "canonical", b"{}"), (delivery, "lookups", b"[]")]
        made.bodies[delivery] = Body(b"{}", "application/json")
        made.unbuilt[delivery] = Failure("mapping", "mapping", "it cannot be built")
        made.xrefs.append(("erp", "order", "1", "2", 0.0, message))
        made.message_rows += [(message, "canonical"), (delivery, "lookups")]
        made.body_rows.append((delivery, "sent"))
        made.answered.append(Answered("acme", "interchange", 1, "accepted", "receipt", 7, position))
        made.advised.append(Advised(7, "acme", message, Subject("ORDERS", "D96A")))
        made.taken.append(Taken(position, "1", "digest"))
        made.stated.append(stated(message))
        made.documents_came.append(Came("acme", "document", 7, position, "digest"))
    return made


def stated(message: str) -> Stated:
    return Stated(
        "DE02", "end_of_day", "S-1", "2026-03-05", "", 1, 1, 1, "0", "1", "digest", "sums", 1, "bank", "statements",
        message, 0,
    )  # fmt: skip


def test_every_field_is_filled_here() -> None:
    empty = {name for name in Transformed.__struct_fields__ if not getattr(transformed(1), name)}
    assert empty <= OF_THE_RECEIPT


def test_without_a_message_all_that_belongs_to_it_is_gone() -> None:
    assert transformed(1, 2, 3).without({"message 1", "message 3"}) == transformed(2)


def test_a_message_that_goes_no_further_keeps_its_document_and_asserts_nothing() -> None:
    both, one = transformed(1, 2), transformed(1)
    left = both.ended({"message 2"})
    assert (left.deliveries, left.bodies, left.unbuilt, left.xrefs, left.body_rows) == (
        one.deliveries, one.bodies, one.unbuilt, one.xrefs, one.body_rows
    )  # fmt: skip
    assert left.documents == [*one.documents, ("message 2", "canonical", b"{}")]
    assert left.message_rows == [*one.message_rows, ("message 2", "canonical")]
    assert msgspec.structs.asdict(left)["messages"] == both.messages


def test_an_interchange_is_the_same_key_once_it_has_come_from_another_process() -> None:
    came = Came("acme", "101", 7, 0, "digest", refusal=b"{}", shown=(("password", "", ""),))
    brought = msgspec.msgpack.decode(msgspec.msgpack.encode(Transformed(7, came=[came])), type=Transformed)
    assert {came: 1} == {brought.came[0]: 1}
