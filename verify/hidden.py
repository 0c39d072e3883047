"""What a document does not show: ``\\iffalse ... \\fi``, comments of HTML, and what stands before or behind its body.

Blanks stand for it, so that everything else keeps its place. Macros are read in a preamble, formulas are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from derive.notation.source import Source

_VERBATIM = r"verbatim|Verbatim|lstlisting|minted|comment|filecontents"
_LATEX = re.compile(r"\\(?:documentclass|begin\s*\{document\})")
_TEX_MARK = re.compile(
    rf"(?P<comment>(?<!\\)%[^\n]*)|(?P<verbatim>\\begin\s*\{{(?P<kind>{_VERBATIM})\*?\}})"
    r"|(?P<verb>\\verb\*?(?P<stroke>[^A-Za-z\s*])[^\n]*?(?P=stroke))"
    r"|(?P<false>\\iffalse(?![A-Za-z]))|(?P<end>\\end\s*\{document\})|\\\\"
)
_CONDITIONAL = re.compile(r"\\(?P<word>if[A-Za-z]*|else|fi)(?![A-Za-z])|\\\\|(?<!\\)%[^\n]*")
_NO_CONDITIONAL = frozenset({"iff", "ifthenelse", "ifstrequal", "ifblank"})
_HTML_MARK = re.compile(
    r"(?P<fence>^[ \t]*(?P<ticks>`{3,}|~{3,})[^\n]*$.*?(?:^[ \t]*(?P=ticks)[`~]*[ \t]*$|\Z))|(?P<code>`[^`\n]*`)|(?P<open><!--)",
    re.MULTILINE | re.DOTALL,
)


def is_latex(text: str) -> bool:
    """Whether a text is a whole document of LaTeX."""
    return _LATEX.search(text) is not None


def without_hidden(source: Source, comments: bool) -> Source:
    """A text with blanks in place of what is not shown; ``comments`` says whether a per cent sign begins one."""
    text = source.text
    if "\\iffalse" not in text and "<!--" not in text and "\\end" not in text:
        return source
    pieces, at = list[str](), 0
    for start, end in sorted(_hidden(text, comments)):
        if end > at:
            pieces += [text[at:start], re.sub(r"[^\n]", " ", text[max(at, start) : end])]
            at = end
    shown = "".join(pieces) + text[at:]
    return Source(shown, source.name, 0, source, range(len(shown) + 1)) if pieces else source


def _hidden(text: str, comments: bool) -> Iterator[tuple[int, int]]:
    latex = is_latex(text)
    if not latex:
        yield from _html_comments(text)
    at = 0
    while (mark := _TEX_MARK.search(text, at)) is not None:
        at = mark.end()
        if mark["comment"] and not comments:
            at = mark.start() + 1
        elif mark["verbatim"]:
            end = text.find(f"\\end{{{mark['kind']}", at)
            at = len(text) if end < 0 else end
        elif mark["false"]:
            spans = _not_taken(text, mark)
            if not spans:
                return  # TeX would not end
            yield from spans
            at = spans[-1][1]
        elif mark["end"] and latex:
            yield mark.end(), len(text)
            return


def _html_comments(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while (mark := _HTML_MARK.search(text, at)) is not None:
        end = text.find("-->", mark.end()) + 3 if mark["open"] else mark.end()
        if end < mark.end():
            return
        if mark["open"]:
            yield mark.start(), end
        at = max(end, mark.start() + 1)


def _not_taken(text: str, mark: re.Match[str]) -> list[tuple[int, int]]:
    """What stands between \\iffalse and its \\else or \\fi; none where it never ends."""
    depth, otherwise = 0, None
    for word in _CONDITIONAL.finditer(text, mark.end()):
        name = word["word"]
        if name is None or name in _NO_CONDITIONAL:
            continue
        if name == "fi" and depth == 0:
            return [(mark.start(), word.end())] if otherwise is None else [(mark.start(), otherwise), word.span()]
        if name == "else" and depth == 0:
            otherwise = word.end()
        depth += {"fi": -1, "else": 0}.get(name, 1)
    return []


def body_start(text: str) -> int:
    """Where the body of a document begins."""
    for mark in re.finditer(r"(?<!\\)%[^\n]*|(?P<begin>\\begin\s*\{document\})", text):
        if mark["begin"]:
            return mark.end()
    return 0


__all__ = ["body_start", "is_latex", "without_hidden"]
