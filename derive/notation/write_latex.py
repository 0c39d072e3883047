"""Surface trees as LaTeX, in the spelling that the notation reads."""

from __future__ import annotations

from derive.notation import surface as s
from derive.notation.layout import COMPOUND, is_head, is_label_word, is_tall, setting, side_by_side, spelled_out
from derive.notation.vocabulary import STEP

_MARKS = {
    "ones": r"\mathbf{1}", "reals": r"\mathbb{R}", "nabla": r"\nabla", "partial": r"\partial", "dots": r"\dots",
    "top": r"\top", "star": "*",
    "+": "+", "-": "-", "infty": r"\infty", "prime": r"\prime", "dagger": r"\dagger", "transpose": r"\top",
}  # fmt: skip

_OPERATORS = {
    "odot": r" \odot ",
    "cdot": r" \cdot ",
    "times": r" \times ",
    "otimes": r" \otimes ",
    "ast": " * ",
    "slash": " / ",
    "oslash": r" \oslash ",
}
"""Products side by side (``at``: of matrices, ``by``: with a scalar) have no sign of their own."""

_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": r"\le", ">=": r"\ge", "~": r"\approx", "!=": r"\ne", "in": r"\in", "->": r"\to", ":=": r"\coloneqq",
    "==": r"\equiv", ":": r"\colon", "propto": r"\propto", "sim": r"\sim", "=>": r"\Rightarrow", "notin": r"\notin", "subset": r"\subset",
}  # fmt: skip

_ACCENTS = {"rightarrow": "overrightarrow", "leftarrow": "overleftarrow"}

_BRACKETS = {"(": ("(", ")"), "[": ("[", "]"), "{": (r"\{", r"\}"), "<": (r"\langle ", r" \rangle")}

_FENCES = {"norm": (r"\lVert ", r" \rVert"), "abs": (r"\lvert ", r" \rvert")}

_STYLED = {"cal": "mathcal", "frak": "mathfrak", "bb": "mathbb"}


def write_latex(node: s.Surface) -> str:
    """The LaTeX of a surface tree."""
    return _WRITERS[type(node)](node)


def name(text: str) -> str:
    """A name's LaTeX: a letter as it is, a Greek letter as its command, a word upright."""
    how = setting(text)
    if how == "step":
        return r"\Delta t"
    if how in ("symbol", "function"):
        return f"\\{text}"
    if how == "letter":
        return text
    return f"\\{_STYLED[how]}{{{text[-1]}}}" if how in _STYLED else f"\\operatorname{{{text}}}"


def _delimited(opening: str, closing: str, body: str, tall: bool) -> str:
    return f"\\left{opening.strip()} {body} \\right{closing.strip()}" if tall else f"{opening}{body}{closing}"


def _script_item(node: s.Surface) -> str:
    if isinstance(node, s.Name) and is_label_word(node):
        # A label of several letters is written as it is typed, W_{hh}, not as an operator.
        return node.text if side_by_side(node.text) else f"\\mathrm{{{node.text}}}"
    return _tight(node)


def _scripted(node: s.Scripted) -> str:
    base = write_latex(node.base)
    if isinstance(node.base, (s.Fraction, s.Scripted)) or node.base == s.Name(STEP):
        base = f"{{{base}}}"
    elif isinstance(node.base, COMPOUND):
        base = _delimited("(", ")", base, is_tall(node.base))
    text = base + "'" * node.primes
    if node.subs:
        joined = ", ".join(_script_item(item) for item in node.subs)
        text += f"_{joined}" if len(joined) == 1 else f"_{{{joined}}}"
    if node.sups == (s.Mark("+"),):
        return text + "^{+}"
    if node.sups:
        joined = ", ".join(_script_item(item) for item in node.sups)
        if joined == r"\top":
            text += r"^\top"
        else:
            text += f"^{joined}" if len(joined) == 1 else f"^{{{joined}}}"
    return text


def _accent(node: s.Accent) -> str:
    return f"\\{_ACCENTS.get(node.kind, node.kind)}{{{write_latex(node.body)}}}"


def _bracket(node: s.Bracket) -> str:
    body = f"{node.separator} ".join(write_latex(item) for item in node.items)
    if node.kind in ("group", "time"):
        return f"{{{body}}}" if node.kind == "group" else body
    opening, closing = _BRACKETS[node.kind]
    return _delimited(opening, closing, body, any(is_tall(item) for item in node.items))


def _fence(node: s.Fence) -> str:
    opening, closing = _FENCES[node.kind]
    return _delimited(opening, closing, write_latex(node.body), is_tall(node.body))


def _sequence(node: s.Sequence) -> str:
    text = ""
    for k, item in enumerate(node.items):
        piece = write_latex(item)
        previous = node.items[k - 1] if k else None
        tight = isinstance(item, s.Bracket) and item.kind == "(" and is_head(previous)
        glue = (
            ""
            if not text or (tight and not _ends_in_command(text, piece))
            else (r" \, " if isinstance(previous, s.Number) and isinstance(item, s.Number) else " ")
        )
        text += glue + piece
    return text


def _ends_in_command(text: str, following: str) -> bool:
    tail = text.rsplit("\\", 1)
    return len(tail) == 2 and tail[1].isalpha() and following[:1].isalpha()


def _infix(node: s.Infix) -> str:
    text = write_latex(node.items[0])
    for k, (operator, item) in enumerate(zip(node.operators, node.items[1:], strict=True)):
        piece = write_latex(item)
        if operator in ("at", "by"):
            # Two numbers side by side would read as one.
            text += (
                r" \cdot "
                if text[-1:].isdigit() and piece[:1].isdigit() and isinstance(node.items[k], s.Number)
                else " "
            )
        else:
            text += _OPERATORS[operator]
        text += piece
    return text


def _sum(node: s.Sum) -> str:
    text = ""
    for k, (sign, item) in enumerate(zip(node.signs, node.items, strict=True)):
        piece = write_latex(item)
        if k == 0:
            text = f"-{piece}" if sign < 0 else piece
        else:
            text += (" - " if sign < 0 else " + ") + piece
    return text


def _number(node: s.Number) -> str:
    whole = spelled_out(node)
    return node.text if whole is node else write_latex(whole)


def _tight(node: s.Surface) -> str:
    """A sum inside a script, without spaces around its signs."""
    return write_latex(node).replace(" - ", "-").replace(" + ", "+")


def _fraction(node: s.Fraction) -> str:
    return f"\\frac{{{write_latex(node.numerator)}}}{{{write_latex(node.denominator)}}}"


def _root(node: s.Root) -> str:
    index = f"[{write_latex(node.index)}]" if node.index is not None else ""
    return f"\\sqrt{index}{{{write_latex(node.body)}}}"


def _matrix(node: s.Matrix) -> str:
    rows = r" \\ ".join(" & ".join(write_latex(entry) for entry in row) for row in node.rows)
    return f"\\begin{{pmatrix}} {rows} \\end{{pmatrix}}"


def _big(node: s.Big) -> str:
    text = f"\\{node.kind}"
    if node.sub is not None:
        text += f"_{{{_tight(node.sub).replace(' = ', '=')}}}"
    if node.sup is not None:
        text += f"^{{{_tight(node.sup)}}}"
    return f"{text} {write_latex(node.body)}"


def _relation(node: s.Relation) -> str:
    text = write_latex(node.items[0])
    for operator, item in zip(node.operators, node.items[1:], strict=True):
        text += f" {_RELATIONS[operator]} {write_latex(item)}"
    return text


def _line(node: s.Line) -> str:
    return ", ".join(write_latex(item) for item in node.items)


_WRITERS = {
    s.Name: lambda node: name(node.text),
    s.Number: _number,
    s.Mark: lambda node: _MARKS[node.kind],
    s.Text: lambda node: f"\\text{{{node.text}}}",
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
