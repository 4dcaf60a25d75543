"""Tells whoever started a process how it is: the protocol of systemd's ``Type=notify``, of which nothing is needed but
a datagram. Without ``NOTIFY_SOCKET`` there is nobody to tell."""

from __future__ import annotations

import os
import socket

from hub.loggers import structlog

_log = structlog.get_logger("hub")


def tell(state: str) -> None:
    """``READY=1`` when work is done, ``STOPPING=1`` when the process begins to end."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
    except OSError as error:
        _log.warning("whoever started this process cannot be told", state=state, reason=error.strerror)
