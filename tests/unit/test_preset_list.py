"""The list of presets says what each is for and carries, from the files alone."""

from hub.presets import Carried, presets
from hub.project import reference_files

PRESET = "preset: {}\nkind: erp\nproved: double\nconnector: {}\ndescription: An ERP\nevents: [sale.made]\n"
INTO = "mapping: acme-order\nsource: {format: json}\ntarget: {schema: canonical/order}\noutput: {}\n"
OUT = "mapping: invoice-to-acme\nsource: {schema: canonical/v1/invoice}\ntarget: {format: json}\noutput: {}\n"
ELSEWHERE = "mapping: pay\nsource: {schema: acme/payment}\ntarget: {schema: canonical/payment}\noutput: {}\n"


def listed(files):
    given = {path: text.encode() for path, text in files.items()}
    return {each.name: each for each in presets(given, [path for path in given if path.startswith("connectors/")])}


def test_what_a_preset_carries_is_in_the_folder_of_its_name_or_has_a_schema_of_it():
    [acme] = listed({
        "connectors/presets/acme.yaml": PRESET.format("acme", "http"), "mappings/acme/acme-order.yaml": INTO,
        "mappings/acme/invoice-to-acme.yaml": OUT, "mappings/money/pay.yaml": ELSEWHERE, "mappings/b/x.yaml": INTO,
        "mappings/acme/acme-order.test.yaml": "cases: []",
    }).values()  # fmt: skip
    assert (acme.kind, acme.connector, acme.proved, acme.origin) == ("erp", "http", "double", "project")
    assert acme.carried == (
        Carried("acme-order", gives="order"), Carried("invoice-to-acme", takes="invoice"), Carried("pay", "payment"),
    )  # fmt: skip
    assert (acme.takes_in, acme.sends_out, acme.events) == (["order", "payment"], ["invoice"], ("sale.made",))


def test_presets_of_one_maker_share_its_mappings_and_webhooks_take_nothing():
    found = listed({
        "connectors/presets/acme.yaml": PRESET.format("acme", "webhook"), "mappings/acme/out.yaml": OUT,
        "connectors/presets/acme-admin.yaml": PRESET.format("acme-admin", "http"), "mappings/acme/in.yaml": INTO,
    })  # fmt: skip
    assert (found["acme"].takes_in, found["acme"].sends_out) == (["order"], [])
    assert (found["acme-admin"].takes_in, found["acme-admin"].sends_out) == (["order"], ["invoice"])


def test_a_preset_may_say_whose_mappings_go_with_it():
    text = PRESET.format("parcels", "sftp") + "mappings: [acme, b]\n"
    [parcels] = listed({
        "connectors/presets/parcels.yaml": text, "mappings/acme/out.yaml": OUT, "mappings/b/in.yaml": INTO,
    }).values()  # fmt: skip
    assert (parcels.takes_in, parcels.sends_out) == (["order"], ["invoice"])


def test_a_preset_may_say_that_none_goes_with_it():
    found = listed({
        "connectors/presets/acme-hooks.yaml": PRESET.format("acme-hooks", "webhook") + "mappings: []\n",
        "mappings/acme/in.yaml": INTO,
    })  # fmt: skip
    assert found["acme-hooks"].carried == ()


def test_one_that_cannot_be_read_is_listed_all_the_same():
    [broken] = listed({"connectors/presets/broken.yaml": "preset: ["}).values()
    assert (broken.name, broken.connector, broken.proved) == ("broken", "", "")


def test_those_of_the_hub_say_how_they_are_proved_and_what_they_carry():
    found = {each.name: each for each in presets(reference_files())}
    assert {each.proved for each in found.values()} <= {"real", "double", "documented"}
    assert (found["tryton"].proved, found["tryton"].origin) == ("real", "hub")
    assert {"order", "payment"} <= set(found["tryton"].sends_out)
    assert "invoice" in found["tryton"].takes_in
    assert "order" in found["shopify"].takes_in


def test_every_maker_has_messages_both_ways():
    """Who sends webhooks by one preset may be sent to by another: shopify, shopify-admin."""
    ways: dict[str, set[str]] = {}
    for each in presets(reference_files()):
        if each.kind != "protocol":
            known = ways.setdefault(each.name.partition("-")[0], set())
            known |= {way for way, types in (("in", each.takes_in), ("out", each.sends_out)) if types}
    assert ways and all(known == {"in", "out"} for known in ways.values()), ways
