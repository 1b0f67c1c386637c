"""AR-LIF in Norse's idiom, and Norse networks for arlif."""

from typing import Any, NamedTuple

import norse.torch as norse
import torch
from norse.torch.functional.threshold import threshold
from norse.torch.module.snn import SNN, SNNCell
from norse.torch.utils import pytree
from torch import Tensor, nn

from arlif.core.real_neurons import RealArlif
from arlif.core.steps import ArlifState
from arlif.interop.adopt import uniform
from arlif.interop.cells import Cell
from arlif.interop.foreign_layers import Library, convert_sequential, is_sequential
from arlif.interop.norse_cells import norse_cell
from arlif.interop.unrolled import from_run
from arlif.neurons.convert import spiking_module
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


def to_arlif(net: nn.Module, example: Tensor | None = None) -> nn.Module:
    """A trained network of Norse neurons as an arlif network over [T, N, ...].

    A SequentialState, Sequential or Lift; or, with an example of its inputs, [1 or T, N, ...], a
    module whose forward is one time step or holds the loop over time. Neurons: ARLIF, LIF, LIFBox,
    IAF and LI, cells or over time, and recurrent LIF. Raises LoweringError naming every layer that
    has no counterpart, and why.
    """
    if example is None or is_sequential(net, LIBRARY):
        return convert_sequential(net, LIBRARY)
    return from_run(net, example, LIBRARY)


def _cell(module: nn.Module) -> Cell | None:
    if not isinstance(module, ARLIFCell | ARLIF):
        return norse_cell(module)
    real = real_neuron(module.p, module.dt)
    constants = (uniform(real.decay, "tau_mem_inv"), uniform(real.v_threshold, "v_th"))
    alpha, beta = uniform(real.alpha, "alpha_raw"), uniform(real.beta, "beta_raw")
    layer = spiking_module(RealArlif(*constants, alpha, beta, real.memory))
    return Cell((layer, "only its spikes can be read"))


LIBRARY = Library(
    "norse",
    _cell,
    (norse.SequentialState, norse.Lift),
    lambda _: None,
    functions="norse.torch.functional",
)
