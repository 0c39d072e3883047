"""A cell: its text, its analysis, and every derivation that can be asked of it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from functools import cached_property, lru_cache
from importlib import resources

from derive import expressions as e
from derive.adjoint import AdjointEngine
from derive.bounds import norm_bound
from derive.cell_text import read_cell_text
from derive.derivation import Derivation
from derive.equivalence import equivalence
from derive.errors import BpttError, UsageError, clipped
from derive.expressions import make
from derive.expressions.node import Shape, is_scalar, is_vector
from derive.files import is_file_name, read_text
from derive.flow import FlowEngine
from derive.forms import double_sum, unrolled
from derive.gradients import all_gradients, gradient
from derive.jacobian import jacobian
from derive.joint import joint_jacobian
from derive.notation.infer import NameInfo, default_kind
from derive.notation.names import alias_of
from derive.notation.present import index_surface, present
from derive.notation.source import Source
from derive.notation.surface import Bracket, Infix, Mark, Name, Number, Relation, Scripted, Sum, Surface
from derive.notation.vocabulary import NATURALS
from derive.notation.write_latex import write_latex
from derive.notation.write_plain import write_plain
from derive.second import hessian_vector
from derive.sensitivity import sensitivities
from derive.system import RecurrentSystem
from derive.truncated import truncated, window_of

FORMS = ("recursion", "double-sum", "unrolled", "rtrl")
"""The written forms of a gradient."""

MAX_BYTES = 200_000
"""Largest file that is read as a cell."""


class Cell(RecurrentSystem):
    """A recurrent cell given by its equations. Cells with the same equations, sizes and loss are equal.

    >>> c = Cell.from_text("h_t = \\\\sigma(W h_{t-1} + U x_t + b)")
    >>> str(c.jacobian("h_t", "h_{t-1}").result)
    "diag(sigma'(z[t])) @ W"
    >>> c.states, c.inputs, c.parameters
    (('h',), ('x',), ('W', 'U', 'b'))
    """

    @classmethod
    def from_text(cls, text: str, name: str = "<text>") -> Cell:
        """Read a cell from its text.

        Raises
        ------
        ParseError, ShapeError, AmbiguityError, CellError : with line, column and a caret.
        """
        return cls(read_cell_text(Source(text, name)))

    # -- as an object ------------------------------------------------------------------------------

    @cached_property
    def _content(self) -> tuple[object, ...]:
        """What makes two cells the same: their mathematics, not their titles or the spelling of their text."""
        equations = tuple((q.key, q.lhs, q.rhs) for q in self.equations)
        initial, shapes = frozenset(self.initial.items()), frozenset(self.shapes.items())
        return (
            equations,
            self.text.unit_sums,
            self.text.loss,
            self.loss_name,
            initial,
            shapes,
            self.labels,
            self.layout,
            self.time,
        )

    def __eq__(self, other: object) -> bool:
        return self._content == other._content if isinstance(other, Cell) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._content)

    def __repr__(self) -> str:
        title = f" {self.title!r}" if self.title else ""
        kinds = (("states", self.states), ("inputs", self.inputs), ("parameters", self.parameters))
        described = "; ".join(f"{kind} {', '.join(keys)}" for kind, keys in kinds if keys)
        return f"<Cell{title}: {described}>"

    def __str__(self) -> str:
        """The equations in the plain form, with the declarations that they need to be read again."""
        return "\n".join([*map(str, self.relations()), *self._declarations(self._needed)])

    def latex(self) -> str:
        """The equations as a LaTeX ``align*`` environment, with the declarations that they need to be read again."""
        lines = [f"{relation.lhs.latex()} &= {relation.rhs.latex()}" for relation in self.relations()]
        lines += [f"&{write_latex(declaration)}" for declaration in self._declared(self._needed)]
        return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"

    @cached_property
    def _needed(self) -> tuple[str, ...]:
        """Names whose shapes the equations alone do not give: none, those of an unusual kind, or all."""
        turned = 0 if self.layout == "column" else 1  # a single row in a column cell shows by its products
        thin = {key for key, shape in self.shapes.items() if shape[turned] == 1 != shape[1 - turned]}
        every = tuple(key for key in self.text.shapes if key != self.loss_name and key not in thin)
        unusual = tuple(key for key in every if kind_of(self.shapes[key]) != self._usual_kind(key))
        for keys in ((), unusual):
            try:
                again = read_cell_text("\n".join([*map(str, self.relations()), *self._declarations(keys)]))
            except BpttError:
                continue
            if again.shapes == self.text.shapes and again.layout == self.layout:
                return keys
        return every

    def _usual_kind(self, key: str) -> str:
        timed = isinstance(self.quantity(key), e.Timed)
        return default_kind(NameInfo(key, timed, integer=key in self.labels))

    def declarations(self) -> list[Surface]:
        """The declarations that the equations need to be read as they are, such as a matrix's sizes."""
        return self._declared(self._needed)

    def _declarations(self, keys: Iterable[str]) -> list[str]:
        return [write_plain(declaration) for declaration in self._declared(keys)]

    def _declared(self, keys: Iterable[str]) -> list[Surface]:
        length = [Relation(("in",), (Name("T"), Name(NATURALS)))] if self.text.length_declared else []
        return [*length, *map(self._declaration, keys), *self._assumptions()]

    def _assumptions(self) -> Iterable[Surface]:
        """``0 < \\alpha < 1``."""
        for key, limits in self.text.ranges.items():
            items = [present(self.quantity(key))]
            items[:0] = [] if limits.low is None else [index_surface(limits.low)]
            items += [] if limits.high is None else [index_surface(limits.high)]
            operators = ("<",) * (len(items) - 1)
            yield Relation(operators, tuple(items))
        for key in sorted(self.text.unit_sums):
            yield Relation(("=",), (present(make.sum_entries(self.quantity(key))), Number("1")))

    def _declaration(self, key: str) -> Surface:
        """``C_t \\in \\mathbb{R}^{n}``."""
        rows, columns = self.shapes[key]
        # R^{n x (n + d)}: a sum is a factor in parentheses.
        whole = [index_surface(size) for size in (rows, columns)]
        if 1 not in (rows, columns):
            whole = [Bracket("(", (size,)) if isinstance(size, Sum) else size for size in whole]
        sizes = whole if 1 not in (rows, columns) else [size for size in whole if size != Number("1")]
        power = () if not sizes else (sizes[0] if len(sizes) == 1 else Infix(("times",), tuple(sizes)),)
        reals = Scripted(Mark("reals"), sups=power) if power else Mark("reals")
        return Relation(("in",), (present(self.quantity(key)), reals))

    def _repr_latex_(self) -> str:
        return self.latex()

    def relations(self) -> list[e.Relation]:
        """The equations, the starting values and, where one is written, the loss."""
        written = [e.Relation("=", q.lhs, q.rhs) for q in self.equations]
        written += [e.Relation("=", start, value) for start, value in self.initial.items()]
        return written if self.text.loss is None else [*written, e.Relation("=", e.Var(self.loss_name), self.text.loss)]

    # -- derivations -------------------------------------------------------------------------------

    def jacobian(self, of: str | None = None, by: str | None = None, vec: bool = False) -> Derivation:
        """The total derivative ∂a/∂b, shape (size a, size b) (numerator layout).

        Parameters
        ----------
        of, by : quantities such as ``C_t`` and ``C_{t-1}`` (or ``C[t]``); ``C_k`` gives the product over a symbolic
                 stretch. Without them, the one-step Jacobian of the joint state of all states, and its product over
                 time.
        vec    : stack matrices by columns, so that there is a matrix ∂vec(a)/∂vec(b).

        Raises
        ------
        MissingRuleError : the derivative would have more than two indices.
        UsageError       : one of the two is not given.

        Source: Werbos, *Backpropagation through time: what it does and how to do it* (1990).
        """
        if of is None and by is None:
            return joint_jacobian(FlowEngine(self, vec))
        if of is None or by is None:
            raise UsageError("a Jacobian is of one quantity by another", expected="both, or none for the joint state")
        return jacobian(self, self.quantity_of(of), self.quantity_of(by), vec)

    def norm_bound(self) -> Derivation:
        """‖∂L_T/∂s_t‖ ≤ ‖∂L_T/∂s_T‖ times the norms of the one-step Jacobians, for the loss of the last step.

        Raises
        ------
        MissingRuleError : the loss of a step reads more than the states of that step, or a state is read ahead of its time.

        Source: Pascanu, Mikolov, Bengio, *On the difficulty of training recurrent neural networks* (2013).
        """
        return norm_bound(self)

    def gradient(
        self, by: str, form: str = "recursion", steps: int = 3, truncate_after: int | str | None = None
    ) -> Derivation:
        """∇L by a parameter, an input ``x_t`` or a starting value ``h_0``.

        Parameters
        ----------
        form  : ``recursion`` (adjoints, one pass backward, any T), ``double-sum`` (over t and k), ``unrolled`` (written
                out) or ``rtrl`` (sensitivities, forward in time).
        steps : the length T of the unrolled form.
        truncate_after : how many steps each loss goes back, its own included: a number, or a letter such as ``"K"``.

        Raises
        ------
        UsageError : the form does not exist, or not for this quantity.
        """
        quantity = self.quantity_of(by)
        if form not in FORMS:
            raise UsageError(f"there is no form called {form!r}", expected=f"one of {', '.join(FORMS)}")
        if truncate_after is not None:
            return truncated(self, quantity, window_of(truncate_after), form, steps)
        if form == "recursion":
            return gradient(self, quantity)
        if form == "double-sum":
            return double_sum(self, quantity)
        if form == "rtrl":
            return sensitivities(self, quantity)
        return unrolled(self, quantity, steps)

    def gradients(self) -> Derivation:
        """The adjoint recursion and the gradients by everything: parameters, inputs, starting values."""
        return all_gradients(self)

    def hessian_vector(self, by: str | None = None, along: Iterable[str] = ()) -> Derivation:
        """∇²L times a direction in the parameters, by the tangent of the adjoint recursion.

        Parameters
        ----------
        by    : the parameter at which the product is asked for; all of them, if none is named.
        along : the parameters that the direction moves; all of them, if none is named.

        Raises
        ------
        MissingRuleError : the loss is abstract and reads a matrix.

        Source: Pearlmutter, *Fast exact multiplication by the Hessian* (1994).
        """
        return hessian_vector(self, None if by is None else self.quantity_of(by), along)

    def equivalence(self, by: str) -> Derivation:
        """The proof, for every T, that the double sum for a parameter equals the adjoint recursion."""
        return equivalence(self, self.quantity_of(by))

    @property
    def adjoints(self) -> tuple[e.Relation, ...]:
        """The adjoint recursion of the whole cell, in the order in which a step is gone through backward."""
        return tuple(e.Relation("=", q.adjoint, q.rhs) for q in AdjointEngine(self).equations)

    # -- names -------------------------------------------------------------------------------------

    def quantity_of(self, text: str) -> e.Node:
        """A quantity in any of its spellings: ``C_t``, ``C[t]``, ``\\tilde{C}_{t-1}``, or ``x`` and ``C_tilde`` for the
        quantity at t.

        Raises
        ------
        TypeError : it is no text.
        BpttError : the text is no quantity of the cell.
        """
        if not isinstance(text, str):
            raise TypeError(f"a quantity is named by a text such as 'h_t', not by {type(text).__name__}")
        keys = [key for key in (*self.definitions, *self.inputs, *self.parameters) if text in (key, alias_of(key))]
        if len(keys) == 1:
            return self.quantity(keys[0])
        node = self.read(text)
        if not isinstance(node, (e.Timed, e.Var)):
            raise UsageError(f"{clipped(text)!r} is not the name of a quantity", expected="a name such as h_t or W")
        return node

    def replacing(self, *equations: str) -> Cell:
        """The same cell with other equations for some of its quantities, such as ``f_t = 1`` for a gate that is held
        open.

        Raises
        ------
        UsageError : an equation is not for a quantity of the cell.
        """
        text = self.text.source.text
        lines = text.split("\n")
        for equation in equations:
            name = Cell.from_text(equation + "\n" + self._keep_shapes()).text.equations[0].key
            old = next((q for q in self.equations if q.key == name), None)
            if old is None or old.span is None:
                raise UsageError(
                    f"{name} is not defined by the cell", expected=f"one of {', '.join(q.key for q in self.equations)}"
                )
            place = text.count("\n", 0, old.span.start)
            lines[place] = equation
        return Cell.from_text("\n".join([*lines, self._keep_shapes()]), self.text.source.name)

    def _keep_shapes(self) -> str:
        """Declarations of all sizes, so that a replaced equation does not leave them open."""
        keys = (*(q.key for q in self.equations), *self.inputs)
        return "\n".join(write_latex(self._declaration(key)) for key in keys)


def kind_of(shape: Shape) -> str:
    """``scalar``, ``vector`` or ``matrix``."""
    return "scalar" if is_scalar(shape) else "vector" if is_vector(shape) else "matrix"


def library() -> tuple[str, ...]:
    """Names of the cells that come with the package."""
    folder = resources.files("derive") / "cells"
    return tuple(sorted(entry.name[: -len(".tex")] for entry in folder.iterdir() if entry.name.endswith(".tex")))


def cell(text: str | os.PathLike[str]) -> Cell:
    """A cell from its text, from a file, or from the library.

    Parameters
    ----------
    text : the equations themselves (anything with a line break or an ``=``), else a path, else a library name such as ``lstm``; a
           :class:`~pathlib.Path` is always a file.

    Raises
    ------
    TypeError  : it is neither text nor a path.
    UsageError : there is no such file or library cell, or the file is no text.
    ParseError, ShapeError, AmbiguityError, CellError : the text is no cell; with the place in it.

    >>> cell("lstm").states
    ('C', 'h')
    """
    if isinstance(text, os.PathLike):
        return _cell_of_file(text)
    if not isinstance(text, str):
        raise TypeError(f"a cell is given by its equations, a path or a library name, not by {type(text).__name__}")
    if "\n" in text or "=" in text:
        return Cell.from_text(text)
    if not text.strip():
        raise UsageError(
            "no cell is given",
            expected="equations, a path, or a library name",
            hint=f"the library has {', '.join(library())}",
        )
    if text in library():
        return _library_cell(text)
    if not is_file_name(text):
        raise _nothing_called(text)
    return _cell_of_file(text)


def _cell_of_file(path: str | os.PathLike[str]) -> Cell:
    return Cell.from_text(read_text(path, limit=MAX_BYTES, expected="the equations of a cell"), os.fspath(path))


def _nothing_called(text: str) -> UsageError:
    names = library()
    close = difflib.get_close_matches(text.lower(), names, n=1, cutoff=0.6) if len(text) < 100 else []
    return UsageError(
        f"there is no file {clipped(text, 200)!r}, and no cell of that name in the library",
        expected=f"equations, a path, or one of {', '.join(names)}",
        hint=f"did you mean {close[0]}?" if close else None,
    )


@lru_cache(maxsize=256)
def _library_cell(name: str) -> Cell:
    return Cell.from_text(
        (resources.files("derive") / "cells" / f"{name}.tex").read_text(encoding="utf-8"), f"{name}.tex"
    )


__all__ = ["FORMS", "BpttError", "Cell", "cell", "library"]
