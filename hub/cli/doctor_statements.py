"""Bank accounts as ``o2c doctor`` looks at them: the last statement of each, and what is missing between them."""

from __future__ import annotations

from collections.abc import Iterator

from hub.cli.doctor_checks import OK, WARNING, Finding
from hub.cli.terminal import counted
from hub.cli.workplace import Workplace, project_store
from hub.errors import HubError
from hub.redaction import redact_text
from hub.store import findings, statements
from hub.store.database import Database

_MOST = 20


def look_at_statements(place: Workplace) -> Iterator[Finding]:
    """A finding for each account that statements came of, and for each that does not follow on the one before."""
    if not place.check().settings.systems:
        return
    try:
        store = project_store(place, read_only=True)
    except HubError:
        return  # that there is none yet, or that it is away, was told with the store
    try:
        yield from _told(store.reader())
    finally:
        store.close()


def _told(db: Database) -> Iterator[Finding]:
    for last, count in statements.last_seen(db, _MOST):
        detail = f"{counted(count, 'statement')}, the last is {last.statement_id} of {last.day}, from '{last.source}'"
        yield Finding(f"bank account {statements.shown(last.account)}", OK, redact_text(detail))
    found = findings.open_now(db, _MOST + 1)
    for one in found[:_MOST]:
        ask = "look in the system for it" if one.code == findings.NO_REPLY else "ask the bank for what is missing"
        hint = f"{ask}; once it is settled otherwise: o2c resolve {one.message_id} --reason TEXT"
        yield Finding(f"message {one.message_id}", WARNING, redact_text(f"from '{one.source}': {one.detail}"), hint)
    if len(found) > _MOST:
        yield Finding("messages", WARNING, "there are more findings than these", "see: GET /api/v1/findings")
