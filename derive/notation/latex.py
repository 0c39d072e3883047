"""The LaTeX front end: from LaTeX source to the token stream of the grammar.

It knows how TeX groups (one token or one brace group an argument), drops what only concerns looks, and settles the bars
of norms by what stands before them. It never expands, reads or runs anything: a command that is not in the vocabulary
is an error.
"""

from __future__ import annotations

import re

from derive.errors import ParseError
from derive.notation import vocabulary as words
from derive.notation.columns import in_columns
from derive.notation.latex_groups import grouped
from derive.notation.latex_scan import Raw, scan, starts_with_operator
from derive.notation.scope import ELEMENTWISE
from derive.notation.source import Source, Span
from derive.notation.tokens import Emitter, SourceToken, unknown_command

_BARS = {"|": "abs", "vert": "abs", "\\|": "norm", "Vert": "norm", "‖": "norm", "∥": "norm"}

_BEHIND_STOPS = frozenset({"\\label", "\\tag", "\\nonumber", "\\notag", "\\qedhere", "&"})
"""What may stand between a full stop and the end of a line."""
_SUPERSCRIPT_SIGNS = {"+": "+", "-": "-", "*": "star", "−": "-"}


class LatexFrontEnd:
    """Turns one LaTeX text into tokens. ``newlines``: a line break of the text ends an equation, as in a cell file."""

    def __init__(self, source: Source, newlines: bool = True) -> None:
        self.source = source
        self.newlines = newlines
        self.raws = grouped(in_columns(scan(source), source, newlines), source)
        self.index = 0
        self.out = Emitter(source)
        self.environments: list[tuple[str, Span]] = []
        self.arguments_due: dict[int, int] = {}  # open brackets -> arguments that follow when that bracket closes
        self.notes_due: set[int] = set()  # open brackets whose closing is followed by an under- or overbrace's note
        self.side: str | None = None  # after \left or \right: which way the next delimiter opens

    # -- driving -----------------------------------------------------------------------------------

    def tokens(self) -> list[SourceToken]:
        """The whole text as tokens."""
        while self.raw.kind != "end":
            self.step()
        if self.environments:
            name, place = self.environments[-1]
            raise ParseError(
                f"'\\begin{{{name}}}' is never closed",
                span=place,
                expected=f"\\end{{{name}}}",
                hint=f"add the missing \\end{{{name}}}",
            )
        return self.out.finish()

    @property
    def raw(self) -> Raw:
        return self.raws[self.index]

    def span(self, raw: Raw) -> Span:
        return Span(raw.start, raw.end, self.source)

    def take(self) -> Raw:
        raw = self.raws[self.index]
        if raw.kind == "end":
            last = self.out.tokens[-1] if self.out.tokens else None
            place = last.span if last is not None else self.span(raw)
            raise ParseError(
                "the formula ends where an argument should stand",
                span=place,
                expected="an argument in braces, such as {x}",
            )
        self.index += 1
        return raw

    def skip_newlines(self) -> None:
        while self.raw.kind == "newline":
            self.index += 1

    def step(self) -> None:
        """Read one raw token and emit what it stands for."""
        raw = self.take()
        getattr(self, f"on_{raw.kind}")(raw)

    # -- kinds of raw tokens -----------------------------------------------------------------------

    def on_newline(self, raw: Raw) -> None:
        if self.newlines and not self.environments and not self.out.open:
            self.end_line(raw)

    def on_break(self, raw: Raw) -> None:
        if self.out.open and self.out.open[-1][0] == "matrix":
            self.skip_newlines()
            if not (self.raw.kind == "environment" and self.raw.text.startswith("\\end")):
                self.out.emit("ROW", "\\\\", raw.start, raw.end)
        elif not self.out.open:
            self.end_line(raw)

    def end_line(self, raw: Raw) -> None:
        """Emit NEWLINE unless the formula goes on: it breaks before or after an operator."""
        tokens = self.out.tokens
        while tokens and tokens[-1].type in ("COMMA", "SEMI"):
            tokens.pop()
        if not tokens or tokens[-1].type in ("NEWLINE", "REL", "ADDOP", "CHAINOP"):
            return
        ahead = self.index
        while self.raws[ahead].kind in ("newline", "break") or self.raws[ahead].text in (
            "&",
            "\\quad",
            "\\qquad",
            "\\,",
            "\\;",
            "\\:",
            "\\!",
            "\\>",
        ):
            ahead += 1
        if not starts_with_operator(self.raws[ahead]):
            self.out.emit("NEWLINE", "\n", raw.start, raw.end)

    def on_remark(self, raw: Raw) -> None:
        self.out.emit("TEXT", raw.text, raw.start, raw.end)

    def on_number(self, raw: Raw) -> None:
        whole, comma, digits = raw.text.partition("{,}")
        if comma and (self.in_script() or (len(digits) == 3 and whole != "0")):
            raise ParseError(
                "it is not clear whether this is a decimal comma, or one between two numbers",
                span=self.span(raw),
                expected="digits with a decimal point",
            )
        self.out.emit("NUMBER", f"{whole}.{digits}" if comma else raw.text, raw.start, raw.end)

    def on_letter(self, raw: Raw) -> None:
        if raw.text[:1].isdigit() or raw.text[:1].isnumeric():
            raise ParseError(
                f"{raw.text} is no letter",
                span=self.span(raw),
                expected="a letter, or x^2 for a power and x_1 for an index",
            )
        letter = words.GREEK_UNICODE.get(raw.text, raw.text)
        if raw.text == "ᵀ":
            self.superscript_mark("top", raw)
        else:
            self.out.emit("NAME", letter, raw.start, raw.end)

    def on_environment(self, raw: Raw) -> None:
        command, name = re.match(r"\\(begin|end)\s*\{\s*([A-Za-z]+)", raw.text).groups()  # type: ignore[union-attr]
        if name in words.MATRIX_ENVIRONMENTS:
            if command == "begin":
                self.out.push("matrix", raw.start, raw.end, value=name)
                if name == "array":
                    self.skip_group()
            else:
                self.out.pop("matrix", raw.start, raw.end)
                self.after_close(raw)
        elif name in words.LINE_ENVIRONMENTS:
            self.line_environment(command, name, raw)
        else:
            raise ParseError(
                f"unknown environment {name}",
                span=self.span(raw),
                expected="a matrix (pmatrix, bmatrix, ...) or lines of equations (align, aligned, ...)",
            )

    def line_environment(self, command: str, name: str, raw: Raw) -> None:
        if command == "begin":
            self.environments.append((name, self.span(raw)))
            if name == "alignedat":
                self.skip_group()
            if self.raw.text == "[" and self.raws[self.index + 1].text in ("t", "c", "b"):
                self.index += 3 if self.raws[self.index + 2].text == "]" else 0  # how it stands in the line
        elif not self.environments or self.environments[-1][0] != name:
            opened = f"\\end{{{self.environments[-1][0]}}}" if self.environments else f"\\begin{{{name}}} before it"
            raise ParseError(f"'\\end{{{name}}}' closes nothing", span=self.span(raw), expected=opened)
        else:
            self.environments.pop()
            if not self.environments and not self.out.open:
                self.end_line(raw)

    def on_other(self, raw: Raw) -> None:
        sign = raw.text
        if sign in "([":
            self.side = None
            self.out.push(sign, raw.start, raw.end)
        elif sign in ")]":
            self.side = None
            self.out.pop({")": "(", "]": "["}[sign], raw.start, raw.end)
        elif sign == "{" and self.raw.text == "}":
            self.index += 1  # {} is nothing, as in a ={}& b
        elif sign == "{":
            self.out.push("group", raw.start, raw.end)
        elif sign == "}":
            depth = len(self.out.open)
            self.out.pop("group", raw.start, raw.end)
            self.close_group(depth)
        elif sign in _BARS:
            self.bar(self.doubled(raw) or _BARS[sign], raw)
        elif sign in "_^":
            self.script(raw)
        elif sign in "+-−":
            self.out.emit("ADDOP", "-" if sign == "−" else sign, raw.start, raw.end)
        elif sign == "=" and (self.raw.text == "\\vcentcolon" or (self.raw.text == ":" and self.raw.start == raw.end)):
            self.out.emit("REL", "=:", raw.start, self.take().end)
        elif sign in "=<>" or sign in words.RELATIONS_UNICODE:
            self.out.emit("REL", words.RELATIONS_UNICODE.get(sign, sign), raw.start, raw.end)
        elif sign == "*" or sign in words.PRODUCTS_UNICODE:
            self.out.emit("CHAINOP", words.PRODUCTS_UNICODE.get(sign, "ast"), raw.start, raw.end)
        else:
            self.rare(raw)

    def rare(self, raw: Raw) -> None:
        sign = raw.text
        if sign == "/":
            self.out.emit("CHAINOP", "slash", raw.start, raw.end)
        elif sign == "'" or sign == "′" or sign == "’":
            self.out.emit("PRIME", "'", raw.start, raw.end)
        elif sign == ":":
            self.colon(raw)
        elif sign in ",;":
            self.separator(sign, raw)
        elif sign == "&":
            if self.out.open and self.out.open[-1][0] == "matrix":
                self.out.emit("AMP", "&", raw.start, raw.end)
        elif sign in "∑∏":
            self.out.emit("BIG", {"∑": "sum", "∏": "prod"}[sign], raw.start, raw.end)
        elif sign in "∇∂":
            self.mark("nabla" if sign == "∇" else "partial", raw)
        elif sign == "⟨":
            self.out.push("<", raw.start, raw.end)
        elif sign == "⟩":
            self.out.pop("<", raw.start, raw.end)
        elif sign == "⁺":
            self.superscript_mark("+", raw)
        elif sign == "…":
            self.mark("dots", raw)
        elif sign == "⊤":
            self.mark("top", raw)
        elif sign == ".":
            self.full_stop(raw)
        else:
            raise ParseError(
                f"'{sign}' is not part of the notation", span=self.span(raw), expected="a formula in LaTeX"
            )

    def colon(self, raw: Raw) -> None:
        if self.raw.text == "=" and (self.raw.start == raw.end or raw.kind == "command"):
            self.out.emit("REL", ":=", raw.start, self.take().end)
        else:
            self.out.emit("REL", ":", raw.start, raw.end)

    def separator(self, sign: str, raw: Raw) -> None:
        if self.out.open or self.raw.kind not in ("end", "newline", "break"):
            self.out.emit("COMMA" if sign == "," else "SEMI", sign, raw.start, raw.end)

    def full_stop(self, raw: Raw) -> None:
        if self.side is not None:  # \left. and \right. are invisible
            self.side = None
        elif [after.text for after in self.raws[self.index : self.index + 2]] == [".", "."]:
            self.index += 2
            self.mark("dots", raw)
        elif self.raw.kind not in ("end", "newline", "break", "environment") and self.raw.text not in _BEHIND_STOPS:
            raise ParseError(
                "a full stop inside a formula",
                span=self.span(raw),
                expected="an operator",
                hint="write \\cdot for a product, and digits before a decimal point",
            )

    # -- brackets and arguments --------------------------------------------------------------------

    def close_group(self, depth: int) -> None:
        if depth in self.notes_due:
            self.notes_due.discard(depth)
            if self.raw.text in ("_", "^"):
                self.index += 1
                self.note()
        due = self.arguments_due.pop(depth, 0)
        if due:
            self.argument(due)

    def after_close(self, raw: Raw) -> None:
        """A matrix environment may itself be an argument without braces; nothing is due after it."""

    def bar(self, kind: str, raw: Raw) -> None:
        """Open or close a norm or absolute value: ``\\left`` and ``\\right`` say which; else a bar after an operand
        closes what is open.
        """
        innermost = self.out.open[-1][0] if self.out.open else None
        closes = self.side == "right" or (self.side is None and innermost == kind and self.out.after_operand)
        evaluated = not closes and self.out.after_operand and self.raw.text == "_"
        if evaluated or (self.side == "right" and innermost != kind):
            raise ParseError(
                "a bar for 'evaluated at' is not part of the notation",
                span=self.span(raw),
                expected="the values put in, or said in words beside the formula",
            )
        self.side = None
        if closes:
            self.out.pop(kind, raw.start, raw.end)
        else:
            self.out.push(kind, raw.start, raw.end)

    def doubled(self, raw: Raw) -> str | None:
        """``||`` is a norm bar, unless it closes one absolute value and opens the next."""
        innermost = self.out.open[-1][0] if self.out.open else None
        if raw.text == "|" == self.raw.text and self.raw.start == raw.end and innermost != "abs" and self.side is None:
            self.index += 1
            return "norm"
        return None

    def argument(self, count: int = 1) -> None:
        """See to it that the next ``count`` arguments reach the grammar as brace groups."""
        self.skip_newlines()
        while self.raw.kind == "command" and (self.raw.text[1:] in words.STYLES or self.raw.text[1:] in words.IGNORED):
            self.index += 1
        raw = self.raw
        if raw.text == "{":
            if count > 1:
                self.arguments_due[len(self.out.open) + 1] = count - 1
            self.step()
            return
        self.unbraced(raw)
        if count > 1:
            self.argument(count - 1)

    def unbraced(self, raw: Raw) -> None:
        """An argument of one token, as TeX reads it."""
        raw = self.take()
        name = raw.text[1:]
        takes_arguments = name in ("frac", "dfrac", "tfrac", "sqrt", "underbrace") or name in words.ACCENTS
        if raw.kind in ("environment", "break") or takes_arguments or raw.text in ("&", "_", "^", "}", ")", "]"):
            raise ParseError(
                f"'{raw.text}' cannot stand here without braces",
                span=self.span(raw),
                expected="an argument in braces, such as {x}",
            )
        self.out.push("group", raw.start, raw.start)
        if raw.kind == "number" and not raw.text.isdecimal():
            raise ParseError(
                f"TeX takes '{raw.text[0]}' alone of '{raw.text}'",
                span=self.span(raw),
                expected="braces around a number",
                hint=f"did you mean {{{raw.text}}}?",
            )
        if raw.kind == "number" and len(raw.text) > 1:
            # TeX takes one digit: the frac of 12 is one half, one digit an argument.
            self.index -= 1
            self.raws[self.index] = Raw("number", raw.text[1:], raw.start + 1, raw.end)
            raw = Raw("number", raw.text[0], raw.start, raw.start + 1)
        if raw.text in _SUPERSCRIPT_SIGNS:
            self.mark(_SUPERSCRIPT_SIGNS[raw.text], raw)
        else:
            getattr(self, f"on_{raw.kind}")(raw)
        self.out.pop("group", raw.end, raw.end)

    def script(self, raw: Raw) -> None:
        self.out.emit("SUB" if raw.text == "_" else "SUP", raw.text, raw.start, raw.end)
        self.skip_newlines()
        here = self.raw
        if here.kind == "number" and len(here.text) > 1:
            whole = Span(raw.start, here.end, self.source)
            raise ParseError(
                f"TeX reads '{whole.text}' as '{raw.text}{here.text[0]}' followed by '{here.text[1:]}'",
                span=whole,
                expected="braces around a script of more than one digit",
                hint=f"did you mean {raw.text}{{{here.text}}}?",
            )
        if (
            here.text == "{"
            and self.raws[self.index + 1].text in _SUPERSCRIPT_SIGNS
            and self.raws[self.index + 2].text == "}"
        ):
            sign = self.raws[self.index + 1]
            self.out.push("group", here.start, here.end)
            self.mark(_SUPERSCRIPT_SIGNS[sign.text], sign)
            closing = self.raws[self.index + 2]
            self.out.pop("group", closing.start, closing.end)
            self.index += 3
        else:
            self.argument()

    def note(self) -> None:
        """Pass over what stands at a brace. Words are no part of the formula; an equation would be one that nobody reads."""
        first = self.index
        self.skip_group()
        inside = self.raws[first : self.index]
        related = next((raw for raw in inside if raw.text in "=<>" or raw.text.lstrip("\\") in words.RELATIONS), None)
        if related is not None:
            raise ParseError(
                "the equation at the brace is not read",
                span=self.span(related),
                expected="words, or an equation of its own",
            )

    def skip_group(self) -> None:
        """Pass over one brace group, or one token."""
        self.skip_newlines()
        if self.raw.text != "{":
            self.take()
            return
        opened = self.raw
        depth = 0
        while True:
            if self.raw.kind == "end":
                raise ParseError(
                    "'{' is never closed", span=self.span(opened), expected="'}'", hint="add the missing '}'"
                )
            depth += {"{": 1, "}": -1}.get(self.raw.text, 0)
            self.index += 1
            if depth == 0:
                return

    def literal_group(self) -> tuple[str, int] | None:
        """The text of the brace group ahead, if it holds no command, and where it ends."""
        match = re.compile(r"\s*\{([^{}\\]*)\}").match(self.source.text, self.raws[self.index - 1].end)
        if match is None:
            return None
        while self.raw.start < match.end() and self.raw.kind != "end":
            self.index += 1
        return match.group(1).strip(), match.end()

    # -- commands ----------------------------------------------------------------------------------

    def mark(self, kind: str, raw: Raw) -> None:
        self.out.emit("MARK", kind, raw.start, raw.end)

    def superscript_mark(self, kind: str, raw: Raw) -> None:
        self.out.emit("SUP", "^", raw.start, raw.start)
        self.out.push("group", raw.start, raw.start)
        self.mark(kind, raw)
        self.out.pop("group", raw.end, raw.end)

    def on_command(self, raw: Raw) -> None:
        name = raw.text[1:].rstrip("*") if len(raw.text) > 2 else raw.text[1:]
        if name in words.LETTER_COMMANDS:
            self.out.emit("NAME", words.LETTER_COMMANDS[name], raw.start, raw.end)
        elif name in words.FUNCTION_COMMANDS:
            self.out.emit("NAME", name, raw.start, raw.end)
        elif name in words.PRODUCTS:
            self.out.emit("CHAINOP", words.PRODUCTS[name], raw.start, raw.end)
        elif name in words.RELATIONS:
            self.out.emit("REL", words.RELATIONS[name], raw.start, raw.end)
        elif name in words.IGNORED:
            pass
        elif name in words.SIZES:
            self.size(name)
        elif name in words.STYLES or name in words.LETTER_STYLES or name in words.WORD_STYLES:
            self.style(name, raw)
        elif name in words.ACCENTS:
            self.out.emit("ACCENT", words.ACCENTS[name], raw.start, raw.end)
            self.argument()
        elif name in ("frac", "dfrac", "tfrac"):
            self.out.emit("FRAC", "frac", raw.start, raw.end)
            self.argument(2)
        else:
            self.on_rare_command(name, raw)

    def on_rare_command(self, name: str, raw: Raw) -> None:
        marks = {
            "partial": "partial",
            "nabla": "nabla",
            "top": "top",
            "intercal": "top",
            "prime": "prime",
            "dagger": "dagger",
        }
        brackets = {"{": "{", "lbrace": "{", "lbrack": "[", "langle": "<", "lVert": "norm", "lvert": "abs"}
        closers = {"}": "{", "rbrace": "{", "rbrack": "[", "rangle": "<", "rVert": "norm", "rvert": "abs"}
        if name in marks:
            self.mark(marks[name], raw)
        elif name in ("dots", "ldots", "cdots", "vdots", "ddots", "dotsc", "dotsb", "dotsm", "dotsi", "dotso"):
            self.mark("dots", raw)
        elif name in ("sum", "prod"):
            self.out.emit("BIG", name, raw.start, raw.end)
        elif name in brackets:
            self.side = None
            self.out.push(brackets[name], raw.start, raw.end)
        elif name in closers:
            self.side = None
            self.out.pop(closers[name], raw.start, raw.end)
        elif name in ("|", "Vert", "vert", "mid"):
            self.bar("norm" if name in ("|", "Vert") else "abs", raw)
        elif name == "sqrt":
            self.root(raw)
        elif name == "rm":
            self.roman(raw)
        elif name == "vcentcolon":
            self.colon(raw)
        elif name.lower() in words.STYLED_WORDS or name in ELEMENTWISE:
            self.out.emit(
                "NAME", name.lower() if name.lower() in words.STYLED_WORDS else name, raw.start, raw.end
            )  # \\diag, \\softmax, \\relu: macros of authors
        elif name in ("underbrace", "overbrace"):
            self.notes_due.add(len(self.out.open) + 1)
            self.argument()
        elif name == "forall":
            self.out.emit("TEXT", "for all", raw.start, raw.end)
        elif name in ("label", "tag", "hspace", "vspace", "phantom", "hphantom", "color"):
            self.skip_group()
        elif name == words.UNCLEAR and (written := _command_at(self.span(raw).original)) != raw.text:
            raise ParseError(
                f"{written} has no clear meaning here",
                span=self.span(raw),
                expected="a macro that is defined outside of all groups, and that does not use itself",
            )
        elif name in words.DANGEROUS:
            raise ParseError(
                f"\\{name} is not part of the notation",
                span=self.span(raw),
                expected="a formula; files are never read and macros never expanded",
            )
        else:
            raise unknown_command(name, self.span(raw))

    def size(self, name: str) -> None:
        if name == "left" or name.endswith("l"):
            self.side = "left"
        elif name == "right" or name.endswith("r"):
            self.side = "right"
        if self.raw.text not in (".", "|", "\\|", "\\vert", "\\Vert"):
            self.side = None

    def root(self, raw: Raw) -> None:
        self.out.emit("SQRT", "sqrt", raw.start, raw.end)
        if self.raw.text == "[":
            close = self.index
            while self.raws[close].text != "]":
                if self.raws[close].kind == "end":
                    raise ParseError("'[' is never closed", span=self.span(self.raw), expected="']'")
                close += 1
            self.raws[self.index] = Raw("other", "{", self.raw.start, self.raw.end)
            self.raws[close] = Raw("other", "}", self.raws[close].start, self.raws[close].end)
            self.out.emit("INDEX", "[", raw.start, raw.end)
            self.argument(2)
        else:
            self.argument()

    def style(self, name: str, raw: Raw) -> None:
        if name in words.WORD_STYLES:
            self.word(name, raw)
            return
        here = self.index
        group = self.literal_group() if self.raw.text == "{" else None
        content = group[0] if group else self.raw.text
        end = group[1] if group else self.raw.end
        if content == "1" and name not in ("mathit", "mathnormal", "mathop"):
            self.consume(group)
            self.out.emit("MARK", "ones", raw.start, end)
        elif content == "R" and name == "mathbb":
            self.consume(group)
            self.out.emit("MARK", "reals", raw.start, end)
        elif name in words.LETTER_STYLES and len(content) == 1 and content.isalpha():
            self.consume(group)
            self.out.emit("NAME", words.LETTER_STYLES[name] + content, raw.start, end)
        elif content in ("T", "top") and name == "mathsf":
            self.consume(group)
            self.out.emit("MARK", "top", raw.start, end)
        elif content.lower() in words.STYLED_WORDS:
            self.consume(group)
            self.out.emit("NAME", content.lower(), raw.start, end)
        else:
            self.index = here  # only looks: the group that follows is read as it stands

    def in_script(self) -> bool:
        """Whether the group that is open stands as a script, so that letters in it are a label."""
        return [token.type for token in self.out.tokens[-2:]] in (["SUB", "LBRACE"], ["SUP", "LBRACE"])

    def roman(self, raw: Raw) -> None:
        """``\\rm`` makes the letters after it one word."""
        if self.raw.text == "{":
            self.word("mathrm", raw)
            return
        letters: list[Raw] = []
        while self.raw.kind == "letter" and (not letters or self.raw.start == letters[-1].end):
            letters.append(self.take())
        if letters:
            self.out.emit("NAME", "".join(letter.text for letter in letters), letters[0].start, letters[-1].end)

    def consume(self, group: tuple[str, int] | None) -> None:
        if group is None:
            self.take()

    def word(self, name: str, raw: Raw) -> None:
        group = self.literal_group() if self.raw.text == "{" else None
        if group is None:
            if self.raw.text == "{":
                raise ParseError(
                    f"\\{name} holds a formula",
                    span=self.span(raw),
                    expected="letters only",
                    hint="close the text before the formula starts",
                )
            letter = self.take()
            group = (letter.text, letter.end)
        content, end = group
        if content in ("T", "top"):
            self.out.emit("MARK", "top", raw.start, end)
        elif content.lower() in words.CONNECTIVES and not self.in_script():
            self.out.emit("TEXT", content, raw.start, end)
        elif content == "d" and not self.in_script():
            self.mark("partial", raw)  # \\mathrm{d}W, the upright d of a differential
        elif re.fullmatch(r"[A-Za-z][A-Za-z0-9]*(-[A-Za-z]+)*", content):
            name = content.replace("-", "")
            self.out.emit("NAME", name.lower() if name.lower() in words.STYLED_WORDS else name, raw.start, end)
        elif re.fullmatch(r"\d+(\.\d+)?", content):
            self.out.emit("NUMBER", content, raw.start, end)
        else:
            self.out.emit("TEXT", content, raw.start, end)


def _command_at(place: Span) -> str:
    """The command that begins at a place."""
    found = re.compile(r"\\[A-Za-z]+").match(place.source.text, place.start)
    return found.group() if found else place.text


def latex_tokens(source: Source, newlines: bool = True) -> list[SourceToken]:
    """Tokens of a LaTeX text."""
    return LatexFrontEnd(source, newlines).tokens()
