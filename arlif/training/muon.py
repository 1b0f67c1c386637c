"""Muon: steps of equal size in every direction for convolutions, Adam for everything else."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic iteration (github.com/KellerJordan/cifar10-airbench, muon)."""
ROUNDS = 3
"""Iterations, as there."""
MOMENTUM = 0.6
"""Of convolutions, as there."""
BETAS = (0.9, 0.99)
"""Of Adam."""
OTHERS = 0.05
"""Adam's learning rate, relative to that of convolutions."""


def orthogonal(matrix: Tensor) -> Tensor:
    """U S V' for a matrix U S' V', with S near 1: between 0.5 and 1.5 where S' is not near 0."""
    a, b, c = NEWTON_SCHULZ
    tall = len(matrix) > matrix.shape[1]
    x = (matrix.T if tall else matrix) / (matrix.norm() + 1e-7)
    for _ in range(ROUNDS):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum for convolutions, Adam for all other parameters.

    W = W sqrt(n) / |W|, then W = W - rate orthogonal(G + mu M), with M = mu M + G, for a
    convolution of n outputs: it must be followed by a batch norm, to which the size of W means
    nothing. Adam's rate is OTHERS times `rate`, its weight decay is decoupled.
    """

    def __init__(
        self, parameters: Iterable[nn.Parameter], rate: float, weight_decay: float
    ) -> None:
        given = list(parameters)
        groups: list[dict[str, Any]] = [
            {"params": [p for p in given if p.ndim == 4], "lr": rate, "convolutions": True},
            {
                "params": [p for p in given if p.ndim != 4],
                "lr": OTHERS * rate,
                "convolutions": False,
            },
        ]
        super().__init__(groups, {"weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step; what has no gradient stays."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            step = _muon if group["convolutions"] else _adam
            for parameter in group["params"]:
                if parameter.grad is not None:
                    step(parameter, parameter.grad, self.state[parameter], group)
        return loss


def _muon(weight: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    if not state:
        state["momentum"] = torch.zeros_like(grad)
    momentum = state["momentum"]
    momentum.mul_(MOMENTUM).add_(grad)
    ahead = grad.add(momentum, alpha=MOMENTUM)
    weight.mul_(len(weight) ** 0.5 / weight.norm())
    weight.add_(orthogonal(ahead.flatten(1)).view_as(weight), alpha=-group["lr"])


def _adam(value: Tensor, grad: Tensor, state: dict[str, Any], group: dict[str, Any]) -> None:
    if not state:
        state |= {"mean": torch.zeros_like(grad), "square": torch.zeros_like(grad), "steps": 0}
    mean, square = state["mean"], state["square"]
    state["steps"] += 1
    mean.lerp_(grad, 1 - BETAS[0])
    square.lerp_(grad.square(), 1 - BETAS[1])
    first, second = (1 - beta ** state["steps"] for beta in BETAS)
    value.mul_(1 - group["lr"] * group["weight_decay"])
    value.addcdiv_(mean, (square / second).sqrt() + 1e-8, value=-group["lr"] / first)
