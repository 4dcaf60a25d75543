"""Everything that can be known to be wrong with a project before it runs, all at once, each fault at its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from pathlib import Path, PurePosixPath

import msgspec

import connectors
from hub import formats
from hub.business_rules import check as business_faults
from hub.cases import case_faults
from hub.collect_lint import collect_faults
from hub.connector_lint import file_faults, place_along
from hub.cross_check import CANONICAL, cross_check
from hub.edi_versions import version_faults
from hub.errors import DocumentFault, Fault, ProjectError
from hub.excerpts import with_excerpts
from hub.expressions import expression_faults, expressions_of_route, expressions_of_system
from hub.folder_lint import folder_faults
from hub.grammars import Grammars
from hub.identifiers import has_vat_check_digit
from hub.lane_lint import lane_faults
from hub.mapping import Mapping as DocumentMapping
from hub.mapping import Tables, compile_mapping, load_tables
from hub.mapping_formats import mapping_format_faults
from hub.outline import Outline
from hub.own_connectors import own_connector_faults
from hub.partners import Partner
from hub.profile_lint import profile_faults
from hub.project import document_of, text_of
from hub.routes import Route, load_routes, resolved
from hub.schemas import SchemaSet, schema_set
from hub.schemas.numbers import number_faults
from hub.settings import ENVIRONMENTS, Settings, load_settings
from hub.systems import System, connector_fields, preset_names
from hub.template_lint import template_faults
from hub.yamldoc import did_you_mean

CUSTOMER = "canonical/customer"
_ANY_CUSTOMER = {"customer_id": "self", "status": "active", "updated_at": "2026-01-01T00:00:00Z"}


class CheckResult(msgspec.Struct, frozen=True):
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
    routes = resolved(routes, {name: partner.system for name, partner in settings.partners.items()})
    faults += found
    schemas, tables = _schemas(files, faults), _tables(files, faults)
    faults += number_faults({path: files[path] for path in sorted(mine & set(files)) if path.startswith("schemas/")})
    paths = _mapping_paths(files, mine, faults)
    wanted = _wanted(paths, routes, mine)
    mappings = _mappings(files, wanted, tables, schemas, faults)
    for name, carried in _unsaid_sources(routes, mappings).items():
        text = text_of(files, wanted[name])[0]
        faults += _compiled(text, wanted[name], tables, schemas, carried)[1]
    faults += own_connector_faults(connectors_folder)
    for system in settings.systems.values():
        faults += expression_faults(expressions_of_system(system, connectors_folder))
        faults += _file_faults(system, connectors_folder)
        if schemas is not None:
            acknowledged = {partner.system for partner in settings.partners.values() if partner.is_acknowledged}
            faults += template_faults(
                system, routes, mappings, schemas, connectors_folder, is_acknowledged=system.name in acknowledged
            )
    for route in routes:
        faults += expression_faults(expressions_of_route(route), _carried(route, mappings, schemas))
        faults += lane_faults(route, mappings, schemas) if schemas is not None else ()
    if schemas is not None:
        faults += [*schemas.grammars.faults(mine), *schemas.idocs.faults(mine)]
    faults += cross_check(settings, routes, paths, mappings)
    faults += profile_faults(files, routes)
    faults += folder_faults(settings.systems, connectors_folder)
    faults += collect_faults(routes, settings, mappings)
    faults += _company_faults(settings, schemas)
    faults += _overlay_faults(settings, schemas)
    faults += version_faults(settings, routes, mappings, schemas) if schemas is not None else ()
    faults += _unused(files, paths, routes, mine, faults)
    faults += case_faults(files, mine, routes)
    return CheckResult(tuple(with_excerpts(_sorted(faults), files)), settings, tuple(routes), mappings, tables, schemas)


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
        return schema_set(files)
    except ProjectError as error:
        faults += error.faults
        return None


@lru_cache(maxsize=4)
def _table_set(files: tuple[tuple[str, str], ...]) -> Tables:
    return load_tables(dict(files))


def _tables(files: Mapping[str, bytes], faults: list[Fault]) -> Tables:
    texts: dict[str, str] = {}
    for path in files:
        if path.startswith("mappings/tables/") and path.endswith(".csv"):
            text, found = text_of(files, path)
            faults += found
            texts |= {} if found else {path: text}
    try:
        return _table_set(tuple(texts.items()))
    except ProjectError as error:
        faults += error.faults
        return load_tables({})


def _mapping_paths(files: Mapping[str, bytes], mine: set[str], faults: list[Fault]) -> dict[str, str]:
    """The file of each mapping, by name: the file's stem."""
    paths: dict[str, str] = {}
    for path in sorted(files, key=lambda path: (path in mine, path)):
        if not path.startswith("mappings/") or not path.endswith(".yaml") or path.endswith(".test.yaml"):
            continue
        name = PurePosixPath(path).stem
        if (other := paths.setdefault(name, path)) != path:
            told = f"there is a mapping '{name}' already: {other}; rename one of them"
            if other not in mine:
                told = (
                    f"the hub brings a mapping '{name}': give yours another name, or write it to {other} in its place"
                )
            faults.append(Fault(path, 1, 1, told))
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
    mappings: dict[str, DocumentMapping] = {}
    for name, path in paths.items():
        text, found = text_of(files, path)
        faults += found
        if found:
            continue
        mapping, found_in_it = _compiled(text, path, tables, schemas)
        faults += found_in_it
        mappings |= {name: mapping} if mapping else {}
        faults += mapping_format_faults(document_of(files, path)[0])
    return mappings


def _unsaid_sources(routes: list[Route], mappings: Mapping[str, DocumentMapping]) -> dict[str, str]:
    """What targets' mappings are given where they do not say it: the canonical type of their routes, if it is one."""
    types: dict[str, set[str]] = {}
    for route in routes:
        carried = (mappings[route.map].target.schema if route.map in mappings else None) or ""
        for name in {target.map for target in route.targets if target.map in mappings}:
            types.setdefault(str(name), set()).add(carried)
    found = {name: carried for name, (carried, *others) in types.items() if carried and not others}
    sides = {name: mappings[name].source for name in found}
    return {name: found[name] for name, side in sides.items() if side.schema is None and side.format is None}


@lru_cache(maxsize=256)
def _compiled(
    text: str, path: str, tables: Tables, schemas: SchemaSet | None, carried: str = ""
) -> tuple[DocumentMapping | None, tuple[Fault, ...]]:
    try:
        mapping = compile_mapping(text, path, tables=tables, schemas=schemas, carried=carried)
    except ProjectError as error:
        return None, tuple(error.faults)
    return mapping, mapping.warnings


def _carried(route: Route, mappings: Mapping[str, DocumentMapping], schemas: SchemaSet | None) -> Mapping[str, Outline]:
    """What is known of the canonical document that a route's ``when:`` and ``key:`` see."""
    mapping = mappings.get(route.map)
    name = (mapping.target.schema if mapping else None) or ""
    is_known = schemas is not None and name.startswith(CANONICAL) and schemas.has(name)
    return {"src": schemas.outline(name)} if schemas is not None and is_known else {}


def _file_faults(system: System, folder: Path | None) -> list[Fault]:
    """What is wrong with the files that a system's settings name."""
    if not system.connector or system.node is None:
        return []
    module = connectors.connector(system.connector, folder)
    return list(file_faults(module, connector_fields(module), system.options, system.files, system.node))


def _company_faults(settings: Settings, schemas: SchemaSet | None) -> list[Fault]:
    """What breaks the canonical Party under ``company:``, which a customer's ``party`` is too."""
    place = settings.node.get("company") if settings.node else None
    if schemas is None or place is None or settings.company is None or CUSTOMER not in schemas.names():
        return []
    document = {**_ANY_CUSTOMER, "party": settings.company}
    found = [*schemas.faults(CUSTOMER, document), *business_faults("customer", document)]
    told = [
        place_along(place, fault.path.removeprefix("party")).fault(f"company: {_party_text(fault)}", fault.severity)
        for fault in found
    ]
    vat_id = settings.company.get("vat_id")
    if not told and isinstance(vat_id, str) and not has_vat_check_digit(vat_id):
        message = "company: the check digit of this VAT number is wrong; look for two digits that are exchanged"
        told.append(place_along(place, "vat_id").fault(message, "warning"))
    return told


def _overlay_faults(settings: Settings, schemas: SchemaSet | None) -> list[Fault]:
    """Partners' overlays that there is no grammar for, or one of something else."""
    if schemas is None:
        return []
    return [
        place_along(partner.node, f"overlays.{message}").fault(f"overlays.{message}: {wrong}")
        for partner in settings.partners.values()
        if partner.node is not None
        for message, name in partner.overlays.items()
        if (wrong := _wrong_overlay(partner, message, name, schemas.grammars))
    ]


def _wrong_overlay(partner: Partner, message: str, name: str, grammars: Grammars) -> str:
    """What is wrong with the grammar a partner's messages of one type are read by; '' nothing."""
    if not grammars.has(name):
        return f"unknown grammar '{name}'{did_you_mean(name, grammars.names())}"
    try:
        found = grammars.message(name)
    except ProjectError:
        return ""  # told where it is wrong, in its own file
    type = found.standard.rpartition("/")[2]
    if found.syntax != partner.syntax:
        return f"grammar '{name}' is of {found.syntax}, and partner '{partner.name}' speaks {partner.syntax}"
    if type != message:
        return f"grammar '{name}' is of the message {type}; write {type}: {name}, or a grammar of {message}"
    return ""


def _party_text(fault: DocumentFault) -> str:
    return str(fault).replace("party.", "") if fault.path.startswith("party.") else fault.message


def _unused(
    files: Mapping[str, bytes], paths: Mapping[str, str], routes: list[Route], mine: set[str], faults: list[Fault]
) -> list[Fault]:
    """A warning for each of the project's mappings that no route uses; none while a route cannot be understood.

    The folder of a format (``mappings/edifact/``), of formats that share a document (``mappings/bank/``), or of a
    preset (``mappings/tryton/``) is a library, of which a project uses what it needs.
    """
    if any(fault.file.startswith("routes/") for fault in faults):
        return []
    used, folders = used_mappings(routes), (*formats.names(), "bank", *preset_names(files))
    libraries = tuple(f"mappings/{name}/" for name in folders)
    unused = {name: path for name, path in paths.items() if path in mine and name not in used}
    places = {name: document_of(files, path)[0] for name, path in unused.items() if not path.startswith(libraries)}
    return [
        (root.get("mapping") or root).fault(f"no route uses the mapping '{name}'", "warning")
        for name, root in sorted(places.items())
    ]
