"""Derivatives as they are written: ∂a/∂b in a fraction or in a line, ∂_b a, ∇_b a, d a, and ∂a alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from derive.errors import AmbiguityError, ParseError
from derive.notation import surface as s
from derive.notation.operations import Pre
from derive.notation.scope import Scope
from derive.notation.source import Span

if TYPE_CHECKING:
    from derive.notation.resolve import Resolver


class Derivatives:
    """Reads derivatives, on behalf of a :class:`~derive.notation.resolve.Resolver`."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver

    @property
    def scope(self) -> Scope:
        return self.resolver.scope

    def differential(self, node: s.Surface) -> tuple[str, tuple[s.Surface, ...]] | None:
        """``∂ x``, ``∂⁺ x``, ``d x`` as (kind, what follows); None where it is none."""
        items = node.items if isinstance(node, s.Sequence) else (node,)
        head = items[0]
        mark = s.bare(head)
        if isinstance(mark, s.Mark) and mark.kind == "partial":
            sups = head.sups if isinstance(head, s.Scripted) else ()
            if isinstance(head, s.Scripted) and (head.subs or head.primes):
                raise ParseError(
                    "∂ with a subscript is not part of the notation",
                    span=head.span,
                    expected="\\frac{\\partial a}{\\partial b}, or \\nabla_b a",
                )
            if not sups:
                return "total", items[1:]
            if len(sups) == 1 and isinstance(sups[0], s.Mark) and sups[0].kind == "+":
                return "immediate", items[1:]
            raise ParseError(
                "higher derivatives are not part of the notation", span=head.span, expected="\\partial or \\partial^{+}"
            )
        if isinstance(head, s.Name) and head.text == "d" and (len(items) > 1 or "d" not in self.scope.names):
            return "d", items[1:]
        if (
            isinstance(mark, s.Name)
            and len(mark.text) > 1
            and mark.text[0] == "d"
            and len(items) == 1
            and self._names_quantity(mark.text[1:])
        ):
            rest: s.Surface = s.Name(mark.text[1:], span=mark.span)
            if isinstance(head, s.Scripted):
                rest = s.Scripted(rest, head.subs, head.sups, head.primes, span=head.span)
            return "d", (rest,)
        return None

    def _names_quantity(self, text: str) -> bool:
        """Whether the rest of a word such as ``dW`` or ``dh`` is a name; ``delta`` and ``dist`` are words of their own."""
        return (len(text) == 1 and text.isalpha()) or text in self.scope.names or text in self.scope.timed

    def fraction(self, above: s.Surface, below: s.Surface, span: Span | None) -> Pre | None:
        up, down = self.differential(above), self.differential(below)
        if up is None or down is None or not down[1]:
            return None
        kind = "immediate" if "immediate" in (up[0], down[0]) else "total"
        by = self.resolver.factors(down[1], below.span)
        if not up[1]:
            return Pre("derivative_operator", (by,), kind, span)
        return Pre("derivative", (self.resolver.factors(up[1], above.span), by), kind, span)

    def by_subscript(self, item: s.Scripted, items: list[s.Surface], position: int) -> tuple[Pre, int]:
        """``\\partial_{h_t} L``: the same as ``\\frac{\\partial L}{\\partial h_t}``."""
        kind, _ = self.differential(replace(item, subs=())) or ("total", ())
        if position + 1 >= len(items):
            raise ParseError("∂ of nothing", span=item.span, expected="a quantity after \\partial_{h_t}")
        by = self.resolver.expression(item.subs[0])
        if by.op != "name":
            raise ParseError(
                "∂ does not say by what",
                span=item.subs[0].span or item.span,
                expected="a quantity, as in \\partial_{h_t} L",
            )
        of, after = self.resolver.factor(items, position + 1, under_gradient=True)
        span = item.span.to(of.span) if item.span and of.span else item.span
        return self._bound(of, "∂", lambda inner: Pre("derivative", (inner, by), kind, span)), after

    @staticmethod
    def _bound(of: Pre, sign: str, derived: Callable[[Pre], Pre]) -> Pre:
        """The derivative of a name. In ``\\nabla_{y_t} L_t^\\top`` it is transposed itself: a transposed number would say nothing."""
        if sign == "∇" and of.op in ("transpose", "transpose_or_power") and of.args[0].op == "name":
            return replace(of, args=(derived(of.args[0]), *of.args[1:]))
        if of.op in ("transpose", "transpose_or_power"):
            raise AmbiguityError(
                "it is not clear what is transposed",
                span=of.span,
                expected="parentheses, as in (\\nabla_W L)^\\top",
                hint=f"{sign} binds one atom",
            )
        return derived(of)

    def gradient(self, item: s.Surface, items: list[s.Surface], position: int) -> tuple[Pre, int]:
        if isinstance(item, s.Scripted) and item.sups:
            raise ParseError(
                "a second derivative",
                span=item.span,
                expected="first derivatives",
                hint="Hessians are not part of the notation",
            )
        if not isinstance(item, s.Scripted) or len(item.subs) != 1:
            raise ParseError("∇ does not say by what", span=item.span, expected="\\nabla_{h_t} L")
        if position + 1 >= len(items):
            raise ParseError(
                "∇ of nothing", span=item.span, expected="a scalar after the gradient, such as \\nabla_{h_t} L"
            )
        by = self.resolver.expression(item.subs[0])
        of, after = self.resolver.factor(items, position + 1, under_gradient=True)
        span = item.span.to(of.span) if item.span and of.span else item.span
        result = self._bound(of, "∇", lambda inner: Pre("gradient", (by, inner), span=span))
        for sup in item.sups:
            result = self.resolver.superscript(result, sup, item.span)
        return result, after

    def inline(self, node: s.Infix) -> tuple[list[str], list[Pre]]:
        """``∂a / ∂b`` written in a line is one operand."""
        operators: list[str] = []
        items: list[Pre] = []
        rest, signs = list(node.items), list(node.operators)
        while rest:
            item = rest.pop(0)
            found = self._inline_one(item, rest[0], node.span) if signs[:1] == ["slash"] else None
            if found is None:
                items.append(self.resolver.expression(item))
            else:
                derivative, after = found
                items.append(derivative)
                rest.pop(0)
                signs.pop(0)
                if after:  # ∂a/∂b ∂b/∂c: what follows ∂b in the sequence goes on as the next factor
                    rest.insert(0, after[0] if len(after) == 1 else s.Sequence(after, span=node.span))
                    signs.insert(0, "at")
            if signs:
                operators.append(signs.pop(0))
        return operators, items

    def _inline_one(
        self, above: s.Surface, below: s.Surface, span: Span | None
    ) -> tuple[Pre, tuple[s.Surface, ...]] | None:
        """``∂a / ∂b`` with what stands after ∂b in the same sequence; None where the slash is an ordinary one."""
        after: tuple[s.Surface, ...] = ()
        if isinstance(below, s.Sequence) and len(below.items) > 2 and self.differential(below) is not None:
            _, end = self.resolver.factor(list(below.items), 1)  # ∂vec(S) takes the argument with it
            below, after = s.Sequence(below.items[:end], span=below.span), below.items[end:]
        derivative = self.fraction(above, below, span)
        return (derivative, after) if derivative is not None and derivative.op == "derivative" else None
