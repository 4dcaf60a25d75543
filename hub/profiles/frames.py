"""What goes between the hub and the process that runs rules: a length (4 bytes, big-endian) and MessagePack."""

from __future__ import annotations

import os

import msgspec


class Ask(msgspec.Struct, array_like=True):
    """One document to be judged by one set of rules. ``key`` names the rules; they are sent with the first question:
    as text, or as a file that reads others beside it; with the next ones ``is_sent`` stands for them. ``most``: how
    many faults are wanted. ``levels``: rules that have another severity than their own."""

    key: str
    document: bytes = b""
    rules: bytes = b""
    file: str = ""
    most: int = 100
    is_sent: bool = False
    levels: dict[str, str] = {}


class Told(msgspec.Struct, array_like=True):
    """A fault as the rules say it; ``path`` is theirs."""

    rule: str
    severity: str
    message: str
    path: str


class Answer(msgspec.Struct, array_like=True):
    """The faults there are, errors first where there are too many, and how many in all and how many errors. ``failed``:
    why the rules gave no verdict on this document; ``broken``: why they cannot be run at all. ``text``: what a
    stylesheet that makes rules made, where that was asked. ``is_forgotten``: the rules that were sent are not kept any
    more, and have to be sent again."""

    faults: list[Told] = []
    total: int = 0
    errors: int = 0
    failed: str = ""
    broken: str = ""
    text: bytes = b""
    is_forgotten: bool = False


def write_frame(descriptor: int, content: bytes) -> None:
    """A whole frame; the pipe may take less than all at once."""
    view = memoryview(len(content).to_bytes(4, "big") + content)
    while view:
        view = view[os.write(descriptor, view) :]
