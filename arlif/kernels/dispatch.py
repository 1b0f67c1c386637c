"""Which neurons have a kernel, and running them."""

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.autograd import forward_ad

from arlif.arithmetic.surrogates import STANDARD, Surrogate
from arlif.base.errors import ArlifError, require
from arlif.core.neuron import Neuron
from arlif.kernels import cpu
from arlif.kernels.kernel import constants_of, described, kernel
from arlif.kernels.layout import compute_type, readable
from arlif.kernels.op import neuron

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")
GPU_STORAGE = (torch.float32, torch.bfloat16, torch.float16)
"""How x may lie in a GPU's memory."""


def _told_once(question: Callable[..., Answer]) -> Callable[..., Answer]:
    """A question that torch.compile asks once, without a look inside.

    torch.compiler.assume_constant_result says the same, but imports torch's compiler: a second.
    """

    def answer(*values: Any) -> Answer:
        return question(*values)

    answer._dynamo_marked_constant = True  # type: ignore[attr-defined]
    return answer


def applies(real: Neuron, x: Tensor, surrogate: Surrogate = STANDARD) -> bool:
    """Whether `run` can do the work of the plain loop."""
    text = _text(real, surrogate)
    if text is None:
        return False
    if x.device.type == "cpu":
        return x.dtype in cpu.STORAGE and _has_library(text)
    return x.device.type == "cuda" and x.dtype in GPU_STORAGE and _has_triton()


def _text(real: Neuron, surrogate: Surrogate) -> str | None:
    """The text of a neuron's kernel; None where it can have none."""
    names, learn, vanish, flags = _constants_of(type(real))
    tensors, learned, spread, zeros = [], [], [], []
    for name in names:
        value = getattr(real, name)
        array = isinstance(value, Tensor | np.ndarray)
        if not (array or isinstance(value, int | float)):
            return None
        if array or name in learn:
            tensors.append(name)
        elif name in vanish and value == 0:
            zeros.append(name)
        if array and value.ndim > 0:
            spread.append(name)
        if name in learn or (isinstance(value, Tensor) and value.requires_grad):
            learned.append(name)
    chosen = tuple((name, getattr(real, name)) for name in flags)
    lists = (tuple(zeros), tuple(tensors), tuple(learned), tuple(spread))
    return _described(type(real), type(surrogate), chosen, *lists)


_constants_of = _told_once(cache(constants_of))


@_told_once
@cache
def _described(
    neuron: type[Neuron],
    surrogate: type[Surrogate],
    flags: tuple[tuple[str, Any], ...],
    *names: tuple[str, ...],
) -> str | None:
    try:
        return replace(described(neuron, flags, *names), surrogate=surrogate).text
    except ArlifError as error:
        logger.warning("%s runs as a plain loop, several times slower: %s", neuron.__name__, error)
        return None


@_told_once
def _has_library(text: str) -> bool:
    return cpu.runs(kernel(text))


@_told_once
def _has_triton() -> bool:
    return _found_triton()


@cache
def _found_triton() -> bool:
    found = find_spec("triton") is not None
    if not found:
        logger.warning("neurons on a GPU run as plain loops, several times slower; install triton")
    return found


@_told_once
def _arguments(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the constants that a kernel takes as tensors and as numbers."""
    of = kernel(text)
    return of.tensors, of.numbers


def run(
    real: Neuron, x: Tensor, state: Any, surrogate: Surrogate, return_state: bool
) -> tuple[Tensor, Any]:
    """Spikes of x [T, N, ...] and, where asked for, the state after the last step (else None).

    state: where to start, None for 0. surrogate: gradient of a spike.
    Inputs narrower than float32 are computed, and states kept, in float32.
    """
    text, dtype = _text(real, surrogate), compute_type(x.dtype)
    assert text is not None, "callers ask `applies` first"
    require(
        forward_ad._current_level < 0,
        "neurons have no forward-mode derivatives (jvp); differentiate backwards (vjp, backward)",
    )
    tensors, numbers = _arguments(text)
    parameters = [torch.as_tensor(getattr(real, n), device=x.device).to(dtype) for n in tensors]
    constants = [surrogate.width, *(float(getattr(real, name)) for name in numbers)]
    if state is not None:
        state = torch.stack([part.to(dtype) for part in state])
    states = len(real.variables) if return_state else 0
    spikes, final = neuron(readable(x), state, parameters, constants, text, states)
    return spikes, real.state_type(*final) if return_state else None
