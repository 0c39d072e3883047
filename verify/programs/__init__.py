"""Somebody's own backward pass, held against the gradients that are derived.

::

    function ──calls, returned──▶ arrays ──naming──▶ what each is ──measured (cases, results)──▶ which one, which step ──reasons──▶ why

Reasons are searched from the plain to the far-fetched: ``slips`` (a function that is computed wrongly), ``plain`` (it is zero, twice as
large), ``forward`` (another forward pass), ``recursion`` (a line of the backward pass), ``formulas`` (the formula of one gradient).
"""
