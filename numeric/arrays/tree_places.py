"""Where quantities stand in a tree: node j in row j, with a row 0 of zeros for a child that is not there and a row T + 1 above
the roots. The quantity of an edge stands in the row of its child.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sympy import Expr, Symbol

from derive import expressions as e
from derive.system import T
from numeric.arrays.code import ArrayCode, Code, number_code
from numeric.arrays.library import Library
from numeric.arrays.places import STEP, Places, condition_code
from numeric.program import Storage

NODE = f"{STEP} + 1"
"""The row of the node that a step computes."""
ALL = "1:-1"
"""The rows of all nodes."""


class TreePlaces(Places):
    """Rows for the letters of nodes.

    Parameters
    ----------
    rows : for each letter the rows that it stands for, and whether they are many (a leading axis).
    """

    def __init__(
        self,
        storages: Mapping[str, Storage],
        called: Callable[[str], str],
        clock: Symbol,
        library: Library,
        rows: Mapping[Symbol, tuple[str, bool]],
        helpers: set[str],
    ) -> None:
        super().__init__(storages, called, clock, library)
        self.rows = dict(rows)
        self.helpers = helpers

    def having(self, rows: Mapping[Symbol, tuple[str, bool]]) -> TreePlaces:
        """The same with other letters."""
        found = TreePlaces(self.storages, self.called, self.clock, self.library, {**self.rows, **rows}, self.helpers)
        found.sums = self.sums
        return found

    # -- rows --------------------------------------------------------------------------------------

    def row(self, index: Expr) -> tuple[str, bool]:
        """The rows of a node, or of the edge above it."""
        if isinstance(index, e.Edge):
            return self.row(index.child)
        if isinstance(index, e.NodeIndex):
            inner, many = self.row(index.node)
            name = (
                "parent"
                if isinstance(index, e.Parent)
                else f"child_{index.position}"
                if isinstance(index, e.OrderedChild)
                else ""
            )
            return f"{name}[{inner}]", many
        if index == T:
            return "-2", False
        if index.is_Integer:
            return str(index), False
        if isinstance(index, Symbol) and index in self.rows:
            return self.rows[index]
        return number_code(index, {}), False

    def timed(self, leaf: e.Timed) -> Code:
        storage, name = self.storages[leaf.name], self.called(leaf.name)
        body = sum(size != 1 for size in leaf.shape)
        if storage.local:
            return Code(name, 1, body)
        row, many = self.row(leaf.time)
        return Code(f"{name}[{row}]", 2 if many else 1, body)

    def number(self, value: Expr) -> Code:
        letters = value.free_symbols & set(self.rows)
        if not letters:
            return super().number(value)
        many = any(self.rows[letter][1] for letter in letters)
        found = {index: Symbol(self._numbers(index)) for index in value.atoms(e.NodeIndex) if value.has(index)}
        outer = value.xreplace(found)
        texts = {letter: self._numbers(letter) for letter in outer.free_symbols & set(self.rows)}
        if value.is_Piecewise:
            condition = condition_code(outer.args[0].cond, texts)
            if not many:
                return Code(f"float({condition})", 0, 0)
            return Code(f"{self.library.write('cast', x=f'({condition})')}[:, None]", 2, 0)
        text = number_code(outer, texts)
        return Code(f"({text})[:, None]", 2, 0) if many else Code(text, 0, 0, 2)

    def _numbers(self, index: Expr) -> str:
        """The numbers of nodes."""
        row, _ = self.row(index)
        return f"nodes[{row}]" if isinstance(index, Symbol) else row

    # -- sums over children ------------------------------------------------------------------------

    def over_children(self, node: e.SumOverChildren) -> Code:
        row, many = self.row(node.node)
        if not many:
            inner = self.having({node.index: (f"children[{row}]", True)})
            code = ArrayCode(inner, self.helpers)(node.body)
            if code.lead < 2:
                return Code(f"len(children[{row}]) * {code.at(4)}", code.lead, code.body, 3)
            return Code(f"{code.at(6)}.sum(0)", 1, code.body)
        letters = {node.index: (ALL, True)}
        if isinstance(node.node, Symbol):
            letters[node.node] = (f"parent[{ALL}]", True)
        code = ArrayCode(self.having(letters), self.helpers)(node.body)
        self.helpers.add("sum_by_parent")
        value = code.text
        if code.lead < 2:
            inner_shape = self.library.write("shape", x=code.text)
            shape = f"(T, {'' if code.lead else '1, '}*{inner_shape})"
            value = self.library.write("broadcast", x=code.text, shape=shape)
        return Code(f"sum_by_parent({value}, parent)[{row}]", 2, code.body)


__all__ = ["ALL", "NODE", "TreePlaces"]
