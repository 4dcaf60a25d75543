"""What the hub and the process that traces say to each other, as MessagePack: one ``Ask``, one ``Told``."""

from __future__ import annotations

import msgspec


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """Whose trace: of the canonical document of a message or, with ``delivery_id``, of what one target was sent.

    Of its fields those at ``field`` or within it ('' for all), ``limit`` of them from the ``first`` on. ``masked_by``
    is the set whose schemas say where personal data is, which is then left out; None shows all.
    """

    store_url: str
    environment: str
    own_connectors: str
    message_id: str
    delivery_id: str = ""
    field: str = ""
    first: int = 0
    limit: int = 200
    masked_by: int | None = None


class Told(msgspec.Struct, array_like=True, frozen=True):
    """The page as JSON; or a key of ``REASONS``, why there is none; or why the store could not be read."""

    page: bytes = b""
    reason: str = ""
    away: str = ""


encode = msgspec.msgpack.Encoder().encode
decode_ask = msgspec.msgpack.Decoder(Ask).decode
decode_told = msgspec.msgpack.Decoder(Told).decode
