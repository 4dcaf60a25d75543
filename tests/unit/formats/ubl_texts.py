"""Documents of UBL for the tests: random ones of each type, from the definitions; and what is equal to what."""

from __future__ import annotations

import random
from copy import deepcopy
from decimal import Decimal
from typing import Any

from lxml import etree

from hub.formats._ubl_definitions import UBL, Aggregate, Child, Standard

WORDS = [
    "4711",
    "Müller & Söhne",
    "a < b > c",
    "",
    " leading",
    "tab\there",
    'quote"s',
    "]]>",
    "多字节",
    "CR\rLF\n",
    "𝄞",
]


def canonical(raw: bytes) -> bytes:
    """Canonical XML without comments, of what the door lets through: no instructions either."""
    parser = etree.XMLParser(remove_comments=True, remove_pis=True, resolve_entities=False)
    return etree.tostring(etree.fromstring(raw, parser), method="c14n", with_comments=False)


class RandomDocuments:
    """Documents made of what the standard allows, of any depth up to some levels."""

    def __init__(self, seed: int, share: float = 0.25, deepest: int = 5, standard: Standard = UBL) -> None:
        self.standard = standard
        self.chance = random.Random(seed)
        self.share, self.deepest = share, deepest

    def document(self, type: str) -> dict[str, Any]:
        return {"type": type, **self.content(self.standard.document(type), 1)}

    def content(self, aggregate: Aggregate, depth: int) -> dict[str, Any]:
        made = {}
        for child in aggregate.children.values():
            if (child.kind or depth < self.deepest) and self.chance.random() < self.share / depth:
                count = self.chance.randrange(1, 4) if child.is_list else 1
                items = [self.value(child, depth) for _ in range(count)]
                made[child.name] = items if child.is_list else items[0]
        return made

    def value(self, child: Child, depth: int) -> Any:
        chance, text = self.chance, self.chance.choice(WORDS)
        number = Decimal(chance.randrange(-(10**6), 10**6)).scaleb(-chance.randrange(4))
        number = number or abs(number)
        match child.kind:
            case "":
                return self.content(self.standard.aggregate(child.aggregate), depth + 1)
            case "Amount":
                return {"amount": number, "currency": chance.choice(["EUR", "JPY", "KWD"])}
            case "PlainAmount":
                return {"amount": number, **({"currency": "EUR"} if chance.random() < 0.3 else {})}
            case "Formatted":
                return chance.choice([
                    {"value": "2026-11-28", "format": "102"}, {"value": "2024-02-29T23:59", "format": "203"},
                    {"value": "2026-11-28T00:00:59", "format": "204"}, {"value": text, "format": "616"},
                    {"value": text},
                ])  # fmt: skip
            case "Measure":
                return {"value": number, "unit_code": "KGM"}
            case "Quantity" | "PlainMeasure":
                return {"value": number, **({"unit_code": "C62"} if chance.random() < 0.7 else {})}
            case "Identifier":
                return {"value": text, **({"scheme_id": "0088"} if chance.random() < 0.5 else {})}
            case "BinaryObject":
                return {"content": "JVBERi0xLjQK", "mime_code": "application/pdf", "filename": 'a "b".pdf'}
            case "Indicator":
                return chance.random() < 0.5
            case "Numeric" | "Percent" | "Rate":
                return number
            case "Date":
                return f"2026-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
            case "Time":
                return chance.choice(["12:30:00", "23:59:59.5Z", "00:00:00+01:00"])
            case "Xml":
                return '<a xmlns="urn:of-others"><b c="1">x &amp; y</b> <d/></a>'
        return text


def envelope(type: str, inside: str, spaces: str = "") -> bytes:
    """A document of what stands in it."""
    declared = UBL.usual_names(type, {"UBLExtensions": {}})
    own = "".join(f' xmlns{f":{name}" if name else ""}="{uri}"' for name, uri in declared.items())
    return f"<{type}{own}{spaces}>{inside}</{type}>".encode()


def spoilt(raw: bytes, chance: random.Random) -> bytes:
    """The same document with a few things wrong with it, still well formed."""
    root = etree.fromstring(raw)
    for _ in range(chance.randrange(1, 8)):
        every = [one for one in root.iter() if isinstance(one.tag, str)]
        one = chance.choice(every)
        parent = one.getparent()
        match chance.randrange(11):
            case 0 if parent is not None:
                parent.insert(chance.randrange(len(parent)), one)  # elsewhere among its siblings
            case 1 if parent is not None:
                parent.append(deepcopy(one))  # twice
            case 2:
                one.set(chance.choice(["languageID", "x", "schemeAgencyID", f"{{{XSI}}}nil"]), 'a & "b"\n')
            case 3:
                one.text = chance.choice(["1,234.50", "-0.00", "yes", "0000-01-01", "  ", "x > y", " 12 ", "+1", "1e3"])
            case 4:
                one.insert(0, etree.Element(chance.choice(["{urn:of-others}Strange", "Strange"])))
            case 5:
                etree.SubElement(one, one.tag, nsmap={"o": "urn:of-others"}).text = "inner"
            case 6 if parent is not None:
                one.tail = chance.choice(["loose text", "\n\n", " ", None])
            case 7:
                one.insert(0, etree.Comment(" a <comment> > with these "))
            case 8:
                one.text = etree.CDATA("<a> & ]] b")
            case 9 if parent is not None and etree.QName(one).namespace:
                again = etree.Element(one.tag, nsmap={chance.choice([None, "z"]): etree.QName(one).namespace})
                again.text, again.tail = one.text, one.tail  # another prefix, declared on the spot
                again.extend(list(one))
                parent.replace(one, again)
            case 10:
                one.append(etree.ProcessingInstruction("some", "instruction"))
    return etree.tostring(
        root, with_tail=False, encoding=chance.choice(["UTF-8", "UTF-16", "windows-1252"]), xml_declaration=True
    )


XSI = "http://www.w3.org/2001/XMLSchema-instance"
