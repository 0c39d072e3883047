"""The recurrent system of a cell: who depends on whom, in which order a step is computed, what the states, inputs and
parameters are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, Integer, Symbol

from derive import expressions as e
from derive.cell_text import CellText, Equation
from derive.errors import BpttError, CellError, UnknownNameError
from derive.expressions import make
from derive.expressions.node import Shape
from derive.notation.elaborate import Context, read_formula
from derive.notation.names import QName, alias_of
from derive.notation.scope import LOSS_LETTERS
from derive.order import Sweep, sweeps, within_step
from derive.preactivations import name_preactivations
from derive.tree import steps_away

T = e.size("T")
"""The length of the sequence."""

MAX_LAG = 100
"""How many steps away an equation may read a quantity."""


def identifier(directives: Mapping[str, str]) -> str:
    """The DOI or arXiv number of a cell's publication, as people cite it; empty where there is none."""
    if "doi" in directives:
        return f"doi:{directives['doi']}"
    return f"arXiv:{directives['arxiv']}" if "arxiv" in directives else ""


@dataclass(frozen=True)
class LossTerm:
    """A part of the loss: ``body`` (written at the time t) summed over t = lower .. upper; at T alone, lower = upper =
    T.

    A part that looks at no time (a penalty on a parameter), or at several (h_T and g_1), has lower = upper = T and
    keeps the times it was written with.
    """

    lower: Expr
    upper: Expr
    body: e.Node

    @property
    def final(self) -> bool:
        """Whether it looks at one time only."""
        return self.lower == self.upper


@dataclass(frozen=True)
class Use:
    """Quantity ``user`` at the time t reads ``leaf``, which is ``key`` at t + offset (offset None where user or key has
    no time).
    """

    user: str
    key: str
    offset: int | None
    leaf: e.Node


class RecurrentSystem:
    """A cell's equations, analysed.

    ``equations`` are as written; ``steps`` are the same with every compound argument of a function named (the
    pre-activations) and in the order in which a step computes them. Derivations are made from ``steps``, so results
    name z_t instead of repeating its expansion.
    """

    def __init__(self, text: CellText) -> None:
        self.text = text
        self.time: Symbol = text.time
        self.tree = text.tree
        """The letters of a node and its child, where each node of a tree is computed from its children."""
        self.layout = text.layout
        self.equations = text.equations
        self.title = text.directives.get("title", "")
        self.citation = text.directives.get("cite", "")
        self.note = text.directives.get("note", "")
        """What the text leaves out of the paper's equations, or which variant it is; formulas stand between dollar signs."""
        self.identifier = identifier(text.directives)
        """``doi:...`` or ``arXiv:...`` of the publication."""
        self.labels = text.labels
        prepared = name_preactivations(text.equations, set(text.shapes), self.tree)
        self.preactivations: Mapping[str, str] = prepared.owners
        self.steps: tuple[Equation, ...] = self._ordered(prepared.equations)
        self.definitions: Mapping[str, Equation] = {equation.key: equation for equation in self.steps}
        self.shapes: Mapping[str, Shape] = {**text.shapes, **{q.key: q.lhs.shape for q in self.steps}}
        self.initial: Mapping[e.Node, e.Node] = text.initial
        self._check_starting_values()
        self.loss_name = text.loss_name
        self.step_loss_name = self._step_loss_name(text.loss)
        """The name of the loss at one time: L for L_t, whatever the whole loss is called."""
        self.loss_terms: tuple[LossTerm, ...] = self._loss_terms(text.loss)
        if not self.sweeps:
            raise CellError(
                "no quantity is defined", expected="an equation such as h_t = \\tanh(W h_{t-1} + U x_t + b)"
            )

    def _check_starting_values(self) -> None:
        """A sequence starts from parameters: what passes a gradient back to the sequence itself would be another recursion."""
        for start, value in self.initial.items():
            pending, seen = list(leaves(value)), set[str]()
            while pending:
                leaf = pending.pop()
                if isinstance(leaf, e.Timed) and leaf not in self.initial:
                    raise CellError(
                        f"the starting value {start} is made of {leaf}, which belongs to the sequence",
                        span=next((q.span for q in self.text.equations if q.key == leaf.name), None),
                        expected="a formula of parameters",
                        hint=f"give {start} when the cell is called, and pass its gradient on to what it is made of",
                    )
                if leaf.name in self.definitions and leaf.name not in seen and isinstance(leaf, e.Var):
                    seen.add(leaf.name)
                    pending += leaves(self.definitions[leaf.name].rhs)

    # -- who is who --------------------------------------------------------------------------------

    def is_timed(self, key: str) -> bool:
        """Whether a defined quantity carries a time."""
        return isinstance(self.definitions[key].lhs, e.Timed)

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every reading of a quantity by another, in the order of the equations."""
        return tuple(use for equation in self.steps for use in self._uses_of(equation))

    def _uses_of(self, equation: Equation) -> Iterator[Use]:
        for leaf in leaves(equation.rhs):
            if isinstance(leaf, e.Timed) and isinstance(equation.lhs, e.Timed):
                offset = leaf.time - self.time if self.tree is None else steps_away(leaf.time, equation.lhs.time)
                if not offset.is_Integer:
                    raise CellError(
                        f"{equation.key} reads {leaf} at a time that is not a fixed distance from {self.time}",
                        span=equation.span,
                        expected=f"times such as {self.time}-1",
                    )
                if abs(offset) > MAX_LAG:
                    raise CellError(
                        f"{equation.key} reads {leaf}, {abs(int(offset))} steps away",
                        span=equation.span,
                        expected=f"at most {MAX_LAG} steps",
                    )
                yield Use(equation.key, leaf.name, int(offset), leaf)
            else:
                self._require_fixed(equation, leaf)
                yield Use(equation.key, leaf.name, None, leaf)

    def _require_fixed(self, equation: Equation, leaf: e.Node) -> None:
        if isinstance(equation.lhs, e.Var) and self.time in equation.rhs.free_symbols:
            raise CellError(
                f"{equation.key} has no time, but reads {leaf}",
                span=equation.span,
                expected=f"{equation.key}_{self.time}, or {leaf.name} at a fixed time such as T",
            )

    @cached_property
    def states(self) -> tuple[str, ...]:
        """Quantities that a step reads at another time, in the order of their equations."""
        lagged = {use.key for use in self.uses if use.offset not in (None, 0)}
        return tuple(q.key for q in self.equations if q.key in lagged)

    @cached_property
    def inputs(self) -> tuple[str, ...]:
        """Timed quantities that are never defined (targets included)."""
        timed = dict.fromkeys(use.key for use in self.uses if isinstance(use.leaf, e.Timed))
        for term in self.loss_terms:
            timed.update(dict.fromkeys(leaf.name for leaf in leaves(term.body) if isinstance(leaf, e.Timed)))
        return tuple(key for key in timed if key not in self.definitions and key != self.step_loss_name)

    @cached_property
    def inputs_at_other_times(self) -> frozenset[str]:
        """Inputs of which a step or a loss reads what is not at its own time, such as x_{t-1}; they are zero beyond the sequence."""
        bodies = [*(q.rhs for q in self.steps), *(term.body for term in self.loss_terms)]
        read = (leaf for body in bodies for leaf in leaves(body) if isinstance(leaf, e.Timed))
        return frozenset(leaf.name for leaf in read if leaf.name in self.inputs and leaf.time not in (self.time, T))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """Quantities without a time that are never defined."""
        found = dict.fromkeys(use.key for use in self.uses if isinstance(use.leaf, e.Var))
        for value in self.initial.values():
            found.update(dict.fromkeys(leaf.name for leaf in leaves(value) if isinstance(leaf, e.Var)))
        for term in self.loss_terms:
            found.update(dict.fromkeys(leaf.name for leaf in leaves(term.body) if isinstance(leaf, e.Var)))
        return tuple(key for key in found if key not in self.definitions)

    @cached_property
    def sinks(self) -> tuple[str, ...]:
        """Quantities that nothing in the same step reads: what a loss looks at when the cell does not say."""
        read = {use.key for use in self.uses if use.offset == 0}
        ends = (q.key for q in self.equations if q.key not in read and self.is_timed(q.key))
        return tuple(key for key in ends if key not in self.on_edges)

    @cached_property
    def max_lag(self) -> int:
        """How many steps back the equations look."""
        return max((-self.reach(key)[0] for key in self.definitions), default=0)

    @cached_property
    def max_lead(self) -> int:
        """How many steps ahead the equations look."""
        return max((self.reach(key)[1] for key in self.definitions), default=0)

    @property
    def reads_ahead(self) -> bool:
        """Whether a state is read at a later step, or at the parent of a node."""
        return any(use.offset is not None and use.offset > 0 for use in self.uses if use.key in self.definitions)

    def reach(self, key: str) -> tuple[int, int]:
        """How far before step 1 and after step T a quantity is read: (-1, 0) for a state of the step before."""
        if self.tree is not None:
            return 0, 0
        offsets = [use.offset for use in self.uses if use.key == key and use.offset is not None]
        return min([*offsets, 0]), max([*offsets, 0])

    @cached_property
    def starts(self) -> tuple[e.Timed, ...]:
        """The values that the sequence starts from: states before step 1, and after step T where they are read from the
        future.

        Those that an equation gives, such as h_0 = tanh(V c), are among them.
        """
        found: list[e.Timed] = []
        for key in self.states if self.tree is None else ():  # a child that is not there is zero
            first, last = self.reach(key)
            shape = self.shapes[key]
            found += [e.Timed(key, 1 - lag, *shape) for lag in range(1, -first + 1)]
            found += [e.Timed(key, T + lead, *shape) for lead in range(1, last + 1)]
        return tuple(found)

    def moves_own_step(self, key: str) -> bool:
        """Whether another state of the same step is computed from this one, as h_t is from C_t.

        Starting values are given one by one and do not move each other, so ∂/∂C_0 is not ∂/∂C_k at k = 0.
        """
        reached, frontier = {key}, [key]
        while frontier:
            current = frontier.pop()
            for use in self.uses:
                if use.key == current and use.offset == 0 and use.user not in reached:
                    reached.add(use.user)
                    frontier.append(use.user)
        return any(state in reached for state in self.states if state != key)

    def quantity(self, key: str, time: Expr | None = None) -> e.Node:
        """A quantity as an expression; timed ones at ``time`` (the step's time if none is given)."""
        shape = self.shapes[key]
        timed = key in self.inputs or (key in self.definitions and self.is_timed(key))
        return e.Timed(key, self.place_of(key) if time is None else time, *shape) if timed else e.Var(key, *shape)

    def place_of(self, key: str) -> Expr:
        """Where the equations compute or read a timed quantity: at the step's time, or on the edge to a child."""
        return self.tree.edge if self.tree is not None and key in self.on_edges else self.time

    @cached_property
    def on_edges(self) -> frozenset[str]:
        """Quantities of an edge between a node and its child, such as one forget gate for each child."""
        timed = [q.lhs for q in self.steps] + [leaf for q in self.steps for leaf in leaves(q.rhs)]
        return frozenset(leaf.name for leaf in timed if isinstance(leaf, e.Timed) and isinstance(leaf.time, e.Edge))

    def resolve_name(self, name: str) -> str:
        """The key of a name in any of its spellings.

        Raises
        ------
        UnknownNameError : nothing has that name; the message lists what there is.
        """
        every = [*self.definitions, *self.inputs, *self.parameters]
        if name in every:
            return name
        by_alias = [key for key in every if alias_of(key) == name]
        if len(by_alias) == 1:
            return by_alias[0]
        for text in (name, f"{name}_{{{self.time}}}"):  # in LaTeX, with the time or without
            try:
                node = self.read(text)
            except BpttError:
                continue
            if isinstance(node, (e.Timed, e.Var)) and node.name in every:
                return node.name
        raise UnknownNameError(f"the cell has no quantity called {name}", expected=f"one of {', '.join(every)}")

    @cached_property
    def named_preactivations(self) -> Mapping[str, str]:
        """Quantities with a name in the cell that an activation is applied to, and what it gives: z of h_t = σ(z_t)."""
        found = {}
        for q in self.steps:
            inside = q.rhs.operands[0] if isinstance(q.rhs, (e.Apply, e.Softmax)) else None
            if not isinstance(inside, e.Timed) or not isinstance(q.lhs, e.Timed) or inside.time != q.lhs.time:
                continue
            if inside.name in self.definitions and inside.name not in (*self.preactivations, *self.states):
                found[inside.name] = q.key
        return found

    @cached_property
    def adjoint_names(self) -> Mapping[str, str]:
        """The name of each quantity's adjoint: δ (with the label of z) for pre-activations, a bar (or an accent that
        the cell does not use) for all others. Where the cell names what an activation of a state is applied to, as in
        z_t = W h_{t-1}, h_t = tanh(z_t), δ with its label is left to it: people write δ_t for that, and not for what an
        output is made of.
        """
        taken = set(self.shapes)
        named = [QName.from_key(key) for key, owner in self.named_preactivations.items() if owner in self.states]
        left = {(name.subs, name.sups) for name in named}
        letter = next(
            name
            for name in ("delta", "lambda", "mu", "epsilon")
            if not any(QName.from_key(key).base == name for key in taken)
        )
        accent = next(
            mark
            for mark in ("bar", "breve", "check", "ddot")
            if not any(mark in QName.from_key(key).accents for key in taken)
        )
        names = {}
        for key in (*self.definitions, *self.inputs, *self.parameters):
            name = QName.from_key(key)
            if key in self.preactivations and (name.subs, name.sups) not in left:
                names[key] = QName(letter, (), name.subs, name.sups).key
            else:
                names[key] = name.with_accent(accent).key
        return names

    @cached_property
    def adjoint_owners(self) -> Mapping[str, str]:
        """The quantity of each adjoint's name."""
        return {name: key for key, name in self.adjoint_names.items()}

    @cached_property
    def context(self) -> Context:
        """What formulas about this cell may use, pre-activations included."""
        known = self.text.context
        defined = {q.key for q in self.steps if isinstance(q.lhs, e.Timed)}
        losses = {self.loss_name, self.step_loss_name}
        loss = dict.fromkeys(losses, (Integer(1), Integer(1)))
        adjoints = {name: self.shapes[key] for name, key in self.adjoint_owners.items() if key not in self.labels}
        timed = {name for name, key in self.adjoint_owners.items() if isinstance(self.quantity(key), e.Timed)}
        scope = known.scope.with_names(
            timed=defined | set(self.inputs) | {self.step_loss_name} | (timed & set(adjoints)),
            names=set(self.shapes) - losses | set(adjoints),
        )
        sizes = {str(symbol) for shape in self.shapes.values() for size in shape for symbol in size.free_symbols}
        scope = replace(
            scope,
            sizes=scope.sizes | sizes - scope.names,
            functions=scope.functions | self._abstract_functions(),
            on_edges=self.on_edges | {name for name, key in self.adjoint_owners.items() if key in self.on_edges},
        )
        bare: dict[str, set[e.Node]] = {}
        for q in self.steps:
            for node in e.children_first(q.rhs):
                if isinstance(node, e.Apply):
                    bare.setdefault(node.function, set()).add(node.argument)
        unique = {name: next(iter(arguments)) for name, arguments in bare.items() if len(arguments) == 1}
        return Context(scope, {**adjoints, **self.shapes, **loss}, self.layout, unique, self.classes)

    @cached_property
    def classes(self) -> Mapping[str, Expr]:
        """How many values each label takes: the size of the one-hot vectors that it chooses."""
        found = {}
        for body in (*(q.rhs for q in self.steps), *(term.body for term in self.loss_terms)):
            for hot in body.atoms(e.OneHot):
                rows, columns = hot.shape
                for label in hot.label.atoms(e.Timed, e.Var):
                    found[label.name] = columns if rows == 1 else rows
        return found

    def _abstract_functions(self) -> frozenset[str]:
        applied = (node for q in self.steps for node in e.children_first(q.rhs) if isinstance(node, e.Apply))
        return frozenset(node.function for node in applied if node.declaration is None)

    def read(self, text: str) -> e.Node:
        """A formula about this cell as an expression."""
        return read_formula(text, self.context)

    # -- order -------------------------------------------------------------------------------------

    def _ordered(self, equations: Sequence[Equation]) -> tuple[Equation, ...]:
        return within_step(equations, {q.key: tuple(self._same_step(q)) for q in equations})

    def _same_step(self, equation: Equation) -> Iterator[str]:
        for leaf in leaves(equation.rhs):
            timeless = isinstance(leaf, e.Var) or isinstance(equation.lhs, e.Var)
            if timeless or leaf.time in (self.time, equation.lhs.time) or isinstance(leaf.time, e.Edge):
                yield leaf.name

    @cached_property
    def sweeps(self) -> tuple[Sweep, ...]:
        """The sweeps over time that compute all quantities, each after those that it reads."""
        offsets: dict[tuple[str, str], set[int]] = {}
        for use in self.uses:
            offsets.setdefault((use.user, use.key), set()).update(() if use.offset is None else (use.offset,))
        return sweeps(self.steps, {pair: frozenset(found) for pair, found in offsets.items()})

    # -- loss --------------------------------------------------------------------------------------

    def _step_loss_name(self, loss: e.Node | None) -> str:
        if loss is not None:
            called = [call.value.name for call in loss.atoms(e.Call) if isinstance(call.value, e.Timed)]
            named = [
                leaf.name
                for leaf in leaves(loss)
                if isinstance(leaf, e.Timed) and QName.from_key(leaf.name).base in {*LOSS_LETTERS, self.loss_name}
            ]
            for name in (*called, *named):
                return name
        return self.loss_name

    def _loss_terms(self, loss: e.Node | None) -> tuple[LossTerm, ...]:
        step_loss = e.Timed(self.step_loss_name, self.time)
        if loss is None:
            if not any(isinstance(q.lhs, e.Timed) for q in self.steps):
                return ()
            body: e.Node = step_loss if self.step_loss_name in self.definitions else self._abstract(step_loss)
            return (LossTerm(Integer(1), T, body),)
        terms = loss.operands if isinstance(loss, e.Plus) else (loss,)
        return tuple(self._loss_term(term) for term in terms)

    def _abstract(self, step_loss: e.Node) -> e.Node:
        shapes = {q.key: q.lhs.shape for q in self.steps}
        read = {
            leaf.name
            for q in self.steps
            for leaf in leaves(q.rhs)
            if isinstance(leaf, e.Timed) and leaf.time == self.time
        }
        sinks = [
            q.key
            for q in self.equations
            if q.key not in read and isinstance(q.lhs, e.Timed) and q.key not in self.on_edges
        ]
        return e.Call(step_loss, *(e.Timed(key, self.time, *shapes[key]) for key in sinks))

    def _loss_term(self, term: e.Node) -> LossTerm:
        term = _factor_inside(term)
        if isinstance(term, e.SumOver):
            foreign = sorted(map(str, (term.lower.free_symbols | term.upper.free_symbols) - {T}))
            if foreign:
                raise CellError(
                    f"the loss sums up to {foreign[0]}, but the length of the sequence is called T",
                    span=self.text.loss_span,
                    expected="bounds made of T and numbers, as in \\sum_{t=1}^{T}",
                )
            body = term.body.xreplace({term.index: self.time})
            return LossTerm(term.lower, term.upper, self._with_arguments(body))
        times = {leaf.time for leaf in leaves(term) if isinstance(leaf, e.Timed)}
        if self.time in term.free_symbols:
            raise CellError(
                f"the loss is left with {self.time}, which it does not sum over",
                span=self.text.loss_span,
                expected="L = \\sum_{t=1}^{T} ..., or a loss at T",
            )
        if len(times) != 1 or term.has(e.SumOver):
            return LossTerm(T, T, self._with_arguments(term))
        when = times.pop()
        body = term.xreplace({leaf: leaf.at(self.time) for leaf in leaves(term) if isinstance(leaf, e.Timed)})
        return LossTerm(when, when, self._with_arguments(body))

    def _with_arguments(self, body: e.Node) -> e.Node:
        """``L_t`` that is neither defined nor given arguments depends on what nothing else in the step reads."""
        if isinstance(body, e.Timed) and body.name == self.step_loss_name and body.name not in self.definitions:
            return self._abstract(body)
        return body


def _factor_inside(term: e.Node) -> e.Node:
    """A sign or a constant factor before a sum over time, taken into the sum."""
    if isinstance(term, e.Neg):
        inner = _factor_inside(term.operands[0])
        return (
            e.SumOver(inner.index, inner.lower, inner.upper, make.neg(inner.body))
            if isinstance(inner, e.SumOver)
            else term
        )
    if isinstance(term, (e.Times, e.Divide)):
        sums = [factor for factor in term.operands if isinstance(factor, e.SumOver)]
        if len(sums) == 1 and (isinstance(term, e.Times) or term.operands[0] == sums[0]):
            total = sums[0]
            body = term.xreplace({total: total.body})
            return e.SumOver(total.index, total.lower, total.upper, body)
    return term


def leaves(node: e.Node) -> tuple[e.Timed | e.Var, ...]:
    """Quantities in a formula, each once, in reading order; the names of abstract values are not quantities."""
    found: dict[e.Timed | e.Var, None] = {}
    stack: list[e.Node] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, (e.Timed, e.Var)):
            found.setdefault(current)
        elif isinstance(current, e.Call):
            stack.extend(reversed(current.arguments))
        else:
            stack.extend(reversed(current.operands))
    return tuple(found)


__all__ = ["LossTerm", "QName", "RecurrentSystem", "T", "Use", "leaves"]
