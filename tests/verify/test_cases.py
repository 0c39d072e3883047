"""Distinctions of cases: one verdict for each, at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.cell import Cell
from derive.errors import BpttError
from derive.notation.source import Source
from verify.cases import MOST_CASES, apart
from verify.check import check

RNN = Cell.from_text("h_t = \\tanh(W h_{t-1} + U x_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
LAST = r"(1 - h_T^2) \odot \nabla_{h_T} L_T"
BEFORE = r"(1 - h_t^2) \odot (\nabla_{h_t} L_t + W^\top \delta_{t+1})"
NO_TIME = r"(1 - h_t^2) \odot \nabla_{h_t} L_t"


def told(*rows: str, before: str = r"\delta_t = ", after: str = "") -> str:
    return before + r"\begin{cases} " + r" \\ ".join(rows) + r" \end{cases}" + after


@pytest.mark.parametrize(
    ("claim", "verdicts"),
    [
        (told(LAST + "& t = T", BEFORE + "& t < T"), "correct correct"),
        (told(LAST + r"& \text{if } t = T,", BEFORE + r"& \text{if } t < T.", after="."), "correct correct"),
        (told(LAST + "& t = T", BEFORE + r"& \text{otherwise}"), "correct correct"),
        (told(LAST + r"& \text{if $t = T$,}", BEFORE + r"& \text{if $t < T$}"), "correct correct"),
        (told(LAST + r"& \text{if $t = T$,}", BEFORE + r"& \text{otherwise}"), "correct correct"),
        (told(LAST + r"& \text{if } t = T", NO_TIME + r"& \text{else if } t < T"), "correct wrong"),
        (told(BEFORE + "& t < T", LAST + r"& \text{sonst}"), "correct correct"),
        (told(NO_TIME + "& t = T", NO_TIME + r"& \text{otherwise}"), "correct wrong"),
        (told(NO_TIME + "& t = 1", BEFORE + r"& \text{otherwise}"), "wrong correct"),
        (told(LAST + "& t = T", BEFORE.replace(r"^\top", "") + "& t < T"), "correct wrong"),
        (told("0 & t = T", r"W^\top \delta_{t+1} & t < T", before=r"\bar{h}_t = \nabla_{h_t} L_t + "), "correct correct"),
        (told("0 & t = T", r"W^\top \delta_{t+1} & t < T", before=r"\bar{h}_t = ", after=r" + \nabla_{h_t} L_t"), "correct correct"),
        (told("0 & t = T", r"W \delta_{t+1} & t < T", before=r"\bar{h}_t = ", after=r" + \nabla_{h_t} L_t"), "correct wrong"),
        (told("I & k = t", r"\prod_{j=t}^{k+1} \operatorname{diag}(1 - h_j^2) W & k < t", r"0 & k > t", before=r"\frac{\partial h_t}{\partial h_k} = "), "correct correct correct"),
        (told("I & k = t", r"\prod_{j=t}^{k+1} \operatorname{diag}(1 - h_j^2) W & k < t", r"W & \text{otherwise}", before=r"\frac{\partial h_t}{\partial h_k} = "), "correct correct wrong"),
        (r"\delta_t = \left\{ \begin{array}{ll} " + LAST + r"& t = T \\ " + BEFORE + r"& t < T \end{array} \right.", "correct correct"),
        (r"\begin{aligned} " + told(LAST + "& t = T", BEFORE + "& t < T", before=r"\delta_t &= ") + r" \\ \delta_T &= " + LAST + r"\end{aligned}", "correct correct correct"),
    ],
)  # fmt: skip
def test_every_case_is_judged(claim: str, verdicts: str) -> None:
    assert [one.verdict for one in check(f"$${claim}$$", RNN)] == verdicts.split()


@pytest.mark.parametrize(
    ("claim", "said"),
    [
        (told("h_t", "h_t & t < T"), "does not say when"),
        (told("h_t & x_t > 0", "0 & x_t < 0"), "at which times"),
        (told("h_t & 1 < t < T", r"0 & \text{otherwise}"), "turn round"),
        (told("h_t & t < T") + told("0 & t = T", before=""), "two distinctions"),
        (told(*["h_t & t < T"] * (MOST_CASES + 1)), "too many cases"),
        (r"\delta_t = \begin{cases} h_t & t < T", "do not end"),
        (told(), "do not end"),
    ],
)
def test_what_is_not_read_is_said(claim: str, said: str) -> None:
    found = check(f"$${claim}$$", RNN)
    assert all(one.verdict == "unreadable" for one in found)
    assert any(said in one.message for one in found), found


def test_a_slip_is_shown_where_it_stands() -> None:
    text = (
        "$$\n\\delta_t = \\begin{cases}\n  "
        + LAST
        + r" & t = T, \\"
        + "\n  "
        + BEFORE.replace(r"^\top", "")
        + " & t < T.\n\\end{cases}\n$$"
    )
    _, found = check(text, RNN)
    column = text.splitlines()[3].index("W") + 1
    assert found.hint.startswith(f"line 4, column {column}: second summand: W.T belongs where W stands")


def test_a_recursion_of_the_author_may_start_with_a_case() -> None:
    recursion = told(LAST + "& t = T", BEFORE.replace(r"\delta", "g") + "& t < T", before="g_t = ")
    verdicts = [
        one.verdict for one in check(f"$${recursion}$$ $$\\nabla_U L = \\sum_{{t=1}}^{{T}} g_t x_t^\\top$$", RNN)
    ]
    assert verdicts == ["correct"] * 3
    verdicts = [
        one.verdict for one in check(f"$${recursion}$$ $$\\nabla_U L = \\sum_{{t=1}}^{{T}} g_t h_t^\\top$$", RNN)
    ]
    assert verdicts == ["correct", "correct", "wrong"]


@given(
    st.lists(
        st.sampled_from(
            [
                r"\begin{cases}",
                r"\end{cases}",
                r"\\",
                "&",
                "{",
                "}",
                "t",
                "=",
                r"\begin{pmatrix}",
                r"\end",
                r"\text{otherwise}",
                "<",
            ]
        ),
        max_size=14,
    )
)
def test_any_text_comes_apart_or_is_refused(pieces: list[str]) -> None:
    source = Source(r"a = \begin{cases}" + " ".join(pieces))
    try:
        parts = list(apart(source))
    except BpttError as error:
        assert error.span is not None
        return
    for part in parts:
        assert len(part.places) == len(part.text) + 1
        assert all(0 <= place <= len(source.text) for place in part.places)
