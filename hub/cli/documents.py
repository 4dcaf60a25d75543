"""Commands on one document at a time, without a hub: decode, encode, validate, map."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import typer

from hub.business_rules import check as broken_rules
from hub.check import CheckResult
from hub.cli.format_options import given_options
from hub.cli.terminal import Json, ProjectFolder, complain, finish, read_input, say, say_json
from hub.cli.trace_table import say_trace, trace_fields
from hub.cli.workplace import open_workplace
from hub.errors import DecodeError, DocumentFault, ProjectError, UsageError
from hub.formats import BadRecord, Codec, Record, codec, names
from hub.mapping import Context, TraceEntry
from hub.mapping import Mapping as DocumentMapping
from hub.project import find_project, read_files, reference_files
from hub.schemas import SchemaSet
from hub.yamldoc import did_you_mean

Format = Annotated[str, typer.Argument(metavar="FORMAT", help="The format's name, e.g. json or csv.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A file; - is standard input.")]
Options = Annotated[
    list[str], typer.Option("--option", "-o", metavar="NAME=VALUE", help="An option of the format, e.g. delimiter=;")
]


def decode(
    format_name: Format,
    file: File,
    option: Options = [],  # noqa: B006 - typer reads the default, nothing changes it
    check: Annotated[bool, typer.Option("--check", help="Only say what is wrong with it.")] = False,
    as_json: Json = False,
) -> None:
    """Print a document as JSON; many records as a list. Faults with their position, exit 1 if there are any."""
    chosen = _codec(format_name)
    options = given_options(option, chosen.OPTIONS)
    records, errors = _read_all(chosen, read_input(file), options)
    if check:
        _say_decode_faults(file, errors, as_json)
    else:
        say_json(_shown(records, bool(errors)))
        for error in errors:
            complain(_fault_text(file, error))
    finish(bool(errors))


def _read_all(chosen: Codec, raw: bytes, options: dict[str, Any]) -> tuple[list[Record], list[DecodeError]]:
    """Every record that can be read, and every error."""
    records: list[Record] = []
    errors: list[DecodeError] = []
    try:
        for record in chosen.decode([raw], options):
            if isinstance(record, BadRecord):
                errors.append(record.error)
            else:
                records.append(record)
    except DecodeError as error:
        errors.append(error)
    return records, errors


def _shown(records: Sequence[Record], some_are_bad: bool) -> Any:
    alone = len(records) == 1 and not records[0].position and not some_are_bad
    return records[0].value if alone else [record.value for record in records]


def _say_decode_faults(file: Path, errors: Sequence[DecodeError], as_json: bool) -> None:
    if as_json:
        say_json([{"position": error.position, "code": error.code, "detail": error.detail} for error in errors])
        return
    for error in errors:
        say(_fault_text(file, error))
    if not errors:
        complain(f"{file}: no faults")


def _fault_text(file: Path, error: DecodeError) -> str:
    return f"{file}: {f'{error.position}: ' if error.position else ''}error: {error.detail}"


def encode(
    format_name: Format,
    file: File,
    option: Options = [],  # noqa: B006 - typer reads the default, nothing changes it
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as text in JSON.")] = False,
) -> None:
    """Write a JSON document (or a list of them) in a format, to standard output."""
    chosen = _codec(format_name)
    document = codec("json").decode_one(read_input(file), {})
    documents = document if isinstance(document, list) else [document]
    written = chosen.encode(documents, given_options(option, chosen.OPTIONS))
    if as_json:
        say_json({"content_type": chosen.CONTENT_TYPES[0], **_as_text(written)})
        return
    sys.stdout.buffer.write(written)
    sys.stdout.buffer.flush()


def _as_text(written: bytes) -> dict[str, str]:
    """Bytes within JSON: their text, or Base64 where they are not UTF-8."""
    try:
        return {"text": written.decode()}
    except UnicodeDecodeError:
        return {"base64": b64encode(written).decode()}


def validate(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="A schema's name, e.g. canonical/order.")],
    file: File,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Check a JSON document against a schema and its business rules: every fault, exit 1 if there is one."""
    schemas = SchemaSet(_files(project))
    if profile not in schemas.names():
        raise UsageError(f"unknown profile '{profile}'{did_you_mean(profile, schemas.names())}")
    faults = faults_of(schemas, profile, codec("json").decode_one(read_input(file), {}))
    _say_document_faults(faults, as_json)
    errors = [fault for fault in faults if fault.severity == "error"]
    if not errors and not as_json:
        complain(f"{file}: valid against {profile}")
    finish(bool(errors))


def faults_of(schemas: SchemaSet, profile: str, document: Any) -> list[DocumentFault]:
    """What breaks the schema; where nothing does, what breaks the business rules of a canonical document."""
    faults = schemas.faults(profile, document)
    if not faults and profile.startswith("canonical/"):
        return broken_rules(PurePosixPath(profile).name, document)
    return faults


def _say_document_faults(faults: Sequence[DocumentFault], as_json: bool) -> None:
    if as_json:
        say_json([_fault_fields(fault) for fault in faults])
        return
    for fault in faults:
        say(f"{fault.severity}: {fault}")


def _fault_fields(fault: DocumentFault) -> dict[str, str]:
    named = ("path", "code", "message", "seen", "expected", "severity")
    return {name: getattr(fault, name) for name in named}


def map_document(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="The mapping's name, or its file.")],
    file: File,
    trace: Annotated[bool, typer.Option("--trace", help="Say where every field came from.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Put one document through one mapping and print what comes out; exit 1 if that is not valid."""
    result = open_workplace(project).check()
    chosen = _mapping(result, mapping)
    source = codec(chosen.source.format or "json").decode_one(read_input(file), chosen.source.options)
    context = Context(company=result.settings.company, envelope=_ENVELOPE)
    entries: Sequence[TraceEntry] = ()
    if trace:
        output, entries = chosen.trace(source, context)
    else:
        output = chosen.apply(source, context)
    _say_mapped(output, entries, trace, as_json)
    finish(_complain_of(result, chosen, output))


_ENVELOPE = {"id": "", "source": "", "event": "", "received_at": ""}


def _mapping(result: CheckResult, wanted: str) -> DocumentMapping:
    name = PurePosixPath(wanted).stem if wanted.endswith(".yaml") else wanted
    if name in result.mappings:
        return result.mappings[name]
    broken = [fault for fault in result.errors if PurePosixPath(fault.file).stem == name]
    if broken:
        raise ProjectError(broken)
    raise UsageError(f"unknown mapping '{name}'{did_you_mean(name, result.mappings)}")


def _say_mapped(output: Any, entries: Sequence[TraceEntry], trace: bool, as_json: bool) -> None:
    if trace and as_json:
        say_json({"output": output, "trace": [trace_fields(entry) for entry in entries]})
    elif trace:
        say_trace(entries)
    else:
        say_json(output)


def _complain_of(result: CheckResult, mapping: DocumentMapping, output: Any) -> bool:
    """Say what breaks the mapping's target schema; whether anything does."""
    if not mapping.target.schema or result.schemas is None:
        return False
    faults = faults_of(result.schemas, mapping.target.schema, output)
    for fault in faults:
        complain(f"{mapping.target.schema}: {fault.severity}: {fault}")
    return any(fault.severity == "error" for fault in faults)


def _codec(name: str) -> Codec:
    if name not in names():
        raise UsageError(f"unknown format '{name}'{did_you_mean(name, names())}")
    return codec(name)


def _files(folder: Path) -> dict[str, bytes]:
    """The project's files, or the hub's own outside of a project."""
    try:
        return read_files(find_project(folder))
    except UsageError:
        return reference_files()


map_document.__name__ = "map"
COMMANDS = (decode, encode, validate, map_document)
