"""A token against forged requests, as SAP wants it with every request that changes something: it is asked for once, and
belongs to the cookies that come with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors._answer import Answer, Failure
from connectors._opening import Address
from connectors._request import RequestMaker, without_variables
from connectors.auth import Credentials, Fixed, Outgoing
from connectors.base import Parcel, PermanentError

_METHOD = "GET"  # an answer to HEAD has lengths without a body


class Session:
    """``token`` is empty until one was fetched, and after it was refused."""

    def __init__(
        self, settings: Mapping[str, Any], address: Address, headers: Mapping[str, str], known: Credentials,
        proxy: Address | None,
    ) -> None:  # fmt: skip
        method, _, path = str(settings.get("request") or "").strip().partition(" ")
        if method != _METHOD or not path.startswith("/"):
            raise PermanentError("csrf.request: expected GET and a path, such as GET /sap/opu/odata/sap/NAME/")
        self.header = str(settings.get("header") or "X-CSRF-Token")
        asked = {self.header: str(settings.get("ask") or "Fetch")}
        self._maker = RequestMaker(
            method, address, path, "csrf.request", {**without_variables(headers), **asked}, known, proxy=proxy
        )
        self.token, self._cookie = "", ""

    @property
    def held(self) -> tuple[str, str]:
        """The token, and the cookies it belongs to: secrets both."""
        return self.token, self._cookie

    def lines(self) -> list[str]:
        """What every request carries."""
        if not self.token:
            return []
        cookie = [f"Cookie: {self._cookie}\r\n"] if self._cookie else []
        return [f"{self.header}: {self.token}\r\n", *cookie]

    def request(self, now_epoch: float) -> tuple[bytes, bytes]:
        """The request that begins the session."""
        return self._maker.make(Parcel("csrf", "csrf", b""), now_epoch)

    def accept(self, answer: Answer, cookies: Sequence[str]) -> Failure | None:
        """Take the token, whatever the status it comes with; a Failure when there is none."""
        token = answer.headers.get(self.header.lower(), "")
        cookie = "; ".join(cookies)
        if token and token.lower() != "required" and (token + cookie).isascii() and (token + cookie).isprintable():
            self.token, self._cookie = token, cookie
            return None
        stopped = answer.status in (401, 403)
        detail = f"csrf.request was answered {answer.status}, without a {self.header} that could be used"
        return Failure("no_csrf_token", detail, stopped=stopped)

    def is_wanted_by(self, answer: Answer) -> bool:
        """Whether an answer says that the token is not good any more; what was asked for has not been done then."""
        return answer.status == 403 and answer.headers.get(self.header.lower(), "").lower() == "required"

    def forget(self, token: str) -> None:
        """This token was refused: the next request needs another, unless there is another already."""
        if token == self.token:
            self.token = ""


class InSession:
    """Credentials, and the session beside them."""

    def __init__(self, known: Credentials, session: Session) -> None:
        self._known, self._session = known, session
        self.query, self.grant = known.query, known.grant

    def lines(self, outgoing: Outgoing) -> list[str]:
        fixed = [self._known.text] if isinstance(self._known, Fixed) and self._known.text else []
        return [*fixed, *self._known.lines(outgoing), *self._session.lines()]
