"""Whether what routes name exists and fits together: systems, mappings, targets, events."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

import msgspec

from connectors import origin
from hub import formats
from hub.errors import Fault
from hub.formats._edi_titles import TYPES_WITH_KINDS
from hub.mapping import Mapping as DocumentMapping
from hub.partners import FILE as PARTNERS_FILE
from hub.routes import Route, Target
from hub.schemas.ubl import without_type
from hub.settings import Settings
from hub.systems import FILE as SYSTEMS_FILE
from hub.systems import System, fixed_event
from hub.yamldoc import Node, did_you_mean

CANONICAL = "canonical/"


class _Named(msgspec.Struct, frozen=True):
    """A name as a route says it, and where."""

    kind: str
    name: str
    node: Node


def cross_check(
    settings: Settings, routes: list[Route], paths: Mapping[str, str], mappings: Mapping[str, DocumentMapping]
) -> list[Fault]:
    """Every fault between files. ``paths`` has the file of every mapping there is, ``mappings`` those that compiled."""
    systems_known = not any(path in settings.unread for path in (SYSTEMS_FILE, _environment_file(settings)))
    partners_known = not any(path in settings.unread for path in (PARTNERS_FILE, _environment_file(settings)))
    known = {
        "system": settings.systems if systems_known else None,
        "partner": settings.partners if partners_known else None,
        "mapping": paths,
    }
    faults = list(_unknown_names(routes, known))
    faults += _partner_faults(settings, settings.systems if systems_known else None, routes)
    faults += _duplicate_routes(routes)
    faults += _overlaps(routes)
    replying = {target.system for route in routes for target in route.targets if target.reply}
    carriers = {partner.system for partner in settings.partners.values()}
    for route in routes:
        if route.partner or route.system not in carriers:
            faults += _source_faults(route, settings.systems.get(route.system), replying)
        faults += _order_faults(route)
        faults += _after_faults(route)
        faults += _mapping_faults(route, mappings)
        for target in route.targets:
            faults += _target_faults(target, settings.systems.get(target.system))
    faults += _format_faults(settings)
    if not faults:  # else a name that is misspelt, or there by mistake, would be told twice
        faults += [fault for route in routes for fault in _mixed_up_schemas(route, settings.systems, mappings)]
    return faults


def _environment_file(settings: Settings) -> str:
    return f"config/environments/{settings.environment}.yaml"


def place_of(node: Node | None, *keys: str) -> Node:
    """The deepest node there is along these keys."""
    assert node is not None
    for key in keys:
        child = node.get(key)
        if child is None:
            break
        node = child
    return node


def _names(route: Route) -> Iterator[_Named]:
    if route.partner:
        yield _Named("partner", route.partner, place_of(route.node, "from", "partner"))
    else:
        yield _Named("system", route.system, place_of(route.node, "from", "system"))
    yield _Named("mapping", route.map, place_of(route.node, "map"))
    for target in route.targets:
        if target.partner:
            yield _Named("partner", target.partner, place_of(target.node, "partner"))
        else:
            yield _Named("system", target.system, place_of(target.node, "system"))
        if target.map is not None:
            yield _Named("mapping", target.map, place_of(target.node, "map"))
        if target.reply:
            yield _Named("mapping", target.reply.map, place_of(target.node, "reply", "map"))


def _unknown_names(routes: list[Route], known: Mapping[str, Collection[str] | None]) -> Iterator[Fault]:
    """One fault for each unknown name, however often it is used: the others are counted in it."""
    places: dict[tuple[str, str], list[Node]] = {}
    for named in (named for route in routes for named in _names(route)):
        there = known[named.kind]
        if named.name and there is not None and named.name not in there:
            places.setdefault((named.kind, named.name), []).append(named.node)
    for (kind, name), nodes in places.items():
        more = f" (named {len(nodes)} times)" if len(nodes) > 1 else ""
        advice = without_type(name) or did_you_mean(name, known[kind] or ()) or f"; there is no {kind} yet"
        yield nodes[0].fault(f"unknown {kind} '{name}'{advice}{more}")


def _duplicate_routes(routes: list[Route]) -> Iterator[Fault]:
    first: dict[str, Route] = {}
    for route in routes:
        other = first.setdefault(route.name, route)
        if other is not route and route.name:
            message = f"there is a route '{route.name}' already, at {other.file}:{other.line}; rename one of them"
            yield place_of(route.node, "route").fault(message)


def _overlaps(routes: list[Route]) -> Iterator[Fault]:
    """A document is one route's: two routes that want the same event of a system are a fault of the later one."""
    for first, second in combinations([route for route in routes if route.system], 2):
        if (first.system, first.partner) != (second.system, second.partner) or first.name == second.name:
            continue
        where = f"route '{first.name}' ({first.file}:{first.line})"
        node = place_of(second.node, "from", "event")
        if not first.events or not second.events:
            yield node.fault(
                f"two routes take documents from '{second.partner or second.system}', this and {where}; each must say "
                "its event:"
            )
        elif common := sorted(set(first.events) & set(second.events)):
            yield node.fault(
                f"{where} already takes '{common[0]}' from '{second.partner or second.system}'; one event goes to one "
                "route"
            )


def _partner_faults(
    settings: Settings, systems: Mapping[str, System] | None, routes: Sequence[Route]
) -> Iterator[Fault]:
    """Partners whose systems are not there, and routes that take a partner's interchanges for documents."""
    by_system: dict[str, list[str]] = {}
    for partner in settings.partners.values():
        by_system.setdefault(partner.system, []).append(partner.name)
        if systems is not None and partner.system and partner.system not in systems:
            advice = did_you_mean(partner.system, systems) or f"; there is no system yet, write it to {SYSTEMS_FILE}"
            yield place_of(partner.node, "system").fault(f"unknown system '{partner.system}'{advice}")
    for route in routes:
        if not route.partner and (names := by_system.get(route.system)):
            event = f", event: {route.events[0]}" if route.events else ", event: ORDERS"
            yield place_of(route.node, "from", "system").fault(
                f"what comes from '{route.system}' are interchanges of partners; write "
                f"from: {{partner: {names[0]}{event}}}"
            )
        if route.partner in settings.partners and settings.partners[route.partner].syntax == "x12":
            yield from _kind_faults(route)


def _kind_faults(route: Route) -> Iterator[Fault]:
    for type in (event.partition(" ")[0] for event in route.events if " " in event):
        if type not in TYPES_WITH_KINDS:
            yield place_of(route.node, "from", "event").fault(
                f"the kinds of {type} are not told apart, only those of {', '.join(TYPES_WITH_KINDS)}; write '{type}'"
            )


def _partner_source_faults(route: Route, system: System) -> Iterator[Fault]:
    node = place_of(route.node, "from", "partner")
    if not (system.receives or system.fetches):
        yield node.fault(f"nothing comes from '{system.name}', the system of partner '{route.partner}': it has neither "
                         "verify: nor fetch:")  # fmt: skip
    if route.validate == "sync":
        yield place_of(route.node, "validate").fault("validate: sync is not for interchanges of partners; take it out")


def _source_faults(route: Route, system: System | None, replying: Collection[str]) -> Iterator[Fault]:
    if system is None or not system.connector:
        return
    if route.partner:
        yield from _partner_source_faults(route, system)
        return
    node = place_of(route.node, "from", "system")
    if not (system.receives or system.fetches or system.name in replying):
        yield node.fault(f"nothing comes from system '{system.name}': it has neither verify: nor fetch:")
    if route.validate == "sync" and not system.receives:
        place = place_of(route.node, "validate")
        yield place.fault(f"validate: sync answers who posts, and '{system.name}' posts nothing; take it out")
    event = place_of(route.node, "from", "event")
    is_unsaid = system.event is None and not _item_event(system) and not _names_its_events(system)
    if route.events and is_unsaid and (system.receives or system.fetches):
        yield event.fault(
            f"system '{system.name}' does not say where the event's name is; give it event: in {SYSTEMS_FILE}, "
            "or take event: out here"
        )
    always = _only_event(system)
    for name in route.events:
        if always and name != always and system.name not in replying:
            sends = f"all that system '{system.name}' sends is '{always}', never '{name}'"
            yield event.fault(f"{sends}; write event: {always}")
        near = did_you_mean(name, system.events, "") if name not in system.events else ""
        if near:  # a system may send more than it is known to
            yield event.fault(f"system '{system.name}' is not known to send '{name}'{near}", "warning")
        if name in system.ignore:
            yield event.fault(f"system '{system.name}' lists the event '{name}' under ignore:; take it out of one")


def _only_event(system: System) -> str:
    """The event of all that comes from a system; nothing where documents or files say theirs."""
    options = system.options
    fetch = options.get("fetch") or {}
    says = fetch.get("event") or fetch.get("events") or options.get("fetch_back") or _names_its_events(system)
    return "" if says or system.door != "in" else fixed_event(system.event)


def _names_its_events(system: System) -> bool:
    """Whether what is fetched may have events that no setting says: where a connector is not the hub's."""
    return system.fetches and origin(system.connector) != "hub"


def _item_event(system: System) -> str:
    """Where the event's name is in what is fetched, or which files are what, if the system says it apart."""
    fetch = system.options.get("fetch") or {}
    return "" if system.receives else str(fetch.get("event") or fetch.get("events") or "")


def _target_faults(target: Target, system: System | None) -> Iterator[Fault]:
    if system is not None and system.connector and not system.sends:
        node = place_of(target.node, "partner" if target.partner else "system")
        why = "it has no send:" if system.fetches else f"the connector '{system.connector}' only receives"
        yield node.fault(f"nothing can be sent to system '{system.name}': {why}")


def _order_faults(route: Route) -> Iterator[Fault]:
    if route.order == "per_key":
        return
    keyed = [(route.key, route.node), *((target.key, target.node) for target in route.targets)]
    for node in (node for key, node in keyed if key is not None):
        yield place_of(node, "key").fault("key: keeps an order, and the route says order: none; take one of them out")
    for policy, node in [(route.on_error, route.node), *((part.on_error, part.node) for part in route.targets)]:
        if policy == "block_key" and node and node.get("on_error"):
            yield place_of(node, "on_error").fault("on_error: block_key needs order: per_key; here it is none")


def _after_faults(route: Route) -> Iterator[Fault]:
    by_id = {target.id: target for target in route.targets}
    if len(by_id) < len(route.targets):  # a fault already, and who waits for whom is not to be known
        return
    for target in route.targets:
        if target.after is None:
            continue
        node = place_of(target.node, "after")
        first = by_id.get(target.after)
        if first is None:
            yield node.fault(f"after: no target '{target.after}' in this route{did_you_mean(target.after, by_id)}")
        elif cycle := _cycle(target, by_id):
            if target.id == min(cycle):
                yield node.fault(f"after: {' waits for '.join((*cycle, cycle[0]))}; none could ever be sent")
        elif first.when and (target.when is None or target.when.text != first.when.text):
            yield node.fault(
                f"after: '{first.id}' is sent only where {first.when.text}; give '{target.id}' the same when:"
            )


def _cycle(target: Target, by_id: Mapping[str, Target]) -> list[str]:
    """The targets that wait for each other, starting with this one; empty when it is not among them."""
    seen, current = [target.id], target.after
    while current is not None and current in by_id and current not in seen:
        seen.append(current)
        current = by_id[current].after
    return seen if current == target.id else []


def _mapping_faults(route: Route, mappings: Mapping[str, DocumentMapping]) -> Iterator[Fault]:
    entry = mappings.get(route.map)
    carried = entry.target.schema if entry else None
    if entry and not (carried or "").startswith(CANONICAL):
        what = carried or "a document without a schema"
        yield place_of(route.node, "map").fault(
            f"map: '{route.map}' gives {what}; a route's map gives a canonical document (target: schema: canonical/…)"
        )
        carried = None
    options = entry.source.options if entry and route.partner else {}
    for name in sorted({"strict", "faulty", "charset"} & options.keys()):
        message = f"map: '{route.map}' has source: {name}:, which says nothing for what comes from a partner"
        if name != "faulty":
            message += f"; {name}: of the partner in config/partners.yaml does"
        yield place_of(route.node, "map").fault(message, "warning")
    for target in route.targets:
        yield from _target_mapping_faults(target, carried, mappings)


def _target_mapping_faults(
    target: Target, carried: str | None, mappings: Mapping[str, DocumentMapping]
) -> Iterator[Fault]:
    mapping = mappings.get(target.map or "")
    takes = mapping.source.schema if mapping else None
    if carried and takes and _plain(takes) != _plain(carried):
        node = place_of(target.node, "map")
        yield node.fault(f"map: '{target.map}' takes {takes}, and this route carries {carried}")
    reply = mappings.get(target.reply.map) if target.reply else None
    if reply and not (reply.target.schema or "").startswith(CANONICAL):
        node = place_of(target.node, "reply", "map")
        yield node.fault(f"reply: '{reply.name}' gives {reply.target.schema or 'a document without a schema'}; "
                         "an answer becomes a canonical document")  # fmt: skip


def _mixed_up_schemas(
    route: Route, systems: Mapping[str, System], mappings: Mapping[str, DocumentMapping]
) -> Iterator[Fault]:
    """Schemas stand in a folder named after their system, or its preset: one of another system is a mix-up of names."""
    for node, mapping_name, system, verb, is_source in _uses(route):
        mapping = mappings.get(mapping_name)
        schema = (mapping.source if is_source else mapping.target).schema if mapping else None
        owner = (schema or "").partition("/")[0]
        owners = [name for name, known in systems.items() if owner and owner in (name, known.preset)]
        if owners and not any(name in system or system in name for name in owners):
            what = f"'{mapping_name}' {'takes' if is_source else 'gives'} {schema}"
            advice = f"write a mapping for '{system}', or system: {owners[0]}"
            message = f"map: {what}, a schema of system '{owners[0]}', and {verb} '{system}'; {advice}"
            yield node.fault(message, "warning")


def _uses(route: Route) -> Iterator[tuple[Node, str, str, str, bool]]:
    """Every mapping of a route: where it is named, its name, the system on its other side, how it stands to it."""
    yield place_of(route.node, "map"), route.map, route.system, "documents come from", True
    for target in route.targets:
        if target.map:
            yield place_of(target.node, "map"), target.map, target.system, "this goes to", False
        if target.reply:
            yield place_of(target.node, "reply", "map"), target.reply.map, target.system, "answers come from", True


def _plain(schema: str) -> str:
    """``canonical/order`` is the newest of ``canonical/v1/order``: the same type for this check."""
    parts = schema.split("/")
    return "/".join(part for part in parts if not (part[:1] == "v" and part[1:].isdigit()))


def _format_faults(settings: Settings) -> Iterator[Fault]:
    known = formats.names()
    for system in settings.systems.values():
        if system.format not in known:
            node = place_of(system.node, "format")
            yield node.fault(f"format: unknown format '{system.format}'{did_you_mean(system.format, known)}")
