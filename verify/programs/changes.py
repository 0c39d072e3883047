"""Small changes of a formula of the engine, as operations in the notation in which people write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Integer

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
        return self.edit.cost + _BY_KIND.get(self.edit.kind, 0.0)

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


def changes_of(pre: Pre, names: Names) -> Iterator[Change]:
    """Every change whose shapes may conform, the cheap ones first."""
    words = Vocabulary(names, [node for _, node in places(pre)])
    shapes = Shapes(names.context.shapes, names.context.layout)
    found = [edit for path, node in places(pre) for edit in (*edits(path, node, words), *_slopes(node, path))]
    for edit in sorted(found, key=lambda edit: edit.cost):
        change = Change(pre, edit)
        if shapes.conforms(change.after):
            yield change


def _slopes(node: Pre, path: Path) -> Iterator[Edit]:
    """f'(v) with the form that it has in terms of f(v), made of v itself: v (1 - v), 1 - v²."""
    if node.op == "apply" and node.data[1] == 1 and node.args[0].op == "name":
        v = node.args[0]
        for form in (Pre("hadamard", (v, _one_minus(v))), _one_minus(Pre("hadamard", (v, v)))):
            yield Edit(1.2, path, form, "", "derivative of a function")


def _one_minus(body: Pre) -> Pre:
    return Pre("plus", (Pre("scalar", data=(Integer(1), None)), Pre("neg", (body,))))


__all__ = ["Change", "changes_of", "read"]
