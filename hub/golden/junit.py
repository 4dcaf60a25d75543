"""Results as JUnit XML, in the shape that Jenkins, GitLab, GitHub's reporters and Ant's schema all read."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from xml.etree import ElementTree

from hub.golden.results import Result
from hub.golden.telling import result_lines

# XML 1.0, 2.2: what may not stand in a document at all, escaped or not.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(results: Sequence[Result], at: datetime) -> bytes:
    """One suite for each test file, one test case for each case and for the properties tried with it."""
    root = ElementTree.Element("testsuites")  # without attributes: Ant's schema knows none
    for number, (file, found) in enumerate(groupby(results, lambda result: result.file)):
        root.append(_suite(number, file, list(found), at))
    ElementTree.indent(root)
    written: bytes = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return written + b"\n"


def _suite(number: int, file: str, results: Sequence[Result], at: datetime) -> ElementTree.Element:
    package, name = file.removesuffix(".test.yaml").rpartition("/")[::2]
    suite = ElementTree.Element("testsuite", {
        "name": name, "package": package.replace("/", "."), "id": str(number), **_counts(results), "skipped": "0",
        "timestamp": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S"), "hostname": _plain(socket.gethostname()),
    })  # fmt: skip
    ElementTree.SubElement(suite, "properties")
    for result in results:
        suite.append(_case(file, result))
    ElementTree.SubElement(suite, "system-out")
    ElementTree.SubElement(suite, "system-err")
    return suite


def _counts(results: Sequence[Result]) -> dict[str, str]:
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    return {"tests": str(len(results)), "failures": str(failed), "errors": "0", "time": f"{seconds:.3f}"}


def _case(file: str, result: Result) -> ElementTree.Element:
    case = ElementTree.Element("testcase", {
        "name": _plain(result.title), "classname": file.removesuffix(".test.yaml").replace("/", "."),
        "time": f"{result.seconds:.3f}",
    })  # fmt: skip
    if not result.passed:
        kind = "error" if result.problem else "difference"
        first = result.problem or f"{result.differences[0].path} is not as expected"
        failure = ElementTree.SubElement(case, "failure", {"message": _plain(first), "type": kind})
        failure.text = _plain("\n".join((f"{file}:{result.line}: {result.title}", *result_lines(result))))
    return case


def _plain(text: str) -> str:
    return _FORBIDDEN.sub("�", text)
