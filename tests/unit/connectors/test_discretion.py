"""Secrets that a receiver shows are kept out of verdicts."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from connectors._discretion import Discretion
from connectors._links import without_parameter
from connectors.base import DOUBT, Verdict

SECRET = 'tell "nobody" /this+7ü'


@pytest.mark.parametrize(
    "shown",
    [SECRET, quote(SECRET, safe=""), '{"key": "tell \\"nobody\\" /this+7ü"}',
     *(base64.b64encode(f"{user}:{SECRET}".encode()).decode() for user in ("u", "us", "use"))],
    ids=["plain", "in an address", "in JSON", "Basic", "Basic 2", "Basic 3"],
)  # fmt: skip
def test_a_secret_is_hidden_in_each_form_in_which_it_is_sent(shown: str) -> None:
    verdict = Verdict(DOUBT, "http_500", f"it said {shown}", response=f"<pre>{shown}</pre>".encode())
    hidden = Discretion([SECRET, "short"]).about(verdict)
    assert "[secret]" in hidden.detail and b"[secret]" in hidden.response
    for part in ("nobody", shown[10:22]):
        assert part not in f"{hidden.detail}{hidden.response.decode()}"


def test_what_holds_no_secret_stays_as_it_is() -> None:
    verdict = Verdict(DOUBT, "http_500", "a short detail", response=b"a short answer")
    assert Discretion([SECRET, "short"]).about(verdict, "", "a short") is not verdict
    assert Discretion([SECRET, "short"]).about(verdict, "", "tiny") is verdict


@pytest.mark.parametrize(
    ("path", "left"),
    [("/a?k=1&b=2", "/a?b=2"), ("/a?b=2&k=1", "/a?b=2"), ("/a?k=1", "/a"), ("/a", "/a"), ("/a?%6b=1&b", "/a?b"),
     ("/a?kk=1", "/a?kk=1")],
)  # fmt: skip
def test_a_parameter_is_taken_out_of_an_address(path: str, left: str) -> None:
    assert without_parameter(path, "k") == left
