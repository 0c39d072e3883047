"""From expressions to terms of the index form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from sympy import Basic, Dummy, Expr, Integer, Max, Min, Poly, PolynomialError, Symbol

from derive import expressions as e
from derive.expressions import make
from derive.expressions.node import ONE, Shape
from derive.functions import ElementwiseFunction
from derive.normal.terms import Factor, Index, Term, contract, multiply, never_above, scalar_term, sort_key

MAX_TERMS = 4000
"""How many terms a formula may have before it is called too large to decide."""


class TooLarge(Exception):
    """A formula has too many terms."""


class Unsupported(Exception):
    """An operation has no index form here."""


class Converter:
    """Writes expressions in indices. ``key`` gives the canonical key of an inner formula (an argument of a function, a
    body of a product).
    """

    def __init__(self, key: Callable[[e.Node], tuple[Any, tuple[Expr, ...]]]) -> None:
        self.key = key

    def terms(self, node: e.Node, at: Sequence[Index | None]) -> list[Term]:
        """The terms of ``node[at]``; an index is None where the size is 1."""
        method: Callable[[Any, Sequence[Index | None]], list[Term]] | None = getattr(
            self, f"_{type(node).__name__}", None
        )
        if method is None:
            raise Unsupported(type(node).__name__)
        result = method(node, at)
        if len(result) > MAX_TERMS:
            raise TooLarge
        return result

    # -- helpers -----------------------------------------------------------------------------------

    def _atom(self, head: tuple[Any, ...], at: Sequence[Index | None], times: tuple[Expr, ...] = ()) -> list[Term]:
        return [Term(Integer(1), (Factor(head, times, tuple(i for i in at if i is not None)),))]

    def _opaque(self, node: e.Node, at: Sequence[Index | None], label: str) -> list[Term]:
        """A function of a whole formula that is not written out: known by the canonical key of its argument."""
        key, times = self.key(node)
        return self._atom((label, key), at, times)

    def product(self, *lists: list[Term]) -> list[Term]:
        result = [Term(Integer(1))]
        for terms in lists:
            joined = []
            for a in result:
                for b in terms:
                    c = multiply(a, b)
                    if c is not None:
                        joined.append(c)
            result = joined
            if len(result) > MAX_TERMS:
                raise TooLarge
        return result

    @staticmethod
    def _sub(node: e.Node, at: Sequence[Index | None]) -> Sequence[Index | None]:
        """The indices of an operand: none for a scalar beside a vector or matrix."""
        return [None] * len(node.shape) if node.is_scalar else at

    # -- leaves ------------------------------------------------------------------------------------

    def _Scalar(self, node: e.Scalar, at: Sequence[Index | None]) -> list[Term]:
        return [scalar_term(node.value)]

    def _Var(self, node: e.Var, at: Sequence[Index | None]) -> list[Term]:
        return self._atom(("quantity", node.name), at)

    def _Timed(self, node: e.Timed, at: Sequence[Index | None]) -> list[Term]:
        return self._atom(("timed", node.name), at, (node.time,))

    def _Zero(self, node: e.Zero, at: Sequence[Index | None]) -> list[Term]:
        return []

    def _Ones(self, node: e.Ones, at: Sequence[Index | None]) -> list[Term]:
        return [Term(Integer(1))]

    def _Identity(self, node: e.Identity, at: Sequence[Index | None]) -> list[Term]:
        return self._delta(node.size, at)

    def _delta(self, size: Expr, at: Sequence[Index | None]) -> list[Term]:
        """The entries of an identity; that of size 1 is a number, and has no indices."""
        return [Term(Integer(1))] if size == ONE else self._atom(("delta", size), at)

    def _OneHot(self, node: e.OneHot, at: Sequence[Index | None]) -> list[Term]:
        return self._opaque(node.label, at, "onehot")

    # -- algebra -----------------------------------------------------------------------------------

    def _Plus(self, node: e.Plus, at: Sequence[Index | None]) -> list[Term]:
        return [term for operand in node.operands for term in self.terms(operand, self._sub(operand, at))]

    def _Neg(self, node: e.Neg, at: Sequence[Index | None]) -> list[Term]:
        return [term.scaled(Integer(-1)) for term in self.terms(node.operands[0], at)]

    def _Times(self, node: e.Times, at: Sequence[Index | None]) -> list[Term]:
        chain = [f for f in node.operands if not f.is_scalar]
        lists = [self.terms(f, [None] * len(f.shape)) for f in node.operands if f.is_scalar]
        inner: list[Index] = []
        left = at[0] if chain else None
        if chain and chain[0].shape[0] == ONE:
            left = None
        for k, factor in enumerate(chain):
            if k == len(chain) - 1:
                right: Sequence[Index | None] = self._last(factor, chain, at)
            else:
                link = None if factor.shape[1] == ONE else Index.new(factor.shape[1])
                if link is not None:
                    inner.append(link)
                right = [link]
            lists.append(self.terms(factor, [left, *right]))
            left = right[0]
        return [self._with_inner(term, inner) for term in self.product(*lists)]

    @staticmethod
    def _last(factor: e.Node, chain: list[e.Node], at: Sequence[Index | None]) -> Sequence[Index | None]:
        """Indices of the last factor after its first: those of the result that are left."""
        return at[len(at) - (len(factor.shape) - 1) :]

    @staticmethod
    def _with_inner(term: Term, inner: list[Index]) -> Term:
        return Term(term.coefficient, term.factors, term.inner + tuple(inner), term.times, term.region, term.segments)

    def _Hadamard(self, node: e.Hadamard, at: Sequence[Index | None]) -> list[Term]:
        return self.product(*(self.terms(operand, self._sub(operand, at)) for operand in node.operands))

    def _Divide(self, node: e.Divide, at: Sequence[Index | None]) -> list[Term]:
        above, below = node.operands
        return self.product(self.terms(above, self._sub(above, at)), self._reciprocal(below, self._sub(below, at)))

    def _reciprocal(self, node: e.Node, at: Sequence[Index | None]) -> list[Term]:
        if isinstance(node, e.Scalar):
            return [scalar_term(1 / node.value)]
        return self._opaque(node, at, "reciprocal")

    def _Power(self, node: e.Power, at: Sequence[Index | None]) -> list[Term]:
        exponent = node.exponent
        if isinstance(exponent, e.Scalar) and exponent.value.is_Integer and abs(int(exponent.value)) <= 6:
            count = int(exponent.value)
            # Each factor is converted anew: inner indices must not be shared between the factors.
            one = self.terms if count > 0 else self._reciprocal
            return self.product(*(one(node.base, at) for _ in range(abs(count))))
        key, times = self.key(node.base)
        power, more = self.key(exponent)
        return self._atom(("power", key, power), at, times + more)

    def _MatrixPower(self, node: e.MatrixPower, at: Sequence[Index | None]) -> list[Term]:
        if node.exponent.is_Integer and 0 < int(node.exponent) <= 6:
            return self.terms(e.Times(*[node.base] * int(node.exponent)) if node.exponent > 1 else node.base, at)
        key, times = self.key(node.base)
        return self._atom(("matrix power", key), at, (*times, node.exponent))

    def _Inverse(self, node: e.Inverse, at: Sequence[Index | None]) -> list[Term]:
        inner = node.operands[0]
        if isinstance(inner, e.Transpose):
            return self._opaque(inner.operands[0], [at[1], at[0]], "inverse")
        return self._opaque(inner, at, "inverse")

    def _Transpose(self, node: e.Transpose, at: Sequence[Index | None]) -> list[Term]:
        return self.terms(node.operands[0], [at[1], at[0]])

    def _Inner(self, node: e.Inner, at: Sequence[Index | None]) -> list[Term]:
        a, b = node.operands
        shared = [None if size == ONE else Index.new(size) for size in a.shape]
        inner = [index for index in shared if index is not None]
        return [self._with_inner(term, inner) for term in self.product(self.terms(a, shared), self.terms(b, shared))]

    def _SquaredNorm(self, node: e.SquaredNorm, at: Sequence[Index | None]) -> list[Term]:
        body = node.operands[0]
        return self._Inner(e.Inner(body, body), at)

    # -- structure ---------------------------------------------------------------------------------

    def _Diag(self, node: e.Diag, at: Sequence[Index | None]) -> list[Term]:
        vector = node.operands[0]
        inside = [at[0], None] if vector.shape[1] == ONE else [None, at[0]]
        return self.product(self._delta(node.shape[0], at), self.terms(vector, inside))

    def _DiagPart(self, node: e.DiagPart, at: Sequence[Index | None]) -> list[Term]:
        return self.terms(node.operands[0], [at[0], at[0]])

    def _Trace(self, node: e.Trace, at: Sequence[Index | None]) -> list[Term]:
        index = Index.new(node.operands[0].shape[0])
        return [self._with_inner(term, [index]) for term in self.terms(node.operands[0], [index, index])]

    def _SumEntries(self, node: e.SumEntries, at: Sequence[Index | None]) -> list[Term]:
        shared = [None if size == ONE else Index.new(size) for size in node.operands[0].shape]
        inner = [index for index in shared if index is not None]
        return [self._with_inner(term, inner) for term in self.terms(node.operands[0], shared)]

    def _Norm(self, node: e.Norm, at: Sequence[Index | None]) -> list[Term]:
        return self._opaque(node.operands[0], [], f"norm {node.kind}")

    def _Block(self, node: e.Block, at: Sequence[Index | None]) -> list[Term]:
        tops, lefts = node.offsets()
        result = []
        for i, row in enumerate(node.rows):
            for j, entry in enumerate(row):
                result += self._entry(entry, at, (tops[i], lefts[j]), len(node.rows), len(row))
        return result

    def _entry(
        self, entry: e.Node, at: Sequence[Index | None], corner: tuple[Expr, Expr], rows: int, columns: int
    ) -> list[Term]:
        """One block: its indices are the outer ones, confined to where the block stands."""
        segments: list[tuple[int, Expr, Expr]] = []
        inside: list[Index | None] = []
        for position, outer, start, number, size in zip((0, 1), at, corner, (rows, columns), entry.shape, strict=True):
            del position
            if outer is None or number == 1:
                inside.append(outer)
                continue
            if never_above(outer.end, start) or never_above(start + size, outer.low):
                return []  # the index does not reach this block
            segments.append((outer.serial, start - outer.offset, size))
            if size == ONE:
                inside.append(None)
            else:
                inside.append(Index(outer.serial, size, outer.offset - start))
        if entry.is_scalar and any(i is not None for i in inside):
            inside = [None, None]
        extra = Term(Integer(1), segments=tuple(segments))
        return self.product([extra], self.terms(entry, inside))

    def _Slice(self, node: e.Slice, at: Sequence[Index | None]) -> list[Term]:
        top, _, left, _ = node.bounds
        moved: list[Index | None] = []
        for outer, start, size in zip(at, (top, left), node.operands[0].shape, strict=True):
            if size == ONE:
                moved.append(None)
            elif outer is None:
                raise Unsupported("a slice of one entry")
            else:
                moved.append(Index(outer.serial, outer.size, outer.offset + start, outer.low + start))
        return self.terms(node.operands[0], moved)

    # -- functions ---------------------------------------------------------------------------------

    def _Apply(self, node: e.Apply, at: Sequence[Index | None]) -> list[Term]:
        declared = node.declaration
        key, times = self.key(node.argument)
        base = ("function", node.function)
        if (
            declared is not None
            and declared.parity
            and _is_negative(key)
            and not _is_negative(self.key(make.neg(node.argument))[0])
        ):
            return self._mirrored(node, declared, at)
        if node.order and declared is not None and declared.in_output is not None:
            y = Symbol("y")
            value = declared.derivative_in_output(y, node.order)
            try:
                polynomial = Poly(value, y)
            except PolynomialError:
                polynomial = None
            if polynomial is not None:
                one = self._atom((*base, 0, key), at, times)
                return [term.scaled(c) for (power,), c in polynomial.terms() for term in self.product(*[one] * power)]
        return self._atom((*base, node.order, key), at, times)

    def _mirrored(self, node: e.Apply, declared: ElementwiseFunction, at: Sequence[Index | None]) -> list[Term]:
        """f(-x) by f(x): tanh(-x) = -tanh(x), cos(-x) = cos(x), sigma(-x) = 1 - sigma(x); each derivative changes the
        sign once more.
        """
        mirror = self.terms(e.Apply(node.function, make.neg(node.argument), node.order), at)
        odd = (declared.parity == "odd") != bool(node.order % 2)
        if declared.parity == "complement":
            flipped = [term.scaled(Integer(-1) ** (node.order + 1)) for term in mirror]
            return flipped if node.order else [Term(Integer(1)), *flipped]
        return [term.scaled(Integer(-1)) for term in mirror] if odd else mirror

    def _Extreme(self, node: e.Extreme, at: Sequence[Index | None]) -> list[Term]:
        # max(a, b) = max(b, a): the operands change places together with their times.
        keys = sorted((self.key(make.broadcast(operand, node.shape)) for operand in node.operands), key=sort_key)
        return self._atom(
            (node.kind, *(key for key, _ in keys)), at, tuple(time for _, times in keys for time in times)
        )

    def _Softmax(self, node: e.Node, at: Sequence[Index | None]) -> list[Term]:
        return self._opaque(node.operands[0], at, "softmax")

    # -- calculus ----------------------------------------------------------------------------------

    def _SumOver(self, node: e.SumOver, at: Sequence[Index | None]) -> list[Term]:
        symbol = Dummy(node.index.name, integer=True)
        body = e.reindexed(node.body, {node.index: symbol})
        lower = node.lower.args if isinstance(node.lower, Max) else (node.lower,)
        upper = node.upper.args if isinstance(node.upper, Min) else (node.upper,)
        region = (*((bound, symbol) for bound in lower), *((symbol, bound) for bound in upper))
        return [
            Term(t.coefficient, t.factors, t.inner, (*t.times, symbol), t.region + region, t.segments)
            for t in self.terms(body, at)
        ]

    def _SumOverChildren(self, node: e.SumOverChildren, at: Sequence[Index | None]) -> list[Term]:
        body = node.body
        if isinstance(body, (e.Plus, e.Neg)):
            return self.terms(body.with_operands([node.with_body(part) for part in body.operands]), at)
        inside = [node.index in factor.free_symbols for factor in body.operands]
        if isinstance(body, (e.Times, e.Hadamard)) and not all(inside):
            outer = self._taken_out(node, body, inside)
            if outer is not None:
                return self.terms(outer, at)
        marker = _marker(len(body.atoms(e.Over)))
        key, times = self.key(e.reindexed(body, {node.index: marker}))
        return self._atom(("sum over children", key), at, (node.node, *times))

    @staticmethod
    def _taken_out(node: e.SumOverChildren, body: e.Node, inside: list[bool]) -> e.Node | None:
        """A sum with the factors that are the same for all children before and behind it; None where all stand between."""
        factors = list(body.operands)
        if isinstance(body, e.Hadamard):
            own = [factor for factor, bound in zip(factors, inside, strict=True) if bound]
            rest = [factor for factor, bound in zip(factors, inside, strict=True) if not bound]
            total = node.with_body(own[0] if len(own) == 1 else e.Hadamard(*own)) if own else None
            return None if total is None else e.Hadamard(*rest, total)
        scalars = [f for f, bound in zip(factors, inside, strict=True) if f.is_scalar and not bound]
        chain = [(f, bound) for f, bound in zip(factors, inside, strict=True) if not f.is_scalar or bound]
        matrices = [k for k, (f, bound) in enumerate(chain) if bound]
        if not matrices:
            return None
        first, last = matrices[0], matrices[-1]
        left, core, right = (
            [f for f, _ in part] for part in (chain[:first], chain[first : last + 1], chain[last + 1 :])
        )
        if not (scalars or left or right):
            return None
        total = node.with_body(core[0] if len(core) == 1 else e.Times(*core))
        return e.Times(*scalars, *left, total, *right)

    def _ProductOverPath(self, node: e.ProductOverPath, at: Sequence[Index | None]) -> list[Term]:
        marker = _marker(len(node.body.atoms(e.Over)))
        key, times = self.key(e.reindexed(node.body, {node.index: marker}))
        return self._atom(("product over a path", key), at, (node.lower, node.upper, *times))

    def _ProductOver(self, node: e.ProductOver, at: Sequence[Index | None]) -> list[Term]:
        length = (node.upper - node.lower).expand()
        if length.is_Integer and length < 0:
            return self._delta(node.shape[0], at)
        if length.is_Integer and length <= 12:
            factors = [node.body.xreplace({node.index: node.upper - k}) for k in range(int(length) + 1)]
            return self.terms(factors[0] if len(factors) == 1 else e.Times(*factors), at)
        # The index has one name for each depth of nesting, and is shifted so that the latest time in the body has no
        # offset.
        marker = _marker(len(node.body.atoms(e.ProductOver)))
        shift = latest_offset(node.body, node.index)
        key, times = self.key(e.reindexed(node.body, {node.index: marker - shift}))
        return self._atom(("product over time", key), at, (node.lower + shift, node.upper + shift, *times))

    def _Derivative(self, node: e.Derivative, at: Sequence[Index | None]) -> list[Term]:
        return self._derivative("immediate" if node.immediate else "total", node.of, node.by, at)

    def _Gradient(self, node: e.Gradient, at: Sequence[Index | None]) -> list[Term]:
        return self._derivative("total", node.of, node.by, at)

    def _derivative(self, kind: str, of: e.Node, by: e.Node, at: Sequence[Index | None]) -> list[Term]:
        of_key, of_times = self.key(of)
        by_key, by_times = self.key(by)
        return self._atom(("derivative", kind, of_key, by_key), at, of_times + by_times)

    def _Call(self, node: e.Call, at: Sequence[Index | None]) -> list[Term]:
        keys, times = [], ()
        for operand in node.operands:
            key, more = self.key(operand)
            keys.append(key)
            times += more
        return self._atom(("call", tuple(keys)), [], times)


def _is_negative(key: Any) -> bool:
    """Whether the first term of a formula, by its key, has a negative coefficient."""
    _, terms = key
    return bool(terms) and terms[0][1].startswith("-")


@lru_cache(maxsize=64)
def _marker(depth: int) -> Dummy:
    return Dummy(f"factor{depth}", integer=True)


def latest_offset(node: e.Node, symbol: Basic) -> int:
    """The largest c for which something in a formula stands at the time ``symbol + c``; 0 if nothing does."""
    offsets = [
        int(offset) for quantity in node.atoms(e.Timed) if (offset := (quantity.time - symbol).expand()).is_Integer
    ]
    return max(offsets, default=0)


def outer_indices(shape: Shape) -> list[Index | None]:
    """Fresh indices for the sizes of a formula that are not 1."""
    return [None if size == ONE else Index.new(size) for size in shape]


__all__ = ["Converter", "TooLarge", "Unsupported", "contract", "latest_offset", "outer_indices"]
