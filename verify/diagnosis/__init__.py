"""What is wrong with a false formula: the smallest changes of the author's own formula that make it true.

::

    the formula as operations ──edits──▶ changed formulas ──search──▶ those that are true ──▶ the best, in words
                                             ▲
                     pool: factors and summands that may be missing
"""
