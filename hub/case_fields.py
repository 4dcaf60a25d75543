"""The keys of test files, as tables: the lint, the JSON Schemas and the reference pages are made from them."""

from __future__ import annotations

from connectors.base import Field
from hub.states import DELIVERY_STATES

_XREF = (
    Field("system", "text", "The system whose id it is.", required=True),
    Field("kind", "text", "What it names: customer, product, …", required=True),
    Field("id", "text", "The system's own id.", required=True),
    Field("value", "text", "The hub's id.", required=True),
)
_XREFS = Field("xrefs", "list", "The cross-references that xref() finds.", fields=_XREF)
_NAME = Field("name", "text", "What the case is about; unique in its file.", required=True)

MAPPING_CASE = (
    _NAME,
    Field("input", "raw", "The source document, written out."),
    Field("input_file", "text", "The source document as a file in its own format, relative to this one."),
    Field("input_text", "text", "The source document as text in its own format."),
    Field("record", "integer", "Which record of the input is meant, counted from 1; one that holds a single record "
          "needs no number."),
    Field("company", "raw", "The own party; none: the file's."),
    Field("envelope", "raw", "What is known of the message; none: the file's."),
    _XREFS,
    Field("expected", "raw", "The target document, written out."),
    Field("expected_file", "text", "The target document as a file in its own format, relative to this one."),
    Field("expected_text", "text", "The target document as text in its own format."),
    Field("error", "text", "A part of the error that is expected instead of a document."),
)  # fmt: skip
MAPPING_TEST_FIELDS = (
    Field("company", "raw", "The own party; none: that of config/hub.yaml."),
    Field("envelope", "raw", "What is known of the message: id, source, event, received_at, name, time_zone."),
    _XREFS,
    Field("cases", "list", "The cases.", required=True, fields=MAPPING_CASE),
)

ANSWER_FIELDS = (
    Field("status", "integer", "The status of the answer.", default=200),
    Field("headers", "map", "Its headers.", fields=(Field("", "text"),)),
    Field("body", "raw", "Its body, written out; sent as JSON."),
    Field("body_file", "text", "Its body as a file, relative to this one."),
    Field("body_text", "text", "Its body as text."),
    Field("fails", "choice", "There is no answer: connect (nothing was sent), timeout (it may have arrived).",
          choices=("connect", "timeout")),
    Field("look_up", "raw", "What is answered when it is asked later whether it knows the delivery: an answer like "
          "this one. Default: 404."),
)  # fmt: skip
_ERROR = Field("error", "group", "Why it cannot go on; what is said must be so, detail a part of the text.", fields=(
    Field("class", "text", "The class of the failure: mapping, schema, parse, …"),
    Field("code", "text", "Its code."),
    Field("step", "text", "The step it failed in: decode, map, validate, route, encode, deliver."),
    Field("field", "text", "The path of the field at fault."),
    Field("detail", "text", "A part of what it says."),
))  # fmt: skip
_DOCUMENT = (
    Field("document", "raw", "The canonical document, written out."),
    Field("document_file", "text", "The canonical document as a JSON file, relative to this one."),
)
REPLY = (
    Field("state", "choice", "What became of it.", default="routed", choices=("routed", "dead")),
    Field("key", "text", "Its main key: scheme and value, as in order:1001."),
    _ERROR,
    *_DOCUMENT,
)
DELIVERY = (
    Field("to", "text", "The target's id.", required=True),
    Field("state", "choice", "What became of it.", default="delivered", choices=DELIVERY_STATES),
    Field("system", "text", "The system it goes to."),
    Field("after", "text", "The target whose delivery it waited for."),
    Field("lane", "text", "The key whose order it keeps."),
    Field("attempts", "integer", "How often it was tried."),
    Field("request", "text", "What was asked of whom at the first try: POST /orders, or the file's name. {key}, "
          "{delivery_id} and {message_id} stand for those of the delivery."),
    Field("headers", "map", "Headers of the first try, those that matter; the same names in braces stand for ids.",
          fields=(Field("", "text"),)),
    Field("idempotency_key", "text", "Its idempotency key, e.g. {delivery_id}.1."),
    Field("body", "raw", "What was sent, written out: the document that the target's format reads in it."),
    Field("body_file", "text", "What was sent as a file in the target's format, relative to this one."),
    Field("body_text", "text", "What was sent as text in the target's format."),
    _ERROR,
    Field("reply", "group", "The message that the target's answer became.", fields=REPLY),
)  # fmt: skip
MESSAGE = (
    Field("state", "choice", "What became of the message.", default="routed", choices=("routed", "filtered", "dead")),
    Field("key", "text", "Its main key: scheme and value, as in order:1001."),
    Field("place", "text", "Where it stood in what came in, e.g. line 7."),
    _ERROR,
    *_DOCUMENT,
    Field("deliveries", "list", "Every delivery, in the order of the route's targets.", fields=DELIVERY),
)
RECEIVED = (
    Field("system", "text", "The system it comes from; none: that of the route."),
    Field("event", "text", "Its event; none: what the headers say, else the route's."),
    Field("headers", "map", "Headers it is posted with; the event and the id are read from them.",
          fields=(Field("", "text"),)),
    Field("name", "text", "The file's name, where it is one."),
    Field("body", "raw", "The document, written out."),
    Field("body_file", "text", "The bytes as a file, relative to this one."),
    Field("body_text", "text", "The bytes as text."),
)  # fmt: skip
ROUTE_CASE = (
    _NAME,
    Field("route", "text", "The route that takes it; none: the only one of the file."),
    Field("at", "text", "When it comes in, as 2026-03-05T22:30:00Z; none: the file's."),
    Field("receives", "group", "What comes in.", required=True, fields=RECEIVED),
    Field("answers", "map", "What targets answer, by their ids: one answer for every try, or a list in turn, whose "
          "last one is given again and again. A number is a status. Default: 200.", fields=(Field("", "raw"),)),
    _XREFS,
    Field("expected", "group", "The message it becomes; or messages, one for each record.", fields=(
        *MESSAGE, Field("messages", "list", "The messages, in the order of their records.", fields=MESSAGE),
    )),
)  # fmt: skip
ROUTE_TEST_FIELDS = (
    Field("at", "text", "When documents come in, as 2026-03-05T22:30:00Z."),
    _XREFS,
    Field("cases", "list", "The cases.", required=True, fields=ROUTE_CASE),
)


def named(fields: tuple[Field, ...], name: str) -> Field:
    """The field of a table by its name."""
    return next(field for field in fields if field.name == name)
