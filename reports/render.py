"""From a document to files: NAME.tex, NAME.pdf, NAME.html, and notebooks where they are asked for, all of them or none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from reports import document as d
from reports.formats import FORMATS, FRAGMENT, NOTEBOOK, Rendered, RenderResult, check, file_names
from reports.html_writer import HtmlWriter
from reports.latex_writer import LatexWriter
from reports.layout import lay_out
from reports.output import check_folder, check_targets, folder_of, write_files
from reports.overflow import too_wide
from reports.questions import questions_only
from reports.tex import MissingPackageError, Overfull, TexOutput, compile_tex, tex_program
from reports.typst_pdf import typst_pdf
from reports.typst_writer import TypstWriter

_MISSING = re.compile(r"\\missingcharacter\{([0-9A-F]+)\}")


def render(
    document: d.Document, directory: str | Path, name: str, formats: Sequence[str] = FORMATS, route: str = "auto"
) -> RenderResult:
    """Write a document as ``NAME.tex``, ``NAME.pdf`` and ``NAME.html``.

    Everything is made first and moved into place at the end: after an error the directory is as it was.

    Parameters
    ----------
    directory : where to write; made if it does not exist.
    name      : what the files are called, without an ending.
    formats   : which of ``tex``, ``pdf``, ``html``, ``ipynb``, ``fragment``.
    route     : how a PDF is made: ``tex``, ``typst``, or ``auto`` (TeX where it is installed).

    Raises
    ------
    UsageError  : an unknown format or route, or a name that is no file name.
    RenderError : the document cannot be made, or the files cannot be written.
    """
    check(name, formats, route)
    folder = folder_of(directory)
    check_folder(folder)
    check_targets(folder, file_names(name, formats))
    made = make(document, name, formats, route)
    write_files(folder, made.contents)
    return made.written_to(folder, name)


def make(document: d.Document, name: str, formats: Sequence[str] = FORMATS, route: str = "auto") -> Rendered:
    """The files of a document without writing them; parameters and errors as for :func:`render`."""
    check(name, formats, route)
    written = document
    document = lay_out(document)
    contents: dict[str, bytes] = {}
    warnings = [*document.warnings, *(told(line, message) for line, message in too_wide(document))]
    latex = LatexWriter(document, name)
    source = latex.write() if {"tex", FRAGMENT} & set(formats) or ("pdf" in formats and route != "typst") else ""
    used = None
    with ThreadPoolExecutor(1) as beside:  # TeX is a process, which ends with whoever waits for it
        html = beside.submit(HtmlWriter(document).write) if "html" in formats else None
        typeset = _typeset(latex, source, route) if "pdf" in formats else None
    if "pdf" in formats:
        pdf, used, more = _pdf(document, latex, typeset)
        warnings += more
        contents[f"{name}.pdf"] = pdf
    if "tex" in formats:
        contents = {f"{name}.tex": source.encode(), **latex.assets, **contents}
    if FRAGMENT in formats:
        contents |= LatexWriter(document, name).fragment()
    if html is not None:
        contents[f"{name}.html"] = html.result().encode()
    if NOTEBOOK in formats:
        from reports.notebook_writer import answer_notebook, student_notebook

        answers, students = file_names(name, (NOTEBOOK,))
        contents[answers] = answer_notebook(written)
        contents[students] = student_notebook(questions_only(written))
    if "tex" in formats or used == "tex":
        warnings += _missing_characters(source)
    return Rendered(contents, used, tuple(warnings))


def _typeset(latex: LatexWriter, source: str, route: str) -> TexOutput | MissingPackageError | None:
    """What TeX makes of the document, where it is asked; why it cannot, where Typst may."""
    if route == "typst" or (route == "auto" and tex_program() is None):
        return None
    try:
        return compile_tex(source, latex.assets)
    except MissingPackageError as error:
        if route == "tex":
            raise
        return error


def _pdf(
    document: d.Document, latex: LatexWriter, typeset: TexOutput | MissingPackageError | None
) -> tuple[bytes, str, list[str]]:
    """The PDF, the route that it took, and warnings."""
    if isinstance(typeset, TexOutput):
        known = {line for line, _ in too_wide(document)}
        return typeset.pdf, "tex", [*dict.fromkeys(_sticking_out(typeset.overfull, latex.origins, known))]
    warnings = [] if typeset is None else [f"{typeset.message}; the PDF was made with Typst"]
    return typst_pdf(TypstWriter(document).write()), "typst", warnings


def _sticking_out(found: Iterable[Overfull], origins: Sequence[tuple[int, int]], known: set[int]) -> Iterator[str]:
    """What TeX found to stick out, once for each line of the sheet; lines that were told already are left out."""
    widest: dict[int, float] = {}
    for one in found:
        line = next((line for start, line in reversed(origins) if one.line and start <= one.line), 0)
        if not one.side:
            yield f"something is higher than a page, and sticks out at its bottom by {one.cm:.1f} cm (divide it into parts)"
        elif line not in known or not line:
            widest[line] = max(widest.get(line, 0.0), one.cm)
    for line, by in widest.items():
        yield told(
            line,
            f"what starts here sticks out of the page by {by:.1f} cm "
            "(shorten a word or a formula, or put the formula between $$ on its own lines)",
        )


def told(line: int, message: str) -> str:
    """A warning with its line in the sheet, if that is known."""
    return f"line {line}: {message}" if line else message


def _missing_characters(source: str) -> list[str]:
    codes = dict.fromkeys(_MISSING.findall(source))
    return [f"LaTeX's fonts have no {chr(int(code, 16))} (U+{code}); its number is printed instead" for code in codes]
