"""The files of a WSDL: itself and what it imports, all of them the project's own. Nothing else is ever read: an address
of a network, a path to somewhere else and a file that is not there are faults with the line that names them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

import msgspec

from connectors._soap_xml import Element, XmlRefused, line_of, name_of, parse
from connectors.base import FileFault, FilesError

WSDL = "http://schemas.xmlsoap.org/wsdl/"
XSD = "http://www.w3.org/2001/XMLSchema"
# Where a file names another one, and by which attribute.
_NAMES = {
    (WSDL, "import"): "location", (XSD, "import"): "schemaLocation", (XSD, "include"): "schemaLocation",
    (XSD, "redefine"): "schemaLocation", (XSD, "override"): "schemaLocation",
}  # fmt: skip
_MOST_FILES, _MOST_BYTES, _MOST_ELEMENTS = 500, 32_000_000, 500_000


class WsdlError(FilesError):
    """A WSDL that cannot be used."""

    def __init__(self, *faults: FileFault) -> None:
        super().__init__("wsdl", faults)


class Documents(msgspec.Struct, frozen=True):
    """What a WSDL consists of: the bytes and the root of each file, by its path, the WSDL's first."""

    main: str
    raw: Mapping[str, bytes]
    roots: Mapping[str, Element]

    def named_by(self, path: str) -> Iterator[tuple[Element, str, str]]:
        """(element, its attribute, path) wherever a file names another one."""
        for element, attribute, location in _locations(self.roots[path]):
            yield element, attribute, place_of(path, location)[0]


def documents(main: str, files: Mapping[str, bytes]) -> Documents:
    """The WSDL at ``main`` and all that it imports. Raises WsdlError with every fault."""
    raw: dict[str, bytes] = {}
    roots: dict[str, Element] = {}
    faults: list[FileFault] = []
    waiting = [main]
    while waiting and not faults:
        path = waiting.pop(0)
        if path in roots:
            continue
        try:
            raw[path], roots[path] = files[path], parse(files[path], _MOST_BYTES)
        except KeyError:
            raise WsdlError(FileFault(main, 0, "there is no such file in the project")) from None
        except XmlRefused as error:
            raise WsdlError(FileFault(path, error.line, error.detail)) from None
        for element, _, location in _locations(roots[path]):
            found, wrong = place_of(path, location)
            if not wrong and found not in files:
                wrong = f"{location}: there is no file {found} in the project; save it there"
            if wrong:
                faults.append(FileFault(path, line_of(element), wrong))
            waiting.append(found)
        faults += _too_much(main, raw, roots)
    if faults:
        raise WsdlError(*faults)
    if name_of(roots[main]) != (WSDL, "definitions"):
        uri, local = name_of(roots[main])
        seen = f"{{{uri}}}{local}" if uri else local
        raise WsdlError(FileFault(main, 1, f"it is no WSDL 1.1: its root is {seen}, expected {{{WSDL}}}definitions"))
    return Documents(main, raw, roots)


def place_of(base: str, location: str) -> tuple[str, str]:
    """(path in the project, '') of what a file at ``base`` names, or ('', what is wrong with it)."""
    parts = urlsplit(location.strip())
    if parts.scheme or parts.netloc or location.startswith(("//", "\\")):
        where = "an address" if parts.scheme == "file" else "a network address"
        advice = "save that file in the project, beside this one, and write its name here"
        return "", f"{location[:200]}: {where}, from which nothing is read; {advice}"
    path = unquote(parts.path)
    if path.startswith("/"):
        return "", f"{location[:200]}: a path to anywhere; write it relative to this file"
    found = normpath(join(dirname(base), path))
    if found.startswith("../") or found == "..":
        return "", f"{location[:200]}: a place outside of the project"
    return found, ""


def _locations(root: Element) -> Iterator[tuple[Element, str, str]]:
    for element in root.iter(f"{{{WSDL}}}import", f"{{{XSD}}}*"):
        attribute = _NAMES.get(name_of(element))
        location = element.get(attribute) if attribute else None
        if attribute and location:
            yield element, attribute, location


def _too_much(main: str, raw: Mapping[str, bytes], roots: Mapping[str, Element]) -> Iterator[FileFault]:
    size, most = sum(map(len, raw.values())), f"at most {_MOST_FILES} files of {_MOST_BYTES:,} bytes"
    if len(raw) > _MOST_FILES or size > _MOST_BYTES:
        yield FileFault(main, 0, f"it imports {len(raw)} files or more, of {size:,} bytes; {most} are read")
    elif size > _MOST_ELEMENTS * 4 and sum(sum(1 for _ in root.iter()) for root in roots.values()) > _MOST_ELEMENTS:
        yield FileFault(main, 0, f"it and what it imports have more than {_MOST_ELEMENTS:,} elements")
