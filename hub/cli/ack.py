"""``o2c ack``: the acknowledgement that a file deserves, found and written as the hub would."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.edi import read_edi
from hub.cli.terminal import Json, ProjectFolder, complain, finish, read_input, say, say_json
from hub.cli.workplace import environment_name, open_workplace
from hub.edi_versions import grammar_declared
from hub.errors import UsageError
from hub.formats._acks import KINDS, Report, acknowledge
from hub.formats._edi_charsets import CODECS, LEVELS, decoder
from hub.formats._edi_envelopes import Group, Interchange, Message, Party
from hub.formats._edi_faults import EdiFault
from hub.formats._edi_marks import filled, filled_proofs
from hub.grammars import Grammars, Interpreter
from hub.partners import Identity, Partner
from hub.pipeline.interchanges import interpreted
from hub.pipeline.partners import Partners, header_of, interchange_for, shown
from hub.pipeline.program import Program, build_program
from hub.pipeline.verdicts import examined
from hub.project import reference_files
from hub.yamldoc import did_you_mean

_USUAL = {"contrl": "always", "ta1": "always", "997": "always"}
_FIRST = {"interchange": 1, "group": 1, "message": 1, "digits": 0}


def ack(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A file with interchanges, EDIFACT or X12; - is standard input.")
    ],
    kind: Annotated[
        str,
        typer.Option("--as", help="contrl, ta1, 997 or 999; none: what the partner gets, else CONTRL, TA1 and 997."),
    ] = "",
    project: ProjectFolder = Path(),
    as_json: Json = False,
) -> None:
    """Print the acknowledgement that a file deserves: CONTRL, TA1, 997, 999. What a partner of the project sends is
    read as its routes read it; what another sends, by the grammar of the version it declares. Exit 1 if anything of it
    is rejected."""
    if kind and kind not in KINDS:
        raise UsageError(f"--as: unknown kind '{kind}'{did_you_mean(kind, KINDS)}")
    reader = _Reader(_program(project), kind)
    found = list(reader.read(read_input(file)))
    documents = [(partner, document) for _, partner, made in found for document in made]
    if as_json:
        say_json([document for _, document in documents])
    else:
        for partner, document in documents:
            say(_text(partner, document))
    if not documents:
        complain("nothing in it is to be acknowledged")
    finish(not all(report.is_clean for report, _, _ in found))


def _program(project: Path) -> Program | None:
    """The project's files as the hub runs them; None outside of a project."""
    try:
        place = open_workplace(project)
    except UsageError:
        return None
    return build_program(place.files, environment_name(), 0, place.connectors_folder)


class _Reader:
    """Reads files as the hub does, those of strangers too; every fault is printed."""

    def __init__(self, program: Program | None, kind: str) -> None:
        self._program, self._kind = program, kind
        self._partners = Partners(program.settings.partners.values() if program else ())
        self._grammars = program.schemas.grammars if program else Grammars(reference_files())
        self._interpreter = Interpreter(self._grammars)

    def read(self, raw: bytes) -> Iterator[tuple[Report, Partner, list[dict[str, Any]]]]:
        """Of each interchange what was found, whose it is, and its acknowledgements."""
        everybody = Partners((*self._partners, *self._strangers(raw)))
        for report, verdict in examined(everybody, [raw], self._interpreted):
            for message in report.interchange.messages():
                if verdict.failure is None:
                    report.add(message)
                _complain_of(message.faults)
            _complain_of(report.interchange.faults)
            if verdict.code is not None and verdict.failure is not None:
                complain(f"{verdict.failure.detail}; {verdict.failure.hint}")
            if verdict.partner is not None and report.interchange.header:
                yield report, verdict.partner, acknowledge(report, self._policy(verdict.partner))

    def _strangers(self, raw: bytes) -> Iterator[Partner]:
        """Who stands for the senders that are no partners, each to get what the file itself is written in."""
        for came in read_edi(raw, self._grammars):
            if not came.header:  # what is no interchange is from nobody
                continue
            group = next((message.group for message in came.messages() if message.group is not None), None)
            if self._partners.whose(came) is None:
                if self._partners:
                    complain(
                        f"interchange {came.control_number} is from {shown(came.sender)} to {shown(came.receiver)}: no "
                        "partner has these identifications, so that the hub would send it nothing"
                    )
                yield _stranger(came, group)

    def _interpreted(self, message: Message) -> tuple[Any, Sequence[EdiFault]]:
        if self._program is not None and self._partners.whose(message.interchange) is not None:
            return interpreted(self._partners, self._program, message)
        name = grammar_declared(self._grammars, message)
        return self._interpreter.by(name, message) if name else (None, ())

    def _policy(self, partner: Partner) -> dict[str, str]:
        if self._kind:
            return {"contrl": "always", "ta1": "always", self._kind: "always"}
        agreed = {kind: str(partner.ack.get(kind)) for kind in KINDS}
        return agreed if {"always", "on_error"} & set(agreed.values()) else _USUAL


def _stranger(came: Interchange, group: Group | None) -> Partner:
    d, is_x12 = came.delimiters, came.syntax == "x12"
    return Partner(
        name=came.sender.id, system="", syntax=came.syntax, test=came.is_test,
        version=came.version if is_x12 or came.version in ("1", "2", "3", "4") else "3",
        us=_identity(came.receiver, group.receiver if group else None),
        them=_identity(came.sender, group.sender if group else None),
        charset="utf-8" if is_x12 else came.level if came.level in LEVELS else "UNOC", wrong_test_flag="accept",
        delimiters={"element": d.element, "component": d.component, "terminator": d.terminator, "release": d.release,
                    "repetition": d.repetition, "line_end": True},
        numbers=_FIRST,
    )  # fmt: skip


def _identity(party: Party, in_group: Party | None) -> Identity:
    return Identity(party.id, party.qualifier, party.internal, in_group.id if in_group else "")


def _complain_of(faults: Sequence[EdiFault]) -> None:
    for fault in faults:
        complain(str(fault))


def _text(partner: Partner, document: dict[str, Any]) -> str:
    """The interchange as it would go back, a segment a line, with the control number 1."""
    by_line = replace(partner, delimiters={**partner.delimiters, "line_end": True})
    raw = filled(interchange_for(by_line, document).content, {"interchange": 1, "group": 1, "message": 1},
                 datetime.now(UTC))  # fmt: skip
    raw = filled_proofs(raw, lambda _: b"***")
    delimiters = header_of(partner).delimiters.all
    text, _ = decoder(CODECS[partner.charset], is_exact=True, delimiters=delimiters.encode("latin-1"))(raw)
    return "\n".join(line for line in text.replace("\r\n", "\n").split("\n") if line)


COMMANDS = (ack,)
