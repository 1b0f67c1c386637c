"""Neurons of SpikingJelly as ours: a potential from v_reset on, where they start."""

from collections.abc import Callable
from typing import Any

from spikingjelly.activation_based import neuron
from torch import nn

from arlif.base.errors import require
from arlif.core.real_neurons import RealSynaptic
from arlif.interop.adopt import uniform
from arlif.neurons import CLIF, LIF, NeuronLayer, SpikingNeuron
from arlif.neurons.subtract import SubtractLIF


def _hard_or_soft(module: Any, decay: float, scale: float) -> SpikingNeuron:
    """LIF whose potential is `scale` times that above v_reset, where the node starts."""
    v = uniform(module.v_threshold, "v_threshold")
    if module.v_reset is None:
        return LIF(decay, scale * v, "soft")
    reset = uniform(module.v_reset, "v_reset")
    require(
        v > reset,
        f"it fires without input: its v_threshold {v:g} is not above its v_reset {reset:g}",
    )
    require(
        reset == 0 or not isinstance(module, neuron.SimpleBaseNode),
        f"it starts at 0 and not at its v_reset, {reset:g}; use the node without Simple in its "
        "name, or v_reset=0",
    )
    return LIF(decay, scale * (v - reset), "hard")


def _lif(module: Any) -> SpikingNeuron:
    tau = uniform(module.tau, "tau")
    return _hard_or_soft(module, 1 - 1 / tau, tau if module.decay_input else 1.0)


def _parametric(module: Any) -> SpikingNeuron:
    leak = uniform(module.w.sigmoid(), "w")
    return _hard_or_soft(module, 1 - leak, 1 / leak if module.decay_input else 1.0)


def _integrate_and_fire(module: Any) -> SpikingNeuron:
    return _hard_or_soft(module, 1.0, 1.0)


def _half_threshold(module: Any) -> SpikingNeuron:
    v = uniform(module.v_threshold, "v_threshold")
    return SubtractLIF(1.0, v / 2, amount=v, hold=0.0)


def _complementary(module: Any) -> SpikingNeuron:
    return CLIF(1 - 1 / uniform(module.tau, "tau"), uniform(module.v_threshold, "v_threshold"))


def _current_based(module: Any) -> SpikingNeuron:
    require(
        module.v_reset == 0,
        f"its v_reset must be 0, not {module.v_reset}: only a reset to where it starts is known",
    )
    return NeuronLayer(
        RealSynaptic(
            uniform(module.c_decay, "c_decay"),
            uniform(module.v_decay, "v_decay"),
            uniform(module.v_threshold, "v_threshold"),
        )
    )


NEURONS: dict[type[nn.Module], Callable[[Any], SpikingNeuron]] = {
    neuron.LIFNode: _lif,
    neuron.SimpleLIFNode: _lif,
    neuron.IFNode: _integrate_and_fire,
    neuron.SimpleIFNode: _integrate_and_fire,
    neuron.ParametricLIFNode: _parametric,
    neuron.HalfThresholdIFNode: _half_threshold,
    neuron.ComplementaryLIFNode: _complementary,
    neuron.CUBALIFNode: _current_based,
}
"""The neuron of arlif that sends the same spikes, by class."""

_CURVED = "its membrane is not linear in its potential"
_AT_ONCE = "it computes all time steps at once from a matrix over time"
_CURE = (
    "train with LIFNode, IFNode or ParametricLIFNode, or write its step as a neuron of your own "
    "(arlif.core.neuron.Neuron)"
)
_REASONS = {
    **dict.fromkeys(("QIFNode", "EIFNode", "IzhikevichNode"), f"{_CURVED}; {_CURE}"),
    **dict.fromkeys(("PSN", "MaskedPSN", "SlidingPSN"), f"{_AT_ONCE}; {_CURE}"),
    "KLIFNode": f"it cuts its potential at 0 and scales it before it fires; {_CURE}",
    **dict.fromkeys(
        ("LinearRecurrentContainer", "ElementWiseRecurrentContainer"),
        "it feeds itself; write it with arlif.neurons.recurrent.Recurrent",
    ),
}


def why_refused(module: nn.Module) -> str:
    """Why a neuron, or another module that keeps a state, has no counterpart, and what to do."""
    unknown = f"its equation has no counterpart; {_CURE}"
    return _REASONS.get(type(module).__name__, unknown)
