"""FloatOps with any surrogate gradient, as other spiking libraries bring their own."""

from collections.abc import Callable
from typing import Any

from torch import Tensor

from arlif.arithmetic.floating import FloatOps


class SurrogateOps(FloatOps):
    """Real numbers as torch tensors; a spike is fired on h >= theta, differentiated by `surrogate`.

    surrogate: maps h - theta to spikes of its library, whose gradient is used; whether it fires
    at 0 itself does not matter.
    """

    def __init__(self, surrogate: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = surrogate

    def fire(self, h: Any, theta: Any) -> Any:
        spikes = self.function(h - theta)
        return spikes + ((h >= theta).to(h.dtype) - spikes).detach()
