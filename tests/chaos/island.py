"""A network of its own for the processes of a hub, each part of the rest at the end of one link that can be pulled.

Unlike a proxy that stands still, a pulled link loses packets: the kernel's own resending, time-outs and half-open
connections are what comes of it. It needs the right to make network namespaces, which root usually has.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from functools import cache

PARTS = ("store", "broker", "target")


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=20)


@cache
def may_have_islands() -> bool:
    """Whether this machine lets us make one."""
    name = f"o2ctry{os.getpid()}"
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    try:
        _ip("netns", "add", name)
        _ip("link", "add", f"t{os.getpid()}", "type", "veth", "peer", "name", "near", "netns", name)
    except subprocess.CalledProcessError:
        return False
    finally:
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", name)
    return True


class Island:
    """``command`` starts a program there; ``address`` is where it finds a part."""

    def __init__(self) -> None:
        self.name = f"o2c{os.getpid()}"
        self.command = ["ip", "netns", "exec", self.name]
        _ip("netns", "add", self.name)
        for part in PARTS:
            near, far = self._link(part), f"far-{part}"
            _ip("link", "add", near, "type", "veth", "peer", "name", far, "netns", self.name)
            _ip("addr", "add", f"{self.address(part)}/30", "dev", near)
            _ip("link", "set", near, "up")
            _ip("-n", self.name, "addr", "add", f"{self._host(part, 2)}/30", "dev", far)
            _ip("-n", self.name, "link", "set", far, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def address(self, part: str) -> str:
        return self._host(part, 1)

    def pull(self, part: str) -> None:
        """Every packet between the hub and this part is lost from now on."""
        _ip("link", "set", self._link(part), "down")

    def plug(self, part: str) -> None:
        _ip("link", "set", self._link(part), "up")

    def close(self) -> None:
        _ip("netns", "del", self.name)

    def _link(self, part: str) -> str:
        return f"o{os.getpid()}{part[0]}"

    def _host(self, part: str, number: int) -> str:
        """Four addresses for each link, in a network that depends on this process alone."""
        low, high = os.getpid() % 250, os.getpid() // 250 % 50
        return f"10.{200 + high}.{low}.{4 * PARTS.index(part) + number}"
