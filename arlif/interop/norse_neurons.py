"""Norse's neurons, every operation in the order in which Norse 1.1.0 computes it.

leaves and flows are dt tau_mem_inv and dt tau_syn_inv. Potentials count from v_leak. A spike is
v > v_th; `threshold` is the next float32 above, so that it is >=. Source: norse.torch.functional,
lif_feed_forward_step, lif_box_feed_forward_step and iaf_feed_forward_step.
"""

from typing import Any

from arlif.core.neuron import Neuron, constant
from arlif.core.ops import Ops, Value
from arlif.core.steps import After, LifState, SynapticState


class NorseLif(Neuron):
    """i = i + x;  h = v + leaves (i - v);  s = [h >= threshold];  v = s reset + (1 - s) h

    i = i - flows i
    """

    leaves: Any = constant(0.1, 0, 1, per="neuron")
    flows: Any = constant(0.2, 0, 1, per="neuron")
    threshold: Any = constant(1.0, per="neuron")
    reset: Any = constant(0.0, per="neuron", optional=True)

    state_type = SynapticState

    def step(self, ops: Ops, state: SynapticState, x: Value) -> After:
        i = ops.saturate(state.i + x)
        h = ops.saturate(state.u + ops.multiply(i - state.u, self.leaves))
        s = ops.fire(h, self.threshold)
        after = ops.saturate(i - ops.multiply(i, self.flows))
        return s, SynapticState(after, ops.select(s, self.reset, h))


class NorseBox(Neuron):
    """h = v + leaves (x - v);  s = [h >= threshold];  v = s reset + (1 - s) h"""

    leaves: Any = constant(0.1, 0, 1, per="neuron")
    threshold: Any = constant(1.0, per="neuron")
    reset: Any = constant(0.0, per="neuron", optional=True)

    state_type = LifState

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        h = ops.saturate(state.u + ops.multiply(x - state.u, self.leaves))
        s = ops.fire(h, self.threshold)
        return s, LifState(ops.select(s, self.reset, h))


class NorseBoxSubtract(Neuron):
    """h = v + leaves (x - v);  s = [h >= threshold];  v = h - s amount"""

    leaves: Any = constant(0.1, 0, 1, per="neuron")
    threshold: Any = constant(1.0, per="neuron")
    amount: Any = constant(1.0, per="neuron")

    instead = (
        "give Norse's LIFBox reset_method=reset_value, or all neurons of a layer the same constants"
    )
    state_type = LifState

    def step(self, ops: Ops, state: LifState, x: Value) -> After:
        h = ops.saturate(state.u + ops.multiply(x - state.u, self.leaves))
        s = ops.fire(h, self.threshold)
        return s, LifState(ops.saturate(h - ops.select(s, self.amount, 0)))
