"""LIF with a reset by subtraction of its own amount, as networks from snnTorch need it."""

from arlif.core.real import RealLifSubtract
from arlif.errors import require
from arlif.neurons.modules import SpikingNeuron


class SubtractLIF(SpikingNeuron):
    """h = k u + x; s = [h >= v + hold [u >= v]]; u = h - s amount.

    decay: k in [0, 1]. v_threshold: v, above 0. amount: above 0. hold: at least 0.
    """

    def __init__(
        self, decay: float, v_threshold: float, amount: float, hold: float, width: float = 1.0
    ) -> None:
        super().__init__(width)
        require(0 <= decay <= 1, f"the decay lies in [0, 1], not {decay}")
        require(
            v_threshold > 0 and amount > 0 and hold >= 0,
            f"threshold and amount must be positive and hold not negative; got {v_threshold}, "
            f"{amount} and {hold}",
        )
        self.decay, self.v_threshold, self.amount, self.hold = decay, v_threshold, amount, hold

    def real_neuron(self) -> RealLifSubtract:
        return RealLifSubtract(self.decay, self.v_threshold, self.amount, self.hold)

    def extra_repr(self) -> str:
        return (
            f"decay={self.decay}, v_threshold={self.v_threshold}, amount={self.amount}, "
            f"hold={self.hold}"
        )
