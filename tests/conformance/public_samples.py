"""Read a folder of EDI files that others have published, and tell whatever is not as it should be.

    make conformance SAMPLES=FOLDER

Every file is read twice, by the hub and by ``plain_edi.py``, a reader that shares nothing with it; EDIFACT a third
time by pydifact where that is installed and can. Both must see the same messages, segments, values, counts and
references. Read strictly, the same must come out, with what is only tolerated as errors. Written again it must be the
same to the byte, or the same but for what docs/explanation/edi.md names. A message with errors must still be there when
faults are passed. Nothing but an error of the codec may be raised.

Which faults a file has is told by ``expected.yaml`` in the folder, by path or pattern, of which the first
that fits counts:

    acme/good/*.edi: ok
    acme/wrong-count.edi: 0085:29 UNT 23       # list and code, tag, number of the segment in the file
    acme/two.edi: [718:4 SE 9, I18:021 IEA 12]
    acme/order.tradacoms: refused               # there is no interchange in it

Without it, only those faults may be told that the second reader sees too: wrong counts and references, trailers that
are missing, segments outside of messages. The last lines are a table by repository, the first folder of each path; the
exit code is 1 if anything is not as expected. A file that surprises is told with its faults as ``expected.yaml`` has
them.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import plain_edi
import yaml
from plain_edi import Plain

from hub.errors import DecodeError, MappingError
from hub.formats import Record, edifact, x12
from hub.formats._edi_envelopes import Interchange, Message
from hub.formats._edi_faults import EdiFault
from hub.grammars import Grammars, Interpreter, grammar_name

try:
    from pydifact.segmentcollection import RawSegmentCollection
except ImportError:
    RawSegmentCollection = None

ROOT = Path(__file__).parents[2]
EXPECTED, JUDGED = "expected.yaml", Path(__file__).with_name("public_samples.yaml")
MAX_TOLD = 20
Expected = Sequence[str] | str | None  # faults; "refused"; None: what the second reader says
Read = list[tuple[Interchange, list[Message]]]
_ENDS = ([["UNT"]], [["SE"]])
_EANCOM = {"D96A": "eancom/1997", "D01B": "eancom/2002"}


class Told:
    """What became of one file, in the form of expected.yaml. ``faults``: its errors; None where it was refused."""

    faults: list[str] | None

    @property
    def told(self) -> str:
        if self.faults is None:
            return "refused"
        return "[" + ", ".join(self.faults) + "]" if self.faults else "ok"


@dataclass
class Verdict(Told):
    """What became of one file. ``faults`` are its errors as expected.yaml names them, None where it was refused."""

    faults: list[str] | None = None
    surprises: list[str] = field(default_factory=list)
    messages: int = 0
    interpreted: int = 0  # messages that a grammar was there for
    is_exact: bool = False  # written again to the byte
    is_loose: bool = False  # an ISA is not padded
    has_third: bool = False  # pydifact read it too


class Judge:
    """Judges files by the grammars that are shipped."""

    def __init__(self) -> None:
        self._grammars = Grammars({
            path.relative_to(ROOT).as_posix(): path.read_bytes() for path in (ROOT / "schemas").rglob("*.yaml")
        })  # fmt: skip
        self._interpreter = Interpreter(self._grammars)

    def _grammars_of(self, message: Message) -> list[str]:
        """That of its type and version; of EANCOM too, where it says that it is of it."""
        names = [grammar_name(message)]
        if message.association.startswith("EAN"):
            names.append(f"{_EANCOM.get(message.version, '')}/{message.type}")
        return [name for name in names if self._grammars.has(name)]

    def _interpret(self, message: Message) -> tuple[Any, list[EdiFault]]:
        """By the grammar that fits best."""
        found = [self._interpreter.by(name, message) for name in self._grammars_of(message)]
        return min(found, key=lambda one: sum(fault.is_error for fault in one[1]), default=(None, []))

    def judge(self, raw: bytes, expected: Expected = None) -> Verdict:
        """Without ``expected`` the second reader tells what is to be expected."""
        verdict, plain = Verdict(), plain_edi.read(raw)
        try:
            verdict.surprises += self._read(raw, plain, expected, verdict)
        except Exception as error:  # whatever it is: that there is none but the codec's own is to be seen
            verdict.surprises.append(f"raised {type(error).__name__}: {error}")
        return verdict

    def _read(self, raw: bytes, plain: Plain, expected: Expected, verdict: Verdict) -> Iterator[str]:
        module: Any = x12 if plain.syntax == "x12" else edifact
        try:
            found = everything(module, raw, self._interpret)
        except DecodeError as error:
            if expected != "refused" and (expected is not None or plain.messages):
                yield f"refused: {error}"
            return
        messages = [message for _, those in found for message in those]
        verdict.messages = len(messages)
        verdict.is_loose = any(fault.full_code == "I18_022" for fault in faults_of(found))
        verdict.interpreted = sum(bool(self._grammars_of(message)) for message in messages)
        told = {fault: _named(fault, plain) for fault in faults_of(found) if fault.is_error}
        verdict.faults = list(told.values())
        yield from _unexpected(told, _by_plain(plain) if expected is None else expected)
        yield from _unlike(messages, plain)
        if raw.isascii():  # strictly, characters of another set are read otherwise
            yield from _strictly(found, everything(module, raw, self._interpret, strict=True))
        yield from _written(module, raw, plain, verdict)
        yield from _third(raw, plain, verdict)


def everything(module: Any, raw: bytes, interpret: Any, **settings: Any) -> Read:
    """Every interchange with its messages. Raises DecodeError where there is none."""
    return [(one, list(one.messages())) for one in module.read([raw], interpret=interpret, **settings)]


def faults_of(found: Read) -> list[EdiFault]:
    return [fault for one, those in found for fault in [*(f for m in those for f in m.faults), *one.faults]]


def _named(fault: EdiFault, plain: Plain) -> str:
    return f"{fault.code_list}:{fault.code} {fault.tag or '-'} {plain.number_at(fault.offset)}"


def _by_plain(plain: Plain) -> list[str]:
    """The faults that the second reader tells."""
    return [f"{code} {tag} {plain.number_at(at)}" for code, tag, at in plain.complaints]


def _unexpected(told: Mapping[EdiFault, str], expected: Sequence[str] | str) -> Iterator[str]:
    if expected == "refused":
        yield "read, although it was to be refused"
        return
    left = Counter(expected)
    for fault, name in told.items():
        if left[name] > 0:
            left[name] -= 1
        else:
            yield f"told, not expected: {fault}"
    for name in left.elements():
        yield f"expected, not told: {name}"


def _unlike(messages: list[Message], plain: Plain) -> Iterator[str]:
    """Where the two readers see other messages, segments or values."""
    ours = [message for message in messages if message.kind == "message"]
    if len(ours) != len(plain.messages):
        yield f"{len(ours)} messages; the second reader sees {len(plain.messages)}"
    for number, (message, other) in enumerate(zip(ours, plain.messages, strict=False), 1):
        if (message.type, message.reference) != (other.type, other.reference):
            yield f"message {number} is {message.type} {message.reference}; the second reader sees {other.type} " \
                  f"{other.reference}"  # fmt: skip
        if len(message.segments) != len(other.segments):
            yield f"message {number} has {len(message.segments)} segments; the second reader sees " \
                  f"{len(other.segments)}"  # fmt: skip
        pairs = zip(map(plain_edi.plain_values, message.segments), other.segments, strict=False)
        if place := next((place for place, (one, two) in enumerate(pairs, 1) if one != two), 0):
            yield f"message {number}, segment {place} is {str(message.segments[place - 1])[:200]}; the second reader " \
                  f"sees {str(other.segments[place - 1])[:200]}"  # fmt: skip


def _strictly(found: Read, strictly: Read) -> Iterator[str]:
    """Where strict reading does more than to make errors of what is tolerated."""
    if [m.segments for _, those in found for m in those] != [m.segments for _, those in strictly for m in those]:
        yield "read strictly it has other segments"
    one, two = ({(f.code_list, f.code, f.offset) for f in faults_of(each)} for each in (found, strictly))
    for code_list, code, offset in one ^ two:
        yield f"only one of lenient and strict reading tells {code_list}:{code} at byte {offset}"
    if any(not fault.is_error for fault in faults_of(strictly) if fault.level in ("interchange", "group")):
        yield "read strictly it has warnings of the envelope"


def _written(module: Any, raw: bytes, plain: Plain, verdict: Verdict) -> Iterator[str]:
    """Where what was read, whatever its faults, cannot be written again with the same segments."""
    records = list(module.decode([raw], {"faulty": "pass"}))
    documents = [record.value for record in records if isinstance(record, Record)]
    if len(documents) != verdict.messages:
        yield f"{len(documents)} documents of {verdict.messages} messages, although faults are passed"
    try:
        again = _encoded(module, [{k: v for k, v in one.items() if k != "faults"} for one in documents], raw)
    except MappingError as error:
        if not (error.position.startswith("ISA") and verdict.is_loose):  # what is no ISA cannot be written as one
            yield f"cannot be written again: {error}"
        return
    verdict.is_exact = again == raw
    if not verdict.is_exact and (one := _bodies(plain)) != (two := _bodies(plain_edi.read(again))):
        place = next((pair for pair in zip(one, two, strict=False) if pair[0] != pair[1]), (len(one), len(two)))
        yield f"written again it has other segments: {place}"


def _encoded(module: Any, documents: list[Any], raw: bytes) -> bytes:
    """In the character set of the label, else in the one that was sent. Raises MappingError."""
    try:
        return bytes(module.encode(documents, {}))
    except MappingError:
        if raw.isascii():
            raise
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return bytes(module.encode(documents, {"charset": "windows-1252"}))
    return bytes(module.encode(documents, {"charset": "utf-8"}))


def _bodies(plain: Plain) -> list[Any]:
    """The segments of all messages but for what is made right: trailers, and the lengths of objects."""
    every = [segment for message in plain.messages for segment in message.segments if segment[0] not in _ENDS]
    return [[*segment[:1], *segment[2:]] if segment[0] == [["BIN"]] else segment for segment in every]


def _third(raw: bytes, plain: Plain, verdict: Verdict) -> Iterator[str]:
    """Where pydifact sees other segments, if it is there and can read the file at all."""
    if RawSegmentCollection is None or plain.syntax != "edifact":
        return
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = RawSegmentCollection.from_str(raw.decode("latin-1"))
        tags = [segment.tag for segment in found.segments if segment.tag != "UNA"]
    except Exception:  # of what kind is its own matter
        return
    verdict.has_third = True
    if tags != plain.tags:
        yield f"pydifact sees {len(tags)} segments; there are {len(plain.tags)}"


class Expectations:
    """What ``expected.yaml`` says; where there is none, what was judged of the repositories that the docs name."""

    judged, words = JUDGED, ("refused",)

    def __init__(self, folder: Path) -> None:
        path = folder / EXPECTED if (folder / EXPECTED).exists() else self.judged
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict | None):
            raise SystemExit(f"{EXPECTED}: expected paths with what is wrong in these files")
        self._known: dict[str, Any] = found or {}

    def of(self, name: str) -> Expected:
        """What is to become of a file."""
        pattern = name if name in self._known else next((one for one in self._known if fnmatch(name, one)), "")
        said = self._known.get(pattern)
        return self.unsaid(name) if said is None else self.expected(said, pattern)

    def expected(self, said: Any, pattern: str) -> Expected:
        """The same as it is written down."""
        match said:
            case "ok":
                return []
            case str() as one:
                return one if one in self.words else [one]
            case list() as several:
                return [str(one) for one in several]
        words = ", ".join(self.words)
        raise SystemExit(f"{EXPECTED}: {pattern}: expected ok, {words}, a code or a list of codes")

    def unsaid(self, name: str) -> Expected:
        """The same of a file that nothing is said of."""
        return None


def main(folder: Path, files: Sequence[Path] | None = None) -> int:
    """Print surprises and the table; how many files surprised. ``files``: only these of the folder."""
    files = files or sorted(
        path for path in folder.rglob("*") if path.is_file() and path.name not in (EXPECTED, "README.md")
    )
    if not files:
        print(f"{folder}: no files; expected a folder of EDI samples")
        return 1
    judge, expectations = Judge(), Expectations(folder)
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for path in files:
        name = path.relative_to(folder).as_posix()
        verdict = judge.judge(path.read_bytes(), expectations.of(name))
        verdicts[name.split("/")[0] if "/" in name else "."].append(verdict)
        if verdict.surprises:
            print(f"{name}: {verdict.told}")
            print(*(f"    {told}" for told in verdict.surprises[:MAX_TOLD]), sep="\n")
    print(*table(verdicts), sep="\n")
    return sum(bool(verdict.surprises) for those in verdicts.values() for verdict in those)


_COLUMNS = (
    "files",
    "well-formed",
    "ill-formed",
    "refused",
    "messages",
    "by grammar",
    "to the byte",
    "pydifact",
    "surprises",
)


def table(verdicts: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    """How many files of each repository were read, or diagnosed, as expected; and how many were not."""
    return lines([(name, _row(those)) for name, those in sorted(verdicts.items())], _COLUMNS)


def lines(rows: Sequence[tuple[str, Sequence[int]]], columns: Sequence[str], over: str = "") -> Iterator[str]:
    """A table of numbers, each line with what stands before it, and their sums; ``over`` stands over the first."""
    rows = [*rows, ("all", [sum(numbers) for numbers in zip(*(row for _, row in rows), strict=True)])]
    width = max(len(name) for name in (over, *(name for name, _ in rows)))
    yield f"{over:{width}}" + "".join(f"  {column}" for column in columns)
    for name, row in rows:
        numbers = (f"  {number:{len(column)}}" for number, column in zip(row, columns, strict=True))
        yield f"{name:{width}}{''.join(numbers)}"


def _row(those: Sequence[Verdict]) -> list[int]:
    good = [one for one in those if not one.surprises]
    return [
        len(those), sum(one.told == "ok" for one in good), sum(bool(one.faults) for one in good),
        sum(one.faults is None for one in good), sum(one.messages for one in those),
        sum(one.interpreted for one in those), sum(one.is_exact for one in those),
        sum(one.has_third for one in those), len(those) - len(good),
    ]  # fmt: skip


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
