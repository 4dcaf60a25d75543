"""What became of a receipt, on its way to the store."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from hub.message import Advised, Answered, Body, Came, Delivery, Message, Stated, Taken
from hub.outcome import Failure


class Transformed(msgspec.Struct, array_like=True):
    """What became of one receipt, or of one slice of a large one: messages, deliveries, the bytes of those that may
    go at once. ``final`` is False where more of the receipt follows. ``documents`` are (message, stage, bytes); packed
    for the store they are ``message_rows``, as the bodies are ``body_rows``. ``begins`` are the positions of the
    interchanges that begin in it, taken in or not. ``refused`` are those whose senders are told so, each with the
    message that is the dead letter of it, and with what is told."""

    seq: int
    route: str = ""
    messages: list[Message] = []
    deliveries: list[Delivery] = []
    documents: list[tuple[str, str, bytes]] = []
    bodies: dict[str, Body] = {}
    unbuilt: dict[str, Failure] = {}
    xrefs: list[tuple[str, str, str, str, float, str]] = []
    failure: Failure | None = None
    final: bool = True
    message_rows: list[Any] = []
    body_rows: list[Any] = []
    came: list[Came] = []
    answered: list[Answered] = []
    advised: list[Advised] = []
    taken: list[Taken] = []
    documents_came: list[Came] = []
    stated: list[Stated] = []
    begins: list[int] = []
    refused: list[tuple[Came, str, bytes]] = []

    def ended(self, message_ids: Collection[str]) -> Transformed:
        """The same where some messages go no further: without their deliveries, and without what they assert."""
        gone = {delivery.delivery_id for delivery in self.deliveries if delivery.message_id in message_ids}
        return msgspec.structs.replace(
            self,
            deliveries=[delivery for delivery in self.deliveries if delivery.delivery_id not in gone],
            documents=[row for row in self.documents if row[0] not in gone],
            bodies={key: body for key, body in self.bodies.items() if key not in gone},
            unbuilt={key: failure for key, failure in self.unbuilt.items() if key not in gone},
            xrefs=[row for row in self.xrefs if row[5] not in message_ids],
            message_rows=[row for row in self.message_rows if row[0] not in gone],
            body_rows=[row for row in self.body_rows if row[0] not in gone],
        )

    def without(self, message_ids: Collection[str]) -> Transformed:
        """The same without some messages and all that belongs to them."""
        positions = {message.position for message in self.messages if message.message_id in message_ids}
        left = self.ended(message_ids)
        return msgspec.structs.replace(
            left,
            messages=[message for message in left.messages if message.message_id not in message_ids],
            documents=[row for row in left.documents if row[0] not in message_ids],
            message_rows=[row for row in left.message_rows if row[0] not in message_ids],
            answered=[each for each in left.answered if each.position not in positions],
            advised=[each for each in left.advised if each.message_id not in message_ids],
            taken=[each for each in left.taken if each.position not in positions],
            documents_came=[each for each in left.documents_came if each.position not in positions],
            stated=[each for each in left.stated if each.message_id not in message_ids],
        )
