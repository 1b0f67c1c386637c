"""Geometric warps of batches [N, C, H, W]; one parameter per sample; zeros come in from outside."""

import torch
from torch import Tensor
from torch.nn import functional


def translate(x: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Shift each sample by whole pixels, [N] each."""
    one, zero = torch.ones_like(right, dtype=x.dtype), torch.zeros_like(right, dtype=x.dtype)
    return _sample(x, (one, zero, -right.to(x.dtype)), (zero, one, -down.to(x.dtype)))


def shear_x(x: Tensor, amount: Tensor, still: float = 0.0) -> Tensor:
    """Read each pixel from amount * (row - still) further right, [N]; the row `still` stays."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _sample(x, (one, amount, -amount * still), (zero, one, zero))


def shear_y(x: Tensor, amount: Tensor) -> Tensor:
    """Read each pixel from amount * column further down, [N]; the left column stays."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _sample(x, (one, zero, zero), (amount, one, zero))


def rotate(x: Tensor, degrees: Tensor) -> Tensor:
    """Turn each sample counter-clockwise about its centre, [N] degrees."""
    angle = torch.deg2rad(degrees)
    cos, sin = angle.cos(), angle.sin()
    row, column = (x.shape[-2] - 1) / 2, (x.shape[-1] - 1) / 2
    return _sample(
        x,
        (cos, -sin, column - cos * column + sin * row),
        (sin, cos, row - sin * column - cos * row),
    )


Line = tuple[Tensor, Tensor, Tensor]


def _sample(x: Tensor, to_column: Line, to_row: Line) -> Tensor:
    """Bilinear sampling: output pixel (r, c) reads at a c + b r + d, (a, b, d) for each axis."""
    height, width = x.shape[-2:]
    r = torch.arange(height, device=x.device, dtype=x.dtype).view(1, -1, 1)
    c = torch.arange(width, device=x.device, dtype=x.dtype).view(1, 1, -1)

    def at(line: Line) -> Tensor:
        a, b, d = (value.view(-1, 1, 1) for value in line)
        return a * c + b * r + d

    # grid_sample's coordinates: -1 and 1 are the outer edges of the outer pixels
    grid = torch.stack(
        [(2 * at(to_column) + 1) / width - 1, (2 * at(to_row) + 1) / height - 1], dim=-1
    )
    return functional.grid_sample(x, grid, align_corners=False)
