"""The real systems of the tests, installed once for each version of what they are made of:
``python -m systems.installs`` in the folder tests.

They live in a folder of their own outside the repository (``O2C_TEST_CACHE``, else the user's cache folder), so that a
second run finds them; who comes while they are made waits. A new machine makes them anew, by name from its registries.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PASSWORD = "a-password-of-the-tests"  # of the administrators of systems that listen on this machine alone
_OLD_SECONDS = 30 * 86_400  # the books of a company are opened for some months around the day it was made


def cache() -> Path:
    """Where installations are kept."""
    told = os.environ.get("O2C_TEST_CACHE")
    return Path(told) if told else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "o2c-hub-tests"


def installed(name: str, make: Callable[[Path], None]) -> Path:
    """The folder of an installation, made where it is not there yet. ``name`` is the folder beside this file that says
    what it is made of."""
    place = cache() / f"{name}-{_version_of(HERE / name)}"
    with _alone(cache() / f"{name}.lock"):
        for old in cache().glob(f"{name}-*"):
            if time.time() - old.stat().st_mtime > _OLD_SECONDS:
                shutil.rmtree(old)
        if not (place / "complete").exists():
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            make(place)
            (place / "complete").touch()
    return place


def _version_of(folder: Path) -> str:
    """Changes with any file that an installation is made of, and with the Python that makes it."""
    digest = hashlib.sha256(sys.version.encode())
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run(*command: str | Path, cwd: Path | None = None, **environment: str) -> str:
    """One step of an installation; its output, which a failure shows."""
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env={**os.environ, **environment}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", timeout=600,
    )  # fmt: skip
    if done.returncode:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def python_environment(place: Path, requirements: Path) -> Path:
    """A Python of its own with pinned packages; gives its interpreter."""
    run(sys.executable, "-m", "venv", place / "venv")
    python = place / "venv/bin/python"
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "-r", requirements)
    return python


def wait_until(done: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what()}"
        time.sleep(0.2)


def main(names: Sequence[str]) -> None:
    """Make what is missing, side by side."""
    from systems import stripe_payments, tryton_erp, vendure_shop  # they import this module

    with ThreadPoolExecutor() as pool:
        for made in [
            pool.submit(each.install)
            for each in (tryton_erp, vendure_shop, stripe_payments)
            if not names or each.__name__.rpartition(".")[2] in names
        ]:
            made.result()


if __name__ == "__main__":
    main(sys.argv[1:])
