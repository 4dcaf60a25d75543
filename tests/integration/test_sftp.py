"""The sftp connector on a real OpenSSH server: who is let in, and what becomes of what a server does not allow."""

from __future__ import annotations

import gzip
import io
import os
import socket
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sftp_places import BODY, line, open_destination, open_source, parcel, root, sent, server, taken
from sftp_server import SftpServer, names_below, sftp_server

from connectors import sftp
from connectors.base import (
    DELIVERED,
    LATER,
    REFUSED,
    STOPPED,
    Destination,
    PermanentError,
    StoppedError,
    TransientError,
)


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("passphrase", ["", "a pass phrase"])
def test_keys_of_every_type_are_let_in(
    server: SftpServer, open_destination: Callable[..., Destination], kind: str, passphrase: str
) -> None:
    name = f"{kind}-{len(passphrase)}"
    key = server.new_key(name, kind, passphrase)
    server.authorize(name)
    given = {"key": key.rstrip("\n"), "passphrase": passphrase or None}
    assert open_destination(**given).check() == []
    if passphrase:
        with pytest.raises(PermanentError, match="key: it is encrypted; write its passphrase"):
            open_destination(key=key)
        with pytest.raises(PermanentError, match="or passphrase is not the one it has") as refused:
            open_destination(key=key, passphrase="wrong")
        assert "wrong" not in str(refused.value)


def test_a_server_is_known_by_any_of_its_pinned_keys(
    server: SftpServer, open_destination: Callable[..., Destination]
) -> None:
    other = server.new_key("another") and server.path("another.pub").read_text()
    for pins in ([server.rsa_host_key], [other, server.host_key], [f"127.0.0.1 {server.host_key} bank@example"]):
        assert open_destination(host_key=pins).check() == []


STRANGERS: list[tuple[str, Callable[[SftpServer], dict[str, Any]], str, str]] = [
    ("another host key", lambda s: {"host_key": [s.path("stranger.pub").read_text()]}, "host_key",
     "shows another host key than the one pinned in host_key (ssh-ed25519 SHA256:"),
    ("a type of host key that it has not", lambda s: {"host_key": [s.path("ecdsa-stranger.pub").read_text()]},
     "host_key", "has no host key of the type ecdsa-sha2-nistp256"),
    ("another user key", lambda s: {"key": s.path("stranger").read_text()}, "login_refused",
     "does not let the user"),
    ("a user that there is not", lambda s: {"user": "nobody-of-this-name"}, "login_refused", "does not let the user"),
    ("a wrong password", lambda s: {"key": None, "password": "secret-word"}, "login_refused", "with this password"),
    ("an account without SFTP", lambda s: {"port": s.no_sftp_port}, "no_sftp", ""),
]  # fmt: skip


@pytest.mark.parametrize(("what", "changed", "code", "text"), STRANGERS, ids=[row[0] for row in STRANGERS])
def test_what_a_person_has_to_see_to_stops_the_system(
    server: SftpServer, root: Path, open_source: Any, open_destination: Any, what: str, changed: Any, code: str,
    text: str,
) -> None:  # fmt: skip
    for name, kind in (("stranger", "ed25519"), ("ecdsa-stranger", "ecdsa")):
        if not server.path(name).exists():
            server.new_key(name, kind)
    settings = changed(server)
    verdict = sent(open_destination(**settings), parcel())
    assert (verdict.kind, verdict.code) == (STOPPED, code), verdict.detail
    assert text in verdict.detail
    with pytest.raises(StoppedError) as stopped:
        open_source(**settings).fetch(lambda incoming: None)
    assert (stopped.value.code, str(stopped.value)) == (code, verdict.detail)
    assert open_source(**settings).check() == [verdict.detail]
    for secret in ("secret-word", "PRIVATE", str(settings.get("key"))[40:80]):
        assert secret == "" or secret not in verdict.detail
    assert names_below(root) == []


def test_a_server_that_ends_the_connection_after_one_wrong_key_stops_the_system_too(tmp_path: Path) -> None:
    with sftp_server(tries=1) as strict:
        config = strict.config(key=strict.new_key("stranger"), send={"folder": "out"})
        destination = sftp.destination(config)
        verdict = sent(destination, parcel())
        destination.close()
    assert (verdict.kind, verdict.code) == (STOPPED, "login_refused"), verdict.detail


@pytest.mark.parametrize(
    ("changed", "code"),
    [({"host": "nobody.invalid"}, "dns_failed"), ({"port": 1}, "connect_refused")],
)
def test_a_server_that_is_away_is_for_later(
    open_source: Any, open_destination: Any, changed: dict[str, Any], code: str
) -> None:
    verdict = sent(open_destination(**changed), parcel())
    assert (verdict.kind, verdict.code) == (LATER, code)
    with pytest.raises(TransientError):
        open_source(**changed).fetch(lambda incoming: None)
    assert open_destination(**changed).look_up(parcel()).kind == LATER


@pytest.mark.parametrize("greeting", [b"220 ready for FTP\r\n", b"", b"\xff" * 5000])
def test_a_server_that_is_none_of_ssh_is_for_later(open_destination: Any, greeting: bytes) -> None:
    def answer(listener: socket.socket) -> None:
        near, _ = listener.accept()
        near.sendall(greeting)
        near.close()

    with socket.create_server(("127.0.0.1", 0)) as other:
        answering = threading.Thread(target=answer, args=(other,))
        answering.start()
        verdict = sent(open_destination(port=other.getsockname()[1], timeouts={"connect": 2.0}), parcel())
        answering.join()
    assert (verdict.kind, verdict.code in ("not_ssh", "connect_failed")) == (LATER, True), verdict


def test_one_connection_is_enough_for_files_that_are_packed(root: Path, open_source: Any) -> None:
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr("1.csv", BODY)
        good, bad = made.getvalue(), made.getvalue()[:-30]
    packed = {
        "a.csv.gz": gzip.compress(BODY),
        "b.csv.gz": gzip.compress(os.urandom(3_000_000)),
        "c.zip": good,
        "d.zip": bad,
    }
    for name, content in packed.items():
        (root / "in" / name).write_bytes(content)
    source = open_source(fetch={"unpack": {"max_size": 500_000}}, connections={"limit": 1, "wait": 1.0})
    assert taken(source) == {"a.csv.gz": BODY, "c.zip/1.csv": BODY}
    assert names_below(root / "error") == ["b.csv.gz", "b.csv.gz.error.json", "d.zip", "d.zip.error.json"]


# -- what a server allows --------------------------------------------------------------------------------------------


def test_a_server_without_the_rename_of_openssh_does_as_well(
    server: SftpServer, root: Path, open_source: Any, open_destination: Any
) -> None:
    (root / "in" / "a.csv").write_bytes(BODY)
    assert taken(open_source(port=server.plain_port)) == {"a.csv": BODY}
    for if_exists in ("fail", "replace"):
        destination = open_destination(port=server.plain_port, send={"name": "x.json", "if_exists": if_exists})
        assert sent(destination, parcel(BODY)).kind == DELIVERED
    assert sent(destination, parcel(b"new")).code == "written"
    assert (root / "out" / "x.json").read_bytes() == b"new"
    assert names_below(root / "out") == ["x.json"]


def test_a_server_that_allows_no_rename_is_told_of_and_loses_nothing(
    server: SftpServer, root: Path, open_source: Any, open_destination: Any
) -> None:
    (root / "in" / "a.csv").write_bytes(BODY)
    with pytest.raises(PermanentError, match=r"'a\.csv' cannot be renamed into 'in/\.work'.*let the hub's user rename"):
        open_source(port=server.no_rename_port).fetch(lambda incoming: None)
    verdict = sent(open_destination(port=server.no_rename_port), parcel())
    assert (verdict.kind, verdict.code) == (STOPPED, "not_allowed")
    assert names_below(root) == ["in/a.csv"]


def test_a_server_that_can_only_be_read_is_told_of(
    server: SftpServer, root: Path, open_source: Any, open_destination: Any
) -> None:
    (root / "in" / "a.csv").write_bytes(BODY)
    with pytest.raises(PermanentError, match="cannot be renamed"):
        open_source(port=server.read_only_port).fetch(lambda incoming: None)
    verdict = sent(open_destination(port=server.read_only_port), parcel())
    assert (verdict.kind, verdict.code, verdict.detail) == (STOPPED, "not_allowed", "Permission denied")
    assert names_below(root) == ["in/a.csv"]


def test_a_folder_that_may_not_be_written_to_stops_the_system(root: Path, open_destination: Any) -> None:
    (root / "out").chmod(0o755 if os.getuid() == 0 else 0o555)
    verdict = sent(open_destination(), parcel())
    (root / "out").chmod(0o777)
    assert (verdict.kind, verdict.code) == (STOPPED, "not_allowed")


def test_a_file_that_may_not_be_read_goes_aside_and_its_neighbours_go_on(root: Path, open_source: Any) -> None:
    for name in ("a.csv", "b.csv"):
        (root / "in" / name).write_bytes(BODY)
    (root / "in" / "a.csv").chmod(0o000)
    assert taken(open_source()) == {"b.csv": BODY}
    assert (root / "error" / "a.csv").exists()
    assert "Permission denied" in (root / "error" / "a.csv.error.json").read_text()


def test_a_full_disk_is_for_later_and_leaves_no_half_file(tmp_path: Path) -> None:
    with sftp_server() as small:
        out = small.folder("out")
        small.limit_file_size(65_536)
        destination = sftp.destination(small.config(send={"folder": "out"}))
        verdict = sent(destination, parcel(b"x" * 500_000))
        assert verdict.kind == LATER, verdict
        assert names_below(out) == []
        assert sent(destination, parcel(b"small", "d2.0")).kind == DELIVERED
        destination.close()


def test_a_folder_with_variables_is_made_below_what_is_there(root: Path, open_destination: Any) -> None:
    destination = open_destination(send={"folder": "out/{supplier_id}/{order_id}", "name": "{key}.csv"})
    verdict = sent(destination, parcel(variables={"supplier_id": "a/b", "order_id": "7"}))
    assert verdict.kind == DELIVERED, verdict
    [name] = names_below(root / "out")
    assert name.startswith("a_b~")
    assert name.endswith("/7/d1.0.csv")
    assert sent(destination, parcel(key="d2.0", variables={"supplier_id": "", "order_id": "7"})).kind == REFUSED
    assert sent(destination, parcel(key="d3.0", variables={"order_id": "7"})).kind == REFUSED
    (root / "out").rename(root / "away")
    assert (
        sent(destination, parcel(key="d4.0", variables={"supplier_id": "x", "order_id": "7"})).code == "folder_missing"
    )
