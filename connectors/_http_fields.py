"""What ``config/systems.yaml`` may say of a system that is reached over HTTP."""

from __future__ import annotations

from connectors._fetch_fields import ANSWER_NAMES as _ANSWER_NAMES
from connectors._fetch_fields import FETCH, FETCH_BACK
from connectors.auth import AUTH
from connectors.base import Field

FIELDS = (
    Field("base_url", "url", "Where the system is; a path in it comes before path:.", required=True),
    Field("path", "text", "The path of a delivery; {order_id}, {body.id} and other variables are filled in, "
          "percent-encoded.",
          default="", is_template=True),
    Field("method", "choice", "The method of a delivery.", default="POST", choices=("POST", "PUT", "PATCH", "DELETE")),
    Field("headers", "map", "Headers of every request; values may hold variables.", default={}, is_template=True,
          fields=(Field("", "text"),)),
    Field("content_type", "text", "The Content-Type, where it must differ from that of the format."),
    Field("body", "raw", "The body of a delivery, written down around the document: {body} is the document (JSON), "
          "{body.lines} a part of it, {form} the document as a form, {text} its text, {base64} its bytes; {key}, "
          "{reference}, {order_id} as in path. Without it the document alone.",
          is_template=True),
    AUTH,
    Field(
        "csrf", "group", "The token against forged requests that the system wants (SAP), and the session it belongs "
                         "to.",
        fields=(
            Field("request", "text", "What fetches it, such as GET "
                  "/sap/opu/odata/sap/API_SALES_ORDER_SRV/.", required=True),
            Field("header", "text", "The header it is asked for by, and then sent in.", default="X-CSRF-Token"),
            Field("ask", "text", "What that header says where it is asked for.", default="Fetch"),
        ),
    ),
    Field(
        "idempotency", "group", "What the system offers against doing things twice.",
        fields=(
            Field("mode", "choice", "native: it knows the idempotency key; lookup: it can be asked; none: neither.",
                  default="none", choices=("native", "lookup", "none")),
            Field("header", "text", "native, lookup: the header of the key.", default="Idempotency-Key"),
            Field("format", "choice", "native, lookup: the key as it is, or in quotes (IETF draft).", default="plain",
                  choices=("plain", "quoted")),
            Field("request", "text", "lookup: the question, e.g. GET /sales?ref={key}.", is_template=True),
            Field("body", "raw", "lookup: the body of a POST request, written down; {key}, {reference}, {order_id}, "
                  "and {body.name} for a field of the document.", is_template=True),
            Field("ask", "choice", "lookup: when it is asked: in_doubt, or always, also before the first try, for "
                  "systems that others write to as well.", default="in_doubt", choices=("in_doubt", "always")),
            Field("found", "expression", "lookup: whether the answer shows it; without it any 2xx does, 404 does not. "
                  "sent is the document it is about, where body: is written down.", names=(*_ANSWER_NAMES, "sent")),
            Field("settle", "duration", "lookup: how long to wait before asking.", default=60.0),
        ),
    ),
    Field("success", "expression", "Whether an answer means success; without it any 2xx does.", names=_ANSWER_NAMES),
    Field("reference", "expression", "What the system calls what a delivery has made, e.g. body.id; kept with the "
          "delivery, and {reference} in a look-up.", names=_ANSWER_NAMES),
    Field("permanent", "expression", "Whether a failed answer is final, so that it is not tried again.",
          names=_ANSWER_NAMES),
    Field("later", "expression", "Whether a failed answer says that nothing was done, and to come again: it had too "
          "much, it is locked.", names=_ANSWER_NAMES),
    Field(
        "timeouts", "group", "How long to wait.",
        fields=(
            Field("connect", "duration", "For the connection: name, TCP, TLS; all addresses of the name share it.",
                  default=5.0),
            Field("read", "duration", "For the whole answer, once connected.", default=30.0),
        ),
    ),
    Field(
        "limits", "group", "What the system bears.",
        fields=(
            Field("rate", "rate", "Requests a second, evenly spaced; without it any number."),
            Field("concurrency", "integer", "Requests at a time.", default=16),
            Field("wait", "duration", "The longest wait for a turn before a parcel is given back.", default=20.0),
            Field("headers", "group", "Where it tells what is left of its limit, if not in RateLimit.", fields=(
                Field("remaining", "text", "The header of how many requests are left, e.g. X-RateLimit-Remaining.",
                      required=True),
                Field("reset", "text", "The header of when more are allowed, e.g. X-RateLimit-Reset.", required=True),
                Field("reset_is", "choice", "What that header holds: seconds from now, or a time (Unix).",
                      default="seconds", choices=("seconds", "time")),
                Field("limit", "text", "The header of how many are allowed in all, e.g. X-RateLimit-Limit."),
            )),
        ),
    ),
    Field(
        "tls", "group", "TLS beyond the machine's own authorities.",
        fields=(
            Field("ca", "text", "File or folder of PEM certificates to trust instead."),
            Field("certificate", "text", "The client's certificate (PEM file)."),
            Field("key", "text", "The client's private key (PEM file), if not in the same file."),
            Field("password", "secret", "The private key's password."),
        ),
    ),
    Field("fetch", "group", "What is fetched from it, page by page, again and again.", fields=FETCH),
    Field("fetch_back", "group", "Its webhooks only say that something has changed, and this fetches it.",
          fields=FETCH_BACK),
    Field("probe", "group", "A request that changes nothing, by which `o2c doctor` sees whether the system lets us in.",
          fields=(
              Field("request", "text", "Such as GET /me.", required=True),
              Field("body", "raw", "The body of a POST request, written down."),
              Field("success", "expression", "Whether the answer says so; without it any 2xx that is no page for "
                    "people.", names=_ANSWER_NAMES),
          )),
    Field("proxy", "address", "An HTTP proxy, http://host:3128; none without it, whatever the environment says."),
    Field("max_response", "size", "The largest answer that is read.", default=1_000_000),
)  # fmt: skip
