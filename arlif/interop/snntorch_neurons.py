"""snnTorch's neurons, every operation in the order in which snnTorch 1.0.0 computes it.

A spike is mem > threshold. `threshold` is the next float32 above, so that it is >=; `amount` is
snnTorch's threshold itself, which is subtracted. Source: snntorch._neurons, the modules leaky,
rleaky, synaptic and rsynaptic, the functions _base_sub, _base_zero, _base_int and forward.
"""

from typing import Any

from arlif.core.neuron import Neuron, constant
from arlif.core.ops import Ops, Value
from arlif.core.steps import After, LifState, SynapticState


class Membrane(Neuron):
    """What neurons of snnTorch have; subclasses say what a spike does, and what drives them."""

    decay: Any = constant(0.5, 0, 1, per="neuron")
    threshold: Any = constant(1.0, per="neuron")

    instead = (
        "give snnTorch's neuron reset_mechanism='zero' and reset_delay=False (for a Lapicque use "
        "Leaky, for an RSynaptic RLeaky)"
    )

    def membrane(self, ops: Ops, u: Value, x: Value) -> tuple[Value, Value]:
        """Spikes and the next potential."""
        raise NotImplementedError


class Direct(Membrane):
    """Driven by the current itself."""

    state_type = LifState

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        s, u = self.membrane(ops, state.u, x)
        return s, LifState(u)


class Synaptic(Membrane):
    """Driven by a current that decays: i = k_i i + x."""

    current_decay: Any = constant(0.5, 0, 1, per="neuron")

    state_type = SynapticState

    def step(self, ops: Ops, state: SynapticState, x: Value) -> After:
        i = ops.saturate(ops.multiply(state.i, self.current_decay) + x)
        s, u = self.membrane(ops, state.u, i)
        return s, SynapticState(i, u)


class SubtractingLate(Membrane):
    """h = k u + x - amount [u >= threshold];  s = [h >= threshold];  u = h"""

    amount: Any = constant(1.0, per="neuron")

    def membrane(self, ops: Ops, u: Value, x: Value) -> tuple[Value, Value]:
        late = ops.where(u >= self.threshold, self.amount, 0)
        h: Any = ops.saturate(ops.multiply(u, self.decay) + x - late)
        return ops.fire(h, self.threshold), h


class Subtracting(Membrane):
    """h = k u + x - r, r = amount [u >= threshold];  s = [h >= threshold];  u = h - s amount + r"""

    amount: Any = constant(1.0, per="neuron")

    def membrane(self, ops: Ops, u: Value, x: Value) -> tuple[Value, Value]:
        late = ops.where(u >= self.threshold, self.amount, 0)
        h = ops.saturate(ops.multiply(u, self.decay) + x - late)
        s = ops.fire(h, self.threshold)
        return s, ops.saturate(h - (ops.select(s, self.amount, 0) - late))


class ZeroingLate(Membrane):
    """h = 0 if u >= threshold, else k u + x;  s = [h >= threshold];  u = h

    What arrives in the step after a spike is lost.
    """

    def membrane(self, ops: Ops, u: Value, x: Value) -> tuple[Value, Value]:
        h: Any = ops.where(u >= self.threshold, 0, ops.saturate(ops.multiply(u, self.decay) + x))
        return ops.fire(h, self.threshold), h


class Integrating(Membrane):
    """h = k u + x;  s = [h >= threshold];  u = h"""

    def membrane(self, ops: Ops, u: Value, x: Value) -> tuple[Value, Value]:
        h: Any = ops.saturate(ops.multiply(u, self.decay) + x)
        return ops.fire(h, self.threshold), h


class LateSubtract(Direct, SubtractingLate):
    """SubtractingLate, on the current itself."""


class SynapticLateSubtract(Synaptic, SubtractingLate):
    """SubtractingLate, on a current that decays."""


class Subtract(Direct, Subtracting):
    """Subtracting, on the current itself."""


class SynapticSubtract(Synaptic, Subtracting):
    """Subtracting, on a current that decays."""


class LateZero(Direct, ZeroingLate):
    """ZeroingLate, on the current itself."""


class SynapticLateZero(Synaptic, ZeroingLate):
    """ZeroingLate, on a current that decays."""


class NoReset(Direct, Integrating):
    """Integrating, on the current itself."""


class SynapticNoReset(Synaptic, Integrating):
    """Integrating, on a current that decays."""
