"""The cases of a project, each a job of its own, over several processes; results come in the order of the files."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec
from msgspec.structs import replace

from hub.cases import Case, MappingCase, TestFile
from hub.golden.bench import Bench
from hub.golden.mapping_runs import run_mapping_case
from hub.golden.properties import try_properties
from hub.golden.results import Result
from hub.golden.route_runs import run_route_case
from hub.loggers import structlog

_CHUNK = 4


class Job(msgspec.Struct, frozen=True):
    """One case, or the properties tried with its input."""

    file: str
    case: Case
    is_properties: bool = False


def jobs_of(found: Sequence[TestFile], pattern: str, properties: bool) -> list[Job]:
    """The jobs of test files. ``pattern`` is a part of the file's name or of the case's, whatever its case."""
    jobs: list[Job] = []
    for file in found:
        wanted = [case for case in file.cases if pattern.lower() in f"{file.file} {case.name}".lower()]
        jobs += [Job(file.file, case) for case in wanted]
        if properties:
            jobs += [Job(file.file, case, True) for case in wanted if isinstance(case, MappingCase) and not case.error]
    return jobs


def run(bench: Bench, jobs: Sequence[Job], processes: int, seed: int) -> Iterator[Result]:
    """The results in the order of the jobs, however many processes there are."""
    if processes <= 1 or len(jobs) <= _CHUNK:
        with _quiet():
            yield from (result for job in jobs if (result := _run(bench, job, seed)) is not None)
        return
    with multiprocessing.get_context("fork").Pool(processes, _remember, (bench, jobs, seed)) as pool:
        for result in pool.imap(_run_number, range(len(jobs)), chunksize=_CHUNK):
            if result is not None:
                yield result


def _remember(bench: Bench, jobs: Sequence[Job], seed: int) -> None:
    _given.append((bench, jobs, seed))


def _run_number(number: int) -> Result | None:
    bench, jobs, seed = _given[-1]
    with _quiet():
        return _run(bench, jobs[number], seed)


_given: list[tuple[Bench, Sequence[Job], int]] = []  # in a process of the pool: what it was started with


def _run(bench: Bench, job: Job, seed: int) -> Result | None:
    started = time.perf_counter()
    if isinstance(job.case, MappingCase):
        if job.is_properties:
            return try_properties(bench, job.file, job.case, seed)
        result = run_mapping_case(bench, job.file, job.case)
    else:
        result = run_route_case(bench, job.file, job.case)
    return replace(result, seconds=time.perf_counter() - started)


@contextmanager
def _quiet() -> Iterator[None]:
    """What a hub would log of a failing delivery is part of the test, not of its output."""
    before = structlog.get_config()
    structlog.configure(processors=[_dropped], cache_logger_on_first_use=False)
    try:
        yield
    finally:
        structlog.configure(**before)


def _dropped(logger: object, name: str, event: object) -> str:
    raise structlog.DropEvent
