"""The kernel of quantization-aware training: the loop's spikes, one by one, and its gradients."""

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import torch
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st
from support.programs import RandomNeuron, programs
from support.strategies_neurons import rngs
from support.strategies_real import precisions, real_neurons
from torch import Tensor

from arlif.arithmetic.straight_through import state_type
from arlif.arithmetic.surrogates import STANDARD, Rectangle, Surrogate, Triangle
from arlif.base.errors import ArlifError
from arlif.core.formats import FixedPointFormat
from arlif.core.integer_neurons import IntegerNeuron, Numbers
from arlif.core.neuron import Neuron, constant
from arlif.core.real_neurons import RealArlif, RealCuba, RealLifSoft
from arlif.kernels import build, quantized
from arlif.kernels.quantized_printer import printed
from arlif.quantize.neuron_constants import to_integer
from arlif.quantize.qat_neurons import QatNeuron
from arlif.quantize.walk import detached

pytestmark = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")
SHAPE = (3, 5, 4)
WIDTHS = st.sampled_from((0.5, 1.0, 2.0))


def trainable(
    real: Neuron, numbers: Numbers, surrogate: Surrogate = STANDARD
) -> tuple[QatNeuron, IntegerNeuron]:
    """A module in double precision, and the integers of its constants."""
    module = QatNeuron(real, SHAPE, surrogate).double()
    return module, to_integer(detached(module.real_neuron()), numbers)


def check(
    module: QatNeuron, neuron: IntegerNeuron, rng: np.random.Generator, steps: int, constant: bool
) -> None:
    """Currents reach beyond the tables and the state format; `constant` gives all steps one."""
    state = neuron.state_format
    raw = rng.normal(0, rng.choice([1.0, 12.0]) * state.one, (1 if constant else steps, 7, *SHAPE))
    limited = torch.tensor(raw.round().clip(state.low, state.high))
    x = limited.to(state_type(state, neuron.factor_bits)).requires_grad_()
    weights = torch.tensor(rng.normal(0, 1, (steps, 7, *SHAPE))).to(x)
    fused = module(x.expand(steps, *x.shape[1:]), neuron)
    exact = x.detach().double().requires_grad_()
    loop = module.run_steps(exact.expand(steps, *x.shape[1:]), neuron)
    assert fused.dtype == x.dtype
    torch.testing.assert_close(fused.double(), loop, rtol=0, atol=0)
    got = gradients(module, fused, x, weights)
    want = gradients(module, loop, exact, weights.double())
    rounding = 1e-8 * float(weights.abs().sum())  # of a constant's terms, which may cancel
    for one, other in zip(got, want, strict=True):
        within = 1e-5 * other.abs().max().item() + (0 if other.ndim > 1 else rounding)
        torch.testing.assert_close(one.double(), other, rtol=1e-5, atol=within)


def gradients(module: QatNeuron, spikes: Tensor, x: Tensor, weights: Tensor) -> list[Tensor]:
    total = (spikes * weights).sum()
    if not total.requires_grad:
        return []
    return list(torch.autograd.grad(total, [x, *module.parameters()], materialize_grads=True))


@st.composite
def neurons(draw: st.DrawFn) -> tuple[QatNeuron, IntegerNeuron]:
    """A trainable neuron and the integers of any formats that its parameters give."""
    real = draw(real_neurons(SHAPE))
    try:
        return trainable(real, draw(precisions()).numbers, Rectangle(draw(WIDTHS)))
    except ArlifError:
        assume(False)
        raise


@settings(max_examples=100, deadline=None)
@given(neurons(), rngs(), st.integers(1, 6), st.booleans())
def test_it_is_the_loop(
    case: tuple[QatNeuron, IntegerNeuron], rng: np.random.Generator, steps: int, constant: bool
) -> None:
    module, neuron = case
    assert quantized.applies(module.kernel(neuron), torch.ones(1, 1), neuron)
    check(module, neuron, rng, steps, constant)


@settings(max_examples=10, deadline=None)
@given(rngs(), st.integers(1, 6))
def test_it_is_the_loop_of_cuba(rng: np.random.Generator, steps: int) -> None:
    numbers = Numbers(FixedPointFormat(18, 9), 7)
    bias = rng.uniform(-1, 1, (SHAPE[0], 1, 1))
    check(*trainable(RealCuba(bias=bias, limit=31.0, edge=32.0), numbers), rng, steps, False)


@settings(max_examples=10, deadline=None)
@given(rngs(), st.integers(1, 6), WIDTHS)
def test_it_is_the_loop_of_the_released_neuron(
    rng: np.random.Generator, steps: int, width: float
) -> None:
    """Without memory, a triangle for a surrogate, and a spike needs h > theta."""
    released = RealArlif(0.2, 1.0, 1.0, -0.4, memory=False, strict=True)
    check(*trainable(released, Numbers(), Triangle(width)), rng, steps, constant=False)


@settings(max_examples=2, deadline=None, phases=[Phase.generate])
@given(st.lists(programs(8), min_size=6, max_size=6), rngs())
def test_steps_that_do_anything(steps: list[object], rng: np.random.Generator) -> None:
    """Compiled together."""
    numbers = Numbers(FixedPointFormat(15, 6), 6)
    cases = [trainable(RandomNeuron(program=program), numbers) for program in steps]
    kernels = [module.kernel(neuron) for module, neuron in cases]
    source = build.Source(("real.cpp",), printed(kernels))
    for number, case in enumerate(cases):
        with patch.object(quantized, "placed", lambda _, number=number: (source, number)):
            assert quantized.applies(kernels[number], torch.ones(1, 1), case[1])
            check(*case, rng, 4, constant=False)


@pytest.fixture
def plain() -> tuple[QatNeuron, IntegerNeuron]:
    return trainable(RealLifSoft(0.5, 1.0), Numbers(), STANDARD)


class Far(Neuron):
    """A sum of many large numbers, and back."""

    state = ("u",)
    c: Any = constant(1.0)
    threshold: Any = constant(1.0)

    def step(self, ops, state, x):
        far = x + self.c + self.c + self.c
        near = far - self.c - self.c - self.c
        return ops.fire(near, self.threshold), (ops.saturate(near),)


def test_what_float32_cannot_hold_is_computed_in_float64() -> None:
    """States of 24 bits and factors of 1 bit have products in float32, but sums of three not."""
    numbers = Numbers(FixedPointFormat(24, 20), 1)
    module, neuron = trainable(Far((2**23 - 1) / 2**20, 1000 / 2**20), numbers)
    x = torch.arange(970.0, 1030.0).view(1, 1, *SHAPE)
    assert state_type(neuron.state_format, 1) is torch.float32
    assert torch.equal(module(x, neuron) == 1, x >= 1000)


class Clamped(Neuron):
    """A saturated sum beside the ends of its format."""

    state = ("u",)
    c: Any = constant(0.0)
    threshold: Any = constant(0.0)

    def step(self, ops, state, x):
        h = ops.saturate(x + x + self.c)
        return ops.fire(h, self.threshold), (h,)


@pytest.mark.parametrize("end", ["low", "high"])
def test_the_gradient_of_saturation_includes_the_ends(end: str) -> None:
    state = FixedPointFormat(12, 8)
    raw = getattr(state, end)
    real = Clamped((raw % 2) / state.one, raw / state.one)
    module, neuron = trainable(real, Numbers(state, 8), STANDARD)
    x = (raw // 2 + torch.arange(-30.0, 30.0)).view(1, 1, *SHAPE).requires_grad_()
    module(x, neuron).sum().backward()
    sums = 2 * x.detach() + raw % 2
    inside = (sums >= state.low) & (sums <= state.high)
    assert 20 < int(inside.sum()) < 40
    torch.testing.assert_close(x.grad, 2 / state.one * inside.float())


def test_other_devices_and_types_run_the_loop(plain: tuple[QatNeuron, IntegerNeuron]) -> None:
    module, neuron = plain
    kernel = module.kernel(neuron)
    assert quantized.applies(kernel, torch.ones(1, 1), neuron)
    assert not quantized.applies(kernel, torch.ones(1, 1, device="meta"), neuron)
    assert not quantized.applies(kernel, torch.ones(1, 1, dtype=torch.int32), neuron)


def test_currents_may_lie_in_memory_in_any_order(plain: tuple[QatNeuron, IntegerNeuron]) -> None:
    module, neuron = plain
    raw = torch.arange(-200.0, 280.0).reshape(4, 5, 4, 3, 2) * 3
    last = raw.to(memory_format=torch.contiguous_format).movedim(2, -1).contiguous().movedim(-1, 2)
    for x in (raw, last, raw[:, ::2], raw.flip(0)):
        torch.testing.assert_close(module(x, neuron), module.run_steps(x, neuron), rtol=0, atol=0)
