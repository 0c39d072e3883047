"""How somebody's function is called, and what the arrays that it returns are called."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.errors import DataError, UsageError, clipped
from derive.notation.names import alias_of
from derive.system import RecurrentSystem
from numeric.draws import Draw, run_of
from numeric.functions import Array
from numeric.validate_compiled import arguments

GROUPS = ("params", "inputs", "initial_state", "cotangents", "targets", "length")
_GRADIENT = re.compile(r"^(?:dL_?/?d_?|grad_|gradient_|d_|d|g_)(?P<name>\w.*)$|^(?P<other>.+?)_(?:grad|gradient|bar)$")
_STEP = re.compile(r"^(?P<name>.*?\D)_?\{?(?P<step>\d+)\}?$")


@dataclass(frozen=True)
class Target:
    """What a returned array is.

    Parameters
    ----------
    kind : ``gradient`` by a parameter, an input or a starting value; ``share`` of a parameter's gradient that a step adds;
           ``adjoint`` of a quantity; ``state``, its value; ``loss``.
    key  : the quantity.
    time : the step; None for all of them, or for none.
    """

    kind: str
    key: str
    time: int | None = None

    def __str__(self) -> str:
        shown = self.key if self.time is None else f"{self.key} at step {self.time}"
        return {
            "gradient": f"the gradient by {shown}",
            "share": f"what step {self.time} adds to the gradient by {self.key}",
            "adjoint": f"the gradient by {shown}",
            "state": shown,
            "loss": "the loss",
        }[self.kind]


class Caller:
    """Calls a function with the arrays of a draw.

    Parameters
    ----------
    function : takes the groups of ``bptt.compile``'s functions (params, inputs, ...), or quantities by name.
    torch    : whether it takes tensors.
    batch    : whether arrays have a batch axis, of size one.
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
        self.returns = returns
        self.names = _parameters(function)
        self.grouped = all(name in GROUPS for name in self.names)
        self.starts = {f"{start.name}_{start.time}": start.name for start in system.starts}

    def __call__(self, drawn: Draw) -> dict[str, Array]:
        """What the function returns, by name."""
        given = self._given(drawn)
        if self.grouped:
            chosen = {name: self._converted(given[name]) for name in self.names if name in given}
        else:
            chosen = {name: self._converted(self._named(name, given)) for name in self.names}
        return self._read(self.function(**chosen))

    def _given(self, drawn: Draw) -> dict[str, Any]:
        run = run_of(self.system, drawn)
        found = arguments(self.system, [drawn], [run])
        length = drawn.sizes["T"]
        labels = {key: found["inputs"][key].astype(int) for key in self.system.labels if key in found["inputs"]}
        found["inputs"] = {**found["inputs"], **labels}
        if not self.batch:
            for group, axis in (("inputs", 1), ("initial_state", 0), ("cotangents", 1)):
                found[group] = {key: np.squeeze(value, axis) for key, value in found[group].items()}
        return {**found, "targets": {}, "length": length}

    def _named(self, name: str, given: Mapping[str, Any]) -> Any:
        """The array that a parameter of the function stands for."""
        if name in ("T", "length", "steps"):
            return given["length"]
        for group in ("params", "inputs"):
            for key, value in given[group].items():
                if name in (key, alias_of(key)):
                    return value
        for start, value in given["initial_state"].items():
            key = start.split("[")[0]
            if name in (alias_of(key), *(f"{alias_of(key)}{sign}0" for sign in ("", "_"))):
                return value
        for key, value in given["cotangents"].items():
            match = _GRADIENT.match(name)
            if match and (match["name"] or match["other"]) in (key, alias_of(key)):
                return value
        step = _STEP.match(name)
        if step:
            for key, value in given["inputs"].items():
                if step["name"] in (key, alias_of(key)) and 1 <= int(step["step"]) <= len(value):
                    return value[int(step["step"]) - 1]
        known = [alias_of(key) for key in (*given["params"], *given["inputs"])]
        known += [f"{alias_of(start.split('[')[0])}_0" for start in given["initial_state"]]
        known += [f"d{alias_of(key)}" for key in given["cotangents"]]
        raise UsageError(
            f"the function takes {name}, which is no quantity of the cell",
            expected=f"{', '.join(known)}, or {', '.join(GROUPS)}",
        )

    def _converted(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self._converted(part) for key, part in value.items()}
        if self.torch and isinstance(value, np.ndarray):
            import torch

            return torch.from_numpy(np.ascontiguousarray(value))
        return value.copy() if isinstance(value, np.ndarray) else value

    # -- results ---------------------------------------------------------------------------------------

    def _read(self, result: Any) -> dict[str, Array]:
        found: dict[str, Array] = {}
        if self.returns is not None:
            parts = result if isinstance(result, (tuple, list)) else (result,)
            if len(parts) != len(self.returns):
                raise DataError(f"the function returns {len(parts)} arrays", expected=f"{len(self.returns)}, as named")
            return {name: _array(name, part) for name, part in zip(self.returns, parts, strict=True)}
        for mapping in _mappings(result):
            for name, value in mapping.items():
                found[str(name)] = _array(str(name), value)
        if not found:
            raise DataError(
                f"the function returns {type(result).__name__}, without names",
                expected="a mapping from names such as dW to arrays, or returns=[...] with the names",
            )
        return found

    def target(self, name: str) -> Target | None:
        """What a returned array is; None for what is no quantity of the cell."""
        if name in ("loss", "L", alias_of(self.system.loss_name)):
            return Target("loss", self.system.loss_name)
        match = _GRADIENT.match(name)
        for text, marked in ((name, False), *(((match["name"] or match["other"], True),) if match else ())):
            found = self._target(text, marked)
            if found is not None:
                return found
        return None

    def _target(self, text: str, marked: bool) -> Target | None:
        """``marked``: whether the name says that it is a gradient."""
        step = _STEP.match(text)
        for name, time in ((text, None), *(((step["name"], int(step["step"])),) if step else ())):
            key = self._key(name)
            if key is None:
                continue
            if key in self.system.parameters:
                return Target("gradient" if time is None else "share", key, time)
            if key in self.system.inputs:
                return Target("gradient", key, time)
            if time == 0 and any(start == key for start in self.starts.values()):
                return Target("gradient", key, 0)
            return Target("adjoint" if marked else "state", key, time)
        return None

    def _key(self, name: str) -> str | None:
        every = (*self.system.parameters, *self.system.inputs, *self.system.definitions)
        return next((key for key in every if name in (key, alias_of(key))), None)


def _parameters(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        raise UsageError(f"{function!r} does not say what it takes", expected="a Python function") from None
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    found = tuple(
        name
        for name, one in signature.parameters.items()
        if one.kind in kinds and (one.default is inspect.Parameter.empty or name in GROUPS)
    )
    if not found:
        raise UsageError(
            "the function takes no quantity by its name",
            expected=f"parameters such as W, x, h_0, dh, or {', '.join(GROUPS)}",
        )
    return found


def _mappings(result: Any) -> Iterator[Mapping[Any, Any]]:
    if isinstance(result, Mapping):
        yield result
    elif isinstance(getattr(result, "gradients", None), Mapping):
        yield result.gradients
        if isinstance(getattr(result, "states", None), Mapping):
            yield result.states
    elif isinstance(result, (tuple, list)):
        for part in result:
            yield from _mappings(part)


def _array(name: str, value: Any) -> Array:
    try:
        return np.asarray(value.detach().cpu() if hasattr(value, "detach") else value, dtype=float)
    except (TypeError, ValueError) as error:
        raise DataError(f"{clipped(name, 60)} is no array of numbers: {clipped(str(error), 100)}") from None


__all__ = ["GROUPS", "Caller", "Target"]
