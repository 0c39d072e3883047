"""Putting values into a formula and simplifying what becomes of it: a gate that is held open, an input that is zero."""

from __future__ import annotations

from collections.abc import Mapping

from derive import expressions as e
from derive.expressions import make


def substitute(node: e.Node, values: Mapping[e.Node, e.Node]) -> e.Node:
    """``node`` with quantities replaced, rebuilt from the leaves with the obvious simplifications (1 ⊙ x, 0 + x,
    diag(1), products of I).
    """
    if node in values:
        return values[node]
    if isinstance(node, e.Leaf) or not node.operands:
        return node
    if isinstance(node, (e.Derivative, e.Gradient, e.Differential, e.Call)):
        return node
    operands = [substitute(operand, values) for operand in node.operands]
    if isinstance(node, e.ProductOver) and isinstance(operands[0], e.Identity):
        return operands[0]
    if isinstance(node, (e.SumOver, e.SumOverChildren)) and make.is_zero(operands[0]):
        return make.zero(node.shape)
    if isinstance(node, e.Slice):
        return make.part(operands[0], *node.bounds)
    if isinstance(node, e.Block) and all(make.is_zero(operand) for operand in operands):
        return make.zero(node.shape)
    return make.remake(node, operands)
