"""A chain that names a product and then writes it out in numbers, as in W = QΛQ^{-1} = (...) (...) (...). The letters stand for the factors
that follow in the same order, and what stands there once more, inverted or transposed, must be so.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

import sympy as sp

from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.elaborate import build, resolve
from derive.notation.operations import Pre
from verify.closed import value_of

_TOLERANCE = sp.Rational(1, 100)
"""How far an inverse may be off in any entry, relative to its largest: factors are shown with few digits."""
_PRODUCTS = ("times", "cdot", "cross", "ast")


def spelled_out(relation: s.Relation, known: Container[str]) -> s.Relation:
    """A chain without the products of letters that the next link writes out.

    Parameters
    ----------
    known : names that have a meaning already, and are taken by it.

    Raises
    ------
    ParseError : a factor is not the inverse or the transpose that the letters say.
    """
    items, operators = list(relation.items), list(relation.operators)
    for k in reversed(range(1, len(items) - 1)):
        if operators[k - 1] != "=" or operators[k] != "=":
            continue
        letters, factors = _letters(items[k], known), _numbers(items[k + 1])
        if letters is None or factors is None or len(letters) != len(factors):
            continue
        _check(letters, factors, items[k + 1])
        del items[k], operators[k]
    return s.Relation(tuple(operators), tuple(items), span=relation.span)


def _letters(item: s.Surface, known: Container[str]) -> list[tuple[str, str]] | None:
    """The factors of a product of letters: each with what is done to it; None for any other formula."""
    found = []
    for factor in _factors(item):
        done, inner = "", factor
        if factor.op == "power" and factor.data == -1 and len(factor.args) == 1:
            done, inner = "inverse", factor.args[0]
        elif factor.op in ("transpose", "transpose_or_power"):
            done, inner = "transpose", factor.args[0]
        if inner.op != "name" or inner.data[1] is not None or inner.data[0] in known:
            return None
        found.append((inner.data[0], done))
    return found if len(found) > 1 else None


def _numbers(item: s.Surface) -> list[sp.Matrix] | None:
    """The factors of a product of matrices of numbers; None for any other formula."""
    try:
        return [value_of(build(factor)) for factor in _factors(item)]
    except (BpttError, ArithmeticError, AttributeError, NotImplementedError, TypeError, ValueError):
        return None


def _factors(item: s.Surface) -> list[Pre]:
    try:
        return list(_flat(resolve(item)))
    except BpttError:
        return []


def _flat(pre: Pre) -> Iterator[Pre]:
    if pre.op in _PRODUCTS:
        for arg in pre.args:
            yield from _flat(arg)
    else:
        yield pre


def _check(letters: list[tuple[str, str]], factors: list[sp.Matrix], item: s.Surface) -> None:
    meant: dict[str, sp.Matrix] = {}
    pairs = list(zip(letters, factors, strict=True))
    for (letter, done), factor in sorted(pairs, key=lambda pair: pair[0][1] != ""):
        if not done and letter not in meant:
            meant[letter] = factor
            continue
        if letter not in meant:
            continue
        want = _done(meant[letter], done)
        if want is None or not _near(want, factor):
            what = f"the {done} of {letter}" if done else letter
            raise ParseError(
                f"a factor that stands for {what} is not",
                span=item.span,
                expected="the same matrix" if not done else None,
            )


def _done(matrix: sp.Matrix, done: str) -> sp.Matrix | None:
    if done == "transpose":
        return matrix.T
    if done == "inverse":
        return matrix.inv() if matrix.rows == matrix.cols and matrix.det() != 0 else None
    return matrix


def _near(want: sp.Matrix, have: sp.Matrix) -> bool:
    if want.shape != have.shape:
        return False
    room = _TOLERANCE * max(abs(entry) for entry in want)
    return all(abs(a - b) <= room for a, b in zip(want, have, strict=True))


__all__ = ["spelled_out"]
