"""What ``o2c doctor`` says of trading partners: each line with what to do."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from program import new_project, o2c

SYSTEMS = """
van:
  connector: file
  root: data/van
  send: {folder: out, name: '{key}.edi'}
  fetch: {folder: in, pattern: '*.edi'}
"""
PARTNERS = """
acme:
  system: van
  syntax: edifact
  us: {id: "4012345000009", qualifier: "14"}
  them: {id: "5412345000013", qualifier: "14"}
  directory: D96A
  overlays: {ORDCHG: edifact/acme/ORDCHG}
  ack: {contrl: always}
"""
ROUTE = """
route: acme-orders
from: {partner: acme, event: [ORDERS 220, ORDCHG]}
map: acme-order
to: [{system: erp}]
"""
MAPPING = """
mapping: acme-order
version: 1
target: {schema: canonical/stock_level}
output:
  report_id: {const: "1"}
  as_of: "'2026-03-05T10:00:00Z'"
  report_type: {const: full}
  stock_lines:
    - item: {name: src.partner}
      available_quantity: {value: {const: "1"}, unit_code: {const: C62}}
      location_id: {const: main}
"""
OVERLAY = "title: Order change of acme\nextends: edifact/D96A/ORDCHG\nremove: [FTX]\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = new_project(tmp_path, "shop")
    for path, text in {
        "config/partners.yaml": PARTNERS, "routes/acme.yaml": ROUTE, "mappings/acme-order.yaml": MAPPING,
        "schemas/edifact/acme/ORDCHG.yaml": OVERLAY,
    }.items():  # fmt: skip
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    with (root / "config/systems.yaml").open("a") as file:
        file.write(SYSTEMS)
    for folder in ("in", "out"):
        (root / "data/van" / folder).mkdir(parents=True)
    return root


def told(project: Path) -> list[str]:
    ended = o2c(project, "doctor")
    return [line for line in ended.stdout.splitlines() if " partner acme: " in line]


def test_each_thing_a_partner_needs_has_a_line(project: Path) -> None:
    assert told(project) == [
        "ok      partner acme: its system van: can be reached",
        "ok      partner acme: is fetched from data/van/in",
        "ok      partner acme: takes ORDERS 220/ORDCHG by acme-orders",
        "ok      partner acme: ORDCHG is read by edifact/acme/ORDCHG",
        "warning partner acme: ORDERS is read without a grammar: only its envelope is checked; name one in "
        "the mapping, "
        "source: {schema: …}, or under overlays: of the partner",
        "ok      partner acme: nothing was sent to it yet",
    ]


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        ("rm -r data/van/out",
         "warning partner acme: its system van: the folder data/van/out is not there; messages wait for it "
         "and are tried again"),
        ("rm -r data/van/in",
         "warning partner acme: the folder data/van/in it is fetched from is not there; mkdir -p data/van/in"),
        ("sed -i '/send: .folder: out/d' config/systems.yaml",
         "fault   partner acme: it is to get acknowledgements (contrl), and system 'van' sends nothing; say "
         "where to in con"
         "fig/systems.yaml"),
        ("sed -i 's/system: van/system: vam/' config/partners.yaml",
         "fault   partner acme: its system 'vam' is not there; write it to config/systems.yaml, or another to "
         "config/partners.yaml"),
        ("rm routes/acme.yaml",
         "warning partner acme: no route takes anything from it: each message becomes a dead letter; write a route "
         "with from: {partner: acme, event: ORDERS}"),
        ("rm schemas/edifact/acme/ORDCHG.yaml",
         "fault   partner acme: ORDCHG: there is no grammar 'edifact/acme/ORDCHG'; write schemas/edifact/acme/"
         "ORDCHG.yaml, or name another in config/partners.yaml"),
        ("sed -i 's/FTX/FTXX/' schemas/edifact/acme/ORDCHG.yaml",
         "fault   partner acme: ORDCHG: grammar edifact/acme/ORDCHG: schemas/edifact/acme/ORDCHG.yaml:3:10: error: "),
        ("rm mappings/acme-order.yaml",
         "fault   partner acme: the mapping 'acme-order' of route 'acme-orders' is not there or wrong; see: o2c check"),
    ],
)  # fmt: skip
def test_what_is_missing_is_named_with_what_to_do(project: Path, spoil: str, line: str) -> None:
    subprocess.run(["bash", "-c", spoil], cwd=project, check=True)
    lines = told(project)
    assert any(each.startswith(line) for each in lines), lines


def test_a_secret_that_a_partner_proves_itself_with_is_looked_for(project: Path) -> None:
    proved = PARTNERS.replace('qualifier: "14"}', 'qualifier: "14", password: secret://file/acme}', 1)
    (project / "config/partners.yaml").write_text(proved)
    missing = "fault   secret: secret://file/acme: cannot read acme in the secrets folder: No such file or directory"
    assert [line.partition(";")[0] for line in o2c(project, "doctor").stdout.splitlines() if "/acme:" in line] == [
        missing
    ]
    (project / ".o2c/secrets").mkdir(parents=True, exist_ok=True)
    (project / ".o2c/secrets/acme").write_text("letmein\n")
    ended = o2c(project, "doctor")
    assert "ok      secret: secret://file/acme is there" in ended.stdout
    assert "letmein" not in ended.stdout + ended.stderr
    (project / "in.edi").write_text(
        "UNB+UNOC:3+5412345000013:14+4012345000009:14+260305:0930+1'UNH+1+ORDERS:D:96A:UN'BGM+220+A+9'UNT+3+1'UNZ+1+1'"
    )
    assert "+1+***'" in o2c(project, "ack", "in.edi").stdout
