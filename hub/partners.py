"""``config/partners.yaml``: the trading partners, who they and we are in their interchanges, and what was agreed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from hub.errors import Fault
from hub.fields import Scope, read_fields, zone_of
from hub.formats._segments import EDIFACT, X12
from hub.partner_fields import FIELDS, LEVELS, X12_CHARSETS
from hub.secret import Secret
from hub.systems import NAME_FORM, is_name
from hub.yamldoc import Node, did_you_mean

FILE = "config/partners.yaml"
_LONGEST = {"edifact": {"id": 35, "qualifier": 4, "internal": 35}, "x12": {"id": 15, "qualifier": 2, "group": 15}}
_QUALIFIED = ("password", "authorization")
_ACKS = {"contrl": "edifact", "aperak": "edifact", "997": "x12", "999": "x12", "ta1": "x12", "824": "x12"}
_ONLY = {"internal": "edifact", "group": "x12", "authorization": "x12", "authorization_qualifier": "x12"}
_LITERAL = frozenset(field.name for field in FIELDS)


class Identity(msgspec.Struct, frozen=True):
    """One side of an interchange, as UNB or ISA names it. ``group`` is the code in GS02 or GS03; ``password`` and
    ``authorization`` are references of what it proves itself with (UNB S005, ISA01 to ISA04)."""

    id: str
    qualifier: str = ""
    internal: str = ""
    group: str = ""
    password: Secret | None = None
    password_qualifier: str = ""
    authorization: Secret | None = None
    authorization_qualifier: str = ""

    def __str__(self) -> str:
        return f"{self.id}:{self.qualifier}" if self.qualifier else self.id


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner. ``delimiters`` has a text for each of element, component, terminator, release and repetition, and
    ``line_end``; ``numbers`` the first number of each kind and the ``digits``."""

    name: str
    system: str
    syntax: str
    us: Identity
    them: Identity
    description: str = ""
    version: str = ""
    directory: str = ""
    application_reference: str = ""
    agreement: str = ""
    charset: str = ""
    strict: bool = False
    delimiters: Mapping[str, Any] = field(default_factory=dict)
    overlays: Mapping[str, str] = field(default_factory=dict)
    time_zone: str = "UTC"
    test: bool = False
    wrong_test_flag: str = "refuse"
    same_number: str = "refuse"
    same_document: str = "refuse"
    bad_envelope: str = "accept"
    numbers: Mapping[str, int] = field(default_factory=dict)
    ack: Mapping[str, Any] = field(default_factory=dict)
    node: Node | None = field(default=None, repr=False, compare=False)

    @property
    def advises(self) -> str:
        """When it is told what became of a message by its content: always, on_error or never."""
        return str(self.ack.get("aperak" if self.syntax == "edifact" else "824") or "never")

    @property
    def is_acknowledged(self) -> bool:
        """Whether anything that it sends is acknowledged."""
        return any(policy in ("always", "on_error") for policy in self.ack.values())

    @property
    def release(self) -> tuple[str, str]:
        """Version and association of its messages: D96A and EAN008, 004010 and VICS; empty without ``directory``."""
        if self.syntax == "x12":
            return self.directory[:6], self.directory[6:]
        version, _, association = self.directory.partition(" ")
        return version, association


def load_partners(root: Node, time_zone: str, faults: list[Fault]) -> dict[str, Partner]:
    """Every partner of the file's mapping; one with faults is there too. ``time_zone`` is the hub's."""
    if root.value is None:
        return {}
    if not root.is_map:
        faults.append(root.fault(f"expected a mapping from partner names to their settings, got {root.kind}"))
        return {}
    partners: dict[str, Partner] = {}
    for name, node in root.items():
        key = root.key(name)
        if not is_name(name):
            faults.append(key.fault(f"'{name}' cannot name a partner; use {NAME_FORM}"))
        if not node.is_map:
            faults.append(key.fault(f"partner '{name}': expected a mapping with its settings, got {node.kind}"))
            continue
        partners[name] = _partner(name, node, time_zone, Scope(f"partner '{name}'", faults, literal=_LITERAL))
    _report_twins(partners, faults)
    return partners


def _partner(name: str, node: Node, time_zone: str, scope: Scope) -> Partner:
    values = read_fields(node, FIELDS, scope)
    syntax = str(values["syntax"])
    us, them = (_identity(values[side], node.get(side), side, syntax, scope) for side in ("us", "them"))
    version = _version(str(values["version"]), node.get("version"), syntax, scope)
    plain = (
        "system", "description", "directory", "application_reference", "agreement", "strict", "test",
        "wrong_test_flag", "same_number", "same_document", "bad_envelope", "numbers", "ack",
    )  # fmt: skip
    _report_acks(node.get("ack"), syntax, scope)
    _report_envelope(node, syntax, scope)
    _report_numbers(values["numbers"], node.get("numbers"), syntax, scope)
    return Partner(
        name=name, syntax=syntax, us=us, them=them, version=version,
        charset=_charset(str(values["charset"]), node.get("charset"), syntax, scope),
        delimiters=_delimiters(values["delimiters"], node.get("delimiters"), syntax, version, scope),
        overlays={key: str(value) for key, value in values["overlays"].items()},
        time_zone=zone_of(str(values["time_zone"] or time_zone), node.get("time_zone"), "time_zone", scope) or "UTC",
        node=node, **{key: values[key] for key in plain},
    )  # fmt: skip


def _identity(values: Mapping[str, Any] | None, node: Node | None, side: str, syntax: str, scope: Scope) -> Identity:
    if values is None or node is None or not node.is_map:
        return Identity("")
    for name, child in node.items():
        owner, most = _ONLY.get(name), _LONGEST.get(syntax, {}).get(name, 35)
        if owner and syntax and owner != syntax:
            why = f"a setting of {owner}, and {scope.what} speaks {syntax}"
            scope.fault(node.key(name), f"{side}.{name}: {why}; take it out")
        elif name.endswith("_qualifier") and (len(child.text) != 2 or not child.text.isalnum()):
            scope.fault(child, f"{side}.{name}: expected two letters or digits, got '{child.text}'")
        elif name not in _QUALIFIED and len(child.text) > most:
            scope.fault(child, f"{side}.{name}: at most {most} characters in {syntax}, got {len(child.text)}")
    for name in _QUALIFIED:
        qualifier = node.get(f"{name}_qualifier")
        if qualifier is not None and not node.get(name):
            text = f"{side}.{name}_qualifier: qualifies {side}.{name}, which is not there; add that, or take it out"
            scope.fault(qualifier, text)
    texts = {name: str(value) for name, value in values.items() if name not in _QUALIFIED}
    return Identity(password=values["password"], authorization=values["authorization"], **texts)


def _version(text: str, node: Node | None, syntax: str, scope: Scope) -> str:
    usual = "3" if syntax == "edifact" else "00401"
    fits = text in ("1", "2", "3", "4") if syntax == "edifact" else len(text) == 5 and text.isdigit()
    if node is None or not syntax or fits:
        return text or usual
    expected = "1, 2, 3 or 4" if syntax == "edifact" else "five digits such as 00401 (in quotes)"
    scope.fault(node, f"version: expected {expected}, got '{text}'")
    return usual


def _charset(text: str, node: Node | None, syntax: str, scope: Scope) -> str:
    known, usual = (X12_CHARSETS, "utf-8") if syntax == "x12" else (LEVELS, "UNOC")
    if node is None or text in known:
        return text or usual
    scope.fault(node, f"charset: unknown {'character set' if syntax == 'x12' else 'syntax level'} '{text}'"
                f"{did_you_mean(text, known)}")  # fmt: skip
    return usual


def _delimiters(
    values: Mapping[str, Any], node: Node | None, syntax: str, version: str, scope: Scope
) -> dict[str, Any]:
    usual = (X12 if syntax == "x12" else EDIFACT)._asdict()
    del usual["decimal_mark"]  # is a point
    if syntax == "edifact" and version == "4":
        usual["repetition"] = "*"
    if syntax == "x12" and version >= "00402":
        usual["repetition"] = "^"
    said = {name: str(value) for name, value in values.items() if name != "line_end" and value}
    for name, text in said.items():
        place = (node.get(name) if node else None) or scope_node(node)
        if len(text) != 1 or text.isalnum() or not text.isascii():
            scope.fault(place, f"delimiters.{name}: expected one character that is no letter or digit, got '{text}'")
        elif name == "release" and syntax == "x12":
            scope.fault(place, "delimiters.release: X12 has no release character; take it out")
        elif name == "repetition" and not usual["repetition"]:
            scope.fault(place, f"delimiters.repetition: version {version} of {syntax} has no repetitions; take it out")
    found = {**usual, **said}
    every = [text for text in found.values() if text]
    twice = next((text for text in every if every.count(text) > 1), "")
    if twice and node is not None:
        names = " and ".join(name for name, text in found.items() if text == twice)
        scope.fault(node, f"delimiters: {names} are both '{twice}'; each must be a character of its own")
    return {**found, "line_end": bool(values.get("line_end"))}


def scope_node(node: Node | None) -> Node:
    """The node, or one that stands for the whole file."""
    return node if node is not None else Node(FILE, 0, 0, None)


def _report_acks(node: Node | None, syntax: str, scope: Scope) -> None:
    for name, owner in _ACKS.items():
        if node is not None and syntax and node.get(name) and owner != syntax:
            others = ", ".join(other for other, its_owner in _ACKS.items() if its_owner == syntax)
            why = f"an acknowledgement of {owner}, and {scope.what} speaks {syntax}"
            scope.fault(node.key(name), f"ack.{name}: {why}; write {others}")


def _report_envelope(node: Node, syntax: str, scope: Scope) -> None:
    """What only UNB has a place for, or is too long for it, the longest message type put in."""
    for name, most in (("application_reference", 14), ("agreement", 35)):
        said = node.get(name)
        if said is None:
            continue
        if syntax == "x12":
            why = f"a setting of edifact, and {scope.what} speaks x12"
            scope.fault(node.key(name), f"{name}: {why}; take it out")
        elif len(said.text.replace("{type}", "ORDERS")) > most:
            scope.fault(said, f"{name}: at most {most} characters, got '{said.text}'")


def _report_numbers(values: Mapping[str, int], node: Node | None, syntax: str, scope: Scope) -> None:
    for name, value in values.items():
        place = node.get(name) if node else None
        if place is None:
            continue
        if name == "digits" and (syntax == "x12" or value > 14):
            why = "those of X12 have the length its standard says" if syntax == "x12" else "EDIFACT has at most 14"
            scope.fault(place, f"numbers.digits: {why}; take it out")
        elif name != "digits" and not 1 <= value <= 999_999_999:
            scope.fault(place, f"numbers.{name}: expected 1 to 999999999, got {value}")


def _report_twins(partners: Mapping[str, Partner], faults: list[Fault]) -> None:
    """Two partners that no interchange could tell apart."""
    first: dict[tuple[str, Identity, Identity], str] = {}
    for name, partner in partners.items():
        if partner.us.id and partner.them.id and partner.node:
            sides = [Identity(side.id, side.qualifier, side.internal) for side in (partner.us, partner.them)]
            other = first.setdefault((partner.syntax, sides[0], sides[1]), name)
            if other != name:
                place = partner.node.get("them") or partner.node
                faults.append(place.fault(
                    f"partner '{name}' has the same us: and them: as partner '{other}'; an interchange could not tell "
                    "which of them sent it"
                ))  # fmt: skip
