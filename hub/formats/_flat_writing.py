"""Documents to the lines of a flat file: every field at its place, padded, never cut."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hub.errors import MappingError
from hub.formats._flat_fields import Misfit
from hub.formats._flat_profile import Profile, RecordType
from hub.yamldoc import did_you_mean


def write_records(documents: Iterable[Any], profile: Profile) -> bytes:
    """One file of all documents. Raises MappingError."""
    writer = _Writer(profile)
    lines = [line for document in documents for line in writer.document(document)]
    text = "".join(lines)
    name = {"auto": "utf-8", "utf-16": "utf-16"}.get(profile.encoding, profile.encoding)
    try:
        return text.encode(name)
    except UnicodeEncodeError as error:
        seen = f"the character U+{ord(text[error.start]):04X}, which {profile.encoding} does not have"
        raise _fault("", seen, f"characters of {profile.encoding}") from None


@dataclass(slots=True)
class _Writer:
    profile: Profile
    counts: Counter[str] = field(default_factory=Counter)

    def document(self, document: Any) -> Iterator[str]:
        if not isinstance(document, Mapping):
            raise _fault("", "not a mapping", "the name of a record with its fields")
        tops = {each.name: each for each in self.profile.below("") if each.document or self.profile.whole}
        for name in document:
            if name not in tops:
                raise _fault(str(name), f"the record '{name}' is none of the top{did_you_mean(str(name), tops)}", "")
        for name, kind in tops.items():
            yield from self._all(kind, document.get(name), name, [self.counts], many=self.profile.whole)

    def _all(self, kind: RecordType, given: Any, path: str, scopes: list[Counter[str]], *, many: bool) -> Iterator[str]:
        """The records of a kind at one place, each with those below it."""
        if given is None:
            return
        if not many or kind.once:
            yield from self._record(kind, given, path, scopes)
            return
        if not isinstance(given, list | tuple):
            raise _fault(path, "not a list", f"a list of records '{kind.name}'")
        for index, each in enumerate(given):
            yield from self._record(kind, each, f"{path}[{index}]", scopes)

    def _record(self, kind: RecordType, given: Any, path: str, scopes: list[Counter[str]]) -> Iterator[str]:
        if not isinstance(given, Mapping):
            raise _fault(path, "not a mapping", f"the fields of '{kind.name}'")
        below = {each.name: each for each in self.profile.below(kind.name)}
        known = [*(each.name for each in kind.fields), *below]
        for name in given:
            if name not in known:
                raise _fault(
                    f"{path}.{name}", f"'{kind.name}' has no field '{name}'{did_you_mean(str(name), known)}", ""
                )
        for scope in scopes:
            scope.update((kind.name, "*"))
        yield self._line(kind, given, path, scopes[-1])
        own = Counter({kind.name: 1, "*": 1})
        for name, inner in below.items():
            yield from self._all(inner, given.get(name), f"{path}.{name}", [*scopes, own], many=True)

    def _line(self, kind: RecordType, given: Mapping[str, Any], path: str, counts: Counter[str]) -> str:
        line = " " * (kind.at - 1) + kind.tag
        for each in sorted(kind.fields, key=lambda one: one.at):
            value = given.get(each.name)
            if each.counts and value is None:
                value = counts[each.counts] if each.type != "text" else str(counts[each.counts])
            try:
                line = _laid(line, each.at, each.written(value), kind)
            except Misfit as misfit:
                raise _fault(f"{path}.{each.name}", misfit.seen, misfit.expected, misfit.text) from None
        if not self.profile.trailing_blanks:
            line = line.rstrip(" ")
        if self.profile.record_length:
            return line.ljust(self.profile.record_length)
        return (line.ljust(kind.length) if self.profile.trailing_blanks else line) + self.profile.line_end


def _laid(line: str, at: int, text: str, kind: RecordType) -> str:
    """A line with a field in it; a field over the tag has to say the tag."""
    start, tag_end = at - 1, kind.at - 1 + len(kind.tag)
    if kind.tag and start < tag_end and at + len(text) > kind.at:
        under = line.ljust(start + len(text))[start : start + len(text)]
        if not text.strip():
            text = under
        elif any(sign != other for sign, other in zip(text, under, strict=True) if other != " "):
            seen = text.strip()[:40]
            raise Misfit(f"{seen!r}", f"what begins with the tag {kind.tag!r}", seen)
    return line.ljust(start)[:start] + text + line[start + len(text) :]


def _fault(path: str, seen: str, expected: str, quoted: str = "") -> MappingError:
    detail = (f"{path}: " if path else "") + seen + (f"; expected {expected}" if expected else "")
    return MappingError(detail, code="encode", field_path=path, expected=expected, quoted=(quoted,))
