"""A message as a document before its segments have names, and back: what ``o2c decode edifact`` prints.

``interchange``, ``group`` and each of ``segments`` are lists as the splitter makes them; a repetition is
``{"repeat": [...]}``, a binary object ``{"base64": "..."}``.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from hub.errors import MappingError, shown
from hub.formats._edi_envelopes import Message
from hub.formats._edi_faults import EdiFault
from hub.formats._edi_syntax import Syntax, part
from hub.formats._edi_writing import Style, Writer
from hub.formats._segments import Delimiters, Element, Repeats, Segment

_NAMES = ("element", "component", "terminator", "release", "repetition", "decimal_mark")


def document_of(message: Message, faults: Iterable[EdiFault] = ()) -> dict[str, Any]:
    """The document of one message, with the headers of what it came in."""
    interchange, group = message.interchange, message.group
    document: dict[str, Any] = {
        "syntax": interchange.syntax,
        "type": message.type,
        "version": message.version,
        "association": message.association,
        "reference": message.reference,
        "delimiters": {name: getattr(interchange.delimiters, name) for name in _NAMES},
        "line_end": interchange.line_end,
        "interchange": _plain(interchange.header),
    }
    if interchange.syntax == "edifact":
        document["una"] = interchange.has_service_string
    if group is not None:
        document["group"] = _plain(group.header)
    document["segments"] = [_plain(segment) for segment in message.segments]
    if message.kind == "package":
        document["object"] = _plain(message.object)
    if told := told_of(faults):
        document["faults"] = told
    return document


def told_of(faults: Iterable[EdiFault]) -> list[dict[str, str]]:
    """Faults as a document tells them."""
    return [
        {"position": fault.position, "severity": fault.severity, "code": f"{fault.code_list}:{fault.code}",
         "message": fault.message}
        for fault in faults
    ]  # fmt: skip


def _plain(value: Any) -> Any:
    if type(value) is str:
        return value
    if type(value) is bytes:
        return {"base64": b64encode(value).decode("ascii")}
    items = [_plain(item) for item in value]
    return {"repeat": items} if type(value) is Repeats else items


def bytes_of(documents: Iterable[Any], syntax: Syntax, charset: str) -> bytes:
    """One body: messages of equal interchange headers that follow each other share an interchange, likewise groups.
    Raises MappingError with the path, or with the segment, of what cannot be written."""
    written, writer, before, group = list[bytes](), None, None, None
    for document in documents:
        checked = _checked(document, syntax.name)
        envelope = (checked["interchange"], checked["delimiters"], checked.get("una"), checked["line_end"])
        if writer is None or envelope != before:
            written += [writer.close()] if writer is not None else []
            writer, before, group = _writer(checked, syntax, charset), envelope, None
            written.append(writer.open())
        if checked.get("group") != group:
            written.append(writer.close_group())
            group = checked.get("group")
            written += [writer.open_group(_segment(group, "group"))] if group is not None else []
        segments = [_segment(item, f"segments[{index}]") for index, item in enumerate(checked["segments"])]
        if "object" in checked:
            obj = _value(checked["object"], "object")
            written.append(writer.package(segments, obj if type(obj) is bytes else _refuse("object", obj, "base64")))
        else:
            written.append(writer.message(segments))
    return b"".join([*written, writer.close() if writer is not None else b""])


def _writer(document: Mapping[str, Any], syntax: Syntax, charset: str) -> Writer:
    header = _segment(document["interchange"], "interchange")
    if len(header) < 17 and syntax.name == "x12":
        _refuse("interchange", len(header), "ISA with sixteen elements")
    delimiters = Delimiters(**document["delimiters"])
    label = part(header, 1) if syntax.name == "edifact" else "UTF-8"
    style = Style(
        delimiters, charset or syntax.charset_of(header), charset or label, document["line_end"],
        bool(document.get("una")),
    )  # fmt: skip
    return Writer(syntax.service, style, header)


def _checked(document: Any, syntax: str) -> dict[str, Any]:
    """The document, once each of its fields is what it must be; those that only tell are left out of account."""
    if not isinstance(document, dict):
        _refuse("(document)", document, "an object")
    for name, value in document.items():
        if name not in _FIELDS:
            _refuse(name, name, f"one of {', '.join(_FIELDS)}", "an unknown field")
        if not isinstance(value, _FIELDS[name]):
            _refuse(name, value, _WORDS[_FIELDS[name]])
    for name in ("interchange", "segments", "delimiters"):
        if not document.get(name):
            _refuse(name, document.get(name), f"{_WORDS[_FIELDS[name]]} with something in it")
    if document.get("syntax", syntax) != syntax:
        _refuse("syntax", document["syntax"], syntax)
    if document.get("line_end", "") not in ("", "\n", "\r\n"):
        _refuse("line_end", document["line_end"], "nothing, \\n or \\r\\n")
    _check_delimiters(document["delimiters"])
    return {"line_end": "", **document}


def _check_delimiters(given: Mapping[str, Any]) -> None:
    for name in _NAMES:
        value = given.get(name)
        if not isinstance(value, str) or len(value) > 1 or (name in _NAMES[:3] and not value):
            _refuse(f"delimiters.{name}", value, "one character")
    found = [given[name] for name in _NAMES[:5] if given[name]]
    if len(given) > len(_NAMES) or len(set(found)) < len(found) or any(char.isalnum() for char in found):
        _refuse("delimiters", "".join(found), "different characters, none a letter or digit")


def _segment(value: Any, path: str) -> Segment:
    if not isinstance(value, list) or not value or not isinstance(value[0], str):
        _refuse(path, value, "a list that begins with a tag")
    return [value[0], *(_value(item, f"{path}[{index}]") for index, item in enumerate(value[1:], 1))]


def _value(value: Any, path: str) -> Element:
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and set(value) == {"repeat"} and isinstance(value["repeat"], list) and value["repeat"]:
        items = [_value(item, f"{path}.repeat[{index}]") for index, item in enumerate(value["repeat"])]
        return Repeats(item if type(item) in (str, list) else _refuse(path, item, "texts or lists") for item in items)
    if isinstance(value, dict) and set(value) == {"base64"} and isinstance(value["base64"], str):
        try:
            return b64decode(value["base64"], validate=True)
        except ValueError:
            _refuse(path, value["base64"], "base64")
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return list(value)
    return _refuse(path, value, "a text, a list of texts, or an object with repeat or base64")


def _refuse(path: str, seen: Any, expected: str, what: str = "") -> NoReturn:
    told = what or f"expected {expected}, found {_kind(seen)}"
    raise MappingError(told, code="encode", field_path=path, position=path, value_excerpt=str(seen)[:100],
                       expected=expected)  # fmt: skip


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return shown(value)
    kinds = {dict: "an object", list: "a list", type(None): "nothing", bool: "true or false"}
    return kinds.get(type(value), "a number")


_FIELDS: dict[str, Any] = {
    "syntax": str, "type": str, "version": str, "association": str, "reference": str, "delimiters": dict,
    "line_end": str, "una": bool, "interchange": list, "group": list, "segments": list, "object": dict, "faults": list,
}  # fmt: skip
_WORDS: dict[Any, str] = {str: "a text", dict: "an object", list: "a list", bool: "true or false"}
