"""Expressions as surface trees: where parentheses go, how names are spelled, how derivatives look. All outputs print
what is decided here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Add, And, Eq, Expr, Ge, Gt, Integer, Le, Lt, Mul, Piecewise, Pow, Rational, Symbol
from sympy.logic.boolalg import Boolean

from derive import expressions as e
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.trees import children_surface, index_items, path_surface
from derive.notation.vocabulary import GREEK

_SUM, _BIG, _INFIX, _PRODUCT, _ATOM = 10, 12, 25, 30, 100


def present(node: e.Node) -> s.Surface:
    """The surface of an expression; reading it again gives the same expression."""
    return _Presenter().node(node)


def index_surface(value: Expr) -> s.Surface:
    """A size, a time or a number: ``t - 1``, ``n``, ``1/2``."""
    if isinstance(value, Symbol):
        return QName.from_key(value.name).surface()
    if isinstance(value, Integer):
        return s.Number(str(value)) if value >= 0 else s.Sum((-1,), (s.Number(str(-value)),))
    if isinstance(value, Rational):
        sign, size = (-1, -value) if value < 0 else (1, value)
        body = s.Fraction(s.Number(str(size.p)), s.Number(str(size.q)))
        return body if sign > 0 else s.Sum((-1,), (body,))
    if isinstance(value, e.NodeIndex):
        return index_items(value, index_surface)[0]
    if isinstance(value, Add):
        return _index_sum(value)
    if isinstance(value, Mul):
        return _index_product(value)
    if isinstance(value, Pow) and value.exp.could_extract_minus_sign():
        return s.Fraction(s.Number("1"), index_surface(1 / value))
    if isinstance(value, Pow):
        return s.Scripted(_enclosed(index_surface(value.base), _ATOM), sups=(index_surface(value.exp),))
    if isinstance(value, Piecewise):
        return _iverson(value)
    if value.func.__name__ in ("Max", "Min"):
        arguments = tuple(
            index_surface(argument) for argument in sorted(value.args, key=lambda part: (not part.is_number, str(part)))
        )
        return s.Sequence((s.Name(value.func.__name__.lower()), s.Bracket("(", arguments)))
    return s.Name(str(value))


_COMPARISONS = {Eq: "=", Le: "<=", Ge: ">=", Lt: "<", Gt: ">"}


def _iverson(value: Piecewise) -> s.Surface:
    """[t = T] or [2 <= t <= T]: 1 where it holds, else 0."""
    condition = value.args[0].cond
    shown = [_comparison(part) for part in (condition.args if isinstance(condition, And) else (condition,))]
    shown.sort(key=lambda part: (part.operators[0] in ("<=", "<"), str(part)))
    if [part.operators for part in shown] == [(">=",), ("<=",)] and shown[0].items[0] == shown[1].items[0]:
        shown = [s.Relation(("<=", "<="), (shown[0].items[1], *shown[1].items))]
    return s.Bracket("[", tuple(shown))


_FLIPPED = {"=": "=", "<=": ">=", ">=": "<=", "<": ">", ">": "<"}


def _comparison(condition: Boolean) -> s.Relation:
    """A comparison with the index on the left, where one side is made of sizes and numbers."""
    sign, left, right = _COMPARISONS[type(condition)], condition.lhs, condition.rhs
    if all(symbol.is_positive for symbol in left.free_symbols):
        sign, left, right = _FLIPPED[sign], right, left
    return s.Relation((sign,), (index_surface(left), index_surface(right)))


def _index_sum(value: Expr) -> s.Surface:
    terms = sorted(
        value.as_ordered_terms(), key=lambda term: (bool(term.is_number), bool(term.could_extract_minus_sign()))
    )
    signs, items = [], []
    for term in terms:
        negative = term.could_extract_minus_sign()
        signs.append(-1 if negative else 1)
        items.append(_enclosed(index_surface(-term if negative else term), _BIG))
    return s.Sum(tuple(signs), tuple(items))


def _index_product(value: Expr) -> s.Surface:
    if value.could_extract_minus_sign():
        return s.Sum((-1,), (_enclosed(index_surface(-value), _BIG),))
    numerator, denominator = value.as_numer_denom()
    if denominator != 1:
        return s.Fraction(index_surface(numerator), index_surface(denominator))
    factors = [_enclosed(index_surface(factor), _PRODUCT) for factor in value.as_ordered_factors()]
    return s.Infix(("by",) * (len(factors) - 1), tuple(factors))


def _level(node: s.Surface) -> int:
    if isinstance(node, s.Relation):
        return 1
    if isinstance(node, s.Sum):
        return _SUM
    if isinstance(node, s.Big):
        return _BIG
    if isinstance(node, s.Infix):
        return _PRODUCT if set(node.operators) <= {"at", "by"} else _INFIX
    if isinstance(node, s.Sequence):
        return _PRODUCT + 5
    return _ATOM


def _opens(item: s.Surface) -> bool:
    """Whether something begins with a parenthesis."""
    while True:
        if isinstance(item, s.Bracket):
            return item.kind == "("
        if isinstance(item, s.Scripted):
            # a name whose label stands above gets parentheses with a transpose
            item = item.base
        elif isinstance(item, (s.Infix, s.Sequence, s.Sum)):
            item = item.items[0]
        else:
            return False


def _enclosed(node: s.Surface, least: int) -> s.Surface:
    """The surface in parentheses if it binds less tightly than ``least``."""
    return node if _level(node) >= least else s.Bracket("(", (node,))


def _ends_open(node: s.Surface) -> bool:
    """Whether a formula ends in a sum sign's body, which would take in what follows."""
    while isinstance(node, (s.Sequence, s.Infix, s.Sum)):
        node = node.items[-1]
    return isinstance(node, s.Big)


def _applied(name: s.Surface, *arguments: s.Surface) -> s.Surface:
    return s.Sequence((name, s.Bracket("(", arguments)))


class _Presenter:
    """One method a kind of node."""

    def node(self, node: e.Node, tail: bool = True) -> s.Surface:
        """``tail``: nothing follows before the next + - = , or bracket, so a sum sign may stand without parentheses."""
        method: Callable[..., s.Surface] | None = getattr(self, f"_{type(node).__name__}", None)
        if method is None:
            return _applied(s.Name(type(node).__name__), *(self.node(operand) for operand in node.operands))
        result = method(node)
        return result if tail or not _ends_open(result) else s.Bracket("(", (result,))

    def inside(self, node: e.Node, least: int, tail: bool = False) -> s.Surface:
        return _enclosed(self.node(node, tail=tail), least)

    # -- leaves ------------------------------------------------------------------------------------

    def _Scalar(self, node: e.Scalar) -> s.Surface:
        if node.digits is not None:
            text = node.digits
            return s.Sum((-1,), (s.Number(text[1:]),)) if text.startswith("-") else s.Number(text)
        return index_surface(node.value)

    def _Var(self, node: e.Var) -> s.Surface:
        return QName.from_key(node.name).surface()

    def _Timed(self, node: e.Timed) -> s.Surface:
        return name_surface(node.name, node.time)

    def _Zero(self, node: e.Zero) -> s.Surface:
        return s.Number("0")

    def _Ones(self, node: e.Ones) -> s.Surface:
        return s.Mark("ones") if node.shape[0] != e.ONE else s.Scripted(s.Mark("ones"), sups=(s.Mark("top"),))

    def _Identity(self, node: e.Identity) -> s.Surface:
        return s.Name("I")

    def _OneHot(self, node: e.OneHot) -> s.Surface:
        return s.Scripted(s.Name("e"), subs=(self.node(node.label),))

    # -- algebra -----------------------------------------------------------------------------------

    def _Plus(self, node: e.Plus) -> s.Surface:
        signs, items = [], []
        for term in node.operands:
            negative = isinstance(term, e.Neg)
            signs.append(-1 if negative else 1)
            items.append(self.inside(term.operands[0] if negative else term, _BIG, tail=True))
        return s.Sum(tuple(signs), tuple(items))

    def _Neg(self, node: e.Neg) -> s.Surface:
        return s.Sum((-1,), (self.inside(node.operands[0], _BIG, tail=True),))

    def _Times(self, node: e.Times) -> s.Surface:
        factors = node.operands
        last = len(factors) - 1
        items = tuple(self.inside(f, _BIG if k == last else _PRODUCT, tail=k == last) for k, f in enumerate(factors))
        items = tuple(_enclosed(item, _PRODUCT) if not isinstance(item, s.Big) else item for item in items)
        # (\nabla_z L) (a + b): without parentheses, L would be a function of what follows.
        opens = [*map(_opens, items[1:]), False]
        items = tuple(
            s.Bracket("(", (item,))
            if isinstance(factor, e.Gradient) and before and not isinstance(item, s.Bracket)
            else item
            for item, factor, before in zip(items, factors, opens, strict=True)
        )
        # A product inside a product is a scalar that was bracketed by its meaning, such as (u^T v) w.
        items = tuple(s.Bracket("(", (item,)) if isinstance(item, s.Infix) else item for item in items)
        # A scalar in the middle: (A * u) @ B, since signs of products bind equally and from the left.
        matrices = [any(not factor.is_scalar for factor in factors[: k + 1]) for k in range(last)]
        operators = tuple(
            "at" if done and not b.is_scalar else "by" for done, b in zip(matrices, factors[1:], strict=True)
        )
        return s.Infix(operators, items)

    def _Hadamard(self, node: e.Hadamard) -> s.Surface:
        last = len(node.operands) - 1
        items = tuple(self.inside(f, _PRODUCT, tail=k == last) for k, f in enumerate(node.operands))
        return s.Infix(("odot",) * last, items)

    def _Divide(self, node: e.Divide) -> s.Surface:
        above, below = node.operands
        if isinstance(above, e.SumEntries) and below == e.Scalar(
            above.operands[0].shape[0] * above.operands[0].shape[1]
        ):
            return self._named("mean", *above.operands)
        return s.Fraction(*(self.node(operand) for operand in node.operands))

    def _scripted(self, base: s.Surface, sup: s.Surface) -> s.Surface:
        """A superscript on a base: merged with its subscripts, and on parentheses where the base has superscripts or
        operators.
        """
        if isinstance(base, s.Scripted) and not base.sups:
            return s.Scripted(base.base, base.subs, (sup,), base.primes)
        if isinstance(base, s.Sequence) and isinstance(base.items[-1], s.Bracket) and len(base.items) == 2:
            return s.Sequence((base.items[0], s.Scripted(base.items[1], sups=(sup,))))
        if isinstance(base, (s.Name, s.Mark, s.Matrix, s.Accent, s.Fence, s.Bracket, s.Number)):
            return s.Scripted(base, sups=(sup,))
        return s.Scripted(s.Bracket("(", (base,)), sups=(sup,))

    def _Power(self, node: e.Power) -> s.Surface:
        return self._scripted(self.node(node.base), self.node(node.exponent))

    def _MatrixPower(self, node: e.MatrixPower) -> s.Surface:
        return self._scripted(self.node(node.base), index_surface(node.exponent))

    def _Inverse(self, node: e.Inverse) -> s.Surface:
        return self._scripted(self.node(node.operands[0]), s.Sum((-1,), (s.Number("1"),)))

    def _Transpose(self, node: e.Transpose) -> s.Surface:
        return self._scripted(self.node(node.operands[0]), s.Mark("top"))

    def _Inner(self, node: e.Inner) -> s.Surface:
        a, b = node.operands
        if e.is_vector(a.shape):
            return s.Infix(("cdot",), (self.inside(a, _PRODUCT), self.inside(b, _PRODUCT)))
        return s.Bracket("<", (self.node(a), self.node(b)))

    def _Kron(self, node: e.Kron) -> s.Surface:
        a, b = node.operands
        return s.Infix(("otimes",), (self.inside(a, _PRODUCT), self.inside(b, _PRODUCT)))

    # -- functions ---------------------------------------------------------------------------------

    def _Apply(self, node: e.Apply) -> s.Surface:
        argument = self.node(node.argument)
        if node.order == 0 and node.function == "sqrt":
            return s.Root(argument)
        if node.order == 0 and node.function == "abs":
            return s.Fence("abs", argument)
        if node.order == 0 and node.function == "positive":
            return s.Bracket("[", (s.Relation((">",), (argument, s.Number("0"))),))
        declared = node.declaration
        name = QName.from_key(node.function).surface() if declared is None else s.Name(_command(declared.latex))
        if node.order and isinstance(name, s.Scripted):
            name = s.Scripted(name.base, name.subs, name.sups, name.primes + node.order)
        elif node.order:
            name = s.Scripted(name, primes=node.order)
        return _applied(name, argument)

    def _Extreme(self, node: e.Extreme) -> s.Surface:
        """Nested on the left, as several arguments: max(a, b, c)."""
        arguments: list[e.Node] = list(node.operands)
        while isinstance(arguments[0], e.Extreme) and arguments[0].kind == node.kind:
            arguments[:1] = arguments[0].operands
        return _applied(s.Name(node.kind), *(self.node(argument) for argument in arguments))

    def _named(self, name: str, *operands: e.Node) -> s.Surface:
        return _applied(s.Name(name), *(self.node(operand) for operand in operands))

    def _Softmax(self, node: e.Node) -> s.Surface:
        return self._named("softmax", *node.operands)

    def _Diag(self, node: e.Node) -> s.Surface:
        return self._named("diag", *node.operands)

    _DiagPart = _Diag

    def _Trace(self, node: e.Node) -> s.Surface:
        return self._named("tr", *node.operands)

    def _Commutation(self, node: e.Commutation) -> s.Surface:
        sizes = tuple(index_surface(size) for size in node.args)
        return s.Scripted(s.Name("K"), subs=(s.Line(sizes),))

    def _Vec(self, node: e.Node) -> s.Surface:
        return self._named("vec", *node.operands)

    def _SumEntries(self, node: e.Node) -> s.Surface:
        return self._named("sum", *node.operands)

    def _Norm(self, node: e.Norm) -> s.Surface:
        fence = s.Fence("norm", self.node(node.operands[0]))
        return s.Scripted(fence, subs=(s.Name("F"),)) if node.kind == "F" else fence

    def _SquaredNorm(self, node: e.Node) -> s.Surface:
        body = node.operands[0]
        fence: s.Surface = s.Fence("norm", self.node(body))
        subs = () if e.is_vector(body.shape) else (s.Name("F"),)
        return s.Scripted(fence, subs=subs, sups=(s.Number("2"),))

    def _Block(self, node: e.Block) -> s.Surface:
        return s.Matrix(tuple(tuple(self.node(entry) for entry in row) for row in node.rows))

    def _Slice(self, node: e.Slice) -> s.Surface:
        body = node.operands[0]
        top, bottom, left, right = node.bounds
        ranges = [(top, bottom, body.shape[0]), (left, right, body.shape[1])]
        ranges = ranges[:1] if body.shape[1] == e.ONE else ranges
        shown = tuple(s.Relation((":",), (index_surface(a), index_surface(b))) for a, b, _ in ranges)
        base = self.node(body)
        # TeX takes a group that holds an accented letter alone for the letter, and {\\dot{h}_t}_{...} for two subscripts.
        plain = isinstance(base, s.Name) or (isinstance(base, s.Scripted) and not isinstance(base.base, s.Accent))
        base = base if plain else s.Bracket("(", (base,))
        return s.Scripted(base, subs=(s.Bracket("[", shown),))

    # -- calculus ----------------------------------------------------------------------------------

    def _over(self, kind: str, node: e.OverTime) -> s.Surface:
        lower = s.Relation(("=",), (index_surface(node.index), index_surface(node.lower)))
        return s.Big(kind, lower, index_surface(node.upper), self.inside(node.body, _BIG, tail=True))

    def _SumOver(self, node: e.SumOver) -> s.Surface:
        return self._over("sum", node)

    def _SumOverChildren(self, node: e.SumOverChildren) -> s.Surface:
        sub = children_surface(node.index, node.node, index_surface)
        return s.Big("sum", sub, None, self.inside(node.body, _BIG, tail=True))

    def _ProductOverPath(self, node: e.ProductOverPath) -> s.Surface:
        sub = path_surface(node.index, node.lower, node.upper, index_surface)
        return s.Big("prod", sub, None, self.inside(node.body, _BIG, tail=True))

    def _ProductOver(self, node: e.ProductOver) -> s.Surface:
        return self._over("prod", node)

    def _Derivative(self, node: e.Derivative) -> s.Surface:
        partial: s.Surface = s.Mark("partial")
        above = s.Scripted(partial, sups=(s.Mark("+"),)) if node.immediate else partial
        return s.Fraction(
            s.Sequence((above, self._differentiated(node.of))), s.Sequence((partial, self._differentiated(node.by)))
        )

    def _differentiated(self, node: e.Node) -> s.Surface:
        """What ∂ stands before: vec(S) needs no brackets."""
        return self.node(node) if isinstance(node, e.Vec) else self.inside(node, _ATOM)

    def _Differential(self, node: e.Differential) -> s.Surface:
        partial: s.Surface = s.Mark("partial")
        sign = s.Scripted(partial, sups=(s.Mark("+"),)) if node.immediate else partial
        return s.Sequence((sign, self.inside(node.of, _ATOM)))

    def _Gradient(self, node: e.Gradient) -> s.Surface:
        return s.Sequence((s.Scripted(s.Mark("nabla"), subs=(self.node(node.by),)), self.inside(node.of, _ATOM)))

    def _Call(self, node: e.Call) -> s.Surface:
        return _applied(self.node(node.value), *(self.node(argument) for argument in node.arguments))

    def _Relation(self, node: e.Relation) -> s.Surface:
        return s.Relation(node.operators, tuple(self.node(item) for item in node.items))


def _command(latex: str) -> str:
    """The surface name of a function's LaTeX command."""
    name = latex.lstrip("\\")
    if name.startswith("operatorname{"):
        return name[len("operatorname{") : -1]
    return name


def name_surface(key: str, time: Any = None) -> s.Surface:
    """The surface of a name, with a time if one is given."""
    if time is None:
        return QName.from_key(key).surface()
    items = index_items(time, index_surface) if isinstance(time, e.NodeIndex) else (index_surface(time),)
    return QName.from_key(key).surface(s.Bracket("time", items))


__all__ = ["GREEK", "index_surface", "name_surface", "present"]
