"""People with PGP keys, and what they encrypt and sign by the program gpg, in a home of the tests' own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PHRASE = "correct horse battery staple"
LONG_AGO = ("--faked-system-time", "20200301T120000")  # when all keys were made


class People:
    """``hub`` has a passphrase, the key of ``old`` is over since 2020; the others are ``acme``, ``bob`` and ``carol``.
    Keys are text, as gpg prints them."""

    def __init__(self, home: Path) -> None:
        self._home = home
        for name in ("hub", "acme", "bob", "carol", "old"):
            self._make(name)
        self.public = {name: self.gpg("--armor", "--export", f"={name}") for name in ("hub", "acme", "bob", "old")}
        self.private = {name: self._exported(name).decode() for name in ("hub", "acme", "bob", "old")}

    def _make(self, name: str) -> None:
        lasts = "7d" if name == "old" else "never"
        self.gpg(*LONG_AGO, *_phrase(name), "--quick-generate-key", name, "future-default", "default", lasts)

    def _exported(self, name: str) -> bytes:
        return self.gpg(*_phrase(name), "--armor", "--export-secret-keys", f"={name}")

    def gpg(self, *arguments: str, content: bytes = b"") -> bytes:
        """What it prints. Raises where there is no gpg: a test without it proves nothing."""
        if shutil.which("gpg") is None:
            raise FileNotFoundError("gpg is not installed; on Debian: apt-get install gnupg")
        options = ("--batch", "--quiet", "--pinentry-mode", "loopback", "--trust-model", "always")
        command = ["gpg", *options, *arguments]
        ended = subprocess.run(command, input=content, capture_output=True, env=self._environment(), timeout=60)
        assert ended.returncode == 0, ended.stderr.decode()
        return ended.stdout

    def encrypted(self, content: bytes, to: str = "hub", by: str = "", *options: str) -> bytes:
        signs = ("--sign", "--local-user", f"={by}", *_phrase(by)) if by else ()
        return self.gpg(*options, *signs, "--recipient", f"={to}", "--encrypt", content=content)

    def decrypted(self, content: bytes) -> bytes:
        return self.gpg(*_phrase("hub"), "--decrypt", content=content)

    def told(self, content: bytes) -> str:
        """What gpg says of a file while it decrypts it."""
        command = ["gpg", "--batch", "--pinentry-mode", "loopback", "--status-fd", "2", *_phrase("hub"), "--decrypt"]
        return subprocess.run(command, input=content, capture_output=True, env=self._environment()).stderr.decode()

    def _environment(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "GNUPGHOME": str(self._home), "LC_ALL": "C"}

    def close(self) -> None:
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env=self._environment(), check=True)


def _phrase(name: str) -> tuple[str, str]:
    return ("--passphrase", PHRASE if name == "hub" else "")


@contextmanager
def people_with_keys() -> Iterator[People]:
    """For the length of a block."""
    with tempfile.TemporaryDirectory(prefix="o2c-people-", ignore_cleanup_errors=True) as home:
        made = People(Path(home))
        try:
            yield made
        finally:
            made.close()
