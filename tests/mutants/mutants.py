"""Mutants of the reference project: files with one typing mistake in them, the same ones for the same seed.

The operators are typing mistakes that people make: in names, keys, codes, units, quotes, brackets, lines; functions,
tables, arguments and steps of paths that are mixed up or forgotten. They were written down without regard to what the
lint finds. Left out is what is no mistake to anybody but its author, because it says something else that is right: a
rate of 0.20 for 0.19, another condition, a street in the field for the town where both are free text, ``key?`` where
``key`` was meant, ``erp`` for ``crm`` in a route where nothing says what the systems take. A slip of the fingers may by
chance give a right word all the same; such mutants stay in, and nobody finds them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random

from tests.mutants import in_expressions as expressions
from tests.mutants import in_settings as settings
from tests.mutants import in_trees as trees
from tests.reference_project import LIBRARIES

Operator = Callable[[str, Random], str | None]

IN_EXPRESSIONS: tuple[Operator, ...] = (
    expressions.misspell_field, expressions.misspell_name, expressions.misspell_function, expressions.misspell_code,
    expressions.misspell_table, expressions.other_table, expressions.drop_argument, expressions.drop_currency,
    expressions.wrong_currency, expressions.swap_arguments, expressions.drop_call, expressions.wrong_function,
    expressions.foreign_function, expressions.wrap_in_list, expressions.forget_index, expressions.list_for_element,
    expressions.forget_step, expressions.forget_last_step, expressions.quote_path, expressions.unquote_text,
    expressions.number_as_text, expressions.or_for_default, expressions.foreign_operator, expressions.drop_bracket,
    expressions.shadowed_function,
)  # fmt: skip
IN_TREES: tuple[Operator, ...] = (
    trees.misspell_target, trees.misspell_keyword, trees.misspell_let, trees.misspell_schema, trees.drop_required,
    trees.drop_keyword_line, trees.drop_let, trees.double_line, trees.move_line, trees.drop_colon,
    trees.drop_yaml_quotes, expressions.misspell_constant, expressions.drop_const, expressions.text_as_number,
)  # fmt: skip
IN_ROUTES: tuple[Operator, ...] = (
    settings.misspell_mapping, settings.misspell_event, settings.swap_systems, settings.swap_mappings,
    settings.break_after, settings.impossible_when, settings.misspell_when, settings.wrong_lane_key,
)  # fmt: skip
IN_CONFIG: tuple[Operator, ...] = (
    settings.write_secret_out, settings.break_secret, settings.break_address, settings.drop_setting,
    settings.swap_digits,
)  # fmt: skip
IN_BOTH: tuple[Operator, ...] = (
    settings.misspell_key, settings.misspell_system, settings.misspell_choice, settings.wrong_unit,
    settings.wrong_number, settings.double_key, settings.move_setting, settings.drop_brace,
)  # fmt: skip
OPERATORS = (*IN_EXPRESSIONS, *IN_TREES, *IN_ROUTES, *IN_CONFIG, *IN_BOTH)
ROUTES = ("routes/orders.yaml",)
_OF_LIBRARY = 5  # mappings of each of its folders
EDI = ("mappings/edifact/", "mappings/x12/")
CONFIG = ("config/hub.yaml", "config/systems.yaml", "config/environments/demo.yaml")


@dataclass(frozen=True)
class Mutant:
    """One mistake: the operator that made it, the file, and its text with the mistake."""

    operator: str
    path: str
    text: str


def mutants(files: Mapping[str, bytes], mappings: tuple[str, ...], seed: int, count: int) -> list[Mutant]:
    """So many different mutants, each operator having made as many as any other where it finds the places."""
    waiting = {operator.__name__: _made(operator, files, mappings, seed) for operator in OPERATORS}
    found: list[Mutant] = []
    while waiting and len(found) < count:
        for name in list(waiting):
            mutant = next(waiting[name], None)
            if mutant is None:
                del waiting[name]
            elif len(found) < count:
                found.append(mutant)
    return found


def _made(operator: Operator, files: Mapping[str, bytes], mappings: tuple[str, ...], seed: int) -> Iterator[Mutant]:
    """The different mutants of one operator; its end comes when it makes no new ones any more."""
    rng = Random(f"{seed} {operator.__name__}")
    kinds = _files_for(operator, mappings, seed)
    seen = {files[path].decode() for paths in kinds for path in paths}
    misses = 0
    while misses < 40:
        path = rng.choice(rng.choice(kinds))
        text = operator(files[path].decode(), rng)
        if text is None or text in seen:
            misses += 1
            continue
        misses = 0
        seen.add(text)
        yield Mutant(operator.__name__, path, text)


def _files_for(operator: Operator, mappings: tuple[str, ...], seed: int) -> tuple[tuple[str, ...], ...]:
    """The files by their kind. Three mistakes in seven are in the libraries, as often in EDIFACT as in X12 as in all
    others, and in a few of their many mappings, which are drawn by the seed: they are long, and take their time."""
    if operator in IN_ROUTES:
        return (ROUTES,)
    if operator in IN_CONFIG:
        return (CONFIG,)
    if operator in IN_BOTH:
        return ((*ROUTES, *CONFIG),)
    drawn = Random(seed).sample(mappings, len(mappings))
    libraries = [tuple(path for path in drawn if path.startswith(folder))[:_OF_LIBRARY] for folder in EDI]
    others = tuple(path for path in drawn if path.startswith(LIBRARIES) and not path.startswith(EDI))[:_OF_LIBRARY]
    own = tuple(path for path in mappings if not path.startswith(LIBRARIES))
    return (own, own, own, own, *libraries, others)
