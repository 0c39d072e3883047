"""The plain front end: from text such as ``h[t] = sigmoid(W @ h[t-1] + U @ x[t] + b)`` to the token stream of the
grammar.
"""

from __future__ import annotations

import re

from derive.errors import ParseError
from derive.notation import vocabulary as words
from derive.notation.source import Source, Span
from derive.notation.tokens import Emitter, SourceToken

_RAW = re.compile(
    r"""
      (?P<comment>(?:\#|%)[^\n]*)
    | (?P<newline>\n)
    | (?P<space>[ \t\r\f\v]+)
    | (?P<number>(?:\d+\.\d+|\d+|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[^\W\d_](?:\w*[^\W_])?'*)
    | (?P<plus>\^\{\s*[+*]\s*\}|⁺)
    | (?P<operator>\.T\b|\*\*|<=|>=|!=|==|~=|:=|->|\.\.\.?|\|\||.)
    """,
    re.VERBOSE,
)

_NUMBERED = re.compile(r"([A-Za-z])(\d+)")
"""A letter with a number behind it."""

_OPERATORS = {
    "@": ("CHAINOP", "at"), "*": ("CHAINOP", "ast"), "/": ("CHAINOP", "slash"), "+": ("ADDOP", "+"),
    "-": ("ADDOP", "-"), "−": ("ADDOP", "-"),
    "=": ("REL", "="), "==": ("REL", "="), "<=": ("REL", "<="), ">=": ("REL", ">="), "<": ("REL", "<"),
    ">": ("REL", ">"), "!=": ("REL", "!="),
    "~=": ("REL", "~"), ":=": ("REL", ":="), "->": ("REL", "->"), ":": ("REL", ":"), ",": ("COMMA", ","), ";": ("SEMI", ";"),
}  # fmt: skip

_MARKS = {"∂": "partial", "∇": "nabla", "…": "dots", "...": "dots", "ℝ": "reals", "⊤": "top", "∞": "infty"}
_ACCENTS = frozenset(words.ACCENTS.values())
_WORD_MARKS = {"partial": "partial", "nabla": "nabla", "R": "reals", "ℝ": "reals", "ones": "ones"}
_WORD_OPERATORS = {"in": ("REL", "in"), "sum": ("BIG", "sum"), "prod": ("BIG", "prod"), "kron": ("CHAINOP", "otimes")}


class PlainFrontEnd:
    """Turns one plain text into tokens."""

    def __init__(self, source: Source, newlines: bool = True) -> None:
        self.source = source
        self.newlines = newlines
        self.out = Emitter(source)
        self.script_depths: list[int] = []  # bracket depths at which a '[' is an index
        self.pending_script: int | None = None

    def tokens(self) -> list[SourceToken]:
        """The whole text as tokens."""
        text = self.source.text
        for match in _RAW.finditer(text):
            kind, piece, start, end = match.lastgroup or "", match.group(), match.start(), match.end()
            if kind == "newline":
                self.newline(start, end)
            elif kind == "number":
                self.out.emit("NUMBER", piece, start, end)
                self.script_done(end)
            elif kind == "name":
                self.name(piece, start, end)
            elif kind == "plus":
                self.superscript_mark("star" if "*" in piece else "+", start, end)
            elif kind == "operator":
                self.operator(piece, start, end)
        return self.out.finish()

    def newline(self, start: int, end: int) -> None:
        tokens = self.out.tokens
        if (
            not self.newlines
            or self.out.open
            or not tokens
            or tokens[-1].type in ("NEWLINE", "REL", "ADDOP", "CHAINOP")
        ):
            return
        rest = self.source.text[end:].lstrip()
        continues = rest[:1] in tuple("=<>*/@+-−⊙·×") or rest[:2] in ("<=", ">=", "!=")
        if not continues:
            self.out.emit("NEWLINE", "\n", start, end)

    # -- names -------------------------------------------------------------------------------------

    def name(self, piece: str, start: int, end: int) -> None:
        """An identifier: its base, its label after ``_`` and its primes, as the scripts that LaTeX would have."""
        word = piece.rstrip("'")
        primes = len(piece) - len(word)
        if (
            word in _WORD_OPERATORS
            and self.pending_script is None
            and not self.is_label(end)
            and not (word in ("sum", "prod") and self.source.text[end : end + 1] == "(")
        ):
            kind, value = _WORD_OPERATORS[word]
            self.out.emit(kind, value, start, end)
            return
        if word in _WORD_MARKS and (word != "R" or self.after_in()):
            self.out.emit("MARK", _WORD_MARKS[word], start, end)
            self.script_done(end)
            return
        if word == "T" and self.out.tokens[-1:] and self.out.tokens[-1].type == "SUP":
            self.out.emit("MARK", "top", start, end)
            return
        parts = word.split("_")
        accent = [p for p in parts[1:] if p in _ACCENTS]
        labels = [p for p in parts[1:] if p not in _ACCENTS]
        for name in reversed(accent):  # C_tilde_bar: the last one is the outermost
            self.out.emit("ACCENT", name, start, end)
            self.out.push("group", start, start)
        self.base(parts[0], start, start + len(parts[0]))
        for _ in accent:
            self.out.pop("group", end, end)
        for k in range(primes):
            self.out.emit("PRIME", "'", end - primes + k, end - primes + k + 1)
        if labels:
            self.out.emit("SUB", "_", start, end)
            self.out.push("group", start, start)
            for k, label in enumerate(labels):
                if k:
                    self.out.emit("COMMA", ",", start, end)
                if _NUMBERED.fullmatch(label):
                    self.out.emit("NAME", label, start, end)  # R_H1 is labelled H1, while h1 is h^{[1]}
                else:
                    self.base(label, start, end)
            self.out.pop("group", end, end)
        self.script_done(end)

    def is_label(self, end: int) -> bool:
        """Whether a word stands alone in the braces of a script, as in W^{in}."""
        kinds = [token.type for token in self.out.tokens[-2:]]
        return kinds[-1:] == ["LBRACE"] and kinds[:1] in (["SUB"], ["SUP"]) and self.source.text[end : end + 1] == "}"

    def after_in(self) -> bool:
        return bool(self.out.tokens) and self.out.tokens[-1].type == "REL" and self.out.tokens[-1].value == "in"

    def base(self, word: str, start: int, end: int) -> None:
        layered = _NUMBERED.fullmatch(word)
        if layered:  # h1 is h^{[1]}
            self.out.emit("NAME", layered.group(1), start, end)
            self.out.emit("SUP", "^", start, end)
            self.out.push("group", start, start)
            self.out.push("[", start, start)
            self.out.emit("NUMBER", layered.group(2), start, end)
            self.out.pop("[", end, end)
            self.out.pop("group", end, end)
        elif word.isdigit():
            self.out.emit("NUMBER", word, start, end)
        elif (len(word) == 2 and word[1] in words.GREEK_UNICODE) or len(word) == 1:
            for offset, letter in enumerate(word):
                name = words.NATURALS if letter == "ℕ" else words.GREEK_UNICODE.get(letter, letter)
                self.out.emit("NAME", name, start + offset, end)
        else:
            self.out.emit("NAME", word, start, end)

    # -- operators and brackets --------------------------------------------------------------------

    def operator(self, sign: str, start: int, end: int) -> None:
        if sign in _OPERATORS:
            self.out.emit(*_OPERATORS[sign], start, end)
        elif sign in words.PRODUCTS_UNICODE:
            self.out.emit("CHAINOP", words.PRODUCTS_UNICODE[sign], start, end)
        elif sign in words.RELATIONS_UNICODE:
            self.out.emit("REL", words.RELATIONS_UNICODE[sign], start, end)
        elif sign in _MARKS:
            self.out.emit("MARK", _MARKS[sign], start, end)
            self.script_done(end)
        elif sign in "([{":
            self.opening(sign, start, end)
        elif sign in ")]}":
            self.closing(sign, start, end)
        elif sign in ("^", "**", "_"):
            self.out.emit("SUB" if sign == "_" else "SUP", sign, start, end)
            if not self.source.text[end:].lstrip().startswith("{"):
                self.script(start)
        elif sign == ".T" or sign == "ᵀ":
            self.superscript_mark("top", start, end)
        elif sign in ("||", "‖", "|"):
            self.bar("abs" if sign == "|" else "norm", start, end)
        elif sign in "∑∏":
            self.out.emit("BIG", {"∑": "sum", "∏": "prod"}[sign], start, end)
        elif sign == "⟨":
            self.out.push("<", start, end)
        elif sign == "⟩":
            self.out.pop("<", start, end)
        elif sign == "'" or sign == "′":
            self.out.emit("PRIME", "'", start, end)
        else:
            raise ParseError(
                f"'{sign}' is not part of the notation", span=Span(start, end, self.source), expected="a formula"
            )

    def superscript_mark(self, kind: str, start: int, end: int) -> None:
        self.out.emit("SUP", "^", start, end)
        self.out.push("group", start, start)
        self.out.emit("MARK", kind, start, end)
        self.out.pop("group", end, end)

    def script(self, start: int) -> None:
        """Open the group of a script without braces; it closes after the next operand."""
        self.out.push("group", start, start)
        self.pending_script = len(self.out.open)

    def script_done(self, end: int) -> None:
        if self.pending_script is not None and self.pending_script == len(self.out.open):
            self.pending_script = None
            self.out.pop("group", end, end)

    def opening(self, sign: str, start: int, end: int) -> None:
        if sign == "{":
            self.out.push("group", start, end)
        elif sign == "[" and self.out.after_operand and self.out.tokens[-1].end_pos == start:
            self.out.emit("SUB", "_", start, start)
            self.out.push("group", start, end)
            self.script_depths.append(len(self.out.open))
        else:
            self.out.push(sign, start, end)

    def closing(self, sign: str, start: int, end: int) -> None:
        if sign == "]" and self.script_depths and self.script_depths[-1] == len(self.out.open):
            self.script_depths.pop()
            self.out.pop("group", start, end)
        else:
            self.out.pop({")": "(", "]": "[", "}": "group"}[sign], start, end)
            self.script_done(end)

    def bar(self, kind: str, start: int, end: int) -> None:
        innermost = self.out.open[-1][0] if self.out.open else None
        if innermost == kind and self.out.after_operand:
            self.out.pop(kind, start, end)
        else:
            self.out.push(kind, start, end)


def plain_tokens(source: Source, newlines: bool = True) -> list[SourceToken]:
    """Tokens of a plain text."""
    return PlainFrontEnd(source, newlines).tokens()
