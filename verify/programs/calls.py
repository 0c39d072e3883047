"""How somebody's function is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.errors import BpttError, DataError, UsageError, clipped
from derive.notation.names import alias_of
from derive.system import RecurrentSystem
from numeric.arguments import Signature
from numeric.draws import run_of
from numeric.trees import Tree
from numeric.validate_compiled import arguments
from verify.programs.cases import Case, targets_of
from verify.programs.naming import Naming
from verify.programs.returned import Returned, read

GROUPS = ("params", "inputs", "initial_state", "cotangents", "targets", "length", "tree")
_LENGTHS = ("T", "length", "steps", "seq_len", "n_steps")


@dataclass(frozen=True)
class Answer:
    """What one call gave.

    Parameters
    ----------
    arrays  : by name.
    unnamed : what is said of arrays without a name.
    changed : arguments that the function has changed.
    """

    arrays: Mapping[str, Returned]
    unnamed: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class _Slot:
    """What a parameter of the function stands for: a quantity of a group, one step of it, or the group as a whole."""

    group: str
    key: str = ""
    step: int | None = None


class Group(dict[str, Any]):
    """Arrays by name, which are found by the other spellings of their names as well: ``h`` and ``h[0]`` for ``h_0``."""

    def __init__(self, values: Mapping[str, Any], spellings: Mapping[str, str]) -> None:
        super().__init__(values)
        self.spellings = spellings

    def __missing__(self, name: str) -> Any:
        return self[self._known(name)]

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or super().__contains__(self.spellings.get(str(name), name))

    def get(self, name: str, default: Any = None) -> Any:
        try:
            return self[name]
        except KeyError:
            return default

    def _known(self, name: str) -> str:
        known = self.spellings.get(name, name)
        if not super().__contains__(known) or known == name:
            raise KeyError(name)
        return known


class Caller:
    """Calls a function with the arrays of a case.

    Parameters
    ----------
    function : takes the groups of ``bptt.compile``'s functions (params, inputs, ...), or quantities by name.
    torch    : whether it takes tensors.
    batch    : whether arrays have a batch axis.
    returns  : names of what it returns, where it returns arrays without names.
    """

    def __init__(
        self,
        system: RecurrentSystem,
        function: Callable[..., Any],
        torch: bool = False,
        batch: bool = False,
        returns: Sequence[str] | None = None,
    ) -> None:
        self.system, self.function, self.torch, self.batch = system, function, torch, batch
        self.returns, self.naming, self.signature = returns, Naming(system), Signature(system)
        self.slots = dict(self._slots())
        if not self.slots:
            raise UsageError(
                "the function takes no quantity by its name",
                expected=f"parameters such as {self._examples()}, or {', '.join(GROUPS)}",
            )

    # -- what it takes ---------------------------------------------------------------------------------

    def _slots(self) -> Iterator[tuple[str, _Slot]]:
        """What the parameters of the function stand for; those with a default may stand for nothing."""
        parameters = _parameters(self.function)
        required = [name for name, optional in parameters if not optional]
        grouped = all(name in GROUPS for name in required)
        for name, optional in parameters:
            slot = _Slot(name) if grouped and name in GROUPS else None if grouped and required else self._slot(name)
            if slot is not None:
                yield name, slot
            elif not optional:
                raise UsageError(
                    f"the function takes {name}, which is no quantity of the cell",
                    expected=f"{self._examples()}, or {', '.join(GROUPS)}",
                )

    def _slot(self, name: str) -> _Slot | None:
        if name in GROUPS:
            return _Slot(name)
        key = self.naming.key(name)
        if key in self.system.parameters or key in self.system.inputs:
            return _Slot("params" if key in self.system.parameters else "inputs", str(key))
        start = self.naming.start(name)
        if start is not None:
            return _Slot("initial_state", str(start)) if start not in self.system.initial else None
        for text in self.naming.differentiated(name):
            key = self.naming.key(text)
            if key in self._cotangents:
                return _Slot("cotangents", str(key))
        stepped = self.naming.at_step(name)
        if stepped is not None and stepped[0] in self.system.inputs:
            return _Slot("inputs", *stepped)
        return _Slot("length") if name in _LENGTHS else None

    @property
    def _cotangents(self) -> tuple[str, ...]:
        from numeric.lower import abstract_arguments

        return tuple(abstract_arguments(self.system))

    def _examples(self) -> str:
        known = [alias_of(key) for key in (*self.system.parameters, *self.system.inputs)]
        known += [f"{alias_of(start.name)}_{start.time}" for start in self.signature.given_starts]
        return ", ".join([*known, *(f"d{alias_of(key)}" for key in self._cotangents)])

    @property
    def length(self) -> int | None:
        """The length of the sequence, where the function takes every step of an input by itself."""
        return max((slot.step for slot in self.slots.values() if slot.step is not None), default=None)

    @property
    def untaken_starts(self) -> tuple[str, ...]:
        """Starting values that the function does not take, as they are written."""
        taken = {slot.key for slot in self.slots.values() if slot.group == "initial_state"}
        every = [str(start) for start in self.signature.given_starts]
        return () if "" in taken else tuple(start for start in every if start not in taken)

    @property
    def untaken_cotangents(self) -> tuple[str, ...]:
        """Quantities of which the function does not take the gradient that an abstract loss passes."""
        taken = {slot.key for slot in self.slots.values() if slot.group == "cotangents"}
        return () if "" in taken else tuple(key for key in self._cotangents if key not in taken)

    @property
    def own_targets(self) -> frozenset[str]:
        """Targets without a time of which each sequence of a batch has its own."""
        every = targets_of(self.system) & set(self.system.parameters)
        return every if self.batch and "targets" in self.slots else frozenset()

    # -- calling ---------------------------------------------------------------------------------------

    def __call__(self, case: Case) -> Answer:
        """What the function returns, by name.

        Raises
        ------
        DataError : it raises something itself, or returns no arrays with names.
        """
        given = self._given(case)
        chosen = {name: self._converted(self._chosen(slot, given)) for name, slot in self.slots.items()}
        before = {name: self._converted(self._chosen(slot, given)) for name, slot in self.slots.items()}
        try:
            with np.errstate(all="ignore"):
                result = self.function(**chosen)
        except Exception as error:
            raise DataError(
                f"the function raises {type(error).__name__} for {case.said}: {clipped(str(error), 200)}",
                expected="arrays, from " + ", ".join(_shapes(before)),
            ) from error
        arrays, unnamed = read(result, self.returns)
        return Answer(arrays, unnamed, tuple(_changed(before, chosen)))

    def _given(self, case: Case) -> dict[str, Any]:
        draws = [point.drawn for point in case.points]
        found = arguments(self.system, draws, [run_of(self.system, one) for one in draws])
        system, own = self.system, self.own_targets
        if not self.batch:
            for group, axis in (("inputs", 1), ("initial_state", 0), ("cotangents", 1)):
                found[group] = {key: np.squeeze(value, axis) for key, value in found[group].items()}
        for group in ("params", "inputs"):
            found[group] = {key: v.astype(int) if key in system.labels else v for key, v in found[group].items()}
        targets = {
            key: found[group].pop(key) if "targets" in self.slots else found[group][key]
            for key in targets_of(system)
            for group in ("params", "inputs")
            if key in found[group]
        }
        for key in own & set(targets):
            values = [one.given[(key, None)].reshape(targets[key].shape) for one in draws]
            targets[key] = np.array(values).astype(int) if key in system.labels else np.array(values)
        tree = draws[0].tree
        groups = {**found, "targets": targets}
        named = {name: Group(groups[name], self.signature.names[name]) for name in GROUPS[:5]}
        named["initial_state"] = Group(
            {self._start_name(key): value for key, value in found["initial_state"].items()}, self._start_names()
        )
        return {**named, "length": case.length, "tree": None if tree is None else _tree(tree)}

    def _start_name(self, written: str) -> str:
        start = next(one for one, name in self.signature.given_starts.items() if name == written)
        return f"{alias_of(start.name)}_{start.time}"

    def _start_names(self) -> dict[str, str]:
        return {
            spelling: self._start_name(written) for spelling, written in self.signature.names["initial_state"].items()
        }

    def _chosen(self, slot: _Slot, given: Mapping[str, Any]) -> Any:
        if not slot.key:
            return given[slot.group]
        if slot.group == "initial_state":
            return given[slot.group][self._start_name(slot.key)]
        value = given[slot.group][slot.key]
        return value if slot.step is None else value[slot.step - 1]

    def _converted(self, value: Any) -> Any:
        """A copy, as a tensor where the function takes tensors."""
        if isinstance(value, Group):
            return Group({key: self._converted(part) for key, part in value.items()}, value.spellings)
        if self.torch and isinstance(value, np.ndarray | np.generic):
            import torch

            return torch.from_numpy(np.array(value))
        return np.array(value) if isinstance(value, np.ndarray | np.generic) else value


def _parameters(function: Callable[..., Any]) -> list[tuple[str, bool]]:
    """The names of what a function takes, and whether it can do without."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise UsageError(
            f"{clipped(repr(function), 60)} does not say what it takes", expected="a Python function"
        ) from None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [
        (name, one.default is not inspect.Parameter.empty)
        for name, one in signature.parameters.items()
        if one.kind in kinds
    ]


def _tree(tree: Tree) -> Any:
    """The parents of a tree; the tree itself, where children have other places than in the order of their numbers."""
    return list(tree.parents) if Tree(tree.parents) == tree else tree


def _shapes(given: Mapping[str, Any]) -> Iterator[str]:
    """The arguments of a call in words."""
    for name, value in given.items():
        if isinstance(value, Mapping):
            yield from _shapes({f"{name}[{key!r}]": part for key, part in value.items()})
        elif hasattr(value, "shape"):
            yield f"{name} {tuple(value.shape)}"


def _changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The arguments that are not what they were."""
    for name, value in before.items():
        if isinstance(value, Mapping):
            if set(value) != set(after[name]):
                yield name
            else:
                yield from (f"{name}[{key!r}]" for key in _changed(value, after[name]))
        elif hasattr(value, "shape"):
            other = after[name]
            try:
                old, new = (np.asarray(one.detach() if hasattr(one, "detach") else one) for one in (value, other))
            except (TypeError, ValueError, BpttError):
                continue
            if not np.array_equal(old, new, equal_nan=old.dtype.kind == "f"):
                yield name


__all__ = ["GROUPS", "Answer", "Caller", "Group"]
