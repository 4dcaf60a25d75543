"""What cannot be in fetch:, fetch_back:, body: and auth: is found with its place and what to write instead."""

from __future__ import annotations

import pytest

from hub.errors import Fault
from hub.expressions import expression_faults, expressions_of_system
from hub.project import reference_files
from hub.systems import load_systems
from hub.yamldoc import read_yaml

FILES = reference_files()
HEAD = "shop:\n  connector: http\n  base_url: https://shop.example\n"
PLANTED = [
    (
        "  fetch: {request: GET /orders, evry: 1m}\n",
        "4:33: error: unknown key 'evry' in fetch of system 'shop'; did you mean 'every'?",
    ),
    (
        "  fetch: {request: GET /orders, every: 0s}\n",
        "4:40: error: fetch.every: expected a time above zero, such as 1m, got 0s",
    ),
    (
        "  fetch: {every: 1m}\n",
        "4:10: error: request is missing in fetch of system 'shop': the request of the first page, such as GET "
        "/orders?updated_since={watermark}&limit=100; {watermark} {cursor} {page} {offset}",
    ),
    (
        "  fetch: {request: GET /orders, items: body.orders, paging: {type: cursr}}\n",
        "4:68: error: fetch.paging.type: expected cursor, page, offset or link, got 'cursr'; did you mean 'cursor'?",
    ),
    (
        "  fetch: {request: GET /orders, items: body.orders, paging: {type: cursor, next: body.next}}\n",
        "4:61: error: fetch.paging.parameter is missing: neither request nor body names {cursor}",
    ),
    (
        '  fetch:\n    request: GET /o?s={watermark}\n    items: body\n    watermark: {value: item.u, start: "soon"}\n',
        "7:39: error: fetch.watermark.start: expected a time such as 2026-01-01T00:00:00Z or a day such as 2026-01-01, "
        "got 'soon'",
    ),
    (
        "  fetch: {request: GET /o, items: body.orders, id: itm.id}\n",
        "4:52: error: unknown name 'itm'; did you mean 'item'?",
    ),
    (
        '  fetch_back: {request: "GET /orders/{id}"}\n',
        "4:15: error: fetch_back: it fetches what webhooks tell of, and this system has no verify:; add it, or take "
        "this out",
    ),
    (
        "  csrf: {request: POST /x}\n",
        "4:19: error: csrf.request: expected GET and a path, such as GET /sap/opu/odata/sap/NAME/",
    ),
    (
        "  auth: {type: oauth2, token_url: https://t.example, client_id: hub, grant: jwt_bearer}\n",
        "4:9: error: auth.jwt is missing: type oauth2 needs it",
    ),
    (
        "  body: {params: {password: hunter2}}\n",
        "4:29: error: body.params.password: looks like a secret written out; write secret://env/NAME or "
        "secret://file/NAME instead",
    ),
]


@pytest.mark.parametrize(("text", "expected"), PLANTED, ids=range(len(PLANTED)))
def test_a_mistake_is_found_at_its_place(text: str, expected: str) -> None:
    faults: list[Fault] = []
    root, found = read_yaml(HEAD + text, "config/systems.yaml")
    for system in load_systems(root, FILES, None, faults).values():
        faults += expression_faults(expressions_of_system(system))
    assert [str(fault) for fault in [*found, *faults]] == [f"config/systems.yaml:{expected}"]
