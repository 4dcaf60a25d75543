"""One message of a partner as many documents: each with a way of its own, and the message answered once."""

from __future__ import annotations

from pathlib import Path

import pytest
import replaying
from acknowledging import ACKING
from test_advices import told
from test_trading_by_grammar import NAMED
from trading import ROUTES, Trade

from connectors.base import LATER, Verdict
from hub.pipeline import SLICE
from hub.replay import Request
from hub.store.search_terms import Filter

EACH_LINE = b"""
mapping: orders-in
version: 1
source: {format: edifact, schema: edifact/D96A/ORDERS, records: LIN_group}
target: {schema: canonical/stock_level}
let: {article: "src.LIN_group[0].LIN.item.id"}
output:
  report_id: "src.BGM.document.number + '/' + text(count(src.LIN_group)) + article"
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: "require(article, article != 'bad', 'not this one')"}
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
RIGHT = EACH_LINE.replace(b"!= 'bad'", b"!= 'worse'")
STRICT = EACH_LINE.replace(b", records: LIN_group", b"")  # a message is one document
EACH = {**NAMED, "mappings/orders-in.yaml": EACH_LINE}


@pytest.fixture
def store_url() -> str:
    return "sqlite:///hub.db"


def lined(number: str, *messages: list[str], fault: str = "") -> bytes:
    """An interchange with an order for each list of articles; ``fault`` is the number of one that is none."""
    written = []
    for n, articles in enumerate(messages, 1):
        lines = "".join(f"LIN+{i}++{name}:SA'" for i, name in enumerate(articles, 1))
        date = "20269905" if fault == str(n) else "20260305"
        head = f"UNH+{n}+ORDERS:D:96A:UN'BGM+220+A{n}+9'DTM+137:{date}:102'"
        written.append(f"{head}{lines}UNS+S'UNT+{len(articles) + 5}+{n}'")
    envelope = f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{number}'"
    return f"{envelope}{''.join(written)}UNZ+{len(messages)}+{number}'".encode()


def of_orders(trade: Trade) -> list[tuple[str, str, str]]:
    """(place, state, report) of every message that an order became, in order."""
    return trade.rows(
        "SELECT place, state, coalesce((SELECT value FROM keys k WHERE k.seq = m.seq AND k.position = m.position "
        "AND scheme = 'stock_report'), '') FROM messages m WHERE event = 'ORDERS' ORDER BY seq, position"
    )


def test_a_message_becomes_a_document_for_each_element_of_the_list_that_its_mapping_names(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    trade.bring(lined("101", ["x", "bad", "z"], ["u"], ["v", "w"], fault="3"))
    place = "interchange 101, message"
    assert of_orders(trade) == [
        (f"{place} 1, LIN_group 1", "routed", "A1/1x"),
        (f"{place} 1, LIN_group 2", "dead", ""),
        (f"{place} 1, LIN_group 3", "routed", "A1/1z"),
        (f"{place} 2, LIN_group 1", "routed", "A2/1u"),
        (f"{place} 3", "dead", ""),
    ]
    [contrl] = [parcel.body.decode() for parcel in trade.target("van").sent if b"CONTRL" in parcel.body]
    assert "UCI+101" in contrl and contrl.count("UCM+") == contrl.count("UCM+3+") == 1  # a message is answered once
    trade.close()


def test_a_message_without_an_element_of_that_list_stays_one_document(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    trade.bring(lined("101", [], ["x"]))
    [(place, _, detail)] = trade.failures()
    assert place == "interchange 101, message 1"
    assert "src.LIN_group" in detail and "missing" in detail
    assert [state for event, state, _ in trade.messages() if event == "ORDERS"] == ["dead", "routed"]
    trade.close()


def test_a_message_of_more_documents_than_are_stored_at_once_loses_none_and_doubles_none(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    names = [f"a{n}" for n in range(2 * SLICE + 7)]
    trade.bring(lined("101", names, ["last"]))
    assert [report for _, _, report in of_orders(trade)] == [f"A1/1{name}" for name in names] + ["A2/1last"]
    trade.close()


def test_one_of_the_documents_of_a_message_is_replayed_alone(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    trade.bring(lined("101", ["x", "bad", "z"]))
    assert [state for _, state, _ in of_orders(trade)] == ["routed", "dead", "routed"]
    replaying.deploy(trade, "mappings/orders-in.yaml", RIGHT)
    replaying.run(trade, replaying.DEAD)
    place = "interchange 101, message 1, LIN_group"
    assert [each for each in of_orders(trade) if each[1] == "routed"] == [
        (f"{place} 1", "routed", "A1/1x"), (f"{place} 3", "routed", "A1/1z"), (f"{place} 2", "routed", "A1/1bad"),
    ]  # fmt: skip
    trade.close()


ADVISED = {
    **EACH,
    "config/partners.yaml": EACH["config/partners.yaml"].replace(
        b"{contrl: always", b"{contrl: always, aperak: always"
    ),
}
ALWAYS_GOOD = EACH_LINE.replace(b"article != 'bad'", b"true")


def errors(advice: str) -> list[str]:
    return [text.split("'")[0].replace("?:", ":") for text in advice.split("FTX+AAO+++")[1:]]


def test_all_that_is_wrong_with_the_documents_of_a_message_is_told_in_one_advice(tmp_path: Path) -> None:
    trade = Trade(tmp_path, ADVISED)
    trade.bring(lined("101", ["x", "bad", "z", "bad"], ["u", "v"]))
    bodies = told(trade)
    assert sorted(errors(body) for body in bodies) == [[], ["LIN_group 2: not this one", "LIN_group 4: not this one"]]
    assert told(trade, 7200) == bodies
    replaying.deploy(trade, "mappings/orders-in.yaml", ALWAYS_GOOD)
    replaying.run(trade, replaying.DEAD)
    [*before, last] = told(trade, 7200)
    assert before == bodies and "RFF+ACE:A1'" in last and errors(last) == []
    assert told(trade, 7200) == [*before, last]
    trade.close()


@pytest.mark.parametrize(("first", "together"), [(b"10s", True), (b"300s", False)])
def test_documents_of_a_message_wait_for_each_other_a_minute(tmp_path: Path, first: bytes, together: bool) -> None:
    routes = EACH["routes/trade.yaml"].replace(b"first: 10s", b"first: " + first).replace(b"cap: 60s", b"cap: 900s")
    trade = Trade(tmp_path, {**ADVISED, "mappings/orders-in.yaml": ALWAYS_GOOD, "routes/trade.yaml": routes})
    trade.target("erp").answers += [replaying.NO, Verdict(LATER, code="http_503", status=503), replaying.NO]
    trade.bring(lined("101", ["x", "y"]))
    assert told(trade) == []
    trade.wait(70)
    one, other = "LIN_group 1: the application", "LIN_group 2: the application"
    parts = [[text[:28] for text in errors(body)] for body in told(trade)]
    assert parts == ([[one, other]] if together else [[one]])
    trade.wait(400)
    parts = [[text[:28] for text in errors(body)] for body in told(trade)]
    assert parts == ([[one, other]] if together else [[one], [other]])


def replayed(trade: Trade) -> None:
    replaying.run(trade, Request(filter=Filter(state="dead"), begin="start"))


def test_a_replay_of_a_message_that_comes_as_several_documents_by_now_takes_all_of_them(tmp_path: Path) -> None:
    trade = Trade(tmp_path, {**NAMED, "mappings/orders-in.yaml": STRICT})
    trade.bring(lined("101", ["x", "y"], ["bad", "v"], ["z"]))
    assert [state for _, state, _ in of_orders(trade)] == ["routed", "dead", "routed"]
    replaying.deploy(trade, "mappings/orders-in.yaml", RIGHT)
    replayed(trade)
    place = "interchange 101, message 2, LIN_group"
    assert of_orders(trade)[3:] == [(f"{place} 1", "routed", "A2/1bad"), (f"{place} 2", "routed", "A2/1v")]
    trade.close()


def test_a_replay_of_a_part_that_is_none_by_now_is_a_dead_letter_that_says_so(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    trade.bring(lined("101", ["x", "bad", "z"], ["u"]))
    replaying.deploy(trade, "mappings/orders-in.yaml", STRICT)
    replayed(trade)
    place = "interchange 101, message 1, LIN_group 2"
    said = "SELECT failure ->> 'code', failure ->> 'detail' FROM receipts WHERE state = 'dead'"
    assert trade.rows(said) == [("no_such_message", f"{place} is nowhere in these bytes as they are read now")]
    replaying.deploy(trade, "mappings/orders-in.yaml", RIGHT)
    replayed(trade)  # the replay of that one, by the files that were right
    assert of_orders(trade)[-1] == (place, "routed", "A1/1bad")
    assert [report for _, state, report in of_orders(trade) if state == "routed"] == [
        "A1/1x", "A1/1z", "A2/1u", "A1/1bad",
    ]  # fmt: skip
    trade.close()


def test_a_replay_of_a_message_whose_interchange_is_refused_by_now_says_why(tmp_path: Path) -> None:
    trade = Trade(tmp_path, EACH)
    trade.bring(lined("101", ["x", "bad"], ["u"]))
    replaying.deploy(trade, "config/partners.yaml", ACKING.replace(b"5412345000013", b"777"))
    replaying.deploy(trade, "mappings/orders-in.yaml", RIGHT)
    replayed(trade)
    assert [(place, code) for place, code, _ in trade.failures()][1:] == [
        ("interchange 101, message 1, LIN_group 2", "unknown_partner")
    ]
    replaying.deploy(trade, "config/partners.yaml", ACKING)
    replayed(trade)
    assert [report for _, state, report in of_orders(trade) if state == "routed"] == ["A1/1x", "A2/1u", "A1/1bad"]
    trade.close()


@pytest.mark.parametrize(("first", "then"), [(EACH_LINE, STRICT), (STRICT, EACH_LINE)])
def test_a_message_that_broke_off_interchanges_bring_again_is_done_once_however_it_is_parted(
    tmp_path: Path, first: bytes, then: bytes
) -> None:
    trade = Trade(tmp_path, {**NAMED, "mappings/orders-in.yaml": first})
    whole = lined("101", ["x", "y"], ["z"], ["u", "v"])
    trade.bring(whole[: whole.index(b"UNH+3")])
    before = of_orders(trade)
    replaying.deploy(trade, "mappings/orders-in.yaml", then)
    trade.bring(whole)
    trade.bring(whole)
    assert {report[:2] for _, _, report in of_orders(trade)[len(before) :]} == {"A3"}
    trade.bring(lined("101", ["x", "y", "w"], ["z"], ["u", "v"]))
    place = "interchange 101, message 1"
    assert {code for place_, code, _ in trade.failures() if place_.startswith(place)} == {"control_number_used"}
    trade.close()


BETA = ACKING + ACKING[ACKING.index(b"acme:") : ACKING.index(b"northwind:")].replace(b"acme", b"beta").replace(
    b"5412345000013", b"777"
)
TWO = {**EACH, "config/partners.yaml": BETA, "routes/more.yaml": ROUTES.partition(b"- route: north")[0].replace(
    b"acme", b"beta")}  # fmt: skip


@pytest.mark.parametrize(("mapping", "code"), [(RIGHT, ""), (STRICT, "no_such_message")])
def test_of_two_messages_with_the_same_place_each_is_replayed_for_itself(
    tmp_path: Path, mapping: bytes, code: str
) -> None:
    trade = Trade(tmp_path, TWO)
    of_beta = lined("101", ["bad"]).replace(b"5412345000013", b"777").replace(b"A1", b"B1")
    trade.bring(lined("101", ["bad"], ["x", "y"]) + of_beta)
    replaying.deploy(trade, "mappings/orders-in.yaml", mapping)
    replayed(trade)
    again = [report for _, state, report in of_orders(trade)[4:] if state == "routed"]
    assert again == ([] if code else ["A1/1bad", "B1/1bad"])
    told = "interchange 101, message 1, LIN_group 1 is 2 times in these bytes, and none of them stands where it stood"
    said = "SELECT failure ->> 'code', failure ->> 'detail' FROM receipts WHERE state = 'dead'"
    assert trade.rows(said) == ([(code, told)] * 2 if code else [])
    trade.close()
