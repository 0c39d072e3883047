"""Building answer sheets: from a content file to .tex, .pdf and .html."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from derive.cell import decode
from derive.errors import UsageError
from derive.notation.source import Source
from reports.blocks import REGISTRY, SheetContext
from reports.document import Document
from reports.markdown import read_markdown
from reports.render import RenderResult, render

MAX_BYTES = 500_000
"""Largest content file."""


@dataclass(frozen=True)
class Content:
    """The text of a sheet and the name its files get."""

    name: str
    source: Source


def sheet_ids() -> tuple[str, ...]:
    """Identifiers of the sheets that come with the package."""
    folder = resources.files("reports") / "sheets"
    return tuple(sorted(entry.name[: -len(".md")] for entry in folder.iterdir() if entry.name.endswith(".md")))


def find(name: str) -> Content:
    """The content of a sheet of the package, or of a user's file.

    Raises
    ------
    UsageError : there is neither; or the file is empty, too large or no text.
    """
    if name in sheet_ids():
        text = (resources.files("reports") / "sheets" / f"{name}.md").read_text(encoding="utf-8")
        return Content(name, Source(text, f"{name}.md"))
    path = Path(name)
    try:
        if not path.exists():
            raise UsageError(f"there is no sheet and no file called {name!r}", expected=f"a Markdown file, or one of {', '.join(sheet_ids())}")
        if not path.is_file():
            raise UsageError(f"{name!r} is not a file", expected="the path of a Markdown file")
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{name!r} cannot be read: {error.strerror or error}") from None
    return Content(path.stem, Source(decode(raw, name, MAX_BYTES), name))


def document_of(content: Content, draws: int = 20, seed: int = 0) -> Document:
    """The document of a sheet, with everything derived and measured.

    Raises
    ------
    BpttError : the content is wrong, with its place; or a derivation does not hold.
    """
    return read_markdown(content.source, REGISTRY, SheetContext(draws, seed))


def build(name: str, directory: str, route: str = "auto") -> RenderResult:
    """Build a sheet: ``directory/NAME.tex``, ``.pdf`` and ``.html``, all or none of them.

    Raises
    ------
    BpttError : see :func:`find`, :func:`document_of` and :func:`reports.render.render`.
    """
    content = find(name)
    return render(document_of(content), directory, content.name, route=route)
