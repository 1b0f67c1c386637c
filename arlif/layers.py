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


SIGNAL_LAYERS = (nn.Conv1d, nn.AvgPool1d, nn.MaxPool1d, nn.AdaptiveAvgPool1d)
"""Layers over signals (C, L), which are frames (C, 1, L) to a quantized network."""


def both_axes(layer: nn.Module, value: Any, height: int) -> tuple[Any, Any]:
    """A layer's kernel, stride, padding or size for height and width.

    value: one for both, or one of each. height: what layers over signals have there.
    """
    several = isinstance(value, tuple | list)
    if isinstance(layer, SIGNAL_LAYERS):
        return height, value[0] if several else value
    return (value[0], value[1]) if several else (value, value)


class _OverTime(nn.Module):
    """Mixin: apply a layer made for [N, ...] to every time step of [T, N, ...]."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to every frame of x [T, N, ...]."""
        return super().forward(x.flatten(0, 1)).unflatten(0, x.shape[:2])


class _OverSignals(_OverTime):
    """Mixin: the same for a layer made for [N, C, L], also where signals are frames of height 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Apply the layer to every signal of x [T, N, C, L] or [T, N, C, 1, L]."""
        if x.ndim < 5:
            return super().forward(x)
        return super().forward(x.squeeze(3)).unsqueeze(3)


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


class Conv1d(_OverSignals, nn.Conv1d):
    """torch.nn.Conv1d on [T, N, C, L] or [T, N, C, 1, L]."""


class Linear(nn.Linear):
    """torch.nn.Linear on [T, N, features]."""


class BatchNorm2d(_Norm, nn.BatchNorm2d):
    """torch.nn.BatchNorm2d on [T, N, C, H, W]; statistics over T, N, H, W."""


class BatchNorm1d(_Norm, _OverSignals, nn.BatchNorm1d):
    """torch.nn.BatchNorm1d on [T, N, features] or signals; statistics over T, N and L."""


class AvgPool2d(_OverTime, nn.AvgPool2d):
    """torch.nn.AvgPool2d on [T, N, C, H, W]."""


class MaxPool2d(_OverTime, nn.MaxPool2d):
    """torch.nn.MaxPool2d on spikes [T, N, C, H, W]: 1 where any spike lies under the window."""


class AdaptiveAvgPool2d(_OverTime, nn.AdaptiveAvgPool2d):
    """torch.nn.AdaptiveAvgPool2d on [T, N, C, H, W]."""


class AvgPool1d(_OverSignals, nn.AvgPool1d):
    """torch.nn.AvgPool1d on [T, N, C, L] or [T, N, C, 1, L]."""


class MaxPool1d(_OverSignals, nn.MaxPool1d):
    """torch.nn.MaxPool1d on spikes [T, N, C, L] or [T, N, C, 1, L]: see MaxPool2d."""


class AdaptiveAvgPool1d(_OverSignals, nn.AdaptiveAvgPool1d):
    """torch.nn.AdaptiveAvgPool1d on [T, N, C, L] or [T, N, C, 1, L]."""


class Flatten(nn.Flatten):
    """[T, N, C, H, W] to [T, N, C * H * W], signals alike."""

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


def later(x: Tensor, steps: int) -> Tensor:
    """x [T, ...] so many time steps later: zeros first, without the last `steps`."""
    late = min(steps, len(x))
    return torch.cat([torch.zeros_like(x[:late]), x[: len(x) - late]])


class Delay(nn.Module):
    """Shifts [T, N, ...] by whole time steps; nothing comes before the first, the last are lost."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        require(steps >= 0, f"a delay is 0 or more whole time steps, not {steps}")
        self.steps = steps

    def forward(self, x: Tensor) -> Tensor:
        """Zeros, then x [T, N, ...] without its last `steps` time steps."""
        return later(x, self.steps)

    def extra_repr(self) -> str:
        """The steps, as shown in a model's summary."""
        return f"steps={self.steps}"


class Scale(nn.Module):
    """Multiplies [T, N, ...] by constants: one, or an array that broadcasts against a sample."""

    factor: Tensor

    def __init__(self, factor: Any) -> None:
        super().__init__()
        self.register_buffer("factor", torch.as_tensor(factor, dtype=torch.float64).clone())

    def forward(self, x: Tensor) -> Tensor:
        """factor x."""
        return x * self.factor.to(x.dtype)

    def extra_repr(self) -> str:
        """The factor, as shown in a model's summary."""
        low, high = self.factor.min().item(), self.factor.max().item()
        return f"factor={low}" if low == high else f"factor={low} to {high}"


class StepGain(nn.Module):
    """Multiplies [T, N, ...] by a trained number for each time step, 1 at first.

    Behind BatchNorm2d or BatchNorm1d it makes TEBN (Duan et al., NeurIPS 2022): statistics over
    T, N, H, W, then y[t] = p[t] norm(x)[t].
    """

    def __init__(self, time_steps: int) -> None:
        super().__init__()
        require(time_steps >= 1, f"a network runs for at least 1 time step, not {time_steps}")
        self.gain = nn.Parameter(torch.ones(time_steps))

    def forward(self, x: Tensor) -> Tensor:
        """p[t] x[t]. Raises ArlifError on another number of time steps."""
        require(
            len(x) == len(self.gain),
            f"it has gains for {len(self.gain)} time steps, not {len(x)}; put Repeat in front of "
            "it, and train with as many steps as you run",
        )
        return x * self.gain.to(x.dtype).view(-1, *(1 for _ in x.shape[1:]))


class Vote(nn.Module):
    """The mean of every `size` features, of [T, N, classes size]: each class's voters."""

    def __init__(self, size: int) -> None:
        super().__init__()
        require(size >= 1, f"at least 1 feature votes for a class, not {size}")
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """[..., F] to [..., F // size]."""
        votes = nn.functional.avg_pool1d(x.flatten(0, -2)[:, None], self.size)
        return votes.reshape(*x.shape[:-1], -1)

    def extra_repr(self) -> str:
        """The size, as shown in a model's summary."""
        return f"size={self.size}"


class Last(nn.Module):
    """The last time step of membrane potentials [T, N, ...], as [1, N, ...]: ends a network."""

    def forward(self, x: Tensor) -> Tensor:
        """x[-1:]"""
        return x[-1:]


class Largest(nn.Module):
    """The largest of membrane potentials [T, N, ...] over time, as [1, N, ...]: ends a network."""

    def forward(self, x: Tensor) -> Tensor:
        """x.amax(0, keepdim=True)"""
        return x.amax(0, keepdim=True)


class Integrator(nn.Module):
    """Leaky integrators: membrane potentials [T, N, ...], no spikes.

    i = k_i i + x;  v = k v + i + leak    from 0; without current_decay (k_i), i is x

    decay k: 1 for none that leaks, else below 1; leak, current_decay: numbers, or arrays that
    broadcast against a sample. At the end of a network the decision is the mean of v over time,
    where k = 1 the last v; behind it, Last or Largest choose another. In front of LIF that resets
    to a potential it is the neuron's current.
    """

    decay: Tensor
    leak: Tensor
    current_decay: Tensor

    def __init__(self, decay: Any, leak: Any = 0.0, current_decay: Any = 0.0) -> None:
        super().__init__()
        for name, value in (("decay", decay), ("leak", leak), ("current_decay", current_decay)):
            self.register_buffer(name, torch.as_tensor(value, dtype=torch.float64).clone())
        require(
            self.reads_last or bool((self.decay < 1).all()),
            "some integrators of a layer leak and others do not; make them two layers",
        )

    @property
    def reads_last(self) -> bool:
        """Whether nothing leaks, so that the last potential says everything."""
        return bool((self.decay == 1).all())

    def forward(self, x: Tensor) -> Tensor:
        """Membrane potentials for currents x [T, N, ...]."""
        v = i = torch.zeros_like(x[0])
        potentials = []
        for now in x:
            i = i * self.current_decay.to(x.dtype) + now
            v = v * self.decay.to(x.dtype) + i + self.leak.to(x.dtype)
            potentials.append(v)
        return torch.stack(potentials)

    def extra_repr(self) -> str:
        """The decays, as shown in a model's summary."""
        return f"decay={self.decay.max().item():g}, current_decay={self.current_decay.max():g}"
