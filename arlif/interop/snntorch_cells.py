"""snnTorch's neuron layers as ours."""

from typing import Any

import numpy as np
import snntorch
from torch import nn

from arlif.base.errors import ArlifError, LoweringError, require
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealLifReset, RealLifSubtract, RealSynaptic
from arlif.interop.adopt import time_first
from arlif.interop.cells import Cell, ForeignLayer, above, differs, number
from arlif.interop.snntorch_neurons import (
    LateSubtract,
    LateZero,
    NoReset,
    Subtract,
    SynapticLateSubtract,
    SynapticLateZero,
    SynapticNoReset,
    SynapticSubtract,
)
from arlif.layers import Integrator, Scale
from arlif.neurons import LIF, SpikingNeuron
from arlif.neurons.recurrent import Recurrent

REASONS = {
    "Alpha": "its potential is a difference of two currents; use Synaptic",
    "SLSTM": "the gates of an LSTM are real numbers; use RLeaky or RSynaptic",
    "SConv2dLSTM": "the gates of an LSTM are real numbers; use RLeaky or RSynaptic",
    "LeakyParallel": "it runs through torch.nn.RNN; train the network with Leaky",
    "DeltaLeaky": "it fires on differences of its input; use Leaky",
}
"""Why a neuron of snnTorch is refused."""

KNOWN = (
    snntorch.Leaky,
    snntorch.Lapicque,
    snntorch.RLeaky,
    snntorch.Synaptic,
    snntorch.RSynaptic,
)
HIDDEN = "its {} is read, and only spikes leave a neuron; read its spikes"


def snntorch_cell(module: Any) -> Cell | None:
    """A neuron layer of snnTorch; None for what is none. Raises LoweringError with every reason."""
    kind = next((base for base in type(module).__mro__ if "forward" in vars(base)), None)
    if kind not in KNOWN:
        known = isinstance(module, snntorch.SpikingNeuron)
        name = type(module).__name__
        require(
            not known,
            REASONS.get(name, f"it has no counterpart; use {', '.join(k.__name__ for k in KNOWN)}"),
            LoweringError,
        )
        return None
    _require_plain(module)
    constants = {"decay": number(module.beta.clamp(0, 1))}
    drive: nn.Module | None = None
    if kind is snntorch.Lapicque:
        lost = module.time_step / (module.R * module.C)
        constants = {"decay": number(1 - lost)}
        drive = Scale(module.R * (1 / (module.R * module.C)) * module.time_step)
    elif kind in (snntorch.Synaptic, snntorch.RSynaptic):
        constants["current_decay"] = number(module.alpha.clamp(0, 1))
    layer: nn.Module = _layer(module, kind, constants)
    potential = _potential(module, constants)
    if kind in (snntorch.RLeaky, snntorch.RSynaptic):
        assert isinstance(layer, SpikingNeuron)
        layer = Recurrent(layer, _feedback(module.recurrent))
        potential = HIDDEN.format("potential")
    hidden = (HIDDEN.format("current"),) if "current_decay" in constants else ()
    return Cell((layer, *hidden, potential), drive, keeps_state=True)


def _require_plain(module: Any) -> None:
    """Raise LoweringError with everything that snnTorch's neuron does beside its equation."""
    late = getattr(module, "reset_delay", True)
    saved = [*module.reset_dict][int(module.reset_mechanism_val)]
    graded = number(module.graded_spikes_factor)
    reasons = [
        reason
        for reason, holds in (
            (
                "state_quant rounds its state; leave it out, arlif chooses formats",
                module.state_quant,
            ),
            ("inhibition lets one neuron of a layer fire; leave it out", module.inhibition),
            (
                "graded_spikes_factor sends numbers; set it to 1 and scale the next weights",
                differs(graded) or graded != 1,
            ),
            (
                f"it is made with reset_mechanism={module.reset_mechanism!r}, and what it loaded "
                f"says {saved!r} (reset_mechanism_val), so that snnTorch does half of each; load "
                "the weights without that key, and train again where the reset has changed",
                not late and saved != module.reset_mechanism,
            ),
            (
                "snnTorch 1.0 fails on an RSynaptic with reset_delay=False; leave it at True",
                isinstance(module, snntorch.RSynaptic) and not late,
            ),
            (
                "a reset to zero at once needs thresholds of 0 or more; use reset_delay=True",
                not late
                and module.reset_mechanism == "zero"
                and bool((module.threshold < 0).any()),
            ),
        )
        if holds
    ]
    require(not reasons, "; ".join(reasons), LoweringError)


def _layer(module: Any, kind: Any, constants: dict[str, Any]) -> SpikingNeuron:
    """The spikes of a layer, without recurrence."""
    fires, v = above(module.threshold), number(module.threshold)
    synaptic = "current_decay" in constants
    late = getattr(module, "reset_delay", True)
    if module.reset_mechanism == "none":
        return ForeignLayer(
            (SynapticNoReset if synaptic else NoReset)(**constants, threshold=fires)
        )
    if module.reset_mechanism == "subtract":
        return _subtracting(constants, synaptic, late, fires, v)
    if late and kind is not snntorch.Leaky:
        return ForeignLayer(
            (SynapticLateZero if synaptic else LateZero)(**constants, threshold=fires)
        )
    if synaptic:
        return ForeignLayer(RealSynaptic(**constants, threshold=fires))
    decay = constants["decay"]
    if differs(decay) or differs(fires) or np.min(fires) <= 0:
        return ForeignLayer(RealLifReset(decay, fires))
    return LIF(float(decay), float(fires), "hard")


def _subtracting(
    constants: dict[str, Any], synaptic: bool, late: bool, fires: Any, v: Any
) -> SpikingNeuron:
    """Neurons whose spike subtracts the threshold."""
    kinds = (SynapticLateSubtract, SynapticSubtract) if synaptic else (LateSubtract, Subtract)
    words: Neuron = kinds[not late](**constants, threshold=fires, amount=v)
    decay = constants["decay"]
    if synaptic or differs(decay) or differs(fires) or v < 0 or (late and decay == 0):
        return ForeignLayer(words)
    if late:
        return ForeignLayer(words, RealLifSubtract(decay, fires, v / decay, 0.0))
    return ForeignLayer(words, RealLifSubtract(decay, fires, v, above(2 * v) - fires))


def _feedback(recurrent: Any) -> nn.Module:
    """What a layer's spikes pass through on their way back."""
    return Scale(recurrent.V) if hasattr(recurrent, "V") else _known(time_first(recurrent))


def _known(layer: nn.Module | None) -> nn.Module:
    require(layer is not None, "its recurrent layer is neither Linear nor Conv2d", LoweringError)
    assert layer is not None
    return layer


def _potential(module: Any, constants: dict[str, Any]) -> nn.Module | str:
    """The membrane potentials of a layer, where it only integrates."""
    if module.reset_mechanism != "none":
        return (
            "its membrane potential is read, which spikes reset; read its spikes, or give it "
            "reset_mechanism='none'"
        )
    try:
        return Integrator(constants["decay"], 0.0, constants.get("current_decay", 0.0))
    except ArlifError as error:
        return str(error)
