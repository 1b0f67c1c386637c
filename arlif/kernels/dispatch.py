"""Which neurons have a kernel, and running them."""

import logging
from functools import cache
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor
from torch.autograd import forward_ad

from arlif.base.errors import require
from arlif.core.neuron import Neuron
from arlif.kernels import cpu
from arlif.kernels.build import library
from arlif.kernels.kinds import KERNELS, kind_of
from arlif.kernels.layout import readable
from arlif.kernels.op import compute_type, neuron

logger = logging.getLogger(__name__)
GPU_STORAGE = (torch.float32, torch.bfloat16, torch.float16)
"""How x may lie in a GPU's memory."""


def applies(real: Neuron, x: Tensor) -> bool:
    """Whether `run` can do the work of the plain loop; every constant must be one per layer."""
    kind = kind_of(real)
    if kind is None:
        return False
    kernel = KERNELS[kind]
    if not all(isinstance(getattr(real, name), int | float) for name in kernel.constants):
        return False
    if not all(torch.as_tensor(getattr(real, name)).ndim == 0 for name in kernel.learned):
        return False
    if x.device.type == "cpu":
        return x.dtype in cpu.STORAGE and _has_library()
    return x.device.type == "cuda" and x.dtype in GPU_STORAGE and _has_triton()


def _has_library() -> bool:
    return library() is not None


@cache
def _has_triton() -> bool:
    found = find_spec("triton") is not None
    if not found:
        logger.warning("neurons on a GPU run as plain loops, several times slower; install triton")
    return found


# torch.compile asks these once, and does not look inside. torch.compiler.assume_constant_result
# says the same, but imports torch's compiler: a second.
for question in (_has_library, _has_triton):
    question._dynamo_marked_constant = True  # type: ignore[attr-defined]


def run(
    real: Neuron, x: Tensor, state: Any, width: float, return_state: bool
) -> tuple[Tensor, Any]:
    """Spikes of x [T, N, ...] and, where asked for, the state after the last step (else None).

    state: where to start, None for 0. width: of the rectangular surrogate gradient.
    Inputs narrower than float32 are computed, and states kept, in float32.
    """
    kind, dtype = kind_of(real), compute_type(x.dtype)
    assert kind is not None, "callers ask `applies` first"
    kernel = KERNELS[kind]
    require(
        forward_ad._current_level < 0,
        "neurons have no forward-mode derivatives (jvp); differentiate backwards (vjp, backward)",
    )
    constants = [width, *(float(getattr(real, name)) for name in kernel.constants)]
    learned = x.new_empty(0, dtype=dtype)
    if kernel.learned:
        parts = (torch.as_tensor(getattr(real, name), device=x.device) for name in kernel.learned)
        learned = torch.stack([part.to(dtype) for part in parts])
    if state is not None:
        state = torch.stack([part.to(dtype) for part in state])
    states = len(real.variables) if return_state else 0
    spikes, final = neuron(readable(x), state, learned, constants, kind.value, states)
    return spikes, real.state_type(*final) if return_state else None
