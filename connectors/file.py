"""Files in folders of this machine or of a share that is mounted: fetched from a watched folder, put into another."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePath
from typing import Any

from connectors._file_address import Addresses
from connectors._file_destination import FolderDestination, FolderRehearsal
from connectors._file_local import LocalFiles
from connectors._file_names import PACKED, folder_within
from connectors._file_packed import UNPACK
from connectors._file_pgp import OPENING, SEALING, Opening, Sealing, inspect_pgp, lint_opening, lint_sealing
from connectors._file_ready import check_pattern
from connectors._file_source import FolderSource
from connectors.base import WHEN, Destination, Field, PermanentError, Source, Watched

_MARKERS = ("{name}.done", "{name}.ok", "{name}.trg")

FETCH = (
    Field("folder", "text", "The folder to watch, below root.", required=True, may_be_empty=True),
    Field("pattern", "text", "Which names are taken: * is anything, ? one character.", default="*"),
    Field("events", "map", "What a file is, by its name: {despatch: \"DES*.csv\", stock: \"STO*.csv\"}; the first "
          "pattern that fits counts.", fields=(Field(""),)),
    Field("every", "duration", "How often the folder is looked at, where at: says no times.", default=10.0),
    *WHEN,
    Field("ready", "choice", "When a file is complete: marker (a file beside it says so), rename (its writer renames "
          "it when it is; .tmp, .part, .filepart and hidden names are not taken) or stability (size and time stay the "
          "same; the weakest, since a writer may pause).", default="stability",
          choices=("marker", "rename", "stability")),
    Field("markers", "list", "ready: marker: how a marker is called; {name} is the file's name, {stem} without its "
          "ending. A marker may hold the file's size and sha256.", default=_MARKERS, fields=(Field(""),)),
    Field("polls", "integer", "ready: stability: in how many looks a file must be the same.", default=2),
    Field("steady_for", "duration", "ready: stability: over how long it must be the same; an empty file over 1m at "
          "least.", default=2.0),
    Field("archive_by", "choice", "When a file is filed away: receipt (stored in the hub) or outcome (all its messages "
          "have ended; to the error folder if one is dead).", default="receipt", choices=("receipt", "outcome")),
    Field("archive", "text", "Where it is filed away, below root, in folders by year/month/day.", default="archive"),
    Field("error", "text", "Where a file goes that cannot be taken, below root, with a note of why.", default="error"),
    Field("sort", "choice", "The order files are taken in.", default="name", choices=("name", "mtime")),
    Field("max_files", "integer", "How many files are taken in one round at most.", default=1000),
    Field("max_size", "size", "A larger file goes to the error folder.", default=1_000_000_000),
    Field("empty", "choice", "What becomes of an empty file: error (the error folder), skip (the archive), wait (it "
          "stays), accept (a message like any other).", default="error", choices=("error", "skip", "wait", "accept")),
    Field("same_content", "choice", "What becomes of a file whose content came before, under whatever name: skip (it "
          "is filed away and nothing else), process (like any other), alert (a dead letter: a person decides).",
          default="skip", choices=("skip", "process", "alert")),
    Field("unpack", "group", "Files that are packed are taken as what is in them: a .gz as one file, each file in a "
          ".zip as one of its own.", fields=UNPACK),
    Field("pgp", "group", "Files whose names end in .pgp, .gpg or .asc are decrypted by the program gpg, and unpacked "
          "then; without it they are taken as they are.", fields=OPENING),
    Field("claim", "choice", "How a file is taken in hand: rename (into .work in the folder) or lease (a row in the "
          "hub's store, where no rename is allowed: files stay where they are, and the hub knows which are done with).",
          default="rename", choices=("rename", "lease")),
    Field("lease", "duration", "After how long a file that a crash left in hand is taken again.", default=300.0),
)  # fmt: skip
SEND = (
    Field("folder", "text", "The folder to put files into, below root. It may have variables as the name has, such as "
          "out/{supplier_id}; then it is made, below the part that has none.",
          required=True, is_template=True),
    Field("name", "text", "The file's name: {key}, {delivery_id}, {extension} (by the content type) and the message's "
          "own variables. With {key} or {delivery_id} a repeated write is told from another delivery.",
          default="{key}.{extension}", is_template=True),
    Field("pack", "choice", "Whether what is written is packed: name (where the name ends in .gz or .zip), gz, zip "
          "(with one file in it, called as the zip without its ending) or none. A retry writes the same bytes.",
          default="name", choices=("name", "gz", "zip", "none")),
    Field("pgp", "group", "What is written is encrypted by the program gpg, once it is packed. The name has {key} in "
          "it: what lies under it counts as written, since what is encrypted twice is not the same twice.",
          fields=SEALING),
    Field("if_exists", "choice", "What if the name is taken by other content: fail, replace, or suffix (name-1 …).",
          default="fail", choices=("fail", "replace", "suffix")),
    Field("marker", "text", "A marker to write last, e.g. {name}.done; empty: none.", default=""),
    Field("threads", "integer", "How many files are written at a time.", default=2),
)  # fmt: skip
IDEMPOTENCY = Field(
    "idempotency", "group", "What the receiver offers against double effects.",
    fields=(
        Field("mode", "choice", "native: the same delivery writes the same name again, which harms nobody; lookup: the "
              "file is looked for first; none: a person decides.", default="native",
              choices=("native", "lookup", "none")),
        Field("settle", "duration", "mode: lookup: how long to wait before looking.", default=60.0),
    ),
)  # fmt: skip
FIELDS = (
    Field("root", "text", "The folder that all others are in; relative to where the hub is started.", required=True),
    Field("fetch", "group", "Where files are fetched from.", fields=FETCH),
    Field("send", "group", "Where files are put.", fields=SEND),
    IDEMPOTENCY,
)


def source(
    config: Mapping[str, Any], now: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
) -> Source:
    """The watched folder. Raises PermanentError when the configuration names none."""
    fetch = part_of(config, "fetch", FETCH)
    return FolderSource(LocalFiles(), Path(config["root"]), fetch, now, monotonic, Opening.of(fetch, config))


def destination(config: Mapping[str, Any]) -> Destination:
    """The folder to put files into. Raises PermanentError when the configuration names none."""
    send = part_of(config, "send", SEND)
    return FolderDestination(LocalFiles(), Path(config["root"]), send, Sealing.of(send, config))


def rehearsal(config: Mapping[str, Any]) -> FolderRehearsal:
    """The folder without writing to it, for tests of routes. Raises PermanentError as ``destination`` does."""
    return FolderRehearsal(part_of(config, "send", SEND))


def lint(config: Mapping[str, Any]) -> None:
    """Raises PermanentError for settings that cannot be, without any I/O."""
    lint_folders(config)


def watched(config: Mapping[str, Any]) -> Watched | None:
    """The folder that files are fetched from; None where none are."""
    return watched_folder(config) if config.get("fetch") else None


def inspect(config: Mapping[str, Any]) -> None:
    """What can be known of the keys that the settings name. Raises FilesError, MachineError."""
    inspect_pgp(config)


def lint_folders(config: Mapping[str, Any]) -> None:
    """The same for ``fetch`` and ``send``, wherever their folders are."""
    if config.get("fetch"):
        fetch = part_of(config, "fetch", FETCH)
        for name in ("folder", "archive", "error"):
            _named(f"fetch.{name}", partial(folder_within, PurePath(), fetch[name]))
        is_same = posixpath.normpath(fetch["error"]) == posixpath.normpath(fetch["folder"])
        if is_same and fetch["claim"] == "rename":
            raise PermanentError(
                "fetch.error: the watched folder itself, where files would be taken again; name another"
            )
        for pattern in (fetch["pattern"], *(fetch["events"] or {}).values()):
            _named("fetch.pattern" if pattern is fetch["pattern"] else "fetch.events", partial(check_pattern, pattern))
        _lint_counts("fetch", fetch, ("polls", "max_files"))
        if fetch["claim"] == "lease" and fetch["archive_by"] == "outcome":
            raise PermanentError("fetch.archive_by: with claim: lease files stay where they are; take it out")
        _lint_unpack({field.name: field.default for field in UNPACK} | dict(fetch["unpack"] or {}))
        lint_opening(fetch)
    if config.get("send"):
        send = part_of(config, "send", SEND)
        _named("send.folder", lambda: folder_within(PurePath(), send["folder"]))
        _named("send", lambda: Addresses(PurePath(), send))
        _lint_counts("send", send, ("threads",))
        lint_sealing(send)


def watched_folder(config: Mapping[str, Any], *server: str) -> Watched:
    """The folder of ``fetch``, on this machine or on a server."""
    fetch = part_of(config, "fetch", FETCH)
    path = posixpath.normpath(posixpath.join(str(config.get("root") or "."), str(fetch["folder"])))
    return Watched((*server, path), fetch["pattern"], fetch["claim"] == "lease")


def _lint_counts(group: str, settings: Mapping[str, Any], names: Sequence[str]) -> None:
    for name in names:
        if settings[name] < 1:
            raise PermanentError(f"{group}.{name}: expected 1 or more, got {settings[name]}")


def _lint_unpack(unpack: Mapping[str, Any]) -> None:
    _lint_counts("fetch.unpack", unpack, ("max_files", "max_ratio"))
    _named("fetch.unpack.entries", partial(check_pattern, unpack["entries"]))
    for ending in unpack["endings"]:
        if ending not in PACKED:
            raise PermanentError(f"fetch.unpack.endings: expected {' or '.join(PACKED)}, got '{ending}'")


def _named(setting: str, check: Callable[[], object]) -> None:
    try:
        check()
    except PermanentError as error:
        raise PermanentError(f"{setting}: {error}") from None


def part_of(config: Mapping[str, Any], name: str, fields: Sequence[Field]) -> dict[str, Any]:
    """``fetch`` or ``send`` with its defaults. Raises PermanentError when the configuration has none."""
    given = config.get(name)
    if not given:
        raise PermanentError(f"this system has no '{name}:' with a folder in it")
    defaults = {field.name: field.default for field in fields}
    return {**defaults, **{key: value for key, value in given.items() if value is not None}}
