"""What a file that is sent is called."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from connectors._file_address import Addresses
from connectors.base import Parcel

SEND = {"folder": "out", "name": "{key}.{extension}", "marker": "", "pack": "name", "pgp": None}


@pytest.mark.parametrize(
    ("kind", "name"),
    [("application/json", "k.json"), ("text/xml; charset=utf-8", "k.xml"), ("application/pdf", "k.pdf"),
     ("application/x-any", "k.dat")],
)  # fmt: skip
def test_the_ending_is_that_of_the_content_type(kind: str, name: str) -> None:
    assert Addresses(PurePath("/r"), SEND).of(Parcel("d", "k", b"", kind)).name == name
