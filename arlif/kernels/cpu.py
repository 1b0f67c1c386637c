"""The compiled kernels on torch tensors in main memory."""

import ctypes
from typing import Any

import torch
from torch import Tensor

from arlif.kernels.build import loaded
from arlif.kernels.kinds import KERNELS, STATES
from arlif.kernels.layout import like, step_stride

STORAGE = {torch.float32: 0, torch.float64: 1, torch.bfloat16: 2}
"""How x may lie in memory; numbers are those of real.cpp."""
LAYOUT = [n for kind in KERNELS for n in (STATES[kind], len(KERNELS[kind].learned))]


def forward(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    constants: list[float],
    kind: int,
    final: Tensor | None,
) -> Tensor:
    """Spikes of readable x [T, ...]; fills `final`. States are [states, ...], laid out as x."""
    spikes, numbers = like(x), constants + parameters.tolist()
    _library().arlif_forward(*_call(x, numbers, kind), *_addresses(x, state, spikes, final))
    return spikes


def backward(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    constants: list[float],
    kind: int,
    of_spikes: Tensor,
    of_final: Tensor | None,
    of_state: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """Gradients of x and of the parameters, from those of the spikes and of the final state.

    Fills the gradient of the first state.
    """
    of_x, numbers = like(x), constants + parameters.tolist()
    of_parameters = torch.zeros(len(parameters), dtype=torch.float64)
    tensors = (x, state, of_spikes, of_final, of_x, of_state, of_parameters)
    _library().arlif_backward(*_call(x, numbers, kind), *_addresses(*tensors))
    return of_x, of_parameters


def _library() -> ctypes.CDLL:
    return loaded("arlif_real_layout", *LAYOUT)


def _call(x: Tensor, numbers: list[float], kind: int) -> tuple[Any, ...]:
    return (
        kind,
        STORAGE[x.dtype],
        ctypes.c_int64(x.shape[0]),
        ctypes.c_int64(x[0].numel()),
        ctypes.c_int64(step_stride(x)),
        ctypes.c_int64(torch.get_num_threads()),
        (ctypes.c_double * len(numbers))(*numbers),
    )


def _addresses(*tensors: Tensor | None) -> tuple[ctypes.c_void_p, ...]:
    return tuple(ctypes.c_void_p(None if t is None else t.data_ptr()) for t in tensors)
