"""A store whose server is gone without a word: the door says so instead of keeping its senders waiting."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from cutter import cutter
from hub_process import HubProcess, order, signed
from receiver import Receiver
from servers import PostgresServer

PATIENCE = 30.0  # seconds that a sender waits for an answer


def send(hub: HubProcess, reference: str) -> tuple[int, dict[str, str]]:
    """The status and the fields of the answer."""
    body = order(reference)
    status, _, fields = hub.request("POST", "/in/shop", body, signed(body, reference), PATIENCE)
    return status, {name.lower(): value for name, value in fields.items()}


def test_senders_are_told_to_come_again_while_the_server_of_the_store_is_gone_without_a_word(
    make_hub: Callable[..., HubProcess], receiver: Receiver, postgres: PostgresServer
) -> None:
    hub, url = make_hub(), postgres.new_database()
    with cutter(postgres.port) as line:
        store = url.replace(f":{postgres.port}/", f":{line.port}/")
        settings = (hub.root / "config/hub.yaml").read_text()
        hub.write("config/hub.yaml", f"store: {store}?connect_timeout=2\n{settings}")
        hub.start()
        assert send(hub, "before")[0] == 202
        hub.wait_for(lambda: "before" in receiver.effects)
        line.vanish()
        with ThreadPoolExecutor(20) as senders:
            answers = list(senders.map(lambda n: send(hub, f"a-{n}"), range(40)))
        assert {status for status, _ in answers} == {503}
        assert all(int(fields["retry-after"]) > 0 for _, fields in answers)
        line.heal()
        hub.wait_until_ready()
        assert [send(hub, f"a-{n}")[0] for n in range(40)] == [202] * 40
        hub.wait_for(lambda: len(receiver.effects) == 41)
        assert set(receiver.effects.values()) == {1}
        hub.stop()
    postgres.drop(url)
