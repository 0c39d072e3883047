"""Abstract functions of a system, such as a loss L_t(h_t) of which no more is known than what it reads."""

from __future__ import annotations

from derive import expressions as e
from derive.system import RecurrentSystem


def call_behind(system: RecurrentSystem, gradient: e.Gradient) -> e.Call | None:
    """The abstract function, with its arguments, whose gradient by one of them this is: L_k(h_k) for ∇_{h_k} L_k. None
    where the gradient is of something else.
    """
    if isinstance(gradient.of, e.Call):
        return gradient.of if gradient.by in gradient.of.arguments else None
    for body in (*(term.body for term in system.loss_terms), *(q.rhs for q in system.steps)):
        for call in sorted(body.atoms(e.Call), key=str):
            moved = _at_the_time_of(call, gradient.of, system)
            if moved.value == gradient.of and gradient.by in moved.arguments:
                return moved
    return None


def _at_the_time_of(call: e.Call, value: e.Node, system: RecurrentSystem) -> e.Call:
    if isinstance(call.value, e.Timed) and isinstance(value, e.Timed):
        return call.xreplace({system.time: system.time + (value.time - call.value.time)})
    return call
