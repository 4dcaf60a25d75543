"""The connectors: one file each, found by its name. The folder is the registry; packages add theirs by the entry
point group ``o2c.connectors``, and a project adds its own by a file in its ``connectors/`` folder."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

_NOT_CONNECTORS = {"base", "auth"}


@cache
def names(folder: Path | None = None) -> tuple[str, ...]:
    """The names of all connectors there are; ``folder`` is the project's own ``connectors/``."""
    ours = {info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_")} - _NOT_CONNECTORS
    packaged = {point.name for point in entry_points(group="o2c.connectors")}
    own = {path.stem for path in folder.glob("*.py") if not path.stem.startswith("_")} if _is_own(folder) else set()
    return tuple(sorted(ours | packaged | own))


def _is_own(folder: Path | None) -> TypeGuard[Path]:
    """Whether this is a project's folder; in a checkout of the hub it is this package, which needs no second look."""
    return folder is not None and folder.resolve() != Path(__file__).resolve().parent


@cache
def connector(name: str, folder: Path | None = None) -> ModuleType:
    """The module of a connector. Raises KeyError with the name when there is none."""
    if _is_own(folder) and (path := folder / f"{name}.py").is_file():
        spec = importlib.util.spec_from_file_location(f"o2c_project_connectors.{name}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    for point in entry_points(group="o2c.connectors"):
        if point.name == name:
            return point.load()  # type: ignore[no-any-return]
    if name not in names():
        raise KeyError(name)
    return importlib.import_module(f"connectors.{name}")
