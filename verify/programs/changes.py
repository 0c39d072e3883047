"""Small changes of a formula of the engine, as operations in the notation in which people write."""

from __future__ import annotations

import math
from collections.abc import Container, Iterator
from dataclasses import dataclass

from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import BpttError
from derive.notation.elaborate import build, resolve
from derive.notation.operations import Pre
from derive.notation.parser import parse_one
from verify.diagnosis.edits import Edit, edits
from verify.diagnosis.phrases import shown
from verify.diagnosis.shapes import Shapes
from verify.diagnosis.trees import Path, at, places, put
from verify.diagnosis.vocabulary import Vocabulary
from verify.names import Names

DEAREST = 1.7
"""Changes that are more far-fetched than this are tried in single formulas only."""
_BY_KIND = {"extra summand": -0.4, "extra factor": -0.4, "derivative of a function": -0.3, "missing summand": 0.3}
"""The rules are made for the way from a wrong formula to the right one; here the right one is changed to the wrong one."""


@dataclass(frozen=True)
class Change:
    """A formula, and what is done to it."""

    before: Pre
    edit: Edit

    @property
    def cost(self) -> float:
        """How far-fetched it is; what somebody leaves out is near, what somebody adds is far."""
        return _cost(self.edit)

    @property
    def after(self) -> Pre:
        return put(self.before, self.edit.path, self.edit.new)

    def built(self, names: Names) -> e.Node | None:
        """The changed formula; None where it does not conform."""
        try:
            return build(self.after, names.context)
        except BpttError:
            return None

    def told(self, names: Names) -> str:
        """What the author did, seen from the right formula."""
        edit, old = self.edit, at(self.before, self.edit.path)
        what = "" if edit.what is None else shown(edit.what, names)
        if edit.kind == "extra factor" and what and old.op != "divide":
            return f": the factor {what} is missing"
        if edit.kind == "extra summand" and what:
            return f": the summand {what} is missing"
        was, new = shown(old, names), shown(edit.new, names)
        return f": {new} stands where {was} belongs" if edit.path and len(was) + len(new) < 60 else ""


def read(node: e.Node, names: Names) -> Pre | None:
    """A formula as operations; None where it cannot be written and read again."""
    try:
        return resolve(parse_one(node.latex()).items[0], names.context)
    except BpttError:
        return None


def changes_of(
    pre: Pre, names: Names, dearest: float = math.inf, kinds: Container[str] | None = None
) -> Iterator[Change]:
    """Every change whose shapes may conform, the cheap ones first.

    Parameters
    ----------
    dearest : no change costs more.
    kinds   : of these kinds alone.
    """
    words = Vocabulary(names, [node for _, node in places(pre)])
    shapes = Shapes(names.context.shapes, names.context.layout)
    every = (edit for path, node in places(pre) for edit in (*edits(path, node, words), *_slopes(node, path, words)))
    found = [edit for edit in every if _cost(edit) <= dearest and (kinds is None or edit.kind in kinds)]
    found = [edit for edit in found if not (edit.kind == "index" and _in_gradient(pre, edit.path))]
    for edit in sorted(found, key=_cost):
        change = Change(pre, edit)
        if shapes.conforms(change.after):
            yield change


def _in_gradient(pre: Pre, path: Path) -> bool:
    """Whether a place is in a gradient of the loss, which is zero with another time: nobody computes ∇_{h_{t+1}} L_t."""
    return any(at(pre, path[:depth]).op == "gradient" for depth in range(len(path)))


def _cost(edit: Edit) -> float:
    return edit.cost + _BY_KIND.get(edit.kind, 0.0)


def _slopes(node: Pre, path: Path, words: Vocabulary) -> Iterator[Edit]:
    """f'(v) with the form that it has in terms of f(v), made of v itself: v (1 - v), 1 - v²; or of f(v) one step away."""
    if node.op != "apply" or node.data[1] != 1 or node.args[0].op != "name":
        return
    key, time = node.args[0].data
    for v in (node.args[0], *_outputs_beside(key, time, words)):
        for form in (Pre("hadamard", (v, _one_minus(v))), _one_minus(Pre("hadamard", (v, v)))):
            yield Edit(1.2 if v is node.args[0] else 1.35, path, form, "", "derivative of a function")


def _outputs_beside(key: str, time: Expr | None, words: Vocabulary) -> Iterator[Pre]:
    """The output of a pre-activation, one step before and one after."""
    output = words.system.preactivations.get(key)
    if output is not None and time is not None:
        yield from (words.name(output, time + step) for step in (-1, 1))


def _one_minus(body: Pre) -> Pre:
    return Pre("plus", (Pre("scalar", data=(Integer(1), None)), Pre("neg", (body,))))


__all__ = ["DEAREST", "Change", "changes_of", "read"]
