"""Kernels of neurons that arlif has never seen: printed, compiled and equal to the plain loop."""

import logging
import resource
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_oracle import close, outcome, parameters_agree, smooth_currents
from support.kernel_toys import TOYS, Divided, Threefold, Twofold
from support.user_neurons import Adaptive

from arlif import kernels
from arlif.arithmetic.floating import FloatOps
from arlif.arithmetic.surrogates import STANDARD
from arlif.core.neuron import Neuron, constant
from arlif.core.real_neurons import RealArlif, RealCuba, RealLifSubtract
from arlif.kernels import build
from arlif.neurons import NeuronLayer
from arlif.neurons.modules import run_steps

needs_library = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")
NEURONS: dict[str, Neuron] = {
    **{toy.__name__: toy() for toy in TOYS},
    "Adaptive": Adaptive(),
    "held threshold": RealLifSubtract(0.5, 1.0, 0.75, hold=0.5),
}
LAYOUTS = {
    "contiguous": lambda x: x.contiguous(),
    "channels last": lambda x: (
        x.flatten(0, 1).contiguous(memory_format=torch.channels_last).unflatten(0, x.shape[:2])
    ),
    "samples inside": lambda x: x.movedim(1, -1).contiguous().movedim(-1, 1),
    "one frame": lambda x: x[:1].expand(x.shape),
}


def layer(neuron: Neuron, shape: tuple[int, ...], width: float = 1.0) -> NeuronLayer:
    """A layer whose parameters all differ."""
    made = NeuronLayer(neuron, shape, width)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += torch.linspace(-0.25, 0.25, parameter.numel()).reshape(parameter.shape)
    return made


@needs_library
@pytest.mark.parametrize("name", NEURONS)
@settings(max_examples=25, deadline=None)
@given(
    steps=st.integers(1, 9),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 20), st.integers(1, 9), st.integers(1, 9)),
    layout=st.sampled_from(sorted(LAYOUTS)),
    width=st.sampled_from([0.5, 1.0]),
    storage=st.sampled_from([torch.float32, torch.float64, torch.bfloat16]),
    seed=st.integers(0, 10**6),
)
def test_kernel_equals_the_loop(name, steps, shape, layout, width, storage, seed):
    torch.manual_seed(seed)
    neuron = layer(NEURONS[name], shape[1:], width)
    if storage == torch.float64:
        neuron = neuron.double()
    x = (torch.randn(steps, *shape) * 2).to(storage)
    x = LAYOUTS[layout](smooth_currents(neuron, x, margin=4e-6))
    assert kernels.applies(neuron.real_neuron(), x)
    start = tuple(torch.zeros(shape) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    exact = 1e-12 if storage == torch.float64 else 2e-5
    rounded = 1e-2 if storage == torch.bfloat16 else exact
    assert close(got.of_x, want.of_x, rounded)
    for a, b in zip(got.final, want.final, strict=True):
        assert close(a, b, exact)
    for a, b in zip(got.of_state, want.of_state, strict=True):
        assert close(a, b, rounded)
    if storage == torch.float64:
        assert parameters_agree(got, want, 1e-11, 1e-11)
    else:
        assert parameters_agree(got, want, 2e-5, 2e-6)


@needs_library
@pytest.mark.parametrize("name", NEURONS)
def test_kernel_equals_the_loop_on_many_elements(name):
    torch.manual_seed(5)
    shape = (16, 32, 32)
    neuron = layer(NEURONS[name], shape)
    x = smooth_currents(neuron, torch.randn(4, 3, *shape) * 2)
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x, 2e-5)
    assert parameters_agree(got, want, 2e-5, 2e-6)


@needs_library
@pytest.mark.parametrize("name", sorted({*NEURONS} - {"Threefold"}))
def test_currents_that_are_no_numbers_spread_as_in_the_loop(name):
    """Without Threefold: kernels have sigma(-inf) = 2e-35, and that is none for an infinite h."""
    neuron = layer(NEURONS[name], (3,))
    x = torch.cartesian_prod(*[torch.tensor([torch.nan, torch.inf, -torch.inf, 2.0])] * 3)
    x = x.T[:, :, None].expand(-1, -1, 3).contiguous()
    want, end = run_steps(neuron.real_neuron(), FloatOps(neuron.surrogate), x, None)
    spikes, last = neuron(x, return_state=True)
    assert torch.equal(spikes, want)
    torch.testing.assert_close(last, end, equal_nan=True)


@needs_library
def test_constants_of_every_shape_and_kind_are_read_where_they_belong():
    """One per layer, channel, neuron or sample; numbers, arrays and tensors, learned or not."""
    x = torch.randn(4, 2, 3, 4, 5) * 2
    values = {
        "array per channel": np.linspace(0.1, 0.9, 3).reshape(3, 1, 1),
        "tensor per neuron": torch.rand(3, 4, 5),
        "rows": torch.rand(4, 1),
        "samples and columns": torch.rand(2, 1, 1, 5),
        "a tensor of one number": torch.tensor(0.3),
        "of one number, shown as an array": torch.rand(1, 1, 1),
    }
    for layout in (*LAYOUTS.values(), lambda x: x.flatten(2).unflatten(2, (3, 4, 5))):
        given = layout(x)
        for name, value in values.items():
            real = RealArlif().with_constants({"decay": value, "alpha": 0.75, "beta": 0.25})
            tensors = {"decay": torch.as_tensor(value), "alpha": 0.75, "beta": 0.25}
            assert kernels.applies(real, given), name
            got, _ = kernels.run(real, given, None, STANDARD, False)
            plain = real.with_constants(tensors)
            assert torch.equal(got, run_steps(plain, FloatOps(), given, None)[0]), name


@needs_library
def test_a_constant_that_requires_a_gradient_has_one():
    x = torch.randn(4, 2, 3, 5) * 2
    gradients = []
    for run in (kernels.run, lambda real, x, *rest: run_steps(real, FloatOps(), x, None)):
        decay = torch.full((3, 1), 0.5, requires_grad=True)
        real = RealArlif(0.5, 1.0, 0.75, 0.25).with_constants({"decay": decay})
        spikes, _ = run(real, x, None, STANDARD, False)
        gradients += torch.autograd.grad(spikes.sum(), decay)
    torch.testing.assert_close(*gradients, rtol=1e-5, atol=1e-5)


@needs_library
def test_a_constant_that_is_nothing_costs_nothing():
    """A threshold that is not held has the kernel of a neuron that cannot hold it."""
    text = partial(kernels.dispatch._text, surrogate=STANDARD)
    free, held = RealLifSubtract(hold=0.0), RealLifSubtract(hold=0.5)
    assert '"hold"' not in text(free)
    assert '"hold"' in text(held)
    assert text(RealCuba(decay=0.0)) == text(RealCuba(decay=0.25))


def cpu_seconds() -> float:
    """Of this process and of the compilers that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


@needs_library
def test_a_new_neuron_is_compiled_within_seconds_and_once(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    caplog.set_level(logging.WARNING)

    class New(Threefold):
        def shut(self, ops: Any, a: Any) -> Any:
            return 1 - ops.sigmoid(self.rate * a) * ops.sigmoid(-a) * 0.984375

    x = torch.randn(4, 2, 3, 5)
    begin = cpu_seconds()
    first = layer(New(), (3, 5))(x)
    assert cpu_seconds() - begin < 5
    assert [record.message.startswith("compiling") for record in caplog.records] == [True]
    assert torch.equal(layer(New(), (3, 5))(x), first)
    assert len(list((tmp_path / "arlif").iterdir())) == 1


@needs_library
def test_two_classes_of_one_step_share_a_kernel():
    class Same(Twofold):
        """Another name, the same step."""

    text = partial(kernels.dispatch._text, surrogate=STANDARD)
    assert text(Same()) == text(Twofold())
    assert text(Divided()) != text(Twofold())


class Modulo(Neuron):
    """A step that no graph holds."""

    state = ("u",)
    decay: Any = constant(0.5)

    def step(self, ops: Any, state: Any, x: Any) -> Any:
        u = state.u * self.decay + x % 1
        return ops.fire(u, 1), (u,)


def test_a_step_that_cannot_be_traced_runs_as_a_loop_and_one_line_says_why(caplog):
    x = torch.randn(4, 2, 3)
    assert not any(kernels.applies(Modulo(), x) for _ in range(3))
    assert len(caplog.records) == 1
    assert "Modulo runs as a plain loop" in caplog.text
    assert "traced" in caplog.text
