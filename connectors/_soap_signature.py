"""XML Signature as WS-Security uses it (X.509 token profile 1.1): exclusive canonicalisation, SHA-2, RSA or ECDSA.

Only what is signed counts: a reference must lead to the very element that is used, by an id that no other element has,
so that a signed body cannot stand somewhere else and another one in its place.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from lxml import etree

from connectors._soap_xml import Element
from connectors.base import ConnectorError, PermanentError

DS = "http://www.w3.org/2000/09/xmldsig#"
WSU = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_ENVELOPED = f"{DS}enveloped-signature"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
_DIGESTS = {f"{_ENC}sha256": "sha256", f"{_MORE}sha384": "sha384", f"{_ENC}sha512": "sha512"}
_SIGNATURES = {
    f"{_MORE}{kind}-{hash}": (kind, hash) for kind in ("rsa", "ecdsa") for hash in ("sha256", "sha384", "sha512")
}
_IDS = (f"{{{WSU}}}Id", "Id", "ID", "{http://www.w3.org/XML/1998/namespace}id")
_OLD = {f"{DS}sha1": "sha1", f"{DS}rsa-sha1": "rsa-sha1"}


class BadSignature(ConnectorError):
    """The signature proves nothing; the text says why."""


def private_key(text: str, password: str | None, setting: str) -> Any:
    """The key in a PEM text. Raises PermanentError that names the setting and shows nothing of it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = serialization.load_pem_private_key(text.encode(), password.encode() if password else None)
    except (ValueError, TypeError, binascii.Error):
        raise PermanentError(f"{setting}: the secret is no private key in PEM, or its password is wrong") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise PermanentError(f"{setting}: a key of this kind cannot sign; expected RSA or elliptic curve")
    return key


def certificate(pem: bytes, setting: str) -> Any:
    """The certificate in a PEM text. Raises PermanentError that names the setting."""
    from cryptography import x509

    try:
        return x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise PermanentError(f"{setting}: the file holds no certificate in PEM") from None


def is_good(known: Any, now_epoch: float) -> bool:
    """Whether a certificate is good at this time."""
    return bool(known.not_valid_before_utc.timestamp() <= now_epoch <= known.not_valid_after_utc.timestamp())


def der_of(known: Any) -> bytes:
    """The bytes of a certificate."""
    from cryptography.hazmat.primitives import serialization

    return bytes(known.public_bytes(serialization.Encoding.DER))


def signature(signed: Sequence[Element], key: Any, key_info: Element) -> Element:
    """A ds:Signature over elements that each have a wsu:Id."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

    is_rsa = isinstance(key, rsa.RSAPrivateKey)
    method = f"{_MORE}{'rsa' if is_rsa else 'ecdsa'}-sha256"
    references = "".join(
        f"<ds:Reference URI={quoteattr('#' + each.get(_IDS[0], ''))}><ds:Transforms><ds:Transform "
        f'Algorithm="{_EXCLUSIVE}"/></ds:Transforms><ds:DigestMethod Algorithm="{_ENC}sha256"/>'
        f"<ds:DigestValue>{_base64(hashlib.sha256(_canonical(each)).digest())}</ds:DigestValue></ds:Reference>"
        for each in signed
    )
    made = etree.fromstring(
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{_EXCLUSIVE}"/>'
        f'<ds:SignatureMethod Algorithm="{method}"/>{references}</ds:SignedInfo><ds:SignatureValue/></ds:Signature>'
    )
    covered = _canonical(made[0])
    if is_rsa:
        value = key.sign(covered, padding.PKCS1v15(), hashes.SHA256())
    else:
        value = _plain_numbers(key.sign(covered, ec.ECDSA(hashes.SHA256())), (key.curve.key_size + 7) // 8)
    made[1].text = _base64(value)
    made.append(key_info)
    return made


def verified(root: Element, signature: Element, certificates: Iterable[Any]) -> tuple[list[Element], bytes]:
    """The elements that a signature covers, where the key of one of the certificates has made it, and what was signed:
    nobody else can write that another way, as they can the value of the signature. Raises BadSignature."""
    info, value = signature.find(f"{{{DS}}}SignedInfo"), signature.findtext(f"{{{DS}}}SignatureValue")
    if info is None or not value or info.getprevious() is not None:
        raise BadSignature("it has no SignedInfo or no SignatureValue")
    kind, hash = _method(info, "SignatureMethod", _SIGNATURES)
    covered = _canonical(info, _transform(info.find(f"{{{DS}}}CanonicalizationMethod")))
    given = _decoded(value)
    if not any(_fits(each.public_key(), kind, hash, given, covered) for each in certificates):
        raise BadSignature("no certificate of this source fits it")
    references = info.findall(f"{{{DS}}}Reference")
    if not 1 <= len(references) <= 20:
        raise BadSignature(f"{len(references)} references; expected 1 to 20")
    by_id = _by_id(root)
    return [_referenced(each, by_id) for each in references], covered


def _referenced(reference: Element, by_id: Mapping[str, Element | None]) -> Element:
    uri = reference.get("URI", "")
    element = by_id.get(uri[1:]) if uri.startswith("#") else None
    if element is None:
        raise BadSignature(f"its reference {uri[:80]!r} leads to no element, or to several")
    transforms = reference.findall(f"{{{DS}}}Transforms/{{{DS}}}Transform")
    if (
        len(transforms) > 1
        and transforms[0].get("Algorithm") == _ENVELOPED
        and element not in reference.iterancestors()
    ):
        del transforms[0]  # it takes a signature away that does not stand in there
    if len(transforms) != 1:
        raise BadSignature(f"{len(transforms)} transforms of one reference; expected exclusive canonicalisation alone")
    hash = _method(reference, "DigestMethod", _DIGESTS)
    digest = hashlib.new(hash, _canonical(element, _transform(transforms[0]))).digest()
    if digest != _decoded(reference.findtext(f"{{{DS}}}DigestValue") or ""):
        raise BadSignature(f"what {uri[:80]} names has been changed since it was signed")
    return element


def _by_id(root: Element) -> dict[str, Element | None]:
    """Elements by their ids; None for an id that several have."""
    found: dict[str, Element | None] = {}
    for element in root.iter():
        for name in {text for attribute in _IDS if (text := element.get(attribute))}:
            found[name] = element if name not in found else None
    return found


def _method(within: Element, name: str, known: Mapping[str, Any]) -> Any:
    element = within.find(f"{{{DS}}}{name}")
    said = element.get("Algorithm", "") if element is not None else ""
    if said in _OLD:
        raise BadSignature(f"{name} is {_OLD[said]}, which proves nothing any more; expected SHA-256 or longer")
    if said not in known:
        raise BadSignature(f"{name} is {said[:100]!r}; expected one of {', '.join(sorted(known))}")
    return known[said]


def _transform(element: Element | None) -> list[str] | None:
    """The prefixes that an exclusive canonicalisation includes all the same."""
    said = element.get("Algorithm", "") if element is not None else ""
    if element is None or said != _EXCLUSIVE:
        raise BadSignature(f"canonicalisation {said[:100]!r}; expected {_EXCLUSIVE}")
    included = element.find(f"{{{_EXCLUSIVE}}}InclusiveNamespaces")
    return included.get("PrefixList", "").split() if included is not None else None


def _canonical(element: Element, prefixes: Sequence[str] | None = None) -> bytes:
    return etree.tostring(
        element, method="c14n", exclusive=True, with_comments=False,
        inclusive_ns_prefixes=list(prefixes) if prefixes else None,
    )  # fmt: skip


def _fits(key: Any, kind: str, hash: str, given: bytes, covered: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    used = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}[hash]
    try:
        if kind == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(given, covered, padding.PKCS1v15(), used)
            return True
        if kind == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            half = len(given) // 2
            numbers = int.from_bytes(given[:half], "big"), int.from_bytes(given[half:], "big")
            key.verify(encode_dss_signature(*numbers), covered, ec.ECDSA(used))
            return True
    except InvalidSignature:
        return False
    return False


def _plain_numbers(encoded: bytes, size: int) -> bytes:
    """An ECDSA signature as XML Signature has it: both numbers, one after the other."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    return b"".join(number.to_bytes(size, "big") for number in decode_dss_signature(encoded))


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadSignature("what should be base64 is none") from None


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
