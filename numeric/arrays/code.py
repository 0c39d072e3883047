"""Expressions as array code: NumPy, or any library with its spelling.

A value has leading axes and a body. Leading axes are none (parameters, what all sequences share), the batch, or time and
batch; the body of a column or a row is one axis, that of a matrix two, that of a number none. Bodies stand last, so that
leading axes broadcast by themselves; only numbers beside vectors and matrices get axes of length 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from sympy import Expr, Symbol

from derive import expressions as e
from derive.errors import MissingRuleError
from derive.expressions.node import ONE
from derive.system import T
from numeric.arrays.library import Library
from numeric.association import halves

_ATOM, _POWER, _UNARY, _PRODUCT, _SUM, _OPEN = 6, 5, 4, 3, 2, 0
"""How tightly pieces of Python bind."""


@dataclass(frozen=True)
class Code:
    """A piece of source.

    Parameters
    ----------
    lead : 0 for no leading axes, 1 for the batch, 2 for time and batch.
    body : how many axes the body has.
    """

    text: str
    lead: int
    body: int
    level: int = _ATOM

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly."""
        return self.text if self.level >= level else f"({self.text})"


class Names:
    """Where quantities stand: what their arrays are called, and which rows are meant; and how the library is spelled."""

    library: Library

    def timed(self, leaf: e.Timed) -> Code:
        """A quantity at a time."""
        raise NotImplementedError

    def untimed(self, leaf: e.Var) -> Code:
        """A quantity without time."""
        raise NotImplementedError

    def number(self, value: Expr) -> Code:
        """A number made of sizes and times."""
        raise NotImplementedError

    def over(self, node: e.SumOver) -> Code:
        """A sum over time."""
        raise NotImplementedError

    def over_children(self, node: e.SumOverChildren) -> Code:
        """A sum over the children of a node."""
        raise NotImplementedError


class ArrayCode:
    """Source for expressions.

    Parameters
    ----------
    names : where quantities stand.
    used  : helpers that were used, for the module to define.
    """

    def __init__(self, names: Names, used: set[str]) -> None:
        self.names = names
        self.library = names.library
        self.used = used

    def __call__(self, node: e.Node) -> Code:
        method: Callable[[Any], Code] | None = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            raise MissingRuleError(f"{type(node).__name__} is not compiled", hint="numeric.evaluate has its value")
        return method(node)

    def size(self, value: Expr) -> str:
        """A size in code."""
        return sp.pycode(value) if not value.is_Symbol else str(value)

    # -- leaves ------------------------------------------------------------------------------------

    def _Timed(self, node: e.Timed) -> Code:
        return self.names.timed(node)

    def _Var(self, node: e.Var) -> Code:
        return self.names.untimed(node)

    def _Scalar(self, node: e.Scalar) -> Code:
        return self.names.number(node.value)

    def _constant(self, name: str, node: e.Node) -> Code:
        body = _body(node)
        sizes = (
            ", ".join(self.size(size) for size in node.shape if size != ONE) if body < 2 else self._sizes(node.shape)
        )
        return Code(self.library.write(name, shape=f"({sizes},)" if body == 1 else f"({sizes})"), 0, body)

    def _sizes(self, shape: Sequence[Expr]) -> str:
        return ", ".join(map(self.size, shape))

    def _Zero(self, node: e.Zero) -> Code:
        return Code("0.0", 0, 0) if node.is_scalar else self._constant("zeros", node)

    def _Ones(self, node: e.Ones) -> Code:
        return Code("1.0", 0, 0) if node.is_scalar else self._constant("ones", node)

    def _Identity(self, node: e.Identity) -> Code:
        return Code(self.library.write("identity", size=self.size(node.size)), 0, 2)

    def _OneHot(self, node: e.OneHot) -> Code:
        label = self(node.label)
        length = node.shape[0] * node.shape[1]
        return self._helper("one_hot", label.lead, 1, label.text, self.size(length), self.library.kind)

    def _helper(self, name: str, lead: int, body: int, *arguments: str) -> Code:
        self.used.add(name)
        return Code(f"{name}({', '.join(arguments)})", lead, body)

    # -- sums and products -------------------------------------------------------------------------

    def _spread(self, code: Code, body: int, level: int) -> str:
        """A value as an operand beside bodies of so many axes."""
        missing = body - code.body
        if missing <= 0 or (code.body == 0 and code.lead == 0):
            return code.at(level)
        return f"{code.at(_ATOM)}[..., {', '.join(['None'] * missing)}]"

    def _join(self, operands: Sequence[Code], sign: str, level: int) -> Code:
        body = max(code.body for code in operands)
        parts = [self._spread(code, body, level + (k > 0)) for k, code in enumerate(operands)]
        return Code(f" {sign} ".join(parts), max(code.lead for code in operands), body, level)

    def _Plus(self, node: e.Plus) -> Code:
        body = _body(node)
        terms = [
            (isinstance(term, e.Neg), self(term.operands[0] if isinstance(term, e.Neg) else term))
            for term in node.operands
        ]
        text = ""
        for k, (negative, code) in enumerate(terms):
            piece = self._spread(code, body, _PRODUCT)
            text += (
                (f"-{self._spread(code, body, _UNARY)}" if negative else piece)
                if k == 0
                else f" {'-' if negative else '+'} {piece}"
            )
        return Code(text, max(code.lead for _, code in terms), body, _SUM)

    def _Neg(self, node: e.Neg) -> Code:
        inner = self(node.operands[0])
        return Code(f"-{inner.at(_UNARY)}", inner.lead, inner.body, _UNARY)

    def _Hadamard(self, node: e.Hadamard) -> Code:
        return self._join([self(operand) for operand in node.operands], "*", _PRODUCT)

    def _Divide(self, node: e.Divide) -> Code:
        return self._join([self(operand) for operand in node.operands], "/", _PRODUCT)

    def _Power(self, node: e.Power) -> Code:
        base, exponent = self(node.base), self(node.exponent)
        if exponent.lead or exponent.body:
            return self._join([base, exponent], "**", _POWER)
        return Code(f"{base.at(_ATOM)} ** {exponent.at(_ATOM)}", base.lead, base.body, _POWER)

    def _Times(self, node: e.Times) -> Code:
        scalars = [self(factor) for factor in node.operands if factor.is_scalar]
        chain = [factor for factor in node.operands if not factor.is_scalar]
        if not chain:
            return self._join(scalars, "*", _PRODUCT)
        product = self.chain(chain)
        return self._join([*scalars, product], "*", _PRODUCT) if scalars else product

    def chain(self, factors: Sequence[e.Node]) -> Code:
        """A product of matrices and vectors, associated so that as little as possible is multiplied."""
        return self._associated(tuple(factors))

    def _associated(self, factors: tuple[e.Node, ...]) -> Code:
        if len(factors) == 1:
            return self(factors[0])
        return self._product(*halves(factors))

    def _product(self, left: tuple[e.Node, ...], right: tuple[e.Node, ...]) -> Code:
        rows, inner, columns = left[0].shape[0] != ONE, left[-1].shape[1] != ONE, right[-1].shape[1] != ONE
        scaled = self._scaled(left, right)
        if scaled is not None:
            return scaled
        a, b = self._associated(left), self._associated(right)
        lead = max(a.lead, b.lead)
        if not inner and not (rows and columns):  # beside a number that a product has become
            return self._join([a, b], "*", _PRODUCT)
        if not inner:  # a column times a row
            return Code(f"{a.at(_ATOM)}[..., :, None] * {b.at(_ATOM)}[..., None, :]", lead, 2, _PRODUCT)
        if rows and columns:
            return Code(f"{a.at(_PRODUCT)} @ {b.at(_UNARY)}", lead, 2, _PRODUCT)
        if not rows and not columns:
            return Code(f"({a.at(_PRODUCT)} * {b.at(_UNARY)}).sum(-1)", lead, 0)
        if rows:  # a matrix times a column
            if a.lead == 0:
                return Code(f"{b.at(_PRODUCT)} @ {self._turned(a)}", lead, 1, _PRODUCT)
            return Code(f"({a.at(_PRODUCT)} @ {b.at(_ATOM)}[..., None])[..., 0]", lead, 1)
        if b.lead == 0:
            return Code(f"{a.at(_PRODUCT)} @ {b.at(_UNARY)}", lead, 1, _PRODUCT)
        return Code(f"({a.at(_ATOM)}[..., None, :] @ {b.at(_UNARY)})[..., 0, :]", lead, 1)

    def _scaled(self, left: tuple[e.Node, ...], right: tuple[e.Node, ...]) -> Code | None:
        """diag(v) beside something scales its rows or columns; 1^T x adds entries up."""
        if len(left) == 1 and isinstance(left[0], e.Diag):
            v, x = self(left[0].operands[0]), self._associated(right)
            scale = v.at(_PRODUCT) if x.body == 1 else f"{v.at(_ATOM)}[..., :, None]"
            return Code(f"{scale} * {x.at(_UNARY)}", max(v.lead, x.lead), x.body, _PRODUCT)
        if len(right) == 1 and isinstance(right[0], e.Diag):
            x, v = self._associated(left), self(right[0].operands[0])
            scale = v.at(_UNARY) if x.body == 1 else f"{v.at(_ATOM)}[..., None, :]"
            return Code(f"{x.at(_PRODUCT)} * {scale}", max(v.lead, x.lead), x.body, _PRODUCT)
        for one, other, axis in ((left, right, -2), (right, left, -1)):
            if len(one) == 1 and isinstance(one[0], e.Ones) and 1 in one[0].shape and not one[0].is_scalar:
                inner = one[0].shape[1] != ONE if one is left else one[0].shape[0] != ONE
                if inner:
                    x = self._associated(other)
                    return Code(f"{x.at(_ATOM)}.sum({-1 if x.body == 1 else axis})", x.lead, x.body - 1)
        return None

    def _Inner(self, node: e.Inner) -> Code:
        a, b = (self(operand) for operand in node.operands)
        axes = "-1" if a.body == 1 else "(-2, -1)"
        return Code(f"({a.at(_PRODUCT)} * {b.at(_UNARY)}).sum({axes})", max(a.lead, b.lead), 0)

    def _summed(self, code: Code) -> Code:
        return Code(f"{code.at(_ATOM)}.sum({'-1' if code.body == 1 else '(-2, -1)'})", code.lead, 0)

    def _SquaredNorm(self, node: e.SquaredNorm) -> Code:
        x = self(node.operands[0])
        return (
            Code(f"({x.at(_ATOM)} ** 2).sum({'-1' if x.body == 1 else '(-2, -1)'})", x.lead, 0)
            if x.body
            else Code(f"{x.at(_ATOM)} ** 2", x.lead, 0, _POWER)
        )

    def _SumEntries(self, node: e.SumEntries) -> Code:
        x = self(node.operands[0])
        return self._summed(x) if x.body else x

    def _Norm(self, node: e.Norm) -> Code:
        x = self(node.operands[0])
        if x.body == 0:
            return Code(self.library.write("abs", x=x.text), x.lead, 0)
        if x.body == 1 or node.kind == "F":
            squares = f"({x.at(_ATOM)} ** 2).sum({'-1' if x.body == 1 else '(-2, -1)'})"
            return Code(self.library.write("sqrt", x=squares), x.lead, 0)
        return Code(self.library.write("spectral", x=x.text), x.lead, 0)

    def _Trace(self, node: e.Trace) -> Code:
        x = self(node.operands[0])
        return Code(self.library.write("trace", x=x.text), x.lead, 0)

    # -- structure ---------------------------------------------------------------------------------

    def _Transpose(self, node: e.Transpose) -> Code:
        inner = self(node.operands[0])
        return inner if inner.body < 2 else Code(self._turned(inner), inner.lead, 2)

    def _Diag(self, node: e.Diag) -> Code:
        v = self(node.operands[0])
        identity = self.library.write("identity", size=self.size(node.shape[0]))
        return Code(f"{v.at(_ATOM)}[..., :, None] * {identity}", v.lead, 2, _PRODUCT)

    def _DiagPart(self, node: e.DiagPart) -> Code:
        x = self(node.operands[0])
        return Code(self.library.write("diagonal", x=x.text), x.lead, 1)

    def _Inverse(self, node: e.Inverse) -> Code:
        x = self(node.operands[0])
        return Code(self.library.write("inverse", x=x.text), x.lead, 2)

    def _MatrixPower(self, node: e.MatrixPower) -> Code:
        x = self(node.base)
        exponent = self.names.number(node.exponent)
        if exponent.lead:
            raise MissingRuleError("a power of a matrix that changes over time is not compiled")
        return Code(self.library.write("power", x=x.text, exponent=f"int({exponent.text})"), x.lead, 2)

    def _Block(self, node: e.Block) -> Code:
        rows = [[self(entry) for entry in row] for row in node.rows]
        codes = [code for row in rows for code in row]
        lead = max(code.lead for code in codes)
        entries = [entry for row in node.rows for entry in row]
        pairs = zip(entries, codes, strict=True)
        whole = all(code.lead == lead and self._fills(entry, code) for entry, code in pairs)
        if _body(node) < 2:
            parts = [code.text if code.body else f"{self._filled(code)}[..., None]" for code in codes]
            return Code(self._joined(parts, -1, whole), lead, 1)
        lines = []
        for row, found in zip(node.rows, rows, strict=True):
            parts = [self._as_matrix(entry, code) for entry, code in zip(row, found, strict=True)]
            lines.append(self._joined(parts, -1, whole) if len(parts) > 1 else parts[0])
        return Code(self._joined(lines, -2, whole), lead, 2)

    def _joined(self, parts: Sequence[str], axis: int, whole: bool) -> str:
        """Parts end to end; their leading axes are broadcast where they may differ."""
        if whole:
            return self.library.write("joined", x=", ".join(parts), axis=axis)
        self.used.add("joined")
        return f"joined([{', '.join(parts)}], {axis})"

    def _fills(self, node: e.Node, code: Code) -> bool:
        """Whether an array surely has its leading axes in full, because something in it does."""
        if code.lead == 0:
            return True
        if node.atoms(e.SumOver, e.SumOverChildren):
            return False
        timed = (self.names.timed(leaf) for leaf in node.atoms(e.Timed))
        return any(leaf.lead == code.lead for leaf in (*timed, *map(self.names.untimed, node.atoms(e.Var))))

    def _as_matrix(self, node: e.Node, code: Code) -> str:
        if code.body == 2:
            return code.text
        if code.body == 0:
            return f"{self._filled(code)}[..., None, None]"
        return f"{code.at(_ATOM)}[..., :, None]" if node.shape[1] == ONE else f"{code.at(_ATOM)}[..., None, :]"

    def _Slice(self, node: e.Slice) -> Code:
        x = self(node.operands[0])
        top, bottom, left, right = (self.size(bound) for bound in node.bounds)
        if x.body < 2:
            first, last = (top, bottom) if node.operands[0].shape[1] == ONE else (left, right)
            taken = Code(f"{x.at(_ATOM)}[..., {first}:{last}]", x.lead, 1)
            return taken if _body(node) else Code(f"{taken.text}[..., 0]", x.lead, 0)
        taken = Code(f"{x.at(_ATOM)}[..., {top}:{bottom}, {left}:{right}]", x.lead, 2)
        gone = ", ".join("0" if size == ONE else ":" for size in node.shape)
        return taken if _body(node) == 2 else Code(f"{taken.text}[..., {gone}]", x.lead, _body(node))

    def _Vec(self, node: e.Vec) -> Code:
        x = self(node.operands[0])
        swapped = self.library.write("swapped", x=x.text)
        return Code(f"{swapped}.reshape(*{x.at(_ATOM)}.shape[:-2], -1)", x.lead, 1)

    # -- functions ---------------------------------------------------------------------------------

    def _Apply(self, node: e.Apply) -> Code:
        if node.declaration is None:
            raise MissingRuleError(f"{node.function} is an abstract function", hint="name a function that is declared")
        inside = node.argument
        if (node.function, node.order) == ("log", 0) and isinstance(inside, e.Softmax):
            z = self(inside.operands[0])
            return self._helper("log_softmax", z.lead, z.body, z.text)
        if (
            (node.function, node.order) == ("log", 0)
            and isinstance(inside, e.Apply)
            and (inside.function, inside.order) == ("sigma", 0)
        ):
            z = self(inside.argument)
            return self._helper("log_sigma", z.lead, z.body, z.text)
        x = self._argument(node.argument)
        return self._helper(f"{node.declaration.name}{'_prime' * node.order}", x.lead, x.body, x.text)

    def _argument(self, node: e.Node) -> Code:
        """What a function of the library is applied to: not all of them take plain numbers."""
        code = self(node)
        return code if node.atoms(e.Timed, e.Var) else replace(code, text=self.library.write("number", x=code.text))

    def _Extreme(self, node: e.Extreme) -> Code:
        operands = [self._argument(operand) for operand in node.operands]
        body = max(code.body for code in operands)
        parts = ", ".join(self._spread(code, body, _OPEN) for code in operands)
        return Code(self.library.write(f"{node.kind}imum", x=parts), max(code.lead for code in operands), body)

    def _Softmax(self, node: e.Softmax) -> Code:
        x = self(node.operands[0])
        return self._helper("softmax", x.lead, x.body, x.text)

    def _turned(self, code: Code) -> str:
        """A matrix, transposed."""
        if code.lead == 0:
            turned_back = code.level == _ATOM and code.text.endswith(".T")
            return code.text[:-2] if turned_back else f"{code.at(_ATOM)}.T"
        return self.library.write("swapped", x=code.text)

    def _filled(self, code: Code) -> str:
        """A number as an array."""
        return code.at(_ATOM) if code.lead else self.library.write("array", x=code.text)

    def _SumOver(self, node: e.SumOver) -> Code:
        return self.names.over(node)

    def _SumOverChildren(self, node: e.SumOverChildren) -> Code:
        return self.names.over_children(node)


def _body(node: e.Node) -> int:
    """How many axes a value has beside the leading ones."""
    return sum(size != ONE for size in node.shape)


def number_code(value: Expr, symbols: Mapping[Symbol, str]) -> str:
    """A number made of sizes and times as Python."""
    return str(sp.pycode(value.xreplace({symbol: Symbol(name) for symbol, name in symbols.items()})))


__all__ = ["ArrayCode", "Code", "Names", "T", "number_code"]
