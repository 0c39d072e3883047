"""The joint state of a system: all that one step hands to the next, and Jacobians over a stretch of time as products.

    ∂s_t/∂s_k = J_t J_{t-1} ... J_{k+1},     J_t = ∂s_t/∂s_{t-1},

where s = (h, C) for an LSTM: no single state's derivative is such a product, because the others carry influence as
well. A cell that looks further back has earlier states among the parts, s_t = (y_t, y_{t-1}), and J_t is a companion
matrix.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from sympy import Expr, Integer, Max, Symbol

from derive import expressions as e
from derive.derivation import Derivation, Step
from derive.errors import CellError, MissingRuleError, UsageError
from derive.expressions import make
from derive.expressions.node import ONE
from derive.flow import EARLIER, INNER, FlowEngine, Point, definition_steps, free_index, vector_size
from derive.linear import stacked
from derive.notation.names import QName
from derive.system import leaves

_LONG = 60
"""A Jacobian with more characters than this has a name in what follows."""


@dataclass(frozen=True)
class Part:
    """A part of the joint state at t: a state at t - back."""

    key: str
    back: int = 0


class JointState:
    """The joint state of one system.

    Raises
    ------
    MissingRuleError : the cell reads states of the next step, so that no step has all it needs from one side.
    """

    def __init__(self, engine: FlowEngine) -> None:
        self.engine = engine
        self.system = engine.system
        self.time = engine.time
        if self.system.reads_ahead:
            raise MissingRuleError(
                "the cell reads states of the next step"
                if self.system.tree is None
                else "the cell reads states of the parent",
                hint="derive the adjoint recursion, which has no such limit",
            )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """The states whose values determine the next step; earlier ones where an equation reads further back."""
        if self.system.tree is not None:
            return tuple(Part(key) for key in self.system.states)
        return tuple(Part(key, back) for key in self.system.states for back in range(-self.system.reach(key)[0]))

    @property
    def before(self) -> Expr:
        """The step before, or the child of a node."""
        return self.time - 1 if self.system.tree is None else self.system.tree.child

    @property
    def place(self) -> Expr:
        """Where a one-step Jacobian stands: at its step, or on the edge from a node to its child."""
        return self.time if self.system.tree is None else self.system.tree.edge

    def over_steps(self, body: e.Node, first: Expr, last: Expr, index: Symbol) -> e.Over:
        """The product of what each one-step Jacobian gives, from a step to a later one; in a tree, on the path from a node
        up to another one.
        """
        if self.system.tree is None:
            return e.ProductOver(index, first + 1, last, body.xreplace({self.time: index}))
        ends = {self.time: e.Parent(index), self.system.tree.child: index}
        return e.ProductOverPath(index, first, last, e.reindexed(body, ends))

    def quantity(self, part: Part, time: Expr | None = None) -> e.Node:
        """A part of the joint state at a time, stacked where it is a matrix."""
        found = self.system.quantity(part.key, (self.time if time is None else time) - part.back)
        return stacked(found) if self._stacks else found

    @cached_property
    def _stacks(self) -> bool:
        """Whether a state is a matrix, so that all parts are stacked to columns."""
        return self.engine.vec and any(ONE not in self.system.shapes[part.key] for part in self.parts)

    def size(self, part: Part) -> Expr:
        """How many entries a part has."""
        return vector_size(self.system.quantity(part.key))

    def _frozen(self, offset: int) -> frozenset[Point]:
        """All parts of the joint state of a step, as points that are held fixed."""
        return frozenset((part.key, offset - part.back) for part in self.parts)

    def one_step(self, of: Part, by: Part) -> e.Node:
        """∂(of_t)/∂(by_{t-1}) with the other parts of step t-1 held fixed: one block of J_t."""
        size = (self.size(of), self.size(by))
        if of.back:  # what is handed on unchanged
            return make.identity(size[0]) if by == Part(of.key, of.back - 1) else make.zero(size)
        flow = self.engine.follow((by.key, -1 - by.back), 0, (of.key, 0), self._frozen(-1))
        return flow.jacobians.get((of.key, 0), make.zero(size))

    def block(self) -> e.Node:
        """J_t = ∂s_t/∂s_{t-1} for the joint state s."""
        return make.block([[self.one_step(a, b) for b in self.parts] for a in self.parts])

    def at(self, time: Expr) -> e.Node:
        """The joint state at a time: the state itself, or the column (or row) of all parts."""
        found = [self.quantity(part, time) for part in self.parts]
        if len(found) == 1:
            return found[0]
        return e.Block([[part] for part in found]) if found[0].shape[1] == ONE else e.Block([found])

    def names(self) -> tuple[str, str]:
        """Names for the joint state and its one-step Jacobian that the cell does not use."""
        taken = set(self.system.shapes)
        bases = {QName.from_key(key).base for key in taken}
        state = next(name for name in ("s", "xi", "Psi", *_numbered("s", taken)) if name not in bases | taken)
        step = next(name for name in ("J", "Phi", "Upsilon", *_numbered("J", taken)) if name not in bases | taken)
        return state, step

    def chain(self, named: bool = False) -> tuple[list[Step], e.Node, e.Node]:
        """The joint state s_t and its one-step Jacobian J_t, with the lines that introduce them. A single state stands
        for itself, and so does its Jacobian, unless it is long and shall be ``named``.
        """
        block, now, before = self.block(), self.at(self.time), self.at(self.before)
        if len(self.parts) == 1:
            whole = e.Derivative(now, before)
            if not named or len(str(block)) <= _LONG:
                return [Step(whole, block, "one-step Jacobian")], now, block
            name = e.Timed(self.names()[1], self.place, *block.shape)
            introduced = Step(name, whole, "name for the one-step Jacobian", proved="definition")
            parts, shorter = self._repeated_parts(name, block)
            return [introduced, *parts, Step(name, shorter, "one-step Jacobian")], now, name
        state_name, step_name = self.names()
        joint = e.Timed(state_name, self.time, *now.shape)
        named = e.Timed(step_name, self.place, *block.shape)
        steps = [
            Step(joint, now, "joint state", "all states that one step hands to the next", proved="definition"),
            Step(
                named,
                e.Derivative(joint, joint.at(self.before)),
                "one-step Jacobian of the joint state",
                proved="definition",
            ),
            Step(
                named,
                e.Block([[self._held(a, b) for b in self.parts] for a in self.parts]),
                "each state by each",
                "immediate derivatives: the other states of the step before are held fixed"
                if self.system.tree is None
                else "immediate derivatives: the other states of the child are held fixed",
            ),
        ]
        entries, lines = self._named_blocks(step_name)
        steps.append(Step(named, e.Block(entries), "names of the blocks", proved="definition"))
        return [*steps, *lines], joint, named

    def _repeated_parts(self, name: e.Timed, block: e.Node) -> tuple[list[Step], e.Node]:
        """The Jacobians of quantities within the step that occur more than once in a long one, under names such as
        J^{(1)}_t, and the Jacobian in terms of them.
        """
        (part,) = self.parts
        flow = self.engine.follow((part.key, -1), 0, (part.key, 0), self._frozen(-1))
        lines: list[Step] = []
        known: dict[e.Node, e.Node] = {}
        for step in flow.steps:
            value = step.rhs
            if value != block and isinstance(value, e.Plus) and _count(block, value) > 1:
                key = QName.from_key(name.name).with_sup(f"({len(known) + 1})").key
                entry = e.Timed(key, self.place, *value.shape)
                lines += [
                    Step(entry, step.lhs, "name for a part of it", proved="definition"),
                    Step(entry, value.xreplace(known), "within the step"),
                ]
                known[value] = entry
        return lines, block.xreplace(known)

    def _held(self, of: Part, by: Part) -> e.Node:
        """∂⁺(of_t)/∂(by_{t-1}): step t expanded, all else of step t - 1 held fixed."""
        if of.back:
            return self.one_step(of, by)
        below = self.system.quantity(by.key, self.before - by.back)
        return self.engine.derivative(self.system.quantity(of.key), below, "immediate")

    def _named_blocks(self, name: str) -> tuple[list[list[e.Node]], list[Step]]:
        """The blocks of J_t under names such as J^{hC}_t, each with a line of its own; a block that occurs in a later
        one is named there too.
        """
        labels = part_labels(self.parts)
        known: dict[e.Node, e.Node] = {}
        entries: list[list[e.Node]] = []
        lines: list[Step] = []
        for a in self.parts:
            entries.append([])
            for b in self.parts:
                value = self.one_step(a, b)
                if make.is_zero(value) or isinstance(value, e.Identity):
                    entries[-1].append(value)
                    continue
                entry = e.Timed(
                    QName.from_key(name).with_sup(_pair(labels[a], labels[b])).key, self.place, *value.shape
                )
                lines.append(Step(entry, value.xreplace(known), "block of the one-step Jacobian"))
                entries[-1].append(entry)
                if isinstance(value, e.Plus):
                    known[value] = entry
        return entries, lines


def _count(whole: e.Node, part: e.Node) -> int:
    """How often a formula stands in another one."""
    stack, found = [whole], 0
    while stack:
        node = stack.pop()
        found += node == part
        stack.extend(() if node == part else node.operands)
    return found


def _numbered(letter: str, taken: set[str]) -> list[str]:
    """``s_1``, ``s_2``, ...: one more than there are names."""
    return [f"{letter}_{number}" for number in range(1, len(taken) + 2)]


def _pair(a: str, b: str) -> str:
    """The label of a block: ``Ch``, or ``(1,2)`` where parts are numbered."""
    return f"({a},{b})" if a.isdigit() else a + b


def part_labels(parts: Sequence[Part]) -> dict[Part, str]:
    """A letter for each part: its state's own, or a number where letters coincide or states occur twice."""
    bases = [QName.from_key(part.key).base for part in parts]
    if len(set(bases)) == len(bases) and all(len(base) == 1 for base in bases):
        return dict(zip(parts, bases, strict=True))
    return {part: str(k) for k, part in enumerate(parts, 1)}


def over_a_stretch(engine: FlowEngine, of: e.Timed, by: e.Timed, title: str) -> Derivation:
    """∂a_t/∂b_k over a symbolic stretch: the product of the Jacobians of the joint state."""
    t, k = of.time, by.time
    joint_state = JointState(engine)
    index = free_index(engine.system, INNER, {*t.free_symbols, *k.free_symbols, *joint_state.names()})
    lines, joint, one_step = joint_state.chain()
    steps = definition_steps(engine, [(q.key, 0) for q in engine.system.steps if isinstance(q.lhs, e.Timed)])
    steps += lines
    product = joint_state.over_steps(one_step, k, t, index)
    whole = e.Derivative(joint.xreplace({engine.time: t}), joint.xreplace({engine.time: k}))
    steps.append(Step(whole, product, *_over_steps_rule(engine, k, t)))
    result, first = _pick(joint_state, of, by, product)
    target = engine.derivative(of, by)
    if result != product:
        rule = "rows and columns of the joint Jacobian" if len(joint_state.parts) > 1 else "chain rule"
        held = f"for {t} ≥ {first}" if engine.system.tree is None else f"for {k} below {t}"
        steps.append(Step(target, result, rule, held))
    # At step 0 the states are given one by one; from step 1 on, one state of a step may be computed from another.
    start = Integer(1) if engine.system.moves_own_step(by.name) and not k.is_Integer else Integer(0)
    return Derivation(target, result, tuple(steps), title, conditions=((first, t), (start, k)))


def _over_steps_rule(engine: FlowEngine, k: Expr, t: Expr) -> tuple[str, str]:
    """What a product over a stretch is called by, and where it holds."""
    if engine.system.tree is None:
        return "chain rule over time", f"for {t} ≥ {k}; the empty product is the identity"
    return "chain rule on the path", f"for {k} below {t}; P({k}, {t}) leads from {k} up to a child of {t}"


def joint_jacobian(engine: FlowEngine) -> Derivation:
    """The one-step Jacobian J_t of the joint state, a block matrix where there are several states, and the product of such
    that leads from step k to step t.

    Raises
    ------
    MissingRuleError : a state is a matrix (without ``vec``), or states of the next step are read.
    UsageError       : the cell has no state.
    """
    if not engine.system.states:
        raise UsageError("no quantity is handed from one step to the next", hint="ask for a Jacobian of two quantities")
    t, joint_state = engine.time, JointState(engine)
    names = joint_state.names()
    k = free_index(engine.system, EARLIER, names)
    lines, joint, one_step = joint_state.chain(named=True)
    steps = definition_steps(engine, [(q.key, 0) for q in engine.system.steps if isinstance(q.lhs, e.Timed)])
    index = free_index(engine.system, INNER, (k, *names))
    target = e.Derivative(joint, joint.xreplace({t: k}))
    result = joint_state.over_steps(one_step, k, t, index)
    product = Step(target, result, *_over_steps_rule(engine, k, t))
    of = "the joint state" if len(joint_state.parts) > 1 else joint_state.parts[0].key
    title = (
        f"One-step Jacobian of {of}, and its product {'over time' if engine.system.tree is None else 'along a path'}"
    )
    return Derivation(target, result, (*steps, *lines, product), title, conditions=((Integer(0), k), (k, t)))


def _pick(joint: JointState, of: e.Timed, by: e.Timed, product: e.ProductOver) -> tuple[e.Node, Expr]:
    """∂a_t/∂b_k from the joint product, and the earliest t for which it holds: how b_k moves the joint state at k, and
    how a_t reads it.
    """
    engine, parts = joint.engine, joint.parts
    if parts == (Part(of.name),) == (Part(by.name),):
        return product, by.time
    into = _into(joint, by)
    states = {part.key for part in parts}
    direct = (
        of == by.at(of.time) or (of.name, 0) in engine.follow((by.name, 0), 0, (of.name, 0), joint._frozen(0)).jacobians
    )
    # Within its own step a quantity that is no state also moves what reads it directly: the product is right from the
    # next step on.
    first = by.time + 1 if by.name not in states and direct else by.time
    if of.name in states:
        size = vector_size(of)
        row = [make.identity(size) if part == Part(of.name) else make.zero((size, joint.size(part))) for part in parts]
        return make.times(make.block([row]), product, into), first
    # A quantity that is no state reads the joint state of its own step, or else that of the step before.
    offset = 0 if _reads_only_own_step(joint, of.name) else -1
    row = []
    for part in parts:
        flow = engine.follow((part.key, offset - part.back), 0, (of.name, 0), joint._frozen(offset))
        row.append(flow.jacobians.get((of.name, 0), make.zero((vector_size(of), joint.size(part)))))
    reading = make.block([row]).xreplace({engine.time: of.time})
    whole = e.ProductOver(product.index, product.lower, product.upper + offset, product.body)
    return make.times(reading, whole, into), Max(first, by.time - offset)


def _reads_only_own_step(joint: JointState, key: str) -> bool:
    """Whether a quantity depends on the past through the states of its own step alone."""
    definitions, time = joint.system.definitions, joint.time
    states = {part.key for part in joint.parts}
    stack, seen = [key], set()
    while stack:
        current = stack.pop()
        if current in seen or current not in definitions:
            continue
        seen.add(current)
        for leaf in leaves(definitions[current].rhs):
            if isinstance(leaf, e.Timed):
                if leaf.time != time and leaf.name in definitions:
                    return False
                if leaf.name not in states:
                    stack.append(leaf.name)
    return True


def _into(joint: JointState, by: e.Timed) -> e.Node:
    """∂s_k/∂b_k: how the joint state of step k moves with one of its quantities."""
    system, engine = joint.system, joint.engine
    if by.name not in system.definitions and by.name not in system.inputs:
        raise CellError(f"{by} is no quantity of the cell")
    if by.name in system.inputs and any(use.key == by.name and use.offset != 0 for use in system.uses):
        raise MissingRuleError(
            f"{by} acts in several steps",
            hint="derive the adjoint recursion, or a Jacobian over a given number of steps",
        )
    given = by.time.is_Integer and by.time <= 0  # starting values are given one by one: they do not move each other
    column = []
    for part in joint.parts:
        zero = make.zero((joint.size(part), vector_size(by)))
        if part == Part(by.name) and (given or part.key == by.name):
            moved: e.Node = make.identity(vector_size(by))
        elif given or part.back:
            moved = zero
        else:
            moved = engine.follow((by.name, 0), 0, (part.key, 0)).jacobians.get((part.key, 0), zero)
        column.append([moved])
    return make.block(column).xreplace({engine.time: by.time})
