"""What ``o2c check`` and ``o2c doctor`` say of files that are encrypted by PGP."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pgp_keys import PHRASE, People

PARTNER = """partner:
  connector: file
  root: files
  fetch: {fetch}
  send: {send}
"""
FETCH = "{folder: in, pgp: {key: secret://file/pgp_key, passphrase: secret://env/PHRASE}}"
SEND = '{folder: out, name: "{key}.csv.pgp", pgp: {to: [schemas/keys/acme.asc]}}'


@pytest.fixture
def project(tmp_path: Path, people: People) -> Path:
    for folder in ("config", "schemas/keys", "files/in", "files/out", ".o2c/secrets"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "config/hub.yaml").write_text("time_zone: UTC\n")
    (tmp_path / "schemas/keys/acme.asc").write_bytes(people.public["acme"])
    (tmp_path / "schemas/keys/mine.asc").write_text(people.private["acme"])
    (tmp_path / "schemas/keys/page.asc").write_text("<html>\n")
    (tmp_path / ".o2c/secrets/pgp_key").write_text(people.private["hub"])
    return tmp_path


def told(project: Path, *command: str, fetch: str = FETCH, send: str = SEND, **environment: str) -> str:
    (project / "config/systems.yaml").write_text(PARTNER.format(fetch=fetch, send=send))
    ended = subprocess.run(
        [sys.executable, "-m", "hub.cli", *command], cwd=project, capture_output=True, text=True, timeout=60,
        env={**os.environ, "PHRASE": PHRASE, "NO_COLOR": "1", "COLUMNS": "400", **environment},
    )  # fmt: skip
    return ended.stdout + ended.stderr


def sealing(pgp: str, name: str = "{key}.pgp") -> str:
    return f'{{folder: out, name: "{name}", pgp: {pgp}}}'


@pytest.mark.parametrize(
    ("send", "fault"),
    [
        (sealing("{to: [schemas/keys/acme.asc]}", "{delivery_id}.pgp"),
         "config/systems.yaml:5:29: error: send.name: what is encrypted differs at each try, so that its name alone "
         "tells whether it was written; write {key} into it, e.g. {key}.csv.pgp"),
        (sealing("{to: []}"), "config/systems.yaml:5:52: error: send.pgp.to: expected the file of a public key"),
        (sealing("{}"), "to is missing in send.pgp of system 'partner'"),
        (sealing("{to: [schemas/keys/acm.asc]}"), "send.pgp.to[0]: there is no file schemas/keys/acm.asc in the project"
         "; did you mean 'schemas/keys/acme.asc'?"),
        (sealing("{to: [schemas/keys/mine.asc]}"), "schemas/keys/mine.asc:1:1: error: a private key lies open in the "
         "project; take it out"),
        (sealing("{to: [schemas/keys/page.asc]}"), "schemas/keys/page.asc:1:1: error: expected a public key as gpg "
         "--armor --export prints it"),
        (sealing("{to: [schemas/keys/acme.asc], sign: hunter2}"), "send.pgp.sign: a secret written out"),
        (sealing("{to: [schemas/keys/acme.asc], passphrase: secret://env/PHRASE}"),
         "send.pgp.passphrase: there is no sign: that it could belong to"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_what_to_write(project: Path, send: str, fault: str) -> None:
    assert fault in told(project, "check", send=send)


def test_nobody_who_may_sign_is_a_mistake(project: Path) -> None:
    fetch = "{folder: in, pgp: {key: secret://file/pgp_key, signed_by: []}}"
    assert "fetch.pgp.signed_by: expected a file or more; leave it out where" in told(project, "check", fetch=fetch)


def test_a_machine_without_gpg_is_told_what_to_install_and_may_still_check(project: Path, tmp_path: Path) -> None:
    said = told(project, "check", PATH=str(tmp_path))
    assert (
        "warning: fetch.pgp: the programs gpg and gpg-agent are not installed; on Debian: apt-get install gnupg" in said
    )
    assert "0 errors, 1 warning" in said
    said = told(project, "doctor", "partner", PATH=str(tmp_path))
    assert "the programs gpg and gpg-agent are not installed; on Debian: apt-get install gnupg" in said


def test_the_doctor_tries_the_keys(project: Path) -> None:
    assert "can be reached" in told(project, "doctor", "partner")
    assert "pgp" not in told(project, "check")
    said = told(project, "doctor", "partner", PHRASE="hunter2")
    assert "fetch.pgp.key: the passphrase beside it is not its passphrase" in said
    assert "hunter2" not in said
