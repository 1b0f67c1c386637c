"""The kernel of quantization-aware training: the loop's spikes, one by one, and its gradients."""

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from support.strategies import rngs
from support.strategies_real import decays, precisions
from torch import Tensor

from arlif.arithmetic.straight_through import state_type
from arlif.base.errors import ArlifError
from arlif.core.real_neurons import RealArlif
from arlif.kernels import build
from arlif.quantize.neuron_constants import to_integer
from arlif.quantize.qat_neurons import QatArlif, trainable_neuron

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")


@st.composite
def arlifs(draw: st.DrawFn) -> tuple[QatArlif, IntegerArlif]:
    """A trainable neuron and the integers of any formats that its parameters give."""
    real = RealArlif(
        draw(decays()),
        draw(st.floats(0.25, 2)),
        draw(st.floats(0, 1)),
        draw(st.floats(-0.95, 0.95)),
        draw(st.booleans()),
    )
    module = trainable_neuron(real, draw(st.sampled_from((0.5, 1.0, 2.0))))
    try:
        neuron = to_integer(real, draw(precisions()).numbers)
    except ArlifError:
        assume(False)
    assert isinstance(module, QatArlif)
    assert isinstance(neuron, IntegerArlif)
    return module.double(), neuron


def gradients(module: QatArlif, spikes: Tensor, x: Tensor, weights: Tensor) -> list[Tensor]:
    parameters = [module.alpha_raw, module.beta_raw] if module.memory else [module.beta_raw]
    total = (spikes * weights).sum()
    return list(torch.autograd.grad(total, [x, *parameters], materialize_grads=True))


@settings(max_examples=60, deadline=None)
@given(arlifs(), rngs(), st.integers(1, 6), st.integers(1, 600), st.booleans())
def test_it_is_the_loop(
    case: tuple[QatArlif, IntegerArlif],
    rng: np.random.Generator,
    steps: int,
    size: int,
    constant: bool,
) -> None:
    """Currents reach beyond the tables and the state format; `constant` gives all steps one."""
    module, neuron = case
    state = neuron.state_format
    raw = rng.normal(0, rng.choice([1.0, 12.0]) * state.one, (1 if constant else steps, size))
    limited = torch.tensor(raw.round().clip(state.low, state.high))
    x = limited.to(state_type(state, neuron.factor_bits)).requires_grad_()
    weights = torch.tensor(rng.normal(0, 1, (steps, size))).to(x)
    currents = x.expand(steps, size)
    fused, loop = module(currents, neuron), module.run_steps(currents, neuron)
    torch.testing.assert_close(fused, loop, rtol=0, atol=0)
    exact = x.detach().double().requires_grad_()
    loop = module.run_steps(exact.expand(steps, size), neuron)
    want = gradients(module, loop, exact, weights.double())
    got = gradients(module, fused, x, weights)
    for one, other in zip(got, want, strict=True):
        scale = other.abs().max().item()
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=1e-5 * scale)
