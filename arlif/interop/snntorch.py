"""AR-LIF for snnTorch, and snnTorch networks for arlif.

snntorch.utils.reset knows a fixed list of neuron classes and resets every instance of them in the
process; it passes over ARLIF silently, so states would leak from batch to batch. Use `reset` here.
"""

from collections.abc import Callable
from typing import Any

import snntorch
import torch
from torch import Tensor, nn

from arlif import neurons
from arlif.base.errors import require
from arlif.core.real_neurons import RealArlif
from arlif.core.steps import ArlifState
from arlif.interop.adopt import uniform
from arlif.interop.cells import Cell
from arlif.interop.foreign_layers import Library, convert_sequential, is_sequential
from arlif.interop.snntorch_cells import snntorch_cell
from arlif.interop.unrolled import from_run
from arlif.neurons.convert import spiking_module
from arlif.neurons.surrogate import SurrogateOps


class ARLIF(snntorch.SpikingNeuron):
    """Adaptive-reset LIF (arXiv:2507.20746, Eqs. 5-8) in the manner of snnTorch's neurons.

    mem, r: membrane potential and reset memory, [N, ...]. One call is one time step:
    spk, r, mem = neuron(input_, r, mem); with init_hidden=True spk = neuron(input_), and with
    output=True as well the states are returned too. A spike is fired on mem >= threshold.

    decay: k in [0, 1]; snnTorch calls it beta. alpha in [0, 1], beta in [-1, 1], threshold: of the
    paper. learn_*: make the value a parameter; alpha_raw and beta_raw are what is learned, with
    alpha = clamp(alpha_raw, 0, 1) and beta = tanh(beta_raw).
    spike_grad: from snntorch.surrogate; None is atan().
    """

    mem: Tensor
    r: Tensor

    def __init__(
        self,
        decay: float | Tensor = 0.5,
        threshold: float | Tensor = 1.0,
        alpha: float = 1.0,
        beta: float = 0.0,
        memory: bool = True,
        spike_grad: Callable[[Tensor], Tensor] | None = None,
        surrogate_disable: bool = False,
        init_hidden: bool = False,
        learn_decay: bool = False,
        learn_threshold: bool = False,
        learn_alpha: bool = True,
        learn_beta: bool = True,
        output: bool = False,
    ) -> None:
        super().__init__(
            threshold=threshold,
            spike_grad=spike_grad,
            surrogate_disable=surrogate_disable,
            init_hidden=init_hidden,
            learn_threshold=learn_threshold,
            reset_mechanism="none",
            output=output,
        )
        require(0 <= alpha <= 1, f"alpha lies in [0, 1], not {alpha}")
        require(-1 < beta < 1, f"beta lies between -1 and 1, not {beta}")
        self.memory = memory
        self._constant("decay", torch.as_tensor(decay), learn_decay)
        self._constant("alpha_raw", torch.tensor(float(alpha)), learn_alpha)
        self._constant("beta_raw", torch.tensor(float(beta)).atanh(), learn_beta)
        self.register_buffer("mem", torch.zeros(0), persistent=False)
        self.register_buffer("r", torch.zeros(0), persistent=False)

    def _constant(self, name: str, value: Tensor, learn: bool) -> None:
        if learn:
            self.register_parameter(name, nn.Parameter(value))
        else:
            self.register_buffer(name, value)

    def real_neuron(self) -> RealArlif:
        """The neuron's effective constants, as the step reads them."""
        return RealArlif(
            self.decay.clamp(0, 1),
            self.threshold,
            self.alpha_raw.clamp(0, 1),
            self.beta_raw.tanh(),
            self.memory,
        )

    def forward(self, input_: Tensor, r: Tensor | None = None, mem: Tensor | None = None) -> Any:
        """One time step on input currents [N, ...]; states default to those of the last call."""
        if self.init_hidden and not (r is None and mem is None):
            raise TypeError(
                "`r` and `mem` should not be passed as arguments while `init_hidden=True`"
            )
        self.r = self._state(self.r if r is None else r, input_)
        self.mem = self._state(self.mem if mem is None else mem, input_)
        state = ArlifState(self.mem, self.r)
        ops = SurrogateOps(self.spike_grad)
        spk, (self.mem, self.r) = self.real_neuron().step(ops, state, input_)
        return spk if self.init_hidden and not self.output else (spk, self.r, self.mem)

    @staticmethod
    def _state(state: Tensor, input_: Tensor) -> Tensor:
        return state if state.shape == input_.shape else torch.zeros_like(input_)

    def reset_mem(self) -> tuple[Tensor, Tensor]:
        """Put the states back to 0, outside the current graph; returns (r, mem)."""
        self.r, self.mem = torch.zeros_like(self.r), torch.zeros_like(self.mem)
        return self.r, self.mem

    def detach_mem(self) -> None:
        """Cut the states off from the current graph, for truncated backpropagation."""
        self.r, self.mem = self.r.detach(), self.mem.detach()


def reset(net: nn.Module) -> None:
    """Reset the hidden states of all neurons in `net`, ARLIF included, nested ones too.

    snntorch.utils.reset leaves the spikes of RSynaptic as they are.
    """
    for module in net.modules():
        if isinstance(module, snntorch.SpikingNeuron):
            module.reset_mem()


def to_arlif(net: nn.Module, example: Tensor | None = None) -> nn.Module:
    """A trained network of snnTorch neurons as an arlif network over [T, N, ...].

    A Sequential; or, with an example of its inputs, [1 or T, N, ...], a module whose forward is one
    time step or holds the loop over time. Neurons: ARLIF, Leaky, Lapicque, RLeaky, Synaptic and
    RSynaptic. Raises LoweringError naming every layer that has no counterpart, and why.
    """
    if example is None or is_sequential(net, LIBRARY):
        return convert_sequential(net, LIBRARY)
    return from_run(net, example, LIBRARY)


def _cell(module: nn.Module) -> Cell | None:
    if isinstance(module, ARLIF):
        return Cell((_arlif(module), "only its spikes can be read"), keeps_state=True)
    return snntorch_cell(module)


LIBRARY = Library("snntorch", _cell, (), reset)


def _arlif(module: ARLIF) -> neurons.ARLIF:
    real = module.real_neuron()
    plain = RealArlif(
        uniform(real.decay, "decay"),
        uniform(real.v_threshold, "threshold"),
        uniform(real.alpha, "alpha"),
        uniform(real.beta, "beta"),
        real.memory,
    )
    converted = spiking_module(plain)
    assert isinstance(converted, neurons.ARLIF)
    with torch.no_grad():
        converted.alpha_raw.copy_(module.alpha_raw)
        converted.beta_raw.copy_(module.beta_raw)
    return converted
