"""Given numbers that stand in a formula in place of their letters; what holds is computed here with NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from derive.cell import Cell
from verify.check import check

CELL = Cell.from_text(
    "z_t = w h_{t-1} + u x_t\nh_t = \\tanh(z_t)\nh_t, x_t, y \\in \\mathbb{R}\nL = \\frac12 (h_T - y)^2"
)
GIVEN = r"Let $T=2$, $w = 0.5$, $u = 1.5$, $h_0 = 0$, $x_1 = 1$, $x_2 = -1$, $y = 0.25$. "
H1 = np.tanh(1.5)
H2 = np.tanh(0.5 * H1 - 1.5)


def found(claim: str, given: str = GIVEN) -> tuple[str, str]:
    last = check(f"{given}$${claim}$$", CELL, explained=False)[-1]
    return last.verdict, last.reading + last.message


@pytest.mark.parametrize(
    "claim, put_in",
    [
        (f"z_2 = 0.5 h_1 - 1.5 = {0.5 * H1 - 1.5:.3f}", "u and w and x_2"),
        ("z_2 = w h_1 - 1.5", "u and x_2"),
        ("z_1 = 0.5 h_0 + 1.5", "u and w and x_1"),
        ("h_2 = \\tanh(0.5 h_1 + u x_2)", "w"),
        (f"L = \\frac12 (h_2 - 0.25)^2 = {0.5 * (H2 - 0.25) ** 2:.4f}", "y"),
        ("\\frac{\\partial L}{\\partial h_2} = h_2 - 0.25", "y"),
        (f"\\frac{{\\partial h_2}}{{\\partial h_1}} = 0.5 (1 - h_2^2) = {0.5 * (1 - H2**2):.3f}", "w"),
        ("\\delta_1 = 0.5 \\delta_2 (1 - h_1^2)", "w"),
    ],
)
def test_numbers_beside_letters(claim: str, put_in: str) -> None:
    verdict, reading = found(claim)
    assert verdict == "correct" and reading == f"the numbers given stand for {put_in}"
    assert found(claim, "")[0] != "correct"
    other = GIVEN.replace("w = 0.5", "w = 0.6").replace("u = 1.5", "u = 1.4").replace("y = 0.25", "y = 0.35")
    assert found(claim, other)[0] == "wrong"


@pytest.mark.parametrize(
    "claim",
    [
        "z_2 = 0.5 h_1 + 1.5",
        "z_2 = 0.4 h_1 - 1.5",
        f"z_2 = h_1 - {1.5 + 0.5 * H1:.15f}",
        f"z_2 = u x_2 + h_1 x_1 \\cdot 0.5 + {0.5 * H1:.15f} - 0.5 x_1 h_1",
        f"z_2 = u x_2 + w x_1 \\cdot {H1:.15f}",
        "z_t = 0.5 h_{t-1} - 1.5",
        "\\frac{\\partial h_2}{\\partial h_1} = 0.5 (1 - h_1^2)",
        "\\frac{\\partial h_2}{\\partial h_1} = 0.25 (1 - h_2^2)",
        "\\delta_1 = \\delta_2 (1 - h_1^2)",
    ],
)
def test_what_holds_by_chance_or_not_at_all_is_wrong(claim: str) -> None:
    assert found(claim)[0] == "wrong"


def test_rounded_numbers_between_letters_are_not_decided() -> None:
    verdict, message = found(f"\\delta_1 = {0.5 * (1 - H1**2):.4f} \\delta_2")
    assert verdict == "unsupported" and "rounding" in message


def test_what_zero_and_one_would_leave_out_is_not_decided() -> None:
    verdict, message = found("\\frac{\\partial h_2}{\\partial h_1} = 1 - h_2^2", GIVEN.replace("w = 0.5", "w = 1"))
    assert verdict == "unsupported" and "w, as given" in message


def test_matrices() -> None:
    cell = Cell.from_text("z_t = W h_{t-1} + U x_t\nh_t = \\tanh(z_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
    given = r"""Let $T = 2$,
        $$W = \begin{pmatrix} 0.5 & 0 \\ 0 & 0.5 \end{pmatrix}, U = \begin{pmatrix} 2 \\ 3 \end{pmatrix}, x_1 = 1, x_2 = -1, h_0 = 0.$$ """
    claims = {"z_2 = 0.5 h_1 + U x_2": "correct", "z_2 = 0.4 h_1 + U x_2": "wrong", "\\delta_1 = \\delta_2": "wrong"}
    for claim, verdict in claims.items():
        assert check(f"{given}$${claim}$$", cell, explained=False)[-1].verdict == verdict


SCALAR = Cell.from_text(
    "z_t = w h_{t-1} + u x_t + b\nh_t = \\sigma(z_t)\nh_t, x_t, y \\in \\mathbb{R}\nL = \\frac12 (h_T - y)^2"
)
FORMS = (
    "z_2 = {w} h_1 + {u} {x_2} + {b}",
    "h_2 = \\sigma({w} h_1 + {u} {x_2} + {b})",
    "\\frac{{\\partial L}}{{\\partial h_2}} = h_2 - {y}",
    "\\delta_2 = (h_2 - {y}) h_2 (1 - h_2)",
    "\\delta_1 = {w} \\delta_2 h_1 (1 - h_1)",
    "\\frac{{\\partial L}}{{\\partial h_1}} = {w} (h_2 - {y}) \\sigma'({w} h_1 + {u} {x_2} + {b})",
)
NUMBERS = st.integers(2, 99).map(lambda k: k / 100)


@settings(max_examples=12, deadline=None, phases=[Phase.generate])
@given(
    st.sampled_from(FORMS),
    st.fixed_dictionaries(dict.fromkeys(("w", "u", "x_2", "b", "y"), NUMBERS)),
    st.fixed_dictionaries({name: st.booleans() for name in ("w", "u", "x_2", "b", "y")}),
    st.data(),
)
def test_whatever_is_put_in(
    form: str, numbers: dict[str, float], letters: dict[str, bool], data: st.DataObject
) -> None:
    said = "Let $T=2$, $h_0 = 0.3$, $x_1 = -0.7$, " + ", ".join(
        f"${name} = {value}$" for name, value in numbers.items()
    )

    def verdict(values: dict[str, float]) -> str:
        parts = {name: name if letters[name] else f"({values[name]})" for name in values}
        return check(f"{said}. $${form.format(**parts)}$$", SCALAR, explained=False)[-1].verdict

    assert verdict(numbers) == "correct"
    used = [name for name in numbers if f"{{{name}}}" in form and not letters[name]]
    if used:
        other = data.draw(st.sampled_from(used))
        assert verdict({**numbers, other: round(numbers[other] + 0.01, 2)}) != "correct"


def test_numbers_for_matrices_say_that_all_sizes_are_one() -> None:
    cell = Cell.from_text("z_t = W h_{t-1} + U x_t + b\nh_t = \\tanh(z_t)\nL = \\sum_{t=1}^{T} L_t(h_t)")
    said = "With $W = 0.5$, $U = 1.5$, $b = 0$, $h_0 = 0$, $x_1 = 1$, $x_2 = -1$: "
    claims = {
        f"\\frac{{\\partial h_2}}{{\\partial h_1}} = 0.5 (1 - h_2^2) = {0.5 * (1 - H2**2):.3f}": "correct",
        "\\frac{\\partial h_2}{\\partial h_1} = 0.5 (1 - h_1^2)": "wrong",
        f"h_1 = {H1:.4f}": "correct",
    }
    for claim, verdict in claims.items():
        assert check(f"{said}$${claim}$$", cell, explained=False)[-1].verdict == verdict
