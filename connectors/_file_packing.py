"""Packing what is put into a folder: the same bytes give the same file, whenever and how often it is written."""

from __future__ import annotations

import io
import zipfile
import zlib

_LEVEL = 6
_GZIP = 31
_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can tell


def packed(body: bytes, how: str, inner_name: str) -> bytes:
    """A body as ``gz`` or ``zip``, or as it is; ``inner_name`` is its name in a zip. No time goes into it."""
    if how == "gz":
        packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
        return packer.compress(body) + packer.flush()
    return _zipped(body, inner_name) if how == "zip" else body


def _zipped(body: bytes, name: str) -> bytes:
    entry = zipfile.ZipInfo(name, _LONG_AGO)
    entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
    with io.BytesIO() as made:
        with zipfile.ZipFile(made, "w") as archive:
            archive.writestr(entry, body, compresslevel=_LEVEL)
        return made.getvalue()


def way_of(pack: str, name: str) -> str:
    """How a file of this name is packed, where ``pack`` leaves it to the name."""
    if pack != "name":
        return pack
    return next((ending[1:] for ending in (".gz", ".zip") if name.lower().endswith(ending)), "none")


def without_zip(name: str) -> str:
    """A name without the ending of a zip."""
    return name[:-4] if name.lower().endswith(".zip") else name
