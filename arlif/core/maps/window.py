"""Sliding windows over frames (C, H, W): convolutions and pools have one."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from arlif.base.errors import NetworkError, require
from arlif.core.maps.bounds import Shape


@dataclass(frozen=True)
class Window:
    """Geometry of a sliding window, each entry (vertical, horizontal)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int] = (0, 0)
    dilation: tuple[int, int] = (1, 1)

    def __post_init__(self) -> None:
        for name, least in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
            pair = getattr(self, name)
            require(
                len(pair) == 2 and min(pair) >= least,
                f"{name} must be two integers of at least {least}, not {pair}",
                NetworkError,
            )

    def output_size(self, shape: Shape) -> tuple[int, int]:
        """(H, W) of the output for an input (C, H, W)."""
        require(len(shape) == 3, f"a window needs shape (C, H, W), not {shape}", NetworkError)
        size = tuple(
            (n + 2 * p - d * (k - 1) - 1) // s + 1
            for n, k, s, p, d in zip(
                shape[1:], self.kernel, self.stride, self.padding, self.dilation, strict=True
            )
        )
        if min(size) < 1:  # asked of every batch, so no text is made before it is needed
            raise NetworkError(f"{self} does not fit into an input of shape {shape}")
        return size[0], size[1]

    def patches(self, x: NDArray[Any]) -> NDArray[Any]:
        """Views of every window position: [N, C, H', W', kH, kW] of x [N, C, H, W]."""
        (kh, kw), (sh, sw), (ph, pw), (dh, dw) = (
            self.kernel,
            self.stride,
            self.padding,
            self.dilation,
        )
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        span = (dh * (kh - 1) + 1, dw * (kw - 1) + 1)
        return sliding_window_view(x, span, axis=(2, 3))[:, :, ::sh, ::sw, ::dh, ::dw]  # type: ignore[call-overload]

    def largest(self, x: NDArray[Any]) -> NDArray[Any]:
        """The largest value of every window, [N, C, H', W'] of x [N, C, H, W]; padding is 0."""
        return self.patches(x).max(axis=(4, 5))

    def spread(self, reached: NDArray[np.int64], shape: Shape) -> NDArray[np.int64]:
        """Add what every output position holds to the input positions under its window.

        reached: int64 [C, H', W']. shape: (C, H, W), the input's. Returns int64 [C, H, W].
        """
        (sh, sw), (ph, pw), (dh, dw) = self.stride, self.padding, self.dilation
        height, width = reached.shape[1:]
        padded = np.zeros((shape[0], shape[1] + 2 * ph, shape[2] + 2 * pw), np.int64)
        for row in range(self.kernel[0]):
            for column in range(self.kernel[1]):
                top, left = row * dh, column * dw
                padded[:, top : top + sh * height : sh, left : left + sw * width : sw] += reached
        return padded[:, ph : ph + shape[1], pw : pw + shape[2]]

    def under(self, block: Shape, shape: Shape) -> Shape:
        """Rows and columns under the windows of a block (C', H', W'), of an input (C, H, W)."""
        sides = zip(*(block[1:], shape[1:], self.kernel, self.stride, self.dilation), strict=True)
        return tuple(
            min(n, count * k, (count - 1) * stride + dilation * (k - 1) + 1)
            for count, n, k, stride, dilation in sides
        )
