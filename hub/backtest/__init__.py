"""Back-test: stored messages through edited files, beside what came of them then. Nothing is sent, nothing written.

``begin`` looks at the request; ``Backtest.run`` gives the tally, which ``report`` makes readable. The same store,
files and arguments give the same report, however many processes have worked on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from hub.backtest.approvals import Approvals
from hub.backtest.children import Children, stretched
from hub.backtest.files import put_in_place
from hub.backtest.report import report
from hub.backtest.request import CURRENT, RECORDED, Request, Subject, subject_of
from hub.backtest.tally import Tally
from hub.backtest.words import Job
from hub.pipeline.program import Program, build_program
from hub.store import Store, recorded
from hub.store.recorded import Came

__all__ = [
    "CURRENT",
    "DEPLOYED_ONLY",
    "RECORDED",
    "Approvals",
    "Backtest",
    "Request",
    "Subject",
    "begin",
    "edited_files",
    "put_in_place",
    "report",
    "span",
]
DEPLOYED_ONLY = ("schemas/profiles/", "schemas/published/")  # rules are programs, and a request brings none
_RECEIPTS, _MESSAGES = 100, 400  # of a stretch
_FEW = 1000  # receipts that one process is quicker with

Progress = Callable[[int, int], None]  # receipts done, receipts in all


class Backtest(msgspec.Struct, frozen=True):
    """A request that can be run. ``program`` is made of the edited files."""

    request: Request
    subject: Subject
    program: Program

    def run(
        self, store: Store, processes: int = 1, progress: Progress = lambda done, total: None, niceness: int = 0,
        goes_on: Callable[[], bool] = lambda: True,
    ) -> Tally | None:  # fmt: skip
        """The tally of all that matches, the newest first; None when ``goes_on`` has said no. Raises StoreError."""
        total = sum(1 for _ in self.chosen(store))
        job = Job(store_url=store.url, request=self.request, subject=self.subject, niceness=niceness)
        tally, done = Tally(), 0
        progress(0, total)
        with Children(job, processes if total > _FEW else 1) as children:
            for receipts, part in children.run(stretched(self.chosen(store), _RECEIPTS, _MESSAGES)):
                tally.add(part, self.request.samples)
                done += receipts
                progress(done, total)
                if not goes_on():
                    return None
        return tally

    def chosen(self, store: Store) -> Iterator[Came]:
        """The receipts that concern the subject, the newest first, until the limit of messages is reached."""
        request, left = self.request, self.request.limit
        systems = sorted(self.subject.systems)
        for came in recorded.came_between(store.reader(), request.since, request.until, systems):
            if left is not None and left <= 0:
                return
            if self._concerns(came):
                yield came
                left = None if left is None else left - max(1, came.messages)

    def _concerns(self, came: Came) -> bool:
        if self.program.partners_at(came.source):
            return True  # each message of an interchange has a route of its own
        if came.route in self.subject.routes or came.route in self.subject.replies:
            return True
        if came.route and came.messages:
            # Another route took it; by the edited files it may be this one's.
            known = self.program.routes.get(came.route)
            if known is not None and known.route.system == came.source and known.route.takes(came.event):
                return False
        compiled = self.program.select(came.source, came.event)
        return compiled is not None and compiled.route.name in self.subject.routes


def begin(request: Request) -> Backtest:
    """Compile the edited files and find what is asked for. Raises ProjectError with every fault, UsageError."""
    own = Path(request.own_connectors) if request.own_connectors else None
    program = build_program(request.files, request.environment or None, 0, own)
    return Backtest(request, subject_of(program, request), program)


def span(store: Store, since_seconds: float | None, since: float | None, until: float | None) -> tuple[float, float]:
    """The span of time: ``since_seconds`` back from its end, which without ``until`` is just after the newest receipt,
    so that the same store always gives the same span."""
    newest = recorded.newest_at(store.reader()) or 0.0
    end = until if until is not None else newest + 0.001
    if since is not None:
        return since, end
    return (end - since_seconds if since_seconds is not None else 0.0), end


def edited_files(files: Mapping[str, bytes], candidates: Mapping[str, bytes]) -> tuple[dict[str, bytes], list[str]]:
    """All files with the candidates in place of those they stand in for, and the paths of these. Raises UsageError."""
    placed = {put_in_place(files, name, content): content for name, content in candidates.items()}
    return {**files, **placed}, sorted(placed)
