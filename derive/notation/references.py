"""Names with their scripts: which script is a time, which a label, and which acts on the name (a transpose, a power).

Settled from the names that are known first, then from the letters that are indices; never by guessing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Expr, Integer, Max, Min, Rational, sympify

from derive.errors import AmbiguityError, ParseError
from derive.expressions.tree import Edge
from derive.notation import surface as s
from derive.notation.names import QName, label_text
from derive.notation.scope import (
    CONVENTIONAL_INDICES,
    EXPONENT_LETTERS,
    Scope,
    base_of,
    is_index,
    offset_letters,
    size_key,
)
from derive.notation.trees import edge_ends, found_from, is_application
from derive.notation.vocabulary import GREEK


@dataclass(frozen=True)
class Reference:
    """A name as it stands: its key, its time, and the superscripts that act on it."""

    name: QName
    time: Expr | None
    acting: tuple[s.Surface, ...]
    slices: s.Surface | None = None


class ReferenceReader:
    """Reads names and indices in a scope."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    # -- indices -----------------------------------------------------------------------------------

    def index(self, node: s.Surface) -> Expr:
        """A time, a bound or an exponent as a SymPy expression.

        Raises
        ------
        ParseError : it is not made of integers, indices and sizes.
        """
        value = self.index_or_none(node)
        if value is None:
            raise ParseError(
                "this is not an index", span=node.span, expected="integers, indices and sizes, such as t-1 or T"
            )
        return value

    def index_or_none(self, node: s.Surface) -> Expr | None:
        if isinstance(node, s.Number) and "e" in node.text:
            return None  # 1e7 is no index
        if isinstance(node, s.Number):
            return Rational(node.text) if "." in node.text else Integer(node.text)
        if isinstance(node, s.Name):
            return self.scope.symbol(node.text) if len(node.text) == 1 or node.text in ("tau", "ell") else None
        if isinstance(node, s.Bracket) and len(node.items) == 1 and node.kind in ("(", "group"):
            return self.index_or_none(node.items[0])
        if isinstance(node, s.Scripted):
            return self._numbered_size(node)
        ends = edge_ends(node)
        if ends is not None:
            return Edge(*map(self.index, ends))
        found = found_from(node)
        if found is not None:
            return found[0](self.index(found[1]))
        extreme = self._extreme(node)
        if extreme is not None:
            return extreme
        parts = [self.index_or_none(child) for child in node.children()]
        if any(part is None for part in parts):
            return None
        values: list[Expr] = [part for part in parts if part is not None]
        if isinstance(node, s.Sum):
            return sympify(sum(sign * value for sign, value in zip(node.signs, values, strict=True)))
        if isinstance(node, s.Sequence) or (isinstance(node, s.Infix) and not {"slash", "oslash"} & {*node.operators}):
            result: Expr = Integer(1)
            for value in values:
                result = result * value
            return result
        if isinstance(node, s.Fraction) or (isinstance(node, s.Infix) and node.operators == ("slash",)):
            return values[0] / values[1]
        return None

    def _extreme(self, node: s.Surface) -> Expr | None:
        """``\\max(1, t-K+1)``."""
        if not isinstance(node, s.Sequence) or len(node.items) != 2:
            return None
        name, given = node.items
        if not isinstance(name, s.Name) or name.text not in ("max", "min"):
            return None
        if not isinstance(given, s.Bracket) or given.kind != "(" or len(given.items) < 2:
            return None
        parts = [self.index_or_none(item) for item in given.items]
        if any(part is None for part in parts):
            return None
        return (Max if name.text == "max" else Min)(*parts)

    def _numbered_size(self, node: s.Scripted) -> Expr | None:
        """``n_2``, a size that needed another letter."""
        key = size_key(node)
        return self.scope.symbol(key) if key in self.scope.sizes else None

    # -- names -------------------------------------------------------------------------------------

    def reference(self, node: s.Surface) -> Reference | None:
        """The name that a surface node is, or None where it is not a name."""
        scripted = node if isinstance(node, s.Scripted) else s.Scripted(node)
        inner = scripted.base
        if isinstance(inner, s.Accent) and isinstance(inner.body, s.Scripted):
            # \tilde{C_t}: the accent belongs to the letter.
            body = inner.body
            inner = s.Accent(inner.kind, body.base)
            scripted = s.Scripted(
                inner,
                (*body.subs, *scripted.subs),
                (*body.sups, *scripted.sups),
                body.primes + scripted.primes,
                span=node.span,
            )
        base, accents = base_of(inner)
        if base is None:
            return None
        labels, time, slices = self._subscripts(base, accents, scripted)
        sups, time, acting = self._superscripts(QName(base, accents, labels, (), scripted.primes), scripted, time)
        return Reference(QName(base, accents, labels, sups, scripted.primes), time, acting, slices)

    def _subscripts(
        self, base: str, accents: tuple[str, ...], node: s.Scripted
    ) -> tuple[tuple[str, ...], Expr | None, s.Surface | None]:
        labels: list[str] = []
        time: Expr | None = None
        slices: s.Surface | None = None
        ranges = tuple(item for item in node.subs if isinstance(item, s.Relation) and item.operators == (":",))
        if ranges:
            slices = s.Bracket("[", ranges, span=ranges[0].span)
        for item in node.subs:
            if item in ranges:
                continue
            if isinstance(item, s.Bracket) and any(isinstance(part, s.Relation) for part in item.items):
                slices = item
            elif time is not None and slices is None and isinstance(item, s.Scripted) and label_text(item) is None:
                # p_{t, y_t}, the entry that an integer quantity selects
                slices = item
            elif time is None and self._is_time(item, base, accents, tuple(labels), node):
                time = self.index(item)
            else:
                label = label_text(item)
                if (
                    time is not None
                    and isinstance(item, s.Name)
                    and item.text in self.scope.indices - {self.scope.time}
                ):
                    raise AmbiguityError(
                        f"the second subscript {item.text} is an index, so this is an entry of a vector",
                        span=item.span or node.span,
                        expected="whole vectors, such as y_t^\\top \\log(\\hat{y}_t)",
                    )
                foreign = sorted(offset_letters(item) - {self.scope.time, *self.scope.indices})
                self._reject_entry(item)
                if foreign:
                    raise AmbiguityError(
                        f"this is indexed by {foreign[0]}, but the time index here is {self.scope.time}",
                        span=item.span or node.span,
                        expected=f"an index such as {self.scope.time}-1",
                        hint="use one letter for the time",
                    )
                if label is None:
                    raise ParseError(
                        "this subscript is neither a time nor a label",
                        span=item.span or node.span,
                        expected="l(j), r(j) or c_2(j) for a child, \\pi(j) for the parent"
                        if is_application(item)
                        else "an index such as t-1, or a label such as f or hh",
                    )
                labels.append(label)
        return tuple(labels), time, slices

    def _reject_entry(self, item: s.Surface) -> None:
        """W_{ij} with an index that a sum binds is an entry, and entries are what matrix form does without."""
        letters = [part.text for part in item.items if isinstance(part, s.Name)] if isinstance(item, s.Sequence) else []
        if len(letters) == 2 and {*letters} & (self.scope.indices - {self.scope.time}):
            raise AmbiguityError(
                f"the subscript {letters[0]}{letters[1]} holds an index, so this is an entry of a matrix",
                span=item.span,
                expected="matrix form, such as W h_{t-1}",
                hint="whole matrices and vectors are multiplied; if it is a label, rename the index of the sum",
            )

    def _is_time(
        self, item: s.Surface, base: str, accents: tuple[str, ...], labels: tuple[str, ...], node: s.Scripted
    ) -> bool:
        """Whether a subscript is a time, by the names that are known first, then by the letters that are indices."""
        label = label_text(item)
        plain = QName(base, accents, labels, (), node.primes)
        if label is not None and QName(base, accents, (*labels, label), (), node.primes).key in self.scope.names:
            return False
        sups = [sup for sup in map(label_text, node.sups) if sup is not None]
        timed = plain.key in self.scope.timed or any(
            QName(base, accents, labels, chosen, node.primes).key in self.scope.timed
            for chosen in (tuple(sups), *((sup,) for sup in sups))
        )
        if isinstance(item, s.Bracket) and item.kind == "(" and self.index_or_none(item) is not None:
            return True
        if isinstance(item, s.Sum) and all(isinstance(part, s.Number) for part in item.items):
            return timed
        if isinstance(item, s.Number):
            # Without a cell, h_0 and x_1 are quantities at a time and W_1 is a parameter.
            return timed or (self.scope.open and not self.scope.in_cell and base[0].islower() and base not in GREEK)
        if base in self.scope.losses and label == "T":
            return True
        if isinstance(item, s.Name) and timed and self.scope.tree is not None and len(item.text) == 1:
            return item.text.islower() or item.text == "T"
        if isinstance(item, s.Name) and timed:
            return item.text in CONVENTIONAL_INDICES or item.text in self.scope.indices or item.text == self.scope.time
        if (
            plain.key in self.scope.names
            and not timed
            and isinstance(item, s.Name)
            and item.text not in (self.scope.time,)
        ):
            return False
        strong = {
            *self.scope.indices,
            self.scope.time,
            *(CONVENTIONAL_INDICES if timed else ()),
            *({"T"} if isinstance(item, s.Sum) else ()),
        }
        return is_index(item, strong)

    def _superscripts(
        self, plain: QName, node: s.Scripted, time: Expr | None
    ) -> tuple[tuple[str, ...], Expr | None, tuple[s.Surface, ...]]:
        """Split superscripts into labels, a time in parentheses, and what acts on the name (transpose, power)."""
        labels: list[str] = []
        acting: list[s.Surface] = []
        for item in node.sups:
            label = label_text(item)
            inner = (
                item.items[0]
                if isinstance(item, s.Bracket) and item.kind in ("(", "<") and len(item.items) == 1
                else None
            )
            if inner is not None and time is None and self._is_time_above(plain, inner, label):
                time = self.index(inner)
            elif isinstance(item, s.Bracket) and item.kind in ("[", "(") and label is not None:
                labels.append(label)
            elif isinstance(item, s.Mark) and item.kind == "star":
                labels.append("*")
            elif label is not None and self._is_label(plain, label, item):
                labels.append(label)
            else:
                self._reject_layer(plain, item)
                acting.append(item)
        return tuple(labels), time, tuple(acting)

    def _is_time_above(self, plain: QName, inner: s.Surface, label: str | None) -> bool:
        """Whether what stands in parentheses above a name is a time: an index in one of the letters, or, on a name that has a
        time and no such label, T or a number.
        """
        if is_index(inner, {*self.scope.indices, self.scope.time}):
            return True
        fixed = isinstance(inner, s.Number) or is_index(inner, {"T"})
        labelled = label is not None and plain.with_sup(label).key in self.scope.names
        return fixed and plain.key in self.scope.timed and not labelled and not self.scope.in_cell

    def _reject_layer(self, plain: QName, item: s.Surface) -> None:
        """h^{l-1}_t is the layer below, if l is nothing that a power could have."""
        if not self.scope.in_cell or not (plain.key in self.scope.timed or self._labelled(plain)):
            return
        known = {self.scope.time, "T", *self.scope.indices, *self.scope.sizes, *self.scope.names}
        letters = sorted(offset_letters(item) - known)
        if letters:
            raise AmbiguityError(
                f"the superscript is indexed by {letters[0]}, which is neither the time nor a quantity",
                span=item.span,
                expected="a layer by its number, as in h^{[1]}_t",
                hint="write the equations of each layer with its number",
            )

    def _labelled(self, plain: QName) -> bool:
        """Whether the name occurs with a superscript that is a label."""
        return any(replace(QName.from_key(key), sups=()) == plain for key in self.scope.timed)

    def _is_label(self, plain: QName, label: str, item: s.Surface) -> bool:
        if plain.with_sup(label).key in self.scope.names or label.startswith("@"):
            return True
        if isinstance(item, s.Number) or label == "T":
            return False
        if isinstance(item, s.Name) and (
            item.text in self.scope.indices or item.text == self.scope.time or item.text in self.scope.sizes
        ):
            return False
        if plain.key in self.scope.names and not self.scope.in_cell:
            return False
        return self.scope.in_cell or not (isinstance(item, s.Name) and item.text in EXPONENT_LETTERS)
