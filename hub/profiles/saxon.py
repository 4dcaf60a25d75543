"""The process that runs rules (Schematron made into XSLT 2): the only one in which Saxon is loaded.

It answers one question after the other, keeps what it has compiled, and ends when nobody has asked for a while, when
it has grown too large, or when the one who asks is gone. It reads documents from its pipe alone; rules come from a
project's pinned files or an installed package, never from a document. They see no variable of the environment, and
those of a project read no file.
"""

from __future__ import annotations

import os
import re
import resource
import select
import signal
import sys
from collections import OrderedDict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from hub.errors import DecodeError
from hub.formats._xml import Element, parse
from hub.profiles.faults import ERRORS
from hub.profiles.frames import Answer, Ask, Told, write_frame

IDLE_SECONDS = "O2C_RULES_IDLE"  # the variable with the seconds after which it ends, for tests
_MOST_COMPILED, _MOST_KILOBYTES = 16, 1_500_000
_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_SEVERITIES = {"fatal": "fatal", "warning": "warning", "warn": "warning", "information": "information",
               "info": "information"}  # fmt: skip
_PREFIX = re.compile(r"^\[([\w.-]+)\]\s*[-:]?\s*")
_STATIC = re.compile(r"\b(?:XPST|XTSE)\d{4}\b")  # a mistake in the rules themselves, some of which are found late
_PROTOCOLS = "http://saxon.sf.net/feature/allowedProtocols"


class Rules:
    """Saxon with what it has compiled. Rules of an installed package import what lies beside them; those that come as
    text read nothing but the document."""

    def __init__(self) -> None:
        import saxonche  # here and nowhere else: processors in two threads bring the process down

        def processor(protocols: str) -> Any:
            made = saxonche.PySaxonProcessor(license=False)
            made.set_configuration_property(_PROTOCOLS, protocols)  # for good: what was forbidden once stays so
            return made

        self._packaged, self._given = processor("file"), processor("")
        self._error = saxonche.PySaxonApiError
        self._compiled: OrderedDict[str, tuple[Any, Any]] = OrderedDict()

    def answer(self, ask: Ask) -> Answer:
        """The verdict, or why there is none."""
        if ask.is_sent and ask.key not in self._compiled:
            return Answer(is_forgotten=True)
        try:
            processor, rules = self._rules(ask)
        except self._error as error:
            return Answer(broken=_line(error))
        try:
            document = processor.parse_xml(xml_text=ask.document.decode())
            text = rules.transform_to_string(xdm_node=document)
            return told_by(text, ask.most, ask.levels) if ask.most else Answer(text=text.encode())
        except self._error as error:
            said = _line(error)
            return Answer(broken=said) if _STATIC.search(said) else Answer(failed=said)
        except DecodeError as error:
            return Answer(failed=f"what the rules say cannot be read: {error}")

    def _rules(self, ask: Ask) -> tuple[Any, Any]:
        """Them, and the processor that they belong to."""
        if ask.key in self._compiled:
            self._compiled.move_to_end(ask.key)
        else:
            processor = self._packaged if ask.file else self._given
            given = {"stylesheet_file": ask.file} if ask.file else {"stylesheet_text": ask.rules.decode("utf-8-sig")}
            rules = processor.new_xslt30_processor().compile_stylesheet(**given)
            rules.set_capture_result_documents(True)  # what else they would write stays in memory, and is dropped
            self._compiled[ask.key] = processor, rules
            if len(self._compiled) > _MOST_COMPILED:
                self._compiled.popitem(last=False)
        return self._compiled[ask.key]


def told_by(report: str, most: int, levels: Mapping[str, str] = MappingProxyType({})) -> Answer:
    """The faults in a report (SVRL): what was asserted and does not hold, and what was to be reported. ``levels``: the
    severities of some rules, where they are not their own."""
    root = parse(report.encode())
    found = [_told(element, levels) for element in root.iter(f"{_SVRL}failed-assert", f"{_SVRL}successful-report")]
    errors = [fault for fault in found if fault.severity in ERRORS]
    if len(found) <= most:
        return Answer(found, len(found), len(errors))
    others = [fault for fault in found if fault.severity not in ERRORS]
    return Answer([*errors[:most], *others[: max(0, most - len(errors))]], len(found), len(errors))


def _told(element: Element, levels: Mapping[str, str]) -> Told:
    said = " ".join("".join(str(child.xpath("string()")) for child in element.iter(f"{_SVRL}text")).split())
    flag = (element.get("flag") or element.get("role") or "").lower()
    prefix = _PREFIX.match(said)
    rule = element.get("id") or (prefix[1] if prefix else "rule")
    if prefix and rule == prefix[1]:
        said = said[prefix.end() :]
    return Told(rule, levels.get(rule) or _SEVERITIES.get(flag, "error"), said[:1000], element.get("location") or "")


def _line(error: Exception) -> str:
    """What Saxon says, on one line."""
    return re.sub(r" of file:///\S*", "", " ".join(str(error).split()))[:500]


def _await(descriptor: int, seconds: float) -> bool:
    """Whether something comes in time."""
    watch = select.poll()
    watch.register(descriptor, select.POLLIN | select.POLLHUP)
    return bool(watch.poll(seconds * 1000))


def _read(descriptor: int, size: int) -> bytes:
    pieces = []
    while size:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            return b""
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)


def main() -> None:
    """Answer until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to understand
    reading, writing = 0, os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # nothing that a library prints may end up among the frames,
    idle = float(os.environ.get(IDLE_SECONDS) or 60)
    decode = msgspec.msgpack.Decoder(Ask).decode
    os.environ.clear()  # rules can ask for variables, and those of the hub hold credentials
    encode = msgspec.msgpack.Encoder().encode
    rules: Rules | None = None
    while _await(reading, idle):
        head = _read(reading, 4)
        frame = _read(reading, int.from_bytes(head, "big")) if head else b""
        if not frame:
            return
        ask = decode(frame)
        try:
            if rules is None:
                rules = Rules()
                os.dup2(silence, 2)  # and nothing of a document in the hub's log
            answer = rules.answer(ask)
        except ImportError as error:
            answer = Answer(broken=f"{error}; install it with: pip install 'o2c-hub[einvoice]'")
        write_frame(writing, encode(answer))
        if resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > _MOST_KILOBYTES:
            return


if __name__ == "__main__":
    try:
        main()
    except (BrokenPipeError, KeyboardInterrupt):
        sys.exit(0)
