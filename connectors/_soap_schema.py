"""The types of a WSDL as one XML Schema that libxml2 can compile: each namespace under a name of ours, so that no file
and no address is ever looked for, whatever the WSDL and its files say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec
from lxml import etree

from connectors._soap_files import WSDL, XSD, Documents, WsdlError, place_of
from connectors._soap_xml import Element, name_of
from connectors.base import FileFault

_SCHEME = "types:///"  # no loader of libxml2 knows it: what is not given here is not to be had
XML = "http://www.w3.org/XML/1998/namespace"
XML_XSD = "xml.xsd"  # what its schema is called here; nobody has to bring it along
OF_XML = f"""<xs:schema xmlns:xs="{XSD}" targetNamespace="{XML}">
<xs:attribute name="lang" type="xs:language"/><xs:attribute name="base" type="xs:anyURI"/>
<xs:attribute name="id" type="xs:ID"/><xs:attribute name="space"><xs:simpleType><xs:restriction base="xs:NCName">
<xs:enumeration value="default"/><xs:enumeration value="preserve"/></xs:restriction></xs:simpleType></xs:attribute>
<xs:attributeGroup name="specialAttrs"><xs:attribute ref="xml:base"/><xs:attribute ref="xml:lang"/>
<xs:attribute ref="xml:space"/></xs:attributeGroup></xs:schema>""".encode()


class Wrapper(msgspec.Struct, frozen=True):
    """The element around the parts of a message in rpc style, which no schema declares. ``parts``: name of each, and
    namespace and name of its type."""

    namespace: str
    name: str
    parts: Sequence[tuple[str, str, str]]


class _Given(etree.Resolver):
    """Gives what was put together, and nothing else."""

    def __init__(self, texts: Mapping[str, bytes]) -> None:
        super().__init__()
        self._texts = texts

    def resolve(self, system_url: str, public_id: str, context: Any) -> Any:  # type: ignore[override]  # stubs lack it
        if system_url not in self._texts:
            raise LookupError(system_url)
        return self.resolve_string(self._texts[system_url], context, base_url=system_url)


def compiled(documents: Documents, wrappers: Sequence[Wrapper] = ()) -> etree.XMLSchema:
    """The schema of all types. Raises WsdlError where libxml2 cannot read them."""
    texts = _Texts(documents, wrappers)
    parser = etree.XMLParser(no_network=True, resolve_entities=False, load_dtd=False)
    parser.resolvers.add(_Given(texts.by_name))
    try:
        return etree.XMLSchema(etree.fromstring(texts.driver(), parser, base_url=f"{_SCHEME}all.xsd"))
    except (etree.LxmlError, LookupError) as error:
        text = str(error).replace(_SCHEME, "")[:400]
        raise WsdlError(FileFault(documents.main, 0, f"its types cannot be used as a schema: {text}")) from None


class _Texts:
    """The schemas under their new names. ``by_name``: what each is."""

    def __init__(self, documents: Documents, wrappers: Sequence[Wrapper]) -> None:
        self.by_name: dict[str, bytes] = {}
        self._tops: dict[str, list[str]] = {}  # by namespace, the names of the schemas that make it up
        self._documents = documents
        homes = list(_schemas(documents, self._imported()))
        for path, number, schema, is_top in homes:
            if is_top:
                self._tops.setdefault(schema.get("targetNamespace", ""), []).append(_name(path, number))
        for number, wrapper in enumerate(wrappers):
            self._tops.setdefault(wrapper.namespace, []).append(f"{_SCHEME}rpc/{number}.xsd")
        self._tops.setdefault(XML, [f"{_SCHEME}xml.xsd"])
        self.by_name[f"{_SCHEME}xml.xsd"] = OF_XML
        self._numbers = {namespace: number for number, namespace in enumerate(self._tops)}
        for path, number, schema, is_top in homes:
            self.by_name[_name(path, number)] = self._renamed(schema, path, is_top)
        for number, wrapper in enumerate(wrappers):
            self.by_name[f"{_SCHEME}rpc/{number}.xsd"] = self._of_wrapper(wrapper)
        for namespace, names in self._tops.items():
            self.by_name[self._place(namespace)] = _including(namespace, names)

    def driver(self) -> bytes:
        """A schema that imports all of them."""
        lines = [_import(namespace, self._place(namespace)) for namespace in self._tops if namespace]
        if "" in self._tops:
            lines.append(f'<xs:include schemaLocation="{self._place("")}"/>')
        return f'<xs:schema xmlns:xs="{XSD}">{"".join(lines)}</xs:schema>'.encode()

    def _place(self, namespace: str) -> str:
        return f"{_SCHEME}namespace/{self._numbers[namespace]}.xsd"

    def _imported(self) -> set[str]:
        """The files that are imported somewhere, and not just included."""
        return {
            found
            for path in self._documents.roots
            for element, _, found in self._documents.named_by(path)
            if name_of(element)[1] == "import"
        }

    def _renamed(self, schema: Element, path: str, is_top: bool) -> bytes:
        """A schema whose imports and includes name what is given here; every namespace there is may be used in it."""
        copy = etree.fromstring(etree.tostring(schema, with_tail=False))
        own, known = copy.get("targetNamespace", ""), set[str]()
        for child in copy:
            kind = name_of(child)
            if kind == (XSD, "import"):
                known.add(namespace := child.get("namespace", ""))
                child.attrib.pop("schemaLocation", "")
                if namespace in self._tops:
                    child.set("schemaLocation", self._place(namespace))
            elif kind[0] == XSD and kind[1] in ("include", "redefine") and child.get("schemaLocation"):
                child.set("schemaLocation", _name(place_of(path, child.get("schemaLocation", ""))[0], 0))
        if is_top:
            for namespace in self._tops.keys() - known - {own, ""}:
                element = etree.Element(f"{{{XSD}}}import", namespace=namespace, schemaLocation=self._place(namespace))
                copy.insert(0, element)
        return etree.tostring(copy)

    def _of_wrapper(self, wrapper: Wrapper) -> bytes:
        parts, used = [], sorted({namespace for _, namespace, _ in wrapper.parts} - {wrapper.namespace, XSD, ""})
        prefixes = {namespace: f"p{number}" for number, namespace in enumerate(used)}
        prefixes |= {XSD: "xs", wrapper.namespace: "tns"}
        for name, namespace, kind in wrapper.parts:
            prefix = f"{prefixes[namespace]}:" if namespace else ""
            parts.append(f'<xs:element name="{name}" type="{prefix}{kind}"/>')
        spaces = "".join(f' xmlns:{prefix}="{_escaped(uri)}"' for uri, prefix in prefixes.items() if uri)
        target = f' targetNamespace="{_escaped(wrapper.namespace)}"' if wrapper.namespace else ""
        imports = "".join(_import(uri, self._place(uri)) for uri in used if uri in self._tops)
        return (
            f'<xs:schema{spaces}{target}>{imports}<xs:element name="{wrapper.name}"><xs:complexType>'
            f"<xs:sequence>{''.join(parts)}</xs:sequence></xs:complexType></xs:element></xs:schema>"
        ).encode()


def _schemas(documents: Documents, imported: set[str]) -> Iterator[tuple[str, int, Element, bool]]:
    """(path, number in it, schema, whether it stands for itself) of each; an included one is part of another."""
    for path, root in documents.roots.items():
        if name_of(root) == (XSD, "schema"):
            yield path, 0, root, path in imported
        for number, schema in enumerate(root.iterfind(f"{{{WSDL}}}types/{{{XSD}}}schema"), 1):
            yield path, number, schema, True


def _name(path: str, number: int) -> str:
    return f"{_SCHEME}file/{quote(path)}{f'.{number}' if number else ''}"


def _including(namespace: str, names: Sequence[str]) -> bytes:
    target = f' targetNamespace="{_escaped(namespace)}"' if namespace else ""
    lines = "".join(f'<xs:include schemaLocation="{name}"/>' for name in names)
    return f'<xs:schema xmlns:xs="{XSD}"{target}>{lines}</xs:schema>'.encode()


def _import(namespace: str, place: str) -> str:
    return f'<xs:import namespace="{_escaped(namespace)}" schemaLocation="{place}"/>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
