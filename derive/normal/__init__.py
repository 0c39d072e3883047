"""The canonical index form: two formulas are equal, for all sizes and all lengths, if their canonical forms are the
same.

Every formula becomes a sum of terms; a term is a coefficient times tensors with named indices, summed over indices that
occur only inside and over times in a region. Elementwise products and diagonals are shared indices; matrix products are
summed ones. The order of factors, the names of summed indices, and the way a region is written are then immaterial, and
terms are compared after bringing them to one order.
"""

from derive.normal.prove import equal, normal_form

__all__ = ["equal", "normal_form"]
