"""What stands around equations in people's documents, and says nothing of its own."""

from __future__ import annotations

import pytest

from derive.cell import Cell
from verify.check import check

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
SUM = r"\sum_{t=1}^T \delta_t"
AROUND = [
    r"\boxed{\nabla_b L = SUM}", r"\nabla_b L = \boxed{SUM}", r"\nabla_b L \overset{!}{=} SUM", r"\nabla_b L \stackrel{(1)}{=} SUM",
    r"\nabla_b L \underset{z}{=} SUM", r"\therefore \nabla_b L = SUM", r"\nabla_b L = SUM \blacksquare", r"\nabla_b L = SUM \qquad\square",
    r"\Rightarrow \nabla_b L = SUM", r"\begin{aligned} &\implies \nabla_b L = SUM \end{aligned}", r"\nabla_b L = SUM \quad (2.1a)",
    r"\nabla_b L = SUM \quad (*)", r"\nabla_b L = SUM \qquad \text{(eq. 3)}", r"\nabla_b L = \underbrace{SUM}_{\text{all steps}}",
    r"\nabla_b L = SUM!", r"\nabla_b \mathcal{L} = SUM", r"\mathbf{\nabla_b} L = SUM", r"\nabla_b L = SUM \quad \forall t",
]  # fmt: skip


@pytest.mark.parametrize("around", AROUND)
def test_what_stands_around_is_passed_over_and_nothing_else(around: str) -> None:
    def verdict(formula: str) -> str:
        (found,) = check(f"$${around.replace('SUM', formula)}$$", RNN, explained=False)
        return found.verdict

    assert verdict(SUM) == "correct"
    assert verdict(r"\sum_{t=1}^T \bar h_t") == "wrong"
    assert verdict(SUM + " + b") in ("wrong", "unreadable")


@pytest.mark.parametrize(
    ("claim", "verdicts"),
    [
        (r"\delta_t = (1 - h_t^2) \odot \bar h_t \Rightarrow \nabla_b L = SUM", ["correct", "correct"]),
        (r"\delta_t = (1 - h_t) \odot \bar h_t \implies \nabla_b L = SUM", ["wrong", "correct"]),
        (r"\delta_t = (1 - h_t^{\odot 2}) \odot \bar h_t", ["correct"]),
        (r"\delta_t = (1 - h_t^{\circ 3}) \odot \bar h_t", ["wrong"]),
        (r"\nabla_b L = \sum_{1 \le t \le T} \delta_t", ["correct"]),
        (r"\partial_b L = \sum_{t=1}^T \delta_t^\top", ["correct"]),
        (r"\partial_b L = \sum_{t=1}^T \bar h_t^\top", ["wrong"]),
        (r"\partial_{h_{t-1}} h_t = \operatorname{diag}(1 - h_t^2) W", ["correct"]),
        (r"\partial^{+}_{h_{t-1}} h_t = \operatorname{diag}(1 - h_t^2) W", ["correct"]),
        (r"\partial_{h_{t-1}} h_t = W \operatorname{diag}(1 - h_t^2)", ["wrong"]),
        (r"\bar h_t = \nabla_{h_t} L_t + (\partial_{h_t} h_{t+1})^\top \bar h_{t+1}", ["correct"]),
        (r"\partial_t L = 1", ["unreadable"]),
        (r"\partial_b L^\top = \sum_{t=1}^T \delta_t", ["unreadable"]),
        (r"\partial_{b} = \sum_{t=1}^T \delta_t", ["unreadable"]),
        (r"\nabla_b L = \sum_{1 < t \le T} \delta_t", ["wrong"]),
        (r"\nabla_b L = \sum_{t \le T} \delta_t", ["correct"]),
        (r"\nabla_b L = \sum_{t < T} \delta_t", ["wrong"]),
        (r"\boxed{\nabla_b L = SUM", ["unreadable"]),
    ],
)
def test_spellings(claim: str, verdicts: list[str]) -> None:
    assert [one.verdict for one in check(f"$${claim.replace('SUM', SUM)}$$", RNN, explained=False)] == verdicts


def test_a_formula_is_shown_with_its_fonts() -> None:
    (found,) = check(
        r"$$\mathbf{h}_t = \tanh(\mathbf{W} \mathbf{h}_{t-1} + \mathbf{U} \mathbf{x}_t + \mathbf{b})$$", RNN
    )
    assert found.claim.startswith(r"\mathbf{h}_t") and found.claim.endswith(r"\mathbf{b})") and found.column == 3


def test_the_cell_of_a_document_may_be_bold() -> None:
    text = r"$$\mathbf{z}_t = \mathbf{W} \mathbf{h}_{t-1} + \mathbf{U} \mathbf{x}_t$$ $$\mathbf{h}_t = \sigma(\mathbf{z}_t)$$"
    claim = r"$$\frac{\partial \mathbf{h}_t}{\partial \mathbf{z}_t} = \operatorname{diag}(\mathbf{h}_t \odot (1 - \mathbf{h}_t))$$"
    assert [one.verdict for one in check(text + claim)] == ["correct"] * 3


def test_a_display_that_begins_with_a_sign_goes_on() -> None:
    steps = r"$$\nabla_b L = \sum_{t=1}^T \delta_t$$ so that $$= \sum_{t=1}^T (1 - h_t^2) \odot \bar h_t$$ $$= 0$$"
    assert [one.verdict for one in check(steps, RNN)] == ["correct", "correct", "wrong"]


@pytest.mark.parametrize(
    "entry", [r"W_{ij}", r"(W)_{ij}", r"h_{t,i}", r"\left[\frac{\partial h_t}{\partial h_{t-1}}\right]_{ij}"]
)
def test_entries_are_not_read_and_it_is_said_what_to_write(entry: str) -> None:
    (found,) = check(f"$${entry} = 0$$", RNN)
    assert found.verdict == "unreadable" and "single entries are not read" in found.hint
