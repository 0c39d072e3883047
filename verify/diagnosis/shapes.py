"""The shapes of operations at a glance, to leave out changes that cannot conform before anything is built.

What is not known here is taken to conform: this only ever rejects.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Expr

from derive.expressions.node import ONE, SCALAR, Shape
from derive.notation.operations import Pre

Known = Shape | None
"""A shape; None where it is not known."""


class DoesNotConform(Exception):
    """Operands do not fit."""


class Shapes:
    """Shapes of the operations of one formula.

    Parameters
    ----------
    names  : the shape of each name.
    layout : of the cell; in row vectors, two of them side by side are multiplied entry by entry.
    """

    def __init__(self, names: Mapping[str, Shape], layout: str) -> None:
        self._names, self._layout = names, layout
        self._known: dict[int, tuple[Pre, Known]] = {}

    def conforms(self, pre: Pre) -> bool:
        """Whether it may."""
        try:
            self.of(pre)
        except DoesNotConform:
            return False
        return True

    def of(self, pre: Pre) -> Known:
        """The shape of an operation.

        Raises
        ------
        DoesNotConform
        """
        found = self._known.get(id(pre))
        if found is None:
            rule: Callable[[Pre], Known] = getattr(self, f"_{pre.op}", self._other)
            # the operation is kept as well, so that its identity is not another's
            found = self._known[id(pre)] = (pre, rule(pre))
        return found[1]

    def _other(self, pre: Pre) -> Known:
        for arg in pre.args:
            self.of(arg)
        return None

    def _name(self, pre: Pre) -> Known:
        return self._names.get(pre.data[0])

    def _scalar(self, pre: Pre) -> Known:
        return SCALAR

    _zero = _scalar

    def _number(self, pre: Pre) -> Known:
        self._other(pre)
        return SCALAR

    _norm = _trace = _sum_entries = _inner = _number

    def _same(self, pre: Pre) -> Known:
        return self.of(pre.args[0])

    _apply = _neg = _softmax = _sum = _product = _same

    def _power(self, pre: Pre) -> Known:
        self._other(pre)
        return self.of(pre.args[0])

    def _transpose(self, pre: Pre) -> Known:
        shape = self.of(pre.args[0])
        return None if shape is None else shape[::-1]

    _transpose_or_power = _transpose

    def _diag(self, pre: Pre) -> Known:
        shape = self.of(pre.args[0])
        if shape is None or len(shape) != 2:
            return None
        size = shape[0] if shape[1] == ONE else shape[1]
        return (size, size) if ONE in shape else (shape[0], ONE)

    def _entrywise(self, pre: Pre) -> Known:
        found: Known = SCALAR
        unknown = False
        for arg in pre.args:
            shape = self.of(arg)
            if shape is None:
                unknown = True
            elif shape != SCALAR:
                if found not in (SCALAR, shape):
                    raise DoesNotConform
                found = shape
        return None if unknown and found == SCALAR else found

    _plus = _hadamard = _divide = _entrywise

    def _times(self, pre: Pre) -> Known:
        chain: Known = SCALAR
        for arg in pre.args:
            shape = self.of(arg)
            if shape is None or chain is None:
                return self._other(pre)
            if SCALAR in (shape, chain):
                chain = shape if chain == SCALAR else chain
            elif chain[-1] == shape[0] and len(chain) == len(shape) == 2:
                chain = (chain[0], shape[1])
            elif self._layout == "row" or pre.op != "times" or len(chain) != 2 or len(shape) != 2:
                return self._other(pre)
            else:
                raise DoesNotConform
        return chain

    _cdot = _cross = _ast = _times

    def _gradient(self, pre: Pre) -> Known:
        return self.of(pre.args[0])

    def _derivative(self, pre: Pre) -> Known:
        of, by = (self.of(arg) for arg in pre.args)
        if of is None or by is None or len(of) != 2 or len(by) != 2:
            return None
        if of == SCALAR and ONE not in by:
            return by
        if ONE not in of or ONE not in by:
            return None
        return _size(of), _size(by)

    def _relation(self, pre: Pre) -> Known:
        left, right = (self.of(arg) for arg in pre.args)
        number = pre.args[1].op in ("scalar", "zero")
        if left is not None and right is not None and left != right and not number:
            raise DoesNotConform
        return left


def _size(shape: Shape) -> Expr:
    return shape[0] if shape[1] == ONE else shape[1]


__all__ = ["DoesNotConform", "Shapes"]
