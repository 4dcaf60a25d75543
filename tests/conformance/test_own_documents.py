"""What the hub writes is judged by a project's rules: what is wrong with it is told, and only that."""

from __future__ import annotations

import re
from typing import Any

import own_documents
import pytest

FEW = {"SEEDS": range(1), "OF_EACH": 4, "OF_OTHERS": 1}


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in FEW.items():
        monkeypatch.setattr(own_documents, name, value)


def test_all_that_is_written_is_judged_and_nothing_is_wrong_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert own_documents.main() == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    kinds = {(row[0], row[1]) for row in rows if row and row[1:2] in (["ubl"], ["cii"])}
    assert {
        ("invoice", "ubl"),
        ("invoice", "cii"),
        ("credit_note", "cii"),
        ("order", "ubl"),
        ("product", "ubl"),
    } <= kinds
    judged = {row[2]: int(row[-1]) for row in rows if row[:2] == ["judged", "by"]}
    assert judged["EN16931-UBL-validation.xslt"] == 4


def test_what_is_wrong_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    right = own_documents.written

    def wrong(*given: Any) -> bytes:
        return re.sub(rb"(<cbc:InvoiceTypeCode>)\d+", rb"\g<1>999", right(*given))

    monkeypatch.setattr(own_documents, "written", wrong)
    assert own_documents.main() == 1
    assert "invoice '0-0' as ubl\n    told [BR-CL-01]; expected ok\n" in capsys.readouterr().out
