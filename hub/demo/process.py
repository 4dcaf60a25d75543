"""The hub of the demo as a process of its own: started as ``o2c run`` is, watched, and ended with what it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from hub.client import HubClient
from hub.errors import HubError

_START_SECONDS, _STOP_SECONDS = 30.0, 25.0


class HubProcess:
    """``o2c run`` in a folder, with this environment; what it says goes to ``hub.log`` there."""

    def __init__(self, root: Path, environment: Mapping[str, str]) -> None:
        self.log = root / "hub.log"
        command = [sys.executable, "-m", "hub.cli", "run", "--project", str(root)]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - this very program
                command, cwd=root, env=environment, stdout=log, stderr=log, start_new_session=True
            )  # fmt: skip

    def wait_until_ready(self, client: HubClient) -> None:
        """Raises HubError with the end of the log where the hub ends or does not answer in time."""
        if not wait_until(lambda: client.is_up() or self._process.poll() is not None, _START_SECONDS):
            raise HubError(f"the hub did not answer within {_START_SECONDS:.0f} s{self._last_words()}")
        if self._process.poll() is not None:
            raise HubError(f"the hub ended at once{self._last_words()}")

    def stop(self) -> None:
        """End it as Ctrl-C would; at once where that does not help."""
        if self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _last_words(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-8:]
        return ":\n  " + "\n  ".join(lines) if lines else ""


def wait_until(is_so: Callable[[], bool], seconds: float, every: float = 0.1) -> bool:
    """Whether something came to be within a time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(every)
    return is_so()
