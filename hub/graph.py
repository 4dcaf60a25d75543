"""The routes as a picture: where documents come from, what becomes of them, where they go, and how many did.

One SVG without anything from outside: it follows the reader's light or dark setting, in a browser and in a page that
shows it as an image. Names that are too long for their place are cut; the whole text is in the place's title.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import msgspec

from hub.routes import Route, Target
from hub.settings import Settings
from hub.store.traffic import Flow, Traffic

_SYSTEM, _ROUTE, _GAP = 190, 560, 110  # widths of the boxes, and of the room between two columns
_EDGE, _LINE, _SPACE = 24, 20, 26  # around the picture; one line of text; between two boxes
_HEAD = 52  # of a box, above its lines
_LETTER = 6.9  # about the width of a letter of 12 px
_COLOURS = {  # light, dark
    "ink": ("#1c2430", "#e6ebf1"), "soft": ("#5b6675", "#9aa7b6"), "line": ("#c3ccd6", "#44515f"),
    "paper": ("#f6f8fa", "#12171d"), "card": ("#ffffff", "#1a2129"), "good": ("#1a7f4b", "#4cc38a"),
    "wait": ("#8a6100", "#e2b341"), "bad": ("#b3261e", "#ff7b72"),
}  # fmt: skip
_STYLE = """
text{font:12px system-ui,sans-serif;fill:var(--ink)} .name{font-weight:600;font-size:14px} .soft{fill:var(--soft)}
.good{fill:var(--good)} .wait{fill:var(--wait)} .bad{fill:var(--bad)} .paper{fill:var(--paper)}
.box{fill:var(--card);stroke:var(--line)} .edge{fill:none;stroke:var(--line);stroke-width:1.5}
.back{stroke-dasharray:4 4} .tip{fill:var(--line)} .count{font-variant-numeric:tabular-nums}
"""
THEMES = ("auto", "light", "dark")


class _Box(msgspec.Struct, frozen=True):
    """Where a box stands: its left upper corner and its size, in px."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def graph(routes: Sequence[Route], settings: Settings, traffic: Traffic | None = None, theme: str = "auto") -> str:
    """The picture as SVG text. ``traffic`` None: no counts. ``theme`` is one of THEMES; auto follows the reader."""
    ordered = sorted(routes, key=lambda route: (route.system, route.name))
    middle = _stacked([_HEAD + _LINE * len(route.targets) + 10 for route in ordered], _EDGE + _SYSTEM + _GAP, _ROUTE)
    at = {route.name: box for route, box in zip(ordered, middle, strict=True)}
    left = _beside({r.system: [at[o.name].middle for o in ordered if o.system == r.system] for r in ordered}, _EDGE)
    right = _beside(_pulls(ordered, at), _EDGE + _SYSTEM + _ROUTE + 2 * _GAP)
    height = max([box.y + box.height for box in (*middle, *left.values(), *right.values())], default=0) + _EDGE
    width = 2 * (_EDGE + _SYSTEM + _GAP) + _ROUTE
    parts = [*_edges(ordered, at, left, right)]
    parts += [line for name, box in (*left.items(), *right.items()) for line in _system(name, box, settings)]
    parts += [line for route in ordered for line in _route(route, at[route.name], traffic)]
    return "\n".join((*_opening(width, height, ordered, theme), *parts, "</svg>", ""))


def _opening(width: float, height: float, routes: Sequence[Route], theme: str) -> Iterator[str]:
    size = f'width="{width:g}" height="{height:g}" viewBox="0 0 {width:g} {height:g}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title description">'
    yield '<title id="title">Routes</title>'
    said = "; ".join(f"{r.name}: {r.system} to {', '.join(t.system for t in r.targets)}" for r in routes)
    yield f'<desc id="description">{escape(said)}</desc>'
    dark = f"@media(prefers-color-scheme:dark){{{_colours(1)}}}" if theme == "auto" else ""
    yield f"<style>{_colours(theme == 'dark')}{dark}{_STYLE}</style>"
    yield '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
    yield '<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>'
    yield f'<rect class="paper" width="{width:g}" height="{height:g}"/>'


def _colours(which: int) -> str:
    return f"svg{{{';'.join(f'--{name}:{values[which]}' for name, values in _COLOURS.items())}}}"


# -- where things stand ---------------------------------------------------------------------------------------------


def _stacked(heights: Sequence[float], x: float, width: float) -> list[_Box]:
    boxes, y = [], float(_EDGE)
    for height in heights:
        boxes.append(_Box(x, y, width, height))
        y += height + _SPACE
    return boxes


def _pulls(routes: Sequence[Route], at: Mapping[str, _Box]) -> dict[str, list[float]]:
    """The heights at which routes point to each target system."""
    pulls: dict[str, list[float]] = {}
    for route in routes:
        for number, target in enumerate(route.targets):
            pulls.setdefault(target.system, []).append(_row(at[route.name], number))
    return pulls


def _beside(pulls: Mapping[str, Sequence[float]], x: float) -> dict[str, _Box]:
    """One box for each system, as near as can be to what it is joined with, none over another."""
    boxes: dict[str, _Box] = {}
    free = float(_EDGE)
    for name, heights in sorted(pulls.items(), key=lambda item: (sum(item[1]) / len(item[1]), item[0])):
        y = max(free, sum(heights) / len(heights) - _HEAD / 2)
        boxes[name] = _Box(x, y, _SYSTEM, _HEAD)
        free = y + _HEAD + _SPACE / 2
    return boxes


def _row(box: _Box, number: int) -> float:
    """The middle of a target's line in its route's box."""
    return box.y + _HEAD + _LINE * (number + 0.5)


# -- what is drawn --------------------------------------------------------------------------------------------------


def _edges(
    routes: Sequence[Route], at: Mapping[str, _Box], left: Mapping[str, _Box], right: Mapping[str, _Box]
) -> Iterator[str]:
    for route in routes:
        box, source = at[route.name], left[route.system]
        yield _edge(source.x + source.width, source.middle, box.x, box.y + _HEAD / 2)
        for number, target in enumerate(route.targets):
            goal = right[target.system]
            yield _edge(box.x + box.width, _row(box, number), goal.x, goal.middle, "back" if target.after else "")


def _edge(x: float, y: float, to_x: float, to_y: float, kind: str = "") -> str:
    bend = (to_x - x) / 2
    path = f"M{x:g} {y:g}C{x + bend:g} {y:g} {to_x - bend:g} {to_y:g} {to_x - 1:g} {to_y:g}"
    return f'<path class="edge {kind}" d="{path}" marker-end="url(#tip)"/>'


def _system(name: str, box: _Box, settings: Settings) -> Iterator[str]:
    system = settings.systems.get(name)
    about = " · ".join(filter(None, (system.connector, system.preset))) if system else "unknown system"
    yield _rect(box)
    yield _text(box.x + 12, box.y + 22, name, "name", _SYSTEM - 24)
    yield _text(box.x + 12, box.y + 40, about, "soft" if system else "bad", _SYSTEM - 24)


def _route(route: Route, box: _Box, traffic: Traffic | None) -> Iterator[str]:
    taken = ", ".join(route.events) or "every document"
    yield _rect(box)
    yield from _line(box, box.y + 22, route.name, traffic.route(route.name) if traffic else None, "in", "name")
    yield from _line(box, box.y + 40, f"{taken} → {route.map}", None, "", "soft")
    for number, target in enumerate(route.targets):
        flow = traffic.target(route.name, target.id) if traffic else None
        yield from _line(box, _row(box, number) + 4, _target(target), flow, "delivered", "")


def _line(box: _Box, y: float, text: str, flow: Flow | None, done: str, kind: str) -> Iterator[str]:
    """A line of a route's box: what it is at the left, how many at the right."""
    counts = _counts(flow, done) if flow else []
    taken = sum(len(word) + 2 for word, _ in counts)
    yield _text(box.x + 12, y, text, kind, box.width - 24 - taken * _LETTER)
    if counts:
        spans = " · ".join(f'<tspan class="{colour}">{word}</tspan>' for word, colour in counts)
        yield f'<text class="count soft" x="{box.x + box.width - 12:g}" y="{y:g}" text-anchor="end">{spans}</text>'


def _target(target: Target) -> str:
    """``→ wms order-to-fulfilment, after erp, when has(src.delivery_location)``"""
    name = target.id if target.id == target.system else f"{target.id} ({target.system})"
    parts = [f"→ {name}{' ' + target.map if target.map else ''}"]
    parts += [f"after {target.after}"] if target.after else []
    parts += [f"when {target.when}"] if target.when else []
    parts += [f"reply → {target.reply.map}"] if target.reply else []
    return ", ".join(parts)


def _counts(flow: Flow, done: str) -> list[tuple[str, str]]:
    """What is well, what waits, what needs a person: each with its colour; what there is none of is left out."""
    parts = ((flow.done, done, "good" if flow.done else "soft"), (flow.filtered, "filtered", "soft"),
             (flow.waiting, "waiting", "wait"), (flow.dead, "dead", "bad"))  # fmt: skip
    return [(f"{count:,} {name}", colour) for count, name, colour in parts if count or name == done]


def _rect(box: _Box) -> str:
    return f'<rect class="box" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="6"/>'


def _text(x: float, y: float, text: str, kind: str, room: float) -> str:
    """One line; what does not fit is cut, and then said whole in the title."""
    most = int(room / (_LETTER * (1.15 if kind == "name" else 1)))
    title = f"<title>{escape(text)}</title>" if len(text) > most else ""
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return f'<text class="{kind}" x="{x:g}" y="{y:g}">{title}{escape(shown)}</text>'
