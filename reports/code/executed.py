"""One piece of code and what came out of it, as data that every output writes in its own way."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Printed:
    """What the code printed, or the value of its last expression (``value``)."""

    text: str
    value: bool = False


@dataclass(frozen=True)
class Raised:
    """The error that ended the code, where one was expected."""

    kind: str
    message: str

    @property
    def text(self) -> str:
        """The line that Python prints for it."""
        return f"{self.kind}: {self.message}" if self.message else self.kind


@dataclass(frozen=True)
class Picture:
    """What the code drew, as SVG; ``png`` where that is what came. Lengths are in centimetres."""

    svg: str
    width: float
    height: float
    png: bytes = b""


Output = Printed | Raised | Picture


@dataclass(frozen=True)
class Executed:
    """Code that was run. ``source`` is what is shown; in ``student``, parts are left out that students write; None
    where students get nothing of it.
    """

    source: str
    student: str | None
    outputs: tuple[Output, ...] = ()
    name: str = ""
    shown: bool = True
    """Whether pages show anything of it."""
    outputs_shown: bool = True
    raises: bool = False
    """Whether it ends with an error."""

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The pictures that pages show."""
        return tuple(output for output in self.visible if isinstance(output, Picture))

    @property
    def visible(self) -> tuple[Output, ...]:
        """The outputs that pages show."""
        return self.outputs if self.shown and self.outputs_shown else ()

    def for_students(self) -> Executed | None:
        """The same with gaps in the place of solutions and without outputs; None where students get nothing of it."""
        return None if self.student is None else replace(self, source=self.student, outputs=())
