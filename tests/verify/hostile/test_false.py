"""What is not read as a whole, or is not true, is not found true."""

from __future__ import annotations

import pytest

from benchmarks.fuzz.texts import RNN
from tests.verify.hostile.documents import DECAY, STEP, displayed, verdicts

FALSE = {
    # a part of what is displayed is passed over
    "a summand behind a comma": (RNN, displayed(STEP + ", + 1")),
    "a factor behind a comma": (RNN, displayed(STEP + ", W")),
    "a summand behind a semicolon": (RNN, displayed(STEP + "; 3 W")),
    "another case behind a comma": (RNN, displayed(STEP + r" \text{if } t > 3, 0 \text{ otherwise}")),
    "words that deny it": (RNN, displayed(STEP + r" \text{ is false}")),
    "two left sides": (RNN, displayed(r"\nabla_U L, \nabla_b L = \sum_{t=1}^T \delta_t")),
    "a visible argument of a command": (RNN, displayed(STEP + r" \mathrel{+ W x_t}")),
    "a second line": (RNN, r"\begin{multline} " + STEP + r" \\ (1 + W) \end{multline}"),
    # a fraction of a step is no step
    "a fraction in a time": (RNN, displayed("h_{t+0.1} = h_t")),
    "a fraction in a state's time": (RNN, displayed(r"\frac{\partial h_t}{\partial h_{t-0.9}} = \operatorname{diag}(1 - h_t^2) W")),
    "a fraction in an upper bound": (RNN, displayed(r"\nabla_b L = \sum_{t=1}^{T+0.4} \delta_t")),
    "a fraction in a lower bound": (RNN, displayed(r"\nabla_b L = \sum_{t=0.6}^{T} \delta_t")),
    "a fraction in a matrix power": (RNN, displayed("W^{2.2} = W W")),
    # macros that are not what they seem
    "a macro that is changed later": (RNN, r"\newcommand{\a}{W} $$\a = " + STEP[6:] + r"$$ \renewcommand{\a}{h_t}"),
    "a macro in a comment": (RNN, "\\newcommand{\\a}{W}\n%\\renewcommand{\\a}{h_t}\n$$\\a = " + STEP[6:] + "$$"),
    "a macro in verbatim": (RNN, r"\newcommand{\a}{W}\begin{verbatim}\renewcommand{\a}{h_t}\end{verbatim}$$\a = " + STEP[6:] + "$$"),
    "a macro in a group": (RNN, r"\newcommand{\a}{W} {\renewcommand{\a}{h_t}} $$\a = " + STEP[6:] + "$$"),
    "a macro that is there": (RNN, r"\newcommand{\a}{W}\providecommand{\a}{h_t} $$\a = " + STEP[6:] + "$$"),
    "another function by the same name": (RNN, r"\renewcommand{\tanh}{\sin} $$" + STEP + "$$"),
    "a transpose that is none": (RNN, r"\renewcommand{\top}{} $$\nabla_W L = \sum_t \delta_t h_{t-1}^\top$$"),
    "a letter by let": (RNN, r"\let\tanh\sin $$" + STEP + "$$"),
    "a macro by gdef": (RNN, r"\def\a{h_t} \gdef\a{W} $$\a = " + STEP[6:] + "$$"),
    # what rounding hides
    "a saturated tanh": (RNN, displayed(r"\tanh(100 + h_t) = \mathbf{1}")),
    "a saturated sigmoid": (RNN, displayed(r"\sigma(500 + h_t) = \mathbf{1}")),
    "an exponential that vanishes": (RNN, displayed(r"1 + \exp(-500 - \lVert h_t \rVert^2) = 1")),
    "a small power": (RNN, displayed(r"h_t = h_t + (0.001 h_t)^4")),
    # what has no value everywhere
    "a root of negative numbers": (RNN, displayed(r"\lVert \sqrt{h_t} \rVert \ge 0")),
    "a logarithm of negative numbers": (RNN, displayed(r"\lVert \log(x_t) \rVert \ge 0")),
    # definitions that contradict
    "a name twice": (RNN, "Let " + displayed("g_t = h_t") + " then " + displayed("g_t = h_t + 1")),
    "a name of a name of itself": (RNN, "Let " + displayed("a_t = b_t", "b_t = a_t") + " so " + displayed("a_t = 3 b_t")),
    "two lengths": (DECAY, displayed("w = 0.5", "h_0 = 1", "T = 2", "T = 3")),
    # numbers
    "no digit that counts": (DECAY, displayed("w = 0.5", "h_0 = 1", "T = 2", r"h_2 = 1000 \cdot 0.0")),
    "another small number": (DECAY, displayed("w = 0.000001", "h_0 = 0.00001", "T = 2", r"h_2 = 5 \cdot 10^{-10}")),
}  # fmt: skip


@pytest.mark.parametrize(("cell", "text"), FALSE.values(), ids=FALSE.keys())
def test_what_is_not_read_as_a_whole_is_not_found_true(cell: str, text: str) -> None:
    """One of the equations at least is not accepted."""
    assert not set(verdicts(text, cell)) <= {"correct", "layout"}


WRONG = {
    "an overflow": (DECAY, displayed("w = 10^{300}", "h_0 = 10^{300}", "T = 2", "h_2 = 10^{400}")),
    "what is no number": (DECAY, displayed("w = 10^{300}", "h_0 = 10^{300}", "T = 2", "h_2 - h_2 = 0")),
}


@pytest.mark.parametrize(("cell", "text"), WRONG.values(), ids=WRONG.keys())
def test_what_overflows_is_not_found_false(cell: str, text: str) -> None:
    assert verdicts(text, cell)[-1] != "wrong"
