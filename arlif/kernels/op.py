"""`arlif::neuron`: all time steps of a neuron as one torch operation that saves only its input."""

from typing import Any, NoReturn

import torch
from torch import Tensor

from arlif.base.errors import ArlifError, require
from arlif.kernels import cpu
from arlif.kernels.kinds import STATES
from arlif.kernels.layout import like, like_steps, strides

DEVICES = ("cpu", "cuda")


def _neuron(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    constants: list[float],
    kind: int,
    states: int,
) -> tuple[Tensor, Tensor]:
    """Spikes [T, ...] and final state [states, ...] (states = 0: not asked for).

    x: [T, ...], readable. state: [states, ...] or None. parameters: the learned numbers, [n].
    constants: surrogate width, then the neuron's; kind: which neuron.
    """
    first = _laid_out(state, x, kind)
    require(states in (0, STATES[kind]), f"kind {kind} has {STATES[kind]} states, not {states}")
    final = _like_states(x, states)
    asked = final if states else None
    return _backend(x).forward(x, first, parameters, constants, kind, asked), final


def _neuron_backward(
    x: Tensor,
    state: Tensor | None,
    parameters: Tensor,
    of_spikes: Tensor,
    of_final: Tensor,
    constants: list[float],
    kind: int,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of x, of the first state ([0, ...] where that was None) and of the parameters."""
    first = _laid_out(state, x, kind)
    last = _laid_out(of_final, x, kind) if len(of_final) else None
    of_state = _like_states(x, 0 if state is None else len(state))
    if of_spikes.stride() != strides(x):
        of_spikes = like(x).copy_(of_spikes)
    asked = None if state is None else of_state
    of_x, of_parameters = _backend(x).backward(
        x, first, parameters, constants, kind, of_spikes, last, asked
    )
    return of_x, of_state, of_parameters.to(parameters.dtype)


# custom_op would do this in one line, but its first call imports torch's compiler: a second.
for function in (_neuron, _neuron_backward):
    name = f"arlif::{function.__name__[1:]}"
    torch.library.define(name, torch.library.infer_schema(function, mutates_args=()))
    torch.library.impl(name, DEVICES, function)
neuron = torch.ops.arlif.neuron.default
neuron_backward = torch.ops.arlif.neuron_backward.default


@torch.library.register_fake("arlif::neuron")
def _(x, state, parameters, constants, kind, states):  # type: ignore[no-untyped-def]
    return like(x), _like_states(x, states)


@torch.library.register_fake("arlif::neuron_backward")
def _(x, state, parameters, of_spikes, of_final, constants, kind):  # type: ignore[no-untyped-def]
    of_state = _like_states(x, 0 if state is None else len(state))
    return like(x), of_state, torch.empty_like(parameters)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    x, state, parameters, ctx.constants, ctx.kind, _ = inputs
    ctx.save_for_backward(x, state, parameters)


def _differentiate(ctx: Any, of_spikes: Tensor, of_final: Tensor) -> tuple[Any, ...]:
    x, state, parameters = ctx.saved_tensors
    of_x, of_state, of_parameters = neuron_backward(
        x, state, parameters, of_spikes, of_final, ctx.constants, ctx.kind
    )
    return of_x, None if state is None else of_state, of_parameters, None, None, None


def _refuse(ctx: Any, *gradients: Tensor) -> NoReturn:
    raise ArlifError(
        "kernels have first derivatives only; for second ones run the plain loop: "
        "arlif.neurons.modules.run_steps(neuron.real_neuron(), FloatOps(neuron.width), x, None)"
    )


torch.library.register_autograd("arlif::neuron", _differentiate, setup_context=_remember)
torch.library.register_autograd("arlif::neuron_backward", _refuse)


def _backend(x: Tensor) -> Any:
    if x.device.type == "cpu":
        return cpu
    from arlif.kernels import gpu  # Triton takes a second to import

    return gpu


def compute_type(storage: torch.dtype) -> torch.dtype:
    """What a kernel computes in: float64 for float64, else float32."""
    return torch.float64 if storage == torch.float64 else torch.float32


def _laid_out(state: Tensor | None, x: Tensor, kind: int) -> Tensor | None:
    """A copy of a state [states, ...] in the layout and the type that kernels read."""
    if state is None:
        return None
    want = (STATES[kind], *x.shape[1:])
    require(
        state.shape == want,
        f"kind {kind} takes a state {want} for currents {tuple(x.shape)}, not {tuple(state.shape)}",
    )
    return _like_states(x, len(state)).copy_(state)


def _like_states(x: Tensor, states: int) -> Tensor:
    """Empty states [states, ...] in the compute type."""
    return like_steps(x, states, compute_type(x.dtype))
