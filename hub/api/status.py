"""The status page: one read-only page that says how things stand. It holds no payload and no personal data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

import hub
from hub.api import bodies, system_bodies, views
from hub.api.admin_limits import system_views
from hub.api.admin_switches import route_views
from hub.api.alive import readiness
from hub.api.auth import LocalViewer
from hub.api.desk import AtDesk, Desk
from hub.api.operations import described
from hub.clock import iso
from hub.schemas import SchemaSet
from hub.states import DELIVERY_WAITING, standing
from hub.store import dead_letters, search
from hub.store.search_terms import Filter
from hub.store.tally import Tally

router = APIRouter(tags=["health"])
_PAGE = Template((Path(__file__).parent / "templates" / "status.html").read_text(encoding="utf-8"))
_ROWS = 15
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("/", operation_id="status_page", response_class=HTMLResponse, **described("viewer"))
def status_page(desk: AtDesk, caller: LocalViewer) -> HTMLResponse:
    """How things stand, for a person. From this very machine without a key; else with the key as Basic password."""
    return HTMLResponse(render(desk), headers=_HEADERS)


def render(desk: Desk) -> str:
    """The page as of now."""
    checks = readiness(desk.engine)
    wrong = [f"{name}: {check}" for name, check in checks.items() if check != "ok"]
    with desk.engine.store.snapshot() as db:
        tally = desk.tallier.count(db, desk.engine.clock.epoch())
        issues = dead_letters.issues(db, Filter())
        retrying = search.retrying(db, _ROWS)
        last = views.messages(db, search.find(db, Filter(), _ROWS).items, desk.engine.program.schemas, False)
    open_letters = sum(issue.count for issue in issues)
    health = "; ".join(wrong) or (f"{open_letters} need a person" if open_letters else "all is well")
    return _PAGE.substitute(
        title=escape(f"{open_letters} dead · o2c-hub" if open_letters else "o2c-hub"),
        health=escape(health), health_class="bad" if wrong or open_letters else "good",
        now=escape(iso(desk.engine.clock.epoch())), set_id=desk.engine.program.set_id, version=escape(hub.__version__),
        tiles=_tiles(tally, open_letters), sums=_sums(tally),
        issues=_issues([views.issue(issue, False) for issue in issues]),
        retrying=_retrying(retrying, desk.engine.program.schemas), switches=_switches(desk),
        messages=_messages(last),
    )  # fmt: skip


# -- counts --------------------------------------------------------------------------------------------------------


def _tiles(tally: Tally, open_letters: int) -> str:
    received = sum(tally.receipts.values())
    figures = (
        ("received", received, ""), ("messages", sum(tally.messages.values()), ""),
        ("delivered", tally.deliveries["delivered"], "good"),
        ("waiting", tally.waiting, "wait" if tally.waiting else ""),
        ("need a person", open_letters, "bad" if open_letters else ""),
    )  # fmt: skip
    return "".join(
        f'<div class="tile"><span class="soft">{name}</span><b class="{style}">{count:,}</b></div>'
        for name, count, style in figures
    )


def _sums(tally: Tally) -> str:
    """The three sums in words, so that a reader can add them up."""
    return "<br>".join((
        _sum("Receipts", tally.receipts, ("split", "dead", "received")),
        _sum("Messages", tally.messages, ("routed", "filtered", "dead")),
        _sum("Deliveries", tally.deliveries, ("delivered", "skipped", "dead", "resolved", "cancelled", "expired",
                                              *sorted(DELIVERY_WAITING))),
    ))  # fmt: skip


def _sum(name: str, counts: dict[str, int], order: Sequence[str]) -> str:
    names = [*order, *(state for state in counts if state not in order)]
    parts = [f"{counts[state]:,} {state}" for state in names if counts.get(state)]
    return f"{name} {sum(counts.values()):,} = {' + '.join(parts) or '0'}"


# -- tables --------------------------------------------------------------------------------------------------------


def _issues(issues: Sequence[bodies.IssueLine]) -> str:
    rows = [
        (
            f'<b class="bad">{issue.count:,}</b>', _cell(issue.route or issue.system or ""), _cause(issue.error),
            _cell(issue.last_seen), f"<code>{escape(issue.command)}</code>",
        )
        for issue in issues[:_ROWS]
    ]  # fmt: skip
    more = (
        f"<p class='soft'>and {len(issues) - _ROWS} more causes: <code>o2c dead</code></p>"
        if len(issues) > _ROWS
        else ""
    )
    return _table(("how many", "route", "why, and what to do", "last seen", "so they go on"), rows, "Nothing.") + more


def _cause(error: bodies.Failure) -> str:
    place = f"{error.file}:{error.line}: " if error.file else ""
    text = f"<b>{escape(error.class_)}</b> {escape(place + error.detail)}"
    return text + (f'<br><span class="soft">{escape(error.hint)}</span>' if error.hint else "")


def _retrying(lines: Iterable[dict[str, object]], schemas: SchemaSet) -> str:
    rows = [
        (
            _cell(views.key_text(str(line["main_key"]), schemas, False) or line["message_id"]),
            _cell(line["system"]), _cell(line["attempts"]), _cell(_time(line["due_at"])), _cell(_why(line["failure"])),
        )
        for line in lines
    ]  # fmt: skip
    return _table(("message", "to", "tries", "next try", "why"), rows, "Nothing.")


def _time(epoch: object) -> str:
    return iso(epoch) if isinstance(epoch, float) else "in its lane"


def _why(failure: object) -> str:
    shown = views.failure(str(failure) if failure else None, False)
    return shown.detail if shown else ""


def _switches(desk: Desk) -> str:
    rows = [
        (*_named("route", r.name, f"{r.source} → {', '.join(r.targets)}"), *_state(r.off)) for r in route_views(desk)
    ]
    rows += [(*_named("system", s.name, _about(s)), *_condition(s)) for s in system_views(desk)]
    return _table(("", "name", "", "switch", "since, why, by whom"), rows, "No routes.")


def _named(kind: str, name: str, about: str) -> tuple[str, str, str]:
    return _cell(kind), f"<b>{escape(name)}</b>", _cell(about)


def _about(system: system_bodies.SystemView) -> str:
    changed = system.limits if system.limits and system.limits.adjusted else None
    rate = f"{changed.rate:g}/s, " if changed and changed.rate else ""
    limits = f", adjusted to {rate}{changed.concurrency} at a time" if changed else ""
    return f"{system.connector}, {system.waiting:,} waiting{limits}{_fetched(system.source)}"


def _fetched(source: system_bodies.SourceView | None) -> str:
    """When it was last fetched from, for a system that is."""
    if source is None:
        return ""
    last = f"last read {source.read_at}" if source.read_at else "not read yet"
    return f"; {last}, {source.taken:,} taken"


def _condition(system: system_bodies.SystemView) -> tuple[str, str]:
    """Its switch; if that is on, its circuit, why it cannot be read, and the pause it asked for."""
    circuit = system.circuit
    is_closed = circuit is None or circuit.state == "closed"
    if system.off is None and is_closed and system.source is not None and system.source.failing_since:
        why = f"{system.source.failing_since}: {system.source.reason}"
        return '<span class="bad">cannot be read</span>', _cell(why)
    if system.off is not None or (is_closed and not system.paused_until):
        return _state(system.off)
    if circuit is None or circuit.state == "closed":
        return '<span class="wait">pause</span>', _cell(f"asked to be left alone until {system.paused_until}")
    probe = f"next probe {circuit.next_probe_at}" if circuit.next_probe_at else "until it is closed by hand"
    style, name = ("wait", "being probed") if circuit.state == "half_open" else ("bad", "circuit open")
    why = f"{circuit.since}: {circuit.reason} ({circuit.actor}); {probe}"
    return f'<span class="{style}">{name}</span>', _cell(why)


def _state(off: bodies.Switch | None) -> tuple[str, str]:
    if off is None:
        return '<span class="good">on</span>', ""
    return f'<span class="bad">{escape(off.state)}</span>', _cell(f"{off.since}: {off.reason} ({off.actor})")


def _messages(lines: Sequence[bodies.MessageLine]) -> str:
    rows = [
        (
            _cell(line.received_at), f"<code>{escape(line.message_id)}</code>", _cell(line.main_key),
            _cell(line.route or line.source), _states(line),
        )
        for line in lines
    ]  # fmt: skip
    return _table(("received", "id", "key", "route", "state"), rows, "Nothing has come in yet.")


def _states(line: bodies.MessageLine) -> str:
    if not line.deliveries:
        seen_to = line.replay_state or "resolved" if line.resolved_by else line.state
        return _coloured(seen_to, standing(line.state, line.resolved_by, line.replay_state))
    replaced = {each.replay_of for each in line.deliveries}
    current = [each for each in line.deliveries if each.delivery_id not in replaced]
    return ", ".join(_coloured(each.state, f"{each.target} {each.state}") for each in current)


def _coloured(state: str, text: str) -> str:
    style = "bad" if state in ("dead", "held", "expired") else "wait" if state in DELIVERY_WAITING else "good"
    return f'<span class="{style}">{escape(text)}</span>'


def _cell(value: object) -> str:
    return escape(str(value))


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> str:
    """A table of cells that are HTML already."""
    if not rows:
        return f'<p class="none soft">{escape(nothing)}</p>'
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
