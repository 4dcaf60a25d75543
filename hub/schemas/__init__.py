"""The schemas of a project: is this document valid, what is wrong with it, which fields are there, what are its keys.

Files come as a mapping from path to text: nothing here reads the disk. ``schemas/canonical/v1/order.schema.json`` is
``canonical/v1/order`` and, while no higher major version is there, ``canonical/order``;
``schemas/shopify/order.schema.json`` is ``shopify/order``. Validators are compiled when first used, once.
A grammar of an EDI message, ``schemas/edifact/D96A/ORDERS.yaml``, is a schema too: ``edifact/D96A/ORDERS``. So are the
documents of UBL and CII, whatever the project holds: ``ubl/2.1/Invoice``; and those of IDocs: ``idoc/ORDERS05``.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, cast

import jsonschema_rs
from msgspec.structs import replace

from hub import idocs
from hub.codes import INDEX, CodeLists, reference_codes
from hub.errors import DocumentFault, Fault, NotFound, ProjectError
from hub.formats import Codec
from hub.grammars import Grammars, Writer, codec_of, outline_of
from hub.keys import Key, KeyRule, compile_keys, keys_of
from hub.outline import Outline
from hub.schemas import ubl
from hub.schemas.files import SchemaFile, fault_at, read_schema_files
from hub.schemas.links import lost_references
from hub.schemas.marks import SchemaPlace, is_personal
from hub.schemas.outline import SchemaOutline
from hub.schemas.quick import quick_form
from hub.schemas.shape import Schema, Shape, Shapes, expand, follow, split_path
from hub.schemas.wording import faults_of
from hub.yamldoc import did_you_mean

_MOST_FAULTS = 100
_MOST_VIOLATIONS = 1000  # a document that is wrong everywhere must not take the time to say so everywhere
_OWN = "canonical"  # shipped and tested with the hub; other folders are the user's and are checked when they are read


def schema_set(files: Mapping[str, bytes]) -> SchemaSet:
    """The schemas among a project's files; made once for the same ones, since a start, an edit and a check after it
    mostly find them as they were. Raises ProjectError like ``SchemaSet``."""
    return _schema_set(tuple((path, raw) for path, raw in files.items() if path.startswith("schemas/")))


@lru_cache(maxsize=2)
def _schema_set(files: tuple[tuple[str, bytes], ...]) -> SchemaSet:
    return SchemaSet(dict(files))


class SchemaSet:
    """All schemas of one project, and its code lists as ``codes``.

    Raises ProjectError when a file is not JSON, not a schema or not a code list.
    """

    def __init__(self, files: Mapping[str, str | bytes]) -> None:
        found, faults = read_schema_files(files)
        faults += _doubled(found)
        if faults:
            raise ProjectError(faults)
        self.codes = CodeLists(files) if INDEX in files else reference_codes()
        raws = {path: raw for path, raw in files.items() if isinstance(raw, bytes)}
        self.grammars, self.idocs = Grammars(raws), idocs.IdocTypes(raws)
        self._writers: dict[str, Writer] = {}
        self._codecs: dict[tuple[str, str], Codec] = {}
        self._found, self._files = found, _by_name(found)
        self._shapes = Shapes({file.uri: file.root for file in found})
        faults = [fault for file in found for fault in lost_references(file, self._shapes)]
        if faults:
            raise ProjectError(faults)
        self._registry = _registry(found)
        self._validators: dict[str, jsonschema_rs.Validator] = {}
        self._quick_validators: dict[str, jsonschema_rs.Validator] = {}
        self._rules: dict[str, tuple[KeyRule, ...]] = {}
        self._expanded: dict[str, Schema] = {}
        self._outlines: dict[str, Outline] = {}
        self._places: dict[str, SchemaPlace] = {}
        faults = [fault for file in found if file.folder != _OWN for fault in self._check(file)]
        if faults:
            raise ProjectError(faults)

    def names(self) -> list[str]:
        """Every name a route or a mapping may use, sorted."""
        own = (name for name, file in self._files.items() if file.describes_documents)
        return sorted({*own, *self.grammars.names(), *self.idocs.names(), *ubl.NAMES})

    def has(self, name: str) -> bool:
        return name in self._files or self._is_of_format(name)

    def is_valid(self, name: str, document: Any) -> bool:
        """Whether a document fits its schema; the fast way, without reasons. Raises NotFound for an unknown name."""
        if self._is_of_format(name):
            return not any(fault.severity == "error" for fault in self.faults(name, document))
        validator = self._quick_validators.get(name) or self._compiled_quick(name)
        try:
            return validator.is_valid(document)
        except ValueError:  # a lone surrogate or a value that no JSON document holds
            return False

    def _is_of_format(self, name: str) -> bool:
        """Whether it is no JSON Schema, but says what a format's own documents look like."""
        own = name in ubl.NAMES or self.grammars.has(name) or self.idocs.has(name)
        return own and name not in self._files

    def faults(self, name: str, document: Any) -> list[DocumentFault]:
        """Every fault of a document, each once, at most 100; empty when it is valid. Of a grammar, of UBL and CII: what
        keeps it from being written."""
        if name not in self._files and name in ubl.NAMES:
            return ubl.faults_of(name, document, _MOST_FAULTS)
        if name not in self._files and self.grammars.has(name):
            return self._writer(name).segments(document)[1]
        if name not in self._files and self.idocs.has(name):
            return idocs.prepared(document, self.idocs.type(name))[1]
        validator = self._validators.get(name) or self._compiled(name)
        root = self.shape(name)
        try:
            violations = list(islice(validator.iter_errors(document), _MOST_VIOLATIONS))
        except ValueError:
            return [
                DocumentFault("", "not_json", "holds something that JSON text cannot: expected text, numbers, lists")
            ]
        unique = {(fault.path, fault.message): fault for fault in faults_of(violations, root)}
        if violations and not unique:
            return [DocumentFault("", "schema", f"does not fit the schema {name}")]
        return list(islice(unique.values(), _MOST_FAULTS))

    def segments(self, name: str, document: Any) -> list[list[Any]]:
        """What a document of a grammar is written as, between header and trailer."""
        return self._writer(name).segments(document)[0]

    def schema(self, name: str) -> Schema:
        """The schema with every reference replaced by what it points to."""
        if name not in self._expanded:
            self._expanded[name] = expand(self.shape(name))
        return self._expanded[name]

    def shape(self, name: str) -> Shape:
        """The root of a schema, to walk from."""
        return self._shapes.at(self._file(name).uri)

    def outline(self, name: str) -> Outline:
        """What a document of this schema looks like, for the lint. Raises NotFound for an unknown name."""
        if name not in self._files and name in ubl.NAMES:
            return ubl.outline_of(name)
        if name not in self._files and self.idocs.has(name):
            return self._outlines.setdefault(name, idocs.outline_of(self.idocs.type(name)))
        if name not in self._outlines:
            is_grammar = name not in self._files and self.grammars.has(name)
            self._outlines[name] = (
                outline_of(self.grammars.message(name)) if is_grammar else SchemaOutline(self.shape(name), self.codes)
            )
        return self._outlines[name]

    def as_if(self, name: str, grammar: str) -> SchemaSet:
        """The same, in which documents of the grammar ``name`` look like those of another, whatever codes they hold."""
        message = replace(self.grammars.message(grammar), unknown_codes="allow")
        other = copy(self)
        other._outlines = {**self._outlines, name: outline_of(message)}
        return other

    def field(self, name: str, path: str) -> Schema | None:
        """What the schema says at a path (``order_lines[].quantity.value``); None for a field it does not declare.

        An open object (``extensions``) answers every field with an empty schema. The empty path is the root.
        """
        shape = follow(self.shape(name), split_path(path))
        return None if shape is None else shape.node

    def keys(self, name: str, document: Mapping[str, Any]) -> list[Key]:
        """The business keys a document asserts, the main key first; none where its schema declares none."""
        if not name:  # a message without a schema
            return []
        rules = self._rules.get(name)
        if rules is None:
            rules = self._rules[name] = compile_keys(self._file(name).root.get("x-keys", ()))
        return keys_of(rules, document)

    @cached_property
    def personal_keys(self) -> frozenset[tuple[str, str]]:
        """What of keys is made of what a schema marks as personal data: (scheme, ``issuer`` or ``value``)."""
        found: set[tuple[str, str]] = set()
        for name, file in self._files.items():
            for rule in compile_keys(file.root.get("x-keys", ())):
                paths = [("value", rule.value), *(("issuer", path) for path in rule.issuers)]
                found.update((rule.scheme, part) for part, path in paths if is_personal(self.personal(name), path))
        return frozenset(found)

    def personal(self, name: str) -> SchemaPlace | None:
        """Where the schema says that personal data is, for redaction; None for an unknown name."""
        if name in self._files and name not in self._places:
            self._places[name] = SchemaPlace(self.shape(name))
        return self._places.get(name)

    def codec(self, format: str, schema: str | None) -> Codec:
        """The codec of a mapping's side: of a format of EDI whose schema is a grammar, the one with named documents; of
        UBL and CII the one for this type of document."""
        key = (format, schema or "")
        if key not in self._codecs:
            self._codecs[key] = self._codec(format, schema or "")
        return self._codecs[key]

    def _codec(self, format: str, schema: str) -> Codec:
        if ubl.is_of(format, schema):
            return ubl.codec_of(schema)
        if format == "idoc" and self.idocs.has(schema):
            from hub.idocs.codec import TypedIdocs  # with lxml: only a mapping of IDocs wants it

            return cast(Codec, TypedIdocs(self.idocs.type(schema)))
        return codec_of(format, schema, self.grammars)

    def _writer(self, name: str) -> Writer:
        if name not in self._writers:
            self._writers[name] = Writer(self.grammars.message(name))
        return self._writers[name]

    def _file(self, name: str) -> SchemaFile:
        if name not in self._files:
            raise NotFound(f"no schema '{name}'{did_you_mean(name, self.names())}")
        return self._files[name]

    def _compiled(self, name: str) -> jsonschema_rs.Validator:
        self._validators[name] = self._compile(self._file(name))
        return self._validators[name]

    def _compiled_quick(self, name: str) -> jsonschema_rs.Validator:
        file = self._file(name)
        self._quick_validators[name] = _validator(file, quick_form(file.root), self._quick_registry)
        return self._quick_validators[name]

    @cached_property
    def _quick_registry(self) -> jsonschema_rs.Registry:
        return jsonschema_rs.Registry([(file.uri, quick_form(file.root)) for file in self._found])

    def _compile(self, file: SchemaFile) -> jsonschema_rs.Validator:
        return _validator(file, file.root, self._registry)

    def _check(self, file: SchemaFile) -> list[Fault]:
        """What keeps a user's schema from being used: against the schema of schemas, references, keys."""
        try:
            if file.describes_documents:
                self._compile(file)
            else:
                jsonschema_rs.meta.validate(file.root)
            compile_keys(file.root.get("x-keys", ()))
        except jsonschema_rs.ValidationError as error:
            return [fault_at(file, list(error.instance_path), f"not a schema: {error.message}")]
        except ValueError as error:
            return [fault_at(file, ["x-keys"], f"x-keys is a list of {{scheme, value, issuer}}: {error}")]
        return []


def _validator(file: SchemaFile, root: Schema, registry: jsonschema_rs.Registry) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(root, registry=registry, base_uri=file.uri, validate_formats=True, offline=True)


def _registry(found: list[SchemaFile]) -> jsonschema_rs.Registry:
    """All schemas by their address. Where that fails, the file without which it works is the one at fault."""
    try:
        return jsonschema_rs.Registry([(file.uri, file.root) for file in found])
    except ValueError as error:
        suspects = [file for file in found if _works([other for other in found if other is not file])] or found
        message = f"cannot be used with the other schemas: {error}"
        raise ProjectError([fault_at(suspects[0], [], message)]) from error


def _works(found: list[SchemaFile]) -> bool:
    try:
        jsonschema_rs.Registry([(file.uri, file.root) for file in found])
    except ValueError:
        return False
    return True


def _by_name(found: list[SchemaFile]) -> dict[str, SchemaFile]:
    names = {file.name: file for file in found}
    for file in sorted(found, key=lambda file: file.major):
        if file.major:
            names[f"{file.folder}/{file.stem}"] = file
    return names


def _doubled(found: list[SchemaFile]) -> list[Fault]:
    """Two files with one ``$id``: references to it would be a matter of luck."""
    first: dict[str, SchemaFile] = {}
    faults = []
    for file in found:
        known = first.setdefault(file.uri, file)
        if known is not file:
            faults.append(
                fault_at(file, ["$id"], f"the $id '{file.uri}' is already that of {known.path}; give another")
            )
    return faults
