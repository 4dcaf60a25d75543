"""The help of the program: every command says what it does in a whole sentence."""

from __future__ import annotations

from typer.testing import CliRunner

from hub.cli.app import GROUPS, create_app


def test_the_list_of_commands_cuts_no_sentence_off() -> None:
    shown = CliRunner().invoke(create_app(), ["--help"]).output
    commands = shown.partition("Commands:")[2]
    assert "..." not in commands
    assert [line.split()[0] for line in commands.splitlines() if line[2:3].strip()] == [
        name for names in GROUPS.values() for name in names
    ]
    assert "nothing may be lost, doubled, overtaken or left undone." in " ".join(commands.split())
