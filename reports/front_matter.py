"""The lines between ``---`` at the top of a sheet: ``key: value``, nothing more; a value may be given in another language as well."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from derive.errors import ParseError
from derive.notation.source import Source, Span
from reports.labels import LANGUAGES, in_language

KEYS = ("title", "subtitle", "author", "course", "date", "source", "language", "fields")
"""Keys that have a meaning for every sheet; content may use others for itself."""

_LINE = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:[ \t]*(.*?)[ \t]*\r?")


@dataclass(frozen=True)
class FrontMatter:
    """What the front matter says, where each value stands, and the text with the front matter blanked, so that lines
    keep their numbers.
    """

    values: dict[str, str]
    places: dict[str, Span]
    rest: str


def read_front_matter(source: Source, settings: Mapping[str, str] | None = None) -> FrontMatter:
    """The front matter of a file, empty if it has none; ``settings`` take the place of what it says.

    Raises
    ------
    ParseError : it is not closed, a line is not ``key: value``, a key is given twice or looks like a misspelt one.
    """
    front = _written(source)
    for number, (key, value) in enumerate((settings or {}).items()):
        given = Source(f"{key}: {value}", f"setting {number + 1}")
        key, value, place = _entry(given.text, 0, given)
        front.values[key], front.places[key] = value, place
    _check_language(front.values, front.places)
    language = front.values.get("language", "en")
    front.values.update({key: in_language(value, language) for key, value in front.values.items()})
    return front


def _written(source: Source) -> FrontMatter:
    lines = source.text.split("\n")
    if lines[0].rstrip() != "---":
        return FrontMatter({}, {}, source.text)
    values: dict[str, str] = {}
    places: dict[str, Span] = {}
    offset = len(lines[0]) + 1
    for line in lines[1:]:
        if line.rstrip() == "---":
            end = offset + len(line)
            blank = "".join("\n" if char == "\n" else " " for char in source.text[:end])
            return FrontMatter(values, places, blank + source.text[end:])
        if line.strip():
            key, value, place = _entry(line, offset, source)
            if key in values:
                raise ParseError(f"{key!r} is given twice", span=place, expected="each key once")
            values[key], places[key] = value, place
        offset += len(line) + 1
    raise ParseError(
        "the front matter is never closed", span=Span(0, 3, source), expected="a line --- after the last key"
    )


def _entry(line: str, offset: int, source: Source) -> tuple[str, str, Span]:
    match = _LINE.fullmatch(line)
    if match is None:
        raise ParseError(
            "this line of the front matter is not understood",
            span=Span(offset, offset + len(line.rstrip()), source),
            expected="key: value",
        )
    key, value = match.group(1).lower(), match.group(2)
    close = difflib.get_close_matches(key, KEYS, n=1, cutoff=0.8)
    if key not in KEYS and close:
        raise ParseError(
            f"there is no key {key!r}",
            span=Span(offset, offset + len(key), source),
            expected=", ".join(KEYS),
            hint=f"did you mean {close[0]}?",
        )
    return key, value, Span(offset + match.start(2), offset + max(match.end(2), match.start(2) + 1), source)


def _check_language(values: dict[str, str], places: dict[str, Span]) -> None:
    language = values.get("language", "en")
    if language not in LANGUAGES:
        raise ParseError(
            f"there is no language {language!r}", span=places["language"], expected=f"one of {', '.join(LANGUAGES)}"
        )
