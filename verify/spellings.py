"""Spellings of adjoints that people use and the notation does not have: ``\\delta C_t`` or ``dC_t`` for the adjoint of C_t, and
``\\delta_{C_t}`` for the same. And names of an author that the engine has for something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from sympy import Expr

from derive import expressions as e
from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.names import QName
from derive.notation.rebuild import rebuilt
from derive.notation.references import ReferenceReader
from verify.claims import Claim
from verify.conventions import Definition
from verify.dots import without_dots
from verify.names import Names

Change = Callable[[s.Surface], s.Surface]
_OWN = "@own"
"""The label of an author's name that the engine has for something else."""


def with_sums(claims: Iterable[Claim], names: Names) -> list[Claim]:
    """The claims without the dots that can be read, and with the indices of their sums first."""
    reader = ReferenceReader(names.context.scope)
    return [_without_dots(claim, reader) for claim in claims]


def _without_dots(claim: Claim, reader: ReferenceReader) -> Claim:
    if claim.surface is None:
        return claim
    turned = rebuilt(claim.surface, _with_index_first(claim.surface))
    turned = claim.surface if turned == claim.surface else turned
    surface = without_dots(turned, reader)
    return claim if surface is claim.surface else replace(claim, surface=surface, ordered=surface != turned)


def _with_index_first(whole: s.Surface) -> Change:
    """Writes ``k <= t`` for the ``t >= k`` of a sum, where the left side speaks of t and not of k: the index is k then."""
    left = whole.items[0] if isinstance(whole, s.Relation) else whole
    free = {node.text for node in left.walk() if isinstance(node, s.Name)}

    def change(node: s.Surface) -> s.Surface:
        sub = node.sub if isinstance(node, s.Big) and node.sup is None else None
        if not isinstance(node, s.Big) or not isinstance(sub, s.Relation) or sub.operators not in ((">",), (">=",)):
            return node
        first, second = sub.items
        turns = (
            isinstance(first, s.Name) and isinstance(second, s.Name) and first.text in free and second.text not in free
        )
        rising = (sub.operators[0].replace(">", "<"),)
        return replace(node, sub=s.Relation(rising, (second, first), span=sub.span)) if turns else node

    return change


# -- adjoints --------------------------------------------------------------------------------------


def with_adjoints(claims: Sequence[Claim], names: Names) -> tuple[list[Claim], list[Definition]]:
    """The claims with names for the adjoints that are written in ways of their own, and what these stand for.

    Parameters
    ----------
    names : those of the cell, and the author's.

    >>> from derive.cell import cell
    >>> from derive.notation.source import Source
    >>> from verify.document import formulas_of
    >>> from verify.sentences import all_claims
    >>> rnn = cell("h_t = \\\\tanh(W h_{t-1} + U x_t)")
    >>> text = Source(r"$$dW = \\sum_{t=1}^{T} dz_t h_{t-1}^\\top$$", "text")
    >>> claims, defined = with_adjoints([claim for _, claim in all_claims(formulas_of(text))], Names(rnn))
    >>> [f"{one.lhs} = {one.rhs}" for one in defined]
    ['d W = W_bar', 'd z[t] = delta[t]']
    """
    spellings = _Spellings(names)
    signs = [sign for sign in ("delta", "d") if _is_used(claims, sign, spellings)]
    differential = [sign for sign in signs if any(_is_differential(claim, sign, spellings) for claim in claims)]
    changes: list[Change] = [spellings.subscript]
    for sign in signs:
        changes += [_with_partial] if sign == "d" else []
        changes += [] if sign in differential else [spellings.joined(sign)]
    changed = []
    for claim in claims:
        surface = claim.surface
        for change in changes if surface is not None else ():
            surface = rebuilt(surface, change) if surface is not None else None
        if surface is not None and any(spellings.has(surface, sign) for sign in differential):
            unread = ParseError("differentials are not read", span=claim.span, expected="derivatives, or adjoints")
            claim = replace(claim, error=claim.error or unread)
        changed.append(replace(claim, surface=surface))
    return changed, list(spellings.found.values())


def _is_used(claims: Sequence[Claim], sign: str, spellings: _Spellings) -> bool:
    """Whether a document has dC_t alone on the left of an equation: d is no factor then."""
    if sign in spellings.bases:
        return False
    lefts = (claim.surface.items[0] for claim in claims if isinstance(claim.surface, s.Relation))
    return any(spellings.pair(left.items, sign) is not None for left in lefts if isinstance(left, s.Sequence))


def _is_differential(claim: Claim, sign: str, spellings: _Spellings) -> bool:
    """Whether dh_t is a small change of h_t: the adjoint of a quantity is not made of those of parameters, of inputs, or of an earlier
    step.
    """
    surface = claim.surface
    if not isinstance(surface, s.Relation) or not isinstance(surface.items[0], s.Sequence):
        return False
    left = spellings.pair(surface.items[0].items, sign)
    if left is None:
        return False
    for node in (node for item in surface.items[1:] for node in item.walk() if isinstance(node, s.Sequence)):
        for two in pairwise(node.items):
            right = spellings.pair(two, sign)
            if right is None:
                continue
            free = {*spellings.names.system.parameters, *spellings.names.system.inputs}
            if right[0] in free or (_is_earlier(right[1], left[1])):
                return True
    return False


def _is_earlier(one: Expr | None, other: Expr | None) -> bool:
    return one is not None and other is not None and bool((other - one).is_positive)


@dataclass
class _Spellings:
    """What stands for adjoints in a document."""

    names: Names
    found: dict[str, Definition] = field(default_factory=dict)

    @property
    def bases(self) -> set[str]:
        """The letters of the cell."""
        return {QName.from_key(key).base for key in self.names.system.shapes}

    def subscript(self, node: s.Surface) -> s.Surface:
        """δ_{C_t}, with a quantity and its time below."""
        if not isinstance(node, s.Scripted) or node.base != s.Name("delta") or len(node.subs) != 1 or node.primes:
            return node
        if "delta" in self.bases:
            return node
        if not isinstance(node.subs[0], s.Scripted):
            return self._labelled(node)
        named = self._name("sub", node.subs[0])
        return node if named is None else replace(named, sups=(*named.sups, *node.sups), span=node.span)

    def _labelled(self, node: s.Scripted) -> s.Surface:
        """δ^a_t, where a_t is a name of the author's for a quantity of the cell."""
        label = node.sups[0] if len(node.sups) == 1 else None
        found = self.names.key_of(node)
        if not isinstance(label, s.Name) or (found is not None and self.names.known(found[0])):
            return node
        named = self._name("sub", s.Scripted(label, node.subs))
        return node if named is None else replace(named, span=node.span)

    def joined(self, sign: str) -> Change:
        """δC_t, or dC_t."""

        def change(node: s.Surface) -> s.Surface:
            if not isinstance(node, s.Sequence):
                return node
            items: list[s.Surface] = []
            for item in node.items:
                named = self._name(sign, item) if items and items[-1] == s.Name(sign) else None
                if named is None:
                    items.append(item)
                    continue
                first = items.pop().span
                span = first.to(item.span) if first is not None and item.span is not None else item.span
                acting = item.sups[-1:] if isinstance(item, s.Scripted) and _is_turned(item) else ()
                items.append(replace(named, sups=(*named.sups, *acting), span=span))
            return items[0] if len(items) == 1 else replace(node, items=tuple(items))

        return change

    def has(self, surface: s.Surface, sign: str) -> bool:
        """Whether a formula has a quantity behind the sign."""
        sequences = (node.items for node in surface.walk() if isinstance(node, s.Sequence))
        return any(self.pair(two, sign) for items in sequences for two in pairwise(items))

    def pair(self, items: Sequence[s.Surface], sign: str) -> tuple[str, Expr | None] | None:
        """The quantity and the time of dC_t; None where two items are something else."""
        if len(items) != 2 or items[0] != s.Name(sign):
            return None
        found = self._quantity(items[1])
        return None if found is None else found[:2]

    def _quantity(self, node: s.Surface) -> tuple[str, Expr | None, tuple[s.Surface, ...]] | None:
        """The quantity of the cell that a formula names, its time, and how that is written."""
        plain = replace(node, sups=node.sups[:-1]) if isinstance(node, s.Scripted) and _is_turned(node) else node
        found = self.names.key_of(plain)
        if found is None:
            return None
        key, lines = found[0], self.names.lines.get(found[0], [])
        if key not in self.names.system.adjoint_names and len(lines) == 1:
            key = getattr(lines[0].rhs, "name", key)  # another name for it
        if key not in self.names.system.adjoint_names:
            return None
        timed = isinstance(self.names.system.quantity(key), e.Timed)
        time = _time_of(plain) if found[1] else ()
        if timed != bool(time):
            return None
        try:
            return key, ReferenceReader(self.names.context.scope).index(time[0]) if time else None, time
        except BpttError:
            return None

    def _name(self, form: str, node: s.Surface) -> s.Scripted | None:
        """A name for the adjoint of what a formula names, which knows how it was written."""
        found = self._quantity(node)
        if found is None:
            return None
        key, _, time = found
        system = self.names.system
        quantity, name = system.quantity(key), QName.written_for(form, key)
        adjoint = system.adjoint_names[key]
        if isinstance(quantity, e.Timed):
            left: e.Timed | e.Var = e.Timed(name.key, quantity.time, *quantity.shape)
            right: e.Timed | e.Var = e.Timed(adjoint, quantity.time, *quantity.shape)
        else:
            left, right = e.Var(name.key, *quantity.shape), e.Var(adjoint, *quantity.shape)
        self.found.setdefault(name.key, Definition(left, right))
        return s.Scripted(s.Name("delta"), time, (s.Name(name.sups[0]),))


def _with_partial(node: s.Surface) -> s.Surface:
    """dL/dW as ∂L/∂W, which is the same, and is not made of differentials."""
    if not isinstance(node, s.Fraction) or not (_starts(node.numerator, "d") and _starts(node.denominator, "d")):
        return node
    above, below = (
        s.Sequence((s.Mark("partial"), *part.items[1:]), span=part.span)
        for part in (node.numerator, node.denominator)
        if isinstance(part, s.Sequence)
    )
    return replace(node, numerator=above, denominator=below)


def _starts(node: s.Surface, letter: str) -> bool:
    return isinstance(node, s.Sequence) and len(node.items) > 1 and node.items[0] == s.Name(letter)


def _is_turned(node: s.Scripted) -> bool:
    return bool(node.sups) and node.sups[-1] in (s.Mark("top"), s.Name("T"))


def _time_of(node: s.Surface) -> tuple[s.Surface, ...]:
    """The time of h_t, or of h^{(t)}."""
    if not isinstance(node, s.Scripted):
        return ()
    above = [item for sup in node.sups if isinstance(sup, s.Bracket) and sup.kind in ("(", "<") for item in sup.items]
    return node.subs[-1:] or tuple(above[-1:])


# -- names that the engine has for something else --------------------------------------------------


def clashing(names: Names) -> frozenset[str]:
    """Names of the engine for adjoints that the author gives another meaning: other spellings still stand for the adjoints."""
    return frozenset(one.key for one in names.definitions) & frozenset(names.system.adjoint_owners)


def own_name(key: str) -> str:
    """The author's own name in the place of one of the engine's; it is written alike."""
    name = QName.from_key(key)
    return name.key if _OWN in name.sups else replace(name, sups=(_OWN, *name.sups)).key


def with_own_names(
    claims: Sequence[Claim], names: Names, keys: frozenset[str], timed: Iterable[str] = ()
) -> list[Claim]:
    """The claims with names of the author's own for these.

    Parameters
    ----------
    timed : names that have a time in the document.
    """
    has_time = {key: _has_time(names, key, timed) for key in keys}

    def change(node: s.Surface) -> s.Surface:
        if not isinstance(node, (s.Name, s.Accent, s.Scripted)):
            return node
        turned = isinstance(node, s.Scripted) and _is_turned(node)
        found = names.key_of(
            replace(node, sups=node.sups[:-1]) if turned and isinstance(node, s.Scripted) else node, timed
        )
        if found is None or found[0] not in keys or found[1] != has_time[found[0]]:
            return node
        own = s.Name(_OWN)
        if isinstance(node, s.Scripted):
            return node if own in node.sups else replace(node, sups=(own, *node.sups))
        return s.Scripted(node, (), (own,), span=node.span)

    return [
        claim if claim.surface is None else replace(claim, surface=rebuilt(claim.surface, change)) for claim in claims
    ]


def _has_time(names: Names, key: str, timed: Iterable[str]) -> bool:
    owner = names.system.adjoint_owners.get(key)
    lines = names.lines.get(key)
    if lines:
        return isinstance(lines[0].lhs, e.Timed)
    return isinstance(names.system.quantity(owner), e.Timed) if owner is not None else key in timed


__all__ = ["clashing", "own_name", "with_adjoints", "with_own_names", "with_sums"]
