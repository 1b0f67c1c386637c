"""The integer arithmetic of the steps on torch tensors, on any device."""

from typing import Any

import torch
from torch import Tensor

from arlif.core.formats import FixedPointFormat
from arlif.core.tables import LookupTable


class TorchIntegerOps:
    """IntegerOps on torch tensors: products are int64, what is saturated int32."""

    def __init__(
        self, state_format: FixedPointFormat, factor_bits: int, device: torch.device
    ) -> None:
        self.low, self.high, self.device = state_format.low, state_format.high, device
        self.factor_bits = factor_bits
        self._values: dict[int, tuple[LookupTable, Tensor]] = {}

    def multiply(self, value: Any, factor: Any) -> Any:
        product = torch.as_tensor(value, device=self.device).long() * factor
        return torch.div(product, 1 << self.factor_bits, rounding_mode="trunc")

    def saturate(self, value: Any) -> Any:
        return value.clamp(self.low, self.high).int()

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return torch.where(condition, a, b)

    def fire(self, h: Any, theta: Any) -> Any:
        return h >= theta

    def select(self, spikes: Any, fired: Any, silent: Any) -> Any:
        return torch.where(spikes, fired, silent)

    def lookup(self, table: LookupTable, x: Any) -> Any:
        cells = (x.clamp(table.low, table.high) - table.low) >> table.shift
        return self._on_device(table).index_select(0, cells.flatten()).view(x.shape)

    def _on_device(self, table: LookupTable) -> Tensor:
        """The table's values, copied to the device once."""
        if id(table) not in self._values:
            self._values[id(table)] = (table, torch.tensor(table.values, device=self.device))
        return self._values[id(table)][1]
