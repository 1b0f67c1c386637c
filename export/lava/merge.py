"""A chain of linear maps as one convolution or one matrix, where that is exact."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from arlif.base.errors import NetworkError
from arlif.core.maps import (
    Conv2d,
    Dense,
    LinearMap,
    Shape,
    SumPool2d,
    apply_chain,
    as_convolution,
    chain_shape,
)
from arlif.core.maps.taps import unit_vectors


def single_map(maps: tuple[LinearMap, ...], shape: Shape) -> Conv2d | Dense | None:
    """One map equal to the chain on every input of `shape`; None where there is none in int8."""
    try:
        if len(shape) == 1 or len(chain_shape(maps, shape)) == 1:
            return _as_dense(maps, shape)
        merged: LinearMap | None = maps[0] if maps else SumPool2d((1, 1), (1, 1))
        for linear in maps[1:]:
            merged = _joined(merged, linear, shape)
        return None if merged is None else as_convolution(merged, shape)
    except NetworkError:
        return None


def _as_dense(maps: tuple[LinearMap, ...], shape: Shape) -> Dense:
    if len(maps) == 1 and isinstance(maps[0], Dense):
        return maps[0]
    columns = [apply_chain(maps, units, (0, 1)) for units in unit_vectors(shape)]
    weight: NDArray[Any] = np.concatenate(columns).reshape(int(np.prod(shape)), -1).T
    return Dense(weight)


def _joined(first: LinearMap | None, second: LinearMap, shape: Shape) -> Conv2d | None:
    """`second` after `first` on inputs of `shape`, if one of them treats channels separately."""
    if isinstance(first, SumPool2d) and isinstance(second, SumPool2d):
        second = second.convolution(shape)
    if isinstance(first, SumPool2d) and isinstance(second, Conv2d):
        weight, groups = second.weight, second.groups
    elif isinstance(first, Conv2d) and isinstance(second, SumPool2d):
        weight, groups = first.weight, first.groups
    else:
        return None
    a, b = first.window, second.window
    if any(
        padding > 0 and not _border_is_zero(axis, shape, first)
        for axis, padding in enumerate(b.padding)
    ):
        return None
    step = [stride * dilation for stride, dilation in zip(a.stride, b.dilation, strict=True)]
    span = [
        d * (k - 1) + s * (m - 1) + 1
        for d, k, s, m in zip(a.dilation, a.kernel, step, b.kernel, strict=True)
    ]
    merged: NDArray[Any] = np.zeros((*weight.shape[:2], *span), np.int64)
    for i in np.ndindex(a.kernel):
        for j in np.ndindex(b.kernel):
            y, x = (d * p + s * q for d, p, s, q in zip(a.dilation, i, step, j, strict=True))
            merged[:, :, y, x] += weight[:, :, *(i if isinstance(first, Conv2d) else j)]
    return Conv2d(
        merged,
        stride=(a.stride[0] * b.stride[0], a.stride[1] * b.stride[1]),
        padding=(
            a.padding[0] + a.stride[0] * b.padding[0],
            a.padding[1] + a.stride[1] * b.padding[1],
        ),
        groups=groups,
    )


def _border_is_zero(axis: int, shape: Shape, first: Conv2d | SumPool2d) -> bool:
    """Whether windows outside `first`'s own output would see nothing but padding on this axis."""
    window = first.window
    stride, padding = window.stride[axis], window.padding[axis]
    # where the window behind the last one starts past the image, a window is at most
    # stride + padding long, so the one before the first ends in front of it
    return window.output_size(shape)[axis] * stride - padding >= shape[axis + 1]
