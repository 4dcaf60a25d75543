"""APERAK and 824: what partners are told of their messages by content, and what becomes of what they tell us."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from acknowledging import ACKING
from replaying import ANNA, NO, adds_up, deploy
from test_replay_plans import work_of
from trading import ORDERS_IN, PARTNERS, Trade, orders, purchase

from connectors.base import LATER, Verdict
from hub import replay
from hub.formats import edifact, x12
from hub.grammars import Grammars, Interpreter
from hub.message import Advised, Subject, lane_seq
from hub.pipeline.advices import tell_partners
from hub.project import reference_files
from hub.replay import Request
from hub.store import advices, interchanges, is_shared
from hub.store.search_terms import Filter

POLICY = (
    PARTNERS.replace(b"  directory: D96A\n", b"  directory: D96A\n  ack: {aperak: on_error}\n")
    .replace(b'  directory: "004010"\n', b'  directory: "004010"\n  ack: {"824": on_error}\n')
)  # fmt: skip
ALWAYS = POLICY.replace(b"on_error", b"always")
STRICT = ORDERS_IN.replace(
    b"report_id: src.segments[1][2]",
    b"report_id: require(src.segments[1][2], not starts_with(src.segments[1][2], 'X'), 'orders must not begin with X')",
)
GRAMMARS = Grammars(reference_files())


@pytest.fixture
def partners() -> bytes:
    return POLICY


@pytest.fixture
def trade(make_trade: Callable[..., Trade], partners: bytes) -> Trade:
    trade = make_trade(partners)
    deploy(trade, "mappings/orders-in.yaml", STRICT)
    return trade


def told(trade: Trade, seconds: float = 3.0) -> list[str]:
    """Let the hub tell what there is to tell after a while; the advices that went out, from behind their headers."""
    trade.wait(seconds)
    tell_partners(trade.engine)
    trade.run()
    bodies = [parcel.body.decode() for parcel in trade.target("van").sent]
    return [body[body.index(kind) :] for body in bodies for kind in ("APERAK", "ST*824") if kind in body]


def faults_in(body: bytes) -> list[str]:
    """What our own grammars find in an interchange."""
    reader = x12 if body.startswith(b"ISA") else edifact
    interpreter = Interpreter(GRAMMARS)
    found = []
    for interchange in reader.read([body], strict=True, interpret=interpreter):
        found += [str(fault) for message in interchange.messages() for fault in message.faults]
        found += [str(fault) for fault in interchange.faults]
    return found


def place(trade: Trade, seq: int = 1, position: int = 1) -> int:
    return (seq << 20) | position


def test_a_requirement_that_does_not_hold_goes_back_as_an_aperak(trade: Trade) -> None:
    trade.bring(orders("101", "A", "X-1"))
    [body] = told(trade)
    assert body == (
        f"APERAK:D:96A:UN'BGM++R{place(trade, 1, 2)}+27'DTM+137:202609211613:203'RFF+ACE:X-1'DTM+171:20260305:102'"
        "RFF+ACW:2'RFF+AGO:101'ERC+RULE'FTX+AAO+++orders must not begin with X'UNT+10+2'UNZ+1+2'"
    )
    assert [faults_in(parcel.body) for parcel in trade.target("van").sent if b"APERAK" in parcel.body] == [[]]
    assert told(trade) == [body]
    adds_up(trade)


def test_it_goes_back_as_an_824_in_x12(trade: Trade) -> None:
    trade.bring(purchase(7, "X-1"))
    [body] = told(trade)
    assert body == (
        f"ST*824*0001~BGN*11*R{place(trade)}*20260921*1413~OTI*TR*PO*PO1*NWSTORES*EXAMPLE*20260305**7*0001*850*004010~"
        "TED*024*orders must not begin with X~SE*5*0001~GE*1*1~IEA*1*000000001~"
    )
    assert [faults_in(parcel.body) for parcel in trade.target("van").sent] == [[]]


def test_a_text_that_holds_delimiters_or_other_letters_is_sent_all_the_same(trade: Trade) -> None:
    odd = STRICT.replace(b"must not begin with X", 'may* ~not> begin:with "X" \u20ac'.encode())
    deploy(trade, "mappings/orders-in.yaml", odd)
    trade.bring(purchase(7, "X-1"), orders("101", "X-1"))
    texts = sorted(body.partition("rders ")[2].partition("UNT")[0].partition("~SE")[0] for body in told(trade))
    assert texts == ['may not begin:with "X" \u20ac', """may* ~not> begin?:with "X" ??'"""]


def test_a_partner_that_has_capitals_alone_is_told_in_capitals(make_trade: Callable[..., Trade]) -> None:
    acme, northwind = b"acme:\n", b"northwind:\n"
    capitals = POLICY.replace(acme, acme + b"  charset: UNOA\n").replace(northwind, northwind + b"  charset: basic\n")
    trade = make_trade(capitals)
    deploy(trade, "mappings/orders-in.yaml", STRICT.replace(b"begin with X'", b"begin with X_'"))
    trade.bring(orders("101", "X-1"), purchase(7, "X-1"))
    bodies = sorted(told(trade))
    assert "'FTX+AAO+++ORDERS MUST NOT BEGIN WITH X'" in bodies[0]
    assert "~TED*024*ORDERS MUST NOT BEGIN WITH X~" in bodies[1]


def test_what_the_mapping_itself_cannot_do_is_ours_and_is_not_told(trade: Trade) -> None:
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN.replace(b"src.segments[1][2]", b"text(src.segments[1][2] - 1)"))
    trade.bring(orders("101", "A"))
    assert [state for _, state, _ in trade.messages()] == ["dead"]
    assert told(trade) == []


def test_what_a_contrl_rejects_is_not_told_once_more(trade: Trade) -> None:
    trade.bring(orders("101", "A", bad="A"))
    assert told(trade) == []


@pytest.mark.parametrize("code", ["UNKNOWN", "SCHEMA"])
def test_a_text_tells_what_the_message_held_and_nothing_of_ours(trade: Trade, code: str) -> None:
    company = b"time_zone: UTC\ncompany: {party_id: self, name: Example GmbH, vat_id: DE111222333}\n"
    deploy(trade, "config/hub.yaml", company)
    if code == "UNKNOWN":
        deploy(trade, "mappings/tables/articles.csv", b"key,value\nKNOWN,1\n")
        mapping = ORDERS_IN.replace(b"src.segments[1][2]", b"lookup(src.segments[1][2], 'articles')")
        mapping = mapping.replace(b"output:", b"tables: [articles]\noutput:")
    else:
        mapping = ORDERS_IN.replace(b"{const: full}", b"company.vat_id")
    deploy(trade, "mappings/orders-in.yaml", mapping)
    trade.bring(orders("101", "A-7"))
    [body] = told(trade)
    assert f"ERC+{code}'" in body
    assert "DE1112" not in body
    assert "articles" not in body
    assert ("A-7" in body.partition("ERC")[2]) is (code == "UNKNOWN")


def test_the_refusal_of_an_application_is_told_without_its_words(trade: Trade) -> None:
    trade.target("erp").answers.append(NO)
    trade.bring(orders("101", "A", "B"))
    [body] = told(trade)
    assert "RFF+ACE:A'" in body
    assert "ERC+REFUSED'FTX+AAO+++the application that it was given to refuses it (http_422)'" in body
    adds_up(trade)


def test_a_partner_that_refuses_our_answer_hears_nothing_of_it(trade: Trade) -> None:
    trade.target("van").answers.append(NO)
    trade.bring(orders("101", "A"))
    assert ("acme", "dead") in trade.states()
    assert told(trade) == []


def test_nothing_is_told_while_the_outcome_is_open_nor_of_success_on_error_only(trade: Trade) -> None:
    trade.target("erp").answers.extend([Verdict(LATER, code="http_503", status=503)])
    trade.bring(orders("101", "A"))
    assert told(trade) == []
    assert [state for _, state in trade.states()] == ["delivered", "retrying"]
    trade.wait(10)
    assert told(trade) == []
    assert trade.rows("SELECT told, look_at FROM advices") == [("", None)]


def replayed(trade: Trade, begin: str) -> None:
    planned = replay.plan(trade.engine, Request(filter=Filter(state="dead"), begin=begin), ANNA)
    replay.start(trade.engine, planned.replay_id, planned.plan_hash, ANNA)
    trade.run()


def test_a_replay_that_fails_again_is_not_told_again(trade: Trade) -> None:
    trade.bring(orders("101", "X-1"))
    assert len(told(trade)) == 1
    replayed(trade, "start")
    assert [state for _, state, _ in trade.messages()] == ["dead", "routed", "dead"]
    assert len(told(trade, 7200)) == 1


@pytest.mark.parametrize(("policy", "count"), [(POLICY, 1), (ALWAYS, 2)])
@pytest.mark.parametrize("begin", ["start", "failed_step"])
def test_a_replay_that_succeeds_is_an_acceptance_where_the_partner_wants_each(
    make_trade: Callable[..., Trade], policy: bytes, count: int, begin: str
) -> None:
    trade = make_trade(policy)
    if begin == "start":
        deploy(trade, "mappings/orders-in.yaml", STRICT)
    else:
        trade.target("erp").answers.append(NO)
    trade.bring(orders("101", "X-1"))
    [first] = told(trade)
    assert "+27'" in first
    deploy(trade, "mappings/orders-in.yaml", ORDERS_IN)
    replayed(trade, begin)
    bodies = told(trade, 7200)
    told(trade, 7200)
    assert [("27'" in body, "29'" in body) for body in bodies] == [(True, False), (False, True)][:count]
    assert len(told(trade, 7200)) == count
    assert "ERC" not in bodies[-1] or count == 1
    adds_up(trade)


def test_each_is_accepted_where_the_partner_wants_each(make_trade: Callable[..., Trade]) -> None:
    trade = make_trade(ALWAYS)
    trade.bring(orders("101", "A", "B"), purchase(7, "C"))
    bodies = told(trade)
    assert sorted(body[:12] for body in bodies) == ["APERAK:D:96A", "APERAK:D:96A", "ST*824*0002~"]
    assert [("+29'" in body or "OTI*TA*" in body) for body in bodies] == [True] * 3
    assert [faults_in(p.body) for p in trade.target("van").sent if b"824" in p.body or b"APERAK" in p.body] == [[]] * 3
    trade.bring(orders("101", "A", "B"))
    assert len(told(trade)) == 3


def test_a_retry_sends_the_same_bytes(trade: Trade) -> None:
    trade.bring(orders("101", "X-1"))
    trade.target("van").answers.extend([Verdict(LATER, code="http_503", status=503)] * 2)
    told(trade)
    bodies = told(trade, 3600)
    assert len(bodies) == 2
    assert len(set(told(trade, 3600))) == 1


@pytest.mark.parametrize("begin", ["start", "failed_step"])
def test_one_that_the_partner_refused_can_be_replayed(trade: Trade, begin: str) -> None:
    trade.bring(orders("101", "X-1"))
    trade.target("van").answers.append(NO)
    assert len(told(trade)) == 1
    planned = replay.plan(trade.engine, Request(filter=Filter(destination="van"), begin=begin), ANNA)
    replay.start(trade.engine, planned.replay_id, planned.plan_hash, ANNA)
    trade.run()
    bodies = told(trade)
    assert [body.count("ERC+RULE") for body in bodies] == [1, 1]
    assert trade.rows("SELECT count(*) FROM deliveries WHERE state = 'delivered'") == [(1,)]
    adds_up(trade)


def test_a_crash_before_it_is_told_loses_nothing(trade: Trade) -> None:
    trade.bring(orders("101", "X-1"))
    trade.crash("w2")
    assert len(told(trade)) == 1
    trade.crash("w3")
    assert len(told(trade)) == 1


# -- from the partner ----------------------------------------------------------------------------------------------


def aperak(number: int, function: str, document: str, errors: str = "") -> bytes:
    """An interchange of acme with an APERAK about a document of ours."""
    body = f"BGM+313+P-{number}+{function}'DTM+137:202603051200:203'RFF+ACE:{document}'{errors}"
    count = 2 + body.count("'")
    return (
        f"UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+{number}'UNH+1+APERAK:D:96A:UN'{body}"
        f"UNT+{count}+1'UNZ+1+{number}'"
    ).encode()


def advice_824(number: int, oti: str, more: str = "") -> bytes:
    """An interchange of northwind with an 824 about a document of ours."""
    isa = purchase(number).partition(b"GS*")[0].decode()
    body = f"BGN*11*P-{number}*20260305~{oti}~{more}"
    count = 2 + body.count("~")
    group = f"GS*AG*NWSTORES*EXAMPLE*20260305*0930*{number}*X*004010~ST*824*0001~{body}SE*{count}*0001~GE*1*{number}~"
    return f"{isa}{group}IEA*1*{number:09}~".encode()


def answers(trade: Trade, partner: str = "acme") -> list[tuple[str, str]]:
    rows = interchanges.listed(trade.store.reader(), partner, 100)
    return [(row["document"], row["answer"]) for row in rows if row["document"]][::-1]


def test_an_acceptance_is_noted_with_the_interchange(trade: Trade) -> None:
    trade.bring(orders("101", "A", "B"))
    trade.bring(aperak(102, "29", "R-B"))
    assert answers(trade) == [("R-A", ""), ("R-B", "accepted")]
    assert trade.failures() == []
    assert trade.messages()[-1] == ("APERAK", "filtered", "")


def test_a_rejection_is_a_dead_letter_in_the_partners_words(trade: Trade) -> None:
    trade.bring(orders("101", "A"))
    errors = "ERC+12'FTX+AAO+++price is too high:for item 3'RFF+LI:3'ERC+13'FTX+AAO+++no such delivery date'"
    trade.bring(aperak(102, "27", "R-A", errors))
    assert answers(trade) == [("R-A", "rejected")]
    assert trade.failures() == [(
        "interchange 102, message 1", "rejected_by_partner",
        "partner 'acme' has rejected our document R-A: 12: price is too high for item 3; line 3; 13: no such delivery "
        "date",
    )]  # fmt: skip
    adds_up(trade)


def test_an_824_is_matched_by_group_or_document_and_told_in_words(trade: Trade) -> None:
    trade.bring(purchase(7, "A"), purchase(8, "B"))
    group = trade.rows("SELECT group_number FROM interchanges_sent WHERE document = 'A'")[0][0]
    oti = f"OTI*TR*PO*UNKNOWN*EXAMPLE*NWSTORES*20260305**{group}*0001*855*004010"
    trade.bring(advice_824(9, oti, "TED*024*not ordered*BAK*2*3**A~NTE**ask Jo~"), advice_824(10, "OTI*TA*PO*B"))
    assert answers(trade, "northwind") == [("A", "rejected"), ("B", "accepted")]
    assert [detail for _, _, detail in trade.failures()] == [
        "partner 'northwind' has rejected our document UNKNOWN: 024, segment 2 BAK, element 3: not ordered, seen 'A' "
        "ask Jo"
    ]


def test_what_is_about_nothing_of_ours_says_so_beside_the_partners_words(trade: Trade) -> None:
    trade.bring(aperak(102, "27", "Z-9", "ERC+12'FTX+AAO+++unknown'"), aperak(103, "29", "Z-8"))
    assert [(code, detail) for _, code, detail in trade.failures()] == [
        ("acknowledges_nothing",
         "partner 'acme' has rejected our document Z-9: 12: unknown; our document Z-9 was never sent to it"),
        ("acknowledges_nothing", "partner 'acme' acknowledges our document Z-8, which was never sent to it"),
    ]  # fmt: skip
    adds_up(trade)


def test_an_advice_is_not_advised_nor_awaited(make_trade: Callable[..., Trade]) -> None:
    policy = ACKING.replace(b"ack: {contrl: always,", b"ack: {contrl: never, aperak: always,")
    trade = make_trade(policy)
    trade.bring(orders("101", "A"))
    told(trade)
    before = len(trade.target("van").sent)
    trade.bring(aperak(102, "29", "R-A"))
    told(trade)
    assert len(trade.target("van").sent) == before
    assert trade.rows("SELECT type, ack_within FROM interchanges_sent ORDER BY interchange") == [
        ("ORDRSP", 86400.0), ("APERAK", None),
    ]  # fmt: skip


def test_what_a_message_became_is_found_at_the_same_cost_however_many_came_with_it(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [*range(1000), 1000, 1000, *range(1000, 2000)]  # the message 1000 has become three documents
    rows = [
        Advised(lane_seq(5, place), "acme", f"m{place}", Subject("ORDERS", "D96A", reference=str(number)))
        for place, number in enumerate(numbers)
    ]
    trade.store.write(lambda db: advices.put(db, rows, 1.0))
    if is_shared(trade.store.url):
        trade.store.write(lambda db: db.execute("ANALYZE advices"))
    found: dict[int, list[str]] = {}
    with work_of(trade, monkeypatch) as work:
        for at in (0, 1001, 2001):
            one = advices.Waiting(rows[at].place, "acme", "", rows[at].subject, "", 1.0)
            found[at] = [each.message_id for each in trade.store.write(lambda db, one=one: advices.siblings(db, one))]
    assert found == {0: ["m0"], 1001: ["m1000", "m1001", "m1002"], 2001: ["m2001"]}
    assert [(count, text) for count, text in work if count > 600] == []
    assert len(work) >= 3
