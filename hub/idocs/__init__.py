"""Grammars of IDocs: files that say which segments stand below which, and which fields they have.

    schemas/idoc/ ── library ──▶ IdocType ──▶ named      what was read, to its document; every fault at its place
                                         └──▶ prepared   a document to what is written
                                         └──▶ outline_of what a document looks like, for the lint

types: what a grammar is once it is read; drafts: the notation of its lines, overlays; values: dates, times, numbers;
codec: bytes by a grammar, loaded by those who read or write some.
"""

from hub.idocs.library import IdocTypes, is_idoc_file
from hub.idocs.outline import outline_of
from hub.idocs.preparing import prepared
from hub.idocs.types import IdocType

__all__ = ["IdocType", "IdocTypes", "is_idoc_file", "outline_of", "prepared"]
