"""The settings of a SOAP system: what is sent, and what comes in at its door."""

from __future__ import annotations

from msgspec.structs import replace

from connectors import http, webhook
from connectors._soap_security import SECURITY
from connectors.base import Field

ANSWER_NAMES = ("status", "body", "fault", "headers")
_HTTP = {field.name: field for field in http.FIELDS}
_VERIFY = next(field for field in webhook.FIELDS if field.name == "verify")
METHODS = ("username-token", "x509", "signature", "token", "basic", "none")


def _verify() -> Field:
    """As of webhooks, and the two ways of WS-Security."""
    own = (
        Field("method", "choice", "username-token or x509 (WS-Security in the envelope), or as of webhooks: signature "
              "over the body, a token in a header, basic, none.", default="username-token", choices=METHODS),
        Field("user", "text", "username-token: the user's name; the password is one of secrets."),
        Field("certificates", "list", "x509: the certificates (.crt files in PEM below schemas/) of those who sign.",
              fields=(Field("", "file"),)),
    )  # fmt: skip
    names = {field.name for field in own}
    rest = tuple(field for field in _VERIFY.fields if field.name not in names)
    return replace(_VERIFY, description="How a caller proves itself; with it the system takes calls in.",
                   fields=(*own, *rest))  # fmt: skip


FIELDS = (
    Field("wsdl", "file", "The WSDL: a file below schemas/, and what it imports lies there too.", required=True),
    Field("service", "text", "Which of its services, where there are several."),
    Field("port", "text", "Which of the service's ports; without it the first of SOAP 1.1, else of 1.2."),
    Field("address", "url", "Where the service is, if not where the WSDL says."),
    Field("operation", "text", "What deliveries call; without it a delivery has one field, the operation's name."),
    Field("soap_headers", "raw", "SOAP headers of every call: by their names in the WSDL, or {namespace}Name."),
    Field("addressing", "boolean", "Send WS-Addressing headers, with the idempotency key in MessageID.", default=False),
    SECURITY,
    Field("validate", "boolean", "Send only what is valid by the WSDL's types.", default=True),
    _HTTP["headers"], _HTTP["auth"],
    Field(
        "idempotency", "group", "What the service offers against doing things twice.",
        fields=(
            Field("mode", "choice", "native: it knows the key, in MessageID or the header; lookup: it can be asked; "
                  "none: neither.", default="none", choices=("native", "lookup", "none")),
            Field("header", "text", "native, lookup: the HTTP header of the key.", default="Idempotency-Key"),
            Field("format", "choice", "The key in that header as it is, or in quotes.", default="plain",
                  choices=("plain", "quoted")),
            Field("operation", "text", "lookup: the operation that is asked."),
            Field("arguments", "raw", "lookup: its values; texts may hold variables such as {key}.", is_template=True),
            Field("found", "expression", "lookup: whether the answer shows it.", names=ANSWER_NAMES),
            Field("settle", "duration", "lookup: how long to wait before asking.", default=60.0),
        ),
    ),
    Field("success", "expression", "Whether an answer means success, a fault too; without it the operation's answer "
          "does.", names=ANSWER_NAMES),
    Field("permanent", "expression", "Whether a failed answer is final, so that it is not tried again.",
          names=ANSWER_NAMES),
    Field("reference", "expression", "What the service calls what a delivery has made, e.g. body.number.",
          names=ANSWER_NAMES),
    Field("answer", "choice", "What reply: gets: the body's values as JSON, or the envelope as it came (with files).",
          default="json", choices=("json", "envelope")),
    _HTTP["timeouts"], _HTTP["limits"], _HTTP["tls"], _HTTP["proxy"], _HTTP["max_response"],
    _verify(),
    Field("event", "text", "What comes in is called: operation (its name), header:NAME, field:PATH, a fixed name.",
          default="operation"),
    Field(
        "dedupe", "group", "What tells a repeated call from a new one.",
        fields=(
            Field("id", "text", "message-id (of WS-Addressing, where the caller sends one), header:X-Id, field:PATH "
                  "in the body, or sha256 of the request.", default="message-id"),
            Field("keep", "duration", "How long ids are remembered.", default=30 * 86400.0),
        ),
    ),
    Field("replies", "raw", "What each operation is answered with, by its name: values, in whose texts {message_id}, "
          "{received_at}, {operation} and {field:PATH} are filled in."),
    Field("publish", "boolean", "Give the WSDL to whoever asks for ?wsdl.", default=True),
)  # fmt: skip
