"""The program gpg in a home of its own: a folder only its user can look into, which goes when it is closed, with the
keys of one system in it and an agent that nobody else talks to. No key server is asked, no setting of the machine read.

What is told of an error is ours: gpg's own words may hold names of people, and never come out.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import msgspec

from connectors._file_packed import copied, spare_file
from connectors.base import ConnectorError, StoppedError, TransientError

PIECE = 262_144
CODE = "pgp"  # of the verdict on a system whose keys cannot be used
MISSING = "the programs gpg and gpg-agent are not installed; on Debian: apt-get install gnupg"
_OPTIONS = ("--no-options", "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback", "--trust-model", "always",
            "--no-auto-key-retrieve", "--no-auto-key-locate", "--disable-dirmngr", "--no-autostart")  # fmt: skip
# A passphrase is made slow to try for those who find a key without it, by 0.1 s each time. Whoever can look in here can
# read it where it is written, so that nothing is won by that for each file.
_AGENT = "s2k-count 65536\n"
_PREFIX = "o2c-pgp-"
_LONGEST_HOME = 85  # what a socket in it is called has to fit into 107
_LONGEST_PHRASE = 1000  # gpg takes 255; the pipe it is given by holds this without anybody reading
_MOST_STATUS = 1_000_000
_HAS_SECRET = 16  # among what an import tells of a key
_UNUSABLE = {  # by the lower half of libgpg-error's numbers
    11: "the passphrase beside it is not its passphrase",
    177: "it has a passphrase; write passphrase: secret://env/NAME beside it",
}


class Ended(msgspec.Struct, frozen=True):
    """What a run of gpg came to: its exit code, and what it said by ``--status-fd``, as (keyword, words)."""

    code: int
    said: tuple[tuple[str, tuple[str, ...]], ...]

    def words(self, keyword: str) -> list[tuple[str, ...]]:
        return [words for each, words in self.said if each == keyword]


class Keyring:
    """gpg with these keys: ``secret`` a private one, ``public`` those of others by the names of their files, all as
    text. Its home is made at the first use. Methods may be called from several threads.

    Every method raises StoppedError where gpg is missing or a key cannot be used, TransientError after ``close`` and
    where the agent has ended, by which gpg reads as if there were no private key.
    """

    def __init__(self, setting: str, secret: str, passphrase: str, public: dict[str, bytes]) -> None:
        """``setting`` is what the private key is called where it is written."""
        self._setting, self._secret, self._passphrase, self._public = setting, secret, passphrase, public
        self._lock, self._home = threading.Lock(), ""
        self._starting, self._agents = threading.Lock(), 0  # how many agents were started
        self._in_use = -1
        self._own: tuple[str, ...] = ()
        self._of: dict[str, tuple[str, ...]] = {}
        self._is_closed = False

    def open(self) -> None:
        """Have the keys in it, if they are not yet."""
        with self._lock:
            self._refuse_if_closed()
            if self._own or self._of:
                return
            try:
                if not self._home:
                    self._home, self._in_use = _new_home()
                self._import()
            except OSError as error:
                text = f"a folder for gpg cannot be made in {tempfile.gettempdir()}: {error.strerror}"
                raise TransientError(text, code="paused") from None

    @property
    def own(self) -> tuple[str, ...]:
        """The fingerprints of the private keys."""
        return self._own

    def fingerprints(self, file: str) -> tuple[str, ...]:
        """Those of the public keys in a file."""
        return self._of[file]

    def run(self, arguments: Sequence[str], content: IO[bytes], take: Callable[[bytes], object]) -> Ended:
        """gpg with a file as its input; ``take`` is given what comes out, and by raising it ends the run."""
        self.open()
        ended = self._run(arguments, content, take)
        with self._lock:
            self._refuse_if_closed()
        if ended.code < 0:
            raise TransientError(f"gpg was ended by {signal.Signals(-ended.code).name}", code="paused")
        return ended

    def try_key(self) -> None:
        """Whether the private keys can be used with this passphrase."""
        for fingerprint in self._own:
            ended = self._ask("--dry-run", "--passwd", fingerprint)
            if not ended.words("SUCCESS"):
                raise StoppedError(self._unusable(ended), CODE)

    def close(self) -> None:
        """End what is under way, and the agent, and take the home away."""
        with self._lock:
            self._is_closed = True
            home, self._home = self._home, ""
        if home:
            _remove(Path(home))
            os.close(self._in_use)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise TransientError("the system is closed", code="closing")

    def _import(self) -> None:
        own: tuple[str, ...] = ()
        if self._secret:
            self._have_agent()
            found = self._imported(self._secret.encode())
            own = tuple(dict.fromkeys(fingerprint for flags, fingerprint in found if flags & _HAS_SECRET))
            if not own:
                text = "gpg finds no private key in it; write what gpg --armor --export-secret-keys KEY prints"
                raise StoppedError(f"{self._setting}: {text}", CODE)
        of = {}
        for name, content in self._public.items():
            of[name] = tuple(dict.fromkeys(fingerprint for _, fingerprint in self._imported(content)))
            if not of[name]:
                text = "gpg finds no public key with a name in it; have it written by gpg --armor --export KEY"
                raise StoppedError(f"{name}: {text}", CODE)
        self._own, self._of = own, of
        try:
            self.try_key()
        except ConnectorError:
            self._own, self._of = (), {}
            raise

    def _imported(self, content: bytes) -> list[tuple[int, str]]:
        """What was in it: flags and fingerprint of each key."""
        ended = self._ask("--import", content=content)
        return [(int(words[0]), words[1]) for words in ended.words("IMPORT_OK")]

    def _unusable(self, ended: Ended) -> str:
        number = next((int(words[1]) & 0xFFFF for words in ended.words("ERROR") if words[1:]), 0)
        return f"{self._setting}: {_UNUSABLE.get(number, f'gpg cannot use it (error {number})')}"

    def _ask(self, *arguments: str, content: bytes = b"") -> Ended:
        with spare_file() as file:
            copied([content], file)
            return self._run(arguments, file, lambda piece: None)

    def _run(self, arguments: Sequence[str], content: IO[bytes], take: Callable[[bytes], object]) -> Ended:
        agents = self._agents
        with _readable(self._passphrase) as phrase, _heard() as (status, said):
            numbers = ("--passphrase-fd", str(phrase), "--status-fd", str(status))
            process = subprocess.Popen(  # noqa: S603 - the program it is about, with words of ours
                [_program("gpg"), *_OPTIONS, *numbers, *arguments], stdin=content, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, pass_fds=(phrase, status), env=_environment(self._home),
            )  # fmt: skip
            assert process.stdout is not None
            try:
                with process.stdout as out:
                    while piece := out.read1(PIECE):  # type: ignore[attr-defined]
                        take(piece)
            except BaseException:
                process.kill()
                raise
            finally:
                process.wait()
        if process.returncode and self._secret and self._have_agent() != agents:
            raise TransientError("gpg-agent was ended; it is started again", code="paused")
        return Ended(process.returncode, tuple(_lines(bytes(said))))

    def _have_agent(self) -> int:
        """Have the agent at work; gives how many were started so far. gpg itself waits no longer than 5 s for it."""
        with self._starting:
            if self._agent():
                if code := self._agent("--daemon"):
                    raise TransientError(f"gpg-agent does not start (exit code {code})", code="paused")
                self._agents += 1
            return self._agents

    def _agent(self, *arguments: str) -> int:
        """The exit code of gpg-agent, which is 0 without arguments where one is at work in this home."""
        return subprocess.run(  # noqa: S603 - as above
            [_program("gpg-agent"), *arguments], env=_environment(self._home),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False,
        ).returncode  # fmt: skip


def is_installed() -> bool:
    """Whether there is a gpg on this machine, and what keeps its private keys."""
    return all(map(shutil.which, ("gpg", "gpg-agent")))


def _program(name: str) -> str:
    if not is_installed():
        raise StoppedError(MISSING, CODE)
    return shutil.which(name) or name


def _lines(said: bytes) -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in said.decode("utf-8", "replace").splitlines():
        mark, *words = line.split(" ")
        if mark == "[GNUPG:]" and words:
            yield words[0], tuple(words[1:])


@contextmanager
def _readable(passphrase: str) -> Iterator[int]:
    """The end of a pipe that a passphrase is read from."""
    if len(passphrase.encode()) > _LONGEST_PHRASE or "\n" in passphrase:
        raise StoppedError("the passphrase of a PGP key is one line of at most 255 bytes", CODE)
    reading, writing = os.pipe()
    try:
        os.write(writing, f"{passphrase}\n".encode())
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


@contextmanager
def _heard() -> Iterator[tuple[int, bytearray]]:
    """The end of a pipe that is written to, and what came by it once the block is over."""
    reading, writing = os.pipe()
    said = bytearray()

    def listen() -> None:
        while piece := os.read(reading, PIECE):
            said.extend(piece[: _MOST_STATUS - len(said)])

    thread = threading.Thread(target=listen, name="gpg", daemon=True)
    thread.start()
    try:
        yield writing, said
    finally:
        os.close(writing)
        thread.join()
        os.close(reading)


def _environment(home: str) -> dict[str, str]:
    """What gpg and its agent are told of the hub's own: nothing."""
    return {"PATH": os.environ.get("PATH", os.defpath), "GNUPGHOME": home, "LC_ALL": "C"}


def _new_home() -> tuple[str, int]:
    """A folder, open and locked, which tells all others that it is in use, and those who clear away what is old. What a
    hub that was killed has left is taken away."""
    for path in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        with suppress(OSError):
            _remove_if_left(path)
    while True:
        home = tempfile.mkdtemp(prefix=_PREFIX)
        if len(os.fsencode(home)) > _LONGEST_HOME:
            Path(home).rmdir()
            raise StoppedError(f"TMPDIR: gpg can work in no folder with so long a name: {tempfile.gettempdir()}", CODE)
        folder = _locked(Path(home), fcntl.LOCK_EX)
        with suppress(FileNotFoundError):  # it is gone where somebody has taken it for left before it was locked
            Path(home, "gpg-agent.conf").write_text(_AGENT)
            return home, folder
        os.close(folder)


def _remove_if_left(path: Path) -> None:
    if path.is_symlink() or path.stat().st_uid != os.geteuid():
        return
    folder = _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        _remove(path)
    finally:
        os.close(folder)


def _locked(path: Path, how: int) -> int:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(folder, how)
    except OSError:
        os.close(folder)
        raise
    return folder


def _remove(home: Path) -> None:
    if program := shutil.which("gpgconf"):  # else the agent sees that its home is gone
        with suppress(OSError):
            subprocess.run(  # noqa: S603 - as above
                [program, "--kill", "all"], env=_environment(str(home)), input=b"", capture_output=True, check=False
            )
    shutil.rmtree(home, ignore_errors=True)
