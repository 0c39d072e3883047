"""Random cells: texts of recurrent systems that conform, drawn from a grammar of shapes."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

FUNCTIONS = (r"\sigma", r"\tanh", r"\sin", r"\operatorname{softplus}", r"\operatorname{SiLU}", r"\arctan")


@dataclass
class _Names:
    """Parameters drawn so far, so that each has one shape."""

    matrices: int = 0
    vectors: int = 0
    scalars: int = 0
    used: list[str] = field(default_factory=list)

    def matrix(self) -> str:
        self.matrices += 1
        return f"W_{{{self.matrices}}}"

    def vector(self) -> str:
        self.vectors += 1
        return f"b_{{{self.vectors}}}"

    def scalar(self) -> str:
        self.scalars += 1
        return f"\\alpha_{{{self.scalars}}}"


@st.composite
def vector_expressions(draw: st.DrawFn, atoms: list[str], names: _Names, depth: int) -> str:
    """LaTeX of a vector of size n, from vectors of size n."""
    if depth == 0:
        return draw(st.sampled_from(atoms))
    below = vector_expressions(atoms, names, depth - 1)
    kind = draw(
        st.sampled_from(
            (
                "linear",
                "linear",
                "apply",
                "apply",
                "hadamard",
                "sum",
                "one minus",
                "scaled",
                "norm",
                "inner",
                "quotient",
                "square",
                "softmax",
                "difference",
            )
        )
    )
    if kind == "linear":
        return f"({names.matrix()} {_factor(draw(below))} + {names.vector()})"
    if kind == "apply":
        return f"{draw(st.sampled_from(FUNCTIONS))}({draw(below)})"
    if kind == "hadamard":
        return f"({_factor(draw(below))} \\odot {_factor(draw(below))})"
    if kind == "sum":
        return f"({draw(below)} + {draw(below)})"
    if kind == "difference":
        return f"({draw(below)} - {_factor(draw(below))})"
    if kind == "one minus":
        return f"((1 - {_factor(draw(below))}) \\odot {_factor(draw(below))})"
    if kind == "scaled":
        return f"({names.scalar()} {_factor(draw(below))})"
    if kind == "norm":
        inner = _factor(draw(below))
        return f"\\frac{{{inner}}}{{1 + \\lVert {inner} \\rVert^2}}"
    if kind == "inner":
        return f"(({names.vector()}^\\top {_factor(draw(below))}) {_factor(draw(below))})"
    if kind == "quotient":
        return f"\\frac{{{draw(below)}}}{{2 + {_factor(draw(below))}^2}}"
    if kind == "softmax":
        return f"\\operatorname{{softmax}}({draw(below)})"
    return f"{_factor(draw(below))}^2"


def _factor(text: str) -> str:
    simple = "^" not in text and (text.startswith("(") or (text.count("_") == 1 and " " not in text))
    return text if simple else f"({text})"


@st.composite
def cells(draw: st.DrawFn, max_states: int = 3, depth: int = 3) -> str:
    """The text of a random cell with one to three states, gates between them, a lag of one or two, and a loss."""
    names = _Names()
    states = ["h", "C", "m"][: draw(st.integers(1, max_states))]
    lines: list[str] = []
    available = [f"{state}_{{t-1}}" for state in states] + ["x_t"]
    if draw(st.booleans()):
        available.append(f"{states[0]}_{{t-2}}")
    if draw(st.booleans()):
        available.append("x_{t-1}")
    for gate in draw(st.lists(st.sampled_from(["g", "r", "u"]), max_size=2, unique=True)):
        lines.append(f"{gate}_t = {draw(vector_expressions(available, names, depth - 1))}")
        available.append(f"{gate}_t")
    for state in states:
        linear = f"{names.matrix()} {state}_{{t-1}}"
        lines.append(f"{state}_t = {linear} + {draw(vector_expressions(available, names, depth))}")
        available.append(f"{state}_t")
    lines.append(draw(_losses(states)))
    declared = [f"{name}_t \\in \\mathbb{{R}}^n" for name in [*states, "x"]]
    declared += [f"W_{{{k}}} \\in \\mathbb{{R}}^{{n \\times n}}" for k in range(1, names.matrices + 1)]
    declared += [f"b_{{{k}}} \\in \\mathbb{{R}}^n" for k in range(1, names.vectors + 1)]
    used = [f"{name}_t \\in \\mathbb{{R}}^n" for name in "gru" if any(line.startswith(f"{name}_t") for line in lines)]
    return "\n".join([*lines, *declared, *used])


@st.composite
def _losses(draw: st.DrawFn, states: list[str]) -> str:
    last = states[-1]
    return draw(
        st.sampled_from(
            [
                f"L = \\sum_{{t=1}}^{{T}} L_t({last}_t)",
                f"L = \\sum_{{t=0}}^{{T}} L_t({last}_t)",
                f"L = L_T({last}_T)",
                f"L = \\sum_{{t=1}}^{{T}} L_t({', '.join(f'{s}_t' for s in states)})",
                f"L = \\frac{{1}}{{2}} \\sum_{{t=1}}^{{T}} \\lVert {last}_t - y_t \\rVert^2",
                f"L = -\\sum_{{t=1}}^{{T}} e_{{y_t}} \\cdot \\log \\operatorname{{softmax}}({last}_t)",
            ]
        )
    )
