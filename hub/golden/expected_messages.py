"""What a route's case says of messages, deliveries and replies, beside what was seen of them.

Only what is said is compared, but for three things: every delivery must be named, an error that was not expected is a
difference, and so is another state than the usual one (routed, delivered).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from hub.cases import content_of
from hub.golden.bench import Bench
from hub.golden.compare import MISSING, Difference, differences
from hub.golden.mapping_runs import bytes_differences
from hub.yamldoc import Node

Seen = Mapping[str, Any]
_PLAIN = ("key", "place", "system", "lane", "after", "attempts")
_FILLED = ("request", "idempotency_key")


def compared(bench: Bench, file: str, node: Node, seen: Seen, path: str, usual: str = "routed") -> Iterator[Difference]:
    """Every difference of one message, or delivery (``usual``: delivered), or reply."""
    state = node.get("state")
    if (state.text if state else usual) != seen["state"]:
        yield _difference(path, "state", state.text if state else usual, seen["state"], state or node)
    yield from _errors(node, seen, path)
    for name in (*_PLAIN, *_FILLED):
        child = node.get(name)
        if child is None:
            continue
        expected = _filled(child.value, seen) if name in _FILLED else child.value
        yield from differences(expected, seen.get(name, MISSING), _join(path, name), child)
    yield from _headers(node.get("headers"), seen, path)
    yield from _contents(bench, file, node, seen, path)
    if "deliveries" in seen:
        yield from _deliveries(bench, file, node, seen["deliveries"], path)
    if (reply := node.get("reply")) is not None:
        if seen.get("reply") is None:
            yield _difference(path, "reply", reply.data(), MISSING, reply)
        else:
            yield from compared(bench, file, reply, {**seen["reply"], "deliveries": []}, _join(path, "reply"))
    elif seen.get("reply") is not None and seen["reply"]["error"]:
        yield _difference(path, "reply.error", MISSING, seen["reply"]["error"], node)


def _deliveries(bench: Bench, file: str, node: Node, seen: list[Seen], path: str) -> Iterator[Difference]:
    listed = node.get("deliveries")
    expected = {each.get("to").text: each for each in listed.elements() if each.get("to")} if listed else {}  # type: ignore[union-attr]
    there = {each["to"]: each for each in seen}
    for name, each in expected.items():
        where = _join(path, name)
        if name in there:
            yield from compared(bench, file, each, there[name], where, "delivered")
        else:
            yield Difference(where, "a delivery", MISSING, each.line, each.column)
    for name in there:
        if name not in expected:
            place = listed or node
            said = f"a delivery ({there[name]['state']})"
            yield Difference(_join(path, name), MISSING, said, place.line, place.column)


def _errors(node: Node, seen: Seen, path: str) -> Iterator[Difference]:
    expected, found = node.get("error"), seen.get("error")
    if expected is None:
        if found:
            yield _difference(path, "error", MISSING, _shown(found), node)
        return
    if not found:
        yield _difference(path, "error", expected.data(), MISSING, expected)
        return
    for name, child in expected.items():
        holds = child.text in found[name] if name == "detail" else child.text == found[name]
        if not holds:
            yield _difference(path, f"error.{name}", child.text, found[name], child)


def _shown(error: Mapping[str, Any]) -> str:
    return f"{error['class']}/{error['code']}: {error['detail']}"


def _headers(node: Node | None, seen: Seen, path: str) -> Iterator[Difference]:
    if node is None:
        return
    found = _sent_headers(seen)
    for name, child in node.items():
        value = found.get(name.lower(), MISSING)
        if _filled(child.text, seen) != value:
            yield _difference(path, f"headers.{name}", child.text, value, child)


def _sent_headers(seen: Seen) -> dict[str, str]:
    """By their names in small letters; none where nothing was sent."""
    sent = seen["headers"] if isinstance(seen.get("headers"), dict) else {}
    return {name.lower(): value for name, value in sent.items()}


def _contents(bench: Bench, file: str, node: Node, seen: Seen, path: str) -> Iterator[Difference]:
    for name in ("document", "body"):
        expected = content_of(bench.files, file, node, name, bench.read_file)
        if expected is None:
            continue
        where = _join(path, name)
        if seen.get(name, MISSING) is MISSING:
            yield Difference(where, expected.value, MISSING, expected.node.line, expected.node.column)
        elif expected.raw is None:
            yield from differences(expected.value, seen[name], where, expected.node)
        else:
            format, options = (seen["format"], seen["options"]) if name == "body" else ("json", {})
            raw = seen["raw"] if name == "body" else bench_json(seen[name])
            for each in bytes_differences(expected, raw, format, options):
                yield replace(each, path=f"{where}.{each.path}")


def bench_json(document: Any) -> bytes:
    """A document as JSON bytes."""
    from hub.formats import codec

    return codec("json").encode_one(document, {})


def wanted(node: Node | None, seen: Seen, files: dict[str, bytes] | None = None) -> dict[str, Any]:
    """What a case would have to say for all to be as it was seen; ``node`` is what it says now. Contents of files that
    it names go to ``files``, by the name it says."""
    said: dict[str, Any] = {key: child.data() for key, child in node.items()} if node is not None else {}
    usual = "delivered" if "to" in seen else "routed"
    if node is None:
        said |= {"to": seen["to"]} if "to" in seen else {}
        said |= _usual(seen)
    if "state" in said or seen["state"] != usual:
        said["state"] = seen["state"]
    for name in (*_PLAIN, *_FILLED):
        if name in said:
            value = seen.get(name, MISSING)
            said[name] = _unfilled(value, seen) if name in _FILLED else value
    if "headers" in said:
        found = _sent_headers(seen)
        said["headers"] = {
            name: _unfilled(found[name.lower()], seen) for name in said["headers"] if name.lower() in found
        }
    for name in ("document", "body"):
        if name in said:
            said[name] = seen.get(name, MISSING)
        _said_as_bytes(said, name, seen, files)
    if "deliveries" in seen and (seen["deliveries"] or "deliveries" in said):
        said["deliveries"] = _wanted_deliveries(node, seen["deliveries"], files)
    if node is not None and "reply" in said and seen.get("reply"):
        said["reply"] = wanted(node.get("reply"), {**seen["reply"], "deliveries": []}, files)
    return {key: value for key, value in said.items() if value is not MISSING}


def _said_as_bytes(said: dict[str, Any], name: str, seen: Seen, files: dict[str, bytes] | None) -> None:
    """A document or body that is said as text, or in a file; no longer said where there was none."""
    value = seen.get("raw") if name == "body" else seen.get(name, MISSING)
    if value is None or value is MISSING:
        for key in (f"{name}_text", f"{name}_file"):
            said.pop(key, None)
        return
    raw = value if name == "body" else bench_json(value)
    if f"{name}_text" in said:
        said[f"{name}_text"] = raw.decode("utf-8", "replace")
    if f"{name}_file" in said and files is not None:
        files[said[f"{name}_file"]] = raw


def _usual(seen: Seen) -> dict[str, Any]:
    """What a case says that is filled in: where a delivery goes and with what, or the key of a message."""
    if "to" not in seen:
        return {"key": seen["key"]} if seen.get("key") else {}
    found = {name: _unfilled(seen[name], seen) for name in ("request",) if seen[name]}
    return {**found, "body": seen["body"]}


def _wanted_deliveries(node: Node | None, seen: list[Seen], files: dict[str, bytes] | None) -> list[dict[str, Any]]:
    listed = node.get("deliveries") if node is not None else None
    there = {each.get("to").text: each for each in listed.elements() if each.get("to")} if listed else {}  # type: ignore[union-attr]
    return [wanted(there.get(each["to"]), each, files) for each in seen]


def _filled(text: Any, seen: Seen) -> Any:
    for name, value in (seen.get("names") or {}).items():
        text = text.replace(f"{{{name}}}", value) if isinstance(text, str) else text
    return text


def _unfilled(text: Any, seen: Seen) -> Any:
    for name, value in (seen.get("names") or {}).items():
        text = text.replace(value, f"{{{name}}}") if isinstance(text, str) else text
    return text


def _difference(path: str, name: str, expected: Any, seen: Any, node: Node) -> Difference:
    return Difference(_join(path, name), expected, seen, node.line, node.column)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
