"""FloatOps: torch tensors with a surrogate gradient where a spike is fired."""

from typing import Any

import torch

from arlif.core.real_neurons import RealArithmetic


class RectangularSpike(torch.autograd.Function):
    """s = [v >= 0] forward; ds/dv = 1/a where |v| <= a/2 backward (arXiv:2507.20746, Eq. 11)."""

    @staticmethod
    def forward(ctx: Any, v: torch.Tensor, width: float) -> torch.Tensor:
        ctx.save_for_backward(v)
        ctx.width = width
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> tuple[torch.Tensor, None]:
        (v,) = ctx.saved_tensors
        inside = (v.abs() <= ctx.width / 2).to(v.dtype)
        return grad[0] * inside / ctx.width, None


class Choice(torch.autograd.Function):
    """`fired` where a spike is 1, else `silent`, with the gradients of s fired + (1 - s) silent.

    The sum itself is not a number where one of the two is infinite, and its gradient for s neither:
    there, far from any threshold, s gets none.
    """

    @staticmethod
    def forward(
        ctx: Any, spikes: torch.Tensor, fired: torch.Tensor, silent: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(spikes, fired, silent)
        return torch.where(spikes > 0, fired, silent)

    @staticmethod
    def backward(ctx: Any, *grad: torch.Tensor) -> tuple[torch.Tensor, ...]:
        spikes, fired, silent = ctx.saved_tensors
        difference = (fired - silent).nan_to_num(0, 0, 0)
        return grad[0] * difference, grad[0] * spikes, grad[0] * (1 - spikes)


class TorchChoices:
    """What torch tensors do alike, whatever their numbers stand for; spikes are 0.0 or 1.0.

    width: width a of the rectangular surrogate, in the unit of the membrane potential.
    """

    def __init__(self, width: float) -> None:
        self.width = width

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return torch.where(condition, a, b)

    def fire(self, h: Any, theta: Any) -> Any:
        return RectangularSpike.apply(h - theta, self.width)  # type: ignore[no-untyped-call]

    def select(self, spikes: Any, fired: Any, silent: Any) -> Any:
        return silent + spikes * (fired - silent)


class FloatOps(RealArithmetic, TorchChoices):
    """Real numbers; width: 1.0 in the paper."""

    def __init__(self, width: float = 1.0) -> None:
        super().__init__(width)

    def select(self, spikes: Any, fired: Any, silent: Any) -> Any:
        if not isinstance(silent, torch.Tensor):
            return super().select(spikes, fired, silent)
        if not isinstance(fired, torch.Tensor):
            fired = silent.new_full((), fired)
        return Choice.apply(spikes, fired, silent)  # type: ignore[no-untyped-call]

    def tanh(self, x: Any) -> Any:
        return torch.tanh(x)

    def sigmoid(self, x: Any) -> Any:
        return torch.sigmoid(x)

    def exp(self, x: Any) -> Any:
        return torch.exp(x)
