"""What names mean: those of arrays that a function returns, and those of what it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sympy import Expr, Integer

from derive import expressions as e
from derive.notation.names import alias_of
from derive.system import RecurrentSystem, T

_STEP = re.compile(r"^(?P<name>.*?\D)_?\{?(?P<step>\d+)\}?$")
_BEFORE = re.compile(
    r"(?:d(?:loss|L|l|E|J)[_/]?d_?|∂L?/?∂|(?:grad|gradient|nabla)(?:_L)?_?|∇_?|∂|[dgD]_?)", re.IGNORECASE
)
_AFTER = re.compile(r"_?(?:grad|gradient|bar|delta)$")
_LOSSES = ("loss", "L", "total_loss", "cost")


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
    time: Expr | None = None

    def __str__(self) -> str:
        shown = self.key if self.time is None else f"{self.key} at step {self.time}"
        return {
            "gradient": f"the gradient by {shown}",
            "share": f"what step {self.time} adds to the gradient by {self.key}",
            "adjoint": f"the gradient by {shown}",
            "state": shown,
            "loss": "the loss",
        }[self.kind]

    @property
    def differentiated(self) -> bool:
        """Whether it is a derivative of the loss."""
        return self.kind in ("gradient", "share", "adjoint")

    def step(self, length: int) -> int | None:
        """The step in a sequence of some length."""
        return None if self.time is None else int(self.time.xreplace({T: Integer(length)}))

    def over_time(self, system: RecurrentSystem) -> bool:
        """Whether the array has a row for each step."""
        return self.kind != "loss" and self.time is None and isinstance(system.quantity(self.key), e.Timed)


class Naming:
    """The names of a cell's quantities as programs write them: ``C_tilde`` and ``Ctilde`` for \\tilde{C}."""

    def __init__(self, system: RecurrentSystem) -> None:
        self.system = system
        self._keys = dict.fromkeys((*system.parameters, *system.inputs, *system.definitions))
        self._starts = {
            _compact(f"{spelling}{start.time}"): start
            for start in system.starts
            for spelling in (start.name, alias_of(start.name))
        }

    def key(self, name: str) -> str | None:
        """The quantity with a name; None where there is none, or several."""
        for key in self._keys:
            if name in (key, alias_of(key)):
                return key
        alike = [key for key in self._keys if _compact(name) in (_compact(key), _compact(alias_of(key)))]
        return alike[0] if len(alike) == 1 else None

    def start(self, name: str) -> e.Timed | None:
        """The starting value with a name: ``h_0``, ``h0``."""
        return self._starts.get(_compact(name))

    def at_step(self, name: str) -> tuple[str, int] | None:
        """A quantity and the step that a name ends with."""
        match = _STEP.match(name)
        key = self.key(match["name"]) if match else None
        return None if key is None or match is None else (key, int(match["step"]))

    def differentiated(self, name: str) -> Iterator[str]:
        """What a name is that of a gradient by: ``W`` for ``dW``, ``grad_W``, ``dL_dW``, ``W_grad``."""
        for end in range(1, min(len(name), 14)):
            if _BEFORE.fullmatch(name[:end]):
                yield name[end:]
        after = _AFTER.search(name)
        if after is not None:
            yield name[: after.start()]

    def target(self, name: str) -> Target | None:
        """What a returned array is; None for what is no quantity of the cell."""
        if name in (*_LOSSES, self.system.loss_name, alias_of(self.system.loss_name)):
            return Target("loss", self.system.loss_name)
        for adjoint, owner in self.system.adjoint_owners.items():
            if name in (adjoint, alias_of(adjoint)):
                return self._derivative(owner, None)
        plain = self._target(name, False)
        found = (self._target(text, True) for text in self.differentiated(name)) if plain is None else iter((plain,))
        return next((target for target in found if target is not None), None)

    def _target(self, text: str, marked: bool) -> Target | None:
        """``marked``: whether the name says that it is a gradient."""
        key = self.key(text)
        if key is not None:
            return self._derivative(key, None) if marked or key not in self.system.definitions else Target("state", key)
        start = self.start(text)
        if start is not None:
            return Target("gradient", start.name, start.time)
        stepped = self.at_step(text)
        if stepped is None:
            return None
        key, step = stepped
        if marked or key not in self.system.definitions:
            return self._derivative(key, Integer(step))
        return Target("state", key, Integer(step))

    def _derivative(self, key: str, time: Expr | None) -> Target:
        if key in self.system.parameters:
            return Target("gradient" if time is None else "share", key, time)
        return Target("gradient" if key in self.system.inputs else "adjoint", key, time)


def _compact(name: str) -> str:
    return re.sub(r"[\\{}\[\]()_^\s]", "", name)


__all__ = ["Naming", "Target"]
