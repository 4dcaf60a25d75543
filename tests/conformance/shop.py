"""A shop that is asked for its orders, page by page, in each of the ways that real ones have."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

from scripted_server import Line, Request

SIZE = 3


def order(number: int, minute: int | None = None) -> dict[str, Any]:
    return {
        "id": number,
        "updated_at": f"2026-03-01T10:{number if minute is None else minute:02d}:00Z",
        "total": "1.50",
    }


class Shop:
    """Gives ``orders`` that were updated at or after ``since``, SIZE a page."""

    def __init__(self, count: int = 8) -> None:
        self.orders = [order(number) for number in range(1, count + 1)]
        self.asked: list[str] = []

    async def __call__(self, request: Request, line: Line) -> None:
        self.asked.append(request.path)
        parts = urlsplit(request.path)
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = [each for each in self.orders if each["updated_at"] >= asked.get("since", "")]
        await getattr(self, parts.path.strip("/"))(line, found, asked, request)

    async def cursor(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        start = int(asked.get("after", "0"))
        body: dict[str, Any] = {"orders": found[start : start + SIZE]}
        if start + SIZE < len(found):
            body["next"] = str(start + SIZE)
        await answer(line, body)

    async def page(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        start = (int(asked["page"]) - 1) * SIZE
        await answer(line, {"orders": found[start : start + SIZE]})

    async def more(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        start = (int(asked["page"]) - 1) * SIZE
        await answer(line, {"orders": found[start : start + SIZE], "has_more": start + SIZE < len(found)})

    async def offset(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        start = int(asked["offset"])
        await answer(line, {"orders": found[start : start + SIZE]})

    async def link(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        start = int(asked.get("p", "0"))
        links = [f'<{self._next(request, start)}>; rel="next"'] if start + SIZE < len(found) else []
        await answer(line, {"orders": found[start : start + SIZE]}, link=", ".join(['</first>; rel="first"', *links]))

    async def odata(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        start = int(asked.get("p", "0"))
        body: dict[str, Any] = {"value": found[start : start + SIZE]}
        if start + SIZE < len(found):
            body["@odata.nextLink"] = f"http://{request.headers['host']}{self._next(request, start)}"
        else:
            body["@odata.deltaLink"] = f"odata?since={found[-1]['updated_at'] if found else asked.get('since', '')}&d=1"
        await answer(line, body)

    def _next(self, request: Request, start: int) -> str:
        path, _, query = request.path.partition("?")
        kept = "&".join(part for part in query.split("&") if not part.startswith("p="))
        return f"{path}?{kept}&p={start + SIZE}"

    async def graphql(self, line: Line, found: list[Any], asked: dict[str, str], request: Request) -> None:
        said = json.loads(request.body)["variables"]
        found = [each for each in self.orders if each["updated_at"] >= said["since"]]
        start = int(said["after"] or 0)
        info = {"endCursor": str(start + SIZE), "hasNextPage": start + SIZE < len(found)}
        await answer(line, {"data": {"orders": {"nodes": found[start : start + SIZE], "pageInfo": info}}})


async def answer(line: Line, body: Any, **headers: str) -> None:
    await line.answer(200, json.dumps(body).encode(), **headers)
