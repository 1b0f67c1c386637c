"""Norse's neuron layers as ours."""

from typing import Any

import norse.torch as norse
import numpy as np
import torch
from norse.torch.functional.reset import reset_subtract, reset_value
from norse.torch.module.snn import SNN, SNNCell, SNNRecurrent, SNNRecurrentCell
from torch import nn

from arlif import layers
from arlif.base.errors import LoweringError, require
from arlif.core.real_neurons import RealLifHard, RealLifReset, RealLifSubtract, RealSynaptic
from arlif.interop.cells import Cell, ForeignLayer, above, differs, number
from arlif.interop.norse_neurons import NorseBox, NorseBoxSubtract, NorseLif
from arlif.neurons.recurrent import Recurrent

STATE = "its state is read, and only spikes leave a neuron; read its spikes"
NEURONS = (SNN, SNNCell, SNNRecurrent, SNNRecurrentCell)


def norse_cell(module: Any) -> Cell | None:
    """A neuron layer of Norse; None for what is none. Raises LoweringError with every reason."""
    match module:
        case norse.LIFCell() | norse.LIF():
            return Cell((_lif(module), STATE))
        case norse.LIFBoxCell():
            return Cell((_box(module), STATE))
        case norse.IAFCell() | norse.IAF():
            return Cell((_iaf(module.p), STATE))
        case norse.LICell() | norse.LI():
            return Cell((_integrator(module),), layers.Scale(_leaves(module)))
        case norse.LILinearCell():
            drive = nn.Sequential(_linear(module.input_weights), layers.Scale(_leaves(module)))
            return Cell((_integrator(module),), drive)
        case norse.LIFRecurrentCell() | norse.LIFRecurrent():
            back = Recurrent(_lif(module), _linear(module.recurrent_weights))
            return Cell((back, STATE), _linear(module.input_weights))
    require(
        not isinstance(module, NEURONS),
        "it has no counterpart; use LIF, LIFBox, IAF, LI or LIFRecurrent, cells or over time",
        LoweringError,
    )
    return None


def _leaves(module: Any) -> Any:
    return _share(module, "tau_mem_inv")


def _share(module: Any, name: str) -> Any:
    """dt / tau as float32, as Norse multiplies it; in (0, 1]."""
    share = number(module.dt * torch.as_tensor(getattr(module.p, name)))
    require(
        bool(np.min(share) > 0 and np.max(share) <= 1),
        f"dt * {name} must be in (0, 1], not {np.min(share):g} to {np.max(share):g}; choose dt "
        "shorter than the time constant",
        LoweringError,
    )
    return share


def _from_rest(p: Any, name: str) -> Any:
    """A potential counted from v_leak, where states start."""
    potential, rest = torch.as_tensor(getattr(p, name)), torch.as_tensor(p.v_leak)
    return (potential - rest).detach()


def _lif(module: Any) -> ForeignLayer:
    p, leaves = module.p, _leaves(module)
    flows, fires = _share(module, "tau_syn_inv"), above(_from_rest(p, "v_th"))
    reset = number(_from_rest(p, "v_reset"))
    folded = RealSynaptic(
        current_decay=1 - flows, decay=1 - leaves, threshold=fires / leaves, reset=reset / leaves
    )
    return ForeignLayer(NorseLif(leaves, flows, fires, reset), folded)


def _box(module: Any) -> ForeignLayer:
    p, leaves = module.p, _leaves(module)
    fires, reset = above(_from_rest(p, "v_th")), number(_from_rest(p, "v_reset"))
    if p.reset_method is reset_value:
        words = NorseBox(leaves, fires, reset)
        single = not any(map(differs, (leaves, fires, reset))) and reset == 0
        if single:
            return ForeignLayer(words, RealLifHard(1 - leaves, fires / leaves))
        return ForeignLayer(words, RealLifReset(1 - leaves, fires / leaves, 0.0, reset / leaves))
    require(
        p.reset_method is reset_subtract,
        "its reset method is neither reset_value nor reset_subtract; use one of them",
        LoweringError,
    )
    v = number(p.v_th)
    subtracting = NorseBoxSubtract(leaves, fires, v)
    if differs(leaves) or differs(fires):
        return ForeignLayer(subtracting)
    return ForeignLayer(subtracting, RealLifSubtract(1 - leaves, fires / leaves, v / leaves, 0.0))


def _iaf(p: Any) -> ForeignLayer:
    """Potentials start at v_reset, so they count from there."""
    fires = above((torch.as_tensor(p.v_th) - torch.as_tensor(p.v_reset)).detach())
    return ForeignLayer(RealLifReset(1.0, fires))


def _integrator(module: Any) -> layers.Integrator:
    require(
        not torch.as_tensor(module.p.v_leak).any(),
        "its v_leak is not 0, and potentials of a readout start at 0; set it to 0",
        LoweringError,
    )
    return layers.Integrator(1 - _leaves(module), 0.0, 1 - _share(module, "tau_syn_inv"))


def _linear(weights: Any) -> layers.Linear:
    """y = W x with the same weights."""
    layer = layers.Linear(weights.shape[1], weights.shape[0], bias=False)
    layer.weight = nn.Parameter(weights.detach())
    return layer
