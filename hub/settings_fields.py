"""The keys of ``config/hub.yaml``, as a table: the lint, the JSON Schema and the reference page are made from it."""

from __future__ import annotations

from connectors.base import Field
from hub.route_fields import quota_field
from hub.secret import DEFAULT_FOLDER

DAY = 86400.0
RESERVED = frozenset(("as2", "cash", "console", "expect", "journeys", "receivables", "steps"))

FIELDS = (
    Field(
        "http", "group", "Where the hub listens.",
        fields=(
            Field("listen", "text", "Address and port, e.g. 127.0.0.1:8420 or [::1]:8420.", default="127.0.0.1:8420"),
            Field("max_body", "size", "The largest document a sender may post; more is answered 413.",
                  default=10_000_000),
            Field("backlog", "integer", "Documents that are taken in and not yet looked into; when more wait, doors "
                  "answer 429.", default=20_000),
            Field("insecure", "boolean", "Listen on a public address without TLS, on purpose.", default=False),
            Field("trusted_proxies", "texts", "Addresses or networks of proxies, whose X-Forwarded-For is believed. To "
                  "be set behind any proxy on this machine: else the status page, /metrics and /readyz are public.",
                  default=()),
            Field(
                "tls", "group", "The certificate the hub shows.",
                fields=(
                    Field("certificate", "text", "File with the certificate and its chain (PEM).", required=True),
                    Field("key", "secret", "The certificate's private key (PEM).", required=True),
                ),
            ),
        ),
    ),
    Field("store", "address", "Where messages are kept: sqlite:///data/hub.db, or a reference to a postgresql:// "
          "address.", default="sqlite:///data/hub.db"),
    Field("broker", "address", "What wakes workers: local, or redis:// or amqp://.", default="local"),
    Field("time_zone", "text", "Zone of dates that say none (IANA name).", default="UTC"),
    Field("company", "raw", "Your own company as a canonical Party; mappings read it as company."),
    Field(
        "retention", "group", "How long things are kept; dead letters and the audit are never dropped in silence.",
        fields=(
            Field("raw", "duration", "The bytes as they came.", default=90 * DAY),
            Field("stages", "duration", "What the steps made of them.", default=30 * DAY),
            Field("metadata", "duration", "States, keys, attempts.", default=400 * DAY),
        ),
    ),
    quota_field("all of the hub", "every source is answered"),
    Field(
        "notify", "list", "Who is told when dead letters, a blocked lane or a stopped system open, and on recovery.",
        default=(),
        fields=(
            Field("webhook", "url", "Where a JSON message is posted."),
            Field("secret", "secret", "webhook: what the message is signed with, the Standard Webhooks way."),
            Field("email", "group", "Who gets a mail.", fields=(
                Field("server", "text", "The mail server.", required=True),
                Field("port", "integer", "Its port.", default=587),
                Field("encryption", "choice", "How the line is protected.", default="starttls",
                      choices=("starttls", "tls", "none")),
                Field("from", "text", "The sender's address.", required=True),
                Field("to", "texts", "The recipients' addresses.", required=True),
                Field("user", "text", "The user at the server, where it wants one.", default=""),
                Field("password", "secret", "The user's password."),
            )),
        ),
    ),
    Field("secrets_folder", "text", "Folder of the secret://file/ references, relative to the project.",
          default=DEFAULT_FOLDER),
)  # fmt: skip
