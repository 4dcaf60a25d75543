"""What the tests of the mappings to and from EDI share: a document out as a message, and what a message is read as."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from hub.golden.edi_texts import completed, message_text
from hub.mapping import Context, Tables, compile_mapping, load_tables
from hub.mapping import Mapping as DocumentMapping
from hub.pipeline.validate import validate
from hub.project import reference_files
from hub.schemas import SchemaSet, schema_set
from hub.yamldoc import parse_yaml

ROOT = Path(__file__).parents[2]


class Mappings(dict[str, DocumentMapping]):
    """The mappings that travel with the hub, by name, each compiled when it is first asked for: they are many, and a
    file of tests has to do with a few."""

    def __init__(self, files: Mapping[str, bytes], tables: Tables, schemas: SchemaSet) -> None:
        super().__init__()
        self._tables, self._schemas = tables, schemas
        self._texts = {Path(path).stem: (raw.decode(), path) for path, raw in files.items() if path.endswith(".yaml")}

    def __missing__(self, name: str) -> DocumentMapping:
        self[name] = compile_mapping(*self._texts[name], tables=self._tables, schemas=self._schemas)
        return self[name]


@dataclass(frozen=True)
class Library:
    """What travels with the hub."""

    schemas: SchemaSet
    mappings: Mappings = field(repr=False)


@cache
def library() -> Library:
    files = reference_files()
    own = {path: raw for path, raw in files.items() if path.startswith("mappings/")}
    tables = load_tables({path: raw.decode() for path, raw in own.items() if path.endswith(".csv")})
    schemas = schema_set(files)
    return Library(schemas, Mappings(own, tables, schemas))


@cache
def _cases(file: str) -> list[Any]:
    text = (ROOT / "mappings" / f"{file}.test.yaml").read_text(encoding="utf-8")
    cases: list[Any] = parse_yaml(text, file).data()["cases"]
    return cases


def cases_of(file: str) -> list[Any]:
    """The cases of a mapping as its test file says them."""
    return deepcopy(_cases(file))


def context(company: Mapping[str, Any], zone: str, at: str = "2026-03-05T09:00:00Z") -> Context:
    """What a mapping is given beside the document."""
    envelope = {"id": "m-1", "source": "partner", "event": "", "received_at": at, "name": "", "time_zone": zone}
    return Context(company, envelope, lambda system, kind, id: None)


def example(name: str) -> Any:
    """An example of the canonical model, or what a case of a mapping expects: ``file#number``."""
    file, _, number = name.partition("#")
    if not number:
        return msgspec.json.decode((ROOT / "tests" / "golden" / "canonical" / f"{file}.json").read_bytes())
    return cases_of(file)[int(number)]["expected"]


def mapped(name: str, document: Any, given: Context) -> Any:
    """What a mapping makes of a document. Raises a MessageError where that breaks the canonical schema or a rule."""
    mapping = library().mappings[name]
    made = mapping.apply(document, given)
    if (mapping.target.schema or "").startswith("canonical/"):
        validate(library().schemas, mapping.target.schema or "", made)
    return made


def text_of(writer: str, document: Any, given: Context) -> str:
    """The message, a segment a line, that a canonical document becomes; nothing in it breaks its grammar."""
    schemas = library().schemas
    name = library().mappings[writer].target.schema or ""
    tree = mapped(writer, document, given)
    assert [str(fault) for fault in schemas.faults(name, tree)] == []
    return message_text(schemas.segments(name, tree), schemas.grammars.message(name))


def read(grammar: str, text: str, options: Mapping[str, Any] | None = None) -> Any:
    """The one message of a text, named by a grammar."""
    schemas = library().schemas
    named = schemas.grammars.message(grammar)
    return schemas.codec(named.syntax, grammar).decode_one(completed(text.encode(), named), options or {})


def document_of(reader: str, text: str, given: Context) -> Any:
    """The canonical document that a message becomes; it is valid."""
    source = library().mappings[reader].source
    return mapped(reader, read(source.schema or "", text, source.options), given)


def there_and_back(writer: str, reader: str, document: Any, given: Context) -> Any:
    """A document written as a message, and what that is read as."""
    return document_of(reader, text_of(writer, document, given), given)
