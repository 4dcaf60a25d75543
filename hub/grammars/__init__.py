"""Grammars of EDI messages: files that say what a message consists of, and everything that is done by them.

    files ── library ──▶ MessageType ──▶ Matcher ──▶ Checker ──▶ Namer     a message off the wire to its document
                                    └──▶ Writer                            a document to the segments of a message
                                    └──▶ outline_of                        what a document looks like, for the lint

``Interpreter`` is the first of these in one, as the readers of ``hub.formats`` take it. types: what a grammar is once
it is read; lines: the notation of one line; directory: the shared files; draft, overlay, library: the messages; table,
matching, recovery: from one segment to the next; values, checks: elements; findings: what is wrong, and its codes.
"""

from hub.grammars.checks import Checker
from hub.grammars.codec import NamedCodec, codec_of
from hub.grammars.examining import Examiner
from hub.grammars.findings import Finding
from hub.grammars.library import Grammars, is_grammar_file
from hub.grammars.matching import Matcher
from hub.grammars.naming import Namer
from hub.grammars.outline import outline_of
from hub.grammars.reading import Interpreter, envelope_of, grammar_name
from hub.grammars.types import MessageType
from hub.grammars.writing import ENVELOPE, Writer

__all__ = [
    "ENVELOPE", "Checker", "Examiner", "Finding", "Grammars", "Interpreter", "Matcher", "MessageType", "NamedCodec",
    "Namer", "Writer", "codec_of", "envelope_of", "grammar_name", "is_grammar_file", "outline_of",
]  # fmt: skip
