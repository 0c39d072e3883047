"""Jacobians, adjoint recursions and the written forms, for cells that were not made for them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from derive import equivalence
from derive import expressions as e
from derive.adjoint import AdjointEngine, AdjointEquation
from derive.cell import Cell, cell
from derive.errors import AmbiguityError, CellError, MissingRuleError, ShapeError, UsageError, ValidationError
from derive.expressions import make
from numeric.validate import validate_derivation, validate_gradients

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t)\nL = \\sum_{t=0}^{T} L_t(h_t)", "rnn")
FINAL = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = L_T(h_T)", "final")
HEAD = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\ny_t = V h_t + c\nL = \\sum_{t=1}^{T} L_t(y_t)", "head")
ROW = Cell.from_text(
    "s_i = \\sigma(s_{i-1} U + x_i W)\na_i = s_i V\nL = \\frac{1}{2} (y_T - a_T)^2\ny_i \\in \\mathbb{R}", "row"
)
LAYER = Cell.from_text("y = \\sigma(W x)\ny \\in \\mathbb{R}^n, x \\in \\mathbb{R}^d", "layer")
JOINED = Cell.from_text(
    "f_t = \\sigma(W_f [h_{t-1}, x_t])\nC_t = f_t \\odot C_{t-1} + \\tanh(W_c [h_{t-1}; x_t])\nh_t = \\tanh(C_t)",
    "joined",
)
LSTM, GRU = cell("lstm"), cell("gru")


def test_the_jacobian_of_a_layer_and_of_one_step() -> None:
    assert LAYER.jacobian("y", "x").result.latex() == r"\operatorname{diag}(\sigma'(z)) W"
    assert RNN.jacobian("h_t", "h_{t-1}").result.latex() == r"\operatorname{diag}(\sigma'(z_t)) W"
    assert RNN.jacobian("h_t", "h_k").result.latex() == r"\prod_{j=k+1}^{t} \operatorname{diag}(\sigma'(z_j)) W"


def test_the_double_sum_reads_as_on_paper() -> None:
    paper = r"\sum_{t=0}^{T} \sum_{k=1}^{t} \frac{\partial L_t}{\partial h_t} \frac{\partial h_t}{\partial h_k} \frac{\partial^{+} h_k}{\partial W}"
    assert RNN.gradient("W", form="double-sum").result == RNN.read(paper)


def test_the_adjoint_recursion_reads_as_on_paper() -> None:
    derivation = RNN.gradient("W")
    lines = [str(step) for step in derivation.steps]
    assert "delta[t] = sigma'(z[t]) * (∇_{h[t]} L[t] + W.T @ delta[t+1])" in lines
    assert str(derivation.result) == "sum_{t=1}^{T} delta[t] @ h[t-1].T"


def test_the_expanded_sum_has_one_term_for_each_pair() -> None:
    for steps in (1, 2, 3, 5):
        result = RNN.gradient("W", form="unrolled", steps=steps).result
        terms = result.operands if isinstance(result, e.Plus) else (result,)
        assert len(terms) == steps * (steps + 1) // 2


def test_a_row_cell_is_derived_in_rows() -> None:
    assert str(ROW.gradient("U").result) == "sum_{i=1}^{T} s[i-1].T @ delta[i]"
    assert ROW.jacobian("s_i", "s_{i-1}").result.latex() == r"\operatorname{diag}(\sigma'(z_i)) U^\top"
    assert ROW.layout == "row"


JACOBIANS = [
    (LAYER, "y", "x"), (RNN, "h_t", "h_{t-1}"), (RNN, "h_t", "h_k"), (RNN, "h_t", "x_t"), (RNN, "h_t", "h_{t-2}"), (RNN, "z_t", "h_{t-3}"),
    (LSTM, "C_t", "C_{t-1}"), (LSTM, "C_t", "C_k"), (LSTM, "h_t", "C_k"), (LSTM, "f_t", "C_k"),
    (LSTM, "h_t", "h_{t-1}"), (LSTM, "C_t", "C_{t-2}"),
    (GRU, "h_t", "h_{t-1}"), (GRU, "h_t", "h_k"), (HEAD, "y_t", "h_k"), (ROW, "a_i", "s_k"), (ROW, "s_i", "x_i"),
    (JOINED, "C_t", "C_{t-1}"),
    (JOINED, "C_t", "h_k"), (JOINED, "h_t", "x_t"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "of", "by"), JACOBIANS, ids=[f"{c.text.source.name}-{a}-{b}" for c, a, b in JACOBIANS]
)
def test_jacobians_agree_with_autograd(subject: Cell, of: str, by: str) -> None:
    validate_derivation(subject, subject.jacobian(of, by), draws=6)


GRADIENTS = [
    (RNN, "W", "recursion"), (RNN, "W", "double-sum"), (RNN, "W", "unrolled"), (RNN, "U", "double-sum"), (RNN, "x_t", "recursion"),
    (RNN, "h_0", "recursion"), (FINAL, "W", "recursion"), (FINAL, "W", "double-sum"), (FINAL, "b", "double-sum"), (FINAL, "W", "unrolled"),
    (HEAD, "W", "double-sum"), (HEAD, "V", "recursion"), (LSTM, "W_f", "recursion"), (LSTM, "W_o", "double-sum"), (LSTM, "b_c", "unrolled"),
    (LSTM, "C_0", "recursion"), (ROW, "U", "recursion"), (ROW, "U", "double-sum"), (ROW, "V", "recursion"), (GRU, "W_r", "recursion"),
    (JOINED, "W_f", "recursion"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("subject", "by", "form"), GRADIENTS, ids=[f"{c.text.source.name}-{b}-{f}" for c, b, f in GRADIENTS]
)
def test_gradients_agree_with_autograd(subject: Cell, by: str, form: str) -> None:
    validate_derivation(subject, subject.gradient(by, form=form), draws=3)


@pytest.mark.parametrize(
    ("subject", "by"),
    [
        (RNN, "W"),
        (RNN, "U"),
        (LSTM, "W_f"),
        (LSTM, "W_o"),
        (GRU, "W_h"),
        (FINAL, "W"),
        (HEAD, "W"),
        (ROW, "U"),
        (JOINED, "W_c"),
    ],
)
def test_the_forms_are_proved_equal(subject: Cell, by: str) -> None:
    derivation = subject.equivalence(by)
    rules = [step.rule for step in derivation.steps]
    assert "induction on k, backward from T" in rules
    assert {step.proved for step in derivation.steps} >= {"algebra", "induction"}


def test_a_wrong_line_in_a_proof_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: taking the factor out of the sum on the wrong side."""
    real = equivalence.split_last_factor
    monkeypatch.setattr(equivalence, "split_last_factor", lambda product: real(product)[::-1])
    with pytest.raises(ValidationError):
        RNN.equivalence("W")


@pytest.mark.parametrize("subject", [RNN, LSTM, FINAL, HEAD], ids=["rnn", "lstm", "final", "head"])
def test_a_wrong_recursion_is_refused_by_the_proof(monkeypatch: pytest.MonkeyPatch, subject: Cell) -> None:
    """Planted: the adjoint recursion that is printed forgets what comes from the next step."""
    real = AdjointEngine.equation

    def wrong(self: AdjointEngine, key: str) -> AdjointEquation | None:
        found = real(self, key)
        later = [part for _, part, later in self.contributions(key) if later > 0]
        if found is None or not later:
            return found
        return replace(found, rhs=make.plus(found.rhs, make.neg(later[-1])))

    monkeypatch.setattr(AdjointEngine, "equation", wrong)
    with pytest.raises(ValidationError):
        subject.equivalence(next(key for key in subject.parameters if key.startswith("W")))


def test_a_wrong_pull_is_refused_by_the_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: the backward step forgets the transpose of W."""
    real = equivalence.step_pull

    def wrong(system: Cell, cotangents: dict[str, e.Node]) -> dict[e.Node, e.Node]:
        return {
            leaf: part.xreplace({e.Transpose(system.quantity("W")): system.quantity("W")})
            for leaf, part in real(system, cotangents).items()
        }

    monkeypatch.setattr(equivalence, "step_pull", wrong)
    with pytest.raises(ValidationError):
        RNN.equivalence("W")


def test_the_cost_does_not_depend_on_the_length() -> None:
    assert len(LSTM.gradients().steps) == len(cell("lstm").gradients().steps)
    assert not any(isinstance(size, int) for step in LSTM.gradients().steps for size in step.rhs.atoms(e.Timed))


def test_names_in_any_spelling() -> None:
    for spelling in (r"\tilde{C}_t", "C_tilde", "C_tilde[t]", r"\tilde C_t"):
        assert LSTM.quantity_of(spelling) == LSTM.quantity("C_tilde")


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("h_t = W h_{t-1} + U x_t\nh_t = 3", CellError, "defined twice"),
        ("f_t = \\sigma(g_t)\ng_t = \\tanh(f_t)", CellError, "circular"),
        ("h_t = W h_{t-1} + \\tilde{c}_t\n\\tilde{C}_t = W h_{t-1}", AmbiguityError, "never defined"),
        ("s_i = W s_{i-1} + U x_{j-1}", AmbiguityError, "time index"),
        (
            "h_t = W h_{t-1} + U x_t\nW \\in \\mathbb{R}^{n \\times n}\nU \\in \\mathbb{R}^{d \\times d}\nx_t \\in \\mathbb{R}^d\nh_t \\in \\mathbb{R}^n",
            ShapeError,
            "size",
        ),
        ("h_t = \\tanh(W h_t)", CellError, "circular"),
    ],
)
def test_inconsistent_cells_are_errors_with_a_place(text: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says) as caught:
        Cell.from_text(text)
    assert caught.value.span is not None  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("h_t = a h_{t-1} + W x_t", {"a": (1, 1)}),
        ("S_t = S_{t-1} + v_t k_t^\\top\ny_t = S_t q_t", {"S": ("n", "n_2")}),
        ("h_t = \\tanh(W h_{t-1} + U x_t)\nx_t \\in \\mathbb{R}^{q}", {"W": ("n", "n"), "U": ("n", "q")}),
        ("s_i = s_{i-1} U + x_i W", {"s": (1, "n"), "W": ("d", "n")}),
        ("h_t = (1 - \\alpha) h_{t-1} + \\alpha \\tanh(W h_{t-1} + U x_t)", {"alpha": (1, 1)}),
        ("y_t = V h_t\nh_t = \\tanh(h_{t-1})\ny_t \\in \\mathbb{R}", {"V": (1, "n")}),
    ],
)
def test_shapes_are_found(text: str, shapes: dict[str, tuple[object, ...]]) -> None:
    found = Cell.from_text(text).shapes
    for key, shape in shapes.items():
        assert tuple(str(size) for size in found[key]) == tuple(str(size) for size in shape)


def test_what_has_no_matrix_form_says_so() -> None:
    with pytest.raises(MissingRuleError, match="more than two indices"):
        RNN.jacobian("h_t", "W")
    with pytest.raises(UsageError, match="before"):
        RNN.jacobian("h_{t-1}", "h_t")
    with pytest.raises(UsageError):
        RNN.gradient("W", form="triple-sum")


@pytest.mark.parametrize("letter", ["k", "j", "s", "tau"])
def test_any_letter_for_the_time(letter: str) -> None:
    """Indices that the forms introduce never collide with the cell's own time."""
    time = f"\\{letter}" if letter == "tau" else letter
    subject = Cell.from_text(f"h_{{{time}}} = \\tanh(W h_{{{time}-1}} + U x_{{{time}}})")
    assert subject.time.name == letter
    for form in ("recursion", "double-sum", "unrolled"):
        validate_derivation(subject, subject.gradient("W", form=form), draws=2)
    assert subject.equivalence("W").steps


@pytest.mark.parametrize(
    "loss",
    [
        r"\sum_{t=2}^{T} \lVert h_t - y_t \rVert^2", r"\sum_{t=1}^{T-1} \lVert h_t - y_t \rVert^2",
        r"\sum_{t=1}^{T} \lVert h_t - y_{t+1} \rVert^2",
        r"\sum_{t=1}^{T} \lVert h_t - h_{t-1} \rVert^2", r"\sum_{t=1}^{T-1} \lVert h_{t+1} - h_t \rVert^2", r"\lVert h_T - h_1 \rVert^2",
        r"\sum_{t=1}^{T} \lVert h_t - y_t \rVert^2 + \lambda \lVert W \rVert_F^2", r"\lVert h_2 - y_2 \rVert^2", r"\ell(h_T, h_3)",
        r"\sum_{t=1}^{T} \lVert h_t - h_T \rVert^2", r"\sum_{t=1}^{T} \lVert h_t - h_0 \rVert^2",
        r"\sum_{t=1}^{T} \lVert h_t - h_{t-2} \rVert^2",
        r"\sqrt{1 + \sum_{t=1}^{T} \lVert h_t - y_t \rVert^2}", r"\sum_{t=3}^{T} L_t(h_t, h_{t-2})",
    ],
)  # fmt: skip
def test_losses_over_any_times(loss: str) -> None:
    """Sums that skip steps, neighbours in time, single times, penalties: each against autograd, at lengths at which
    some terms are empty.
    """
    subject = Cell.from_text(
        f"h_t = \\tanh(W h_{{t-1}} + U x_t)\nL = {loss}\ny_t \\in \\mathbb{{R}}^n\nh_t \\in \\mathbb{{R}}^n"
    )
    validate_gradients(subject, draws=12)


@pytest.mark.parametrize(
    "readout",
    [
        "y = V h_T + c\nL = \\lVert y - q \\rVert^2", "c = \\frac{1}{T} \\sum_{t=1}^{T} h_t\nL = \\lVert V c - q \\rVert^2",
        "y = \\operatorname{softmax}(V h_T + A h_1)\nL = -\\log(e_{s_T}^\\top y)", "y = \\sum_{k=2}^{T} \\tanh(V h_k + c)\nL = v^\\top y",
        "y = V h_T\ng_t = \\tanh(A g_{t-1} + y)\nL = \\sum_{t=1}^{T} L_t(g_t)",
    ],
)  # fmt: skip
def test_readouts_without_time(readout: str) -> None:
    """A quantity without time that reads the sequence: the last state, several states, a mean over time, and what a
    second layer makes of it.
    """
    subject = Cell.from_text(f"h_t = \\tanh(W h_{{t-1}} + U x_t)\n{readout}")
    validate_gradients(subject, draws=8)
    assert subject.gradients().steps


BIDIRECTIONAL = r"""
\overrightarrow{h}_t = \tanh(A x_t + B \overrightarrow{h}_{t-1} + a)
\overleftarrow{h}_t = \tanh(C x_t + D \overleftarrow{h}_{t+1} + c)
y_t = V \overrightarrow{h}_t + U \overleftarrow{h}_{t+1}
L = \sum_{t=1}^{T} L_t(y_t)
"""


def test_cells_that_read_the_future() -> None:
    """Each direction is a sweep of its own, its adjoint runs the other way, and h_{T+1} is a starting value."""
    subject = Cell.from_text(BIDIRECTIONAL)
    assert [sweep.backward for sweep in subject.sweeps if any("h" in q.key for q in sweep.equations)].count(True) == 1
    assert [str(start) for start in subject.starts] == ["h_rightarrow[0]", "h_leftarrow[T+1]"]
    validate_gradients(subject, draws=8)
    validate_gradients(Cell.from_text("h_t = \\tanh(W h_{t+1} + V h_{t+2} + U x_t)"), draws=8)


def test_the_proof_for_gates_cut_from_one_vector() -> None:
    gates = "z_t = W h_{t-1} + U x_t + b\nf_t = \\sigma([z_t]_{0:n})\ni_t = \\sigma([z_t]_{n:2n})\ng_t = \\tanh([z_t]_{2n:3n})"
    subject = Cell.from_text(
        gates
        + "\nC_t = f_t \\odot C_{t-1} + i_t \\odot g_t\nh_t = \\tanh(C_t)\nh_t \\in \\mathbb{R}^{n}\nz_t \\in \\mathbb{R}^{3n}"
    )
    assert subject.equivalence("W").steps
    validate_gradients(subject, draws=3)


@pytest.mark.parametrize(
    "text",
    [
        "z_t = \\sigma(A h_{t-1} + B x_t)\n\\bar{h}_t = \\tanh(W h_{t-1} + U x_t)\nh_t = (1 - z_t) \\odot h_{t-1} + z_t \\odot \\bar{h}_t",
        "h_0 = W c\nC_0 = h_0\nC_t = \\sigma(F h_{t-1}) \\odot C_{t-1} + x_t\nh_t = \\tanh(C_t)",
        "h_t = \\tanh(W h_{t-1})\nJ = \\sum_{t=1}^{T} L_t(h_t)",
        "h_t = \\tanh(W h_{t-1} + U x_t)\nJ = \\sum_{t=1}^{T} \\lVert V h_t - q_t \\rVert^2",
        "S_t = S_{t-1} (I - \\beta_t k_t k_t^\\top) + \\beta_t v_t k_t^\\top\no_t = S_t q_t",
        "z_t = W h_{t-1} + U x_t\nh_t = [z_t > 0] \\odot z_t",
    ],
)  # fmt: skip
def test_names_and_starts_that_could_be_mistaken(text: str) -> None:
    """A bar that the author uses, starting values made of each other, losses by other letters, rates, conditions on
    quantities.
    """
    validate_gradients(Cell.from_text(text), draws=6)


def test_the_double_sum_is_refused_where_a_parameter_acts_outside_the_steps() -> None:
    for text in ("h_0 = \\tanh(A c)\nh_t = \\tanh(W h_{t-1} + c)", "q = \\tanh(c)\nh_t = \\tanh(W h_{t-1} + q)"):
        subject = Cell.from_text(text)
        validate_gradients(subject, draws=3)
        with pytest.raises(MissingRuleError, match="outside the steps"):
            subject.gradient("c", form="double-sum")
        with pytest.raises(MissingRuleError, match="outside the steps"):
            subject.equivalence("c")


def test_readouts_over_a_stretch_of_time() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\ny_t = V h_t\ns_t = \\tanh(A y_t)")
    for of in ("y_t", "s_t"):
        derivation = subject.jacobian(of, "y_k")
        assert derivation.conditions[0][0] == subject.read("y_{k+1}").time
        validate_derivation(subject, derivation, draws=4)


def test_past_and_future_in_one_loop() -> None:
    with pytest.raises(CellError, match="own past and their own future"):
        Cell.from_text("h_t = \\tanh(W g_{t-1} + x_t)\ng_t = \\tanh(V h_{t+2} + x_t)")


def test_a_peephole_jacobian_holds_from_the_second_step() -> None:
    """C_0 and h_0 are given one by one, so at k = 0 the path C_k -> h_k does not exist."""
    text = "f_t = \\sigma(W h_{t-1} + p \\odot C_{t-1})\nC_t = f_t \\odot C_{t-1} + U x_t\no_t = \\sigma(V h_{t-1} + q \\odot C_t)\nh_t = o_t \\odot \\tanh(C_t)"
    subject = Cell.from_text(text)
    for by in ("C_{t-1}", "C_k", "h_{t-1}"):
        validate_derivation(subject, subject.jacobian("C_t", by), draws=20)


@pytest.mark.parametrize("distance", [4, 7, 300, 10**9])
def test_jacobians_over_many_steps_do_not_grow(distance: int) -> None:
    derivation = LSTM.jacobian("h_t", f"C_{{t-{distance}}}")
    assert len(derivation.text()) < 3000
    if distance < 10:
        validate_derivation(LSTM, derivation, draws=3)


def test_a_loss_up_to_a_letter_that_is_no_length() -> None:
    with pytest.raises(CellError, match="sums up to N"):
        Cell.from_text("h_t = \\tanh(W h_{t-1})\nL = \\sum_{t=1}^{N} L_t(h_t)")


def test_an_input_that_acts_in_several_steps() -> None:
    subject = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + V x_{t-1} + P x_{t+1})")
    with pytest.raises(MissingRuleError, match="several steps"):
        subject.jacobian("h_t", "x_k")
    for by in ("x_{t+1}", "x_{t-1}"):
        with pytest.raises(MissingRuleError, match="ahead"):
            subject.jacobian("h_t", by)
    lagged = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + V x_{t-1})")
    validate_derivation(lagged, lagged.jacobian("h_t", "x_{t-1}"), draws=4)


def test_starting_values_do_not_move_each_other() -> None:
    assert LSTM.jacobian("h_T", "C_0").result.latex().endswith(r"\begin{pmatrix} I \\ 0 \end{pmatrix}")


@pytest.mark.parametrize("letter", ["k", "i"])
def test_a_loss_summed_in_the_cells_own_letter(letter: str) -> None:
    text = f"h_{letter} = \\tanh(W h_{{{letter}-1}} + U x_{letter})\nL = \\sum_{{{letter}=1}}^{{T}} \\lVert h_{letter} - y_{letter} \\rVert^2"
    subject = Cell.from_text(text)
    assert subject.time.name == letter
    validate_derivation(subject, subject.gradient("W"), draws=2)


@pytest.mark.parametrize(
    ("loss", "error"), [("L = h_t", ShapeError), ("L = \\sum_{t=1}^{T} h_t^\\top h_t - h_t^\\top h_t", CellError)]
)
def test_a_loss_is_a_number_without_a_free_time(loss: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        Cell.from_text(f"h_t = \\tanh(W h_{{t-1}} + U x_t)\n{loss}")


@pytest.mark.parametrize(
    ("subject", "lines"),
    [
        (RNN, ["delta[T+1] = 0"]), (FINAL, ["delta[T+1] = 0"]),
        (Cell.from_text("g_t = \\tanh(P g_{t+2} + R x_t)\nL = \\sum_{t=1}^{T} L_t(g_t)"), ["delta[0] = 0", "delta[-1] = 0"]),
    ],
)  # fmt: skip
def test_the_recursion_says_where_it_starts(subject: Cell, lines: list[str]) -> None:
    derivation = subject.gradients()
    found = [step for step in derivation.steps if step.rule.startswith("no step")]
    assert [str(step) for step in found] == lines
    assert all(f"{step.lhs.latex()} &= 0" in derivation.latex() for step in found)


def test_the_proof_replaces_the_path_by_the_product_and_ends_at_the_recursion() -> None:
    lines = [str(step) for step in RNN.equivalence("W").steps]
    path = next(k for k, line in enumerate(lines) if line.endswith("= sum_{t=k}^{T} ∂L[t]/∂h[t] @ ∂h[t]/∂h[k]"))
    assert lines[path + 1].endswith("∂L[t]/∂h[t] @ prod_{j=k+1}^{t} diag(sigma'(z[j])) @ W")
    assert lines[-1] == "∇_W L = sum_{k=1}^{T} delta[k] @ h[k-1].T"


LINEAR = Cell.from_text("h_t = A h_{t-1} + B x_t", "linear")
READOUT = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\ny = V h_T\nL = \\lVert y \\rVert^2", "readout")


def test_a_linear_cell_has_all_forms() -> None:
    assert str(LINEAR.jacobian("h_t", "h_{t-1}").result) == "A"
    validate_derivation(LINEAR, LINEAR.jacobian("h_t", "h_k"), draws=3)
    for form in ("double-sum", "unrolled", "recursion"):
        validate_derivation(LINEAR, LINEAR.gradient("A", form=form), draws=3)
    assert LINEAR.equivalence("A").steps


def test_the_proof_goes_through_a_readout_without_time() -> None:
    assert READOUT.equivalence("W").steps


def test_lines_that_hold_before_the_last_step_say_so() -> None:
    for subject in (FINAL, READOUT):
        lines = [step for step in subject.equivalence("W").steps if "g_{k+1}" in step.latex()]
        assert lines and all("k < T" in step.rule + step.reason for step in lines)


@pytest.mark.parametrize("by", ["h_{-1}", "h_{T+1}"])
def test_states_that_do_not_exist_have_no_gradient(by: str) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        RNN.gradient(by)


def test_two_lags_and_a_joint_state_of_earlier_states() -> None:
    lagged = Cell.from_text("h_t = \\tanh(W h_{t-1} + V h_{t-2} + U x_t)\ny_t = P h_t")
    for of, by in (("h_t", "h_{t-2}"), ("h_t", "h_k"), ("y_t", "h_k"), ("y_t", "x_k")):
        validate_derivation(lagged, lagged.jacobian(of, by), draws=4)


MATRICES = [
    ("deltanet", "S_t", "S_{t-1}"),
    ("deltanet", "S_t", "S_k"),
    ("mamba", "H_t", "H_{t-1}"),
    ("mlstm", "h_t", "C_k"),
    ("fast-weights", "A_t", "h_{t-1}"),
    ("fast-weights", "h_t", "A_{t-1}"),
    ("linear-attention", "y_t", "S_{t-1}"),
    ("retnet", "o_t", "S_k"),
]


@pytest.mark.parametrize(("name", "of", "by"), MATRICES)
def test_jacobians_of_matrices_by_stacking_their_columns(name: str, of: str, by: str) -> None:
    subject = cell(name)
    with pytest.raises(MissingRuleError):
        subject.jacobian(of, by)
    validate_derivation(subject, subject.jacobian(of, by, vec=True), draws=4)


def test_kronecker_products_of_plain_formulas() -> None:
    product = Cell.from_text(
        "Y = A X B\nA \\in \\mathbb{R}^{n \\times d}, X \\in \\mathbb{R}^{d \\times m}, B \\in \\mathbb{R}^{m \\times p}"
    )
    assert product.jacobian("Y", "X", vec=True).result.latex() == r"B^\top \otimes A"
    skew = Cell.from_text("Y = X - X^\\top\nX \\in \\mathbb{R}^{n \\times n}")
    validate_derivation(skew, skew.jacobian("Y", "X", vec=True), draws=4)
