"""Whether a SOAP request is from whom it says: what its HTTP headers prove, and WS-Security in its envelope."""

from __future__ import annotations

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Any

from connectors._proofs import SignatureError, checks_of, secrets_of
from connectors._soap_envelope import section
from connectors._soap_security import DIGEST, TEXT, WSSE, digest_of
from connectors._soap_signature import DS, WSU, BadSignature, certificate, is_good, verified
from connectors._soap_xml import Element
from connectors.base import PermanentError

_LONGEST_NONCE = 200
_ENVELOPE_METHODS = ("username-token", "x509")


class Verifier:
    """Checks the requests of one source. ``config`` has its ``verify``, and ``files`` for its certificates.

    Raises PermanentError for settings that cannot be, so that a wrong set-up never becomes an open door.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        verify = {name: value for name, value in (config.get("verify") or {}).items() if value}
        self.method = str(verify.get("method", "username-token"))
        self._checks = checks_of(verify, self.method)
        self._tolerance = float(verify.get("tolerance", 300.0))
        self._user = str(verify.get("user", ""))
        self._passwords = secrets_of(verify) if self.method == "username-token" else []
        self._certificates = list(_certificates(verify, config.get("files"))) if self.method == "x509" else []
        self._seen = Seen()
        if self.method == "username-token" and not self._user:
            raise PermanentError("verify.user is missing: method username-token needs it")

    @property
    def reads_security(self) -> bool:
        """Whether it understands the header Security of WS-Security."""
        return self.method in _ENVELOPE_METHODS

    def hide_password(self, root: Element) -> bool:
        """Take a password in clear out of an envelope that was checked; whether there was one."""
        if self.method != "username-token":
            return False
        found = _security(root).iterfind(f"{{{WSSE}}}UsernameToken/{{{WSSE}}}Password")
        clear = [password for password in found if (password.get("Type") or TEXT) == TEXT]
        for password in clear:
            password.text = ""
        return bool(clear)

    def check_http(self, headers: Mapping[str, str], body: bytes, now_epoch: float) -> None:
        """What is proved without a look into the envelope. Raises SignatureError."""
        for check in self._checks:
            check(headers, body, now_epoch)

    def check_envelope(self, root: Element, raw: bytes, number: str | None, now_epoch: float) -> str:
        """What the envelope itself proves; gives what may come only once, '' where nothing may not. ``number`` is what
        its repeats are told by, which may stand in a header of HTTP that nobody has signed. Raises SignatureError."""
        if not self.reads_security:
            return ""
        security = _security(root)
        self._check_stamp(security.find(f"{{{WSU}}}Timestamp"), now_epoch)
        if self.method == "username-token":
            once = self._check_token(security, now_epoch)
        else:
            once = self._check_signature(root, security, now_epoch)
        request = hashlib.sha256(raw + (number or "").encode()).digest()
        if once and self._seen.is_other(once, request, number is not None, now_epoch, 2 * self._tolerance):
            raise replayed()
        return hashlib.sha256(once).hexdigest() if once else ""

    def _check_stamp(self, stamp: Element | None, now_epoch: float) -> None:
        """What a Timestamp says, where there is one; a signature has to have one."""
        if stamp is None:
            if self.method == "x509":
                raise SignatureError("missing_timestamp", "there is no Timestamp in Security")
            return
        created = _moment(stamp.findtext(f"{{{WSU}}}Created"))
        if expires := stamp.findtext(f"{{{WSU}}}Expires"):
            _check_not_over(_moment(expires), now_epoch, self._tolerance)
        _check_age(created, now_epoch, self._tolerance)

    def _check_token(self, security: Element, now_epoch: float) -> bytes:
        """A UsernameToken; gives its nonce where its digest has one."""
        tokens = security.findall(f"{{{WSSE}}}UsernameToken")
        if len(tokens) != 1:
            raise SignatureError("missing_credentials", f"{len(tokens)} UsernameToken in Security; expected one")
        [token] = tokens
        password, user = token.find(f"{{{WSSE}}}Password"), token.findtext(f"{{{WSSE}}}Username") or ""
        given = (password.text or "") if password is not None else ""
        kind = (password.get("Type") or TEXT) if password is not None else ""
        known = [text for text, _, until in self._passwords if until is None or now_epoch <= until]
        # Of a digest over both, the end of a nonce could else pass for blanks before the time: another nonce.
        nonce, created = b"", (token.findtext(f"{{{WSU}}}Created") or "").strip()
        if kind == DIGEST:
            nonce = _nonce(token.findtext(f"{{{WSSE}}}Nonce"))
            _check_age(_moment(created), now_epoch, self._tolerance)
            known = [digest_of(nonce, created, text) for text in known]
        elif kind != TEXT:
            raise SignatureError("bad_credentials", "the password is of no known kind; expected text or digest")
        is_user = compare_digest(user.encode(), self._user.encode())
        is_right = any([compare_digest(given.encode(), text.encode()) for text in known])  # noqa: C419  all are compared
        if not (is_user and is_right):
            raise SignatureError("bad_credentials", "user or password is wrong")
        return nonce

    def _check_signature(self, root: Element, security: Element, now_epoch: float) -> bytes:
        """A signature over body and time stamp; gives what was signed."""
        signatures = security.findall(f"{{{DS}}}Signature")
        if len(signatures) != 1:
            raise SignatureError("missing_signature", f"{len(signatures)} signatures in Security; expected one")
        try:
            good = [each for each in self._certificates if is_good(each, now_epoch)]
            signed, covered = verified(root, signatures[0], good)
        except BadSignature as error:
            raise SignatureError("bad_signature", str(error)) from None
        body, stamp = section(root, "Body"), security.find(f"{{{WSU}}}Timestamp")
        for element, name in ((body, "Body"), (stamp, "Timestamp")):
            if not any(each is element for each in signed):
                raise SignatureError("bad_signature", f"the {name} of this envelope is not what is signed")
        return covered


def replayed() -> SignatureError:
    """What is said of a token or signature that another request has come with."""
    return SignatureError("replayed", "this token or signature has come before, with another request")


class Seen:
    """What may come once, for as long as it is good; the same request may come again where its number tells it. It is
    this process's memory: what another one has taken in is known by the store."""

    def __init__(self, few: int = 100_000) -> None:
        """``few`` are kept whatever has become of them; then what is over is dropped as often as they double."""
        self._few, self._most = few, few
        self._known: dict[bytes, tuple[float, bytes]] = {}

    def is_other(self, once: bytes, request: bytes, is_numbered: bool, now_epoch: float, seconds: float) -> bool:
        """Whether it came before, with another request or one that cannot be told from it."""
        if len(self._known) >= self._most:
            self._known = {key: entry for key, entry in self._known.items() if entry[0] > now_epoch}
            self._most = max(self._few, 2 * len(self._known))
        before = self._known.get(once)
        if before is not None and before[0] > now_epoch:
            return before[1] != request or not is_numbered
        self._known[once] = (now_epoch + seconds, request)
        return False


def _certificates(verify: Mapping[str, Any], files: Mapping[str, bytes] | None) -> Iterable[Any]:
    paths = verify.get("certificates") or ()
    if not paths:
        raise PermanentError("verify.certificates is missing: method x509 needs the certificates of those who sign")
    if files is None:
        return  # the settings alone are looked at
    for number, path in enumerate(paths):
        yield certificate(files.get(str(path), b""), f"verify.certificates[{number}]")


def _security(root: Element) -> Element:
    """The one Security header that is for us."""
    header = section(root, "Header")
    found = header.findall(f"{{{WSSE}}}Security") if header is not None else []
    if len(found) != 1:
        raise SignatureError("missing_credentials", f"{len(found)} Security headers (WS-Security); expected one")
    return found[0]


def _nonce(text: str | None) -> bytes:
    try:
        nonce = b64decode("".join((text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        nonce = b""
    if not nonce or len(nonce) > _LONGEST_NONCE:
        raise SignatureError("bad_credentials", "a password digest without a nonce in base64")
    return nonce


def _moment(text: str | None) -> float:
    """Seconds since 1970 of an xs:dateTime; one without an offset is in UTC."""
    try:
        moment = datetime.fromisoformat((text or "").strip()[:64])
    except ValueError:
        raise SignatureError("missing_timestamp", "there is no time in Created, or none that can be read") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _check_age(created: float, now_epoch: float, tolerance: float) -> None:
    off = now_epoch - created
    if abs(off) > tolerance:
        reason, way = ("stale_timestamp", "old") if off > 0 else ("future_timestamp", "ahead of our clock")
        raise SignatureError(reason, f"its time is {abs(off):.0f} s {way}; at most {tolerance:.0f} s are taken")


def _check_not_over(expires: float, now_epoch: float, tolerance: float) -> None:
    if now_epoch > expires + tolerance:
        raise SignatureError("stale_timestamp", "it has expired")
