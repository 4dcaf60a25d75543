"""``o2c new mapping``: a mapping that takes each field a canonical document must have from a field of the same name,
and its test. The names on the right, or on the left where it goes out, are then changed to those of the system."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hub.errors import ProjectError, UsageError
from hub.scaffold.sample_document import CANONICAL, canonical_types, needed, sample_document
from hub.scaffold.starts import MAPPINGS, Ground, Start, fit_name, mapping_files, scalar, yaml_lines
from hub.schemas import SchemaSet, schema_set
from hub.schemas.shape import Shape
from hub.yamldoc import did_you_mean

DEFAULT_TYPE = "order"


def mapping_start(
    ground: Ground, name: str, type: str = "", goes_out: bool = False, format: str = "json"
) -> Start:  # fmt: skip
    """A mapping to a canonical type, or from one where it ``goes_out``; ``format`` is that of the other side. Without a
    type the one that is in the name, else an order. Raises UsageError."""
    schemas = schemas_of(ground)
    type = chosen_type(schemas, fit_name(name, "mapping"), type)
    if path := mapping_files(ground).get(name):
        where = f"at {path}" if path in ground.own else "which travels with the hub"
        raise UsageError(f"there is a mapping '{name}' already, {where}; take another name")
    files = {
        f"{MAPPINGS}{name}.yaml": mapping_text(schemas, name, type, goes_out, format),
        f"{MAPPINGS}{name}.test.yaml": case_text(sample_document(schemas, type), type),
    }
    side = "the right sides" if not goes_out else "the left sides"
    return Start(
        files, notes=[f"{'from' if goes_out else 'to'} canonical/{type} (--type)"],
        then=[
            ("o2c test", "its test, which passes"),
            ("o2c infer SAMPLE.json", "a schema of documents that you have, to check the mapping by"),
            (f"o2c map {name} SAMPLE.json --trace", f"one of them through it, once {side} have its names"),
            (f"o2c new route {name} --map {name}", "a route that uses it"),
        ],
    )  # fmt: skip


def schemas_of(ground: Ground) -> SchemaSet:
    """Raises UsageError where the project's schemas are wrong."""
    try:
        return schema_set(ground.files)
    except ProjectError as error:
        raise UsageError(f"the schemas of the project must be in order first: {error.faults[0]}") from None


def chosen_type(schemas: SchemaSet, name: str, type: str) -> str:
    """The type that is asked for, else the longest that the name has in it, else an order. Raises UsageError."""
    known = canonical_types(schemas)
    if type and type.removeprefix(CANONICAL) not in known:
        raise UsageError(f"--type: unknown canonical type '{type}'{did_you_mean(type, known)}")
    plain = name.lower().replace("-", "_")
    in_name = sorted((each for each in known if each in plain), key=len)
    return type.removeprefix(CANONICAL) or (in_name[-1] if in_name else DEFAULT_TYPE)


def mapping_text(schemas: SchemaSet, name: str, type: str, goes_out: bool, format: str = "json") -> str:
    """The mapping's file."""
    root = schemas.shape(f"{CANONICAL}{type}")
    wanted = needed(root)
    more = ", ".join(field for field in root.properties() if field not in wanted)
    canonical, other = f"{{schema: {CANONICAL}{type}}}", f"{{format: {format}}}"
    description = f"A canonical {type} as what goes out" if goes_out else f"What comes in as a canonical {type}"
    return "\n".join([
        "# yaml-language-server: $schema=../schemas/hub/mapping.schema.json",
        "# Left of each colon is a field of what comes out, right of it an expression; src is what comes in.",
        f"mapping: {scalar(name)}", "version: 1", f"description: {description}",
        f"source: {canonical if goes_out else other}", f"target: {other if goes_out else canonical}",
        "output:", *_described(root, _tree(root, "src"), 2),
        *([f"  # What else it may have: {more}"] if more else []), "",
    ])  # fmt: skip


def case_text(document: Mapping[str, Any], type: str) -> str:
    """The test of such a mapping: the same document on both sides."""
    return "\n".join([
        "# yaml-language-server: $schema=../schemas/hub/mapping-test.schema.json", "cases:",
        f"  - name: the least that canonical/{type} must have",
        "    input:", *yaml_lines(document, 6), "    expected:", *yaml_lines(document, 6), "",
    ])  # fmt: skip


def _tree(shape: Shape, path: str) -> Any:
    """The same fields again: expressions that read them below ``path``."""
    element = shape.element() if shape.node.get("type") == "array" else None
    if element is not None:
        word = _one_of(path.rpartition(".")[2])
        loop = {"each": path, "as": word, "item": _tree(element, word)}
        return {"when": path, "item": loop} if shape.node.get("minItems") else loop
    if "properties" not in shape.node:
        return path
    fields = shape.properties()
    return {name: _tree(fields[name], f"{path}.{name}") for name in needed(shape)}


def _one_of(word: str) -> str:
    """The name of one entry of a list that is called so."""
    if word.endswith("ies"):
        return f"{word.removesuffix('ies')}y"
    return word[:-1] if word.endswith("s") else f"{word}_entry"


def _described(shape: Shape, tree: Mapping[str, Any], indent: int) -> list[str]:
    """The tree with what each field is for, as the schema says it."""
    lines, fields = [], shape.properties()
    for name, below in tree.items():
        about = " ".join(str(fields[name].node.get("description", "")).split()) if name in fields else ""
        first, *rest = yaml_lines({name: below}, indent)
        note = f"{first.ljust(40)}  # {about}" if about else first
        lines += [note if len(note) <= 120 else first, *rest]
    return lines
