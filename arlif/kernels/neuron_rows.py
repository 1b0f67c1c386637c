"""Numbers of neurons in rows, as kernels repeat them over a layer."""

from ctypes import Structure, c_int64, c_void_p
from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.core.network import Population
from arlif.kernels.integer_widths import INT16

SHORTEST = 256
"""Numbers of a row that is copied again and again: a short one takes many copies."""


class Repeated(Structure):
    """Repeated of currents.h."""

    _fields_ = (("values", c_void_p), ("period", c_int64))


class Weights(Structure):
    """Weights of currents.h."""

    _fields_ = (
        *((name, Repeated) for name in ("gain", "bias", "small_gain", "small_bias")),
        ("left", c_int64),
    )


def repeated(row: NDArray[Any]) -> Repeated:
    """A row for the kernel, held by the caller as long as that runs; null for an empty one."""
    return Repeated(row.ctypes.data if row.size else None, row.size)


def weight_rows(population: Population) -> list[NDArray[Any]]:
    """The rows of Weights; the last two are empty where 16 bits do not hold their numbers."""
    gain, bias, shift = population.gain, population.bias, population.gain_shift
    shape, (low, high) = population.shape, INT16
    small = gain.astype(np.int64) << max(16 - shift - doublings(population), 0)
    fits = shift <= 16 and low <= bias.min() and bias.max() <= high
    own = [row_of(small, shape, np.uint16), row_of(bias, shape, np.int16)] if fits else []
    return [
        row_of(gain.astype(np.float32) / np.float32(1 << shift), shape, np.float32),
        row_of(bias, shape, np.int32),
        *(own or [np.empty(0, np.int16)] * 2),
    ]


def doublings(population: Population) -> int:
    """`left` of Weights: how often the largest gain is halved until it is below 1."""
    return max(int(population.gain.max()).bit_length() - population.gain_shift, 0)


def row_of(values: Any, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """The numbers of neurons in the order of memory, where channels come last."""
    array = np.asarray(values, dtype)
    if array.ndim > 1 and array.shape == shape:
        array = np.moveaxis(array, 0, -1)
    elif array.ndim == 0:
        array = np.full(shape[0], array)
    return np.tile(array.ravel(), -(-SHORTEST // array.size))
