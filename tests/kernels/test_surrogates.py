"""Kernels with another surrogate than the rectangle equal the plain loop, and torch's autograd."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from support.kernel_oracle import close, outcome, parameters_agree, smooth_currents
from support.user_neurons import Adaptive

from arlif import kernels
from arlif.arithmetic.surrogates import Triangle
from arlif.core.neuron import Neuron
from arlif.core.real_neurons import RealArlif
from arlif.kernels import build, dispatch, op
from arlif.neurons import NeuronLayer

NEURONS: dict[str, Neuron] = {
    "released": RealArlif(0.2, 1.0, 1.0, -0.4, memory=False, strict=True),
    "of a user": Adaptive(),
}
every_neuron = pytest.mark.parametrize("name", NEURONS)
needs_library = pytest.mark.skipif(build.library() is None, reason="no C++ compiler here")


def layer(name: str, shape: tuple[int, ...], width: float) -> NeuronLayer:
    made = NeuronLayer(NEURONS[name], shape)
    made.surrogate = Triangle(width)
    return made


def check(neuron: NeuronLayer, x: torch.Tensor) -> None:
    """Spikes, states and gradients of the kernel are those of the loop in float64."""
    x = smooth_currents(neuron, x)
    assert kernels.applies(neuron.real_neuron(), x, neuron.surrogate)
    start = tuple(torch.zeros_like(x[0]) for _ in neuron.real_neuron().variables)
    got, want = outcome(neuron, x, start), outcome(neuron, x, start, plain=True)
    assert torch.equal(got.spikes.double(), want.spikes)
    assert close(got.of_x, want.of_x, 2e-5)
    for a, b in zip(got.final + got.of_state, want.final + want.of_state, strict=True):
        assert close(a, b, 2e-5)
    assert parameters_agree(got, want, 2e-5, 2e-6)


@needs_library
@every_neuron
@settings(max_examples=10, deadline=None)
@given(st.integers(1, 6), st.sampled_from([0.5, 1.0, 2.0]), st.integers(0, 10**6))
def test_a_triangle_in_the_compiled_kernel_is_that_of_the_loop(name, steps, width, seed):
    torch.manual_seed(seed)
    check(layer(name, (3, 5, 7), width), torch.randn(steps, 2, 3, 5, 7) * 2)


@every_neuron
def test_a_triangle_in_the_triton_kernel_is_that_of_the_loop(name, monkeypatch):
    pytest.importorskip("triton", reason="triton is not installed")
    from arlif.kernels import gpu

    monkeypatch.setattr(op, "_backend", lambda x: gpu)
    monkeypatch.setattr(dispatch, "_has_library", lambda text: True)
    torch.manual_seed(0)
    check(layer(name, (40,), 0.5), torch.randn(3, 2, 40) * 2)
