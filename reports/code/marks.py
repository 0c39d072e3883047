"""Comment lines that mark what a student has to write.

Lines between ``# solution`` and ``# end`` are the solution; words after ``# solution:`` say what is to be done. Sheets show the
solution without these lines; students get the task in its place, and a statement where Python needs one.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

_START = re.compile(r"[ \t]*#+[ \t]*solution[ \t]*(?::[ \t]*(.*?))?[ \t]*", re.IGNORECASE)
_END = re.compile(r"[ \t]*#+[ \t]*end[ \t]*", re.IGNORECASE)


@dataclass(frozen=True)
class Region:
    """Lines ``start`` (the mark) to ``end`` (the other mark), counted from 0, and what a student is told to do."""

    start: int
    end: int
    task: str


class MarkError(ValueError):
    """A mark has no partner, or what is left without the solution is no Python. ``line`` counts from 0."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def regions(lines: Sequence[str]) -> list[Region]:
    """The marked parts of a code.

    Raises
    ------
    MarkError : a mark has no partner.
    """
    found: list[Region] = []
    start: tuple[int, str] | None = None
    for number, line in enumerate(lines):
        mark = _START.fullmatch(line)
        if mark is not None:
            if start is not None:
                raise MarkError("'# solution' stands inside a solution", number)
            start = number, mark.group(1) or ""
        elif _END.fullmatch(line):
            if start is None:
                raise MarkError("'# end' ends no solution", number)
            found.append(Region(start[0], number, start[1]))
            start = None
    if start is not None:
        raise MarkError("'# solution' is never ended", start[0])
    return found


def answer(source: str) -> str:
    """The code without the marks.

    >>> answer("a = 1\\n# solution: double it\\na = 2\\n# end")
    'a = 1\\na = 2'
    """
    lines = source.split("\n")
    marks = {number for region in regions(lines) for number in (region.start, region.end)}
    return "\n".join(line for number, line in enumerate(lines) if number not in marks).strip("\n")


def for_students(source: str) -> str:
    """The code with each solution replaced by what is to be done.

    Raises
    ------
    MarkError : a mark has no partner, or what is left is no Python.

    >>> print(for_students("def f(x):\\n    # solution: double it\\n    return 2 * x\\n    # end"))
    def f(x):
        # TODO: double it
        raise NotImplementedError
    """
    lines = source.split("\n")
    # From the last one on, so that the lines of the others stay where they are.
    for region in reversed(regions(lines)):
        lines[region.start : region.end + 1] = _replacement(lines, region)
    return "\n".join(lines).strip("\n")


def _replacement(lines: Sequence[str], region: Region) -> list[str]:
    """What stands for a solution: the first that leaves Python which can be read."""
    indent = re.match(r"[ \t]*", lines[region.start])
    space = indent.group() if indent is not None else ""
    task = f"{space}# TODO: {region.task}" if region.task else f"{space}# TODO"
    statements = ["", "pass"]
    if _returns(lines[region.start + 1 : region.end]):
        # Without it, the function would silently give None.
        statements.insert(0, "raise NotImplementedError")
    elif space:
        statements.insert(1, "raise NotImplementedError")
    for statement in statements:
        replacement = [task, f"{space}{statement}"] if statement else [task]
        if is_python("\n".join([*lines[: region.start], *replacement, *lines[region.end + 1 :]])):
            return replacement
    raise MarkError("without this solution, what is left is no Python", region.start)


def _returns(solution: Sequence[str]) -> bool:
    """Whether a solution holds the value of the function that it stands in."""
    return any(re.match(r"\s*(return|yield)\b", line) for line in solution)


def is_python(source: str) -> bool:
    """Whether a text is Python, as it stands in a cell of a notebook."""
    return syntax_error(source) is None


def syntax_error(source: str) -> SyntaxError | None:
    """What is wrong with a text as Python, if anything is; ``await`` may stand outside of functions, as in notebooks."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "<code>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    except SyntaxError as error:
        return error
    except (ValueError, RecursionError, MemoryError) as error:
        return SyntaxError(str(error) or "it is nested too deeply")
    return None
