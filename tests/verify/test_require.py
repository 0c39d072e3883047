"""What a marker wants, and what a document has of it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from derive.cell import Cell
from derive.errors import UsageError
from verify.check import checked
from verify.names import Names
from verify.require import Result, read_wanted

RNN = Cell.from_text("h_t = \\sigma(W h_{t-1} + U x_t + b)")
JACOBIAN = "\\frac{\\partial h_t}{\\partial h_{t-1}}"

SUM = "\\sum_{t=1}^T \\delta_t h_{t-1}^\\top"


def result(document: str, wanted: str) -> Result:
    found = checked(document, RNN)
    (one,) = found.results(read_wanted(wanted, Names(RNN)))
    return one


@pytest.mark.parametrize(
    ("document", "wanted", "state", "points"),
    [
        (f"$${JACOBIAN} = \\operatorname{{diag}}(\\sigma'(z_t)) W$$", JACOBIAN, "right", 1),
        ("$$\\frac{\\partial h_k}{\\partial h_{k-1}} = \\operatorname{diag}(\\sigma'(z_k)) W$$", JACOBIAN, "right", 1),
        (
            "$$\\frac{\\partial h_{t+1}}{\\partial h_t} = \\operatorname{diag}(\\sigma'(z_{t+1})) W$$",
            JACOBIAN,
            "right",
            1,
        ),
        (f"$${JACOBIAN} = W$$", JACOBIAN, "wrong", 0),
        (f"$${JACOBIAN} = {JACOBIAN}$$", JACOBIAN, "restated", 0),
        ("$$\\nabla_W L = \\frac{\\partial L}{\\partial W}$$", "\\nabla_W L", "restated", 0),
        ("$$\\frac{\\partial L}{\\partial W} = \\sum_{t=1}^T \\delta_t h_{t-1}^\\top$$", "3 \\nabla_W L", "right", 3),
        ("$$\\frac{\\partial L}{\\partial U} = \\sum_{t=1}^T \\delta_t x_t^\\top$$", "3 \\nabla_W L", "missing", 0),
        (f"$${JACOBIAN} = \\operatorname{{diag}}(\\sigma'(z_t)) W = W$$", f"4 {JACOBIAN}", "partly", 2),
        (f"$${JACOBIAN} = {JACOBIAN} = W$$", f"4 {JACOBIAN}", "wrong", 0),
        (f"$${JACOBIAN} = \\nonsense$$", JACOBIAN, "missing", 0),
        (
            f"$${JACOBIAN} = W$$ $${JACOBIAN} = \\operatorname{{diag}}(\\sigma'(z_t)) W$$",
            "1.5 " + JACOBIAN,
            "right",
            1.5,
        ),
        ("$$\\nabla_b L = \\sum_{t=1}^T \\delta_t$$", "1/2 \\frac{\\partial L}{\\partial b} # the bias", "right", 0.5),
        ("$$\\delta_t = \\sigma'(z_t) \\odot (\\nabla_{h_t} L_t + W^\\top \\delta_{t+1})$$", "2 \\delta_t", "right", 2),
        # what is made of the wanted result itself says nothing about it
        ("$$\\nabla_W L \\in \\mathbb{R}^{n \\times n}$$", "\\nabla_W L", "missing", 0),
        ("$$\\nabla_W L = \\nabla_W L + 0$$", "\\nabla_W L", "restated", 0),
        ("$$\\nabla_W L = I \\nabla_W L$$", "\\nabla_W L", "restated", 0),
        ("$$\\nabla_W L = 2\\nabla_W L - \\nabla_W L$$", "\\nabla_W L", "restated", 0),
        ("$$\\nabla_W L = \\sum_{t=1}^T \\frac{1}{T} \\frac{\\partial L}{\\partial W}$$", "\\nabla_W L", "restated", 0),
        ("$$\\nabla_W L - \\nabla_W L = 0$$", "\\nabla_W L", "restated", 0),
        ("$$\\delta_t = \\nabla_{z_t} L$$", "\\delta_t", "restated", 0),
        ("$$G = \\nabla_W L$$ $$\\nabla_W L = G$$", "\\nabla_W L", "restated", 0),
        (f"$$\\nabla_W L = {SUM} \\in \\mathbb{{R}}^{{n \\times n}}$$", "\\nabla_W L", "right", 1),
        (f"$$\\nabla_W L = \\nabla_W L + 0 = {SUM} = W$$", "4 \\nabla_W L", "partly", 2),
        ("$$\\nabla_W L = 2\\nabla_W L - \\nabla_W L = W$$", "4 \\nabla_W L", "wrong", 0),
        (f"$${JACOBIAN} = \\prod_{{j=t}}^{{t}} \\frac{{\\partial h_j}}{{\\partial h_{{j-1}}}}$$", JACOBIAN, "restated", 0),
        (f"$${JACOBIAN} = \\sum_{{j=1}}^{{T}} [j = t] \\frac{{\\partial h_j}}{{\\partial h_{{j-1}}}}$$", JACOBIAN, "restated", 0),
        (f"$${JACOBIAN} = ({JACOBIAN}^\\top)^\\top$$", JACOBIAN, "restated", 0),
        (f"$${JACOBIAN} = \\prod_{{j=t}}^{{t}} \\operatorname{{diag}}(\\sigma'(z_j)) W$$", JACOBIAN, "right", 1),
        ("$$\\frac{\\partial h_t}{\\partial h_k} = \\prod_{j=k+1}^{t} \\frac{\\partial h_j}{\\partial h_{j-1}}$$",
         "\\frac{\\partial h_t}{\\partial h_k}", "right", 1),
        # links that say nothing new
        (f"$$\\nabla_W L = {SUM} = {SUM} = {SUM} + 0 = 2 {SUM}$$", "4 \\nabla_W L", "partly", 2),
        (f"$$\\nabla_W L = {SUM} = \\sum_{{k=1}}^T \\delta_k h_{{k-1}}^\\top + W - W = W$$", "4 \\nabla_W L", "partly", 2),
        # multiples, and columns of a matrix
        ("$$2 \\nabla_b L = 2 \\sum_{t=1}^T \\delta_t$$", "\\nabla_b L", "right", 1),
        ("$$\\frac{1}{T} \\nabla_b L = \\frac{1}{T} \\sum_{t=1}^T \\delta_t$$", "\\nabla_b L", "right", 1),
        ("$$2 \\nabla_b L = \\nabla_b L + \\nabla_b L$$", "\\nabla_b L", "restated", 0),
        ("$$2 \\nabla_b L = \\sum_{t=1}^T \\delta_t$$", "\\nabla_b L", "wrong", 0),
        (f"$$\\operatorname{{vec}}(\\nabla_W L) = \\operatorname{{vec}}({SUM})$$", "\\nabla_W L", "right", 1),
        (f"$$\\frac{{\\partial L}}{{\\partial \\operatorname{{vec}} W}} = \\operatorname{{vec}}({SUM})^\\top$$", "\\nabla_W L", "right", 1),
        ("$$\\frac{\\partial L}{\\partial \\operatorname{vec} W} = \\operatorname{vec}(\\nabla_W L)^\\top$$", "\\nabla_W L", "restated", 0),
        # for some times or one length only
        (f"$${JACOBIAN} = \\operatorname{{diag}}(\\sigma'(z_t)) W, \\quad t = 2$$", JACOBIAN, "special", 0),
        ("$$\\nabla_b L = \\delta_1, \\quad T = 1$$", "\\nabla_b L", "special", 0),
        ("Let $T = 1$. $$\\nabla_b L = \\delta_1$$", "\\nabla_b L", "special", 0),
        (f"$${JACOBIAN} = W, \\quad t = 2$$", JACOBIAN, "wrong", 0),
        # solved for something else
        (f"$$\\nabla_W L - {SUM} = 0$$", "2 \\nabla_W L", "right", 2),
        (f"$$0 = {SUM} - \\nabla_W L$$", "2 \\nabla_W L", "right", 2),
        (f"$$\\nabla_W L - 2 {SUM} = 0$$", "2 \\nabla_W L", "wrong", 0),
        ("$$\\nabla_{h_t} L = \\nabla_{h_t} L_t + W^\\top \\delta_{t+1}$$", "\\nabla_{h_t} L_t", "missing", 0),
        # bounds
        (f"$$\\| {JACOBIAN} \\| \\ge 0$$", f"\\| {JACOBIAN} \\|", "missing", 0),
        (f"$$\\| {JACOBIAN} \\| \\le \\| W \\|$$", f"\\| {JACOBIAN} \\| \\le 1", "right", 1),
    ],
)  # fmt: skip
def test_results(document: str, wanted: str, state: str, points: float) -> None:
    found = result(document, wanted)
    assert (found.state, found.points) == (state, Fraction(points))


@pytest.mark.parametrize(
    ("document", "answers", "contradicted"),
    [
        (f"$$\\nabla_W L = {SUM}$$", (1, 1), False),
        (f"$$\\nabla_W L = {SUM}$$ $$\\nabla_W L = {SUM}$$", (2, 2), False),
        (f"$$\\nabla_W L = W$$ $$\\nabla_W L = {SUM}$$ $$\\nabla_W L = 2 {SUM}$$", (1, 3), True),
        (f"$$\\nabla_W L = {SUM}$$ $$\\nabla_W L = \\nabla_W L + 0$$", (1, 1), False),
        ("$$\\nabla_W L = W$$ $$\\nabla_W L = 2 W$$", (0, 2), False),
        (f"$$\\nabla_W L - W = 0$$ $$\\nabla_W L = {SUM}$$", (1, 2), True),
    ],
)
def test_answers_that_contradict_each_other_are_told(
    document: str, answers: tuple[int, int], contradicted: bool
) -> None:
    found = result(document, "2 \\nabla_W L")
    assert (found.answers, found.contradicted) == (answers, contradicted)
    assert found.points == (2 if answers[0] else 0)


def test_the_file_of_a_marker() -> None:
    found = read_wanted("# what is wanted\n\n2 \\delta_t # the adjoint\n$\\nabla_W L$\n", Names(RNN))
    assert [(one.text, one.points, one.title) for one in found] == [
        ("\\delta_t", 2, "the adjoint"),
        ("\\nabla_W L", 1, ""),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("-1 \\nabla_U L", "line 2: -1 is no number of points"),
        ("1e400 \\nabla_U L", "1e400 is no number of points"),
        ("1/0 \\nabla_U L", "1/0 is no number of points"),
        ("999999 \\nabla_U L", "999999 is no number of points"),
        ("2 3", "3 holds no quantity"),
        ("\\frac{\\partial L}{\\partial W}", "wanted already in line 1"),
    ],
)
def test_lines_that_make_no_sense(line: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_wanted(f"\\nabla_W L\n{line}", Names(RNN))


@pytest.mark.parametrize("text", ["2 \\nonsense", "q_t", "", "# nothing\n"])
def test_files_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match=r"line 1|wants nothing"):
        read_wanted(text, Names(RNN))
