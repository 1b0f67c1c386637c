"""The OR of spikes over windows on torch, in bytes."""

from torch import Tensor
from torch.nn import functional

from arlif.core.maps import Window


def any_under(window: Window, spikes: Tensor) -> Tensor:
    """1 where any spike lies under the window: [T, N, C, H', W'] of bytes [T, N, C, H, W]."""
    x = spikes.flatten(0, 1)
    top, left = window.padding
    if top or left:
        x = functional.pad(x, (left, left, top, top))
    for axis in (0, 1):
        x = _along(x, window, axis)
    return x.view(*spikes.shape[:2], *x.shape[1:])


def _along(x: Tensor, window: Window, axis: int) -> Tensor:
    size, stride = window.kernel[axis], window.stride[axis]
    dilation, dimension = window.dilation[axis], 2 + axis
    length = (x.shape[dimension] - dilation * (size - 1) - 1) // stride + 1
    found = _every(x, dimension, 0, length, stride)
    for place in range(1, size):
        found = found | _every(x, dimension, place * dilation, length, stride)
    return found


def _every(x: Tensor, dimension: int, first: int, length: int, stride: int) -> Tensor:
    """`length` values along a dimension, `stride` apart."""
    places: list[slice] = [slice(None)] * x.ndim
    places[dimension] = slice(first, first + (length - 1) * stride + 1, stride)
    return x[tuple(places)]
