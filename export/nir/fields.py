"""Typed access to the fields of a NIR node from a file that need not be trusted."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import FormatError, require
from arlif.core.maps import Shape
from export.nir.node_list import Node

LARGEST = 1 << 16
MOST_SHOWN = 8
"""Numbers in a message."""


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
    given = array.tolist() if array.size <= MOST_SHOWN else f"{array.dtype} {array.shape}"
    require(
        array.size in (1, count)
        and bool((array == np.rint(array)).all() and (array >= 0).all())
        and bool((array <= LARGEST).all()),
        f"{node.name}/{field} must be {count} integers from 0 to {LARGEST}, not {given}",
        FormatError,
    )
    values = tuple(int(n) for n in array)
    return values if len(values) == count else values * count


def each(node: Node, field: str, shape: Shape) -> Any:
    """A field with one value for each neuron of `shape`: a float where all are equal.

    Where the pixels of a channel are equal it is [C, 1, 1], else an array of `shape`.
    """
    array = numbers(node, field)
    neurons = int(np.prod(shape))
    require(
        array.size in (1, neurons),
        f"{node.name}/{field} must have 1 or {neurons} values, not {array.size}",
        FormatError,
    )
    first = array.ravel()[0]
    if np.allclose(array, first, rtol=1e-6, atol=0):
        return float(first)
    full = array.reshape(shape).astype(np.float64)
    channels = full.reshape(shape[0], -1)[:, 0].reshape(-1, *(1 for _ in shape[1:]))
    return channels if np.allclose(full, channels, rtol=1e-6, atol=0) else full
