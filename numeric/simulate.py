"""Running a recurrent system forward: all quantities at all times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from sympy import Integer

from derive import expressions as e
from derive.errors import DataError, MissingRuleError
from derive.system import LossTerm, RecurrentSystem
from numeric.evaluate import Arrays, Evaluator, NumpyArrays
from numeric.functions import Array
from numeric.losses import SmoothLoss
from numeric.trees import Tree

Point = tuple[str, int | None]


class OutOfRange(DataError):
    """A quantity is asked for at a time at which it does not exist."""


@dataclass
class Run:
    """Values of a system's quantities at all times, and how they were made.

    Parameters
    ----------
    system : the cell.
    sizes  : numbers for n, d, ... and T.
    given  : values of parameters ``(key, None)``, inputs ``(key, t)`` and starting values ``(key, 0)``; what is missing is zero.
    loss   : stands in for abstract losses.
    forced : values that are put in the place of computed ones (b as a free variable of the unrolled graph).
    tree   : the tree that the system runs over, where it is not a sequence.
    strict : whether a quantity at a time at which it does not exist is an error, and not zero. Inputs outside 1 .. T and
             adjoints after T are zero in any case.
    """

    system: RecurrentSystem
    sizes: Mapping[str, int]
    given: Mapping[Point, Array]
    loss: SmoothLoss = field(default_factory=lambda: SmoothLoss(0))
    forced: Mapping[Point, Array] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=NumpyArrays)
    strict: bool = False
    tree: Tree | None = None

    def __post_init__(self) -> None:
        self.values: dict[Point, Array] = {}
        self.moved: dict[tuple[Point, int, int | None], Run] = {}
        """Runs with entries of a quantity moved off the real axis, one in each member of a stack, by (quantity, first entry,
        the only step that is computed).
        """
        self._computing: set[Point] = set()
        self._total: Array | None = None

    @property
    def length(self) -> int:
        """T."""
        return self.sizes["T"]

    def shape(self, key: str) -> tuple[int, int]:
        """The shape of a quantity in numbers."""
        rows, columns = self.system.shapes[key]
        evaluator = Evaluator(self, self.sizes)
        return evaluator.integer(rows), evaluator.integer(columns)

    def evaluator(self, **times: int) -> Evaluator:
        """An evaluator for expressions about this run."""
        return Evaluator(self, self.sizes, times, self.arrays)

    # -- environment -------------------------------------------------------------------------------

    def value(self, key: str, time: int | None) -> Array:
        """A quantity at a time; computed when it is first asked for, so recursions in either direction of time work."""
        point = (key, time)
        if point in self.forced:
            return self.forced[point]
        if point not in self.values:
            self.values[point] = self._compute(point)
        return self.values[point]

    def _compute(self, point: Point) -> Array:
        key, time = point
        equation = self.system.definitions.get(key)
        # The loss L and its parts L_t share a name; only one of them has an equation among the quantities.
        if equation is not None and isinstance(equation.lhs, e.Timed) == (time is None):
            equation = None
        inside = time is None or 1 <= time <= self.length
        if self.tree is not None and time is not None and key in self.system.on_edges:
            inside = inside and self.tree.parent(time) <= self.length  # a root has no edge above it
        if equation is not None and inside:
            if point in self._computing:
                raise MissingRuleError(f"{key} at {time} depends on itself", hint="is one of the times wrong?")
            self._computing.add(point)
            try:
                times = self.times_of(key, time)
                value = self.evaluator(**times)(equation.rhs)
                # A number on the right of a vector, such as u_t = 0, means each of its entries.
                return (
                    value
                    if equation.rhs.shape == equation.lhs.shape
                    else value + self.arrays.constant(np.zeros(self.shape(key)))
                )
            finally:
                self._computing.discard(point)
        if point in self.given:
            return self.given[point]
        if key == self.system.step_loss_name and time is not None and key not in self.system.definitions:
            return self.step_loss(time)
        if key == self.system.loss_name:
            return self.total_loss()
        if key in self.system.adjoint_owners:
            return self._adjoint(self.system.adjoint_owners[key], time)
        if time is None:
            raise DataError(f"no value is given for {key}", expected=f"values for {', '.join(self.system.parameters)}")
        for start, initial in self.system.initial.items():
            if start.name == key and self.evaluator().integer(start.time) == time:
                return self.evaluator()(initial) + self.arrays.constant(np.zeros(self.shape(key)))
        if self.strict and key in self.system.definitions and self.tree is None:
            raise OutOfRange(f"{key} does not exist at {time}")
        if self.strict and self.tree is None and (inside or key not in self.system.inputs):
            raise DataError(f"no value is given for {key} at {time}")
        if self.strict and self.tree is None and key not in self.system.inputs_at_other_times:
            raise OutOfRange(f"{key} does not exist at {time}")
        return self.arrays.constant(np.zeros(self.shape(key)))

    def _adjoint(self, key: str, time: int | None) -> Array:
        """∇L by a quantity, where a formula names it by its adjoint; zero where the quantity does not exist."""
        if any(np.iscomplexobj(value) for value in self.forced.values()):
            raise MissingRuleError(f"a derivative of the adjoint of {key} is a second derivative")
        first, last = self.system.reach(key)
        if self.strict and time is not None and time < 1 + first and (key, time) not in self.given:
            raise OutOfRange(f"the adjoint of {key} does not exist at {time}")
        if time is not None and not 1 + first <= time <= self.length + last and (key, time) not in self.given:
            return self.arrays.constant(np.zeros(self.shape(key)))
        quantity = self.system.quantity(key, None if time is None else Integer(time))
        return self.derivative(e.Gradient(quantity, e.Var(self.system.loss_name)), self.evaluator())

    def function(self, node: e.Call, time: int | None, arguments: list[Array]) -> Array:
        return self.loss.value(time, arguments)

    def derivative(self, node: e.Node, evaluator: Evaluator) -> Array:
        from numeric.truth import derivative_value

        return derivative_value(self, node, evaluator)

    def times_of(self, key: str, time: int | None) -> dict[str, int]:
        """The numbers of the letters in a quantity's equation: its time; or a node and its child, for the edge above the
        child.
        """
        if time is None:
            return {}
        tree = self.system.tree
        if self.tree is None or tree is None or key not in self.system.on_edges:
            return {self.system.time.name: time}
        return {tree.node.name: self.tree.parent(time), tree.child.name: time}

    def step_of(self, key: str, time: int) -> int:
        """The step in which a quantity is computed: its time, or the node from which its edge leads."""
        return time if self.tree is None or key not in self.system.on_edges else self.tree.parent(time)

    def places(self, key: str, time: int) -> tuple[int, ...]:
        """Where a quantity is computed in a step: at its time, or on the edge to each child."""
        if self.tree is None or key not in self.system.on_edges:
            return (time,)
        return self.tree.children(time)

    # -- runs --------------------------------------------------------------------------------------

    def forward(self) -> Run:
        """Compute every quantity at every time, in order, so that deep recursion never happens."""
        for sweep in self.system.sweeps:
            times: Sequence[int | None] = range(1, self.length + 1) if sweep.timed else (None,)
            for time in reversed(times) if sweep.backward else times:
                for equation in sweep.equations:
                    for place in (None,) if time is None else self.places(equation.key, time):
                        self.value(equation.key, place)
        return self

    def with_forced(self, forced: Mapping[Point, Array]) -> Run:
        """The same system with other values in the place of computed ones, run anew."""
        return replace(self, forced={**self.forced, **forced})

    def step_loss(self, time: int) -> Array:
        """L_t: the abstract loss of that name, or else what the loss sums over time."""
        if self.strict and not any(time in self.loss_times(term) for term in self.system.loss_terms):
            if not any(term.body.has(e.Timed, e.Call) for term in self.system.loss_terms):
                raise DataError("the loss of this cell has no parts by steps", expected="L alone")
            if 1 <= time <= self.length:  # a step that adds nothing to the loss, as all but the last where L = L_T
                return self.arrays.constant(np.zeros((1, 1)))
            raise OutOfRange(f"there is no loss at {time}")
        bodies = [term.body for term in self.system.loss_terms]
        calls = [call for body in bodies for call in sorted(body.atoms(e.Call), key=str)]
        named = [call for call in calls if call.value.name == self.system.step_loss_name]
        for body in (*named, *bodies):
            return self.evaluator(**{self.system.time.name: time})(body)
        raise DataError("the cell has no loss")

    def total_loss(self) -> Array:
        """L."""
        if self._total is None:
            self._total = self._added_up()
        return self._total

    def _added_up(self) -> Array:
        total = self.arrays.constant(np.zeros((1, 1)))
        for term in self.system.loss_terms:
            for time in self.loss_times(term):
                total = total + self.evaluator(**{self.system.time.name: time})(term.body)
        return total

    def loss_times(self, term: LossTerm) -> range:
        """The times that a loss term looks at."""
        evaluator = self.evaluator()
        return evaluator.range(term.lower, term.upper)
