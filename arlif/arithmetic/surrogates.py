"""Surrogate gradients: what training takes for the derivative of a spike."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from arlif.base.errors import require


@dataclass(frozen=True)
class Surrogate:
    """s = [v >= 0] with a gradient of area 1 and height 1/width at v = 0; subclasses say its shape.

    width: full width at half the height, in the unit of the membrane potential, above 0. Raises
    ArlifError.
    """

    width: float = 1.0

    def __post_init__(self) -> None:
        require(self.width > 0, f"the surrogate width must be positive, not {self.width}")

    def spikes(self, v: Tensor) -> Tensor:
        """1 where v >= 0, else 0, in v's type."""
        spikes: Tensor = _Spike.apply(v, self)  # type: ignore[no-untyped-call]
        return spikes

    def slope(self, v: Tensor) -> Tensor:
        """ds/dv."""
        raise NotImplementedError


class Rectangle(Surrogate):
    """ds/dv = 1/a where |v| <= a/2 (arXiv:2507.20746, Eq. 11); a = width."""

    def slope(self, v: Tensor) -> Tensor:
        return (v.abs() <= self.width / 2).to(v.dtype) / self.width


class Triangle(Surrogate):
    """ds/dv = max(0, a - |v|) / a^2; a = width.

    a = 1 in the released CIFAR10-DVS runs, as in the program of TET (arXiv:2202.11946) before them.
    """

    def slope(self, v: Tensor) -> Tensor:
        inside = self.width - v.abs()
        return torch.where(inside > 0, inside, 0) / self.width**2


STANDARD = Rectangle()
"""The paper's (arXiv:2507.20746)."""

SURROGATES: dict[str, type[Surrogate]] = {"rectangle": Rectangle, "triangle": Triangle}
"""Every surrogate by the name it has in recipes."""


class _Spike(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, v: Tensor, surrogate: Surrogate) -> Tensor:
        ctx.save_for_backward(v)
        ctx.surrogate = surrogate
        return (v >= 0).to(v.dtype)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        (v,) = ctx.saved_tensors
        return grad[0] * ctx.surrogate.slope(v), None
