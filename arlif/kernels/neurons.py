"""Which neurons have a kernel, and running them."""

import logging
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd import forward_ad

from arlif.core.real import RealArlif, RealLifSubtract, RealNeuron
from arlif.errors import require
from arlif.kernels import cpu
from arlif.kernels.build import library
from arlif.kernels.layout import readable
from arlif.kernels.op import compute_type, neuron

logger = logging.getLogger(__name__)
GPU_STORAGE = (torch.float32, torch.bfloat16, torch.float16)
"""How x may lie in a GPU's memory."""


class Kernel(NamedTuple):
    """How a neuron becomes a kernel's numbers: attributes that are constants, and learned ones."""

    kind: int
    constants: tuple[str, str] = ("decay", "threshold")
    learned: tuple[str, ...] = ()


KERNELS = {
    "RealLifSoft": Kernel(2),
    "RealLifHard": Kernel(3),
    "RealClif": Kernel(5),
}
"""By the neuron's class; kinds are those of real.cpp and gpu_steps.py."""


def _kernel(real: RealNeuron) -> Kernel | None:
    if type(real) is RealArlif:
        constants = ("decay", "v_threshold")
        return (
            Kernel(0, constants, ("alpha", "beta"))
            if real.memory
            else Kernel(1, constants, ("beta",))
        )
    if type(real) is RealLifSubtract:
        return Kernel(4, learned=("amount",)) if real.hold == 0 else None
    return KERNELS.get(type(real).__name__)


def applies(real: RealNeuron, x: Tensor) -> bool:
    """Whether `run` can do the work of the plain loop; every constant must be one per layer."""
    kernel = _kernel(real)
    if kernel is None or not all(
        isinstance(getattr(real, c), int | float) for c in kernel.constants
    ):
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
    real: RealNeuron, x: Tensor, state: Any, width: float, return_state: bool
) -> tuple[Tensor, Any]:
    """Spikes of x [T, N, ...] and, where asked for, the state after the last step (else None).

    state: where to start, None for 0. width: of the rectangular surrogate gradient.
    Inputs narrower than float32 are computed, and states kept, in float32.
    """
    kernel, dtype = _kernel(real), compute_type(x.dtype)
    assert kernel is not None, "callers ask `applies` first"
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
    spikes, final = neuron(readable(x), state, learned, constants, kernel.kind, states)
    return spikes, real.state_type(*final) if return_state else None
