"""What the processes of a back-test say to each other, as MessagePack: first the ``Job``, then stretches of receipts;
the answers are tallies, empty ones mean "still at it"."""

from __future__ import annotations

import msgspec

from hub.backtest.request import Request, Subject
from hub.backtest.tally import Tally
from hub.store.recorded import Came


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """What a child works on. ``niceness`` is how far it steps back for others (``nice``)."""

    store_url: str
    request: Request
    subject: Subject
    niceness: int = 0


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """The tally of a stretch; ``away`` says why the store could not be read."""

    tally: Tally | None = None
    away: str = ""


encode = msgspec.msgpack.Encoder().encode
decode_job = msgspec.msgpack.Decoder(Job).decode
decode_stretch = msgspec.msgpack.Decoder(list[Came]).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode
