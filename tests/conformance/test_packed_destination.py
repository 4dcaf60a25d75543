"""Files that are put into a folder packed: read by the tools of others, and the same whenever they are written."""

from __future__ import annotations

import gzip
import hashlib
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_file_destination import files, kinds, parcel, root, sending, verdicts
from watched_folder import base, server

from connectors.base import ABSENT, DELIVERED, FOUND, REFUSED, Destination

BODY = b"id,qty\n1,2\n" * 10_000
CSV: dict[str, Any] = {"content_type": "text/csv"}


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"name": "{key}.{extension}.gz"}, "d1.0.csv.gz"),
        ({"name": "ORDERS_{key}.GZ"}, "ORDERS_d1.0.GZ"),
        ({"name": "{key}.csv", "pack": "gz"}, "d1.0.csv"),
    ],
)
def test_what_is_packed_by_gzip_is_read_by_gzip(
    root: Path, sending: Callable[..., Destination], settings: dict[str, str], name: str
) -> None:
    assert kinds(verdicts(sending(**settings), parcel(BODY, **CSV))) == [(DELIVERED, "written")]
    assert files(root / "out") == [name]
    content = (root / "out" / name).read_bytes()
    assert gzip.decompress(content) == BODY
    assert subprocess.run(["gzip", "-dc"], input=content, capture_output=True, check=True).stdout == BODY


@pytest.mark.parametrize(
    ("settings", "name", "inner"),
    [
        ({"name": "{key}.zip"}, "d1.0.zip", "d1.0.csv"),
        ({"name": "{key}.{extension}.zip"}, "d1.0.csv.zip", "d1.0.csv"),
        ({"name": "day.dat", "pack": "zip"}, "day.dat", "day.dat"),
    ],
)
def test_a_zip_has_one_file_in_it(
    root: Path, sending: Callable[..., Destination], settings: dict[str, str], name: str, inner: str
) -> None:
    assert kinds(verdicts(sending(**settings), parcel(BODY, **CSV))) == [(DELIVERED, "written")]
    with zipfile.ZipFile(root / "out" / name) as archive:
        assert (archive.namelist(), archive.read(inner), archive.testzip()) == ([inner], BODY, None)


def test_a_name_that_is_only_like_that_of_a_packed_file_may_be_written(
    root: Path, sending: Callable[..., Destination]
) -> None:
    verdicts(sending(name="{key}.zip", pack="none"), parcel(b"packed before"))
    assert (root / "out" / "d1.0.zip").read_bytes() == b"packed before"


@pytest.mark.parametrize("name", ["{key}.csv.gz", "{key}.zip"])
def test_a_retry_writes_the_same_bytes_under_the_same_name(
    root: Path, sending: Callable[..., Destination], name: str
) -> None:
    destination = sending(name=name)
    assert destination.look_up(parcel(BODY)).kind == ABSENT
    verdicts(destination, parcel(BODY))
    [written] = (root / "out").iterdir()
    first = hashlib.sha256(written.read_bytes()).hexdigest()
    assert destination.look_up(parcel(BODY)).kind == FOUND
    assert kinds(verdicts(sending(name=name), parcel(BODY))) == [(DELIVERED, "already_there")]
    assert kinds(verdicts(destination, parcel(b"other"))) == [(REFUSED, "exists")]
    written.unlink()
    verdicts(sending(name=name), parcel(BODY))
    assert hashlib.sha256(written.read_bytes()).hexdigest() == first


def test_a_number_stands_before_both_endings(root: Path, sending: Callable[..., Destination]) -> None:
    destination = sending(name="day.csv.gz", if_exists="suffix")
    verdicts(destination, parcel(b"1"))
    verdicts(destination, parcel(b"2", "d2.0"))
    assert files(root / "out") == ["day-1.csv.gz", "day.csv.gz"]
