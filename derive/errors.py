"""The one tree of errors that users of bptt meet.

Every error says what was found, where, what was expected and what to do. Errors about somebody's text carry a
:class:`~derive.notation.source.Span`, from which the line, the column and a caret under the user's own characters come.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.notation.source import Span


class BpttError(Exception):
    """Base of every error that bptt raises on purpose.

    Parameters
    ----------
    message : what was found (one sentence, no final stop).
    span    : where, in the user's own text.
    expected: what would have been right there.
    hint    : what was probably meant, or what to do.
    """

    def __init__(
        self,
        message: str,
        *,
        span: Span | None = None,
        expected: str | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.span = span
        self.expected = expected
        self.hint = hint

    def at(self, span: Span) -> BpttError:
        """This error, located at ``span`` unless it already has a place (the innermost place is the most useful)."""
        if self.span is None:
            self.span = span
        return self

    def __str__(self) -> str:
        lines = []
        if self.span is None:
            lines.append(self.message)
        else:
            lines.append(f"{self.span.where()}: {self.message}")
            lines.append(self.span.excerpt())
        if self.expected:
            lines.append(f"expected: {self.expected}")
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class ParseError(BpttError):
    """The text does not follow the notation."""


class UnknownNameError(BpttError):
    """A name stands for nothing that was defined or declared."""


class AmbiguityError(BpttError):
    """The text has several readings, and nothing in it settles which is meant."""


class ShapeError(BpttError):
    """Operands do not conform."""


class CellError(BpttError):
    """The equations are readable but are not a recurrent system (circular, defined twice, ...)."""


class MissingRuleError(BpttError):
    """No differentiation rule is declared for an operation."""


class ValidationError(BpttError):
    """A derived result disagrees with its numerical referee."""


class DataError(BpttError):
    """Arrays given by the user do not fit the cell: wrong name, shape or type."""


class UsageError(BpttError):
    """A command or a function was called with arguments that make no sense together."""


class RenderError(BpttError):
    """A document could not be made."""
