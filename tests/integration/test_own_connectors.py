"""A connector of the project's own, a file in its connectors/ folder, is configured and checked like any other."""

from pathlib import Path

import pytest

import connectors
from hub.check import check_project
from hub.fields import Located
from hub.pipeline.connections import connector_config
from hub.secret import Secret
from hub.settings import load_settings
from hub.systems import NAME_FORM
from hub.yaml_schemas import yaml_schemas
from tests.reference_project import small

CONNECTOR = '''
"""A teletype."""
from connectors.base import Field

FIELDS = (
    Field("line", "text", "The line's number.", required=True),
    Field("speed", "rate", "Characters a second.", default=50.0),
    Field("answerback", "group", "How it names itself.", fields=(
        Field("code", "secret", "Its code.", required=True),
        Field("fits", "expression", "Whether it is the right one.", names=("code",)),
    )),
)


def destination(config):
    """Where texts go."""
'''


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "teletype.py").write_text(CONNECTOR)
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    return tmp_path


def load(systems, folder):
    settings, faults = load_settings({"config/systems.yaml": systems.encode()}, None, folder)
    return settings.systems, [str(fault).removeprefix("config/systems.yaml:") for fault in faults]


def test_its_settings_are_read_with_defaults(folder):
    systems, faults = load(
        "desk: {connector: teletype, line: 4711, answerback: {code: secret://file/code, fits: code == 'X'}}", folder
    )
    assert faults == []
    desk = systems["desk"]
    assert (desk.sends, desk.fetches, desk.receives) == (True, False, False)
    assert desk.options["line"] == "4711"
    assert desk.options["speed"] == 50.0
    assert desk.options["answerback"]["code"] == Secret("file", "code")
    assert desk.options["answerback"]["fits"] == Located("code == 'X'", "config/systems.yaml", 1, 86)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("desk: {connector: teletype}", "1:1: error: line is missing in system 'desk': the line's number"),
        ("desk: {connector: teletyp, line: 1}", "1:19: error: unknown connector 'teletyp'; did you mean 'teletype'?"),
        (
            "desk: {connector: teletype, line: 1, speed: fast}",
            "1:45: error: speed: expected a rate such as 20/s or 600/m, got 'fast'",
        ),
        (
            "desk: {connector: broken}",
            "1:19: error: connector 'broken' cannot be loaded: No module named 'nothing_of_that_name'",
        ),
    ],
)
def test_its_mistakes_are_told_alike(folder, text, fault):
    assert load(text, folder)[1] == [fault]


def found(folder, **files):
    """What `o2c check` says of the files in the folder, whether a system uses them or not."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)
    faults = check_project(small(), connectors_folder=folder).faults
    return [str(fault).removeprefix("connectors/") for fault in faults]


GOOD = "from connectors.base import Field\nFIELDS = ()\ndef destination(config): ...\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (GOOD, ""),
        ("import nothing_here\n", "own.py:1:1: error: it cannot be loaded: No module named 'nothing_here'"),
        ("\n\ndef destination(\n", "own.py:3:1: error: it cannot be loaded: '(' was never closed"),
        ("def no(): return 1 / 0\n\nno()\n",
         "own.py:1:1: error: it cannot be loaded: ZeroDivisionError: division by zero"),
        ("raise SystemExit(3)\n", "own.py:1:1: error: it cannot be loaded: SystemExit: 3"),
        ("FIELDS = ()\n", "own.py:0:0: error: it has neither destination(config) nor source(config); write the "
         "one that a system is to be used by"),
        ("def destination(host, port): ...\n",
         "own.py:1:1: error: destination: expected a function destination(config), got destination(host, port)"),
        (GOOD.replace("()\ndef", "{}\ndef"), "own.py:0:0: error: FIELDS: expected a tuple of connectors.base.Field, "
         "got dict"),
        (GOOD.replace("()\ndef", "(Field('fetch'))\ndef source(config): ...\ndef"),
         "own.py:0:0: error: FIELDS: expected a tuple of connectors.base.Field, got Field"),
        (GOOD.replace("()\ndef", "(Field('a', 'group', fields=(Field('b'))),)\ndef"),
         "own.py:2:1: error: it cannot be loaded: TypeError: Field 'a': fields: expected a tuple, got Field; a tuple "
         "of one has a comma: (…,)"),
        (GOOD.replace("()\ndef", "(Field('a', 'choice', choices=('native')),)\ndef"),
         "own.py:2:1: error: it cannot be loaded: TypeError: Field 'a': choices: expected a tuple, got str; a tuple "
         "of one has a comma: (…,)"),
        (GOOD.replace("()\ndef", "('port',)\ndef"),
         "own.py:0:0: error: FIELDS: expected connectors.base.Field, got str"),
        (GOOD.replace("()\ndef", "(Field('port', 'intger'),)\ndef"),
         "own.py:0:0: error: FIELDS: 'port' is of the unknown kind 'intger'; did you mean 'integer'?"),
        (GOOD.replace("()\ndef", "(Field('a', 'group', fields=(Field('b', 'choice'),)),)\ndef"),
         "own.py:0:0: error: FIELDS: 'a.b' is a choice without choices; give it choices=(\"…\", \"…\")"),
        (GOOD + "def source(config): ...\n", "own.py:0:0: error: FIELDS: a source is read every fetch.every; write "
         "Field(\"fetch\", \"group\", fields=(Field(\"every\", \"duration\", default=60.0),))"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_connector_is_told_at_its_line(tmp_path, text, fault):
    assert found(tmp_path, own=text) == ([fault] if fault else [])


def test_a_file_of_an_impossible_name_is_told_and_one_with_a_line_before_it_left_alone(tmp_path):
    assert found(tmp_path, **{"_shared": "import nothing_here\n", "two words": GOOD}) == [
        f"two words.py:0:0: error: 'two words' cannot name a connector; use {NAME_FORM}"
    ]


def test_its_dataclasses_find_what_their_annotations_name(tmp_path):
    text = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n"
        f"@dataclass\nclass Line:\n    most: ClassVar[int] = 3\n    number: int = 0\n{GOOD}"
    )
    assert found(tmp_path, line=text) == []


def test_one_that_cannot_be_loaded_keeps_no_editor_from_the_others(folder):
    made = yaml_schemas(small(), folder)["hub/systems.schema.json"]
    assert "teletype" in made["$defs"] and "broken" not in made["$defs"]


def test_where_a_connector_is_from_is_known(folder):
    assert [connectors.origin(name, folder) for name in ("http", "teletype", "nothing")] == ["hub", "project", ""]
    (folder / "http.py").write_text(GOOD)  # the project's own wins
    assert connectors.origin("http", folder) == "project"
    assert connectors.connector("http", folder).FIELDS == ()


@pytest.mark.parametrize("fields", ["(Field('port'))", "('port',)", "{}", "None"])
def test_settings_that_are_none_are_told_of_a_connector_that_a_system_uses_too(tmp_path, fields):
    (tmp_path / "own.py").write_text(GOOD.replace("FIELDS = ()", f"FIELDS = {fields}"))
    files = {**small(), "config/systems.yaml": small()["config/systems.yaml"] + b"\nmine: {connector: own}\n"}
    told = [str(fault) for fault in check_project(files, connectors_folder=tmp_path).errors]
    assert len(told) == 1 and told[0].startswith("connectors/own.py:0:0: error: FIELDS: expected ")


@pytest.mark.parametrize("event", ["", ", event: orders"])
def test_what_it_fetches_may_have_any_event_whatever_the_system_says_of_the_others(tmp_path, event):
    every = "Field('every', 'duration', 'How often.', default=10.0)"
    fetches = f"FIELDS = (Field('fetch', 'group', 'Where from.', fields=({every},)),)"
    (tmp_path / "own.py").write_text(GOOD.replace("FIELDS = ()", fetches) + "def source(config): ...\n")
    systems = small()["config/systems.yaml"] + f"\nmine: {{connector: own, fetch: {{every: 1m}}{event}}}\n".encode()
    routes = small()["routes/orders.yaml"].replace(b"{system: partner-files}", b"{system: mine, event: shipped}")
    files = {**small(), "config/systems.yaml": systems, "routes/orders.yaml": routes}
    assert [str(fault) for fault in check_project(files, connectors_folder=tmp_path).errors] == []


@pytest.mark.parametrize("name", ["lint", "inspect"])
def test_a_look_of_its_own_that_fails_is_told_at_the_system(tmp_path, name):
    (tmp_path / "own.py").write_text(f"{GOOD}def {name}(config): config['line'][7]\n")
    files = {**small(), "config/systems.yaml": small()["config/systems.yaml"] + b"\nmine: {connector: own}\n"}
    [told] = [str(fault) for fault in check_project(files, connectors_folder=tmp_path).errors]
    assert told.startswith("config/systems.yaml:")
    assert told.endswith(f": error: its connector's {name} failed: KeyError: 'line'")


def test_an_address_is_no_secret_for_it_stands_in_what_the_system_gives(monkeypatch):
    for name, value in (("URL", "https://shop.example"), ("KEY", "a-secret-key"), ("TOKENS", "https://id.example/t")):
        monkeypatch.setenv(name, value)
    auth = "{type: oauth2, token_url: secret://env/TOKENS, client_id: hub, client_secret: secret://env/KEY}"
    systems, faults = load(f"shop: {{connector: http, base_url: secret://env/URL, auth: {auth}}}", None)
    assert faults == []
    config = connector_config(systems["shop"], Path("/nowhere"), None)
    assert (config["base_url"], config["secrets"]) == ("https://shop.example", ["a-secret-key"])
