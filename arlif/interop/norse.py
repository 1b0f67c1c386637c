"""AR-LIF in Norse's idiom, and Norse networks for arlif."""

from typing import Any, NamedTuple

import norse.torch as norse
import torch
from norse.torch.functional.reset import reset_subtract, reset_value
from norse.torch.functional.threshold import threshold
from norse.torch.module.snn import SNN, SNNCell
from norse.torch.utils import pytree
from torch import Tensor, nn

from arlif.base.errors import LoweringError
from arlif.core.real_neurons import RealArlif
from arlif.core.steps import ArlifState
from arlif.interop.adopt import convert_sequential, strictly_above, uniform
from arlif.neurons import LIF, SpikingNeuron
from arlif.neurons.convert import spiking_module
from arlif.neurons.subtract import SubtractLIF
from arlif.neurons.surrogate import SurrogateOps


class ARLIFParameters(pytree.StateTuple, metaclass=pytree.MultipleInheritanceNamedTupleMeta):
    """Constants of adaptive-reset LIF (arXiv:2507.20746); make one learned with nn.Parameter.

    tau_mem_inv: 1 / tau in 1/s; the decay is k = 1 - dt tau_mem_inv. v_th: threshold at rest.
    alpha_raw, beta_raw: alpha = clamp(alpha_raw, 0, 1), beta = tanh(beta_raw).
    memory: whether r outlives a step. method, alpha: Norse's surrogate gradient and its sharpness.
    """

    tau_mem_inv: torch.Tensor = torch.as_tensor(500.0)
    v_th: torch.Tensor = torch.as_tensor(1.0)
    alpha_raw: torch.Tensor = torch.as_tensor(1.0)
    beta_raw: torch.Tensor = torch.as_tensor(0.0)
    memory: bool = True
    method: str = "super"
    alpha: torch.Tensor = torch.as_tensor(100.0)


DEFAULTS = ARLIFParameters()


class ARLIFFeedForwardState(NamedTuple):
    """v: membrane potential; r: adaptive reset memory. Both start at 0."""

    v: torch.Tensor
    r: torch.Tensor


def real_neuron(p: Any, dt: float) -> RealArlif:
    """The neuron's effective constants, as the step reads them."""
    return RealArlif(
        1 - dt * p.tau_mem_inv, p.v_th, p.alpha_raw.clamp(0, 1), p.beta_raw.tanh(), p.memory
    )


def arlif_feed_forward_step(
    input_tensor: Tensor,
    state: ARLIFFeedForwardState,
    p: Any = DEFAULTS,
    dt: float = 0.001,
) -> tuple[Tensor, ARLIFFeedForwardState]:
    """One Euler step of dt: spikes and the next state for input currents [N, ...]."""
    ops = SurrogateOps(lambda distance: threshold(distance, p.method, p.alpha))
    spikes, (v, r) = real_neuron(p, dt).step(ops, ArlifState(*state), input_tensor)
    return spikes, ARLIFFeedForwardState(v, r)


class ARLIFCell(SNNCell):
    """Adaptive-reset LIF, one time step per call: spikes, state = cell(input, state)."""

    def __init__(self, p: Any = DEFAULTS, dt: float = 0.001) -> None:
        super().__init__(arlif_feed_forward_step, _zeros, p, dt=dt)
        _register(self, p)


class ARLIF(SNN):
    """Adaptive-reset LIF over [T, N, ...]: spikes, state = neuron(input, state)."""

    def __init__(self, p: Any = DEFAULTS, dt: float = 0.001, record_states: bool = False) -> None:
        super().__init__(
            arlif_feed_forward_step,
            lambda input_tensor: _zeros(input_tensor[0]),
            p,
            dt=dt,
            record_states=record_states,
        )
        _register(self, p)


def _zeros(frame: Tensor) -> ARLIFFeedForwardState:
    return ARLIFFeedForwardState(torch.zeros_like(frame), torch.zeros_like(frame))


def _register(module: nn.Module, p: Any) -> None:
    """Make the learned constants visible to optimizers and state_dict; a tuple hides them."""
    for name, constant in p._asdict().items():
        if isinstance(constant, nn.Parameter):
            module.register_parameter(name, constant)


def to_arlif(net: nn.Module, example: Tensor | None = None) -> nn.Sequential:
    """A trained SequentialState of Norse neurons as an arlif network over [T, N, ...].

    example: inputs as the network will be given them; a SequentialState needs none.
    ARLIFCell, ARLIF and LIFBoxCell (both reset methods), bare or in Lift. LIFBoxCell integrates
    (1 - k) x and fires on v > v_th; ours integrates x, so its threshold is v_th / (1 - k).
    Raises LoweringError naming every module that has no counterpart.
    """
    return convert_sequential(net, _neuron, (norse.SequentialState, nn.Sequential, norse.Lift))


def _neuron(module: nn.Module) -> SpikingNeuron | None:
    if isinstance(module, ARLIFCell | ARLIF):
        real = real_neuron(module.p, module.dt)
        constants = (uniform(real.decay, "tau_mem_inv"), uniform(real.v_threshold, "v_th"))
        alpha, beta = uniform(real.alpha, "alpha_raw"), uniform(real.beta, "beta_raw")
        return spiking_module(RealArlif(*constants, alpha, beta, real.memory))
    if isinstance(module, norse.LIFBoxCell):
        return _lif_box(module.p, module.dt)
    return None


def _lif_box(p: Any, dt: float) -> SpikingNeuron:
    for name in ("v_leak", "v_reset"):
        if uniform(getattr(p, name), name) != 0:
            raise LoweringError(f"LIFBoxCell: {name} must be 0, not {getattr(p, name)}")
    leak = dt * uniform(p.tau_mem_inv, "tau_mem_inv")
    if not 0 < leak <= 1:
        raise LoweringError(f"LIFBoxCell: dt * tau_mem_inv must be in (0, 1], not {leak}")
    v = uniform(p.v_th, "v_th") / leak
    if p.reset_method is reset_value:
        return LIF(1 - leak, strictly_above(v), "hard")
    if p.reset_method is reset_subtract:
        return SubtractLIF(1 - leak, strictly_above(v), amount=v, hold=0.0)
    raise LoweringError("LIFBoxCell: the reset method must be reset_value or reset_subtract")
