"""What is missing among bank statements is shown, counted, told, resolved and forgotten in its time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from banking import FIVE, FOUR, IBAN, THREE, Bank, mt940
from caller import Caller, new_key

from hub import notify
from hub.api.application import create_app
from hub.api.desk import Desk
from hub.chores import everything
from hub.cli.doctor_statements import _told as told_of
from hub.cli.message_text import message_lines
from hub.errors import Conflict
from hub.metrics import render
from hub.replay import steps
from hub.store import statements
from hub.store.audit import Actor

ANNA = Actor("anna", "operator")


def test_a_finding_is_shown_counted_told_and_resolved(bank: Bank) -> None:
    bank.bring(THREE, FIVE)
    gap = bank.ids()[-1]
    caller = Caller(create_app(bank.engine), new_key(bank.store, "viewer"))
    shown = caller.get(f"/api/v1/messages/{gap}").json["findings"]
    assert [(one["code"], one["source"], one.get("settled_at")) for one in shown] == [("gap", "bank", None)]
    assert caller.get("/api/v1/findings").json["items"] == shown
    assert "  finding      gap (open): number 4 is missing" in "\n".join(
        message_lines(caller.get(f"/api/v1/messages/{gap}").json)
    )
    metric = 'o2c_open_findings{code="gap",source="bank"} 1.0'
    assert metric in render(bank.engine, Desk(bank.engine).tally()).decode()
    assert notify.check(bank.engine, ["a"]) == {"a": []}  # it may still come right
    bank.wait(notify.FINDING_SECONDS + 1)
    [notice] = notify.check(bank.engine, ["a"])["a"]
    assert (notice.kind, notice.detail[:33]) == ("finding", "from bank: number 4 is missing: 5")
    steps.resolve_message(bank.engine, gap, ANNA, "the bank skipped it")
    assert caller.get("/api/v1/findings").json["items"] == []
    [after] = caller.get(f"/api/v1/messages/{gap}").json["findings"]
    assert after["settled_by"] == "resolved by anna"
    assert metric not in render(bank.engine, Desk(bank.engine).tally()).decode()
    bank.bring(mt940("6/1", "2026-03-06", "126", "1"), mt940("2/1", "2026-03-02", "1", "99"))
    assert bank.findings() == []
    with pytest.raises(Conflict, match="nothing was found about it"):
        steps.resolve_message(bank.engine, gap, ANNA, "again")


def test_what_a_person_has_seen_to_stays_so_when_the_day_is_looked_at_again(bank: Bank) -> None:
    bank.bring(THREE, mt940("6/1", "2026-03-06", "126", "1"))
    steps.resolve_message(bank.engine, bank.ids()[-1], ANNA, "the bank skipped it")
    bank.bring(FOUR)
    assert bank.findings() == []  # five is missing still, and somebody knows it
    assert bank.rows("SELECT settled_by FROM message_findings") == [("resolved by anna",)]


def test_statements_are_remembered_for_two_years_and_longer_where_all_is_kept_longer(bank: Bank) -> None:
    forget = everything(bank.engine, bank.folder, ThreadPoolExecutor(1))["old statements"][1]
    bank.bring(THREE, FIVE, THREE)
    bank.clock.at += statements.KEEP_SECONDS - 86400
    forget()
    assert bank.rows("SELECT count(*) FROM statements_seen") == [(2,)]
    assert bank.rows("SELECT count(*) FROM message_findings") == [(0,)]  # these go with the messages
    bank.bring(THREE)
    assert bank.told()[-1] == ("filtered", "repeat", "")
    bank.clock.at += 2 * 86400
    forget()
    assert bank.rows("SELECT count(*) FROM statements_seen") == [(0,)]


def test_no_account_number_is_told_in_full(bank: Bank) -> None:
    bank.bring(THREE, FIVE, THREE, mt940("3/1", "2026-03-03", "100", "1"))
    details = bank.rows(
        "SELECT detail FROM message_findings UNION ALL SELECT failure ->> 'detail' FROM messages WHERE state = 'dead'"
    )
    assert len(details) == 3
    assert not [detail for (detail,) in details if IBAN in detail or IBAN[8:] in detail]


def test_doctor_names_each_account_and_what_is_missing(bank: Bank) -> None:
    bank.bring(THREE, FIVE, mt940("1/1", "2026-03-03", "7", account="0532013000"))
    told = [(one.subject, one.state, one.detail, one.hint) for one in told_of(bank.store.reader())]
    assert [one[:3] for one in told[:2]] == [
        ("bank account …3000 EUR", "ok", "1 statement, the last is 2026-1 of 2026-03-03, from 'bank'"),
        ("bank account …2051 EUR", "ok", "2 statements, the last is 2026-5 of 2026-03-05, from 'bank'"),
    ]
    (_, state, detail, hint) = told[2]
    assert (state, detail[:30]) == ("warning", "from 'bank': number 4 is missi")
    assert f"o2c resolve {bank.ids()[1]} --reason TEXT" in hint
