"""No text of content becomes a command of an output, whatever it says and wherever it stands."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import RenderError
from derive.notation import surface as s
from reports import document as d
from reports.escape import checked_url, escape_html, escape_tex, escape_tex_code, escape_typst
from reports.formulas import latex_formula, typst_formula
from reports.html_writer import HtmlWriter
from reports.latex_writer import LatexWriter
from reports.layout import lay_out
from reports.render import make
from reports.tex import compile_tex
from reports.tex_characters import PLAIN
from reports.typst_pdf import typst_pdf
from reports.typst_writer import TypstWriter

NASTY = (
    r"\input{/etc/passwd} \write18{ls} \end{Verbatim} \end{document}",
    r'#read("/etc/passwd") #{ panic() } $ x $ *b* _e_ `c` <label> @ref // comment /* */',
    "<script>alert(1)</script> </style><img src=x onerror=alert(1)> &amp; \" ' --> ]]>",
    r"% # & ~ ^ _ { } $ \ ^^M \\ [x] * ' '' -- --- ,, << >> ?` !` `` | @",
    "\\",
    '"',
    "}",
    "$",
    "%",
    "=x\n- y\n+ z\n/ t: u\n\n~",
    "\u202eright to left\u200b \x00\x07 中文 Ж é ß → σ ∂ ⁻¹⁶ x₁₂ 😀",
)

_ESCAPES = {
    "textbackslash", "textasciicircum", "textasciitilde", "textasciigrave", "textquotedbl", "textquotesingle",
    "textbar", "missingcharacter",
    "ensuremath", "allowbreak", "hookrightarrow", "rightarrow", "sigma", "partial", "text", "textsuperscript", "textsubscript", "textminus",
}  # fmt: skip


def _commands(source: str) -> set[str]:
    return set(re.findall(r"\\([A-Za-z@]+)", source))


@pytest.mark.parametrize("text", NASTY)
def test_latex_has_no_new_commands(make_everything: Callable[..., d.Document], text: str) -> None:
    plain, longer, nasty = (
        LatexWriter(lay_out(make_everything(words)), "x").write() for words in ("words", "words " * 20, text)
    )
    assert _commands(nasty) - _commands(plain) - _commands(longer) <= _ESCAPES
    assert nasty.count(r"\end{document}") == 1
    body = nasty[nasty.index(r"\begin{document}") :].replace(
        "\\href{https://example.org/a_b?c=1&d=\\%20\\#e\\%7Ef}", ""
    )
    body = re.sub(r"\\begin\{Verbatim\}.*?\\end\{Verbatim\}", "", body, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)%", body), "no comment of the content's own"
    assert "\x00" not in nasty and "\u202e" not in nasty


@pytest.mark.parametrize("text", NASTY)
def test_typst_text_stands_in_strings(make_everything: Callable[..., d.Document], text: str) -> None:
    def outside(words: str) -> set[str]:
        code = TypstWriter(lay_out(make_everything(words))).write()
        return set(re.findall(r"[A-Za-z][\w.-]*", re.sub(r'"(?:\\.|[^"\\])*"', '""', code, flags=re.DOTALL)))

    assert outside(text) <= outside("words") | outside("words " * 20) | {"super", "sub"}


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: set[tuple[str, tuple[str, ...]]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add((tag, tuple(name for name, _ in attrs)))


@pytest.mark.parametrize("text", NASTY)
def test_html_has_no_new_elements(make_everything: Callable[..., d.Document], text: str) -> None:
    found = []
    for words in ("words", text):
        parser = _Tags()
        parser.feed(HtmlWriter(lay_out(make_everything(words))).write())
        found.append(parser.seen)
    assert found[1] <= found[0]
    assert not any(tag in ("script", "img", "iframe", "link", "object", "form") for tag, _ in found[1])


@pytest.mark.parametrize("text", NASTY)
def test_typst_accepts_all(make_everything: Callable[..., d.Document], text: str) -> None:
    assert make(make_everything(text), "x", ("pdf",), "typst").contents["x.pdf"].startswith(b"%PDF-")


@pytest.mark.usefixtures("tex")
@pytest.mark.parametrize("text", NASTY)
def test_latex_accepts_all(make_everything: Callable[..., d.Document], text: str) -> None:
    assert make(make_everything(text), "x", ("pdf",), "tex").contents["x.pdf"].startswith(b"%PDF-")


@pytest.mark.usefixtures("tex")
def test_every_listed_character_can_be_set() -> None:
    characters = sorted(PLAIN)
    text = " ".join(characters)
    code = "\n".join("".join(characters[k : k + 40]) for k in range(0, len(characters), 40))
    document = d.Document(
        d.words("t"), blocks=(d.Paragraph(d.words(text)), d.Paragraph((d.CodeSpan(text),)), d.CodeBlock(code))
    )
    made = make(document, "x", ("pdf",), "tex")
    assert not [warning for warning in made.warnings if "Overfull" not in warning]


@given(st.text(max_size=60))
def test_escaped_text_is_inert(text: str) -> None:
    tex, code, html = escape_tex(text), escape_tex_code(text), escape_html(text)
    assert _commands(tex) <= _commands("".join(PLAIN.values())) | _ESCAPES | {"dots", "quad"}
    without_escapes = re.sub(r"\\[{}$&#%_]|\\[A-Za-z]+|\{\}", "", tex)
    assert not re.search(r"[$&#%]", without_escapes)
    assert "\n" not in tex and "\n" not in code
    assert not re.search(r"[<>\"']", html)
    assert re.fullmatch(r'(#"(\\.|[^"\\])*"|#(super|sub)\("(\\.|[^"\\])*"\))*', escape_typst(text), re.DOTALL)


def test_formulas_made_by_hand_are_inert() -> None:
    bad = s.Sum((1, 1, 1), (s.Name("\\input{x}"), s.Number("1) #read"), s.Text("50% \\x")))
    assert _commands(latex_formula(bad)) <= _ESCAPES
    assert "%" not in latex_formula(bad).replace("\\%", "")
    assert "#read" not in re.sub(r'"(?:\\.|[^"\\])*"', "", typst_formula(bad))


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        "//example.org",
        "../x.html",
        "/x.html",
        "a/b.html",
        "x.js",
        "JAVASCRIPT:x",
    ],
)
def test_links_are_checked_when_they_are_written(url: str) -> None:
    with pytest.raises(RenderError, match="is not allowed"):
        checked_url(url)
    with pytest.raises(RenderError, match="is not allowed"):
        make(d.Document(d.words("t"), blocks=(d.Paragraph((d.Link(d.words("x"), url),)),)), "x", ("html",))


@pytest.mark.parametrize("url", ["https://a.org/x", "#first", "anna-1.pdf", "table.html"])
def test_links_to_pages_and_to_files_beside_a_report_are_written(url: str) -> None:
    assert checked_url(url) == url
    made = make(d.Document(d.words("t"), blocks=(d.Paragraph((d.Link(d.words("x"), url),)),)), "x", ("html",))
    assert f'href="{url}"' in made.contents["x.html"].decode()


def test_urls_become_plain_ascii() -> None:
    assert checked_url('https://a.org/é "x"<y>{z}\\w') == "https://a.org/%C3%A9%20%22x%22%3Cy%3E%7Bz%7D%5Cw"


@pytest.mark.usefixtures("tex")
@pytest.mark.parametrize(
    "command", [r"\input{/etc/passwd}", r"\openin5=/etc/passwd \ifeof5 \errmessage{closed}\fi", r"\input{../secret}"]
)
def test_tex_itself_reads_nothing_outside(command: str) -> None:
    with pytest.raises(RenderError):
        compile_tex(f"\\documentclass{{article}}\\begin{{document}}x {command}\\end{{document}}")


@pytest.mark.usefixtures("tex")
def test_tex_itself_runs_and_writes_nothing(tmp_path: Path) -> None:
    target = tmp_path / "made"
    source = f"\\documentclass{{article}}\\begin{{document}}\\immediate\\write18{{touch {target}}}x\\end{{document}}"
    assert compile_tex(source).pdf.startswith(b"%PDF-")
    with pytest.raises(RenderError):
        compile_tex(
            f"\\documentclass{{article}}\\begin{{document}}\\newwrite\\o\\immediate\\openout\\o={target} x\\end{{document}}"
        )
    assert not target.exists()


def test_typst_itself_reads_nothing_outside() -> None:
    with pytest.raises(RenderError):
        typst_pdf('#read("/etc/passwd")')
    with pytest.raises(RenderError):
        typst_pdf('#read("../../../etc/passwd")')
