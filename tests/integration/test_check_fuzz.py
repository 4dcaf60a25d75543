"""Whatever is done to the project's files, `check` answers with faults and never with an exception."""

import random

import pytest

from hub.check import check_project
from hub.explain import explain
from hub.routes import load_routes
from hub.settings import load_settings
from tests.reference_project import beside, whole

CHARACTERS = "[]{}:,-\"'\t&*!|>%@`#\x00é \n1.$?~"


def _characters(text, rng):
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(CHARACTERS) + text[at + rng.randrange(3) :]


def _lines(text, rng):
    lines = text.split("\n")
    at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    changed = {
        "delete": lines[:at] + lines[at + 1 :],
        "double": [*lines[: at + 1], *lines[at:]],
        "replace": [*lines[:at], lines[other], *lines[at + 1 :]],
        "indent": [*lines[:at], "  " + lines[at], *lines[at + 1 :]],
        "outdent": [*lines[:at], lines[at].strip(), *lines[at + 1 :]],
        "cut": lines[:at],
    }
    return "\n".join(changed[rng.choice(sorted(changed))])


def mutate(text, rng):
    for _ in range(rng.randint(1, 3)):
        text = rng.choice((_characters, _lines))(text, rng)
    return text


def mutations(seed, count, prefixes):
    rng = random.Random(seed)
    files = whole()
    paths = sorted(path for path in files if path.startswith(prefixes) and not path.endswith(".json"))
    for _ in range(count):
        path = rng.choice(paths)
        yield {**beside(path), path: mutate(files[path].decode(), rng).encode()}


@pytest.mark.parametrize("seed", range(4))
def test_mutated_configuration_and_routes_give_faults_only(seed):
    for files in mutations(seed, 100, ("config/", "routes/", "connectors/presets/")):
        settings, faults = load_settings(files, "demo")
        routes, more = load_routes(files)
        for fault in (*faults, *more):
            assert "\n" not in str(fault)
            assert "NoneType" not in fault.message
        for route in routes:
            assert explain(route, settings)


@pytest.mark.parametrize("seed", range(4))
def test_mutated_projects_give_faults_only(seed):
    for files in mutations(seed, 8, ("config/", "routes/", "mappings/", "connectors/presets/")):
        own = [path for path in files if not path.startswith("schemas/")]  # grammars are the same in each
        for fault in check_project(files, "demo", own=own).faults:
            assert fault.message
            assert "Traceback" not in fault.message


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"\xff\xfe", b"- - - -", b"{}", b"[]", b"1", b"null", b"? a", b"&a [*a, *a]"]
)
def test_any_file_may_be_nonsense(content):
    files = beside("")
    mine = [path for path in files if path.startswith(("config/", "routes/"))]
    check_project({**files, **dict.fromkeys(mine, content)}, "demo")
    for path in mine:
        load_settings({**files, path: content}, "demo")
        load_routes({**files, path: content})
    load_settings(dict.fromkeys(files, content), "demo")
    load_routes(dict.fromkeys(files, content))
