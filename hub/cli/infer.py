"""``o2c infer``: a schema from sample documents."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from glob import glob, has_magic
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.format_options import given_options
from hub.cli.terminal import Json, complain, counted, finish, json_text, say, say_json
from hub.errors import DecodeError, UsageError
from hub.formats import BadRecord, Record, codec, names
from hub.formats.json import decode_any
from hub.samples import Seen, TooMany, schema_of
from hub.yamldoc import did_you_mean

_FORMATS = {".json": "json", ".jsonl": "json", ".ndjson": "json", ".csv": "csv", ".tsv": "csv", ".txt": "csv"}
_CHUNK = 1 << 18
_MOST_FAULTS = 20


def infer(
    samples: Annotated[
        list[str], typer.Argument(metavar="SAMPLES...", help="Files, folders or patterns; - is standard input.")
    ],
    format_name: Annotated[str, typer.Option("--format", help="json or csv; by default what the name ends with.")] = "",
    option: Annotated[
        list[str],
        typer.Option("--option", "-o", metavar="NAME=VALUE", help="An option of the format, e.g. delimiter=;"),
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    enum: Annotated[
        list[str],
        typer.Option(
            "--enum", metavar="PATH", help="List the codes of this field, e.g. lines[].unit, where they are few."
        ),
    ] = [],  # noqa: B006 - typer reads the default, nothing changes it
    title: Annotated[str, typer.Option("--title", help="The schema's title.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Write it here, e.g. schemas/shop/order.schema.json.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over a file that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Make one JSON Schema (2020-12) of sample documents, for a mapping to name as its source.

    A file holds one JSON document, a list of them, one a line, or rows of CSV; files may be of any size. A field is
    required where every sample has it; dates are dates where all samples agree; numbers written as text are said to be
    that. No value of a sample gets into the schema, but for codes that --enum asks for. A document that cannot be read
    is told with its file, line and column, and then there is no schema.
    """
    if out is not None and out.exists() and not replace:
        raise UsageError(f"there is a file {out} already; give --replace to write over it")
    seen = Seen(wanted=frozenset(enum))
    files = list(_files(samples, format_name))
    faults = [fault for path, format in files for fault in _add_all(seen, path, format, option)][:_MOST_FAULTS]
    if not seen.times and not faults:
        raise UsageError(f"no document in {counted(len(files), 'file')}")
    schema = {} if faults else schema_of(seen, title)
    if as_json:
        say_json({"documents": seen.times, "files": len(files), "schema": schema or None, "faults": faults})
    elif not faults and out is None:
        say_json(schema)
    for fault in faults if not as_json else ():
        complain(fault)
    if not faults:
        for path in enum:
            if problem := _no_codes(seen, path):
                complain(f"--enum {path}: {problem}")
        for line in _written(seen, schema, out, len(files)) if out is not None else ():
            (complain if as_json else say)(line)
    finish(bool(faults))


def _files(samples: Sequence[str], format: str) -> Iterator[tuple[Path, str]]:
    """Every sample file and its format, each once. Raises UsageError for what is not there."""
    if format and format not in names():
        raise UsageError(f"unknown format '{format}'{did_you_mean(format, names())}")
    done: set[Path] = set()
    for sample in samples:
        for path in _matching(sample):
            if path not in done:
                done.add(path)
                yield path, format or _format_of(path)


def _matching(sample: str) -> list[Path]:
    path = Path(sample)
    if sample == "-":
        return [path]
    if path.is_dir():
        found = sorted(below for below in path.rglob("*") if below.suffix.lower() in _FORMATS and below.is_file())
        if not found:
            raise UsageError(f"no sample in the folder {path}; expected files that end in {', '.join(_FORMATS)}")
        return found
    if not path.exists() and has_magic(sample):
        matching = map(Path, glob(sample, recursive=True))  # noqa: PTH207 - Path.glob takes no absolute pattern
        if found := sorted(below for below in matching if below.is_file()):
            return found
        raise UsageError(f"no file is like {sample}")
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    return [path]


def _format_of(path: Path) -> str:
    if str(path) == "-":
        return "json"
    found = _FORMATS.get(path.suffix.lower())
    if found is None:
        raise UsageError(f"{path}: its name does not say what it is; give --format json or --format csv")
    return found


def _add_all(seen: Seen, path: Path, format: str, option: Sequence[str]) -> Iterator[str]:
    """Take every document of a file into account; what cannot be read comes as a fault."""
    chosen = codec(format)
    options = given_options(option, chosen.OPTIONS)
    chunks = _chunks(path)
    try:
        records = decode_any(chunks) if format == "json" and not options else chosen.decode(chunks, options)
        yield from (_fault(path, record.error) for record in _good(seen, records))
    except DecodeError as error:
        yield _fault(path, error)
    except TooMany as error:
        yield f"{path}: error: {error}"


def _good(seen: Seen, records: Iterable[Record | BadRecord]) -> Iterator[BadRecord]:
    """Adds what can be read and gives what cannot."""
    for record in records:
        if isinstance(record, BadRecord):
            yield record
        else:
            seen.add(record.value)


def _chunks(path: Path) -> Iterator[bytes]:
    if str(path) == "-":
        yield from iter(lambda: sys.stdin.buffer.read(_CHUNK), b"")
        return
    with path.open("rb") as file:
        yield from iter(lambda: file.read(_CHUNK), b"")


def _fault(path: Path, error: DecodeError) -> str:
    place = error.position.replace("line ", "").replace(", column ", ":")
    return f"{path}{f':{place}' if place else ''}: error: {error.detail}{f'; {error.hint}' if error.hint else ''}"


def _written(seen: Seen, schema: dict[str, Any], out: Path, files: int) -> Iterator[str]:
    """Write the schema; gives what there is to say of that."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json_text(schema) + "\n", encoding="utf-8")
    yield f"wrote {out} from {counted(seen.times, 'document')} in {counted(files, 'file')}"
    if out.name.endswith(".schema.json") and out.parent.parent.name == "schemas":
        yield f"a mapping names it: source: {{schema: {out.parent.name}/{out.name.removesuffix('.schema.json')}}}"


def _no_codes(seen: Seen, path: str) -> str:
    """Why no codes were listed for a field; empty where they were."""
    here: Seen | None = seen
    for part in path.replace("[]", ".[]").split("."):
        here = here and (here.items if part == "[]" else here.fields.get(part))
    if here is None:
        return "no sample has this field"
    return "" if here.has_codes else "not listed: too many different values, or too few samples of each, to be codes"


COMMANDS = (infer,)
