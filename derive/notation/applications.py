"""What a name before a bracket does: a function takes the bracket as its argument, a quantity multiplies it; what could
be either is an error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from derive.errors import AmbiguityError, ParseError, UnknownNameError
from derive.notation import surface as s
from derive.notation.names import QName, label_text
from derive.notation.operations import Pre
from derive.notation.references import Reference
from derive.notation.scope import (
    ELEMENTWISE,
    EXTREMES,
    FUNCTION_LETTERS,
    MATRIX_FUNCTIONS,
    Scope,
    is_index,
)
from derive.notation.source import Span
from derive.notation.vocabulary import ALPHABETS, FUNCTION_COMMANDS, GREEK, STEP

if TYPE_CHECKING:
    from derive.notation.resolve import Resolver

DECLARE = "declare it: \\phi \\colon \\mathbb{R} \\to \\mathbb{R}"


class Applications:
    """Reads functions and their arguments, on behalf of a :class:`~derive.notation.resolve.Resolver`."""

    def __init__(self, resolver: Resolver) -> None:
        self.resolver = resolver

    @property
    def scope(self) -> Scope:
        return self.resolver.scope

    # -- is it a function --------------------------------------------------------------------------

    def function(self, item: s.Surface, following: s.Surface | None) -> tuple[str, int] | None:
        """The function that an item names, and its primes; None where the item is a quantity."""
        scripted = item if isinstance(item, s.Scripted) else s.Scripted(item)
        if not isinstance(scripted.base, s.Name) or scripted.base.text in self.scope.names:
            return None
        word = scripted.base.text
        if word == "e":
            return self._exponential(scripted)
        if (
            scripted.subs
            and len(word) > 1
            and (word in ELEMENTWISE or word in MATRIX_FUNCTIONS or word in EXTREMES)
            and word not in FUNCTION_LETTERS
        ):
            hint = (
                "write \\frac{\\log(x)}{\\log(2)}"
                if word in ("log", "ln")
                else "leave the subscript out, or " + DECLARE
            )
            raise ParseError(
                f"{word} with a subscript is not part of the notation",
                span=scripted.span,
                expected=f"{word}(...)",
                hint=hint,
            )
        if scripted.subs:
            return self._labelled(word, scripted, following)
        opened = opens_bracket(following)
        if word in self.scope.functions:
            return word, scripted.primes
        if (word in MATRIX_FUNCTIONS or word in EXTREMES) and len(word) > 1:
            return word, scripted.primes
        if word in ELEMENTWISE and ((len(word) > 1 and word != "sigma") or opened or scripted.primes):
            return ELEMENTWISE[word], scripted.primes
        if word == "sigma" and following is not None and not isinstance(following, s.Bracket):
            raise AmbiguityError(
                "σ stands before a quantity without parentheses",
                span=item.span,
                expected="\\sigma(...)",
                hint="write \\sigma(z_t) for the function, \\sigma \\cdot z_t for a factor",
            )
        if word in FUNCTION_LETTERS and word != "sigma" and (opened or scripted.primes) and self.scope.open:
            return word, scripted.primes
        return None

    @staticmethod
    def _exponential(scripted: s.Scripted) -> tuple[str, int] | None:
        if not scripted.subs and len(scripted.sups) == 1 and not scripted.primes and not is_transpose(scripted.sups[0]):
            return "e", 0
        if len(scripted.subs) == 1 and isinstance(scripted.subs[0], s.Scripted):
            return "onehot", 0
        return None

    def _labelled(self, word: str, scripted: s.Scripted, following: s.Surface | None) -> tuple[str, int] | None:
        """A function with a label, such as σ_g, phi_h: abstract, unless it is declared or a quantity."""
        labels = [label_text(sub) for sub in scripted.subs]
        if not all(labels):
            return None
        key = QName(word, (), tuple(label for label in labels if label)).key
        if key in self.scope.functions:
            return key, scripted.primes
        if self._is_quantity(scripted) or not (opens_bracket(following) or scripted.primes):
            return None
        if word in FUNCTION_LETTERS and self.scope.open:
            return key, scripted.primes
        return None

    def _is_quantity(self, node: s.Surface) -> bool:
        """Whether this is the name of a quantity that is known, or one at a time."""
        reference = self.resolver.references.reference(node)
        if reference is None:
            return False
        key = reference.name.key
        return (
            reference.time is not None
            or key in self.scope.names
            or key in self.scope.timed
            or key in self.scope.declared
        )

    def reject_unknown(self, reference: Reference, item: s.Surface, following: s.Surface | None) -> None:
        """A name that is neither a known quantity nor a known function, before a bracket that looks like an argument.

        Raises
        ------
        UnknownNameError : it can only be a function.
        AmbiguityError   : it may be a factor as well.
        """
        if reference.name.base in FUNCTION_COMMANDS and self.scope.open and not self._is_quantity(item):
            raise UnknownNameError(
                f"{reference.name.base} is not part of the notation",
                span=item.span,
                hint="write it by operations that there are",
            )
        if (
            not opens_bracket(following)
            or following is None
            or reference.acting
            or self._is_constant(reference)
            or self._is_quantity(item)
        ):
            return
        bracket = s.bare(following)
        shown = item.span.text if item.span else reference.name.key
        word = (
            len(reference.name.base) > 1
            and reference.name.base not in (*GREEK, STEP)
            and reference.name.base not in self.scope.losses
        )
        over_function = bool(reference.name.accents) and reference.name.base in FUNCTION_LETTERS
        round_bracket = isinstance(bracket, s.Bracket) and bracket.kind == "("
        if word or over_function or (round_bracket and len(bracket.children()) > 1):
            styled = word and reference.name.base.startswith(ALPHABETS)
            known = {*ELEMENTWISE, *MATRIX_FUNCTIONS, *EXTREMES}
            raise UnknownNameError(
                f"{shown} is not a function of the notation",
                span=item.span,
                expected=None if styled else f"one of {', '.join(name for name in sorted(known) if '_' not in name)}",
                hint=f"for a derivative write {reference.name.base}'"
                if over_function
                else "write the function by operations that there are, or " + DECLARE,
            )
        atom = bracket.children()[0]
        if round_bracket and is_index(atom, {self.scope.time}):
            inner = atom.span.text if atom.span else self.scope.time
            raise AmbiguityError(
                f"{shown}({inner}) may be {shown} at the time {inner}, or a product",
                span=item.span.to(following.span) if item.span and following.span else item.span,
                expected=f"{shown}_{{{inner}}} for the quantity at {inner}",
            )
        bare = isinstance(atom, (s.Name, s.Accent)) or (isinstance(atom, s.Scripted) and not atom.sups)
        if round_bracket and bare and self.scope.open:
            raise AmbiguityError(
                f"{shown} may be a factor or a function here",
                span=item.span.to(following.span) if item.span and following.span else item.span,
                expected=f"{shown} {atom.span.text if atom.span else 'x'} for a product",
                hint="if it is a function, " + DECLARE.replace("\\phi", shown),
            )

    def _is_constant(self, reference: Reference) -> bool:
        """Letters that are numbers wherever they stand: sizes, indices, T, and the identity."""
        key = reference.name.key
        return (
            key in ("I", "T", self.scope.time)
            or key in self.scope.sizes
            or key in self.scope.indices
            or reference.name.base == "I"
        )

    # -- with its argument -------------------------------------------------------------------------

    def apply(
        self, function: tuple[str, int], item: s.Surface, items: list[s.Surface], position: int
    ) -> tuple[Pre, int]:
        """A function with what it binds from ``items``, and where the next factor starts."""
        name, primes = function
        scripted = item if isinstance(item, s.Scripted) else s.Scripted(item)
        if name == "e":
            return Pre("apply", (self.resolver.expression(scripted.sups[0]),), ("exp", 0), item.span), position + 1
        if name == "onehot":
            result = Pre("onehot", (self.resolver.expression(scripted.subs[0]),), span=item.span)
            return self.raised(result, scripted.sups, item), position + 1
        self._reject_inverse(name, scripted, item)
        following = items[position + 1] if position + 1 < len(items) else None
        if following is None or (primes and not opens_bracket(following)):
            return Pre("bare_function", data=(name, primes), span=item.span), position + 1
        if opens_bracket(following) and not _is_entry(following):
            body = self._bracketed(name, primes, item, following)
            sups = following.sups if isinstance(following, s.Scripted) else ()
            return self.raised(body, (*scripted.sups, *sups), item), position + 2
        # A function without parentheses binds one atom, or one application as in \log \softmax(z); with more after it,
        # nobody can tell.
        argument, after = self.resolver.factor(items, position + 1)
        if after < len(items) and not isinstance(items[after], s.Big):
            raise AmbiguityError(
                f"how far the argument of {name} reaches is not clear",
                span=item.span,
                expected="parentheses around the argument",
                hint=f"write \\{name}(...)",
            )
        span = item.span.to(argument.span) if item.span and argument.span else item.span
        return self.raised(self._applied(name, primes, (argument,), span), scripted.sups, item), after

    def raised(self, body: Pre, sups: tuple[s.Surface, ...], item: s.Surface) -> Pre:
        for sup in sups:
            body = self.resolver.superscript(body, sup, item.span)
        return body

    @staticmethod
    def _reject_inverse(name: str, scripted: s.Scripted, item: s.Surface) -> None:
        if any(isinstance(sup, s.Sum) and sup.signs[0] < 0 for sup in scripted.sups):
            raise AmbiguityError(
                f"{name} to a negative power is the inverse function for some and a reciprocal for others",
                span=item.span,
                expected=f"\\frac{{1}}{{{name}(x)}} for the reciprocal",
                hint="for the inverse function name it, as in \\arctan, or write it by exp and log",
            )

    def _bracketed(self, name: str, primes: int, item: s.Surface, following: s.Surface) -> Pre:
        span = item.span.to(following.span) if item.span and following.span else None
        if isinstance(following, s.Scripted) and (following.primes or following.subs):
            raise ParseError(
                f"a prime or subscript after the argument of {name}",
                span=following.span,
                expected=f"{name}'(...) for the derivative",
            )
        arguments = s.bare(following).children()
        wanted = 2 if name in EXTREMES else 1
        if len(arguments) < wanted or (len(arguments) > 1 and name not in EXTREMES):
            more = (
                "two arguments or more; the largest entry of one vector is not part of the notation"
                if wanted == 2
                else "one argument"
            )
            raise ParseError(f"{name} takes {more}", span=following.span, expected=more.split(";")[0])
        return self._applied(name, primes, tuple(self.resolver.expression(argument) for argument in arguments), span)

    @staticmethod
    def _applied(name: str, primes: int, arguments: tuple[Pre, ...], span: Span | None) -> Pre:
        if name in MATRIX_FUNCTIONS or name in EXTREMES:
            if primes:
                raise ParseError(
                    f"{name} is not a function of one number, so it has no {name}'",
                    span=span,
                    expected="the Jacobian written out",
                )
            return (
                Pre("extreme", arguments, name, span)
                if name in EXTREMES
                else Pre(MATRIX_FUNCTIONS[name], arguments, span=span)
            )
        return Pre("apply", arguments, (name, primes), span)

    # -- abstract losses ---------------------------------------------------------------------------

    def is_call(self, reference: Reference, following: s.Surface | None, under_gradient: bool = False) -> bool:
        """Whether this is an abstract scalar such as L_t(h_t). ∇ binds one atom, so after ∇L only a list of names is an
        argument.
        """
        if (
            reference.name.base not in self.scope.losses
            or reference.acting
            or not isinstance(following, s.Bracket)
            or following.kind != "("
        ):
            return False
        names = all(isinstance(item, (s.Name, s.Accent, s.Scripted)) for item in following.items)
        return names or not (under_gradient or not self.scope.in_cell)

    def call(self, reference: Reference, item: s.Surface, following: s.Surface | None) -> Pre:
        """An abstract scalar of quantities."""
        arguments = tuple(
            self.resolver.expression(argument) for argument in (following.children() if following is not None else ())
        )
        return Pre(
            "call", (Pre("name", data=(reference.name.key, reference.time), span=item.span), *arguments), span=item.span
        )


def opens_bracket(node: s.Surface | None) -> bool:
    """Whether a bracket starts here, perhaps with scripts at its end."""
    inner = s.bare(node)
    return isinstance(inner, s.Bracket) and inner.kind in ("(", "[", "{", "group")


def _is_entry(node: s.Surface | None) -> bool:
    """``[p]_{y}``: an entry of a vector, which a function takes as a whole."""
    return (
        isinstance(node, s.Scripted) and bool(node.subs) and isinstance(node.base, s.Bracket) and node.base.kind == "["
    )


def is_transpose(node: s.Surface) -> bool:
    """Whether a superscript is a transpose."""
    return (isinstance(node, s.Mark) and node.kind == "top") or (isinstance(node, s.Name) and node.text == "T")
