"""What an array library calls the operations that generated code uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr, Function
from sympy.core.function import AppliedUndef
from sympy.printing.codeprinter import CodePrinter


class Elementwise(CodePrinter):
    """Formulas of an array z: functions without a counterpart in the library are helpers; numbers take the type of z."""

    module = ""

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": True})

    def formula(self, expr: Expr) -> str:
        """A formula; square roots of numbers and the like are numbers of Python, which leave the type as it is."""
        rounded = expr.replace(_is_irrational, lambda number: number.evalf(17))
        return str(self.doprint(rounded)) if rounded.free_symbols else self._branch(rounded)

    def _print_Function(self, expr: Function) -> str:
        return self._helper(expr) if isinstance(expr, AppliedUndef) else str(super()._print_Function(expr))

    def _print_erf(self, expr: Function) -> str:
        return self._helper(expr)

    def _helper(self, expr: Function) -> str:
        return f"{expr.func.__name__}({', '.join(map(self._print, expr.args))})"

    def _print_Piecewise(self, expr: Expr) -> str:
        text = self._branch(expr.args[-1].expr)
        for value, condition in reversed(expr.args[:-1]):
            text = f"{self.module}.where({self._print(condition)}, {self._branch(value)}, {text})"
        return text

    def _branch(self, value: Expr) -> str:
        return f"{self.module}.full_like(z, {self._print(value)})" if value.is_number else str(self._print(value))


def _is_irrational(expr: Expr) -> bool:
    return bool(expr.is_number) and not expr.is_Rational


@dataclass(frozen=True)
class Library:
    """The spelling of one library.

    Parameters
    ----------
    name      : of the backend.
    opening   : the import at the top of a module.
    kind      : the argument of both passes that says of which type arrays are made.
    spellings : for each operation a template; ``{x}`` stands for an array, ``{shape}`` for sizes in parentheses.
    helpers   : functions with a definition of their own, by name.
    needs     : what a helper uses itself.
    plain     : elementwise functions, and what the library calls them.
    printer   : SymPy's printer for elementwise functions that have a formula.
    scans     : whether a loop is a function of what it carries, because arrays cannot be changed.
    """

    name: str
    opening: str
    kind: str
    spellings: Mapping[str, str]
    helpers: Mapping[str, str]
    needs: Mapping[str, tuple[str, ...]]
    plain: Mapping[str, str]
    printer: type[Elementwise]
    scans: bool = False

    def write(self, operation: str, **parts: object) -> str:
        """One operation."""
        return self.spellings[operation].format(**parts, kind=self.kind)


OUTER_SUM = '''
def outer_sum(a, b):
    """The sum of a bᵀ over all leading axes, as one matrix product."""
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])
'''
"""A helper that both libraries write in the same way."""

__all__ = ["OUTER_SUM", "Elementwise", "Library"]
