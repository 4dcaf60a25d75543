"""The files that a message is run with: the edited ones with the look-ups of then, and those of then as they were."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from hub.backtest.request import RECORDED, Request
from hub.errors import HubError
from hub.formats import codec
from hub.pipeline.program import CompiledRoute, CompiledTarget, Program, build_program
from hub.project import content_hash
from hub.settings import load_settings
from hub.store import recorded, sets
from hub.store.database import Database

Name = TypeVar("Name")
Thing = TypeVar("Thing")
_KEPT = 6  # programs in memory, of each kind
_TABLES = "mappings/tables/"


class Unknown(Exception):
    """A message cannot be run: its text is the reason, a key of ``REASONS`` with what is named after a colon."""


class Version(msgspec.Struct, frozen=True):
    """One set of files, compiled. ``bare`` sends every target the canonical document: what a message becomes is found
    out without its bodies."""

    program: Program
    bare: Program


class Versions:
    """Programs by the set that a message was made with; compiled when first asked for, the last few kept."""

    def __init__(self, db: Callable[[], Database], request: Request) -> None:
        self._db, self._request = db, request
        self._files: OrderedDict[int, Mapping[str, bytes]] = OrderedDict()
        self._edited: OrderedDict[str, Version] = OrderedDict()
        self._then: OrderedDict[int, Version] = OrderedDict()
        self._places: dict[int, str] = {}
        self._hubs: dict[int, str | None] = {}

    def edited(self, set_id: int) -> Version:
        """The edited files, with the tables and the company of the set that a message was made with. Raises Unknown."""
        if self._request.lookups != RECORDED:
            return _kept(self._edited, "", lambda: self._build(self._request.files, None))
        if set_id not in self._places:
            files = self._of(set_id)
            told = {path: content for path, content in files.items() if path.startswith((_TABLES, "config/"))}
            self._places[set_id] = content_hash(told)
        return _kept(self._edited, self._places[set_id], lambda: self._with_lookups_of(set_id))

    def then(self, set_id: int) -> Version:
        """The files as they were. Raises Unknown."""
        return _kept(self._then, set_id, lambda: self._build(self._of(set_id), None))

    def hub(self, set_id: int) -> str:
        """The version of the hub that put a set in force. Raises Unknown."""
        if set_id not in self._hubs:
            self._hubs[set_id] = recorded.hub_version(self._db(), set_id)
        version = self._hubs[set_id]
        if version is None:
            raise Unknown("files_unknown")
        return version

    def _of(self, set_id: int) -> Mapping[str, bytes]:
        self.hub(set_id)
        try:
            return _kept(self._files, set_id, lambda: sets.files_of(self._db(), set_id))
        except (TypeError, KeyError, IndexError):  # the row of a file is not there
            raise Unknown("files_unknown") from None

    def _with_lookups_of(self, set_id: int) -> Version:
        then, edited = self._of(set_id), self._request.files
        tables = {
            path: then[path] for path in edited
            if path.startswith(_TABLES) and path in then and path not in self._request.edited
        }  # fmt: skip
        own = Path(self._request.own_connectors) if self._request.own_connectors else None
        settings, _ = load_settings(then, self._request.environment or None, own)
        return self._build({**edited, **tables}, {"company": settings.company})

    def _build(self, files: Mapping[str, bytes], settings: Mapping[str, Any] | None) -> Version:
        own = Path(self._request.own_connectors) if self._request.own_connectors else None
        try:
            program = build_program(files, self._request.environment or None, 0, own)
        except HubError:
            raise Unknown("files_unreadable") from None
        if settings:
            program = msgspec.structs.replace(program, settings=replace(program.settings, **settings))
        return Version(program, _bare(program))


def _kept(kept: OrderedDict[Name, Thing], key: Name, make: Callable[[], Thing]) -> Thing:
    """What is there under a key, or is made now; the least recently asked for makes room."""
    if key not in kept:
        made = make()
        while len(kept) >= _KEPT:
            kept.popitem(last=False)
        kept[key] = made
    kept.move_to_end(key)
    return kept[key]


def _bare(program: Program) -> Program:
    routes = {
        name: msgspec.structs.replace(compiled, targets=tuple(_bare_target(target) for target in compiled.targets))
        for name, compiled in program.routes.items()
    }
    by_source: dict[str, tuple[CompiledRoute, ...]] = {
        system: tuple(routes[compiled.route.name] for compiled in compiled_routes)
        for system, compiled_routes in program.by_source.items()
    }
    return msgspec.structs.replace(program, routes=routes, by_source=by_source)


def _bare_target(target: CompiledTarget) -> CompiledTarget:
    return msgspec.structs.replace(
        target, mapping=None, codec=codec("json"), codec_options={}, partner=None, grammar=None
    )
