"""One case of a mapping: decode, map, validate against the target's schema, compare."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import msgspec
from msgspec.structs import replace

from hub.attached import with_file
from hub.cases import Content, MappingCase
from hub.clock import iso
from hub.edi_versions import source_codec
from hub.errors import DecodeError, DocumentFault, MessageError
from hub.formats import BadRecord, codec
from hub.golden.bench import Bench
from hub.golden.compare import Difference, differences
from hub.golden.edi_texts import completed, message_text, text_differences
from hub.golden.results import Result
from hub.mapping import Context
from hub.mapping import Mapping as DocumentMapping
from hub.pipeline.validate import validate

FIRST_ID = "00000000-0000-7000-8000-000000000001"
_ENVELOPE = {"id": FIRST_ID, "source": "", "event": "", "received_at": iso(1_772_749_800.0), "name": ""}
_MOST_FAULTS = 10


class Outcome(msgspec.Struct, frozen=True):
    """What a mapping made of an input: a document, or the error. ``faults`` are what breaks the target's schema."""

    document: Any = None
    error: str = ""
    faults: Sequence[DocumentFault] = ()


def run_mapping_case(bench: Bench, file: str, case: MappingCase) -> Result:
    """Run one case with the mapping as it is deployed, and once more with probes."""
    mapping = bench.mapping_of(case_subject(file))
    assert mapping is not None
    probes = bench.probes[mapping.file]
    probes.hits.clear()
    result = Result(file, case.node.line, case.name)
    try:
        source = source_of(bench, mapping, case)
    except DecodeError as error:
        return _error_result(result, case, str(error))
    except ValueError as error:
        return replace(result, problem=str(error))
    context = context_of(bench, case)
    outcome = outcome_of(bench, mapping, source, context)
    again = outcome_of(bench, bench.covered[mapping.name], source, context)
    result = replace(result, hits=tuple(probes.hit()))
    if again != outcome:  # a fault of the hub itself: a test must not rest on code that is not what runs
        return replace(result, problem="with and without probes the mapping gives different results")
    if case.error is not None or outcome.error:
        return _error_result(result, case, outcome.error, outcome)
    return _compared(bench, mapping, case, outcome, result, source)


def case_subject(file: str) -> str:
    return file.removesuffix(".test.yaml") + ".yaml"


def context_of(bench: Bench, case: MappingCase) -> Context:
    """What the mapping is given beside the document."""
    known = {(system, kind, id): value for system, kind, id, value in case.xrefs}
    company = case.company if case.company is not None else bench.check.settings.company
    envelope = {**_ENVELOPE, "time_zone": bench.check.settings.time_zone, **(case.envelope or {})}
    return Context(company, envelope, lambda system, kind, id: known.get((system, kind, id)))


def source_of(bench: Bench, mapping: DocumentMapping, case: MappingCase) -> Any:
    """The source document. Raises DecodeError, and ValueError where it is not clear which record is meant."""
    if case.input.raw is None:
        return case.input.value
    grammar = bench.grammar(mapping.source.schema)
    format = bench.source_format(mapping) if grammar is None else grammar.syntax
    chosen = source_codec(mapping, bench.schemas, format)
    raw = case.input.raw if grammar is None else completed(case.input.raw, grammar)
    records = list(islice(chosen.decode([raw], mapping.source.options), 100_000))
    if not case.record and len(records) != 1:
        raise ValueError(f"the input holds {len(records)} records; write which one is meant: record: 1")
    if case.record > len(records):
        raise ValueError(f"the input holds {len(records)} records, and no record {case.record}")
    record = records[max(case.record, 1) - 1]
    if isinstance(record, BadRecord):
        raise record.error
    return record.value


def outcome_of(bench: Bench, mapping: DocumentMapping, source: Any, context: Context) -> Outcome:
    """What becomes of a document. Whatever is no error of the mapping's goes up."""
    try:
        document = mapping.apply(source, context)
    except MessageError as error:
        return Outcome(error=str(error))
    return Outcome(document, faults=faults_of(bench, mapping, document))


def faults_of(bench: Bench, mapping: DocumentMapping, document: Any) -> Sequence[DocumentFault]:
    """What breaks the target's schema, and of a canonical document the business rules."""
    name = mapping.target.schema or ""
    if not name:
        return ()
    if not bench.schemas.is_valid(name, document):
        return bench.schemas.faults(name, document)[:_MOST_FAULTS]
    try:
        validate(bench.schemas, name, document)
    except MessageError as error:
        return getattr(error, "faults", ())
    return ()


def _error_result(result: Result, case: MappingCase, error: str, outcome: Outcome | None = None) -> Result:
    """A case that expects an error, or one that met one."""
    wanted = case.error
    if wanted is None:
        return replace(result, problem=error, why_not="it ends with an error")
    texts = [error] if error else [f"{fault}" for fault in (outcome.faults if outcome else ())]
    if any(wanted in text for text in texts):
        return result
    place = case.node.get("error") or case.node
    seen = "; ".join(texts) if texts else "no error: it gives a document"
    found = Difference("error", wanted, seen, place.line, place.column)
    return replace(result, differences=(found,), why_not="it expects an error; change it by hand if that is meant")


def _compared(
    bench: Bench, mapping: DocumentMapping, case: MappingCase, outcome: Outcome, result: Result, source: Any
) -> Result:
    if outcome.faults:
        listed = "; ".join(map(str, outcome.faults))
        problem = f"the document breaks {mapping.target.schema}: {listed}"
        return replace(result, problem=problem, why_not="what comes out is not valid")
    if case.expected is None:
        problem = "nothing is expected yet: write expected: or error:, or let --update fill it in"
        return replace(result, problem=problem, update={"expected": outcome.document})
    raw = b""
    try:
        raw = _written(bench, mapping, source, outcome.document) if case.expected.raw is not None else b""
        found = list(_content_differences(bench, mapping, case.expected, outcome.document, raw))
    except DecodeError as error:
        found, result = [], replace(result, problem=f"what is expected cannot be compared: {error}")
    if not found and not result.problem:
        return result
    result = replace(result, differences=tuple(_with_origins(mapping, source, context_of(bench, case), found)))
    if case.expected.raw is None:
        return replace(result, update={"expected": outcome.document})
    if not raw:
        return result
    if case.expected.file:
        return replace(result, files={case.expected.file: raw})
    return replace(result, update={"expected_text": raw.decode("utf-8", "replace")})


def _written(bench: Bench, mapping: DocumentMapping, source: Any, document: Any) -> bytes:
    """A document in the target's format; of a message of EDI by its grammar without what a partner adds around it."""
    name = mapping.target.schema or ""
    grammar = bench.grammar(name)
    if grammar is not None:
        return message_text(bench.schemas.segments(name, document), grammar).encode()
    writer, options = codec(bench.target_format(mapping)), mapping.target.options
    return writer.encode_one(with_file(writer, options, source, document), options)


def _content_differences(
    bench: Bench, mapping: DocumentMapping, expected: Content, seen: Any, written: bytes
) -> list[Difference]:
    node = expected.node
    if expected.raw is None:
        return list(differences(expected.value, seen, node=node))
    grammar = bench.grammar(mapping.target.schema)
    if grammar is None:
        return bytes_differences(expected, written, bench.target_format(mapping), mapping.target.options)
    named = bench.schemas.codec(grammar.syntax, mapping.target.schema)
    found = text_differences(expected.raw, written, grammar, named)
    return [replace(each, line=node.line, column=node.column) for each in found]


def bytes_differences(expected: Content, seen: bytes, format: str, options: Any) -> list[Difference]:
    """Two bodies of one format: first as documents, then, where a format's bytes matter, line by line."""
    node, raw = expected.node, expected.raw or b""
    try:
        one, other = codec(format).decode_one(raw, options), codec(format).decode_one(seen, options)
    except DecodeError as error:
        return (
            [] if raw == seen else [Difference("(bytes)", f"{format}: {error}", _line(seen, 0), node.line, node.column)]
        )
    found = list(differences(one, other))
    if found or raw == seen or format == "json":
        return [replace(each, line=node.line, column=node.column) for each in found]
    lines = zip(raw.splitlines(keepends=True), seen.splitlines(keepends=True), strict=False)
    number = next((n for n, (a, b) in enumerate(lines) if a != b), min(raw.count(b"\n"), seen.count(b"\n")))
    return [Difference(f"(line {number + 1})", _line(raw, number), _line(seen, number), node.line, node.column)]


def _line(raw: bytes, number: int) -> str:
    lines = raw.splitlines(keepends=True)
    return lines[number].decode("utf-8", "backslashreplace") if number < len(lines) else "(the end)"


def _with_origins(
    mapping: DocumentMapping, source: Any, context: Context, found: Sequence[Difference]
) -> list[Difference]:
    """Each difference with the expression that its field came from."""
    _, trace = mapping.trace(source, context)
    origins = {entry.path: f"{entry.file}:{entry.line}:{entry.column}: {entry.expression}" for entry in trace}
    return [replace(each, origin=_origin(origins, each.path)) for each in found]


def _origin(origins: dict[str, str], path: str) -> str:
    """That of the field itself, else of the nearest one around it."""
    while path:
        if path in origins:
            return origins[path]
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return ""
