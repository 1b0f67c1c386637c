"""The forward pass of quantization-aware training is the integer network, spike for spike."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.strategies import inputs_for
from support.strategies_real import linearized_networks, precisions
from torch import nn

from arlif import layers
from arlif.base.errors import LoweringError
from arlif.core.network import Input
from arlif.neurons import ARLIF, LIF
from arlif.neurons.recurrent import Recurrent
from arlif.quantize import Precision, QatNetwork, linearize
from hw_sim.engines.integer import fast, reference
from hw_sim.engines.simulation import Record

SETTINGS = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def check(data: st.DataObject) -> None:
    real, graph = data.draw(linearized_networks())
    qat = QatNetwork(real, graph.input, data.draw(precisions()), graph.time_steps)
    try:
        network = qat.quantized()
    except LoweringError:
        assume(False)
    inputs = data.draw(inputs_for(network, network.time_steps))
    record = Record.everything(network, states=False)
    want = reference.simulate(network, inputs, network.time_steps, record)
    got = fast.simulate(network, inputs, network.time_steps, record)
    raw = torch.tensor(inputs[None] if network.input.static else inputs, dtype=torch.float32)
    qat.train(data.draw(st.booleans()))
    with torch.set_grad_enabled(qat.training):
        readout, spikes = qat.run(network, raw)
    np.testing.assert_array_equal(readout.detach().sum(0).numpy(), want.readout)
    np.testing.assert_array_equal(got.readout, want.readout)
    for name, trace in want.traces.items():
        np.testing.assert_array_equal(spikes[name].detach().numpy() == 1, trace.spikes)
        np.testing.assert_array_equal(got.traces[name].spikes, trace.spikes)


@settings(max_examples=40, **SETTINGS)
@given(st.data())
def test_forward_is_the_integer_network(data: st.DataObject) -> None:
    check(data)


class Named(nn.Module):
    """A chain whose neuron has a name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.a, self.b, self.name = layers.Linear(4, 4), layers.Linear(4, 3), name
        self.add_module(name, LIF())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.b(getattr(self, self.name)(self.a(x)))


@pytest.mark.parametrize("name", ["keys", "values", "pop", "items"])
def test_populations_may_be_called_like_methods(name: str) -> None:
    source = Input((4,), 1.0, 0, 127, static=False)
    qat = QatNetwork(linearize(Named(name), (4,)), source, Precision(), 2)
    assert [p.name for p in qat.quantized().populations] == [name]
    assert qat(torch.ones(2, 5, 4)).shape == (2, 5, 3)


@pytest.mark.slow
@settings(max_examples=500, **SETTINGS)
@given(st.data())
def test_forward_is_the_integer_network_on_many(data: st.DataObject) -> None:
    check(data)


@pytest.mark.parametrize("static", [False, True])
def test_loops_and_delays_train_as_integers(static: bool) -> None:
    torch.manual_seed(0)
    head = [layers.Repeat(9)] if static else []
    net = nn.Sequential(
        *head,
        layers.Linear(12, 20),
        Recurrent(ARLIF(), layers.Linear(20, 20), 2),
        layers.Delay(2),
        layers.Linear(20, 16),
        LIF(),
        layers.Linear(16, 4),
    )
    linear = linearize(net, (12,))
    qat = QatNetwork(linear, Input((12,), 2 / 127, 0, 127, static), Precision(), 9)
    network = qat.quantized()
    shape = (6, 12) if static else (9, 6, 12)
    raw = np.random.default_rng(0).integers(0, 128, shape).astype(np.int8)
    want = reference.simulate(network, raw, 9, Record.everything(network, states=False))
    given = torch.tensor(raw[None] if static else raw, dtype=torch.float32)
    readout, spikes = qat.run(network, given)
    np.testing.assert_array_equal(readout.detach().sum(0).numpy(), want.readout)
    for name, trace in want.traces.items():
        assert trace.spikes.any()
        np.testing.assert_array_equal(spikes[name].detach().numpy() == 1, trace.spikes)
    readout.square().mean().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in qat.parameters())
