"""The admin API from Python: what the command line speaks to the running hub.

Where the hub is and which key opens it: ``O2C_URL`` and ``O2C_API_KEY``, else ``.o2c/local.json`` of the project,
which ``o2c init`` wrote for its owner alone and ``o2c run`` keeps true.
"""

from __future__ import annotations

import http.client
import os
import ssl
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode, urlsplit

import msgspec

from connectors._exact import decode
from hub.errors import Conflict, HubAway, HubError, NotFound, UsageError

LOCAL = ".o2c/local.json"
_PREFIX = "/api/v1"
_END = "-----END CERTIFICATE-----"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_ERRORS: Mapping[int, type[HubError]] = {400: UsageError, 404: NotFound, 409: Conflict, 422: UsageError}


class Answer(msgspec.Struct, frozen=True):
    """What a server said: ``body`` as it came."""

    status: int
    content_type: str
    body: bytes

    def json(self) -> Any:
        """The body's value; the text itself where it is not JSON."""
        try:
            return decode(self.body) if self.body else None
        except msgspec.DecodeError:
            return self.body.decode(errors="replace")


@dataclass(frozen=True, slots=True)
class HubClient:
    """A connection to one hub. Raises HubAway where none answers, and the fitting HubError for a refusal.

    ``certificate`` is the file of the one certificate to believe, whatever name it bears; without it the machine's
    authorities say who is believed (``SSL_CERT_FILE`` names others).
    """

    url: str
    key: str = ""
    timeout_seconds: float = 30.0
    certificate: str = ""

    def get(self, path: str, **parameters: Any) -> Any:
        """Read one resource; parameters that are None are left out, lists are repeated."""
        said = {name: value for name, value in parameters.items() if value is not None}
        query = f"?{urlencode(said, doseq=True)}" if said else ""
        return self._checked("GET", f"{_PREFIX}{path}{query}", None)

    def content(self, path: str) -> bytes:
        """Read one resource as it is."""
        return self._answered("GET", f"{_PREFIX}{path}", None).body

    def post(self, path: str, body: Any = None) -> Any:
        """Act. Every call has an idempotency key of its own, so that a repeat on the wire acts once."""
        return self._checked("POST", _PREFIX + path, {} if body is None else body)

    def delete(self, path: str) -> Any:
        return self._checked("DELETE", _PREFIX + path, None)

    def is_up(self) -> bool:
        """Whether a hub answers there."""
        try:
            return self.request("GET", "/healthz").status == 200
        except HubAway:
            return False

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """One request to any path, whatever is answered."""
        connection = self._connect()
        try:
            connection.request(method, path, body, dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, answer.headers.get("Content-Type", ""), answer.read())
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, TimeoutError) and connection.sock is not None:
                raise HubAway(self._late(method)) from None
            raise HubAway(f"no hub answers at {self.url} ({_reason(error)}); start it with: o2c run") from None
        finally:
            connection.close()

    def _late(self, method: str) -> str:
        doubt = "; it may do all the same what it was asked: look before you ask again" if method != "GET" else ""
        return f"what listens at {self.url} has not answered within {self.timeout_seconds:g} s{doubt}"

    def _checked(self, method: str, path: str, body: Any) -> Any:
        return self._answered(method, path, body).json()

    def _answered(self, method: str, path: str, body: Any) -> Answer:
        headers = {"Accept": "application/json"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        if method != "GET":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": f'"{uuid.uuid4()}"'}
        raw = None if body is None else _ENCODER.encode(body)
        answer = self.request(method, path, raw, headers)
        if answer.status >= 300:
            _refused(answer)
        return answer

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            context = _believing(Path(self.certificate)) if self.certificate else ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=self.timeout_seconds, context=context)
        return http.client.HTTPConnection(host, port, timeout=self.timeout_seconds)


def client_for(root: Path | None, told: Mapping[str, str] = os.environ) -> HubClient:
    """The client for the hub that the environment names, else that of a project. Raises UsageError that says what is
    missing."""
    local = _local(root)
    url = told.get("O2C_URL") or local.get("url", "")
    key = told.get("O2C_API_KEY") or local.get("api_key", "")
    if not url:
        where = f"{root / LOCAL} is not there" if root else "this is no project folder"
        raise UsageError(f"where is the hub? {where}; set O2C_URL and O2C_API_KEY, or make a project with: o2c init")
    if not _is_address(url):
        raise UsageError(f"O2C_URL: expected an address such as http://127.0.0.1:8420, got '{url}'")
    return HubClient(url.rstrip("/"), key, certificate="" if told.get("O2C_URL") else local.get("certificate", ""))


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0 and url.isascii()
    except ValueError:
        return False


def _local(root: Path | None) -> dict[str, str]:
    path = root / LOCAL if root else None
    if path is None or not path.is_file():
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise UsageError(f'{path}: expected {{"url": "http://…", "api_key": "o2c_…"}}') from None


def _believing(certificate: Path) -> ssl.SSLContext:
    """Believes one certificate and no other. Raises UsageError where there is none."""
    try:
        first = certificate.read_text(encoding="ascii").partition(_END)[0] + _END
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False  # it is the very certificate, so its names say nothing more
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.load_verify_locations(cadata=first[first.index("-----BEGIN CERTIFICATE") :])
    except (OSError, ValueError) as error:
        raise UsageError(f"{certificate}: not a certificate (PEM) that can be read: {error}") from None
    return context


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not believed: {error.verify_message}"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, OSError):
        return (error.strerror or "the connection broke").lower()
    return "what answers there speaks no HTTP"


def _refused(answer: Answer) -> NoReturn:
    """Raise the problem that the hub described (RFC 9457)."""
    problem = answer.json()
    if not isinstance(problem, dict):
        raise HubError(f"the hub answered {answer.status}: {str(problem)[:200]}")
    if answer.status in (401, 403):
        known = "; set O2C_API_KEY, or run this in the project folder" if answer.status == 401 else ""
        raise HubError(f"{problem.get('detail') or problem.get('title') or 'not allowed'}{known}")
    raise _ERRORS.get(answer.status, HubError)(_problem_text(problem, answer.status))


def _problem_text(problem: Mapping[str, Any], status: int) -> str:
    text = str(problem.get("detail") or problem.get("title") or f"the hub answered {status}")
    errors = [f"\n  {error.get('pointer', '')}: {error.get('detail', '')}" for error in problem.get("errors") or ()]
    hint = f"; {problem['hint']}" if problem.get("hint") else ""
    return text + hint + "".join(errors)
