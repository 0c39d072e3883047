"""The functions that generated modules use, as source: stable where a formula alone would overflow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import sympy as sp

from derive.errors import MissingRuleError
from derive.functions import ElementwiseFunction, declared, elementwise
from numeric.arrays.library import Library


def helper_names(library: Library) -> tuple[str, ...]:
    """Names that helpers may have."""
    functions = [f.name for f in declared()]
    return (*library.helpers, *functions, *(f"{name}{'_prime' * order}" for name in functions for order in (1, 2)))


def helper_source(names: Iterable[str], library: Library) -> Iterator[str]:
    """The source of each helper, each after what it needs."""
    done: dict[str, str] = {}
    for name in sorted(names):
        _define(name, library, done)
    yield from done.values()


def _define(name: str, library: Library, done: dict[str, str]) -> None:
    if name in done:
        return
    if name.startswith("import "):
        done[name] = name
        return
    if name in library.helpers:
        for needed in library.needs.get(name, ()):
            _define(needed, library, done)
        done[name] = library.helpers[name].strip()
    elif name in library.plain:
        done[name] = f"{name} = {library.plain[name]}"
    else:
        order = name.count("_prime")
        function = elementwise(name[: name.index("_prime")] if order else name)
        if function is None:
            raise MissingRuleError(f"{name} is no function that is declared")
        done[name] = _derivative(name, function, order, library, done)


def _derivative(name: str, function: ElementwiseFunction, order: int, library: Library, done: dict[str, str]) -> str:
    """A derivative as a polynomial in the output where there is one, else from the definition."""
    printed = library.printer().formula
    y = sp.Symbol("y")
    by_output = function.derivative_in_output(y, order) if order else None
    if by_output is not None and by_output.is_polynomial(y):
        _define(function.name, library, done)
        formula = printed(sp.factor(by_output) if order == 1 else by_output)
        return f"def {name}(z):\n    y = {function.name}(z)\n    return {formula}"
    formula_z = stable_formula(function, order)
    for needed in (sp.erf, sp.Function("sigma"), sp.Function("softplus")):
        if formula_z.has(needed):
            _define(str(needed), library, done)
    return f"def {name}(z):\n    return {printed(formula_z)}"


def stable_formula(function: ElementwiseFunction, order: int) -> sp.Expr:
    """The definition of a function in z, or a derivative of it, such that nothing overflows on the way."""
    z = sp.Symbol("z", real=True)
    return _stable(function.derivative(z, order) if order else function.definition(z), z)


def _stable(formula: sp.Expr, z: sp.Symbol) -> sp.Expr:
    """A formula in exp(z) by the logistic function and softplus, which do not overflow, if no exponential stays behind."""
    s, plus = sp.symbols("s plus")
    moved = formula.xreplace({sp.log(1 + sp.exp(z)): plus}).subs(sp.exp(z), s / (1 - s))
    if not moved.has(s) or moved.has(sp.exp, sp.Piecewise):
        return formula
    moved = sp.factor(sp.cancel(sp.together(moved)))
    if sp.fraction(moved)[1].has(s):
        return formula
    return moved.subs({s: sp.Function("sigma")(z), plus: sp.Function("softplus")(z)})
