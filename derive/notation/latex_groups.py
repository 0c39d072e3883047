"""What several raw tokens of LaTeX mean together, before they become tokens of the grammar: Δt, doubled bars,
⟨t⟩; and slips with scripts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from derive.errors import ParseError
from derive.notation.latex_scan import Raw
from derive.notation.source import Source, Span
from derive.notation.vocabulary import RELATIONS

_INDEX_LETTERS = frozenset("ijklmnrstuT")
"""Letters that are used as indices: ``h_t-1`` is taken for a slip, ``W_f-1`` is not."""

_AHEAD = 12
"""So many tokens are looked at together; a text may have a hundred thousand."""


def grouped(raws: Sequence[Raw], source: Source) -> list[Raw]:
    """The raw tokens with what belongs together joined.

    Raises
    ------
    ParseError : a script of several characters has no braces.
    """
    result: list[Raw] = []
    position = 0
    raws = _unwrapped(raws)
    while position < len(raws):
        raw, ahead = raws[position], raws[position + 1 : position + 1 + _AHEAD]
        if raw.text == "_" and ahead:
            _check_script(ahead, source)
        if raw.text == "\\Delta" and _is_step(raw, ahead):
            result.append(Raw("letter", "Deltat", raw.start, ahead[0].end))
            position += 2
            continue
        if raw.text == "{" and ahead[:1] and ahead[0].text == "<" and (close := _angle(ahead)) is not None:
            inner = [*ahead[1:close]]
            result += [
                raw,
                Raw("command", "\\langle", ahead[0].start, ahead[0].end),
                *inner,
                Raw("command", "\\rangle", ahead[close].start, ahead[close].end),
            ]
            position += close + 2
            continue
        result.append(raw)
        position += 1
    return result


_BOXES = frozenset({"\\boxed", "\\fbox"})
_ABOVE = frozenset({"\\overset", "\\underset", "\\stackrel"})
_IMPLIES = frozenset({"\\Rightarrow", "\\Longrightarrow", "\\implies"})


def _unwrapped(raws: Sequence[Raw]) -> Sequence[Raw]:
    """The tokens without boxes around formulas, notes above signs, ⇒ at the start of a line, and the ⊙ of x^{\\odot 2}."""
    texts = {raw.text for raw in raws}
    if not texts & (_BOXES | _ABOVE | _IMPLIES | {"\\odot", "\\circ"}):
        return raws
    closing = _closings(raws)
    dropped: set[int] = set()
    for k, raw in enumerate(raws):
        if raw.text in _BOXES and k + 1 in closing:
            dropped |= {k, k + 1, closing[k + 1]}
        elif raw.text in _ABOVE and k + 1 in closing and closing[k + 1] + 1 in closing:
            note, sign = closing[k + 1], closing[k + 1] + 1
            if _relates(raws[k + 1 : note]) and not _relates(raws[sign : closing[sign]]):
                continue  # an equation above a formula is no note
            dropped |= {*range(k, note + 1), sign, closing[sign]}
        elif raw.text in _IMPLIES and _begins(raws[max(0, k - 2) : k]):
            dropped.add(k)
        elif raw.text in ("\\odot", "\\circ") and [before.text for before in raws[max(0, k - 2) : k]] == ["^", "{"]:
            after = raws[k + 1 : k + 3]
            if len(after) == 2 and after[0].kind == "number" and after[1].text == "}":
                dropped.add(k)
    return [raw for k, raw in enumerate(raws) if k not in dropped]


def _relates(raws: Sequence[Raw]) -> bool:
    """Whether a sign of relation is among these tokens."""
    return any(raw.text in ("=", "<", ">") or raw.text.lstrip("\\") in RELATIONS for raw in raws)


def _begins(before: Sequence[Raw]) -> bool:
    """Whether a line begins behind these tokens."""
    return all(raw.kind in ("newline", "break") or raw.text == "&" or raw.text.startswith("\\begin") for raw in before)


def _closings(raws: Sequence[Raw]) -> dict[int, int]:
    """Where each brace that is opened is closed."""
    found: dict[int, int] = {}
    open_: list[int] = []
    for k, raw in enumerate(raws):
        if raw.text == "{":
            open_.append(k)
        elif raw.text == "}" and open_:
            found[open_.pop()] = k
    return found


def _is_step(raw: Raw, ahead: Sequence[Raw]) -> bool:
    """Whether ``\\Delta t`` is one name: the length of a time step, not Δ times the index t."""
    return (
        len(ahead) > 1 and ahead[0].text == "t" and ahead[0].kind == "letter" and ahead[1].text not in ("_", "^", "'")
    )


def _angle(ahead: Sequence[Raw]) -> int | None:
    """Where ``{<`` ... ``>}`` ends, as in a^{<t-1>}."""
    for position, raw in enumerate(ahead[:8]):
        if raw.text == ">" and ahead[position + 1].text == "}":
            return position
        if raw.text in ("{", "}") or raw.kind == "end":
            return None
    return None


def _check_script(ahead: Sequence[Raw], source: Source) -> None:
    letter = ahead[0]
    if letter.kind == "letter" and len(ahead) > 2:
        _check_offset(ahead, source)
        _check_word(ahead, source)


def _check_offset(ahead: Sequence[Raw], source: Source) -> None:
    """``h_t-1`` is almost never (h_t) - 1: without spaces around the sign it is taken for a missing pair of braces."""
    letter, sign, number = ahead[:3]
    after = ahead[3] if len(ahead) > 3 else number
    stuck = sign.start == letter.end and number.start == sign.end
    goes_on = after.start == number.end and (after.kind in ("letter", "command") or after.text in ("(", "[", "{", "^"))
    if letter.text in _INDEX_LETTERS and sign.text in ("+", "-") and number.kind == "number" and stuck and not goes_on:
        whole = Span(letter.start, number.end, source)
        raise ParseError(
            f"'_{whole.text}' has only '{letter.text}' in the subscript",
            span=whole,
            expected="braces around an index of several characters",
            hint=f"did you mean _{{{whole.text}}}? For a subtraction put spaces around the sign",
        )


def _check_word(ahead: Sequence[Raw], source: Source) -> None:
    """``W_hh`` without braces is W_h h for TeX; a run of small letters that carries no script of its own is taken for a
    label.
    """
    match = re.compile(r"[a-z]{2,}").match(source.text, ahead[0].start)
    if match is None or source.text[match.end() : match.end() + 1] in ("_", "^", "'", "(", "["):
        return
    whole = Span(ahead[0].start, match.end(), source)
    raise ParseError(
        f"TeX reads '_{whole.text}' as '_{whole.text[0]}' followed by '{whole.text[1:]}'",
        span=whole,
        expected="braces around a script of several characters",
        hint=f"did you mean _{{{whole.text}}}? For a product put a space before '{whole.text[1:]}'",
    )
