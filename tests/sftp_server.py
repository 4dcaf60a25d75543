"""A real OpenSSH server that tests start for themselves."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from servers import free_port

_SETTINGS = """
ListenAddress 127.0.0.1
{ports}
HostKey {folder}/host_ed25519
HostKey {folder}/host_rsa
AuthorizedKeysFile {folder}/authorized_keys
StrictModes no
UsePAM no
PidFile none
PasswordAuthentication yes
PermitRootLogin prohibit-password
AuthenticationMethods any
MaxStartups 100
MaxAuthTries {tries}
LogLevel VERBOSE
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d {root}
Match LocalPort {read_only_port}
  ForceCommand internal-sftp -R -d {root}
Match LocalPort {no_rename_port}
  ForceCommand internal-sftp -P rename,posix-rename -d {root}
Match LocalPort {plain_port}
  ForceCommand internal-sftp -P posix-rename -d {root}
Match LocalPort {no_sftp_port}
  ForceCommand /bin/true
"""


def program(name: str) -> str:
    """A program of OpenSSH. Raises where there is none: a test without its server proves nothing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed; on Debian: apt-get install openssh-server")
    return found


class SftpServer:
    """One sshd. Run by root it lets in a user who is not, so that permissions mean something.

    ``root`` is the folder its users come to. The ports differ in what they allow: all, nothing to be written, no
    renames, no renames over a file, no SFTP at all.
    """

    def __init__(self, folder: Path, tries: int = 6) -> None:
        self._folder = folder
        self.root = folder / "files"
        self.user = "nobody" if os.getuid() == 0 else getpass.getuser()
        self.port, self.read_only_port, self.no_rename_port = free_port(), free_port(), free_port()
        self.plain_port, self.no_sftp_port = free_port(), free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.root.mkdir()
        self.root.chmod(0o777)
        folder.chmod(0o755)
        self.key = self.new_key("user")
        self.host_key, self.rsa_host_key = self._host_key("ed25519"), self._host_key("rsa")
        (folder / "authorized_keys").write_text((folder / "user.pub").read_text())
        (folder / "authorized_keys").chmod(0o644)
        ports = (self.port, self.read_only_port, self.no_rename_port, self.plain_port, self.no_sftp_port)
        self._settings = _SETTINGS.format(
            ports="\n".join(f"Port {port}" for port in ports), folder=folder, root=self.root, tries=tries,
            read_only_port=self.read_only_port, no_rename_port=self.no_rename_port, plain_port=self.plain_port,
            no_sftp_port=self.no_sftp_port,
        )  # fmt: skip

    def path(self, name: str) -> Path:
        """Where a key lies."""
        return self._folder / name

    def new_key(self, name: str, kind: str = "ed25519", passphrase: str = "") -> str:
        """A private key, whose public part lies beside it; nobody lets it in unless it is authorized."""
        path = self._folder / name
        command = [program("ssh-keygen"), "-q", "-t", kind, "-N", passphrase, "-C", name, "-f", str(path)]
        subprocess.run([*command, *(["-b", "2048"] if kind == "rsa" else [])], check=True)
        return path.read_text()

    def authorize(self, name: str) -> None:
        with (self._folder / "authorized_keys").open("a") as keys:
            keys.write((self._folder / f"{name}.pub").read_text())

    def _host_key(self, kind: str) -> str:
        self.new_key(f"host_{kind}", kind)
        return (self._folder / f"host_{kind}.pub").read_text().strip()

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # where sshd locks up what has no rights yet
        settings = self._folder / "sshd_config"
        # Newer ones leave an address alone for a while that has failed to log in, as these tests do on purpose.
        settings.write_text("PerSourcePenalties no\n" + self._settings)
        if subprocess.run([program("sshd"), "-t", "-f", str(settings)], capture_output=True).returncode:
            settings.write_text(self._settings)
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program("sshd"), "-D", "-e", "-f", str(settings)], stdout=log, stderr=log, start_new_session=True,
                preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while not self._is_up():
            assert self._process.poll() is None and time.monotonic() < deadline, self.log
            time.sleep(0.02)

    def _is_up(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as line:
                return line.recv(4) == b"SSH-"
        except OSError:
            return False

    def stop(self) -> None:
        """At once: the listener, and every connection there is, whose processes are in sessions of their own."""
        assert self._process is not None
        for pid in [*_descendants(self._process.pid), self._process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait(30)

    def limit_file_size(self, size: int) -> None:
        """From now on new connections can write no longer file, as on a full disk."""
        assert self._process is not None
        subprocess.run(["prlimit", f"--fsize={size}", "--pid", str(self._process.pid)], check=True)

    @property
    def logins(self) -> int:
        return (self._folder / "log").read_text(errors="replace").count("Accepted publickey")

    @property
    def log(self) -> str:
        return (self._folder / "log").read_text(errors="replace")[-3000:]

    def config(self, **changed: Any) -> dict[str, Any]:
        """Settings of a system that leads here."""
        return {
            "host": "127.0.0.1", "port": self.port, "host_key": [self.host_key], "user": self.user, "key": self.key,
            **changed,
        }  # fmt: skip

    def folder(self, name: str) -> Path:
        """A folder below ``root`` in which the user may do everything."""
        path = self.root / name
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
        return path


def _descendants(pid: int) -> list[int]:
    children: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # that thread has just ended
            children += map(int, path.read_text().split())
    return [found for child in children for found in (*_descendants(child), child)]


@contextmanager
def sftp_server(**options: Any) -> Iterator[SftpServer]:
    """A running server with nothing in it, for the length of a block."""
    with tempfile.TemporaryDirectory(prefix="o2c-sftp-") as name:
        server = SftpServer(Path(name), **options)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def names_below(folder: Path) -> Sequence[str]:
    """Every file below a folder, by its path from there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
