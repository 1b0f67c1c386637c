"""LIF with a reset by subtraction of its own amount, as networks from snnTorch need it."""

from arlif.base.errors import require
from arlif.core.real_neurons import RealLifSubtract
from arlif.neurons.modules import SpikingNeuron, check_constants


class SubtractLIF(SpikingNeuron):
    """h = k u + x; s = [h - hold [u >= v] >= v]; u = h - s amount.

    decay: k in [0, 1]. v_threshold: v, above 0. amount, hold: at least 0.
    Raises ArlifError.
    """

    def __init__(
        self, decay: float, v_threshold: float, amount: float, hold: float, width: float = 1.0
    ) -> None:
        super().__init__(width)
        check_constants(decay, v_threshold)
        require(
            amount >= 0 and hold >= 0,
            f"amount and hold must not be negative; got {amount} and {hold}",
        )
        self.decay, self.v_threshold, self.amount, self.hold = decay, v_threshold, amount, hold

    def real_neuron(self) -> RealLifSubtract:
        return RealLifSubtract(self.decay, self.v_threshold, self.amount, self.hold)

    def extra_repr(self) -> str:
        return (
            f"decay={self.decay}, v_threshold={self.v_threshold}, amount={self.amount}, "
            f"hold={self.hold}"
        )
