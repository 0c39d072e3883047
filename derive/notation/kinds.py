"""What defined quantities are, by the structure of their right sides: ``w^T x_t + b`` is a number, ``v_t k_t^T`` a matrix.

Defined quantities start open and become what their equations make of inputs and parameters; what stays open is left to
convention. Nothing is decided here that the equations do not bear out: this is where the search for shapes starts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from derive.notation.operations import Pre

_ORDER = {"number": 0, "open": 1, "scalar": 2, "vector": 3, "row": 3, "matrix": 4}
"""Kinds by what wins in a sum: a number says nothing of what it is added to, a scalar that was computed does."""
_ADDED = ("plus", "extreme", "relation")
_SCALED = ("hadamard", "ast", "divide")
_OF_VECTORS = ("sum_entries", "mean", "norm", "softmax")
_ONE_NUMBER = ("trace", "sum_entries", "mean", "norm", "inner", "call")
_SAME = ("neg", "apply", "softmax", "power", "sum", "sum_over_children", "product", "product_over_path")

_PRODUCTS = {
    ("row", "vector"): "scalar",
    ("row", "open"): "scalar",
    ("vector", "row"): "matrix",
    ("matrix", "matrix"): "matrix",
    ("matrix", "open"): "vector",
    ("open", "open"): "open",
    ("vector", "open"): "open",  # a y_{t-1}: a is a number, or a ⊙ is missing
    ("open", "matrix"): "open",
    ("row", "matrix"): "row",
    ("row", "row"): "row",
}
"""Products of two factors that are no numbers; all others are vectors."""


class _Kinds:
    """One pass over right sides; ``kinds`` of defined quantities only go up."""

    def __init__(self, kinds: dict[str, str], open_parameters: frozenset[str]) -> None:
        self.kinds = kinds
        self.open = open_parameters
        self.numbers: set[str] = set()
        """Parameters that are found to be numbers."""

    def of(self, pre: Pre) -> str:
        """The kind of an operation."""
        if pre.op == "name":
            return "number" if pre.data[0] in self.numbers else self.kinds[pre.data[0]]
        if pre.op == "plus":
            self._beside_a_product(pre)
        if pre.op in _OF_VECTORS:
            self._is_a_vector(pre.args[0])
        inside = [self.of(arg) for arg in pre.args]
        if pre.op == "times" and self._may_scale(pre, inside):
            return "open"
        if pre.op in ("times", "cdot", "cross"):
            return "scalar" if pre.op == "cdot" and inside == ["vector", "vector"] else _product(inside)
        if pre.op in _ONE_NUMBER:
            return "scalar"
        if pre.op in ("transpose", "transpose_or_power"):
            return {"vector": "row", "row": "vector", "open": "row"}.get(inside[0], inside[0])
        if pre.op in _ADDED:
            return max(inside, key=_ORDER.__getitem__)
        if pre.op in _SCALED:
            return max([kind for kind in inside if kind not in ("number", "scalar")] or inside, key=_ORDER.__getitem__)
        if pre.op in _SAME:
            return inside[0]
        if pre.op == "diag":
            return "vector" if inside[0] == "matrix" else "matrix"
        if pre.op in ("identity", "kron"):
            return "matrix"
        return "number" if pre.op in ("scalar", "zero") else "vector"

    def _may_scale(self, pre: Pre, inside: Sequence[str]) -> bool:
        """``a y_{t-1}`` with a number y: a is a number as well, or makes a vector of it."""
        vectors = [arg for arg, kind in zip(pre.args, inside, strict=True) if kind not in ("number", "scalar", "open")]
        single = len(vectors) == 1 and vectors[0].op == "name" and vectors[0].data[0] in self.open
        return single and any(
            arg.op == "name" and arg.data[0] in self.kinds and arg is not vectors[0] for arg in pre.args
        )

    def _is_a_vector(self, argument: Pre) -> None:
        """What a mean or a norm is taken of has entries."""
        if argument.op == "name" and self.kinds[argument.data[0]] == "open":
            self.kinds[argument.data[0]] = "vector"
        elif argument.op in (*_ADDED, *_SCALED, *_SAME):
            for arg in argument.args:
                self._is_a_vector(arg)

    def _beside_a_product(self, pre: Pre) -> None:
        """``w^T x_t + b``: the bias of a number is a number."""
        terms = [arg.args[0] if arg.op == "neg" else arg for arg in pre.args]
        products = [term for term in terms if term.op in ("times", "cdot", "inner")]
        plain = {term.data[0] for term in terms if term.op == "name" and term.data[0] in self.open}
        others = [term for term in terms if term not in products and not (term.op == "name" and term.data[0] in plain)]
        found = {self.of(term) for term in products}
        if not others and "scalar" in found and found <= {"scalar", "open"}:
            self.numbers |= plain


def _product(inside: Sequence[str]) -> str:
    result = "number"
    for kind in inside:
        if kind in ("number", "scalar"):
            # U x_t with a single input x_t: U may be a column.
            result = kind if result == "number" else "open" if result == "matrix" else result
        elif result in ("number", "scalar"):
            result = kind
        else:
            result = _PRODUCTS.get((result, kind), "vector")
    return result


def structural_kinds(
    lines: Sequence[Pre], conventions: Mapping[str, str], defined: frozenset[str], open_parameters: frozenset[str]
) -> dict[str, str]:
    """The kinds of all names, those of ``defined`` quantities by their equations.

    Parameters
    ----------
    conventions     : what each name is by convention, or by its declaration.
    defined         : quantities whose kind is open and that an equation defines.
    open_parameters : lower-case parameters that are vectors by convention alone.
    """
    known = {key: "number" if kind == "scalar" else kind for key, kind in conventions.items()}
    kinds = {key: "open" if key in defined else kind for key, kind in known.items()}
    reader = _Kinds(kinds, open_parameters)
    own = [line for line in lines if line.op == "relation" and line.args[0].op == "name"]
    for _ in range(len(_ORDER) * len(defined) + 1):
        before = dict(kinds)
        for line in own:
            key = line.args[0].data[0]
            found = reader.of(line.args[1])
            if key in defined:
                kinds[key] = max((kinds[key], "vector" if found == "row" else found), key=_ORDER.__getitem__)
        if kinds == before:
            break
    found_kinds = {key: "number" if key in reader.numbers else kind for key, kind in kinds.items()}
    settled = {"number": "scalar", "scalar": "scalar"}
    return {key: conventions[key] if kind == "open" else settled.get(kind, kind) for key, kind in found_kinds.items()}
