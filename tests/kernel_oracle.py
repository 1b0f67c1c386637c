"""What kernels are held to: the plain loop of steps in float64, away from discontinuities."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from arlif.neurons import ARLIF, CLIF, LIF, LearnableResetLIF, SpikingNeuron
from arlif.neurons.modules import run_steps
from arlif.neurons.ops import FloatOps


def arlif(**options: Any) -> ARLIF:
    """An ARLIF whose alpha and beta are neither at their start nor at a bound."""
    neuron = ARLIF(**options)
    with torch.no_grad():
        neuron.alpha_raw.fill_(0.7)
        neuron.beta_raw.fill_(-0.4)
    return neuron


NEURONS = {
    "arlif": arlif,
    "arlif without memory": lambda **options: arlif(memory=False, **options),
    "lif soft": lambda **options: LIF(reset="soft", **options),
    "lif hard": lambda **options: LIF(reset="hard", **options),
    "lif learned": LearnableResetLIF,
    "clif": CLIF,
}


class Watched(FloatOps):
    """FloatOps that notes how near each neuron came to where its gradient or its spike jumps."""

    def __init__(self, width: float) -> None:
        super().__init__(width)
        self.nearest: Any = None

    def fire(self, h: Any, theta: Any) -> Any:
        v = (h - theta).detach()
        near = torch.minimum(v.abs(), (v.abs() - self.width / 2).abs())
        self.nearest = near if self.nearest is None else torch.minimum(self.nearest, near)
        return super().fire(h, theta)


def smooth_currents(
    neuron: SpikingNeuron, x: Tensor, margin: float = 2e-6, start: float = 0.0
) -> Tensor:
    """x [T, ...], silenced where a neuron comes within `margin` of a jump.

    start: what every state variable starts from.
    """
    watch = Watched(neuron.width)
    real = neuron.real_neuron()
    with torch.no_grad():
        run_steps(real, watch, x.double(), real.initial_state(torch.full_like(x[0], start)))
    return x * (watch.nearest > margin)


class Outcome(NamedTuple):
    """Spikes, the last state, and gradients: of x, of the first state, of the parameters."""

    spikes: Tensor
    final: tuple[Tensor, ...]
    of_x: Tensor
    of_state: tuple[Tensor, ...]
    of_parameters: tuple[Tensor | None, ...]


def outcome(
    neuron: SpikingNeuron, x: Tensor, start: tuple[Tensor, ...], plain: bool = False
) -> Outcome:
    """Run `neuron` from `start`, its kernel or (plain) its loop in float64, and differentiate.

    The scalar differentiated weighs every output differently, the same for both.
    """
    real = neuron.real_neuron()
    kind = torch.float64 if plain or x.dtype == torch.float64 else torch.float32
    x = x.detach().to(torch.float64 if plain else x.dtype).requires_grad_()
    state = type(real.initial_state(x))(*(s.detach().to(kind).requires_grad_() for s in start))
    if plain:
        spikes, final = run_steps(real, FloatOps(neuron.width), x, state)
    else:
        spikes, final = neuron(x, state, return_state=True)
    outputs = [spikes, *final]
    weights = [torch.sin(torch.arange(o.numel()) * 1.7).reshape(o.shape) for o in outputs]
    loss = sum((o.double() * w).sum() for o, w in zip(outputs, weights, strict=True))
    leaves = [x, *state, *neuron.parameters()]
    grads = torch.autograd.grad(loss, leaves, allow_unused=True)
    grads = [
        g if g is not None or i > len(state) else torch.zeros_like(leaves[i])
        for i, g in enumerate(grads)
    ]
    count = 1 + len(state)
    return Outcome(spikes, tuple(final), grads[0], tuple(grads[1:count]), tuple(grads[count:]))


def close(got: Tensor, want: Tensor, relative: float = 1e-5) -> bool:
    """Equal to `relative` of the largest number, or of 1."""
    scale = max(1.0, want.abs().max().item()) if want.numel() else 1.0
    return torch.allclose(got.double(), want.double(), rtol=relative, atol=relative * scale)
