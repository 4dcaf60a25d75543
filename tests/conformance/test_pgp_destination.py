"""Files that are put into a folder encrypted by PGP: read by the real gpg, once, whole, and under a name that tells."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pgp_keys import PHRASE, People
from test_file_destination import files, kinds, parcel, root, verdicts
from watched_folder import base, reached, server

from connectors import _file_pgp
from connectors.base import ABSENT, DELIVERED, FOUND, LATER, STOPPED, Destination, Reachable, TransientError

BODY = b"id,qty\n1,2\n" * 10_000
CSV: dict[str, Any] = {"content_type": "text/csv"}
Send = Callable[..., Destination]


@pytest.fixture
def sending(root: Path, people: People) -> Iterator[Send]:
    """A destination that encrypts for ``to``; what is said of ``pgp`` comes on top."""
    opened: list[Destination] = []
    known = {f"schemas/keys/{name}.asc": key for name, key in people.public.items()}

    def send(*to: str, pgp: dict[str, Any] | None = None, **settings: Any) -> Destination:
        module, config = reached(root)
        sealing = {"to": [f"schemas/keys/{name}.asc" for name in to], **(pgp or {})}
        settings = {"folder": "out", "name": "{key}.csv.pgp", "pgp": sealing, **settings}
        opened.append(module.destination({**config, "files": known, "send": settings}))
        return opened[-1]

    yield send
    for destination in opened:
        destination.close()


def test_each_of_those_it_is_for_can_read_it(root: Path, people: People, sending: Send) -> None:
    assert kinds(verdicts(sending("acme", "bob"), parcel(BODY, **CSV))) == [(DELIVERED, "written")]
    assert files(root / "out") == ["d1.0.csv.pgp"]
    sealed = (root / "out/d1.0.csv.pgp").read_bytes()
    assert people.decrypted(sealed) == BODY
    assert people.told(sealed).count("[GNUPG:] ENC_TO") == 2
    assert "GOODSIG" not in people.told(sealed)


def test_it_is_signed_and_text_where_that_is_wanted(root: Path, people: People, sending: Send) -> None:
    signs = {"sign": people.private["hub"], "passphrase": PHRASE, "armor": True}
    assert kinds(verdicts(sending("acme", pgp=signs, name="{key}.asc"), parcel(BODY))) == [(DELIVERED, "written")]
    sealed = (root / "out/d1.0.asc").read_bytes()
    assert sealed.startswith(b"-----BEGIN PGP MESSAGE-----")
    assert people.decrypted(sealed) == BODY
    assert "GOODSIG" in people.told(sealed)


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({"name": "{key}.{extension}.gz.pgp"}, "d1.0.csv.gz.pgp"),
        ({"name": "{key}.{extension}.pgp", "pack": "gz"}, "d1.0.csv.pgp"),
    ],
)
def test_it_is_packed_first(root: Path, people: People, sending: Send, settings: dict[str, str], name: str) -> None:
    verdicts(sending("acme", **settings), parcel(BODY, **CSV))
    assert gzip.decompress(people.decrypted((root / "out" / name).read_bytes())) == BODY


def test_what_is_in_a_zip_is_called_as_it_was_before(root: Path, people: People, sending: Send) -> None:
    verdicts(sending("acme", name="{key}.zip.gpg"), parcel(BODY, **CSV))
    content = people.decrypted((root / "out/d1.0.zip.gpg").read_bytes())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert (archive.namelist(), archive.read("d1.0.csv")) == (["d1.0.csv"], BODY)


@pytest.mark.parametrize("if_exists", ["fail", "suffix", "replace"])
def test_a_retry_finds_what_lies_there_under_its_name(
    root: Path, people: People, sending: Send, if_exists: str
) -> None:
    destination = sending("acme", if_exists=if_exists)
    assert destination.look_up(parcel(BODY)).kind == ABSENT
    verdicts(destination, parcel(BODY))
    [written] = (root / "out").iterdir()
    first = written.read_bytes()
    assert destination.look_up(parcel(BODY)).kind == FOUND
    [verdict] = verdicts(sending("acme", if_exists=if_exists), parcel(BODY))
    is_written_anew = if_exists == "replace"
    assert (verdict.kind, verdict.code) == (DELIVERED, "written" if is_written_anew else "already_there")
    assert (written.read_bytes() != first) == is_written_anew
    assert files(root / "out") == ["d1.0.csv.pgp"]


def test_what_a_crash_left_half_written_is_no_file_of_that_name(root: Path, people: People, sending: Send) -> None:
    destination = sending("acme")
    verdicts(destination, parcel(b"1", "other.0"))
    [path] = (root / "out").iterdir()
    path.rename(root / "out/d1.0.csv.pgp.0123.tmp")
    assert destination.look_up(parcel(BODY)).kind == ABSENT
    assert kinds(verdicts(destination, parcel(BODY))) == [(DELIVERED, "written")]
    assert people.decrypted((root / "out/d1.0.csv.pgp").read_bytes()) == BODY


@pytest.mark.parametrize(
    ("to", "pgp", "reason"),
    [
        (["old"], {}, "schemas/keys/old.asc: gpg cannot encrypt for this key: it is over by now"),
        (["acme", "old"], {}, "schemas/keys/old.asc: gpg cannot encrypt for this key: it is over by now"),
        (["none"], {}, "schemas/keys/none.asc: gpg finds no public key with a name in it"),
        (["acme"], {"sign": "old"}, "send.pgp.sign: gpg cannot sign with it: it is over by now, was revoked, or"),
        (["acme"], {"sign": "hub", "passphrase": "wrong"}, "send.pgp.sign: the passphrase beside it is not its pass"),
    ],
)
def test_a_key_that_cannot_be_used_stops_the_system(
    root: Path, people: People, sending: Send, to: list[str], pgp: dict[str, str], reason: str
) -> None:
    signs = {"sign": people.private[pgp["sign"]]} if pgp else {}
    destination = sending(*to, pgp={**pgp, **signs})
    [verdict] = verdicts(destination, parcel(BODY))
    assert (verdict.kind, verdict.code) == (STOPPED, "pgp")
    assert verdict.detail.startswith(reason)
    assert files(root / "out") == []
    assert isinstance(destination, Reachable)
    assert destination.check() == [verdict.detail]


def test_it_waits_where_there_is_no_room_to_encrypt_it(
    root: Path, sending: Send, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(chunks: Any, copy: Any) -> None:
        raise TransientError("there is no room", code="paused")

    destination = sending("acme")
    with monkeypatch.context() as patched:
        patched.setattr(_file_pgp, "copied", full)
        assert kinds(verdicts(destination, parcel(BODY))) == [(LATER, "paused")]
    assert kinds(verdicts(destination, parcel(BODY))) == [(DELIVERED, "written")]


def test_all_is_well_where_the_keys_are_good(people: People, sending: Send) -> None:
    destination = sending("acme", pgp={"sign": people.private["hub"], "passphrase": PHRASE})
    assert isinstance(destination, Reachable)
    assert destination.check() == []
