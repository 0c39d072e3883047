"""``bptt export``."""

from __future__ import annotations

import argparse
import keyword
from pathlib import Path

from bptt.console import safe, say
from derive.cell import cell
from derive.errors import UsageError, clipped


def run_export(options: argparse.Namespace) -> int:
    """Write a module; nothing is written where the cell cannot be exported."""
    from numeric.export import export
    from reports.output import write_files

    path = Path(options.output)
    taken = keyword.iskeyword(path.stem) or path.stem in ("numpy", "torch", "jax")
    if path.suffix != ".py" or not path.stem.isidentifier() or taken:
        raise UsageError(
            f"{clipped(options.output)!r} is no name for a module",
            expected="a file such as lstm_grad.py",
            hint="-o lstm_grad.py",
        )
    text = export(cell(options.cell), options.backend, options.cotangent)
    write_files(path.parent, {path.name: text.encode()})
    say(safe(str(path)))
    return 0
