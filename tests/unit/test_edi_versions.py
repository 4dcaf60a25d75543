"""Which grammar reads a message that declares another version than its mapping's."""

from __future__ import annotations

import pytest

from hub.edi_versions import Versions, source_codec, written_by
from hub.formats import Record
from hub.mapping import NO_TABLES, Mapping, compile_mapping
from hub.partners import Partner, load_partners
from hub.pipeline.partners import interchange_for
from hub.project import reference_files
from hub.schemas import SchemaSet
from hub.yamldoc import parse_yaml

FILES = reference_files()
SCHEMAS = SchemaSet(FILES)


def reading(schema: str, *expressions: str, schemas: SchemaSet = SCHEMAS) -> Mapping:
    fields = "\n".join(f'  f{number}: "{text}"' for number, text in enumerate(expressions))
    format = schema.partition("/")[0] if schema.startswith("x12") else "edifact"
    text = f"mapping: m\nversion: 1\nsource: {{format: {format}, schema: {schema}}}\noutput:\n{fields}\n"
    return compile_mapping(text, "m.yaml", tables=NO_TABLES, schemas=schemas)


NUMBER = "src.BGM.document.number"
CONTACT = "[c.number for g in src.NAD_group for k in g.CTA_group for c in k.COM]"
HEADING = "src.IMD[0].type"  # which EANCOM 1997 leaves out
TERMS = "[p.MOA.amount for p in src.PAT_group]"  # a segment of D.96A, a group of D.01B
CHOSEN = [
    ("edifact/D96A/ORDERS", [NUMBER], "D96A", "", "edifact/D96A/ORDERS"),
    ("edifact/D96A/ORDERS", [NUMBER], "D96A", "EAN008", "eancom/1997/ORDERS"),
    ("edifact/D96A/ORDERS", [HEADING], "D96A", "EAN008", "edifact/D96A/ORDERS with the codes of eancom/1997/ORDERS"),
    ("edifact/D96A/ORDERS", [NUMBER, CONTACT], "D01B", "", "edifact/D01B/ORDERS"),
    ("edifact/D96A/ORDERS", [NUMBER, CONTACT], "D01B", "EAN010", "eancom/2002/ORDERS"),
    ("edifact/D96A/ORDERS", [NUMBER], "D01B", "ODETTE", "edifact/D01B/ORDERS"),
    ("edifact/D96A/ORDERS", [TERMS], "D01B", "", "edifact/D96A/ORDERS"),
    ("edifact/D96A/ORDERS", [TERMS], "D01B", "EAN010", "edifact/D96A/ORDERS with the codes of eancom/2002/ORDERS"),
    ("edifact/D96A/ORDERS", [NUMBER], "D99Z", "EAN010", "edifact/D96A/ORDERS"),
    ("edifact/D96A/ORDERS", ["src.BGM.document.code == '492'"], "D01B", "", "edifact/D01B/ORDERS"),  # of D.96A only
    ("edifact/D01B/ORDERS", [NUMBER], "D96A", "EAN008", "eancom/1997/ORDERS"),
    ("edifact/D01B/ORDERS", ["src.BGM.document.version"], "D96A", "", "edifact/D01B/ORDERS"),
    ("eancom/1997/ORDERS", [NUMBER], "D01B", "EAN010", "eancom/1997/ORDERS"),
    ("x12/004010/850", ["src.BEG.order_number"], "005010", "", "x12/005010/850"),
    ("x12/004010/850", ["src.BEG.order_number"], "004010", "VICS", "x12/004010/850"),
    ("x12/004010/990", ["src.N9.number"], "005010", "", "x12/004010/990"),
]


@pytest.mark.parametrize(("schema", "expressions", "version", "association", "chosen"), CHOSEN)
def test_what_a_message_declares_counts_where_the_mapping_fits_it(
    schema: str, expressions: list[str], version: str, association: str, chosen: str
) -> None:
    versions = Versions(reading(schema, *expressions), SCHEMAS)
    assert versions.grammar(version, association) == chosen
    assert versions.grammar(version, association) == chosen  # once more, as it was found before


def test_an_overlay_that_makes_a_list_of_what_stands_once_is_not_taken() -> None:
    overlay = b"title: other\nextends: edifact/D96A/ORDERS\nrelax: {BGM: M 5}\n"
    schemas = SchemaSet({**FILES, "schemas/eancom/1997/ORDERS.yaml": overlay})
    assert schemas.grammars.message("eancom/1997/ORDERS").nodes[0].is_list
    assert Versions(reading("edifact/D96A/ORDERS", NUMBER, schemas=schemas), schemas).grammar("D96A", "EAN008") == (
        "edifact/D96A/ORDERS with the codes of eancom/1997/ORDERS"
    )


MESSAGE = (
    b"UNB+UNOC:3+A:14+B:14+260305:0930+1'UNH+1+ORDERS:D:%b'BGM+220+PO1:2+9'DTM+137:20260305:102'UNS+S'UNT+5+1'UNZ+1+1'"
)


@pytest.mark.parametrize(("declared", "is_right"), [(b"01B:UN:EAN010", True), (b"01B:UN", True), (b"96A:UN", False)])
def test_a_mappings_codec_reads_by_what_the_message_declares(declared: bytes, is_right: bool) -> None:
    codec = source_codec(reading("edifact/D96A/ORDERS", NUMBER), SCHEMAS, "edifact")
    raw = MESSAGE % declared
    [record] = codec.decode([raw], {})
    assert isinstance(record, Record) is is_right  # a version behind the number is known to D.01B only
    place = codec.places(raw, {}, 0)(["BGM", "document", "number"])  # type: ignore[attr-defined]
    assert place is not None and raw[place.offset :].startswith(b"PO1")


def test_a_mapping_that_reads_more_than_eancom_has_gets_it_with_eancoms_codes() -> None:
    codec = source_codec(reading("edifact/D96A/ORDERS", HEADING), SCHEMAS, "edifact")
    text = "UNH+1+ORDERS:D:96A:UN{}'BGM+220+PO1+9'DTM+137:20260305:102'IMD+F'LIN+1'QTY+12E:4'UNS+S'UNT+8+1'UNZ+1+1'"
    for association, is_right in ((":EAN008", True), ("", False)):
        [record] = codec.decode([f"UNB+UNOC:3+A:14+B:14+260305:0930+1'{text.format(association)}".encode()], {})
        assert isinstance(record, Record) is is_right
        assert not is_right or record.value["IMD"] == [{"type": "F"}]  # type: ignore[union-attr]


def test_an_overlay_that_was_agreed_reads_whatever_is_declared() -> None:
    codec = source_codec(reading("edifact/D96A/ORDERS", NUMBER), SCHEMAS, "edifact", overlay="edifact/D96A/ORDERS")
    [record] = codec.decode([MESSAGE % b"01B:UN:EAN010"], {})
    assert not isinstance(record, Record)


def partner(directory: str, syntax: str = "edifact") -> Partner:
    text = f"acme: {{system: van, syntax: {syntax}, us: {{id: us}}, them: {{id: them}}, directory: '{directory}'}}"
    return load_partners(parse_yaml(text, "config/partners.yaml"), "UTC", [])["acme"]


def writing(schema: str, *lines: str) -> Mapping:
    tree = "\n".join(f"  {line}" for line in lines)
    text = (
        f"mapping: m\nversion: 1\ntarget: {{format: {schema.partition('/')[0]}, schema: {schema}}}\noutput:\n{tree}\n"
    )
    return compile_mapping(text, "m.yaml", tables=NO_TABLES, schemas=SCHEMAS)


ANSWER = (
    "BGM: {document: {code: {const: '231'}, number: {const: A-1}}, function: {const: '29'}}",
    "DTM: [{qualifier: {const: '137'}, value: {const: '20260305'}, format: {const: '102'}}]",
    "UNS: {section: {const: S}}",
)
LOAD = (
    "B1: {carrier: {const: NDFR}, shipment_id: {const: S-1}, action: {const: A}}",
    "G62: [{date_qualifier: {const: '64'}, date: {const: '2026-03-05'}}]",
)
WRITTEN = [
    ("edifact/D96A/ORDRSP", ANSWER, "", "ORDRSP:D:96A:UN'"),
    ("edifact/D96A/ORDRSP", ANSWER, "D96A", "ORDRSP:D:96A:UN'"),
    ("edifact/D96A/ORDRSP", ANSWER, "D96A EAN005", "ORDRSP:D:96A:UN:EAN005'"),
    ("edifact/D96A/ORDRSP", ANSWER, "D01B EAN007", "ORDRSP:D:01B:UN:EAN007'"),
    ("edifact/D96A/ORDRSP", (*ANSWER, "FTX: [{subject: {const: AAI}}]"), "D99Z", "ORDRSP:D:96A:UN'"),
    ("x12/004010/990", LOAD[:1], "005010", "*005010~"),
    ("x12/004010/990", LOAD, "005010", "*004010~"),  # which has no G62 there
    ("x12/004010/990", LOAD, "004010VICS", "*004010VICS~"),
]


@pytest.mark.parametrize(("schema", "lines", "directory", "declared"), WRITTEN)
def test_what_goes_is_of_the_version_that_the_partner_trades_in_where_its_mapping_is_right_for_that(
    schema: str, lines: tuple[str, ...], directory: str, declared: str
) -> None:
    mapping, acme = writing(schema, *lines), partner(directory, schema.partition("/")[0])
    body = interchange_for(acme, mapping.apply({}), grammar=written_by(mapping, SCHEMAS, acme))
    assert declared in body.content.decode()
