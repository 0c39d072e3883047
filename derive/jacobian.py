"""Jacobians of a recurrent system: through one step, through several, and over a symbolic stretch of time.

The total derivative ``∂a_s/∂b_r`` makes ``b_r`` a free variable of the unrolled graph: everything computed from it
later, in the same step or after, is followed. Over a stretch of symbolic length the one-step Jacobians of the *joint*
state multiply,

    ∂s_t/∂s_k = J_t J_{t-1} ... J_{k+1},     J_t = ∂s_t/∂s_{t-1},

where s = (h, C) for an LSTM: no single state's derivative is such a product, because the others carry influence as
well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sympy import Basic, Expr, Integer, Max, Symbol

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.differentiate import jacobian_of
from derive.errors import CellError, MissingRuleError, UsageError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.notation.names import QName
from derive.system import RecurrentSystem, leaves

NEAR = 3
"""Over so many steps a Jacobian is written out, step by step; over more it is a product over time, whose length does not
grow with the distance.
"""

Point = tuple[str, int | None]
"""A quantity at an offset from the time t; offset None for quantities without time."""


_SPECIAL_RULES = {
    e.Divide: "quotient rule",
    e.Extreme: "derivative of an extreme",
    e.Softmax: "Jacobian of softmax",
    e.Power: "power rule",
}


def rule_name(rhs: e.Node, moved: Mapping[e.Node, bool]) -> str:
    """What a line of a derivation is called by.

    Parameters
    ----------
    rhs   : the formula that is differentiated.
    moved : the quantities in it that vary, and whether each does so through others (chain rule) or is the one that is
            moved itself.
    """
    terms = [term for term in (rhs.operands if isinstance(rhs, e.Plus) else (rhs,)) if term.has(*moved)]
    cores = [term.operands[0] if isinstance(term, e.Neg) else term for term in terms]
    if any(
        isinstance(core, (e.Hadamard, e.Times)) and sum(factor.has(*moved) for factor in core.operands) > 1
        for core in cores
    ):
        return "product rule"
    special = next((_SPECIAL_RULES[type(core)] for core in cores if type(core) in _SPECIAL_RULES), None)
    if special and not any(moved.values()):
        return special
    nested = any(core.has(leaf) and leaf != core and leaf not in core.operands for core in cores for leaf in moved)
    if nested or any(moved.values()):
        return "chain rule"
    if any(isinstance(core, e.Apply) for core in cores):
        return "entry by entry"
    return "sum rule" if len(cores) > 1 else "linear map"


def vector_size(node: e.Node) -> Expr:
    """The number of entries of a quantity."""
    return node.shape[0] * node.shape[1]


@dataclass(frozen=True)
class Flow:
    """Jacobians of the quantities of several steps by one quantity, with the lines that derive them."""

    jacobians: Mapping[Point, e.Node]
    steps: tuple[Step, ...]


class JacobianEngine:
    """Jacobians of one system."""

    def __init__(self, system: RecurrentSystem) -> None:
        self.system = system
        self.time = system.time

    # -- through finitely many steps ---------------------------------------------------------------

    def follow(self, source: Point, last: int | None, wanted: Point, frozen: frozenset[Point] = frozenset()) -> Flow:
        """Jacobians by ``source`` of everything from its step to step ``last`` that leads to ``wanted``.

        ``frozen`` points are held fixed, as the other states of a joint state are.
        """
        key, start = source
        by = self._at(source)
        jacobians: dict[Point, e.Node] = {source: make.identity(vector_size(by))}
        steps: list[Step] = []
        relevant = self._leading_to(source, wanted)
        offsets = [None] if start is None else [*range(start, (last if last is not None else start) + 1)]
        for offset in offsets:
            passed = offset != start
            for equation in self.system.steps:
                point = (equation.key, offset if isinstance(equation.lhs, e.Timed) else None)
                if not passed:
                    passed = equation.key == key or key not in self.system.definitions
                    if equation.key == key:
                        continue
                if point in jacobians or point in frozen or point not in relevant:
                    continue
                self._extend(point, by, jacobians, steps)
        return Flow(jacobians, tuple(steps))

    def _at(self, point: Point) -> e.Node:
        key, offset = point
        return self.system.quantity(key, None if offset is None else self.time + offset)

    def _leading_to(self, source: Point, wanted: Point) -> set[Point]:
        """Points on some path into ``wanted``, so that nothing is derived in vain."""
        found: set[Point] = set()
        stack = [wanted]
        while stack:
            point = stack.pop()
            if point in found or point[0] not in self.system.definitions:
                continue
            found.add(point)
            for leaf in leaves(self.system.definitions[point[0]].rhs):
                offset = None if isinstance(leaf, e.Var) else (point[1] or 0) + int(leaf.time - self.time)
                if offset is None or source[1] is None or offset >= source[1]:
                    stack.append((leaf.name, offset))
        return found

    def _extend(self, point: Point, by: e.Node, jacobians: dict[Point, e.Node], steps: list[Step]) -> None:
        """Chain rule at one quantity: the sum over what it reads of ∂q/∂leaf ∂leaf/∂source."""
        key, offset = point
        shift = {} if offset is None else {self.time: self.time + offset}
        terms = []
        moved: dict[e.Node, bool] = {}
        rhs = self.system.definitions[key].rhs
        for leaf in leaves(rhs):
            inner = jacobians.get(
                (leaf.name, None if isinstance(leaf, e.Var) else (offset or 0) + int(leaf.time - self.time))
            )
            local = None if inner is None else jacobian_of(rhs, leaf)
            if inner is not None and local is not None:
                terms.append(make.times(local.xreplace(shift), inner))
                moved[leaf] = leaf.xreplace(shift) != by
        if not terms:
            return
        result = make.plus(*terms)
        if make.is_zero(result):
            return
        jacobians[point] = result
        of = self._at(point)
        steps.append(Step(e.Derivative(of, by), result, rule_name(rhs, moved)))

    # -- the joint state ---------------------------------------------------------------------------

    def joint_states(self) -> tuple[str, ...]:
        """The states whose values at t - 1 determine step t.

        Raises
        ------
        MissingRuleError : the cell looks further back than one step, or into the future, so that the joint state is
                           larger.
        """
        if self.system.max_lag > 1:
            raise MissingRuleError(
                "the cell looks back more than one step", hint="derive the adjoint recursion, which has no such limit"
            )
        if self.system.max_lead:
            raise MissingRuleError(
                "the cell reads states of the next step", hint="derive the adjoint recursion, which has no such limit"
            )
        return self.system.states

    def one_step(self, of: str, by: str) -> e.Node:
        """∂(of_t)/∂(by_{t-1}) with the other states of step t-1 held fixed: one block of J_t."""
        frozen = frozenset((state, -1) for state in self.joint_states())
        flow = self.follow((by, -1), 0, (of, 0), frozen)
        a, b = self._at((of, 0)), self._at((by, -1))
        return flow.jacobians.get((of, 0), make.zero((vector_size(a), vector_size(b))))

    def block(self) -> e.Node:
        """J_t = ∂s_t/∂s_{t-1} for the joint state s."""
        states = self.joint_states()
        return make.block([[self.one_step(a, b) for b in states] for a in states])

    def joint(self, time: Expr) -> e.Node:
        """The joint state at a time: the state itself, or the column (or row) of all states."""
        states = [self.system.quantity(key, time) for key in self.joint_states()]
        if len(states) == 1:
            return states[0]
        return e.Block([[state] for state in states]) if states[0].shape[1] == ONE else e.Block([states])

    def names(self) -> tuple[str, str]:
        """Names for the joint state and its one-step Jacobian that the cell does not use."""
        taken = set(self.system.shapes)
        state = next(name for name in ("s", "xi", "Psi", "joint") if name not in taken)
        step = next(name for name in ("J", "Jac", "Phi", "jacobian") if name not in taken)
        return state, step

    def chain(self) -> tuple[list[Step], e.Node, e.Node]:
        """The joint state s_t and its one-step Jacobian J_t, with the lines that introduce them; a single state stands
        for itself.
        """
        states, block = self.joint_states(), self.block()
        now, before = self.joint(self.time), self.joint(self.time - 1)
        if len(states) == 1:
            return [Step(e.Derivative(now, before), block, "one-step Jacobian")], now, block
        state_name, step_name = self.names()
        joint = e.Timed(state_name, self.time, *now.shape)
        named = e.Timed(step_name, self.time, *block.shape)
        steps = [
            Step(joint, now, "joint state", "all states that one step hands to the next", proved="definition"),
            Step(
                named,
                e.Derivative(joint, joint.at(self.time - 1)),
                "one-step Jacobian of the joint state",
                proved="definition",
            ),
            Step(
                named,
                e.Block([[self._held(a, b) for b in states] for a in states]),
                "each state by each",
                "immediate derivatives: the other states of the step before are held fixed",
            ),
        ]
        entries, lines = self._named_blocks(step_name)
        steps.append(
            Step(
                named,
                e.Block(entries),
                "names of the blocks",
                proved="definition",
            )
        )
        return [*steps, *lines], joint, named

    def _held(self, of: str, by: str) -> e.Node:
        """∂⁺(of_t)/∂(by_{t-1}): step t expanded, all else of step t - 1 held fixed."""
        return e.Derivative(self.system.quantity(of), self._at((by, -1)), "immediate")

    def _named_blocks(self, name: str) -> tuple[list[list[e.Node]], list[Step]]:
        """The blocks of J_t under names such as J^{hC}_t, each with a line of its own; a block that occurs in a later
        one is named there too.
        """
        states = self.joint_states()
        labels = state_labels(states)
        known: dict[e.Node, e.Node] = {}
        entries: list[list[e.Node]] = []
        lines: list[Step] = []
        for a in states:
            entries.append([])
            for b in states:
                value = self.one_step(a, b)
                if make.is_zero(value) or isinstance(value, e.Identity):
                    entries[-1].append(value)
                    continue
                entry = e.Timed(QName(name, (), (), (labels[a] + labels[b],)).key, self.time, *value.shape)
                lines.append(Step(entry, value.xreplace(known), "block of the one-step Jacobian"))
                entries[-1].append(entry)
                if isinstance(value, e.Plus):
                    known[value] = entry
        return entries, lines


def state_labels(states: Sequence[str]) -> dict[str, str]:
    """A letter for each state: its own, or a number where letters coincide."""
    bases = [QName.from_key(state).base for state in states]
    if len(set(bases)) == len(bases) and all(len(base) == 1 for base in bases):
        return dict(zip(states, bases, strict=True))
    return {state: str(k) for k, state in enumerate(states, 1)}


def jacobian(system: RecurrentSystem, of: e.Node, by: e.Node) -> Derivation:
    """∂a/∂b, total: b becomes a free variable of the unrolled graph.

    Parameters
    ----------
    of : the quantity a, such as ``C_t``.
    by : the quantity b, such as ``C_{t-1}`` or, over a symbolic stretch, ``C_k``.

    Raises
    ------
    MissingRuleError : a or b is a matrix, so that the Jacobian is no matrix.
    UsageError       : a is earlier than b, or b is no quantity of the cell.
    """
    engine = JacobianEngine(system)
    for node in (of, by):
        if not isinstance(node, (e.Timed, e.Var)):
            raise UsageError(f"{node} is not a quantity of the cell", expected="a name such as h_t")
    if (of.shape[0] != ONE and of.shape[1] != ONE) or (by.shape[0] != ONE and by.shape[1] != ONE):
        raise MissingRuleError(
            f"the Jacobian of {of} by {by} has more than two indices",
            hint=f"ask for the gradient of the loss by {by}, or for the vector-Jacobian product",
        )
    if any(by in leaves(value) for value in system.initial.values()):
        raise MissingRuleError(f"other starting values are computed from {by}", hint="ask for the gradient of the loss")
    for node in (of, by):
        if (
            node.name not in system.definitions
            and node.name not in system.inputs
            and node.name not in system.parameters
        ):
            raise UsageError(
                f"{node} has no equation of its own",
                expected="a quantity that an equation defines, an input or a parameter",
            )
    if isinstance(of, e.Timed) and isinstance(by, e.Timed):
        distance = of.time - by.time
        if distance.is_Integer and distance <= NEAR:
            return _near(engine, of, by, int(distance))
        if distance.is_Integer:
            _reject_reading_ahead(system, by)
        return _far(engine, of, by)
    return _timeless(engine, of, by)


def _title(of: e.Node, by: e.Node) -> str:
    return f"Jacobian of {of} by {by}"


def _definitions(engine: JacobianEngine, points: Sequence[Point]) -> list[Step]:
    """The equations that a derivation starts from, with the names it introduces."""
    result = []
    for key, offset in points:
        equation = engine.system.definitions[key]
        shift = {} if offset is None else {engine.time: engine.time + offset}
        owner = engine.system.preactivations.get(key)
        rule = "pre-activation" if owner else "equation of the cell"
        result.append(Step(equation.lhs.xreplace(shift), equation.rhs.xreplace(shift), rule, proved="definition"))
    return result


def _reject_reading_ahead(system: RecurrentSystem, by: e.Timed) -> None:
    if system.max_lead or any(use.key == by.name and (use.offset or 0) > 0 for use in system.uses):
        raise MissingRuleError(
            f"{by} or a state is read ahead of its time", hint="derive the adjoint recursion, which has no such limit"
        )


def _near(engine: JacobianEngine, of: e.Timed, by: e.Timed, distance: int) -> Derivation:
    """A derivative over a known number of steps."""
    _reject_reading_ahead(engine.system, by)
    if distance < 0:
        raise UsageError(
            f"{of} is computed before {by}, so it does not depend on it",
            expected="a time that is not before that of the denominator",
        )
    shift = {engine.time: of.time}
    flow = engine.follow((by.name, -distance), 0, (of.name, 0))
    target = e.Derivative(of, by)
    conditions = (
        ((Integer(1), by.time),)
        if engine.system.moves_own_step(by.name) and distance > 0 and not by.time.is_Integer
        else ()
    )
    points = [_point(engine, step) for step in flow.steps]
    steps = [*_definitions(engine, points), *flow.steps]
    result = flow.jacobians.get((of.name, 0), make.zero(target.shape))
    if not flow.steps:
        rule = "a quantity by itself" if of == by else "does not depend on it"
        steps.append(Step(e.Derivative(of, by).xreplace({of.time: engine.time}), result, rule))
    moved = tuple(replace(step, lhs=step.lhs.xreplace(shift), rhs=step.rhs.xreplace(shift)) for step in steps)
    return Derivation(target, result.xreplace(shift), moved, _title(of, by), conditions=conditions)


def _point(engine: JacobianEngine, step: Step) -> Point:
    quantity = step.lhs.of
    return (quantity.name, int(quantity.time - engine.time)) if isinstance(quantity, e.Timed) else (quantity.name, None)


def _timeless(engine: JacobianEngine, of: e.Node, by: e.Node) -> Derivation:
    """A derivative between quantities without time, as in y = sigma(W x)."""
    if not isinstance(of, e.Var) or not isinstance(by, e.Var):
        raise MissingRuleError(
            f"the derivative of {of} by {by} is not one over a fixed distance in time",
            hint=f"ask for the gradient of the loss by {by}, or for the immediate derivative",
        )
    flow = engine.follow((by.name, None), None, (of.name, None))
    steps = [*_definitions(engine, [_point(engine, step) for step in flow.steps]), *flow.steps]
    result = flow.jacobians.get((of.name, None), make.zero(e.Derivative(of, by).shape))
    return Derivation(e.Derivative(of, by), result, tuple(steps), _title(of, by))


def _far(engine: JacobianEngine, of: e.Timed, by: e.Timed) -> Derivation:
    """A derivative over a symbolic stretch: the product of the Jacobians of the joint state."""
    t, k = of.time, by.time
    index = free_index(t.free_symbols | k.free_symbols)
    lines, joint, one_step = engine.chain()
    steps = _definitions(engine, [(q.key, 0) for q in engine.system.steps if isinstance(q.lhs, e.Timed)])
    steps += lines
    product = e.ProductOver(index, k + 1, t, one_step.xreplace({engine.time: index}))
    whole = e.Derivative(joint.xreplace({engine.time: t}), joint.xreplace({engine.time: k}))
    steps.append(Step(whole, product, "chain rule over time", f"for {t} ≥ {k}; the empty product is the identity"))
    result, first = _pick(engine, of, by, product)
    target = e.Derivative(of, by)
    if result != product:
        steps.append(
            Step(
                target,
                result,
                "rows and columns of the joint Jacobian" if len(engine.joint_states()) > 1 else "chain rule",
                f"for {t} ≥ {first}",
            )
        )
    # At step 0 the states are given one by one; from step 1 on, one state of a step may be computed from another.
    start = Integer(1) if engine.system.moves_own_step(by.name) and not k.is_Integer else Integer(0)
    return Derivation(target, result, tuple(steps), _title(of, by), conditions=((first, t), (start, k)))


def free_index(taken: set[Basic]) -> Symbol:
    """An index letter that is not in use."""
    return next(symbol for letter in ("j", "i", "l", "r", "u") if (symbol := e.index(letter)) not in taken)


def _pick(engine: JacobianEngine, of: e.Timed, by: e.Timed, product: e.ProductOver) -> tuple[e.Node, Expr]:
    """∂a_t/∂b_k from the joint product, and the earliest t for which it holds: how b_k moves the joint state at k, and
    how a_t reads it.
    """
    states = engine.joint_states()
    if states == (of.name,) == (by.name,):
        return product, by.time
    into = _into(engine, by)
    fixed = frozenset((state, 0) for state in states)
    if by.name not in states and (
        of == by.at(of.time) or (of.name, 0) in engine.follow((by.name, 0), 0, (of.name, 0), fixed).jacobians
    ):
        # Within its own step a quantity that is no state also moves what reads it directly: the product is right from
        # the next step on.
        first = by.time + 1
    else:
        first = by.time
    if of.name in states:
        row = [
            make.identity(vector_size(of)) if key == of.name else make.zero((vector_size(of), _state_size(engine, key)))
            for key in states
        ]
        return make.times(make.block([row]), product, into), first
    # A quantity that is no state reads the joint state of its own step, or else that of the step before.
    offset = 0 if _reads_only_own_step(engine, of.name) else -1
    row = []
    for key in states:
        frozen = frozenset((state, offset) for state in states)
        flow = engine.follow((key, offset), 0, (of.name, 0), frozen)
        row.append(flow.jacobians.get((of.name, 0), make.zero((vector_size(of), _state_size(engine, key)))))
    reading = make.block([row]).xreplace({engine.time: of.time})
    whole = e.ProductOver(product.index, product.lower, product.upper + offset, product.body)
    return make.times(reading, whole, into), Max(first, by.time - offset)


def _reads_only_own_step(engine: JacobianEngine, key: str) -> bool:
    """Whether a quantity depends on the past through the states of its own step alone."""
    states, stack, seen = engine.joint_states(), [key], set()
    while stack:
        current = stack.pop()
        if current in seen or current not in engine.system.definitions:
            continue
        seen.add(current)
        for leaf in leaves(engine.system.definitions[current].rhs):
            if isinstance(leaf, e.Timed):
                if leaf.time != engine.time and leaf.name in engine.system.definitions:
                    return False
                if leaf.name not in states:
                    stack.append(leaf.name)
    return True


def _state_size(engine: JacobianEngine, key: str) -> Expr:
    return vector_size(engine.system.quantity(key))


def _into(engine: JacobianEngine, by: e.Timed) -> e.Node:
    """∂s_k/∂b_k: how the joint state of step k moves with one of its quantities."""
    if by.name not in engine.system.definitions and by.name not in engine.system.inputs:
        raise CellError(f"{by} is no quantity of the cell")
    if by.name in engine.system.inputs and any(use.key == by.name and use.offset != 0 for use in engine.system.uses):
        raise MissingRuleError(
            f"{by} acts in several steps",
            hint="derive the adjoint recursion, or a Jacobian over a given number of steps",
        )
    if by.time.is_Integer and by.time <= 0:
        # Starting values are given one by one: they do not move each other.
        column = [
            [
                make.identity(vector_size(by))
                if key == by.name
                else make.zero((_state_size(engine, key), vector_size(by)))
            ]
            for key in engine.joint_states()
        ]
        return make.block(column)
    column = []
    for key in engine.joint_states():
        flow = engine.follow((by.name, 0), 0, (key, 0))
        column.append([flow.jacobians.get((key, 0), make.zero((_state_size(engine, key), vector_size(by))))])
    return make.block(column).xreplace({engine.time: by.time})


__all__ = ["Flow", "JacobianEngine", "free_index", "jacobian", "state_labels", "vector_size"]
