"""What is written to banks and as statements of banks is valid by the schemas that ISO 20022 publishes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from iso_schemas import faults

from hub.formats import camt053, pain
from hub.formats._camt_kinds import VERSIONS
from hub.formats._camt_tables import ENTRY, TRANSACTION
from hub.formats._statements_outline import OUTLINE

GOLDEN = Path(__file__).parents[2] / "golden"
CAMT = sorted((GOLDEN / "camt053").glob("*.in"))


def document(path: Path) -> list[Any]:
    return [record.value for record in camt053.decode([path.read_bytes()], {"entries": 10_000})]  # type: ignore[union-attr]


def test_a_fault_is_seen() -> None:
    assert faults(camt053.EXAMPLE[0].replace(b"<Id>2026-060</Id>", b"")) != []


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", [("camt.052", "intraday"), ("camt.053", "statement"), ("camt.054", "notification")])
def test_a_statement_is_valid_in_every_version(kind: tuple[str, str], version: int) -> None:
    name, report_type = kind
    found = {**camt053.EXAMPLE[1], "report_type": report_type, "format": f"{name}.001.{version:02}"}
    if report_type == "notification":
        found = {name: value for name, value in found.items() if not name.endswith(("balance", "balances"))}
    if version == 2:  # it has no amounts of transactions of their own
        found["entries"] = [
            {**entry, "transactions": [_without(each) for each in entry["transactions"]]} for entry in found["entries"]
        ]
    assert faults(camt053.encode_one(found, {})) == []


def _without(transaction: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in transaction.items() if name not in ("amount", "credit_debit_indicator")}


@pytest.mark.parametrize("path", CAMT, ids=lambda path: path.stem)
def test_statements_are_valid_as_they_are_written_again(path: Path) -> None:
    assert faults(camt053.encode(document(path), {})) == []


@pytest.mark.parametrize("name", ["pain.001.001.03", "pain.001.001.09"])
def test_a_credit_transfer_is_valid(name: str) -> None:
    assert faults(pain.encode_one({**pain.EXAMPLE[1], "format": name}, {})) == []


AGENT = {"bic": "COBADEFFXXX"}
AVAILABLE = [{"date": "2026-03-10", "amount": {"amount": Decimal("9.33"), "currency": "EUR"}}]


@pytest.mark.parametrize("version", [3, 8, 12, 14])
def test_agents_between_and_what_is_available_are_read_as_they_were_written_and_valid(version: int) -> None:
    (entry,) = camt053.EXAMPLE[1]["entries"]
    available = [{**each, "credit_debit_indicator": "CRDT"} for each in AVAILABLE]
    transaction = {
        **entry["transactions"][0], "availability": available, "debtor_bic": "BYLADEM1001",
        "intermediary_agent_1": AGENT, "intermediary_agent_2": AGENT,
    }  # fmt: skip
    if version >= 12:
        amounts = [{"type_code": "DUPA", "amount": {"amount": Decimal("269.33"), "currency": "EUR"}}]
        transaction["remittance_structured"] = [{"amounts": amounts}]
    found = {
        **camt053.EXAMPLE[1],
        "format": f"camt.053.001.{version:02}",
        "entries": [{**entry, "availability": available, "transactions": [transaction]}],
    }
    raw = camt053.encode_one(found, {})
    assert faults(raw) == []
    assert camt053.decode_one(raw, {}) == found


def test_every_field_that_is_read_stands_in_the_outline() -> None:
    for table, outline in ((ENTRY, _inside("entries")), (TRANSACTION, _inside("entries", "transactions"))):
        read = {name for version in VERSIONS for name in table.names(version)} - {"batches", "transactions"}
        assert {name for name in read if not name.endswith("_exchange")} - set(outline) == set()


def _inside(*names: str) -> dict[str, Any]:
    found: Any = OUTLINE
    for name in names:
        found = found.fields[name].element
    return dict(found.fields)
