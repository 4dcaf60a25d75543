"""Read a folder of UBL, CII, ISO 20022 and bank files that others have published, and tell what is not as it should be.

    make conformance SAMPLES=FOLDER [PROJECT=FOLDER] [RULES=FOLDER]

What a file is, its content says; EDI files are judged by ``public_samples.py`` in the same run, and what is nothing of
all this is left out. Each file is read; written again, UBL and CII must be the same XML (C14N, without comments and the
blanks between elements), and every other format must be read again as the same documents. XML is held to its schema,
and invoices and Peppol's documents to the rules that they say they obey, where a project (``PROJECT=``) or a package
has them. Nothing but an error of the codec may be raised.

What a file has is told by ``expected.yaml`` in the folder, by path or pattern, of which the first that fits counts:

    acme/good/*.xml: ok
    acme/wrong-sum.sta: statement_balance        # codes of errors, of rules; schema: what its XSD does not allow
    acme/two.xml: [schema, BR-CO-10]
    acme/cut.xml: refused                        # the whole cannot be read
    acme/old.xml: skip                           # of a kind that is not read
    acme/se.xml: {PEPPOL-EN16931: [SE-R-013]}    # where these rules judge; else nothing

Without it, nothing may be told of a file, but where its folder says that it is wrong (``invalid``, ``negative``,
``bad``, ...): there something must. The last lines are tables by repository, the first folder of each path, and what
judged; the exit code is 1 if anything is not as expected.
"""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import public_samples
import rule_sets
from changed_documents import is_one
from lxml import etree

from hub import __version__
from hub.errors import DecodeError, MappingError, Unavailable, Unfinished
from hub.formats import BadRecord, Record, codec
from hub.formats._xml import parse
from hub.profiles.judge import Judge as Profiles
from hub.profiles.rules import rules_process
from hub.project import read_files, reference_files

EXPECTED, MAX_TOLD = public_samples.EXPECTED, public_samples.MAX_TOLD
LOSSLESS = ("ubl", "cii")
_WRONG = re.compile(
    r"(?:^|[/_.\s-])(?:invalid|negative|incorrect|bad|fail(?:s|ed|ure)?|faulty|errors?|broken|wrong|corrupt(?:ed)?"
    r"|malformed|ko|fatal)(?=$|[/_.\s\d-])", re.IGNORECASE
)  # fmt: skip
_ISO = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234]|pain\.00[128])\.001\.\d\d$")
_EDI = re.compile(rb"UNA|UN[BGH][+:=]|UIB\+|ISA|STX=|GS\*|ST\*", re.DOTALL)
_TRANSACTION = re.compile(r"poacc:trns:(\w+):")
_BILLING = (("xrechnung", "xrechnung"), ("peppol.eu:2017:poacc:billing", "peppol-bis-3"), ("cen.eu:en16931", "en16931"))
Codes = Sequence[str] | str | None  # codes; "refused", "skip", "wrong": anything; None: nothing
Expected = Codes | Mapping[str, Codes]  # by the beginning of the name of a set of rules that judges


@dataclass
class Verdict(public_samples.Told):
    """What became of one file. ``faults`` are the codes of its errors, None where the whole was refused."""

    kind: str
    faults: list[str] | None = None
    documents: int = 0
    is_same: bool = False  # the same XML, or the same bytes
    is_read_again: bool = False  # the same documents
    unwritten: str = ""
    judged: str = ""  # valid, invalid, or nothing to judge it by
    by: tuple[str, ...] = ()
    surprises: list[str] = field(default_factory=list)


def kind_of(raw: bytes) -> str:
    """The format of a file by its content; ``edi``; '' for anything else, ``test set`` for tests of rules."""
    text = raw.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"<?php"):
        return ""
    if text[:1] == b"<" or raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _kind_of_xml(raw)
    if _EDI.match(text):
        return "edi"
    lines = [line.rstrip(b"\r") for line in text.split(b"\n", 40)[:40]]
    if re.match(rb"01,[^,]*,[^,]*,\d{6},", text):
        return "bai2"
    if re.match(rb"0{5}\d{6}", lines[0]) and any(line[:1] in (b"1", b"2", b"8") for line in lines[1:]):
        return "coda"
    interim, final = (len(re.findall(rb"(?m)^:(?:%s):" % tags, text)) for tags in (rb"34F|90[CD]", rb"60[FM]"))
    if interim > final:
        return "mt942" if re.search(rb"(?m)^:(?:20|25P?):", text) else ""
    return "mt940" if re.search(rb"(?m)^:?:?(?:\{4:)?:20:", text) and b":60" in text else ""


def _kind_of_xml(raw: bytes) -> str:
    if is_one(raw):
        return "test set"
    try:
        root = parse(raw)
    except DecodeError as error:
        return _kind_of_bad_xml(raw, error)
    name = etree.QName(root)
    if name.localname == "testSet":
        return "test set"
    if name.namespace and name.namespace.startswith("urn:oasis:names:specification:ubl:schema:xsd:"):
        return "ubl" if name.localname in codec("ubl").TYPES else ""  # type: ignore[attr-defined]
    if name.localname == "CrossIndustryInvoice":
        return "cii"
    return _kind_of_iso(name.namespace or "")


def _kind_of_iso(namespace: str) -> str:
    found = _ISO.match(namespace)
    return "" if found is None else "camt053" if found[1].startswith("camt") else "pain"


def _kind_of_bad_xml(raw: bytes, error: DecodeError) -> str:
    """That of XML that cannot be read, by the first namespace in it."""
    found = re.search(rb'urn:iso:std:iso:20022:tech:xsd:[\w.]+|urn:oasis:names:specification:ubl:schema:xsd:(\w+)-2',
                      raw[:4096])  # fmt: skip
    if found is None:
        return ""
    return "ubl" if found[1] else _kind_of_iso(found[0].decode())


class Judge:
    """Judges files by the formats, and by the profiles of a project or of packages."""

    def __init__(self, project: Path | None = None) -> None:
        self._profiles = Profiles(read_files(project) if project else reference_files())
        self._schemas: dict[str, str] = {}
        for name in self._profiles.names():
            documents = self._profiles.profile(name).documents
            if len(documents) == 1 and not documents[0].rules:
                self._schemas.setdefault(documents[0].tag, name)

    def judge(self, kind: str, raw: bytes, expected: Expected = None) -> Verdict:
        """``expected`` as ``Expectations.of`` gives it."""
        verdict = Verdict(kind)
        try:
            verdict.surprises += self._read(kind, raw, verdict)
            if verdict.faults is not None and kind in (*LOSSLESS, "camt053", "pain"):
                self._hold(raw, verdict)
        except Exception as error:  # whatever it is: that there is none but the codec's own is to be seen
            verdict.surprises.append(f"raised {type(error).__name__}: {error}")
        verdict.surprises += unexpected(verdict, expected)
        return verdict

    def _read(self, kind: str, raw: bytes, verdict: Verdict) -> Iterator[str]:
        module: Any = codec(kind)
        try:
            found = list(module.decode([raw], {}))
        except DecodeError:
            return
        good = [record for record in found if isinstance(record, Record)]
        bad = [record.error for record in found if isinstance(record, BadRecord)]
        told = [fault for record in good for fault in record.faults]
        told += [fault for error in bad for fault in getattr(error, "faults", ())]
        codes = {fault.full_code for fault in told if fault.severity == "error"}
        codes |= {error.code for error in bad if not getattr(error, "faults", ())}
        verdict.faults, verdict.documents = sorted(codes), len(good)
        if good:
            yield from _written(module, raw, [record.value for record in good], bool(bad), verdict)

    def _hold(self, raw: bytes, verdict: Verdict) -> None:
        """To the rules that it says it obeys, with their schema; where these are not here, to its schema."""
        root = parse(raw)
        for name in (self._rules_of(root), self._schemas.get(str(root.tag), "")):
            if not name or not self._profiles.has(name) or self._profiles.missing(name) or verdict.judged:
                continue
            try:
                found = self._profiles.verdict(name, raw, 10_000)
            except (Unavailable, Unfinished):
                continue
            verdict.by = found.judged_by
            verdict.judged = "valid" if found.is_valid else "invalid"
            is_schema = len(found.judged_by) < 2
            codes = {"schema" if is_schema else fault.rule for fault in found.faults if fault.is_error}
            verdict.faults = sorted({*(verdict.faults or ()), *codes})

    def _rules_of(self, root: Any) -> str:
        """The profile whose rules a document says it obeys; '' for none."""
        said = next((
            text.strip() for each in root.iter("{*}CustomizationID", "{*}GuidelineSpecifiedDocumentContextParameter")
            if (text := " ".join(each.itertext()))
        ), "")  # fmt: skip
        transaction = _TRANSACTION.search(said)
        name = f"peppol-{transaction[1].replace('_', '-')}" if transaction else ""
        name = name or next((profile for word, profile in _BILLING if word in said), "")
        # What cannot be held to the rules of its country is held to those of all.
        is_there = self._profiles.has(name) and not self._profiles.missing(name)
        return name if is_there or not said.startswith("urn:cen.eu") else "en16931"


def unexpected(verdict: Verdict, expected: Expected) -> Iterator[str]:
    """Where a verdict is another one than the file is to have."""
    if isinstance(expected, Mapping):
        judging = (name for name in expected if any(label.startswith(name) for label in verdict.by))
        expected = next((expected[name] for name in judging), None)
    if expected == "wrong":
        if verdict.faults == []:
            yield "nothing is told, although its folder says that something is wrong"
        return
    wanted = "refused" if expected == "refused" else "[" + ", ".join(sorted(expected)) + "]" if expected else "ok"
    if verdict.told != wanted:
        yield f"told {verdict.told}; expected {wanted}"


def _written(module: Any, raw: bytes, documents: list[Any], some_are_bad: bool, verdict: Verdict) -> Iterator[str]:
    """Where what was read is another thing when it is written again."""
    try:
        again = _encoded(module, documents, verdict.kind)
    except MappingError as error:
        verdict.unwritten = re.sub(r"\[\d+\]", "[]", error.detail)[:100]
        return
    verdict.is_same = again == raw
    if verdict.kind in LOSSLESS:
        verdict.is_same = canonical(again) == canonical(raw)
        if not verdict.is_same:
            yield f"written again it is another document: {_first_difference(canonical(raw), canonical(again))}"
    try:
        back = [record.value for record in module.decode([again], {}) if isinstance(record, Record)]
    except DecodeError as error:
        yield f"what is written cannot be read again: {error}"
        return
    lost = _lost(documents, back)
    verdict.is_read_again = not lost
    if lost and not some_are_bad:
        yield f"written again it reads otherwise: {lost}"


def _encoded(module: Any, documents: list[Any], kind: str) -> bytes:
    """In the characters of the format, else in UTF-8. Raises MappingError."""
    try:
        return bytes(module.encode(documents, {}))
    except MappingError:
        if kind not in ("mt940", "mt942"):
            raise
    return bytes(module.encode(documents, {"encoding": "utf-8"}))


def canonical(raw: bytes) -> bytes:
    """XML as C14N, without comments and the blanks between elements."""
    root = parse(raw)
    for each in root.iter():
        if len(each) and not (each.text or "").strip():
            each.text = None
        if not (each.tail or "").strip():
            each.tail = None
    return bytes(etree.tostring(root, method="c14n", with_comments=False))


def _first_difference(one: bytes, other: bytes) -> str:
    at = next(
        (at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), min(len(one), len(other))
    )
    shown = [each[max(at - 40, 0) : at + 60].decode("utf-8", "replace") for each in (one, other)]
    return f"...{shown[0]}... / ...{shown[1]}..."


_APART = ("findings", "part", "format")  # what is told of it, and what it was read from


def _lost(one: Any, other: Any, path: str = "") -> str:
    """The first place where a document has lost something; what a format must have may be added."""
    if isinstance(one, dict) and isinstance(other, dict):
        found = (_lost(one[name], other.get(name), f"{path}.{name}") for name in one if name not in _APART)
        return next(filter(None, found), "")
    if isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{path}: {len(one)} / {len(other)}"
        return next(
            filter(None, (_lost(*pair, f"{path}[{at}]") for at, pair in enumerate(zip(one, other, strict=True)))), ""
        )
    return "" if one == other else f"{path}: {str(one)[:60]} / {str(other)[:60]}"


class Expectations(public_samples.Expectations):
    """The same of files that are no EDI."""

    judged, words = Path(__file__).with_name("public_documents.yaml"), ("refused", "skip", "wrong")

    def expected(self, said: Any, pattern: str) -> Expected:  # type: ignore[override]
        if said and isinstance(said, dict):
            return {str(name): super(Expectations, self).expected(each, pattern) for name, each in said.items()}
        return super().expected(said, pattern)

    def unsaid(self, name: str) -> Expected:  # type: ignore[override]
        return "wrong" if _WRONG.search(name.rpartition("/")[0].partition("/")[2]) else None


@dataclass
class Run:
    """What a run over a folder found. ``others`` counts files that are nothing of what is read, by their endings."""

    verdicts: dict[tuple[str, str], list[Verdict]] = field(default_factory=lambda: defaultdict(list))
    edi: list[Path] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)

    @property
    def surprises(self) -> int:
        return sum(bool(verdict.surprises) for those in self.verdicts.values() for verdict in those)


def run(folder: Path, judge: Judge, say: Callable[[str], None]) -> Run:
    """Judge every file of a folder but those of EDI, which are only found."""
    expectations, found = Expectations(folder), Run()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != EXPECTED):
        name, raw = path.relative_to(folder).as_posix(), path.read_bytes()
        kind = kind_of(raw)
        expected = expectations.of(name)
        if kind in ("", "test set") or expected == "skip":
            found.others[kind or path.suffix or "no ending"] += 1
        elif kind == "edi":
            found.edi.append(path)
        else:
            verdict = judge.judge(kind, raw, expected)
            found.verdicts[name.split("/")[0] if "/" in name else ".", kind].append(verdict)
            for surprise in verdict.surprises[:MAX_TOLD]:
                say(f"{name}: {verdict.told}\n    {surprise}")
    return found


def table(verdicts: Mapping[tuple[str, str], Sequence[Verdict]]) -> Iterator[str]:
    """How many files of each repository and format were read, or diagnosed, as expected; and how many were not."""
    width = max(len(name) for name, _ in verdicts)
    rows = [(f"{name:{width}}  {kind}", _row(those)) for (name, kind), those in sorted(verdicts.items())]
    return public_samples.lines(rows, _COLUMNS, f"{'':{width}}  format")


_COLUMNS = (
    "files", "good", "told", "refused", "documents", "same", "read again", "not written", "valid", "invalid",
    "surprises",
)  # fmt: skip


def _row(those: Sequence[Verdict]) -> list[int]:
    good = [one for one in those if not one.surprises]
    return [
        len(those), sum(one.faults == [] for one in good), sum(bool(one.faults) for one in good),
        sum(one.faults is None for one in good), sum(one.documents for one in those),
        sum(one.is_same for one in those), sum(one.is_read_again for one in those),
        sum(bool(one.unwritten) for one in those), sum(one.judged == "valid" for one in those),
        sum(one.judged == "invalid" for one in those), len(those) - len(good),
    ]  # fmt: skip


def report(found: Run) -> Iterator[str]:
    """The table, what was not written and why, and what judged."""
    every = [verdict for those in found.verdicts.values() for verdict in those]
    if every:
        yield from table(found.verdicts)
    for (kind, reason), count in Counter((one.kind, one.unwritten) for one in every if one.unwritten).most_common(20):
        yield f"not written: {count} {kind}: {reason}"
    for label, count in sorted(Counter(label for one in every for label in one.by).items()):
        yield f"judged by {label}: {count}"
    if found.others:
        yield "left out: " + ", ".join(f"{count} {name}" for name, count in found.others.most_common())
    yield f"o2c-hub {__version__}"


def main(folder: Path, project: Path | None = None, rules: Path | None = None) -> int:
    """Print surprises and tables; 1 where anything surprised."""
    found = run(folder, Judge(project), print)
    if not found.edi and not found.verdicts:
        print(f"{folder}: no files that are read; expected a folder of samples: EDI, UBL, CII, ISO 20022, bank files")
        return 1
    wrong = found.surprises
    if found.edi:
        wrong += public_samples.main(folder, found.edi)
    print(*report(found), sep="\n")
    if rules is not None:
        wrong += rule_sets.main(rules, project)
    rules_process().close()
    return int(bool(wrong))


if __name__ == "__main__":
    samples, *others = (Path(argument) if argument else None for argument in (*sys.argv[1:], "", ""))
    sys.exit(main(samples or Path(), *others[:2]))
