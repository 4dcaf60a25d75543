"""A listening socket that a process is started with: by number, or as systemd gives it."""

from __future__ import annotations

import os
import socket

import pytest

from hub.errors import UsageError
from hub.listening import inherited_socket


def test_without_one_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LISTEN_FDS", raising=False)
    assert inherited_socket(None) is None


def test_one_that_was_meant_for_another_process_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LISTEN_FDS", "1")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid() + 1))
    assert inherited_socket(None) is None
    assert "LISTEN_FDS" not in os.environ  # nor is it by a child of ours


def test_a_listening_socket_is_taken_by_its_number() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = inherited_socket(os.dup(listener.fileno()))
        assert taken is not None
        assert taken.getsockname() == listener.getsockname()
        assert not taken.get_inheritable()
        taken.close()


def test_what_is_no_listening_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as idle, pytest.raises(UsageError, match="no listening socket"):
        inherited_socket(idle.fileno())
    reading, writing = os.pipe()
    with pytest.raises(UsageError, match=f"--fd {reading}: Socket operation on non-socket"):
        inherited_socket(reading)
    os.close(reading)
    os.close(writing)
    with pytest.raises(UsageError, match="Bad file descriptor"):
        inherited_socket(reading)
    monkeypatch.setenv("LISTEN_FDS", "2")
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    with pytest.raises(UsageError, match="expected one listening socket, got 2"):
        inherited_socket(None)
