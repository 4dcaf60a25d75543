"""Mapping files: a target tree in YAML whose leaves are expressions, compiled once to one Python function.

``compile_mapping(text, file, tables=…)`` gives a Mapping; ``mapping.apply(document)`` the target document.
``compile_expression`` compiles one expression of a route or a connector. Neither does any I/O.
"""

from hub.mapping.compile import compile_mapping
from hub.mapping.context import EMPTY, Context, TraceEntry
from hub.mapping.coverage import BRANCH, EXPRESSION, Probe, Probes
from hub.mapping.expression import Expression, compile_expression
from hub.mapping.mapping import Mapping, Side
from hub.mapping.tables import NO_TABLES, Table, Tables, load_tables
from hub.mapping.trace import Trace
from hub.mapping.uses import Use, plain_path, touches

__all__ = [
    "BRANCH",
    "EMPTY",
    "EXPRESSION",
    "NO_TABLES",
    "Context",
    "Expression",
    "Mapping",
    "Probe",
    "Probes",
    "Side",
    "Table",
    "Tables",
    "Trace",
    "TraceEntry",
    "Use",
    "compile_expression",
    "compile_mapping",
    "load_tables",
    "plain_path",
    "touches",
]
