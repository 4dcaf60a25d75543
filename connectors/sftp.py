"""Files on a server that is reached by SFTP: fetched from a watched folder, put into another, as with ``file``."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from connectors._file_destination import FolderDestination, FolderRehearsal
from connectors._file_pgp import Opening, Sealing, inspect_pgp
from connectors._file_source import FolderSource
from connectors._sftp_host_key import parse_host_key
from connectors.base import Destination, Field, PermanentError, Source, Watched
from connectors.file import FETCH, IDEMPOTENCY, SEND, lint_folders, part_of, watched_folder

if TYPE_CHECKING:
    from connectors._sftp_files import RemoteFiles

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]+")

TIMEOUTS = (
    Field("connect", "duration", "For the connection: name, TCP, keys, login.", default=15.0),
    Field("read", "duration", "For each answer of the server.", default=30.0),
)
CONNECTIONS = (
    Field("limit", "integer", "How many there are at a time to fetch, and as many to send.", default=4),
    Field("wait", "duration", "The longest wait for one that is free.", default=20.0),
    Field("idle", "duration", "How long one is kept that nobody uses.", default=60.0),
    Field("keep_alive", "duration", "How often an unused one is kept awake; 0s: never.", default=30.0),
)
FIELDS = (
    Field("host", "text", "The server's name or address.", required=True),
    Field("port", "integer", "Its port.", default=22),
    Field("host_key", "texts", "The server's public key as `ssh-keyscan HOST` prints it and its owner has confirmed "
          "it: ssh-ed25519 AAAAC3Nz…. A list holds the old and the new one while it changes. A server with another key "
          "is told nothing, and the system stops.", required=True),
    Field("user", "text", "Who the hub is there.", required=True),
    Field("key", "secret", "The user's private key (Ed25519, ECDSA or RSA), as ssh-keygen writes it."),
    Field("passphrase", "secret", "The passphrase of the key, where it has one."),
    Field("password", "secret", "The user's password, instead of a key, or besides where the server wants both."),
    Field("root", "text", "The folder that all others are in: / is the server's, without it the one the user comes to "
          "at login.", default=""),
    Field("fetch", "group", "Where files are fetched from.", fields=FETCH),
    Field("send", "group", "Where files are put.", fields=SEND),
    IDEMPOTENCY,
    Field("timeouts", "group", "How long to wait.", fields=TIMEOUTS),
    Field("connections", "group", "Connections are kept and used again.", fields=CONNECTIONS),
)  # fmt: skip


def source(
    config: Mapping[str, Any], now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Source:
    """The watched folder. Raises PermanentError when the configuration names none, or a key is none."""
    fetch = part_of(config, "fetch", FETCH)
    rests = fetch["every"] > _filled(config, "connections", CONNECTIONS)["idle"]
    return FolderSource(_files(config, rests), _root(config), fetch, now, monotonic, Opening.of(fetch, config))


def destination(config: Mapping[str, Any]) -> Destination:
    """The folder to put files into. Raises PermanentError when the configuration names none, or a key is none."""
    send = part_of(config, "send", SEND)
    return FolderDestination(_files(config), _root(config), send, Sealing.of(send, config))


def rehearsal(config: Mapping[str, Any]) -> FolderRehearsal:
    """The folder without writing to it, for tests of routes. Raises PermanentError as ``destination`` does."""
    return FolderRehearsal(part_of(config, "send", SEND))


def lint(config: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings that cannot be, without any I/O."""
    if not _HOST.fullmatch(str(config["host"])):
        raise PermanentError(f"host: expected a name such as sftp.bank.example, got '{config['host']}'")
    if not 0 < config["port"] < 65536:
        raise PermanentError(f"port: expected 1 to 65535, got {config['port']}")
    for line in config["host_key"]:
        parse_host_key(line)
    if not config.get("key") and not config.get("password"):
        raise PermanentError("key is missing: write key: secret://file/NAME, or password: secret://env/NAME")
    if config.get("passphrase") and not config.get("key"):
        raise PermanentError("passphrase: there is no key: that it could belong to")
    if _filled(config, "connections", CONNECTIONS)["limit"] < 1:
        raise PermanentError("connections.limit: expected 1 or more, got 0")
    for name, seconds in (config.get("timeouts") or {}).items():
        if seconds == 0:
            raise PermanentError(f"timeouts.{name}: expected a wait above zero, such as 5s")
    if not config.get("fetch") and not config.get("send"):
        raise PermanentError("fetch is missing, and send: too; say where files are fetched from, or put to")
    lint_folders(config)


def watched(config: Mapping[str, Any]) -> Watched | None:
    """The folder that files are fetched from; None where none are."""
    server = str(config.get("host")).lower(), str(config.get("port") or 22), str(config.get("user"))
    return watched_folder(config, *server) if config.get("fetch") else None


def inspect(config: Mapping[str, Any]) -> None:
    """What can be known of the keys that the settings name. Raises FilesError, MachineError."""
    inspect_pgp(config)


def _root(config: Mapping[str, Any]) -> PurePosixPath:
    return PurePosixPath(config.get("root") or ".")


def _files(config: Mapping[str, Any], rests: bool = False) -> RemoteFiles:
    try:
        # Here and not above: a hub without systems of this kind does not need the package.
        from connectors._sftp_files import RemoteFiles
        from connectors._sftp_pool import Pool
        from connectors._sftp_session import Account, open_session, private_key
    except ModuleNotFoundError as error:
        raise PermanentError(f"the package {error.name} is missing; run: pip install 'o2c-hub[sftp]'") from None
    timeouts, connections = _filled(config, "timeouts", TIMEOUTS), _filled(config, "connections", CONNECTIONS)
    key = private_key(str(config["key"]), config.get("passphrase")) if config.get("key") else None
    account = Account(
        str(config["host"]), int(config.get("port") or 22), tuple(map(parse_host_key, config["host_key"])),
        str(config["user"]), key, str(config.get("password") or ""),
        timeouts["connect"], timeouts["read"], connections["keep_alive"],
    )  # fmt: skip
    pool = Pool(lambda: open_session(account), connections["limit"], connections["wait"], connections["idle"])
    return RemoteFiles(pool, account.where, rests)


def _filled(config: Mapping[str, Any], name: str, fields: tuple[Field, ...]) -> dict[str, Any]:
    """A group of settings with its defaults."""
    given = {key: value for key, value in (config.get(name) or {}).items() if value is not None}
    return {field.name: given.get(field.name, field.default) for field in fields}
