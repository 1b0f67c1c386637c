"""`arlif::neuron`: all time steps of a neuron as one torch operation that saves only its input."""

from typing import Any

import torch
from torch import Tensor

from arlif.kernels import cpu

DEVICES = ("cpu", "cuda")


@torch.library.custom_op("arlif::neuron", mutates_args=(), device_types=DEVICES)
def neuron(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    constants: list[float],
    kind: int,
    states: int,
) -> tuple[Tensor, Tensor]:
    """Spikes [T, ...] and final state [states, ...] (states = 0: not asked for).

    x: [T, ...], dense. state: [states, ...] or None. parameters: the learned numbers, [n].
    constants: surrogate width, then the neuron's; kind: which neuron, both as in neurons.h.
    """
    first = None if state is None else _like_states(x, len(state)).copy_(state)
    final = _like_states(x, states)
    asked = final if states else None
    return _backend(x).forward(x, first, parameters, constants, kind, asked), final


@torch.library.custom_op("arlif::neuron_backward", mutates_args=(), device_types=DEVICES)
def neuron_backward(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    of_spikes: Tensor,
    of_final: Tensor,
    constants: list[float],
    kind: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, of the first state ([0, ...] where that was None) and of the parameters."""
    first = None if state is None else _like_states(x, len(state)).copy_(state)
    last = _like_states(x, len(of_final)).copy_(of_final) if len(of_final) else None
    of_state = _like_states(x, 0 if state is None else len(state))
    if of_spikes.stride() != x.stride():
        of_spikes = torch.empty_like(x).copy_(of_spikes)
    asked = None if state is None else of_state
    of_x, of_parameters = _backend(x).backward(
        x, first, parameters, constants, kind, of_spikes, last, asked
    )
    return of_x, of_state, of_parameters.to(parameters.dtype)


@neuron.register_fake
def _(x, state, parameters, constants, kind, states):  # type: ignore[no-untyped-def]
    return torch.empty_like(x), _like_states(x, states)


@neuron_backward.register_fake
def _(x, state, parameters, of_spikes, of_final, constants, kind):  # type: ignore[no-untyped-def]
    of_state = _like_states(x, 0 if state is None else len(state))
    return torch.empty_like(x), of_state, torch.empty_like(parameters)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    x, state, parameters, ctx.constants, ctx.kind, _ = inputs
    ctx.save_for_backward(x, state, parameters)


def _differentiate(ctx: Any, of_spikes: Tensor, of_final: Tensor) -> tuple[Any, ...]:
    x, state, parameters = ctx.saved_tensors
    of_x, of_state, of_parameters = neuron_backward(
        x, state, parameters, of_spikes, of_final, ctx.constants, ctx.kind
    )
    return of_x, None if state is None else of_state, of_parameters, None, None, None


neuron.register_autograd(_differentiate, setup_context=_remember)


def _backend(x: Tensor) -> Any:
    if x.device.type == "cpu":
        return cpu
    from arlif.kernels import gpu  # Triton takes a second to import

    return gpu


def compute_type(storage: torch.dtype) -> torch.dtype:
    """What a kernel computes in: float64 for float64, else float32."""
    return torch.float64 if storage == torch.float64 else torch.float32


def _like_states(x: Tensor, states: int) -> Tensor:
    """[states, ...] in the compute type, each state laid out in memory as a time step of x."""
    size, strides = x[0].numel(), x.stride()[1:]
    shape, dtype = (states, *x.shape[1:]), compute_type(x.dtype)
    return torch.empty_strided(shape, (size, *strides), dtype=dtype, device=x.device)
