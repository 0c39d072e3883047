"""Closed formulas compiled by lambdify against the reference evaluator."""

from __future__ import annotations

import numpy as np
import pytest

from derive.cell import cell
from derive.errors import DataError, MissingRuleError
from numeric.closed import closed_function
from numeric.draws import draw, run_of

FORMULAS = [
    ("rnn", r"\operatorname{diag}(\tanh'(z_t)) W", {"t": 3}),
    ("rnn", r"\prod_{j=k+1}^{t} \operatorname{diag}(\tanh'(z_j)) W", {"t": 4, "k": 1}),
    ("rnn", r"\sum_{t=1}^{T} h_t h_{t-1}^\top", {}),
    ("rnn", r"\sum_{t=1}^{T} \sum_{k=1}^{t} (h_t^\top h_k) W^\top z_k", {}),
    ("lstm", r"f_t \odot C_{t-1} + \operatorname{diag}(i_t) \tanh(z^C_t)", {"t": 2}),
    ("lstm", r"\operatorname{softmax}(W_f h_t) - \frac{h_t}{1 + \lVert C_t \rVert^2}", {"t": 2}),
    (
        "lstm",
        r"\begin{pmatrix} W_f & W_i \end{pmatrix} \begin{pmatrix} h_t \\ C_t \end{pmatrix} + (W_f + 3 I)^{-1} W_o^2 h_t",
        {"t": 1},
    ),
    (
        "lstm",
        r"\operatorname{tr}(W_f^\top W_i) + \lVert W_f \rVert_F \sqrt{1 + \langle W_f, W_f \rangle} + \mathbf{1}^\top h_t",
        {"t": 1},
    ),
]


@pytest.mark.parametrize(("name", "text", "times"), FORMULAS, ids=range(len(FORMULAS)))
def test_against_the_reference_evaluator(name: str, text: str, times: dict[str, int]) -> None:
    subject = cell(name)
    node = subject.read(text)
    run = run_of(subject, draw(subject, 1, length=4))
    expected = run.evaluator(**times)(node)
    function = closed_function(node)
    keys = {
        **{key: key for key in subject.shapes},
        **{subject_key.replace("^", "_"): subject_key for subject_key in subject.shapes},
    }
    timed = {leaf for leaf in subject.shapes if leaf not in subject.parameters}
    values = {}
    for alias in function.quantities:
        key = keys[alias]
        values[alias] = {t: run.value(key, t) for t in range(5)} if key in timed else run.value(key, None)
    integers = {name: {**run.sizes, **times}[name] for name in function.integers}
    np.testing.assert_allclose(function(values, **integers).ravel(), expected.ravel(), rtol=1e-12, atol=1e-13)


def test_what_is_missing_is_listed() -> None:
    function = closed_function(cell("rnn").read("W h_t"))
    with pytest.raises(DataError, match="W, h, t"):
        function({})
    with pytest.raises(DataError, match="axes"):
        function({"W": np.zeros((2, 2, 2)), "h": [np.zeros(2)]}, t=0)


def test_derivatives_are_refused() -> None:
    with pytest.raises(MissingRuleError):
        closed_function(cell("rnn").read(r"\frac{\partial h_t}{\partial h_k}"))
