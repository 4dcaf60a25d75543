"""Invoices and credit notes under one message type: the routes that the how-to shows, each with its mapping."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from hub.golden import Bench
from hub.project import reference_files
from hub.yamldoc import parse_yaml
from tests.unit.golden.bench import FILES, results

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/partners.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"^```yaml\n# (\S+)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
SYSTEMS = "".join(
    f"{name}: {{connector: http, base_url: 'https://{name}.example', idempotency: {{mode: native}}, "
    "verify: {method: none, unsigned: true}}\n"
    for name in ("acme-sftp", "van", "erp")
)


@cache
def project(without: str = "") -> Bench:
    routes = re.sub(rf"- route: {without}\n.*?(?=- route|\Z)", "", BLOCKS["routes/acme-invoices.yaml"], flags=re.DOTALL)
    own = {
        "config/hub.yaml": FILES["config/hub.yaml"], "config/systems.yaml": SYSTEMS.encode(),
        "config/partners.yaml": BLOCKS["config/partners.yaml"].encode(), "routes/r.yaml": routes.encode(),
    }  # fmt: skip
    library = {name: raw for name, raw in reference_files().items() if name.startswith(("schemas/", "mappings/"))}
    return Bench.of({**library, **own}, Path("nowhere"), None, None, own)


def case(mapping: str, number: int) -> tuple[str, str]:
    """The message of a case of a shipped mapping, and the seller and number of the document that it becomes."""
    path = ROOT / "mappings" / f"{mapping}.test.yaml"
    found = parse_yaml(path.read_text(encoding="utf-8"), path.name).data()["cases"][number]
    expected = found["expected"]
    return found[
        "input_text"
    ], f"{expected['seller']['party_id']}:{expected.get('credit_note_id') or expected['invoice_id']}"


def interchange(text: str) -> str:
    segments = text.split("\n")
    if text.startswith("BGM"):
        head = "UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+101'\nUNH+1+INVOIC:D:96A:UN'\n"
        return f"{head}{text}UNT+{len(segments) + 1}+1'\nUNZ+1+101'\n"
    sides = f"ZZ*{'NORTHWIND':15}*ZZ*{'4012345000':15}"
    isa = f"ISA*00*{'':10}*00*{'':10}*{sides}*260305*0930*U*00401*000000101*0*P*>~"
    return (
        f"{isa}\nGS*IN*NWSTORES*EXAMPLE*20260305*0930*101*X*004010~\nST*810*0001~\n{text}"
        f"SE*{len(segments) + 1}*0001~\nGE*1*101~\nIEA*1*000000101~\n"
    )


def taken(route: str, text: str, expected: str, without: str = "") -> list[str]:
    """What differs from what is expected of a message, in the project less a route."""
    body = "".join(f"      {line}\n" for line in interchange(text).split("\n"))
    cases = f"cases:\n- name: x\n  route: {route}\n  receives:\n    body_text: |\n{body}  expected:\n{expected}"
    [result] = results(project(without), "routes/r.test.yaml", cases)
    return [f"{each.path}: {each.seen}" for each in result.differences] or [result.problem] * bool(result.problem)


@pytest.mark.parametrize(
    ("route", "mapping", "number"),
    [
        ("acme-invoices", "edifact/edifact-invoice", 1),
        ("acme-credit-notes", "edifact/edifact-credit-note", 0),
        ("acme-credit-notes", "edifact/edifact-credit-note", 1),
        ("northwind-invoices", "x12/x12-invoice", 0),
        ("northwind-credit-notes", "x12/x12-810-credit-note", 0),
    ],
)
def test_each_kind_goes_by_the_route_that_takes_it(route: str, mapping: str, number: int) -> None:
    text, document = case(mapping, number)
    scheme = "credit_note" if "credit" in route else "invoice"
    assert taken(route, text, f"    key: '{scheme}:{document}'\n    deliveries: [{{to: erp}}]\n") == []


def test_a_kind_that_no_route_takes_is_named() -> None:
    text, _ = case("edifact/edifact-invoice", 1)
    detail = "no route takes a message of the type 'INVOIC' and the kind '380' from partner 'acme'"
    expected = f'    state: dead\n    error: {{code: no_route, detail: "{detail}"}}\n    deliveries: []\n'
    assert taken("acme-credit-notes", text, expected, without="acme-invoices") == []


@pytest.mark.parametrize(
    ("partner", "type", "told"),
    [("acme", "INVOIC", True), ("acme", "INVO", False), ("acme", "ORDERS", False), ("nobody", "INVOIC", False)],
)
def test_a_partner_tells_kinds_of_the_types_of_which_a_route_takes_one_alone(
    partner: str, type: str, told: bool
) -> None:
    assert project().program.tells_kinds(partner, type) is told
