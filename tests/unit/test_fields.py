"""Reading a mapping against a table of fields: the value or the fault of every kind."""

from decimal import Decimal

import pytest

from connectors.base import Field
from hub.fields import Located, Scope, read_fields
from hub.overlay import overlay, stand_at
from hub.secret import Secret
from hub.yamldoc import parse_yaml


def read(text, *fields):
    """The values, and the faults as texts."""
    faults = []
    values = read_fields(parse_yaml(text, "f.yaml"), fields, Scope("system 'erp'", faults))
    return values, [f"{fault.line}:{fault.column} {fault.message}" for fault in faults]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("text", "x: a b", "a b"),
        ("text", "x: 12", "12"),
        ("text", "x: 007", "007"),
        ("text", 'x: ""', ""),
        ("text", "x: off", "off"),
        ("text", "x: secret://env/A", Secret("env", "A")),
        ("secret", "x: secret://file/a.key", Secret("file", "a.key")),
        ("url", "x: https://erp.example/api", "https://erp.example/api"),
        ("integer", "x: 8", 8),
        ("number", "x: 1.5", Decimal("1.5")),
        ("boolean", "x: true", True),
        ("duration", "x: 15m", 900.0),
        ("size", "x: 10MB", 10_000_000),
        ("rate", "x: 600/m", 10.0),
        ("expression", "x: status == 200", Located("status == 200", "f.yaml", 1, 4)),
        ("expression", "x: 'status in [200, 201]'", Located("status in [200, 201]", "f.yaml", 1, 5)),
        ("expression", "x: true", Located("true", "f.yaml", 1, 4)),
        ("texts", "x: a", ("a",)),
        ("texts", "x: [a, 1]", ("a", "1")),
        ("list", "x: [a, {b: secret://env/A}]", ["a", {"b": Secret("env", "A")}]),
        ("map", "x: {a: 1, b: secret://env/A}", {"a": 1, "b": Secret("env", "A")}),
        ("raw", "x: {a: [1, null]}", {"a": [1, None]}),
    ],
)
def test_a_good_value_is_read(kind, text, value):
    values, faults = read(text, Field("x", kind))
    assert faults == []
    assert values["x"] == value


@pytest.mark.parametrize(
    ("kind", "text", "fault"),
    [
        ("text", "x: true", "1:4 x: expected text, got 'true'; write it in quotes: 'true'"),
        ("text", "x: [a]", "1:4 x: expected text, got a list"),
        ("text", "x:", "1:3 x has no value; expected text, or leave the key out"),
        (
            "text",
            "x: ${TOKEN}",
            "1:4 x: placeholders such as ${NAME} are not filled in; write secret://env/NAME or secret://file/NAME",
        ),
        (
            "text",
            "x: $TOKEN",
            "1:4 x: placeholders such as ${NAME} are not filled in; write secret://env/NAME or secret://file/NAME",
        ),
        ("text", "x: secret://vault/a", "1:4 x: not a secret reference; write secret://env/NAME or secret://file/NAME"),
        (
            "address",
            "x: postgresql://o2c:hunter2@db/o2c",
            "1:4 x: the address holds a password; write the whole address as secret://env/NAME or secret://file/NAME",
        ),
        (
            "secret",
            "x: hunter2",
            "1:4 x: a secret written out; write secret://env/NAME instead (or secret://file/NAME)",
        ),
        ("secret", "x: 1234", "1:4 x: a secret written out; write secret://env/NAME instead (or secret://file/NAME)"),
        (
            "secret",
            "x: {a: 1}",
            "1:4 x: expected a reference such as secret://env/NAME or secret://file/NAME, got a mapping",
        ),
        ("url", "x: erp.example", "1:4 x: expected an address such as https://host.example, got 'erp.example'"),
        ("integer", "x: 1.5", "1:4 x: expected a whole number, got '1.5'"),
        ("integer", "x: -1", "1:4 x: expected a whole number, got '-1'; it cannot be below zero"),
        ("integer", "x: '1'", "1:4 x: expected a whole number, got '1'"),
        ("integer", "x: true", "1:4 x: expected a whole number, got 'true'"),
        ("number", "x: 1e3", "1:4 x: expected a number, got '1e3'"),
        ("boolean", "x: yes", "1:4 x: expected true or false, got 'yes'; write true"),
        ("boolean", "x: 0", "1:4 x: expected true or false, got '0'"),
        ("duration", "x: 10", "1:4 x: expected a duration such as 10s, 15m, 24h or 7d, got '10'; write 10s"),
        ("duration", "x: soon", "1:4 x: expected a duration such as 10s, 15m, 24h or 7d, got 'soon'"),
        ("size", "x: 10 MB", "1:4 x: expected a size such as 500KB or 10MB, got '10 MB'"),
        ("rate", "x: 20", "1:4 x: expected a rate such as 20/s or 600/m, got '20'; write 20/s"),
        ("choice", "x: lokup", "1:4 x: expected lookup or none, got 'lokup'; did you mean 'lookup'?"),
        ("choice", "x: [lookup]", "1:4 x: expected lookup or none, got a list"),
        (
            "expression",
            "x: {a: 1}",
            "1:4 x: expected an expression, got a mapping; quote an expression that holds '{' or '['",
        ),
        ("texts", "x: {a: 1}", "1:4 x: expected text or a list of texts, got a mapping"),
        ("list", "x: a", "1:4 x: expected a list, got text; write it in [ ] or on lines that start with '- '"),
        ("map", "x: [a]", "1:4 x: expected a mapping, got a list"),
        ("group", "x: hunter2", "1:4 x: expected a mapping, got text"),
    ],
)
def test_a_wrong_value_is_a_fault_and_has_its_default(kind, text, fault):
    values, faults = read(text, Field("x", kind, choices=("lookup", "none"), default="the default"))
    assert faults == [fault]
    assert values["x"] == "the default"


def test_a_wrong_element_is_a_fault_and_the_others_are_read():
    values, faults = read("x: [a, [b], c]", Field("x", "texts"))
    assert values["x"] == ("a", "c")
    assert faults == ["1:8 x[1]: expected text, got a list"]


def test_every_fault_is_found_at_once_and_the_rest_is_read():
    fields = (Field("a", "integer"), Field("b", "duration", default=5.0), Field("c", "group", fields=(Field("d"),)))
    values, faults = read("a: x\nb: 7\nc: {d: [1], e: 2}\n", *fields)
    assert values == {"a": None, "b": 5.0, "c": {"d": None}}
    assert faults == [
        "1:4 a: expected a whole number, got 'x'",
        "2:4 b: expected a duration such as 10s, 15m, 24h or 7d, got '7'; write 7s",
        "3:13 unknown key 'e' in c of system 'erp'",
        "3:8 c.d: expected text, got a list",
    ]


def test_a_misspelt_key_is_one_fault_and_not_also_a_missing_one():
    _, faults = read("bas_url: x", Field("base_url", "url", required=True), Field("method"))
    assert faults == ["1:1 unknown key 'bas_url' in system 'erp'; did you mean 'base_url'?"]


def test_what_is_missing_is_said_with_what_it_is_for():
    _, faults = read("method: POST", Field("base_url", "url", "Where it is.", required=True), Field("method"))
    assert faults == ["1:1 base_url is missing in system 'erp': where it is"]


def test_a_reserved_key_is_not_in_this_version():
    faults = []
    read_fields(parse_yaml("steps: []", "f.yaml"), (Field("to"),), Scope("route 'x'", faults), {"steps"})
    assert [str(fault) for fault in faults] == ["f.yaml:1:1: error: 'steps' is not in this version; take the key out"]


def test_a_group_that_is_not_there_is_its_own_defaults_unless_something_in_it_is_required():
    optional = Field("timeouts", "group", fields=(Field("connect", "duration", default=5.0), Field("read", "duration")))
    strict = Field("tls", "group", fields=(Field("key", "secret", required=True), Field("ca")))
    values, faults = read("{}", optional, strict)
    assert faults == []
    assert values == {"timeouts": {"connect": 5.0, "read": None}, "tls": None}


def test_elements_of_a_list_are_read_against_their_own_table():
    secrets = Field("secrets", "list", fields=(Field("", "secret"),))
    values, faults = read("secrets: [secret://env/A, hunter2]", secrets)
    assert values["secrets"] == [Secret("env", "A"), None]
    assert faults == ["1:27 secrets[1]: a secret written out; write secret://env/NAME instead (or secret://file/NAME)"]


def test_no_fault_shows_a_secret():
    kinds = ("secret", "address", "group", "list", "map")
    fields = tuple(Field(f"x{number}", kind) for number, kind in enumerate(kinds))
    text = "\n".join(f"x{number}: amqp://u:hunter2@h" for number in range(len(kinds)))
    _, faults = read(text, *fields)
    assert len(faults) == len(kinds)
    assert "hunter2" not in "".join(faults)


def test_an_overlay_changes_single_keys_and_every_value_keeps_its_place():
    low = parse_yaml("erp: {base_url: a, timeouts: {read: 1s, connect: 2s}}\nwms: {x: 1}", "low.yaml")
    high = parse_yaml("erp:\n  timeouts: {read: 9s}\ncrm: {y: 2}", "high.yaml")
    merged = overlay(low, high)
    assert merged.data() == {
        "erp": {"base_url": "a", "timeouts": {"read": "9s", "connect": "2s"}}, "wms": {"x": 1}, "crm": {"y": 2},
    }  # fmt: skip
    read_node = merged.get("erp").get("timeouts").get("read")
    assert (read_node.file, read_node.line) == ("high.yaml", 2)
    assert merged.get("erp").file == "low.yaml"
    assert overlay(low, high, placed_by_high=True).get("erp").file == "high.yaml"
    assert merged.get("crm").file == "high.yaml"


def test_an_overlay_replaces_what_is_no_mapping_on_both_sides():
    low, high = parse_yaml("a: [1, 2]\nb: {c: 1}", "l"), parse_yaml("a: [3]\nb: text", "h")
    assert overlay(low, high).data() == {"a": [3], "b": "text"}


@pytest.mark.parametrize(
    "name",
    ["api_key", "apikey", "API-Key", "token", "access_token", "accessToken", "client_secret", "password", "db_password",
     "subscription-key", "signature", "x-api-key", "oauth_token", "hapikey", "Ocp-Apim-Subscription-Key",
     "X-Amz-Signature"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["text", "raw"])
def test_a_secret_in_a_query_is_a_fault_that_says_what_to_write(name, kind):
    told = f"1:4 x: '{name}' looks like a secret written out; write "
    auth = f"auth: {{type: key, query: {name}, key: secret://env/NAME}} instead"
    for text in (f"/x?{name}=abcdef0123456789", f"GET /x?ref={{key}}&{name}=hunter2", f"/x?{name}=pre{{key}}fix"):
        assert read(f"x: '{text}'", Field("x", kind))[1] == [f"{told}{auth}"]
    whole = ", or, where there is no auth, the whole address as secret://env/NAME or secret://file/NAME"
    assert read(f"x: https://h.example/x?{name}=hunter2#top", Field("x", "url"))[1] == [f"{told}{auth}{whole}"]


@pytest.mark.parametrize(
    "text",
    [
        "/x?key=AIzaSyD-9tSrke72PouQMnMX",
        "/x?code=a1B2c3D4e5F6g7H8i9J0%3D%3D",
        "/x?sig=0123456789abcdef0123456789abcdef",
    ],
)
def test_what_only_may_be_a_secret_is_one_where_nobody_would_choose_it(text):
    [fault] = read(f"x: {text}", Field("x", "text"))[1]
    assert fault.startswith("1:4 x: '") and "looks like a secret written out" in fault


@pytest.mark.parametrize(
    "text",
    [
        "/x?key=order",
        "/x?key=order_reference_2024",
        "/x?code=WAREHOUSE-DE-01-MAIN",
        "/x?code=0c5a6f1e-7a54-4c8e-9a53-0e2c6b1f9d11",
        "/x?key={key}",
        "/x?token={token}",
        "/x?page_token=abcdef0123456789",
        "/x?nextToken=abcdef0123456789",
        "/x?$skiptoken=abcdef0123456789",
        "/x?include_token=true",
        "/x?token=true",
        "/x?sort_key=name",
        "/x?code=DE",
        "/x?signature_required=yes",
        "/x?keys=order_number",
        "/x?access=public",
        "/x?secrets=none",
        "/x?user=anna",
        "/x?api=v2",
        "/x?author=anna",
        "GET /sales?ref={key}&status=open",
        "/sap/bc/idoc_xml?sap-client=100",
        "what is api_key=hunter2",
        "/x?updated_since={watermark}&_fields=id,token,key",
        "token=hunter2",
    ],
)
def test_an_ordinary_query_is_no_fault(text):
    assert read(f"x: '{text}'", Field("x", "text"))[1] == []


@pytest.mark.parametrize("kind", ["map", "raw"])
@pytest.mark.parametrize("key", ["Authorization", "x-api-key", "apikey", "Cookie", "db_password", "SECRET", "token"])
def test_a_free_key_that_sounds_like_a_secret_wants_a_reference(kind, key):
    fault = f"1:{7 + len(key)} x.{key}: looks like a secret written out; write secret://env/NAME or secret://file/NAME "
    assert read(f"x: {{{key}: hunter2}}", Field("x", kind))[1] == [f"{fault}instead"]
    assert read(f"x: {{{key}: secret://env/A}}", Field("x", kind))[1] == []


def test_what_a_preset_lacks_is_missing_where_the_system_stands():
    preset, entry = parse_yaml("verify: {header: X}\n", "preset.yaml"), parse_yaml("\n\na: 1", "systems.yaml")
    merged = overlay(stand_at(preset, entry), entry, placed_by_high=True)
    place = merged.get("verify")
    assert (place.file, place.line) == ("systems.yaml", 3)
    assert place.key("header").file == "preset.yaml"
