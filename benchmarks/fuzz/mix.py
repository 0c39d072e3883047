"""The input that belongs to a seed and a number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from random import Random

from benchmarks.fuzz.cases import Case
from benchmarks.fuzz.changes import other_line_ends
from benchmarks.fuzz.generators import cells, changed, damaged, formulas, markup, names, sizes

Generator = Callable[[Random], Case]
CHECKED: Mapping[Generator, int] = {
    changed.changed_document: 12,
    changed.changed_truth: 10,
    changed.retold_truth: 14,
    formulas.random_formula: 6,
    formulas.conforming_formula: 14,
    damaged.soup: 4,
    formulas.closed_formula: 7,
    sizes.deep: 4,
    damaged.unbalanced: 4,
    markup.macros: 8,
    formulas.numbers: 10,
    sizes.matrices: 3,
    sizes.many: 2,
    changed.unicode: 6,
    changed.commands: 6,
    markup.markdown: 4,
    markup.notebooks: 5,
    names.definitions: 10,
    names.values: 8,
    formulas.bounds: 4,
    cells.hostile_cells: 10,
    cells.own_cells: 4,
    names.aliases: 4,
    damaged.noise: 2,
    sizes.large: 1,
}
"""How often each generator is used where documents are checked; a new one goes to the end, or the old numbers change their inputs."""
READ: Mapping[Generator, int] = {
    changed.changed_document: 6,
    changed.changed_truth: 20,
    changed.retold_truth: 20,
    formulas.random_formula: 8,
    formulas.conforming_formula: 10,
    damaged.soup: 8,
    sizes.deep: 2,
    damaged.unbalanced: 8,
    markup.macros: 4,
    formulas.numbers: 10,
    changed.unicode: 12,
    changed.commands: 4,
    markup.markdown: 4,
    markup.notebooks: 4,
    names.definitions: 6,
    formulas.bounds: 4,
    cells.hostile_cells: 2,
    cells.own_cells: 1,
    damaged.noise: 6,
}
"""The same where they are read only."""
LONGEST, LONGEST_READ = 999_000, 500
"""The longest texts of both."""
TRIES = 4
"""So often a text that is too long is made anew before it is cut."""


def case(seed: int, number: int) -> Case:
    """One input to be checked, which depends on the seed and its own number alone."""
    random = Random(f"{seed}/{number}")
    made = _made(random, CHECKED)
    text = other_line_ends(random, made.text) if random.random() < 0.1 else made.text
    command = random.random() < 0.06
    return replace(made, text=text[:LONGEST], inline=random.random() < 0.2, command=command)


def short_case(seed: int, number: int) -> Case:
    """One input to be read: a short one, in which formulas within lines count."""
    random = Random(f"{seed}/{number}/read")
    for _ in range(TRIES):
        made = _made(random, READ)
        if len(made.text) <= LONGEST_READ:
            break
    text = other_line_ends(random, made.text) if random.random() < 0.1 else made.text
    return replace(made, text=text[:LONGEST_READ], inline=True)


def _made(random: Random, mix: Mapping[Generator, int]) -> Case:
    (chosen,) = random.choices(list(mix), list(mix.values()))
    return replace(chosen(random), kind=chosen.__name__.replace("_", " "))
