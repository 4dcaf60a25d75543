"""The home that gpg is given: nobody else looks into it, nothing secret is shown to the machine, nothing is left."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from queue import Queue

import pytest
from pgp_keys import PHRASE, People

from connectors._gpg import Keyring
from connectors.base import StoppedError, TransientError


@pytest.fixture
def homes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where they are made; a path that is short enough for an agent's socket."""
    with tempfile.TemporaryDirectory(prefix="o2c-homes-") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def keyring_of(people: People) -> Keyring:
    return Keyring("key", people.private["hub"], PHRASE, {"acme": people.public["acme"]})


def running(home: Path) -> list[str]:
    """The programs that have this home in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"GNUPGHOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "comm").read_text().strip())
        except OSError:
            continue
    return found


def wait_for_none(home: Path) -> bool:
    deadline = time.monotonic() + 20
    while running(home) and time.monotonic() < deadline:
        time.sleep(0.02)
    return running(home) == []


def end_agent(home: Path) -> None:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"GNUPGHOME={home}".encode() in (process / "environ").read_bytes().split(b"\0"):
                os.kill(int(process.name), signal.SIGKILL)
    assert wait_for_none(home)


def test_a_home_is_for_its_user_alone_and_goes_with_its_agent(people: People, homes: Path) -> None:
    keyring = keyring_of(people)
    assert list(homes.iterdir()) == [], "before it is used"
    keyring.open()
    [home] = homes.iterdir()
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert running(home) == ["gpg-agent"]
    keyring.close()
    assert list(homes.iterdir()) == []
    assert wait_for_none(home)
    with tempfile.TemporaryFile() as file, pytest.raises(TransientError, match="the system is closed"):
        keyring.run(["--decrypt"], file, lambda piece: None)
    assert list(homes.iterdir()) == []


def test_no_program_is_shown_a_passphrase_or_the_environment_of_the_hub(
    people: People, homes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[list[str], dict[str, str]]] = []
    real = subprocess.Popen

    def seen(command: list[str], **options: object) -> object:
        asked.append((command, options["env"]))  # type: ignore[arg-type]
        return real(command, **options)  # type: ignore[call-overload]

    monkeypatch.setenv("O2C_SECRET", "hunter2")
    monkeypatch.setattr(subprocess, "Popen", seen)
    keyring = keyring_of(people)
    keyring.open()
    keyring.close()
    assert len(asked) >= 4
    assert not [command for command, _ in asked if PHRASE in " ".join(command)]
    assert {tuple(environment) for _, environment in asked} == {("PATH", "GNUPGHOME", "LC_ALL")}


KILLED = """
import os, sys
from connectors._gpg import Keyring
keyring = Keyring("key", sys.stdin.read(), sys.argv[1], {})
keyring.open()
os.kill(os.getpid(), 9)
"""


def test_what_a_hub_that_was_killed_has_left_goes_with_the_next(people: People, homes: Path) -> None:
    command = [sys.executable, "-c", KILLED, PHRASE]
    environment = {**os.environ, "TMPDIR": str(homes)}
    ended = subprocess.run(command, input=people.private["hub"].encode(), env=environment, timeout=60)
    assert ended.returncode == -9
    [left] = homes.iterdir()
    first, second = keyring_of(people), keyring_of(people)
    first.open()
    second.open()
    assert not left.exists()
    assert len(list(homes.iterdir())) == 2, "those in use stay"
    assert wait_for_none(left)
    first.close()
    second.close()


def test_a_folder_whose_name_is_too_long_for_gpg_is_told(people: People, homes: Path) -> None:
    (homes / ("x" * 80)).mkdir()
    tempfile.tempdir = str(homes / ("x" * 80))
    with pytest.raises(StoppedError, match="TMPDIR: gpg can work in no folder with so long a name: /"):
        keyring_of(people).open()
    assert list((homes / ("x" * 80)).iterdir()) == []


def test_gpg_that_is_ended_from_outside_says_nothing_of_a_file(people: People, homes: Path) -> None:
    keyring = keyring_of(people)
    keyring.open()
    (homes / "gpg").write_text("#!/bin/sh\nkill -KILL $$\n")
    (homes / "gpg").chmod(0o755)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{homes}:{os.environ['PATH']}")
        with tempfile.TemporaryFile() as file, pytest.raises(TransientError, match="gpg was ended by SIGKILL"):
            keyring.run(["--decrypt"], file, lambda piece: None)
    keyring.close()


def test_a_folder_of_another_user_is_left_alone(people: People, homes: Path) -> None:
    (homes / "o2c-pgp-link").symlink_to("/etc")
    (homes / "o2c-pgp-file").write_text("")
    keyring = keyring_of(people)
    keyring.open()
    keyring.close()
    assert sorted(path.name for path in homes.iterdir()) == ["o2c-pgp-file", "o2c-pgp-link"]


def test_an_agent_that_was_ended_says_nothing_of_a_file_and_is_started_again(people: People, homes: Path) -> None:
    keyring, made = keyring_of(people), bytearray()
    keyring.open()
    [home] = homes.iterdir()
    with tempfile.TemporaryFile() as file:
        file.write(people.encrypted(b"an order"))
        end_agent(home)
        file.seek(0)
        with pytest.raises(TransientError, match="gpg-agent was ended; it is started again"):
            keyring.run(["--decrypt"], file, made.extend)
        file.seek(0)
        assert keyring.run(["--decrypt"], file, made.extend).code == 0
    assert bytes(made) == b"an order"
    keyring.close()


def test_one_that_another_thread_has_started_again_says_nothing_of_a_file_either(people: People, homes: Path) -> None:
    keyring, raw, told = keyring_of(people), people.encrypted(b"an order"), Queue[object]()
    keyring.open()
    [home] = homes.iterdir()
    # What reads while there is a folder "slow" takes that away, and does not end before there is one called "on".
    script = f'#!/bin/sh\n{shutil.which("gpg")} "$@"; code=$?\ncd {homes}\n'
    script += "if rmdir slow 2>/dev/null; then until [ -d on ]; do sleep 0.01; done; fi\nexit $code\n"
    (homes / "gpg").write_text(script)
    (homes / "gpg").chmod(0o755)

    def read() -> None:
        with tempfile.TemporaryFile() as file:
            file.write(raw)
            file.seek(0)
            try:
                told.put(keyring.run(["--decrypt"], file, lambda piece: None).code)
            except TransientError as error:
                told.put(str(error))

    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{homes}:{os.environ['PATH']}")
        end_agent(home)
        (homes / "slow").mkdir()
        other = threading.Thread(target=read)
        other.start()
        for _ in range(3000):
            if not (homes / "slow").exists():
                break
            time.sleep(0.01)
        read()
        (homes / "on").mkdir()
        other.join()
        read()
    assert [told.get_nowait() for _ in range(3)] == ["gpg-agent was ended; it is started again"] * 2 + [0]
    keyring.close()


def test_an_agent_that_does_not_start_says_nothing_of_the_keys(people: People, homes: Path) -> None:
    keyring = keyring_of(people)
    (homes / "gpg-agent").write_text("#!/bin/sh\nexit 2\n")
    (homes / "gpg-agent").chmod(0o755)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("PATH", f"{homes}:{os.environ['PATH']}")
        with pytest.raises(TransientError, match=r"gpg-agent does not start \(exit code 2\)"):
            keyring.open()
    keyring.open()
    assert keyring.own
    keyring.close()
