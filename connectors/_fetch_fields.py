"""The settings of what is fetched over HTTP."""

from __future__ import annotations

from connectors._watermark import FORMS
from connectors.base import WHEN, Field

ANSWER_NAMES = ("status", "body", "headers")
ITEM_NAMES = ("item",)
CURSOR, PAGE, OFFSET, LINK = "cursor", "page", "offset", "link"

FETCH = (
    Field("request", "text", "The request of the first page, such as GET /orders?updated_since={watermark}&limit=100; "
          "{watermark} {cursor} {page} {offset}.", required=True),
    Field("body", "raw", "The body of a POST request, written down; the same names, and those in a text of their own "
          "become values."),
    Field("every", "duration", "How often it is looked for something new, where at: says no times.", default=60.0),
    *WHEN,
    Field("items", "expression", "The list of what was found, e.g. body.orders; without it the answer is one document.",
          names=ANSWER_NAMES),
    Field("id", "expression", "What the system calls an item, e.g. item.id.", names=ITEM_NAMES),
    Field("version", "expression", "What tells that an item has changed since it came last; without it all that is in "
          "it.", names=ITEM_NAMES),
    Field("event", "text", "Where the event's name is, of this system's items: field:status, header:X-Topic, or a "
          "fixed name; without it event: of the system."),
    Field("success", "expression", "Whether an answer is a page; without it any 2xx is.", names=ANSWER_NAMES),
    Field("watermark", "group", "How far it was read: asked from there on, moved when all up to there is "
          "stored.", fields=(
        Field("value", "expression", "What an item has of it, such as item.updated_at; the highest counts.",
              required=True, names=ITEM_NAMES),
        Field("start", "text", "Where it begins; times are asked for in this form. Another one begins anew there.",
              required=True),
        Field("form", "choice", "What it is: a time (ISO 8601, or SAP's /Date(…)/), seconds or milliseconds since "
              "1970, a number, or text that sorts.", default="time", choices=FORMS),
        Field("overlap", "duration", "By how much earlier it is asked for, since systems store some things late; of "
              "times 5m without it, and 65m where start has a time without an offset, for clocks are put back."),
    )),
    Field("paging", "group", "How the next page is asked for; without it there is one.", fields=(
        Field("type", "choice", "cursor: by what the page says; page: by number; offset: by how many came; link: by "
              "the address that the page gives.", required=True, choices=(CURSOR, PAGE, OFFSET, LINK)),
        Field("parameter", "text", "cursor, page, offset: the query parameter for it, where neither request nor body "
              "names {cursor}, {page} or {offset}."),
        Field("next", "expression", "cursor, link: where a page says the next one, e.g. body.next_cursor; link without "
              "it: the header Link (rel=next). Nothing there is the end.", names=ANSWER_NAMES),
        Field("more", "expression", "Whether there is another page; page and offset without it: until a page is empty.",
              names=ANSWER_NAMES),
        Field("first", "integer", "page: the number of the first page.", default=1),
        Field("most_pages", "integer", "How many pages are read in one round; the next one goes on "
              "there.", default=1000),
        Field("keep", "duration", "For how long a round that was broken off can be gone on with; after that it begins "
              "anew.",
              default=3600.0),
    )),
    Field("delta", "expression", "Where the last page gives the address that tells all changes since, e.g. "
          "body['@odata.deltaLink']: the next round begins with it.", names=ANSWER_NAMES),
    Field("max_page", "size", "The largest page that is read.", default=20_000_000),
)  # fmt: skip
FETCH_BACK = (
    Field("request", "text", "What fetches it, such as GET /v2/payments/{id}; names in braces are fields of the "
          "webhook's body, also deeper ones: {data.id}.", required=True),
    Field("event", "text", "Where the event's name is in what was fetched: field:status, or a fixed name; without it "
          "the webhook's own."),
    Field("success", "expression", "Whether an answer is the document; without it any 2xx is.", names=ANSWER_NAMES),
    Field("same_content", "choice", "What becomes of a document that is, to the byte, as it was the last time: skip (a "
          "webhook that "
          "comes again changes nothing), process (like any other).", default="skip", choices=("skip", "process")),
)  # fmt: skip
