"""A change in words, at its place in the author's text."""

from __future__ import annotations

import re

from derive.errors import BpttError
from derive.notation.elaborate import build
from derive.notation.operations import Pre
from derive.notation.source import Span
from verify.diagnosis.search import Diagnosis
from verify.diagnosis.trees import at, summand
from verify.names import Names


def place(diagnosis: Diagnosis) -> Span | None:
    """Where the change is: the operation that is changed, or the one around it."""
    path = diagnosis.edit.path
    while True:
        span = at(diagnosis.before, path).span
        if span is not None or not path:
            return span
        path = path[:-1]


def sentence(diagnosis: Diagnosis, names: Names) -> str:
    """What is wrong: ``third summand: the factor diag(delta) is missing after W_c``."""
    edit = diagnosis.edit
    old = at(diagnosis.before, edit.path)
    parts = {"{old}": old, "{new}": edit.new, "{what}": edit.what}
    said = re.sub("{(old|new|what)}", lambda word: _shown(parts[word[0]], names), edit.said)  # names may have braces
    where = summand(diagnosis.before, edit.path)
    return f"{where}: {said}" if where else said


def _shown(part: Pre | None, names: Names) -> str:
    return "" if part is None else shown(part, names)


def shown(pre: Pre, names: Names) -> str:
    """A part of a formula as text."""
    if pre.op == "ones":
        return "1"
    try:
        return str(build(pre, names.context))
    except BpttError:
        return pre.span.original.text if pre.span is not None else f"a {pre.op}"


__all__ = ["place", "sentence", "shown"]
