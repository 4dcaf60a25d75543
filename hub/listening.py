"""Where the hub listens: its socket, its own or one it was given, and the certificate it shows."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path

from hub.errors import UsageError
from hub.loggers import structlog
from hub.settings import Http, Tls

_log = structlog.get_logger("run")


def listening_socket(http: Http) -> socket.socket:
    """The listening socket. Raises UsageError when the address cannot be had."""
    family = socket.AF_INET6 if ":" in http.host else socket.AF_INET
    try:
        return socket.create_server((http.host, http.port), family=family, backlog=2048)
    except OSError as error:
        reason = "another program listens there" if error.errno == errno.EADDRINUSE else str(error.strerror)
        raise UsageError(f"http.listen: {http.host}:{http.port}: {reason}; choose another port") from None


def inherited_socket(descriptor: int | None) -> socket.socket | None:
    """The listening socket that this process was started with: by number, or by the ``LISTEN_FDS`` that systemd sets.

    None where there is none. Raises UsageError for what is no listening socket.
    """
    name = f"--fd {descriptor}"
    if descriptor is None:
        count, own = os.environ.pop("LISTEN_FDS", ""), os.environ.pop("LISTEN_PID", "")
        if not count or own not in ("", str(os.getpid())):
            return None
        if count != "1":
            raise UsageError(f"LISTEN_FDS: expected one listening socket, got {count}; give each socket its own unit")
        descriptor, name = 3, "LISTEN_FDS"
    try:
        inherited = socket.socket(fileno=descriptor)
        if inherited.type == socket.SOCK_STREAM and inherited.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            inherited.set_inheritable(False)
            return inherited
        inherited.detach()
    except OSError as error:
        raise UsageError(f"{name}: {error.strerror}; start the hub with an open listening socket") from None
    raise UsageError(f"{name}: this is no listening socket of TCP; it has to be bound and listening already")


def certificate_files(tls: Tls, root: Path, secrets: Path) -> tuple[str, str]:
    """The files of the certificate and of its key, tried out. Raises UsageError that says what is wrong with them.

    OpenSSL reads private keys from files only, so the key is a secret of a file.
    """
    certificate, key = root / tls.certificate, secrets / tls.key.name
    for setting, path in (("certificate", certificate), ("key", key)):
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise UsageError(f"http.tls.{setting}: {path}: {error.strerror}") from None
        if b"ENCRYPTED" in raw:
            raise UsageError(f"http.tls.{setting}: {path} wants a password; store it without one, for its owner alone")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except ssl.SSLError as error:
        raise UsageError(f"http.tls: {_what_is_wrong(error, tls)}") from None
    return str(certificate), str(key)


class Shown:
    """The certificate that a running server shows, from its file and that of its key, which may be replaced."""

    def __init__(self, certificate: str, key: str) -> None:
        self._certificate, self._key = certificate, key
        self._seen = self._on_disk()

    def renew(self, context: ssl.SSLContext) -> None:
        """Show to whoever connects from now on what is in the files, if that is another pair than before. What is no
        pair is logged, and shown as soon as it is one."""
        if (now := self._on_disk()) == self._seen:
            return
        self._seen = now
        fresh = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            fresh.load_cert_chain(self._certificate, self._key, password="")
        except OSError as error:
            reason = f"{self._certificate} and {self._key}: {getattr(error, 'reason', None) or error.strerror}"
            _log.error("a certificate was replaced by what cannot be shown; the one before stays", reason=reason)
        else:
            # A context keeps one certificate for each kind of key: another kind would be shown beside the old one.
            context.sni_callback = lambda connection, name, of: setattr(connection, "context", fresh)
            _log.info("another certificate is shown", certificate=self._certificate)

    def _on_disk(self) -> list[tuple[int, int, int] | None]:
        return [_mark(path) for path in (self._certificate, self._key)]


def _mark(path: str) -> tuple[int, int, int] | None:
    """What tells a file from the one that was there before; None where there is none."""
    try:
        found = Path(path).stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _what_is_wrong(error: ssl.SSLError, tls: Tls) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{tls.key} is not the key of {tls.certificate}"
    return f"{tls.certificate} and {tls.key} are not a certificate and its private key (PEM)"
