"""Typed access to the fields of a NIR node from a file that need not be trusted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require
from export.nir.node_list import Node

LARGEST = 1 << 16


def numbers(node: Node, field: str) -> NDArray[Any]:
    """A field as an array of numbers that are finite in float32."""
    require(field in node.fields, f"{node.name} ({node.kind}) has no field {field}", FormatError)
    array = np.asarray(node.fields[field])
    require(
        array.dtype.kind in "iuf" and array.size > 0 and fits_float32(array),
        f"{node.name}/{field} must hold finite numbers, not {array.dtype} {array.shape}",
        FormatError,
    )
    return array


def fits_float32(array: NDArray[Any]) -> bool:
    """Whether all numbers are finite, also as float32."""
    with np.errstate(over="ignore"):
        return bool(np.isfinite(array.astype(np.float32)).all())


def weights(node: Node, field: str, dimensions: int) -> NDArray[np.float32]:
    """A field as float32 weights of so many dimensions."""
    array = numbers(node, field)
    require(
        array.ndim == dimensions,
        f"{node.name}/{field} must have {dimensions} dimensions, not shape {array.shape}",
        FormatError,
    )
    return array.astype(np.float32)


def integers(node: Node, field: str, count: int) -> tuple[int, ...]:
    """A field as `count` integers from 0 to LARGEST; a single one stands for all."""
    array = numbers(node, field).ravel()
    require(
        array.size in (1, count)
        and bool((array == np.rint(array)).all() and (array >= 0).all())
        and bool((array <= LARGEST).all()),
        f"{node.name}/{field} must be {count} integers from 0 to {LARGEST}, not {array.tolist()}",
        FormatError,
    )
    values = tuple(int(n) for n in array)
    return values if len(values) == count else values * count


def uniform(node: Node, field: str, neurons: int) -> float:
    """A field with the same number for every neuron, as that number."""
    array = numbers(node, field)
    require(
        array.size in (1, neurons),
        f"{node.name}/{field} must have 1 or {neurons} values, not {array.size}",
        FormatError,
    )
    first = array.ravel()[0]
    require(
        bool(np.allclose(array, first, rtol=1e-6, atol=0)),
        f"{node.name}/{field} differs between the neurons of one layer, from {array.min()} to "
        f"{array.max()}; arlif has one value per layer",
        FormatError,
    )
    return float(first)
