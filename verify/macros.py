"""Macros that an author defines, written out: ``\\newcommand{\\pd}[2]{\\frac{\\partial #1}{\\partial #2}}``.

Only text is put in the place of text, as often as a document of its size may ask for; every character keeps the place that it came
from, so that errors show what the author wrote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from derive.notation import vocabulary as words
from derive.notation.source import Source

MOST_TEXT = 200_000
"""The most characters that the macros of a document may write, those that others take up again included."""
DEEPEST = 20
"""How deep macros may use each other."""

_DEFINITION = re.compile(
    r"\\(?P<how>(?:re)?newcommand|providecommand|DeclareRobustCommand)\*?\s*"
    r"(?:\{\s*\\(?P<braced>[A-Za-z]+)\s*\}|\\(?P<bare>[A-Za-z]+))"
    r"\s*(?:\[\s*(?P<count>[0-9])\s*\])?\s*(?:\[(?P<default>[^\[\]]*)\])?\s*(?=\{)"
    r"|\\[gex]?def\s*\\(?P<def>[A-Za-z]+)\s*(?P<parameters>(?:#[1-9])*)\s*(?=\{)"
    r"|\\DeclareMathOperator\*?\s*\{\s*\\(?P<operator>[A-Za-z]+)\s*\}\s*(?=\{)"
    r"|\\let\s*\\(?P<let>[A-Za-z]+)\s*=?\s*(?P<meant>\\[A-Za-z]+|[^\s\\{}])"
)
_SCAN = re.compile(
    r"(?P<comment>%[^\n]*)"
    r"|(?P<verbatim>\\begin\s*\{(?P<kind>verbatim|lstlisting|minted|comment)\*?\})"
    r"|(?P<definition>\\(?:(?:re)?newcommand|providecommand|DeclareRobustCommand|[gex]?def|DeclareMathOperator|let)(?![A-Za-z]))"
    r"|(?P<pair>\\[^A-Za-z])|(?P<open>\{|\\b(?:egin|egingroup|group)(?![A-Za-z]))|(?P<close>\}|\\e(?:nd|ndgroup|group)(?![A-Za-z]))"
)
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_DOCUMENT = re.compile(r"\s*\{\s*document\s*\}")
UNCLEAR = f"\\{words.UNCLEAR}"
"""What is written for a command whose meaning is not clear: nothing that holds it is read."""


@dataclass(frozen=True)
class Macro:
    """What stands for a command: a text with ``#1``, ``#2``, ..., and the first argument if it may be left out."""

    count: int
    body: str
    default: str | None = None
    literal: bool = False
    """Whether the body is a command of TeX itself, whatever is defined by that name afterwards."""


def without_macros(source: Source, macros: dict[str, Macro] | None = None) -> Source:
    """A text in which the macros that it defines are written out; the text itself where there are none. ``macros`` are those that are
    known before it, and become those that are known behind it.

    A command means at each place what was defined last before it. One that is defined within a group has no meaning from there on: TeX
    would know where the group ends it.
    """
    writer = _Writer({} if macros is None else macros)
    text, at = source.text, 0
    for start, found, local in _definitions(text):
        writer.write(text, range(at, start), start=at, end=start)
        if text[max(0, start - 20) : start].rstrip().endswith("$"):
            writer.put(" ", [start])  # the $ around a definition are no $$
        writer.define(found, local)
        at = found.end
    if not at and not writer.macros:
        return source
    writer.write(text, range(at, len(text)), start=at, end=len(text))
    return Source("".join(writer.text), source.name, 0, source, [*writer.places, len(text)])


@dataclass(frozen=True)
class _Definition:
    """A macro as it is defined: ``how`` is the command that does it."""

    name: str
    macro: Macro
    how: str
    end: int


def _definitions(text: str) -> Iterator[tuple[int, _Definition, bool]]:
    """Where macros are defined, and whether within a group; none in comments, or in what is shown as it is."""
    at = depth = 0
    while (mark := _SCAN.search(text, at)) is not None:
        at = mark.end()
        if not _DOCUMENT.match(text, at):
            depth = max(0, depth + (mark["open"] is not None) - (mark["close"] is not None))
        if mark["verbatim"]:
            end = text.find("\\end{" + mark["kind"], at)
            at = len(text) if end < 0 else end
        found = _definition(text, mark.start()) if mark["definition"] else None
        if found is not None:
            at = found.end
            yield mark.start(), found, depth > 0


def _definition(text: str, start: int) -> _Definition | None:
    match = _DEFINITION.match(text, start)
    if match is None:
        return None
    if match["let"]:
        return _Definition(match["let"], Macro(0, match["meant"], literal=True), "let", match.end())
    end = group_end(text, match.end())
    if end is None:
        return None
    body = text[match.end() + 1 : end - 1]
    if match["operator"]:
        return _Definition(match["operator"], Macro(0, f"\\operatorname{{{body}}}"), "operator", end)
    if match["def"]:
        return _Definition(match["def"], Macro(len(match["parameters"]) // 2, body), "def", end)
    macro = Macro(int(match["count"] or 0), body, match["default"])
    return _Definition(match["braced"] or match["bare"], macro, match["how"], end)


def _is_known(name: str) -> bool:
    return name in words.KNOWN_COMMANDS or name in words.FUNCTION_COMMANDS


def group_end(text: str, start: int, end: int | None = None) -> int | None:
    """Behind the brace that closes the one at ``start``."""
    depth = 0
    for match in re.compile(r"\\.|[{}]", re.DOTALL).finditer(text, start, len(text) if end is None else end):
        depth += {"{": 1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end() if match.group() == "}" else None
    return None


class _Writer:
    """Writes a text out."""

    def __init__(self, macros: dict[str, Macro]) -> None:
        self.macros = macros
        self.text: list[str] = []
        self.places: list[int] = []
        self.spent = 0

    def define(self, found: _Definition, local: bool) -> None:
        """Give a command its meaning from here on."""
        name, macro = found.name, found.macro
        if found.how == "providecommand" and (name in self.macros or _is_known(name)):
            return
        if found.how == "let":
            macro = self.macros.get(macro.body[1:], macro)
        self.macros[name] = Macro(0, UNCLEAR, literal=True) if local else macro

    def put(self, piece: str, places: range | list[int]) -> None:
        if piece:
            self.text.append(piece)
            self.places.extend(places)

    def write(self, text: str, places: range | list[int], start: int, end: int, depth: int = 0) -> None:
        """A stretch of a text; ``places`` says for each of its characters where the author wrote it."""
        at = start
        for match in _COMMAND.finditer(text, start, end):
            if match.start() < at:
                continue
            macro = self.macros.get(match[1])
            if macro is None:
                continue
            too_much = depth >= DEEPEST or self.spent > MOST_TEXT
            if too_much:
                macro = Macro(0, UNCLEAR, literal=True)
            found = _arguments(text, match.end(), end, macro)
            if found is None:
                continue
            arguments, after = found
            self.put(text[at : match.start()], places[at - start : match.start() - start])
            if macro.literal:
                self._use_literally(macro, places[match.start() - start : match.end() - start])
                at = after
                if too_much and depth > 0:
                    return  # what holds this is not read
                continue
            here = places[match.start() - start]
            self._use(macro, arguments, text, places, start, here, depth)
            at = after
        self.put(text[at:end], places[at - start : end - start])

    def _use_literally(self, macro: Macro, places: range | list[int]) -> None:
        """A body that is no macro itself; it stands for all characters of the command."""
        room = max(0, len(macro.body) - len(places))
        self.put(macro.body, [places[0]] * room + [*places[len(places) - len(macro.body) + room :]])
        if macro.body[-1:].isalpha():
            self.put(" ", [places[-1]])

    def _use(
        self,
        macro: Macro,
        arguments: list[tuple[int, int] | str],
        text: str,
        places: range | list[int],
        start: int,
        here: int,
        depth: int,
    ) -> None:
        """The body of a macro, with its arguments where they belong."""
        body, where = "", list[int]()
        for piece in re.split(r"(#[1-9])", macro.body):
            number = int(piece[1]) if re.fullmatch("#[1-9]", piece) else 0
            if self.spent > MOST_TEXT:
                body, where = f"{body}{UNCLEAR} ", where + [here] * (len(UNCLEAR) + 1)
                break
            self.spent += 1 + len(piece)
            if not number:
                body, where = body + piece, where + [here] * len(piece)
            elif number <= len(arguments):
                argument = arguments[number - 1]
                if isinstance(argument, str):
                    body, where = body + argument, where + [here] * len(argument)
                else:
                    self.spent += argument[1] - argument[0]
                    body += text[slice(*argument)]
                    where += places[argument[0] - start : argument[1] - start]
        # \x followed by a letter: a command in the body does not grow by what follows the macro
        self.write(body, where, 0, len(body), depth + 1)
        if self.text and re.search(r"\\[A-Za-z]+\Z", self.text[-1]):
            self.put(" ", [here])


def _arguments(text: str, at: int, end: int, macro: Macro) -> tuple[list[tuple[int, int] | str], int] | None:
    """The places of a macro's arguments, and where the text goes on; None if they are not there."""
    found: list[tuple[int, int] | str] = []
    if macro.default is not None and macro.count:
        optional = re.compile(r"\s*\[([^\[\]]*)\]").match(text, at, end)
        found.append(macro.default if optional is None else optional.span(1))
        at = at if optional is None else optional.end()
    while len(found) < macro.count:
        token = re.compile(r"\s*(\{|\\[A-Za-z]+|\\.|[^\s{}])").match(text, at, end)
        if token is None:
            return None
        if token[1] == "{":
            close = group_end(text, token.start(1))
            if close is None or close > end:
                return None
            found.append((token.start(1) + 1, close - 1))
            at = close
        else:
            found.append(token.span(1))
            at = token.end()
    return found, at


__all__ = ["UNCLEAR", "Macro", "group_end", "without_macros"]
