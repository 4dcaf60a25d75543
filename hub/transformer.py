"""Transformers: child processes that decode, map, validate, route and encode, so that the hub itself never runs a
mapping over foreign data.

A child that dies or makes no progress takes only what it had in hand: that is tried again one by one, each alone in a
child, and what kills its child twice is quarantined. The store's connections and the sockets are the hub's alone; a
child reads what it needs from the store.

Frames on the pipes are MessagePack; an empty one says "still at it".
"""

from __future__ import annotations

import gc
import os
import queue
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import msgspec

from hub import frames, logs
from hub.clock import Clock, ToldClock
from hub.errors import StoreError, StoreRefused
from hub.loggers import structlog
from hub.message import Delivery, Receipt
from hub.outcome import Failure
from hub.pipeline.gather import Built, Gathered
from hub.pipeline.program import Program, build_program
from hub.pipeline.split import LocalTransformer, Suspect, first_failure
from hub.pipeline.transformed import Transformed
from hub.store import Store, open_store, sets

_log = structlog.get_logger("transformer")
HANG_SECONDS = 30.0
_TRIES = 2
_STORE = "O2C_TRANSFORMER_STORE"  # the variable with the address of its store
REQUESTS_AT_ONCE = 2  # of one child


class Request(msgspec.Struct, array_like=True):
    """What a child is asked: to split receipts, to build deliveries, to put some together, with one set of files.
    ``now`` is by the hub's clock; the child's may be another."""

    set_id: int
    now: float
    work: list[Suspect] = []
    deliveries: list[Delivery] = []
    together: list[Delivery] = []


class Answer(msgspec.Struct, array_like=True):
    """A part of the answer, or with ``last`` its end; ``away`` says why the child could not use the store."""

    parts: list[Transformed] = []
    built: list[Built] = []
    gathered: Gathered | None = None
    last: bool = False
    away: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode_request = msgspec.msgpack.Decoder(Request).decode
_decode_answer = msgspec.msgpack.Decoder(Answer).decode


def _nothing() -> None:
    """For those who need not know when their request is handed over."""


class ChildDied(Exception):
    """A child ended or was ended; its text says how."""


# -- the hub's side ------------------------------------------------------------------------------------------------


class Transformers:
    """A few children that do what they are asked in turn. Safe to call from several threads."""

    def __init__(
        self, store: Store, clock: Clock, environment: str | None, own_connectors: Path | None, children: int
    ) -> None:
        self._clock = clock
        self._command = [sys.executable, "-m", "hub.transformer", environment or "", str(own_connectors or "")]
        # An address may hold a password, and what a process is started with can be read by everybody.
        self._environment = {**os.environ, _STORE: store.url}
        # Each child stands here as often as it may have requests at once.
        self._free: queue.Queue[Child | None] = queue.Queue()
        for child in [Child(self._command, self._environment) for _ in range(children)] * REQUESTS_AT_ONCE:
            self._free.put(child)

    def warm(self, program: Program) -> None:
        """Start a child and let it load the program, so that the first receipt need not wait for it."""
        with suppress(StoreError):  # the store is away: then the first receipt waits for it
            for _ in self._ask(self._request(program)):
                pass

    def _request(
        self, program: Program, work: Iterable[Suspect] = (), found: Iterable[Delivery] = (),
        together: Iterable[Delivery] = (),
    ) -> Request:  # fmt: skip
        return Request(program.set_id, self._clock.epoch(), list(work), list(found), list(together))

    def split(
        self, work: Sequence[Suspect], program: Program, handed_over: Callable[[], None] = _nothing
    ) -> Iterator[list[Transformed]]:
        """Every receipt's slices; a receipt that kills its child, twice and alone, comes as a quarantine failure."""
        done: dict[int, int] = {}
        try:
            yield from self._ask_to_split(self._request(program, work), done, handed_over)
        except ChildDied as death:
            _log.error("a transformer died with receipts in hand", receipts=len(work), ending=str(death))
            left = [s for s in work if done.get(s.receipt.seq, 0) >= 0]
            for suspect in left:
                yield from self._alone(suspect, program, done)

    def _ask_to_split(
        self, request: Request, done: dict[int, int], handed_over: Callable[[], None] = _nothing
    ) -> Iterator[list[Transformed]]:
        for answer in self._ask(request, handed_over):
            for part in answer.parts:
                # -1: all of it is there; else the position behind the last record that was handed on.
                done[part.seq] = -1 if part.final else part.messages[-1].position + 1
            if answer.parts:
                yield answer.parts

    def _alone(self, suspect: Suspect, program: Program, done: dict[int, int]) -> Iterator[list[Transformed]]:
        seq, ending = suspect.receipt.seq, ""
        for _ in range(_TRIES):
            left = Suspect(suspect.receipt, done[seq]) if done.get(seq, 0) > 0 else suspect
            try:
                yield from self._ask_to_split(self._request(program, [left]), done)
                return
            except ChildDied as death:
                ending = str(death)
        _log.error("a receipt kills its process and is in quarantine", seq=seq, ending=ending)
        yield [Transformed(seq, suspect.receipt.route, failure=_quarantine(ending))]

    def rehearse(self, receipt: Receipt, program: Program) -> Mapping[str, Any] | None:
        """The first failure a receipt would meet; tried once."""
        try:
            request = self._request(program, [Suspect(receipt)])
            return first_failure(part for answer in self._ask(request) for part in answer.parts)
        except ChildDied as death:
            _log.error("a transformer died over a document not taken in yet", ending=str(death))
            return None

    def build(self, found: Sequence[Delivery], program: Program) -> list[Built]:
        """The bytes of deliveries; one that kills its child, twice and alone, comes as a quarantine failure."""
        if not found:
            return []
        try:
            return self._built(self._request(program, found=found))
        except ChildDied:
            return [built for delivery in found for built in self._build_alone(delivery, program)]

    def gather(self, found: Sequence[Delivery], program: Program) -> Gathered:
        """These deliveries, as many in each batch as go together. Where they bring their child down, those that do so
        alone come as a quarantine failure; where none does, half of them are tried."""
        try:
            [gathered] = [a.gathered for a in self._ask(self._request(program, together=found)) if a.gathered]
            return gathered
        except ChildDied as death:
            alone = [built for delivery in found for built in self._build_alone(delivery, program)]
            failed = [built for built in alone if built.failure is not None]
            if not failed and len(found) == 1:
                failure = _quarantine(str(death)).printed(found[0].route)
                failed = [Built(found[0].delivery_id, failure=failure)]
            return Gathered(failed=failed) if failed else self.gather(found[: len(found) // 2], program)

    def _build_alone(self, delivery: Delivery, program: Program) -> list[Built]:
        ending = ""
        for _ in range(_TRIES):
            try:
                return self._built(self._request(program, found=[delivery]))
            except ChildDied as death:
                ending = str(death)
        return [Built(delivery.delivery_id, failure=_quarantine(ending).printed(delivery.route))]

    def _built(self, request: Request) -> list[Built]:
        return [built for answer in self._ask(request) for built in answer.built]

    def _ask(self, request: Request, handed_over: Callable[[], None] = _nothing) -> Iterator[Answer]:
        child = self._free.get()
        if child is None:
            self._free.put(None)
            raise StoreError("the hub is stopping; what is not done yet is done after the next start")
        try:
            yield from child.ask(request, handed_over)
        finally:
            self._free.put(child)

    def close(self) -> None:
        """End the children; requests that come later fail."""
        for _ in range(self._free.qsize()):
            child = self._free.get()
            if child is not None:
                child.end()
        self._free.put(None)


class Child:
    """One transformer process, started when it is first asked. While it answers one request it may have the next one
    already, so that it need not wait for it; answers come in the order of the requests."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self._command, self._environment = command, environment
        self._process: subprocess.Popen[bytes] | None = None
        self._writing, self._reading = threading.Lock(), threading.Lock()

    def ask(self, request: Request, handed_over: Callable[[], None] = _nothing) -> Iterator[Answer]:
        """The parts of the answer as they come; ``handed_over`` is called when the child has the request. Raises
        ChildDied when the child ends, or hangs and is ended, StoreError when the store is away for it."""
        process = self._hand_over(request, handed_over)
        try:
            yield from self._answers(process)
        except (ChildDied, GeneratorExit):
            # Dead, or in the middle of an answer that nobody wants the rest of: no good for another request.
            self._end(process)
            raise
        finally:
            self._reading.release()

    def _hand_over(self, request: Request, handed_over: Callable[[], None]) -> subprocess.Popen[bytes]:
        """The process that has the request, which it is our turn to read from."""
        with self._writing:
            process = self._write(request)
            handed_over()
            self._reading.acquire()  # in line: whoever writes next reads next
            try:
                # The request before this one brought the process down; this one has not been looked at.
                return process if process is self._process else self._write(request)
            except BaseException:
                self._reading.release()
                raise

    def _write(self, request: Request) -> subprocess.Popen[bytes]:
        process = self._process
        if process is None or process.poll() is not None:
            process = self._process = subprocess.Popen(  # noqa: S603  our own module, our own interpreter
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, env=self._environment
            )
            frames.widen(process.stdin, process.stdout)
        assert process.stdin is not None
        # A pipe that is broken, or closed by whoever read from it last: reading tells how the process ended.
        with suppress(OSError, ValueError):
            frames.write_all(process.stdin, _encode(request))
        return process

    def _answers(self, process: subprocess.Popen[bytes]) -> Iterator[Answer]:
        while True:
            frame = self._read(process)
            if not frame:
                continue
            answer = _decode_answer(frame)
            if answer.away:
                raise StoreError(answer.away)
            yield answer
            if answer.last:
                return

    def _read(self, process: subprocess.Popen[bytes]) -> bytes:
        head = self._read_exactly(process, 4)
        return self._read_exactly(process, int.from_bytes(head, "big"))

    def _read_exactly(self, process: subprocess.Popen[bytes], size: int) -> bytes:
        """So many bytes; a child that is silent for long in the middle of it has hung."""
        assert process.stdout is not None
        pieces = []
        watch = select.poll()  # a hub with many senders has descriptors that select() cannot name
        watch.register(process.stdout, select.POLLIN)
        while size:
            if not watch.poll(HANG_SECONDS * 1000):
                process.kill()
                raise ChildDied(f"made no progress for {HANG_SECONDS:.0f} s")
            piece = os.read(process.stdout.fileno(), min(size, 1 << 20))
            if not piece:
                raise ChildDied(_ending(process))
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def end(self) -> None:
        """Kill the process if it runs; nothing that it holds is worth anything."""
        if self._process is not None:
            self._end(self._process)

    def _end(self, process: subprocess.Popen[bytes]) -> None:
        if self._process is process:
            self._process = None
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                frames.close(pipe)
        process.wait()


def _ending(process: subprocess.Popen[bytes]) -> str:
    code = process.wait()
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"


def _quarantine(ending: str) -> Failure:
    return Failure(
        "quarantine", "kills_its_process", f"its processing {ending}, twice, with nothing else in hand", step="map",
        hint="look at the raw payload and at the mapping it meets; replay it when either is changed",
    )  # fmt: skip


# -- the child's side ----------------------------------------------------------------------------------------------


def main(store_url: str, environment: str, own_connectors: str) -> None:
    """Answer requests until the pipe ends, which it does when the hub is gone."""
    logs.configure()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to understand
    reading, writing = sys.stdin.buffer, os.fdopen(os.dup(1), "wb", 1 << 16)
    os.dup2(2, 1)  # nothing that a library prints may end up among the frames
    frames.write(writing, b"")  # the time that starting takes is not a document's
    local: LocalTransformer | None = None
    clock = ToldClock()
    programs: dict[int, Program] = {}
    while (frame := frames.read_frame(reading)) is not None:
        request = _decode_request(frame)
        clock.told = request.now
        try:
            if local is None:
                store = open_store(store_url, Path(), read_only=True)
                local = LocalTransformer(store, clock, progress=lambda: frames.write(writing, b""))
            if request.set_id not in programs:
                programs = {request.set_id: _program(local, environment, own_connectors, request.set_id)}
                _settle()
                frames.write(writing, b"")  # nor is the time of reading the files
            _answer(local, programs[request.set_id], request, writing)
        except StoreRefused:
            raise
        except StoreError as error:
            # No fault of any document: what was asked for is asked for again when the store is back.
            frames.write(writing, _encode(Answer(last=True, away=str(error))))


def _settle() -> None:
    """What is there now stays: Python does not look for rubbish in it again."""
    gc.collect()
    gc.freeze()


def _program(local: LocalTransformer, environment: str, own_connectors: str, set_id: int) -> Program:
    own = Path(own_connectors) if own_connectors else None
    files = sets.files_of(local.store.reader(), set_id)
    return build_program(files, environment or None, set_id, own, local.progress)


def _answer(local: LocalTransformer, program: Program, request: Request, writing: IO[bytes]) -> None:
    held: list[Transformed] = []
    for parts in local.split(request.work, program):
        if held:
            frames.write(writing, _encode(Answer(parts=held)))
        held = parts
    built = local.build(request.deliveries, program)
    gathered = local.gather(request.together, program) if request.together else None
    frames.write(writing, _encode(Answer(held, built, gathered, last=True)))


if __name__ == "__main__":
    try:
        main(os.environ[_STORE], sys.argv[1], sys.argv[2])
    except BrokenPipeError:
        os._exit(0)  # the hub is gone, and nobody is left whom the rest of the answer is for
