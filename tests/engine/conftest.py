"""A world for each test, on both databases, and callers of its API; what a world is is in ``world``."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from banking import Bank
from caller import Caller, Folder, new_key
from trading import FILES, PARTNERS, Trade
from world import EMBEDDED, HUB, ORDER_IN, ORDER_OUT, ROUTES, SYSTEMS, World

from hub.api.on_demand import application
from hub.project import reference_files
from hub.store import database, open_store

sys.path.insert(1, str(Path(__file__).parent.parent / "conformance"))

# Of the schemas; each world stores all that it is given.
USED = tuple(f"schemas/{name}/" for name in ("canonical", "codes", "profiles", "units"))


@pytest.fixture
def files() -> dict[str, bytes]:
    own = {
        "config/hub.yaml": HUB,
        "config/systems.yaml": SYSTEMS,
        "routes/orders.yaml": ROUTES,
        "mappings/order-in.yaml": ORDER_IN,
        "mappings/order-out.yaml": ORDER_OUT,
    }
    return {**{path: raw for path, raw in reference_files().items() if path.startswith(USED)}, **own}


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Where the store is: every test of the engine runs on both databases."""
    if request.param == "sqlite":
        yield EMBEDDED
        return
    with request.getfixturevalue("postgres").lent() as url:
        yield url


@pytest.fixture(scope="session")
def pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An embedded store that has its tables: to copy it takes less than to make them for every test."""
    folder = tmp_path_factory.mktemp("pattern")
    open_store(EMBEDDED, folder).close()
    return folder / "hub.db"


@pytest.fixture(autouse=True)
def embedded(pattern: Path, tmp_path: Path) -> None:
    """Where ``EMBEDDED`` is there are tables already."""
    shutil.copyfile(pattern, tmp_path / pattern.name)


@pytest.fixture
def make_world(
    tmp_path: Path, files: dict[str, bytes], store_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., World]]:
    made: list[World] = []

    def make(**changed: bytes) -> World:
        own = {**files, **{_path(name): content for name, content in changed.items()}}
        world = World(tmp_path, own, url=store_url)
        made.append(world)
        monkeypatch.setattr(database, "server_time", lambda db: world.clock.at)  # a server's clock stands still as well
        return world

    yield make
    for world in made:
        world.close()


@pytest.fixture
def partners() -> bytes:
    """The file of partners of ``make_trade``; a module may have its own."""
    return PARTNERS


@pytest.fixture
def make_trade(
    tmp_path: Path, store_url: str, partners: bytes, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Trade]]:
    made: list[Trade] = []

    def make(partners: bytes = partners) -> Trade:
        trade = Trade(tmp_path, {**FILES, "config/partners.yaml": partners}, url=store_url)
        made.append(trade)
        monkeypatch.setattr(database, "server_time", lambda db: trade.clock.at)
        return trade

    yield make
    for trade in made:
        trade.close()


@pytest.fixture
def trade(make_trade: Callable[..., Trade]) -> Trade:
    return make_trade()


@pytest.fixture
def bank(tmp_path: Path, store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bank]:
    """A world whose documents are bank statements."""
    made = Bank(tmp_path, url=store_url)
    monkeypatch.setattr(database, "server_time", lambda db: made.clock.at)
    yield made
    made.close()


@pytest.fixture
def world(make_world: Callable[..., World]) -> World:
    return make_world()


@pytest.fixture
def folder() -> Folder:
    return Folder()


@pytest.fixture
def call(world: World, folder: Folder) -> Callable[..., Caller]:
    """``call("viewer")`` is somebody with a viewer's key; ``call("")`` somebody without."""
    app = application(world.engine, deployer=folder)
    keys = {role: new_key(world.store, role) for role in ("viewer", "operator", "admin")}
    return lambda role, **fields: Caller(app, keys.get(role, ""), **fields)


def _path(name: str) -> str:
    return {"routes": "routes/orders.yaml", "systems": "config/systems.yaml", "hub": "config/hub.yaml"}.get(
        name, f"mappings/{name.replace('_', '-')}.yaml"
    )
