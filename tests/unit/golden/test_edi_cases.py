"""Cases of mappings from and to EDI: interchanges, messages that stand alone, segments alone, as text and as files."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.cases import rewritten
from hub.cases.edits import Wanted
from hub.golden import Bench
from tests.unit.golden.bench import bench, results

READS = b"""
mapping: NAME
version: 1
source: {format: SYNTAX, schema: SYNTAX/VERSION/TYPE}
target: {schema: canonical/stock_level}
output:
  report_id: REPORT
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    each: LINES
    as: l
    item: {item: {name: "NAMED"}, available_quantity: {value: {const: '1'}, unit_code: {const: C62}},
           location_id: {const: m}}
"""
WRITES = b"""
mapping: edifact-out
version: 1
source: {schema: canonical/stock_level}
target: {format: edifact, schema: edifact/D96A/ORDRSP}
output:
  BGM: {document: {code: {const: '231'}, number: src.report_id}, function: {const: '29'}}
  DTM: [{qualifier: {const: '137'}, value: {const: '20260305'}, format: {const: '102'}}]
  LIN_group:
    each: src.stock_lines
    as: l
    index: i
    item: {LIN: {line_number: text(i), action: {const: '5'}, item: {id: l.item.name, type: {const: EN}}}}
  UNS: {section: {const: S}}
"""
WRITES_X12 = b"""
mapping: x12-out
version: 1
source: {schema: canonical/stock_level}
target: {schema: x12/004010/855}
output:
  BAK:
    purpose: {const: '00'}
    acknowledgment_type: {const: AC}
    order_number: src.report_id
    date: {const: '20260305'}
"""


def reads(syntax: str, version: str, type: str, report: str, lines: str, named: str) -> bytes:
    words = {"SYNTAX": syntax, "VERSION": version, "TYPE": type, "REPORT": report, "LINES": lines, "NAMED": named,
             "NAME": f"{syntax}-in"}  # fmt: skip
    text = READS
    for word, value in words.items():
        text = text.replace(word.encode(), value.encode())
    return text


@pytest.fixture(scope="module")
def project() -> Bench:
    return bench(
        edifact_in=reads("edifact", "D96A", "ORDERS", "src.BGM.document.number", "src.LIN_group", "l.LIN.item.id"),
        x12_in=reads("x12", "004010", "850", "src.BEG.order_number", "src.PO1_loop", "l.PO1.items[0].id"),
        edifact_out=WRITES, x12_out=WRITES_X12,
    )  # fmt: skip


BODY = """BGM+220+4711+9'
DTM+137:20260305:102'
LIN+1++5?'s:EN'
UNS+S'
"""
MESSAGE = f"UNH+7+ORDERS:D:96A:UN'\n{BODY}UNT+6+7'\n"
INTERCHANGE = f"UNB+UNOC:3+A+B+260305:2230+9'\n{MESSAGE}UNZ+1+9'\n"
X12_BODY = "BEG*00*SA*4711**20260305~\nPO1*1*2*EA*3**VN*S-1~\nCTT*1~\n"
X12_MESSAGE = f"ST*850*0001~\n{X12_BODY}SE*5*0001~\n"
X12_INTERCHANGE = (
    "ISA*00*          *00*          *ZZ*A              *ZZ*B              *260305*2230*U*00401*000000009*0*P*>~\n"
    f"GS*PO*A*B*20260305*2230*1*X*004010~\n{X12_MESSAGE}GE*1*1~\nIEA*1*000000009~\n"
)
OTHER_SIGNS = "UNA;|,! *" + MESSAGE.translate(str.maketrans("+:'?", "|;*!")).replace("!*s", "'s")


def case(text: str, then: str = "", indent: str = "      ") -> str:
    block = "".join(f"{indent}{line}\n" for line in text.splitlines())
    return f"cases:\n  - name: x\n    input_text: |\n{block}    {then}\n"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("edifact-in", INTERCHANGE), ("edifact-in", MESSAGE), ("edifact-in", BODY), ("edifact-in", OTHER_SIGNS),
        ("edifact-in", BODY.rstrip("'\n")), ("edifact-in", "UNA:+.? '" + INTERCHANGE),
        ("x12-in", X12_INTERCHANGE), ("x12-in", X12_MESSAGE), ("x12-in", X12_BODY),
        ("x12-in", X12_MESSAGE.replace("~", "")), ("x12-in", X12_BODY.replace("*", "|")),
    ],
)  # fmt: skip
def test_an_input_is_an_interchange_a_message_or_its_segments(project: Bench, file: str, text: str) -> None:
    [result] = results(project, f"mappings/{file}.test.yaml", case(text))
    assert result.problem.startswith("nothing is expected yet"), result.problem
    assert result.update["expected"]["report_id"] == "4711"
    assert len(result.update["expected"]["stock_lines"]) == 1


def test_of_several_messages_the_case_says_which(project: Bench) -> None:
    two = MESSAGE + MESSAGE.replace("4711", "4712").replace("+7", "+8")
    [result] = results(project, "mappings/edifact-in.test.yaml", case(two, "record: 2"))
    assert result.update["expected"]["report_id"] == "4712"
    [open_] = results(project, "mappings/edifact-in.test.yaml", case(two))
    assert open_.problem == "the input holds 2 records; write which one is meant: record: 1"


@pytest.mark.parametrize(
    ("file", "text", "error"),
    [
        ("edifact-in", MESSAGE.replace("UNT+6", "UNT+5"), "UNT counts '5' segments; there are 6"),
        ("edifact-in", BODY.replace("DTM+137:2026", "DTM+137:20x6"), "segment 3 DTM"),
        ("edifact-in", MESSAGE.replace("ORDERS", "INVOIC"), "the message is of type INVOIC"),
        ("edifact-in", "Dear Sir", "the text begins with 'Dear Sir'; expected an interchange, a message from "),
        ("x12-in", X12_MESSAGE.replace("SE*5", "SE*6"), "SE counts '6' segments; there are 5"),
        ("x12-in", "order 4711", "a message from ST on, or its segments alone, such as BEG*00*SA*4711**20260305~"),
        ("x12-in", "-", "the text begins with '-'; expected an interchange"),
    ],
)  # fmt: skip
def test_a_faulty_input_is_told_as_the_hub_tells_it(project: Bench, file: str, text: str, error: str) -> None:
    [result] = results(project, f"mappings/{file}.test.yaml", case(text, f'error: "{error}"'))
    assert result.passed, (result.problem, result.differences)


STOCK = "input: {report_id: 'R+1', stock_lines: [{item: {name: '4000862141404'}}]}"
SENT = """UNH+1+ORDRSP:D:96A:UN'
BGM+231+R?+1+29'
DTM+137:20260305:102'
LIN+1+5+4000862141404:EN'
UNS+S'
UNT+6+1'
"""


def expected(text: str, given: str = STOCK) -> str:
    block = "".join(f"      {line}\n" for line in text.splitlines())
    return f"cases:\n  - name: x\n    {given}\n    expected_text: |\n{block}"


@pytest.mark.parametrize("text", [SENT, "\n".join(SENT.splitlines()[1:-1]), SENT.replace("\n", "")])
def test_what_is_expected_of_a_mapping_to_edi_is_written_as_edi(project: Bench, text: str) -> None:
    [result] = results(project, "mappings/edifact-out.test.yaml", expected(text))
    assert result.passed, (result.problem, result.differences)


def test_a_difference_in_edi_is_told_by_name_and_filled_in_as_lines(project: Bench) -> None:
    text = expected(SENT.replace("20260305", "20260306").replace("LIN+1+5", "LIN+1+3"))
    [result] = results(project, "mappings/edifact-out.test.yaml", text)
    date, action = result.differences
    assert (date.path, date.expected, date.seen) == ("DTM[0].value", "20260306", "20260305")
    assert (action.path, action.expected, action.seen) == ("LIN_group[0].LIN.action", "3", "5")
    assert action.origin.startswith("mappings/edifact-out.yaml:")
    assert (date.line, date.column) == (4, 20)
    assert result.update == {"expected_text": SENT}
    for before in (text, expected(SENT).partition("|")[0] + "x\n", expected(SENT).partition("|")[0] + "'x'\n"):
        assert rewritten(before, [Wanted(("cases", 0, "expected_text"), SENT)]) == expected(SENT)
    files = {**project.files, "mappings/sent.edi": b"BGM+231+R?+1+29'\nUNS+S'\n"}
    as_file = f"cases:\n- name: x\n  {STOCK}\n  expected_file: sent.edi\n"
    [result] = results(replace(project, files=files), "mappings/edifact-out.test.yaml", as_file)
    assert result.files == {"mappings/sent.edi": SENT.encode()}


def test_expected_edi_that_is_none_is_told_and_can_be_written_anew(project: Bench) -> None:
    [result] = results(project, "mappings/edifact-out.test.yaml", expected(SENT.replace("UNS", "UNX")))
    assert result.problem.startswith("what is expected cannot be compared: ")
    assert "UNX" in result.problem
    assert result.update == {"expected_text": SENT}


def test_what_is_not_fit_to_be_sent_is_told_by_the_grammars_names(project: Bench) -> None:
    given = "input: {report_id: R, stock_lines: [{item: {name: '40008621414041234567890123456789012345'}}]}"
    [result] = results(project, "mappings/edifact-out.test.yaml", expected(SENT, given))
    assert result.problem.startswith("the document breaks edifact/D96A/ORDRSP: LIN_group[0].LIN.item.id: ")


def test_x12_is_written_with_the_usual_delimiters_or_not_at_all(project: Bench) -> None:
    text = "ST*855*0001~\nBAK*00*AC*12*20260305~\nSE*3*0001~\n"
    [result] = results(project, "mappings/x12-out.test.yaml", expected(text, "input: {report_id: '12'}"))
    assert result.passed, (result.problem, result.differences)
    [result] = results(project, "mappings/x12-out.test.yaml", expected(text, "input: {report_id: '1*2'}"))
    assert result.problem == "what is expected cannot be compared: the data holds '*', which X12 cannot release: 1*2"
    assert not result.update
