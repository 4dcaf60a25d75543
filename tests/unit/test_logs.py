"""What is logged is one JSON line an event, and holds nothing of a person."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
import structlog

from hub import logs
from hub.errors import StoreError


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    logs.configure(stream)
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_an_event_is_one_json_line_with_time_level_and_logger(lines: io.StringIO) -> None:
    structlog.get_logger("sweeper").warning("a source could not be read", system="bank", reason="away")
    event = json.loads(lines.getvalue())
    assert (event["event"], event["level"], event["system"]) == ("a source could not be read", "warning", "bank")
    assert event["timestamp"].endswith("Z")


def test_what_a_library_logs_goes_the_same_way(lines: io.StringIO) -> None:
    logging.getLogger("some.library").error("it failed for %s", "erika.muster@example.com")
    event = json.loads(lines.getvalue())
    assert event["logger"] == "some.library"
    assert "erika" not in event["event"]


@pytest.mark.parametrize("personal", ["erika.muster@example.com", "DE89370400440532013000", "4111 1111 1111 1111"])
def test_personal_data_is_blotted_out_in_every_field(lines: io.StringIO, personal: str) -> None:
    structlog.get_logger("run").error(f"the ERP said {personal}", reason=f"no account {personal}")
    assert personal not in lines.getvalue()


def test_an_error_of_a_library_is_logged_with_its_place_and_without_what_it_quotes(lines: io.StringIO) -> None:
    try:
        try:
            int("Erika Muster")
        except ValueError as error:
            raise StoreError("the store is away") from error
    except StoreError:
        structlog.get_logger("run").exception("a step failed")
    event = json.loads(lines.getvalue())
    assert "test_logs.py" in event["exception"]
    assert "builtins.ValueError\n" in event["exception"]
    assert "hub.errors.StoreError: the store is away" in event["exception"]
    assert "Erika Muster'" not in event["exception"]


def test_details_below_the_level_are_not_written(lines: io.StringIO) -> None:
    structlog.get_logger("run").debug("a detail")
    assert lines.getvalue() == ""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("wanted", "is_json"), [("", False), ("json", True)])
def test_a_terminal_gets_readable_lines_unless_json_is_wanted(
    lines: io.StringIO, monkeypatch: pytest.MonkeyPatch, wanted: str, is_json: bool
) -> None:
    monkeypatch.setenv(logs.FORMAT, wanted)
    terminal = Terminal()
    logs.configure(terminal)
    structlog.get_logger("run").warning("something happened")
    assert terminal.getvalue().startswith("{") is is_json


def test_a_process_of_the_hub_does_not_load_what_draws_on_terminals() -> None:
    code = "import hub.run, sys; print({'rich', 'pygments', 'lxml'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"


@pytest.mark.parametrize("role", ["work", "sweep"])
def test_a_process_that_takes_nothing_in_does_not_load_the_web_server(role: str) -> None:
    code = f"import hub.roles.{role}, sys; print({{'fastapi', 'pydantic', 'uvicorn', 'lxml'}} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout == "set()\n"
