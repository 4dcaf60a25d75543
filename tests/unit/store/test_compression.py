"""Payloads at rest: whatever goes in comes out, also what earlier versions packed, and small documents become small."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
import zstandard

from hub.errors import StoreError
from hub.reference import reference_root
from hub.store import compression
from hub.store.compression import pack, unpack

DICTIONARY = Path(compression.__file__).with_name("dictionary-2.zdict")
SHIPMENT = json.dumps(
    {
        "despatch_advice_id": "DES-7700", "issue_date": "2026-11-30", "order_reference": {"order_id": "SO-9931"},
        "shipment": {"shipment_id": "S-1", "carrier_party": {"party_id": "DHL", "party_type": "organisation"}},
        "despatch_lines": [
            {"line_id": "1", "item": {"sku": "HX-4"}, "delivered_quantity": {"quantity": 3, "unit_code": "C62"}}
        ],
    },
    separators=(",", ":"),
).encode()  # fmt: skip


def test_what_goes_in_comes_out() -> None:
    draw = Random(7)
    documents = [path.read_bytes() for path in sorted(reference_root().glob("mappings/edifact/*.yaml"))]
    documents += [draw.randbytes(size) for size in (0, 1, 63, 64, 65, 5_000, compression.CHUNK)]
    documents += [SHIPMENT, bytes(compression.CHUNK), DICTIONARY.read_bytes()]
    assert len(documents) > 20
    for content in documents:
        assert unpack(*pack(content)) == content


def test_several_threads_pack_and_unpack_at_once() -> None:
    def there_and_back(number: int) -> bool:
        content = SHIPMENT * (1 + number % 7) + str(number).encode()
        return unpack(*pack(content)) == content

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(there_and_back, range(2_000)))


def test_what_was_packed_without_a_dictionary_is_read() -> None:
    assert unpack(1, zstandard.ZstdCompressor(level=1).compress(SHIPMENT)) == SHIPMENT


def test_a_document_takes_little_more_than_half_of_what_it_takes_without_the_dictionary() -> None:
    how, packed = pack(SHIPMENT)
    assert how == 2
    assert len(packed) < len(zstandard.ZstdCompressor(level=1).compress(SHIPMENT)) * 0.6


def test_what_does_not_pay_is_kept_as_it_was() -> None:
    assert pack(b"ORD-1") == (0, b"ORD-1")
    noise = Random(1).randbytes(500)
    assert pack(noise) == (0, noise)


def test_the_dictionary_never_changes() -> None:
    """Every store with documents that were packed with it would be lost. A better one gets a number of its own."""
    digest = hashlib.sha256(DICTIONARY.read_bytes()).hexdigest()
    assert digest == "0cb8af84b82a616334ccde458354e75523cbfdb758537e5dc2a67aab75a0d084"


def test_bytes_of_a_newer_version_are_no_fault_of_the_document() -> None:
    with pytest.raises(StoreError, match=r"a newer version .* \(form 3; this one knows 0 to 2\); bring this process"):
        unpack(3, SHIPMENT)
