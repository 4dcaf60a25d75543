"""The demo in the terminal: one picture that is drawn anew in place; in a pipe, plain lines when something changes."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from hub.demo.facts import Facts
from hub.demo.shop import Shop
from hub.demo.stubs import Stub

_PLAIN_SECONDS = 3.0
_SHOWN_ISSUES = 6


@dataclass(slots=True)
class View:
    """What the picture shows: where the hub is, what is going on, how far the day is."""

    url: str
    shop: Shop
    stubs: Mapping[str, Stub]
    facts: Facts = field(default_factory=Facts)
    doing: str = ""
    told: list[str] = field(default_factory=list)


class Screen:
    """Shows a view while the demo goes on. ``tell`` adds a line that stays."""

    def __init__(self, console: Console, view: View) -> None:
        self._console, self._view = console, view
        self._live = Live(console=console, refresh_per_second=4, get_renderable=self._picture, transient=True)
        self._last_plain = 0.0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._console.is_terminal:
            self._live.stop()

    def tell(self, text: str) -> None:
        """Something that happened, above the picture."""
        self._console.print(Text(text))

    def now(self, doing: str) -> None:
        """What is going on from here on."""
        self._view.doing = doing
        if not self._console.is_terminal:
            self.tell(f"== {doing}")

    def show(self, facts: Facts) -> None:
        """New numbers; in a pipe a line of them now and then."""
        self._view.facts = facts
        if not self._console.is_terminal and time.monotonic() - self._last_plain > _PLAIN_SECONDS:
            self._last_plain = time.monotonic()
            self.tell(f"   {numbers(facts)}")

    def _picture(self) -> RenderableType:
        view = self._view
        head = Text.assemble(("o2c demo  ", "bold"), (view.doing, "cyan"), "   ", (view.url, "underline"))
        return Group(
            head, Text(""), _systems(view), Text(""), Text(numbers(view.facts)), *_trouble(view.facts), Text("")
        )


def numbers(facts: Facts) -> str:
    """The hub's own counts in one line."""
    retrying = facts.deliveries.get("retrying", 0)
    return (
        f"receipts {facts.received} · deliveries: {facts.deliveries.get('delivered', 0)} delivered, "
        f"{facts.waiting - retrying} waiting, {retrying} retrying · "
        f"filtered {facts.messages.get('filtered', 0)} · dead letters {sum(int(i['count']) for i in facts.issues)}"
    )


def _systems(view: View) -> Table:
    table = Table("system", "address", "state", "documents", "repeats answered", "refused", "double effects", box=None)
    answers = ", ".join(f"{count} {name}" for name, count in sorted(view.shop.posted.answers.items()))
    table.add_row("web shop", view.shop.server.url, "posting", answers, "", "", "")
    for name, stub in view.stubs.items():
        ledger, state = stub.ledger, "[green]up[/]" if stub.is_up else "[red]away[/]"
        counts = (len(ledger.effects), ledger.repeats, ledger.refusals, ledger.doubles)
        table.add_row(name, stub.url, state, *map(str, counts))
    return table


def _trouble(facts: Facts) -> list[RenderableType]:
    found: list[RenderableType] = []
    if facts.retrying:
        ids = ", ".join(str(item.get("main_key") or item["message_id"]) for item in facts.retrying)
        found.append(Text(f"being retried: {ids} …", style="yellow"))
    if facts.issues:
        found += [Text(""), issue_table(facts.issues[:_SHOWN_ISSUES], short=True)]
    return found


def issue_table(issues: Sequence[Mapping[str, Any]], short: bool = False) -> Table:
    """Dead letters by cause: how many, why, what to do; ``short``: one line each, cut where the terminal ends."""
    table = Table(box=None, header_style="bold red", padding=(0, 2, 0, 0), expand=short)
    table.add_column("dead", no_wrap=True)
    for name, ratio in (("why", 3), ("what to do", 2)):
        table.add_column(name, no_wrap=short, overflow="ellipsis" if short else "fold", ratio=ratio if short else None)
    table.add_column("then", no_wrap=True)
    for issue in issues:
        error = issue["error"]
        place = f" ({error['file']}:{error.get('line') or 0})" if error.get("file") else ""
        detail = escape(f"{error.get('detail', '')}{place}")
        hint = escape(str(error.get("hint") or "correct the document where it comes from, or its mapping"))
        why = f"[bold]{escape(str(error.get('code', '')))}[/] {detail}"
        table.add_row(str(issue["count"]), why, hint, str(issue["command"]))
    return table
