"""The JSON Schemas for editors: they hold for the reference project and refuse what the lint refuses."""

import re
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from hub.project import document_of, own_files, reference_files
from hub.reference import reference_root
from hub.scaffold import start_files
from hub.yaml_schemas import schema_text, yaml_schemas
from hub.yamldoc import parse_yaml

ROOT = Path(__file__).parents[2]
NAMES = ("hub", "systems", "route", "mapping", "environment", "preset", "mapping-test", "route-test", "grammar",
         "idoc")  # fmt: skip


@cache
def files():
    return {**reference_files(), **own_files(reference_root())}


@cache
def schema(name):
    return yaml_schemas(files())[f"hub/{name}.schema.json"]


def is_valid(name, text):
    document = parse_yaml(text, "x.yaml").data()
    return jsonschema.Draft202012Validator(schema(name)).is_valid(document)


@pytest.mark.parametrize("name", NAMES)
def test_it_is_a_schema(name):
    jsonschema.Draft202012Validator.check_schema(schema(name))


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("hub", "config/hub.yaml"),
        ("systems", "config/systems.yaml"),
        ("environment", "config/environments/"),
        ("route", "routes/"),
        ("mapping", "mappings/"),
        ("preset", "connectors/presets/"),
        ("grammar", "schemas/edifact/"),
        ("grammar", "schemas/x12/"),
        ("grammar", "schemas/eancom/"),
        ("idoc", "schemas/idoc/"),
    ],
)
def test_it_holds_for_the_files_of_the_reference_project(name, prefix):
    paths = [path for path in files() if path.startswith(prefix) and path.endswith(".yaml") and ".test." not in path]
    assert paths
    validator = jsonschema.Draft202012Validator(schema(name))
    for path in paths:
        assert [error.message for error in validator.iter_errors(document_of(files(), path)[0].data())] == [], path


def descriptions(node, path=""):
    """Every property without a description."""
    if isinstance(node, dict):
        for key, child in node.get("properties", {}).items():
            if "description" not in child and "const" not in child:
                yield f"{path}.{key}"
        for key, child in node.items():
            yield from descriptions(child, f"{path}.{key}")
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from descriptions(child, f"{path}[{index}]")


@pytest.mark.parametrize("name", NAMES)
def test_every_key_says_what_it_is_for(name):
    assert list(descriptions(schema(name))) == []


ROUTE = "route: x\nfrom: {system: a}\nmap: m\nto: [{system: b}]\n"


@pytest.mark.parametrize(
    ("name", "text", "valid"),
    [
        ("route", ROUTE, True),
        ("route", f"- {ROUTE.replace(chr(10), chr(10) + '  ')}", True),
        ("route", ROUTE + "retry: {first: 10s, factor: 1.5}", True),
        ("route", ROUTE + "retry: {first: 10}", False),
        ("route", ROUTE + "retry: {attempts: -1}", False),
        ("route", ROUTE + "order: perkey", False),
        ("route", ROUTE + "steps: []", False),
        ("route", ROUTE.replace("map: m\n", ""), False),
        ("route", "just text", False),
        ("hub", "store: sqlite:///x", True),
        ("hub", "stor: x", False),
        ("hub", "http: {max_body: 10MB, tls: {certificate: a, key: secret://file/k}}", True),
        ("hub", "http: {tls: {certificate: a, key: hunter2}}", False),
        ("systems", "a: {connector: http, base_url: 'http://x'}", True),
        ("systems", "a: {connector: http}", False),
        ("systems", "a: {connector: http, base_url: 'http://x', bas: 1}", False),
        ("systems", "a: {connector: htp}", False),
        ("systems", "a: {}", False),
        ("systems", "a b: {connector: http, base_url: 'http://x'}", False),
        ("systems", "a: {preset: shopify, verify: {secrets: [secret://env/A]}}", True),
        ("systems", "a: {preset: shopify, nonsense: 1}", False),
        ("systems", "a: {preset: nonsense}", False),
        ("environment", "systems: {a: {base_url: x}}", True),
        ("environment", "hub: {stor: x}", False),
        ("environment", "hub: {http: {tls: {certificate: a}}}", True),
        ("mapping", "mapping: m\noutput: {a: 1}", True),
        ("mapping", "mapping: m\nsource: {format: csv, delimiter: ';'}\noutput: {}", True),
        ("mapping", "mapping: m\noutputs: {}", False),
        (
            "mapping",
            "mapping: m\nlet: {a: 1}\noutput: {b: {each: src.x, as: x, item: {c?: x.y}}, d: [src.e, {const: F}]}",
            True,
        ),
        ("mapping", "mapping: m\nlet: src.x\noutput: {}", False),
        ("preset", "preset: x\nconnector: http\ntimeouts: {connect: 5s}\nproved: double", True),
        ("preset", "preset: x\nconnector: http\ntimeout: 5s", False),
        ("preset", "preset: x", False),
        ("preset", "preset: x\nconnector: http\nproved: often", False),
        ("mapping-test", "cases: [{name: a, input: {}, expected: {}}]", True),
        ("mapping-test", "cases: [{name: a, inputs: {}}]", False),
        ("mapping-test", "cases: [{input: {}}]", False),
        ("idoc", "extends: idoc/ORDERS05\nadd: {after E1EDK01: [Z1HEAD C 1]}\nrestrict: {E1EDK02: M 3}", True),
        ("idoc", "structure: [E1EDK01 M 1, {E1EDP01 C >1: [E1EDP02 C 10 list]}]", True),
        ("idoc", "segments: {Z1HEAD Own data: [Z2HEAD000, PRIO 2, LATEST 8 date]}", True),
        ("idoc", "structure: [E1EDK01 M 1 as head]", False),
        ("idoc", "segments: {Z1HEAD Own data: [Z2HEAD000, PRIO two]}", False),
        ("idoc", "add: {behind E1EDK01: [Z1HEAD C 1]}", False),
        ("idoc", "segment: {}", False),
        ("route-test", "cases: [{name: a, receives: {body: x}, answers: {erp: [503, {fails: timeout}]}}]", True),
        ("route-test", "cases: [{name: a, receives: {body: x}, answers: {erp: [503, {fails: never}]}}]", False),
        ("route-test", "cases: [{name: a, receives: {body: x}, expected: {messages: [{stat: dead}]}}]", False),
        ("route-test", "cases: [{name: a, receives: {body: x}, expected: {deliveries: [{state: dead}]}}]", False),
    ],
)
def test_it_takes_what_is_right_and_refuses_what_is_wrong(name, text, valid):
    assert is_valid(name, text) is valid


MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+/hub/([a-z-]+)\.schema\.json)\n")
SHIPPED = {
    "config/hub.yaml": "hub", "config/systems.yaml": "systems", "config/environments/*.yaml": "environment",
    "routes/*.yaml": "route", "mappings/**/*.yaml": "mapping", "connectors/presets/*.yaml": "preset",
    "routes/*.test.yaml": "route-test", "mappings/**/*.test.yaml": "mapping-test",
    "schemas/edifact/**/*.yaml": "grammar", "schemas/x12/**/*.yaml": "grammar", "schemas/eancom/**/*.yaml": "grammar",
    "schemas/idoc/**/*.yaml": "idoc",
}  # fmt: skip


@pytest.mark.parametrize("root", [ROOT, ROOT / "hub/scaffold/start"], ids=["reference", "new project"])
def test_every_shipped_file_names_its_schema_in_its_first_line(root):
    found = [(path, name) for pattern, name in SHIPPED.items() for path in root.glob(pattern)]
    found = [(path, name) for path, name in found if path.name.endswith(".test.yaml") is name.endswith("-test")]
    assert len(found) >= 2
    for path, name in found:
        line = MODELINE.match(path.read_text())
        assert line, path
        assert line[2] == name
        assert (path.parent / line[1]).resolve() == root / f"schemas/hub/{name}.schema.json"


def test_the_written_schemas_are_those_of_the_program():
    written = {
        path.relative_to(ROOT / "schemas").as_posix(): path.read_text() for path in (ROOT / "schemas/hub").iterdir()
    }
    assert written == {path: schema_text(made) for path, made in yaml_schemas(reference_files()).items()}


def test_a_new_project_has_them_and_the_hub_does_not_read_them():
    assert set(start_files()) >= {f"schemas/hub/{name}.schema.json" for name in NAMES}
    assert not [path for path in files() if path.startswith("schemas/hub/")]
