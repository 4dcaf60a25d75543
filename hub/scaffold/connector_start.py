"""``o2c new connector``: one file that sends documents, and one test of it against something that truly listens."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import connectors
from hub.errors import UsageError
from hub.scaffold.starts import Ground, Start

_TEMPLATES = Path(__file__).parent / "new"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}")


def connector_start(ground: Ground, name: str) -> Start:
    """The two files. Raises UsageError for a name that is taken or cannot be one."""
    if not _NAME.fullmatch(name):
        raise UsageError(f"'{name}' cannot name a connector; use small letters, digits and '_', starting with a letter")
    if name in connectors.names(ground.connectors_folder):
        origin = connectors.origin(name, ground.connectors_folder)
        whose = {"hub": "the hub's own", "project": f"at connectors/{name}.py"}.get(origin, f"of {origin}")
        raise UsageError(f"there is a connector '{name}' already, {whose}; take another name")
    test = f"tests/test_{name}.py"
    return Start(
        {f"connectors/{name}.py": _filled("connector.py", name), test: _filled("test_connector.py", name)},
        then=[
            (f"{_python()} -m unittest {test}", "its test, which passes"),
            (f"o2c systems {name}", "what a system of it may say"),
            (f"o2c new system NAME --connector {name}", "a system that uses it"),
        ],
    )  # fmt: skip


def _python() -> str:
    """The interpreter that has the hub, as short as it may be called here."""
    found = shutil.which("python")
    return "python" if found and Path(found) == Path(sys.executable) else sys.executable


def _filled(template: str, name: str) -> str:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    return text.replace("sample_name", name).replace("SampleName", "".join(map(str.capitalize, name.split("_"))))
