"""Files encrypted by PGP in a watched folder, of this machine or a server, by the real gpg: decrypted, or refused."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import os
import resource
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pgp_keys import LONG_AGO, PHRASE, People
from test_packed_files import Busy
from watched_folder import TODAY, Accepted, Times, base, fetching, files, note, put, root, server, taken

from connectors.base import Reachable, Source, StoppedError

ROWS = b"id,qty\n1,2\n" * 1000
ACME = "schemas/keys/acme.asc"
Open = Callable[..., Source]


@pytest.fixture
def opened(root: Path, people: People) -> Iterator[Open]:
    """A source that decrypts with the key of ``hub``; what is said of ``pgp`` comes on top."""
    made: list[Source] = []
    known = {f"schemas/keys/{name}.asc": key for name, key in people.public.items()}

    def make(pgp: dict[str, Any] | None = None, times: Times | None = None, **settings: Any) -> Source:
        pgp = {"key": people.private["hub"], "passphrase": PHRASE, **(pgp or {})}
        made.append(fetching(root, times or Times(), files=known, pgp=pgp, **settings))
        return made[-1]

    yield make
    for source in made:
        source.close()


def fetched(source: Source) -> Accepted:
    accepted = Accepted()
    assert source.fetch(accepted) == len(accepted)
    return accepted


def zipped(**entries: bytes) -> bytes:
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in entries.items():
                archive.writestr(f"{name}.csv", content)
        return made.getvalue()


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("STO_1.csv.pgp", ()), ("STO_1.csv.GPG", ()), ("STO_1.csv.asc", ("--armor",)),
        ("STO_1.csv.pgp", ("--hidden-recipient", "=hub")), ("STO_1.csv.pgp", ("--compress-algo", "none")),
    ],
)  # fmt: skip
def test_what_is_encrypted_is_taken_as_what_is_in_it(
    root: Path, people: People, opened: Open, name: str, options: tuple[str, ...]
) -> None:
    put(root, name, sealed := people.encrypted(ROWS, "hub", "", *options))
    [incoming], [body] = (accepted := fetched(opened(events={"stock": "STO*.csv"}))), accepted.bodies
    assert (incoming.name, incoming.event, incoming.content_type) == (name, "stock", "text/csv")
    assert (body, incoming.attributes["sha256"]) == (ROWS, hashlib.sha256(ROWS).hexdigest())
    assert (root / TODAY / name).read_bytes() == sealed


def test_what_is_packed_inside_is_unpacked(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.gz.pgp", people.encrypted(gzip.compress(ROWS)))
    put(root, "b.csv.zip.pgp", people.encrypted(zipped(DES=b"1", STO=b"2")))
    accepted = fetched(opened(events={"despatch": "DES*", "rest": "*.csv"}))
    assert accepted.names == ["a.csv.gz.pgp", "b.csv.zip.pgp/DES.csv", "b.csv.zip.pgp/STO.csv"]
    assert accepted.bodies == [ROWS, b"1", b"2"]
    assert [incoming.event for incoming in accepted] == ["rest", "despatch", "rest"]


def test_other_names_are_taken_as_they_are_and_all_are_without_the_setting(
    root: Path, people: People, opened: Open
) -> None:
    put(root, "a.csv", ROWS)
    assert fetched(opened()).bodies == [ROWS]
    put(root, "a.csv.pgp", sealed := people.encrypted(ROWS))
    assert fetched(fetching(root, Times())).bodies == [sealed]


@pytest.mark.parametrize(("empty", "count", "where"), [("error", 0, "error"), ("skip", 0, TODAY), ("accept", 1, TODAY)])
def test_a_file_of_nothing_goes_as_an_empty_file(
    root: Path, people: People, opened: Open, empty: str, count: int, where: str
) -> None:
    put(root, "a.csv.pgp", people.encrypted(b""))
    assert fetched(opened(empty=empty)).bodies == [b""] * count
    assert (root / where / "a.csv.pgp").exists()


def test_a_private_key_that_is_over_still_opens_what_was_made_for_it(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(ROWS, "old", "", *LONG_AGO))
    assert fetched(opened({"key": people.private["old"], "passphrase": None})).bodies == [ROWS]


def test_of_two_keys_the_one_that_fits_is_used(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(ROWS, "bob"))
    put(root, "b.csv.pgp", people.encrypted(ROWS, "acme"))
    both = people.private["acme"] + people.private["bob"]
    assert fetched(opened({"key": both, "passphrase": None})).bodies == [ROWS, ROWS]


# -- what cannot be read ---------------------------------------------------------------------------------------------


def _damaged(sealed: bytes) -> bytes:
    return sealed[:-30] + bytes([sealed[-30] ^ 1]) + sealed[-29:]


def _password(people: People) -> bytes:
    return people.gpg("--passphrase", "x", "--symmetric", content=ROWS)


def _unprotected(people: People) -> bytes:
    return people.encrypted(ROWS, "hub", "", "--rfc2440", "--disable-mdc", "--cipher-algo", "CAST5")


BAD: list[tuple[str, Callable[[People], bytes], str]] = [
    ("for another", lambda people: people.encrypted(ROWS, "acme"), "it is encrypted for another key ("),
    ("by a password", _password, "it is encrypted by a password; have it encrypted for the key of this system"),
    ("damaged", lambda people: _damaged(people.encrypted(ROWS)), "it is damaged or cut off; have it sent again"),
    ("cut off", lambda people: people.encrypted(ROWS)[:-1], "it is damaged or cut off; have it sent again"),
    ("cut in half", lambda people: people.encrypted(ROWS)[:200], "it is damaged or cut off; have it sent again"),
    ("cut in its head", lambda people: people.encrypted(ROWS)[:40], "it is no file encrypted by PGP, or cut off"),
    ("armor cut off", lambda people: people.encrypted(ROWS, "hub", "", "--armor")[:-60], "it is damaged or cut off"),
    ("without a seal", _unprotected, "nothing in it tells whether it was changed on its way (MDC)"),
    ("signed only", lambda people: people.gpg("--sign", "-u", "=acme", content=ROWS), "it is not encrypted; have it"),
    ("a signature", lambda people: people.gpg("-b", "-u", "=acme", content=ROWS), "it is no file encrypted by PGP"),
    ("no PGP", lambda people: ROWS, "it is no file encrypted by PGP, or cut off"),
    ("a key", lambda people: people.public["acme"], "it is no file encrypted by PGP, or cut off"),
    ("gzip cut off", lambda people: people.encrypted(gzip.compress(ROWS)[:-1]), "the gzip file is cut off"),
]


@pytest.mark.parametrize(("what", "make", "reason"), BAD, ids=[row[0] for row in BAD])
def test_a_file_that_cannot_be_decrypted_goes_aside_and_its_neighbours_go_on(
    root: Path, people: People, opened: Open, what: str, make: Callable[[People], bytes], reason: str
) -> None:
    name = "a.csv.gz.pgp" if what.startswith("gzip") else "a.csv.pgp"
    put(root, name, sealed := make(people))
    put(root, "b.csv.pgp", people.encrypted(b"good"))
    assert fetched(opened()).bodies == [b"good"]
    assert note(root, name)["reason"].startswith(reason)
    assert (root / "error" / name).read_bytes() == sealed


def test_what_grows_too_much_goes_aside(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(bytes(20_000_000)))
    put(root, "b.csv.pgp", people.encrypted(base64.b64encode(os.urandom(3000))))
    put(root, "c.csv.gz.pgp", people.encrypted(gzip.compress(bytes(20_000_000))))
    assert taken(opened(unpack={"max_size": 3_999})) == []
    reasons = [note(root, name)["reason"] for name in ("a.csv.pgp", "b.csv.pgp", "c.csv.gz.pgp")]
    assert {reason[:34] for reason in reasons} == {"unpacked it is larger than 3999 by"}
    put(root, "a.csv.pgp", people.encrypted(bytes(20_000_000)))
    assert taken(opened()) == []
    assert note(root, "a-1.csv.pgp")["reason"].startswith("unpacked it is more than 200 times its ")


# -- who has signed --------------------------------------------------------------------------------------------------


def test_nobody_looks_at_who_has_signed_where_that_is_not_asked_for(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(ROWS, "hub", "carol"))
    assert fetched(opened()).bodies == [ROWS]


def test_a_second_signature_of_a_key_that_is_not_known_harms_nobody(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(ROWS, "hub", "acme", "--local-user", "=carol"))
    put(root, "b.csv.pgp", people.encrypted(ROWS, "hub", "carol", "--local-user", "=bob"))
    assert taken(opened({"signed_by": [ACME]})) == ["a.csv.pgp"]
    assert note(root, "b.csv.pgp")["reason"] == "who signed it is not among signed_by"


def test_what_one_of_the_named_has_signed_is_taken(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(ROWS, "hub", "acme"))
    put(root, "b.csv.pgp", people.encrypted(ROWS, "hub", "bob"))
    assert len(fetched(opened({"signed_by": [ACME, "schemas/keys/bob.asc"]}))) == 2


@pytest.mark.parametrize(("name", "body"), [("a.csv", ROWS), ("a.csv.gz", gzip.compress(ROWS)), ("a.csv.pgp", b"")])
def test_what_is_under_another_name_or_empty_is_signed_by_nobody(
    root: Path, people: People, opened: Open, name: str, body: bytes
) -> None:
    put(root, name, body)
    put(root, "b.csv.pgp", people.encrypted(ROWS, "hub", "acme"))
    assert taken(opened({"signed_by": [ACME]}, empty="accept")) == ["b.csv.pgp"]
    assert note(root, name)["reason"] == "it is not signed, and must be (signed_by)"


UNSIGNED: list[tuple[str, Callable[[People], bytes], str]] = [
    ("by nobody", lambda people: people.encrypted(ROWS), "it is not signed, and must be (signed_by)"),
    ("by another", lambda people: people.encrypted(ROWS, "hub", "carol"), "who signed it is not among signed_by"),
    ("by ourselves", lambda people: people.encrypted(ROWS, "hub", "hub"), "who signed it is not among signed_by"),
]


@pytest.mark.parametrize(("what", "make", "reason"), UNSIGNED, ids=[row[0] for row in UNSIGNED])
def test_what_none_of_the_named_has_signed_goes_aside(
    root: Path, people: People, opened: Open, what: str, make: Callable[[People], bytes], reason: str
) -> None:
    put(root, "a.csv.pgp", make(people))
    put(root, "b.csv.pgp", people.encrypted(b"good", "hub", "acme"))
    assert fetched(opened({"signed_by": [ACME]})).bodies == [b"good"]
    assert note(root, "a.csv.pgp")["reason"] == reason


def test_a_signature_of_a_key_that_is_over_goes_aside(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(ROWS, "hub", "old", *LONG_AGO))
    assert fetched(opened({"signed_by": ["schemas/keys/old.asc"]})) == []
    assert note(root, "a.csv.pgp")["reason"].startswith("the key that signed it is over by now")


# -- keys that cannot be used: no file is touched --------------------------------------------------------------------


def _faults(people: People) -> list[tuple[dict[str, Any], str]]:
    return [
        ({"passphrase": "wrong"}, "fetch.pgp.key: the passphrase beside it is not its passphrase"),
        ({"passphrase": None}, "fetch.pgp.key: it has a passphrase; write passphrase: secret://env/NAME beside it"),
        ({"passphrase": "a\nb"}, "the passphrase of a PGP key is one line of at most 255 bytes"),
        ({"key": people.public["hub"].decode()}, "fetch.pgp.key: gpg finds no private key in it; write what gpg --arm"),
        ({"key": people.private["hub"][:300]}, "fetch.pgp.key: gpg finds no private key in it"),
        (
            {"key": people.private["acme"] + people.private["hub"], "passphrase": None},
            "fetch.pgp.key: it has a passphrase",
        ),
        ({"key": "hunter2"}, "fetch.pgp.key: gpg finds no private key in it"),
        ({"signed_by": ["schemas/keys/none.asc"]}, "schemas/keys/none.asc: gpg finds no public key with a name in it"),
    ]


@pytest.mark.parametrize("number", range(8))
def test_a_key_that_cannot_be_used_stops_the_system_and_touches_no_file(
    root: Path, people: People, opened: Open, number: int
) -> None:
    pgp, reason = _faults(people)[number]
    put(root, "a.csv.pgp", people.encrypted(ROWS))
    source = opened(pgp)
    with pytest.raises(StoppedError) as told:
        taken(source)
    assert str(told.value).startswith(reason)
    assert told.value.code == "pgp"
    assert files(root) == ["in/a.csv.pgp"]
    assert isinstance(source, Reachable)
    assert source.check() == [str(told.value)]
    for secret in (PHRASE, people.private["hub"], "hunter2", "wrong"):
        assert secret not in str(told.value)


def test_without_gpg_nothing_is_fetched_and_it_is_told_what_to_install(
    root: Path, people: People, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    put(root, "a.csv.pgp", sealed := people.encrypted(ROWS))
    source = opened()
    with monkeypatch.context() as patched:
        patched.setenv("PATH", str(tmp_path))
        with pytest.raises(StoppedError, match="gpg-agent are not installed; on Debian: apt-get install gnupg"):
            taken(source)
    assert (root / "in/a.csv.pgp").read_bytes() == sealed
    assert taken(source) == ["a.csv.pgp"], "once it is there"


# -- leases, ends ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("room", [300_000, 2_100_000], ids=["for half of it", "for it, and not for what is in it"])
def test_a_file_waits_where_there_is_no_room_for_its_copies(
    root: Path, people: People, opened: Open, caplog: pytest.LogCaptureFixture, room: int
) -> None:
    put(root, "a.csv.pgp", people.encrypted(base64.b64encode(os.urandom(2_000_000))))
    source = opened()
    assert isinstance(source, Reachable)
    assert source.check() == []
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        assert taken(source) == []
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert "there is no room in" in caplog.text
    assert files(root) == ["in/a.csv.pgp"]
    assert taken(source) == ["a.csv.pgp"]


@pytest.mark.parametrize("cut", [0, 9], ids=["whole", "half"])
def test_what_changes_while_it_is_read_is_taken_when_it_rests(
    root: Path, people: People, opened: Open, cut: int
) -> None:
    sealed = people.encrypted(ROWS)
    put(root, "a.csv.pgp", sealed[: len(sealed) - cut])
    assert taken(opened(times=Busy(root))) == []
    assert files(root) == ["in/a.csv.pgp"]


def test_the_lease_is_renewed_while_a_file_is_decrypted(root: Path, people: People, opened: Open) -> None:
    class Ticking(Times):
        """A clock that goes on whenever somebody looks at it."""

        now = property(lambda self: self.tick(), lambda self, value: setattr(self, "at", value))

        def tick(self) -> float:
            self.at: float = self.at + 20.0
            return self.at

    put(root, "a.csv.pgp", people.encrypted(os.urandom(2_000_000)))
    source, held = opened(times=Ticking(), lease=120.0), set[str]()
    rename = source._files.rename  # type: ignore[attr-defined]

    def seen(of: Path, to: Path) -> None:
        held.add(to.name)
        rename(of, to)

    source._files.rename = seen  # type: ignore[attr-defined]
    assert taken(source) == ["a.csv.pgp"]
    assert len(held) > 2


def test_what_is_in_hand_when_the_source_is_closed_goes_back(root: Path, people: People, opened: Open) -> None:
    put(root, "a.csv.pgp", people.encrypted(os.urandom(2_000_000)))
    source = opened(empty="accept")
    opening = source._opening  # type: ignore[attr-defined]
    keep = source._keep  # type: ignore[attr-defined]

    def close_it(held: Any) -> None:
        opening.close()
        keep(held)

    source._keep = close_it  # type: ignore[attr-defined]
    assert taken(source) == []
    assert files(root) == ["in/a.csv.pgp"]
