"""WS-Security of the connector soap, against the program xmlsec1: what we sign it verifies, what it signs we verify."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from connectors._proofs import SignatureError
from connectors._soap_envelope import add_addressing, section
from connectors._soap_proofs import Seen, Verifier
from connectors._soap_security import WSSE, Security
from connectors._soap_signature import DS, WSU
from connectors.base import PermanentError

S11, WSA = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2005/08/addressing"
NOW = float(int(time.time()) + 86_400)  # the certificates are good from when they are made, long after this is read
BODY = "<s:Body><o:Order xmlns:o='urn:o' xmlns:unused='urn:u'><o:n>1 &amp; 2</o:n></o:Order></s:Body>"
IDS = ["Security", "Body", "Timestamp", "UsernameToken", "BinarySecurityToken", "MessageID", "Action", "To", "ReplyTo"]


def envelope(body: str = BODY, header: str = "") -> etree._Element:
    inside = f"<s:Header>{header}</s:Header>" if header else ""
    return etree.fromstring(f"<s:Envelope xmlns:s='{S11}'>{inside}{body}</s:Envelope>")


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """rsa.crt, rsa.key, ec.crt, ec.key, other.crt, other.key."""
    folder = tmp_path_factory.mktemp("keys")
    kinds = {"rsa": ["rsa:2048"], "ec": ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], "other": ["rsa:2048"]}
    for name, kind in kinds.items():
        command = ["openssl", "req", "-x509", "-newkey", *kind, "-nodes", "-days", "30", "-subj", f"/CN={name}",
                   "-keyout", f"{name}.key", "-out", f"{name}.crt"]  # fmt: skip
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


def signer(keys: Path, name: str = "rsa", kind: str = "signature") -> Security:
    settings = {"type": kind, "certificate": "schemas/c.crt", "key": (keys / f"{name}.key").read_text(), "user": "u",
                "password": "p"}  # fmt: skip
    return Security(settings, {"schemas/c.crt": (keys / f"{name}.crt").read_bytes()})


def verifier(keys: Path, *names: str, **more: Any) -> Verifier:
    files = {f"schemas/{name}.crt": (keys / f"{name}.crt").read_bytes() for name in names}
    return Verifier({"verify": {"method": "x509", "certificates": list(files), **more}, "files": files})


def signed(keys: Path, name: str = "rsa", kind: str = "signature", now: float = NOW) -> etree._Element:
    root = envelope()
    add_addressing(root, "urn:act", "http://host.example/", "urn:o2c:1")
    signer(keys, name, kind).add(root, now, bytes(range(16)))
    return etree.fromstring(etree.tostring(root))


def xmlsec1(folder: Path, command: str, *options: str, root: etree._Element) -> subprocess.CompletedProcess[bytes]:
    (folder / "message.xml").write_bytes(etree.tostring(root))
    ids = [option for name in IDS for option in ("--id-attr:Id", name)]
    run = ["xmlsec1", command, *options, *ids, "message.xml"]
    return subprocess.run(run, cwd=folder, capture_output=True)


@pytest.mark.parametrize("name", ["rsa", "ec"])
@pytest.mark.parametrize("kind", ["signature", "both"])
def test_another_program_verifies_what_we_sign(keys: Path, name: str, kind: str) -> None:
    root = signed(keys, name, kind)
    done = xmlsec1(keys, "--verify", "--pubkey-cert-pem", f"{name}.crt", root=root)
    assert done.returncode == 0, done.stderr.decode()
    root.find(".//{urn:o}n").text = "2"
    assert xmlsec1(keys, "--verify", "--pubkey-cert-pem", f"{name}.crt", root=root).returncode != 0


TEMPLATE = f"""<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>
<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">
<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="s"/></ds:CanonicalizationMethod>
<ds:SignatureMethod Algorithm="%s"/>
<ds:Reference URI="#b"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#">
<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="unused s"/></ds:Transform>
</ds:Transforms><ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference>
<ds:Reference URI="#t"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>
<ds:DigestMethod Algorithm="%s"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>"""
WSSE_ID = ""  # of the header itself
SHA256, SHA1 = "http://www.w3.org/2001/04/xmlenc#sha256", f"{DS}sha1"


def stamp(now: float = NOW) -> str:
    created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"<u:Timestamp xmlns:u='{WSU}' u:Id='t'><u:Created>{created}</u:Created></u:Timestamp>"


def signed_by_xmlsec1(keys: Path, name: str, method: str, digest: str = SHA256) -> etree._Element:
    header = f"<w:Security xmlns:w='{WSSE}'{WSSE_ID}>{stamp()}{TEMPLATE % (method, digest, digest)}</w:Security>"
    root = envelope(BODY.replace("<s:Body", f"<s:Body xmlns:u='{WSU}' u:Id='b'"), header)
    done = xmlsec1(keys, "--sign", "--privkey-pem", f"{name}.key,{name}.crt", "--output", "signed.xml", root=root)
    assert done.returncode == 0, done.stderr.decode()
    return etree.fromstring((keys / "signed.xml").read_bytes())


MORE = "http://www.w3.org/2001/04/xmldsig-more#"


@pytest.mark.parametrize(
    ("name", "method"), [("rsa", f"{MORE}rsa-sha256"), ("rsa", f"{MORE}rsa-sha512"), ("ec", f"{MORE}ecdsa-sha256")]
)
def test_we_verify_what_another_program_signs(keys: Path, name: str, method: str) -> None:
    root = signed_by_xmlsec1(keys, name, method)
    verifier(keys, "other", name).check_envelope(root, b"", None, NOW)
    with pytest.raises(SignatureError, match="no certificate of this source fits it"):
        verifier(keys, "other").check_envelope(root, b"", None, NOW)


ENVELOPED = f'<ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>'


def test_a_transform_that_takes_away_what_is_not_there_changes_nothing(
    keys: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the package soap of npm signs: each part as if the signature stood in it."""
    monkeypatch.setitem(globals(), "TEMPLATE", TEMPLATE.replace("<ds:Transforms>", ENVELOPED))
    root = signed_by_xmlsec1(keys, "rsa", f"{MORE}rsa-sha256")
    verifier(keys, "rsa").check_envelope(root, b"", None, NOW)
    changed_value(root)
    with pytest.raises(SignatureError, match="has been changed since it was signed"):
        verifier(keys, "rsa").check_envelope(root, b"", None, NOW)


def test_a_signature_in_what_it_signs_is_refused(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TEMPLATE.replace("<ds:Transforms>", ENVELOPED).replace('URI="#b"', 'URI="#h"')
    monkeypatch.setitem(globals(), "TEMPLATE", whole)
    monkeypatch.setitem(globals(), "WSSE_ID", f" xmlns:u='{WSU}' u:Id='h'")
    root = signed_by_xmlsec1(keys, "rsa", f"{MORE}rsa-sha256")
    with pytest.raises(SignatureError, match="2 transforms of one reference"):
        verifier(keys, "rsa").check_envelope(root, b"", None, NOW)


def test_sha1_proves_nothing(keys: Path) -> None:
    with pytest.raises(SignatureError, match="SignatureMethod is rsa-sha1, which proves nothing any more"):
        verifier(keys, "rsa").check_envelope(signed_by_xmlsec1(keys, "rsa", f"{DS}rsa-sha1"), b"", None, NOW)
    with pytest.raises(SignatureError, match="DigestMethod is sha1"):
        verifier(keys, "rsa").check_envelope(signed_by_xmlsec1(keys, "rsa", f"{MORE}rsa-sha256", SHA1), b"", None, NOW)


# -- attacks on a signature ----------------------------------------------------------------------------------------

Change = Callable[[etree._Element], None]


def other_body(root: etree._Element) -> None:
    """The signed body is put away in the header, and another one stands in its place (signature wrapping)."""
    body, header = section(root, "Body"), section(root, "Header")
    assert body is not None
    assert header is not None
    root.remove(body)
    etree.SubElement(header, "Wrapper").append(body)
    root.append(etree.fromstring(f"<s:Body xmlns:s='{S11}'><o:Order xmlns:o='urn:o'><o:n>999</o:n></o:Order></s:Body>"))


def other_body_of_the_same_id(root: etree._Element) -> None:
    other_body(root)
    moved, new = root.findall(f".//{{{S11}}}Body")
    new.set(f"{{{WSU}}}Id", moved.get(f"{{{WSU}}}Id", ""))


def changed_value(root: etree._Element) -> None:
    root.find(".//{urn:o}n").text = "999"


def no_body_signed(root: etree._Element) -> None:
    info = root.find(f".//{{{DS}}}SignedInfo")
    info.remove(info.find(f"{{{DS}}}Reference"))


def no_signature(root: etree._Element) -> None:
    security = root.find(f".//{{{WSSE}}}Security")
    security.remove(security.find(f"{{{DS}}}Signature"))


def no_security(root: etree._Element) -> None:
    header = section(root, "Header")
    assert header is not None
    header.remove(header.find(f"{{{WSSE}}}Security"))


def two_securities(root: etree._Element) -> None:
    header = section(root, "Header")
    assert header is not None
    etree.SubElement(header, f"{{{WSSE}}}Security")


def another_stamp(root: etree._Element) -> None:
    stamp = root.find(f".//{{{WSU}}}Timestamp")
    stamp.getparent().insert(0, etree.fromstring(etree.tostring(stamp).replace(b"signed-1", b"mine")))


def no_reference(root: etree._Element) -> None:
    root.find(f".//{{{DS}}}Reference").set("URI", "")


def xslt(root: etree._Element) -> None:
    root.find(f".//{{{DS}}}Transform").set("Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116")


def hmac(root: etree._Element) -> None:
    """The public key of the certificate, known to all, as the secret of an HMAC."""
    root.find(f".//{{{DS}}}SignatureMethod").set("Algorithm", f"{DS}hmac-sha1")


@pytest.mark.parametrize(
    "change",
    [other_body, other_body_of_the_same_id, changed_value, no_body_signed, no_signature, no_security, two_securities,
     another_stamp, no_reference, xslt, hmac],
)  # fmt: skip
def test_what_is_not_signed_is_not_believed(keys: Path, change: Change) -> None:
    root = signed(keys)
    verifier(keys, "rsa").check_envelope(root, b"", "1", NOW)
    change(root)
    with pytest.raises(SignatureError):
        verifier(keys, "rsa").check_envelope(etree.fromstring(etree.tostring(root)), b"", "1", NOW)


@pytest.mark.parametrize(("later", "reason"), [(700, "stale_timestamp"), (-400, "future_timestamp"), (290, "")])
def test_a_signature_is_good_for_a_while(keys: Path, later: float, reason: str) -> None:
    root, check = signed(keys), verifier(keys, "rsa")
    if not reason:
        check.check_envelope(root, b"", "1", NOW + later)
        return
    with pytest.raises(SignatureError) as error:
        check.check_envelope(root, b"", "1", NOW + later)
    assert error.value.reason == reason


def test_a_certificate_that_is_over_proves_nothing(keys: Path) -> None:
    now = NOW + 86_400 * 400
    with pytest.raises(SignatureError, match="no certificate of this source fits it"):
        verifier(keys, "rsa").check_envelope(signed(keys, now=now), b"", "1", now)


def test_a_request_that_is_played_again_is_known(keys: Path) -> None:
    root, check = signed(keys), verifier(keys, "rsa")
    check.check_envelope(root, b"the request", "1", NOW)
    check.check_envelope(root, b"the request", "1", NOW + 1)  # the same once more is a repeat, told by its number
    for raw, number in ((b"another", "1"), (b"the request", None)):
        with pytest.raises(SignatureError) as error:
            check.check_envelope(root, raw, number, NOW + 2)
        assert error.value.reason == "replayed"


def test_a_signature_that_is_written_another_way_is_the_same(keys: Path) -> None:
    root, check = signed(keys, "ec"), verifier(keys, "ec")
    check.check_envelope(root, b"the request", "1", NOW)
    value = root.find(f".//{{{DS}}}SignatureValue")
    raw = base64.b64decode(value.text)
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of P-256: (r, n - s) signs as well
    other = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    for text in (f"{value.text[:4]}\n{value.text[4:]}", base64.b64encode(other).decode()):
        value.text = text
        verifier(keys, "ec").check_envelope(root, b"another", "2", NOW)
        with pytest.raises(SignatureError, match="has come before, with another request"):
            check.check_envelope(root, b"another", "2", NOW)


def test_what_has_come_is_forgotten_when_it_is_no_longer_good() -> None:
    seen = Seen(few=2)
    assert [seen.is_other(bytes([n]), b"r", False, float(n), 1.5) for n in range(5)] == [False] * 5
    assert seen.is_other(b"\x04", b"r", False, 4.5, 1.5)
    assert not seen.is_other(b"\x04", b"r", False, 9.0, 1.5)


# -- UsernameToken -------------------------------------------------------------------------------------------------


def token_of(root: etree._Element) -> dict[str, str]:
    token = root.find(f".//{{{WSSE}}}UsernameToken")
    return {etree.QName(each).localname: each.text for each in token}


def test_a_digest_is_that_of_the_profile() -> None:
    root = envelope()
    Security({"type": "username-token", "user": "hub", "password": "secret"}, {}).add(root, NOW, b"0123456789abcdef")
    said = token_of(root)
    nonce = base64.b64decode(said["Nonce"])
    expected = base64.b64encode(hashlib.sha1(nonce + said["Created"].encode() + b"secret").digest()).decode()
    assert (said["Username"], nonce, said["Password"]) == ("hub", b"0123456789abcdef", expected)
    assert root.find(f".//{{{WSSE}}}Security").get(f"{{{S11}}}mustUnderstand") == "1"
    assert b"secret" not in etree.tostring(root)


def with_token(password: str = "p", user: str = "u", digest: bool = True, now: float = NOW) -> etree._Element:
    root = envelope()
    settings = {"type": "username-token", "user": user, "password": password, "digest": digest}
    Security(settings, {}).add(root, now, bytes(16))
    return root


def by_token(**more: Any) -> Verifier:
    return Verifier({"verify": {"method": "username-token", "user": "u", "secrets": ["p", "q"], **more}})


@pytest.mark.parametrize("digest", [True, False])
def test_user_and_password_are_checked(digest: bool) -> None:
    for password in ("p", "q"):
        by_token().check_envelope(with_token(password, digest=digest), b"", None, NOW)
    for password, user in (("r", "u"), ("p", "v"), ("P", "u"), ("p", "U")):
        with pytest.raises(SignatureError, match="user or password is wrong"):
            by_token().check_envelope(with_token(password, user, digest), b"", None, NOW)


def test_old_tokens_and_old_secrets_are_over() -> None:
    with pytest.raises(SignatureError, match="400 s old"):
        by_token().check_envelope(with_token(), b"", None, NOW + 400)
    old = {"secrets": ["new"], "old_secrets": [{"secret": "p", "until": "2020-01-01"}]}
    with pytest.raises(SignatureError, match="user or password is wrong"):
        by_token(**old).check_envelope(with_token(), b"", None, NOW)


def test_a_nonce_comes_once() -> None:
    check = by_token()
    check.check_envelope(with_token(), b"one", "m-1", NOW)
    check.check_envelope(with_token(), b"one", "m-1", NOW)
    with pytest.raises(SignatureError, match="has come before, with another request"):
        check.check_envelope(with_token(), b"two", "m-2", NOW)


def test_a_nonce_cannot_end_before_its_end() -> None:
    root, check, nonce = envelope(), by_token(), b"0123456789abcde "
    Security({"type": "username-token", "user": "u", "password": "p"}, {}).add(root, NOW, nonce)
    check.check_envelope(root, b"one", "m-1", NOW)
    token = root.find(f".//{{{WSSE}}}UsernameToken")
    token.find(f"{{{WSSE}}}Nonce").text = base64.b64encode(nonce[:-1]).decode()
    token.find(f"{{{WSU}}}Created").text = f" {token.findtext(f'{{{WSU}}}Created')}"
    with pytest.raises(SignatureError, match="user or password is wrong"):
        check.check_envelope(root, b"two", "m-2", NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("PasswordDigest", "Anything"), ("</wsse:Nonce>", "!</wsse:Nonce>"), ("<wsse:Nonce", "<wsse:Other"),
        ("wsu:Created>", "wsu:Made>"), ("UsernameToken", "SamlToken"),
    ],
)  # fmt: skip
def test_a_token_that_is_none_is_refused(old: str, new: str) -> None:
    text = etree.tostring(with_token()).decode().replace(old, new)
    text = text.replace("</wsse:Nonce>", "</wsse:Other>") if new == "<wsse:Other" else text
    with pytest.raises(SignatureError):
        by_token().check_envelope(etree.fromstring(text), b"", None, NOW)


@pytest.mark.parametrize(
    ("verify", "said"),
    [
        ({"user": "u"}, "verify.secrets is missing"), ({"secrets": ["p"]}, "verify.user is missing"),
        ({"method": "x509"}, "verify.certificates is missing"), ({"method": "none"}, "unsigned: true"),
        ({"method": "token", "secrets": ["t"]}, "verify.header is missing"), ({"method": "basic"}, "verify.basic.user"),
        ({"method": "x509", "certificates": ["schemas/none.crt"]}, "certificates.0.: the file holds no certificate"),
    ],
)  # fmt: skip
def test_a_door_that_would_let_anybody_in_is_not_opened(verify: dict[str, Any], said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        Verifier({"verify": verify, "files": {}})


def test_a_key_that_cannot_sign_is_told_without_showing_it(keys: Path) -> None:
    files = {"schemas/c.crt": (keys / "rsa.crt").read_bytes()}
    base = {"type": "signature", "certificate": "schemas/c.crt"}
    other = (keys / "other.key").read_text()
    wrong = {"geheim": "the secret is no private key", other: "it is not the key of security.certificate"}
    for key, said in wrong.items():
        with pytest.raises(PermanentError, match=said) as error:
            Security({**base, "key": key}, files)
        assert "geheim" not in str(error.value)
    with pytest.raises(PermanentError, match=r"security\.key is missing"):
        Security(base, files)
