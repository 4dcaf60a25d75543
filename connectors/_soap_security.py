"""WS-Security 1.0/1.1 of what is sent: a time stamp, a UsernameToken, a signature with an X.509 certificate."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from connectors import _soap_signature as xml_signature
from connectors._soap_envelope import WSA, header_of, section
from connectors._soap_signature import WSU
from connectors._soap_xml import Element, name_of
from connectors.base import Field, PermanentError

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_TOKEN = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#"  # noqa: S105  a name
_X509 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-x509-token-profile-1.0#X509v3"
BASE64 = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
TEXT, DIGEST = f"{_TOKEN}PasswordText", f"{_TOKEN}PasswordDigest"
_NAMES = {"wsse": WSSE, "wsu": WSU}

SECURITY = Field(
    "security", "group", "WS-Security of what is sent; it is made anew at each try.",
    fields=(
        Field("type", "choice", "A UsernameToken, a signature over body and time stamp, or both.", default="none",
              choices=("none", "username-token", "signature", "both")),
        Field("user", "text", "username-token: the user's name."),
        Field("password", "secret", "username-token: the password."),
        Field("digest", "boolean", "username-token: send the password's digest and not the password.", default=True),
        Field("certificate", "file", "signature: the certificate of the key, a .crt file in PEM below schemas/."),
        Field("key", "secret", "signature: the private key (PEM), RSA or elliptic curve."),
        Field("key_password", "secret", "signature: the private key's password."),
        Field("lifetime", "duration", "How long what is sent is good.", default=300.0),
    ),
)  # fmt: skip


class Security:
    """What a system's envelopes get. Raises PermanentError for what is missing; no text shows a secret."""

    def __init__(self, given: Mapping[str, Any], files: Mapping[str, bytes]) -> None:
        kind = str(given.get("type") or "none")
        self._has_token, self._signs = kind in ("username-token", "both"), kind in ("signature", "both")
        needed = [*(["user", "password"] if self._has_token else []), *(["certificate", "key"] if self._signs else [])]
        for name in needed:
            if not given.get(name):
                raise PermanentError(f"security.{name} is missing: type {kind} needs it")
        self._user, self._password = str(given.get("user") or ""), str(given.get("password") or "")
        self._is_digest, self._lifetime = bool(given.get("digest", True)), float(given.get("lifetime") or 300.0)
        self._key = self._certificate = None
        if self._signs:
            pem = files.get(str(given["certificate"]), b"")
            self._certificate = xml_signature.certificate(pem, "security.certificate")
            password = given.get("key_password")
            self._key = xml_signature.private_key(
                str(given["key"]), str(password) if password else None, "security.key"
            )
            if self._key.public_key() != self._certificate.public_key():
                raise PermanentError("security.key: it is not the key of security.certificate")

    def add(self, envelope: Element, now_epoch: float, chance: bytes) -> None:
        """Put what there is into the header. ``chance``: 16 bytes that nobody can guess."""
        if not (self._has_token or self._signs):
            return
        uri = name_of(envelope)[0]
        security = etree.SubElement(header_of(envelope), f"{{{WSSE}}}Security", nsmap=_NAMES)
        security.set(f"{{{uri}}}mustUnderstand", "1")
        created = datetime.fromtimestamp(now_epoch, UTC)
        stamp = _child(security, WSU, "Timestamp")
        _child(stamp, WSU, "Created", text=_time(created))
        _child(stamp, WSU, "Expires", text=_time(created + timedelta(seconds=self._lifetime)))
        if self._has_token:
            self._add_token(security, _time(created), chance)
        if self._signs:
            self._sign(envelope, security, stamp, chance.hex())

    def _add_token(self, security: Element, created: str, nonce: bytes) -> None:
        token = _child(security, WSSE, "UsernameToken")
        _child(token, WSSE, "Username", text=self._user)
        password = digest_of(nonce, created, self._password) if self._is_digest else self._password
        _child(token, WSSE, "Password", text=password, Type=DIGEST if self._is_digest else TEXT)
        _child(token, WSSE, "Nonce", text=b64encode(nonce).decode(), EncodingType=BASE64)
        _child(token, WSU, "Created", text=created)

    def _sign(self, envelope: Element, security: Element, stamp: Element, ids: str) -> None:
        """Body, time stamp, token and what WS-Addressing says of the message."""
        raw = b64encode(xml_signature.der_of(self._certificate)).decode()
        binary = _child(security, WSSE, "BinarySecurityToken", text=raw, ValueType=_X509, EncodingType=BASE64)
        binary.set(f"{{{WSU}}}Id", f"certificate-{ids}")
        body = section(envelope, "Body")
        assert body is not None, "an envelope has a body"
        addressing = [each for each in header_of(envelope) if name_of(each)[0] == WSA]
        tokens = security.findall(f"{{{WSSE}}}UsernameToken")
        signed = [body, stamp, *tokens, *addressing]
        for number, each in enumerate(signed):
            each.set(f"{{{WSU}}}Id", f"signed-{number}-{ids}")
        key_info = etree.Element(f"{{{xml_signature.DS}}}KeyInfo", nsmap={"ds": xml_signature.DS})
        reference = _child(_child(key_info, WSSE, "SecurityTokenReference"), WSSE, "Reference", ValueType=_X509)
        reference.set("URI", f"#certificate-{ids}")
        security.append(xml_signature.signature(signed, self._key, key_info))


def digest_of(nonce: bytes, created: str, password: str) -> str:
    """Username Token Profile 1.1, 3.1: Base64(SHA-1(nonce + created + password))."""
    return b64encode(hashlib.sha1(nonce + created.encode() + password.encode()).digest()).decode()  # noqa: S324


def _child(parent: Element, uri: str, name: str, text: str | None = None, **attributes: str) -> Element:
    made = etree.SubElement(parent, f"{{{uri}}}{name}", attributes, nsmap=_NAMES)
    made.text = text
    return made


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
