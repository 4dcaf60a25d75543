"""``o2c new route``: a route between two systems of the project, with a mapping and tests, that takes nothing from the
routes there are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec.structs import replace

from hub.check import CheckResult
from hub.errors import UsageError
from hub.formats import outline_of
from hub.project import document_of
from hub.scaffold.mapping_start import chosen_type, mapping_start, schemas_of
from hub.scaffold.sample_document import CANONICAL, sample_document
from hub.scaffold.starts import MAPPINGS, Ground, Start, fit_name, mapping_files, misfits, scalar, yaml_lines
from hub.scaffold.system_start import system_start
from hub.systems import System, fixed_event
from hub.yamldoc import did_you_mean

STATEMENT = "statement"  # the hub's mapping of every format of bank statements
_AT = "2026-03-05T10:00:00Z"


def route_start(
    ground: Ground, name: str, source: str = "", event: str = "", target: str = "", map: str = "", type: str = ""
) -> Start:  # fmt: skip
    """A route. Where nothing is said: from the first system that has something no route takes, to the first one that
    can be sent such a document, by a mapping of its own, or the hub's where bank statements come. Raises UsageError."""
    result = ground.checked
    _refuse_unknown(ground, result, source, target, map)
    if taken := next((route for route in result.routes if route.name == fit_name(name, "route")), None):
        raise UsageError(f"there is a route '{name}' already, at {taken.file}:{taken.line}; take another name")
    asked, type = type, _type_of(ground, map) if map else chosen_type(schemas_of(ground), name, type)
    sender, event = _sender(result, source, event, name, type)
    format = "soap" if sender.connector == "soap" else sender.format
    given = Start()
    if not map and not asked and _brings_statements(format):
        map, given = STATEMENT, Start(notes=[f"by the hub's mapping '{STATEMENT}' (--map)"])
    elif not map:
        given = mapping_start(ground, name, type, format=format)
    sample = _sample_of(ground, map) if map else sample_document(schemas_of(ground), type) if format == "json" else None
    for start in _candidates(ground, result, name, (sender.name, event), target, map or name, sample, given):
        if target or not misfits(ground, start):
            break
    return start


def _candidates(
    ground: Ground, result: CheckResult, name: str, taken_from: tuple[str, str], target: str, map: str, sample: Any,
    given: Start,
) -> Iterator[Start]:  # fmt: skip
    """The route to each system that it may go to; at last to a folder that is made for it."""
    sender, event = taken_from
    names = [target] if target else [
        each.name for each in result.settings.systems.values() if each.sends and each.connector and each.name != sender
    ]  # fmt: skip
    for to in names:
        yield _start(name, sender, event, to, map, sample, given)
    if not target:
        own = system_start(ground, f"{name}-folder", connector="file")
        start = _start(name, sender, event, f"{name}-folder", map, sample, given)
        note = f"no system of the project could be sent this, so '{name}-folder' was made, a folder"
        yield replace(start, appended=own.appended, folders=own.folders, notes=[*start.notes, note])


def _start(name: str, sender: str, event: str, to: str, map: str, sample: Any, given: Start) -> Start:
    files = {**given.files, f"routes/{name}.yaml": _route_text(name, sender, event, to, map)}
    if sample is not None:
        files[f"routes/{name}.test.yaml"] = _test_text(name, event, to, sample)
    what = f"from {sender}{f', event {event}' if event else ''} (--from, --event), to {to} (--to)"
    return Start(
        files, notes=[what, *given.notes],
        then=[
            (f"o2c explain {name}", "what it does, in words"),
            ("o2c test", "its tests" if sample is not None else "what has no test yet"),
            (f"o2c send {sender} FILE{f' --event {event}' if event else ''}", "one document into it"),
            ("o2c deploy", "put it in force, where the hub runs"),
        ],
    )  # fmt: skip


def _refuse_unknown(ground: Ground, result: CheckResult, source: str, target: str, map: str) -> None:
    systems = result.settings.systems
    for option, name, known in (("--from", source, systems), ("--to", target, systems)):
        if name and name not in known:
            raise UsageError(f"{option}: unknown system '{name}'{did_you_mean(name, known)}")
    if map and map not in (mappings := mapping_files(ground)):
        raise UsageError(f"--map: unknown mapping '{map}'{did_you_mean(map, mappings)}")


def _brings_statements(format: str) -> bool:
    outline = outline_of(format, {})
    return outline is not None and "statement_id" in (outline.names or ())


def _type_of(ground: Ground, map: str) -> str:
    """The canonical type that a mapping gives; '' where it gives none, which the lint tells."""
    side = document_of(ground.files, mapping_files(ground)[map])[0].get("target")
    schema = side.get("schema") if side is not None and side.is_map else None
    return schema.text.removeprefix(CANONICAL) if schema is not None else ""


# -- where it comes from -------------------------------------------------------------------------------------------


def _sender(result: CheckResult, source: str, event: str, name: str, type: str) -> tuple[System, str]:
    """A system, and the event of it that nothing takes yet; '' where everything of it is meant."""
    known = result.settings.systems
    carriers = {partner.system for partner in result.settings.partners.values()}
    for system in [known[source]] if source else known.values():
        if not (system.receives or system.fetches) or system.name in carriers - {source}:
            continue
        chosen = event or _free_event(result, system, name, type)
        if chosen is not None:
            return system, chosen
    if source:
        raise UsageError(f"--from: {_why_not(known[source])}")
    advice = "make one with: o2c new system NAME, or write --from SYSTEM --event EVENT"
    raise UsageError(f"there is no system from which something comes that no route takes yet; {advice}")


def _why_not(system: System) -> str:
    if not (system.receives or system.fetches):
        return f"nothing comes from '{system.name}': it has neither verify: nor fetch:"
    return f"routes take everything that '{system.name}' is known to send; write --event EVENT for another event of it"


def _free_event(result: CheckResult, system: System, name: str, type: str) -> str | None:
    """An event that is about documents of the type, if there is one; None where nothing is free."""
    here = [route for route in result.routes if route.system == system.name]
    said = (system.options.get("fetch") or {}).get("event") or system.event
    if said is None:
        return None if here else ""
    if any(not route.events for route in here):
        return None
    taken = {event for route in here for event in route.events} | set(system.ignore)
    if always := fixed_event(str(said)):
        return None if always in taken else always
    free = [event for event in system.events if event not in taken]
    word = type.partition("_")[0]
    nearest = sorted(free, key=lambda event: (not event.startswith(f"{word}s"), word not in event))
    return next(iter(nearest), None if system.events else name)


# -- as it is written ----------------------------------------------------------------------------------------------


def _route_text(name: str, sender: str, event: str, to: str, map: str) -> str:
    source = f"{{system: {scalar(sender)}{f', event: {scalar(event)}' if event else ''}}}"
    return "\n".join([
        "# yaml-language-server: $schema=../schemas/hub/route.schema.json",
        f"# What arrives, what it becomes, where it goes. In words: o2c explain {name}",
        f"route: {scalar(name)}", f"description: From {sender} to {to}", f"from: {source}",
        f"{f'map: {scalar(map)}'.ljust(40)}  # to a canonical document, validated", "to:",
        f"{f'  - {{system: {scalar(to)}}}'.ljust(40)}  # map: NAME would make a document of its own of it", "",
    ])  # fmt: skip


def _test_text(name: str, event: str, to: str, sample: Any) -> str:
    received: dict[str, Any] = {**({"event": event} if event else {}), "body": sample}
    case = {"name": f"it goes to {to}", "route": name, "receives": received, "expected": {"deliveries": [{"to": to}]}}
    return "\n".join([
        "# yaml-language-server: $schema=../schemas/hub/route-test.schema.json",
        "# What comes in, and what becomes of it; o2c test --update writes down what was sent, too.",
        *yaml_lines({"at": _AT, "cases": [case]}), "",
    ])  # fmt: skip


def _sample_of(ground: Ground, map: str) -> Any:
    """The input of the first case of the mapping's own test; None where there is none that is written out."""
    for path in sorted(ground.own):
        if path.startswith(MAPPINGS) and path.endswith(f"/{map}.test.yaml"):
            cases = document_of(ground.files, path)[0].get("cases")
            for case in cases.elements() if cases else ():
                if (written := case.get("input")) is not None:
                    return written.data()
    return None
