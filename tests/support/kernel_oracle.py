"""What kernels are held to: the plain loop of steps in float64, away from discontinuities."""

import copy
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import Surrogate
from arlif.core.real_neurons import RealCuba
from arlif.neurons import ARLIF, CLIF, DALIF, LIF, PLIF, LearnableResetLIF, SpikingNeuron
from arlif.neurons.layer import NeuronLayer
from arlif.neurons.modules import run_steps
from arlif.neurons.subtract import SubtractLIF


def arlif(**options: Any) -> ARLIF:
    """An ARLIF whose alpha and beta are neither at their start nor at a bound."""
    neuron = ARLIF(**options)
    with torch.no_grad():
        neuron.alpha_raw.fill_(0.7)
        neuron.beta_raw.fill_(-0.4)
    return neuron


def dalif(**options: Any) -> DALIF:
    """A DALIF whose alpha is neither 1 - beta nor above 0."""
    neuron = DALIF(**options)
    with torch.no_grad():
        neuron.a.fill_(-0.9)
    return neuron


NEURONS = {
    "arlif": arlif,
    "arlif without memory": lambda **options: arlif(memory=False, **options),
    "lif soft": lambda **options: LIF(reset="soft", **options),
    "lif hard": lambda **options: LIF(reset="hard", **options),
    "lif learnable": LearnableResetLIF,
    "lif subtract": lambda decay=0.5, v_threshold=1.0, **options: SubtractLIF(
        decay, v_threshold, amount=2.0, hold=0.0, **options
    ),
    "plif": PLIF,
    "dalif": dalif,
    "clif": CLIF,
    "cuba": lambda decay=0.5, v_threshold=1.0, **options: NeuronLayer(
        RealCuba(0.25, decay, v_threshold, bias=0.125), **options
    ),
}


class Watched(FloatOps):
    """FloatOps that notes how near each neuron came to where its gradient or its spike jumps."""

    def __init__(self, surrogate: Surrogate) -> None:
        super().__init__(surrogate)
        self.nearest: Any = None

    def fire(self, h: Any, theta: Any) -> Any:
        v = (h - theta).detach()
        near = torch.minimum(v.abs(), (v.abs() - self.surrogate.width / 2).abs())
        self.nearest = near if self.nearest is None else torch.minimum(self.nearest, near)
        return super().fire(h, theta)


def smooth_currents(
    neuron: SpikingNeuron, x: Tensor, margin: float = 2e-6, start: float = 0.0
) -> Tensor:
    """x [T, ...], silenced where a neuron comes within `margin` of a jump.

    start: what every state variable starts from.
    """
    watch = Watched(neuron.surrogate)
    real = neuron.real_neuron()
    with torch.no_grad():
        run_steps(real, watch, x.double(), real.initial_state(torch.full_like(x[0], start)))
    return x * (watch.nearest > margin)


class Outcome(NamedTuple):
    """Spikes, the last state, and gradients: of x, of the first state, of the parameters.

    Plain outcomes hold a parameter's gradient as the share of every neuron, [N, ...].
    """

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
    storage = x.dtype
    if plain:
        neuron, x = _own_parameters(neuron, x[0].shape), x.double()
    real = neuron.real_neuron()
    kind = torch.float64 if x.dtype == torch.float64 else torch.float32
    x = x.detach().requires_grad_()
    state = type(real.initial_state(x))(*(s.detach().to(kind).requires_grad_() for s in start))
    if plain:
        spikes, final = run_steps(real, FloatOps(neuron.surrogate), x, state)
    else:
        spikes, final = neuron(x, state, return_state=True)
    outputs = [spikes, *final]
    weights = [
        torch.sin(torch.arange(o.numel(), device=o.device) * 1.7).reshape(o.shape) for o in outputs
    ]
    weights[0] = weights[0].to(storage)  # as the gradient of the spikes is stored
    loss = sum((o.double() * w).sum() for o, w in zip(outputs, weights, strict=True))
    leaves = [x, *state, *neuron.parameters()]
    grads = torch.autograd.grad(loss, leaves, allow_unused=True)
    grads = [
        g if g is not None or i > len(state) else torch.zeros_like(leaves[i])
        for i, g in enumerate(grads)
    ]
    count = 1 + len(state)
    return Outcome(spikes, tuple(final), grads[0], tuple(grads[1:count]), tuple(grads[count:]))


def _own_parameters(neuron: SpikingNeuron, shape: torch.Size) -> SpikingNeuron:
    """A copy in float64 whose every neuron has parameters of its own, all equal."""
    spread = copy.deepcopy(neuron)
    for name, value in neuron.named_parameters():
        own = value.detach().double().expand(shape).clone()
        setattr(spread, name, nn.Parameter(own))
    return spread


def parameters_agree(
    got: Outcome, plain: Outcome, relative: float = 1e-5, of_terms: float = 1e-6
) -> bool:
    """Whether the parameters' gradients are the sums of the shares in `plain`.

    They may differ by `relative` of the parameter's largest and, as rounded terms may cancel, by
    `of_terms` of the sum of their sizes.
    """
    for sums, shares in zip(got.of_parameters, plain.of_parameters, strict=True):
        if (sums is None) != (shares is None):
            return False
        if sums is not None and shares is not None:
            want, terms = (part.sum_to_size(sums.shape) for part in (shares, shares.abs()))
            near = relative * want.abs().max() + of_terms * terms
            if not ((sums - want).abs() <= near).all():
                return False
    return True


def close(got: Tensor, want: Tensor, relative: float = 1e-5) -> bool:
    """Equal to `relative` of the largest number, or of 1."""
    scale = max(1.0, want.abs().max().item()) if want.numel() else 1.0
    return torch.allclose(got.double(), want.double(), rtol=relative, atol=relative * scale)


def assert_one_frame_equals_its_copies(neuron: nn.Module, frame: Tensor, steps: int) -> None:
    """A frame [1, ...] expanded over time gives what its copies give, and their gradients' sum."""
    shown = frame.expand(steps, *frame.shape[1:])
    weights = torch.randn(shown.shape, device=frame.device).to(frame.dtype)
    copies = shown.detach().contiguous().requires_grad_()
    got, want = neuron(shown), neuron(copies)
    assert torch.equal(got, want)
    (of_frame,) = torch.autograd.grad(got, frame, weights)
    (of_copies,) = torch.autograd.grad(want, copies, weights)
    assert torch.equal(of_frame, of_copies.sum(0, keepdim=True))
