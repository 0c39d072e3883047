"""Marking the answers of a class: each file checked, an annotated copy of its formulas, and a table of all."""
