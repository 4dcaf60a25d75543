"""A document that brings down whatever process reads it: stands for a library that dies on certain bytes."""

from __future__ import annotations

from hub_process import HubProcess

_CODEC = """
import os
import hub.formats.json as codec

_decode = codec.decode


def decode(chunks, options):
    raw = b"".join(chunks)
    if b"poison" in raw:
        os.abort()
    return _decode([raw], options)


codec.decode = decode
"""


def make_poisonable(hub: HubProcess) -> None:
    """From its next start on, every process of the hub dies of JSON with the word poison in it."""
    hub.write("poison/sitecustomize.py", _CODEC)
    hub.environment["PYTHONPATH"] = str(hub.root / "poison")
