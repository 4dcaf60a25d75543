"""config/hub.yaml and its environments: values, defaults, and each mistake's own words."""

import pytest

from hub.secret import Secret
from hub.settings import Http, Retention, Settings, Tls, load_settings

DAY = 86400


def load(hub="", environment=None, **files):
    """The settings and the faults as texts; keyword arguments are further files, by name."""
    paths = {"config/hub.yaml": hub.encode()}
    paths |= {f"config/{name.replace('__', '/')}.yaml": text.encode() for name, text in files.items()}
    settings, faults = load_settings(paths, environment)
    return settings, [str(fault) for fault in faults]


def test_an_empty_file_is_all_defaults():
    settings, faults = load("")
    assert faults == []
    assert settings == Settings()
    assert settings.http == Http(host="127.0.0.1", port=8420, max_body=10_000_000)
    assert settings.retention == Retention(raw=90 * DAY, stages=30 * DAY, metadata=400 * DAY)
    assert (settings.store, settings.broker, settings.time_zone) == ("sqlite:///data/hub.db", "local", "UTC")


def test_everything_can_be_said():
    settings, faults = load(
        """
http: {listen: "[::1]:9000", max_body: 5MB, trusted_proxies: [10.0.0.0/8, "::1"],
       tls: {certificate: hub.pem, key: secret://file/hub.key}}
store: secret://env/DATABASE_URL
broker: redis://127.0.0.1:6379/0
time_zone: Europe/Paris
company: {party_id: self, name: Example GmbH}
retention: {raw: 10d}
notify: [{webhook: "https://ops.example/hook"}, {webhook: secret://env/HOOK}]
secrets_folder: /run/secrets
"""
    )
    assert faults == []
    assert settings.http.tls == Tls("hub.pem", Secret("file", "hub.key"))
    assert (settings.http.host, settings.http.port) == ("::1", 9000)
    assert settings.store == Secret("env", "DATABASE_URL")
    assert settings.company == {"party_id": "self", "name": "Example GmbH"}
    assert settings.retention == Retention(raw=10 * DAY)
    assert [entry["webhook"] for entry in settings.notify] == ["https://ops.example/hook", Secret("env", "HOOK")]
    assert settings.secrets_folder == "/run/secrets"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("stor: x", "1:1: error: unknown key 'stor' in config/hub.yaml; did you mean 'store'?"),
        ("journeys: {}", "1:1: error: 'journeys' is not in this version; take the key out"),
        ("- store", "1:1: error: config/hub.yaml: expected a mapping, got a list"),
        ("just text", "1:1: error: config/hub.yaml: expected a mapping, got text"),
        (
            "store: mysql://db/x",
            "1:8: error: store: expected one of sqlite://…, postgresql://… or a secret reference, got 'mysql://db/x'",
        ),
        (
            "store: postgres://db/x",
            "1:8: error: store: expected one of sqlite://…, postgresql://… or a secret reference, got "
            "'postgres://db/x'; did you mean 'postgresql'?",
        ),
        (
            "store: data/hub.db",
            "1:8: error: store: expected one of sqlite://…, postgresql://… or a secret reference, got 'data/hub.db'",
        ),
        (
            "store: sqlite:///",
            "1:8: error: store: expected one of sqlite://…, postgresql://… or a secret reference, got 'sqlite:///'",
        ),
        (
            "store: postgresql://o2c:hunter2@db/x",
            "1:8: error: store: the address holds a password; write the whole address as secret://env/NAME or "
            "secret://file/NAME",
        ),
        (
            "broker: redi://h",
            "1:9: error: broker: expected one of local, redis://…, rediss://…, amqp://…, amqps://… or a secret "
            "reference, got 'redi://h'; did you mean 'redis'?",
        ),
        (
            "time_zone: Europe/Pariss",
            "1:12: error: time_zone: unknown zone 'Europe/Pariss'; did you mean 'Europe/Paris'?",
        ),
        (
            "time_zone: ../etc/passwd",
            "1:12: error: time_zone: unknown zone '../etc/passwd'; write an IANA name such as Europe/Paris",
        ),
        ("time_zone: Europe", "1:12: error: time_zone: unknown zone 'Europe'; did you mean 'Europe/Rome'?"),
        (
            "http: {listen: 8420}",
            "1:16: error: http.listen: expected an address and a port such as 127.0.0.1:8420, got '8420'",
        ),
        (
            "http: {listen: 'localhost:99999'}",
            "1:16: error: http.listen: expected an address and a port such as 127.0.0.1:8420, got 'localhost:99999'",
        ),
        (
            "http: {listen: '0.0.0.0:8420'}",
            "1:16: error: http.listen: 0.0.0.0 can be reached from outside and there is no TLS; set http.tls, "
            "listen on 127.0.0.1 behind a proxy, or say http.insecure: true",
        ),
        (
            "http: {listen: 'hub.example:443'}",
            "1:16: error: http.listen: hub.example can be reached from outside and there is no TLS; set http.tls, "
            "listen on 127.0.0.1 behind a proxy, or say http.insecure: true",
        ),
        (
            "http: {max_body: 10}",
            "1:18: error: http.max_body: expected a size such as 500KB or 10MB, got '10'; write 10B",
        ),
        (
            "http: {max_boddy: 10MB}",
            "1:8: error: unknown key 'max_boddy' in http of config/hub.yaml; did you mean 'max_body'?",
        ),
        (
            "http: {tls: {certificate: a.pem, key: a.key}}",
            "1:39: error: http.tls.key: a secret written out; write secret://env/NAME instead (or secret://file/NAME)",
        ),
        (
            "http: {tls: {certificate: a.pem, key: secret://env/KEY}}",
            "1:39: error: http.tls.key: secret://env/KEY must be a file; write secret://file/NAME",
        ),
        (
            "http: {tls: {key: secret://file/a.key}}",
            "1:13: error: certificate is missing in http.tls of config/hub.yaml: file with the certificate and its "
            "chain (PEM)",
        ),
        (
            "http: {trusted_proxies: [10.0.0.0/33]}",
            "1:25: error: http.trusted_proxies: expected addresses or networks such as 10.0.0.0/8, got '10.0.0.0/33'",
        ),
        (
            "retention: {raw: 90}",
            "1:18: error: retention.raw: expected a duration such as 10s, 15m, 24h or 7d, got '90'; write 90s",
        ),
        (
            "retention: {stages: 0s, metadata: 0s}",
            "1:35: error: retention.metadata: expected a time above zero, such as 1d, got 0s",
        ),
        ("retention: 90d", "1:12: error: retention: expected a mapping, got text"),
        (
            "notify: {webhook: 'https://x.example'}",
            "1:9: error: notify: expected a list, got a mapping; write it in [ ] or on lines that start with '- '",
        ),
        (
            "notify: [{webhook: ops}]",
            "1:20: error: notify[0].webhook: expected an address such as https://host.example, got 'ops'",
        ),
        (
            "notify: [{}]",
            "1:10: error: notify[0]: expected webhook: or email:, one of them in each entry",
        ),
        (
            "notify: [{email: {server: m.example, from: hub@x.example, to: [ops]}}]",
            "1:63: error: notify[0].email.to: expected an address such as hub@example.com, got 'ops'",
        ),
        (
            "notify: [{email: {server: m.example, port: 70000, from: a@x.example, to: b@x.example}}]",
            "1:44: error: notify[0].email.port: expected 1 to 65535, got 70000",
        ),
        ("company: Example GmbH", "1:10: error: company: expected a mapping, got text"),
        ("store: a\nstore: sqlite:///x", "2:1: error: the key 'store' stands twice; the first is in line 1"),
        ("http:\n\tlisten: 127.0.0.1:1", "2:1: error: a tab in the indentation; YAML wants spaces: write two spaces"),
        (
            "http: {listen: x",
            "1:17: error: not YAML: expected ',' or '}', but got '<stream end>' while parsing a flow mapping; "
            "check the indentation and quote text that holds special characters",
        ),
        (
            "store: a: b",
            "1:9: error: not YAML: mapping values are not allowed here; quote the text if it holds ': ', or check "
            "the indentation",
        ),
        ("a: &x [*x, *x]", "1:8: error: not YAML: the alias *x is not read here; write the value out"),
        ("store: \u0007", "1:8: error: control character U+0007; take it out"),
    ],
)
def test_a_mistake_in_hub_yaml_is_told_with_its_place(text, fault):
    _, faults = load(text)
    assert [fault.removeprefix("config/hub.yaml:") for fault in faults][-1:] == [fault]
    assert len(faults) <= 2


def test_bytes_that_are_not_utf_8_are_located():
    _, faults = load_settings({"config/hub.yaml": b"store: x\nbroker: \xff"})
    assert [str(fault) for fault in faults] == [
        "config/hub.yaml:2:9: error: byte 0xff is not UTF-8; save the file as UTF-8"
    ]


def test_a_public_address_is_taken_with_tls_or_when_told():
    for text in ("insecure: true", "tls: {certificate: a.pem, key: secret://file/a}"):
        settings, faults = load(f'http: {{listen: "0.0.0.0:8420", {text}}}')
        assert faults == []
        assert settings.http.host == "0.0.0.0"


def test_an_environment_changes_single_keys():
    settings, faults = load(
        'http: {listen: "127.0.0.1:1", max_body: 5MB}\nretention: {raw: 1d}',
        "demo",
        environments__demo='hub:\n  http: {listen: "127.0.0.1:2"}\n  retention: {stages: 2d}\n',
    )
    assert faults == []
    assert settings.http == Http(port=2, max_body=5_000_000)
    assert settings.retention == Retention(raw=1 * DAY, stages=2 * DAY)
    assert settings.environment == "demo"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        (
            "demmo",
            "",
            "config/hub.yaml:0:0: error: O2C_ENV is 'demmo' and there is no config/environments/demmo.yaml; did "
            "you mean 'demo'?",
        ),
        (
            "../../etc/x",
            "",
            "config/hub.yaml:0:0: error: O2C_ENV is '../../etc/x' and there is no "
            "config/environments/../../etc/x.yaml; known: demo",
        ),
        (
            "demo",
            "hubb: {}",
            "config/environments/demo.yaml:1:1: error: unknown key 'hubb' in config/environments/demo.yaml; did "
            "you mean 'hub'?",
        ),
        ("demo", "hub: [a]", "config/environments/demo.yaml:1:6: error: hub: expected a mapping, got a list"),
        (
            "demo",
            "- a",
            "config/environments/demo.yaml:1:1: error: expected a mapping with hub:, systems: or partners:, got a list",
        ),
        (
            "demo",
            "hub: {stor: x}",
            "config/environments/demo.yaml:1:7: error: unknown key 'stor' in config/hub.yaml; did you mean 'store'?",
        ),
        (
            "demo",
            "hub: {time_zone: Mars}",
            "config/environments/demo.yaml:1:18: error: time_zone: unknown zone 'Mars'; write an IANA name such as "
            "Europe/Paris",
        ),
    ],
)
def test_a_mistake_in_an_environment_is_told_where_it_stands(name, text, fault):
    _, faults = load("", name, environments__demo=text)
    assert faults == [fault]


def test_a_file_that_cannot_be_read_is_noted():
    settings, faults = load("", systems="erp: {")
    assert settings.unread == {"config/systems.yaml"}
    assert len(faults) == 1
