"""Where the hub listens: its socket, and the certificate it shows."""

from __future__ import annotations

import errno
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
