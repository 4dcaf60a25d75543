"""A hub is started again: by its parent, which puts nothing else in force by that, and by a person, who does."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hub_process import ORDER_OUT, HubProcess
from receiver import Receiver

MAPPING = "mappings/order-out.yaml"


def edit(hub: HubProcess, name: str) -> None:
    """A mapping by which orders reach the target under another name."""
    hub.write(MAPPING, ORDER_OUT.replace("reference: src.report_id", f"reference: \"'{name}-' + src.report_id\""))


def deploy(hub: HubProcess, *options: str) -> None:
    command = [*hub.command, "deploy", *options]
    ended = subprocess.run(command, cwd=hub.root, env=hub.environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr


def kill(hub: HubProcess) -> None:
    """kill -9 of the hub alone, and wait for the one that takes its place."""
    [child] = hub.children()
    os.kill(child, signal.SIGKILL)
    hub.wait_for(lambda: hub.children() not in ([child], []))
    hub.wait_until_ready()


@contextmanager
def taken(port: int) -> Iterator[None]:
    """Somebody else listens there, as soon as nobody does."""
    deadline = time.monotonic() + 30
    while True:
        try:
            listener = socket.create_server(("127.0.0.1", port))
            break
        except OSError:
            assert time.monotonic() < deadline
    with listener:
        yield


def start_again(hub: HubProcess) -> None:
    assert hub.stop() == 0
    hub.start()


@pytest.fixture
def hub(make_hub: Callable[..., HubProcess]) -> HubProcess:
    hub = make_hub()
    edit(hub, "first")
    hub.start()
    return hub


def test_a_crash_puts_nothing_else_in_force(hub: HubProcess, receiver: Receiver) -> None:
    edit(hub, "second")
    kill(hub)
    hub.send("a-1")
    hub.wait_for(lambda: "first-a-1" in receiver.effects)
    start_again(hub)
    hub.send("a-2")
    hub.wait_for(lambda: "second-a-2" in receiver.effects)
    assert dict(receiver.effects) == {"first-a-1": 1, "second-a-2": 1}
    assert hub.stop() == 0


def test_what_was_taken_back_stays_so_until_it_is_deployed_or_edited(hub: HubProcess, receiver: Receiver) -> None:
    def arrives_as(name: str) -> bool:
        reference = f"a-{len(receiver.effects)}"
        hub.send(reference)
        hub.wait_for(lambda: any(effect.endswith(reference) for effect in receiver.effects))
        return f"{name}-{reference}" in receiver.effects

    edit(hub, "second")
    deploy(hub)
    assert arrives_as("second")
    deploy(hub, "--rollback")
    assert arrives_as("first")
    kill(hub)
    assert arrives_as("first")
    start_again(hub)
    assert "the folder holds what was taken back" in hub.log
    assert arrives_as("first")
    deploy(hub)
    assert arrives_as("second")
    start_again(hub)
    assert arrives_as("second")
    deploy(hub, "--rollback")
    edit(hub, "third")
    start_again(hub)
    assert arrives_as("third")
    assert hub.stop() == 0


def test_what_was_taken_back_while_no_hub_ran_is_not_put_in_force_by_the_next_start(
    hub: HubProcess, receiver: Receiver
) -> None:
    edit(hub, "second")
    start_again(hub)
    assert hub.stop() == 0
    deploy(hub, "--rollback")
    hub.start()
    hub.send("a-1")
    hub.wait_for(lambda: "first-a-1" in receiver.effects)
    assert hub.stop() == 0
    acts = hub.rows(
        """SELECT action, actor LIKE '%command line%', detail ->> 'before' FROM audit
           WHERE action LIKE 'set.%' ORDER BY audit_id"""
    )
    assert acts == [("set.deploy", 0, None), ("set.deploy", 0, 1), ("set.rollback", 1, 2)]


def test_files_that_go_to_and_fro_without_a_rollback_are_put_in_force_at_each_start(
    hub: HubProcess, receiver: Receiver
) -> None:
    for number, name in enumerate(("second", "first", "second")):
        edit(hub, name)
        start_again(hub)
        hub.send(f"a-{number}")
        hub.wait_for(lambda effect=f"{name}-a-{number}": effect in receiver.effects)
    assert hub.stop() == 0


def test_a_hub_that_dies_and_is_refused_then_is_back_when_nothing_is_against_it(hub: HubProcess) -> None:
    os.kill(hub.children()[0], signal.SIGKILL)
    with taken(hub.port):
        hub.wait_for(lambda: hub.log.count("another program listens there") == 2)
    hub.wait_until_ready()
    assert hub.stop() == 0


def test_a_hub_that_cannot_read_a_file_of_its_project_ends_with_its_name(make_hub: Callable[..., HubProcess]) -> None:
    hub = make_hub()
    (hub.root / "mappings/loop.yaml").symlink_to("loop.yaml")
    assert hub.spawn("run").wait(30) == 1
    assert "mappings/loop.yaml:0:0: error: it cannot be read: too many levels of symbolic links" in hub.log
    assert "started again" not in hub.log and "Traceback" not in hub.log


def test_a_hub_that_is_refused_before_it_ran_ends_with_the_reason(make_hub: Callable[..., HubProcess]) -> None:
    hub = make_hub()
    with taken(hub.port):
        assert hub.spawn("run").wait(30) == 1
    assert "another program listens there; choose another port" in hub.log
    assert "started again" not in hub.log
