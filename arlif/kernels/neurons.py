"""Which neurons have a kernel, and running them."""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from arlif.core.real import RealArlif, RealLifHard, RealLifSoft, RealNeuron
from arlif.kernels import cpu
from arlif.kernels.build import library
from arlif.kernels.op import compute_type, neuron


class Description(NamedTuple):
    """A neuron as a kernel knows it, in the order of neurons.h."""

    kind: int
    constants: tuple[float, ...]
    parameters: tuple[Tensor, ...] = ()


def _arlif(real: RealArlif) -> Description:
    constants = (real.decay, real.v_threshold)
    if real.memory:
        return Description(0, constants, (real.alpha, real.beta))
    return Description(1, constants, (real.beta,))


KERNELS: dict[type[RealNeuron], Callable[[Any], Description]] = {
    RealArlif: _arlif,
    RealLifSoft: lambda real: Description(2, (real.decay, real.threshold)),
    RealLifHard: lambda real: Description(3, (real.decay, real.threshold)),
}
"""How each neuron becomes its kernel's numbers."""


def applies(real: RealNeuron, x: Tensor) -> bool:
    """Whether `run` can do the work of the plain loop."""
    return (
        type(real) in KERNELS
        and x.device.type == "cpu"
        and x.dtype in cpu.STORAGE
        and library() is not None
    )


def run(
    real: RealNeuron, x: Tensor, state: Any, width: float, return_state: bool
) -> tuple[Tensor, Any]:
    """Spikes of x [T, N, ...] and, where asked for, the state after the last step (else None).

    state: where to start, None for 0. width: of the rectangular surrogate gradient.
    bfloat16 inputs are computed, and states kept, in float32.
    """
    kind, constants, parameters = KERNELS[type(real)](real)
    dtype = compute_type(x.dtype)
    learned = torch.stack(parameters).to(dtype) if parameters else x.new_empty(0, dtype=dtype)
    if state is not None:
        state = torch.stack([part.to(dtype).expand(x.shape[1:]) for part in state])
    states = len(real.state_type._fields) if return_state else 0  # type: ignore[attr-defined]
    x = x if _is_dense(x) else x.contiguous()
    spikes, final = neuron(x, state, learned, [width, *constants], kind, states)
    return spikes, real.state_type(*final) if return_state else None


def _is_dense(x: Tensor) -> bool:
    """Whether x has time outermost and, in some order of the other axes, no gaps."""
    order = sorted(range(1, x.ndim), key=x.stride, reverse=True)
    return x.permute(0, *order).is_contiguous()
