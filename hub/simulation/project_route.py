"""A route of a project, simulated with its own mappings and systems; documents come from the mapping's tests.

``<mapping>.test.yaml`` holds inputs that the mapping takes; ``--sample`` gives others. Their business keys are varied
where that can be done in the bytes, so that several documents speak of one order and others of another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hub.cases import SUFFIX, MappingCase, read_cases, test_files
from hub.errors import HubError, UsageError
from hub.message import Message, Receipt
from hub.pipeline import World, transform
from hub.pipeline.program import CompiledRoute, CompiledTarget, Program
from hub.pipeline.reply import reply_codec
from hub.simulation.clock import START, SimulatedClock
from hub.simulation.scenario import Document, Feed, Scenario, make_scenario
from hub.yamldoc import did_you_mean

_DIGITS = re.compile(r"\d+(?!.*\d)")


def route_scenario(
    files: Mapping[str, bytes], route: str, samples: Sequence[bytes], environment: str | None = None,
    own_connectors: Path | None = None,
) -> Scenario:  # fmt: skip
    """The scenario of a route. Raises ProjectError, and UsageError where there is no such route or no document."""

    def feeds(program: Program) -> tuple[Feed, ...]:
        compiled = _find(program, route)
        system = program.settings.systems[compiled.route.system]
        event = compiled.route.events[0] if compiled.route.events else str(system.event or "")
        found = list(samples) or _inputs(files, compiled.route.map, compiled.codec.encode_one, compiled.codec_options)
        document = _documents(program, compiled, event, found)
        return (Feed(system.name, system.name, event, document, is_folder=system.fetches and not system.receives),)

    scenario = make_scenario(route, [files], feeds, {}, environment, own_connectors)
    answers = {
        (each.route.name, target.target.id): answer
        for each in scenario.programs[0].routes.values()
        for target in each.targets
        if (answer := _answer(files, target))
    }
    return Scenario(route, scenario.programs, scenario.content, scenario.feeds, answers)


def _find(program: Program, route: str) -> CompiledRoute:
    if route not in program.routes:
        raise UsageError(f"unknown route '{route}'{did_you_mean(route, program.routes)}")
    return program.routes[route]


def _inputs(
    files: Mapping[str, bytes], mapping: str, encode: Callable[[Any, Mapping[str, Any]], bytes],
    options: Mapping[str, Any],
) -> list[bytes]:  # fmt: skip
    """The inputs of a mapping's tests that are expected to succeed, as bytes of its format."""
    found: list[bytes] = []
    for path in test_files(files):
        if path.endswith(f"/{mapping}{SUFFIX}"):
            for case in read_cases(files, path).cases:
                if isinstance(case, MappingCase) and case.expected is not None:
                    raw = case.input.raw
                    found += [raw] if raw else _encoded(case.input.value, encode, options)
    return found


def _encoded(
    document: Any, encode: Callable[[Any, Mapping[str, Any]], bytes], options: Mapping[str, Any]
) -> list[bytes]:
    try:
        return [encode(document, options)]
    except HubError:
        return []  # a format that is only read: its documents come as samples


def _answer(files: Mapping[str, bytes], target: CompiledTarget) -> bytes:
    """What a target says that the route makes a message of: the first input of that mapping's tests."""
    if target.reply is None:
        return b""
    codec = reply_codec(target.reply, target.codec)
    found = _inputs(files, target.target.reply.map if target.target.reply else "", codec.encode_one, {})
    return found[0] if found else b"{}"


def _documents(program: Program, compiled: CompiledRoute, event: str, samples: Sequence[bytes]) -> Document:
    tried = [(raw, _messages(program, compiled, event, raw)) for raw in samples]
    good = [(raw, messages) for raw, messages in tried if messages]
    if not good:
        name = compiled.route.map
        raise UsageError(
            f"no document that the route '{compiled.route.name}' takes: "
            f"{'the samples given are refused' if samples else f'{name}.test.yaml gives none'}; "
            "give one with --sample FILE"
        )
    varied = {
        (number, key): _with_key(program, compiled, event, raw, messages, key)
        for number, (raw, messages) in enumerate(good)
        for key in range(1, 5)
    }
    return lambda number, key: varied[(number % len(good), key)]


def _messages(program: Program, compiled: CompiledRoute, event: str, raw: bytes) -> list[Message]:
    """The messages of a document; none where it is refused."""
    receipt = Receipt(1, "sample", compiled.route.system, event, START, raw, route=compiled.route.name)
    world = World(START, SimulatedClock().new_id, lambda *_: None)
    parts = list(transform(receipt, program, world))
    messages = [message for part in parts for message in part.messages]
    is_refused = any(part.failure or part.unbuilt for part in parts) or any(m.failure for m in messages)
    return [] if is_refused else messages


def _with_key(
    program: Program, compiled: CompiledRoute, event: str, raw: bytes, messages: Sequence[Message], key: int
) -> bytes:
    """The same document about another order, where its key can be found in its bytes; else the document itself."""
    changed = raw
    for value in {message.main_key.split(":", 2)[-1] for message in messages if message.main_key}:
        changed = changed.replace(value.encode(), _other(value, key).encode())
    return changed if changed != raw and _messages(program, compiled, event, changed) else raw


def _other(value: str, key: int) -> str:
    """A key of the same form: its last number is another."""
    found = _DIGITS.search(value)
    if found is None:
        return value
    width = len(found[0])
    return value[: found.start()] + f"{(int(found[0]) + 7 * key) % 10**width:0{width}d}" + value[found.end() :]
