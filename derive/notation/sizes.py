"""Sizes that are not known yet: unification, and the names that they get in the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Dummy, Expr, Symbol, sympify

from derive.expressions.leaves import size
from derive.expressions.node import ONE, Conform, Shape


class Solver(Conform):
    """Sizes as unknowns. ``proper`` unknowns are the sizes of vectors, which never quietly become 1."""

    def __init__(self) -> None:
        self.bindings: dict[Expr, Expr] = {}
        self.proper: set[Expr] = set()

    def unknown(self, proper: bool = False) -> Expr:
        """A size that is to be found."""
        symbol = Dummy("size", integer=True, positive=True)
        if proper:
            self.proper.add(symbol)
        return symbol

    def fresh(self) -> Expr:
        return self.unknown()

    def value(self, a: Expr) -> Expr:
        """What is known of a size."""
        while a in self.bindings:
            a = self.bindings[a]
        if isinstance(a, Symbol) or a.is_Integer:
            return a
        found = {s: self.value(s) for s in a.free_symbols if s in self.bindings}
        return sympify(a.xreplace(found)) if found else a

    def shape(self, shape: Shape) -> Shape:
        return tuple(self.value(a) for a in shape)

    def is_one(self, a: Expr) -> bool:
        return self.value(a) == ONE

    def equal(self, a: Expr, b: Expr) -> bool:
        return self._unify(a, b, one_allowed=True)

    def inner(self, a: Expr, b: Expr) -> bool:
        return self._unify(a, b, one_allowed=False)

    def _unify(self, a: Expr, b: Expr, one_allowed: bool) -> bool:
        a, b = self.value(a), self.value(b)
        if a == b:
            return True
        if isinstance(b, Dummy) and not isinstance(a, Dummy):
            a, b = b, a
        if isinstance(a, Dummy):
            if b == ONE and (not one_allowed or a in self.proper):
                return False
            if a in b.free_symbols:
                return False
            if isinstance(b, Dummy) and a in self.proper:
                self.proper.add(b)
            self.bindings[a] = b
            return True
        return self._unify_sums(a, b)

    def _unify_sums(self, a: Expr, b: Expr) -> bool:
        """``n + ? = n + d``: one unknown on either side is solved for."""
        difference = (a - b).expand()
        if difference == 0:
            return True
        unknowns = [s for s in difference.free_symbols if isinstance(s, Dummy)]
        if len(unknowns) != 1:
            return False
        coefficient = difference.coeff(unknowns[0])
        rest = (difference - coefficient * unknowns[0]).expand()
        if coefficient == 0 or unknowns[0] in rest.free_symbols:
            return False
        solved = (-rest / coefficient).expand()
        if solved.is_nonpositive or solved == ONE or (solved.is_number and not solved.is_Integer):
            return False
        self.bindings[unknowns[0]] = solved
        return True

    def mark(self) -> dict[Expr, Expr]:
        """A state to come back to with :meth:`back`."""
        return dict(self.bindings)

    def back(self, mark: dict[Expr, Expr]) -> None:
        self.bindings = mark


_ALPHABET = ("p", "q", "r", "s", "u", "v")


def letters(first: str, taken: set[str]) -> Iterator[str]:
    """``n``, then ``n_2``, ``n_3``, ... without those taken."""
    if first not in taken:
        yield first
    number = 2
    while True:
        if f"{first}_{number}" not in taken:
            yield f"{first}_{number}"
        number += 1


def name_sizes(solver: Solver, wanted: Iterable[tuple[str, Shape]], taken: set[str]) -> None:
    """Give every open size a letter: ``wanted`` lists shapes with the letter their main size prefers (n state, d input,
    m output).
    """
    used = set(taken)
    remaining: list[Expr] = []
    for letter, shape in wanted:
        for a in shape:
            for unknown in sorted(
                (s for s in solver.value(a).free_symbols if isinstance(s, Dummy)), key=lambda s: s.dummy_index
            ):
                if letter:
                    name = next(letters(letter, used))
                    used.add(name)
                    solver.bindings[unknown] = size(name)
                elif unknown not in remaining:
                    remaining.append(unknown)
    for unknown in remaining:
        if isinstance(solver.value(unknown), Dummy):
            name = next((a for a in _ALPHABET if a not in used), None) or next(letters("p", used))
            used.add(name)
            solver.bindings[solver.value(unknown)] = size(name)
