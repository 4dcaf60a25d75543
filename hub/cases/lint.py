"""What is wrong with test files beyond their own keys: files, routes and targets that they name and that are not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from hub.cases.reading import RouteCase, TestFile, read_cases, test_files
from hub.errors import Fault
from hub.routes import Route
from hub.yamldoc import Node, did_you_mean


def case_faults(files: Mapping[str, bytes], own: Collection[str], routes: Sequence[Route]) -> list[Fault]:
    """The faults of the project's test files. Whether the files that they name are there is looked at when they run."""
    faults: list[Fault] = []
    for path in test_files(files):
        if path in own:
            found = read_cases(files, path)
            faults += [*found.faults, *file_faults(found, files, routes)]
    return faults


def file_faults(found: TestFile, files: Collection[str], routes: Sequence[Route]) -> Iterator[Fault]:
    """The faults of one test file among the others of the project."""
    if found.subject not in files:
        yield Fault(found.file, 1, 1, f"there is no {found.subject} that this could be the test of")
        return
    beside = {route.name: route for route in routes if route.file == found.subject}
    for case in found.cases if beside else ():  # what cannot be read as routes has a fault of its own
        if isinstance(case, RouteCase):
            yield from _route_faults(case, beside)


def _route_faults(case: RouteCase, beside: Mapping[str, Route]) -> Iterator[Fault]:
    named = case.node.get("route")
    if not case.route and len(beside) > 1:
        yield case.node.fault(f"write which route the case is of: route: {' or '.join(sorted(beside))}")
    if named is not None and case.route not in beside:
        known = did_you_mean(case.route, beside) or f"; write one that stands beside: {', '.join(sorted(beside))}"
        yield named.fault(f"unknown route '{case.route}'{known}")
    route = beside.get(case.route) or (next(iter(beside.values())) if len(beside) == 1 else None)
    if route is None:
        return
    targets = [target.id for target in route.targets]
    answers = case.node.get("answers")
    for name, _ in answers.items() if answers is not None else ():
        if name not in targets:
            yield answers.key(name).fault(f"the route has no target '{name}'{did_you_mean(name, targets)}")  # type: ignore[union-attr]
    for message in case.expected or ():
        yield from _target_faults(message, targets)


def _target_faults(message: Node, targets: Sequence[str]) -> Iterator[Fault]:
    listed = message.get("deliveries")
    for delivery in listed.elements() if listed is not None else ():
        for key in ("to", "after"):
            node = delivery.get(key)
            if node is not None and node.text not in targets:
                yield node.fault(f"the route has no target '{node.text}'{did_you_mean(node.text, targets)}")
