"""Names that everybody uses beside those of a cell, and means the same by: δ for the adjoint of a pre-activation, a for z, a gate's
label above or below.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from sympy import Symbol

from derive import expressions as e
from derive.notation.names import QName
from derive.notation.source import Span
from derive.system import RecurrentSystem, T, leaves


@dataclass(frozen=True)
class Definition:
    """A name and what it stands for."""

    lhs: e.Timed | e.Var
    rhs: e.Node
    span: Span | None = None

    @property
    def key(self) -> str:
        return self.lhs.name

    @property
    def recursive(self) -> bool:
        """Whether the name is made of itself at other times."""
        return any(leaf.name == self.key for leaf in leaves(self.rhs))

    @property
    def letter(self) -> Symbol | None:
        """The letter of its time; None for a fixed time or none."""
        letters = self.lhs.time.free_symbols - {T} if isinstance(self.lhs, e.Timed) else set()
        return next(iter(letters)) if len(letters) == 1 else None


@lru_cache(maxsize=64)
def conventional(system: RecurrentSystem) -> tuple[Definition, ...]:
    """Names that everybody uses, the likelier ones first: δ for the adjoint of a quantity that an activation is applied to, with
    its label, and that of a state before that of an output; a for z; a gate's label below instead of above; z, a and δ without
    a label for the only state that has one; and δ with a quantity as its label, as in δ^{h}_t and δ^{\\tilde C}_t.
    """
    return tuple(_conventional(system))


def _conventional(system: RecurrentSystem) -> Iterator[Definition]:
    inner = _inner(system)
    owned = [key for key, owner in inner.items() if owner in system.states]
    for key in (*owned, *(key for key in inner if key not in owned)):
        yield from _spellings(system, key)
    if len(owned) == 1:
        for base in ("z", "a", "delta"):
            meant = system.adjoint_names[owned[0]] if base == "delta" else owned[0]
            yield _alias(system, base, meant, owned[0])
    for label, key in _labels(system, inner):
        for name in (QName("delta", (), (), (label,)), QName("delta", (), (label,))):
            yield _alias(system, name.key, system.adjoint_names[key], key)


@lru_cache(maxsize=64)
def unclear(system: RecurrentSystem) -> Mapping[str, tuple[str, ...]]:
    """Names without a label that several quantities of the states might have, and these quantities: δ where a cell has v and z."""
    inner = _inner(system)
    owned = [key for key, owner in inner.items() if owner in system.states] or list(inner)
    found: dict[str, list[str]] = {}
    for key in owned:
        plain = {one.key for one in _spellings(system, key) if not _is_labelled(one.key)}
        for name in plain - {*system.shapes, *system.adjoint_owners}:
            found.setdefault(name, []).append(key)
    return {name: tuple(keys) for name, keys in found.items() if len(keys) > 1}


def _is_labelled(key: str) -> bool:
    name = QName.from_key(key)
    return bool(name.subs or name.sups)


def _inner(system: RecurrentSystem) -> Mapping[str, str]:
    """What activations are applied to, and what they give."""
    return {**_activated(system), **system.preactivations, **system.named_preactivations}


def _activated(system: RecurrentSystem) -> Mapping[str, str]:
    """Quantities with a name that an activation is applied to within a formula, as z of h_t = (1 - α) h_{t-1} + α tanh(z_t)."""
    found: dict[str, str] = {}
    for q in system.steps:
        for node in q.rhs.atoms(e.Apply):
            inside = node.operands[0]
            plain = isinstance(inside, e.Timed) and isinstance(q.lhs, e.Timed) and inside.time == q.lhs.time
            if plain and inside.name in system.definitions and inside.name not in system.states:
                found.setdefault(inside.name, q.key)
    return found


def _labels(system: RecurrentSystem, inner: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Labels that δ may have, and the quantity whose adjoint it is then: that of what an activation gives stands for what the activation
    is applied to.
    """
    for key, owner in inner.items():
        if not (name := QName.from_key(key)).subs and not name.sups:
            yield name.label, key
        yield QName.from_key(owner).label, key
        shared = {
            QName.from_key(leaf.name).subs for leaf in leaves(system.definitions[key].rhs) if isinstance(leaf, e.Var)
        }
        if len(shared) == 1 and len(subs := shared.pop()) == 1:
            yield subs[0], key
    yield from ((QName.from_key(q.key).label, q.key) for q in system.steps if q.key not in {*inner, *inner.values()})


def _spellings(system: RecurrentSystem, key: str) -> Iterator[Definition]:
    """Other spellings of a pre-activation and of its adjoint."""
    name = QName.from_key(key)
    adjoint = replace(name, base="delta", accents=())
    yield _alias(system, adjoint.key, system.adjoint_names[key], key)
    owner = QName.from_key(system.preactivations.get(key, key))
    if key in system.preactivations and not owner.accents and (owner.subs or owner.sups):
        yield _alias(system, QName("delta", (), owner.subs, owner.sups).key, system.adjoint_names[key], key)
    if key in system.named_preactivations and not (name.subs or name.sups):
        owner = QName.from_key(system.named_preactivations[key])
        for label in (name.base, owner.base):  # δ^a_t and δ^i_t, where i_t = σ(a_t)
            for labelled in (QName("delta", (), (), (label,)), QName("delta", (), (label,))):
                yield _alias(system, labelled.key, system.adjoint_names[key], key)
    for base, meant in ((name.base, key), ("a", key), ("z", key), ("delta", system.adjoint_names[key])):
        for subs, sups in ((name.subs, name.sups), (name.sups, name.subs)):
            plain = all(label.isalnum() for label in (*subs, *sups))
            if plain or (subs, sups) == (name.subs, name.sups):
                yield _alias(system, QName(base, (), subs, sups).key, meant, key)


def _alias(system: RecurrentSystem, name: str, meant: str, like: str) -> Definition:
    """A name for another one, with the time and the shape of a quantity."""
    quantity = system.quantity(like)
    if not isinstance(quantity, e.Timed):
        return Definition(e.Var(name, *quantity.shape), e.Var(meant, *quantity.shape))
    return Definition(e.Timed(name, quantity.time, *quantity.shape), e.Timed(meant, quantity.time, *quantity.shape))


__all__ = ["Definition", "conventional", "unclear"]
