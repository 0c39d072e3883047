"""Surface trees as plain text that can be typed and read again: ``h[t] = sigma(W @ h[t-1] + U @ x[t] + b)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from derive.notation import surface as s
from derive.notation.vocabulary import NATURALS

_MARKS = {
    "ones": "ones", "reals": "ℝ", "nabla": "∇", "partial": "∂", "dots": "…", "top": "⊤", "star": "*", "+": "+", "-": "-", "infty": "∞",
    "prime": "'", "dagger": "†",
}  # fmt: skip

_OPERATORS = {
    "odot": " * ",
    "cdot": " · ",
    "times": " × ",
    "otimes": " ⊗ ",
    "ast": " * ",
    "slash": " / ",
    "oslash": " / ",
    "at": " @ ",
    "by": " * ",
}

_RELATIONS = {
    "=": "=", "<": "<", ">": ">", "<=": "≤", ">=": "≥", "~": "≈", "!=": "≠", "in": "∈", "->": "→", ":=": ":=", "==": "=", ":": ":",
    "propto": "∝", "sim": "~", "=>": "⇒", "notin": "∉", "subset": "⊂",
}  # fmt: skip

_BIG = {"sum": "sum", "prod": "prod"}


def write_plain(node: s.Surface) -> str:
    """The plain text of a surface tree."""
    return _WRITERS[type(node)](node)


def _operand(node: s.Surface) -> str:
    """An operand of a product: in Python's precedences all product signs are equal, so nested products are bracketed."""
    text = write_plain(node)
    return f"({text})" if isinstance(node, (s.Infix, s.Sum, s.Relation)) or _is_quotient(node) else text


def _is_quotient(node: s.Surface) -> bool:
    return isinstance(node, s.Fraction) and not _is_derivative(node)


def _is_derivative(node: s.Fraction) -> bool:
    first = node.numerator.items[0] if isinstance(node.numerator, s.Sequence) else node.numerator
    base = s.bare(first)
    return isinstance(base, s.Mark) and base.kind == "partial"


def _scripted(node: s.Scripted) -> str:
    base = write_plain(node.base)
    if isinstance(node.base, (s.Sum, s.Infix, s.Sequence, s.Fraction)):
        base = f"({base})"
    labels, times, layers, powers = "", "", "", ""
    for sub in node.subs:
        if isinstance(sub, s.Bracket) and sub.kind in ("time", "["):
            times += f"[{', '.join(_index(item) for item in sub.items)}]"
        else:
            text = write_plain(sub)
            labels += f"_{text}" if text.isalnum() else f"_{{{text}}}"
    for sup in node.sups:
        if isinstance(sup, s.Bracket) and sup.kind == "[" and isinstance(sup.items[0], s.Number) and len(base) == 1:
            layers += write_plain(sup.items[0])
        elif isinstance(sup, s.Mark) and sup.kind == "top":
            powers += ".T"
        else:
            text = _tight(sup)
            powers += f"^{text}" if text.isdigit() else f"^{{{text}}}"
    if node.sups == (s.Mark("+"),):
        return base + "⁺" + labels
    label_powers = powers if times and not powers.startswith(".T") and not powers[1:2].isdigit() else ""
    tail = "" if label_powers else powers
    return base + layers + "'" * node.primes + labels + label_powers + times + tail


def _tight(node: s.Surface) -> str:
    return write_plain(node).replace(" - ", "-").replace(" + ", "+").replace(" * ", "*")


def _index(node: s.Surface) -> str:
    """A time, or the two ends of an edge, which are not multiplied."""
    edge = isinstance(node, s.Sequence) and all(isinstance(item, s.Name) for item in node.items)
    return ", ".join(map(write_plain, node.children())) if edge else _tight(node)


def _bracket(node: s.Bracket) -> str:
    body = f"{node.separator} ".join(write_plain(item) for item in node.items)
    opening, closing = {"<": ("⟨", "⟩"), "group": ("(", ")"), "time": ("", "")}.get(
        node.kind, (node.kind, {"(": ")", "[": "]", "{": "}"}.get(node.kind, ""))
    )
    return f"{opening}{body}{closing}"


def _sequence(node: s.Sequence) -> str:
    text = ""
    for k, item in enumerate(node.items):
        piece = write_plain(item)
        previous = node.items[k - 1] if k else None
        base = s.bare(previous)
        if isinstance(base, s.Mark) and base.kind == "nabla":
            text += " " + piece
        elif (
            previous is None or isinstance(base, s.Mark) or (isinstance(item, (s.Bracket, s.Scripted)) and _opens(item))
        ):
            text += piece
        else:
            text += " " + piece
    return text


def _opens(node: s.Surface) -> bool:
    inner = s.bare(node)
    return isinstance(inner, s.Bracket) and inner.kind == "("


def _infix(node: s.Infix) -> str:
    text = _operand(node.items[0])
    for operator, item in zip(node.operators, node.items[1:], strict=True):
        text += _OPERATORS[operator] + _operand(item)
    return text


def _sum(node: s.Sum) -> str:
    text = ""
    for k, (sign, item) in enumerate(zip(node.signs, node.items, strict=True)):
        piece = write_plain(item)
        text += (("-" if sign < 0 else "") if k == 0 else (" - " if sign < 0 else " + ")) + piece
    return text


def _fraction(node: s.Fraction) -> str:
    if _is_derivative(node):
        return f"{write_plain(node.numerator)}/{write_plain(node.denominator)}"
    return "/".join(
        f"({write_plain(p)})" if isinstance(p, s.Big) else _operand(p) for p in (node.numerator, node.denominator)
    )


def _big(node: s.Big) -> str:
    lower = f"_{{{_tight(node.sub).replace(' = ', '=')}}}" if node.sub is not None else ""
    upper = f"^{{{_tight(node.sup)}}}" if node.sup is not None else ""
    return f"{_BIG[node.kind]}{lower}{upper} {write_plain(node.body)}"


def _relation(node: s.Relation) -> str:
    text = write_plain(node.items[0])
    for operator, item in zip(node.operators, node.items[1:], strict=True):
        text += f"{':' if operator == ':' else f' {_RELATIONS[operator]} '}{write_plain(item)}"
    return text


_FENCES = {"norm": "‖", "abs": "|"}

_WRITERS: dict[type[s.Surface], Callable[[Any], str]] = {
    s.Name: lambda node: "ℕ" if node.text == NATURALS else node.text,
    s.Number: lambda node: node.text,
    s.Mark: lambda node: _MARKS[node.kind],
    s.Text: lambda node: node.text,
    s.Scripted: _scripted,
    s.Accent: lambda node: f"{write_plain(node.body)}_{node.kind}",
    s.Bracket: _bracket,
    s.Fence: lambda node: f"{_FENCES[node.kind]}{write_plain(node.body)}{_FENCES[node.kind]}",
    s.Sequence: _sequence,
    s.Infix: _infix,
    s.Sum: _sum,
    s.Fraction: _fraction,
    s.Root: lambda node: f"sqrt({write_plain(node.body)})",
    s.Matrix: lambda node: (
        "[" + ", ".join("[" + ", ".join(write_plain(x) for x in row) + "]" for row in node.rows) + "]"
    ),
    s.Big: _big,
    s.Relation: _relation,
    s.Line: lambda node: ", ".join(write_plain(item) for item in node.items),
}
