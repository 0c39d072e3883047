"""The inside of a paragraph: text, emphasis, code, links and formulas, each with its place in the file."""

from __future__ import annotations

import re
from collections.abc import Callable

from markdown_it.tree import SyntaxTreeNode

from derive.errors import BpttError, ParseError
from derive.notation import surface as s
from derive.notation.parser import parse_lines
from derive.notation.source import Source, Span
from reports import document as d
from reports.places import Excerpt

_COMMAND = re.compile(r"\\[A-Za-z]+")
"""A TeX command: outside a formula it would be printed letter by letter, which nobody means."""


class Sentence:
    """Reads one inline text. ``check_link`` is told each link's target and place."""

    def __init__(self, excerpt: Excerpt, check_link: Callable[[str, Span], None]) -> None:
        self.excerpt = excerpt
        self.content = excerpt.content
        self.check_link = check_link
        self.at = 0
        """How far the content was read: pieces come in order, so each is looked for from here on."""

    def read(self, node: SyntaxTreeNode) -> d.Inlines:
        """The pieces inside a node, neighbouring texts joined."""
        pieces: list[d.Inline] = []
        for child in node.children:
            piece = self.piece(child)
            if isinstance(piece, d.Text) and pieces and isinstance(pieces[-1], d.Text):
                pieces[-1] = d.Text(pieces[-1].text + piece.text)
            else:
                pieces.append(piece)
        return tuple(piece for piece in pieces if piece != d.Text(""))

    def piece(self, node: SyntaxTreeNode) -> d.Inline:
        """One piece."""
        match node.type:
            case "text":
                return self.text(node.content)
            case "text_special":
                self.check_command(node.content)
                return d.Text(node.content)
            case "softbreak":
                return d.Text(" ")
            case "hardbreak":
                return d.LineBreak()
            case "em":
                return d.Emphasis(self.read(node))
            case "strong":
                return d.Strong(self.read(node))
            case "code_inline":
                self.found(node.content)
                return d.CodeSpan(node.content)
            case "link":
                return self.link(node)
            case "math_inline":
                return self.math(node.content)
            case "math_inline_double":
                raise ParseError(
                    "a displayed formula inside a sentence",
                    span=self.found(f"$${node.content}$$"),
                    expected="$$ on lines of their own, or single $ signs",
                )
            case "image":
                raise ParseError(
                    "images are not part of a sheet",
                    span=self.found("!["),
                    expected="a drawing or a plot",
                    hint="figures come from blocks, so that every output has them",
                )
            case _:
                raise ParseError(f"{node.type} is not part of a sheet", span=self.excerpt.span(self.at, self.at + 1))

    def found(self, written: str) -> Span:
        """The place of the next piece, which is written like this, and on to its end; the rest of the sentence if it is
        not found as written.
        """
        start = self.content.find(written, self.at)
        if start < 0:
            return self.excerpt.span(self.at, len(self.content))
        self.at = start + len(written)
        return self.excerpt.span(start, self.at)

    def text(self, text: str) -> d.Text:
        self.found(text)
        if "$" in text:
            self.at = max(0, self.at - len(text))
            raise ParseError(
                "'$' opens a formula that is never closed",
                span=self.found("$"),
                expected="a second $",
                hint="write \\$ for the sign itself",
            )
        return d.Text(text)

    def check_command(self, written: str) -> None:
        """A backslash that escapes nothing is handed over with the letter after it, apart from the rest of its word."""
        if not _COMMAND.fullmatch(written):
            return
        found = _COMMAND.search(self.content, max(0, self.content.find(written, self.at)))
        command = found.group() if found else written
        raise ParseError(
            f"{command} stands outside a formula",
            span=self.found(command),
            expected="formulas between dollar signs",
            hint="write $...$ around the formula, or `...` around a command that is meant as text",
        )

    def link(self, node: SyntaxTreeNode) -> d.Link:
        url = str(node.attrs.get("href", ""))
        start = self.at
        body = self.read(node)
        self.check_link(url, self.excerpt.span(max(start, self.content.find("[", start)), max(self.at, start + 1)))
        return d.Link(body, url)

    # -- formulas ----------------------------------------------------------------------------------

    def math(self, text: str) -> d.Math:
        self.found(f"${text}$")
        start = max(0, self.at - len(text) - 1)
        lines = self.formulas(text, start)
        if len(lines) > 1:
            raise ParseError(
                "a formula of several lines inside a sentence",
                span=self.excerpt.span(start, start + len(text)),
                expected="$$ on lines of their own",
            )
        return d.Math(lines[0])

    def formulas(self, text: str, at: int) -> tuple[s.Surface, ...]:
        """The lines of a formula that stands at ``at`` in the content.

        Raises
        ------
        ParseError : with the place in the file.
        """
        try:
            lines = parse_lines(Source(text), newlines=False)
            if not lines:
                raise ParseError("there is no formula between the $ signs", expected="a formula")
        except BpttError as error:
            raise self.excerpt.moved(error, text, at) from None
        return tuple(line.items[0] if len(line.items) == 1 else line for line in lines)
