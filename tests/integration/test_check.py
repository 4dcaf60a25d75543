"""`o2c check` on the reference project: sound as it is, and with one mistake planted exactly one fault."""

import pytest
from planted_limits import PLANTED_LIMITS
from planted_mistakes import CRM, DEMO, HUB, PLANTED, ROUTES, SYSTEMS

from hub.check import check_project
from hub.errors import ProjectError
from tests.reference_project import small, whole


def faults_of(files, environment=None):
    return [str(fault) for fault in check_project(files, environment).faults]


def planted(path, old, new):
    """The reference project with one text replaced, once; without its tests, which would tell of it as well."""
    text = small()[path].decode()
    assert text.count(old) >= 1, f"{old!r} is not in {path}"
    files = {name: raw for name, raw in small().items() if not name.endswith(".test.yaml")}
    return {**files, path: text.replace(old, new, 1).encode()}


@pytest.mark.parametrize("environment", [None, "demo"])
def test_the_reference_project_has_no_faults_and_no_warnings(environment):
    assert faults_of(whole(), environment) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "fault"),
    [*PLANTED, *PLANTED_LIMITS],
)
def test_one_planted_mistake_is_exactly_one_fault_that_shows_its_line_with_a_mark_and_never_a_secret(
    path, old, new, fault
):
    [found] = check_project(planted(path, old, new), "demo" if path == DEMO else None).faults
    assert str(found) == fault
    line, _, mark = found.excerpt.partition("\n")
    assert "hunter2" not in line
    if "secret" not in fault and "password" not in fault:
        assert mark.strip("\t ").strip("^") == ""
        assert mark.index("^") == found.column + 3


def test_that_statements_of_ubl_have_no_canonical_type_is_told_who_looks_for_their_mapping():
    [fault] = faults_of(planted(ROUTES, "map: shopify-order ", "map: ubl-statement "))
    assert fault.startswith(
        "routes/orders.yaml:6:8: error: unknown mapping 'ubl-statement': a UBL Statement, which tells"
    )
    assert fault.endswith("; map ubl/2.1/Statement to a schema of your own")


SECRET = "looks like a secret written out; write auth: {type: key, query: api_key, key: secret://env/NAME} instead"


@pytest.mark.parametrize(
    ("path", "old", "new", "fault"),
    [
        (
            SYSTEMS,
            "path: /sales-orders",
            "path: /sales-orders?api_key=hunter2hunter2",
            f"19:9: error: path: 'api_key' {SECRET}",
        ),
        (
            SYSTEMS,
            "base_url: http://127.0.0.1:8501",
            "base_url: https://x/api?api_key=hunter2",
            f"18:13: error: base_url: 'api_key' {SECRET}, or, where there is no auth, the whole address as "
            "secret://env/NAME or secret://file/NAME",
        ),
        (
            SYSTEMS,
            "{mode: native}",
            "{mode: lookup, request: 'GET /x?ref={key}&api_key=hunter2'}",
            f"21:40: error: idempotency.request: 'api_key' {SECRET}",
        ),
    ],
)
def test_a_secret_in_a_query_is_told_with_its_place_and_not_shown(path, old, new, fault):
    [found] = check_project(planted(path, old, new)).faults
    assert (str(found), found.excerpt) == (f"{path}:{fault}", "")


def test_mistakes_in_other_environments_are_found_too():
    files = planted(DEMO, "base_url:", "bas_url:")
    assert faults_of(files) == faults_of(files, "demo")
    assert [fault.partition(" ")[0] for fault in faults_of(files)] == ["config/environments/demo.yaml:4:9:"]


def test_every_mistake_of_every_file_is_told_at_once_and_sorted():
    files = {**small()}
    for path, old, new in [
        (HUB, "raw: 90d", "raw: 90"),
        (SYSTEMS, "token: secret://env/ERP_TOKEN", "token: hunter2"),
        (SYSTEMS, "format: csv", "format: cvs"),
        (ROUTES, "after: erp", "after: epr"),
        (ROUTES, "map: csv-order", "map: csv-ordr"),
        (DEMO, "crm:", "crn:"),
    ]:
        files[path] = files[path].decode().replace(old, new, 1).encode()
    faults = check_project(files, "demo").faults
    assert [(fault.file, fault.line) for fault in faults] == [
        (DEMO, 6), (HUB, 20), (SYSTEMS, 13), (SYSTEMS, 20), (ROUTES, 10), (ROUTES, 18),
    ]  # fmt: skip


MUDDLED = b"""
mapping: order-to-crm
version: 1
version: 2
source: {format: jsn, schema: canonical/order}
target: {schema: crm/ordr}
output:
\tid: src.ordr_id
\tname: upperr(src.order_id)
"""


def test_a_tab_or_a_key_that_stands_twice_hides_no_other_mistake_of_its_file():
    faults = faults_of({**small(), CRM: MUDDLED})
    assert faults == [
        f"{CRM}:4:1: error: the key 'version' stands twice; the first is in line 3",
        f"{CRM}:5:18: error: source: unknown format 'jsn'; did you mean 'json'?",
        f"{CRM}:6:18: error: unknown schema 'crm/ordr'; did you mean 'crm/order'?",
        f"{CRM}:8:1: error: a tab in the indentation; YAML wants spaces: write two spaces",
        f"{CRM}:8:6: error: the source has no field 'ordr_id'; did you mean 'order_id'?",
        f"{CRM}:9:1: error: a tab in the indentation; YAML wants spaces: write two spaces",
        f"{CRM}:9:8: error: unknown function 'upperr'; did you mean 'upper'?",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            "path: /orders",
            "path: '/orders/{oder_id}'",
            "37:9: error: path: no document that is sent here gives 'oder_id'; did you mean 'order_id'?",
        ),
        (
            "path: /orders",
            "path: /orders\n  headers: {X-Order: '{order}-{ky}'}",
            "38:22: error: headers.X-Order: no document that is sent here gives 'ky'; did you mean 'key'?",
        ),
        (
            "path: /orders",
            "path: '/orders/{after.reference}'",
            "37:9: error: path: no document that is sent here gives 'after.reference'; known: delivery_id, extension, "
            "key, message_id, order, order_id",
        ),
    ],
)
def test_a_misspelt_name_in_braces_is_told(old, new, fault):
    assert faults_of(planted(SYSTEMS, old, new)) == [f"{SYSTEMS}:{fault}"]


def test_names_that_the_main_key_gives_are_no_mistake():
    assert faults_of(planted(SYSTEMS, "path: /orders", "path: '/{order}/{order_id}/{key}/{delivery_id}'")) == []


def test_routes_that_cannot_be_read_are_told_and_not_also_by_their_tests():
    broken = small()[ROUTES].replace(b"order: per_key", b"\torder: per_key", 1)
    faults = faults_of({**small(), ROUTES: broken})
    assert "a tab in the indentation" in faults[0]
    assert not [fault for fault in faults if fault.startswith(ROUTES.replace(".yaml", ".test.yaml"))]


def test_path_and_headers_may_name_fields_of_what_is_sent():
    path = "path: '/orders/{body.order}'\n  headers: {X-Order: '{body.lines.0}'}"
    assert faults_of(planted(SYSTEMS, "path: /orders", path)) == []
    plain = "path: /orders\n  idempotency: {mode: native}"
    asks = "path: /orders\n  idempotency: {mode: lookup, request: 'GET /orders/{body.order}'}"
    [fault] = faults_of(planted(SYSTEMS, plain, asks))
    assert "idempotency.request: no document that is sent here gives 'body.order'" in fault


def test_a_misspelt_name_in_a_body_that_is_written_down_is_told_and_other_braces_are_just_braces():
    plain = "path: /orders\n  idempotency: {mode: native}"
    look = "idempotency: {mode: lookup, request: POST /find, body: {domain: [[ref, '=', '{order_id}']]}}"
    body = (
        "body: {query: 'query { orders { id } } {key} {body}', variables: {id: 'x {order_id}', of: ['{message_id}']}}"
    )
    files = planted(SYSTEMS, plain, f"path: /orders\n  {look}\n  {body}")
    assert faults_of(files) == []
    for part in ("body", "idempotency.body"):
        text = look if part == "idempotency.body" else body
        wrong = files[SYSTEMS].replace(text.encode(), text.replace("{order_id}", "{ordr_id}").encode())
        [fault] = faults_of({**files, SYSTEMS: wrong})
        assert f" error: {part}: no document that is sent here gives 'ordr_id'; did you mean 'order_id'?" in fault


def test_a_file_with_two_documents_says_what_to_write():
    routes = small()[ROUTES] + b"---\nroute: another\n"
    [fault] = [fault for fault in faults_of({**small(), ROUTES: routes}) if "document" in fault]
    assert "a second document starts here; a file holds one: write a list" in fault


def test_a_mapping_that_travels_with_the_hub_is_looked_at_only_where_a_route_names_it():
    files = {**small(), "mappings/other/unused.yaml": b"mapping: unused\nnonsense: 1\n"}
    own = set(files) - {"mappings/other/unused.yaml"}
    assert check_project(files, own=own).is_sound
    assert not check_project(files).is_sound


def test_a_mapping_of_the_project_that_no_route_uses_is_a_warning():
    unused = small()[CRM].decode().replace("mapping: order-to-crm", "mapping: spare").encode()
    result = check_project({**small(), "mappings/orders/spare.yaml": unused})
    assert result.is_sound
    assert [str(fault) for fault in result.warnings] == [
        "mappings/orders/spare.yaml:2:10: warning: no route uses the mapping 'spare'"
    ]


def test_a_library_of_mappings_in_the_folder_of_a_format_may_hold_what_no_route_uses():
    unused = small()[CRM].decode().replace("mapping: order-to-crm", "mapping: spare").encode()
    assert check_project({**small(), "mappings/edifact/spare.yaml": unused}).faults == ()


def test_two_files_cannot_hold_a_mapping_of_one_name():
    files = {**small(), "mappings/zz/order-to-crm.yaml": small()[CRM]}
    assert faults_of(files) == [
        "mappings/zz/order-to-crm.yaml:1:1: error: there is a mapping 'order-to-crm' already: "
        "mappings/orders/order-to-crm.yaml; rename one of them"
    ]


def test_a_copy_of_a_mapping_that_the_hub_brings_is_told_at_the_copy():
    files = {**small(), "mappings/mine/order-to-crm.yaml": small()[CRM]}
    result = check_project(files, own=set(files) - {CRM})
    assert [str(fault) for fault in result.faults if fault.severity == "error"] == [
        "mappings/mine/order-to-crm.yaml:1:1: error: the hub brings a mapping 'order-to-crm': give yours another name, "
        "or write it to mappings/orders/order-to-crm.yaml in its place"
    ]


def test_an_empty_project_is_sound_and_does_nothing():
    result = check_project({})
    assert result.faults == ()
    assert result.require_sound().routes == ()


def test_a_faulty_project_is_refused_with_every_error():
    with pytest.raises(ProjectError, match=r"config/hub\.yaml:6:1: error: unknown key 'timezone'"):
        check_project(planted(HUB, "time_zone", "timezone")).require_sound()


def test_a_renamed_system_is_told_once_for_each_file_that_names_it():
    assert faults_of(planted(SYSTEMS, "erp:\n", "erpp:\n")) == [
        "config/environments/demo.yaml:4:3: error: unknown system 'erp' in this environment; did you mean 'erpp'? "
        "(a new system needs connector: or preset:)",
        "routes/orders.yaml:9:16: error: unknown system 'erp'; did you mean 'erpp'? (named 2 times)",
    ]
