"""NumPy's arrays, computed with by machine code."""

from __future__ import annotations

from numeric.arrays.module import Writer
from numeric.backends.numpy_arrays import NumpyArrays
from numeric.native.passes import NativePasses
from numeric.variant import Passes


class CompiledArrays(NumpyArrays):
    """See :class:`numeric.backends.arrays.Arrays`."""

    def passes(self, writer: Writer) -> Passes:  # type: ignore[override]
        """Both passes in machine code."""
        made = NativePasses(writer, self.dtype)
        return made.forward, made.backward
