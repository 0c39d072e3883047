"""PDF through Typst, which comes with Python: no TeX, no fonts of the machine, no network."""

from __future__ import annotations

import tempfile
from pathlib import Path

from derive.errors import RenderError

_TIMESTAMP = 0
"""A fixed time, so that the same document gives the same bytes."""


def typst_pdf(source: str) -> bytes:
    """The PDF of a Typst document.

    Raises
    ------
    RenderError : Typst does not accept it, which is a fault of the templates or of a formula's spelling.
    """
    import typst

    with tempfile.TemporaryDirectory(prefix="reports-") as folder:
        # An empty folder is all that the document could read.
        main = Path(folder) / "main.typ"
        main.write_text(source, encoding="utf-8")
        try:
            return typst.compile(main, root=main.parent, ignore_system_fonts=True, timestamp=_TIMESTAMP)
        except typst.TypstError as error:
            raise RenderError(
                f"Typst cannot read the document: {error.message}", hint=" ".join(error.hints) or None
            ) from None
