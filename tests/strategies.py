"""Random cells: texts of recurrent systems that conform, drawn from a grammar of shapes.

Every expression is drawn for a wanted shape, a tuple of size letters: () for a number, ("n",) for a vector, ("n", "m") for
a matrix. Parameters are made up as they are needed, and now and then one is used again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st

FUNCTIONS = (
    r"\sigma", r"\tanh", r"\sin", r"\operatorname{softplus}", r"\operatorname{SiLU}", r"\arctan", r"\operatorname{GELU}", r"\cos",
    r"\operatorname{softsign}",
)  # fmt: skip
SIZES = ("n", "m", "d")
Shape = tuple[str, ...]

_LETTERS = {0: r"\alpha", 1: "b", 2: "W"}


@dataclass
class Scope:
    """What expressions may speak of: quantities by shape, and the parameters made up so far."""

    draw: st.DrawFn
    rows: bool
    quantities: dict[Shape, list[str]] = field(default_factory=dict)
    parameters: dict[str, Shape] = field(default_factory=dict)

    def pick(self, options: list[str]) -> str:
        return self.draw(st.sampled_from(options))

    def parameter(self, shape: Shape) -> str:
        """A parameter of a shape: a new one, or one that is used already."""
        known = [name for name, own in self.parameters.items() if own == shape]
        if known and self.draw(st.integers(0, 3)) == 0:
            return self.pick(known)
        name = f"{_LETTERS[len(shape)]}_{{{1 + sum(len(own) == len(shape) for own in self.parameters.values())}}}"
        self.parameters[name] = shape
        return name

    def atom(self, shape: Shape) -> str:
        """A quantity of a shape, or a parameter where there is none."""
        known = self.quantities.get(shape)
        return self.pick(known) if known else self.parameter(shape)

    # -- expressions ---------------------------------------------------------------------------------

    def expression(self, shape: Shape, depth: int) -> str:
        """An expression of a shape, in parentheses or an atom."""
        if depth == 0 or self.draw(st.integers(0, 5)) == 0:
            return self.atom(shape)
        return self.pick_way(_WAYS[len(shape)])(self, shape, depth - 1)

    def pick_way(self, ways: tuple[Way, ...]) -> Way:
        return self.draw(st.sampled_from(ways))

    def size(self, like: str = "") -> str:
        """A size of some vector in sight."""
        known = sorted(
            {size for shape in self.quantities if len(shape) == 1 for size in shape} | ({like} if like else set())
        )
        return self.pick(known)

    def transposed(self, text: str) -> str:
        return f"{text}^\\top"


def examples(count: int) -> settings:
    """So many examples in an ordinary run, and as many as the profile says in a long one."""
    return settings(
        max_examples=max(count, settings.default.max_examples if settings.default.max_examples > 1000 else 0)
    )


Way = Callable[[Scope, Shape, int], str]


def _sum(s: Scope, shape: Shape, depth: int) -> str:
    sign = s.pick(["+", "-"])
    return f"({s.expression(shape, depth)} {sign} {s.expression(shape, depth)})"


def _apply(s: Scope, shape: Shape, depth: int) -> str:
    return f"{s.pick(list(FUNCTIONS))}({s.expression(shape, depth)})"


def _hadamard(s: Scope, shape: Shape, depth: int) -> str:
    return f"({s.expression(shape, depth)} \\odot {s.expression(shape, depth)})"


def _one_minus(s: Scope, shape: Shape, depth: int) -> str:
    return f"((1 - {s.expression(shape, depth)}) \\odot {s.expression(shape, depth)})"


def _scaled(s: Scope, shape: Shape, depth: int) -> str:
    return f"({s.expression((), depth)} {s.expression(shape, depth)})"


def _quotient(s: Scope, shape: Shape, depth: int) -> str:
    return f"\\frac{{{s.expression(shape, depth)}}}{{1 + {s.expression((), depth)}^2}}"


def _entry_quotient(s: Scope, shape: Shape, depth: int) -> str:
    return f"\\frac{{{s.expression(shape, depth)}}}{{2 + {s.expression(shape, depth)}^2}}"


def _extreme(s: Scope, shape: Shape, depth: int) -> str:
    return f"\\{s.pick(['max', 'min'])}({s.expression(shape, depth)}, {s.expression(shape, depth)})"


def _log(s: Scope, shape: Shape, depth: int) -> str:
    return f"\\log(\\sigma({s.expression(shape, depth)}))"


def _linear(s: Scope, shape: Shape, depth: int) -> str:
    (rows,) = shape
    size = s.size(rows)
    vector, bias = s.expression((size,), depth), s.parameter(shape)
    if s.rows:
        return f"({vector} {s.parameter((size, rows))} + {bias})"
    return f"({s.expression((rows, size), min(depth, 1))} {vector} + {bias})"


def _joined(s: Scope, shape: Shape, depth: int) -> str:
    """W [a; b]."""
    (rows,) = shape
    first, second = s.size(rows), s.size(rows)
    name = s.parameter((rows, f"{first} + {second}"))
    return f"({name} [{s.expression((first,), depth)}; {s.expression((second,), depth)}])"


def _softmax(s: Scope, shape: Shape, depth: int) -> str:
    return f"\\operatorname{{softmax}}({s.expression(shape, depth)})"


def _turned(s: Scope, shape: Shape, depth: int) -> str:
    size = s.size(shape[0])
    return f"({s.parameter((size, *shape))}^\\top {s.expression((size,), depth)})"


def _diagonal(s: Scope, shape: Shape, depth: int) -> str:
    return f"(\\operatorname{{diag}}({s.expression(shape, depth)}) {s.expression(shape, depth)})"


def _solved(s: Scope, shape: Shape, depth: int) -> str:
    """A Cayley-like factor, whose inverse always exists."""
    name = s.parameter((*shape, *shape))
    return f"((I + {name} - {name}^\\top)^{{-1}} {s.expression(shape, depth)})"


def _inner(s: Scope, shape: Shape, depth: int) -> str:
    size = s.size()
    a, b = s.expression((size,), depth), s.expression((size,), depth)
    return f"\\langle {a}, {b} \\rangle"


def _norm(s: Scope, shape: Shape, depth: int) -> str:
    return f"\\sqrt{{1 + \\lVert {s.expression((s.size(),), depth)} \\rVert^2}}"


def _trace(s: Scope, shape: Shape, depth: int) -> str:
    size = s.size()
    return f"\\operatorname{{tr}}({s.expression((size, size), depth)})"


def _outer(s: Scope, shape: Shape, depth: int) -> str:
    a, b = (s.atom((size,)) for size in shape)
    return f"({a} {s.transposed(b)})"


def _matrix_product(s: Scope, shape: Shape, depth: int) -> str:
    size = s.size(shape[0])
    return f"({s.expression((shape[0], size), depth)} {s.expression((size, shape[1]), depth)})"


_SAME = (_sum, _apply, _hadamard, _scaled, _quotient, _extreme)
_WAYS: dict[int, tuple[Way, ...]] = {
    0: (_sum, _apply, _inner, _inner, _norm, _trace),
    1: (
        *_SAME, _linear, _linear, _linear, _joined, _softmax, _turned, _diagonal, _solved, _entry_quotient, _one_minus, _log,
    ),
    2: (*_SAME, _outer, _outer, _matrix_product),
}  # fmt: skip
_ROW_WAYS = (_sum, _apply, _hadamard, _extreme, _linear, _linear, _linear, _softmax, _entry_quotient, _one_minus, _log)


# -- cells -------------------------------------------------------------------------------------------


@st.composite
def cells(draw: st.DrawFn, max_states: int = 3, depth: int = 3, matrices: bool = True) -> str:
    """The text of a random cell: vector states of several sizes, now and then a matrix or a number among them, gates,
    earlier states and inputs, row vectors, starting values with parameters, and a loss.
    """
    rows = draw(st.integers(0, 7)) == 0
    scope = Scope(draw, rows)
    if rows:
        scope.pick_way = lambda ways: draw(st.sampled_from(_ROW_WAYS if ways is _WAYS[1] else ways))  # type: ignore[method-assign]
    shapes: dict[str, Shape] = {}
    for state in ["h", "C", "m"][: draw(st.integers(1, max_states))]:
        shapes[state] = (draw(st.sampled_from(SIZES)),)
    if matrices and not rows and draw(st.integers(0, 3)) == 0:
        shapes["S"] = (draw(st.sampled_from(SIZES)), draw(st.sampled_from(SIZES)))
    if not rows and draw(st.integers(0, 3)) == 0:
        shapes["p"] = ()
    inputs: dict[str, Shape] = {"x": (draw(st.sampled_from(SIZES)),)}
    for name, shape in shapes.items():
        scope.quantities.setdefault(shape, []).append(f"{name}_{{t-1}}")
    scope.quantities.setdefault(inputs["x"], []).append("x_t")
    if draw(st.booleans()):
        scope.quantities[shapes["h"]].append("h_{t-2}")
    if draw(st.booleans()):
        scope.quantities[inputs["x"]].append("x_{t-1}")
    lines: list[str] = []
    gates: dict[str, Shape] = {}
    for gate in draw(st.lists(st.sampled_from(["g", "r", "u"]), max_size=2, unique=True)):
        gates[gate] = (draw(st.sampled_from(SIZES)),)
        lines.append(f"{gate}_t = {scope.expression(gates[gate], max(1, depth - 1))}")
        scope.quantities.setdefault(gates[gate], []).append(f"{gate}_t")
    for state, shape in shapes.items():
        lines.append(f"{state}_t = {_carried(scope, state, shape)} + {scope.expression(shape, depth)}")
        scope.quantities[shape].append(f"{state}_t")
    if draw(st.integers(0, 4)) == 0:
        lines.append(f"h_0 = \\tanh({scope.parameter(shapes['h'])})")
    lines.append(draw(_losses(shapes, scope)))
    timed = {**shapes, **inputs, **gates}
    declared = [_declaration(f"{name}_t", shape) for name, shape in timed.items()]
    declared += [_declaration(name, shape) for name, shape in scope.parameters.items()]
    return "\n".join([*lines, *declared])


def _carried(scope: Scope, state: str, shape: Shape) -> str:
    """What is left of a state after a step, so that each one is a state."""
    before = f"{state}_{{t-1}}"
    if len(shape) == 1:
        matrix = scope.parameter((*shape, *shape))
        return f"{before} {matrix}" if scope.rows else f"{matrix} {before}"
    return f"{scope.parameter(())} {before}"


def _declaration(name: str, shape: Shape) -> str:
    if not shape:
        return f"{name} \\in \\mathbb{{R}}"
    sizes = " \\times ".join(f"({size})" if "+" in size else size for size in shape)
    return f"{name} \\in \\mathbb{{R}}^{{{sizes}}}"


@st.composite
def _losses(draw: st.DrawFn, shapes: dict[str, Shape], scope: Scope) -> str:
    vectors = [name for name, shape in shapes.items() if len(shape) == 1]
    last = vectors[-1]
    choices = [
        f"L = \\sum_{{t=1}}^{{T}} L_t({last}_t)",
        f"L = \\sum_{{t=0}}^{{T}} L_t({last}_t)",
        f"L = \\sum_{{t=2}}^{{T}} L_t({last}_t)",
        f"L = L_T({last}_T)",
        f"L = \\sum_{{t=1}}^{{T}} L_t({', '.join(f'{name}_t' for name in shapes)})",
        f"L = \\frac{{1}}{{2}} \\sum_{{t=1}}^{{T}} \\lVert {last}_t - y_t \\rVert^2",
        f"L = \\frac{{1}}{{T}} \\sum_{{t=1}}^{{T}} \\lVert {last}_t \\rVert^2",
    ]
    if not scope.rows:
        choices.append(f"L = -\\sum_{{t=1}}^{{T}} e_{{y_t}} \\cdot \\log \\operatorname{{softmax}}({last}_t)")
        weights = [name for name, shape in scope.parameters.items() if len(shape) == 2]
        choices += [f"L = L_T({last}_T) + \\frac{{1}}{{2}} \\lVert {name} \\rVert_F^2" for name in weights[:1]]
    return draw(st.sampled_from(choices))


# -- trees -------------------------------------------------------------------------------------------

_WALKS = ("sums", "places", "both", "down")


@st.composite
def tree_cells(draw: st.DrawFn, depth: int = 2) -> str:
    """The text of a random cell over trees: states read from children under sums, by their places, or from the parent;
    now and then a gate or an input on each edge.
    """
    walk = draw(st.sampled_from(_WALKS))
    shapes: dict[str, Shape] = {name: (draw(st.sampled_from(SIZES)),) for name in ["h", "C"][: draw(st.integers(1, 2))]}
    own = {"x": (draw(st.sampled_from(SIZES)),)}
    scope = Scope(draw, False)
    scope.quantities[own["x"]] = ["x_j"]
    lines: list[str] = []
    declared = {f"{name}_j": shape for name, shape in {**shapes, **own}.items()}
    if walk in ("sums", "both"):
        below = _child_scope(scope, shapes, own, declared)
        if draw(st.booleans()):
            shape = (draw(st.sampled_from(SIZES)),)
            lines.append(f"f_{{jk}} = {below.expression(shape, depth)}")
            declared["f_{jk}"] = shape
            below.quantities.setdefault(shape, []).append("f_{jk}")
        for name, shape in {**shapes, "a": (draw(st.sampled_from(SIZES)),)}.items():
            lines.append(f"\\tilde{{{name}}}_j = \\sum_{{k \\in C(j)}} {_factor(below, name, shape, depth)}")
            declared[f"\\tilde{{{name}}}_j"] = shape
            scope.quantities.setdefault(shape, []).append(f"\\tilde{{{name}}}_j")
        if draw(st.booleans()):
            lines += _coupled(scope, below, depth, declared)
    places = {"places": ("l(j)", "r(j)"), "both": ("l(j)",), "down": ("\\pi(j)",), "sums": ()}[walk]
    for name, shape in shapes.items():
        scope.quantities.setdefault(shape, []).extend(f"{name}_{{{place}}}" for place in places)
    for name, shape in shapes.items():
        before = f"\\tilde{{{name}}}_j" if not places else f"{name}_{{{places[0]}}}"
        kept = f"{scope.parameter((*shape, *shape))} {before}"
        lines.append(f"{name}_j = {kept} + {scope.expression(shape, depth)}")
        scope.quantities[shape].append(f"{name}_j")
    last = list(shapes)[-1]
    lines.append(
        draw(
            st.sampled_from(
                [
                    f"L = \\sum_{{j=1}}^{{T}} L_j({last}_j)",
                    f"L = L_T({last}_T)",
                    f"L = \\frac{{1}}{{2}} \\sum_{{j=1}}^{{T}} \\lVert {last}_j - y_j \\rVert^2",
                    f"L = \\sum_{{j=1}}^{{T}} L_j({', '.join(f'{name}_j' for name in shapes)})",
                ]
            )
        )
    )
    declared.update(scope.parameters)
    return "\n".join([*lines, *(_declaration(name, shape) for name, shape in declared.items())])


def _child_scope(scope: Scope, shapes: dict[str, Shape], own: dict[str, Shape], declared: dict[str, Shape]) -> Scope:
    """What a term of a sum over children may speak of."""
    below = Scope(scope.draw, False, {}, scope.parameters)
    for name, shape in shapes.items():
        below.quantities.setdefault(shape, []).append(f"{name}_k")
    for name, shape in own.items():
        below.quantities.setdefault(shape, []).extend([f"{name}_j", f"{name}_k"])
    if scope.draw(st.booleans()):
        declared["e_{jk}"] = (scope.draw(st.sampled_from(SIZES)),)
        below.quantities.setdefault(declared["e_{jk}"], []).append("e_{jk}")
    return below


def _coupled(scope: Scope, below: Scope, depth: int, declared: dict[str, Shape]) -> list[str]:
    """Edges that read a sum over all children, as those of an attention do, and their sum."""
    for shape, names in scope.quantities.items():
        below.quantities.setdefault(shape, []).extend(name for name in names if name.startswith("\\tilde"))
    shape = (scope.draw(st.sampled_from(SIZES)),)
    lines = [f"g_{{jk}} = {below.expression(shape, depth)} + {below.expression(shape, depth)}"]
    lines.append(f"\\hat{{g}}_j = \\sum_{{k \\in C(j)}} (g_{{jk}} \\odot {below.expression(shape, depth)})")
    declared.update({"g_{jk}": shape, "\\hat{g}_j": shape})
    scope.quantities.setdefault(shape, []).append("\\hat{g}_j")
    return lines


def _factor(below: Scope, name: str, shape: Shape, depth: int) -> str:
    """A term that reads the child's own state, where the sum is of that state."""
    other = below.expression(shape, depth)
    return other if name == "a" else f"({name}_k \\odot {other})"
