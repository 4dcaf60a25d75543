"""The picture of the routes: everything is on it, nothing lies over anything else, and no name can break it."""

from __future__ import annotations

import re
from itertools import combinations
from xml.etree import ElementTree

import pytest

from hub.fields import Located
from hub.graph import graph
from hub.routes import Reply, Route, Target
from hub.settings import Settings
from hub.store.traffic import Flow, Traffic
from hub.systems import System

SVG = "{http://www.w3.org/2000/svg}"
SYSTEMS = {name: System(name, kind) for name, kind in (("shop", "webhook"), ("erp", "http"), ("wms", "http"))}
ORDERS = Route(
    "orders", "shop", "shopify-order", events=("orders/create",),
    targets=(
        Target("erp", "erp", "order-to-erp", reply=Reply("erp-reply")),
        Target("box", "wms", "order-to-wms", after="erp", when=Located("src.weight > 1")),
    ),
)  # fmt: skip


def drawn(*routes: Route, traffic: Traffic | None = None, theme: str = "auto") -> ElementTree.Element:
    return ElementTree.fromstring(graph(routes, Settings(systems=SYSTEMS), traffic, theme))


def texts(picture: ElementTree.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def boxes(picture: ElementTree.Element) -> list[tuple[float, ...]]:
    found = [r for r in picture.iter(f"{SVG}rect") if r.get("class") == "box"]
    return [tuple(float(r.get(name) or 0) for name in ("x", "y", "width", "height")) for r in found]


def test_routes_systems_mappings_and_conditions_are_on_it() -> None:
    assert set(texts(drawn(ORDERS))) == {
        "shop", "webhook", "erp", "wms", "http", "orders", "orders/create → shopify-order",
        "→ erp order-to-erp, reply → erp-reply", "→ box (wms) order-to-wms, after erp, when src.weight > 1",
    }  # fmt: skip


def test_counts_stand_beside_what_they_count() -> None:
    traffic = Traffic({"orders": Flow(1200, 3, 0, 2)}, {("orders", "erp"): Flow(1000, 0, 7, 1)})
    found = texts(drawn(ORDERS, traffic=traffic))
    assert "1,200 in · 3 filtered · 2 dead" in found
    assert "1,000 delivered · 7 waiting · 1 dead" in found
    assert "0 delivered" in found  # the warehouse, which nothing was sent to


def test_no_box_lies_over_another_and_all_are_within_the_picture() -> None:
    routes = [
        Route(f"r{n}", f"from{n % 4}", "m", targets=tuple(Target(f"to{(n * 3 + k) % 7}", f"to{(n * 3 + k) % 7}")
                                                          for k in range(n % 5 + 1)))
        for n in range(20)
    ]  # fmt: skip
    picture = drawn(*routes)
    found = boxes(picture)
    assert len(found) == 20 + 4 + 7
    for (ax, ay, aw, ah), (bx, by, bw, bh) in combinations(found, 2):
        assert ax + aw <= bx or bx + bw <= ax or ay + ah <= by or by + bh <= ay
    width, height = (float(picture.get(name) or 0) for name in ("width", "height"))
    assert all(x >= 0 and y >= 0 and x + w <= width and y + h <= height for x, y, w, h in found)


def test_one_edge_for_each_route_and_each_target() -> None:
    edges = [p for p in drawn(ORDERS).iter(f"{SVG}path") if "edge" in (p.get("class") or "")]
    assert len(edges) == 3
    assert [e.get("class") for e in edges if "back" in (e.get("class") or "")] == ["edge back"]  # waits for another


def test_what_is_too_long_is_cut_and_said_whole_in_the_title() -> None:
    long = Route("orders", "shop", "m", targets=(Target("erp", "erp", when=Located("src.a == 1 or " * 20 + "false")),))
    line = next(t for t in drawn(long).iter(f"{SVG}text") if "→ erp" in "".join(t.itertext()))
    title = line.find(f"{SVG}title")
    assert title is not None
    assert (title.text or "").endswith("or false")
    assert (title.tail or "").endswith("…")
    assert len(title.tail or "") < 100


def test_names_cannot_break_out_of_the_picture() -> None:
    nasty = Route("r", "shop", '</text><script>alert("x")</script>', targets=(Target("erp", "erp"),))
    picture = drawn(nasty)
    assert not list(picture.iter(f"{SVG}script"))
    assert any("<script>" in text for text in texts(picture))


def test_a_system_that_there_is_not_is_shown_as_that() -> None:
    assert "unknown system" in texts(drawn(Route("r", "shp", "m", targets=(Target("erp", "erp"),))))


@pytest.mark.parametrize(
    ("theme", "follows", "first"), [("auto", 1, "#1c2430"), ("light", 0, "#1c2430"), ("dark", 0, "#e6ebf1")]
)
def test_light_and_dark(theme: str, follows: int, first: str) -> None:
    style = next(drawn(ORDERS, theme=theme).iter(f"{SVG}style")).text or ""
    assert style.count("prefers-color-scheme:dark") == follows
    assert re.findall(r"--ink:(#\w+)", style)[0] == first


def test_without_routes_there_is_an_empty_picture() -> None:
    assert texts(drawn()) == []
