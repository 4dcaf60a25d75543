"""`make test` on a machine that lacks what tests start: it names the Debian packages and stops."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
_ALWAYS_THERE = ("sh", "id", "git", "openssl", "systemd-analyze", "python3")


def test_what_is_missing_is_named_and_what_is_out_of_the_path_is_found(tmp_path: Path) -> None:
    for name in _ALWAYS_THERE:
        (tmp_path / name).symlink_to(shutil.which(name) or name)
    make = shutil.which("make")
    assert make is not None
    bare = {"HOME": str(tmp_path), "PATH": str(tmp_path)}
    ended = subprocess.run([make, "-C", str(ROOT), "test"], env=bare, capture_output=True, timeout=60)
    told = "make test: these Debian packages are missing; install them and run it again: redis-server faketime"
    assert (ended.returncode, ended.stderr.decode().splitlines()[0]) == (2, told)
