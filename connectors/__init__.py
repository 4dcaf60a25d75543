"""The connectors: one file each, found by its name. The folder is the registry; packages add theirs by the entry
point group ``o2c.connectors``, and a project adds its own by a file in its ``connectors/`` folder."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import sys
import traceback
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeGuard

from connectors.base import ConnectorError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

_NOT_CONNECTORS = {"base", "auth", "blocking"}
GROUP = "o2c.connectors"


class Unloadable(ConnectorError):
    """A connector of the project's or of a package that fails while it is loaded. ``line`` is that of its own file
    where it went wrong; 0: none."""

    def __init__(self, error: BaseException, path: str = "") -> None:
        known = isinstance(error, ImportError | SyntaxError)
        text = error.msg if isinstance(error, SyntaxError) else str(error)
        super().__init__(text if known and text else f"{type(error).__name__}: {text}".removesuffix(": "))
        own = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == path]
        at = error.lineno if isinstance(error, SyntaxError) and error.filename == path else own[-1] if own else 0
        self.line = at or 0


def has(name: str, folder: Path | None = None) -> bool:
    """Whether there is a connector of this name; packages are looked through only for one that is not the hub's."""
    return name in _ours() or name in names(folder)


@cache
def names(folder: Path | None = None) -> tuple[str, ...]:
    """The names of all connectors there are; ``folder`` is the project's own ``connectors/``."""
    return tuple(sorted({*_ours(), *(point.name for point in _packaged()), *own_names(folder)}))


def own_names(folder: Path | None) -> list[str]:
    """Those of a project's own folder."""
    files = folder.glob("*.py") if _is_own(folder) else ()
    return sorted(path.stem for path in files if not path.stem.startswith("_"))


def origin(name: str, folder: Path | None = None) -> str:
    """Where a connector is from: ``hub``, ``project``, or the package that brings it, with its version."""
    if name in own_names(folder):
        return "project"
    if name in _ours():
        return "hub"
    found = [point.dist for point in _packaged() if point.name == name]
    return f"{found[0].name} {found[0].version}" if found and found[0] else ""


def _is_own(folder: Path | None) -> TypeGuard[Path]:
    """Whether this is a project's folder; in a checkout of the hub it is this package, which needs no second look."""
    return folder is not None and folder.resolve() != Path(__file__).resolve().parent


@cache
def connector(name: str, folder: Path | None = None) -> ModuleType:
    """The module of a connector. Raises KeyError with the name when there is none, Unloadable for one that fails."""
    if _is_own(folder) and (path := folder / f"{name}.py").is_file():
        return _loaded(lambda: _from_file(name, path), str(path))
    if name in _ours():
        return importlib.import_module(f"connectors.{name}")
    for point in _packaged():
        if point.name == name:
            return _loaded(point.load)
    raise KeyError(name)


def _loaded(load: Callable[[], ModuleType], path: str = "") -> ModuleType:
    try:
        return load()
    except (Exception, SystemExit) as error:  # it is anybody's code
        raise Unloadable(error, path) from error


def _from_file(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"o2c_project_connectors.{name}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look up what their annotations name
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[spec.name]
        raise
    return module


@cache
def _ours() -> set[str]:
    return {info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")} - _NOT_CONNECTORS


def _packaged() -> EntryPoints:
    from importlib.metadata import entry_points  # 2 MB, which a process without packages of others is spared

    return entry_points(group=GROUP)
