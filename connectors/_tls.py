"""TLS as a system's settings say it: always verified, an own authority, a client certificate."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connectors.base import PermanentError


def tls_context(settings: Mapping[str, Any] | None) -> ssl.SSLContext:
    """The context for a system's connections: TLS 1.2 or newer, certificate and host name verified.

    ``ca`` is a file or folder of PEM certificates, used instead of the machine's own; ``certificate`` and ``key`` are
    PEM files of the client. Raises PermanentError that names the setting.
    """
    settings = settings or {}
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if settings.get("ca"):
        context = _own_authority(str(settings["ca"]))
    if settings.get("certificate"):
        _client_certificate(context, str(settings["certificate"]), settings.get("key"), settings.get("password"))
    return context


def _own_authority(path: str) -> ssl.SSLContext:
    try:
        folder = Path(path).is_dir()
        context = ssl.create_default_context(cafile=None if folder else path, capath=path if folder else None)
    except (OSError, ssl.SSLError) as error:
        raise PermanentError(f"tls.ca: cannot read '{path}': {_words(error)}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _client_certificate(context: ssl.SSLContext, certificate: str, key: Any, password: Any) -> None:
    try:
        context.load_cert_chain(certificate, str(key) if key else None, str(password) if password else "")
    except (OSError, ssl.SSLError, ValueError) as error:
        raise PermanentError(f"tls.certificate: cannot use '{certificate}' with its key: {_words(error)}") from None


def _words(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not a PEM file").replace("_", " ").lower()
    return (error.strerror or "it cannot be read") if isinstance(error, OSError) else "it cannot be read"
