"""The float side of comparisons: whatever form a network gives its logits, it decides alike."""

import numpy as np
import pytest
import torch
from support.networks_small import conv_net, images, quantized
from torch import Tensor, nn

from arlif.base.errors import LoweringError
from hw_sim.comparison.agreement import agreement
from hw_sim.engines.floating_point import simulate_float


class MeanOverTime(nn.Module):
    """A network whose last step is the mean over time."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).mean(0)


def test_a_mean_over_time_decides_as_the_sum_does() -> None:
    net, real = conv_net(), images((1, 8, 8), 32)
    want, got = simulate_float(net, real, batch=10), simulate_float(MeanOverTime(net), real, 4, 10)
    np.testing.assert_array_equal(want.decisions, got.decisions)
    assert got.readout.shape == (32, 10)
    with torch.no_grad():
        logits = net(real)
    np.testing.assert_array_equal(want.readout, logits.double().sum(0))
    np.testing.assert_array_equal(got.readout, logits.mean(0).double())
    assert want.readout.dtype == got.readout.dtype == np.float64


def test_a_mean_over_time_agrees_with_its_integers() -> None:
    net, real = MeanOverTime(conv_net()), images((1, 8, 8), 32)
    found = agreement(net, quantized(net, (1, 8, 8)), real)
    assert found["samples"] == 32
    assert found["decisions_changed"] <= 2


@pytest.mark.parametrize("traced", [0, 1, 3, 5, 9])
@pytest.mark.parametrize("batch", [1, 2, 256])
def test_the_first_samples_are_traced_whatever_the_batch(traced: int, batch: int) -> None:
    """Every state is the one that the layer itself returns after so many steps."""
    net, real = conv_net(), images((1, 8, 8), 5)
    whole, got = simulate_float(net, real, 5), simulate_float(net, real, traced, batch)
    assert got.recorded == min(traced, 5)
    for name, counts in whole.counts.items():
        np.testing.assert_array_equal(got.counts[name], counts)
        np.testing.assert_array_equal(whole.traces[name].spikes.sum(0), counts)
    for name, trace in got.traces.items():
        want = whole.first(got.recorded).traces[name]
        np.testing.assert_array_equal(trace.spikes, want.spikes)
        for state, values in trace.states.items():
            np.testing.assert_allclose(values, want.states[state], rtol=1e-5, atol=1e-6)


def test_a_state_over_time_goes_on_from_step_to_step() -> None:
    net, real = conv_net(), images((1, 8, 8), 3)
    layer, first = net.get_submodule("3"), net[:3]
    with torch.no_grad():
        currents = first(real)
        spikes, last = layer(currents, return_state=True)
    trace = simulate_float(net, real, 3).traces["3"]
    np.testing.assert_array_equal(trace.spikes, spikes.numpy() == 1)
    for name, values in trace.states.items():
        np.testing.assert_allclose(values[-1], getattr(last, name), rtol=1e-5, atol=1e-6)
        assert not np.array_equal(values[0], values[-1])


def test_what_only_wraps_a_network_is_refused() -> None:
    with pytest.raises(LoweringError, match=r"DataParallel wraps the network; give its \.module"):
        simulate_float(nn.DataParallel(conv_net()), images((1, 8, 8), 2))
