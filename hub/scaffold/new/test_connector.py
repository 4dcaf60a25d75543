"""sample_name against a receiver that truly listens: what it gets, and what each of its answers means.

Run it in the project's folder: python -m unittest tests/test_sample_name.py
"""

from __future__ import annotations

import socketserver
import threading
import unittest
from pathlib import Path
from typing import Any

import connectors
from connectors.base import DELIVERED, DOUBT, LATER, REFUSED, Parcel, Verdict

FOLDER = Path(__file__).parents[1] / "connectors"
PARCEL = Parcel("delivery-1", "key-1", b'{"order_id": "1001"}')


class Receiver(socketserver.TCPServer):
    """Keeps what comes, and gives one answer to all of it."""

    allow_reuse_address = True
    answer = b"OK\n"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.came: list[bytes] = []
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class Taking(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        receiver: Any = self.server
        receiver.came.append(self.rfile.read())
        self.wfile.write(receiver.answer)


class TestSampleName(unittest.TestCase):
    def setUp(self) -> None:
        self.receiver = Receiver()
        self.addCleanup(self.receiver.server_close)
        self.addCleanup(self.receiver.shutdown)

    def opened(self) -> Any:
        module = connectors.connector("sample_name", FOLDER)
        made = module.destination({"host": "127.0.0.1", "port": self.receiver.server_address[1], "timeout": 5.0})
        self.addCleanup(made.close)
        return made

    def test_the_receiver_gets_the_key_and_the_document(self) -> None:
        self.assertEqual(self.opened().send(PARCEL).kind, DELIVERED)
        self.assertEqual(self.receiver.came, [b'key-1\n{"order_id": "1001"}'])

    def test_what_each_answer_means(self) -> None:
        for answer, kind in ((b"OK\n", DELIVERED), (b"NO out of paper\n", REFUSED), (b"", DOUBT), (b"<html>", DOUBT)):
            self.receiver.answer = answer
            with self.subTest(answer=answer):
                self.assertEqual(self.opened().send(PARCEL).kind, kind)

    def test_a_receiver_that_is_away_has_got_nothing(self) -> None:
        made = self.opened()
        self.receiver.shutdown()
        self.receiver.server_close()
        self.assertEqual(made.send(PARCEL).kind, LATER)
        self.assertIn("no connection to 127.0.0.1", made.check()[0])

    def test_each_parcel_gets_one_verdict(self) -> None:
        verdicts: list[Verdict] = []
        ended = threading.Event()

        def finished(batch: list[tuple[Parcel, Verdict]]) -> None:
            verdicts.extend(verdict for _, verdict in batch)
            if len(verdicts) == 20:
                ended.set()

        self.opened().submit([PARCEL] * 20, finished)
        self.assertTrue(ended.wait(20))
        self.assertEqual({verdict.kind for verdict in verdicts}, {DELIVERED})
        self.assertEqual(len(self.receiver.came), 20)


if __name__ == "__main__":
    unittest.main()
