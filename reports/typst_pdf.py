"""PDF, and pictures, through Typst, which comes with Python: no TeX, no fonts of the machine, no network."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from derive.errors import RenderError

_TIMESTAMP = 0
"""A fixed time, so that the same document gives the same bytes."""


def typst_pdf(source: str) -> bytes:
    """The PDF of a Typst document.

    Raises
    ------
    RenderError : Typst does not accept it, which is a fault of the templates or of a formula's spelling.
    """
    return _compiled(source, timestamp=_TIMESTAMP)


def typst_png(source: str, points_per_inch: int = 110) -> bytes:
    """The one page of a Typst document as a picture; errors as for :func:`typst_pdf`."""
    return _compiled(source, format="png", ppi=points_per_inch)


def _compiled(source: str, **options: Any) -> bytes:
    import typst

    with tempfile.TemporaryDirectory(prefix="reports-") as folder:
        # An empty folder is all that the document could read.
        main = Path(folder) / "main.typ"
        main.write_text(source, encoding="utf-8")
        try:
            return bytes(typst.compile(main, root=main.parent, ignore_system_fonts=True, **options))
        except typst.TypstError as error:
            raise RenderError(
                f"Typst cannot read the document: {error.message}", hint=" ".join(error.hints) or None
            ) from None
