"""Random cells over trees against autograd, and against torch programs written by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, tree_cells

from derive.cell import Cell, cell
from derive.errors import DataError, MissingRuleError, UsageError
from numeric.adjoints import AdjointPass
from numeric.bounds import measure_bound
from numeric.draws import draw, run_of
from numeric.trees import Tree, caterpillar, random_tree
from numeric.validate import validate_derivation, validate_gradients, validate_hessian_vector

SETTINGS = {"tolerance": 1e-8, "scale": 0.2}


@examples(60)
@given(tree_cells())
def test_gradients_agree_with_autograd(text: str) -> None:
    validate_gradients(Cell.from_text(text), draws=3, **SETTINGS)


@examples(25)
@given(tree_cells(), st.data())
def test_sensitivities_and_tangents_agree_with_autograd(text: str, data: st.DataObject) -> None:
    subject = Cell.from_text(text)
    key = data.draw(st.sampled_from(subject.parameters))
    validate_derivation(subject, subject.gradient(key, "rtrl"), draws=2, **SETTINGS)
    validate_hessian_vector(subject, draws=1, **SETTINGS)


@examples(30)
@given(tree_cells(), st.data())
def test_jacobians_agree_with_autograd(text: str, data: st.DataObject) -> None:
    subject = Cell.from_text(text)
    below = data.draw(st.sampled_from(["k", "i", "l(j)", r"\pi(j)", "j"]))
    of, by = (data.draw(st.sampled_from([*subject.states, *subject.inputs, *subject.on_edges])) for _ in range(2))
    above, under = ("jk" if key in subject.on_edges else place for key, place in ((of, "j"), (by, below)))
    try:
        derivation = subject.jacobian(f"{of}_{{{above}}}", f"{by}_{{{under}}}")
    except MissingRuleError as error:
        assert error.message
        return
    except UsageError as error:  # a node does not depend on its parent
        assert under == r"\pi(j)", error
        return
    validate_derivation(subject, derivation, draws=2, **SETTINGS)


@examples(20)
@given(tree_cells())
def test_products_on_paths_and_their_bounds(text: str) -> None:
    subject = Cell.from_text(text)
    if subject.reads_ahead:
        with pytest.raises(MissingRuleError):
            subject.jacobian()
        return
    validate_derivation(subject, subject.jacobian(), draws=2, **SETTINGS)
    measure_bound(subject, draws=2, scale=SETTINGS["scale"])


@examples(40)
@given(tree_cells())
def test_cells_read_back(text: str) -> None:
    subject = Cell.from_text(text)
    assert Cell.from_text(str(subject)) == subject
    assert Cell.from_text(subject.latex()) == subject
    for equation in subject.steps:
        assert subject.read(f"{equation.lhs.latex()} = {equation.rhs.latex()}").rhs == equation.rhs  # type: ignore[attr-defined]


# -- against programs written by hand --------------------------------------------------------------------


def _values(subject: Cell, drawn) -> dict[str, torch.Tensor]:  # type: ignore[no-untyped-def]
    return {key: torch.tensor(drawn.given[(key, None)], requires_grad=True) for key in subject.parameters}


@pytest.mark.parametrize("seed", range(5))
def test_the_child_sum_tree_lstm_is_that_of_the_paper(seed: int) -> None:
    """Tai, Socher, Manning (2015), equations (2) to (8), written down again."""
    subject = cell("tree-lstm")
    drawn = draw(subject, seed, length=7)
    p = _values(subject, drawn)
    tree, n = drawn.tree, drawn.sizes["n"]
    h: dict[int, torch.Tensor] = {}
    c: dict[int, torch.Tensor] = {}
    for j in range(1, 8):
        x = torch.tensor(drawn.given[("x", j)])
        children = [k for k in range(1, j) if tree.parents[k - 1] == j]
        total = sum((h[k] for k in children), torch.zeros(n, 1, dtype=torch.float64))
        i, o = (torch.sigmoid(p[f"W_{g}"] @ x + p[f"U_{g}"] @ total + p[f"b_{g}"]) for g in "io")
        u = torch.tanh(p["W_u"] @ x + p["U_u"] @ total + p["b_u"])
        c[j] = i * u
        for k in children:
            c[j] = c[j] + torch.sigmoid(p["W_f"] @ x + p["U_f"] @ h[k] + p["b_f"]) * c[k]
        h[j] = o * torch.tanh(c[j])
    _compare(subject, drawn, p, h)


@pytest.mark.parametrize("seed", range(5))
def test_the_recursive_network_is_that_of_the_paper(seed: int) -> None:
    subject = cell("recursive")
    drawn = draw(subject, seed, length=7)
    p = _values(subject, drawn)
    tree, n = drawn.tree, drawn.sizes["n"]
    h = {0: torch.zeros(n, 1, dtype=torch.float64)}
    loss = torch.zeros((), dtype=torch.float64)
    for j in range(1, 8):
        at = {place: k for k, (above, place) in enumerate(zip(tree.parents, tree.places, strict=True), 1) if above == j}
        joined = torch.cat([h[at.get(1, 0)], h[at.get(2, 0)]])
        h[j] = torch.tanh(p["W"] @ joined + p["U"] @ torch.tensor(drawn.given[("x", j)]) + p["b"])
        scores = torch.log_softmax((p["V"] @ h[j] + p["c"]).ravel(), 0)
        loss = loss - scores[int(drawn.given[("y", j)].item())]
    run = run_of(subject, drawn)
    assert run.total_loss().item() == pytest.approx(loss.item(), rel=1e-12)
    _same_gradients(subject, run, p, loss)


def _compare(subject: Cell, drawn, p: dict[str, torch.Tensor], h: dict[int, torch.Tensor]) -> None:  # type: ignore[no-untyped-def]
    """A loss made of random weights: its adjoint recursion against autograd."""
    weights = {j: np.random.default_rng(j).normal(size=tuple(h[j].shape)) for j in h}
    text = subject.text.source.text.replace("L_j(h_j)", "w_j^\\top h_j")
    weighted = Cell.from_text(text)
    drawn.given.update({("w", j): weights[j] for j in h})
    run = run_of(weighted, drawn)
    for j in h:
        np.testing.assert_allclose(run.value("h", j), h[j].detach().numpy(), rtol=1e-12)
    loss = sum((torch.tensor(weights[j]) * h[j]).sum() for j in h)
    _same_gradients(weighted, run, p, loss)


def _same_gradients(subject: Cell, run, p: dict[str, torch.Tensor], loss) -> None:  # type: ignore[no-untyped-def]
    loss.backward()
    backward = AdjointPass(run)
    for key in subject.parameters:
        truth = p[key].grad
        truth = np.zeros(tuple(p[key].shape)) if truth is None else truth.numpy()
        np.testing.assert_allclose(backward.parameter(key), truth, rtol=1e-10, atol=1e-13)


# -- trees ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [0, 1, 2, 3])
def test_random_trees_are_trees(places: int) -> None:
    for seed in range(50):
        tree = random_tree(1 + seed % 9, np.random.default_rng(seed), places)
        length = len(tree.parents)
        assert tree.parent(length) == length + 1
        for node in range(1, length + 1):
            assert all(tree.parent(child) == node for child in tree.children(node))
            if places:
                assert [tree.child(node, tree.places[k - 1]) for k in tree.children(node)] == list(tree.children(node))
                assert len(tree.children(node)) <= places


def test_a_long_path_has_a_leaf_beside_every_step() -> None:
    tree = caterpillar(5)
    assert tree.path(1, 9) == (1, 3, 5, 7)
    assert [len(tree.children(node)) for node in (3, 5, 7, 9)] == [2, 2, 2, 2]


@pytest.mark.parametrize("parents, places", [((1,), ()), ((3, 2), ()), ((5, 3), ()), ((3, 3, 4), (1, 1, 1))])
def test_what_is_no_tree_is_refused(parents: tuple[int, ...], places: tuple[int, ...]) -> None:
    with pytest.raises(DataError):
        Tree(parents, places)


def test_a_path_leads_upward_only() -> None:
    with pytest.raises(DataError):
        Tree((3, 3, 4)).path(1, 2)
