"""Why arrays are wrong: from the plain reasons to the far-fetched ones, each search for so long and no longer."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from derive.system import RecurrentSystem
from verify.limits import TooLong, limited
from verify.programs.evidence import Evidence, beyond, evidence
from verify.programs.formulas import formula_reason
from verify.programs.forward import OtherForward, other_forward
from verify.programs.measured import Measured
from verify.programs.plain import plain_reason
from verify.programs.recursion import Recursion, WrongLine, wrong_line
from verify.programs.slips import Slipped, slips

SECONDS = {"slips": 0.7, "plain": 0.7, "forward": 1.5, "recursion": 4.0, "formulas": 0.8}
"""How long each kind of reason is searched for, in seconds of work."""


def why(system: RecurrentSystem, measured: Sequence[Measured]) -> dict[str, str]:
    """Reasons by the names of the arrays, for as many of the wrong ones as can be."""
    search = _Search(system, evidence(measured))
    for stage in (search.slips, search.plain, search.forward, search.recursion, search.formulas):
        if search.left:
            stage()
    rare = _Search(system, beyond(measured))  # no formula is wrong where short sequences are right
    if rare.left:
        rare.plain()
    return {**rare.said, **search.said}


@contextlib.contextmanager
def _for(kind: str) -> Iterator[None]:
    """What is found in time is kept."""
    with contextlib.suppress(TooLong), limited(SECONDS[kind]):
        yield


class _Search:
    """What has been found so far."""

    def __init__(self, system: RecurrentSystem, found: Sequence[Evidence]) -> None:
        self.system, self.found = system, list(found)
        self.said: dict[str, str] = {}
        self.line = Recursion.derived(system)
        self.other: OtherForward | None = None

    @property
    def left(self) -> list[Evidence]:
        """The wrong arrays without a reason."""
        return [one for one in self.found if one.wrong and one.name not in self.said]

    def plain(self) -> None:
        with _for("plain"):
            for one in self.left:
                said = plain_reason(self.system, one)
                if said:
                    self.said[one.name] = said

    def slips(self) -> None:
        """A function that is computed wrongly; what it leaves unexplained is wrong beside it."""
        best: Slipped | None = None
        most = 0
        with _for("slips"):
            for slipped in map(Slipped, slips(self.system)):
                explained = [one for one in self.left if slipped.explains(one)]
                count = len(explained) if any(one.target.differentiated for one in explained) else 0
                if count > most:
                    best, most = slipped, count
        if best is None:
            return
        held = [best.of(one) for one in self.found]
        for one, other in zip(self.found, held, strict=True):
            if one.wrong and not other.wrong:
                self.said[one.name] = f"{best.slip.function}(x) is computed as {best.slip.said}"
        self.found = held

    def forward(self) -> None:
        """Another forward pass. Where the states are returned, they tell whether there is one."""
        states = [one for one in self.found if one.target.kind == "state"]
        suspect = any(one.wrong for one in states) if states else 2 * len(self.left) > len(self.found)
        if not suspect or len(self.left) < min(2, len(self.found)):
            return
        with _for("forward"):
            for other in other_forward(self.system, self.found):
                self.other = other
        if self.other is not None and self.other.whole:
            self._take(self.other)

    def recursion(self) -> None:
        """A wrong line of the backward pass; or another forward pass, if that explains more."""
        found: WrongLine | None = None
        with _for("recursion"):
            for line in wrong_line(self.system, [one for one in self.found if one.name not in self.said]):
                found = line
        explained = () if found is None else found.explained
        if self.other is not None and len(self.other.explained) > len(explained):
            self._take(self.other)
            self.plain()
        elif found is not None:
            self.said.update({one.name: found.said for one in found.explained})
            self.line = found.recursion

    def _take(self, other: OtherForward) -> None:
        """From here on the arrays are held against those of another cell."""
        self.said.update({one.name: other.said for one in other.explained})
        self.system, self.found, self.line = other.system, list(other.found), Recursion.derived(other.system)
        self.other = None

    def formulas(self) -> None:
        """A wrong formula of one gradient."""
        with _for("formulas"):
            for one in self.left:
                said = formula_reason(self.line, one)
                if said:
                    self.said[one.name] = said


__all__ = ["why"]
