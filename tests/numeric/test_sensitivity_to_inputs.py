"""How much the last output depends on each input, against autograd through the cell written in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from derive.cell import Cell, cell
from derive.errors import UsageError
from numeric.products import typical_draw
from numeric.sensitivity_to_inputs import input_jacobian_norms, read_by_loss


def test_the_norms_are_those_of_autograd() -> None:
    rnn = cell("rnn")
    drawn = typical_draw(rnn, 3, 7, 4)
    values = {key: torch.tensor(np.squeeze(value)) for key, value in drawn.given.items()}
    inputs = [values["x", t].clone().requires_grad_() for t in range(1, 8)]
    h = values["h", 0]
    (key,) = rnn.equations[-1:]
    for x in inputs:
        z = values["W", None] @ h + values["U", None] @ x
        z = z + values["b", None] if ("b", None) in values else z
        h = torch.tanh(z) if "tanh" in str(key.rhs) else torch.sigmoid(z)
    rows = [torch.autograd.grad(entry, inputs, retain_graph=True) for entry in h]
    expected = [float(torch.sqrt(sum((row[t] ** 2).sum() for row in rows))) for t in range(7)]
    assert input_jacobian_norms(rnn, drawn) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", ["lstm", "gru", "stacked-rnn", "mingru"])
def test_cells_of_the_library_have_them(name: str) -> None:
    subject = cell(name)
    found = input_jacobian_norms(subject, typical_draw(subject, 0, 5, 3))
    assert found.shape == (5,) and np.all(found > 0) and read_by_loss(subject) in subject.definitions


def test_a_cell_without_inputs_has_none() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1})")
    with pytest.raises(UsageError):
        input_jacobian_norms(subject, typical_draw(subject, 0, 5, 3))
