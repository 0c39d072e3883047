"""What somebody's function returns, as arrays by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from derive.errors import DataError, clipped
from numeric.functions import Array


@dataclass(frozen=True)
class Returned:
    """An array.

    Parameters
    ----------
    array     : its numbers; None where there are none.
    problem   : what it is instead of an array of real numbers, in words.
    precision : of its numbers, as NumPy calls it.
    """

    array: Array | None
    problem: str = ""
    precision: str = "float64"


def read(result: Any, returns: Sequence[str] | None) -> tuple[dict[str, Returned], tuple[str, ...]]:
    """The arrays by name, and what is said of those without a name.

    Parameters
    ----------
    returns : the names, where they come without.

    Raises
    ------
    DataError : there is none, or something is no array.
    """
    if returns is not None and not isinstance(result, Mapping):
        parts = result if isinstance(result, (tuple, list)) else (result,)
        if len(parts) != len(returns):
            raise DataError(
                f"the function returns {len(parts)} array{'s' * (len(parts) != 1)}",
                expected=f"{len(returns)}, as named",
            )
        return {name: array_of(name, part) for name, part in zip(returns, parts, strict=True)}, ()
    found: dict[str, Returned] = {}
    mappings = list(_mappings(result))
    for mapping in mappings:
        for name, value in mapping.items():
            if not isinstance(value, Mapping):
                found[str(name)] = array_of(str(name), value)
    if not mappings:
        raise DataError(
            f"the function returns {type(result).__name__}, without names",
            expected="a mapping from names such as dW to arrays, or returns=[...] with the names",
        )
    if not found:
        raise DataError(
            "the function returns a mapping with nothing in it", expected="names such as dW, each with its array"
        )
    return found, tuple(_beside(result, found))


def _mappings(result: Any) -> Iterator[Mapping[Any, Any]]:
    if isinstance(result, Mapping):
        yield result
        yield from (value for value in result.values() if isinstance(value, Mapping))
    elif isinstance(getattr(result, "gradients", None), Mapping):
        yield result.gradients
        if isinstance(getattr(result, "states", None), Mapping):
            yield result.states
        if getattr(result, "loss", None) is not None:
            yield {"loss": result.loss}
    elif hasattr(result, "_asdict"):
        yield result._asdict()
    elif isinstance(result, (tuple, list)):
        for part in result:
            yield from _mappings(part)


def _beside(result: Any, found: dict[str, Returned]) -> Iterator[str]:
    """Of what stands beside a mapping, one number is the loss; the rest has no name."""
    if not isinstance(result, (tuple, list)) or hasattr(result, "_asdict"):
        return
    for part in result:
        if part is None or any(True for _ in _mappings(part)):
            continue
        one = array_of("what is returned beside the mapping", part)
        if one.array is not None and one.array.size == 1 and "loss" not in found:
            found["loss"] = one
        else:
            shape = () if one.array is None else one.array.shape
            yield f"an array of shape {shape} beside the mapping has no name, and is not checked"


def array_of(name: str, value: Any) -> Returned:
    """One array.

    Raises
    ------
    DataError : it holds something else than numbers.
    """
    if value is None:
        return Returned(None, "it is None")
    precision = _precision(value)
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu()
            value = value.double() if precision == "bfloat16" else value
        array = np.asarray(value)
        if np.iscomplexobj(array):
            if np.any(array.imag):
                return Returned(np.array(array.real, dtype=float), "it has an imaginary part")
            array = array.real
        return Returned(np.array(array, dtype=float), "", precision)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{clipped(name, 60)} is no array of numbers: {clipped(str(error), 100)}",
            expected="an array, all of whose rows are equally long",
        ) from None


def _precision(value: Any) -> str:
    """The precision of an array; that of the coarsest, in a list of arrays."""
    if isinstance(value, (list, tuple)) and value:
        found = [_precision(part) for part in value]
        return min(found, key=("bfloat16", "float16", "float32", "float64").index)
    name = str(getattr(value, "dtype", "float64")).rsplit(".", 1)[-1]
    return {"float16": "float16", "bfloat16": "bfloat16", "float32": "float32", "complex64": "float32"}.get(
        name, "float64"
    )


__all__ = ["Returned", "array_of", "read"]
