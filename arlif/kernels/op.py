"""`arlif::neuron`: all time steps of a neuron as one torch operation that saves only its input."""

from typing import Any, NoReturn

import torch
from torch import Tensor

from arlif.base.errors import ArlifError, require
from arlif.kernels import cpu
from arlif.kernels.kernel import Kernel, kernel
from arlif.kernels.layout import compute_type, like, like_steps, strides

DEVICES = ("cpu", "cuda")


def _neuron(
    x: Tensor,
    state: Tensor | None,
    parameters: list[Tensor],
    constants: list[float],
    text: str,
    states: int,
) -> tuple[Tensor, Tensor]:
    """Spikes [T, ...] and final state [states, ...] (states = 0: not asked for).

    x: [T, ...], readable. state: [states, ...] or None. parameters: the kernel's tensors, each one
    number or what broadcasts against a time step. constants: surrogate width, then the kernel's
    numbers. text: of the kernel.
    """
    of, first = kernel(text), _laid_out(state, x, text)
    count = len(of.graph.states)
    require(states in (0, count), f"this neuron has {count} states, not {states}")
    final = _like_states(x, states)
    asked = final if states else None
    return _backend(x).forward(x, first, parameters, constants, of, asked), final


def _neuron_backward(
    x: Tensor,
    state: Tensor | None,
    parameters: list[Tensor],
    of_spikes: Tensor,
    of_final: Tensor,
    constants: list[float],
    text: str,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """Gradients of x, of the first state ([0, ...] where that was None) and of what learns."""
    of, first = kernel(text), _laid_out(state, x, text)
    last = _laid_out(of_final, x, text) if len(of_final) else None
    of_state = _like_states(x, 0 if state is None else len(state))
    of_spread = _like_states(x, len(of.of_spread))
    if of_spikes.stride() != strides(x):
        of_spikes = like(x).copy_(of_spikes)
    asked = None if state is None else of_state
    of_x, sums = _backend(x).backward(
        x, first, parameters, constants, of, of_spikes, last, asked, of_spread
    )
    found = dict(zip(of.sums, sums, strict=True)) | dict(zip(of.of_spread, of_spread, strict=True))
    return of_x, of_state, [_summed(found[name], value) for name, value in _learned(of, parameters)]


# custom_op would do this in one line, but its first call imports torch's compiler: a second.
for function in (_neuron, _neuron_backward):
    name = f"arlif::{function.__name__[1:]}"
    torch.library.define(name, torch.library.infer_schema(function, mutates_args=()))
    torch.library.impl(name, DEVICES, function)
neuron = torch.ops.arlif.neuron.default
neuron_backward = torch.ops.arlif.neuron_backward.default


@torch.library.register_fake("arlif::neuron")
def _(x, state, parameters, constants, text, states):  # type: ignore[no-untyped-def]
    return like(x), _like_states(x, states)


@torch.library.register_fake("arlif::neuron_backward")
def _(x, state, parameters, of_spikes, of_final, constants, text):  # type: ignore[no-untyped-def]
    of_state = _like_states(x, 0 if state is None else len(state))
    learned = _learned(kernel(text), parameters)
    return like(x), of_state, [torch.empty_like(value) for _, value in learned]


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    x, state, parameters, ctx.constants, ctx.text, _ = inputs
    ctx.save_for_backward(x, state, *parameters)


def _differentiate(ctx: Any, of_spikes: Tensor, of_final: Tensor) -> tuple[Any, ...]:
    x, state, *parameters = ctx.saved_tensors
    of_x, of_state, of_learned = neuron_backward(
        x, state, parameters, of_spikes, of_final, ctx.constants, ctx.text
    )
    of = kernel(ctx.text)
    found = dict(zip(of.learned, of_learned, strict=True))
    of_parameters = [found.get(name) for name in of.tensors]
    return of_x, None if state is None else of_state, of_parameters, None, None, None


def _refuse(ctx: Any, *gradients: Tensor) -> NoReturn:
    raise ArlifError(
        "kernels have first derivatives only; for second ones run the plain loop: "
        "arlif.neurons.modules.run_steps(neuron.real_neuron(), FloatOps(neuron.surrogate), x, None)"
    )


torch.library.register_autograd("arlif::neuron", _differentiate, setup_context=_remember)
torch.library.register_autograd("arlif::neuron_backward", _refuse)


def _backend(x: Tensor) -> Any:
    if x.device.type == "cpu":
        return cpu
    from arlif.kernels import gpu  # Triton takes a second to import

    return gpu


def _learned(of: Kernel, parameters: list[Tensor]) -> list[tuple[str, Tensor]]:
    return [(n, p) for n, p in zip(of.tensors, parameters, strict=True) if n in of.learned]


def _summed(of_value: Tensor, value: Tensor) -> Tensor:
    """The gradient of a constant from those of all elements that read it."""
    return of_value.double().sum_to_size(value.shape).to(value.dtype, copy=True)


def _laid_out(state: Tensor | None, x: Tensor, text: str) -> Tensor | None:
    """A copy of a state [states, ...] in the layout and the type that kernels read."""
    if state is None:
        return None
    want = (len(kernel(text).graph.states), *x.shape[1:])
    require(
        state.shape == want,
        f"this neuron takes a state {want} for currents {tuple(x.shape)}, not {tuple(state.shape)}",
    )
    return _like_states(x, len(state)).copy_(state)


def _like_states(x: Tensor, states: int) -> Tensor:
    """Empty states [states, ...] in the compute type."""
    return like_steps(x, states, compute_type(x.dtype))
