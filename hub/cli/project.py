"""Commands on the files of a project: init, check, explain, schema."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.check import CheckResult
from hub.cli.published import fetch
from hub.cli.terminal import Json, ProjectFolder, complain, counted, finish, say, say_json, say_table
from hub.cli.workplace import open_workplace
from hub.errors import Fault, UsageError
from hub.explain import explain as explained
from hub.field_uses import uses_of_field
from hub.mapping import plain_path
from hub.project import reference_files
from hub.scaffold import create_project
from hub.schemas import schema_set
from hub.schemas.ubl import NAMES
from hub.yaml_schemas import schema_text, yaml_schemas
from hub.yamldoc import did_you_mean


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")], as_json: Json = False
) -> None:
    """Make a new project folder with a working example."""
    created = create_project(folder)
    if as_json:
        say_json({"folder": str(created.root), "files": list(created.files)})
        return
    say(f"created {folder} with {len(created.files)} files; the store and the keys are in it too")
    say(f"  cd {folder}")
    say("  o2c run                                 # start the hub; stop it with Ctrl-C")
    say("  o2c send webshop sample-order.json      # in a second terminal")
    say("  o2c messages                            # where it went")


def check(project: ProjectFolder = Path(), as_json: Json = False) -> None:
    """Check every file of the project: one line per fault, exit 1 if there is an error."""
    place = open_workplace(project)
    result = place.check()
    if as_json:
        say_json([_as_dict(fault) for fault in result.faults])
    else:
        _say_faults(result, len(place.own))
    finish(not result.is_sound)


def _as_dict(fault: Fault) -> dict[str, Any]:
    return {name: value for name, value in asdict(fault).items() if name != "excerpt" or value}


def _say_faults(result: CheckResult, count: int) -> None:
    for fault in result.faults:
        say(str(fault))
        if fault.excerpt:
            say(fault.excerpt)
    errors, warnings = len(result.errors), len(result.warnings)
    routes = f"{counted(len(result.routes), 'route')}, {counted(len(result.mappings), 'mapping')}"
    found = f"{counted(errors, 'error')}, {counted(warnings, 'warning')}" if result.faults else "no faults"
    complain(f"{found} in {counted(count, 'file')} ({routes})")


def explain(
    route: Annotated[
        str, typer.Argument(metavar="[ROUTE]", help="The route's name; with --field none means all.")
    ] = "",
    field: Annotated[
        str, typer.Option("--field", metavar="PATH", help="Say who uses this field of the source, e.g. lines.price.")
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Say in words what a route does, with every default spelled out; or who uses a field of what comes in."""
    result = open_workplace(project).check()
    if field:
        _say_uses(result, field, route, as_json)
        return
    if not route:
        raise UsageError("name a route, or a field with --field")
    found = [known for known in result.routes if known.name == route]
    if not found:
        raise UsageError(f"unknown route '{route}'{did_you_mean(route, [known.name for known in result.routes])}")
    text = explained(found[0], result.settings)
    if as_json:
        say_json({"route": route, "file": found[0].file, "line": found[0].line, "text": text})
    else:
        say(text.rstrip())
    if not result.is_sound:
        complain(f"the project has {counted(len(result.errors), 'error')}; see: o2c check")


def _say_uses(result: CheckResult, field: str, route: str, as_json: bool) -> None:
    made = {target.map for known in result.routes for target in known.targets}
    carried = {known.map for known in result.routes if route == known.name}
    names = sorted(set(result.mappings) & carried if route else set(result.mappings) - made)
    if not names:
        raise UsageError(f"unknown route '{route}'{did_you_mean(route, [known.name for known in result.routes])}")
    found = uses_of_field(result, field, names)
    if as_json:
        say_json([asdict(use) for use in found])
        return
    rows = [
        (f"{'  ' * use.level}{use.file}:{use.line}:{use.column}", use.field, use.becomes or "(let)", use.expression)
        for use in found
    ]
    say_table(("used at", "reads", "for", "expression"), rows)
    if not found:
        reads = (read for name in names for use in result.mappings[name].uses() for read in use.reads)
        known = {plain_path(read).removeprefix("src.") for read in reads}
        complain(f"nothing uses {field}{did_you_mean(field, known, '')}")


def schema(
    name: Annotated[
        str,
        typer.Argument(
            help="hub, systems, partners, route, mapping, environment, preset, mapping-test, route-test, grammar, "
            "idoc; none: all. A document's, such as canonical/order: all of its fields. Or fetch: where published "
            "schemas and rules are to be had."
        ),
    ] = "",
    taken: Annotated[
        list[Path],
        typer.Argument(metavar="[PATH]...", help="fetch: archives (.zip) or folders to take schemas and rules from."),
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    into: Annotated[Path | None, typer.Option("--into", help="Write them below this folder, for editors.")] = None,
    pin: Annotated[bool, typer.Option("--pin", help="fetch: pin what lies in schemas/published/ now.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Print or write the JSON Schemas of the YAML files, so that an editor completes and checks them; print that of a
    document; or, with fetch, say which published schemas and rules are here, and take them over from what you have
    downloaded."""
    if name == "fetch":
        fetch(project, taken, pin, as_json)
        return
    if taken or pin:
        raise UsageError(f"a path and --pin go with: o2c schema fetch, not with '{name}'")
    files, connectors_folder = _files_of(project)
    if "/" in name:
        if into is not None:
            raise UsageError(f"--into writes the schemas of YAML files; '{name}' is printed: take --into out")
        say_json(_of_document(files, name))
        return
    schemas = yaml_schemas(files, connectors_folder)
    if name:
        path = f"hub/{name}.schema.json"
        if path not in schemas:
            known = [Path(key).name.partition(".")[0] for key in schemas]
            raise UsageError(f"unknown schema '{name}'{did_you_mean(name, known)}")
        schemas = {path: schemas[path]}
    if into is None:
        say_json(next(iter(schemas.values())) if name else schemas)
        return
    written = [str(_write(into / path, value)) for path, value in sorted(schemas.items())]
    if as_json:
        say_json(written)
    else:
        say("\n".join(written))


def _files_of(folder: Path) -> tuple[Mapping[str, bytes], Path | None]:
    """Those of the project, with the folder of its own connectors; outside of a project those of the hub."""
    try:
        place = open_workplace(folder)
    except UsageError:
        return reference_files(), None
    return place.files, place.connectors_folder


def _of_document(files: Mapping[str, bytes], name: str) -> dict[str, Any]:
    """The schema of a document, with all that it refers to in its place."""
    known = schema_set(files)
    if known.grammars.has(name) or known.idocs.has(name):
        raise UsageError(f"'{name}' is a grammar; see: o2c grammar show {name}")
    if name in NAMES:
        raise UsageError(f"'{name}' is told by its format and not by a JSON Schema; see docs/reference/formats.md")
    return known.schema(name)


def _write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(schema_text(value), encoding="utf-8")
    return path


COMMANDS = (init, check, explain, schema)
