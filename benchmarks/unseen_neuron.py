"""A neuron that arlif has never seen, beside AR-LIF and beside its own plain loop.

Part of kernels.py.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from old_kernels import in_turns
from torch import Tensor

from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import STANDARD
from arlif.core.graph import Op
from arlif.core.neuron import Neuron, constant, learned
from arlif.core.real_neurons import RealArlif
from arlif.kernels import dispatch
from arlif.kernels.kernel import standard
from arlif.neurons.modules import run_steps

SHAPE = (4, 16, 64, 32, 32)
GIVEN = (Op.INPUT, Op.PARAMETER, Op.NUMBER)
"""Nodes of a trace that compute nothing."""


class Tiring(Neuron):
    """LIF whose membrane leaks by what it is tired, as fast as each channel learns.

    h = k u + x;  s = [h >= 1];  u = h - s;  w = 0.9 w + rate (s - sigma(w))
    """

    state = ("u", "w")
    decay: Any = constant(0.75, low=0, high=1)
    kept: Any = constant(0.9, low=0, high=1)
    rate: Any = learned(0.25, low=-1, high=1, per="channel")

    def rest(self, ops: Any, w: Any) -> Any:
        return ops.sigmoid(w)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        h = ops.saturate(ops.multiply(state.u, self.decay) + x - state.w)
        s = ops.fire(h, 1)
        more = ops.select(s, 1, 0) - ops.lookup(self.rest, state.w)
        w = ops.saturate(ops.multiply(state.w, self.kept) + ops.multiply(more, self.rate))
        return s, (ops.saturate(h - ops.select(s, 1, 0)), w)


@dataclass(frozen=True)
class Unseen:
    """Nanoseconds of an operation of the trace, forward and backward, of a neuron and time step.

    ratio: ours over AR-LIF's. plain: the plain loop's time over the kernel's.
    """

    operations: int
    each: float
    of_arlif: float
    ratio: float
    plain: float
    difference: float


def measured(repeats: int) -> Unseen:
    """The unseen neuron; gradients are compared with those of the plain loop."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(SHAPE, generator=generator).mul_(2).requires_grad_()
    weights = torch.randn(SHAPE, generator=generator)
    rate = torch.rand(SHAPE[2], 1, 1, generator=generator).requires_grad_()
    alpha, beta = (torch.tensor(value, requires_grad=True) for value in (0.9, 0.3))
    unseen, arlif = Tiring(rate=rate), RealArlif(0.5, 1.0, alpha, beta)

    def trained(neuron: Neuron, run: Callable[[Neuron], Tensor], learn: list[Tensor]) -> Any:
        return torch.autograd.grad(run(neuron), [x, *learn], weights)

    def ours() -> Any:
        return trained(unseen, lambda n: dispatch.run(n, x, None, STANDARD, False)[0], [rate])

    def known() -> Any:
        return trained(arlif, lambda n: dispatch.run(n, x, None, STANDARD, False)[0], [alpha, beta])

    def plain() -> Any:
        return trained(unseen, lambda n: run_steps(n, FloatOps(), x, None)[0], [rate])

    assert dispatch.applies(unseen, x)
    pairs = zip(plain(), ours(), strict=True)
    difference = max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)
    theirs, mine, ratio = in_turns(known, ours, repeats)
    *_, inverse = in_turns(plain, ours, max(3, repeats // 5))
    counts = [_operations(unseen), _operations(arlif)]
    each, of_arlif = (1e9 * t / x.numel() / c for t, c in zip((mine, theirs), counts, strict=True))
    per_operation = ratio * counts[1] / counts[0]
    return Unseen(counts[0], each, of_arlif, per_operation, 1 / inverse, difference)


def _operations(neuron: Neuron) -> int:
    """Of the traced step, in real numbers."""
    plain = type(neuron)(**neuron.flags())
    return sum(node.op not in GIVEN for node in standard(plain).graph.nodes)
