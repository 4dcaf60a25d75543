"""``o2c init``: a new project folder that runs as it is, with nothing to set and nothing to install.

Its ERP and its warehouse are folders that files are written to, so that the first order arrives somewhere; its shop's
secret and the key of the command line are made here, readable by their owner alone.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path

import msgspec

from hub.check import used_mappings
from hub.errors import UsageError
from hub.project import document_of, reference_files
from hub.reference import reference_root
from hub.routes import load_routes
from hub.scaffold.keys import create_local_key, write_private
from hub.yaml_schemas import schema_text, yaml_schemas

_START = Path(__file__).parent / "start"
_NAMES = {"gitignore": ".gitignore"}  # a dot file would steer the repository that this template lies in
_WEBSHOP_KEY = ".o2c/secrets/webshop"
_FOLDERS = ("data/outbox/erp", "data/outbox/wms")


class Created(msgspec.Struct, frozen=True):
    """A project that was made: its folder and its files, relative to it."""

    root: Path
    files: tuple[str, ...]


def create_project(folder: Path) -> Created:
    """Make the project. Raises UsageError for a folder that holds something."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; name a new folder")
    files = start_files()
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True)
    write_private(folder / _WEBSHOP_KEY, secrets.token_hex(32))
    create_local_key(folder)
    return Created(folder, tuple(sorted(files)))


def start_files() -> dict[str, bytes]:
    """What a new project holds: the template, the reference configuration, the mappings its routes use, and what
    editors complete YAML by."""
    reference = reference_root()
    files = {"config/hub.yaml": (reference / "config/hub.yaml").read_bytes(), **_for_editors()}
    for path in sorted(_START.rglob("*")):
        if path.is_file():
            name = path.relative_to(_START).as_posix()
            files[_NAMES.get(name, name)] = path.read_bytes()
    return {**files, **_mappings_of(files, reference)}


def _for_editors() -> dict[str, bytes]:
    return {f"schemas/{path}": schema_text(schema).encode() for path, schema in yaml_schemas(reference_files()).items()}


def _mappings_of(files: Mapping[str, bytes], reference: Path) -> dict[str, bytes]:
    """The mappings the routes use, their tests and their look-up tables, to be read and changed."""
    routes, _ = load_routes(files)
    wanted = used_mappings(routes)
    found: dict[str, bytes] = {}
    for path in sorted((reference / "mappings").rglob("*.yaml")):
        if path.name.partition(".")[0] in wanted:
            found[path.relative_to(reference).as_posix()] = path.read_bytes()
    return {**found, **_tables_of(found, reference)}


def _tables_of(mappings: Mapping[str, bytes], reference: Path) -> dict[str, bytes]:
    names: set[str] = set()
    for path in mappings:
        tables = document_of(mappings, path)[0].get("tables")
        names |= {node.text for node in tables.elements()} if tables else set()
    paths = [f"mappings/tables/{name}.csv" for name in sorted(names)]
    return {path: (reference / path).read_bytes() for path in paths}
