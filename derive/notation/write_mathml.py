"""Surface trees as presentation MathML (MathML Core), for HTML pages and notebooks.

MathML Core leaves to the author what TeX does by itself, and the writers of the parts do it here: signs in scripts
stand without space around them (:data:`Style`), fractions and upright words keep a thin space from their neighbours,
and brackets grow only around what is higher than a line. Between factors stands an invisible times sign, after a
function's name an invisible application, so that a screen reader says what is meant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from html import escape
from itertools import pairwise
from typing import Any, Literal

from derive.notation import surface as s
from derive.notation.layout import (
    COMPOUND,
    applies,
    first_atom,
    is_label_word,
    is_tall,
    is_word,
    last_atom,
    meet_as_numbers,
    operands,
    setting,
    side_by_side,
    spelled_out,
)
from derive.notation.vocabulary import GREEK_TO_UNICODE, NATURALS

Style = Literal["display", "text", "script"]
"""TeX's styles: limits stand above and below only in ``display``, and spaces around signs vanish in ``script``."""

Elements = list[str]
"""Elements side by side, each complete."""

_SYMBOLS = {
    **GREEK_TO_UNICODE,
    NATURALS: "ℕ",
    "varpi": "ϖ",
    "varrho": "ϱ",
    "varsigma": "ς",
    "Upsilon": "Υ",
    "infty": "∞",
}

_MARKS = {
    "ones": "<mn>𝟏</mn>", "reals": "<mi>ℝ</mi>", "nabla": '<mi mathvariant="normal">∇</mi>', "partial": "<mi>∂</mi>", "dots": "<mi>…</mi>",
    "cdots": "<mi>⋯</mi>", "top": "<mi>⊤</mi>", "transpose": "<mi>⊤</mi>", "infty": "<mi>∞</mi>",
    "prime": "<mi>′</mi>", "dagger": "<mi>†</mi>",
    "star": "<mi>∗</mi>", "+": "<mi>+</mi>", "-": "<mi>−</mi>",
}  # fmt: skip
"""Signs that are no quantity. They are identifiers even where they look like operators, since they take no space."""

_OPERATORS = {"odot": "⊙", "cdot": "⋅", "times": "×", "otimes": "⊗", "oslash": "⊘", "ast": "∗", "slash": "/"}

_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "~": "≈", "!=": "≠", "in": "∈", "->": "→", ":=": "≔", "==": "≡", ":": ":",
    "propto": "∝", "sim": "∼", "=>": "⇒", "notin": "∉", "subset": "⊂",
}  # fmt: skip

_ACCENTS = {
    "tilde": "\u02dc", "hat": "\u02c6", "bar": "\u00af", "dot": "\u02d9", "ddot": "\u00a8", "check": "\u02c7", "breve": "\u02d8",
    "rightarrow": "\u2192", "leftarrow": "\u2190", "underline": "_",
}  # fmt: skip
"""Spacing characters: browsers misplace the combining ones."""

_BRACKETS = {"(": ("(", ")"), "[": ("[", "]"), "{": ("{", "}"), "<": ("⟨", "⟩")}

_FENCES = {"norm": ("‖", "‖"), "abs": ("|", "|")}

_BIG = {"sum": "∑", "prod": "∏"}

_LIMITS = frozenset(["max", "min", "sup", "inf", "lim", "det", "Pr"])
"""Words whose scripts stand below and above them in a displayed formula."""

_ALPHABETS = {"cal": (0x1D49C, 0x1D4B6), "frak": (0x1D504, 0x1D51E), "bb": (0x1D538, 0x1D552)}
"""Where the capital and the small letters of an alphabet start in Unicode."""

_ELSEWHERE = {
    **{f"cal{letter}": sign for letter, sign in zip("BEFHILMRego", "ℬℰℱℋℐℒℳℛℯℊℴ", strict=True)},
    **{f"frak{letter}": sign for letter, sign in zip("CHIRZ", "ℭℌℑℜℨ", strict=True)},
    **{f"bb{letter}": sign for letter, sign in zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True)},
}
"""Letters that Unicode had before it had the alphabets."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_TIMES, _APPLY = "<mo>&#x2062;</mo>", "<mo>&#x2061;</mo>"

_THIN, _WORD, _NARROW = (f'<mspace width="{width}em"/>' for width in ("0.1667", "0.2222", "0.12"))
"""TeX's thin space; the one beside words, wider since browsers do not add the slant of a letter; TeX's space at the
ends of a fraction bar.
"""

_TIGHT, _MEDIUM = 'lspace="0" rspace="0"', 'lspace="0.2222em" rspace="0.2222em"'


def write_mathml(node: s.Surface, display: bool = False) -> str:
    """The ``<math>`` element of a surface tree. ``display``: on a line of its own, with the bounds of sums above and
    below.

    >>> from derive.notation.parser import parse_one
    >>> write_mathml(parse_one("h_t < 1"))
    '<math><mrow><msub><mi>h</mi><mi>t</mi></msub><mo>&lt;</mo><mn>1</mn></mrow></math>'
    """
    opening = '<math display="block">' if display else "<math>"
    return f"{opening}{''.join(_write(node, 'display' if display else 'text'))}</math>"


def _write(node: s.Surface, style: Style) -> Elements:
    return _WRITERS[type(node)](node, style)


def _one(elements: Iterable[str]) -> str:
    """Elements as one: in a row of their own unless there is just one."""
    parts = list(elements)
    return parts[0] if len(parts) == 1 else f"<mrow>{''.join(parts)}</mrow>"


def _whole(node: s.Surface, style: Style) -> str:
    return _one(_write(node, style))


def _text(text: str) -> str:
    return escape(_NOT_XML.sub("", text), quote=False)


def _operator(sign: str, style: Style, spaces: str | None = None) -> str:
    """A sign between operands, with the spaces of the operator dictionary unless others are given; without any in a
    script.
    """
    spaces = _TIGHT if style == "script" else spaces
    return f"<mo {spaces}>{_text(sign)}</mo>" if spaces else f"<mo>{_text(sign)}</mo>"


def _separated(groups: Iterable[Elements], separator: str, style: Style) -> Elements:
    result: Elements = []
    for k, group in enumerate(groups):
        result += [_operator(separator, style), *group] if k else group
    return result


def _delimited(pair: tuple[str, str], body: Elements, tall: bool) -> Elements:
    stretchy = "true" if tall else "false"
    opening, closing = (
        f'<mo form="{form}" stretchy="{stretchy}">{sign}</mo>'
        for form, sign in zip(("prefix", "postfix"), pair, strict=True)
    )
    return [f"<mrow>{opening}{''.join(body)}{closing}</mrow>"]


# -- leaves ----------------------------------------------------------------------------------------


def name(text: str) -> str:
    """A name's element: one character is italic by itself, several are upright."""
    how = setting(text)
    if how == "step":
        return '<mrow><mi mathvariant="normal">Δ</mi><mi>t</mi></mrow>'
    if how == "symbol":
        # Capital Greek letters are upright in TeX and in the other outputs.
        return f'<mi mathvariant="normal">{_SYMBOLS[text]}</mi>' if text[0].isupper() else f"<mi>{_SYMBOLS[text]}</mi>"
    if how in _ALPHABETS:
        return f"<mi>{_styled(how, text[-1])}</mi>"
    return f"<mn>{text}</mn>" if text.isdecimal() else f"<mi>{_text(text)}</mi>"


def _styled(alphabet: str, letter: str) -> str:
    """A letter of the calligraphic, Fraktur or blackboard alphabet."""
    if not (letter.isascii() and letter.isalpha()):
        return _text(letter)
    capital, small = _ALPHABETS[alphabet]
    return _ELSEWHERE.get(alphabet + letter) or chr(
        capital + ord(letter) - ord("A") if letter.isupper() else small + ord(letter) - ord("a")
    )


def _name(node: s.Name, style: Style) -> Elements:
    return [name(node.text)]


def _number(node: s.Number, style: Style) -> Elements:
    whole = spelled_out(node)
    return [f"<mn>{_text(node.text)}</mn>"] if whole is node else _write(whole, style)


def _mark(node: s.Mark, style: Style) -> Elements:
    return [_MARKS[node.kind]]


def _words(node: s.Text, style: Style) -> Elements:
    # Spaces at the ends of a token are not printed unless they are hard.
    return [f"<mtext>{_text(node.text).replace(' ', '&#xA0;')}</mtext>"]


# -- scripts and accents ---------------------------------------------------------------------------


def _script_item(node: s.Surface) -> Elements:
    if isinstance(node, s.Name) and is_label_word(node) and side_by_side(node.text):
        # A label of two letters is written as it is typed, W_{hh}, not as an operator.
        return [name(letter) for letter in node.text]
    return _write(node, "script")


def _script(items: tuple[s.Surface, ...], primes: int = 0) -> str:
    """The content of a script position: primes, then the items."""
    return _one([*([_primes(primes)] if primes else []), *_separated(map(_script_item, items), ",", "script")])


def _primes(count: int) -> str:
    """Primes in a superscript. Fonts draw them small and high already, so they keep the size of the base and are not
    raised again.
    """
    signs = {2: "\u2033", 3: "\u2034"}.get(count, "\u2032" * count)
    # The row takes the script's level, from which the scriptlevel counts.
    return f'<mrow><mpadded scriptlevel="-1" voffset="-0.4em" height="0"><mo {_TIGHT}>{signs}</mo></mpadded></mrow>'


def _base(node: s.Surface, style: Style) -> str:
    node = spelled_out(node)
    body = _write(node, style)
    return _one(_delimited(("(", ")"), body, is_tall(node)) if isinstance(node, COMPOUND) else body)


def _scripted(node: s.Scripted, style: Style) -> Elements:
    limits = style == "display" and isinstance(node.base, s.Name) and node.base.text in _LIMITS
    lower = [_script(node.subs)] if node.subs else []
    upper = [_script(node.sups, node.primes)] if node.sups or node.primes else []
    return [_attached(_base(node.base, style), lower, upper, limits)]


def _attached(base: str, lower: Elements, upper: Elements, limits: bool) -> str:
    """A base with what stands beside it (or below and above it) in the element that MathML has for just these."""
    kind = ("munder" if limits else "msub") * bool(lower) + ("mover" if limits else "msup") * bool(upper)
    kind = {"msubmsup": "msubsup", "mundermover": "munderover"}.get(kind, kind)
    return f"<{kind}>{''.join([base, *lower, *upper])}</{kind}>" if kind else base


def _accent(node: s.Accent, style: Style) -> Elements:
    under = node.kind == "underline"
    kind, attribute = ("munder", "accentunder") if under else ("mover", "accent")
    if node.kind in ("rightarrow", "leftarrow"):
        looks = (
            'stretchy="true" mathsize="50%"'  # at full size it would be wider than a letter and push its scripts away
        )
    else:
        stretchy = "false" if isinstance(node.body, (s.Name, s.Mark, s.Accent)) else "true"
        # Chromium would set the sign directly upon the letter, and a bar that touches the stem of an h makes another
        # letter of it.
        gap = "0.14em" if node.kind == "bar" else "0.07em"
        looks = f'stretchy="{stretchy}" style="padding-{"top" if under else "bottom"}:{gap}"'
    return [f'<{kind} {attribute}="true">{_whole(node.body, style)}<mo {looks}>{_ACCENTS[node.kind]}</mo></{kind}>']


# -- brackets --------------------------------------------------------------------------------------


def _bracket(node: s.Bracket, style: Style) -> Elements:
    body = _separated(([_whole(item, style)] for item in node.items), node.separator, style)
    if node.kind in ("group", "time"):
        return [_one(body)]
    return _delimited(_BRACKETS[node.kind], body, any(is_tall(item) for item in node.items))


def _fence(node: s.Fence, style: Style) -> Elements:
    return _delimited(_FENCES[node.kind], [_whole(node.body, style)], is_tall(node.body))


def _matrix(node: s.Matrix, style: Style) -> Elements:
    inner: Style = "script" if style == "script" else "text"
    rows = (
        "".join(_cell(_write(entry, inner), k == 0, k == len(row) - 1) for k, entry in enumerate(row))
        for row in node.rows
    )
    return _delimited(("(", ")"), [f"<mtable>{''.join(f'<mtr>{row}</mtr>' for row in rows)}</mtable>"], True)


def _cell(body: Elements, first: bool, last: bool) -> str:
    """A cell; towards the bracket it has less padding than towards another cell."""
    style = ";".join([*(["padding-left:0.12em"] if first else []), *(["padding-right:0.12em"] if last else [])])
    return f'<mtd style="{style}">{"".join(body)}</mtd>' if style else f"<mtd>{''.join(body)}</mtd>"


# -- products --------------------------------------------------------------------------------------


def _sequence(node: s.Sequence, style: Style) -> Elements:
    items = operands(node)
    result = [_whole(items[0], style)]
    for left, right in pairwise(items):
        result += [*_between(left, right, style), _whole(right, style)]
    return [_one(result)]


def _between(left: s.Surface, right: s.Surface, style: Style) -> Elements:
    """What stands between two things side by side: an invisible sign (in a script letters make a label), and a thin
    space where TeX puts one.
    """
    signs = (_base_of(left), _base_of(right))
    if applies(left, right):
        return [_APPLY]
    invisible = [] if style == "script" or any(isinstance(sign, (s.Mark, s.Text)) for sign in signs) else [_TIMES]
    thin = (isinstance(left, s.Number) and isinstance(right, s.Number)) or s.Mark("cdots") in signs
    return [*invisible, _THIN] if thin else [*invisible, *_apart(left, right)]


def _base_of(node: s.Surface) -> s.Surface:
    """The sign that decides whether a product is meant; a bold 1 is a quantity."""
    base = s.bare(node)
    return s.Number("1") if base == s.Mark("ones") else base


def _apart(left: s.Surface, right: s.Surface) -> Elements:
    """The space between factors: beside a word, except before its bracket, and before a sum sign."""
    first = first_atom(right)
    if is_word(first) or (is_word(last_atom(left)) and not isinstance(first, (s.Fence, s.Bracket))):
        return [_WORD]
    return [_THIN] if isinstance(first, s.Big) else []


def _infix(node: s.Infix, style: Style) -> Elements:
    items = operands(node)
    result = [_whole(items[0], style)]
    for left, operator, right in zip(items, node.operators, items[1:], strict=False):
        if operator not in ("at", "by"):
            result.append(_operator(_OPERATORS[operator], style, _TIGHT if operator == "slash" else _MEDIUM))
        elif meet_as_numbers(left, right):
            result.append(_operator("⋅", style, _MEDIUM))
        else:
            result += [_TIMES, *_apart(left, right)]
        result.append(_whole(right, style))
    return [_one(result)]


def _fraction(node: s.Fraction, style: Style) -> Elements:
    inner: Style = "text" if style == "display" else "script"
    return [
        _one([_NARROW, f"<mfrac>{_whole(node.numerator, inner)}{_whole(node.denominator, inner)}</mfrac>", _NARROW])
    ]


def _root(node: s.Root, style: Style) -> Elements:
    if node.index is None:
        return [f"<msqrt>{''.join(_write(node.body, style))}</msqrt>"]
    return [f"<mroot>{_whole(node.body, style)}{_whole(node.index, 'script')}</mroot>"]


# -- sums, relations, lines ------------------------------------------------------------------------


def _sum(node: s.Sum, style: Style) -> Elements:
    result: Elements = []
    for k, (sign, item) in enumerate(zip(node.signs, operands(node), strict=True)):
        if k:
            result.append(_operator("−" if sign < 0 else "+", style))
        elif sign < 0:
            result += ['<mo form="prefix">−</mo>', *_apart(s.Mark("-"), item)]
        result.append(_whole(item, style))
    return [_one(result)]


def _big(node: s.Big, style: Style) -> Elements:
    limits = style == "display"
    movable = "false" if limits else "true"
    sign = f'<mo form="prefix" largeop="true" movablelimits="{movable}" lspace="0" rspace="0.1667em">{_BIG[node.kind]}</mo>'
    lower = [_whole(node.sub, "script")] if node.sub is not None else []
    upper = [_whole(node.sup, "script")] if node.sup is not None else []
    return [_one([_attached(sign, lower, upper, limits=True), _whole(node.body, style)])]


def _relation(node: s.Relation, style: Style) -> Elements:
    items = operands(node)
    result = [_whole(items[0], style)]
    for operator, item in zip(node.operators, items[1:], strict=True):
        # A colon says what something is: it stands close to that, as in W: R^n.
        spaces = 'lspace="0" rspace="0.2222em"' if operator == ":" else None
        result += [_operator(_RELATIONS[operator], style, spaces), _whole(item, style)]
    return [_one(result)]


def _line(node: s.Line, style: Style) -> Elements:
    return _separated(([_whole(item, style)] for item in node.items), ",", style)


_WRITERS: dict[type[s.Surface], Callable[[Any, Style], Elements]] = {
    s.Name: _name,
    s.Number: _number,
    s.Mark: _mark,
    s.Text: _words,
    s.Scripted: _scripted,
    s.Accent: _accent,
    s.Bracket: _bracket,
    s.Fence: _fence,
    s.Sequence: _sequence,
    s.Infix: _infix,
    s.Sum: _sum,
    s.Fraction: _fraction,
    s.Root: _root,
    s.Matrix: _matrix,
    s.Big: _big,
    s.Relation: _relation,
    s.Line: _line,
}
