"""Torch layers over [T, N, ...]: time and batch are folded while the layer works."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from arlif.arithmetic.pointwise import gathered
from arlif.base.errors import require


@contextmanager
def evaluating(module: nn.Module) -> Iterator[None]:
    """A module in eval mode while the block runs; then every part is in the mode that it was in."""
    modes = {part: part.training for part in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for part, training in modes.items():
            part.training = training


def both_axes(value: Any) -> tuple[Any, Any]:
    """A layer's kernel, stride, padding or size: one value for height and width, or one of each."""
    return (value[0], value[1]) if isinstance(value, tuple | list) else (value, value)


class _OverTime(nn.Module):
    """Mixin: apply a layer made for [N, ...] to every time step of [T, N, ...]."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to every frame of x [T, N, ...]."""
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class _Norm(_OverTime):
    """Mixin: a batch norm, which must have something to normalize over."""

    def forward(self, x: Tensor) -> Tensor:
        """Normalize x [T, N, C, ...]. Raises ArlifError on one value per channel in training."""
        require(
            not self.training or x.numel() > x.shape[2],
            "batch norm in training needs more than one value per channel, got one; take a larger "
            "batch (batch_size)",
        )
        return super().forward(x)


class Conv2d(_OverTime, nn.Conv2d):
    """torch.nn.Conv2d on [T, N, C, H, W]."""

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        pixels, stride = gathered(x, weight, self.stride, self.padding, self.groups)
        if stride == self.stride:
            return super()._conv_forward(x, weight, bias)
        return nn.functional.conv2d(pixels, weight, bias)


class Linear(nn.Linear):
    """torch.nn.Linear on [T, N, features]."""


class BatchNorm2d(_Norm, nn.BatchNorm2d):
    """torch.nn.BatchNorm2d on [T, N, C, H, W]; statistics over T, N, H, W."""


class BatchNorm1d(_Norm, nn.BatchNorm1d):
    """torch.nn.BatchNorm1d on [T, N, features]; statistics over T and N."""


class AvgPool2d(_OverTime, nn.AvgPool2d):
    """torch.nn.AvgPool2d on [T, N, C, H, W]."""


class AdaptiveAvgPool2d(_OverTime, nn.AdaptiveAvgPool2d):
    """torch.nn.AdaptiveAvgPool2d on [T, N, C, H, W]."""


class Flatten(nn.Flatten):
    """[T, N, C, H, W] to [T, N, C * H * W]."""

    def __init__(self) -> None:
        super().__init__(start_dim=2)


class Dropout(nn.Dropout):
    """torch.nn.Dropout on [T, N, ...]; each sample keeps one mask over all time steps."""

    def forward(self, x: Tensor) -> Tensor:
        """Drop the same values at every time step of x [T, N, ...]."""
        return x * super().forward(torch.ones_like(x[:1])) if self.training else x


class Repeat(nn.Module):
    """Shows one frame [1, N, ...] at each of T time steps: [T, N, ...], without copying.

    Put behind the first convolution and batch norm, so that they run once per image.
    """

    def __init__(self, time_steps: int) -> None:
        super().__init__()
        require(time_steps >= 1, f"a network runs for at least 1 time step, not {time_steps}")
        self.time_steps = time_steps

    def forward(self, x: Tensor) -> Tensor:
        """[1, N, ...] to [T, N, ...]."""
        require(
            x.shape[0] == 1,
            f"Repeat takes one frame [1, N, ...], got {tuple(x.shape)}; add a time dimension",
        )
        return x.expand(self.time_steps, *x.shape[1:])

    def extra_repr(self) -> str:
        """T, as shown in a model's summary."""
        return f"time_steps={self.time_steps}"


class Delay(nn.Module):
    """Shifts [T, N, ...] by whole time steps; nothing comes before the first, the last are lost."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        require(steps >= 0, f"a delay is 0 or more whole time steps, not {steps}")
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Zeros, then x [T, N, ...] without its last `steps` time steps."""
        late = min(self.steps, len(x))
        return torch.cat([torch.zeros_like(x[:late]), x[: len(x) - late]])

    def extra_repr(self) -> str:
        """The steps, as shown in a model's summary."""
        return f"steps={self.steps}"
