"""A connector of the project's own, a file in its connectors/ folder, is configured and checked like any other."""

import pytest

from hub.fields import Located
from hub.secret import Secret
from hub.settings import load_settings

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
