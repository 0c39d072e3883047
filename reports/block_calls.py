"""Fenced blocks that call the engine: ``\\`\\`\\`bptt jacobian`` with options, and the registry of what there is to
call.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, get_args

from derive.errors import BpttError, ParseError, clipped
from derive.notation.source import Source, Span
from reports import document as d
from reports.places import Excerpt, FileText

PREFIX = "bptt"
"""The first word of the info string of a fence that calls."""

Body = Literal["none", "optional", "required"]

_OPTION = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+|$)(.*)")
_LONGEST_LIST = 8
"""The most numbers in an option: as many as a table has room for."""
_YES = {"yes": True, "true": True, "no": False, "false": False}


@dataclass(frozen=True)
class BlockCall:
    """One fenced block.

    Parameters
    ----------
    name    : the word after ``bptt``.
    options : ``key: value`` lines in the order written; indented lines go on with the value above.
    body    : what stands after a line ``---``; empty without one.
    span    : the fence's first line.
    places  : where each option's value stands.
    body_source : the body with its place in the file, for whoever reads it as formulas or as a cell.
    context : what the caller of :func:`reports.markdown.read_markdown` passed through.
    reader  : reads a sentence of Markdown.
    """

    name: str
    options: Mapping[str, str]
    body: str
    span: Span
    places: Mapping[str, Span]
    body_source: Source
    context: Any
    reader: MarkdownReader

    def text(self, key: str, default: str = "") -> str:
        """An option's value."""
        return self.options.get(key, default)

    def integer(self, key: str, default: int, least: int = 0, most: int = 10_000) -> int:
        """An option that is a whole number.

        Raises
        ------
        ParseError : it is not, or not in the range.
        """
        value = self.options.get(key)
        if value is None:
            return default
        found = _whole(value)
        if found is None or not least <= found <= most:
            raise self.error(f"{key} is {clipped(value, 30)!r}", key, expected=f"a whole number from {least} to {most}")
        return found

    def integers(self, key: str, default: str, least: int = 1, most: int = 10_000) -> list[int]:
        """An option that is a list of whole numbers.

        Raises
        ------
        ParseError : it is not, or one is not in the range.
        """
        value = self.options.get(key, default)
        found = [_whole(part.strip()) for part in value.split(",")]
        numbers = [number for number in found if number is not None and least <= number <= most]
        if len(numbers) < len(found) or len(found) > _LONGEST_LIST:
            raise self.error(
                f"{key} is {clipped(value, 30)!r}",
                key,
                expected=f"at most {_LONGEST_LIST} whole numbers from {least} to {most}, such as {default}",
            )
        return numbers

    def flag(self, key: str, default: bool = False) -> bool:
        """An option that is ``yes`` or ``no``.

        Raises
        ------
        ParseError : it is something else.
        """
        value = self.options.get(key)
        if value is not None and value.lower() not in _YES:
            raise self.error(f"{key} is {value!r}", key, expected="yes or no")
        return default if value is None else _YES[value.lower()]

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """An option that is one of several words.

        Raises
        ------
        ParseError : it is none of them.
        """
        value = self.options.get(key, default)
        if value not in choices:
            raise self.error(
                f"{key} is {value!r}", key, expected=f"one of {', '.join(choices)}", hint=did_you_mean(value, choices)
            )
        return value

    def sentence(self, key: str) -> d.Inlines:
        """An option's value read as a Markdown sentence, such as a caption with formulas; empty if it is not given.

        Raises
        ------
        ParseError : a formula in it cannot be read.
        """
        return self.reader.sentence(self.options[key], self.places[key]) if self.options.get(key) else ()

    def error(
        self, message: str, key: str | None = None, *, expected: str | None = None, hint: str | None = None
    ) -> ParseError:
        """An error about an option's value, or about the whole block."""
        span = self.places.get(key, self.span) if key is not None else self.span
        return ParseError(message, span=span, expected=expected, hint=hint)


class MarkdownReader:
    """How a handler reads Markdown inside its block; :mod:`reports.markdown` implements it."""

    def sentence(self, text: str, place: Span) -> d.Inlines:
        """A sentence that stands at a place of the file."""
        raise NotImplementedError


BlocksLater = Callable[[], Sequence[d.Block]]
BlockHandler = Callable[[BlockCall], Sequence[d.Block] | BlocksLater]
"""Gives the blocks that a call stands for, or what waits for them: that is asked when all else has been read."""


@dataclass(frozen=True)
class _Entry:
    handler: BlockHandler
    options: tuple[str, ...]
    required: tuple[str, ...]
    body: Body
    defines: bool
    ahead: Callable[[BlockCall], None] | None


class BlockRegistry:
    """The blocks that content can call.

    >>> registry = BlockRegistry()
    >>> @registry.block("hello", options=("name",))
    ... def hello(call):
    ...     return [d.Paragraph(d.words(f"Hello {call.text('name', 'world')}!"))]
    >>> registry.names
    ('hello',)
    """

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
        self._watch: Callable[[BlockCall], None] = lambda call: None

    def watched(self, watch: Callable[[BlockCall], None]) -> BlockRegistry:
        """The same blocks, with somebody who is told of each call before it is made."""
        other = BlockRegistry()
        other._entries, other._watch = self._entries, watch
        return other

    @property
    def names(self) -> tuple[str, ...]:
        """Names in alphabetical order."""
        return tuple(sorted(self._entries))

    def options(self, name: str) -> tuple[str, ...]:
        """The options of a block, required ones first."""
        return self._entries[name].options

    def block(
        self,
        name: str,
        *,
        options: Iterable[str] = (),
        required: Iterable[str] = (),
        body: Body = "none",
        defines: bool = False,
        ahead: Callable[[BlockCall], None] | None = None,
    ) -> Callable[[BlockHandler], BlockHandler]:
        """Register the decorated function. ``required`` options need not be repeated in ``options``; ``body``: whether
        text after ``---`` is read; ``defines``: whether other blocks need it, so that it is called even where it is not shown;
        ``ahead``: begins with what takes long as soon as the sheet is read.
        """
        if name in self._entries:
            raise ValueError(f"block {name!r} is registered twice")
        if body not in get_args(Body):
            raise ValueError(f"body is {body!r}; it is one of {', '.join(get_args(Body))}")
        needed = tuple(required)

        def register(handler: BlockHandler) -> BlockHandler:
            self._entries[name] = _Entry(
                handler,
                (*needed, *(option for option in options if option not in needed)),
                needed,
                body,
                defines,
                ahead,
            )
            return handler

        return register

    def defines(self, call: BlockCall) -> bool:
        """Whether a block defines what others use."""
        return call.name in self._entries and self._entries[call.name].defines

    def begin(self, call: BlockCall) -> None:
        """Let a block begin that is called later; whatever is wrong with it is told then."""
        entry = self._entries.get(call.name)
        if entry is not None and entry.ahead is not None:
            with suppress(BpttError):
                self._checked(call)
                entry.ahead(call)

    def call(self, call: BlockCall) -> d.Blocks:
        """What a block stands for.

        Raises
        ------
        ParseError : there is no such block, or it has other options; with the place, what there is, and what was probably meant.
        BpttError  : whatever the engine finds, with the place of the block.
        """
        entry = self._checked(call)
        self._watch(call)
        with _located_in(call):
            found = entry.handler(call)
            return (d.Later(partial(self._waited, call, found)),) if callable(found) else tuple(found)

    def _waited(self, call: BlockCall, later: BlocksLater) -> d.Blocks:
        self._watch(call)
        with _located_in(call):
            return tuple(later())

    def _checked(self, call: BlockCall) -> _Entry:
        entry = self._entries.get(call.name)
        if entry is None:
            known = ", ".join(self.names) or "none: no blocks are registered"
            raise ParseError(
                f"there is no block {call.name!r}",
                span=call.span,
                expected=f"one of {known}",
                hint=did_you_mean(call.name, self.names),
            )
        for key in call.options:
            if key not in entry.options:
                expected = f"one of {', '.join(entry.options)}" if entry.options else "no options"
                raise call.error(
                    f"block {call.name!r} has no option {key!r}",
                    key,
                    expected=expected,
                    hint=did_you_mean(key, entry.options),
                )
        for key in entry.required:
            if not call.options.get(key):
                raise call.error(
                    f"block {call.name!r} needs the option {key!r}", expected=f"a line '{key}: ...' inside the fence"
                )
        if entry.body == "none" and call.body.strip():
            raise call.error(
                f"block {call.name!r} has no body",
                expected="options only",
                hint="remove what stands after the line ---",
            )
        if entry.body == "required" and not call.body.strip():
            raise call.error(
                f"block {call.name!r} needs a body", expected="a line --- after the options, and the text after it"
            )
        return entry


def _whole(text: str) -> int | None:
    """A whole number, if that is what a text is."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def did_you_mean(word: str, words: Iterable[str]) -> str | None:
    """The likely intention behind a misspelt word."""
    close = difflib.get_close_matches(word, list(words), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else None


@contextmanager
def _located_in(call: BlockCall) -> Iterator[None]:
    """Errors are about the file."""
    try:
        yield
    except BpttError as error:
        raise _located(error, call) from None


def _located(error: BpttError, call: BlockCall) -> BpttError:
    """An engine's error as one about the file: at the option or body whose text it read, else at the block."""
    span = error.span
    if span is None:
        return error.at(call.span)
    if span.source.name != "<text>":
        return error
    # Engines read an option's value, the body, or a line of it; what they read is found again in the file.
    read = span.source.text
    for key, value in call.options.items():
        if read and read in value:
            shift = value.index(read)
            start, end = (
                _in_file(call.places[key], value, shift + at) for at in (span.start, max(span.start, span.end - 1))
            )
            error.span = Span(start, end + 1, call.places[key].source)
            return error
    if read and read in call.body:
        start = call.body.index(read)
        error.span = Span(start + span.start, start + span.end, call.body_source)
        return error
    error.hint = f"{error.hint}; it" if error.hint else "it"
    error.hint += f" comes from the block {call.name!r} at {call.span.where()}"
    return error


def _in_file(place: Span, value: str, index: int) -> int:
    """Where a character of an option's value stands; its lines stand below each other in the file, each indented."""
    text, at = place.source.text, place.start
    for line in value.split("\n"):
        at = max(at, text.find(line, at))
        if index <= len(line):
            return at + index
        index -= len(line) + 1
        at += len(line)
    return at


def read_call(
    file: FileText, name: str, content: str, lines: tuple[int, int], context: Any, reader: MarkdownReader
) -> BlockCall:
    """The call in a fence. ``lines``: the fence's first line and the first line inside it (counted from 0).

    Raises
    ------
    ParseError : a line is not an option, or an option is given twice.
    """
    span = file.line_span(lines[0])
    excerpt = Excerpt(file, content, lines[1])
    options: dict[str, str] = {}
    places: dict[str, Span] = {}
    written = content.split("\n")
    body = ""
    body_line = len(written)
    offset = 0
    key = None
    for number, line in enumerate(written):
        if line.strip() == "---":
            body, body_line = "\n".join(written[number + 1 :]), number + 1
            break
        match = _OPTION.fullmatch(line)
        if match is not None:
            key = match.group(1)
            place = excerpt.span(offset + match.start(2), offset + len(line.rstrip()))
            if key in options:
                raise ParseError(f"option {key!r} is given twice", span=place, expected="each option once")
            options[key], places[key] = match.group(2).strip(), place
        elif key is not None and line[:1] in (" ", "\t") and line.strip():
            options[key] = f"{options[key]}\n{line.strip()}".lstrip("\n")
        elif line.strip():
            raise ParseError(
                "this line is not an option",
                span=excerpt.span(offset, offset + len(line)),
                expected="key: value, or --- before the body of the block",
            )
        offset += len(line) + 1
    source = Source(body, file.source.name, file.source.line_offset + lines[1] + body_line)
    return BlockCall(name, options, body, span, places, source, context, reader)
