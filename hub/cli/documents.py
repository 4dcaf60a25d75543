"""Commands on one document at a time, without a hub: decode, encode, validate, map."""

from __future__ import annotations

import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
import typer

from hub.attached import with_file
from hub.business_rules import check as broken_rules
from hub.check import CheckResult
from hub.cli import watching
from hub.cli.edi import as_document_fault, edi_faults, files_of, grammars_of
from hub.cli.format_options import given_options
from hub.cli.judging import say_verdict
from hub.cli.terminal import (
    Json,
    ProjectFolder,
    complain,
    finish,
    plain,
    read_input,
    read_input_of_any_size,
    say,
    say_json,
)
from hub.cli.trace_table import say_trace
from hub.cli.workplace import open_workplace
from hub.edi_versions import source_codec
from hub.errors import DecodeError, DocumentFault, ProjectError, UsageError
from hub.formats import BadRecord, Codec, Places, Record, RecordFault, codec, content_type, names, places_in
from hub.grammars.codec import decode_named, encode_named
from hub.grammars.library import SYNTAXES
from hub.idocs import IdocTypes
from hub.idocs.codec import decode_by_type, encode_by_type, is_plain
from hub.mapping import Context, TraceEntry
from hub.mapping import Mapping as DocumentMapping
from hub.profiles.judge import Judge
from hub.profiles.rules import rules_process
from hub.project import find_project
from hub.schemas import SchemaSet, schema_set
from hub.tracing.fields import placed_fields
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
    raw: Annotated[
        bool,
        typer.Option(
            "--raw", help="EDI: the segments as they are, without names; IDocs: without grammar; XML: the elements."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Print a document as JSON; many records as a list. Faults with their position, exit 1 if there are any."""
    chosen = _codec(format_name)
    options = given_options(option, chosen.OPTIONS)
    content = [read_input(file)]
    if format_name in SYNTAXES and not raw:
        read = partial(decode_named, format_name, content, options, grammars_of(Path()))
    elif format_name == "idoc" and not raw:
        read = partial(decode_by_type, content, options, IdocTypes(files_of(Path())))
    elif raw and (raw_of := getattr(chosen, "raw_of", None)) is not None:
        read = partial(_raw_record, raw_of, content[0], options)
    else:
        read = partial(chosen.decode, content, options)
    records, errors = _read_all(read)
    faults = [*chain.from_iterable(record.faults for record in records), *chain.from_iterable(map(_faults_in, errors))]
    if check:
        _say_decode_faults(file, faults, as_json)
    else:
        say_json(_shown(records, bool(errors)))
        for fault in faults:
            complain(_fault_text(file, fault))
    finish(bool(errors))


def _raw_record(
    raw_of: Callable[[bytes, Mapping[str, Any]], Any], raw: bytes, options: Mapping[str, Any]
) -> Iterator[Record | BadRecord]:
    yield Record(raw_of(raw, options))


def _read_all(read: Callable[[], Iterator[Record | BadRecord]]) -> tuple[list[Record], list[DecodeError]]:
    """Every record that can be read, and every error."""
    records: list[Record] = []
    errors: list[DecodeError] = []
    try:
        for record in read():
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


def _faults_in(error: DecodeError) -> Sequence[RecordFault]:
    """Every fault that an error stands for; most stand for themselves."""
    return getattr(error, "faults", None) or [_OneFault(error.position, "error", error.code, error.detail)]


class _OneFault(msgspec.Struct, frozen=True):
    position: str
    severity: str
    full_code: str
    message: str


def _say_decode_faults(file: Path, faults: Sequence[RecordFault], as_json: bool) -> None:
    if as_json:
        say_json([_told(fault) for fault in faults])
        return
    for fault in faults:
        say(plain(_fault_text(file, fault)))
    if not faults:
        complain(f"{file}: no faults")


def _told(fault: RecordFault) -> dict[str, str]:
    told = {"position": fault.position, "code": fault.full_code, "detail": fault.message}
    return told if fault.severity == "error" else {**told, "severity": fault.severity}


def _fault_text(file: Path, fault: RecordFault) -> str:
    return f"{file}: {f'{fault.position}: ' if fault.position else ''}{fault.severity}: {fault.message}"


def encode(
    format_name: Format,
    file: File,
    option: Options = [],  # noqa: B006 - typer reads the default, nothing changes it
    with_grammar: Annotated[
        str,
        typer.Option(
            "--grammar", "-g", help="EDI, IDocs: the grammar to write it by; none: that of its type and version."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print what was written as text in JSON.")] = False,
) -> None:
    """Write a JSON document (or a list of them) in a format, to standard output."""
    chosen = _codec(format_name)
    document = codec("json").decode_one(read_input(file), {})
    documents = document if isinstance(document, list) else [document]
    options = given_options(option, chosen.OPTIONS)
    if format_name in SYNTAXES and (with_grammar or not any(_is_raw(one) for one in documents)):
        written = encode_named(format_name, documents, options, grammars_of(Path()), with_grammar)
    elif format_name == "idoc":
        written = _idocs(documents, options, with_grammar)
    else:
        written = chosen.encode(documents, options)
    _say_written(written, content_type(chosen, options), as_json)


def _idocs(documents: Sequence[Any], options: Mapping[str, Any], name: str) -> bytes:
    """IDocs by their grammar; by the options alone where one of them is not named by it."""
    types = IdocTypes(files_of(Path()))
    if name or not any(is_plain(document, types) for document in documents):
        return encode_by_type(documents, options, types, name)
    return codec("idoc").encode(documents, options)


def _is_raw(document: Any) -> bool:
    """Whether an EDI document is one of segments, without names."""
    return isinstance(document, dict) and isinstance(document.get("segments"), list)


def _say_written(written: bytes, kind: str, as_json: bool) -> None:
    if as_json:
        say_json({"content_type": kind, **_as_text(written)})
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
    profile: Annotated[
        str,
        typer.Argument(
            metavar="PROFILE",
            help="A profile's or schema's name, e.g. en16931, camt.053, canonical/order or edifact/D96A/ORDERS.",
        ),
    ],
    file: File,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Check an XML document by the schema and the official rules of a profile, a JSON document by a schema and its
    business rules, an EDI file or an IDoc by a grammar: every fault, exit 1 if there is an error."""
    files = files_of(project)
    judge = Judge(files)
    if judge.has(profile):
        try:
            verdict = judge.verdict(profile, read_input_of_any_size(file))
        finally:
            rules_process().close()
        finish(not say_verdict(verdict, file, as_json))
        return
    schemas = schema_set(files)
    if not schemas.has(profile):
        known = [*schemas.names(), *judge.names()]
        raise UsageError(f"unknown profile '{profile}'{did_you_mean(profile, known)}")
    raw = read_input(file)
    if raw.lstrip()[:1] != b"{" and schemas.idocs.has(profile):
        faults = _idoc_faults(schemas, profile, raw)
    elif raw.lstrip()[:1] != b"{" and schemas.grammars.has(profile):
        faults = [as_document_fault(fault) for fault in edi_faults(raw, schemas.grammars, profile)]
    else:
        faults = faults_of(schemas, profile, codec("json").decode_one(raw, {}))
    _say_document_faults(faults, as_json)
    errors = [fault for fault in faults if fault.severity == "error"]
    if not errors and not as_json:
        complain(f"{file}: valid against {profile}")
    finish(bool(errors))


def _idoc_faults(schemas: SchemaSet, profile: str, raw: bytes) -> list[DocumentFault]:
    """Every fault of a file of IDocs by their grammar."""
    records, errors = _read_all(partial(schemas.codec("idoc", profile).decode, [raw], {}))
    found = [*chain.from_iterable(one.faults for one in records), *chain.from_iterable(map(_faults_in, errors))]
    return [DocumentFault(one.position, one.full_code, one.message, severity=one.severity) for one in found]


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
        say(plain(f"{fault.severity}: {fault}"))


def _fault_fields(fault: DocumentFault) -> dict[str, str]:
    named = ("path", "code", "message", "seen", "expected", "severity")
    return {name: getattr(fault, name) for name in named}


def map_document(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help="The mapping's name, or its file.")],
    file: File,
    trace: Annotated[bool, typer.Option("--trace", help="Say where every field came from.")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Again at every change of a file, until Ctrl-C.")] = False,
    encoded: Annotated[bool, typer.Option("--encode", help="Print it as it would be sent, in its format.")] = False,
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Put one document through one mapping and print what comes out; exit 1 if that is not valid."""
    if not watch:
        _map_once(mapping, file, trace, project, as_json, encoded)
    elif str(file) == "-":
        raise UsageError("--watch reads the document again and again; name a file instead of -")
    else:
        watching.watch(find_project(project), file, lambda: _map_once(mapping, file, trace, project, as_json, encoded))


def _map_once(mapping: str, file: Path, trace: bool, project: Path, as_json: bool, encoded: bool) -> None:
    result = open_workplace(project).check()
    chosen = _mapping(result, mapping)
    raw, source_format = read_input(file), chosen.source.format or "json"
    reader = source_codec(chosen, result.schemas, source_format) if result.schemas else codec(source_format)
    source = reader.decode_one(raw, chosen.source.options)
    envelope = {**_ENVELOPE, "time_zone": result.settings.time_zone}
    context = Context(company=result.settings.company, envelope=envelope)
    entries: Sequence[TraceEntry] = ()
    if trace:
        output, entries = chosen.trace(source, context)
    else:
        output = chosen.apply(source, context)
    if encoded:
        is_bad = _complain_of(result, chosen, output)
        if not is_bad:
            format = chosen.target.format or "json"
            writer = result.schemas.codec(format, chosen.target.schema) if result.schemas else codec(format)
            options = chosen.target.options
            written = writer.encode_one(with_file(writer, options, source, output), options)
            _say_written(written, content_type(writer, options), as_json)
        finish(is_bad)
        return
    places = (places_in(reader, raw, chosen.source.options, 0) if trace else None) or (lambda steps: None)
    _say_mapped(output, entries if trace else None, places, as_json)
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


def _say_mapped(output: Any, entries: Sequence[TraceEntry] | None, places: Places, as_json: bool) -> None:
    if entries is None:
        say_json(output)
        return
    fields = [placed_fields(entry, places) for entry in entries]
    if as_json:
        say_json({"output": output, "trace": fields})
    else:
        say_trace(fields)


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


map_document.__name__ = "map"
COMMANDS = (decode, encode, validate, map_document)
