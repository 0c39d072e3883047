"""A compiled cell as a module of its own, for people to read and to keep: it needs its array library and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sympy import Integer

from derive import expressions as e
from derive.cell import Cell
from derive.errors import MissingRuleError, UsageError
from numeric.arrays.jax_library import JAX
from numeric.arrays.library import Library
from numeric.arrays.module import Writer
from numeric.arrays.numpy_library import NUMPY
from numeric.arrays.torch_library import TORCH
from numeric.lower import LOSS, abstract_arguments, cotangent_key, lower, timed_quantities
from numeric.passes import PASSES, run_passes
from numeric.stages import program
from numeric.trees import places_in

BACKENDS = ("numpy", "torch", "jax")
_LIBRARIES = {library.name: library for library in (NUMPY, TORCH, JAX)}
_KINDS = {
    "numpy": [
        "dtype = np.result_type(*(x for x in map(np.asarray, given.values()) if x.dtype.kind == 'f'), np.float32)"
    ],
    "torch": [
        "first = next(x for x in given.values() if torch.is_tensor(x) and x.is_floating_point())",
        "like = {'dtype': first.dtype, 'device': first.device}",
    ],
    "jax": [
        "dtype = jnp.result_type(*(x for x in given.values() if jnp.issubdtype(jnp.asarray(x).dtype, jnp.floating)))"
    ],
}
"""Lines that say of which type arrays are made: the arguments' own."""
_CONVERTED = {"torch": "torch.as_tensor({x})", "jax": "jnp.asarray({x})"}
_TREE = '''
def tree_arrays(parents):
    """A tree by the parent of each node 1 .. T, T + 1 for a root: parents, children, and the child at each place."""
    T = len(parents)
    children = [[] for _ in range(T + 2)]
    for node, parent in enumerate(parents, 1):
        if parent <= T:
            children[parent].append(node)
    arrays = {{
        "nodes": {nodes},
        "parent": {parent},
        "children": [{child} for below in children],
    }}
    for place in range(1, {places} + 1):
        arrays[f"child_{{place}}"] = {placed}
    return arrays


'''


def export(cell: Cell, backend: str = "numpy", cotangents: Iterable[str] | None = None) -> str:
    """The source of a module with the cell's loss and gradients, and a check of itself.

    Parameters
    ----------
    cotangents : quantities whose ∂⁺L/∂q_t will be given; what an abstract loss reads, if none are named.

    Raises
    ------
    UsageError       : there is no such backend.
    MissingRuleError : the cell holds something that is not compiled.
    """
    if backend not in BACKENDS:
        raise UsageError(f"there is no backend {backend!r}", expected=f"one of {', '.join(BACKENDS)}")
    library = _LIBRARIES[backend]
    if cell.tree is not None and library.scans:
        raise MissingRuleError(f"cells over trees are not exported for {backend}", hint="numpy and torch have them")
    keys = abstract_arguments(cell) if cotangents is None else timed_quantities(cell, cotangents, "cotangents")
    equations = run_passes(lower(cell, keys), PASSES)
    return _Module(cell, Writer(equations, program(equations), library), keys).text()


class _Module:
    def __init__(self, cell: Cell, writer: Writer, cotangents: tuple[str, ...]) -> None:
        self.cell = cell
        self.writer = writer
        self.cotangents = cotangents

    def text(self) -> str:
        """The whole module."""
        return "\n".join(
            [
                f'"""{self._opening()}"""',
                "",
                self.writer.source(comments=True),
                "",
                self._tree() + self._front(),
                "",
                "",
                self._check(),
            ]
        )

    @property
    def _library(self) -> Library:
        return self.writer.library

    def _tree(self) -> str:
        """The arrays of a tree, where the cell computes one."""
        if self.cell.tree is None:
            return ""
        made = "torch.tensor({x})" if self._library is TORCH else "np.array({x}, dtype=np.intp)"
        empty = "torch.tensor({x}, dtype=torch.int64)" if self._library is TORCH else made
        return _TREE.format(
            nodes=made.format(x="range(T + 2)") if self._library is NUMPY else "torch.arange(T + 2)",
            parent=made.format(x="[T + 1, *parents, T + 1]"),
            child=empty.format(x="below"),
            places=places_in([q.rhs for q in self.cell.steps]),
            placed=made.format(x="[below[place - 1] if len(below) >= place else 0 for below in children]"),
        ).lstrip("\n")

    # -- what it is ----------------------------------------------------------------------------------

    def _opening(self) -> str:
        lines = [f"{self.cell.title or 'A recurrent cell'}: loss, states and all gradients.", ""]
        if self.cell.citation:
            lines += [f"{self.cell.citation}.", ""]
        lines += ["Equations", "---------"]
        lines += [str(relation) for relation in self.cell.relations()]
        lines += ["", "Arrays", "------"]
        lines += [f"{name:<16} {shape}" for name, shape in self._shapes()]
        lines += ["", "Derived by bptt. Run this file to check the gradients against finite differences.", ""]
        return "\n".join(line.replace("\\", "\\\\") for line in lines)

    def _shapes(self) -> Iterator[tuple[str, str]]:
        for key in self.cell.parameters:
            yield self._called(key), self._tuple(key, ())
        for key in self.cell.inputs:
            yield self._called(key), self._tuple(key, ("T", "B")) + ("  integers" if key in self.cell.labels else "")
        for start in self.writer.starts:
            yield start.argument, self._tuple(start.leaf.name, ("B",))
        if self.cell.tree is not None:
            yield "parents", "(T,)  the parent of each node, larger than the node; T + 1 for a root"
        for key in self.cotangents:
            yield self._called(cotangent_key(key)), f"{self._tuple(key, ('T', 'B'))}  ∂L/∂{key}[t], all else held fixed"

    def _called(self, key: str) -> str:
        return self.writer.called(key)

    def _tuple(self, key: str, lead: tuple[str, ...]) -> str:
        axes = [*lead, *(str(size) for size in self.cell.shapes[key] if size != 1)]
        return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"

    # -- how it is called ------------------------------------------------------------------------------

    def _front(self) -> str:
        timed = [*self.cell.inputs, *(cotangent_key(key) for key in self.cotangents)]
        tree = self.cell.tree is not None
        first = f"given[{self._called(timed[0])!r}].shape[:2]" if timed else "len(parents), 1" if tree else "length, 1"
        lines = [
            f"def loss_and_gradients(given, {'parents' if tree else 'length=None'}):",
            '    """Loss, states and gradients.',
            "",
            "    ``given`` holds the arrays that the module lists above, by name; starting values that are missing are zero.",
            '    """',
            f"    T, B = {first}",
            f"    sizes = {{{', '.join(f'{size!r}: {where}' for size, where in self._sizes())}}}",
        ]
        lines += [f"    {line}" for line in (*_KINDS[self._library.name], *self._defaults())]
        loss = f"kept[{LOSS!r}]" if self.writer.program.loss else "None"
        lines += [
            f"    kept = forward(T, B, sizes, {self._library.kind}, given)",
            f"    gradients = backward(T, B, sizes, {self._library.kind}, given, kept)",
            *(f"    gradients[{name!r}] = gradients[{name!r}]{rows}" for name, rows in self._cut_gradients()),
            "    states = {",
            *(
                f"        {self._called(q.key)!r}: {self._rows(q.key)},"
                for q in self.cell.equations
                if self.cell.is_timed(q.key)
            ),
            "    }",
            f"    return {loss}, states, gradients",
        ]
        return "\n".join(lines)

    def _rows(self, key: str) -> str:
        return f"kept[{self._called(key)!r}]{self._inside(key)}"

    def _inside(self, key: str) -> str:
        """The rows of t = 1 .. T, where there are others."""
        storage = self.writer.storage(key)
        first = storage.before or ""
        last = f"T + {storage.before}" if storage.before else "T"
        return f"[{first}:{last}]" if storage.timed and (storage.before or storage.after) else ""

    def _cut_gradients(self) -> Iterator[tuple[str, str]]:
        """Gradients that have rows beyond the sequence."""
        for (key, place), target in self.writer.program.gradients.items():
            rows = self._inside(target.name)
            if rows:
                yield self.writer.argument(key, place), rows

    def _sizes(self) -> Iterator[tuple[str, str]]:
        """Each size, and where it can be read off."""
        found: dict[str, str] = {}
        places = [(key, self._called(key), 0) for key in self.cell.parameters]
        places += [(key, self._called(key), 2) for key in self.cell.inputs]
        places += [(key, self._called(cotangent_key(key)), 2) for key in self.cotangents]
        places += [(start.leaf.name, start.argument, 1) for start in self.writer.starts]
        for key, name, lead in places:
            body = [size for size in self.cell.shapes[key] if size != 1]
            for axis, size in enumerate(body):
                if size.is_Symbol and str(size) not in found:
                    found[str(size)] = f"given[{name!r}].shape[{lead + axis}]"
        yield from sorted(found.items())

    def _defaults(self) -> Iterator[str]:
        if self.cell.tree is not None:
            yield "given = {**given, **tree_arrays(parents)}"
        elif self.writer.starts:
            yield "given = dict(given)"
        for start in self.writer.starts:
            body = "".join(f", {self._size(size)}" for size in start.leaf.shape if size != 1)
            zeros = self._library.write("zeros", shape=f"(B{body}{',' if not body else ''})")
            yield f"given.setdefault({start.argument!r}, {zeros})"

    @staticmethod
    def _size(size: e.Node) -> str:
        return str(size) if not getattr(size, "is_Symbol", False) else f"sizes[{str(size)!r}]"

    # -- how it checks itself --------------------------------------------------------------------------

    def _check(self) -> str:
        numbers = {
            str(s): 3 + k
            for k, s in enumerate(
                sorted({s for shape in self.cell.shapes.values() for a in shape for s in a.free_symbols}, key=str)
            )
        }
        tree, converted = self.cell.tree is not None, _CONVERTED.get(self._library.name)
        called = (
            f"loss_and_gradients({{x}}, {'parents' if tree else 'T'})" if self._library is not JAX else "compiled({x})"
        )
        lines = [
            f"def check(seed=0, T=5, B={2 if self.cell.inputs or self.cotangents else 1}, step=1e-6):",
            '    """The largest relative difference between a gradient and finite differences, along random directions."""',
            *(["    import numpy as np", ""] if self._library is not NUMPY else []),
            *(["    jax.config.update('jax_enable_x64', True)"] if self._library is JAX else []),
            "    rng = np.random.default_rng(seed)",
            f"    {', '.join(numbers) or '_'} = {', '.join(map(str, numbers.values())) or '0'}",
            "    given = {",
        ]
        lines += [f"        {line}" for line in self._random(numbers)]
        lines += [
            "    }",
            *(
                [f"    given = {{name: {converted.format(x='value')} for name, value in given.items()}}"]
                if converted
                else []
            ),
            *(["    parents = [*(T - (T - node - 1) // 2 for node in range(1, T)), T + 1]"] if tree else []),
            *(
                ["    compiled = jax.jit(lambda arrays: loss_and_gradients(arrays, T))  # once for all calls below"]
                if self._library is JAX
                else []
            ),
            "",
            "    def total(arrays):",
            f"        loss, states, _ = {called.format(x='arrays')}",
            f"        return float({self._total()})",
            "",
            f"    _, _, gradients = {called.format(x='given')}",
            "    worst = 0.0",
            "    for name, gradient in gradients.items():",
            f"        direction = {(converted or '{x}').format(x='rng.normal(size=np.shape(given[name]))')}",
            *self._simplex(),
            "        ahead, behind = ({**given, name: given[name] + sign * step * direction} for sign in (1, -1))",
            "        measured = (total(ahead) - total(behind)) / (2 * step)",
            "        derived = float((gradient * direction).sum())",
            "        difference = max(measured - derived, derived - measured)",
            "        worst = max(worst, difference / max(1.0, measured, -measured))",
            "    return worst",
            "",
            "",
            'if __name__ == "__main__":',
            "    error = check()",
            '    print(f"largest relative error against finite differences: {error:.1e}")',
            "    raise SystemExit(0 if error < 1e-5 else 1)",
            "",
        ]
        return "\n".join(lines)

    def _random(self, numbers: dict[str, int]) -> Iterator[str]:
        def shape(key: str, lead: tuple[str, ...]) -> str:
            axes = [*lead, *(str(size) for size in self.cell.shapes[key] if size != 1)]
            return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"

        for key in self.cell.parameters:
            yield f"{self._called(key)!r}: {self._value(key, shape(key, ()))},"
        for key in self.cell.inputs:
            lead = ("T", "B")
            if key in self.cell.labels:
                yield f"{self._called(key)!r}: rng.integers(0, {self._classes(key)}, size={shape(key, lead)}),"
            else:
                yield f"{self._called(key)!r}: {self._value(key, shape(key, lead))},"
        for start in self.writer.starts:
            yield f"{start.argument!r}: 0.5 * rng.normal(size={shape(start.leaf.name, ('B',))}),"
        for key in self.cotangents:
            yield f"{self._called(cotangent_key(key))!r}: rng.normal(size={shape(key, ('T', 'B'))}),"

    def _simplex(self) -> Iterator[str]:
        """Entries that add up to one do so along a direction as well."""
        names = [
            self._called(key) for key in (*self.cell.inputs, *self.cell.parameters) if key in self.cell.text.unit_sums
        ]
        if names:
            yield f"        if name in {names!r}:"
            yield "            direction = direction - direction.sum(-1)[..., None] / direction.shape[-1]"

    def _value(self, key: str, shape: str) -> str:
        limits = self.cell.text.ranges.get(key)
        if key in self.cell.text.unit_sums:
            return f"(lambda p: p / p.sum(-1, keepdims=True))(rng.uniform(0.5, 1.5, size={shape}))"
        if key in self.cell.labels:
            return "1"
        if limits is not None:
            low, high = limits.low, limits.high
            if low is not None and high is not None:
                return f"{float(low)} + {float(high - low)} * rng.uniform(0.2, 0.8, size={shape})"
            return (
                f"{float(low)} + rng.uniform(0.5, 1.5, size={shape})"
                if low is not None
                else f"{float(high or Integer(0))} - rng.uniform(0.5, 1.5, size={shape})"
            )
        return f"0.5 * rng.normal(size={shape})"

    def _classes(self, key: str) -> str:
        bodies = [q.rhs for q in self.cell.steps] + [term.body for term in self.cell.loss_terms]
        for hot in (hot for body in bodies for hot in body.atoms(e.OneHot)):
            if any(leaf.name == key for leaf in hot.label.atoms(e.Timed, e.Var)):
                return str(hot.shape[0] * hot.shape[1])
        return "2"

    def _total(self) -> str:
        parts = ["loss"] if self.writer.program.loss else []
        parts += [
            f"(given[{self._called(cotangent_key(key))!r}] * states[{self._called(key)!r}]).sum()"
            for key in self.cotangents
        ]
        return " + ".join(parts) or "0.0"


__all__ = ["BACKENDS", "export"]
