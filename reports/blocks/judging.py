"""Judging a formula of a sheet: which judge decides it, and under which conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Integer

from derive import expressions as e
from derive.cell import Cell
from derive.errors import BpttError, MissingRuleError, ParseError, ShapeError
from derive.notation import surface as s
from derive.notation.elaborate import read_formula
from derive.notation.parser import parse_one
from reports.block_calls import BlockCall
from reports.blocks.context import SheetContext
from verify.closed import judge_closed
from verify.formula import verdict_on as verify_surface
from verify.judge import judge
from verify.names import Names
from verify.verdict import Verdict

MAX_SIZE = 12
"""The largest size that a case may fix."""

_TIME = re.compile(r"([A-Za-z]+)(?:\s*([+-])\s*([0-9]+))?")


@dataclass(frozen=True)
class Subject:
    """What a formula is about: a cell, or (None) numbers alone; ``draws`` random instances are tried."""

    cell: Cell | None
    draws: int
    seed: int


@dataclass(frozen=True)
class Case:
    """Conditions under which a formula is judged: sizes with their numbers, and times replaced by others."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    times: Mapping[str, str] = field(default_factory=dict)


def subject_of(call: BlockCall, context: SheetContext, option: str = "cell") -> Subject:
    """The cell that an option of a block names, if it names one."""
    named = option if option in call.options else "cell"
    return Subject(
        context.cell(call, named) if named in call.options else None,
        call.integer("draws", 6, least=1, most=1000),
        context.seed,
    )


def surface_of(text: str) -> s.Surface:
    """A formula as it is written.

    Raises
    ------
    ParseError : it cannot be read.
    """
    line = parse_one(text)
    return line.items[0] if len(line.items) == 1 else line


def verdict_on(subject: Subject, text: str, case: Case | None = None) -> Verdict:
    """The verdict on an equation, or on memberships such as ``y \\in \\mathbb{R}^{n}``."""
    try:
        surface = surface_of(text)
        if subject.cell is None:
            return judge_closed(read_relation(subject, text))
    except ShapeError as error:
        return Verdict("wrong", "proved", message=error.message)
    except MissingRuleError as error:
        return Verdict("unsupported", "tested", message=error.message)
    except BpttError as error:
        return Verdict("unreadable", "tested", message=error.message)
    return verify_surface(Names(subject.cell), surface, lambda relation: judged(subject, relation, case or Case()))


def judged(subject: Subject, relation: e.Relation, case: Case) -> Verdict:
    """The verdict on an equation in a case."""
    if subject.cell is None:
        return judge_closed(relation)
    special = relation.xreplace(
        {symbol: _time(case.times[symbol.name]) for symbol in relation.free_symbols if symbol.name in case.times}
    )
    return judge(subject.cell, special, subject.draws, subject.seed, case.sizes)


def read_relation(subject: Subject, text: str) -> e.Relation:
    """The equation that a text says.

    Raises
    ------
    BpttError : it is none.
    """
    found = read_formula(text) if subject.cell is None else subject.cell.read(text)
    if not isinstance(found, e.Relation):
        raise ParseError(f"{text!r} is not an equation", expected="left side = right side")
    return found


def read_case(call: BlockCall, subject: Subject) -> Case:
    """The option ``case``: ``n = 1`` for a size (or T), ``k = t-1`` for a time.

    Raises
    ------
    ParseError : it is neither, or a size is not one of the cell.
    """
    sizes: dict[str, int] = {}
    times: dict[str, str] = {}
    shapes = subject.cell.shapes.values() if subject.cell else ()
    known = {"T", *(str(symbol) for shape in shapes for size in shape for symbol in size.free_symbols)}
    for part in call.text("case").split(","):
        name, separator, value = (piece.strip() for piece in part.partition("="))
        if separator and value.isdecimal() and name in known:
            if not 0 < int(value) <= MAX_SIZE:
                raise call.error(f"{name} = {value}", "case", expected=f"a size from 1 to {MAX_SIZE}")
            sizes[name] = int(value)
        elif (separator and value.isdecimal() and len(name) == 1 and name not in "nd") or (
            separator and _TIME.fullmatch(value)
        ):
            times[name] = value
        else:
            sizes_there = ", ".join(sorted(known))
            raise call.error(
                f"case is {call.text('case')!r}",
                "case",
                expected=f"one of the sizes {sizes_there}, or a time, as in k = t-1",
            )
    return Case(sizes, times)


def _time(text: str) -> Expr:
    if text.isdecimal():
        return Integer(text)
    found = _TIME.fullmatch(text)
    if found is None:
        raise ParseError(f"{text!r} is not a time", expected="such as t-1")
    name, sign, number = found.groups()
    return e.index(name) + (Integer(0) if sign is None else Integer(f"{sign}{number}"))
