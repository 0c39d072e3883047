"""What each input of a sequence has to do with a score at its end.

Gradient × input is the score's first-order change when an input is taken away: a_t = ⟨∂f/∂x_t, x_t⟩. Integrated gradients (Sundararajan,
Taly, Yan 2017) follow the gradient from a baseline x' = 0 to x, a_t = ⟨∫₀¹ ∂f/∂x_t (α x) dα, x_t⟩, so that they are complete:
∑_t a_t = f(x) - f(0). The integral is a sum over finitely many α; how far it is from complete is measured, and more of them are taken
where it is not near enough. :func:`jacobian_norms` asks the same of a state in place of a score: ‖∂h/∂x_t‖.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]
"""Inputs (T, B, d) to scores (B,), or to states (B, n); no sequence of a batch may depend on another one."""
NEAR = 1e-3
"""How far a sum of integrated gradients may be from the difference of scores, as a part of it (of 1, where it is smaller)."""
_STEPS = 20
"""Places on a part of the path at which the gradient is taken, by Gauss and Legendre's rule."""
_SHORTEST = 2.0**-10
_BATCH = 128
"""Sequences that are run at once: memory grows with their number."""


class Integrated(NamedTuple):
    """Integrated gradients (T,), what they should add up to, by how much they miss it, and the number of steps."""

    values: Tensor
    difference: float
    gap: float
    steps: int

    @property
    def complete(self) -> bool:
        """Whether they add up."""
        return self.gap <= NEAR * max(1.0, abs(self.difference))


def gradient_times_input(score: Function, x: Tensor) -> Tensor:
    """⟨∂f/∂x_t, x_t⟩ of each input, (T, B) for x (T, B, d).

    >>> x = torch.tensor([[[1.0, 2.0]], [[3.0, 4.0]]])
    >>> gradient_times_input(lambda x: x.square().sum((0, 2)), x)[:, 0].tolist()
    [10.0, 50.0]
    """
    with _differentiated(x):
        leaf = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(score(leaf).sum(), leaf)
    return (gradient * leaf.detach()).sum(-1)


def integrated_gradients(score: Function, x: Tensor) -> Integrated:
    """Integrated gradients of one sequence x (T, d), from the baseline 0.

    They add up over parts of the path, and on each part from α x to β x completeness is f(β x) - f(α x): a part that misses it is cut in
    two. So steps are taken where the score bends, as it does where another time becomes the largest of a pool.

    >>> found = integrated_gradients(lambda x: x.square().sum((0, 2)), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    >>> [round(float(value), 4) for value in found.values], found.difference, found.complete, found.steps
    ([5.0, 25.0], 30.0, True, 20)
    """
    from captum.attr import IntegratedGradients  # seconds to import

    x = x.detach()
    method = IntegratedGradients(lambda batch: score(batch.transpose(0, 1)))
    with _differentiated(x):

        def at(place: float) -> float:
            return float(score(place * x[:, None]).detach())

        values, steps = x.new_zeros(x.shape[0], dtype=torch.float64), 0
        difference = at(1.0) - at(0.0)
        near = NEAR * max(1.0, abs(difference))
        parts = [(0.0, 1.0)]
        while parts:
            start, end = parts.pop()
            given = method.attribute(end * x[None], start * x[None], n_steps=_STEPS)[0].sum(-1).double()
            steps += _STEPS
            gap = abs(float(given.sum()) - (at(end) - at(start)))
            if gap > near * (end - start) ** 0.5 and end - start > _SHORTEST:
                middle = (start + end) / 2
                parts += [(middle, end), (start, middle)]
            else:
                values += given
    return Integrated(values, difference, abs(float(values.sum()) - difference), steps)


def jacobian_norms(states: Function, x: Tensor) -> Tensor:
    """The Frobenius norms ‖∂h/∂x_t‖, (T,), of a state h (n,) by each input of one sequence x (T, d).

    The sequence is run n times side by side, and the gradient of the i-th state of the i-th run is row i of the Jacobian.

    >>> half = lambda x: torch.stack([x[0, :, 0] / 2 + x[1, :, 0], x[1, :, 0]], dim=-1)
    >>> [round(float(norm), 4) for norm in jacobian_norms(half, torch.ones(2, 1))]
    [0.5, 1.4142]
    """
    with _differentiated(x):
        size = states(x[:, None]).shape[1]
        squares = x.new_zeros(x.shape[0])
        for start in range(0, size, _BATCH):
            rows = torch.arange(start, min(start + _BATCH, size), device=x.device)
            leaf = x.detach()[:, None].repeat(1, len(rows), 1).requires_grad_()
            (gradient,) = torch.autograd.grad(states(leaf)[rows - start, rows].sum(), leaf)
            squares += gradient.square().sum((1, 2))
    return squares.sqrt()


@contextmanager
def _differentiated(x: Tensor) -> Iterator[None]:
    """Gradients in a place where they are off. cuDNN gives none of a recurrent layer that is not being trained."""
    with torch.enable_grad(), torch.backends.cudnn.flags(enabled=not x.is_cuda):
        yield


__all__ = ["NEAR", "Integrated", "gradient_times_input", "integrated_gradients", "jacobian_norms"]
