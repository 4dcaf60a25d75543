"""The JSON Schemas for editors: they hold for the reference project and refuse what the lint refuses."""

from functools import cache

import jsonschema
import pytest

from hub.project import document_of, own_files, reference_files
from hub.reference import reference_root
from hub.yaml_schemas import yaml_schemas
from hub.yamldoc import parse_yaml

NAMES = ("hub", "systems", "route", "mapping", "environment")


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
    ],
)
def test_it_takes_what_is_right_and_refuses_what_is_wrong(name, text, valid):
    assert is_valid(name, text) is valid
