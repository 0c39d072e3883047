"""What a tree is worth: numbers in torch, with derivatives by autograd on the unrolled network.

A `Point` is one network with random numbers. Vectors are matrices of one column (of one row where a network is written in
rows), scalars have no axes, and nothing is broadcast but scalars: two shapes that do not conform are a `ShapeError`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from tests.verify.corpus.cells import Model
from tests.verify.corpus.language import Claim, Node, Time, free_letters

Key = tuple[str, int]
# An index that does not exist; what is zero by convention (adjoints after T, starting values by anything); all is there.
MISSING, EDGE, EXISTS = 0, 1, 2


class ShapeError(Exception):
    """Two things do not conform."""


class Unclear(Exception):
    """Something that has no one meaning, such as the diagonal matrix of a number."""


@dataclass(frozen=True)
class Reading:
    """How derivatives are laid out, and whether ∂h_k/∂W inside a sum over k is the immediate one.

    `numerator`: da/db has a row for each entry of a, so that dL/dv is a row. `mixed`: dL/dv has the shape of v.
    `denominator`: moreover da/db is transposed.
    """

    layout: str = "numerator"
    immediate_sums: bool = True


class _Step:
    """One step of a network at a point; see `cells.Step`."""

    def __init__(self, point: Point, time: int, values: dict[Key, Tensor], fixed: dict[Key, Tensor]) -> None:
        self.point, self.time, self.values, self.fixed = point, time, values, fixed

    def q(self, name: str, offset: int = 0) -> Tensor:
        return self.values[name, self.time + offset]

    def p(self, name: str) -> Tensor:
        return self.point.params[name]

    def let(self, name: str, value: Tensor) -> Tensor:
        key = (name, self.time)
        self.values[key] = self.fixed.get(key, value)
        return self.values[key]

    def abstract_loss(self, value: Tensor) -> Tensor:
        """A smooth function of a vector that is another one at every time."""
        generator = torch.Generator().manual_seed(7919 * self.time + value.numel())
        a, b, c = torch.randn((3, *value.shape), generator=generator, dtype=torch.float64)
        return torch.sin((1 + a) * value + b).sum() + 0.3 * (c * value).sum() ** 2


class Point:
    """A network with sizes, a length and random numbers; it may start from zero."""

    def __init__(self, model: Model, seed: int, from_zero: bool = False) -> None:
        generator = torch.Generator().manual_seed(seed)
        order = [2, 3, 4, 5]
        n, d, m = (order[i] for i in torch.randperm(4, generator=generator)[:3].tolist())
        self.model, self.length = model, 3 + seed % 3
        self.sizes = {"n": n, "d": d, "m": m, "1": 1}

        def random(shape: str) -> Tensor:
            axes = [self.sizes[letter] for letter in shape]
            return 0.8 * torch.randn(axes, generator=generator, dtype=torch.float64)

        self.params: dict[str, Tensor] = {}
        for name, shape in model.params.items():
            value = random(shape) if shape else 0.2 + 0.6 * torch.rand((), generator=generator, dtype=torch.float64)
            self.params[name] = value.requires_grad_()
        self.given: dict[Key, Tensor] = {}
        for name, shape in model.inputs.items():
            for time in range(1, self.length + 1):
                value = random(shape)
                if name.startswith("e_"):
                    value = (value == value.max()).double()
                self.given[name, time] = value
        for name, shape in model.starts.items():
            for lag in range(model.lags):
                self.given[name, -lag] = random(shape) * (not from_zero)
        self.base = self.run({})
        self._cache: dict[object, Tensor] = {}
        self._runs: dict[object, tuple[dict[Key, Tensor], Tensor]] = {}

    def run(self, fixed: dict[Key, Tensor]) -> dict[Key, Tensor]:
        """The unrolled network, with some values held in the place of what would be computed."""
        values = {**self.given, **{key: value for key, value in fixed.items() if key in self.given}}
        for time in range(1, self.length + 1):
            self.model.step(_Step(self, time, values, fixed))
        return values

    def run_step(self, time: int, fixed: dict[Key, Tensor]) -> dict[Key, Tensor]:
        """One step alone, where the values of all other times are constants."""
        values = {key: value.detach() for key, value in self.base.items()} | fixed
        if 1 <= time <= self.length:
            self.model.step(_Step(self, time, values, fixed))
        return values

    def freed(self, name: str, time: int | None, immediate: int | None) -> tuple[dict[Key, Tensor], Tensor]:
        """The network with one quantity as a free variable, and that variable."""
        key = (name, time, immediate)
        if key not in self._runs:
            if time is None:
                leaf, fixed = self.params[name], {}
            else:
                leaf = self.base[name, time].detach().clone().requires_grad_()
                fixed = {(name, time): leaf}
            self._runs[key] = (self.run(fixed) if immediate is None else self.run_step(immediate, fixed)), leaf
        return self._runs[key]

    def jacobian(self, name: str, time: int, by: str, at: int | None, immediate: bool) -> Tensor:
        """d name_time / d by_at with a row for each entry of the one and a column for each of the other."""
        key = ("jac", name, time, by, at, immediate)
        if key not in self._cache:
            values, leaf = self.freed(by, at, time if immediate else None)
            self._cache[key] = torch.stack([slope(entry, leaf).flatten() for entry in values[name, time].flatten()])
        return self._cache[key]

    def gradient(self, step: int | None, by: str, at: int | None) -> Tensor:
        """The gradient of the loss, or of that of one step, in the shape of what it is taken by."""
        key = ("grad", step, by, at)
        if key not in self._cache:
            values, leaf = self.freed(by, at, None)
            times = range(1, self.length + 1) if step is None else [step]
            self._cache[key] = slope(torch.stack([values["L", time] for time in times]).sum(), leaf)
        return self._cache[key]

    def exists(self, node: Node, letters: dict[str, int]) -> int:
        """Whether every quantity in a tree is there at these times."""
        at: list[Any] = [item.at(letters) if isinstance(item, Time) else item for item in node.data]
        if node.op in ("sum", "prod"):
            first, last = at[1:]
            if last < first - 1:
                return MISSING
            bound = ({**letters, at[0]: time} for time in range(first, last + 1))
            return min((self.exists(node.args[0], inner) for inner in bound), default=EXISTS)
        found = EXISTS
        if node.op == "q":
            found = EXISTS if (at[0], at[1]) in self.base else MISSING
        elif node.op in ("delta", "bar"):
            found = self._adjoint_exists(at[0], at[1], None)
        elif node.op == "jac":
            there = (at[0], at[1]) in self.base and (at[3] is None or (at[2], at[3]) in self.base)
            several = len(self.model.starts) * self.model.lags > 1  # C_0 is given beside h_0, whatever C_t is to h_t
            given = at[1] < 1 or (several and at[3] is not None and at[3] < 1)
            given = given and at[:2] != at[2:4]
            found = (EDGE if given else EXISTS) if there else MISSING
        elif node.op in ("der", "grad"):
            found = self._adjoint_exists(at[1], at[2], at[0])
        return min([found, *(self.exists(argument, letters) for argument in node.args)])

    def _adjoint_exists(self, name: str, time: int | None, step: int | None) -> int:
        if step is not None and ("L", step) not in self.base:
            return MISSING
        if time is None or (name, time) in self.base:
            return EXISTS
        return EDGE if step is None and time > self.length and (name, self.length) in self.base else MISSING

    def value(
        self, node: Node, letters: dict[str, int], reading: Reading, bound: frozenset[str] = frozenset()
    ) -> Tensor:
        """The value of a tree where the letters have these values; `bound` are the letters of the sums around it."""
        at: list[Any] = [item.at(letters) if isinstance(item, Time) else item for item in node.data]
        match node.op:
            case "q":
                return self.base[at[0], at[1]]
            case "p":
                return self.params[at[0]]
            case "num":
                return torch.tensor(float(at[0]), dtype=torch.float64)
            case "ones":
                return torch.ones((1, self.sizes[at[0]]) if self.model.rows else (self.sizes[at[0]], 1)).double()
            case "eye":
                return torch.eye(self.sizes[at[0]], dtype=torch.float64)
            case "delta" | "bar":
                return self._adjoint(None, at[0], at[1])
            case "grad":
                return self._adjoint(at[0], at[1], at[2])
            case "der":
                found = self._adjoint(at[0], at[1], at[2])
                vector = found.ndim == 2 and found.shape[1] == 1
                return found.T if vector and reading.layout == "numerator" else found
            case "jac":
                name, time, by, when, immediate = at
                if when is None and reading.immediate_sums and node.data[1].letter in bound:
                    immediate = True
                found = self.jacobian(name, time, by, when, immediate)
                return found.T if reading.layout == "denominator" else found
            case "sum" | "prod":
                inner = bound | {at[0]}
                terms = [
                    self.value(node.args[0], {**letters, at[0]: time}, reading, inner)
                    for time in range(at[1], at[2] + 1)
                ]
                return self._accumulate(node, terms, letters, reading)
        values = [self.value(argument, letters, reading, bound) for argument in node.args]
        return self._operation(node, values)

    def _adjoint(self, step: int | None, name: str, time: int | None) -> Tensor:
        if time is not None and time > self.length:
            return torch.zeros_like(self.base[name, self.length])
        return self.gradient(step, name, time)

    def _accumulate(self, node: Node, terms: list[Tensor], letters: dict[str, int], reading: Reading) -> Tensor:
        if node.op == "sum":
            found = terms[0] if terms else torch.zeros((), dtype=torch.float64)
            for term in terms[1:]:
                found = plus(found, term)
            return found
        if terms:
            found = terms[0]
            for term in terms[1:]:
                found = self._times(term, found)
            return found
        for time in range(1, self.length + 1):  # nothing to multiply: a unit matrix of the size of any factor
            inner = {**letters, node.data[0]: time}
            if self.exists(node.args[0], inner):
                factor = self.value(node.args[0], inner, reading)
                return torch.eye(factor.shape[0]).double() if factor.ndim else torch.ones(()).double()
        raise Unclear("a product without a factor")

    def _times(self, a: Tensor, b: Tensor) -> Tensor:
        if a.ndim == 0 or b.ndim == 0:
            return a * b
        if self.model.rows and a.shape == b.shape and a.shape[0] == 1:
            return a * b
        if a.shape[1] != b.shape[0]:
            raise ShapeError
        found = a @ b
        return found[0, 0] if found.shape == (1, 1) else found

    def _operation(self, node: Node, values: list[Tensor]) -> Tensor:
        first = values[0]
        match node.op:
            case "neg":
                return -first
            case "comp":
                return 1 - first
            case "T":
                return first.T if first.ndim else first
            case "add":
                for value in values[1:]:
                    first = plus(first, value)
                return first
            case "mul":
                for value in values[1:]:
                    first = self._times(first, value)
                return first
            case "had":
                for value in values[1:]:
                    if first.ndim == 0 or value.ndim == 0:
                        raise Unclear("a Hadamard product with a number")
                    if first.shape != value.shape:
                        raise ShapeError
                    first = first * value
                return first
            case "diag":
                if first.ndim == 0:
                    raise Unclear("the diagonal matrix of a number")
                if 1 not in first.shape:
                    raise ShapeError
                return torch.diag(first.flatten())
            case "pow":
                if first.ndim and 1 not in first.shape:
                    raise Unclear("a power of a matrix")
                return first ** node.data[0]
            case "fn" | "dfn":
                return function(node.data[0], node.op == "dfn", first)
        raise ValueError(node.op)


def slope(value: Tensor, leaf: Tensor) -> Tensor:
    """The gradient of a number, zero where it does not depend on the leaf."""
    if not value.requires_grad:
        return torch.zeros_like(leaf)
    (found,) = torch.autograd.grad(value, leaf, retain_graph=True, allow_unused=True)
    return torch.zeros_like(leaf) if found is None else found


def plus(a: Tensor, b: Tensor) -> Tensor:
    if a.ndim and b.ndim and a.shape != b.shape:
        raise ShapeError
    return a + b


def function(name: str, derivative: bool, v: Tensor) -> Tensor:
    """An activation, or its derivative, entry by entry."""
    if name == "sigma":
        s = torch.sigmoid(v)
        return s * (1 - s) if derivative else s
    if name == "tanh":
        return 1 - torch.tanh(v) ** 2 if derivative else torch.tanh(v)
    if derivative or v.ndim == 0:
        raise Unclear("softmax has no derivative entry by entry")
    return torch.softmax(v, int(v.shape[0] == 1))


def bindings(claim: Claim, length: int) -> list[dict[str, int]]:
    """Every choice of the free indices of a claim."""
    letters = sorted(free_letters(claim.left) | free_letters(claim.right))
    choices = product(range(-1, length + 2), repeat=len(letters))
    return [{**dict(zip(letters, choice, strict=True)), "T": length} for choice in choices]


def difference(point: Point, claim: Claim, letters: dict[str, int], reading: Reading, transpose: bool = False) -> float:
    """How far the sides of a claim are apart, relative to the larger one."""
    left = point.value(claim.left, letters, reading).detach()
    right = point.value(claim.right, letters, reading).detach()
    right = right.T if transpose and right.ndim else right
    if claim.left.op == "der" and right.shape == (1, left.numel()):
        right = right.reshape(left.shape)  # a row times dh/dW, which has a column for each entry of W
    if left.shape != right.shape:
        if right.ndim or right:
            raise ShapeError
        right = torch.zeros_like(left)  # 0 takes the shape that it needs, and so does an empty sum
    scale = max(float(left.norm()), float(right.norm()))
    return float((left - right).norm()) / scale if scale > 1e-12 else 0.0
