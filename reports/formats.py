"""The files that a document can become: which formats there are, and what they are called. Nothing here needs the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

from derive.errors import UsageError
from reports.output import check_name
from reports.tex import missing_program, tex_program

Format = Literal["tex", "pdf", "html", "ipynb", "fragment"]
FORMATS: tuple[Format, ...] = ("tex", "pdf", "html")
"""What is made where nothing else is asked for."""
NOTEBOOK: Format = "ipynb"
"""Two notebooks: the whole document, and what students get of it."""
FRAGMENT: Format = "fragment"
"""The body alone for a LaTeX document of one's own, and the package that it needs."""
Route = Literal["auto", "tex", "typst"]
ROUTES: tuple[Route, ...] = ("auto", "tex", "typst")
STYLE = "bptt-sheet.sty"
"""The package that fragments need."""


@dataclass(frozen=True)
class Rendered:
    """The contents of files by name; ``route`` is how the PDF was made (None without one); ``warnings`` are worth a
    look, not errors.
    """

    contents: Mapping[str, bytes]
    route: str | None = None
    warnings: tuple[str, ...] = ()

    def written_to(self, folder: Path, name: str) -> RenderResult:
        """The files by format, once they are written."""
        files = {
            file.removeprefix(f"{name}.") if file.startswith(f"{name}.") else file: folder / file
            for file in self.contents
        }
        return RenderResult(files, self.route, self.warnings)


@dataclass(frozen=True)
class RenderResult:
    """Files that were written, by format (figures that the LaTeX file needs stand under their own names)."""

    files: Mapping[str, Path]
    route: str | None = None
    warnings: tuple[str, ...] = field(default=())


def file_names(name: str, formats: Sequence[str]) -> tuple[str, ...]:
    """The files that a document gets, without those of its figures and the package of fragments."""
    several: Mapping[str, tuple[str, ...]] = {
        NOTEBOOK: (f"{name}.ipynb", f"{name}-student.ipynb"),
        FRAGMENT: (f"{name}-fragment.tex",),
    }
    return tuple(file for ending in formats for file in several.get(ending, (f"{name}.{ending}",)))


def check(name: str, formats: Sequence[str], route: str) -> None:
    """Check what can be checked before the work.

    Raises
    ------
    UsageError  : an unknown format or route, or a name that is no file name.
    RenderError : the PDF shall be made by TeX, and there is none.
    """
    for file in file_names(name, formats):
        check_name(name, file.removeprefix(name))
    unknown = [entry for entry in formats if entry not in get_args(Format)]
    if unknown or not formats:
        raise UsageError(
            f"there is no format {unknown[0]!r}" if unknown else "no format is asked for",
            expected=f"some of {', '.join(get_args(Format))}",
        )
    if route not in ROUTES:
        raise UsageError(f"there is no route {route!r}", expected=f"one of {', '.join(ROUTES)}")
    if route == "tex" and "pdf" in formats and tex_program() is None:
        raise missing_program()
