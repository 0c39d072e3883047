"""The blocks by which a sheet calls the engine: ```` ```bptt NAME ```` with ``key: value`` options.

One function a block; each returns blocks of the document tree. What a block derives it also measures, and a result that does not hold stops
the build.
"""

from reports.blocks.context import SheetContext
from reports.blocks.registry import HANDLERS

__all__ = ["HANDLERS", "SheetContext"]
