"""What a back-test is asked to do, and which messages and deliveries that concerns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from hub.errors import UsageError
from hub.pipeline.program import CompiledTarget, Program
from hub.pipeline.reply import reply_route
from hub.yamldoc import did_you_mean

RECORDED, CURRENT = "recorded", "current"
MAPPING, ROUTE = "mapping", "route"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """``files`` are all files of the edited project, ``edited`` those of them that stand in for others. The span of
    time is in seconds since 1970; ``limit`` None means all. ``lookups`` is ``recorded``, or ``current`` for tables,
    company and cross-references as they are now. ``samples`` are kept of each difference."""

    name: str
    files: Mapping[str, bytes]
    edited: Sequence[str] = ()
    since: float = 0.0
    until: float = float("inf")
    limit: int | None = None
    system: str = ""
    lookups: str = RECORDED
    samples: int = 3
    environment: str = ""
    own_connectors: str = ""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """What a name stands for. ``routes``: whose documents are looked at; ``sources``: those whose own mapping it is;
    ``replies``: targets whose answers it maps (``ROUTE#TARGET``); ``targets``: whose bytes are looked at, by route."""

    kind: str
    name: str
    file: str
    routes: frozenset[str]
    sources: frozenset[str] = frozenset()
    replies: frozenset[str] = frozenset()
    targets: Mapping[str, frozenset[str]] = {}
    systems: frozenset[str] = frozenset()

    def looks_at(self, route: str, target: str) -> bool:
        return target in self.targets.get(route, ())


def subject_of(program: Program, request: Request) -> Subject:
    """What the request's name stands for in the edited files; ``mapping:NAME`` or ``route:NAME`` where it is both.
    Raises UsageError."""
    kind, _, rest = request.name.partition(":")
    name = rest if kind in (MAPPING, ROUTE) and rest else request.name
    found = [of for of in (_route(program, name), _mapping(program, name)) if of and name in (request.name, of.name)]
    if name != request.name:
        found = [of for of in found if of.kind == kind]
    if len(found) > 1:
        raise UsageError(f"'{name}' is a route and a mapping; write route:{name} or mapping:{name}")
    if not found:
        raise UsageError(_unknown(program, request, name, (kind,) if name != request.name else (ROUTE, MAPPING)))
    return _of_system(program, found[0], request.system)


def _route(program: Program, name: str) -> Subject | None:
    compiled = program.routes.get(name)
    if compiled is None:
        return None
    targets = frozenset(target.target.id for target in compiled.targets)
    return Subject(
        kind=ROUTE, name=name, file=compiled.route.file, routes=frozenset((name,)), targets={name: targets},
        systems=frozenset((compiled.route.system,)),
    )  # fmt: skip


def _mapping(program: Program, name: str) -> Subject | None:
    used = _targets(program)
    sources = {route for route, compiled in program.routes.items() if compiled.mapping.name == name}
    replies = [(route, target) for route, target in used if target.reply and target.reply.name == name]
    targets = [(route, target) for route, target in used if target.mapping and target.mapping.name == name]
    if not (sources or replies or targets):
        return None
    routes = sources | {route for route, _ in targets}
    return Subject(
        kind=MAPPING, name=name, file=_file_of(program, name), routes=frozenset(routes), sources=frozenset(sources),
        replies=frozenset(reply_route(route, target.target.id) for route, target in replies),
        targets={
            route: frozenset(target.target.id for of, target in targets if of == route) for route, _ in targets
        },
        systems=frozenset(
            {program.routes[route].route.system for route in routes} | {target.system.name for _, target in replies}
        ),
    )  # fmt: skip


def _targets(program: Program) -> list[tuple[str, CompiledTarget]]:
    return [(route, target) for route, compiled in program.routes.items() for target in compiled.targets]


def _file_of(program: Program, name: str) -> str:
    own = [compiled.mapping for compiled in program.routes.values()]
    theirs = [mapping for _, target in _targets(program) for mapping in (target.mapping, target.reply) if mapping]
    return next(mapping.file for mapping in (*own, *theirs) if mapping.name == name)


def _of_system(program: Program, subject: Subject, system: str) -> Subject:
    """Only what comes from a system or goes to it."""
    if not system:
        return subject
    if system in subject.systems:
        return msgspec.structs.replace(subject, systems=frozenset((system,)))
    targets = {
        route: frozenset(id for id in ids if _goes_to(program, route, id, system))
        for route, ids in subject.targets.items()
    }
    if not any(targets.values()):
        known = sorted({*subject.systems, *(target.system.name for _, target in _targets(program))})
        raise UsageError(f"--system: nothing of '{subject.name}' comes from or goes to '{system}'"
                         f"{did_you_mean(system, known)}")  # fmt: skip
    return msgspec.structs.replace(subject, targets=targets, sources=frozenset(), replies=frozenset())


def _goes_to(program: Program, route: str, target_id: str, system: str) -> bool:
    target = program.find(route, target_id)
    return target is not None and target.system.name == system


def _unknown(program: Program, request: Request, name: str, kinds: Sequence[str]) -> str:
    stems = {path.rsplit("/", 1)[-1].removesuffix(".yaml") for path in request.files if path.startswith("mappings/")}
    used = {mapping.name for _, target in _targets(program) for mapping in (target.mapping, target.reply) if mapping}
    used |= {compiled.mapping.name for compiled in program.routes.values()}
    if MAPPING in kinds and name in stems - used:
        return f"no route uses the mapping '{name}', so no message has gone through it"
    known = (set(program.routes) if ROUTE in kinds else set()) | (used if MAPPING in kinds else set())
    return f"there is no {' or '.join(kinds)} '{name}'{did_you_mean(name, known)}"
