"""The one tree of errors that users of bptt meet.

Every error says what was found, where, what was expected and what to do. Errors about somebody's text carry a
:class:`~derive.notation.source.Span`, from which the line, the column and a caret under the user's own characters come.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from derive.notation.source import Span

_LONGEST = 320
"""Longest message or hint in characters: what echoes a user's text must not repeat all of it."""
_LONGEST_LIST = 1200
"""Longest list of what was expected."""


def clipped(text: str, most: int = 60) -> str:
    """A text for a message: its start and its end if it is long.

    >>> clipped("a" * 50 + "b" * 50, 20)
    'aaaaaaaaaaa ... bbbb'
    """
    if len(text) <= most:
        return text
    tail = max(0, most // 4 - 1)
    return f"{text[: most - tail - 5]} ... {text[len(text) - tail :]}"


def is_invisible(char: str) -> bool:
    """Whether a character could move the cursor, colour a terminal or turn the reading direction around."""
    return char not in "\n\t" and unicodedata.category(char) in ("Cc", "Cf", "Cs")


def visible(text: str) -> str:
    """The text with invisible characters spelled by their numbers.

    >>> visible("a\\x1b[2Jb")
    'a\\\\x1b[2Jb'
    """
    return "".join(char.encode("unicode_escape").decode() if is_invisible(char) else char for char in text)


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
        self.message = clipped(visible(message), _LONGEST)
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
            lines.append(f"expected: {clipped(visible(self.expected), _LONGEST_LIST)}")
        if self.hint:
            lines.append(f"hint: {clipped(visible(self.hint), _LONGEST)}")
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


class CodeError(BpttError):
    """Code of a sheet raises an error, takes too long, or prints something else than is expected."""


class RenderError(BpttError):
    """A document could not be made."""


class NonFiniteWarning(RuntimeWarning):
    """A result holds infinity or what is no number; the message says where the first one is."""
