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
    ],
)
def test_results(document: str, wanted: str, state: str, points: float) -> None:
    found = result(document, wanted)
    assert (found.state, found.points) == (state, Fraction(points))


def test_the_file_of_a_marker() -> None:
    found = read_wanted("# what is wanted\n\n2 \\delta_t # the adjoint\n$\\nabla_W L$\n", Names(RNN))
    assert [(one.text, one.points, one.title) for one in found] == [
        ("\\delta_t", 2, "the adjoint"),
        ("\\nabla_W L", 1, ""),
    ]


@pytest.mark.parametrize("text", ["2 \\nonsense", "q_t", "", "# nothing\n"])
def test_files_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match=r"line 1|wants nothing"):
        read_wanted(text, Names(RNN))
