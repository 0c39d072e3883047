"""Text made harmless for each output, and the mark of what is already written in an output's own language.

Everything that a template prints is escaped unless it is a :class:`Code`; only the writers make those.

>>> escape_tex("50% of W_f")
'50\\\\% of W\\\\_f'
>>> escape_html("<b>")
'&lt;b&gt;'
>>> escape_typst("#read")
'#"#read"'
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote, urlsplit

from derive.errors import RenderError
from reports.tex_characters import LOWERED, PLAIN, RAISED, SPECIAL, missing

_PARTS = re.compile(f"[{''.join(RAISED)}]+|[{''.join(LOWERED)}]+|.", re.DOTALL)
"""Characters one by one, but small digits side by side together."""

_RUNS = re.compile(f"([{''.join(RAISED)}]+|[{''.join(LOWERED)}]+)")

SCHEMES = ("http", "https", "mailto")


class Code(str):
    """Text in the output's own language; templates print it as it is."""

    __slots__ = ()


def _visible(text: str) -> str:
    """The text without control characters: they show nothing, and some turn the reading direction around."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        char
        for char in composed
        if char in "\n\t\u00ad\u200b" or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )


def _tex_character(char: str) -> str:
    if char in SPECIAL:
        return SPECIAL[char]
    return PLAIN.get(char) or missing(char)


def _scripts(text: str) -> str:
    """An exponent or index written in small digits."""
    table, command = (RAISED, "textsuperscript") if text[0] in RAISED else (LOWERED, "textsubscript")
    written = "".join(table[char] for char in text).replace("-", r"\textminus{}")
    return f"\\{command}{{{written}}}"


def escape_tex(text: str) -> Code:
    """Words for LaTeX: no character of theirs is a command, an argument or part of a ligature that changes it."""
    pieces: list[str] = []
    previous = ""
    for part in _PARTS.findall(_visible(text)):
        # Two of these in a row would join: -- to a dash, ,, to a quote.
        pieces.append("{}" if part == previous and part in "-,'" else "")
        pieces.append(_scripts(part) if part[0] in RAISED or part[0] in LOWERED else _tex_character(part))
        previous = part
    return Code("".join(pieces))


def escape_tex_code(text: str) -> Code:
    """One line for ``Verbatim`` with ``commandchars=\\\\\\{\\}``, where everything but these three stands for itself."""
    special = {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "'": r"\textquotesingle{}",
        "`": r"\textasciigrave{}",
        "\t": "    ",
        "\u00a0": " ",
    }
    pieces = []
    for part in _PARTS.findall(_visible(text).replace("\n", " ")):
        pieces.append(
            _scripts(part)
            if part[0] in RAISED or part[0] in LOWERED
            else special.get(part) or PLAIN.get(part) or missing(part)
        )
    return Code("".join(pieces))


def escape_typst(text: str) -> Code:
    """Words for Typst's markup: strings, in which nothing is markup, and exponents where digits are raised."""
    pieces = []
    for part in _RUNS.split(text):
        if part and part[0] in RAISED:
            pieces.append(f"#super({typst_string(''.join(RAISED[char] for char in part).replace('-', '−'))})")
        elif part and part[0] in LOWERED:
            pieces.append(f"#sub({typst_string(''.join(LOWERED[char] for char in part).replace('-', '−'))})")
        elif part:
            pieces.append(f"#{typst_string(part)}")
    return Code("".join(pieces))


def typst_string(text: str) -> Code:
    """A string literal of Typst."""
    return Code(
        '"' + _visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t") + '"'
    )


def escape_html(text: str) -> Code:
    """Words for HTML, in an element or a quoted attribute."""
    table = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;"}
    return Code("".join(table.get(char, char) for char in _visible(text)))


_MARKDOWN = re.compile(r"[\\`*_\[\]#|~!]")
_FIRST = re.compile(r"^(\s*)(?:([-+=])|(\d+)([.)]))")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "<span>&#36;</span>"}


def escape_markdown(text: str) -> Code:
    """Words for Markdown, on one line, as notebooks read it: a dollar sign in an element of its own starts no formula."""
    words = _MARKDOWN.sub(r"\\\g<0>", _visible(text).replace("\n", " "))
    words = _FIRST.sub(lambda match: f"{match[1]}{match[3] or ''}\\{match[2] or match[4]}", words)
    return Code("".join(_ENTITIES.get(char, char) for char in words))


_IN_MATH = {
    "\\": r"\backslash ", "{": r"\lbrace ", "}": r"\rbrace ", "$": r"\$", "%": r"\%", "#": r"\#", "_": r"\_", "&": r"\&",
    "<": r"\lt ", ">": r"\gt ", "|": r"\vert ", "~": r"\sim ", "^": r"\wedge ",
}  # fmt: skip


def escape_mathjax(text: str) -> Code:
    """Words for the inside of ``\\text{ }`` where MathJax or KaTeX reads it: they do not agree on signs inside, so signs
    stand outside.

    >>> escape_mathjax("50% of")
    '50}\\\\%\\\\text{ of'
    """
    words = _visible(text).translate(str.maketrans("\n\u00a0`", "  '"))
    return Code("".join(f"}}{_IN_MATH[char]}\\text{{" if char in _IN_MATH else char for char in words))


_BESIDE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\.(?:pdf|html|csv)")
"""Another file of the same folder."""


def checked_url(url: str) -> str:
    """A link's target in plain ASCII.

    Raises
    ------
    RenderError : it is not a link that a sheet may hold.
    """
    scheme = urlsplit(url).scheme.lower()
    if not url.startswith("#") and scheme not in SCHEMES and not _BESIDE.fullmatch(url):
        raise RenderError(
            f"a link to {url!r} is not allowed", expected=f"one of {', '.join(SCHEMES)}, #anchor, or a file beside it"
        )
    return quote(_visible(url), safe="%/:=&?~#+!$,;@()*[]'-._")
