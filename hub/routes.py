"""Route files: where documents come from, what they become, where they go, and what happens when that fails.

A file under ``routes/`` holds one route, or a list of them. Here each file is read by itself; whether the systems and
mappings it names exist, and whether routes overlap, is ``hub.check``'s part.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec

from hub.errors import Fault
from hub.fields import Located, Scope, read_fields, refuse_zero
from hub.project import document_of
from hub.route_fields import FIELDS, RESERVED
from hub.schedule import Schedule, read_schedule
from hub.spelling import nearest
from hub.systems import NAME_FORM, is_name, quota_of
from hub.units import duration_text
from hub.yamldoc import Node

FOLDER = "routes/"
MOST_COLLECTED = 10_000
_START = "a route starts with route: NAME"
_LITERAL = frozenset(field.name for field in FIELDS)


class RetryPolicy(msgspec.Struct, frozen=True):
    """When to try again: ``attempts`` in all, waits from ``first`` times ``factor`` up to ``cap`` (seconds)."""

    attempts: int = 8
    first: float = 10.0
    factor: float = 3.0
    cap: float = 900.0
    jitter: str = "full"

    def longest_wait(self, attempt: int) -> float:
        """The longest wait after this attempt (1 is the first), in seconds."""
        growths = attempt - 1
        if self.factor > 1:  # beyond this many the wait is over the cap, and the power could be over the largest float
            growths = min(growths, math.ceil(math.log(self.cap / self.first, self.factor)))
        return min(self.cap, self.first * self.factor**growths)


class Reply(msgspec.Struct, frozen=True):
    """What becomes of a target's answer: the mapping that makes a canonical document of it."""

    map: str


class Collect(msgspec.Struct, frozen=True):
    """When a target's deliveries are gathered and sent together, and how many at most."""

    schedule: Schedule
    most: int = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """One place a route delivers to. ``map`` None sends the canonical document itself. ``expires`` seconds after it was
    received nothing of it is sent any more. The system of a ``partner`` is known once partners are (``resolved``)."""

    id: str
    system: str
    map: str | None = None
    when: Located | None = None
    after: str | None = None
    key: Located | None = None
    reply: Reply | None = None
    on_error: str = "dead_letter"
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    partner: str = ""
    profile: str = ""
    collect: Collect | None = None
    expires: float | None = None
    node: Node | None = field(default=None, repr=False, compare=False)

    def expires_at(self, since: float) -> float | None:
        """Until when a delivery may be sent whose time begins then; None: whenever."""
        return None if self.expires is None else since + self.expires


@dataclass(frozen=True, slots=True)
class Route:
    """One route. ``events`` empty means every event of its system; ``retention`` holds the seconds it overrides."""

    name: str
    system: str
    map: str
    targets: tuple[Target, ...]
    description: str = ""
    events: tuple[str, ...] = ()
    order: str = "per_key"
    key: Located | None = None
    retry: RetryPolicy = field(default_factory=RetryPolicy)
    on_error: str = "dead_letter"
    validate: str = "async"
    weight: float = 1.0
    retention: Mapping[str, float] = field(default_factory=dict)
    backlog: Mapping[str, int] = field(default_factory=dict)
    quota: Mapping[str, int | None] = field(default_factory=dict)
    partner: str = ""
    profile: str = ""
    invalid: str = "refuse"
    file: str = ""
    line: int = 0
    column: int = 0
    node: Node | None = field(default=None, repr=False, compare=False)

    def takes(self, event: str) -> bool:
        """Whether this route wants a document of its system with this event."""
        return not self.events or event in self.events

    def target(self, target_id: str) -> Target:
        """The target of that id; KeyError when there is none."""
        for target in self.targets:
            if target.id == target_id:
                return target
        raise KeyError(target_id)


def route_files(files: Mapping[str, bytes]) -> list[str]:
    """The paths of the route files; their tests stand beside them, and samples may be of any format."""
    found = (path for path in files if path.startswith(FOLDER) and path.endswith((".yaml", ".yml")))
    return sorted(path for path in found if not path.endswith(".test.yaml"))


def load_routes(files: Mapping[str, bytes]) -> tuple[list[Route], list[Fault]]:
    """Every route of the project and every fault of the files themselves.

    A route with faults is there too, with defaults (empty names) for what is wrong.
    """
    faults: list[Fault] = []
    routes = []
    for path in route_files(files):
        root, found = document_of(files, path)
        faults += found
        if found and root.value is None:
            continue
        routes += [_route(node, faults) for node in _entries(root, faults)]
    return routes, faults


def resolved(routes: Sequence[Route], systems: Mapping[str, str]) -> list[Route]:
    """The routes with the systems of the partners they name, ``systems`` by partner; '' for one that is not there."""
    return [
        replace(
            route,
            system=systems.get(route.partner, "") if route.partner else route.system,
            targets=tuple(
                replace(target, system=systems.get(target.partner, "")) if target.partner else target
                for target in route.targets
            ),
        )
        for route in routes
    ]


def _entries(root: Node, faults: list[Fault]) -> Sequence[Node]:
    """The routes of a file: itself, or the elements of its list."""
    if root.is_map:
        return [root]
    if not root.is_list:
        faults.append(root.fault(f"expected a route or a list of routes, got {root.kind}; {_START}"))
    for node in root.elements():
        if not node.is_map:
            faults.append(node.fault(f"expected a route, got {node.kind}; {_START}"))
    return [node for node in root.elements() if node.is_map]


def _route(node: Node, faults: list[Fault]) -> Route:
    named = node.get("route")
    scope = Scope(f"route '{named.text}'" if named and named.text else "this route", faults, literal=_LITERAL)
    values = read_fields(node, FIELDS, scope, RESERVED)
    if named and values["route"]:
        _check_name(values["route"], named, "route", scope)
    source = _source(values["from"], node.get("from"), scope)
    retry = _policy(values["retry"], RetryPolicy(), node.get("retry"), scope)
    place = node.key("route")
    if kept := node.get("retention"):
        refuse_zero(values["retention"], ("metadata",), kept, scope.within("retention"), "1d")
    return Route(
        name=str(values["route"]), description=str(values["description"]), system=str(source["system"]),
        partner=str(source["partner"]), events=tuple(map(str, source["event"])), map=str(values["map"]),
        order=values["order"], key=values["key"], profile=str(source["profile"] or ""), invalid=source["invalid"],
        targets=_targets(values, node.get("to"), retry, scope), retry=retry, on_error=values["on_error"],
        validate=values["validate"], weight=_weight(values["weight"], node.get("weight"), scope),
        file=node.file, line=place.line, column=place.column, node=node,
        retention={name: kept for name, kept in values["retention"].items() if kept is not None},
        backlog=values["backlog"], quota=quota_of(values["quota"], node.get("quota"), scope),
    )  # fmt: skip


def _source(values: Mapping[str, Any] | None, node: Node | None, scope: Scope) -> Mapping[str, Any]:
    if values is None or node is None or not node.is_map:
        return {"system": "", "partner": "", "event": (), "profile": None, "invalid": "refuse"}
    _one_of(node, "from", set(values), scope)
    return {**values, "system": values["system"] or "", "partner": values["partner"] or ""}


def _one_of(node: Node, what: str, keys: Set[str], scope: Scope) -> None:
    """A source and a target are a system or a partner. ``keys`` are those that it may have."""
    kinds = ("system", "partner")
    named = [name for name in kinds if (part := node.get(name)) is not None and part.value != ""]
    is_misspelt = any(nearest(key, kinds) for key, _ in node.items() if key not in keys)
    if not named and not is_misspelt:
        scope.fault(
            node, f"system is missing in {what} of {scope.what}: write system:, or partner: for a trading partner"
        )
    elif len(named) > 1:
        why = "a partner's system stands in config/partners.yaml; take system: out, or partner:"
        scope.fault(node.key("partner"), f"{what}: {why}")


def _weight(value: Any, node: Node | None, scope: Scope) -> float:
    weight = float(Decimal(value))
    if node and not 0.01 <= weight <= 1000:
        scope.fault(node, f"weight: expected 0.01 to 1000, got {weight:g} (1 is what a route has that says nothing)")
        return 1.0
    return weight


def _check_name(name: str, node: Node, what: str, scope: Scope) -> None:
    if not is_name(name):
        scope.fault(node, f"'{name}' cannot name a {what}; use {NAME_FORM}")


def _targets(values: dict[str, Any], node: Node | None, retry: RetryPolicy, scope: Scope) -> tuple[Target, ...]:
    nodes = node.elements() if node else []
    if node and node.is_list and not nodes:
        scope.fault(node, "to: expected at least one target, e.g. - {system: erp, map: order-to-erp}")
    entries = values["to"] or []
    pairs = zip(entries, nodes, strict=True)
    targets = tuple(_target(entry, place, values, retry, scope) for entry, place in pairs if place.is_map)
    seen: dict[str, Node] = {}
    for target in targets:
        place = target.node or node
        if target.id in seen and target.id and place:
            first = seen[target.id].line
            advice = "; give each its own id:" if not place.get("id") else ""
            scope.fault(place, f"two targets are called '{target.id}', the first in line {first}{advice}")
        elif place:
            seen[target.id] = place
    return targets


def _target(entry: dict[str, Any], node: Node, values: dict[str, Any], retry: RetryPolicy, scope: Scope) -> Target:
    own = node.get("id")
    if own and entry["id"]:
        _check_name(str(entry["id"]), own, "target", scope)
    reply = entry["reply"]
    _one_of(node, "to", set(entry), scope)
    partner = str(entry["partner"] or "")
    return Target(
        id=str(entry["id"] or entry["system"] or partner), system=str(entry["system"] or ""), partner=partner,
        map=_name(entry["map"]), profile=str(entry["profile"] or ""),
        when=entry["when"], after=_name(entry["after"]), key=entry["key"],
        reply=Reply(str(reply["map"])) if reply else None, on_error=entry["on_error"] or values["on_error"],
        retry=_policy(entry["retry"], retry, node.get("retry"), scope),
        collect=_collect(entry["collect"], node.get("collect"), scope),
        expires=_expires(entry["expires"], node.get("expires"), scope), node=node,
    )  # fmt: skip


def _expires(seconds: float | None, node: Node | None, scope: Scope) -> float | None:
    if seconds is not None and node and seconds < 1:
        scope.fault(node, f"expires: expected 1s or more, such as 4h, got {duration_text(seconds)}")
        return None
    return seconds


def _collect(values: Mapping[str, Any] | None, node: Node | None, scope: Scope) -> Collect | None:
    if values is None or node is None or not node.is_map:
        return None
    within = scope.within("collect")
    schedule, most = read_schedule(values, node, within), int(values["max"])
    if not schedule.at and not schedule.every:
        if node.get("at") is None and node.get("every") is None:
            within.fault(node, 'collect: says no time; write at: "18:00" or every: 15m, with max: how many at most')
        return None
    if not 1 <= most <= MOST_COLLECTED:
        within.fault(node.get("max") or node, f"collect.max: expected 1 to {MOST_COLLECTED}, got {most}")
        most = 1000
    return Collect(schedule, most)


def _name(value: Any) -> str | None:
    return None if value is None else str(value)


def _policy(values: Mapping[str, Any], base: RetryPolicy, node: Node | None, scope: Scope) -> RetryPolicy:
    """The policy that the file's own values make of ``base``."""
    said = {name: value for name, value in values.items() if value is not None and node and node.get(name)}
    if "factor" in said:
        said["factor"] = float(Decimal(said["factor"]))
    policy = msgspec.structs.replace(base, **said)
    if node and (fault := _policy_fault(policy)):
        name, message = fault
        scope.fault(node.get(name) or node, f"retry.{name}: {message}")
        return base
    return policy


def _policy_fault(policy: RetryPolicy) -> tuple[str, str] | None:
    if not 1 <= policy.attempts <= 1000:
        return "attempts", f"expected 1 to 1000, got {policy.attempts} (1 means no second try)"
    if not 1 <= policy.factor <= 100:
        return "factor", f"expected 1 to 100, got {policy.factor:g} (1 means equal waits)"
    if policy.first <= 0:
        return "first", "expected a wait above zero, such as 10s"
    if policy.cap < policy.first:
        return "cap", f"the longest wait is shorter than the first ({policy.cap:g}s < {policy.first:g}s)"
    return None
