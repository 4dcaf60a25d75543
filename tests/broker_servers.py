"""Real brokers that tests start for themselves: on free ports of this machine, in folders that are thrown away."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from servers import free_port

_RABBIT_HOME = Path("/usr/lib/rabbitmq/bin")  # Debian's own script there runs as whoever starts it


def program(name: str, package: str) -> str:
    """A program by its name. Raises where there is none: a test without its server proves nothing."""
    own = _RABBIT_HOME / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; on Debian: apt-get install {package}")
    return found


class BrokerServer:
    """A server process that can be ended, killed and started again on the same port."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        raise NotImplementedError

    def _command(self) -> tuple[list[str], dict[str, str]]:
        raise NotImplementedError

    def is_up(self) -> bool:
        raise NotImplementedError

    def start(self, seconds: float = 90) -> None:
        command, environment = self._command()
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, env=os.environ | environment, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + seconds
        while not self.is_up():
            assert self._process.poll() is None and time.monotonic() < deadline, self._log()
            time.sleep(0.05)

    def stop(self, number: int = signal.SIGKILL) -> None:
        """At once, with all that it started."""
        if self._process is not None:
            os.killpg(self._process.pid, number)
            self._process.wait(30)
            self._process = None

    def pause(self) -> None:
        """Stand still, as a server does that the network no longer reaches: connections stay open and nothing comes."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGCONT)

    def flush(self) -> None:
        """Lose every message that waits."""
        raise NotImplementedError

    def _log(self) -> str:
        return (self.folder / "server.log").read_text(errors="replace")[-3000:]


class RedisServer(BrokerServer):
    """A Redis that keeps nothing on disk."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        settings = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no"]
        return [program("redis-server", "redis-server"), *settings, "--dir", str(self.folder)], {}

    def is_up(self) -> bool:
        return self.ask(b"PING\r\n").startswith(b"+PONG")

    def flush(self) -> None:
        """Raises ConnectionError when the server is away."""
        if not self.ask(b"FLUSHALL\r\n").startswith(b"+OK"):
            raise ConnectionError("redis-server did not empty itself")

    def ask(self, command: bytes) -> bytes:
        """The answer to one command; nothing when nobody answers."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                connection.sendall(command)
                return connection.recv(200)
        except OSError:
            return b""


class RabbitServer(BrokerServer):
    """A RabbitMQ of one node, with its port mapper on a port of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._node, self._mapper = f"o2c{self.port}@localhost", free_port()
        (folder / "enabled_plugins").write_text("[].\n")
        (folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.local = 127.0.0.1:{self.port}\nvm_memory_high_watermark.absolute = 1GB\n"
            "disk_free_limit.absolute = 10MB\nlog.file = false\nlog.console = true\nlog.console.level = warning\n"
        )

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}/"

    def _command(self) -> tuple[list[str], dict[str, str]]:
        return [program("rabbitmq-server", "rabbitmq-server")], self._environment()

    def _environment(self) -> dict[str, str]:
        folder = str(self.folder)
        return {
            "HOME": folder, "RABBITMQ_NODENAME": self._node, "RABBITMQ_MNESIA_BASE": folder,
            "RABBITMQ_LOG_BASE": folder, "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins", "RABBITMQ_PID_FILE": f"{folder}/pid",
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none", "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_ADDRESS": "127.0.0.1", "ERL_EPMD_PORT": str(self._mapper), "ERL_EPMD_RELAXED_COMMAND_CHECK": "1",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
        }  # fmt: skip

    def is_up(self) -> bool:
        """A server that accepts connections before it is ready ends them without a word."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as connection:
                connection.sendall(b"AMQP\0\0\x09\x01")
                return bool(connection.recv(1))
        except OSError:
            return False

    def stop(self, number: int = signal.SIGKILL) -> None:
        super().stop(number)
        # The port mapper is a daemon that left the group of the server: it is asked to end by name of its own port.
        subprocess.run(
            ["epmd", "-port", str(self._mapper), "-kill"], capture_output=True, timeout=10,
            env=os.environ | self._environment(),
        )  # fmt: skip

    def flush(self) -> None:
        """Empty the queue as an operator would. Raises ConnectionError when the server is away."""
        import pika

        try:
            connection = pika.BlockingConnection(pika.URLParameters(self.url))
            connection.channel().queue_purge("o2c")
            connection.close()
        except pika.exceptions.AMQPError as error:
            raise ConnectionError(f"rabbitmq-server did not empty its queue: {error!r}") from error


Kind = TypeVar("Kind", bound=BrokerServer)


def _started(kind: type[Kind], folder: Path) -> Kind:
    """Somebody else may have taken a port that was free a moment ago: then it is begun anew, with other ports."""
    for name in ("first", "second", "last"):
        (folder / name).mkdir()
        server = kind(folder / name)
        try:
            server.start()
            break
        except AssertionError:
            server.stop()
            if name == "last":
                raise
    return server


@contextmanager
def running(kind: type[Kind]) -> Iterator[Kind]:
    with tempfile.TemporaryDirectory(prefix="o2c-broker-") as name:
        server = _started(kind, Path(name))
        try:
            yield server
        finally:
            server.stop()
