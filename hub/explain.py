"""What a route does, in plain words, with every default spelled out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from hub.fields import listed
from hub.routes import RetryPolicy, Route, Target
from hub.settings import Settings
from hub.systems import System
from hub.units import duration_text, size_text

_ON_ERROR = {
    "dead_letter": "it becomes a dead letter, and later documents of its key go on",
    "block_key": "it becomes a dead letter, and later documents of its key wait until it is settled",
    "skip": "it is skipped, and nothing waits for it",
    "stop": "it becomes a dead letter, and the route is paused",
}


def explain(route: Route, settings: Settings) -> str:
    """Some lines of text for a terminal; ``settings`` give what the route's systems and the hub's retention say."""
    return "\n".join([*_head(route, settings), "", *_targets(route, settings), "", *_tail(route, settings)]) + "\n"


def retry_text(policy: RetryPolicy) -> str:
    """The retry schedule in times: how often, how long between, and when it is given up at the latest."""
    if policy.attempts == 1:
        return "tried once, never again"
    waits = [policy.longest_wait(attempt) for attempt in range(1, policy.attempts)]
    shown = [duration_text(wait) for wait in waits[:8]] + (["…"] if len(waits) > 8 else [])
    most = "at most " if policy.jitter == "full" else ""
    total = f"given up after {most}{duration_text(sum(waits))} of waiting"
    return f"tried {policy.attempts} times; waits {most}{', '.join(shown)}; {total}"


def _head(route: Route, settings: Settings) -> Iterator[str]:
    yield f"{route.name}{': ' + route.description if route.description else ''}"
    yield f"  {route.file}:{route.line}"
    yield ""
    events = listed([f"'{event}'" for event in route.events]) if route.events else "every document"
    what = f"the event {events}" if route.events else events
    yield f"Takes {what} from {_place(route, settings)}."
    if route.profile:
        otherwise = "else it becomes a dead letter" if route.invalid == "refuse" else "else that is written to the log"
        yield f"It must be valid by {route.profile}, {otherwise}."
    yield f"The mapping {route.map} makes a canonical document of it, which is checked against its schema."
    yield _validation(route)
    yield _order(route)


def _system(system: System | None, name: str) -> str:
    if system is None or not system.connector:
        return f"{name} (unknown system)"
    preset = f", preset {system.preset}" if system.preset else ""
    return f"{name} ({system.connector}{preset})"


def _validation(route: Route) -> str:
    if route.validate == "sync":
        return "The sender waits for that: an invalid document is answered 422 and is not kept."
    return "The sender is answered as soon as it is stored (202); an invalid document becomes a dead letter."


def _order(route: Route) -> str:
    if route.order == "none":
        return "No order is kept (order: none)."
    key = f"the key {route.key}" if route.key else "the main key of the canonical type"
    return f"Order is kept for each target by {key}: what waits holds back only its own key."


def _targets(route: Route, settings: Settings) -> Iterator[str]:
    count = len(route.targets)
    yield f"Sends it to {count} target{'' if count == 1 else 's, each on its own'}:"
    for number, target in enumerate(route.targets, 1):
        yield f"  {number}. {_place(target, settings)}{_called(target)}"
        for line in _target(target, settings):
            yield f"     - {line}"


def _place(side: Route | Target, settings: Settings) -> str:
    """A system, or a partner and the system that its interchanges go by."""
    place = _system(settings.systems.get(side.system), side.system)
    partner = settings.partners.get(side.partner)
    if partner is None:
        return f"{side.partner} (unknown partner)" if side.partner else place
    return f"partner {side.partner} ({partner.syntax}, {partner.them}{', test' if partner.test else ''}) by {place}"


def _called(target: Target) -> str:
    return f" as {target.id}" if target.id != (target.partner or target.system) else ""


def _target(target: Target, settings: Settings) -> Iterator[str]:
    system = settings.systems.get(target.system)
    yield f"mapped by {target.map}" if target.map else "as the canonical document itself"
    if target.when:
        yield f"only when {target.when}"
    if target.after:
        yield f"only after the delivery to {target.after} has arrived; held if that one dies"
    if target.key:
        yield f"order kept by {target.key}"
    yield from _collected(target, settings)
    if target.profile:
        yield f"sent only where it is valid by {target.profile}; else it becomes a dead letter, and nothing is sent"
    yield _doubt(system)
    yield retry_text(target.retry)
    if target.expires is not None:
        yield (
            f"not sent any more {duration_text(target.expires)} after it was received: then it expires, a dead letter, "
            "and later documents of its key go on"
        )
    yield f"if it cannot succeed: {_ON_ERROR[target.on_error]} (on_error: {target.on_error})"
    if target.reply:
        yield f"its answer becomes a new document by the mapping {target.reply.map}"


def _collected(target: Target, settings: Settings) -> Iterator[str]:
    if target.collect is None:
        return
    partner, schedule = settings.partners.get(target.partner), target.collect.schedule
    zone = schedule.zone or (partner.time_zone if partner else settings.time_zone)
    what = "interchange" if target.partner else "file"
    most = f"sooner when {target.collect.most} wait, at most as many in one {what}"
    yield f"collected {replace(schedule, zone=zone)}; {most}"
    yield "what becomes of it becomes of each in it; one that is replayed goes in the next"


def _doubt(system: System | None) -> str:
    """What happens when nobody knows whether a try had its effect."""
    mode = (system.idempotency.get("mode") if system else None) or "none"
    if mode == "native":
        return "in doubt after a time-out: sent again with the same key, which the system recognises"
    if mode == "lookup":
        settle = system.idempotency.get("settle") if system else None
        wait = f"after {duration_text(settle)} " if isinstance(settle, (int, float)) else ""
        return f"in doubt after a time-out: looked up {wait}in the system, sent again only if it is not there"
    return "in doubt after a time-out: held for a person, since the system recognises no repeat"


def _tail(route: Route, settings: Settings) -> Iterator[str]:
    kept = settings.retention
    parts = (("raw bytes", "raw", kept.raw), ("steps", "stages", kept.stages), ("metadata", "metadata", kept.metadata))
    texts = [f"{label} {duration_text(route.retention.get(name, default))}" for label, name, default in parts]
    yield f"Kept: {', '.join(texts)}; dead letters until they are settled."
    yield from _quotas(route, settings)
    if most := route.backlog.get("deliveries"):
        yield f"While more than {most} of its deliveries wait, its documents are answered 429."


def _quotas(route: Route, settings: Settings) -> Iterator[str]:
    source = settings.systems.get(route.system)
    said = ((f"all that comes from {route.system}", source.quota if source else {}), ("all of the hub", settings.quota))
    if text := _quota_text(route.quota):
        yield f"It may store {text}: beyond that the oldest that has ended goes before its time,"
        yield "never what is on its way nor a dead letter; where that is not enough, its documents are answered 503."
    for whose, quota in said:
        if text := _quota_text(quota):
            yield f"{whose[:1].upper()}{whose[1:]} together may store {text}, in the same way."


def _quota_text(quota: Mapping[str, int | None]) -> str:
    size, messages = quota.get("size"), quota.get("messages")
    parts = [f"{size_text(size)} of payloads" if size else "", f"{messages} messages" if messages else ""]
    return " and ".join(filter(None, parts))
