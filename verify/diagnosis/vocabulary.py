"""What may stand in a formula about a cell: its quantities by shape, their functions, and the factors that may be missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from sympy import Expr, Integer

from derive import expressions as e
from derive.errors import BpttError
from derive.expressions.node import ONE, Shape
from derive.notation.elaborate import resolve
from derive.notation.names import QName
from derive.notation.operations import Pre
from derive.notation.parser import parse_one
from derive.system import T, leaves
from verify.names import Names


class Vocabulary:
    """The words of one formula.

    Parameters
    ----------
    names : those of the cell, and the author's.
    used  : the formula, whose letters for times are used again.
    truths : what the left side is, where the engine has formulas for it, those nearest to the author's first.
    """

    def __init__(self, names: Names, used: Iterable[Pre], truths: Sequence[e.Node] = ()) -> None:
        self.truths = truths
        self.names, self.system = names, names.system
        self.context = names.context
        nodes = list(used)
        self.fractions = any(node.op == "derivative" for node in nodes)
        """Whether the author writes ∂L/∂h, and not only ∇_h L."""
        self.timed = self.context.scope.timed
        times = [node.data[1] for node in nodes if node.op == "name" and node.data[1] is not None]
        self.times: tuple[Expr, ...] = tuple(dict.fromkeys([*times, self.system.time]))
        letters = {symbol for time in self.times for symbol in time.free_symbols}
        letters |= {node.data[0] for node in nodes if node.op in ("sum", "product")}
        self.letters: tuple[Expr, ...] = tuple(sorted(letters - {T}, key=str))

    # -- names -----------------------------------------------------------------------------------------

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Shapes of everything with a name, adjoints of parameters left out: those are called gradients."""
        owners = self.system.adjoint_owners
        return {
            key: shape
            for key, shape in self.context.shapes.items()
            if key not in self.system.labels
            and key not in (self.system.loss_name, self.system.step_loss_name)
            and not (key in owners and key not in self.timed)
        }

    def others(self, key: str) -> Iterator[tuple[str, bool]]:
        """Other names that carry a time, or none, as this one does; and whether the shape is the same."""
        shape = self.context.shapes.get(key, ())
        for other, its in self.shapes.items():
            if other != key and (other in self.timed) == (key in self.timed):
                yield other, its == shape

    def name(self, key: str, time: Expr | None) -> Pre:
        return Pre("name", data=(key, time))

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The elementwise functions of the cell."""
        applied = (node for q in self.system.steps for node in e.children_first(q.rhs) if isinstance(node, e.Apply))
        return tuple(dict.fromkeys(node.function for node in applied))

    @cached_property
    def gates(self) -> tuple[dict[str, str], ...]:
        """For each pre-activation what belongs to it, by the part that it plays: itself, its output, their adjoints, and its
        parameters by their letters.
        """
        found = []
        for key, owner in self.system.preactivations.items():
            adjoints = self.system.adjoint_names
            parts = {"z": key, "out": owner, "delta": adjoints[key], "bar": adjoints[owner]}
            for leaf in leaves(self.system.definitions[key].rhs):
                if isinstance(leaf, e.Var):
                    parts[f"parameter {QName.from_key(leaf.name).base}"] = leaf.name
            found.append(parts)
        return tuple(found)

    def swaps(self) -> Iterator[dict[str, str]]:
        """Names of one gate by those of another."""
        for one in self.gates:
            for other in self.gates:
                if one is not other:
                    yield {key: other[part] for part, key in one.items() if part in other}

    @cached_property
    def summands(self) -> tuple[tuple[Pre, bool], ...]:
        """Summands that may be missing: those of the truth (True), what the loss of a step adds, and quantities."""
        parts = dict.fromkeys(part for truth in self.truths for part in _summands(truth))
        found = [(pre, True) for part in parts if (pre := self._read(part)) is not None]
        found += [(pre, True) for pre in self._as_fractions()] if self.fractions else []
        for key in self.system.definitions:
            if key in self.timed:
                for time in self.times:
                    loss = self.name(self.system.step_loss_name, time)
                    found.append((Pre("gradient", (self.name(key, time), loss)), False))
        for key, shape in self.shapes.items():
            if key in self.timed and ONE in shape:
                for piece in (self.name(key, time) for time in self.times):
                    found += [(piece, False), (Pre("neg", (piece,)), False)]
        return tuple(found)

    def _as_fractions(self) -> Iterator[Pre]:
        """∂L_t/∂h_t, which h_t adds to the loss at once, and ∂L/∂h_{t+1} ∂h_{t+1}/∂h_t, by way of the next step."""
        whole = self.name(self.system.loss_name, None)
        for key in self.system.definitions:
            for time in self.times if key in self.timed else ():
                quantity = self.name(key, time)
                yield Pre("derivative", (self.name(self.system.step_loss_name, time), quantity), "total")
        for key in self.system.states:
            for time in self.times:
                for later in range(1, self.system.max_lag + 1):
                    after = self.name(key, time + later)
                    back = Pre("derivative", (after, self.name(key, time)), "total")
                    yield Pre("times", (Pre("derivative", (whole, after), "total"), back))
                    yield Pre("derivative", (whole, after), "total")

    def _read(self, node: e.Node) -> Pre | None:
        """A formula of the engine as operations."""
        try:
            return resolve(parse_one(node.latex()).items[0], self.context)
        except BpttError:
            return None

    # -- factors ---------------------------------------------------------------------------------------

    @cached_property
    def factors(self) -> tuple[Pre, ...]:
        """Factors that may be missing, the likely ones first."""
        parts = dict.fromkeys(part for truth in self.truths[-1:] for part in _factors(truth))
        found = [pre for part in parts if (pre := self._read(part)) is not None]
        vectors: list[Pre] = []
        for key, shape in self.shapes.items():
            if key in self.timed:
                pieces = [self.name(key, time) for time in self.times]
            else:
                pieces = [self.name(key, None)]
            if shape == (ONE, ONE):
                found += pieces
            elif ONE in shape:
                vectors += pieces
            else:
                found += [piece for one in pieces for piece in (one, Pre("transpose", (one,)))]
        slopes = list(self.slopes())
        for one in (*slopes, *vectors):
            found += [one, Pre("diag", (one,)), Pre("transpose", (one,))]
        for one in vectors:
            found += [self._complement(one, power) for power in (1, 2)]
        found.append(Pre("ones"))
        found += self.jacobians()
        return tuple(found)

    def slopes(self) -> Iterator[Pre]:
        """f'(z_t) for every function of a pre-activation in the cell."""
        for q in self.system.steps:
            for node in q.rhs.atoms(e.Apply):
                argument = node.argument
                if not isinstance(argument, (e.Timed, e.Var)) or node.order:
                    continue
                times = self.times if isinstance(argument, e.Timed) else (None,)
                for time in times:
                    yield Pre("apply", (self.name(argument.name, time),), (node.function, 1))

    def jacobians(self) -> Iterator[Pre]:
        """∂s_a/∂s_b of states at two times of the formula, and ∂L_t/∂s_t."""
        for key in self.system.states:
            for a in self.times:
                for b in self.times:
                    if a != b:
                        yield Pre("derivative", (self.name(key, a), self.name(key, b)), "total")
                loss = self.name(self.system.step_loss_name, a)
                yield Pre("derivative", (loss, self.name(key, a)), "total")

    def _complement(self, vector: Pre, power: int) -> Pre:
        """1 - v, or 1 - v²."""
        body = vector if power == 1 else Pre("hadamard", (vector, vector))
        return Pre("plus", (Pre("scalar", data=(Integer(1), None)), Pre("neg", (body,))))


def _summands(node: e.Node) -> Iterator[e.Node]:
    for part in node.atoms(e.Plus):
        for term in part.operands:
            yield term
            if isinstance(term, e.Neg):
                yield term.operands[0]


def _factors(node: e.Node) -> Iterator[e.Node]:
    found = sorted({factor for part in node.atoms(e.Times, e.Hadamard) for factor in part.operands}, key=str)
    yield from (factor for factor in found if not isinstance(factor, e.Over))


__all__ = ["Vocabulary"]
