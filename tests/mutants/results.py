"""What a project does with its golden inputs: what decides whether a mistake changes a result.

Nothing of the lint has a part in it. Mappings are compiled without schemas, which leaves only what cannot be run at
all; they are then run over the inputs beside them, and what comes out must be valid, as the hub demands of it. Of a
route, its targets' deliveries for every canonical document count: whether there is one, in which lane, after which, by
which mapping, to which system under which settings. A file that the hub cannot load gives no result.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

from hub.business_rules import check as business_faults
from hub.errors import HubError, MappingError, ProjectError
from hub.fields import Located
from hub.formats import Codec, Record, names
from hub.mapping import Context, Tables, compile_expression, compile_mapping, load_tables
from hub.project import document_of, text_of
from hub.route_fields import EXPRESSION_NAMES
from hub.routes import Route, Target, load_routes
from hub.schemas import SchemaSet
from hub.settings import load_settings
from tests.unit.mapping.reference import plain

Files = Mapping[str, bytes]
ERROR = "error"
_ORDERS = "mappings/orders/order-to-erp.test.yaml"
EDI = ("edifact", "x12")
_ENVELOPE = {"id": "", "source": "", "event": "", "received_at": ""}


def result_of(files: Files) -> Any:
    """All that comes of the golden inputs. Equal results: the mistake changed nothing."""
    mappings = {
        path: _mapped(
            files[path], path, _tables_of(files), _schemas_of(files), files[path.replace(".yaml", ".test.yaml")]
        )
        for path in mapping_paths(files)
    }
    around = {path: raw for path, raw in files.items() if not path.startswith(("mappings/", "schemas/"))}
    around[_ORDERS] = files[_ORDERS]
    return mappings, _delivered(frozenset(around.items()), frozenset(mappings))


@lru_cache(maxsize=8)
def _delivered(around: frozenset[tuple[str, bytes]], paths: frozenset[str]) -> Any:
    """What comes of the routes and the settings, where there are mappings at these paths."""
    files = dict(sorted(around))
    routes, faults = load_routes(files)
    if any(fault.severity == "error" for fault in faults):
        return ERROR
    return [_in_environment(name, files, routes, paths) for name in (None, "demo")]


def _in_environment(name: str | None, files: Files, routes: Sequence[Route], paths: Collection[str]) -> Any:
    settings, faults = load_settings(files, name)
    if any(fault.severity == "error" for fault in faults):
        return ERROR
    said = {name: _plain(getattr(settings, name)) for name in ("http", "store", "broker", "time_zone", "company",
            "retention", "quota", "notify")}  # fmt: skip
    systems = {name: _plain(system) for name, system in settings.systems.items()}
    known = {path.rpartition("/")[2].removesuffix(".yaml") for path in paths}
    return said, systems, [_route(route, files, systems, known) for route in routes]


def mapping_paths(files: Files) -> list[str]:
    """The mappings that have golden inputs beside them."""
    return [path for path in sorted(files) if path.startswith("mappings/") and f"{path[:-5]}.test.yaml" in files]


@lru_cache(maxsize=2000)
def _mapped(raw: bytes, path: str, tables: Tables | None, schemas: SchemaSet, cases: bytes) -> Any:
    """What a mapping makes of each of its golden inputs."""
    if tables is None:
        return ERROR
    golden = document_of({path: cases}, path)[0].data()
    try:
        mapping = compile_mapping(text_of({path: raw}, path)[0], path, tables=tables)
    except ProjectError:
        return ERROR
    contexts = [
        Context(company=case.get("company", golden.get("company")), envelope=_ENVELOPE | golden.get("envelope", {}))
        for case in golden["cases"]
    ]
    source, target = mapping.source, mapping.target
    format = source.format or "json"
    if format not in names() or (format in EDI and not schemas.has(source.schema or "")):
        return ERROR
    inputs = _inputs(cases, path, format, source.schema, _frozen(source.options), schemas)
    return (_plain((source, target.format, target.schema, target.options)), [
        ERROR if document is ERROR else _applied(mapping, document, context, schemas)
        for document, context in zip(inputs, contexts, strict=True)
    ])  # fmt: skip


@lru_cache(maxsize=500)
def _inputs(
    cases: bytes, path: str, format: str, schema: str | None, options: frozenset[tuple[str, Any]], schemas: SchemaSet
) -> list[Any]:
    """The golden inputs of a mapping as it reads them, an error where it cannot."""
    golden = document_of({path: cases}, path)[0].data()
    reader = schemas.codec(format, schema)
    return [
        case["input"] if "input" in case else _decoded(reader, case["input_text"], dict(options), case.get("record", 1))
        for case in golden["cases"]
    ]


def _decoded(reader: Codec, text: str, options: Mapping[str, Any], record: int) -> Any:
    try:
        found = list(reader.decode([text.encode()], options))[record - 1]
    except (HubError, IndexError):
        return ERROR
    return found.value if isinstance(found, Record) else ERROR


def _frozen(options: Mapping[str, Any]) -> frozenset[tuple[str, Any]]:
    return frozenset((name, value if isinstance(value, str | int) else str(value)) for name, value in options.items())


def _applied(mapping: Any, document: Any, context: Context, schemas: SchemaSet) -> Any:
    try:
        found = mapping.apply(document, context)
    except MappingError:
        return ERROR
    name = mapping.target.schema
    if name and (not schemas.has(name) or not schemas.is_valid(name, plain(found))):
        return ERROR
    if name and name.startswith("canonical/"):
        broken = business_faults(name.rpartition("/")[2], found)
        return ERROR if any(fault.severity == "error" for fault in broken) else (found, str(broken))
    return found


def _route(route: Route, files: Files, systems: Mapping[str, Any], known: set[str]) -> Any:
    names = {route.map, *(name for t in route.targets for name in (t.map, t.reply.map if t.reply else None) if name)}
    if not {route.system, *(t.system for t in route.targets)} <= systems.keys() or not names <= known:
        return ERROR
    head = (route.system, route.events, route.map, route.order, route.on_error, route.retry, route.validate)
    return head, _plain((route.weight, route.retention, route.backlog, route.quota)), [
        _target(route, target, document) for document in _canonical_orders(files) for target in route.targets
    ]  # fmt: skip


def _target(route: Route, target: Target, document: Any) -> Any:
    """The delivery of one document to one target; nothing where there is none."""
    envelope = {"id": "m-1", "source": route.system, "event": "", "received_at": "2026-03-05T22:30:00Z", "name": ""}
    try:
        if target.when is not None and not _value(target.when, document, envelope):
            return None
        key = target.key or route.key
        lane = (None if key is None else _plain(_value(key, document, envelope))) if route.order == "per_key" else ""
    except (MappingError, ProjectError):
        return ERROR
    return target.id, target.system, target.map, target.after, target.reply, target.on_error, target.retry, lane


def _value(located: Located, document: Any, envelope: Any) -> Any:
    found = compile_expression(located.text, file="x", line=1, column=1, names=EXPRESSION_NAMES)
    return found(src=document, envelope=envelope)


def _canonical_orders(files: Files) -> list[Any]:
    golden = document_of(files, _ORDERS)[0].data()
    return [case["input"] for case in golden["cases"]]


def _tables_of(files: Files) -> Tables | None:
    return _loaded_tables(tuple((path, raw) for path, raw in files.items() if path.startswith("mappings/tables/")))


@lru_cache(maxsize=200)
def _loaded_tables(files: tuple[tuple[str, bytes], ...]) -> Tables | None:
    try:
        return load_tables({path: raw.decode() for path, raw in files})
    except ProjectError:
        return None


def _schemas_of(files: Files) -> SchemaSet:
    return _loaded_schemas(tuple((path, raw) for path, raw in files.items() if path.startswith("schemas/")))


@lru_cache(maxsize=4)
def _loaded_schemas(files: tuple[tuple[str, bytes], ...]) -> SchemaSet:
    return SchemaSet(dict(files))


def _plain(value: Any) -> str:
    """A value as text to compare, without the places it stands at in its file."""
    if isinstance(value, Located):
        return f"expression {value.text}"
    if isinstance(value, Mapping):
        return str({name: _plain(part) for name, part in value.items()})
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return str([_plain(part) for part in value])
    if hasattr(value, "__dataclass_fields__"):
        left_out = ("file", "line", "column", "node", "description")
        fields = [name for name in value.__dataclass_fields__ if name not in left_out]
        return f"{type(value).__name__}{[(name, _plain(getattr(value, name))) for name in fields]}"
    return str(value)
