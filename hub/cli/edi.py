"""Commands for EDI: a message with its segments named, what a grammar says, how two differ."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.terminal import Json, ProjectFolder, complain, finish, plain, read_input, say, say_json
from hub.errors import DocumentFault, UsageError
from hub.formats import edifact, x12
from hub.formats._edi_documents import document_of
from hub.formats._edi_envelopes import Interchange, Message
from hub.formats._edi_faults import EdiFault
from hub.grammars import Grammars, Interpreter, grammar_name
from hub.grammars.codec import other_type
from hub.grammars.describe import describe, differences
from hub.grammars.picture import interchange_line, message_lines
from hub.idocs import IdocTypes
from hub.idocs import describe as idoc_texts
from hub.project import find_project, read_files, reference_files
from hub.yamldoc import did_you_mean

File = Annotated[Path, typer.Argument(metavar="FILE", help="A file; - is standard input.")]
ACTIONS = ("list", "show", "diff")


def grammar(
    action: Annotated[str, typer.Argument(metavar="list|show|diff", help="What to do.")],
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="One grammar to show; two to compare.")] = [],  # noqa: B006 - typer reads the default, nothing changes it
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show a grammar of an EDI message or an IDoc, or what differs between two; list all there are."""
    wanted = {"list": 0, "show": 1, "diff": 2}.get(action)
    if wanted is None:
        raise UsageError(f"unknown action '{action}'{did_you_mean(action, ACTIONS)}")
    if len(names) != wanted:
        raise UsageError(f"o2c grammar {action} takes {('no name', 'one name', 'two names')[wanted]}")
    files = files_of(project)
    lines = list(_grammar_lines(Grammars(files), IdocTypes(files), action, names))
    if as_json:
        say_json(lines)
        return
    for line in lines:
        say(plain(line))
    if action == "diff" and not lines:
        complain("no difference")


def _grammar_lines(grammars: Grammars, idocs: IdocTypes, action: str, names: list[str]) -> Iterator[str]:
    if action == "list":
        yield from sorted([*grammars.names(), *idocs.names()])
    elif all(name.startswith("idoc/") for name in names):
        types = [idocs.type(name) for name in names]
        yield from idoc_texts.describe(types[0]) if action == "show" else idoc_texts.differences(*types)
    elif action == "show":
        yield from describe(grammars.message(names[0]))
    else:
        yield from differences(grammars.message(names[0]), grammars.message(names[1]))


def show_edi(
    file: File,
    with_grammar: Annotated[str, typer.Option("--grammar", "-g", help="The grammar to read it by.")] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Show an EDI file with its segments and elements named, and every fault at its place; exit 1 if there is one."""
    grammars = grammars_of(project)
    if with_grammar:
        grammars.message(with_grammar)
    shown: list[dict[str, Any]] = []
    is_faulty = False
    for interchange in read_edi(read_input(file), grammars, with_grammar):
        if not as_json:
            say(plain(interchange_line(interchange)))
        for message in interchange.messages():
            is_faulty = is_faulty or not message.is_accepted
            if as_json:
                document = message.tree if message.tree is not None else document_of(message)
                shown.append({"document": document, "faults": [edi_fault_fields(one) for one in message.faults]})
                continue
            for line in message_lines(message, grammars, with_grammar or grammar_name(message)):
                say(plain(line))
        is_faulty = is_faulty or any(fault.is_error for fault in interchange.faults)
        for fault in interchange.faults:
            complain(plain(f"{file}: {fault}"))
    if as_json:
        say_json(shown)
    finish(is_faulty)


def edi_faults(raw: bytes, grammars: Grammars, name: str) -> Iterator[EdiFault]:
    """Every fault of an EDI file whose messages are to be of this grammar; that one is of another type is one."""
    wanted = _type_of(grammars, name)
    for interchange in read_edi(raw, grammars, name):
        for message in interchange.messages():
            if message.type != wanted:
                yield other_type(message, wanted, f"it is held against {name}")
            yield from message.faults
        yield from interchange.faults


def read_edi(raw: bytes, grammars: Grammars, name: str = "") -> Iterator[Interchange]:
    """The interchanges of a file, EDIFACT or X12 by how it begins; read by one grammar where a name is given."""
    choose = (lambda message: _chosen(message, grammars, name)) if name else None
    syntax = x12 if raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:3].upper() == b"ISA" else edifact
    found: Iterator[Interchange] = syntax.read([raw], interpret=Interpreter(grammars, choose))
    return found


def _chosen(message: Message, grammars: Grammars, name: str) -> str:
    """The grammar that was asked for, for the messages that are of its type; their own for all others."""
    return name if message.type == _type_of(grammars, name) else grammar_name(message)


def _type_of(grammars: Grammars, name: str) -> str:
    """The message type that a grammar is of, also where it is an overlay."""
    return grammars.message(name).standard.rsplit("/", 1)[-1]


def edi_fault_fields(fault: EdiFault) -> dict[str, Any]:
    named = ("position", "level", "code_list", "code", "message", "severity", "segment", "tag", "element", "component",
             "repetition", "offset", "seen", "expected")  # fmt: skip
    return {name: getattr(fault, name) for name in named}


def as_document_fault(fault: EdiFault) -> DocumentFault:
    """The same for commands that speak of documents."""
    code = f"{fault.code_list}:{fault.code}"
    return DocumentFault(fault.position, code, fault.message, fault.seen, fault.expected, fault.severity)


def grammars_of(folder: Path) -> Grammars:
    """The grammars of the project, or the hub's own outside of a project."""
    return Grammars(files_of(folder))


def files_of(folder: Path) -> dict[str, bytes]:
    """The files of the project, or the hub's own outside of a project."""
    try:
        return read_files(find_project(folder))
    except UsageError:
        return reference_files()


show_edi.__name__ = "show-edi"
COMMANDS = (grammar, show_edi)
