"""A system that the tests start: a process of its own with a log, that is up once it answers."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from systems.installs import wait_until

_START_SECONDS = 180


class Server:
    """One system. ``launch`` starts its process, which may be done again after ``stop``."""

    def __init__(self, log_file: Path) -> None:
        self._log_file = log_file
        self.process: subprocess.Popen[bytes] | None = None

    def launch(self, *command: str | Path, cwd: Path | None = None, **environment: str) -> None:
        """Start it, and wait until it is up."""
        with self._log_file.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **environment},
                start_new_session=True,
            )  # fmt: skip
        wait_until(self._is_up, _START_SECONDS, self.log)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def log(self) -> str:
        return self._log_file.read_text(encoding="utf-8", errors="replace")[-4000:]

    def _is_up(self) -> bool:
        assert self.process is not None and self.process.poll() is None, self.log()
        try:
            return self.answers()
        except OSError:
            return False

    def answers(self) -> bool:
        """Whether it can be worked with. Raises OSError where it does not answer."""
        raise NotImplementedError
