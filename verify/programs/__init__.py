"""Somebody's own backward pass, held against the gradients that are derived.

::

    function ──calls──▶ arrays by name ──results──▶ which gradient, which step ──reasons──▶ why
"""
