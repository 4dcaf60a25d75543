"""Coverage as one HTML page that needs nothing but itself: every source line, coloured by what ran of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from hub.golden.coverage import Coverage, FileCoverage
from hub.golden.results import Result
from hub.golden.telling import result_lines
from hub.mapping import BRANCH, EXPRESSION, Probe

_STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1c; --paper: #fff; --soft: #666; --edge: #ddd; --ran: #e3f4e3;
  --missed: #fbd9d9; --part: #fdf0c8; --mark: #c00; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #16181b; --soft: #999; --edge: #333;
  --ran: #173317; --missed: #4a1d1d; --part: #453a13; --mark: #ff8080; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 2rem auto;
  max-width: 75rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.5rem; }
table { border-collapse: collapse; } td, th { padding: .2rem .9rem .2rem 0; text-align: left; }
th { border-bottom: 1px solid var(--edge); font-weight: 600; } td.n, th.n { text-align: right; }
a { color: inherit; } a:focus, .line:focus { outline: 2px solid currentColor; outline-offset: 1px; }
pre { font: 13px/1.5 ui-monospace, monospace; overflow-x: auto; border: 1px solid var(--edge); padding: .5rem 0; }
.line { display: block; padding: 0 .6rem; white-space: pre; } .line.ran { background: var(--ran); }
.line.missed { background: var(--missed); } .line.part { background: var(--part); }
.number { display: inline-block; width: 4ch; color: var(--soft); text-align: right; margin-right: 1.5ch;
  user-select: none; }
.gap { text-decoration: underline wavy var(--mark); text-underline-offset: 3px; }
.note { color: var(--mark); font-size: 12px; margin-left: 2ch; white-space: pre-wrap; }
.soft { color: var(--soft); } .failed { color: var(--mark); }
kbd { border: 1px solid var(--edge); border-radius: 3px; padding: 0 .3em; }
"""
_SCRIPT = """
addEventListener('keydown', event => {
  const step = {n: 1, j: 1, p: -1, k: -1}[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const gaps = [...document.querySelectorAll('.line.missed, .line.part')];
  if (!gaps.length) return;
  const here = gaps.indexOf(document.activeElement);
  const next = gaps[here < 0 ? (step > 0 ? 0 : gaps.length - 1) : (here + step + gaps.length) % gaps.length];
  next.focus(); next.scrollIntoView({block: 'center'});
});
"""


def coverage_page(coverage: Coverage, results: Sequence[Result], title: str) -> str:
    """The whole page."""
    parts = [
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Coverage of {escape(title)}</title><style>{_STYLE}</style></head><body><main>",
        f"<h1>Coverage of {escape(title)}: {coverage.percent:.1f} %</h1>",
        f"<p>{_verdict(results)} {escape(summary(coverage))}</p>",
        '<p class="soft"><kbd>n</kbd> and <kbd>p</kbd> lead to the next and the previous line with something that '
        "never ran.</p>",
        *_table(coverage),
        *(part for number, file in enumerate(coverage.files) for part in _file(number, file)),
        *_failures(results),
        f"</main><script>{_SCRIPT}</script></body></html>\n",
    ]
    return "\n".join(parts)


def summary(coverage: Coverage) -> str:
    """``3 of 58 expressions and 2 of 40 branches never ran``."""
    parts = [
        f"{coverage.count(kind, missed=True)} of {coverage.count(kind)} {plural}"
        for kind, plural in ((EXPRESSION, "expressions"), (BRANCH, "branches"))
    ]
    return f"{' and '.join(parts)} never ran ({coverage.percent:.1f} % covered)"


def _verdict(results: Sequence[Result]) -> str:
    failed = sum(not result.passed for result in results)
    passed = f"{len(results) - failed} passed"
    return f'<strong class="failed">{failed} failed</strong>, {passed}.' if failed else f"{passed}, none failed."


def _table(coverage: Coverage) -> Iterator[str]:
    yield '<table><thead><tr><th>file</th><th class="n">expressions</th><th class="n">branches</th>'
    yield '<th class="n">never ran</th><th class="n">covered</th></tr></thead><tbody>'
    for number, file in enumerate(coverage.files):
        share = Coverage([file]).percent
        untested = "" if file.has_tests else ' <span class="failed">no test file</span>'
        yield (
            f'<tr><td><a href="#f{number}">{escape(file.file)}</a>{untested}</td>'
            f'<td class="n">{file.count(EXPRESSION)}</td><td class="n">{file.count(BRANCH)}</td>'
            f'<td class="n">{len(file.missed)}</td><td class="n">{share:.1f} %</td></tr>'
        )
    yield "</tbody></table>"


def _file(number: int, file: FileCoverage) -> Iterator[str]:
    yield f'<section id="f{number}"><h2>{escape(file.file)}</h2><pre>'
    for line_number, line in enumerate(file.text.splitlines(), 1):
        yield _line(number, line_number, line, file)
    yield "</pre></section>"


def _line(file_number: int, number: int, text: str, file: FileCoverage) -> str:
    own = [probe for probe in file.probes if probe.line == number]
    missed = [probe for probe in own if probe not in file.hit]
    state = "" if not own else "ran" if not missed else "missed" if len(missed) == len(own) else "part"
    stop = ' tabindex="0"' if missed else ""
    notes = "; ".join(f"{probe.way}: {probe.text}" if probe.way != EXPRESSION else probe.text for probe in missed)
    note = f'<span class="note">never ran: {escape(notes)}</span>' if notes else ""
    mark = f'<span class="number">{number}</span>'
    return f'<span class="line {state}" id="f{file_number}l{number}"{stop}>{mark}{_marked(text, missed)}{note}</span>'


def _marked(text: str, missed: Sequence[Probe]) -> str:
    """The line with what never ran underlined; of pieces within each other the outermost."""
    parts, at = [], 0
    for probe in sorted(missed, key=lambda probe: (probe.column, -probe.end_column)):
        stop = probe.end_column - 1 if probe.end_line == probe.line else len(text)
        if probe.column - 1 < at:
            continue
        parts += [
            escape(text[at : probe.column - 1]),
            f'<span class="gap">{escape(text[probe.column - 1 : stop])}</span>',
        ]
        at = stop
    return "".join([*parts, escape(text[at:])])


def _failures(results: Sequence[Result]) -> Iterator[str]:
    failed = [result for result in results if not result.passed]
    if not failed:
        return
    yield "<h2>Failed</h2>"
    for result in failed:
        yield f"<h3>{escape(result.file)}:{result.line} {escape(result.title)}</h3>"
        yield f"<pre>{escape(chr(10).join(result_lines(result)))}</pre>"
