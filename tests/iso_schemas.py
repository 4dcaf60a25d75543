"""The schemas that ISO 20022 publishes, out of packages that carry them."""

from __future__ import annotations

from functools import cache
from importlib.metadata import files

from lxml import etree


@cache
def schema(name: str) -> etree.XMLSchema:
    """The schema of a message in a version, out of a package that carries it."""
    package = "camt053" if name.startswith("camt") else "pain001"
    found = [path.locate() for path in files(package) or () if path.name == f"{name}.xsd"]
    assert found, name
    return etree.XMLSchema(etree.parse(str(found[0])))


def faults(raw: bytes) -> list[str]:
    """What a schema finds in a message."""
    root = etree.fromstring(raw)
    judge = schema(root.tag[1:].partition("}")[0].rpartition(":")[2])
    judge.validate(root)
    return [f"line {fault.line}: {fault.message}" for fault in judge.error_log]  # type: ignore[attr-defined]
