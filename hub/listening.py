"""Where the hub listens: its socket, its own or one it was given, and the certificate it shows."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from pathlib import Path

from hub.errors import UsageError
from hub.settings import Http, Tls


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


def _what_is_wrong(error: ssl.SSLError, tls: Tls) -> str:
    if error.reason == "KEY_VALUES_MISMATCH":
        return f"{tls.key} is not the key of {tls.certificate}"
    return f"{tls.certificate} and {tls.key} are not a certificate and its private key (PEM)"
