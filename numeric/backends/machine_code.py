"""NumPy's arrays, computed with by machine code."""

from __future__ import annotations

from numeric.arguments import Arguments
from numeric.arrays.module import Writer
from numeric.backends.backend import Backend
from numeric.native.passes import NativePasses
from numeric.native.shortcut import Shortcut
from numeric.plans import Groups, Plan
from numeric.variant import Variant


class MachineCode(Backend):
    """Both passes in machine code, and shortcuts to it."""

    shortcuts = True

    def passes(self, writer: Writer) -> NativePasses:
        """Both passes in machine code."""
        return NativePasses(writer, self.arrays.making())

    def shortcut(
        self, variant: Variant, plan: Plan, given: Arguments, groups: Groups, length: int | None
    ) -> Shortcut | None:
        """The way that calls of this form take from now on; cells that need NumPy within a pass have none."""
        size = (given.length, given.batch, given.sizes)
        passes = variant.passes
        if not isinstance(passes, NativePasses):
            return None
        foreign = [passes.ready(name, *size).caller.foreign for name in ("forward", "backward")]
        return None if any(foreign) else Shortcut(passes, variant, plan, given, groups, length)
