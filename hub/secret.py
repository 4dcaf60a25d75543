"""Secrets by reference: configuration names where a secret lies, and only the running hub reads it there.

``secret://env/NAME`` is an environment variable; ``secret://file/NAME`` a file in the folder ``secrets_folder`` of
``config/hub.yaml`` (``.o2c/secrets`` unless said otherwise), without its last line end. No value is ever in a text,
a log line or an error: those name the reference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from hub.errors import UsageError

PREFIX = "secret://"
FORM = "secret://env/NAME or secret://file/NAME"
DEFAULT_FOLDER = ".o2c/secrets"
_REFERENCE = re.compile(r"secret://(?:(env)/([A-Za-z_][A-Za-z0-9_]*)|(file)/([A-Za-z0-9_][A-Za-z0-9_.-]*))", re.ASCII)
_MAX_BYTES = 100_000


class Secret(msgspec.Struct, frozen=True):
    """Where a secret lies: ``scheme`` is ``env`` or ``file``. It holds no value, so printing it is harmless."""

    scheme: str
    name: str

    def __str__(self) -> str:
        return f"{PREFIX}{self.scheme}/{self.name}"


def parse_secret(text: str) -> Secret | None:
    """The reference that a text is, or None when it is none."""
    match = _REFERENCE.fullmatch(text)
    return Secret(match[1] or match[3], match[2] or match[4]) if match else None


def resolve(secret: Secret, folder: Path, environment: Mapping[str, str] | None = None) -> str:
    """The secret's value now. ``folder`` holds the ``file`` ones. Raises UsageError that names the reference."""
    if secret.scheme == "env":
        value = (os.environ if environment is None else environment).get(secret.name)
        if not value:
            state = "is empty" if value == "" else "is not set"
            raise UsageError(f"{secret}: the environment variable {secret.name} {state}")
        return value
    return _read(secret, folder / secret.name)


def _read(secret: Secret, path: Path) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise UsageError(f"{secret}: cannot read {path.name} in the secrets folder: {reason}") from None
    if len(raw) > _MAX_BYTES:
        raise UsageError(f"{secret}: the file is {len(raw)} bytes long; a secret has at most {_MAX_BYTES}")
    try:
        text = raw.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise UsageError(f"{secret}: the file is not UTF-8 text") from None
    if not text:
        raise UsageError(f"{secret}: the file is empty")
    return text


def resolve_all(value: Any, folder: Path, environment: Mapping[str, str] | None = None) -> Any:
    """The same settings with every reference in them replaced by its value."""
    if isinstance(value, Secret):
        return resolve(value, folder, environment)
    if isinstance(value, Mapping):
        return {key: resolve_all(entry, folder, environment) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [resolve_all(entry, folder, environment) for entry in value]
    return value


def references(value: Any) -> list[Secret]:
    """Every reference in some settings, in order and once each: what ``o2c doctor`` resolves."""
    if isinstance(value, Secret):
        return [value]
    below = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return list(dict.fromkeys(found for entry in below for found in references(entry)))
