"""Secrets: only references are in the settings, and no value is in any text."""

from pathlib import Path

import pytest

from hub.errors import UsageError
from hub.secret import Secret, parse_secret, references, resolve, resolve_all

NOWHERE = Path("/nonexistent")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("secret://env/SHOP_HMAC", Secret("env", "SHOP_HMAC")),
        ("secret://file/bank_ed25519", Secret("file", "bank_ed25519")),
        ("secret://file/bank.key", Secret("file", "bank.key")),
    ],
)
def test_a_reference_names_where_the_secret_lies(text, secret):
    assert parse_secret(text) == secret
    assert str(secret) == text


@pytest.mark.parametrize(
    "text",
    [
        "", "SHOP_HMAC", "secret://", "secret://env/", "secret://vault/X", "secret://env/a b", "secret://env/1X",
        "secret://env/A-B", "secret://file/../x", "secret://file/.hidden", "secret://file/a/b", "secret://env/X\n",
        "Secret://env/X",
    ],
)  # fmt: skip
def test_anything_else_is_no_reference(text):
    assert parse_secret(text) is None


def test_an_environment_variable_is_read_when_it_is_needed():
    assert resolve(Secret("env", "TOKEN"), NOWHERE, {"TOKEN": "hunter2"}) == "hunter2"


@pytest.mark.parametrize(
    ("environment", "text"),
    [
        ({}, "secret://env/TOKEN: the environment variable TOKEN is not set"),
        ({"TOKEN": ""}, "secret://env/TOKEN: the environment variable TOKEN is empty"),
    ],
)
def test_a_missing_variable_is_named(environment, text):
    with pytest.raises(UsageError) as error:
        resolve(Secret("env", "TOKEN"), NOWHERE, environment)
    assert str(error.value) == text


def test_references_are_found_and_replaced_however_deep_they_lie():
    settings = {
        "auth": {"token": Secret("env", "A")},
        "secrets": [Secret("env", "B"), {"secret": Secret("env", "A")}],
        "n": 1,
    }
    assert references(settings) == [Secret("env", "A"), Secret("env", "B")]
    resolved = resolve_all(settings, NOWHERE, {"A": "one", "B": "two"})
    assert resolved == {"auth": {"token": "one"}, "secrets": ["two", {"secret": "one"}], "n": 1}
