"""What ``o2c doctor`` looks at: the installation, the project, its secrets, its store, the running hub."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import apsw

from hub import __version__
from hub.broker import open_wire
from hub.broker.wire import WireError
from hub.check import CheckResult
from hub.cli.terminal import counted
from hub.cli.workplace import Workplace, environment_name, project_store, running_hub
from hub.client import LOCAL
from hub.errors import HubError, UsageError
from hub.listening import certificate_files
from hub.secret import Secret, references, resolve
from hub.store import is_shared, store_path

OK, WARNING, FAULT = "ok", "warning", "fault"
_SOUND_SQLITE = (3, 51, 3)  # earlier ones can corrupt a database when the write-ahead log is reset
_LITTLE_ROOM, _NO_ROOM = 2_000_000_000, 200_000_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: ``state`` is ok, warning or fault; ``detail`` what was seen, and expected where
    that is another thing; ``hint`` says what to do, ``tried`` how it was found out where that is not plain."""

    subject: str
    state: str
    detail: str
    hint: str = ""
    tried: str = ""


def examine(place: Workplace) -> Iterator[Finding]:
    """Every finding, in the order a person would look."""
    result = place.check()
    checks: list[Callable[[], Iterator[Finding]]] = [
        _installation,
        lambda: _project(place, result),
        lambda: _secrets(place, result),
        lambda: _certificate(place, result),
        lambda: _private_files(place),
        lambda: _store(place, result),
        lambda: _broker(place, result),
        lambda: _hub(place),
    ]
    for check in checks:
        yield from check()


def _installation() -> Iterator[Finding]:
    python = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    yield Finding("hub", OK, f"o2c-hub {__version__}")
    yield Finding("Python", OK if sys.version_info >= (3, 11) else FAULT, python)
    version = apsw.sqlite_lib_version()
    sound = tuple(int(part) for part in version.split(".")[:3]) >= _SOUND_SQLITE
    hint = "" if sound else "install apsw 3.51.3 or newer: this one can corrupt the store"
    yield Finding("SQLite", OK if sound else FAULT, version, hint)


def _project(place: Workplace, result: CheckResult) -> Iterator[Finding]:
    environment = environment_name()
    named = f"{place.root}{f', environment {environment}' if environment else ''}"
    errors = len(result.errors)
    if errors:
        yield Finding("project", FAULT, f"{named}: {counted(errors, 'error')}", "see: o2c check")
    else:
        routes = f"{counted(len(result.routes), 'route')}, {counted(len(result.settings.systems), 'system')}"
        yield Finding("project", OK, f"{named}: {routes}")


def _secrets(place: Workplace, result: CheckResult) -> Iterator[Finding]:
    settings = result.settings
    folder = place.root / settings.secrets_folder
    used: list[object] = [
        settings.store,
        settings.broker,
        settings.notify,
        settings.http.tls.key if settings.http.tls else None,
    ]
    for system in settings.systems.values():
        used += [system.options, system.verify]
    for partner in settings.partners.values():
        used += [(side.password, side.authorization) for side in (partner.us, partner.them)]
    for secret in references(used):
        try:
            resolve(secret, folder)
        except UsageError as error:
            yield Finding("secret", FAULT, str(error), "set it where the hub runs")
        else:
            yield Finding("secret", OK, f"{secret} is there")


def _certificate(place: Workplace, result: CheckResult) -> Iterator[Finding]:
    settings, tls = result.settings, result.settings.http.tls
    if tls is None or "config/hub.yaml" in {fault.file for fault in result.errors}:
        return
    try:
        certificate_files(tls, place.root, place.root / settings.secrets_folder)
    except UsageError as error:
        yield Finding("certificate", FAULT, str(error), "the hub does not start without it")
    else:
        yield Finding("certificate", OK, f"{tls.certificate} and its key fit")


def _private_files(place: Workplace) -> Iterator[Finding]:
    for path in (place.root / LOCAL, *(place.root / ".o2c/secrets").glob("*")):
        if path.is_file() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            name = path.relative_to(place.root)
            yield Finding("permissions", FAULT, f"{name} can be read by others", f"chmod 600 {name}")


def _store(place: Workplace, result: CheckResult) -> Iterator[Finding]:
    store = result.settings.store
    path = None if isinstance(store, Secret) or is_shared(store) else store_path(store, place.root)
    if path is not None and not _is_there(path):
        yield Finding("store", WARNING, f"there is none at {path} yet", "it is made by: o2c run")
        return
    yield _opened_store(place, path)
    if path is not None:
        yield from _open_to_all(place, path)
        yield _room(path.parent)


def _open_to_all(place: Workplace, path: Path) -> Iterator[Finding]:
    """A store that an older hub made, or a copy of it, in a folder that everybody may enter. A group of its own may be
    somebody's wish."""
    with suppress(OSError):
        if path.parent.stat().st_mode & stat.S_IXOTH:
            for file in sorted(path.parent.glob(f"{path.name}*")):
                if file.stat().st_mode & stat.S_IROTH and file.suffix != ".lock":
                    name = path.relative_to(place.root) if path.is_relative_to(place.root) else path
                    detail = f"every user of this machine can read {file.name}, which holds documents"
                    yield Finding("permissions", WARNING, detail, f"chmod o= {name}*")
                    return


def _is_there(path: Path) -> bool:
    """Also where nobody may look; opening it tells of that."""
    try:
        return path.is_file()
    except OSError:
        return True


def _opened_store(place: Workplace, path: Path | None) -> Finding:
    try:
        opened = project_store(place, read_only=True)
    except HubError as error:
        return Finding("store", FAULT, str(error))
    try:
        if path is not None:
            size = sum(part.stat().st_size for part in path.parent.glob(path.name + "*") if part.is_file())
            return Finding("store", OK, f"{path}, {size / 1e6:.1f} MB")
        where = f"{opened.size() / 1e6:.1f} MB"
        return Finding("store", OK, where if not is_shared(opened.url) else f"on a PostgreSQL server, {where}")
    finally:
        opened.close()


def _broker(place: Workplace, result: CheckResult) -> Iterator[Finding]:
    broker = result.settings.broker
    if broker == "local":
        return
    try:
        url = resolve(broker, place.root / result.settings.secrets_folder) if isinstance(broker, Secret) else broker
    except UsageError:
        return  # it is among the secrets that are missing
    try:
        wire = open_wire(url)
        wire.tend()
        wire.close()
    except UsageError as error:
        yield Finding("broker", FAULT, str(error))
    except WireError as error:
        hint = "documents are taken in all the same, and workers look for them every few seconds"
        yield Finding("broker", WARNING, f"it is away: {error}", hint)
    else:
        yield Finding("broker", OK, f"{url.partition('://')[0]}, it answers")


def _room(folder: os.PathLike[str]) -> Finding:
    free = shutil.disk_usage(folder).free
    state = FAULT if free < _NO_ROOM else WARNING if free < _LITTLE_ROOM else OK
    return Finding("disk", state, f"{free / 1e9:.1f} GB free", "" if state == OK else "make room, or lower retention:")


def _hub(place: Workplace) -> Iterator[Finding]:
    try:
        hub = running_hub(place.root)
    except HubError as error:
        yield Finding("running hub", FAULT, str(error))
        return
    if hub is None:
        yield Finding("running hub", WARNING, "none answers", "start it with: o2c run")
        return
    ready = hub.request("GET", "/readyz")
    state = OK if ready.status == 200 else FAULT
    yield Finding("running hub", state, f"{hub.url} is {'ready' if state == OK else f'not ready ({ready.status})'}")
