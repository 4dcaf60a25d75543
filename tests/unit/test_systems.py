"""config/systems.yaml: presets, defaults, environments, and each mistake's own words."""

from functools import cache
from pathlib import Path

import pytest

from hub.fields import Located
from hub.project import reference_files
from hub.secret import Secret
from hub.settings import load_settings


@cache
def presets():
    return {path: raw for path, raw in reference_files().items() if path.startswith("connectors/presets/")}


def load(text, environment=""):
    """The systems, and the faults as texts without the file's name."""
    files = {**presets(), "config/systems.yaml": text.encode(), "config/environments/test.yaml": environment.encode()}
    settings, faults = load_settings(files, "test" if environment else None)
    return settings.systems, [str(fault).removeprefix("config/systems.yaml:") for fault in faults]


def test_a_preset_brings_what_the_system_does_not_say():
    systems, faults = load("shop: {preset: shopify, verify: {secrets: [secret://env/HMAC]}, dedupe: {keep: 24h}}")
    assert faults == []
    shop = systems["shop"]
    assert (shop.connector, shop.preset, shop.format) == ("webhook", "shopify", "json")
    assert shop.event == "header:X-Shopify-Topic"
    assert dict(shop.dedupe) == {"id": "header:X-Shopify-Webhook-Id", "keep": 86400.0}
    assert shop.verify["header"] == "X-Shopify-Hmac-SHA256"
    assert shop.verify["secrets"] == [Secret("env", "HMAC")]
    assert (shop.receives, shop.sends, shop.fetches) == (True, False, False)


@pytest.mark.parametrize(
    "preset", sorted(Path(path).stem for path, raw in presets().items() if b"connector: webhook" in raw)
)
def test_every_preset_for_webhooks_needs_only_its_secret(preset):
    systems, faults = load(f"shop: {{preset: {preset}, verify: {{secrets: [secret://env/HMAC]}}}}")
    assert faults == []
    assert systems["shop"].receives


def test_a_connector_has_a_value_for_every_setting():
    systems, faults = load("erp: {connector: http, base_url: 'http://erp', success: status == 200, ignore: ping}")
    assert faults == []
    erp = systems["erp"]
    assert erp.options["success"] == Located("status == 200", "config/systems.yaml", 1, 57)
    assert erp.options["timeouts"] == {"connect": 5.0, "read": 30.0}
    assert erp.idempotency["mode"] == "none"
    assert erp.ignore == ("ping",)
    assert erp.verify is None
    assert (erp.receives, erp.sends, erp.fetches) == (False, True, False)
    assert (erp.file, erp.line, erp.column) == ("config/systems.yaml", 1, 1)


def test_a_system_over_http_may_also_send_webhooks():
    systems, faults = load(
        "wms: {connector: http, base_url: 'http://w', verify: {header: X-Sig, secrets: [secret://env/A]}, "
        "event: field:type}"
    )
    assert faults == []
    assert (systems["wms"].receives, systems["wms"].sends) == (True, True)
    assert systems["wms"].event == "field:type"


def test_a_folder_is_fetched_from_or_sent_to_as_it_says():
    systems, _ = load(
        "a: {connector: file, root: x, fetch: {folder: in}}\nb: {connector: file, root: x, send: {folder: out}}"
    )
    assert (systems["a"].fetches, systems["a"].sends) == (True, False)
    assert (systems["b"].fetches, systems["b"].sends) == (False, True)


REACHED = "host: h.example, user: hub, password: secret://env/P, " + (
    'host_key: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ"'
)


def test_a_preset_says_how_files_are_exchanged_and_the_system_in_which_folders():
    systems, faults = load(
        f"both: {{preset: wms-csv, {REACHED}, fetch: {{folder: out, every: 5m}}, send: {{folder: in}}}}\n"
        f"writes: {{preset: wms-csv, {REACHED}, send: {{folder: in, marker: ''}}}}\n"
        f"reads: {{preset: bank-camt053, {REACHED}, fetch: {{folder: out}}}}"
    )
    assert faults == []
    both, writes, reads = systems["both"], systems["writes"], systems["reads"]
    assert [each.fetches for each in (both, writes, reads)] == [True, False, True]
    assert [each.sends for each in (both, writes, reads)] == [True, True, False]
    fetch = both.options["fetch"]
    assert (fetch["folder"], fetch["every"], fetch["ready"], fetch["archive"]) == ("out", 300.0, "marker", "archive")
    assert (both.format, both.events, both.options["send"]["name"]) == ("csv", ("despatch", "stock"), "FUL_{key}.csv")
    assert (both.options["send"]["marker"], writes.options["send"]["marker"]) == ("{name}.done", "")
    assert (reads.format, reads.options["fetch"]["pattern"]) == ("camt053", "*.xml")


@pytest.mark.parametrize("preset", ["vendure", "wms-json", "tms-json"])
def test_a_system_that_is_only_sent_to_need_not_say_how_it_would_be_believed(preset):
    reached = f"preset: {preset}, base_url: 'http://x', auth: {{key: secret://env/A, token: secret://env/A}}"
    systems, faults = load(f"a: {{{reached}}}\nb: {{{reached}, verify: {{secrets: [secret://env/B]}}}}")
    assert faults == []
    assert [(each.sends, each.receives) for each in systems.values()] == [(True, False), (True, True)]


def test_a_preset_may_say_the_folders_too():
    preset = b"preset: mine\nproved: real\nconnector: file\nfetch: {folder: in, events: {a: 'A*'}}\n"
    files = {
        "connectors/presets/mine.yaml": preset + b"send: {folder: out}\n",
        "config/systems.yaml": b"a: {preset: mine, root: x}",
    }
    settings, faults = load_settings(files)
    assert faults == []
    system = settings.systems["a"]
    assert (system.fetches, system.sends, system.events) == (True, True, ("a",))


def test_a_system_of_files_with_neither_folder_is_told_so():
    assert load(f"a: {{preset: wms-csv, {REACHED}}}")[1] == [
        "1:1: error: fetch is missing, and send: too; say where files are fetched from, or put to"
    ]


def test_an_environment_changes_single_keys_of_a_system_and_may_add_one():
    systems, faults = load(
        "erp: {connector: http, base_url: 'http://erp', timeouts: {read: 9s}}",
        "systems:\n  erp: {base_url: 'http://test', timeouts: {connect: 1s}}\n  stub: {connector: http, base_url: 'http://s'}",
    )
    assert faults == []
    assert systems["erp"].options["base_url"] == "http://test"
    assert systems["erp"].options["timeouts"] == {"connect": 1.0, "read": 9.0}
    assert (systems["erp"].file, systems["stub"].file) == ("config/systems.yaml", "config/environments/test.yaml")


HTTP = "a: {connector: http, base_url: 'http://x'"
HOOK = "a: {connector: webhook, verify: {header: X-Sig, secrets: [secret://env/A]"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("- a", "1:1: error: expected a mapping from system names to their settings, got a list"),
        ("a: http", "1:1: error: system 'a': expected a mapping with its settings, got text"),
        (
            "a: {}",
            "1:1: error: system 'a' says neither connector: nor preset:; write one of them (connectors: file, "
            "http, sftp, soap, webhook)",
        ),
        ("a: {conector: http}", "1:5: error: unknown key 'conector' in system 'a'; did you mean 'connector'?"),
        ("a: {connector: htp}", "1:16: error: unknown connector 'htp'; did you mean 'http'?"),
        ("a: {connector: sftpp}", "1:16: error: unknown connector 'sftpp'; did you mean 'sftp'?"),
        ("a: {preset: shoppify}", "1:13: error: unknown preset 'shoppify'; did you mean 'shopify'?"),
        (
            "a b: {connector: http, base_url: 'http://x'}",
            "1:1: error: 'a b' cannot name a system; use letters, digits, '-', '_' and '.', starting with a letter "
            "or digit",
        ),
        (
            "../a: {connector: http, base_url: 'http://x'}",
            "1:1: error: '../a' cannot name a system; use letters, digits, '-', '_' and '.', starting with a "
            "letter or digit",
        ),
        (
            "a: {connector: http}",
            "1:1: error: base_url is missing in system 'a': where the system is; a path in it comes before path:",
        ),
        (
            "a: {connector: http, baseurl: 'http://x'}",
            "1:22: error: unknown key 'baseurl' in system 'a'; did you mean 'base_url'?",
        ),
        (
            HTTP + ", auth: {type: bearer, token: hunter2}}",
            "1:72: error: auth.token: a secret written out; write secret://env/NAME instead (or secret://file/NAME)",
        ),
        (
            HTTP + ", auth: {type: barer}}",
            "1:57: error: auth.type: expected none, basic, key, bearer, oauth2 or hmac, got 'barer'; did you mean "
            "'bearer'?",
        ),
        (HTTP + ", auth: bearer}", "1:50: error: auth: expected a mapping, got text"),
        (
            HTTP + ", headers: {X-Api-Key: hunter2}}",
            "1:65: error: headers.X-Api-Key: looks like a secret written out; write secret://env/NAME or "
            "secret://file/NAME instead",
        ),
        (
            HTTP + ", limits: {rate: 20}}",
            "1:59: error: limits.rate: expected a rate such as 20/s or 600/m, got '20'; write 20/s",
        ),
        (
            HTTP + ", limits: {rate: fast}}",
            "1:59: error: limits.rate: expected a rate such as 20/s or 600/m, got 'fast'",
        ),
        (
            HTTP + ", timeouts: {read: 30}}",
            "1:61: error: timeouts.read: expected a duration such as 10s, 15m, 24h or 7d, got '30'; write 30s",
        ),
        (HTTP + ", timeouts: 30s}", "1:54: error: timeouts: expected a mapping, got text"),
        (HTTP + ", max_response: 1M}", "1:58: error: max_response: expected a size such as 500KB or 10MB, got '1M'"),
        (HTTP + ", format: [json]}", "1:52: error: format: expected text, got a list"),
        (
            HTTP + ", success: [a]}",
            "1:53: error: success: expected an expression, got a list; quote an expression that holds '{' or '['",
        ),
        (
            HTTP + ", proxy: 'http://me:hunter2@proxy'}",
            "1:51: error: proxy: the address holds a password; write the whole address as secret://env/NAME or "
            "secret://file/NAME",
        ),
        (
            "a: {preset: shopify, verify: {secrets: secret://env/A}}",
            "1:40: error: verify.secrets: expected a list, got text; write it in [ ] or on lines that start with '- '",
        ),
        (
            "a: {preset: shopify, verify: {secrets: [hunter2]}}",
            "1:41: error: verify.secrets[0]: a secret written out; write secret://env/NAME instead (or "
            "secret://file/NAME)",
        ),
        (
            "a: {preset: shopify, verify: {secret: [secret://env/A]}}",
            "1:31: error: unknown key 'secret' in verify of system 'a'; did you mean 'secrets'?",
        ),
        (
            HOOK + ", algorithm: md5}}",
            "1:87: error: verify.algorithm: expected hmac-sha256, hmac-sha1 or hmac-sha512, got 'md5'",
        ),
        (
            HOOK + "}, dedupe: {id: '{field:a}:{feld:b}'}}",
            "1:90: error: dedupe.id: expected header:NAME, field:PATH or a fixed text, got 'feld:b'; did you "
            "mean 'field'?",
        ),
        (
            HOOK + "}, event: heder:X-Topic}",
            "1:84: error: event: expected header:NAME, field:PATH or a fixed text, got 'heder:X-Topic'; did you "
            "mean 'header'?",
        ),
        (
            HOOK + "}, dedupe: {id: fild:id}}",
            "1:90: error: dedupe.id: expected header:NAME, field:PATH or a fixed text, got 'fild:id'; did you mean "
            "'field'?",
        ),
        (
            HOOK + "}, dedupe: {id: '{field:id}-{heder:X-Topic}'}}",
            "1:90: error: dedupe.id: expected header:NAME, field:PATH or a fixed text, got 'heder:X-Topic'; did you "
            "mean 'header'?",
        ),
        (
            HOOK + "}, dedupe: {id: field:id, keep: 3}}",
            "1:106: error: dedupe.keep: expected a duration such as 10s, 15m, 24h or 7d, got '3'; write 3s",
        ),
        (HOOK + "}, ignore: {a: 1}}", "1:85: error: ignore: expected text or a list of texts, got a mapping"),
    ],
)
def test_one_mistake_in_a_system_is_one_fault(text, fault):
    assert load(text)[1] == [fault]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("a: {connector: webhook}", "1:1: error: verify.header is missing"),
        ("a: {connector: webhook, verify: {method: none}}", "1:42: error: verify.method: "),
        ("a: {preset: shopify}", "1:1: error: verify.secrets is missing"),
        (HOOK + ", signed: '{bdy}'}}", "1:84: error: verify.signed: "),
        (
            HOOK + ", old_secrets: [{secret: secret://env/B, until: soon}]}}",
            "1:122: error: verify.old_secrets[0].until: ",
        ),
        (HOOK + "}, event: 'header:'}", "1:84: error: event: "),
    ],
)
def test_what_the_connector_itself_objects_to_is_told_where_it_stands(text, start):
    (fault,) = load(text)[1]
    assert fault.startswith(start)


def test_no_fault_of_a_system_shows_a_secret():
    for text in (
        HTTP + ", auth: {type: bearer, token: hunter2}}",
        "a: {preset: shopify, verify: {secrets: [hunter2]}}",
    ):
        assert "hunter2" not in "".join(load(text)[1])


def test_a_mistake_in_an_environment_is_told_where_it_stands():
    _, faults = load(HTTP + "}", "systems: {a: {base_url: x}}")
    assert faults == [
        "config/environments/test.yaml:1:25: error: base_url: expected an address such as https://host.example, got 'x'"
    ]


def test_a_mistake_in_a_preset_is_told_once_in_the_preset():
    files = {
        "connectors/presets/mine.yaml": b"preset: mine\nconnector: http\nbase_url: x\nproved: real\n",
        "config/systems.yaml": b"a: {preset: mine}\nb: {preset: mine}\n",
    }
    assert [str(fault) for fault in load_settings(files)[1]] == [
        "connectors/presets/mine.yaml:3:11: error: base_url: expected an address such as https://host.example, got 'x'"
    ]


@pytest.mark.parametrize(
    ("proved", "fault"),
    [
        ("", "1:1: error: proved is missing in preset 'mine': what it was tried against: the real system, a double of "
             "it, or its documentation"),
        ("proved: doubel", "3:9: error: proved: expected real, double or documented, got 'doubel'; did you mean "
                           "'double'?"),
    ],
)  # fmt: skip
def test_a_preset_says_how_it_is_proved(proved, fault):
    files = {
        "connectors/presets/mine.yaml": f"preset: mine\nconnector: http\n{proved}\n".encode(),
        "config/systems.yaml": b"a: {preset: mine, base_url: 'http://a'}\nb: {preset: mine, base_url: 'http://b'}\n",
    }
    assert [str(found) for found in load_settings(files)[1]] == [f"connectors/presets/mine.yaml:{fault}"]


@pytest.mark.parametrize("text", ["", "- a", "preset: x: y", "\tpreset: x: y"])
def test_a_broken_preset_is_one_fault(text):
    files = {"connectors/presets/mine.yaml": text.encode(), "config/systems.yaml": b"a: {preset: mine}\n"}
    assert len(load_settings(files)[1]) == 1
