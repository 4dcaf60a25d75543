"""Where a parcel's file goes: folder and name, filled from what identifies the parcel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from connectors._file_names import check_template, filled, folder_within, is_template
from connectors._file_packing import way_of, without_zip
from connectors._file_pgp import without_ending
from connectors.base import Parcel, PermanentError

_EXTENSIONS = {
    "application/json": "json", "application/x-ndjson": "ndjson", "text/csv": "csv", "application/xml": "xml",
    "text/xml": "xml", "application/edifact": "edi", "application/edi-x12": "x12", "text/plain": "txt",
    "application/pdf": "pdf",
}  # fmt: skip


class Address(msgspec.Struct, frozen=True):
    """A folder and a file's name in it. ``is_made``: the folder has variables in it and is made, below ``fixed``.
    ``pack`` is how it is packed (gz, zip, none), ``inner_name`` what it is called in a zip."""

    folder: PurePath
    name: str
    is_made: bool
    fixed: PurePath
    pack: str
    inner_name: str


class Addresses:
    """The templates of ``send``. Raises PermanentError for those that cannot be."""

    def __init__(self, root: PurePath, settings: Mapping[str, Any]) -> None:
        for template in (settings["name"], settings["marker"] or "{name}.done"):
            check_template(template)
        self._root, self._name, self._pack = root, str(settings["name"]), str(settings["pack"])
        self._parts = folder_within(PurePath(), settings["folder"]).parts
        literal = next((at for at, part in enumerate(self._parts) if is_template(part)), len(self._parts))
        self.fixed = root.joinpath(*self._parts[:literal])
        self._is_made = literal < len(self._parts)
        self._is_sealed = bool(settings["pgp"])
        self._has_ending = bool(PurePath(without_zip(self._packed(self._name))).suffix)
        # A name made of the delivery belongs to it alone: what lies there under it is what an earlier try wrote.
        self.is_own_name = "{key}" in self._name or "{delivery_id}" in self._name

    def of(self, parcel: Parcel) -> Address:
        """Raises PermanentError for a variable that the parcel does not have, or that is empty in a folder."""
        extension = _EXTENSIONS.get(parcel.content_type.partition(";")[0].strip().lower(), "dat")
        known = {"extension": extension, **parcel.variables, "key": parcel.key, "delivery_id": parcel.delivery_id}
        parts = [_folder(part, known) if is_template(part) else part for part in self._parts]
        name = filled(self._name, known)
        packed = self._packed(name)
        inner = f"{without_zip(packed)}{'' if self._has_ending else f'.{extension}'}"
        return Address(self._root.joinpath(*parts), name, self._is_made, self.fixed, way_of(self._pack, packed), inner)

    def _packed(self, name: str) -> str:
        """What the name was before it was encrypted."""
        return without_ending(name) if self._is_sealed else name


def _folder(part: str, known: Mapping[str, str]) -> str:
    made = filled(part, known)
    if made == "_":
        raise PermanentError(f"the folder '{part}' is empty for this document")
    return made
