"""What several raw tokens of LaTeX mean together, before they become tokens of the grammar: Δt, doubled bars,
⟨t⟩; and slips with scripts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from derive.errors import ParseError
from derive.notation.latex_scan import Raw, closings
from derive.notation.source import Source, Span
from derive.notation.vocabulary import ACCENTS, RELATIONS, STYLES, WORD_STYLES

_INDEX_LETTERS = frozenset("ijklmnrstuT")
"""Letters that are used as indices: ``h_t-1`` is taken for a slip, ``W_f-1`` is not."""

_TAKING = frozenset({*ACCENTS, *STYLES, *WORD_STYLES, "frac", "dfrac", "tfrac", "sqrt", "underbrace", "overbrace"})
"""Commands with an argument in braces."""

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
    raws = _unwrapped(raws, source)
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
_COLOURS = frozenset({"\\textcolor", "\\color"})
_ABOVE = frozenset({"\\overset", "\\underset", "\\stackrel"})
_IMPLIES = frozenset({"\\Rightarrow", "\\Longrightarrow", "\\implies"})
_FRACTIONS = frozenset({"\\frac", "\\dfrac", "\\tfrac"})
_DEFINES = re.compile(r"\bdef\b|\\(?:Delta|triangle|mathrm\s*\{d\})|≜", re.IGNORECASE)
"""A note above a sign of equality by which it defines."""


def _unwrapped(raws: Sequence[Raw], source: Source) -> Sequence[Raw]:
    """The tokens without boxes around formulas, colours, notes above signs, ⇒ at the start of a line, and the ⊙ of x^{\\odot 2};
    ``{a \\over b}`` as a fraction.
    """
    texts = {raw.text for raw in raws}
    if not texts & (_BOXES | _COLOURS | _ABOVE | _IMPLIES | {"\\odot", "\\circ", "\\over"}):
        return raws
    closing = closings(raws)
    opening = {end: start for start, end in closing.items()}
    dropped: set[int] = set()
    changed: dict[int, list[Raw]] = {}
    for k, raw in enumerate(raws):
        if raw.text in _BOXES and k + 1 in closing:
            dropped |= {k, k + 1, closing[k + 1]}
        elif raw.text in _COLOURS:
            dropped |= _colour(raws, k, closing, opening)
        elif raw.text in _ABOVE and k + 1 in closing and closing[k + 1] + 1 in closing:
            note, sign = closing[k + 1], closing[k + 1] + 1
            if _relates(raws[k + 1 : note]) and not _relates(raws[sign : closing[sign]]):
                continue  # an equation above a formula is no note
            dropped |= {*range(k, note + 1), sign, closing[sign]}
            inside = raws[sign + 1 : closing[sign]]
            if [one.text for one in inside] == ["="] and _DEFINES.search(
                source.text[raws[k + 1].start : raws[note].end]
            ):
                changed[sign + 1] = [Raw("command", "\\coloneqq", inside[0].start, inside[0].end)]
        elif raw.text in _IMPLIES and _begins(raws[max(0, k - 2) : k]):
            dropped.add(k)
        elif raw.text in ("\\odot", "\\circ") and [before.text for before in raws[max(0, k - 2) : k]] == ["^", "{"]:
            after = raws[k + 1 : k + 3]
            if len(after) == 2 and after[0].kind == "number" and after[1].text == "}":
                dropped.add(k)
    for k, new in _fractions(raws, closing, source):
        changed.setdefault(k, []).extend(new)
    return [new for k, raw in enumerate(raws) if k not in dropped for new in changed.get(k, [raw])]


def _colour(raws: Sequence[Raw], k: int, closing: dict[int, int], opening: dict[int, int]) -> set[int]:
    """The tokens of a colour, and the braces of what it colours, which are no brackets: ``a {\\color{red} + b}``."""
    name = k + 1
    if raws[name].text == "[":
        name = next((n for n in range(name, min(name + 8, len(raws))) if raws[n].text == "{"), name)
    if name not in closing:
        return set()
    end = closing[name]
    found = set(range(k, end + 1))
    if raws[k].text == "\\textcolor" and end + 1 in closing:
        return found | {end + 1, closing[end + 1]}
    if raws[k].text == "\\color" and k - 1 in closing and not _is_argument(raws, k - 1, opening):
        return found | {k - 1, closing[k - 1]}
    return found


def _is_argument(raws: Sequence[Raw], k: int, opening: dict[int, int]) -> bool:
    """Whether a brace opens the argument of what stands before it."""
    before = raws[k - 1] if k else None
    if before is None or before.text in ("_", "^"):
        return before is not None
    if before.text == "}":
        opened = opening.get(k - 1, 0)
        return opened > 0 and raws[opened - 1].text in _FRACTIONS
    return before.kind == "command" and before.text[1:] in _TAKING


def _fractions(raws: Sequence[Raw], closing: dict[int, int], source: Source) -> Iterator[tuple[int, list[Raw]]]:
    """The braces and signs of ``{a \\over b}``, as those of ``{\\frac{a}{b}}``."""
    open_: list[int] = []
    for k, raw in enumerate(raws):
        if raw.text == "{":
            open_.append(k)
        elif raw.text == "}" and open_:
            open_.pop()
        elif raw.text == "\\over":
            if not open_ or open_[-1] not in closing:
                raise ParseError(
                    "\\over outside of braces", span=Span(raw.start, raw.end, source), expected=r"\frac{...}{...}"
                )
            first, last = raws[open_[-1]], raws[closing[open_[-1]]]
            opening, ending = Raw("other", "{", raw.start, raw.end), Raw("other", "}", raw.start, raw.end)
            yield open_[-1], [first, Raw("command", "\\frac", first.start, first.end), first]
            yield k, [ending, opening]
            yield closing[open_[-1]], [last, last]


def _relates(raws: Sequence[Raw]) -> bool:
    """Whether a sign of relation is among these tokens."""
    return any(raw.text in ("=", "<", ">") or raw.text.lstrip("\\") in RELATIONS for raw in raws)


def _begins(before: Sequence[Raw]) -> bool:
    """Whether a line begins behind these tokens."""
    return all(raw.kind in ("newline", "break") or raw.text == "&" or raw.text.startswith("\\begin") for raw in before)


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
