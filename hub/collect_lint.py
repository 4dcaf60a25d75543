"""Whether what a target collects can be sent together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from hub import formats
from hub.cross_check import place_of
from hub.errors import Fault
from hub.mapping import Mapping as DocumentMapping
from hub.routes import Collect, Route, Target
from hub.settings import Settings
from hub.systems import System
from hub.units import duration_text

_SHARED = ("{count}", "{date}", "{time}")
_OWN = ("{batch_id}", "{key}", "{delivery_id}", "{message_id}")


def collect_faults(
    routes: Sequence[Route], settings: Settings, mappings: Mapping[str, DocumentMapping]
) -> Iterator[Fault]:
    """Collected targets whose format holds one document, that want what is of one document, where some of what waits
    expires before it is collected, or that keep others waiting which go alone."""
    for route in routes:
        for target in route.targets:
            if target.collect is not None:
                yield from _target_faults(target, settings, mappings.get(target.map or ""))
                yield from _expiring(target, target.collect)
                yield from _waiting_for_it(route, target, routes)


def _target_faults(target: Target, settings: Settings, mapping: DocumentMapping | None) -> Iterator[Fault]:
    if target.reply is not None:
        yield place_of(target.node, "reply").fault(
            "reply: makes a document of the answer to one, and collect: sends many at once; take one of them out"
        )
    if target.profile:
        yield place_of(target.node, "profile").fault(
            "profile: judges a file with one document, and collect: writes many into one; take one of them out"
        )
    system = settings.systems.get(target.system)
    if system is not None:
        yield from _names_alike(target, system)
    format = (mapping.target.format if mapping else None) or (system.format if system else "")
    if target.partner or format not in formats.names():
        return
    if not formats.holds_several(format, mapping.target.options if mapping else {}):
        what = "holds one document" if format != "xml" else "holds several only under records:"
        advice = "take collect: out" if format != "xml" else f"write records: in target: of '{target.map}'"
        yield place_of(target.node, "collect").fault(f"collect: a file of the format {format} {what}; {advice}")


def _names_alike(target: Target, system: System) -> Iterator[Fault]:
    """Several batches are often put together within one second, and of as many deliveries each."""
    send = system.options.get("send")
    if not isinstance(send, Mapping) or send.get("if_exists") == "suffix":
        return
    name = str(send.get("name") or "")
    if any(each in name for each in _SHARED) and not any(each in name for each in _OWN):
        yield place_of(target.node, "collect").fault(
            f"collect: batches of one second may have the same name '{name}' at '{system.name}', and all but the first "
            "are refused, or take its place (if_exists); write {batch_id} in its name:",
            "warning",
        )


def _expiring(target: Target, collect: Collect) -> Iterator[Fault]:
    between = collect.schedule.longest
    if target.expires is not None and target.expires <= between:
        yield place_of(target.node, "expires").fault(
            f"expires: some of what is collected waits {duration_text(between)} for that, and expires after "
            f"{duration_text(target.expires)}; write a longer time, or collect more often",
            "warning",
        )


def _waiting_for_it(route: Route, target: Target, routes: Sequence[Route]) -> Iterator[Fault]:
    """A lane is a key of a system, whatever the route: what goes there alone waits for what is collected."""
    if route.order != "per_key":
        return
    for other in routes:
        for beside in other.targets if other.order == "per_key" else ():
            if beside.system == target.system and beside.collect is None:
                yield place_of(target.node, "collect").fault(
                    f"collect: documents for '{target.system}' that are not collected (route '{other.name}', target "
                    f"'{beside.id}') wait until those of the same key before them are; give them another key:, or "
                    "write order: none",
                    "warning",
                )
                return
