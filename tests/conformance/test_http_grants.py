"""The OAuth2 grants against a token server that keeps to the RFCs: it checks signatures, and gives each refresh token
once."""

from __future__ import annotations

import json
import stat
import threading
from base64 import urlsafe_b64decode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from scripted_server import Line, Request, ScriptedServer
from sending import brief, make, parcel, send

from connectors import http
from connectors.base import DELIVERED, STOPPED, PermanentError

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())


def pem(key: Any) -> str:
    form, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(form, kind, serialization.NoEncryption()).decode()


def part(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def claims(token: str, key: Any) -> dict[str, Any]:
    """The claims of a token whose signature is right."""
    head, body, signature = token.split(".")
    signed, raw = f"{head}.{body}".encode(), part(signature)
    if json.loads(part(head))["alg"] == "RS256":
        key.public_key().verify(raw, signed, padding.PKCS1v15(), hashes.SHA256())
    else:
        numbers = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
        key.public_key().verify(encode_dss_signature(*numbers), signed, ec.ECDSA(hashes.SHA256()))
    return {**json.loads(part(body)), "head": json.loads(part(head))}


class Server:
    """Grants tokens, and takes a delivery with the newest one alone."""

    def __init__(self, key: Any = None) -> None:
        self.key, self.granted, self.refresh = key, 0, "r0"
        self.rotates = self.loses = False
        self.asked: list[dict[str, str]] = []
        self.seen: list[dict[str, Any]] = []

    async def __call__(self, request: Request, line: Line) -> None:
        if request.path != "/token":
            known = request.headers.get("authorization") == f"Bearer t{self.granted}"
            await line.answer(201 if known else 401)
            return
        said = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.asked.append(said)
        try:
            allowed = self._allows(said)
        except InvalidSignature:
            allowed = False
        if not allowed:
            await line.answer(400, b'{"error": "invalid_grant"}')
            return
        self.granted += 1
        body: dict[str, Any] = {"access_token": f"t{self.granted}", "expires_in": 3600}
        if self.rotates:
            self.refresh = body["refresh_token"] = f"r{self.granted}"
        await line.answer(200, json.dumps(body).encode())

    def _allows(self, said: dict[str, str]) -> bool:
        if said["grant_type"] == "refresh_token":
            return said["refresh_token"] == self.refresh
        token = said.get("assertion") or said.get("client_assertion", "")
        self.seen.append(claims(token, self.key))
        return True


def auth(server: ScriptedServer, **more: Any) -> dict[str, Any]:
    return {"type": "oauth2", "token_url": f"{server.url}/token", "client_id": "hub", **more}


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS256"), (EC, "ES256")])
def test_a_grant_that_is_signed_is_taken(make: Any, key: Any, algorithm: str) -> None:
    tokens = Server(key)
    jwt = {"private_key": pem(key), "algorithm": algorithm, "subject": "me@example.com", "audience": ""
                                                                                                     "https://login.example",
           "key_id": "k1", "claims": {"scope": "orders"}}  # fmt: skip
    with ScriptedServer(tokens) as server:
        [verdict] = send(make(server, auth=auth(server, grant="jwt_bearer", jwt=jwt)))
    assert brief(verdict) == (DELIVERED, "")
    assert tokens.asked[0]["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer"
    [seen] = tokens.seen
    assert seen["head"] == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert (seen["iss"], seen["sub"], seen["aud"], seen["scope"]) == (
        "hub", "me@example.com", "https://login.example", "orders"
    )  # fmt: skip
    assert 100 < seen["exp"] - seen["iat"] <= 190  # Salesforce takes three minutes ahead at most


def test_a_client_may_prove_itself_by_a_token_it_signs(make: Any) -> None:
    tokens = Server(EC)
    jwt = {"private_key": pem(EC), "algorithm": "ES256"}
    with ScriptedServer(tokens) as server:
        [verdict] = send(make(server, auth=auth(server, client_auth="jwt", jwt=jwt)))
    assert brief(verdict) == (DELIVERED, "")
    assert tokens.asked[0]["client_assertion_type"].endswith("client-assertion-type:jwt-bearer")
    assert (tokens.seen[0]["sub"], tokens.seen[0]["aud"]) == ("hub", f"{server.url}/token")


def test_another_key_is_refused_and_stops_the_system(make: Any) -> None:
    with ScriptedServer(Server(rsa.generate_private_key(65537, 2048))) as server:
        [verdict] = send(make(server, auth=auth(server, grant="jwt_bearer", jwt={"private_key": pem(RSA)})))
    assert brief(verdict) == (STOPPED, "token_refused")
    assert "what jwt.private_key has signed, or its issuer, subject or audience (invalid_grant)" in verdict.detail


KEYS = [
    ({"private_key": "s3cret"}, "auth.jwt.private_key: the secret is no private key in PEM form without a password"),
    ({"private_key": pem(EC)}, "auth.jwt.private_key: auth.jwt.algorithm RS256 needs an RSA key, and the secret is "
                               "another"),
    ({"private_key": pem(RSA), "algorithm": "ES256"}, "auth.jwt.private_key: auth.jwt.algorithm ES256 needs a key on "
                                                      "the"),
]  # fmt: skip


@pytest.mark.parametrize(("jwt", "text"), KEYS)
def test_a_key_that_cannot_sign_is_found_when_the_system_is_opened(jwt: dict[str, str], text: str) -> None:
    known = {"type": "oauth2", "token_url": "http://localhost/token", "client_id": "hub", "grant": "jwt_bearer"}
    config = {"base_url": "http://localhost", "auth": {**known, "jwt": jwt}}
    with pytest.raises(PermanentError) as caught:
        http.destination(config)
    assert str(caught.value).startswith(text)
    assert "s3cret" not in str(caught.value) and "PRIVATE" not in str(caught.value)
    http.lint({**config, "auth": {**known, "jwt": {"private_key": "0" * 64}}})


# -- refresh tokens


def test_a_token_that_is_never_changed_is_used_again_and_again(make: Any) -> None:
    tokens = Server()
    with ScriptedServer(tokens) as server:
        to = make(server, auth=auth(server, grant="refresh_token", refresh_token="r0"))
        assert brief(send(to)[0]) == (DELIVERED, "")
        tokens.granted += 1
        assert brief(send(to, parcel(2))[0]) == (DELIVERED, "")
    assert [said["refresh_token"] for said in tokens.asked] == ["r0", "r0"]


def test_each_new_refresh_token_is_kept_before_it_is_used_and_found_after_a_restart(make: Any, tmp_path: Path) -> None:
    tokens, path = Server(), tmp_path / "shop.token"
    path.write_text("r0\n")
    tokens.rotates = True
    with ScriptedServer(tokens) as server:
        known = auth(server, grant="refresh_token", client_secret="s3cret", refresh_token_file=str(path))
        for number in range(3):
            assert brief(send(make(server, auth=known), parcel(number))[0]) == (DELIVERED, "")
            assert path.read_text() == f"r{number + 1}\n"
    assert [said["refresh_token"] for said in tokens.asked] == ["r0", "r1", "r2"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_of_one_machine_take_turns_with_it(make: Any, tmp_path: Path) -> None:
    """Several systems with one token: had two asked with the same one, the server would have refused the second."""
    tokens, path = Server(), tmp_path / "shop.token"
    path.write_text("r0")
    tokens.rotates = True
    with ScriptedServer(tokens) as server:
        known = auth(server, grant="refresh_token", refresh_token_file=str(path))
        many = [make(server, auth=known) for _ in range(6)]
        threads = [threading.Thread(target=to.check) for to in many]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert tokens.granted == 6
    assert [said["refresh_token"] for said in tokens.asked] == ["r0", "r1", "r2", "r3", "r4", "r5"]


def test_a_token_that_cannot_be_kept_is_not_used(make: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, path = Server(), tmp_path / "shop.token"
    path.write_text("r0")
    tokens.rotates = True
    (tmp_path / "shop.token.next").mkdir()
    with ScriptedServer(tokens) as server:
        [verdict] = send(make(server, auth=auth(server, grant="refresh_token", refresh_token_file=str(path))))
    assert brief(verdict) == (STOPPED, "token_not_kept")
    assert "the next refresh token cannot be kept in auth.refresh_token_file: " in verdict.detail
    assert "r1" not in verdict.detail


def test_a_refused_refresh_token_stops_the_system(make: Any, tmp_path: Path) -> None:
    with ScriptedServer(Server()) as server:
        to = make(server, auth=auth(server, grant="refresh_token", refresh_token="old"))
        [verdict] = send(to)
    assert brief(verdict) == (STOPPED, "token_refused")
    assert "it does not accept client_id or the refresh token (invalid_grant)" in verdict.detail


MISTAKES: list[tuple[dict[str, Any], str]] = [
    (
        {"grant": "refresh_token"},
        "auth.refresh_token: grant: refresh_token needs this or refresh_token_file, one of the",
    ),
    ({"grant": "refresh_token", "refresh_token": "r", "refresh_token_file": "f"}, "auth.refresh_token: grant: refresh"),
    ({"grant": "jwt_bearer"}, "auth.jwt is missing: type oauth2 needs it"),
    ({"client_auth": "jwt"}, "auth.jwt is missing: client_auth: jwt needs it"),
    ({}, "auth.client_secret is missing: type oauth2 needs it"),
]


@pytest.mark.parametrize(("more", "text"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_setting_that_cannot_be_is_named(more: dict[str, Any], text: str) -> None:
    known = {"type": "oauth2", "token_url": "http://localhost/token", "client_id": "hub", **more}
    with pytest.raises(PermanentError) as caught:
        http.lint({"base_url": "http://localhost", "auth": known})
    assert str(caught.value).startswith(text)


def refusal(config: dict[str, Any]) -> str:
    try:
        http.lint(config)
    except PermanentError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("url", "more"),
    [("https://t.example/t", {}), ("http://localhost:1/t", {}), ("http://127.8.0.1/t", {}), ("http://[::1]/t", {}),
     ("http://t.example/t", {"insecure": True})],
)  # fmt: skip
def test_a_token_server_is_asked_over_tls_or_here_or_where_it_is_meant_so(url: str, more: dict[str, Any]) -> None:
    known = {"type": "oauth2", "token_url": url, "client_id": "hub", "client_secret": "s3cret", **more}
    assert refusal({"base_url": "http://erp.example", "auth": known}) == ""
    assert refusal(
        {"base_url": "http://erp.example", "auth": {**known, "token_url": "http://t.example/t", "insecure": False}}
    )


@pytest.mark.parametrize(
    ("content", "why"), [(None, "No such file"), (b"", "there is no token in"), (b"\xff\n", "no token")]
)
def test_a_file_without_a_token_is_found_when_the_system_is_opened(
    tmp_path: Path, content: bytes | None, why: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    known = {"type": "oauth2", "token_url": "http://localhost/t", "client_id": "hub", "grant": "refresh_token"}
    with pytest.raises(PermanentError, match=why):
        http.destination({"base_url": "http://localhost", "auth": {**known, "refresh_token_file": str(path)}})
