"""What came with a signed request comes once, and looking that up costs the same however many there were."""

from __future__ import annotations

from connectors._soap_proofs import Seen


def test_what_came_is_another_request_s_until_it_is_over() -> None:
    seen = Seen()
    assert not seen.is_other(b"once", b"order", True, 0.0, 60.0)
    assert not seen.is_other(b"once", b"order", True, 59.0, 60.0), "the same request, told by its number"
    assert seen.is_other(b"once", b"order", False, 59.0, 60.0)
    assert seen.is_other(b"once", b"other", True, 59.0, 60.0)
    assert not seen.is_other(b"once", b"other", True, 60.0, 60.0)


def test_what_is_over_is_looked_for_as_often_as_all_double_and_not_at_each_request() -> None:
    seen, tables = Seen(few=10), []
    for number in range(1000):
        assert not seen.is_other(b"%d" % number, b"", False, 0.0, 60.0)
        if not tables or tables[-1] is not seen._known:
            tables.append(seen._known)
    assert len(tables) == 1 + 7, "at 10, 20, 40 ... 640"


def test_what_is_over_is_dropped() -> None:
    seen = Seen(few=10)
    for number in range(1000):
        seen.is_other(b"%d" % number, b"", False, float(number), 5.0)
    assert len(seen._known) <= 10
