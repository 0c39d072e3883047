"""Dots in sums and products: the terms that they stand for, written out one by one, are the truth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.cell import Cell
from derive.notation import surface as s
from derive.notation.parser import parse_one
from derive.notation.rebuild import rebuilt
from derive.notation.references import ReferenceReader
from derive.notation.scope import Scope
from derive.notation.write_plain import write_plain
from verify.check import check
from verify.dots import without_dots

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t + b)\nL = \\sum_{t=1}^{T} L_t(h_t)")
READER = ReferenceReader(Scope())
J = r" where $J_t = \operatorname{diag}(\tanh'(z_t)) W$"
LEFT = r"\frac{\partial h_t}{\partial h_k}"


def terms_of(big: s.Big) -> list[str]:
    """The terms of a sum or a product over numbers, from left to right; of a product the last one is on the left."""
    assert isinstance(big.sub, s.Relation) and big.sup is not None
    name, low = big.sub.items

    def at(value: int) -> str:
        def put(node: s.Surface) -> s.Surface:
            if node == name:
                return s.Number(str(value))
            if isinstance(node, s.Scripted) and node.subs:
                return s.Scripted(node.base, tuple(s.Number(str(READER.index(sub))) for sub in node.subs))
            return node

        return write_plain(rebuilt(big.body, put))

    inside = [at(value) for value in range(int(READER.index(low)), int(READER.index(big.sup)) + 1)]
    return inside[::-1] if big.kind == "prod" else inside


@st.composite
def progressions(draw: st.DrawFn) -> tuple[str, list[str], bool]:
    """A sum or product with dots, the terms that it stands for, and whether it is a product."""
    letters = draw(st.lists(st.sampled_from("ABC"), min_size=1, max_size=3))
    offsets = draw(st.lists(st.one_of(st.none(), st.integers(0, 2)), min_size=len(letters), max_size=len(letters)))
    offsets[draw(st.integers(0, len(letters) - 1))] = draw(st.integers(0, 2))
    product = draw(st.booleans()) or len(letters) > 1
    start, count, step = draw(st.integers(1, 3)), draw(st.integers(4, 7)), draw(st.sampled_from([1, -1]))
    times = [start + k for k in range(count)][::step]

    def term(time: int) -> str:
        return " ".join(
            letter if offset is None else f"{letter}_{{{time + offset}}}"
            for letter, offset in zip(letters, offsets, strict=True)
        )

    said = draw(st.sampled_from([(2, 1), (1, 2), (2, 2), (3, 1)]))
    shown = [*(term(t) for t in times[: said[0]]), r"\dots", *(term(t) for t in times[-said[1] :])]
    whole = [term(t) for t in (times if product or step == 1 else times[::-1])]
    return (" " if product else " + ").join(shown), [write_plain(parse_one(one).items[0]) for one in whole], product


@given(progressions())
def test_the_sum_or_product_has_the_terms_that_the_dots_leave_out(drawn: tuple[str, list[str], bool]) -> None:
    text, terms, product = drawn
    found = without_dots(parse_one(text).items[0], READER)
    assert isinstance(found, s.Big) and found.kind == ("prod" if product else "sum")
    assert terms_of(found) == terms


@pytest.mark.parametrize(
    "text",
    [
        r"a_1 + \dots + b_T", r"a_1 + a_3 + \dots + a_T", r"a_1 + a_2 - \dots + a_T", r"A_t \cdots A_{k+1}", r"A_1 A_2 \dots", r"\dots A_2 A_1",
        r"A_1 B_2 A_2 B_4 \cdots A_T B_T", r"A_1 A_2 \cdots A_1", r"a_1 \odot \cdots \odot a_T", r"A_1 A_2 \cdots A_T + \dots", r"a_1, \dots, a_T",
        r"A_1 A_2 \cdots A_4 \cdots A_T", r"A_4 A_3 \cdots A_5 A_6",
    ],
)  # fmt: skip
def test_dots_that_leave_something_open_stay(text: str) -> None:
    items = [without_dots(item, READER) for item in parse_one(text).items]
    assert any(node == s.Mark("dots") for item in items for node in item.walk())


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        (LEFT + r" = J_t J_{t-1} \cdots J_{k+1}", "correct"),
        (LEFT + r" = J_t J_{t-1} \cdots J_k", "wrong"),
        (LEFT + r" = J_{k+1} J_{k+2} \cdots J_t", "wrong"),
        (LEFT + r" = J_t \cdots J_{k+1}", "unreadable"),
        (LEFT + r" = \frac{\partial h_t}{\partial h_{t-1}} \cdots \frac{\partial h_{k+1}}{\partial h_k}", "correct"),
        (LEFT + r" = \operatorname{diag}(1-h_t^2) W \operatorname{diag}(1-h_{t-1}^2) W \cdots \operatorname{diag}(1-h_{k+1}^2) W", "correct"),
        (LEFT + r" = W \operatorname{diag}(1-h_t^2) W \operatorname{diag}(1-h_{t-1}^2) \cdots W \operatorname{diag}(1-h_{k+1}^2)", "wrong"),
        (r"\frac{\partial h_T}{\partial h_1} = J_2 \cdots J_{T-1} J_T", "wrong"),
        (r"\frac{\partial h_T}{\partial h_0} = J_T \cdot J_{T-1} \cdot \ldots \cdot J_1", "correct"),
        (r"\nabla_b L = \delta_1 + \delta_2 + \dots + \delta_T", "correct"),
        (r"\nabla_b L = \delta_T + \cdots + \delta_1", "correct"),
        (r"\nabla_b L = \delta_2 + \cdots + \delta_T", "wrong"),
        (r"\nabla_W L = \delta_1 h_0^\top + \delta_2 h_1^\top + \dots + \delta_T h_{T-1}^\top", "correct"),
        (r"\nabla_W L = \delta_1 h_1^\top + \delta_2 h_2^\top + \dots + \delta_T h_T^\top", "wrong"),
        (r"\nabla_W L = \delta_1 h_0^\top + \delta_2 h_1^\top + \dots + \delta_T h_T^\top", "unreadable"),
        (LEFT + r" = J_t J_{t-1} \dotsm J_{k+1}", "correct"),
        (LEFT + r" = D_t W D_{t-1} W \cdots W D_{k+1} W", "correct"),
        (LEFT + r" = D_t W D_{t-1} \cdots W D_{k+1} W", "correct"),
        (LEFT + r" = D_t W D_{t-1} W \cdots W D_k W", "wrong"),
        (LEFT + r" = W D_t W D_{t-1} W \cdots W D_{k+1}", "wrong"),
        (r"\nabla_b L = \delta_1+\delta_2+...+\delta_T", "correct"),
        (r"\nabla_b L = \delta_1+\delta_2+...+\delta_{T-1}", "wrong"),
        (r"L = L_1 + L_2 + \cdots + L_T", "correct"),
    ],
)  # fmt: skip
def test_formulas_with_dots_are_judged(claim: str, verdict: str) -> None:
    document = f"$${claim}$${J} where $D_t = \\operatorname{{diag}}(1 - h_t^2)$"
    (found,) = check(document, RNN, explained=False)
    assert found.verdict == verdict, found.message
