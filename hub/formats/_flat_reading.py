"""Lines of a flat file to the records that belong together, each group of them in memory alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from hub.errors import DecodeError
from hub.formats._csv_text import raw_bytes, text_lines, unreadable_byte
from hub.formats._flat_fields import Misfit
from hub.formats._flat_profile import Profile, RecordType

MAX_RECORDS = 100_000
_MAX_RAW = 65_536


@dataclass(slots=True)
class Group:
    """The records of one document: its value, where it begins, what is wrong with it first, and what stood there.
    ``lines`` are those of its records, by the identity of their values."""

    line: int
    value: dict[str, Any] = field(default_factory=dict)
    error: DecodeError | None = None
    is_document: bool = True
    raw: str = ""
    count: int = 0
    lines: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Open:
    """A record that others may stand below; ``counts`` are those that do, and itself."""

    kind: RecordType
    value: dict[str, Any]
    counts: Counter[str]


def groups(chunks: Iterable[bytes], profile: Profile) -> Iterator[Group]:
    """Every document of a file, in order. Raises DecodeError for bytes that cannot be lines."""
    return _Reader(profile).groups(_numbered(chunks, profile))


def _numbered(chunks: Iterable[bytes], profile: Profile) -> Iterator[tuple[int, str]]:
    if profile.record_length:
        yield from enumerate(_blocks(chunks, profile), 1)
        return
    for number, line in enumerate(text_lines(chunks, profile.encoding), 1):
        text = line.rstrip("\r\n")
        if text.strip(" \x1a"):
            yield number, text


def _blocks(chunks: Iterable[bytes], profile: Profile) -> Iterator[str]:
    """Records of a fixed length without line ends; what is left over is one too, if it says anything."""
    size, rest = profile.record_length, b""
    for chunk in chunks:
        rest += chunk
        whole = len(rest) - len(rest) % size
        for start in range(0, whole, size):
            yield rest[start : start + size].decode(profile.encoding, "surrogateescape")
        rest = rest[whole:]
    if rest.strip(b"\r\n\x1a\0 "):
        yield rest.decode(profile.encoding, "surrogateescape")


@dataclass(slots=True)
class _Reader:
    profile: Profile
    counts: Counter[str] = field(default_factory=Counter)
    stack: list[_Open] = field(default_factory=list)
    group: Group | None = None

    def groups(self, lines: Iterable[tuple[int, str]]) -> Iterator[Group]:
        for number, text in lines:
            kind = self.profile.type_of(text)
            self.counts["*"] += 1
            if kind is None and self.profile.skips_unknown:
                continue
            begins = self.group is None or (kind is not None and not kind.below)
            if begins and not (self.profile.whole and self.group):
                if self.group:
                    yield self.group
                self.group, self.stack = Group(number), []
            assert self.group is not None
            self._take(self.group, kind, number, text)
        if self.group:
            yield self.group

    def _take(self, group: Group, kind: RecordType | None, number: int, text: str) -> None:
        group.count += 1
        if len(group.raw) < _MAX_RAW:
            group.raw += text + self.profile.line_end * (not self.profile.record_length)
        if group.count > MAX_RECORDS:
            group.error, group.value, group.lines = group.error or self._too_many(number), {}, {}
            return
        value: dict[str, Any] = {}
        try:
            try:
                self._read(value, kind, number, text)
            finally:  # what cannot be read counts all the same
                if kind is not None:
                    self._put(group, kind, value, number)
            if kind is not None:
                self._check_counts(kind, value, number)
        except DecodeError as error:
            group.error = group.error or error

    def _read(self, value: dict[str, Any], kind: RecordType | None, number: int, text: str) -> None:
        if bad := unreadable_byte(text):
            seen = f"the byte {bad[1]}, which {self._encoding} does not have"
            raise self._fault(number, bad[0], seen, f"characters of {self._encoding}", "name the encoding of the file")
        if kind is None:
            raise self._unknown(number, text)
        if behind := text[kind.length :].strip()[:40]:
            seen, expected = f"{behind!r} behind the last field of '{kind.name}'", f"at most {kind.length} characters"
            raise self._fault(number, kind.length + 1, seen, expected, code="too_long", quoted=behind)
        for each in kind.fields:
            try:
                value[each.name] = each.read(text)
            except Misfit as misfit:
                what = f"{kind.name}.{each.name}: {misfit.seen}"
                raise self._fault(number, each.at, what, misfit.expected, path=each.name, quoted=misfit.text) from None

    @property
    def _encoding(self) -> str:
        return "UTF-8" if self.profile.encoding == "auto" else self.profile.encoding

    def _put(self, group: Group, kind: RecordType, value: dict[str, Any], number: int) -> None:
        """Put a record where it belongs: below the last one of the kind that it stands below."""
        known = [each.kind.name for each in self.stack]
        if kind.below and kind.below not in known:
            expected = f"a record '{kind.below}' before it"
            raise self._fault(number, 1, f"a record '{kind.name}' that stands below none", expected, code="structure")
        del self.stack[known.index(kind.below) + 1 if kind.below else 0 :]
        home = self.stack[-1].value if kind.below else group.value
        if kind.once or not (kind.below or self.profile.whole):
            if kind.name in home:
                where = f" below its '{kind.below}'" if kind.below else ""
                raise self._fault(
                    number, 1, f"a second record '{kind.name}'{where}", "one (once: true)", code="structure"
                )
            home[kind.name] = value
        else:
            home.setdefault(kind.name, []).append(value)
        if not kind.below and not self.profile.whole:
            group.is_document = kind.document
        group.lines[id(value)] = number
        self.counts[kind.name] += 1
        for above in self.stack:
            above.counts.update((kind.name, "*"))
        self.stack.append(_Open(kind, value, Counter({kind.name: 1, "*": 1})))

    def _check_counts(self, kind: RecordType, value: dict[str, Any], number: int) -> None:
        counts = self.stack[-2].counts if kind.below else self.counts
        for each in kind.fields:
            told = value[each.name] if each.counts else None
            if isinstance(told, str):
                told = int(told) if told.strip().isdecimal() else told.strip()
            if told not in (None, "") and told != counts[each.counts]:
                what = "records" if each.counts == "*" else f"records '{each.counts}'"
                seen = f"{kind.name}.{each.name}: {told} {what}"
                expected = f"{counts[each.counts]}, as there are"
                raise self._fault(number, each.at, seen, expected, code="count", quoted=str(told))

    def _unknown(self, number: int, text: str) -> DecodeError:
        kinds = list(self.profile.types.values())
        at = kinds[0].at
        tag = text[at - 1 : at - 1 + max(len(each.tag) for each in kinds)]
        seen = f"{tag!r}, which is no kind of record"
        tags = ", ".join(f"{each.tag!r} ({each.name})" for each in kinds[:12])
        hint = "describe it under records, or write unknown: skip"
        return self._fault(number, at, seen, f"one of {tags}", hint, quoted=tag)

    def _too_many(self, number: int) -> DecodeError:
        return self._fault(number, 1, f"more than {MAX_RECORDS:,} records in one document", "fewer", code="too_large")

    def _fault(
        self, number: int, column: int, seen: str, expected: str, hint: str = "", code: str = "", path: str = "",
        quoted: str = "",
    ) -> DecodeError:  # fmt: skip
        word = "record" if self.profile.record_length else "line"
        return DecodeError(
            f"{seen}; expected {expected}", code=code, position=f"{word} {number}, column {column}", field_path=path,
            expected=expected, hint=hint, quoted=(quoted,),
        )  # fmt: skip


def raw_of(group: Group, profile: Profile) -> bytes:
    """The bytes of a group, cut."""
    return raw_bytes(group.raw, profile.encoding)[:_MAX_RAW]
