"""Naming pre-activations: in ``h_t = tanh(W h_{t-1} + U x_t + b)`` the argument becomes ``z_t``, so that results can
speak of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from derive import expressions as e
from derive.cell_text import Equation
from derive.notation.names import QName
from derive.tree import TreeIndices

_LETTERS = ("z", "a", "u", "s", "q")
"""Letters for pre-activations; the first that the cell does not use."""


@dataclass(frozen=True)
class Prepared:
    """The equations with named arguments, and for each new name the quantity it was made for."""

    equations: tuple[Equation, ...]
    owners: Mapping[str, str]


def name_preactivations(equations: Sequence[Equation], taken: set[str], tree: TreeIndices | None = None) -> Prepared:
    """Give every compound argument of a function a name of its own. What changes from child to child is a quantity of the
    edge, as z_{jk}.
    """
    wanted = {q.key: _compound_arguments(q.rhs) for q in equations}
    wanted = {key: arguments for key, arguments in wanted.items() if arguments}
    bases = {QName.from_key(key).base for key in taken}
    letter = next((candidate for candidate in _LETTERS if candidate not in bases), "z")
    single = len({argument for arguments in wanted.values() for argument in arguments}) == 1 and letter not in taken
    one_base = len({QName.from_key(key).base for key in wanted}) == 1
    used, owners = set(taken), {}
    result: list[Equation] = []
    names: dict[e.Node, e.Node] = {}
    """What has a name already: the argument as it was written."""
    for equation in equations:
        rhs = equation.rhs.xreplace(names)
        for argument in wanted.get(equation.key, ()):
            if argument in names:
                continue
            alike = [other for other in wanted if _base(other) == _base(equation.key)]
            key = letter if single else _fresh(letter, equation.key, used, not one_base, len(alike) > 1)
            used.add(key)
            owners[key] = equation.key
            name = _name(key, argument, equation.lhs, tree)
            inner = argument.xreplace(names)
            result.append(Equation(key, name, inner, equation.span))
            rhs = rhs.xreplace({inner: name})
            names[argument] = name
        result.append(Equation(equation.key, equation.lhs, rhs, equation.span))
    return Prepared(tuple(result), owners)


def _name(key: str, argument: e.Node, owner: e.Node, tree: TreeIndices | None) -> e.Node:
    if not isinstance(owner, e.Timed):
        return e.Var(key, *argument.shape)
    each_child = tree is not None and tree.child in argument.free_symbols
    return e.Timed(key, tree.edge if tree is not None and each_child else owner.time, *argument.shape)


def _compound_arguments(rhs: e.Node) -> tuple[e.Node, ...]:
    """Arguments of functions that combine at least two quantities, inner ones first; not those that change along a
    sum's own index. An inner argument counts as the one quantity that it becomes, so log(σ(z)) needs no further name.
    """
    found: dict[e.Node, e.Node] = {}
    summed = {node.index for node in e.children_first(rhs) if isinstance(node, e.OverTime)}
    for node in e.children_first(rhs):
        if isinstance(node, (e.Apply, e.Softmax)) and not summed & node.free_symbols:
            argument = node.operands[0]
            named = argument.xreplace(found)
            quantities = {leaf for leaf in e.children_first(named) if isinstance(leaf, (e.Timed, e.Var))}
            if len(quantities) > 1:
                found.setdefault(argument, e.Var(f"argument {len(found)}", *argument.shape))
    return tuple(found)


def _base(key: str) -> tuple[str, tuple[str, ...]]:
    name = QName.from_key(key)
    return name.base, name.subs


def _fresh(letter: str, owner: str, used: set[str], labelled: bool, alike: bool) -> str:
    """``z^f`` for the pre-activation of f, ``z^C`` for that of the candidate C̃; a second one of f is ``z^{ff}``.

    Layers and numbers are those of the owner: ``z^{[2]}`` of ``h^{[2]}`` where all owners are called h, else
    ``z^{[2]f}`` of ``f^{[2]}``. Where others are ``alike`` but for an upper label, it is among the letters: ``z^{fl}`` of
    ``f^l``.
    """
    name = QName.from_key(owner)
    base = name.base + "".join(sub for sub in name.subs if sub.isalpha())
    base += "".join(sup for sup in name.sups if sup.isalpha()) if alike else ""
    numbers = tuple(sub for sub in name.subs if sub.isdigit())
    layers = tuple(sup for sup in name.sups if sup.startswith(("[", "(")))
    label = base if labelled or not (numbers or layers) else ""
    while True:
        key = QName(letter, (), numbers, (*layers, *([label] if label else []))).key
        if key not in used:
            return key
        label += base
