"""Secrets that come back: a receiver that shows what it was sent, as error pages do, shows our credentials too."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from html import escape
from urllib.parse import quote

import msgspec

from connectors.base import Verdict

_HIDDEN = b"[secret]"
_SHORTEST = 6  # characters; shorter ones are found in any text by chance


class Discretion:
    """Keeps the secrets of one system out of the verdicts on it, in each form in which they are sent."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {form for secret in secrets for form in forms_of(secret)}
        self._forms = sorted(forms, key=len, reverse=True)

    def about(self, verdict: Verdict, *tokens: str) -> Verdict:
        """The verdict without them; ``tokens`` are secrets that came up meanwhile."""
        said = verdict.detail.encode("utf-8", "replace")
        detail, response = self._without(said, tokens), self._without(verdict.response, tokens)
        if detail is said and response is verdict.response:
            return verdict
        return msgspec.structs.replace(verdict, detail=detail.decode(), response=response)

    def _without(self, content: bytes, tokens: Iterable[str]) -> bytes:
        for form in (*self._forms, *(token.encode() for token in tokens if len(token) >= _SHORTEST)):
            if form in content:
                content = content.replace(form, _HIDDEN)
        return content


def forms_of(secret: str) -> Iterator[bytes]:
    """As it is, as in an address, in JSON, in XML and HTML, and within anything that is written in base64; none of one
    that is short."""
    raw = secret.encode()
    if len(raw) < _SHORTEST:
        return
    yield raw
    yield quote(secret, safe="").encode()
    yield msgspec.json.encode(secret)[1:-1]
    yield escape(secret, quote=False).encode()
    for before in range(3):
        known = b64encode(bytes(before) + raw)
        yield known[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
