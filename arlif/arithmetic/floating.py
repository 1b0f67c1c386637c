"""FloatOps: torch tensors with a surrogate gradient where a spike is fired."""

from typing import Any

import torch

from arlif.arithmetic.surrogates import STANDARD, Surrogate
from arlif.core.real_neurons import RealArithmetic


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

    surrogate: gradient of a spike; its width is in the unit of these numbers.
    """

    def __init__(self, surrogate: Surrogate) -> None:
        self.surrogate = surrogate

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return torch.where(condition, a, b)

    def fire(self, h: Any, theta: Any) -> Any:
        return self.surrogate.spikes(h - theta)

    def select(self, spikes: Any, fired: Any, silent: Any) -> Any:
        return silent + spikes * (fired - silent)


class FloatOps(RealArithmetic, TorchChoices):
    """Real numbers; surrogate: Rectangle(1.0) in the paper."""

    def __init__(self, surrogate: Surrogate = STANDARD) -> None:
        super().__init__(surrogate)

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
