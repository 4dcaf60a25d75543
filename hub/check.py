"""Everything that can be known to be wrong with a project before it runs, all at once, each fault at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from hub.business_rules import check as business_faults
from hub.connector_lint import place_along
from hub.cross_check import CANONICAL, cross_check
from hub.errors import DocumentFault, Fault, ProjectError
from hub.expressions import expression_faults, expressions_of_route, expressions_of_system
from hub.mapping import Mapping as DocumentMapping
from hub.mapping import Tables, compile_mapping, load_tables
from hub.mapping_formats import mapping_format_faults
from hub.project import document_of, text_of
from hub.routes import Route, load_routes
from hub.schemas import SchemaSet
from hub.settings import ENVIRONMENTS, Settings, load_settings
from hub.template_lint import template_faults

CUSTOMER = "canonical/customer"
_ANY_CUSTOMER = {"customer_id": "self", "status": "active", "updated_at": "2026-01-01T00:00:00Z"}


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A project as it was understood, and what is wrong with it. Fit to run only when ``is_sound``."""

    faults: tuple[Fault, ...]
    settings: Settings
    routes: tuple[Route, ...]
    mappings: Mapping[str, DocumentMapping]
    tables: Tables
    schemas: SchemaSet | None

    @property
    def is_sound(self) -> bool:
        return not self.errors

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.severity == "error"]

    @property
    def warnings(self) -> list[Fault]:
        return [fault for fault in self.faults if fault.severity != "error"]

    def require_sound(self) -> CheckResult:
        """Itself; raises ProjectError with every error when there is one."""
        if self.errors:
            raise ProjectError(self.errors)
        return self


def check_project(
    files: Mapping[str, bytes],
    environment: str | None = None,
    *,
    own: Collection[str] | None = None,
    connectors_folder: Path | None = None,
) -> CheckResult:
    """Check all files of a project. ``own`` names those that are not the hub's own: a mapping that travels with the
    hub is looked at only when a route names it; None means that every file is the project's."""
    mine = set(files if own is None else own)
    faults: list[Fault] = _syntax_faults(files, mine)
    settings, found = load_settings(files, environment, connectors_folder)
    faults += found + _other_environments(files, environment, connectors_folder)
    routes, found = load_routes(files)
    faults += found
    schemas, tables = _schemas(files, faults), _tables(files, faults)
    paths = _mapping_paths(files, faults)
    wanted = _wanted(paths, routes, mine)
    mappings = _mappings(files, wanted, tables, schemas, faults)
    for system in settings.systems.values():
        faults += expression_faults(expressions_of_system(system, connectors_folder))
        if schemas is not None:
            faults += template_faults(system, routes, mappings, schemas, connectors_folder)
    for route in routes:
        faults += expression_faults(expressions_of_route(route), _carried(route, mappings, schemas))
    faults += cross_check(settings, routes, paths, mappings)
    faults += _company_faults(settings, schemas)
    faults += _unused(files, paths, routes, mine, faults)
    return CheckResult(_sorted(faults), settings, tuple(routes), mappings, tables, schemas)


def _sorted(faults: list[Fault]) -> tuple[Fault, ...]:
    return tuple(sorted(set(faults), key=lambda fault: (fault.file, fault.line, fault.column, fault.message)))


def _syntax_faults(files: Mapping[str, bytes], mine: set[str]) -> list[Fault]:
    """YAML faults of every file of the project, also of those that nothing uses today."""
    return [
        fault
        for path in sorted(mine & set(files))
        if path.endswith((".yaml", ".yml"))
        for fault in document_of(files, path)[1]
    ]


def _other_environments(files: Mapping[str, bytes], current: str | None, folder: Path | None) -> list[Fault]:
    """Faults in the files of the environments that are not in force here: they must not wait for their day."""
    faults: list[Fault] = []
    for path in sorted(path for path in files if path.startswith(ENVIRONMENTS) and path.endswith(".yaml")):
        name = path.removeprefix(ENVIRONMENTS).removesuffix(".yaml")
        if name != current:
            faults += [fault for fault in load_settings(files, name, folder)[1] if fault.file == path]
    return faults


def _schemas(files: Mapping[str, bytes], faults: list[Fault]) -> SchemaSet | None:
    try:
        return SchemaSet({path: raw for path, raw in files.items() if path.startswith("schemas/")})
    except ProjectError as error:
        faults += error.faults
        return None


def _tables(files: Mapping[str, bytes], faults: list[Fault]) -> Tables:
    texts: dict[str, str] = {}
    for path in files:
        if path.startswith("mappings/tables/") and path.endswith(".csv"):
            text, found = text_of(files, path)
            faults += found
            texts |= {} if found else {path: text}
    try:
        return load_tables(texts)
    except ProjectError as error:
        faults += error.faults
        return load_tables({})


def _mapping_paths(files: Mapping[str, bytes], faults: list[Fault]) -> dict[str, str]:
    """The file of each mapping, by name: the file's stem."""
    paths: dict[str, str] = {}
    for path in sorted(files):
        if not path.startswith("mappings/") or not path.endswith(".yaml") or path.endswith(".test.yaml"):
            continue
        name = PurePosixPath(path).stem
        if paths.setdefault(name, path) != path:
            advice = "rename one of them, or put yours in its place"
            faults.append(Fault(path, 1, 1, f"there is a mapping '{name}' already: {paths[name]}; {advice}"))
    return paths


def _wanted(paths: Mapping[str, str], routes: list[Route], mine: set[str]) -> dict[str, str]:
    used = used_mappings(routes)
    return {name: path for name, path in paths.items() if name in used or path in mine}


def used_mappings(routes: Collection[Route]) -> set[str]:
    """The names of the mappings that routes use."""
    names = {route.map for route in routes}
    for target in (target for route in routes for target in route.targets):
        names |= {name for name in (target.map, target.reply.map if target.reply else None) if name}
    return names


def _mappings(
    files: Mapping[str, bytes], paths: Mapping[str, str], tables: Tables, schemas: SchemaSet | None, faults: list[Fault]
) -> dict[str, DocumentMapping]:
    mappings = {}
    for name, path in paths.items():
        text, found = text_of(files, path)
        faults += found
        if found:
            continue
        try:
            mappings[name] = compile_mapping(text, path, tables=tables, schemas=schemas)
        except ProjectError as error:
            faults += error.faults
        faults += mapping_format_faults(document_of(files, path)[0])
    return mappings


def _carried(
    route: Route, mappings: Mapping[str, DocumentMapping], schemas: SchemaSet | None
) -> Mapping[str, Any] | None:
    """The schema of the canonical document that a route's ``when:`` and ``key:`` see; None where it is not known."""
    mapping = mappings.get(route.map)
    name = (mapping.target.schema if mapping else None) or ""
    return schemas.schema(name) if schemas and name.startswith(CANONICAL) and schemas.has(name) else None


def _company_faults(settings: Settings, schemas: SchemaSet | None) -> list[Fault]:
    """What breaks the canonical Party under ``company:``, which a customer's ``party`` is too."""
    place = settings.node.get("company") if settings.node else None
    if schemas is None or place is None or settings.company is None or CUSTOMER not in schemas.names():
        return []
    document = {**_ANY_CUSTOMER, "party": settings.company}
    found = [*schemas.faults(CUSTOMER, document), *business_faults("customer", document)]
    return [
        place_along(place, fault.path.removeprefix("party")).fault(f"company: {_party_text(fault)}", fault.severity)
        for fault in found
    ]


def _party_text(fault: DocumentFault) -> str:
    return str(fault).replace("party.", "") if fault.path.startswith("party.") else fault.message


def _unused(
    files: Mapping[str, bytes], paths: Mapping[str, str], routes: list[Route], mine: set[str], faults: list[Fault]
) -> list[Fault]:
    """A warning for each of the project's mappings that no route uses; none while a route cannot be understood."""
    if any(fault.file.startswith("routes/") for fault in faults):
        return []
    used = used_mappings(routes)
    places = {name: document_of(files, path)[0] for name, path in paths.items() if path in mine and name not in used}
    return [
        (root.get("mapping") or root).fault(f"no route uses the mapping '{name}'", "warning")
        for name, root in sorted(places.items())
    ]
