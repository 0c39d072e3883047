"""The referee: the cell's equations run in torch, differentiated by autograd. It never sees a derived formula."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from derive import expressions as e
from derive.system import RecurrentSystem
from numeric.draws import Draw, run_of
from numeric.functions import Array
from numeric.simulate import Point, Run

_SHORT = 8
"""Longest sequence that may be computed by recursion over its steps."""


class TorchReferee:
    """The same run in torch, with gradients by autograd.

    Parameters
    ----------
    free : computed quantities that become free variables of the unrolled graph, at the values that they have in
           ``run``.
    """

    def __init__(
        self, system: RecurrentSystem, drawn: Draw, free: Iterable[Point] = (), run: Run | None = None
    ) -> None:
        import torch

        from numeric.torch_arrays import TorchArrays

        self.torch = torch
        self.system = system
        given = {
            point: torch.tensor(value, dtype=torch.float64, requires_grad=point[0] not in system.labels)
            for point, value in drawn.given.items()
        }
        computed = [point for point in free if point not in given]
        values = (run or run_of(system, drawn)) if computed else None
        forced = {
            point: torch.tensor(values.value(*point), dtype=torch.float64, requires_grad=True)
            for point in computed
            if values is not None
        }
        self.leaves = {**given, **forced}
        self.run = Run(system, drawn.sizes, given, drawn.loss, forced, TorchArrays(), tree=drawn.tree)
        if (
            drawn.sizes["T"] > _SHORT
        ):  # step by step, so that nothing recurses over a long sequence; a short one is computed as far as it is asked for
            self.run.forward()

    def loss_gradients(self, points: Iterable[Point]) -> tuple[float, dict[Point, Array]]:
        """L and ∇L by the given points."""
        loss = self.run.total_loss()
        wanted = list(points)
        if not loss.requires_grad:  # no term of the loss falls into so short a sequence
            return float(loss.sum()), {p: np.zeros(tuple(self.leaves[p].shape)) for p in wanted}
        found = self.torch.autograd.grad(loss.sum(), [self.leaves[p] for p in wanted], allow_unused=True)
        values = {
            p: (np.zeros(tuple(self.leaves[p].shape)) if g is None else g.numpy())
            for p, g in zip(wanted, found, strict=True)
        }
        return float(loss.sum().detach()), values

    def hessian_vector(self, direction: Mapping[str, Array]) -> dict[str, Array]:
        """∇²L times a direction in the parameters, by differentiating the gradient's product with it."""
        varying = [key for key in self.system.parameters if key not in self.system.labels]
        keys = [(key, None) for key in varying]
        leaves = [self.leaves[point] for point in keys]
        loss = self.run.total_loss()
        zeros = [np.zeros(tuple(leaf.shape)) for leaf in leaves]
        if not loss.requires_grad:
            return dict(zip(varying, zeros, strict=True))
        first = self.torch.autograd.grad(loss.sum(), leaves, create_graph=True, allow_unused=True)
        along = [
            (g * self.torch.tensor(direction[key])).sum()
            for (key, _), g in zip(keys, first, strict=True)
            if g is not None and key in direction and g.requires_grad
        ]
        if not along:
            return dict(zip(varying, zeros, strict=True))
        second = self.torch.autograd.grad(self.torch.stack(along).sum(), leaves, allow_unused=True)
        found = (zero if g is None else g.numpy() for g, zero in zip(second, zeros, strict=True))
        return dict(zip(varying, found, strict=True))

    def truncated_gradient(self, key: str, window: int) -> Array:
        """∇L by a parameter where the loss of each step sees no more than the last ``window`` steps: the quantities of
        those before are constants.
        """
        leaf = self.leaves[(key, None)]
        total = np.zeros(tuple(leaf.shape))
        length = self.run.length
        for term in self.system.loss_terms:
            for step in self.run.loss_times(term):
                last = length if term.final else step
                fixed: dict[Point, Array] = {
                    (q.key, time): self.run.value(q.key, time).detach()
                    for q in self.system.steps
                    if isinstance(q.lhs, e.Timed)
                    for time in range(1, last - window + 1)
                }
                loss = self.run.with_forced(fixed).evaluator(**{self.system.time.name: step})(term.body)
                if loss.requires_grad:
                    (found,) = self.torch.autograd.grad(loss.sum(), leaf, allow_unused=True)
                    total = total if found is None else total + found.numpy()
        return total

    def jacobian(self, of: Point, by: Point) -> Array:
        """∂a/∂b as (size a, size b)."""
        value = self.run.value(*of).reshape(-1)
        leaf = self.leaves[by]
        rows = []
        for entry in value:
            if not entry.requires_grad:
                rows.append(np.zeros(leaf.numel()))
                continue
            (row,) = self.torch.autograd.grad(entry, leaf, retain_graph=True, allow_unused=True)
            rows.append(np.zeros(leaf.numel()) if row is None else row.reshape(-1).numpy())
        return np.array(rows)
