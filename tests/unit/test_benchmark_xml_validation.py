"""The invoice that validation is measured with: valid, whatever its number of lines."""

from __future__ import annotations

import pytest

from benchmarks.xml_validation import ubl_invoice
from hub.profiles.judge import Judge
from hub.project import reference_files


@pytest.mark.parametrize("lines", [1, 20, 333])
def test_the_measured_invoice_is_valid(lines: int) -> None:
    verdict = Judge(reference_files()).verdict("ubl-invoice", ubl_invoice(lines))
    assert verdict.faults == ()
    assert ubl_invoice(lines).count(b"<cac:InvoiceLine>") == lines
