"""From the surface to meaning: which names carry a time, which are functions, which fractions are derivatives.

The result is a tree of operations (:class:`Pre`) whose shapes are not known yet; products that depend on shapes stay
open until :mod:`derive.notation.elaborate` has found them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sympy import And, Eq, Expr, Ge, Gt, Integer, Le, Lt, Piecewise, Rational

from derive.errors import AmbiguityError, ParseError, UnknownNameError
from derive.expressions.leaves import size as size_of
from derive.expressions.tree import Edge
from derive.notation import surface as s
from derive.notation.applications import Applications, is_transpose
from derive.notation.derivatives import Derivatives
from derive.notation.names import QName, label_text
from derive.notation.operations import Pre
from derive.notation.references import Reference, ReferenceReader
from derive.notation.scope import CONVENTIONAL_INDICES, Scope
from derive.notation.source import Span
from derive.notation.trees import member_of_children, on_path


class Resolver:
    """Reads surface trees in a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.references = ReferenceReader(scope)
        self.applications = Applications(self)
        self.derivatives = Derivatives(self)

    def name(self, reference: Reference, span: Span | None) -> Pre:
        """The quantity of a reference, with what acts on it."""
        key = reference.name.key
        result = self._quantity(reference, key, span)
        if reference.slices is not None:
            result = self._selected(result, reference.slices)
        for sup in reference.acting:
            result = self.superscript(result, sup, span)
        return result

    def _quantity(self, reference: Reference, key: str, span: Span | None) -> Pre:
        name = reference.name
        known = key in self.scope.names or key in self.scope.timed
        if reference.time is None and not known and name == QName("I"):
            return Pre("identity", span=span)
        if reference.time is None and not known and name.base == "I" and len(name.subs) == 1 and name.sups == ():
            return Pre("identity", data=size_of(name.subs[0]), span=span)
        if reference.time is None and key in self.scope.sizes and not known:
            return Pre("scalar", data=(size_of(key), None), span=span)
        if reference.time is None and (key in self.scope.indices or key == self.scope.time) and not known:
            return Pre("scalar", data=(self.scope.symbol(key), None), span=span)
        if key == "T" and not known:
            return Pre("scalar", data=(size_of("T"), None), span=span)
        if not known and not self.scope.open:
            raise self.unknown(key, span)
        if reference.time is None and key in self.scope.timed and name.base not in self.scope.losses:
            raise ParseError(
                f"{key} stands without a time here",
                span=span,
                expected=f"{key}_{{{self.scope.time}}}, as elsewhere",
                hint="every use of a timed quantity says at which time",
            )
        timeless = known and key not in self.scope.timed and name.base not in self.scope.losses
        if timeless and reference.time is not None and not self.scope.open and not self.scope.in_cell:
            raise ParseError(
                f"{key} has no time in the cell", span=span, expected=f"{key} alone", hint="is another letter meant?"
            )
        if self.scope.tree is not None and reference.time is not None and reference.time.is_Add:
            raise ParseError(
                "the nodes of a tree are not counted in steps",
                span=span,
                expected=f"a child such as {key}_{{l({self.scope.time})}}, or the parent {key}_{{\\pi({self.scope.time})}}",
            )
        self._check_index(key, reference.time, span)
        return Pre("name", data=(key, reference.time), span=span)

    def _check_index(self, key: str, time: Expr | None, span: Span | None) -> None:
        """In a formula about a cell: an index is no size, and an edge has two ends."""
        if time is None or self.scope.in_cell or self.scope.open:
            return
        sizes = sorted({symbol.name for symbol in time.free_symbols} & self.scope.sizes - {"T"})
        if sizes:
            raise AmbiguityError(
                f"{sizes[0]} is a size of this cell, so it is no index", span=span, expected="another letter, such as k"
            )
        if self.scope.tree is not None and isinstance(time, Edge) != (key in self.scope.on_edges):
            edges = key in self.scope.on_edges
            raise ParseError(
                f"{key} is a quantity of {'an edge' if edges else 'a node'}",
                span=span,
                expected=f"{key}_{{jk}}, with the two ends of the edge" if edges else f"{key}_j, with one index",
            )

    def unknown(self, key: str, span: Span | None) -> UnknownNameError:
        """The error for a name that nothing defines, with the likely intention."""
        import difflib

        close = difflib.get_close_matches(key, sorted(self.scope.names | self.scope.timed), n=1, cutoff=0.5)
        known = ", ".join(sorted(self.scope.names | self.scope.timed))
        return UnknownNameError(
            f"{key} stands for nothing that was defined",
            span=span,
            expected=f"one of {known}" if known else None,
            hint=self._entry_of(key)
            or (f"did you mean {close[0]}?" if close else "define it by an equation, or declare it"),
        )

    def _entry_of(self, key: str) -> str:
        """What to do where a name may be meant as one entry of another, as in W_{ij}; empty where it is none."""
        name = QName.from_key(key)
        known = self.scope.names | self.scope.timed
        if not name.subs or not set(name.subs[-1]) <= CONVENTIONAL_INDICES:
            return ""
        whole = replace(name, subs=name.subs[:-1]).key
        return f"single entries are not read: write the formula for all of {whole}" if whole in known else ""

    def _sliced(self, body: Pre, node: s.Surface) -> Pre:
        ranges = []
        for part in node.children():
            if not isinstance(part, s.Relation) or part.operators != (":",):
                raise ParseError("a slice is written a:b", span=part.span, expected="a range such as 0:n")
            ranges.append((self.references.index(part.items[0]), self.references.index(part.items[1])))
        return Pre("slice", (body,), tuple(ranges), node.span)

    def superscript(self, body: Pre, sup: s.Surface, span: Span | None) -> Pre:
        """What a superscript does: transpose, inverse, power."""
        if isinstance(sup, s.Mark) and sup.kind == "top":
            return Pre("transpose", (body,), span=span)
        if isinstance(sup, s.Name) and sup.text == "T":
            return Pre("transpose_or_power", (body,), span=span)
        if (
            isinstance(sup, s.Sum)
            and sup.signs == (-1,)
            and isinstance(sup.items[0], (s.Mark, s.Name))
            and is_transpose(sup.items[0])
        ):
            return Pre("transpose", (Pre("power", (body,), Integer(-1), span),), span=span)
        if isinstance(sup, s.Bracket) and sup.kind in ("(", "[", "<"):
            raise ParseError(
                "a superscript in brackets is a label or a time, and this is neither",
                span=sup.span or span,
                expected="a number or a letter, such as h^{(2)}_t or h^{(l)}_t",
                hint="write the equations of each layer with its number",
            )
        value = None if self._has_a_parameter(sup) else self.references.index_or_none(sup)
        if value == 1 and isinstance(sup, s.Number):
            raise AmbiguityError(
                "the superscript 1 is no power",
                span=sup.span or span,
                expected="a label in brackets, such as W^{(1)} or h^{[1]}_t",
                hint="or leave it out",
            )
        if value is not None:
            return Pre("power", (body,), value, span)
        if isinstance(sup, s.Mark):
            raise ParseError(
                "this superscript has no meaning here", span=sup.span, expected="a power, a transpose \\top, or a label"
            )
        return Pre("power", (body, self.expression(sup)), None, span)

    def _has_a_parameter(self, exponent: s.Surface) -> bool:
        """Whether an exponent such as 1/\\tau or p is made of a quantity, and not of indices and sizes."""
        letters = {leaf.text for leaf in exponent.walk() if isinstance(leaf, s.Name)}
        known = {self.scope.time, "T", *self.scope.indices, *self.scope.sizes}
        return bool(letters & self.scope.names if not self.scope.in_cell else letters - known)

    # -- expressions -------------------------------------------------------------------------------

    def expression(self, node: s.Surface) -> Pre:
        """The meaning of any surface expression."""
        method: Callable[[Any], Pre] = getattr(self, f"_on_{type(node).__name__}")
        return method(node)

    def _on_Name(self, node: s.Name) -> Pre:
        return self._on_Sequence(s.Sequence((node,), span=node.span))

    def _on_Scripted(self, node: s.Scripted) -> Pre:
        return self._on_Sequence(s.Sequence((node,), span=node.span))

    def _on_Accent(self, node: s.Accent) -> Pre:
        return self._on_Sequence(s.Sequence((node,), span=node.span))

    def _on_Mark(self, node: s.Mark) -> Pre:
        return self._on_Sequence(s.Sequence((node,), span=node.span))

    def _on_Number(self, node: s.Number) -> Pre:
        if node.text == "0":
            return Pre("zero", span=node.span)
        value = Rational(node.text)
        return Pre("scalar", data=(value, node.text if not node.text.isdecimal() else None), span=node.span)

    def _on_Text(self, node: s.Text) -> Pre:
        raise ParseError(
            "words inside a formula", span=node.span, expected="a formula", hint="put the words outside the formula"
        )

    def _on_Bracket(self, node: s.Bracket) -> Pre:
        items = node.items
        if node.kind == "<":
            if len(items) != 2:
                raise ParseError("angle brackets hold two operands", span=node.span, expected="\\langle a, b \\rangle")
            return Pre("inner", tuple(self.expression(item) for item in items), span=node.span)
        if node.kind == "[" and all(isinstance(item, s.Relation) for item in items):
            return self._iverson(node)
        if len(items) == 1:
            return self.expression(items[0])
        if node.kind == "[" and all(isinstance(item, s.Bracket) and item.kind == "[" for item in items):
            rows = [item.children() for item in items]
            return self._matrix(rows, node.span)
        if node.kind == "[" and node.separator == ",":
            # Beside each other, unless they are columns, which [h, x] puts under each other; that is settled by the
            # shapes.
            return Pre("concatenate", tuple(self.expression(item) for item in items), span=node.span)
        return self._matrix([(item,) for item in items], node.span)

    def _iverson(self, node: s.Bracket) -> Pre:
        """``[t = T]``, ``[2 \\le t \\le T]``: 1 where it holds, else 0."""
        compare = {"=": Eq, "<=": Le, ">=": Ge, "<": Lt, ">": Gt}
        conditions = []
        for item in node.items:
            if not isinstance(item, s.Relation) or not set(item.operators) <= set(compare):
                raise ParseError(
                    "this is no condition on times",
                    span=item.span,
                    expected="a condition such as [t = T] or [2 \\le t]",
                )
            found = [self._condition_value(part) for part in item.items]
            if (
                any(value is None for value in found)
                and len(node.items) == 1
                and item.operators in ((">",), ("<",), (">=",), ("<=",))
            ):
                return self._compared(item, node)
            values = [self.references.index(part) for part in item.items]
            conditions += [compare[sign](a, b) for sign, a, b in zip(item.operators, values, values[1:], strict=False)]
        return Pre("scalar", data=(Piecewise((1, And(*conditions)), (0, True)), None), span=node.span)

    def _compared(self, item: s.Relation, node: s.Surface) -> Pre:
        """Of quantities, entry by entry: [a > b] is 1 where a - b is positive, and [a >= b] is 1 where b - a is not."""
        sign = item.operators[0]
        high, low = item.items if sign[0] == ">" else item.items[::-1]
        if sign in (">=", "<="):
            high, low = low, high
        a, b = self.expression(high), self.expression(low)
        gap = a if b.op == "zero" else Pre("plus", (a, Pre("neg", (b,))), span=item.span)
        gap = Pre("neg", (b,), span=item.span) if a.op == "zero" else gap
        found = Pre("apply", (gap,), ("positive", 0), node.span)
        if sign in (">", "<"):
            return found
        one = Pre("scalar", data=(Integer(1), None), span=node.span)
        return Pre("plus", (one, Pre("neg", (found,), span=node.span)), span=node.span)

    def _condition_value(self, node: s.Surface) -> Expr | None:
        """A side of a condition on times; None where it is a quantity."""
        value = self.references.index_or_none(node)
        known = self.scope.names | self.scope.timed | self.scope.declared
        return (
            None if value is None or {leaf.text for leaf in node.walk() if isinstance(leaf, s.Name)} & known else value
        )

    def _matrix(self, rows: Sequence[Sequence[s.Surface]], span: Span | None) -> Pre:
        if len({len(row) for row in rows}) != 1:
            raise ParseError(
                "rows of a matrix have different lengths", span=span, expected="as many entries in every row"
            )
        return Pre("block", tuple(self.expression(entry) for row in rows for entry in row), len(rows[0]), span)

    def _on_Matrix(self, node: s.Matrix) -> Pre:
        return self._matrix(node.rows, node.span)

    def _on_Fence(self, node: s.Fence) -> Pre:
        body = self.expression(node.body)
        return (
            Pre("norm", (body,), "2", node.span)
            if node.kind == "norm"
            else Pre("apply", (body,), ("abs", 0), node.span)
        )

    def _on_Root(self, node: s.Root) -> Pre:
        body = self.expression(node.body)
        if node.index is None:
            return Pre("apply", (body,), ("sqrt", 0), node.span)
        return Pre("power", (body,), 1 / self.references.index(node.index), node.span)

    def _on_Sum(self, node: s.Sum) -> Pre:
        terms = []
        for sign, item in zip(node.signs, node.items, strict=True):
            term = self.expression(item)
            terms.append(term if sign > 0 else Pre("neg", (term,), span=item.span))
        return terms[0] if len(terms) == 1 else Pre("plus", tuple(terms), span=node.span)

    def _on_Relation(self, node: s.Relation) -> Pre:
        bad = [op for op in node.operators if op not in ("=", "<", ">", "<=", ">=", "~", "!=", ":=", "==")]
        if bad:
            raise ParseError(
                f"'{bad[0]}' is not an operator of a formula",
                span=node.span,
                expected="=, \\le, \\ge, \\approx, < or >",
            )
        operators = tuple("=" if op in (":=", "==") else op for op in node.operators)
        return Pre("relation", tuple(self.expression(item) for item in node.items), operators, node.span)

    def _on_Big(self, node: s.Big) -> Pre:
        member = member_of_children(node.sub)
        if member is not None:
            return self._over_children(node, *member)
        path = on_path(node.sub)
        if path is not None and node.kind == "prod" and node.sup is None:
            ends = tuple(self.references.index(part) for part in path)
            return Pre("product_over_path", (self.expression(node.body),), ends, node.span)
        pair = self._two_indices(node)
        if pair is not None:
            inner = Pre("sum", (self.expression(node.body),), pair[0], node.span)
            return Pre("sum", (inner,), pair[1], node.span)
        letter, lower, upper = self._bounds(node)
        if self._descends(lower, upper):
            if node.kind == "sum":
                raise ParseError(
                    "the sum runs downward, so it is empty",
                    span=node.span,
                    expected="the smaller bound below, as in \\sum_{k=1}^{t}",
                )
            lower, upper = (
                upper,
                lower,
            )  # a product written from the latest factor down to the earliest is in our order already
        return Pre(
            "sum" if node.kind == "sum" else "product", (self.expression(node.body),), (letter, lower, upper), node.span
        )

    def _over_children(self, node: s.Big, index: s.Name, parent: s.Surface) -> Pre:
        if node.kind != "sum" or node.sup is not None:
            raise ParseError(
                "only sums run over the children of a node",
                span=node.span,
                expected="\\sum_{k \\in C(j)}",
            )
        range_ = (self.references.index(index), self.references.index(parent))
        return Pre("sum_over_children", (self.expression(node.body),), range_, node.span)

    def _bounds(self, node: s.Big) -> tuple[Expr, Expr, Expr]:
        sub, sup = node.sub, node.sup
        if (
            isinstance(sub, s.Relation)
            and sub.operators == ("=",)
            and isinstance(sub.items[0], s.Name)
            and sup is not None
        ):
            return self.references.index(sub.items[0]), self.references.index(sub.items[1]), self.references.index(sup)
        if (
            isinstance(sub, s.Relation)
            and sup is None
            and sub.operators in ((">",), (">=",))
            and _is_index(sub.items[0])
        ):
            letter, lower = (self.references.index(item) for item in sub.items)
            return letter, lower + int(sub.operators == (">",)), size_of("T")  # to the last step
        sub = _rising(sub)
        if isinstance(sub, s.Relation) and sup is None and set(sub.operators) <= {"<", "<="} and len(sub.items) <= 3:
            return self._between(sub)
        letters = {self.scope.time, *(() if self.scope.open else self.scope.indices)} - {"T"}
        if isinstance(sub, s.Name) and sup is None and sub.text in letters:
            # without bounds, over all steps
            return self.references.index(sub), Integer(1), size_of("T")
        if isinstance(sub, s.Relation) and sub.operators in (("in",), ("~",)):
            raise ParseError(
                "this set is not part of the notation",
                span=sub.span or node.span,
                expected="\\sum_{k \\in C(j)} over the children of the node j, or bounds such as _{k=1}^{t}",
            )
        raise ParseError(
            "the bounds of this sum or product are not clear", span=node.span, expected="bounds such as _{k=1}^{t}"
        )

    def _two_indices(self, node: s.Big) -> tuple[tuple[Expr, Expr, Expr], tuple[Expr, Expr, Expr]] | None:
        """The index and the bounds of the inner and the outer sum of ``1 <= k <= t <= T``."""
        sub = _rising(node.sub)
        if not isinstance(sub, s.Relation) or node.sup is not None or node.kind != "sum" or len(sub.items) != 4:
            return None
        if not set(sub.operators) <= {"<", "<="} or not all(map(_is_index, sub.items[1:3])):
            return None
        low, inner, outer, high = (self.references.index(item) for item in sub.items)
        strict = [int(operator == "<") for operator in sub.operators]
        return (inner, low + strict[0], outer - strict[1]), (outer, low + strict[0], high - strict[2])

    def _between(self, sub: s.Relation) -> tuple[Expr, Expr, Expr]:
        """``k <= t``, ``k < j <= t``: the index and its bounds; a sum without a lower bound starts at the first step."""
        inner = sub.items[1] if len(sub.items) == 3 else sub.items[0]
        if len(sub.items) == 2 and isinstance(inner, s.Number) and _is_index(sub.items[1]):
            values = [self.references.index(item) for item in sub.items]
            return values[1], values[0] + int(sub.operators == ("<",)), size_of("T")
        within = len(sub.items) == 3 or sub.items[-1] == s.Name("T")  # where t itself may run: 1 <= t <= T, t <= T
        if not isinstance(inner, s.Name) or inner.text == "T" or (inner.text == self.scope.time and not within):
            raise ParseError(
                "the index of this sum or product is not clear", span=sub.span, expected="bounds such as _{k=1}^{t}"
            )
        values = [self.references.index(item) for item in sub.items]
        strict = [int(operator == "<") for operator in sub.operators]
        if len(values) == 2:
            return values[0], Integer(1), values[1] - strict[0]
        return values[1], values[0] + strict[0], values[2] - strict[1]

    def _descends(self, lower: Expr, upper: Expr) -> bool:
        """Whether a range is written from its end to its start: from T down to anything else, from the time down to the first
        steps or to an index plus one.
        """
        time, length = self.scope.symbol(self.scope.time), size_of("T")
        if lower == length:
            return not upper.has(length)
        if lower != time or upper.has(time, length):
            return False
        if not upper.free_symbols:
            return bool(upper <= 1)
        # From t down to k+1; \prod_{j=t}^{k-1} and \prod_{j=t}^{k} run upward, to a later k.
        letters = list(upper.free_symbols)
        return len(letters) == 1 and bool((upper - letters[0]).is_positive)

    def _on_Fraction(self, node: s.Fraction) -> Pre:
        derivative = self.derivatives.fraction(node.numerator, node.denominator, node.span)
        if derivative is not None:
            return derivative
        return Pre("divide", (self.expression(node.numerator), self.expression(node.denominator)), span=node.span)

    # -- products ----------------------------------------------------------------------------------

    def factors(self, items: Sequence[s.Surface], span: Span | None) -> Pre:
        """What stands side by side."""
        return self._on_Sequence(s.Sequence(tuple(items), span=span))

    def _on_Sequence(self, node: s.Sequence) -> Pre:
        """Factors side by side, with functions, gradients and differentials taking what they bind."""
        factors: list[Pre] = []
        items = list(node.items)
        position = 0
        while position < len(items):
            factor, position = self.factor(items, position)
            factors.append(factor)
        return factors[0] if len(factors) == 1 else Pre("times", tuple(factors), span=node.span)

    def factor(self, items: list[s.Surface], position: int, under_gradient: bool = False) -> tuple[Pre, int]:
        """One factor of a sequence from a position on, with what it binds; and where the next one starts."""
        item = items[position]
        following = items[position + 1] if position + 1 < len(items) else None
        head = s.bare(item)
        if isinstance(head, s.Mark):
            return self._marked(item, head, items, position)
        function = self.applications.function(item, following)
        if function is not None:
            return self.applications.apply(function, item, items, position)
        if isinstance(item, (s.Name, s.Accent, s.Scripted)):
            reference = self.references.reference(item)
            if reference is not None:
                scripted = isinstance(following, s.Scripted) and not following.subs and not following.primes
                bracket = following.base if isinstance(following, s.Scripted) and scripted else following
                if self.applications.is_call(reference, bracket, under_gradient):
                    called = self.applications.call(reference, item, bracket)
                    # L_t(h_t)^2 is the square of the value.
                    sups = following.sups if isinstance(following, s.Scripted) else ()
                    return self.applications.raised(called, sups, item), position + 2
                self.applications.reject_unknown(reference, item, following)
                return self.name(reference, item.span), position + 1
            return self._scripted(item), position + 1
        result = self.expression(item)
        if result.op == "derivative_operator":
            if following is None:
                raise ParseError(
                    "nothing is differentiated",
                    span=item.span,
                    expected="the quantity in the numerator, or after the fraction",
                )
            of, after = self.factor(items, position + 1)
            return Pre("derivative", (of, result.args[0]), result.data, item.span), after
        return result, position + 1

    def _scripted(self, node: s.Surface) -> Pre:
        """Scripts on something that is not a name: a bracket, a matrix, a norm, a fraction."""
        if not isinstance(node, s.Scripted):
            raise ParseError("this has no meaning here", span=node.span)
        if isinstance(node.base, s.Fence) and node.base.kind == "norm" and node.subs:
            kind = label_text(node.subs[0])
            if kind not in ("2", "F"):
                raise ParseError(
                    "this norm is not part of the notation",
                    span=node.span,
                    expected="the Euclidean or spectral norm, or \\lVert A \\rVert_F",
                )
            body = Pre("norm", (self.expression(node.base.body),), kind, node.span)
        elif node.subs:
            body = self._entry(node)
        else:
            body = self.expression(node.base)
        if node.primes:
            raise ParseError("a prime stands on a function or a name", span=node.span, expected="f'(x)")
        for sup in node.sups:
            if isinstance(sup, s.Bracket) and sup.kind == "(":
                raise ParseError(
                    "a label in parentheses stands on a name", span=sup.span, expected="a power, or a transpose"
                )
            body = self.superscript(body, sup, node.span)
        return body

    def _selected(self, body: Pre, chosen: s.Surface) -> Pre:
        """The entry that an integer quantity selects, or a slice."""
        if not isinstance(chosen, s.Scripted):
            return self._sliced(body, chosen)
        return Pre("inner", (Pre("onehot", (self.expression(chosen),), span=chosen.span), body), span=body.span)

    def _entry(self, node: s.Scripted) -> Pre:
        """``[p]_{y_t}``: the entry that an integer quantity selects; ``[x]_{a:b}``: a slice."""
        item = node.subs[0]
        parts = item.items if isinstance(item, s.Bracket) else (item,)
        if any(isinstance(part, s.Relation) for part in parts):
            ranges = parts if isinstance(item, s.Bracket) else node.subs
            if len(ranges) > 2:
                raise ParseError(
                    "a matrix has two ranges", span=ranges[2].span, expected="rows and columns, as in [W]_{0:n, 0:d}"
                )
            return self._sliced(self.expression(node.base), s.Bracket("[", ranges, span=node.span))
        if len(node.subs) == 1 and isinstance(item, s.Scripted):
            return replace(self._selected(self.expression(node.base), item), span=node.span)
        raise ParseError(
            "this subscript has no meaning here",
            span=item.span or node.span,
            expected="an integer quantity such as y_t, or a range",
            hint="single entries are not read: write the formula for the whole matrix or vector"
            if _is_entry(item)
            else None,
        )

    def _marked(self, item: s.Surface, mark: s.Mark, items: list[s.Surface], position: int) -> tuple[Pre, int]:
        if mark.kind == "nabla":
            return self.derivatives.gradient(item, items, position)
        if mark.kind == "partial" and isinstance(item, s.Scripted) and len(item.subs) == 1:
            return self.derivatives.by_subscript(item, items, position)
        if mark.kind == "partial":
            kind = (self.derivatives.differential(item) or ("total", ()))[0]
            if position + 1 >= len(items):
                raise ParseError("∂ of nothing", span=item.span, expected="a quantity after ∂")
            of, after = self.factor(items, position + 1)
            return Pre("differential", (of,), kind, item.span), after
        if mark.kind == "ones":
            following = items[position + 1] if position + 1 < len(items) else None
            if (
                isinstance(following, s.Bracket)
                and len(following.items) == 1
                and isinstance(following.items[0], s.Relation)
            ):
                return self._iverson(s.Bracket("[", following.items, span=following.span)), position + 2
            if isinstance(item, s.Scripted) and item.subs:
                if not all(isinstance(sub, s.Relation) for sub in item.subs):
                    raise ParseError(
                        "ones with a subscript are not part of the notation",
                        span=item.span,
                        expected="\\mathbf{1}, or a condition such as [z_t > 0]",
                    )
                return self._iverson(s.Bracket("[", item.subs, span=item.span)), position + 1
            result = Pre("ones", span=item.span)
            if isinstance(item, s.Scripted):
                for sup in item.sups:
                    result = self.superscript(result, sup, item.span)
            return result, position + 1
        if mark.kind == "dots":
            raise ParseError(
                "dots leave terms unsaid",
                span=item.span,
                expected="a sum or product sign with bounds",
                hint="write \\sum_{k=1}^{t} or \\prod_{k=1}^{t}",
            )
        raise ParseError("this symbol has no meaning here", span=item.span, expected="a quantity")

    # -- products with signs -----------------------------------------------------------------------

    def _on_Infix(self, node: s.Infix) -> Pre:
        operators, items = self.derivatives.inline(node)
        self._check_slash(node)
        result = items[0]
        for operator, item in zip(operators, items[1:], strict=True):
            span = result.span.to(item.span) if result.span and item.span else node.span
            op = {
                "odot": "hadamard",
                "at": "times",
                "by": "times",
                "ast": "ast",
                "cdot": "cdot",
                "times": "cross",
                "otimes": "kron",
                "slash": "divide",
                "oslash": "divide",
            }[operator]
            if op in ("hadamard", "times", "ast") and result.op == op and result is not items[0]:
                result = Pre(op, (*result.args, item), result.data, span)
            else:
                # (a * A) @ v keeps its parentheses, while a * A @ v is one product of three factors.
                enclosed = op == "times" and result is items[0] and result.op == "ast"
                result = Pre(op, (result, item), "enclosed" if enclosed else None, span)
        return result

    def _check_slash(self, node: s.Infix) -> None:
        """``1/2 x`` is read by some as (1/2) x and by others as 1/(2x)."""
        for operator, item in zip(node.operators, node.items[1:], strict=True):
            if (
                operator == "slash"
                and isinstance(item, s.Sequence)
                and self.derivatives.differential(item) is None
                and self._on_Sequence(item).op == "times"
            ):
                raise AmbiguityError(
                    "how far the denominator reaches is not clear",
                    span=item.span,
                    expected="a fraction, or parentheses",
                    hint="write \\frac{a}{b} c, or a/(b c)",
                )


def _is_entry(subscript: s.Surface) -> bool:
    """Whether a subscript may be meant as the place of an entry: i, ij, 12."""
    leaves = [leaf for leaf in subscript.walk() if not leaf.children()]
    return all(
        isinstance(leaf, s.Number) or (isinstance(leaf, s.Name) and leaf.text in CONVENTIONAL_INDICES)
        for leaf in leaves
    )


def _is_index(item: s.Surface) -> bool:
    return isinstance(item, s.Name) and item.text != "T"


def _rising(sub: s.Surface | None) -> s.Surface | None:
    """Bounds written with > as bounds written with <."""
    if not isinstance(sub, s.Relation) or not set(sub.operators) <= {">", ">="}:
        return sub
    turned = tuple(operator.replace(">", "<") for operator in reversed(sub.operators))
    return s.Relation(turned, sub.items[::-1], span=sub.span)
