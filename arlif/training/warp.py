"""Geometric warps of batches [N, C, H, W]; one parameter per sample; zeros come in from outside.

fade: pixels at the border are mixed with the zeros outside, as torchvision does to tensors; else
they are not, as in Pillow.
"""

import torch
from torch import Tensor
from torch.nn import functional


def translate(x: Tensor, right: Tensor, down: Tensor) -> Tensor:
    """Shift each sample by whole pixels, integers [N] each; values stay as they are."""
    height, width = x.shape[-2:]
    rows = torch.arange(height, device=x.device) - down[:, None]
    columns = torch.arange(width, device=x.device) - right[:, None]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & (columns >= 0)[:, None]
    inside = inside & (columns < width)[:, None]
    picked = pick(x, rows.clamp(0, height - 1), columns.clamp(0, width - 1))
    return torch.where(inside[:, None], picked, 0)


def pick(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Output pixel (r, c) is the input's (rows[r], columns[c]), [N, H] and [N, W]."""
    sample = torch.arange(len(x), device=x.device)[:, None, None]
    return x[sample, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def shear_x(x: Tensor, amount: Tensor, still: float = -0.5, fade: bool = False) -> Tensor:
    """Read each pixel from amount * (row - still) further right, [N].

    still: the row that stays; -0.5 is the upper edge of the picture.
    """
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _sample(x, (one, amount, -amount * still), (zero, one, zero), fade)


def shear_y(x: Tensor, amount: Tensor) -> Tensor:
    """Read each pixel from amount * (column + 0.5) further down, [N]; the left edge stays."""
    one, zero = torch.ones_like(amount), torch.zeros_like(amount)
    return _sample(x, (one, zero, zero), (amount, one, amount / 2), fade=False)


def rotate(x: Tensor, degrees: Tensor, fade: bool = False) -> Tensor:
    """Turn each sample counter-clockwise about its centre, [N] degrees."""
    angle = torch.deg2rad(degrees)
    cos, sin = angle.cos(), angle.sin()
    row, column = (x.shape[-2] - 1) / 2, (x.shape[-1] - 1) / 2
    return _sample(
        x,
        (cos, -sin, column - cos * column + sin * row),
        (sin, cos, row - sin * column - cos * row),
        fade,
    )


Line = tuple[Tensor, Tensor, Tensor]


def _sample(x: Tensor, to_column: Line, to_row: Line, fade: bool) -> Tensor:
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
    if fade:
        return functional.grid_sample(x, grid, align_corners=False)
    inside = ((grid >= -1) & (grid < 1)).all(-1)[:, None]
    near = functional.grid_sample(x, grid, padding_mode="border", align_corners=False)
    return torch.where(inside, near, 0)
