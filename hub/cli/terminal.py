"""What every command says and how: results on standard output, words about them on standard error."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.errors import UsageError

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
ProjectFolder = Annotated[
    Path, typer.Option("--project", "-C", help="The project folder, or a folder below it.", show_default=False)
]
MAX_INPUT = 64_000_000
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def say(text: str) -> None:
    """One line of the result."""
    print(text)


def complain(text: str) -> None:
    """Something about the result, or why there is none; each line of it plain."""
    print("\n".join(map(plain, text.split("\n"))), file=sys.stderr)


def counted(number: int, noun: str) -> str:
    """``1 route``, ``2 routes``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def say_json(value: Any) -> None:
    """A result for programs, in escapes of JSON where standard output cannot write all letters."""
    text = json_text(value)
    is_utf8 = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    print(text if is_utf8 else _NOT_ASCII.sub(lambda found: json.dumps(found[0])[1:-1], text))


def json_text(value: Any) -> str:
    """A value as indented JSON; decimals stay exact numbers."""
    return msgspec.json.format(_ENCODER.encode(value), indent=2).decode()


def finish(failed: bool) -> None:
    """End the command with exit code 1 where something was found or failed."""
    if failed:
        raise typer.Exit(1)


def say_table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table for people; in a pipe it is plain text that is never cut."""
    lines = [[plain(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        _say_columns([list(columns), *lines])
        return
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for line in lines:
        table.add_row(*map(Text, line))
    Console(highlight=False).print(table)


def _say_columns(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def plain(text: str) -> str:
    """Text from messages is data: no control character reaches the terminal."""
    return "".join(character if character.isprintable() else "�" for character in text)


class Pieces(msgspec.Struct, frozen=True):
    """The bytes of a file in pieces, read anew each time they are gone through."""

    path: Path

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while piece := file.read(1_000_000):
                yield piece


def read_input_of_any_size(path: Path) -> bytes | Pieces:
    """The bytes of a file, in pieces where it is large; those of standard input where the path is ``-``."""
    is_large = str(path) != "-" and path.is_file() and path.stat().st_size > MAX_INPUT
    return Pieces(path) if is_large else read_input(path)


def read_input(path: Path) -> bytes:
    """The bytes of a file, or of standard input where the path is ``-``."""
    if str(path) == "-":
        raw = sys.stdin.buffer.read(MAX_INPUT + 1)
    elif path.is_dir():
        raise UsageError(f"{path} is a folder; expected a file")
    elif not path.exists():
        raise UsageError(f"there is no file {path}")
    else:
        with path.open("rb") as file:  # of a device or a pipe there may be no end
            raw = file.read(MAX_INPUT + 1)
    if len(raw) > MAX_INPUT:
        raise UsageError(f"{path}: more than {MAX_INPUT} bytes; split it, or let the hub read it")
    return raw
