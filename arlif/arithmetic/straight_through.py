"""QatOps: raw integers in floating point, rounded forward, passed straight through backward."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from arlif.arithmetic.floating import FloatOps, TorchChoices
from arlif.arithmetic.surrogates import Surrogate
from arlif.core.formats import FixedPointFormat
from arlif.core.tables import LookupTable


class Substitute(torch.autograd.Function):
    """Forward the exact value, backward the gradient of the smooth one (straight-through)."""

    @staticmethod
    def forward(ctx: Any, smooth: Tensor, exact: Tensor) -> Tensor:
        return exact.view_as(exact)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor, None]:
        return grad[0], None


def substitute(smooth: Tensor, exact: Tensor) -> Tensor:
    """`exact`, with the gradient of `smooth`; both have one shape."""
    if not smooth.requires_grad:
        return exact
    return Substitute.apply(smooth, exact)  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class TrainableTable:
    """A table as it is now, and the real function it samples, whose parameters learn.

    output_one: the raw value that stands for 1.0 in the table's values.
    """

    table: LookupTable
    function: Callable[[Any, Any], Any]
    output_one: int


class QatOps(TorchChoices):
    """The integer arithmetic on float tensors that hold raw integers.

    Rounding, saturation and tables act forward as the specification says; backward, rounding is the
    identity, saturation a clamp, a table the slope of its real function, a spike `surrogate`, whose
    width is in real units. The tensors' type must hold every product exactly, see state_type.
    """

    def __init__(
        self, state_format: FixedPointFormat, factor_bits: int, surrogate: Surrogate
    ) -> None:
        self.factor_bits = factor_bits
        self.low, self.high, self.one = state_format.low, state_format.high, state_format.one
        super().__init__(replace(surrogate, width=surrogate.width * state_format.one))
        self.smooth = FloatOps(surrogate)

    def multiply(self, value: Any, factor: Any) -> Any:
        product = value * (factor / (1 << self.factor_bits))  # exact: a power of two
        return substitute(product, product.trunc())

    def saturate(self, value: Any) -> Any:
        return value.clamp(self.low, self.high)

    def lookup(self, table: TrainableTable, x: Any) -> Any:
        cells = x.detach().clamp(table.table.low, table.table.high) - table.table.low
        values = torch.tensor(table.table.values, dtype=x.dtype, device=x.device)
        exact = values[cells.long() >> table.table.shift]
        if not torch.is_grad_enabled():
            return exact
        smooth = table.function(self.smooth, x / self.one) * table.output_one
        return substitute(smooth, exact)


def state_type(state_format: FixedPointFormat, factor_bits: int) -> torch.dtype:
    """The float type in which every product of a state and a factor is an exact integer."""
    return torch.float32 if state_format.bits - 1 + factor_bits <= 24 else torch.float64
