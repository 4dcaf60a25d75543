"""Presets are data: each is the keys of a system with defaults, and each makes a verifier once it has its secret."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

import connectors
from connectors._answer import Answer
from connectors._verdicts import Judge
from connectors.base import DELIVERED, DOUBT, Field
from connectors.webhook import Verifier
from hub.mapping import compile_expression
from hub.yamldoc import did_you_mean

FILES = sorted((Path(__file__).parents[3] / "connectors" / "presets").glob("*.yaml"))
COMMON = {
    "preset",
    "description",
    "connector",
    "format",
    "event",
    "events",
    "dedupe",
    "ignore",
    "kind",
    "mappings",
    "proved",
}


def unknown(settings: dict[str, Any], fields: tuple[Field, ...]) -> set[str]:
    known = {field.name: field for field in fields}
    below = [
        name for key, value in settings.items()
        if isinstance(value, dict) and key in known and known[key].kind == "group"
        for name in unknown(value, known[key].fields)
    ]  # fmt: skip
    return (set(settings) - set(known)) | set(below)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_a_preset_names_itself_and_only_settings_there_are(path: Path) -> None:
    preset = yaml.safe_load(path.read_text())
    assert preset["preset"] == path.stem
    assert preset["description"]
    assert preset["proved"] in ("real", "double", "documented")
    fields = connectors.connector(preset["connector"]).FIELDS
    if preset["connector"] == "http":  # what is sent to may also send webhooks
        fields = (*fields, *connectors.connector("webhook").FIELDS)
    assert not unknown({key: value for key, value in preset.items() if key not in COMMON}, fields)


ASPECTS = {  # what a preset says of how a system is used, or why it does not: "# No limits, probe: its reason"
    "http": ("auth", "probe", "paging", "success", "idempotency", "limits"),
    "webhook": ("verify", "event", "dedupe"),
    "sftp": ("fetch", "send", "idempotency", "connections"),
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.stem))
def test_what_a_preset_leaves_out_has_a_reason(path: Path) -> None:
    text = path.read_text()
    preset = yaml.safe_load(text)
    said = {*preset, *({"paging"} & {*preset.get("fetch", {})})}
    reasons = {word for line in re.findall(r"^# No ([a-z, ]+): \w", text, re.MULTILINE) for word in line.split(", ")}
    expected = {*ASPECTS[preset["connector"]], *(ASPECTS["webhook"] if "verify" in preset else ())}
    assert said | reasons >= expected
    assert not said & reasons


@pytest.mark.parametrize(
    ("preset", "event"),
    [("shopify", "returns/update"), ("shopify", "customers/redact"), ("shopify", "fulfillment_orders/moved"),
     ("stripe", "checkout.session.async_payment_succeeded"), ("stripe", "invoice.overpaid"),
     ("stripe", "charge.refund.updated"), ("adyen", "ORDER_CLOSED"), ("adyen", "PAIDOUT_REVERSED")],
)  # fmt: skip
def test_an_event_that_its_maker_documents_is_not_told_as_misspelt(preset: str, event: str) -> None:
    events = yaml.safe_load(next(path for path in FILES if path.stem == preset).read_text())["events"]
    assert event in events or "did you mean" not in did_you_mean(event, events)


PAGE = b'<!DOCTYPE html><script>{"id": 7, "error": "none", "data": 1, "result": 1}</script>'


@pytest.mark.parametrize("preset", ["woocommerce-rest", "wms-json", "tms-json", "stripe-api", "json-rpc", "graphql"])
def test_a_page_for_people_is_neither_success_nor_final_whatever_words_it_holds(preset: str) -> None:
    settings = yaml.safe_load(next(path for path in FILES if path.stem == preset).read_text())
    names = ("status", "body", "headers")
    success, permanent = (
        compile_expression(settings[role], file=f"{preset}.yaml", line=1, column=1, names=names)
        if role in settings else None for role in ("success", "permanent")
    )  # fmt: skip
    judge = Judge(success, permanent, None)
    bodies = (PAGE, b'{"id": 7, "result": 7, "data": {"id": 7}}')
    verdicts = [judge.of_delivery(Answer(200, {}, body), 0.0, 0.0) for body in bodies]
    assert [(each.kind, each.code) for each in verdicts] == [(DOUBT, "error_in_success"), (DELIVERED, "")]
    assert "body is text, not an object" in verdicts[0].detail


def test_a_preset_holds_no_secret_and_needs_one() -> None:
    for path in FILES:
        preset = yaml.safe_load(path.read_text())
        assert "secrets" not in preset.get("verify", {})
        if "verify" in preset:
            preset["verify"] |= {"secrets": ["00ff" * 12], "tolerance": 300.0}
            Verifier(preset)
