"""What ``o2c check`` says of a system that is reached by SFTP, without reaching it."""

from __future__ import annotations

import pytest

from hub.settings import load_settings

PIN = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"
GOOD = {
    "connector": "sftp", "host": "sftp.bank.example", "host_key": f'"{PIN}"', "user": "hub",
    "key": "secret://file/bank_ed25519", "fetch": '{folder: out, pattern: "*.xml", every: 5m, ready: marker}',
}  # fmt: skip
ON_THEIR_WAY = (
    "names that end in .tmp or .part or .filepart, or begin with a point, are of files on their way; write such "
    "as *.xml"
)


def faults_of(**changed: str | None) -> list[str]:
    """Of the good settings with some changed, each on a line of its own, or left out."""
    lines = [f"  {name}: {value}" for name, value in {**GOOD, **changed}.items() if value is not None]
    _, faults = load_settings({"config/systems.yaml": "\n".join(["bank:", *lines, ""]).encode()})
    return [str(fault).removeprefix("config/systems.yaml:") for fault in faults]


@pytest.mark.parametrize(
    "changed",
    [
        {}, {"key": None, "password": "secret://env/BANK"}, {"host": "192.0.2.7"}, {"host": "2001:db8::1"},
        {"host_key": f'"sftp.bank.example {PIN} since 2024"'}, {"root": "/"}, {"passphrase": "secret://env/PHRASE"},
        {"host_key": f'["{PIN}", "{PIN}"]'}, {"fetch": None, "send": '{folder: "in/{supplier_id}"}'},
        {"fetch": '{folder: "", ready: marker}'}, {"fetch": "{folder: ., ready: marker}"},
        {"fetch": "{folder: error, claim: lease}"},
    ],
)  # fmt: skip
def test_what_is_in_order_has_no_fault(changed: dict[str, str | None]) -> None:
    assert faults_of(**changed) == []


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"host_key": None}, "1:1: error: host_key is missing in system 'bank': the server's public key as "
         "`ssh-keyscan HOST` prints it and its owner has confirmed it: ssh-ed25519 AAAAC3Nz…"),
        ({"key": "hunter2"}, "6:8: error: key: a secret written out; write secret://env/NAME instead (or "
         "secret://file/NAME)"),
        ({"password": "hunter2"}, "8:13: error: password: a secret written out; write secret://env/NAME instead (or "
         "secret://file/NAME)"),
        ({"key": None}, "1:1: error: key is missing: write key: secret://file/NAME, or password: secret://env/NAME"),
        ({"user": None}, "1:1: error: user is missing in system 'bank': who the hub is there"),
        ({"host_key": '"SHA256:2xQ0yN0ZrH7"'}, "4:13: error: host_key: a fingerprint; write the key itself: "
         "`ssh-keyscan HOST` prints it, `ssh-keyscan HOST | ssh-keygen -lf -` its fingerprint, which must be that one"),
        ({"host_key": '"ssh-dss AAAAB3NzaC1kc3MAAACB"'}, "4:13: error: host_key: expected a public key such as "
         'host_key: "ssh-ed25519 AAAAC3Nz…"; its type is one of ssh-ed25519, ecdsa-sha2-nistp256, '
         "ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, ssh-rsa"),
        ({"host_key": f'"{PIN[:60]}"'}, "4:13: error: host_key: the key is cut off or not of the type 'ssh-ed25519'; "
         "copy the whole line"),
        ({"host_key": '"ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"'},
         "4:13: error: host_key: the key is cut off or not of the type 'ssh-rsa'; copy the whole line"),
        ({"host_key": '"ssh-ed25519 ****"'}, "4:13: error: host_key: what follows the type is not a key in Base64; "
         "copy the whole line"),
        ({"host": '"sftp://bank.example/out"'}, "3:9: error: host: expected a name such as sftp.bank.example, got "
         "'sftp://bank.example/out'"),
        ({"port": "70000"}, "8:9: error: port: expected 1 to 65535, got 70000"),
        ({"fetch": "{folder: out, unpack: {endings: [.rar]}}"}, "7:42: error: fetch.unpack.endings: expected .gz "
         "or .zip, got '.rar'"),
        ({"fetch": "{folder: out, claim: lease, archive_by: outcome}"}, "7:50: error: fetch.archive_by: with claim: "
         "lease files stay where they are; take it out"),
        ({"fetch": "{folder: /out}"}, "7:19: error: fetch.folder: the folder '/out' leads out of the root; write a "
         "path below it, without '..'"),
        ({"fetch": "{folder: out, archive: ../../a}"}, "7:33: error: fetch.archive: the folder '../../a' leads out of "
         "the root; write a path below it, without '..'"),
        ({"send": "{folder: in, name: a/b}"}, "8:9: error: send: the name 'a/b' is not a file name; write one without "
         "folders, e.g. {key}.xml"),
        ({"fetch": "{folder: out, error: ./out/}"}, "7:31: error: fetch.error: the watched folder itself, where files "
         "would be taken again; name another"),
        ({"fetch": None}, "1:1: error: fetch is missing, and send: too; say where files are fetched from, or put to"),
        ({"key": None, "password": "secret://env/P", "passphrase": "secret://env/Q"},
         "8:15: error: passphrase: there is no key: that it could belong to"),
        ({"connections": "{limit: 0}"}, "8:24: error: connections.limit: expected 1 or more, got 0"),
        ({"timeouts": "{connect: 0s}"}, "8:23: error: timeouts.connect: expected a wait above zero, such as 5s"),
        ({"fetch": "{folder: out, max_files: 0}"}, "7:35: error: fetch.max_files: expected 1 or more, got 0"),
        ({"fetch": "{folder: out, every: 0s}"}, "7:31: error: fetch.every: expected a time above zero, such as 1m, "
         "got 0s"),
        ({"fetch": "{folder: out, pattern: in/*.xml}"}, "7:33: error: fetch.pattern: no file is taken by 'in/*.xml', "
         "for a name has no folder in it; write '*.xml'"),
        ({"fetch": "{folder: out, pattern: '*.PART'}"},
         "7:33: error: fetch.pattern: no file is taken by '*.PART': " + ON_THEIR_WAY),
        ({"fetch": "{folder: out, pattern: ''}"},
         "7:33: error: fetch.pattern: no file is taken by '': " + ON_THEIR_WAY),
        ({"fetch": "{folder: out, unpack: {entries: a/}}"}, "7:42: error: fetch.unpack.entries: no file is taken by "
         "'a/', for a name has no folder in it; write '*'"),
        ({"fetch": "{folder: out, events: {stock: '.S*'}}"},
         "7:32: error: fetch.events: no file is taken by '.S*': " + ON_THEIR_WAY),
        ({"send": "{folder: in, threads: 0}"}, "8:31: error: send.threads: expected 1 or more, got 0"),
        ({"known_hosts": "/etc/known"}, "8:3: error: unknown key 'known_hosts' in system 'bank'"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_its_place_and_what_to_write(changed: dict[str, str | None], fault: str) -> None:
    [found] = faults_of(**changed)
    assert "hunter2" not in found
    assert found.startswith(fault) if "known" in fault or "is missing in" in fault else found == fault


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("fetch: {folder: ../in}", "4:19: error: fetch.folder: the folder '../in' leads out of the root; write a path "
         "below it, without '..'"),
        ("send: {folder: out, threads: 0}", "4:32: error: send.threads: expected 1 or more, got 0"),
        ("send: {folder: out, name: 'a/b'}", "4:9: error: send: the name 'a/b' is not a file name; write one without "
         "folders, e.g. {key}.xml"),
    ],
)  # fmt: skip
def test_folders_of_this_machine_are_looked_at_alike(line: str, fault: str) -> None:
    text = f"bank:\n  connector: file\n  root: data\n  {line}\n"
    _, faults = load_settings({"config/systems.yaml": text.encode()})
    assert [str(each).removeprefix("config/systems.yaml:") for each in faults] == [fault]
