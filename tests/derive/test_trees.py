"""Cells over trees: how they are written, what is derived of them, and what is refused with a reason."""

from __future__ import annotations

import pytest

from derive.cell import Cell, cell
from derive.errors import AmbiguityError, BpttError, CellError, MissingRuleError, ParseError, UsageError
from derive.normal import equal
from derive.notation.elaborate import read_formula
from numeric.validate import validate_derivation

SUM = r"h_j = \tanh(W \sum_{k \in C(j)} h_k + U x_j)"
EDGES = r"""
f_{jk} = \sigma(W x_j + U h_k)
h_j = x_j + \sum_{k \in C(j)} f_{jk} \odot h_k
"""
PLACES = r"h_j = \tanh(W h_{l(j)} + V h_{r(j)} + U x_j)"


@pytest.mark.parametrize(
    "text",
    [
        r"h_j = \tanh(W \sum_{k \in \mathcal{C}(j)} h_k + U x_j)",
        r"h_j = \tanh(W \sum\nolimits_{k \in \mathrm{children}(j)} h_k + U x_j)",
        "h[j] = tanh(W @ (sum_{k in C(j)} h[k]) + U @ x[j])",
        "h[j] = tanh(W @ (sum_{k ∈ C(j)} h[k]) + U @ x[j])",
    ],
)
def test_a_sum_over_children_in_its_spellings(text: str) -> None:
    assert Cell.from_text(text) == Cell.from_text(SUM)


@pytest.mark.parametrize("index", ["f_{jk}", "f_{j,k}", "f_{j, k}"])
def test_an_edge_in_its_spellings(index: str) -> None:
    assert Cell.from_text(EDGES.replace("f_{jk}", index)) == Cell.from_text(EDGES)


def test_another_letter_of_a_child_is_the_same_child() -> None:
    other = EDGES.replace(r"\sum_{k \in C(j)} f_{jk} \odot h_k", r"\sum_{m \in C(j)} f_{jm} \odot h_m")
    assert Cell.from_text(other) == Cell.from_text(EDGES)


def test_the_letter_of_a_child_may_stand_on_a_left_side_alone() -> None:
    subject = Cell.from_text(EDGES.replace("f_{jk}", "f_{ju}", 1).replace("h_k)", "h_u)", 1))
    assert subject.on_edges >= {"f"} and subject.states == ("h",)


@pytest.mark.parametrize(
    "text, place",
    [
        (r"h_j = \tanh(W h_{\text{left}(j)} + V h_{\text{right}(j)} + U x_j)", "h[l(j)]"),
        (r"h_j = \tanh(W h_{\pi(j)} + U x_j)", "h[pi(j)]"),
        (r"h_j = \tanh(W h_{c_3(j)} + U x_j)", "h[c_3(j)]"),
    ],
)
def test_children_by_their_place_and_the_parent(text: str, place: str) -> None:
    subject = Cell.from_text(text)
    assert place in str(subject) and Cell.from_text(str(subject)) == subject


def test_what_changes_from_child_to_child_is_named_on_the_edge() -> None:
    subject = Cell.from_text(r"h_j = U x_j + \sum_{k \in C(j)} \tanh(A h_k + B x_j)")
    assert "z" in subject.on_edges
    assert str(subject.definitions["z"].lhs) == "z[j, k]"


# -- what is derived -------------------------------------------------------------------------------------


def test_the_adjoint_of_a_child_comes_from_its_parent() -> None:
    recursion = {str(relation.lhs): str(relation.rhs) for relation in Cell.from_text(SUM).adjoints}
    assert recursion["h_bar[j]"] == "∇_{h[j]} L[j] + W.T @ delta[pi(j)]"


def test_a_child_by_its_place_acts_under_a_bracket() -> None:
    recursion = {str(relation.lhs): str(relation.rhs) for relation in Cell.from_text(PLACES).adjoints}
    expected = "∇_{h[j]} L[j] + [j = l(pi(j))] * W.T @ delta[pi(j)] + [j = r(pi(j))] * V.T @ delta[pi(j)]"
    assert recursion["h_bar[j]"] == expected


def test_what_children_take_from_their_parent_adds_up() -> None:
    recursion = {str(q.lhs): str(q.rhs) for q in Cell.from_text(r"h_j = \tanh(W h_{\pi(j)} + U x_j)").adjoints}
    assert recursion["h_bar[j]"] == "∇_{h[j]} L[j] + sum_{k ∈ C(j)} W.T @ delta[k]"


def test_the_gradient_of_an_input_of_an_edge_is_of_that_edge() -> None:
    subject = Cell.from_text(r"h_j = \tanh(\sum_{k \in C(j)} e_{jk} \odot h_k + U x_j)")
    assert str(subject.gradient("e_{jk}").result) == "h[k] * delta[j]"


@pytest.mark.parametrize("by, result", [("h_{l(j)}", "diag(tanh'(z[j])) @ W"), ("h_{r(j)}", "diag(tanh'(z[j])) @ V")])
def test_the_jacobian_by_a_certain_child(by: str, result: str) -> None:
    assert str(Cell.from_text(PLACES).jacobian("h_j", by).result) == result


def test_the_jacobian_by_a_node_below_is_a_product_on_the_path() -> None:
    result = Cell.from_text(SUM).jacobian("h_j", "h_i").result
    assert str(result) == "prod_{u ∈ P(i, j)} diag(tanh'(z[pi(u)])) @ W"


def test_a_child_moves_the_edges_to_its_siblings() -> None:
    text = "s_j = \\sum_{k \\in C(j)} h_k\nf_{jk} = B s_j\nh_j = \\sum_{k \\in C(j)} f_{jk} + W x_j"
    subject = Cell.from_text(text)
    assert str(subject.jacobian("h_j", "h_k").result) == "sum_{i ∈ C(j)} B"
    attention = Cell.from_text(
        "e_{jk} = \\exp(q^\\top h_k)\nn_j = 1 + \\sum_{k \\in C(j)} e_{jk}\na_{jk} = e_{jk} / n_j\n"
        "h_j = \\tanh(W x_j + U \\sum_{k \\in C(j)} a_{jk} h_k)"
    )
    for by in ("h_k", "e_{jk}", "x_k", "h_i"):
        validate_derivation(attention, attention.jacobian("h_j", by), draws=5)


@pytest.mark.parametrize("of, by", [("h_{l(j)}", "h_j"), ("h_j", "h_T"), ("h_j", r"h_{\pi(j)}")])
def test_a_node_does_not_move_with_what_is_above_it(of: str, by: str) -> None:
    with pytest.raises(UsageError, match="computed before"):
        Cell.from_text(SUM).jacobian(of, by)


def test_letters_of_nodes_are_no_sizes() -> None:
    subject = Cell.from_text("h_j = \\tanh(W h_{l(j)} + U x_j)\nx_j \\in \\mathbb{R}^m")
    with pytest.raises(AmbiguityError, match="m is a size"):
        subject.jacobian("h_j", "h_m")


@pytest.mark.parametrize("of, by", [("f_{jk}", "x_j"), ("f_{ji}", "h_i"), ("h_j", "h_p"), ("h_j", "h_{r(j)}")])
def test_any_letter_names_a_node(of: str, by: str) -> None:
    subject = cell("tree-lstm")
    validate_derivation(subject, subject.jacobian(of, by), draws=3)


def test_equality_knows_sums_over_children() -> None:
    def same(a: str, b: str) -> bool:
        return bool(equal(read_formula(a), read_formula(b)))

    assert same(r"\sum_{k \in C(j)} (W h_k + x_k)", r"\sum_{i \in C(j)} x_i + W \sum_{i \in C(j)} h_i")
    assert same(r"\sum_{k \in C(j)} f_{jk} \odot h_k", r"\sum_{i \in C(j)} h_i \odot f_{ji}")
    assert not same(r"\sum_{k \in C(j)} f_{jk} \odot h_k", r"\sum_{i \in C(j)} h_i \odot f_{ij}")
    assert not same(r"\sum_{k \in C(j)} h_k", r"\sum_{k \in C(i)} h_k")
    assert not same(r"h_{l(j)}", r"h_{r(j)}")


# -- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, error, said",
    [
        (r"h_j = \tanh(W \sum_{k \in C(j)} h_k + U h_{j-1})", AmbiguityError, "occurs with an offset"),
        (r"h_j = \tanh(W h_k + \sum_{k \in C(j)} h_k)", CellError, "outside a sum over children"),
        (r"h_j = \sum_{k \in C(j)} \sum_{m \in C(j)} h_k \odot h_m", CellError, "inside a sum over children"),
        (r"h_j = \sum_{k \in C(j)} \sum_{m \in C(k)} h_m", CellError, "inside a sum over children"),
        (r"h_j = \tanh(W \sum_{k \in C(i)} h_k + V h_{l(j)})", AmbiguityError, "letters of a node"),
        (r"h_j = \tanh(W \sum_{k \in C(j)} h_k + U h_{\pi(j)})", CellError, "cannot be computed in any order"),
        (SUM + "\nh_0 = 0", CellError, "neither of the node"),
        (SUM + "\nL = \\sum_{j=1}^{N} L_j(h_j)", CellError, "called T"),
        (r"h_j = \prod_{k \in C(j)} h_k", ParseError, "only sums run over"),
        (r"f_{jk} = \sum_{k \in C(j)} h_k + h_{l(k)}", BpttError, ""),
        (EDGES.replace(r"f_{jk} \odot", r"f_k \odot"), CellError, "quantity of the edges"),
        (EDGES.replace("h_j = x_j", "h_j = x_j + f_j"), CellError, "quantity of the edges"),
        (EDGES + r"L = \lVert f_{T1} \rVert^2", CellError, "quantity of the edges"),
        (EDGES + r"L = \sum_{j=1}^{T} \lVert f_{jk} \rVert^2", CellError, "the loss reads f"),
        (SUM + "\nL = \\sum_{j=1}^{T} \\lVert h_j - h_{\\pi(j)} \\rVert^2", CellError, "the loss reads h"),
        (SUM + "\ny = V h_{l(T)}", CellError, "y reads h"),
        (SUM + "\nh_j \\in \\mathbb{R}^k", AmbiguityError, "k is a size here"),
        (SUM.replace("C(j)", "N(j)"), ParseError, "this set"),
        (r"h_j = \tanh(U h_{p(j)} + \sum_{k \in C(j)} h_k)", ParseError, "neither a time nor a label"),
        (r"h_j = \sum_{j \in C(j)} U h_j", AmbiguityError, "of a node and of its children"),
    ],
)
def test_slips_are_errors(text: str, error: type[BpttError], said: str) -> None:
    with pytest.raises(error) as caught:
        Cell.from_text(text)
    assert said in str(caught.value)


def test_a_formula_about_a_tree_counts_no_steps() -> None:
    with pytest.raises(ParseError, match="not counted in steps"):
        Cell.from_text(SUM).read("h_{j-1}")


@pytest.mark.parametrize("form", ["double-sum", "unrolled"])
def test_forms_of_a_sequence_are_refused(form: str) -> None:
    with pytest.raises(MissingRuleError, match="not in a row"):
        cell("tree-lstm").gradient("W_i", form=form)


def test_truncation_is_refused() -> None:
    with pytest.raises(MissingRuleError, match="not in a row"):
        cell("tree-lstm").gradient("W_i", truncate_after=3)


def test_a_quantity_of_an_edge_has_two_indices() -> None:
    for name in ("f_j", "h_{jk}"):
        with pytest.raises(ParseError, match="quantity of"):
            cell("tree-lstm").quantity_of(name)


@pytest.mark.parametrize(
    "text",
    [
        r"h_t = \tanh(W_{jk} h_{t-1} + U_{l} x_t + \pi b)",
        r"c_t = C c_{t-1} + P x_t",
        r"h_t = l \odot h_{t-1} + r \odot x_t",
        r"f_{jk, t} = \sigma(W f_{jk, t-1})",
    ],
)
def test_the_letters_of_trees_are_letters_elsewhere(text: str) -> None:
    assert Cell.from_text(text).tree is None
