"""`o2c check` and `o2c explain` where routes trade with partners."""

import pytest

from hub.check import check_project
from hub.explain import explain
from hub.project import reference_files

FILES = {
    "config/hub.yaml": "store: sqlite:///data/hub.db\n",
    "config/systems.yaml": "van: {connector: file, root: mail, send: {folder: out, name: '{key}.edi'}, "
    "fetch: {folder: in, pattern: '*.edi'}}\n"
    "erp: {connector: http, base_url: 'https://erp.example'}\n",
    "config/partners.yaml": "acme:\n  system: van\n  syntax: edifact\n  us: {id: '4012345000009', qualifier: '14'}\n"
    "  them: {id: '5412345000013', qualifier: '14'}\n",
    "routes/acme.yaml": "route: acme-orders\nfrom: {partner: acme, event: ORDERS}\nmap: acme-order\n"
    "to:\n  - {partner: acme, id: answer}\n  - {system: erp}\n",
    "mappings/acme-order.yaml": "mapping: acme-order\nversion: 1\nsource: {format: json}\n"
    "target: {schema: canonical/customer}\n"
    "output:\n  customer_id: src.id\n  status: {const: active}\n  updated_at: src.at\n"
    "  party: {party_id: src.id, name: src.name}\n",
}  # fmt: skip


def checked(old="", new=""):
    files = {name: text.replace(old, new, 1) if old else text for name, text in FILES.items()}
    if old:
        assert files != FILES, f"{old!r} stands nowhere"
    own = {name: text.encode() for name, text in files.items()}
    return check_project({**reference_files(), **own}, own=own)


def test_a_route_from_and_to_a_partner_is_sound():
    found = checked()
    assert [str(fault) for fault in found.faults] == []
    [route] = found.routes
    assert (route.system, [target.system for target in route.targets]) == ("van", ["van", "erp"])


def test_explain_names_the_partner_and_its_system():
    found = checked()
    text = explain(found.routes[0], found.settings)
    assert "Takes the event 'ORDERS' from partner acme (edifact, 5412345000013:14) by van (file)." in text
    assert "1. partner acme (edifact, 5412345000013:14) by van (file) as answer" in text


def test_an_option_of_a_format_that_says_nothing_for_a_partner_is_a_warning():
    found = checked("source: {format: json}", "source: {format: edifact, strict: true}")
    assert [str(fault) for fault in found.warnings] == [
        "routes/acme.yaml:3:6: warning: map: 'acme-order' has source: strict:, which says nothing for what comes from "
        "a partner; strict: of the partner in config/partners.yaml does"
    ]


def test_a_kind_of_a_type_that_does_not_say_it_is_told():
    x12 = FILES["config/partners.yaml"].replace("syntax: edifact", "syntax: x12")
    x12 = x12.replace("'14'", "ZZ").replace("ZZ}\n", "ZZ, group: G}\n")
    own = {**FILES, "config/partners.yaml": x12}
    told = {}
    for event in ("810 CR", "856 00"):
        own["routes/acme.yaml"] = (
            FILES["routes/acme.yaml"]
            .replace("ORDERS", event)
            .replace("{partner: acme, id: answer}", "{system: erp, id: two}")
        )
        files = {name: text.encode() for name, text in own.items()}
        told[event] = [str(fault) for fault in check_project({**reference_files(), **files}, own=files).errors]
    assert told == {
        "810 CR": [],
        "856 00": [
            "routes/acme.yaml:2:30: error: the kinds of 856 are not told apart, only those of 810, 812, 850, 855, 860, "
            "865; write '856'"
        ],
    }


def test_an_acknowledgement_has_no_name_of_a_document(monkeypatch):
    systems = FILES["config/systems.yaml"].replace("{key}.edi", "{customer_id}.edi")
    monkeypatch.setitem(FILES, "config/systems.yaml", systems)
    assert checked().is_sound
    found = checked("  syntax: edifact\n", "  syntax: edifact\n  ack: {contrl: always}\n")
    assert [str(fault) for fault in found.errors] == [
        "config/systems.yaml:1:62: error: send.name: an acknowledgement that is sent here gives no 'customer_id'; "
        "known: delivery_id, extension, key, message_id"
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("{partner: acme, event", "{partner: acmee, event",
         "routes/acme.yaml:2:17: error: unknown partner 'acmee'; did you mean 'acme'?"),
        ("{partner: acme, id", "{partner: acm, id",
         "routes/acme.yaml:5:15: error: unknown partner 'acm'; did you mean 'acme'?"),
        ("{partner: acme, event", "{system: van, event",
         "routes/acme.yaml:2:16: error: what comes from 'van' are interchanges of partners; write from: {partner: "
         "acme, event: ORDERS}"),
        ("  system: van", "  system: vam",
         "config/partners.yaml:2:11: error: unknown system 'vam'; did you mean 'van'?"),
        ("  syntax: edifact\n", "  syntax: edifact\n  overlays: {ORDERS: edifact/D96A/ORDERZ}\n",
         "config/partners.yaml:4:22: error: overlays.ORDERS: unknown grammar 'edifact/D96A/ORDERZ'; did you mean "
         "'edifact/D96A/ORDERS'?"),
        ("{partner: acme, event", "{partnr: acme, event",
         "routes/acme.yaml:2:8: error: unknown key 'partnr' in from of route 'acme-orders'; did you mean 'partner'?"),
        ("{partner: acme, event", "{partner: acme, system: van, event",
         "routes/acme.yaml:2:8: error: from: a partner's system stands in config/partners.yaml; take system: out, or "
         "partner:"),
        (", fetch: {folder: in, pattern: '*.edi'}", "",
         "routes/acme.yaml:2:17: error: nothing comes from 'van', the system of partner 'acme': it has neither verify: "
         "nor fetch:"),
        ("map: acme-order\n", "map: acme-order\nvalidate: sync\n",
         "routes/acme.yaml:4:11: error: validate: sync is not for interchanges of partners; take it out"),
    ],
)  # fmt: skip
def test_a_mistake_about_a_partner_is_one_fault(old, new, fault):
    assert [str(found) for found in checked(old, new).faults] == [fault]


OVERLAY = "title: Orders of acme\nextends: edifact/D96A/ORDERS\nrestrict:\n  BGM.document.number: an..3\n"


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("edifact/acme/ORDERS", OVERLAY, None),
        ("edifact/acme/ORDERS", OVERLAY.replace("BGM.document", "BGMM.document"),
         "schemas/edifact/acme/ORDERS.yaml:4:3: error: there is no 'BGMM'; did you mean 'BGM'?"),
        ("edifact/acme/ORDERS", OVERLAY.replace("D96A/ORDERS", "D96A/ORDERZ"),
         "schemas/edifact/acme/ORDERS.yaml:2:10: error: there is no grammar 'edifact/D96A/ORDERZ'; did you mean "
         "'edifact/D96A/ORDERS'?"),
        ("edifact/acme/ORDERS", OVERLAY.replace("D96A/ORDERS", "D96A/INVOIC"),
         "config/partners.yaml:4:22: error: overlays.ORDERS: grammar 'edifact/acme/ORDERS' is of the message INVOIC; "
         "write INVOIC: edifact/acme/ORDERS, or a grammar of ORDERS"),
        ("x12/004010/850", "",
         "config/partners.yaml:4:22: error: overlays.ORDERS: grammar 'x12/004010/850' is of x12, and partner 'acme' "
         "speaks edifact"),
    ],
)  # fmt: skip
def test_a_broken_overlay_is_one_fault_at_its_place(name, text, fault):
    named = "  syntax: edifact\n  overlays: {ORDERS: " + name + "}\n"
    files = {**FILES, "config/partners.yaml": FILES["config/partners.yaml"].replace("  syntax: edifact\n", named)}
    own = {path: content.encode() for path, content in files.items()}
    own |= {"schemas/edifact/acme/ORDERS.yaml": text.encode()} if text else {}
    found = [str(one) for one in check_project({**reference_files(), **own}, own=own).faults]
    assert found == ([fault] if fault else [])


D96A = "source: {format: edifact, schema: edifact/D96A/ORDERS}"
AT = "'2026-01-01T00:00:00Z'"
TERMS = "  customer_id: src.PAT_group[0].MOA.amount\n"


def traded(directory, reads=TERMS, overlays=""):
    """What is said of a partner that trades in a version, and a mapping of D.96A."""
    files = dict(FILES)
    files["config/partners.yaml"] += f"  directory: {directory}\n{overlays}"
    mapping = FILES["mappings/acme-order.yaml"].replace("source: {format: json}", D96A)
    for name, text in {"  customer_id: src.id\n": reads, "src.id": "'1'", "src.name": "'x'", "src.at": AT}.items():
        mapping = mapping.replace(name, text if name.startswith(" ") else f'"{text}"')
    files["mappings/acme-order.yaml"] = mapping
    own = {name: text.encode() for name, text in files.items()}
    found = check_project({**reference_files(), **own}, own=own)
    return [str(fault) for fault in found.faults if fault.file == "config/partners.yaml"]


def test_a_version_that_the_mapping_would_be_wrong_for_is_told():
    [said] = traded("D01B")
    assert said.startswith(
        "config/partners.yaml:6:14: warning: partner 'acme' trades in D01B, and the mapping acme-order is of "
        "edifact/D96A/ORDERS, which is built otherwise: mappings/acme-order.yaml:6:16: "
    )
    assert "no field 'PAT_group[0].MOA'" in said and "its messages are read by edifact/D96A/ORDERS" in said


@pytest.mark.parametrize(
    ("directory", "reads", "overlays"),
    [
        ("D01B", "  customer_id: src.BGM.document.number\n", ""),
        ("D96A", TERMS, ""),
        ("D99Z", TERMS, ""),
        ("D01B", TERMS, "  overlays: {ORDERS: edifact/D96A/ORDERS}\n"),
    ],
)
def test_a_version_that_the_mapping_is_right_for_or_that_was_agreed_otherwise_is_not(directory, reads, overlays):
    assert traded(directory, reads, overlays) == []
