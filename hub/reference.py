"""Where the files that travel with the hub are: the reference project, its schemas, mappings and routes.

In an installed wheel they lie in ``hub/reference/``; in a checkout they are the top-level folders themselves.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def reference_root() -> Path:
    """The folder that holds ``schemas/``, ``mappings/``, ``routes/`` and ``config/`` of the reference project."""
    packed = _PACKAGE / "reference"
    return packed if packed.is_dir() else _PACKAGE.parent
