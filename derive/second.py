"""Hessian-vector products: the tangent of the adjoint recursion (forward over reverse).

For a direction v in the parameters, a dot is the derivative along it: of each quantity, q̇_t, forward in time; of each
adjoint, backward in time. What comes out at the parameters is the Hessian times the direction, without the Hessian:

    ∂/∂ε ∇_W L(W + ε Ẇ, b + ε ḃ, ...) at ε = 0.

One pass forward and one backward, as for the gradient. Source: Pearlmutter, *Fast exact multiplication by the Hessian*
(1994), which calls the dot R{·}.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from derive import expressions as e
from derive.abstract import call_behind
from derive.adjoint import AdjointEngine, AdjointEquation
from derive.cell_text import Equation
from derive.derivation import Derivation, Step
from derive.differentiate import push
from derive.errors import MissingRuleError, UsageError
from derive.expressions import make
from derive.expressions.node import ONE, is_vector
from derive.flow import cell_lines
from derive.gradients import starts
from derive.notation.names import QName
from derive.system import RecurrentSystem, T, leaves

_ACCENTS = ("dot", "ddot", "check", "breve")
"""The dot, or an accent that the cell does not use."""


class TangentEngine:
    """Tangents of a system's quantities and adjoints along a direction.

    Parameters
    ----------
    along : what the direction moves: parameters, by name. All of them, if none is named.

    Raises
    ------
    UsageError : one of them is no parameter.
    """

    def __init__(self, system: RecurrentSystem, along: Iterable[str] = ()) -> None:
        self.system = system
        self.reverse = AdjointEngine(system)
        names = (along,) if isinstance(along, str) else along
        varying = tuple(key for key in system.parameters if key not in system.labels)
        self.along = tuple(dict.fromkeys(map(system.resolve_name, names))) or varying
        for key in self.along:
            if key not in system.parameters:
                raise UsageError(
                    f"{key} is no parameter of the cell", expected=f"one of {', '.join(system.parameters)}"
                )

    # -- names -------------------------------------------------------------------------------------

    @cached_property
    def _accent(self) -> str:
        used = {accent for key in self.system.shapes for accent in QName.from_key(key).accents}
        for accent in _ACCENTS:
            if accent not in used:
                return accent
        raise UsageError("the cell uses every accent that could mark a tangent", hint="rename one of its quantities")

    def tangent(self, leaf: e.Timed | e.Var) -> e.Timed | e.Var:
        """The tangent of a quantity or an adjoint: the same with a dot, in the same shape."""
        name = QName.from_key(leaf.name).with_accent(self._accent).key
        return e.Timed(name, leaf.time, *leaf.shape) if isinstance(leaf, e.Timed) else e.Var(name, *leaf.shape)

    def owner(self, name: str) -> str | None:
        """The quantity or adjoint of which a name is the tangent; None where it is no tangent's name."""
        parts = QName.from_key(name)
        if not parts.accents or parts.accents[-1] != self._accent:
            return None
        return QName(parts.base, parts.accents[:-1], parts.subs, parts.sups, parts.primes).key

    # -- what moves --------------------------------------------------------------------------------

    @cached_property
    def moving(self) -> frozenset[str]:
        """Quantities and adjoints that the direction moves."""
        found = set(self.along)
        formulas = [(q.key, q.rhs) for q in self.system.steps]
        formulas += [(start.name, value) for start, value in self.system.initial.items()]
        self._spread(found, formulas)
        adjoints = [(q.adjoint.name, part) for q in self.reverse.equations for part in (q.rhs, q.final) if part]
        adjoints += [(self.reverse.adjoint(q.key).name, self.reverse.parameter_gradient(q.key)) for q in self.readouts]
        self._spread(found, adjoints)
        return frozenset(found)

    @property
    def readouts(self) -> list[Equation]:
        """Quantities without time, in the order of their equations."""
        return [q for q in self.system.steps if isinstance(q.lhs, e.Var)]

    @staticmethod
    def _spread(found: set[str], formulas: list[tuple[str, e.Node]]) -> None:
        grown = True
        while grown:
            new = {key for key, rhs in formulas if key not in found and any(q.name in found for q in leaves(rhs))}
            new |= {
                key
                for key, rhs in formulas
                if key not in found and any(leaf.name in found for g in rhs.atoms(e.Gradient) for leaf in leaves(g.by))
            }
            grown = bool(new)
            found |= new

    def along_direction(self, node: e.Node) -> e.Node:
        """The derivative of a formula along the direction."""
        tangents: dict[e.Node, e.Node] = {
            leaf: self.tangent(leaf) for leaf in node.atoms(e.Timed, e.Var) if leaf.name in self.moving
        }
        for gradient in node.atoms(e.Gradient):
            tangents[gradient] = self._of_gradient(gradient)
        found = push(node, tangents)
        return make.zero(node.shape) if found is None else found

    def _of_gradient(self, gradient: e.Gradient) -> e.Node:
        """The tangent of ∇_q L_t for an abstract loss L_t(q, ...): its second derivatives times the arguments' tangents."""
        call = call_behind(self.system, gradient)
        if call is None:
            raise MissingRuleError(f"{gradient} is not the gradient of an abstract function of the cell")
        terms = []
        for argument in call.arguments:
            moved = self.along_direction(argument)
            if make.is_zero(moved):
                continue
            if not (is_vector(gradient.shape) and is_vector(argument.shape)):
                raise MissingRuleError(
                    f"the second derivative of {call} by a matrix has more than two indices",
                    hint="write the loss out, as in L_t = \\frac{1}{2} \\lVert S_t \\rVert_F^2",
                )
            hessian = e.Derivative(gradient, argument)
            column = make.times(hessian, moved if moved.shape[1] == ONE else make.transpose(moved))
            terms.append(column if gradient.shape[1] == ONE else make.transpose(column))
        return make.plus(*terms) if terms else make.zero(gradient.shape)

    # -- the two passes ----------------------------------------------------------------------------

    @cached_property
    def forward(self) -> Mapping[str, e.Node]:
        """The tangent of each quantity that moves, in the order of a step."""
        return {q.key: self.along_direction(q.rhs) for q in self.system.steps if q.key in self.moving}

    @cached_property
    def starts(self) -> Mapping[e.Node, e.Node]:
        """The tangents of starting values that are computed from parameters."""
        found = {start: self.along_direction(value) for start, value in self.system.initial.items()}
        return {start: value for start, value in found.items() if not make.is_zero(value)}

    @cached_property
    def backward(self) -> tuple[AdjointEquation, ...]:
        """The tangent of the adjoint recursion, in its order."""
        found = []
        for equation in self.reverse.recursion:
            if equation.adjoint.name in self.moving:
                final = None if equation.final is None else self.along_direction(equation.final)
                adjoint = self.tangent(equation.adjoint)
                found.append(AdjointEquation(equation.key, adjoint, self.along_direction(equation.rhs), final))
        return tuple(found)

    def of_gradient(self, key: str) -> e.Node:
        """The Hessian-vector product's part for a quantity without time."""
        return self.along_direction(self.reverse.parameter_gradient(key))


def hessian_vector(system: RecurrentSystem, by: e.Node | None = None, along: Iterable[str] = ()) -> Derivation:
    """∇²L times a direction, at one parameter or at all of them.

    Raises
    ------
    UsageError       : ``by`` or an entry of ``along`` is no parameter; the equations have no time.
    MissingRuleError : the loss is abstract and reads a matrix.
    """
    if not system.loss_terms:
        raise UsageError("the equations have no time, so there is no loss over time", hint="ask for a Jacobian")
    if not any(key not in system.labels for key in system.parameters):
        raise UsageError("the cell has no parameter", expected="one that the direction moves")
    engine = TangentEngine(system, along)
    if by is not None and (not isinstance(by, e.Var) or by.name not in system.parameters):
        raise UsageError(f"{by} is no parameter of the cell", expected=f"one of {', '.join(system.parameters)}")
    wanted = tuple(key for key in system.parameters if key not in system.labels) if by is None else (by.name,)
    steps = [*_forward_steps(engine), *_backward_steps(engine)]
    for key in wanted:
        quantity = system.quantity(key)
        adjoint = engine.reverse.adjoint(key)
        steps.append(Step(adjoint, e.Gradient(quantity, e.Var(system.loss_name)), "gradient", proved="definition"))
        steps.append(Step(engine.tangent(adjoint), engine.of_gradient(key), "tangent of the gradient"))
    last = steps[-1]
    moved = ", ".join(str(system.quantity(key)) for key in engine.along)
    title = f"Hessian-vector product of the loss, along a direction in {moved}"
    relations = tuple(step.relation for step in steps[:-1])
    return Derivation(last.lhs, last.rhs, tuple(steps), title, relations)


def _forward_steps(engine: TangentEngine) -> Iterator[Step]:
    system = engine.system
    yield from cell_lines(system)
    for start, value in engine.starts.items():
        yield Step(engine.tangent(start), value, "tangent of a starting value")
    for start in system.starts:
        if start.name in engine.moving and start not in engine.starts:
            yield Step(engine.tangent(start), make.zero(start.shape), "given at the start", proved="definition")
    for key, value in engine.forward.items():
        yield Step(engine.tangent(system.quantity(key)), value, "tangent")


def _backward_steps(engine: TangentEngine) -> Iterator[Step]:
    """Each line of the adjoint recursion with its tangent below."""
    moved = {equation.key: equation for equation in engine.backward}
    yield from starts(engine.reverse, engine.reverse.equations)
    for step in starts(engine.reverse, engine.reverse.equations):
        if step.lhs.name in engine.moving:
            yield Step(engine.tangent(step.lhs), make.zero(step.lhs.shape), step.rule, proved="definition")
    for readout in reversed(engine.readouts):
        adjoint = engine.reverse.adjoint(readout.key)
        yield Step(adjoint, engine.reverse.parameter_gradient(readout.key), "total adjoint")
        if adjoint.name in engine.moving:
            yield Step(engine.tangent(adjoint), engine.of_gradient(readout.key), "tangent of the adjoint")
    for equation in engine.reverse.equations:
        named = equation.key in engine.system.preactivations
        yield from _lines(engine, equation, "adjoint of a pre-activation" if named else "total adjoint")
        if equation.key in moved:
            yield from _lines(engine, moved[equation.key], "tangent of the adjoint")


def _lines(engine: TangentEngine, equation: AdjointEquation, rule: str) -> Iterator[Step]:
    before = f"for {engine.system.time} < T" if equation.final is not None else ""
    if equation.final is not None:
        beyond = {
            leaf: make.zero(leaf.shape)
            for leaf in equation.rhs.xreplace({engine.system.time: T}).atoms(e.Timed)
            if (leaf.time - T).is_positive
        }
        at_end = equation.at_the_end(T, beyond)
        yield Step(equation.adjoint.at(T), at_end, "loss at T", "everything later is zero")
    if equation.final is None or not make.is_zero(equation.rhs):
        yield Step(equation.adjoint, equation.rhs, rule, before)
