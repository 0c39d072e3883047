"""Judging a formula of a sheet: which judge decides it, and under which conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sympy import Expr, Integer

from derive import expressions as e
from derive.cell import Cell
from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.elaborate import read_formula
from derive.notation.parser import parse_one
from reports.block_calls import BlockCall
from reports.blocks.context import SheetContext
from reports.blocks.sizes import is_membership, judge_sizes
from verify.closed import judge_closed
from verify.judge import Verdict, judge

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
    """The verdict on an equation, or on memberships such as ``y \\in \\mathbb{R}^{n}``. A formula that says nothing at
    all, because its operands do not conform or its names stand for nothing, is wrong."""
    try:
        surface = surface_of(text)
    except ParseError as error:
        return Verdict("unreadable", "tested", message=error.message)
    if subject.cell is not None and is_membership(text):
        return judge_sizes(subject.cell, text, surface)
    try:
        relation = read_relation(subject, text)
    except BpttError as error:
        return Verdict("wrong", "proved", message=error.message)
    return judged(subject, relation, case or Case())


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


def read_case(call: BlockCall) -> Case:
    """The option ``case``: ``n = 1`` for a size, ``k = t-1`` for a time.

    Raises
    ------
    ParseError : it is neither.
    """
    sizes: dict[str, int] = {}
    times: dict[str, str] = {}
    for part in call.text("case").split(","):
        name, separator, value = (piece.strip() for piece in part.partition("="))
        if separator and value.isdecimal():
            sizes[name] = int(value)
        elif separator and _TIME.fullmatch(value):
            times[name] = value
        else:
            raise call.error(f"case is {call.text('case')!r}", "case", expected="sizes or times such as n = 1, k = t-1")
    return Case(sizes, times)


def _time(text: str) -> Expr:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ParseError(f"{text!r} is not a time", expected="such as t-1")
    name, sign, number = found.groups()
    return e.index(name) + (Integer(0) if sign is None else Integer(f"{sign}{number}"))
